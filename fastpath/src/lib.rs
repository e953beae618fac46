//! The kernel's part of relaying: plain RTP that only changes its headers is forwarded by an XDP program, before the network
//! stack, without waking user space (MEDIA-04).
//!
//! A room of its own, because it knows packets and interfaces and nothing of legs, and because it may be absent as a whole: built
//! without clang, started without privileges, refused by a driver. [`FastPath::open`] says why.
//!
//! A flow is what comes from one far end to one of our ports. Its life:
//!
//! ```text
//! watch ──▶ offer ──▶ (the program takes it) ──▶ withdraw ──▶ offer …  ──▶ remove
//!             ▲  nothing under way in a socket      │ by us, or by a packet that is not the next plain one
//!             └─────────────────────────────────────┘
//! ```
//! [`Lane::watch`] lets the program note what goes up to user space. [`Lane::offer`] says up to which packet user space has handled
//! all and how the numbers go on; the program takes over only if nothing else went up in between. [`Lane::withdraw`] ends it: once
//! it returns no packet is taken, and the [`Progress`] it gives is final. A packet that is unexpected ends it too, before user
//! space sees that packet. So each packet goes one way, in order, and each way knows where the other left off.
//!
//! - `bpf/`: the program; `layout`: the memory it shares with us
//! - `netlink`: where a packet goes next
//!
//! Not here: which streams are plain (`media::plane`), what figures mean (`media::quality`).
#![forbid(unsafe_code)]

mod lane;
mod layout;
mod netlink;
mod open;

use std::net::SocketAddr;

pub use lane::{Installed, Lane};
pub use open::{FastPath, Mode, Why};

/// Flows at one time, over all lanes.
pub const FLOWS_MAX: u32 = 16_384;

/// The clock the program reads: nanoseconds of CLOCK_MONOTONIC. For the bridge to another clock; nothing here waits by it.
pub fn monotonic_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}

/// A stream to be forwarded. All addresses are of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The far end it comes from.
    pub from: SocketAddr,
    /// Our port it comes to.
    pub at: SocketAddr,
    /// Its SSRC.
    pub ssrc_in: u32,
    /// Its payload type; packets with another go up.
    pub type_in: u8,
    /// Ticks of its RTP time a second.
    pub clock_hz: u32,
    /// Our port it leaves from.
    pub out: SocketAddr,
    /// The far end it goes to.
    pub to: SocketAddr,
    /// Our SSRC there.
    pub ssrc_out: u32,
    /// The payload type there.
    pub type_out: u8,
}

/// Numbers at the moment of taking over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// The sequence number of the flow's last packet that user space handled and sent on.
    pub handled: u16,
    /// Added to sequence numbers.
    pub seq_offset: u16,
    /// Added to RTP times.
    pub time_offset: u32,
    /// Where measuring goes on.
    pub resume: Meter,
}

/// A receiver's knowledge of a stream (RFC 3550 A.1 and A.8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meter {
    /// Bit n: `highest - n` was received.
    pub seen: u64,
    /// When the newest packet came: nanoseconds of CLOCK_MONOTONIC.
    pub last_ns: u64,
    /// Transit against the first packet, microseconds.
    pub transit_us: i64,
    /// Fastest transit of the present span of 5 s and of the one before.
    pub floor_us: [i64; 2],
    /// When the present span ends.
    pub span_ends_ns: u64,
    /// Highest sequence number with its cycles.
    pub highest: u32,
    /// RTP time of the newest packet to arrive.
    pub last_time: u32,
    /// RTP time of the packet numbered `highest`.
    pub highest_time: u32,
    /// Jitter in 1/1024 microseconds.
    pub jitter: u32,
}

/// What the program did so far for a flow, over all offers it took. Read while it works, the counts may be a packet apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Packets forwarded.
    pub packets: u64,
    /// Their octets of RTP, headers of 12 octets included.
    pub octets: u64,
    /// Runs of missing packets that began, less those that were filled.
    pub bursts: i64,
    /// Packets more than 100 ms behind the fastest.
    pub late: u64,
    /// The jitter estimates after each packet, summed up, in 1/1024 microseconds.
    pub jitter_sum: u64,
    /// When the packet numbered `meter.highest` came; 0: before anything was taken.
    pub highest_ns: u64,
    /// The highest jitter, in 1/1024 microseconds.
    pub jitter_max: u32,
    /// The newest offer that was taken, 0: none.
    pub offer: u32,
    /// Whether packets are being taken now.
    pub open: bool,
    /// Knowledge of the stream; meaningful once an offer was taken.
    pub meter: Meter,
}

/// The next hop of a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Hop {
    interface: u32,
    from: [u8; 6],
    to: [u8; 6],
    mtu: u32,
    is_veth: bool,
}

/// Why a flow stays in user space.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It cannot be relayed by changing headers.
    #[error("the addresses are of different families, or none in particular")]
    Addresses,
    /// It leads to this machine, or by an interface that the program is not on.
    #[error("the way out is by none of the fast path's interfaces")]
    Way,
    /// The kernel does not know the next hop's hardware address now.
    #[error("the next hop has not answered yet")]
    Neighbour,
    /// [`FLOWS_MAX`] is reached.
    #[error("no room for another flow")]
    Full,
    /// The kernel refused.
    #[error("the kernel refused: {0}")]
    Kernel(String),
}
