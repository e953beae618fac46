//! What we can do on a leg, what came of it, and why an offer is refused.

use media::control::{Direction, Latching, LegSetup};
use model::media::Codec;
use model::service::SrtpPolicy;

use super::codecs::OpusParameters;
use super::parse::ParseError;

/// What a leg may agree to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ability {
    /// Which kind of far end this is.
    pub far_end: FarEnd,
    /// Codecs, best first.
    pub codecs: Vec<Codec>,
    /// Telephone events (RFC 4733); without them digits go in-band.
    pub events: bool,
    /// SRTP by SDP. Browsers are always encrypted, whatever this says.
    pub srtp: SrtpPolicy,
    /// Silence may be left out of G.729 (Annex B, RFC 7261), if the far end agrees.
    pub annexb: bool,
    /// Packet time we wish for, 10 to 60 ms.
    pub ptime_ms: u8,
    /// Which ways we want audio: `SendOnly` or `Inactive` while we hold the far end.
    pub direction: Direction,
    /// Whose packets the leg will believe; ICE legs have no use for it.
    pub latching: Latching,
    /// We have an IPv4 address to send from.
    pub ipv4: bool,
    /// We have an IPv6 address to send from.
    pub ipv6: bool,
}

/// Who speaks SDP with us, in what it takes to reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FarEnd {
    /// A trunk or a phone: addresses and ports in the SDP, keys in the SDP if any.
    Sip,
    /// A browser: ICE (we are the lite side), DTLS-SRTP, everything on one port.
    WebRtc,
}

impl Ability {
    /// A trunk or phone with G.711 and events, both address families, 20 ms.
    pub fn sip(srtp: SrtpPolicy) -> Self {
        Self {
            far_end: FarEnd::Sip,
            codecs: vec![Codec::Pcma, Codec::Pcmu],
            events: true,
            annexb: true,
            srtp,
            ptime_ms: 20,
            direction: Direction::SendRecv,
            latching: Latching::Off,
            ipv4: true,
            ipv6: true,
        }
    }
    /// A browser: Opus, then G.711 for one that has no Opus.
    pub fn webrtc() -> Self {
        Self {
            far_end: FarEnd::WebRtc,
            codecs: vec![Codec::Opus, Codec::Pcmu, Codec::Pcma],
            ..Self::sip(SrtpPolicy::Require)
        }
    }
}

/// What an exchange of offer and answer came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// For the media plane.
    pub setup: LegSetup,
    /// The far end put us on hold: it does not want to hear us, by `sendonly`, `inactive` or an address of zeros.
    pub held: bool,
    /// What the far end said about the Opus it wants to receive, when Opus was chosen.
    pub opus: Option<OpusParameters>,
}

/// Why a description leads to no media.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It cannot be read: 400.
    #[error(transparent)]
    Malformed(#[from] ParseError),
    /// It is well-formed, but we cannot agree to it: 488.
    #[error("not acceptable: {text}")]
    NotAcceptable {
        /// Warning code (RFC 3261 §20.43).
        warning: u16,
        /// For people at the far end.
        text: &'static str,
    },
    /// Our own side cannot answer now: 500.
    #[error("cannot describe our side: {0}")]
    Ours(&'static str),
}

impl Refusal {
    pub(super) const fn transport(text: &'static str) -> Self {
        Self::NotAcceptable { warning: 302, text }
    }
    pub(super) const fn address(text: &'static str) -> Self {
        Self::NotAcceptable { warning: 301, text }
    }
    pub(super) const fn media(text: &'static str) -> Self {
        Self::NotAcceptable { warning: 304, text }
    }
    pub(super) const fn format(text: &'static str) -> Self {
        Self::NotAcceptable { warning: 305, text }
    }
    pub(super) const fn attribute(text: &'static str) -> Self {
        Self::NotAcceptable { warning: 306, text }
    }
    pub(super) const fn other(text: &'static str) -> Self {
        Self::NotAcceptable { warning: 399, text }
    }

    /// The status of the SIP response.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::NotAcceptable { .. } => 488,
            Self::Ours(_) => 500,
        }
    }
    /// The value of the `Warning` header; `agent` is our host name.
    pub fn warning(&self, agent: &str) -> Option<String> {
        match self {
            Self::Malformed(error) => Some(format!("399 {agent} \"{error}\"")),
            Self::NotAcceptable { warning, text } => Some(format!("{warning} {agent} \"{text}\"")),
            Self::Ours(_) => None,
        }
    }
}

/// The direction the other side sees.
pub(super) const fn reversed(direction: Direction) -> Direction {
    match direction {
        Direction::SendOnly => Direction::RecvOnly,
        Direction::RecvOnly => Direction::SendOnly,
        both => both,
    }
}

/// Only what both allow, seen from the same side.
pub(super) const fn common(a: Direction, b: Direction) -> Direction {
    direction(sends(a) && sends(b), receives(a) && receives(b))
}

/// Whether audio leaves the one whose direction this is.
pub(super) const fn sends(direction: Direction) -> bool {
    matches!(direction, Direction::SendRecv | Direction::SendOnly)
}

/// Whether audio reaches the one whose direction this is.
pub(super) const fn receives(direction: Direction) -> bool {
    matches!(direction, Direction::SendRecv | Direction::RecvOnly)
}

pub(super) const fn direction(send: bool, receive: bool) -> Direction {
    match (send, receive) {
        (true, true) => Direction::SendRecv,
        (true, false) => Direction::SendOnly,
        (false, true) => Direction::RecvOnly,
        (false, false) => Direction::Inactive,
    }
}

/// The attribute that says a direction.
pub(super) const fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::SendRecv => "sendrecv",
        Direction::SendOnly => "sendonly",
        Direction::RecvOnly => "recvonly",
        Direction::Inactive => "inactive",
    }
}
