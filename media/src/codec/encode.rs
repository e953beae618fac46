//! From samples to payload: one encoder for each stream.

use ::opus::{Application, Bitrate, Channels};
use model::media::Codec;

use super::{CodecError, g711, g722::G722Encoder, g729::G729Encoder};

/// Turns mono samples into payloads of one codec.
///
/// No allocation after [`Encoder::new`]. State: none for G.711, 250 octets for G.722, 3 KB for G.729, 31.7 KB for Opus (libopus 1.6, one channel).
pub struct Encoder {
    inner: Inner,
    rate_hz: u32,
}

enum Inner {
    Mu,
    A,
    Wide(Box<G722Encoder>),
    G729(Box<G729Encoder>),
    Opus(::opus::Encoder),
}

/// What the far end says about what it wants to be sent: Opus (RFC 7587 §6.1), and whether silence may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// `maxplaybackrate`: it renders no more than this, 8000 to 48000 Hz.
    pub playback_rate_max_hz: u32,
    /// `maxaveragebitrate`, in bit/s.
    pub average_bitrate_max: Option<u32>,
    /// `useinbandfec`: it makes use of the copies in packets.
    pub fec: bool,
    /// Silence need not be sent: `usedtx` of Opus, `annexb` of G.729 (RFC 4856 §2.1.9).
    pub dtx: bool,
    /// `cbr`: it wants a constant bit rate.
    pub cbr: bool,
}

/// A browser as they are.
impl Default for Shape {
    fn default() -> Self {
        Self { playback_rate_max_hz: 48_000, average_bitrate_max: None, fec: true, dtx: false, cbr: false }
    }
}

/// Opus bit rate of speech, unless more is asked for: with 20 ms packets, IPv6, an SRTP tag of 16 octets and Ethernet with
/// preamble (102 octets a packet, 40.8 kbit/s) that is 59.8 kbit/s on the wire. A browser leg stays below 60.
pub const OPUS_BITS_PER_SECOND: i32 = 19_000;
/// What a wide voice takes at most where the far end says that it may: more is not heard.
const OPUS_WIDE_BITS_PER_SECOND: i32 = 32_000;
/// 0 to 10. At 5 an encoder costs about 140 us for 20 ms, half of what 10 does, and few hear the difference.
pub const OPUS_COMPLEXITY: i32 = 5;
/// Loss the encoder prepares for, in percent: without an expectation it spends nothing on FEC. Above 5 the library narrows a
/// wide voice to pay for the copies, which is the worse bargain.
const OPUS_EXPECTED_LOSS: [i32; 2] = [10, 5];

impl Encoder {
    /// An encoder for samples at `rate_hz`: 8000 for G.711 and G.729; 16000 for G.722; 8000, 12000, 16000, 24000 or 48000 for
    /// Opus, in the mode for speech, as [`Shape::default`] says. The RTP clock is 48 kHz whatever the sampling rate (RFC 7587 §4.1).
    pub fn new(codec: Codec, rate_hz: u32) -> Result<Self, CodecError> {
        Self::shaped(codec, rate_hz, &Shape::default())
    }

    /// The same, as the far end wants it.
    pub fn shaped(codec: Codec, rate_hz: u32, shape: &Shape) -> Result<Self, CodecError> {
        let inner = match (codec, rate_hz) {
            (Codec::Pcmu, 8_000) => Inner::Mu,
            (Codec::Pcma, 8_000) => Inner::A,
            (Codec::G722, 16_000) => Inner::Wide(Box::default()),
            (Codec::G729, 8_000) => Inner::G729(Box::new(G729Encoder::new(shape.dtx))),
            (Codec::Opus, 8_000 | 12_000 | 16_000 | 24_000 | 48_000) => {
                let mut opus = ::opus::Encoder::new(rate_hz, Channels::Mono, Application::Voip)?;
                opus.set_bitrate(Bitrate::Bits(bits_per_second(rate_hz, shape)))?;
                opus.set_vbr(!shape.cbr)?;
                opus.set_vbr_constraint(true)?;
                opus.set_complexity(OPUS_COMPLEXITY)?;
                opus.set_inband_fec(shape.fec)?;
                opus.set_packet_loss_perc(OPUS_EXPECTED_LOSS[usize::from(rate_hz > 8_000)])?;
                opus.set_dtx(shape.dtx)?;
                Inner::Opus(opus)
            }
            _ => return Err(CodecError::Rate(rate_hz)),
        };
        Ok(Self { inner, rate_hz })
    }

    /// How hard Opus tries, 0 to 10; what it was born with is [`OPUS_COMPLEXITY`]. No effect on others.
    pub fn set_effort(&mut self, complexity: i32) {
        if let Inner::Opus(opus) = &mut self.inner {
            // A refusal leaves it as it was.
            _ = opus.set_complexity(complexity.clamp(0, 10));
        }
    }

    /// Sampling rate of what goes in.
    pub fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    /// Encodes one packet's samples into `out` and says how many octets it took. Opus takes 2.5, 5, 10, 20, 40 or
    /// 60 ms at a time, G.729 whole frames of 10 ms, and one of them where silence may be left out: 10 octets, 2 that describe silence,
    /// or none. `None`: `out` is too short, or the length is not one of these.
    pub fn encode(&mut self, samples: &[i16], out: &mut [u8]) -> Option<usize> {
        match &mut self.inner {
            Inner::Mu => {
                let out = out.get_mut(..samples.len())?;
                out.iter_mut().zip(samples).for_each(|(code, sample)| *code = g711::encode_mu(*sample));
                Some(samples.len())
            }
            Inner::A => {
                let out = out.get_mut(..samples.len())?;
                out.iter_mut().zip(samples).for_each(|(code, sample)| *code = g711::encode_a(*sample));
                Some(samples.len())
            }
            Inner::Wide(wide) => {
                let out = out.get_mut(..samples.len() / 2)?;
                Some(wide.encode(samples, out))
            }
            Inner::G729(g729) => g729.encode(samples, out),
            Inner::Opus(opus) => opus.encode(samples, out).ok(),
        }
    }

    /// Makes the next Opus packet stand on its own, so that it decodes well after anything. No effect on others.
    pub(crate) fn next_stands_alone(&mut self, alone: bool) {
        if let Inner::Opus(opus) = &mut self.inner {
            // A refusal costs a rough edge, nothing more.
            _ = opus.set_prediction_disabled(alone);
        }
    }

    /// Forgets the past: what follows is another talker.
    pub fn reset(&mut self) {
        match &mut self.inner {
            Inner::Mu | Inner::A => {}
            Inner::Wide(wide) => **wide = G722Encoder::default(),
            Inner::G729(g729) => g729.reset(),
            Inner::Opus(opus) => _ = opus.reset_state(),
        }
    }
}

fn bits_per_second(rate_hz: u32, shape: &Shape) -> i32 {
    let allowed = shape.average_bitrate_max.map(|max| i32::try_from(max).unwrap_or(i32::MAX));
    match allowed {
        Some(allowed) if rate_hz > 8_000 => allowed.clamp(6_000, OPUS_WIDE_BITS_PER_SECOND),
        Some(allowed) => allowed.clamp(6_000, OPUS_BITS_PER_SECOND),
        None => OPUS_BITS_PER_SECOND,
    }
}
