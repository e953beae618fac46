//! SRTP and SRTCP (RFC 3711, RFC 6188, RFC 7714): packets are protected and opened in the buffer they lie in.
//!
//! Vetted crates do the ciphers and the hash; what is ours is the framing: which key (`derive`), which nonce (`cipher`), which
//! tag (`tag`), which packet index (`index`), and whose state (`sources`). Nothing here allocates, locks or panics once the keys are set up.
//!
//! A [`Receiver`] changes nothing before the tag of a packet was right: no roll-over counter, no replay window, no new
//! source. A [`Sender`] refuses to use one packet index twice, since that would give two packets one key stream
//! (RFC 3711 §9.1, RFC 7714 §8.4). Both live as long as their key: keep the object over a re-negotiation that does not
//! change the key, or the roll-over counter starts again and the far end understands nothing (MEDIA-12).
//!
//! Not here: `a=crypto` in SDP (signalling writes and reads it), MKI and key lifetimes in it (refused there).

mod cipher;
mod derive;
mod index;
mod receiver;
mod sender;
mod sources;
mod tag;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod vectors;

pub use receiver::Receiver;
pub use sender::Sender;

/// Octets that protection adds at most, RTP or RTCP: a GCM tag and the SRTCP index.
pub const MAX_OVERHEAD: usize = cipher::GCM_TAG + SRTCP_INDEX_LEN;

/// Octets of the `E` flag and index that end an SRTCP packet (RFC 3711 §3.4).
const SRTCP_INDEX_LEN: usize = 4;

/// Octets of an RTCP packet that stay readable: the first header and the sender's SSRC (RFC 3711 §3.4).
const RTCP_CLEAR: usize = 8;

/// Octets of an RTP header without CSRC list and extension.
const RTP_FIXED: usize = 12;

/// Why a packet was not protected or opened. The packet is to be dropped; its buffer may hold anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SrtpError {
    /// The key does not have the length its suite asks for.
    #[error("the SRTP key has {given} octets instead of {wanted}")]
    KeyLength {
        /// What the suite asks for.
        wanted: usize,
        /// What was given.
        given: usize,
    },
    /// Not an RTP or RTCP packet: too short, another version, or lengths that point outside.
    #[error("not an RTP or RTCP packet")]
    Malformed,
    /// The buffer has no room for the tag.
    #[error("the buffer has no room for the authentication tag")]
    NoRoom,
    /// The tag is wrong: forged, damaged, or another key.
    #[error("the authentication tag is wrong")]
    Forged,
    /// The packet came before, or is older than the replay window.
    #[error("the packet was seen before or is too old")]
    Replayed,
    /// More sources than a sender keeps state for; a leg sends with few SSRCs.
    #[error("too many sources under one key")]
    TooManySources,
    /// The key protected all the packets it may (RFC 3711 §9.2); a new one must be negotiated.
    #[error("the SRTP key is used up")]
    KeyUsedUp,
}

/// What a well-formed RTP packet says in its clear part.
#[derive(Clone, Copy, Debug)]
struct RtpHead {
    sequence: u16,
    ssrc: u32,
    /// Fixed header, CSRC list and extension: authenticated, never encrypted (RFC 3711 §3.1).
    len: usize,
}

impl RtpHead {
    /// Reads the header; `packet` must not include a tag.
    fn read(packet: &[u8]) -> Result<Self, SrtpError> {
        let (fixed, rest) = packet.split_first_chunk::<RTP_FIXED>().ok_or(SrtpError::Malformed)?;
        if fixed[0] >> 6 != 2 {
            return Err(SrtpError::Malformed);
        }
        let mut len = RTP_FIXED + usize::from(fixed[0] & 0x0f) * 4;
        if fixed[0] & 0x10 != 0 {
            let at = len - RTP_FIXED;
            let extension = rest.get(at..at + 4).ok_or(SrtpError::Malformed)?;
            len += 4 + usize::from(u16::from_be_bytes([extension[2], extension[3]])) * 4;
        }
        if len > packet.len() {
            return Err(SrtpError::Malformed);
        }
        Ok(Self {
            sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
            len,
        })
    }
}

/// The SSRC of a compound RTCP packet's first part; `packet` must not include index and tag.
fn rtcp_ssrc(packet: &[u8]) -> Result<u32, SrtpError> {
    let clear = packet.first_chunk::<RTCP_CLEAR>().ok_or(SrtpError::Malformed)?;
    if clear[0] >> 6 != 2 {
        return Err(SrtpError::Malformed);
    }
    Ok(u32::from_be_bytes([clear[4], clear[5], clear[6], clear[7]]))
}
