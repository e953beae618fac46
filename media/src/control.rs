//! What control and the media plane say to each other: commands with answers, and events.
//!
//! In memory on one box; the same messages travel to a media node. A command is acknowledged or refused with a
//! [`MediaError`], and a refused one leaves its leg as it was (MEDIA-13). Media threads keep talking when nobody commands.
//!
//! The model is small: a *leg* is one party's RTP in both directions; each leg *hears* one [`Source`]. A bridge is two legs
//! that hear each other; hold is a customer who hears music; a queue is a customer who hears the queue's music. When a
//! source's codec is the leg's own, packets are relayed in place; otherwise they are transcoded. What we have no codec for goes
//! to those who have ([`Passed`]). More than two meet in a *room*: each leg in it hears a mix of the others.

mod formats;
mod room;
mod setup;
mod sight;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model::id::{LegId, RecordingId, RoomId};
use model::media::StreamStats;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::prompt::Prompt;
use crate::quality::MosSummary;
use crate::quality::watch::Trouble;

pub use formats::{Common, Offered, common_video};
pub use room::{RoomOrder, RoomRole, RoomSetup, SPEAKERS_SHOWN};
pub use setup::{
    Checks, Direction, EventFormat, Format, Latching, LegSetup, Passed, Security, SrtpKey, SrtpSuite, Video,
};
pub use sight::{Hears, LegSight, Secured, Spoken};

/// Orders to the media plane. Each is answered by one [`Answer`] or [`MediaError`].
#[derive(Clone, Debug)]
pub enum Command {
    /// Makes a leg and its local address; answered with [`Answer::Created`].
    CreateLeg {
        /// The new leg.
        leg: LegId,
        /// How its packets travel.
        transport: Transport,
        /// Put it on the thread of this leg, because they will talk to each other.
        near: Option<LegId>,
    },
    /// Says what was negotiated. May be repeated at each re-negotiation: SRTP state goes on where keys did not change.
    ConfigureLeg {
        /// The leg.
        leg: LegId,
        /// What was negotiated.
        setup: Box<LegSetup>,
    },
    /// Says what a leg hears from now on. Legs on different threads are brought together first.
    Hear {
        /// The leg that listens.
        leg: LegId,
        /// What it hears.
        source: Source,
    },
    /// A leg hears another no longer, if it does; whatever else it hears by now goes on. For softphones, which may be in another
    /// call already when an earlier one ends.
    StopHearing {
        /// The leg that listens.
        leg: LegId,
        /// Whom it hears no longer.
        speaker: LegId,
    },
    /// Both legs hear each other; one step, so that neither hears a gap of its own.
    Bridge {
        /// One party.
        a: LegId,
        /// The other.
        b: LegId,
    },
    /// Silences a leg towards whoever hears it, and towards its recording. It still hears (CTRL-01).
    Mute {
        /// The leg whose words are dropped.
        leg: LegId,
        /// Whether it is muted now.
        muted: bool,
    },
    /// Sends digits to the leg's far end as telephone events (RFC 4733), or in-band tones where none were negotiated.
    SendDtmf {
        /// The leg.
        leg: LegId,
        /// `0-9 * # A-D`; a comma is a pause of one second.
        digits: String,
        /// Length of each digit; 100 ms is usual. Gaps are as long, at least 50 ms.
        each: Duration,
    },
    /// Begins a recording of up to two channels.
    StartRecording {
        /// The recording.
        recording: RecordingId,
        /// The container to create; it must not exist.
        file: PathBuf,
    },
    /// Says which leg's words a channel captures from now on; `None`: nobody's.
    Tap {
        /// The recording.
        recording: RecordingId,
        /// The channel.
        channel: Channel,
        /// Whose words.
        leg: Option<LegId>,
    },
    /// Leaves out of a recording what comes from now on; answered when nothing of it can reach the disk any more. A second
    /// pause changes nothing.
    PauseRecording {
        /// The recording.
        recording: RecordingId,
        /// What the container says about it.
        why: PauseReason,
    },
    /// Captures again.
    ResumeRecording {
        /// The recording.
        recording: RecordingId,
    },
    /// Opens, changes or closes a conference (MEDIA-10).
    Room {
        /// The room.
        room: RoomId,
        /// What is to be done.
        order: RoomOrder,
    },
    /// Says that a channel captures the mix of a room from now on, as one stream; until [`Command::Tap`] says otherwise, or the
    /// room is closed.
    TapRoom {
        /// The recording.
        recording: RecordingId,
        /// The channel.
        channel: Channel,
        /// The room.
        room: RoomId,
        /// Who is not in the mix: the customer, who has the other channel.
        without: Option<LegId>,
    },
    /// Ends a recording and closes its container; answered with [`Answer::Recorded`].
    StopRecording {
        /// The recording.
        recording: RecordingId,
    },
    /// Reads a leg's statistics; answered with [`Answer::Stats`].
    Stats {
        /// The leg.
        leg: LegId,
    },
    /// What [`Command::Stats`] says about the incoming stream counts from here, and its quality is good until shown otherwise. For
    /// legs that outlive calls. The far end's own reports know nothing of it: what it is told by RTCP goes on.
    BeginMeasuring {
        /// The leg.
        leg: LegId,
    },
    /// Ends a leg; answered with its last [`Answer::Stats`].
    DeleteLeg {
        /// The leg.
        leg: LegId,
    },
}

