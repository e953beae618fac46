//! Comfort noise (RFC 3389): what a pause sounds like, in a few octets.
//!
//! The first octet is the level in -dBov (a full-scale square wave is 0), the others are the reflection coefficients of an
//! all-pole filter, as many as the sender likes. The RFC leaves their sign open; as senders in use do, a coefficient
//! here is the `k` of `A(z) = 1 + k/z`: noise without high tones begins with a negative one.
//!
//! [`NoiseMeter`] makes such payloads of what it hears in pauses, [`NoiseMaker`] makes noise of them. Neither decides
//! what a pause is.

/// Most coefficients made or followed (G.711 Appendix II uses ten); more in a payload are left out, as §3 allows.
pub const ORDER_MAX: usize = 10;

/// Measures noise.
#[derive(Clone, Debug)]
pub struct NoiseMeter {
    order: usize,
    /// Autocorrelation of windowed frames, smoothed; and the power of the plain ones.
    correlation: [f32; ORDER_MAX + 1],
    power: f32,
    heard: bool,
}

impl NoiseMeter {
    /// A meter of so many coefficients; 0 measures the level only.
    pub fn new(order: usize) -> Self {
        Self { order: order.min(ORDER_MAX), correlation: [0.0; ORDER_MAX + 1], power: 0.0, heard: false }
    }

    /// Listens to a frame of noise, 10 to 60 ms; longer ones are heard to 60 ms at 16 kHz.
    pub fn listen(&mut self, samples: &[i16]) {
        let samples = &samples[..samples.len().min(FRAME_MAX)];
        if samples.len() <= ORDER_MAX {
            return;
        }
        let mut windowed = [0.0f32; FRAME_MAX];
        let (mut power, turn) = (0.0f32, std::f32::consts::TAU / samples.len() as f32);
        for (i, (place, sample)) in windowed.iter_mut().zip(samples).enumerate() {
            let sample = f32::from(*sample);
            power += sample * sample;
            *place = sample * (0.5 - 0.5 * (turn * (i as f32 + 0.5)).cos());
        }
        let windowed = &windowed[..samples.len()];
        // The first frame counts whole, later ones by a tenth: a noise changes slowly.
        let share = if self.heard { 0.1 } else { 1.0 };
        self.heard = true;
        self.power += (power / samples.len() as f32 - self.power) * share;
        for (lag, smooth) in self.correlation.iter_mut().enumerate().take(self.order + 1) {
            let sum: f32 = windowed.iter().zip(&windowed[lag..]).map(|(a, b)| a * b).sum();
            *smooth += (sum / samples.len() as f32 - *smooth) * share;
        }
    }

    /// Writes the payload; says how many octets. Coefficients that do not fit are left out; without room for the level, 0.
    pub fn payload(&self, out: &mut [u8]) -> usize {
        let Some((level, coefficients)) = out.split_first_mut() else { return 0 };
        let dbov = 10.0 * (self.power.max(1e-6) / (FULL * FULL)).log10();
        *level = (-dbov).round().clamp(0.0, 127.0) as u8;
        let reflections = self.reflections();
        let written = coefficients.iter_mut().zip(&reflections[..self.order]);
        1 + written.map(|(octet, k)| *octet = quantized(*k)).count()
    }

    /// By Levinson and Durbin.
    fn reflections(&self) -> [f32; ORDER_MAX] {
        let mut reflections = [0.0; ORDER_MAX];
        // A trace of white noise keeps the filter from ringing on pure tones.
        let mut error = self.correlation[0] * 1.0005 + 1e-3;
        let mut a = [0.0f32; ORDER_MAX + 1];
        for m in 1..=self.order {
            let sum: f32 = (1..m).map(|i| a[i] * self.correlation[m - i]).sum();
            let k = (-(self.correlation[m] + sum) / error).clamp(-K_MAX, K_MAX);
            let before = a;
            for i in 1..m {
                a[i] = before[i] + k * before[m - i];
            }
            a[m] = k;
            reflections[m - 1] = k;
            error *= 1.0 - k * k;
        }
        reflections
    }
}

/// Makes noise.
#[derive(Clone, Debug)]
pub struct NoiseMaker {
    seed: u64,
    /// What is wished for, and what is made now: it follows within a few milliseconds.
    wished: Noise,
    made: Noise,
    /// Backward signal of the lattice.
    backward: [f32; ORDER_MAX + 1],
}

