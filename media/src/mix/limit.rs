//! The limiter: several loud voices fit into 16 bits without breaking.
//!
//! The gain comes down within 2.5 ms when the peak of a frame asks for it, and goes up by 0.4 dB a frame. What the gain
//! does not catch in its first milliseconds bends at a soft knee instead of breaking off.

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limiter {
    gain: f32,
}

impl Limiter {
    pub(super) const NEW: Self = Self { gain: 1.0 };

    /// Brings one frame into the range of 16 bits.
    pub(super) fn limit(&mut self, samples: &mut [f32]) {
        let peak = samples.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        if self.gain >= 1.0 && peak <= KNEE {
            return;
        }
        let fits = if peak > KNEE { KNEE / peak } else { 1.0 };
        let wanted = fits.min(self.gain * RELEASE).min(1.0);
        // Down in an eighth of the frame, up over all of it.
        let len = if wanted < self.gain { samples.len().div_ceil(8) } else { samples.len() }.max(1);
        let step = (wanted - self.gain) / len as f32;
        for (i, sample) in samples.iter_mut().enumerate() {
            let gain = if i < len { self.gain + step * i as f32 } else { wanted };
            *sample = bend(*sample * gain);
        }
        self.gain = wanted;
    }
}

/// Straight up to the knee, then ever flatter towards full scale.
fn bend(sample: f32) -> f32 {
    let over = sample.abs() - KNEE;
    if over <= 0.0 {
        return sample;
    }
    let room = FULL - KNEE;
    (KNEE + room * over / (over + room)).copysign(sample)
}

/// 1.5 dB under full scale.
const KNEE: f32 = 27_500.0;
const FULL: f32 = 32_767.0;
/// Gain a frame on the way up: 20 dB a second.
const RELEASE: f32 = 1.047;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_left_alone() {
        let mut limiter = Limiter::NEW;
        let before: Vec<f32> = (0..160).map(|i| (i as f32 * 0.3).sin() * 27_000.0).collect();
        let mut after = before.clone();
        limiter.limit(&mut after);
        assert_eq!(before, after);
    }

    #[test]
    fn whatever_comes_stays_in_range_and_returns_to_full_gain() {
        let mut limiter = Limiter::NEW;
        for frame in 0..20 {
            let mut loud: Vec<f32> =
                (0..160).map(|i| ((frame * 160 + i) as f32 * 0.3).sin() * 1_000_000.0).collect();
            limiter.limit(&mut loud);
            assert!(loud.iter().all(|s| s.abs() <= FULL));
        }
        // 31 dB at 20 dB a second.
        for _ in 0..90 {
            limiter.limit(&mut [100.0; 160]);
        }
        let mut quiet = [100.0; 160];
        limiter.limit(&mut quiet);
        assert_eq!(quiet, [100.0; 160]);
    }
}
