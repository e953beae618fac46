//! The driver for kernels without io_uring: epoll, plain reads of one-party sockets, recvmmsg and sendmmsg on shared ones.
//!
//! A party's socket has one packet each 20 ms. So it is read once when epoll reports it, not drained: a read that finds
//! nothing costs 0.18 of the 2.7 µs a packet takes in all. Level-triggered epoll brings a second packet at the next turn.
#![expect(unsafe_code, reason = "recvmmsg and sendmmsg read and write buffers by pointer")]

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Duration;

use super::addr::RawAddr;
use super::buffers::{Buffers, Packet, RECEIVE_MAX};
use super::sys::{Batch, Epoll, Wake, sleep_exactly};
use super::{Arrival, BUFFER_LEN, DriverConfig, DriverCounters, Load, SocketId, Turn};

/// Datagrams of one recvmmsg or sendmmsg.
const BATCH: usize = 64;
/// The key of the [`Wake`] in epoll; no slot has it.
const WAKE_KEY: u64 = u64::MAX;

#[derive(Debug)]
struct Slot {
    socket: UdpSocket,
    tag: u64,
    load: Load,
}

/// See the module.
#[derive(Debug)]
pub struct Mmsg {
    epoll: Epoll,
    wake: Arc<Wake>,
    busy: bool,
    buffers: Buffers,
    free: Vec<u16>,
    slots: Vec<(u32, Option<Slot>)>,
    free_slots: Vec<u32>,
    ready: Vec<libc::epoll_event>,
    receiving: (Batch, Vec<Packet>),
    /// What waits for one sendmmsg, all of the same socket.
    sending: (Option<SocketId>, Batch, Vec<Packet>),
    retired: Vec<(u64, UdpSocket)>,
    counters: DriverCounters,
}

impl Mmsg {
    pub(super) fn new(config: &DriverConfig, wake: Arc<Wake>) -> io::Result<Self> {
        sleep_exactly();
        let epoll = Epoll::new()?;
        epoll.add(wake.fd(), WAKE_KEY)?;
        let count = config.receive_buffers.saturating_add(config.own_buffers);
        Ok(Self {
            epoll,
            wake,
            busy: false,
            buffers: Buffers::new(count),
            free: (0..count).rev().collect(),
            slots: Vec::new(),
            free_slots: Vec::new(),
            ready: vec![libc::epoll_event { events: 0, u64: 0 }; super::ARRIVALS_MAX / 2],
            receiving: (Batch::new(BATCH), Vec::with_capacity(BATCH)),
            sending: (None, Batch::new(BATCH), Vec::with_capacity(BATCH)),
            retired: Vec::new(),
            counters: DriverCounters::default(),
        })
    }

    pub(super) fn add(&mut self, socket: UdpSocket, tag: u64, load: Load) -> io::Result<SocketId> {
        socket.set_nonblocking(true)?;
        let index = self.free_slots.pop().unwrap_or_else(|| {
            self.slots.push((0, None));
            (self.slots.len() - 1) as u32
        });
        let Some(slot) = self.slots.get_mut(index as usize) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let id = SocketId { index, generation: slot.0 };
        if let Err(why) = self.epoll.add(socket.as_raw_fd(), key(id)) {
            self.free_slots.push(index);
            return Err(why);
        }
        slot.1 = Some(Slot { socket, tag, load });
        Ok(id)
    }

    pub(super) fn retire(&mut self, id: SocketId) {
        self.flush();
        let Some((generation, slot)) = self.slots.get_mut(id.index as usize) else { return };
        if *generation != id.generation {
            return;
        }
        if let Some(Slot { socket, tag, .. }) = slot.take() {
            *generation = generation.wrapping_add(1) & 0x7FFF_FFFF;
            self.epoll.remove(socket.as_raw_fd());
            self.free_slots.push(id.index);
            self.retired.push((tag, socket));
            // The owner waits for it: the next turn must not sleep.
            self.wake.wake();
        }
    }

    pub(super) fn turn(&mut self, rest: Duration, wait: Duration, turn: &mut Turn) -> io::Result<()> {
        self.flush();
        let mut wait = wait;
        if self.busy && !rest.is_zero() {
            std::thread::sleep(rest);
            wait -= rest;
        }
        let n = self.epoll.wait(&mut self.ready, wait)?;
        self.counters.turns += 1;
        self.busy = false;
        for n in 0..n {
            let Some(event) = self.ready.get(n).copied() else { break };
            if event.u64 == WAKE_KEY {
                self.wake.clear();
                continue;
            }
            self.busy = true;
            let id = SocketId { index: event.u64 as u32, generation: (event.u64 >> 32) as u32 };
            match self.slot(id).map(|slot| slot.load) {
                Some(Load::OneParty) => self.receive_one(id, turn),
                Some(Load::Shared) => self.receive_batch(id, turn),
                None => {}
            }
        }
        turn.retired.append(&mut self.retired);
        Ok(())
    }

    fn slot(&self, id: SocketId) -> Option<&Slot> {
        let (generation, slot) = self.slots.get(id.index as usize)?;
        if *generation == id.generation { slot.as_ref() } else { None }
    }