#[derive(Clone, Copy, Debug)]
struct Noise {
    amplitude: f32,
    reflections: [f32; ORDER_MAX],
}

impl NoiseMaker {
    /// A maker that is silent until a payload comes. Different seeds make different noise of the same colour.
    pub fn new(seed: u64) -> Self {
        let silent = Noise { amplitude: 0.0, reflections: [0.0; ORDER_MAX] };
        Self {
            seed: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            wished: silent,
            made: silent,
            backward: [0.0; ORDER_MAX + 1],
        }
    }

    /// The talker wishes for this noise from now on. False, and no change, when the payload is empty.
    pub fn wish(&mut self, payload: &[u8]) -> bool {
        let Some((level, coefficients)) = payload.split_first() else { return false };
        let dbov = -f32::from(level & 0x7F).max(LEVEL_LEAST);
        let mut reflections = [0.0; ORDER_MAX];
        for (k, octet) in reflections.iter_mut().zip(coefficients) {
            *k = value(*octet).clamp(-K_MAX, K_MAX);
        }
        // What the filter adds in power is taken from what goes in.
        let power = |reflections: &[f32]| reflections.iter().map(|k| 1.0 - k * k).product::<f32>();
        let mut gain = power(&reflections);
        // A filter sharper than this is no colour of noise, and single precision makes it far louder than it says.
        while gain < GAIN_LEAST {
            reflections.iter_mut().for_each(|k| *k *= 0.95);
            gain = power(&reflections);
        }
        // Evenly spread noise of +-a has a power of a*a/3.
        let amplitude = FULL * 10f32.powf(dbov / 20.0) * (3.0 * gain).sqrt();
        self.wished = Noise { amplitude, reflections };
        true
    }

    /// Fills `out` with noise.
    pub fn fill(&mut self, out: &mut [i16]) {
        for piece in out.chunks_mut(PIECE) {
            // Filters between two stable lattices are stable.
            let follow = |now: &mut f32, wished: f32| *now += (wished - *now) * FOLLOW;
            let before = self.made.amplitude;
            follow(&mut self.made.amplitude, self.wished.amplitude);
            // A sharp filter would go on ringing with what was loud for seconds after the level fell.
            if self.made.amplitude < before {
                let fade = self.made.amplitude / before;
                self.backward.iter_mut().for_each(|memory| *memory *= fade);
            }
            for (now, wished) in self.made.reflections.iter_mut().zip(self.wished.reflections) {
                follow(now, wished);
            }
            for sample in piece {
                *sample = self.next().clamp(-32_768.0, 32_767.0) as i16;
            }
        }
    }

    fn next(&mut self) -> f32 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        let random = (self.seed >> 40) as f32 / (1u64 << 23) as f32 - 1.0;
        let mut forward = random * self.made.amplitude;
        for m in (0..ORDER_MAX).rev() {
            let k = self.made.reflections[m];
            forward -= k * self.backward[m];
            self.backward[m + 1] = k * forward + self.backward[m];
        }
        self.backward[0] = forward;
        forward
    }
}

/// RFC 3389 §3.2: 127 is zero, 0 and 254 are the ends.
fn quantized(k: f32) -> u8 {
    (k * 32_768.0 / 258.0 + 127.0).round().clamp(0.0, 254.0) as u8
}

fn value(octet: u8) -> f32 {
    258.0 * (f32::from(octet.min(254)) - 127.0) / 32_768.0
}

