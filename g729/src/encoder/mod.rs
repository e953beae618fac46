//! The encoder of Annex A, with the silence compression of Annex B if wanted.
//!
//! One frame at a time: [`input`] cleans the samples; [`analysis`], [`roots`] and [`spectrum`] find and quantise the
//! spectrum; [`openloop`] guesses the pitch; then for each half of the frame [`closedloop`] finds the delay, [`pulses`]
//! the fixed codebook's vector and [`gains`] both gains, each by what the decoder will make of it.

mod analysis;
mod closedloop;
mod codewords;
mod gains;
mod greatest;
mod input;
mod openloop;
mod pulses;
mod roots;
mod silence;
mod spectrum;
mod taming;
mod voice;

use crate::SAMPLES;
use crate::bits::{Silence, Speech, parity};
use crate::codebook::{self, PAST, SHARPEN_MAX, SHARPEN_MIN, SUBFRAME};
use crate::cpu::{Cpu, on};
use crate::filter;
use crate::gain::GainPredictor;
use crate::lsp::{LSP_START, Lines, Lp, Predictor, lsf_to_lsp, lsp_to_lp, lsp_to_lsf, midway};
use crate::noise;
use crate::ops::*;
use crate::random::Random;
use closedloop::Subframe;

/// Encodes one direction of a call. Plain data: a clone goes on by itself.
#[derive(Clone, Debug)]
pub struct Encoder {
    pub(crate) cpu: Cpu,
    input: input::HighPass,
    /// 240 samples: the frame begins at the 120th, 40 samples of look-ahead follow it.
    speech: [i16; 240],
    /// Weighted and low-passed speech: what the open-loop search looks back at.
    weighted: [i16; openloop::REACH],
    /// Past excitation, then that of the frame.
    excitation: [i16; PAST + SAMPLES],
    /// Last outputs of the weighting filter, and last differences between target and synthesis.
    weighting_memory: [i16; 10],
    error_memory: [i16; 10],
    /// The last stable predictor.
    last: analysis::Predictor,
    lsp: Lines,
    quantised_lsp: Lines,
    spectrum: Predictor,
    gain: GainPredictor,
    taming: taming::Taming,
    /// Gain that repeats the pulses at the pitch, Q14.
    sharpening: i16,
    /// Silence compression, if wanted.
    quiet: Option<Quiet>,
}

/// The state of silence compression.
#[derive(Clone, Debug)]
struct Quiet {
    detector: voice::Detector,
    watch: silence::Watch,
    /// The noise that stands for the silence, and its gain, Q3.
    random: Random,
    gain: i16,
}

impl Encoder {
    /// An encoder at its start. `dtx` lets it say when nobody speaks (Annex B).
    pub fn new(dtx: bool) -> Encoder {
        Encoder {
            cpu: Cpu::best(),
            input: input::HighPass::default(),
            speech: [0; 240],
            weighted: [0; openloop::REACH],
            excitation: [0; PAST + SAMPLES],
            weighting_memory: [0; 10],
            error_memory: [0; 10],
            last: analysis::Predictor::NONE,
            lsp: LSP_START,
            quantised_lsp: LSP_START,
            spectrum: Predictor::default(),
            gain: GainPredictor::default(),
            taming: taming::Taming::default(),
            sharpening: SHARPEN_MIN,
            quiet: dtx.then(|| Quiet {
                detector: voice::Detector::default(),
                watch: silence::Watch::default(),
                random: Random::new(noise::SEED),
                gain: 0,
            }),
        }
    }