/// The answer to a [`Command`] that was carried out.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Done; there is nothing to tell.
    Done,
    /// The leg exists.
    Created(LegCreated),
    /// The leg's figures.
    Stats(Box<LegStats>),
    /// The recording is closed.
    Recorded {
        /// Payloads written, both channels.
        frames: u64,
        /// Payloads that could not be written.
        missing: u64,
    },
}

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// The leg is gone, or never was.
    #[error("there is no leg {0}")]
    NoSuchLeg(LegId),
    /// The leg exists already.
    #[error("leg {0} exists already")]
    LegExists(LegId),
    /// The recording is gone, or never was.
    #[error("there is no recording {0}")]
    NoSuchRecording(RecordingId),
    /// The room is gone, or never was.
    #[error("there is no room {0}")]
    NoSuchRoom(RoomId),
    /// The room exists already.
    #[error("room {0} exists already")]
    RoomExists(RoomId),
    /// Everybody fits who was meant to.
    #[error("all {parties} places of room {room} are taken")]
    RoomFull {
        /// The room.
        room: RoomId,
        /// Its places.
        parties: usize,
    },
    /// A leg is in one room at most.
    #[error("leg {leg} is in room {room} already")]
    InRoom {
        /// The leg.
        leg: LegId,
        /// Where it is.
        room: RoomId,
    },
    /// The leg is not in this room.
    #[error("leg {leg} is not in room {room}")]
    NotInRoom {
        /// The leg.
        leg: LegId,
        /// The room.
        room: RoomId,
    },
    /// Nothing is negotiated for the leg, or what is negotiated cannot be decoded and encoded here.
    #[error("leg {leg} cannot be mixed: {why}")]
    CannotMix {
        /// The leg.
        leg: LegId,
        /// What stands against it.
        why: String,
    },
    /// Every port of the range is in use: raise `media.port_max`.
    #[error("all {0} media ports are in use; raise media.port_max")]
    PortsExhausted(usize),
    /// The setup cannot work.
    #[error("the leg cannot be set up: {0}")]
    BadSetup(String),
    /// The recording's file could not be made or written.
    #[error("cannot record to {file}: {why}")]
    Recording {
        /// The container.
        file: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The leg sends only formats that no container can name ([`Passed`]).
    #[error("leg {0} cannot be recorded: its formats are passed on without being understood")]
    NotRecordable(LegId),
    /// The plane is full or stopping.
    #[error("the media plane is overloaded or stopping")]
    Unavailable,
}

/// How a leg's packets travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A port pair of its own, even for RTP and the next for RTCP: what trunks and phones expect.
    Ports {
        /// Local address to bind; must be one of the plane's interfaces.
        interface: IpAddr,
    },
    /// A media thread's shared port; ICE tells browsers apart (ICE-lite, RFC 8445 §2.5), DTLS-SRTP keys them. The port stays the
    /// leg's wherever it moves.
    Ice,
}

/// Where a new leg can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegCreated {
    /// RTP address to write into SDP (the advertised one).
    pub rtp: SocketAddr,
    /// RTCP address; equal to `rtp` for ICE legs.
    pub rtcp: SocketAddr,
    /// ICE and DTLS parameters of an ICE leg.
    pub ice: Option<LocalIce>,
}

/// Our side of ICE and DTLS, for SDP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalIce {
    /// `a=ice-ufrag`.
    pub ufrag: String,
    /// `a=ice-pwd`.
    pub pwd: String,
    /// Value of `a=fingerprint`: `sha-256 AB:CD:…`.
    pub fingerprint: String,
    /// Host candidates.
    pub candidates: Vec<SocketAddr>,
}

/// What a leg hears.
#[derive(Clone, Debug)]
pub enum Source {
    /// Nothing is sent, beyond keep-alives that the transport needs.
    Nothing,
    /// Another leg's words.
    Leg(LegId),
    /// A sound.
    Prompt {
        /// The sound.
        prompt: Arc<Prompt>,
        /// From the beginning again at its end, without a gap; else [`Event::PromptEnded`] and then nothing.
        repeat: bool,
    },
    /// A sound that has no beginning and no end: all who hear it, on whichever thread and since whenever, hear the same place
    /// of it. A queue's music goes on behind the announcements it is interrupted by.
    PlayAlong(Arc<Prompt>),
}

/// A channel of a recording (RECO-01).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The customer.
    Left,
    /// Our side.
    Right,
}

/// Why a recording is paused (RECO-04).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseReason {
    /// Nobody said.
    NotSaid,
    /// Card data is read out.
    CardData,
    /// A proxy asked for it.
    Proxy,
}

