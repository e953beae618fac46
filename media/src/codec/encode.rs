//! From samples to payload: one encoder for each stream.

use ::opus::{Application, Bitrate, Channels};
use model::media::Codec;

use super::{CodecError, g711};

/// Turns mono samples into payloads of one codec.
///
/// No allocation after [`Encoder::new`]. State: none for G.711, 31.7 KB for Opus (libopus 1.6, one channel).
pub struct Encoder {
    inner: Inner,
    rate_hz: u32,
}

enum Inner {
    Mu,
    A,
    Opus(::opus::Encoder),
}

/// Opus bit rate of speech, part of what a browser leg may use (see [`Encoder::new`]).
pub const OPUS_BITS_PER_SECOND: i32 = 24_000;
/// 0 to 10. At 5 an encoder costs about 140 us for 20 ms, half of what 10 does, and few hear the difference.
const OPUS_COMPLEXITY: i32 = 5;
/// Loss the encoder prepares for, in percent: without an expectation it spends nothing on FEC.
const OPUS_EXPECTED_LOSS: i32 = 10;

impl Encoder {
    /// An encoder for samples at `rate_hz`: 8000 for G.711; 8000, 12000, 16000, 24000 or 48000 for Opus.
    ///
    /// Opus runs at 24 kbit/s with in-band FEC and without DTX, in the mode for speech. With 20 ms packets, IPv4, an
    /// SRTP tag of 16 octets and Ethernet with preamble (82 octets a packet, 32.8 kbit/s) that is 56.8 kbit/s on the
    /// wire: a browser leg stays below 60. The RTP clock is 48 kHz whatever the sampling rate (RFC 7587 §4.1).
    pub fn new(codec: Codec, rate_hz: u32) -> Result<Self, CodecError> {
        let inner = match (codec, rate_hz) {
            (Codec::Pcmu, 8_000) => Inner::Mu,
            (Codec::Pcma, 8_000) => Inner::A,
            (Codec::Opus, 8_000 | 12_000 | 16_000 | 24_000 | 48_000) => {
                let mut opus = ::opus::Encoder::new(rate_hz, Channels::Mono, Application::Voip)?;
                opus.set_bitrate(Bitrate::Bits(OPUS_BITS_PER_SECOND))?;
                opus.set_vbr_constraint(true)?;
                opus.set_complexity(OPUS_COMPLEXITY)?;
                opus.set_inband_fec(true)?;
                opus.set_packet_loss_perc(OPUS_EXPECTED_LOSS)?;
                opus.set_dtx(false)?;
                Inner::Opus(opus)
            }
            _ => return Err(CodecError::Rate(rate_hz)),
        };
        Ok(Self { inner, rate_hz })
    }

    /// Sampling rate of what goes in.
    pub fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    /// Encodes one packet's samples into `out` and says how many octets it took. Opus takes 2.5, 5, 10, 20, 40 or
    /// 60 ms at a time. `None`: `out` is too short, or the length is not one of these.
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
            Inner::Opus(opus) => opus.encode(samples, out).ok(),
        }
    }

    /// Makes the next Opus packet stand on its own, so that it decodes well after anything. No effect on G.711.
    pub(crate) fn next_stands_alone(&mut self, alone: bool) {
        if let Inner::Opus(opus) = &mut self.inner {
            // A refusal costs a rough edge, nothing more.
            _ = opus.set_prediction_disabled(alone);
        }
    }

    /// Forgets the past: what follows is another talker.
    pub fn reset(&mut self) {
        if let Inner::Opus(opus) = &mut self.inner {
            _ = opus.reset_state();
        }
    }
}
