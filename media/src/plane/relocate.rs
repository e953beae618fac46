//! Legs that leave a thread: deleted ones, and ones that move to where their partner lives.
//!
//! A socket is given up in two steps, because datagrams of it may still be on their way out of the kernel: the driver is asked,
//! and gives it back after its last arrival. Until then the leg works as before. What arrives between two threads waits in
//! the socket. A browser's leg has no socket of its own at home: it gets some to go (`guests`), and one turn more, in which the
//! shared socket hands out what came before.

use std::net::UdpSocket;

use model::id::LegId;
use tokio::sync::oneshot;

use super::doors::doors;
use super::orders::{DEFERRED_MAX, Order, Reply};
use super::ports::PortLease;
use super::shard::Shard;
use super::sockets::{Line, Sockets};
use super::table::{Heard, Seat, without_door};
use crate::control::{Answer, Event, LegStats, MediaError};
use crate::driver::Load;

/// A deleted leg whose sockets are not closed yet.
pub(super) struct Closing {
    tag: u64,
    sockets: usize,
    done: Option<Closed>,
}

/// What happens when they are.
struct Closed {
    lease: Option<PortLease>,
    leg: LegId,
    stats: LegStats,
    reply: Reply,
}

/// Legs whose sockets are being given up for a move.
pub(super) struct Moving {
    company: Vec<u32>,
    target: usize,
    awaited: usize,
    /// The turn it was asked for in.
    since: u64,
    sockets: Vec<(u64, UdpSocket)>,
    reply: oneshot::Sender<Result<bool, MediaError>>,
}

/// A leg between two threads with its sockets: RTP and RTCP, or a browser's lines.
#[derive(Debug)]
pub(super) struct Evicted {
    seat: Box<Seat>,
    sockets: Vec<UdpSocket>,
    hears: Option<LegId>,
}

/// What a leg would take along if it moved. Browsers first: each leaves lines behind at the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Weight {
    browsers: usize,
    legs: usize,
}

impl Shard {
    pub(super) fn delete(&mut self, index: u32, reply: Reply) {
        let (tag, _) = self.table.tags(index);
        let Some(seat) = self.table.get_mut(index) else { return };
        let mut doors = doors(&mut self.driver, &mut self.counters, &self.browsers, &seat.sockets, None);
        seat.leg.leave(self.now, &mut doors, &mut self.out);
        self.hears(index, Heard::Nothing);
        let Some(seat) = self.table.remove(index) else { return };
        let (leg, stats) = (seat.leg.id(), seat.leg.stats());
        let mut sockets = 0;
        for socket in seat.sockets.own() {
            self.driver.retire(socket);
            sockets += 1;
        }
        let lease = match seat.sockets {
            Sockets::Own { lease, .. } => Some(lease),
            Sockets::Browser(browser) => {
                if browser.home == self.number {
                    self.browsers.forget(&browser.ufrag, &browser.addrs, index);
                }
                None
            }
        };
        let done = Closed { lease, leg, stats, reply };
        if sockets == 0 {
            return self.closed(done);
        }
        self.closing.push(Closing { tag: without_door(tag), sockets, done: Some(done) });
    }

    fn closed(&self, Closed { lease, leg, stats, reply }: Closed) {
        drop(lease);
        self.directory.gone(leg);
        reply.send(Ok(Answer::Stats(Box::new(stats)))).ok();
    }

    /// A socket came back from the driver.
    pub(super) fn retired(&mut self, tag: u64, socket: UdpSocket) {
        if let Some((index, _)) = self.table.of_tag(tag) {
            // A line that was given up before the leg began to move is not awaited.
            let pruned =
                self.table.get(index).and_then(|seat| seat.sockets.browser()).is_some_and(|browser| {
                    socket.peer_addr().map_or(true, |remote| browser.line_to(remote).is_none())
                });
            let moving = self.moving.iter_mut().find(|moving| moving.company.contains(&index) && !pruned);
            if let Some(moving) = moving {
                moving.sockets.push((tag, socket));
                moving.awaited = moving.awaited.saturating_sub(1);
            }
            return;
        }
        drop(socket);
        let Some(at) = self.closing.iter().position(|closing| closing.tag == without_door(tag)) else {
            return;
        };
        let Some(closing) = self.closing.get_mut(at) else { return };
        closing.sockets -= 1;
        if closing.sockets == 0
            && let Some(done) = self.closing.swap_remove(at).done
        {
            self.closed(done);
        }
    }

