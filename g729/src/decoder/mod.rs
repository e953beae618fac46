//! From frames to samples (clause 4, A.4, B.4.4): parameters to excitation, excitation to speech, speech through the
//! post-filter of Annex A.

mod post;

use crate::bits::{Silence, Speech};
use crate::codebook::*;
use crate::cpu::Cpu;
use crate::filter::synthesis;
use crate::frame::{Frame, SAMPLES};
use crate::gain::{GainPredictor, Gains};
use crate::lsp::*;
use crate::noise;
use crate::ops::*;
use crate::random::Random;
use crate::tables::lsp::{MA, MA_REST, MA_REST_INVERSE};

use post::Post;

/// One direction's decoder. Plain data: a clone goes on from the same place.
#[derive(Clone, Debug)]
pub struct Decoder {
    pub(crate) cpu: Cpu,
    spectrum: Spectrum,
    gains: GainPredictor,
    last: Gains,
    /// Pitch gain that sharpens the next subframe's pulses, Q14.
    sharp: i16,
    /// Whole pitch delay a lost or damaged one is replaced by.
    delay: i16,
    random: Random,
    excitation: [i16; PAST + SAMPLES],
    /// The last samples of the synthesis, before the frame's own.
    speech: [i16; ORDER + SAMPLES],
    post: Post,
    noise: Noise,
}

/// What comfort noise is made of.
#[derive(Clone, Copy, Debug)]
struct Noise {
    /// The last frame was speech.
    speaking: bool,
    /// Gain of the last description, and the one that follows it smoothly, Q3.
    described: i16,
    gain: i16,
    lsp: Lines,
    random: Random,
    /// Mean square of the last speech frame's excitation.
    last_energy: i32,
}

/// The filter of a frame and what the next one is seen against.
#[derive(Clone, Debug)]
struct Spectrum {
    predictor: Predictor,
    /// Which of the two predictors the last frame used.
    last_predictor: usize,
    lsf: Lines,
    lsp: Lines,
}

impl Default for Decoder {
    fn default() -> Decoder {
        Decoder::new()
    }
}

impl Decoder {
    /// A decoder before its first frame (Table 9). To reset one in mid-stream, put a new one in its place.
    pub fn new() -> Decoder {
        Decoder {
            cpu: Cpu::best(),
            spectrum: Spectrum::new(),
            gains: GainPredictor::default(),
            last: Gains::default(),
            sharp: SHARPEN_MIN,
            delay: 60,
            random: Random::new(21845),
            excitation: [0; PAST + SAMPLES],
            speech: [0; ORDER + SAMPLES],
            post: Post::new(),
            noise: Noise {
                speaking: true,
                described: 0,
                gain: 0,
                lsp: noise::LSP_START,
                random: Random::new(noise::SEED),
                last_energy: 0,
            },
        }
    }

    /// Decodes 10 ms to 80 samples at 8 kHz, 16 bits.
    pub fn decode(&mut self, frame: Frame, out: &mut [i16; SAMPLES]) {
        match frame {
            Frame::Speech(speech) => self.speech(Some(&speech), out),
            Frame::Silence(silence) => self.silence(Some(&silence), out),
            Frame::Untransmitted => self.silence(None, out),
            // A lost frame goes on as the one before it (B.4.5).
            Frame::Erased if self.noise.speaking => self.speech(None, out),
            Frame::Erased => self.silence(None, out),
        }
    }

    /// Comfort noise, by a new description or the last one (B.4.4).
    fn silence(&mut self, described: Option<&Silence>, out: &mut [i16; SAMPLES]) {
        let noise = &mut self.noise;
        if let Some(silence) = described {
            noise.described = noise::gain(silence.energy);
            let mut lsf = noise::spectrum(silence, &mut self.spectrum.predictor);
            stabilise(&mut lsf);
            noise.lsp = lsf_to_lsp(&lsf);
        } else if noise.speaking {
            // The description itself was lost: as loud as the last excitation was.
            noise.described = noise::gain(noise::energy_index(noise.last_energy));
        }
        noise.gain = if noise.speaking {
            noise.described
        } else {
            add(mult_r(noise.gain, 28672), mult_r(noise.described, 4096))
        };
        noise.speaking = false;
        noise::excite(self.cpu, &mut self.excitation, noise.gain, &mut noise.random);
        let filters = self.spectrum.move_to(noise.lsp);
        self.sharp = SHARPEN_MIN;
        for half in 0..2 {
            self.synthesise(&filters[half], half);
        }
        self.finish(&filters, None, out);
    }