    /// Encodes one frame into `out` and says how many octets it takes: 10 for speech, 2 for a description of silence, 0 if
    /// there is nothing to send. Without silence compression it is always 10.
    pub fn encode(&mut self, samples: &[i16; SAMPLES], out: &mut [u8; 10]) -> usize {
        self.speech.copy_within(SAMPLES.., 0);
        self.input.run(samples, &mut self.speech[160..]);

        let cpu = self.cpu;
        let last = if self.quiet.is_some() { 12 } else { 10 };
        let speech = &self.speech;
        let mut found = on!(cpu, analysis::autocorrelation(cpu, speech, last));
        let whole = found.clone();
        analysis::lag_window(&mut found.lags);
        let predictor = on!(cpu, analysis::levinson(&found.lags));
        if let Some(predictor) = predictor {
            self.last = predictor;
        }
        if let Some(lsp) = roots::pairs(&self.last.a) {
            self.lsp = lsp;
        }
        if let Some(mut quiet) = self.quiet.take() {
            let first = quiet.detector.last();
            // From radians in Q13 to 0..0.5 in Q15.
            let lsf = lsp_to_lsf(&self.lsp).map(|lsf| mult(lsf, 20861));
            let speech = quiet.detector.speech(&whole, &self.speech, &lsf, self.last.reflection[1]);
            quiet.watch.note(&whole, speech);
            let silence = (!speech).then(|| self.silence_frame(&mut quiet, first));
            if speech {
                quiet.random = Random::new(noise::SEED);
            }
            self.quiet = Some(quiet);
            match silence {
                Some(Some(description)) => {
                    out[..2].copy_from_slice(&description.octets());
                    return 2;
                }
                Some(None) => return 0,
                None => {}
            }
        }
        *out = self.speech_frame().octets();
        10
    }

    /// A frame nobody speaks in: all memories go on with the noise that the decoder makes.
    fn silence_frame(&mut self, quiet: &mut Quiet, first: bool) -> Option<Silence> {
        let fallback = self.quantised_lsp;
        let frame = quiet
            .watch
            .silence(first, &mut self.spectrum, |a| lsp_to_lsf(&roots::pairs(a).unwrap_or(fallback)));
        let lsp = lsf_to_lsp(&frame.lines);
        let filters = [lsp_to_lp(&midway(&self.quantised_lsp, &lsp)), lsp_to_lp(&lsp)];
        self.quantised_lsp = lsp;
        let weighted = filters.map(|a| filter::weighted(&a, GAMMA));
        self.weigh(&filters, &weighted);
        let mut residual = [0; SAMPLES];
        residual.copy_from_slice(&self.excitation[PAST..]);
        let gain = noise::gain(frame.energy);
        quiet.gain = if first { gain } else { add(mult_r(quiet.gain, 28672), mult_r(gain, 4096)) };
        for (gain, delay) in noise::excite(self.cpu, &mut self.excitation, quiet.gain, &mut quiet.random) {
            self.taming.follow(gain, delay);
        }
        for half in 0..2 {
            let part = half * SUBFRAME;
            let off = std::array::from_fn(|n| sub(residual[part + n], self.excitation[PAST + part + n]));
            let error = filtered(self.cpu, &weighted[half], &self.error_memory, &off);
            self.error_memory.copy_from_slice(&error[30..]);
        }
        self.sharpening = SHARPEN_MIN;
        self.excitation.copy_within(SAMPLES.., 0);
        self.weighted.copy_within(SAMPLES.., 0);
        frame.description
    }

    fn speech_frame(&mut self) -> Speech {
        let cpu = self.cpu;
        let (spectrum, lsf) = (&mut self.spectrum, lsp_to_lsf(&self.lsp));
        let (indices, lsf) = on!(cpu, spectrum::quantise(cpu, spectrum, &lsf));
        let lsp = lsf_to_lsp(&lsf);
        let filters = [lsp_to_lp(&midway(&self.quantised_lsp, &lsp)), lsp_to_lp(&lsp)];
        self.quantised_lsp = lsp;
        let weighted = filters.map(|a| filter::weighted(&a, GAMMA));
        let mut frame =
            Speech { predictor: indices.predictor, spectrum: indices.spectrum, ..Speech::default() };

        self.weigh(&filters, &weighted);
        let weighted_speech = &self.weighted;
        let open = on!(cpu, openloop::delay(cpu, weighted_speech));
        let mut range = closedloop::first_range(open);
        let mut first = 0;
        for half in 0..2 {
            let result = self.subframe(half, &weighted[half], range);
            frame.delay[half] = if half == 0 {
                first = result.delay.whole;
                range = closedloop::second_range(first);
                closedloop::first_index(result.delay)
            } else {
                closedloop::second_index(result.delay, first)
            };
            frame.pulses[half] = result.pulses.index();
            frame.signs[half] = result.pulses.signs;
            [frame.gain_a[half], frame.gain_b[half]] = result.gains.wire;
        }
        frame.parity = parity(frame.delay[0]);
        self.excitation.copy_within(SAMPLES.., 0);
        self.weighted.copy_within(SAMPLES.., 0);
        frame
    }

