//! The gain of the pulses, predicted from the energy of those before (3.9.1), and the codebooks of both gains (3.9.2).

use crate::codebook::SUBFRAME;
use crate::ops::*;
use crate::tables::gain::*;
use crate::wide::{Split, log2, pow2};

/// Errors of the last four predictions, dB in Q10, the latest first. The same on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GainPredictor {
    past: [i16; 4],
}

/// -14 dB, Q10: where the memory begins and how low concealment lets it fall.
const FLOOR: i16 = -14336;

impl Default for GainPredictor {
    fn default() -> GainPredictor {
        GainPredictor { past: [FLOOR; 4] }
    }
}

/// Both gains of a subframe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gains {
    /// Of the adaptive codebook, Q14.
    pub pitch: i16,
    /// Of the fixed codebook, Q1.
    pub code: i16,
}

/// A predicted gain: `mantissa * 2^-q`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Predicted {
    /// 16384 to 32767.
    pub mantissa: i16,
    /// Bits behind the binary point.
    pub q: i16,
}

impl GainPredictor {
    /// The gain that the energy of `code` (Q13) and the past suggest (equation 71).
    pub fn predict(&self, code: &[i16; SUBFRAME]) -> Predicted {
        let energy = code.iter().fold(0, |sum, c| l_mac(sum, *c, *c));
        // Decibels below: 10 log10 of a Q27 energy is 3.0103 for each doubling; 127.298 is what remains of the mean of
        // 30 dB, the 40 samples and the point's place.
        let (whole, fraction) = log2(energy);
        let level = Split { high: whole, low: fraction }.mul16(-24660);
        let level = l_mac(level, 32588, 32);
        // Q14 to Q24, as the predictor's Q13 by Q10 comes out.
        let sum = (0..4).fold(l_shl(level, 10), |sum, i| l_mac(sum, self.past[i], ENERGY_MA[i]));
        // Decibels in Q24 to a power of two in Q26: log2(10) / 20 is 21771 in Q17.
        let power = Split::of(sum).mul16(21771);
        let (whole, fraction) = (sat16(power >> 26), ((power >> 11) & 0x7fff) as i16);
        Predicted { mantissa: extract_l(pow2(14, fraction)), q: sub(14, whole) }
    }

    /// Remembers how much larger than predicted the gain was: `correction` is Q13 (equation 72).
    pub fn push(&mut self, correction: i32) {
        let (whole, fraction) = log2(correction);
        let log = Split { high: sub(whole, 13), low: fraction }.long();
        // 20 log10(2) in Q12; the product in Q13 of Q16 is brought to Q10.
        let error = mult(extract_h(l_shl(log, 13)), 24660);
        self.remember(error);
    }

    /// A lost subframe: the mean of the past less 4 dB, not below -14 dB (equation 95).
    pub fn decay(&mut self) {
        let sum = self.past.iter().fold(0, |sum, p| l_add(sum, i32::from(*p)));
        self.remember(sub(extract_l(l_shr(sum, 2)), 4096).max(FLOOR));
    }

    fn remember(&mut self, error: i16) {
        self.past.rotate_right(1);
        self.past[0] = error;
    }

    /// The gains of the two indices as sent, the memory moved on (3.9.3).
    pub fn decode(&mut self, gain_a: u8, gain_b: u8, code: &[i16; SUBFRAME]) -> Gains {
        let a = &GA[usize::from(GA_FROM_WIRE[usize::from(gain_a & 7)])];
        let b = &GB[usize::from(GB_FROM_WIRE[usize::from(gain_b & 15)])];
        let predicted = self.predict(code);
        let correction = i32::from(a[1]) + i32::from(b[1]);
        self.push(correction);
        Gains { pitch: add(a[0], b[0]), code: predicted.times(correction) }
    }
}

impl Predicted {
    /// The gain a correction (Q13) makes of it, Q1.
    pub fn times(self, correction: i32) -> i16 {
        // The correction as Q12 fits 16 bits; a doubled product, then, of Q (q + 13).
        let product = l_mult(extract_l(l_shr(correction, 1)), self.mantissa);
        round(l_shl(product, sub(4, self.q)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codebook::{pulses, sharpen};

    #[test]
    fn the_prediction_is_that_of_the_equations() {
        let mut predictor = GainPredictor::default();
        let mut past = [-14.0f64; 4];
        let mut seed = 7u32;
        for _ in 0..500 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let mut code = pulses((seed >> 8) as u16 & 0x1fff, (seed >> 24) as u8);
            sharpen(&mut code, 20 + (seed >> 28) as i16 * 2, 9000);
            let energy: f64 = code.iter().map(|c| (f64::from(*c) / 8192.0).powi(2)).sum();
            let mean: f64 = past.iter().zip([0.68, 0.58, 0.34, 0.19]).map(|(p, b)| p * b).sum();
            let exact = 10f64.powf((mean + 30.0 - 10.0 * (energy / 40.0).log10()) / 20.0);
            let found = predictor.predict(&code);
            let value = f64::from(found.mantissa) / 2f64.powi(found.q.into());
            assert!((value / exact - 1.0).abs() < 0.007, "{value} for {exact}");
            let (a, b) = ((seed >> 16 & 7) as u8, (seed >> 20 & 15) as u8);
            let rows =
                (&GA[usize::from(GA_FROM_WIRE[a as usize])], &GB[usize::from(GB_FROM_WIRE[b as usize])]);
            let correction = f64::from(i32::from(rows.0[1]) + i32::from(rows.1[1])) / 8192.0;
            let gains = predictor.decode(a, b, &code);
            let code_gain = (2.0 * exact * correction).min(32767.0);
            assert!(
                (f64::from(gains.code) - code_gain).abs() < 2.0 + code_gain * 0.008,
                "{} {code_gain}",
                gains.code
            );
            past.rotate_right(1);
            past[0] = 20.0 * correction.log10();
            assert!((f64::from(predictor.past[0]) / 1024.0 - past[0]).abs() < 0.02);
        }
    }

    #[test]
    fn lost_subframes_let_the_memory_fall_to_its_floor() {
        let mut predictor = GainPredictor { past: [9000, 8000, -500, 20_000] };
        predictor.decay();
        assert_eq!(predictor.past, [5029, 9000, 8000, -500]);
        (0..40).for_each(|_| predictor.decay());
        assert_eq!(predictor, GainPredictor::default());
    }

    #[test]
    fn indices_on_the_wire_and_places_in_the_codebooks_are_inverse() {
        assert!((0..8).all(|i| GA_FROM_WIRE[usize::from(GA_TO_WIRE[i])] == i as u8));
        assert!((0..16).all(|i| GB_FROM_WIRE[usize::from(GB_TO_WIRE[i])] == i as u8));
    }
}
