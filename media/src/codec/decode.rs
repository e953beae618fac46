//! From payload to samples: one decoder for each stream.

use ::opus::Channels;
use model::media::Codec;

use super::{CodecError, PACKET_MS_MAX, conceal::Concealer, g711, g722::G722Decoder, g729::G729Decoder};

/// Turns the payloads of one stream into mono samples, and holes into something a listener forgives.
///
/// No allocation after [`Decoder::new`]. State: 1 KB for G.711 (history for concealment), 1.3 KB for G.722, 3 KB for G.729, 19 KB for Opus
/// (libopus 1.6, one channel, any rate).
pub struct Decoder {
    inner: Inner,
    rate_hz: u32,
}

enum Inner {
    Mu(Concealer),
    A(Concealer),
    Wide(Box<G722Decoder>),
    G729(Box<G729Decoder>),
    Opus(::opus::Decoder),
}

impl Decoder {
    /// A decoder that gives samples at `rate_hz`: 8000 for G.711 and G.729; 16000 for G.722; 8000, 12000, 16000, 24000 or 48000 for Opus.
    pub fn new(codec: Codec, rate_hz: u32) -> Result<Self, CodecError> {
        let inner = match (codec, rate_hz) {
            (Codec::Pcmu, 8_000) => Inner::Mu(Concealer::default()),
            (Codec::Pcma, 8_000) => Inner::A(Concealer::default()),
            (Codec::G722, 16_000) => Inner::Wide(Box::default()),
            (Codec::G729, 8_000) => Inner::G729(Box::default()),
            // Stereo payloads are mixed to mono by the library.
            (Codec::Opus, 8_000 | 12_000 | 16_000 | 24_000 | 48_000) => {
                Inner::Opus(::opus::Decoder::new(rate_hz, Channels::Mono)?)
            }
            _ => return Err(CodecError::Rate(rate_hz)),
        };
        Ok(Self { inner, rate_hz })
    }

    /// Sampling rate of what comes out.
    pub fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    /// Samples a payload will give, or `None` for what cannot be one: empty, broken, or longer than 120 ms.
    pub fn samples_in(&self, payload: &[u8]) -> Option<usize> {
        let longest = self.rate_hz as usize / 1000 * PACKET_MS_MAX;
        let samples = match &self.inner {
            Inner::Mu(_) | Inner::A(_) => payload.len(),
            Inner::Wide(_) => payload.len() * 2,
            Inner::G729(_) => G729Decoder::samples_in(payload)?,
            Inner::Opus(_) if payload.is_empty() => 0,
            Inner::Opus(opus) => opus.get_nb_samples(payload).ok()?,
        };
        (1..=longest).contains(&samples).then_some(samples)
    }

    /// Decodes one payload into `out` and says how many samples it gave; `None` when it is not one, or `out` is short.
    pub fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> Option<usize> {
        let samples = self.samples_in(payload)?;
        let out = out.get_mut(..samples)?;
        match &mut self.inner {
            Inner::Mu(concealer) => {
                out.iter_mut().zip(payload).for_each(|(sample, code)| *sample = g711::decode_mu(*code));
                concealer.heard(out);
            }
            Inner::A(concealer) => {
                out.iter_mut().zip(payload).for_each(|(sample, code)| *sample = g711::decode_a(*code));
                concealer.heard(out);
            }
            Inner::Wide(wide) => return Some(wide.decode(payload, out)),
            Inner::G729(g729) => return g729.decode(payload, out),
            Inner::Opus(opus) => return opus.decode(payload, out, false).ok(),
        }
        Some(samples)
    }

    /// Fills `out` with what may have been lost. `next` is the payload after the hole, when it follows at once: Opus
    /// carries a coarse copy of the packet before it (in-band FEC, RFC 6716 §2.1.7). In a pause of Opus or G.729 that is the noise of
    /// the room.
    pub fn conceal(&mut self, next: Option<&[u8]>, out: &mut [i16]) {
        match &mut self.inner {
            Inner::Mu(concealer) | Inner::A(concealer) => concealer.invent(out),
            Inner::Wide(wide) => wide.conceal(out),
            Inner::G729(g729) => g729.conceal(out),
            Inner::Opus(opus) => {
                // The library conceals in steps of 2.5 ms; where the packet has no copy it conceals by itself.
                let whole = out.len() - out.len() % (self.rate_hz as usize / 400);
                let (covered, rest) = out.split_at_mut(whole);
                let done = match next {
                    Some(next) if !next.is_empty() => opus.decode(next, covered, true).is_ok(),
                    _ => !covered.is_empty() && opus.decode(&[], covered, false).is_ok(),
                };
                if !done {
                    covered.fill(0);
                }
                rest.fill(0);
            }
        }
    }

    /// Forgets the past: what follows is another talker.
    pub fn reset(&mut self) {
        match &mut self.inner {
            Inner::Mu(concealer) | Inner::A(concealer) => *concealer = Concealer::default(),
            Inner::Wide(wide) => **wide = G722Decoder::default(),
            Inner::G729(g729) => **g729 = G729Decoder::default(),
            // Resetting a state that was made cannot fail; if it does, old state costs one rough edge.
            Inner::Opus(opus) => _ = opus.reset_state(),
        }
    }
}
