//! The io_uring driver: every socket has a multishot receive into one ring of provided buffers; sends are queued and go to the
//! kernel with the next wait, so that a turn is one system call however many packets it moves.
//!
//! A send carries MSG_DONTWAIT and asks for no completion when it succeeds. MSG_DONTWAIT makes the kernel try it at once and
//! never again: when `io_uring_enter` has taken the submission, the datagram was copied into a socket buffer or refused, and
//! our buffer is free. So buffers of sends return to the pool after the submission, without a completion each.
//!
//! What must not be lost: a multishot receive ends when no buffer is free (ENOBUFS) or when the completion queue is full, and
//! says so by a completion without `MORE`; it is armed again at the next turn, and the datagrams wait in the socket.
#![expect(unsafe_code, reason = "submissions carry pointers, and completions name buffers the kernel wrote")]

mod sockets;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use io_uring::types::{CancelBuilder, Fd, Fixed, RecvMsgOut, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};

use super::addr::{ADDR_LEN, RawAddr};
use super::buf_ring::BufRing;
use super::buffers::{Buffers, Packet, RECEIVE_MAX};
use super::sys::Wake;
use super::{Arrival, BUFFER_LEN, DriverConfig, DriverCounters, SocketId, Turn};
use sockets::Slot;

/// Entries of the submission queue; when it is full it is handed in early.
const SUBMISSIONS: u32 = 1024;
/// The group of the provided buffers.
const GROUP: u16 = 0;
/// What the kernel writes in front of a datagram: `io_uring_recvmsg_out` and the sender's address.
const FRONT: usize = 16 + ADDR_LEN;
/// Waits that empty the completion queue of a driver that ends: two sockets a leg, a queue's worth each.
const CANCEL_ROUNDS: usize = 64;
/// Datagrams that end a wait before the rest is over.
const GATHERED: usize = 128;

/// A reading of so many may have left some behind; see `fetch_rest`.
const AT_ONCE: usize = 16;
/// `IORING_ENTER_GETEVENTS` (io_uring_enter(2)).
const GET_EVENTS: u32 = 1;

/// What a completion is about, in the upper octet of its user data.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum About {
    Receive = 1,
    Send = 2,
    Wake = 3,
    Cancel = 4,
}

/// See the module. The order of the fields is the order of dropping: the ring first, then what the kernel used of it.
pub struct Uring {
    ring: IoUring,
    offered: BufRing,
    buffers: Buffers,
    /// The template of every receive: only its lengths are read.
    header: Box<libc::msghdr>,
    /// Destination of the send that uses the buffer of the same number.
    addrs: Box<[RawAddr]>,
    wake: Arc<Wake>,
    receive_buffers: u16,
    own: Vec<u16>,
    /// Buffers of sends that are queued but not yet handed in.
    queued: Vec<u16>,
    slots: Vec<(u32, Option<Slot>)>,
    free_slots: Vec<u32>,
    rearm: Vec<u32>,
    retired: Vec<(u64, UdpSocket)>,
    counters: DriverCounters,
}

impl std::fmt::Debug for Uring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Uring({} sockets, {:?})", self.slots.len() - self.free_slots.len(), self.counters)
    }
}

// SAFETY: all pointers inside point into memory this value owns. The ring is set up for a single issuer, so using it on
// another thread than the one that made it is refused by the kernel with an error.
unsafe impl Send for Uring {}