    /// The residual into the excitation, and the weighted speech for the open-loop search.
    fn weigh(&mut self, filters: &[Lp; 2], weighted: &[Lp; 2]) {
        let cpu = self.cpu;
        for half in 0..2 {
            let at = 120 + half * SUBFRAME;
            let residual = &mut self.excitation[PAST + half * SUBFRAME..][..SUBFRAME];
            let speech = &self.speech[at - 10..at + SUBFRAME];
            on!(cpu, filter::residual(cpu, &filters[half], speech, residual));
            let mut signal = [0; 10 + SUBFRAME];
            signal[..10].copy_from_slice(&self.weighting_memory);
            on!(cpu, filter::synthesis(&low_passed(&weighted[half]), residual, &mut signal));
            self.weighted[openloop::REACH - SAMPLES + half * SUBFRAME..][..SUBFRAME]
                .copy_from_slice(&signal[10..]);
            self.weighting_memory.copy_from_slice(&signal[SUBFRAME..]);
        }
    }

    fn subframe(&mut self, half: usize, weighted: &Lp, range: (i16, i16)) -> Sub {
        let cpu = self.cpu;
        let excitation = &mut self.excitation[half * SUBFRAME..][..PAST + SUBFRAME];
        // The response of the weighted synthesis, Q12.
        let mut h = filtered(cpu, weighted, &[0; 10], &{
            let mut one = [0; SUBFRAME];
            one[0] = 4096;
            one
        });
        let mut residual = [0; SUBFRAME];
        residual.copy_from_slice(&excitation[PAST..]);
        let x = filtered(cpu, weighted, &self.error_memory, &residual);

        let target = on!(cpu, closedloop::backward(cpu, &h, &x));
        let thirds_below = if half == 0 { 85 } else { i16::MAX };
        let delay = on!(cpu, closedloop::search(cpu, excitation, &target, range, thirds_below));
        let mut v = [0; SUBFRAME];
        v.copy_from_slice(&excitation[PAST..]);
        let y = filtered(cpu, weighted, &[0; 10], &v);
        let mut pitch = on!(cpu, closedloop::pitch_gain(&x, &y));
        let tamed = self.taming.needed(delay.whole, delay.third);
        if tamed {
            pitch.gain = pitch.gain.min(taming::GAIN_MAX);
        }

        // What the past does not explain is the pulses' to match.
        let rest: Subframe = std::array::from_fn(|n| sub(x[n], scaled(y[n], pitch.gain)));
        codebook::sharpen(&mut h, delay.whole, self.sharpening);
        let pulses = on!(cpu, pulses::search(cpu, &rest, &h));
        let mut code = codebook::pulses(pulses.index(), pulses.signs);
        codebook::sharpen(&mut code, delay.whole, self.sharpening);
        let z = pulses.filtered(&h);

        let predictor = &mut self.gain;
        let gains = on!(cpu, gains::quantise(predictor, (&x, &y, &z), &pitch, &code, tamed));
        let gain = gains.gains;
        self.sharpening = gain.pitch.clamp(SHARPEN_MIN, SHARPEN_MAX);
        for (u, c) in excitation[PAST..].iter_mut().zip(&code) {
            *u = codebook::excite(*u, *c, gain);
        }
        self.taming.follow(gain.pitch, delay.whole);
        for (memory, n) in self.error_memory.iter_mut().zip(30..) {
            let past = scaled(y[n], gain.pitch);
            let fixed = extract_h(l_shl(l_mult(z[n], gain.code), 2));
            *memory = sub(x[n], add(past, fixed));
        }
        Sub { delay, pulses, gains }
    }
}

/// What a subframe sends.
struct Sub {
    delay: codebook::Delay,
    pulses: pulses::Pulses,
    gains: gains::Chosen,
}

/// Weighting of Annex A: 0.75, Q15.
const GAMMA: i16 = 24576;

/// `y` times a gain of Q14, towards minus infinity, limited.
#[inline(always)]
fn scaled(y: i16, gain: i16) -> i16 {
    sat16((i32::from(y) * i32::from(gain)) >> 14)
}

