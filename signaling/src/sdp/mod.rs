//! Session descriptions and their negotiation (RFC 8866, RFC 3264), ending in what the media plane needs.
//!
//! The parser is our own: kept crates either mirror what they do not know or leave every bound to the caller, and what a
//! call needs of SDP is six kinds of line. Everything here is a pure function; keys come from a [`KeySeed`], addresses
//! from the media plane. One exchange goes like this:
//!
//! ```
//! use media::control::LegCreated;
//! use model::service::SrtpPolicy;
//! use signaling::sdp::{Ability, KeySeed, LocalSession, Sdp, answer};
//!
//! let invite = b"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8\r\n";
//! let (ability, seed) = (Ability::sip(SrtpPolicy::Accept), KeySeed::new([0; 32]));
//! let agreed = answer(&Sdp::parse(invite)?, &ability, &seed)?;
//! // ... the media plane makes a leg for `agreed.settled.setup` and says where it is:
//! let at = LegCreated { rtp: "192.0.2.1:30000".parse()?, rtcp: "192.0.2.1:30001".parse()?, ice: None };
//! let sdp = agreed.sdp(&at, &mut LocalSession::new(1))?.to_string();
//! assert!(sdp.contains("m=audio 30000 RTP/AVP 8\r\n"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Hold: a far end that holds us shows as [`Settled::held`]; to hold it, offer with [`Ability::direction`] set to
//! `SendOnly` (it hears music) or `Inactive`. An offer whose `o=` is [`same_version`] as the last changes nothing.
//! Not here: reasons to re-negotiate (`call`), packets (`media`).

mod ability;
mod answer;
mod attributes;
mod codecs;
mod crypto;
mod description;
mod far;
mod local;
mod offer;
mod parse;
#[cfg(test)]
mod tests;

pub use ability::{Ability, FarEnd, Refusal, Settled};
pub use answer::{Agreed, answer};
pub use attributes::{Candidate, RtpMap, Setup};
pub use codecs::OpusParameters;
pub use crypto::{CryptoLine, KeySeed, SUITES};
pub use description::{Attribute, Connection, Host, Media, Origin, Sdp};
pub use local::LocalSession;
pub use offer::{apply_answer, offer};
pub use parse::{BYTES_MAX, CANDIDATES_MAX, FORMATS_MAX, MEDIA_MAX, ParseError};

/// Whether a far end repeats itself, as it does to refresh a session timer (RFC 3264 §8: the version did not change).
pub fn same_version(before: &Sdp, now: &Sdp) -> bool {
    before.origin == now.origin
}