/// A leg's figures, both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LegStats {
    /// What came in from the far end.
    pub received: StreamStats,
    /// RTP packets sent to it.
    pub sent_packets: u64,
    /// RTP octets sent to it, headers included, IP and UDP not.
    pub sent_octets: u64,
    /// What the far end reports about what we send: fraction lost in percent, from RTCP.
    pub far_lost_percent: Option<f32>,
    /// What the far end reports about what we send: jitter in milliseconds, from RTCP.
    pub far_jitter_ms: Option<f32>,
    /// Playout of the voice it hears, where that is decoded; `None` where packets are passed on as they come.
    pub playout: Option<Playout>,
    /// MOS of what came in, by windows of 5 s: mean, worst and when, tenth percentile; `None` before the first ended.
    pub quality: Option<MosSummary>,
    /// Conversational quality, once the round trip is known.
    pub mos_conversational: Option<f32>,
    /// SSRC of what comes in, once something came.
    pub received_ssrc: Option<u32>,
    /// SSRC of what is sent.
    pub sent_ssrc: u32,
    /// RTCP datagrams that came in and were believed.
    pub rtcp_received: u64,
    /// Octets of these.
    pub rtcp_received_octets: u64,
    /// When the last of these came.
    pub rtcp_received_at: Option<Timestamp>,
    /// When the far end was heard last, by whatever.
    pub heard_at: Option<Timestamp>,
    /// RTCP datagrams sent.
    pub rtcp_sent: u64,
    /// Of a leg with video.
    pub video: Option<VideoStats>,
}

/// Figures of a leg with video, beside those that all legs have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VideoStats {
    /// SSRC of the repair stream we send.
    pub repair_ssrc: u32,
    /// SSRC of the repair stream that comes in, once something came.
    pub received_repair_ssrc: Option<u32>,
    /// Bits per second that came in during the last second, on the wire.
    pub received_bits_per_second: u32,
    /// Bits per second that were sent during the last second, on the wire.
    pub sent_bits_per_second: u32,
    /// Packets that came in above the cap and were dropped.
    pub received_policed: u64,
    /// Packets not sent because of the cap.
    pub sent_policed: u64,
    /// Whole pictures that the far end asked for.
    pub keyframes_asked: u64,
    /// Whole pictures that the far end was asked for.
    pub keyframes_requested: u64,
    /// Reports of missing packets from the far end.
    pub nacks_asked: u64,
    /// Reports of missing packets passed on to the far end.
    pub nacks_requested: u64,
    /// Repairs that came in.
    pub repairs_received: u64,
    /// Repairs sent.
    pub repairs_sent: u64,
}

/// What a jitter buffer did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Playout {
    /// Packets that came after their time.
    pub late: u64,
    /// Packets that never came.
    pub lost: u64,
    /// Invented for them, in milliseconds.
    pub concealed_ms: u64,
    /// The delay it has chosen, in milliseconds.
    pub buffered_ms: u32,
}

/// What happened on the media plane without being asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The first packet that passed all checks; or the far end is back after [`Event::Silent`].
    Started {
        /// The leg.
        leg: LegId,
    },
    /// The DTLS handshake is done and the fingerprint was right.
    Secured {
        /// The leg.
        leg: LegId,
    },
    /// The leg cannot be secured; nothing will flow.
    SecureFailed {
        /// The leg.
        leg: LegId,
        /// In words for the log.
        why: String,
    },
    /// A digit came from the far end, once, at its end.
    Dtmf {
        /// The leg.
        leg: LegId,
        /// `0-9 * # A-D`.
        digit: char,
        /// How long it was held.
        held: Duration,
    },
    /// A prompt that does not repeat was played to its end.
    PromptEnded {
        /// The leg that heard it.
        leg: LegId,
    },
    /// All digits of a [`Command::SendDtmf`] are out.
    DtmfSent {
        /// The leg.
        leg: LegId,
    },
    /// Nothing verified came for this long, from a browser not even a connectivity check (media time-out, or ICE consent lost). Said once; [`Event::Started`] follows if it comes back.
    Silent {
        /// The leg.
        leg: LegId,
        /// How long.
        lasting: Duration,
    },
    /// Quality left or regained the limits of QUAL-01.
    Quality {
        /// The leg.
        leg: LegId,
        /// Whether it is poor now.
        poor: bool,
        /// Jitter over the window, milliseconds.
        jitter_ms: f32,
        /// Loss over the window, percent.
        loss_percent: f32,
    },
    /// A trouble of a leg that its figures do not show, or show too late (MEDIA-08).
    Trouble {
        /// The leg.
        leg: LegId,
        /// Which.
        trouble: Trouble,
        /// Whether it began; else it is over.
        began: bool,
    },
    /// Other parties of a room speak than before; said at most five times a second.
    Speaking {
        /// The room.
        room: RoomId,
        /// Who speaks now, in the order of their places, the first [`SPEAKERS_SHOWN`] of them.
        legs: [Option<LegId>; SPEAKERS_SHOWN],
    },
    /// A recording stopped being complete (disk full, ring overrun). The call goes on.
    RecordingFailed {
        /// The recording.
        recording: RecordingId,
        /// In words for the operator.
        why: String,
    },
}