    fn receive_one(&mut self, id: SocketId, turn: &mut Turn) {
        let Some(packet) = self.take() else { return };
        // One octet more than allowed tells a datagram that was cut from one that just fits.
        let Some((_, Some(slot))) = self.slots.get(id.index as usize) else { return self.release(packet) };
        let result = slot.socket.recv_from(&mut self.buffers.bytes(&packet)[..=RECEIVE_MAX]);
        match result {
            Ok((len, _)) if len > RECEIVE_MAX => {
                self.counters.too_large += 1;
                self.release(packet);
            }
            Ok((len, from)) => {
                turn.arrivals.push(Arrival { tag: slot.tag, socket: id, from, packet, range: 0..len });
            }
            Err(why) => {
                self.note_receive_error(&why);
                self.release(packet);
            }
        }
    }

    fn receive_batch(&mut self, id: SocketId, turn: &mut Turn) {
        let Some((tag, fd)) = self.slot(id).map(|slot| (slot.tag, slot.socket.as_raw_fd())) else { return };
        self.receiving.0.clear();
        while !self.receiving.0.is_full() {
            let Some(packet) = self.take() else { break };
            if let Some(at) = self.buffers.address(packet.index()) {
                self.receiving.0.push(at, RECEIVE_MAX, None);
            }
            self.receiving.1.push(packet);
        }
        // SAFETY: each buffer was just taken, so it is ours and no slice of it exists; it holds more than RECEIVE_MAX.
        let n = match unsafe { self.receiving.0.receive(fd) } {
            Ok(n) => n,
            Err(why) => {
                self.note_receive_error(&why);
                0
            }
        };
        // Packets were pushed in the order of the batch; taken in that order they keep the order of arrival.
        for (at, packet) in self.receiving.1.drain(..).enumerate() {
            match if at < n { self.receiving.0.received(at) } else { None } {
                Some((len, Some(from), false)) => {
                    turn.arrivals.push(Arrival { tag, socket: id, from, packet, range: 0..len });
                }
                Some((_, _, cut)) => {
                    self.counters.too_large += u64::from(cut);
                    self.free.push(self.buffers.give(packet));
                }
                None => self.free.push(self.buffers.give(packet)),
            }
        }
    }

    pub(super) fn take(&mut self) -> Option<Packet> {
        let index = self.free.pop();
        if index.is_none() {
            self.counters.no_buffers += 1;
        }
        self.buffers.claim(index?)
    }

    pub(super) fn bytes(&mut self, packet: &Packet) -> &mut [u8] {
        self.buffers.bytes(packet)
    }

    pub(super) fn release(&mut self, packet: Packet) {
        let index = self.buffers.give(packet);
        self.free.push(index);
    }

    pub(super) fn send(&mut self, packet: Packet, range: Range<usize>, id: SocketId, to: SocketAddr) {
        match self.slot(id).map(|slot| slot.load) {
            Some(Load::OneParty) => {
                let Some((_, Some(slot))) = self.slots.get(id.index as usize) else {
                    return self.release(packet);
                };
                let sent = match self.buffers.bytes(&packet).get(range) {
                    Some(octets) => slot.socket.send_to(octets, to).is_ok(),
                    None => false,
                };
                self.counters.send_errors += u64::from(!sent);
                self.release(packet);
            }
            Some(Load::Shared) => {
                if self.sending.0 != Some(id) || self.sending.1.is_full() {
                    self.flush();
                }
                let at = self.buffers.address(packet.index());
                match at {
                    Some(at) if range.start <= range.end && range.end <= BUFFER_LEN => {
                        self.sending.0 = Some(id);
                        self.sending.1.push(at.wrapping_add(range.start), range.len(), Some(RawAddr::of(to)));
                        self.sending.2.push(packet);
                    }
                    _ => self.release(packet),
                }
            }
            None => self.release(packet),
        }
    }

    /// Sends what waits for one sendmmsg.
    pub(super) fn flush(&mut self) {
        let Some(id) = self.sending.0.take() else { return };
        if let Some(fd) = self.slot(id).map(|slot| slot.socket.as_raw_fd()) {
            let mut done = 0;
            while done < self.sending.1.len() {
                // SAFETY: the packets whose buffers were pushed are still held in `sending.2`, so nobody writes to them.
                match unsafe { self.sending.1.send(fd, done) } {
                    Ok(n) => done += n.max(1),
                    // The first of them cannot be sent; the others may.
                    Err(_) => {
                        self.counters.send_errors += 1;
                        done += 1;
                    }
                }
            }
        }
        self.sending.1.clear();
        while let Some(packet) = self.sending.2.pop() {
            self.release(packet);
        }
    }

    fn note_receive_error(&mut self, why: &io::Error) {
        // EAGAIN: another turn read it already. ICMP errors of what we sent come here too, one for each.
        if why.kind() != io::ErrorKind::WouldBlock {
            self.counters.receive_errors += 1;
        }
    }

    pub(super) const fn counters(&self) -> DriverCounters {
        self.counters
    }
}

const fn key(id: SocketId) -> u64 {
    (id.generation as u64) << 32 | id.index as u64
}