/// 0 dBov.
const FULL: f32 = 32_767.0;
/// Louder noise than -25 dBov is no comfort, whatever a payload says.
const LEVEL_LEAST: f32 = 25.0;
/// What a filter may leave of the power that goes in: it adds 40 dB at most.
const GAIN_LEAST: f32 = 1e-4;
/// Beyond this a filter rings.
const K_MAX: f32 = 0.99;
/// 60 ms at 16 kHz.
const FRAME_MAX: usize = 960;
/// Samples between two steps towards what is wished, and the step: most of the way within 20 ms at 8 kHz.
const PIECE: usize = 16;
const FOLLOW: f32 = 0.25;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn made(payload: &[u8], len: usize) -> Vec<i16> {
        let mut maker = NoiseMaker::new(5);
        maker.wish(payload);
        let mut out = vec![0; len + 1_600];
        maker.fill(&mut out);
        out.split_off(1_600)
    }

    fn dbov(samples: &[i16]) -> f32 {
        let power = samples.iter().map(|s| f32::from(*s).powi(2)).sum::<f32>() / samples.len() as f32;
        10.0 * (power / FULL / FULL).log10()
    }

    /// Power around a frequency, in dB.
    fn band(samples: &[i16], hz: f32) -> f32 {
        let mut sum = 0.0;
        for frame in samples.chunks_exact(80) {
            let (mut re, mut im) = (0.0, 0.0);
            for (i, sample) in frame.iter().enumerate() {
                let angle = std::f32::consts::TAU * hz * i as f32 / 8_000.0;
                let window = 0.5 - 0.5 * (std::f32::consts::TAU * i as f32 / 80.0).cos();
                re += f32::from(*sample) * window * angle.cos();
                im += f32::from(*sample) * window * angle.sin();
            }
            sum += re * re + im * im;
        }
        10.0 * (sum / (samples.len() / 80) as f32).log10()
    }

    /// MEDIA-05: the level of comfort noise is the one that was asked for, as it is measured.
    #[test]
    fn noise_has_the_level_that_was_asked_for() {
        for level in [30u8, 45, 60, 70] {
            for colour in [&[][..], &[40, 160, 120], &[20, 200]] {
                let noise = made(&[&[level][..], colour].concat(), 40_000);
                let off = dbov(&noise) + f32::from(level);
                assert!(off.abs() < 1.0, "-{level} dBov with {colour:?}: off by {off:.1} dB");
            }
        }
        assert!(made(&[127], 800).iter().all(|s| *s == 0));
        assert!(dbov(&made(&[0], 8_000)) < -24.0, "a payload cannot make it roar");
    }

    /// MEDIA-05: what was measured and made again sounds as before: level and colour.
    #[test]
    fn noise_that_was_measured_and_made_again_has_its_level_and_colour() {
        // A room: strong below 500 Hz, a hum around 2 kHz, little else.
        let colour = [38, 190, 110, 150, 120, 135];
        let room = made(&[&[45][..], &colour].concat(), 80_000);
        let mut meter = NoiseMeter::new(ORDER_MAX);
        room.chunks(160).for_each(|frame| meter.listen(frame));
        let mut payload = [0; 11];
        assert_eq!(meter.payload(&mut payload), 11);
        assert!(payload[0].abs_diff(45) <= 1, "level {}", payload[0]);
        let again = made(&payload, 80_000);
        for hz in [200.0, 600.0, 1_000.0, 1_500.0, 2_000.0, 2_500.0, 3_000.0, 3_600.0] {
            let off = band(&again, hz) - band(&room, hz);
            assert!(off.abs() < 3.0, "{hz} Hz: {off:.1} dB");
        }
    }

    /// MEDIA-05: a payload of another implementation (ffmpeg 5.1, of noise below 400 Hz at 8 kHz) is understood.
    #[test]
    fn the_payload_of_another_implementation_sounds_as_it_was_meant() {
        let noise = made(&[0x23, 0x05, 0xEA, 0x2B, 0xB9, 0x44, 0xA5, 0x55, 0xA5, 0x75, 0x9A], 80_000);
        assert!((dbov(&noise) + 35.0).abs() < 1.5, "{:.1} dBov", dbov(&noise));
        let (low, high) = (band(&noise, 300.0), band(&noise, 2_000.0));
        assert!(low > high + 20.0, "{low:.0} dB at 300 Hz, {high:.0} dB at 2 kHz");
    }

    #[test]
    fn coefficients_are_written_as_the_rfc_says() {
        assert_eq!((quantized(0.0), quantized(-0.99), quantized(0.99)), (127, 1, 253));
        for octet in 0..=254 {
            assert_eq!(quantized(value(octet)), octet);
        }
        assert_eq!(value(255), value(254));
        assert_eq!(NoiseMeter::new(4).payload(&mut []), 0);
        assert_eq!(NoiseMeter::new(4).payload(&mut [0; 3]), 3);
        assert!(!NoiseMaker::new(1).wish(&[]));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        /// No payload makes a filter run away.
        #[test]
        fn any_payload_makes_quiet_noise(payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 1..8)) {
            let mut maker = NoiseMaker::new(3);
            for payload in payloads {
                maker.wish(&payload);
                let mut out = [0; 1_600];
                maker.fill(&mut out);
                prop_assert!(dbov(&out) < -8.0);
            }
        }
    }
}