/// `A(z / gamma) (1 - 0.7 / z)` without its last term.
fn low_passed(weighted: &Lp) -> Lp {
    std::array::from_fn(|i| if i == 0 { 4096 } else { sub(weighted[i], mult(weighted[i - 1], 22938)) })
}

/// `input` through `1 / A(z)` with `memory` before it.
fn filtered(cpu: Cpu, a: &Lp, memory: &[i16; 10], input: &Subframe) -> Subframe {
    let mut signal = [0; 10 + SUBFRAME];
    signal[..10].copy_from_slice(memory);
    on!(cpu, filter::synthesis(a, input, &mut signal));
    let mut out = [0; SUBFRAME];
    out.copy_from_slice(&signal[10..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_a_direction_is_small_plain_data() {
        assert!(size_of::<Encoder>() < 8 * 1024, "{} octets", size_of::<Encoder>());
        assert!(!std::mem::needs_drop::<Encoder>(), "nothing on the heap");
    }

    #[test]
    fn a_clone_goes_on_as_the_encoder_does_and_a_new_one_begins_anew() {
        let mut seed = 11u32;
        let mut frame = || {
            std::array::from_fn(|n| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ((n as f64 * 0.3).sin() * 5000.0) as i16 + (seed >> 21) as i16
            })
        };
        let mut encoder = Encoder::new(false);
        let mut out = [[0; 10]; 3];
        (0..20).for_each(|_| {
            encoder.encode(&frame(), &mut out[0]);
        });
        let mut other = encoder.clone();
        let next = frame();
        encoder.encode(&next, &mut out[0]);
        other.encode(&next, &mut out[1]);
        assert_eq!(out[0], out[1]);
        Encoder::new(false).encode(&next, &mut out[2]);
        assert_ne!(out[0], out[2], "a new encoder knows nothing of the past");
    }

    /// A room's noise, and a voice's buzz in it.
    fn room(seed: &mut u32, at: usize, voice: i16) -> [i16; SAMPLES] {
        std::array::from_fn(|n| {
            *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let age = ((at * SAMPLES + n) % 70) as f64;
            let buzz = f64::from(voice) * (-age / 15.0).exp() * (age * 0.5).cos();
            (*seed >> 25) as i16 - 64 + buzz as i16
        })
    }

    #[test]
    fn a_voice_is_sent_and_the_room_after_it_is_described_once() {
        let mut encoder = Encoder::new(true);
        let (mut seed, mut out) = (3, [0; 10]);
        let mut lengths = |frames: usize, voice: i16| -> Vec<usize> {
            (0..frames).map(|at| encoder.encode(&room(&mut seed, at, voice), &mut out)).collect()
        };
        lengths(200, 0);
        assert!(lengths(50, 9000)[2..].iter().all(|length| *length == 10), "a voice is sent");
        let after = lengths(200, 0);
        assert!(after[60..].iter().all(|length| *length != 10), "the room is not");
        assert!(after.iter().filter(|length| **length == 2).count() < 20, "and seldom described: {after:?}");
        let first = after.iter().position(|length| *length != 10);
        assert_eq!(first.map(|first| after[first]), Some(2), "a silence begins with its description");
    }

    #[test]
    fn any_samples_encode() {
        any_samples(false);
        any_samples(true);
    }

    fn any_samples(dtx: bool) {
        let mut seed = 1u32;
        let mut encoder = Encoder::new(dtx);
        for i in 0..3000u32 {
            let shift = i / 40 % 16;
            let frame = std::array::from_fn(|n| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                match i / 300 % 5 {
                    0 => (seed >> 16) as i16 >> shift,
                    1 => {
                        if (seed >> 16) & 64 == 0 {
                            i16::MIN
                        } else {
                            i16::MAX
                        }
                    }
                    2 => {
                        if (n + i as usize).is_multiple_of(20 + shift as usize * 7) {
                            i16::MAX
                        } else {
                            0
                        }
                    }
                    3 => i16::MIN,
                    _ => {
                        if n % 2 == 0 {
                            i16::MIN
                        } else {
                            i16::MAX
                        }
                    }
                }
            });
            let mut out = [0; 10];
            let length = encoder.encode(&frame, &mut out);
            assert!(length == 10 || dtx && matches!(length, 0 | 2));
            assert!(length < 10 || Speech::from_octets(&out).parity_holds());
        }
    }
}
