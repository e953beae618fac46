//! What happens to the samples before any analysis (3.1): halved, and rid of what lies below 140 Hz.

use crate::ops::*;
use crate::tables::analysis::{HIGH_PASS_140_A, HIGH_PASS_140_B};

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
        // None of these sums can leave 32 bits: 2 * (2 * 1899 + 3798) * 2^15.
        let mut given = [0i16; 82];
        (given[0], given[1]) = (self.given[1], self.given[0]);
        given[2..].copy_from_slice(samples);
        let mut direct = [0i32; 80];
        for n in 0..80 {
            let [x2, x1, x0] = [given[n], given[n + 1], given[n + 2]].map(i32::from);
            direct[n] = (b0 * x0).wrapping_add(b1 * x1).wrapping_add(b2 * x2) << 1;
        }
        let [mut one, mut two] = self.made;
        for (direct, out) in direct.iter().zip(out) {
            // A split value times a coefficient is that of its upper 31 bits. 0.36 * 2^31 is the most the sum can be.
            let times =
                |made: i32, a: i16| ((i64::from(made >> 1).wrapping_mul(i64::from(a)) >> 15) << 1) as i32;
            let back = times(two, HIGH_PASS_140_A[2]).wrapping_add(*direct);
            let acc = times(one, HIGH_PASS_140_A[1]).wrapping_add(back);
            let newest = (acc.clamp(-1 << 28, (1 << 28) - 1) << 3) | if acc >= 1 << 28 { 7 } else { 0 };
            *out = round(newest);
            (two, one) = (one, newest);
        }
        self.given = [samples[79], samples[78]];
        self.made = [one, two];
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
    fn samples_are_those_of_the_saturating_operators() {
        use crate::wide::Split;
        let mut seed = 8u32;
        let (mut x, mut y) = ([0i16; 2], [Split::default(); 2]);
        let mut filter = HighPass::default();
        for part in 0..60 {
            let samples = std::array::from_fn(|n| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if part % 3 == 0 && n > 9 {
                    i16::MAX - 7 * (seed >> 31) as i16
                } else {
                    (seed >> 16) as i16 >> (part % 5)
                }
            });
            let mut out = [0; 80];
            filter.run(&samples, &mut out);
            for (now, found) in samples.iter().zip(&out) {
                let (a, b) = (&HIGH_PASS_140_A, &HIGH_PASS_140_B);
                let back = l_add(y[0].mul16(a[1]), y[1].mul16(a[2]));
                let sum = l_mac(l_mac(l_mac(back, *now, b[0]), x[0], b[1]), x[1], b[2]);
                let sum = l_shl(sum, 3);
                assert_eq!(*found, round(sum));
                (x, y) = ([*now, x[0]], [Split::of(sum), y[0]]);
            }
        }
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
