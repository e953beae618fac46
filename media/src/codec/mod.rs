//! Codecs: from payload to samples and back.
//!
//! [`Decoder`] turns payloads into samples, [`Encoder`] samples into payloads, [`Recoder`] samples of any rate into packets of
//! any length; nothing allocates after construction. [`resample::Resampler`] changes the sampling rate, [`g711`] holds the
//! tables, [`comfort`] the noise of pauses.
//!
//! Not here: waiting for late packets (`jitter`). A codec more (G.729 is to come) begins as a variant of
//! [`model::media::Codec`]: the compiler then finds the places it concerns.

pub mod comfort;
mod conceal;
mod decode;
mod encode;
pub mod g711;
pub mod g722;
mod recode;
pub mod resample;

pub use decode::Decoder;
pub use encode::{Encoder, OPUS_COMPLEXITY, OpusShape};
pub use recode::{Encoded, Recoder, rates};

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