    pub(super) fn weigh(&self, leg: LegId) -> Option<Weight> {
        let company = self.table.company(self.table.find(leg)?);
        let is_browser =
            |index: &&u32| self.table.get(**index).is_some_and(|seat| seat.sockets.browser().is_some());
        Some(Weight { browsers: company.iter().filter(is_browser).count(), legs: company.len() })
    }

    pub(super) fn begin_move(
        &mut self,
        leg: LegId,
        target: usize,
        reply: oneshot::Sender<Result<bool, MediaError>>,
    ) {
        let Some(index) = self.table.find(leg) else {
            // It moved for somebody else, or is gone: who asked looks again.
            return drop(reply.send(Ok(false)));
        };
        let company = self.table.company(index);
        if company.iter().any(|index| self.table.get(*index).is_some_and(|seat| seat.moving)) {
            if self.deferred.len() < DEFERRED_MAX {
                return self.deferred.push(Order::Move(leg, target, reply));
            }
            return drop(reply.send(Ok(false)));
        }
        // A room stays where it is, and so does whoever is bound to somebody in it: the other side comes.
        let in_room =
            |index: &u32| self.table.get(*index).is_some_and(|seat| matches!(seat.hears, Heard::Room { .. }));
        if company.iter().any(in_room) {
            return drop(reply.send(Ok(false)));
        }
        let mut sockets = Vec::new();
        for index in &company {
            let (tag, _) = self.table.tags(*index);
            match self.lines_to_go(*index) {
                Ok(lines) => sockets.extend(lines.into_iter().map(|line| (tag, line))),
                // The lines opened so far close, and the shared socket has their parties again.
                Err(_) => return drop(reply.send(Ok(false))),
            }
        }
        let mut awaited = 0;
        for index in &company {
            let Some(seat) = self.table.get_mut(*index) else { continue };
            seat.moving = true;
            for socket in seat.sockets.own() {
                self.driver.retire(socket);
                awaited += 1;
            }
        }
        self.moving.push(Moving { company, target, awaited, since: self.turns, sockets, reply });
        // Nothing may come back from the driver to end the wait.
        self.wake_self();
    }

    /// Sends legs on their way whose sockets are here, a turn after they began to move or later.
    pub(super) fn finish_moves(&mut self) {
        let turns = self.turns;
        let ready = |moving: &Moving| moving.awaited == 0 && moving.since < turns;
        while let Some(at) = self.moving.iter().position(ready) {
            let moving = self.moving.swap_remove(at);
            self.finish_move(moving);
        }
    }

    fn finish_move(&mut self, mut moving: Moving) {
        let mut evicted = Vec::with_capacity(moving.company.len());
        let names: Vec<_> = moving.company.iter().map(|index| (*index, self.heard_by(*index))).collect();
        for (index, hears) in names {
            let (rtp, rtcp) = self.table.tags(index);
            let sockets = [rtp, rtcp].into_iter().flat_map(|tag| moving.take(tag)).collect();
            let Some(mut seat) = self.table.evict(index) else { continue };
            if let Some(browser) = seat.sockets.browser_mut() {
                if browser.home == self.number {
                    self.browsers.leaves(&browser.ufrag, &browser.addrs, index, seat.leg.id());
                }
                browser.shared = None;
                browser.addrs.clear();
                browser.lines.clear();
            }
            evicted.push(Evicted { seat, sockets, hears });
        }
        let legs: Vec<_> = evicted.iter().map(|evicted| evicted.seat.leg.id()).collect();
        let moved = match self.directory.post(moving.target, Order::Adopt(evicted)) {
            Ok(()) => {
                // Orders for these legs follow them into the box of the other thread, behind the legs themselves.
                for leg in legs {
                    self.directory.moved(leg, moving.target);
                }
                Ok(true)
            }
            Err(Order::Adopt(evicted)) => {
                self.adopt(evicted);
                Err(MediaError::Unavailable)
            }
            Err(_) => Err(MediaError::Unavailable),
        };
        moving.reply.send(moved).ok();
        for order in std::mem::take(&mut self.deferred) {
            self.order(order);
        }
    }