impl Uring {
    pub(super) fn new(config: &DriverConfig, wake: Arc<Wake>) -> io::Result<Self> {
        let mut builder = IoUring::builder();
        builder.setup_single_issuer().setup_defer_taskrun().setup_submit_all();
        builder.setup_cqsize(SUBMISSIONS * 16);
        let ring: IoUring = builder.build(SUBMISSIONS)?;
        let params = ring.params();
        if !(params.is_feature_ext_arg()
            && params.is_feature_nodrop()
            && params.is_feature_skip_cqe_on_success())
        {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "this io_uring lacks features of Linux 6.1",
            ));
        }
        // Without a registered ring each wait looks the ring's descriptor up; it works all the same.
        ring.submitter().register_files_sparse(config.sockets_max)?;
        let offered = BufRing::register(&ring, config.receive_buffers, GROUP)?;
        let count = config.receive_buffers.saturating_add(config.own_buffers);
        // SAFETY: msghdr is plain numbers and pointers; all-zero is valid.
        let mut header: Box<libc::msghdr> = Box::new(unsafe { std::mem::zeroed() });
        header.msg_namelen = ADDR_LEN as u32;
        let mut this = Self {
            ring,
            offered,
            buffers: Buffers::new(count),
            header,
            addrs: vec![RawAddr::EMPTY; usize::from(count)].into(),
            wake,
            receive_buffers: config.receive_buffers,
            own: (config.receive_buffers..count).rev().collect(),
            queued: Vec::with_capacity(usize::from(count)),
            slots: Vec::new(),
            free_slots: Vec::new(),
            rearm: Vec::new(),
            retired: Vec::new(),
            counters: DriverCounters::default(),
        };
        for number in 0..config.receive_buffers {
            this.offer(number);
        }
        this.arm_wake()?;
        this.ring.submit()?;
        Ok(this)
    }

    pub(super) fn turn(&mut self, rest: Duration, wait: Duration, turn: &mut Turn) -> io::Result<()> {
        for n in 0..self.rearm.len() {
            if let Some(index) = self.rearm.get(n).copied() {
                self.arm(index);
            }
        }
        self.rearm.clear();
        self.offered.publish();
        let until = Timespec::new().sec(wait.as_secs()).nsec(wait.subsec_nanos());
        let args = SubmitArgs::new().timespec(&until);
        let rest = rest.as_micros() as u32;
        let waited = if rest > 0 && self.ring.params().is_feature_min_timeout() {
            self.ring.submitter().submit_with_args(GATHERED, &args.min_wait_usec(rest))
        } else {
            self.ring.submitter().submit_with_args(1, &args)
        };
        match waited {
            Ok(_) => {}
            // The time is over; a signal; completions to be read before more can be submitted.
            Err(e)
                if matches!(
                    e.raw_os_error(),
                    Some(libc::ETIME | libc::EINTR | libc::EBUSY | libc::EAGAIN)
                ) => {}
            Err(e) => return Err(e),
        }
        self.counters.turns += 1;
        self.free_submitted();
        self.complete(turn);
        self.fetch_rest(turn)?;
        turn.retired.append(&mut self.retired);
        Ok(())
    }

    /// Reads what one wait leaves behind: since Linux 6.14 a call does at most some twenty pieces of deferred work, unless more
    /// completions are waited for. Who is busy waits for one only, and would read twenty datagrams a turn however many lie
    /// there: frames would fall due before the datagrams that they are made of are read, and queues would overflow.
    fn fetch_rest(&mut self, turn: &mut Turn) -> io::Result<()> {
        let mut before = 0;
        while turn.arrivals.len() >= before + AT_ONCE && !turn.is_full() {
            before = turn.arrivals.len();
            let nothing = None::<&libc::sigset_t>;
            // SAFETY: submits nothing and has no argument, so the kernel reads no memory of ours.
            let done = unsafe { self.ring.submitter().enter(0, 0, GET_EVENTS, nothing) };
            match done {
                Ok(_) => {}
                Err(e) if matches!(e.raw_os_error(), Some(libc::EINTR | libc::EBUSY | libc::EAGAIN)) => {}
                Err(e) => return Err(e),
            }
            self.complete(turn);
        }
        Ok(())
    }

    /// Reads the completions.
    fn complete(&mut self, turn: &mut Turn) {
        loop {
            // One at a time, because handling one needs all of `self`; the queue's head is written back each time, which is
            // a store to memory of our own core.
            let Some(entry) = self.ring.completion().next() else { return };
            let (about, index, generation) = read_user_data(entry.user_data());
            if about == About::Receive as u8 {
                self.received(&entry, index, generation, turn);
                if turn.arrivals.len() >= super::ARRIVALS_MAX {
                    return;
                }
            } else if about == About::Wake as u8 {
                self.wake.clear();
                if !cqueue::more(entry.flags()) && self.arm_wake().is_err() {
                    self.counters.receive_errors += 1;
                }
            } else if about == About::Send as u8 {
                self.counters.send_errors += 1;
            }
        }
    }

    fn received(&mut self, entry: &cqueue::Entry, index: u32, generation: u32, turn: &mut Turn) {
        let packet = cqueue::buffer_select(entry.flags()).and_then(|number| self.buffers.claim(number));
        let live = match self.slots.get(index as usize) {
            Some((now, Some(slot))) if *now == generation => Some(slot.tag),
            _ => None,
        };
        if let Some(packet) = packet {
            let arrival = usize::try_from(entry.result()).ok().and_then(|len| {
                let octets = self.buffers.bytes(&packet).get(..len)?;
                let out = RecvMsgOut::parse(octets, &self.header).ok()?;
                if out.is_payload_truncated() {
                    self.counters.too_large += 1;
                    return None;
                }
                Some((RawAddr::read(out.name_data())?, out.payload_data().len()))
            });
            match (arrival, live) {
                (Some((from, len)), Some(tag)) => {
                    let socket = SocketId { index, generation };
                    turn.arrivals.push(Arrival { tag, socket, from, packet, range: FRONT..FRONT + len });
                }
                _ => self.release(packet),
            }
        } else if entry.result() == -libc::ENOBUFS {
            self.counters.no_buffers += 1;
        } else if entry.result() < 0 && entry.result() != -libc::ECANCELED {
            self.counters.receive_errors += 1;
        }
        if !cqueue::more(entry.flags()) && live.is_some() {
            self.receive_ended(index);
        }
    }

    fn arm_wake(&mut self) -> io::Result<()> {
        let poll = opcode::PollAdd::new(Fd(self.wake.fd()), libc::POLLIN as u32).multi(true).build();
        self.push(poll.user_data(user_data(About::Wake, 0, 0)));
        Ok(())
    }

    pub(super) fn take(&mut self) -> Option<Packet> {
        let index = self.own.pop();
        if index.is_none() {
            self.counters.no_buffers += 1;
        }
        self.buffers.claim(index?)
    }

    pub(super) fn bytes(&mut self, packet: &Packet) -> &mut [u8] {
        self.buffers.bytes(packet)
    }

    pub(super) fn release(&mut self, packet: Packet) {
        let number = self.buffers.give(packet);
        self.recycle(number);
    }

    /// Puts a buffer back to where it belongs. It is the driver's already.
    fn recycle(&mut self, number: u16) {
        if number < self.receive_buffers { self.offer(number) } else { self.own.push(number) }
    }

    fn offer(&mut self, number: u16) {
        if let Some(at) = self.buffers.address(number) {
            // SAFETY: the buffer is the driver's (`give` was called, or it was never claimed), so no slice of it exists
            // until its number comes back; FRONT + RECEIVE_MAX octets are less than a buffer.
            unsafe { self.offered.offer(at, (FRONT + RECEIVE_MAX) as u32, number) };
        }
    }

    pub(super) fn send(&mut self, packet: Packet, range: Range<usize>, id: SocketId, to: SocketAddr) {
        let live = matches!(self.slots.get(id.index as usize), Some((now, Some(_))) if *now == id.generation);
        let number = packet.index();
        let (Some(at), true) =
            (self.buffers.address(number), live && range.end <= BUFFER_LEN && !range.is_empty())
        else {
            return self.release(packet);
        };
        let Some(addr) = self.addrs.get_mut(usize::from(number)) else { return self.release(packet) };
        *addr = RawAddr::of(to);
        let send = opcode::Send::new(Fixed(id.index), at.wrapping_add(range.start), range.len() as u32)
            .flags(libc::MSG_DONTWAIT)
            .dest_addr((&raw const addr.octets).cast())
            .dest_addr_len(addr.len)
            .build()
            .flags(squeue::Flags::SKIP_SUCCESS)
            .user_data(user_data(About::Send, id.index, id.generation));
        self.push(send);
        let number = self.buffers.give(packet);
        self.queued.push(number);
    }

    /// Queues a submission, handing the queue in first when it is full.
    fn push(&mut self, entry: squeue::Entry) {
        for _ in 0..2 {
            // SAFETY: what the entry points to lives until the kernel has taken it: buffers and addresses of sends stay
            // untouched in `queued` until then, the header of receives lives as long as the ring.
            if unsafe { self.ring.submission().push(&entry) }.is_ok() {
                return;
            }
            self.flush();
        }
        self.counters.send_errors += 1;
    }

    /// Hands the queue in without waiting.
    pub(super) fn flush(&mut self) {
        if !self.ring.submission().is_empty() && self.ring.submit().is_err() {
            return;
        }
        self.free_submitted();
    }

    /// Frees the buffers of sends once the kernel has taken all of the queue.
    fn free_submitted(&mut self) {
        if !self.ring.submission().is_empty() {
            return;
        }
        while let Some(number) = self.queued.pop() {
            self.recycle(number);
        }
    }

    pub(super) const fn counters(&self) -> DriverCounters {
        self.counters
    }
}

impl Drop for Uring {
    /// The kernel takes a closed ring apart later, in its own time, and until then its sockets keep their ports. So they are
    /// let go of here. Where that fails, the ports are free a little later.
    fn drop(&mut self) {
        let submitter = self.ring.submitter();
        submitter.register_sync_cancel(Some(Timespec::new().sec(1)), CancelBuilder::any().all()).ok();
        // What was cancelled ends in work that only a wait of ours runs.
        for _ in 0..CANCEL_ROUNDS {
            let no_time = Timespec::new();
            if self.ring.submitter().submit_with_args(1, &SubmitArgs::new().timespec(&no_time)).is_err() {
                break;
            }
            self.ring.completion().for_each(drop);
        }
        self.ring.submitter().unregister_files().ok();
    }
}

/// Upper octet: what it is about; then 24 bits of generation and 32 of slot.
const fn user_data(about: About, index: u32, generation: u32) -> u64 {
    (about as u64) << 56 | ((generation & 0x00FF_FFFF) as u64) << 32 | index as u64
}

const fn read_user_data(data: u64) -> (u8, u32, u32) {
    ((data >> 56) as u8, data as u32, (data >> 32) as u32 & 0x00FF_FFFF)
}
