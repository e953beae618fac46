//! What happens to the samples before any analysis (3.1): halved, and rid of what lies below 140 Hz.

use crate::ops::*;
use crate::tables::analysis::{HIGH_PASS_140_A, HIGH_PASS_140_B};
use crate::wide::Split;

/// The high pass. Its feedback runs in 32 bits: a pole this near to the unit circle would hum in 16.
#[derive(Clone, Debug, Default)]
pub(super) struct HighPass {
    /// The last two samples in, the newer first.
    given: [i16; 2],
    /// The last two values out, Q16, the newer first.
    made: [i32; 2],
}

impl HighPass {
    /// Filters one frame.
    pub(super) fn run(&mut self, samples: &[i16; 80], out: &mut [i16]) {
        let [b0, b1, b2] = HIGH_PASS_140_B.map(i32::from);
        let [mut one, mut two] = self.made.map(Split::of);
        let [mut x1, mut x2] = self.given.map(i32::from);
        let mut newest = self.made[0];
        let mut before = self.made[1];
        for (sample, out) in samples.iter().zip(out) {
            let x0 = i32::from(*sample);
            // None of these sums can leave 32 bits: 2 * (2 * 1899 + 3798) * 2^15 and 0.36 * 2^31.
            let direct = 2 * (b0 * x0 + b1 * x1 + b2 * x2);
            let acc = one.mul16(HIGH_PASS_140_A[1]) + two.mul16(HIGH_PASS_140_A[2]) + direct;
            before = newest;
            newest = l_shl(acc, 3);
            *out = round(newest);
            (two, one) = (one, Split::of(newest));
            (x2, x1) = (x1, x0);
        }
        self.given = [x1 as i16, x2 as i16];
        self.made = [newest, before];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Amplitude that comes out for a tone of `hertz` at amplitude 16000.
    fn passed(hertz: f64) -> f64 {
        let mut filter = HighPass::default();
        let mut most = 0;
        for frame in 0..60 {
            let tone = std::array::from_fn(|i| {
                let t = (frame * 80 + i) as f64 / 8000.0;
                (16000.0 * (std::f64::consts::TAU * hertz * t).sin()) as i16
            });
            let mut out = [0; 80];
            filter.run(&tone, &mut out);
            if frame > 40 {
                most = most.max(out.iter().map(|s| s.unsigned_abs()).max().unwrap_or(0));
            }
        }
        f64::from(most)
    }

    #[test]
    fn speech_is_halved_and_the_hum_of_the_mains_is_gone() {
        assert!((passed(1000.0) - 8000.0).abs() < 300.0, "{}", passed(1000.0));
        assert!(passed(50.0) < 2300.0, "{}", passed(50.0));
    }

    #[test]
    fn the_loudest_square_wave_neither_panics_nor_wraps() {
        let mut filter = HighPass::default();
        for frame in 0..40 {
            let loud = std::array::from_fn(|i| if (i + frame) % 27 < 13 { i16::MAX } else { i16::MIN });
            let mut out = [0; 80];
            filter.run(&loud, &mut out);
            let crossings = out.windows(2).filter(|w| (w[0] < 0) != (w[1] < 0)).count();
            assert!(crossings < 10, "a wrapped sum would change sign all the time");
        }
    }
}
