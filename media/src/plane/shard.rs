//! One media thread: waits for datagrams, lets legs handle them, sends what they make of them.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use model::time::Timestamp;
use tokio::sync::mpsc;

use super::browsers::Browsers;
use super::counters::{Counters, Shown};
use super::directory::Directory;
use super::orders::Order;
use super::recordings::capture;
use super::relocate::{Closing, Moving};
use super::table::{Seat, Table};
use super::wheel::Wheel;
use crate::control::Event;
use crate::driver::{Arrival, BUFFER_LEN, Clock, Driver, Packet, SocketId, Turn, prefetch};
use crate::leg::{Audio, Door, DropReason, HeardEvent, Outbox, Received, SourceKey, Way, Wire};
use crate::record::Tap;

/// The tag of shared sockets.
pub(super) const SHARED: u64 = u64::MAX;
/// Legs are looked after once a second, a part of them at a time.
const SWEEPS_A_SECOND: usize = 50;
const SWEEP: Duration = Duration::from_millis(1_000 / SWEEPS_A_SECOND as u64);
/// A thread without legs waits this long; an order wakes it.
const IDLE: Duration = Duration::from_secs(1);

/// See the module.
pub(super) struct Shard {
    pub number: usize,
    pub driver: Driver,
    pub clock: Clock,
    pub now: Timestamp,
    pub table: Table,
    pub wheel: Wheel<u32>,
    pub browsers: Browsers,
    pub inbox: Receiver<Order>,
    pub deferred: Vec<Order>,
    pub directory: Arc<Directory>,
    pub events: mpsc::Sender<Event>,
    pub out: Outbox,
    pub counters: Counters,
    pub shown: Arc<Shown>,
    pub closing: Vec<Closing>,
    pub moving: Vec<Moving>,
    pub stopping: bool,
    pub tap: Tap,
    due: Vec<(u64, u32)>,
    sweep_at: Timestamp,
    sweep_part: usize,
    random: u32,
    scratch: Box<[u8; BUFFER_LEN]>,
}

/// What a thread is started with.
pub(super) struct Start {
    pub number: usize,
    pub driver: Driver,
    pub clock: Clock,
    pub browsers: Browsers,
    pub inbox: Receiver<Order>,
    pub directory: Arc<Directory>,
    pub events: mpsc::Sender<Event>,
    pub shown: Arc<Shown>,
    pub tap: Tap,
    /// Seed for scattering reports; not zero.
    pub random: u32,
}

impl Shard {
    pub fn new(start: Start) -> Self {
        let now = start.clock.now();
        Self {
            number: start.number,
            driver: start.driver,
            clock: start.clock,
            now,
            table: Table::default(),
            wheel: Wheel::new(now),
            browsers: start.browsers,
            inbox: start.inbox,
            deferred: Vec::new(),
            directory: start.directory,
            events: start.events,
            out: Outbox::default(),
            counters: Counters::default(),
            shown: start.shown,
            closing: Vec::new(),
            moving: Vec::new(),
            stopping: false,
            tap: start.tap,
            due: Vec::new(),
            sweep_at: now,
            sweep_part: 0,
            random: start.random | 1,
            scratch: Box::new([0; BUFFER_LEN]),
        }
    }

    /// Runs until it is told to stop.
    pub fn run(&mut self) -> std::io::Result<()> {
        let mut turn = Turn::new();
        while !self.stopping {
            self.turn(&mut turn)?;
        }
        // What was said last goes out before the sockets close.
        self.driver.turn(Duration::ZERO, &mut turn)
    }

    fn turn(&mut self, turn: &mut Turn) -> std::io::Result<()> {
        let wait = self.wait();
        self.driver.turn(wait, turn)?;
        self.now = self.clock.now();
        let mut arrivals = turn.arrivals.drain(..);
        while let Some(arrival) = arrivals.next() {
            self.fetch_ahead(arrivals.as_slice());
            self.arrived(arrival);
        }
        drop(arrivals);
        for (tag, socket) in turn.retired.drain(..) {
            self.retired(tag, socket);
        }
        self.take_orders();
        self.call_due();
        self.sweep();
        if self.counters.legs != self.table.len() as u64 {
            self.show();
        }
        Ok(())
    }

