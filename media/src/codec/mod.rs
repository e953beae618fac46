//! Codecs: from payload to samples and back.
//!
//! [`Decoder`] turns payloads into samples, [`Encoder`] samples into payloads, [`Recoder`] samples of any rate into packets of
//! any length; nothing allocates after construction. [`resample::Resampler`] changes the sampling rate, [`g711`] holds the
//! tables, [`comfort`] the noise of pauses.
//!
//! Not here: waiting for late packets (`jitter`). A codec more begins as a variant of [`model::media::Codec`]: the compiler then
//! finds the places it concerns.

pub mod comfort;
mod conceal;
mod decode;
mod encode;
pub mod g711;
pub mod g722;
pub mod g729;
mod recode;
pub mod resample;

pub use decode::Decoder;
pub use encode::{Encoder, OPUS_COMPLEXITY, Shape};
pub use recode::{Encoded, Recoder, rates};

use model::media::Codec;

/// Why a codec could not be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Packets of this length are not made: 10 to 60 ms are.
    #[error("a packet time of {0} ms is outside 10 to 60 ms")]
    PacketTime(u8),
    /// The codec does not run at this sampling rate.
    #[error("{0} Hz is not a rate of this codec")]
    Rate(u32),
    /// The codec library refused; usually memory.
    #[error("the Opus library refused: {0}")]
    Opus(String),
}

impl From<::opus::Error> for CodecError {
    fn from(error: ::opus::Error) -> Self {
        Self::Opus(error.to_string())
    }
}

/// Longest packet we decode: Opus allows 120 ms (RFC 6716 §2.1.4).
pub const PACKET_MS_MAX: usize = 120;
/// Highest sampling rate in use.
pub const RATE_MAX: usize = 48_000;
/// Room for the samples of one packet at the highest rate.
pub const PACKET_SAMPLES_MAX: usize = RATE_MAX / 1000 * PACKET_MS_MAX;
/// Room for one encoded packet; also what a datagram on Ethernet carries.
pub const PAYLOAD_MAX: usize = 1_400;

/// The packet time a codec makes of a wish of 10 to 60 ms: Opus packets hold 10, 20, 40 or 60 ms (RFC 6716 §2.1.4), G.729 whole
/// frames of 10.
pub const fn packet_ms(codec: Codec, wish_ms: u8) -> u8 {
    match (codec, wish_ms) {
        (Codec::Opus, 60) => 60,
        (Codec::Opus, 40..) => 40,
        (Codec::Opus, 20..) => 20,
        (Codec::Opus, _) => 10,
        (Codec::G729, 20..) => wish_ms - wish_ms % 10,
        (Codec::G729, _) => 10,
        (Codec::Pcmu | Codec::Pcma | Codec::G722, ms) => ms,
    }
}

/// Whether a payload says that the talker pauses: a frame without content (DTX, RFC 7587 §3.1.3), or a description of silence at its
/// end (G.729 Annex B, RFC 3551 §4.5.6). What follows, if anything, is the noise of the room until the next payload of speech.
pub const fn begins_pause(codec: Codec, payload: &[u8]) -> bool {
    match codec {
        Codec::Opus => payload.len() <= 2,
        Codec::G729 => g729::describes_silence(payload),
        Codec::Pcmu | Codec::Pcma | Codec::G722 => false,
    }
}
