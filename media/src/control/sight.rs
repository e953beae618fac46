//! A live leg as it looks from outside: for those who watch, not for those who command.

use std::net::SocketAddr;

use model::id::{LegId, RoomId};
use model::media::Codec;

use super::{LegStats, SrtpSuite};

/// A leg at one moment: what it is, what it does, its figures.
#[derive(Clone, Debug, PartialEq)]
pub struct LegSight {
    /// Which.
    pub leg: LegId,
    /// The media thread it lives on.
    pub thread: usize,
    /// Whether its far end is a browser (ICE and DTLS).
    pub browser: bool,
    /// Whether it carries video.
    pub video: bool,
    /// Where it sends; `None` while that is not known or nothing may be sent.
    pub remote: Option<SocketAddr>,
    /// What the far end speaks now; `None` before its first packet.
    pub comes_in: Option<Spoken>,
    /// What is sent to it; `None` before anything is negotiated.
    pub goes_out: Option<Spoken>,
    /// How its packets are protected.
    pub secured: Secured,
    /// What it hears.
    pub hears: Hears,
    /// Whether its words are dropped (CTRL-01).
    pub muted: bool,
    /// Whether a recording captures it.
    pub recorded: bool,
    /// Whether the kernel carries what comes from it (MEDIA-04). Its figures are then those of the last look at the kernel, at
    /// most a second old.
    pub in_kernel: bool,
    /// Its figures.
    pub stats: LegStats,
}

/// In what a stream is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoken {
    /// A codec we have.
    Codec(Codec),
    /// A format that is passed on without being understood: the number control gave it.
    Passed(u16),
}

/// How a leg's packets are protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secured {
    /// Not at all.
    Plain,
    /// They will be; the keys are not there yet.
    Waiting,
    /// SRTP with keys from SDP.
    Sdes(SrtpSuite),
    /// SRTP with keys from a DTLS handshake.
    Dtls(SrtpSuite),
}

/// What a leg hears, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hears {
    /// Nothing.
    Nothing,
    /// Another leg.
    Leg(LegId),
    /// A sound: a prompt, music, a tone.
    Sound,
    /// The mix of a room.
    Room(RoomId),
}