    /// Fetches the legs of the next arrivals from memory while the present one is handled.
    fn fetch_ahead(&self, next: &[Arrival]) {
        let seat_of =
            |arrival: &Arrival| self.table.of_tag(arrival.tag).and_then(|(index, _)| self.table.get(index));
        if let Some(seat) = next.get(3).and_then(seat_of) {
            prefetch(seat);
        }
        // By now its seat is here, so its hearer can be looked up without waiting.
        if let Some(hearer) = next.get(1).and_then(seat_of).and_then(|seat| seat.hearers.first())
            && let Some(seat) = self.table.get(*hearer)
        {
            prefetch(seat);
        }
    }

    fn wait(&self) -> Duration {
        if self.table.len() == 0 {
            return IDLE;
        }
        let next = self.wheel.next().map_or(self.sweep_at, |at| at.min(self.sweep_at));
        // The clock stands still during a turn, so this may be a little long: never more than the turn took.
        next.since(self.now)
    }

    fn call_due(&mut self) {
        let mut due = std::mem::take(&mut self.due);
        self.wheel.advance(self.now, &mut due);
        for (tick, index) in due.drain(..) {
            let Some(seat) = self.table.get_mut(index).filter(|seat| seat.armed == Some(tick)) else {
                continue;
            };
            seat.armed = None;
            let mut doors = doors(&mut self.driver, &mut self.counters, &self.browsers, seat, None);
            seat.leg.timer(self.now, &mut doors, &mut self.out);
            self.tell();
            self.arm(index);
        }
        self.due = due;
    }

    fn sweep(&mut self) {
        if self.now < self.sweep_at {
            return;
        }
        self.sweep_at = self.now + SWEEP;
        self.sweep_part = (self.sweep_part + 1) % SWEEPS_A_SECOND;
        for index in (self.sweep_part..self.table.slots()).step_by(SWEEPS_A_SECOND) {
            // xorshift: it only has to scatter.
            self.random ^= self.random << 13;
            self.random ^= self.random >> 17;
            self.random ^= self.random << 5;
            if let Some(seat) = self.table.get_mut(index as u32) {
                let mut doors = doors(&mut self.driver, &mut self.counters, &self.browsers, seat, None);
                seat.leg.each_second(self.random, self.now, &mut doors, &mut self.out);
            }
        }
        self.tell();
        self.show();
    }

    fn show(&mut self) {
        self.counters.legs = self.table.len() as u64;
        self.counters.driver = self.driver.counters();
        self.shown.show(&self.counters);
    }

    fn arrived(&mut self, arrival: Arrival) {
        self.counters.received_packets += 1;
        self.counters.received_octets += arrival.range.len() as u64;
        let Arrival { tag, socket, from, packet, range } = arrival;
        let (at, len) = (range.start, range.len());
        let shared = tag == SHARED;
        let buffer = self.driver.bytes(&packet).get_mut(at..).unwrap_or_default();
        let owner = if shared {
            self.browsers.who(buffer.get(..len).unwrap_or_default(), from).map(|index| (index, Door::Rtp))
        } else {
            self.table.of_tag(tag)
        };
        let Some((index, door)) = owner else { return self.drop(packet, DropReason::NoLeg) };
        let Some(seat) = self.table.get_mut(index) else { return self.drop(packet, DropReason::NoLeg) };
        match seat.leg.receive(buffer, len, from, door, self.now, &mut self.out) {
            Received::Audio(audio) => {
                self.tell();
                self.spread(index, &audio, packet, at);
            }
            Received::Event(event) => {
                self.tell();
                self.spread_event(index, &event, packet, at);
                self.arm(index);
            }
            Received::Done => {
                self.driver.release(packet);
                if shared && seat.leg.is_verified(from) {
                    self.browsers.verified(from, index, socket, &mut seat.addrs);
                }
                let reply = shared.then_some((from, socket));
                let mut doors = doors(&mut self.driver, &mut self.counters, &self.browsers, seat, reply);
                seat.leg.apply_ice(self.now, &mut doors, &mut self.out);
                self.tell();
                if shared {
                    self.arm(index);
                }
            }
            Received::Dropped(reason) => self.drop(packet, reason),
        }
    }

