//! Changing the sampling rate by a ratio of small whole numbers.
//!
//! One windowed-sinc low-pass (Kaiser, about 80 dB), cut into phases so that only samples that are kept are computed.
//! The rates of telephony are whole ratios of each other (8, 16, 48 kHz); 44.1 kHz prompts work by the same code with a
//! larger table. Nothing is allocated after [`Resampler::new`].

/// Resamples one mono stream.
///
/// State: `taps` samples of history and `up x taps` coefficients; 8 to 48 kHz takes 1.5 KB, 48 to 8 kHz 3.5 KB.
#[derive(Clone, Debug)]
pub struct Resampler {
    /// Interpolation factor: phases of the filter.
    up: usize,
    /// Decimation factor.
    down: usize,
    /// Coefficients, phase by phase, each reversed so that it lies along the history.
    phases: Vec<f32>,
    /// Coefficients a phase.
    taps: usize,
    /// The last samples, twice over, so that a window of them is always one slice.
    history: Vec<f32>,
    /// Where the next sample goes.
    at: usize,
    /// Position of the next output within the upsampled grid, relative to the next input.
    phase: usize,
}

impl Resampler {
    /// From one rate to another; `None` when their ratio needs more than [`PHASES_MAX`] phases.
    pub fn new(from_hz: u32, to_hz: u32) -> Option<Self> {
        if from_hz == 0 || to_hz == 0 {
            return None;
        }
        let divisor = gcd(from_hz, to_hz);
        let (up, down) = ((to_hz / divisor) as usize, (from_hz / divisor) as usize);
        if up > PHASES_MAX || down > PHASES_MAX {
            return None;
        }
        if up == down {
            return Some(Self {
                up,
                down,
                phases: vec![1.0],
                taps: 1,
                history: vec![0.0; 2],
                at: 0,
                phase: 0,
            });
        }
        // Going down, the filter must be as many times longer as the band is narrower.
        let taps = (TAPS * down).div_ceil(up).max(TAPS);
        let prototype = low_pass(taps * up, up.max(down));
        let mut phases = vec![0.0; taps * up];
        for phase in 0..up {
            for tap in 0..taps {
                phases[phase * taps + (taps - 1 - tap)] = prototype[tap * up + phase] * up as f32;
            }
        }
        Some(Self { up, down, phases, taps, history: vec![0.0; taps * 2], at: 0, phase: 0 })
    }

    /// How far the output lags, in output samples.
    pub fn delay(&self) -> usize {
        if self.taps == 1 { 0 } else { self.taps * self.up / 2 / self.down }
    }

    /// At most how many samples come out for `input` samples.
    pub fn output_max(&self, input: usize) -> usize {
        (input * self.up).div_ceil(self.down) + 1
    }

    /// Takes samples in and writes what they complete to `out`; says how many. `out` needs [`Self::output_max`] places;
    /// what does not fit is lost.
    pub fn process(&mut self, input: &[i16], out: &mut [i16]) -> usize {
        let mut written = 0;
        for sample in input {
            let value = f32::from(*sample);
            self.history[self.at] = value;
            self.history[self.at + self.taps] = value;
            self.at = (self.at + 1) % self.taps;
            while self.phase < self.up {
                let window = &self.history[self.at..self.at + self.taps];
                let coefficients = &self.phases[self.phase * self.taps..(self.phase + 1) * self.taps];
                if let Some(place) = out.get_mut(written) {
                    *place = dot(window, coefficients).round().clamp(-32_768.0, 32_767.0) as i16;
                    written += 1;
                }
                self.phase += self.down;
            }
            self.phase -= self.up;
        }
        written
    }

    /// Resamples a whole sound at once: the delay is cut off, the length is kept.
    pub fn whole(from_hz: u32, to_hz: u32, samples: &[i16]) -> Option<Vec<i16>> {
        let mut resampler = Self::new(from_hz, to_hz)?;
        let wanted = (samples.len() as u64 * u64::from(to_hz)).div_ceil(u64::from(from_hz)) as usize;
        let delay = resampler.delay();
        let mut out = vec![0; resampler.output_max(samples.len()) + delay + resampler.taps];
        let mut written = resampler.process(samples, &mut out);
        let silence = [0; 64];
        while written < wanted + delay {
            let more = resampler.process(&silence, &mut out[written..]);
            if more == 0 && written == out.len() {
                break;
            }
            written += more;
        }
        out.truncate(wanted + delay);
        out.drain(..delay);
        Some(out)
    }

    /// Forgets the past.
    pub fn reset(&mut self) {
        self.history.fill(0.0);
        self.at = 0;
        self.phase = 0;
    }
}

/// Four sums side by side, so that the compiler may use vector registers.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 4];
    let (a4, b4) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f32 = a4.remainder().iter().zip(b4.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a4.zip(b4) {
        for i in 0..4 {
            sums[i] += x[i] * y[i];
        }
    }
    sums[0] + sums[1] + sums[2] + sums[3] + rest
}

