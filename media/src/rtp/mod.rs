//! RTP and RTCP packets as views on octets.
//!
//! Everything here reads and writes the caller's buffer: nothing is owned, nothing is allocated, and no octet from the
//! network can cause more than a [`Malformed`]. SRTP is not here (`srtp`), nor who may send to whom (`leg`).

pub mod feedback;
mod header;
pub mod rtcp;
mod seq;
pub mod xr;

pub use header::{HEADER_LEN, Header, View, is_rtcp};
pub use seq::{RtpTimestamp, SeqNo};

/// The octets are not the packet they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Shorter than its fixed header, or than a length field promises.
    #[error("the packet is shorter than it says")]
    TooShort,
    /// The version is not 2.
    #[error("the version is not 2")]
    Version,
    /// The padding is longer than the payload, or zero (RFC 3550 §5.1).
    #[error("the padding is wrong")]
    Padding,
    /// An RTCP compound packet does not begin with a report (RFC 3550 §6.1).
    #[error("the RTCP packet does not begin with a report")]
    NotAReport,
}