    /// A speech frame, or what stands for one that was lost.
    fn speech(&mut self, frame: Option<&Speech>, out: &mut [i16; SAMPLES]) {
        let filters = self.spectrum.filters(frame);
        let mut delays = [0; 2];
        for half in 0..2 {
            let end = PAST + SUBFRAME * (half + 1);
            let delay = self.delay_of(frame, half, delays[0]);
            delays[half] = delay.whole;
            adaptive(self.cpu, &mut self.excitation[..end], delay);
            let (index, signs) = match frame {
                Some(frame) => (frame.pulses[half], frame.signs[half]),
                None => (self.random.next() as u16 & 0x1fff, self.random.next() as u8 & 15),
            };
            let mut code = pulses(index, signs);
            sharpen(&mut code, delay.whole, self.sharp);
            self.last = match frame {
                Some(frame) => self.gains.decode(frame.gain_a[half], frame.gain_b[half], &code),
                None => {
                    self.gains.decay();
                    Gains {
                        pitch: mult(self.last.pitch, 29491).min(14745),
                        code: mult(self.last.code, 32111),
                    }
                }
            };
            self.sharp = self.last.pitch.clamp(SHARPEN_MIN, SHARPEN_MAX);
            for (n, code) in code.iter().enumerate() {
                let at = &mut self.excitation[end - SUBFRAME + n];
                *at = excite(*at, *code, self.last);
            }
            self.synthesise(&filters[half], half);
        }
        let energy: i64 = self.excitation[PAST..].iter().map(|x| i64::from(*x) * i64::from(*x)).sum();
        self.noise = Noise {
            speaking: true,
            random: Random::new(noise::SEED),
            last_energy: (energy / SAMPLES as i64) as i32,
            ..self.noise
        };
        self.finish(&filters, Some(delays), out);
    }

    /// The pitch delay of a half; one that was lost or broke its parity is the last one, and one longer next time.
    fn delay_of(&mut self, frame: Option<&Speech>, half: usize, first: i16) -> Delay {
        match frame {
            Some(frame) if half == 1 => {
                let delay = Delay::second(frame.delay[1], first);
                self.delay = delay.whole;
                delay
            }
            Some(frame) if frame.parity_holds() => {
                let delay = Delay::first(frame.delay[0]);
                self.delay = delay.whole;
                delay
            }
            _ => {
                let whole = self.delay;
                self.delay = (whole + 1).min(DELAY_MAX);
                Delay { whole, third: 0 }
            }
        }
    }

    /// Excitation through the LP filter. Where it overflows, everything is made smaller by four and filtered again.
    fn synthesise(&mut self, a: &Lp, half: usize) {
        let from = half * SUBFRAME;
        let signal = &mut self.speech[from..from + ORDER + SUBFRAME];
        let input = PAST + from..PAST + from + SUBFRAME;
        if synthesis(a, &self.excitation[input.clone()], signal) {
            self.excitation.iter_mut().for_each(|x| *x >>= 2);
            synthesis(a, &self.excitation[input], signal);
        }
    }

    /// The frame through the post-filter, and what is past moved to its place.
    fn finish(&mut self, filters: &[Lp; 2], delays: Option<[i16; 2]>, out: &mut [i16; SAMPLES]) {
        self.post.filter(self.cpu, &self.speech, filters, delays, out);
        self.speech.copy_within(SAMPLES.., 0);
        self.excitation.copy_within(SAMPLES.., 0);
    }
}

impl Spectrum {
    fn new() -> Spectrum {
        let start = crate::tables::lsp::MA_START;
        Spectrum { predictor: Predictor::default(), last_predictor: 0, lsf: start, lsp: LSP_START }
    }