/// A low-pass of `len` taps that ends at 1/`narrow` of the band, with unit gain.
fn low_pass(len: usize, narrow: usize) -> Vec<f32> {
    let centre = len as f64 / 2.0;
    // The pass band ends a little early, so that the slope is over where images begin.
    let cutoff = PASS / narrow as f64;
    let mut taps: Vec<f64> = (0..len)
        .map(|i| {
            let x = i as f64 - centre;
            let sinc = if x == 0.0 {
                cutoff
            } else {
                (std::f64::consts::PI * cutoff * x).sin() / (std::f64::consts::PI * x)
            };
            let r = x / centre;
            sinc * bessel_i0(KAISER_BETA * (1.0 - r * r).max(0.0).sqrt()) / bessel_i0(KAISER_BETA)
        })
        .collect();
    let sum: f64 = taps.iter().sum();
    taps.iter_mut().for_each(|tap| *tap /= sum);
    taps.into_iter().map(|tap| tap as f32).collect()
}

/// Modified Bessel function of the first kind, order zero, by its series.
fn bessel_i0(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 1..40 {
        term *= (x / (2.0 * f64::from(k))).powi(2);
        sum += term;
    }
    sum
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Largest interpolation or decimation factor: 44.1 kHz to 8 kHz is 80 to 441.
pub const PHASES_MAX: usize = 441;
/// Taps a phase at the lower of the two rates: the slope at 80 dB takes a tenth of that rate, from 3.46 to 4.3 kHz at 8 kHz.
const TAPS: usize = 48;
/// Where the pass band's middle of slope lies, as a share of the lower band.
const PASS: f64 = 0.97;
/// Kaiser window of about 80 dB.
const KAISER_BETA: f64 = 7.9;

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f64, rate: u32, len: usize) -> Vec<i16> {
        (0..len)
            .map(|i| ((i as f64 * hz * std::f64::consts::TAU / f64::from(rate)).sin() * 16_000.0) as i16)
            .collect()
    }

    /// Level of one frequency in dB relative to the tone that went in.
    fn level(samples: &[i16], hz: f64, rate: u32) -> f64 {
        let (mut re, mut im) = (0.0, 0.0);
        for (i, s) in samples.iter().enumerate() {
            let window = 0.5 - 0.5 * (std::f64::consts::TAU * i as f64 / samples.len() as f64).cos();
            let angle = std::f64::consts::TAU * hz * i as f64 / f64::from(rate);
            re += f64::from(*s) * window * angle.cos();
            im += f64::from(*s) * window * angle.sin();
        }
        let amplitude = 4.0 * re.hypot(im) / samples.len() as f64;
        20.0 * (amplitude / 16_000.0).log10()
    }

    #[test]
    fn speech_band_passes_unchanged() {
        for (from, to) in [
            (8_000, 16_000),
            (8_000, 48_000),
            (16_000, 48_000),
            (48_000, 8_000),
            (48_000, 16_000),
            (16_000, 8_000),
            (44_100, 8_000),
        ] {
            let low = from.min(to);
            for hz in [300.0, 1_000.0, f64::from(low) * 0.425] {
                let out = Resampler::whole(from, to, &tone(hz, from, from as usize / 2)).unwrap();
                assert_eq!(out.len(), to as usize / 2);
                let middle = &out[out.len() / 10..out.len() * 9 / 10];
                let gain = level(middle, hz, to);
                assert!(gain.abs() < 0.5, "{hz} Hz from {from} to {to}: {gain:.2} dB");
            }
        }
    }

    #[test]
    fn images_of_a_tone_are_gone_after_going_up() {
        for (from, to) in [(8_000, 16_000), (8_000, 48_000), (16_000, 48_000)] {
            let out = Resampler::whole(from, to, &tone(1_000.0, from, from as usize / 2)).unwrap();
            let middle = &out[out.len() / 10..out.len() * 9 / 10];
            for image in [f64::from(from) - 1_000.0, f64::from(from) + 1_000.0] {
                if image < f64::from(to) / 2.0 {
                    let left = level(middle, image, to);
                    assert!(left < -70.0, "image at {image} Hz from {from} to {to}: {left:.1} dB");
                }
            }
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_does_not_fold_back() {
        for (from, to) in [(48_000, 8_000), (48_000, 16_000), (16_000, 8_000)] {
            let hz = f64::from(to) * 0.6;
            let alias = f64::from(to) - hz;
            let out = Resampler::whole(from, to, &tone(hz, from, from as usize / 2)).unwrap();
            let left = level(&out[out.len() / 10..out.len() * 9 / 10], alias, to);
            assert!(left < -70.0, "alias at {alias} Hz from {from} to {to}: {left:.1} dB");
        }
    }

    #[test]
    fn in_pieces_it_gives_what_it_gives_at_once() {
        let input = tone(700.0, 8_000, 1_000);
        let mut at_once = vec![0; 7_000];
        let n = Resampler::new(8_000, 48_000).unwrap().process(&input, &mut at_once);
        let (mut pieces, mut resampler) = (vec![0; 7_000], Resampler::new(8_000, 48_000).unwrap());
        let mut m = 0;
        for piece in input.chunks(37) {
            m += resampler.process(piece, &mut pieces[m..]);
        }
        assert_eq!((n, &at_once), (m, &pieces));
        assert_eq!(n, 6_000);
    }
}