    fn drop(&mut self, packet: Packet, reason: DropReason) {
        if let Some(count) = self.counters.dropped.get_mut(reason as usize) {
            *count += 1;
        }
        self.driver.release(packet);
    }

    /// Gives audio to all who hear it; the last of them gets the buffer itself.
    fn spread(&mut self, speaker: u32, audio: &Audio, packet: Packet, at: usize) {
        let Some(seat) = self.table.get(speaker) else { return self.driver.release(packet) };
        let key = SourceKey { speaker: seat.serial, stream: audio.stream };
        if !seat.taps.is_empty() {
            let from = at + audio.payload_at;
            let payload = self.driver.bytes(&packet).get(from..from + audio.payload_len).unwrap_or_default();
            let (taken, lost) = capture(&mut self.tap, seat, audio, payload, self.now.micros());
            self.counters.recorded += taken;
            self.counters.record_overruns += lost;
        }
        let mut last = None;
        let mut nth = 0;
        while let Some(hearer) = self.table.get(speaker).and_then(|seat| seat.hearers.get(nth).copied()) {
            nth += 1;
            match self.table.get(hearer).map_or(Way::Nowhere, |seat| seat.leg.way(audio.codec)) {
                Way::InPlace => {
                    if let Some(before) = last.replace(hearer) {
                        self.relay_copy(before, key, audio, &packet, at);
                    }
                }
                Way::Transcoded => self.transcode(hearer, key, audio, &packet, at),
                Way::Nowhere => {}
            }
        }
        match last {
            Some(hearer) => {
                self.counters.relayed_in_place += u64::from(self.relay(hearer, key, audio, packet, at));
            }
            None => self.driver.release(packet),
        }
    }

    fn relay(&mut self, hearer: u32, key: SourceKey, audio: &Audio, packet: Packet, at: usize) -> bool {
        let Some(seat) = self.table.get_mut(hearer) else {
            self.driver.release(packet);
            return false;
        };
        let sent = seat.leg.relay(key, audio, self.driver.bytes(&packet), at, self.now);
        match sent {
            Some((range, to)) => {
                let socket =
                    seat.lease.as_ref().map_or_else(|| self.browsers.socket_to(to), |_| Some(seat.rtp));
                self.counters.sent_packets += 1;
                self.counters.sent_octets += range.len() as u64;
                self.driver.send(packet, range, socket.unwrap_or(seat.rtp), to);
                true
            }
            None => {
                self.driver.release(packet);
                false
            }
        }
    }

    fn relay_copy(&mut self, hearer: u32, key: SourceKey, audio: &Audio, packet: &Packet, at: usize) {
        let Some(copy) = self.copy(packet) else { return };
        self.counters.relayed_copies += u64::from(self.relay(hearer, key, audio, copy, at));
    }

    fn copy(&mut self, packet: &Packet) -> Option<Packet> {
        let copy = self.driver.take()?;
        self.scratch.copy_from_slice(self.driver.bytes(packet).get(..BUFFER_LEN)?);
        self.driver.bytes(&copy).copy_from_slice(&self.scratch[..]);
        Some(copy)
    }

    fn transcode(&mut self, hearer: u32, key: SourceKey, audio: &Audio, packet: &Packet, at: usize) {
        let from = at + audio.payload_at;
        let Some(payload) = self.driver.bytes(packet).get(from..from + audio.payload_len) else { return };
        let Some(place) = self.scratch.get_mut(..payload.len()) else { return };
        place.copy_from_slice(payload);
        let Some(seat) = self.table.get_mut(hearer) else { return };
        let mut doors = doors(&mut self.driver, &mut self.counters, &self.browsers, seat, None);
        let payload = self.scratch.get(..audio.payload_len).unwrap_or_default();
        // A codec that cannot be set up was refused when the legs were joined; a format that came up later is not heard.
        if seat.leg.transcode(key, audio, payload, self.now, &mut doors).is_ok() {
            self.counters.transcoded += 1;
        }
    }