    /// The filters of both halves. A lost frame keeps the last frequencies.
    fn filters(&mut self, frame: Option<&Speech>) -> [Lp; 2] {
        match frame {
            Some(frame) => {
                let mode = usize::from(frame.predictor & 1);
                let word = codeword(frame.spectrum);
                self.lsf = self.predictor.compose(&MA[mode], &MA_REST[mode], &word);
                stabilise(&mut self.lsf);
                self.predictor.push(&word);
                self.last_predictor = mode;
            }
            None => {
                let mode = self.last_predictor;
                let word = self.predictor.extract(&MA[mode], &MA_REST_INVERSE[mode], &self.lsf);
                self.predictor.push(&word);
            }
        }
        self.move_to(lsf_to_lsp(&self.lsf))
    }

    fn move_to(&mut self, lsp: Lines) -> [Lp; 2] {
        let between = midway(&self.lsp, &lsp);
        self.lsp = lsp;
        [lsp_to_lp(&between), lsp_to_lp(&lsp)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of any kind, from a seed.
    fn any_frames(seed: u32, count: usize) -> Vec<Frame> {
        let mut seed = seed;
        let mut octet = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        };
        (0..count)
            .map(|_| match octet() % 16 {
                0 => Frame::Erased,
                1 => Frame::Untransmitted,
                2 => Frame::Silence(Silence::from_octets([octet(), octet()])),
                _ => Frame::Speech(Speech::from_octets(&std::array::from_fn(|_| octet()))),
            })
            .collect()
    }

    #[test]
    fn the_state_is_small_and_a_copy_goes_on_alike() {
        assert!(size_of::<Decoder>() < 8192, "{}", size_of::<Decoder>());
        let frames = any_frames(1, 400);
        let mut decoder = Decoder::new();
        let (mut a, mut b) = ([0; SAMPLES], [0; SAMPLES]);
        frames[..200].iter().for_each(|frame| decoder.decode(*frame, &mut a));
        let mut copy = decoder.clone();
        for frame in &frames[200..] {
            decoder.decode(*frame, &mut a);
            copy.decode(*frame, &mut b);
            assert_eq!(a, b);
        }
    }

    #[test]
    fn a_new_decoder_in_mid_stream_is_a_reset() {
        let frames = any_frames(7, 60);
        let run = |decoder: &mut Decoder| {
            let mut out = [0; SAMPLES];
            frames
                .iter()
                .flat_map(|frame| {
                    decoder.decode(*frame, &mut out);
                    out
                })
                .collect::<Vec<i16>>()
        };
        let mut decoder = Decoder::new();
        let first = run(&mut decoder);
        decoder = Decoder::new();
        assert_eq!(run(&mut decoder), first);
    }

    #[test]
    fn a_loss_fades_to_silence_and_any_frames_decode() {
        let mut decoder = Decoder::new();
        let mut out = [0; SAMPLES];
        for frame in any_frames(3, 20_000) {
            decoder.decode(frame, &mut out);
        }
        decoder.decode(Frame::Speech(Speech::default()), &mut out);
        for _ in 0..300 {
            decoder.decode(Frame::Erased, &mut out);
        }
        assert!(out.iter().all(|x| x.unsigned_abs() < 100), "{out:?}");
    }

    #[test]
    fn a_broken_parity_takes_the_last_delay() {
        let mut speech = Speech { delay: [100, 8], parity: crate::bits::parity(100), ..Speech::default() };
        let mut decoder = Decoder::new();
        decoder.decode(Frame::Speech(speech), &mut [0; SAMPLES]);
        let last = decoder.delay;
        speech.parity ^= 1;
        let delay = decoder.delay_of(Some(&speech), 0, 0);
        assert_eq!((delay, decoder.delay), (Delay { whole: last, third: 0 }, last + 1));
    }

    #[test]
    fn silence_whose_description_was_lost_begins_as_loud_as_it_was() {
        let speech = Speech { gain_a: [2, 2], gain_b: [6, 6], ..Speech::default() };
        let mut decoder = Decoder::new();
        let mut out = [0; SAMPLES];
        (0..3).for_each(|_| decoder.decode(Frame::Speech(speech), &mut out));
        let before = f64::from(decoder.noise.last_energy).sqrt();
        decoder.decode(Frame::Untransmitted, &mut out);
        let gain = f64::from(decoder.noise.gain) / 8.0;
        assert!((0.75..1.35).contains(&(gain / before)), "{gain} after {before}");
    }
}
