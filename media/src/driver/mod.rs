//! System calls: how datagrams enter and leave, what time it is, and nothing else.
//!
//! A media thread owns one [`Driver`]. Each [`Driver::turn`] waits for datagrams and hands them over in buffers of the driver
//! ([`Packet`]); whoever has a packet rewrites it in place and sends the same buffer on, or releases it. So a relayed packet
//! is never copied in user space, and no packet allocates (MEDIA-02).
//!
//! Two drivers do the same work: [`uring`] (multishot receive into a ring of provided buffers, sends in batches) and [`mmsg`]
//! (epoll, `recvmmsg`, `sendmmsg`) where io_uring is refused. All unsafe code of the crate is in this folder: `buffers` (the
//! memory both sides share with the kernel), `sys` (plain system calls) and `uring` with its `buf_ring`.

mod addr;
mod buf_ring;
mod buffers;
mod clock;
mod mmsg;
mod sockets;
mod sys;
#[cfg(test)]
mod tests;
mod trial;
mod uring;

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

pub use buffers::{BUFFER_LEN, Packet, RECEIVE_MAX};
pub use clock::Clock;
pub use sockets::{SharedPort, open_socket};
pub use sys::{Wake, go_first, pin_to_core, prefetch};
pub use trial::Trial;

use mmsg::Mmsg;
use uring::Uring;

/// Which driver to run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriverChoice {
    /// The one that is cheaper here, by a [`Trial`] when the plane starts; a driver made alone is io_uring where the kernel
    /// allows it, else mmsg.
    #[default]
    Auto,
    /// io_uring or nothing.
    Uring,
    /// epoll with recvmmsg and sendmmsg.
    Mmsg,
}

/// Which driver runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriverKind {
    /// io_uring.
    Uring,
    /// epoll with recvmmsg and sendmmsg.
    Mmsg,
}

impl DriverKind {
    /// For metrics and the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uring => "io_uring",
            Self::Mmsg => "mmsg",
        }
    }
}

/// What a socket will carry, which decides how it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// One party: a packet now and then. A second read that finds nothing costs as much as a packet.
    OneParty,
    /// Many parties on one port: read and send in batches.
    Shared,
}

/// A socket that was given to a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SocketId {
    index: u32,
    generation: u32,
}

/// A datagram that came in.
#[derive(Debug)]
pub struct Arrival {
    /// What [`Driver::add`] was told about the socket.
    pub tag: u64,
    /// The socket.
    pub socket: SocketId,
    /// Who sent it.
    pub from: SocketAddr,
    /// The buffer it lies in; must be sent or released.
    pub packet: Packet,
    /// Where in the buffer.
    pub range: Range<usize>,
}

/// What one turn brought. The vectors are kept and reused, so that a turn does not allocate.
#[derive(Debug, Default)]
pub struct Turn {
    /// Datagrams, to be drained.
    pub arrivals: Vec<Arrival>,
    /// Sockets given back after [`Driver::retire`], with their tags. No arrival of theirs follows.
    pub retired: Vec<(u64, UdpSocket)>,
}

impl Turn {
    /// Room for the arrivals of one turn.
    pub fn new() -> Self {
        Self { arrivals: Vec::with_capacity(ARRIVALS_MAX), retired: Vec::with_capacity(64) }
    }

    /// Whether more may wait than was read.
    pub fn is_full(&self) -> bool {
        self.arrivals.len() >= ARRIVALS_MAX
    }
}

/// Datagrams handed over in one turn at most; the rest waits for the next.
const ARRIVALS_MAX: usize = 1024;

/// What went wrong below, counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DriverCounters {
    /// Datagrams the kernel would not take (no route, full queue, port unreachable).
    pub send_errors: u64,
    /// Receive errors, such as an ICMP answer to what we sent.
    pub receive_errors: u64,
    /// Times no buffer was free.
    pub no_buffers: u64,
    /// Datagrams larger than a buffer.
    pub too_large: u64,
    /// Waits that ended.
    pub turns: u64,
}