    fn spread_event(&mut self, speaker: u32, event: &HeardEvent, packet: Packet, at: usize) {
        let Some(seat) = self.table.get(speaker) else { return self.driver.release(packet) };
        let key = SourceKey { speaker: seat.serial, stream: 0 };
        let mut nth = 0;
        while let Some(hearer) = self.table.get(speaker).and_then(|seat| seat.hearers.get(nth).copied()) {
            nth += 1;
            // An event is 16 octets: a copy for each is cheaper than to know who is last.
            let Some(copy) = self.copy(&packet) else { break };
            let Some(seat) = self.table.get_mut(hearer) else {
                self.driver.release(copy);
                continue;
            };
            match seat.leg.relay_event(key, event, self.driver.bytes(&copy), at, self.now) {
                Some((range, to)) => {
                    let socket =
                        seat.lease.as_ref().map_or_else(|| self.browsers.socket_to(to), |_| Some(seat.rtp));
                    self.counters.sent_packets += 1;
                    self.counters.sent_octets += range.len() as u64;
                    self.driver.send(copy, range, socket.unwrap_or(seat.rtp), to);
                }
                None => self.driver.release(copy),
            }
            // A tone may have begun.
            self.arm(hearer);
        }
        self.driver.release(packet);
    }

    /// Puts the leg's next deadline on the wheel.
    pub fn arm(&mut self, index: u32) {
        let Some(seat) = self.table.get_mut(index) else { return };
        let Some(at) = seat.leg.next_deadline().filter(|at| *at != Timestamp::NEVER) else { return };
        let tick = self.wheel.tick_of(at);
        if seat.armed.is_none_or(|armed| tick < armed) {
            seat.armed = Some(tick);
            self.wheel.add(tick, index);
        }
    }

    /// Comes back at once instead of waiting.
    pub fn wake_self(&self) {
        self.directory.wake(self.number);
    }

    /// Tells control what legs told.
    pub fn tell(&mut self) {
        for event in self.out.events.drain(..) {
            if self.events.try_send(event).is_err() {
                self.counters.events_lost += 1;
            }
        }
    }
}

/// The doors of a leg, for packets of its own making.
pub(super) struct Doors<'a> {
    driver: &'a mut Driver,
    counters: &'a mut Counters,
    browsers: &'a Browsers,
    rtp: SocketId,
    rtcp: Option<SocketId>,
    shared: bool,
    /// Answers to this address leave by this socket.
    reply: Option<(std::net::SocketAddr, SocketId)>,
}

pub(super) fn doors<'a>(
    driver: &'a mut Driver,
    counters: &'a mut Counters,
    browsers: &'a Browsers,
    seat: &Seat,
    reply: Option<(std::net::SocketAddr, SocketId)>,
) -> Doors<'a> {
    Doors { driver, counters, browsers, rtp: seat.rtp, rtcp: seat.rtcp, shared: seat.lease.is_none(), reply }
}

impl Wire for Doors<'_> {
    fn put(&mut self, door: Door, to: std::net::SocketAddr, write: &mut dyn FnMut(&mut [u8]) -> usize) {
        let socket = match (door, self.rtcp) {
            (Door::Rtcp, Some(rtcp)) => rtcp,
            _ if self.shared => match self.reply.filter(|(from, _)| *from == to) {
                Some((_, socket)) => socket,
                None => self.browsers.socket_to(to).unwrap_or(self.rtp),
            },
            _ => self.rtp,
        };
        // Without a buffer the packet is lost, as it would be on the wire; the driver counts it.
        let Some(packet) = self.driver.take() else { return };
        let room = self.driver.bytes(&packet);
        let room_len = room.len();
        let len = write(room);
        if len == 0 || len > room_len {
            return self.driver.release(packet);
        }
        self.counters.sent_packets += 1;
        self.counters.sent_octets += len as u64;
        self.driver.send(packet, 0..len, socket, to);
    }
}
