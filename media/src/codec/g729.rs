//! G.729 in packets: frames of 10 ms, ten octets each; after them perhaps two that describe silence (RFC 3551 §4.5.6, Annex B).
//!
//! The codec itself is the crate `g729`; here stands how packets of any length meet its frames. What a talker in a pause does not send
//! is asked for as concealment: after a description of silence that is comfort noise.

use ::g729::frame::{SILENCE_OCTETS, SPEECH_OCTETS, frames};
use ::g729::{Frame, SAMPLES};

/// Decodes one stream.
#[derive(Clone, Debug)]
pub struct G729Decoder {
    decoder: ::g729::Decoder,
    /// The end of a frame that was invented for a hole of less than 10 ms; `left` samples of it were not asked for yet.
    frame: [i16; SAMPLES],
    left: usize,
}

impl Default for G729Decoder {
    fn default() -> Self {
        Self { decoder: ::g729::Decoder::new(), frame: [0; SAMPLES], left: 0 }
    }
}

impl G729Decoder {
    /// Samples a payload gives; `None`: its length fits no number of frames.
    pub fn samples_in(payload: &[u8]) -> Option<usize> {
        matches!(payload.len() % SPEECH_OCTETS, 0 | SILENCE_OCTETS)
            .then(|| payload.len().div_ceil(SPEECH_OCTETS) * SAMPLES)
    }

    /// Decodes a payload into `out`, which is as long as [`G729Decoder::samples_in`] says; `None` when it is not one.
    pub fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> Option<usize> {
        self.left = 0;
        let (places, _) = out.as_chunks_mut::<SAMPLES>();
        let mut made = 0;
        for (frame, place) in frames(payload)?.zip(places) {
            self.decoder.decode(frame, place);
            made += SAMPLES;
        }
        Some(made)
    }

    /// Fills `out` with what may have been lost; after a description of silence, with comfort noise.
    pub fn conceal(&mut self, out: &mut [i16]) {
        let held = self.left.min(out.len());
        let (first, rest) = out.split_at_mut(held);
        first.copy_from_slice(&self.frame[SAMPLES - self.left..][..held]);
        self.left -= held;
        let (places, last) = rest.as_chunks_mut::<SAMPLES>();
        places.iter_mut().for_each(|place| self.decoder.decode(Frame::Erased, place));
        if !last.is_empty() {
            self.decoder.decode(Frame::Erased, &mut self.frame);
            last.copy_from_slice(&self.frame[..last.len()]);
            self.left = SAMPLES - last.len();
        }
    }
}

/// Encodes one stream (Annex A, and Annex B if wanted).
#[derive(Clone, Debug)]
pub struct G729Encoder {
    encoder: ::g729::Encoder,
    leaves_out: bool,
}

impl G729Encoder {
    /// `leaves_out`: where nobody speaks, silence is described now and then instead of being sent (Annex B).
    pub fn new(leaves_out: bool) -> Self {
        Self { encoder: ::g729::Encoder::new(leaves_out), leaves_out }
    }

    /// Encodes whole frames, one only where silence is left out; says how many octets that took. `None`: it is another length, or
    /// `out` is too short.
    pub fn encode(&mut self, samples: &[i16], out: &mut [u8]) -> Option<usize> {
        let (frames, []) = samples.as_chunks::<SAMPLES>() else { return None };
        let places = out.get_mut(..frames.len() * SPEECH_OCTETS)?.as_chunks_mut::<SPEECH_OCTETS>().0;
        if self.leaves_out && frames.len() != 1 {
            return None;
        }
        Some(frames.iter().zip(places).map(|(frame, place)| self.encoder.encode(frame, place)).sum())
    }

    /// Forgets the past.
    pub fn reset(&mut self) {
        self.encoder = ::g729::Encoder::new(self.leaves_out);
    }
}

/// Whether a payload ends with a description of silence.
pub const fn describes_silence(payload: &[u8]) -> bool {
    payload.len() % SPEECH_OCTETS == SILENCE_OCTETS
}

/// A frame that, sent over and over, is as silent as a telephone line gets.
const SILENT: [u8; SPEECH_OCTETS] = [0x78, 0x52, 0x80, 0xa0, 0, 0xfa, 0xc2, 0, 7, 0xd6];

/// Puts silence in the place of all that is said in a payload; a description of silence describes the least there is.
pub fn silence(payload: &mut [u8]) {
    for frame in payload.chunks_mut(SPEECH_OCTETS) {
        match frame.len() {
            SPEECH_OCTETS => frame.copy_from_slice(&SILENT),
            _ => frame.fill(0),
        }
    }
}

#[cfg(test)]
mod tests;