/// What a driver is made with.
#[derive(Clone, Copy, Debug)]
pub struct DriverConfig {
    /// Which one.
    pub choice: DriverChoice,
    /// Buffers for datagrams that come in; a power of two, at most 32768.
    pub receive_buffers: u16,
    /// Buffers for packets made here: prompts, reports, copies.
    pub own_buffers: u16,
    /// Sockets at most.
    pub sockets_max: u32,
}

impl Default for DriverConfig {
    fn default() -> Self {
        Self { choice: DriverChoice::Auto, receive_buffers: 4096, own_buffers: 2048, sockets_max: 16_384 }
    }
}

/// One of the two drivers. Must be made on the thread that uses it.
#[derive(Debug)]
pub enum Driver {
    /// io_uring.
    Uring(Box<Uring>),
    /// epoll with recvmmsg and sendmmsg.
    Mmsg(Box<Mmsg>),
}

macro_rules! either {
    ($self:ident, $driver:ident => $call:expr) => {
        match $self {
            Self::Uring($driver) => $call,
            Self::Mmsg($driver) => $call,
        }
    };
}

impl Driver {
    /// Makes the driver asked for. With [`DriverChoice::Auto`], a kernel that refuses io_uring gets mmsg; the refusal is the
    /// second value, to be shown to the operator.
    pub fn new(config: &DriverConfig, wake: Arc<Wake>) -> io::Result<(Self, Option<io::Error>)> {
        let uring = |wake| io::Result::Ok(Self::Uring(Box::new(Uring::new(config, wake)?)));
        let mmsg = |wake| io::Result::Ok(Self::Mmsg(Box::new(Mmsg::new(config, wake)?)));
        match config.choice {
            DriverChoice::Uring => Ok((uring(wake)?, None)),
            DriverChoice::Mmsg => Ok((mmsg(wake)?, None)),
            DriverChoice::Auto => match uring(Arc::clone(&wake)) {
                Ok(driver) => Ok((driver, None)),
                Err(why) => Ok((mmsg(wake)?, Some(why))),
            },
        }
    }

    /// Which one it is.
    pub const fn kind(&self) -> DriverKind {
        match self {
            Self::Uring(_) => DriverKind::Uring,
            Self::Mmsg(_) => DriverKind::Mmsg,
        }
    }

    /// Takes a socket and reads from it from now on; `tag` comes back with each arrival.
    pub fn add(&mut self, socket: UdpSocket, tag: u64, load: Load) -> io::Result<SocketId> {
        either!(self, driver => driver.add(socket, tag, load))
    }
    /// Stops reading from a socket. It comes back in [`Turn::retired`], after its last arrival; what arrives later stays in
    /// the socket for its next owner.
    pub fn retire(&mut self, socket: SocketId) {
        either!(self, driver => driver.retire(socket));
    }
    /// Sends what was handed in, waits for datagrams, a [`Wake`] or the end of `wait`, and fills `turn`. Whatever comes, it does
    /// not return before `rest` is over, unless so much came that waiting saves nothing any more: waking up costs as much as
    /// ten datagrams.
    pub fn turn(&mut self, rest: Duration, wait: Duration, turn: &mut Turn) -> io::Result<()> {
        either!(self, driver => driver.turn(rest, wait.max(rest), turn))
    }
    /// Sends what was handed in without waiting for anything.
    pub fn flush(&mut self) {
        either!(self, driver => driver.flush());
    }
    /// An empty buffer for a packet of our own; `None` when all are in use.
    pub fn take(&mut self) -> Option<Packet> {
        either!(self, driver => driver.take())
    }
    /// The whole buffer of a packet, [`BUFFER_LEN`] octets.
    pub fn bytes(&mut self, packet: &Packet) -> &mut [u8] {
        either!(self, driver => driver.bytes(packet))
    }
    /// Sends `range` of the packet's buffer; the buffer is free again when the kernel has it.
    pub fn send(&mut self, packet: Packet, range: Range<usize>, socket: SocketId, to: SocketAddr) {
        either!(self, driver => driver.send(packet, range, socket, to));
    }
    /// Gives a buffer back unsent.
    pub fn release(&mut self, packet: Packet) {
        either!(self, driver => driver.release(packet));
    }
    /// What went wrong so far.
    pub fn counters(&self) -> DriverCounters {
        either!(self, driver => driver.counters())
    }
}