    fn heard_by(&self, index: u32) -> Option<LegId> {
        match self.table.get(index)?.hears {
            Heard::Leg(speaker) => self.table.get(speaker).map(|seat| seat.leg.id()),
            _ => None,
        }
    }

    pub(super) fn adopt(&mut self, evicted: Vec<Evicted>) {
        let mut bonds = Vec::with_capacity(evicted.len());
        for Evicted { mut seat, sockets, hears } in evicted {
            let id = seat.leg.id();
            let (index, ..) = self.table.reserve();
            if !self.take_in(index, &mut seat, sockets) {
                // No descriptor is left to read it with. Control learns it as what it is: silence.
                self.table.forget(index);
                self.directory.gone(id);
                self.out.events.push(Event::Silent { leg: id, lasting: std::time::Duration::ZERO });
                continue;
            }
            seat.moving = false;
            seat.armed = None;
            seat.hearers.clear();
            if hears.is_some() {
                seat.hears = Heard::Nothing;
            }
            self.table.seat(index, seat);
            bonds.push((index, hears));
        }
        for (index, hears) in bonds {
            if let Some(speaker) = hears.and_then(|leg| self.table.find(leg)) {
                self.table.bind(index, speaker);
            }
            self.arm(index);
        }
        self.tell();
    }

    /// Reads a leg's sockets from now on; false when it cannot be reached by them.
    fn take_in(&mut self, index: u32, seat: &mut Seat, sockets: Vec<UdpSocket>) -> bool {
        let (rtp_tag, rtcp_tag) = self.table.tags(index);
        match &mut seat.sockets {
            Sockets::Own { rtp, rtcp, .. } => {
                let mut sockets = sockets.into_iter();
                let (Some(first), Some(second)) = (sockets.next(), sockets.next()) else { return false };
                let Ok(first) = self.driver.add(first, rtp_tag, Load::OneParty) else { return false };
                let Ok(second) = self.driver.add(second, rtcp_tag, Load::OneParty) else {
                    self.driver.retire(first);
                    return false;
                };
                (*rtp, *rtcp) = (first, second);
            }
            Sockets::Browser(browser) => {
                for socket in sockets {
                    // A line that cannot be read closes, and a check by the shared port opens another.
                    if let Ok(remote) = socket.peer_addr()
                        && let Ok(socket) = self.driver.add(socket, rtp_tag, Load::OneParty)
                    {
                        browser.lines.push(Line { remote, socket });
                    }
                }
                if browser.home == self.number {
                    browser.shared = self.browsers.sockets.first().map(|(socket, _)| *socket);
                    self.browsers.expect(browser.ufrag.clone(), index);
                }
            }
        }
        true
    }

    /// Every leg says goodbye.
    pub(super) fn stop(&mut self) {
        for index in 0..self.table.slots() as u32 {
            if let Some(seat) = self.table.get_mut(index) {
                let mut doors =
                    doors(&mut self.driver, &mut self.counters, &self.browsers, &seat.sockets, None);
                seat.leg.leave(self.now, &mut doors, &mut self.out);
            }
        }
        self.tell();
        self.stopping = true;
    }
}

impl Moving {
    /// The sockets with this tag.
    fn take(&mut self, tag: u64) -> Vec<UdpSocket> {
        self.sockets.extract_if(.., |(of, _)| *of == tag).map(|(_, socket)| socket).collect()
    }
}
