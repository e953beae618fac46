//! Legs that leave a thread: deleted ones, and ones that move to where their partner lives.
//!
//! A socket is given up in two steps, because datagrams of it may still be on their way out of the kernel: the driver is asked,
//! and gives it back after its last arrival. Until then the leg works as before. What arrives between two threads waits in
//! the socket.

use std::net::UdpSocket;

use model::id::LegId;
use tokio::sync::oneshot;

use super::doors::doors;
use super::orders::{Order, Reply};
use super::ports::PortLease;
use super::shard::Shard;
use super::table::{Heard, Seat, without_door};
use crate::control::{Answer, Event, LegStats, MediaError};
use crate::driver::Load;

/// A deleted leg whose ports are not closed yet.
pub(super) struct Closing {
    tag: u64,
    sockets: usize,
    done: Option<(PortLease, LegId, LegStats, Reply)>,
}

/// Legs whose sockets are being given up for a move.
pub(super) struct Moving {
    company: Vec<u32>,
    target: usize,
    awaited: usize,
    sockets: Vec<(u64, UdpSocket)>,
    reply: oneshot::Sender<Result<bool, MediaError>>,
}

/// A leg between two threads.
#[derive(Debug)]
pub(super) struct Evicted {
    seat: Box<Seat>,
    rtp: UdpSocket,
    rtcp: UdpSocket,
    hears: Option<LegId>,
}

impl Shard {
    pub(super) fn delete(&mut self, index: u32, reply: Reply) {
        let (tag, _) = self.table.tags(index);
        let Some(seat) = self.table.get_mut(index) else { return };
        let mut doors = doors(&mut self.driver, &mut self.counters, &self.browsers, seat, None);
        seat.leg.leave(self.now, &mut doors, &mut self.out);
        let Some(mut seat) = self.table.remove(index) else { return };
        let (id, stats) = (seat.leg.id(), seat.leg.stats());
        match (seat.lease.take(), seat.rtcp) {
            (Some(lease), Some(rtcp)) => {
                let done = Some((lease, id, stats, reply));
                self.closing.push(Closing { tag: without_door(tag), sockets: 2, done });
                self.driver.retire(seat.rtp);
                self.driver.retire(rtcp);
            }
            _ => {
                self.browsers.forget(seat.ufrag.as_deref().unwrap_or_default(), &seat.addrs, index);
                self.directory.gone(id);
                reply.send(Ok(Answer::Stats(Box::new(stats)))).ok();
            }
        }
    }

    /// A socket came back from the driver.
    pub(super) fn retired(&mut self, tag: u64, socket: UdpSocket) {
        if let Some(at) =
            self.moving.iter().position(|moving| moving.waits_for(self.table.of_tag(tag).map(|it| it.0)))
        {
            let Some(moving) = self.moving.get_mut(at) else { return };
            moving.sockets.push((tag, socket));
            moving.awaited -= 1;
            if moving.awaited == 0 {
                let moving = self.moving.swap_remove(at);
                self.finish_move(moving);
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
            && let Some((lease, leg, stats, reply)) = self.closing.swap_remove(at).done
        {
            drop(lease);
            self.directory.gone(leg);
            reply.send(Ok(Answer::Stats(Box::new(stats)))).ok();
        }
    }

    pub(super) fn begin_move(
        &mut self,
        leg: LegId,
        target: usize,
        reply: oneshot::Sender<Result<bool, MediaError>>,
    ) {
        let Some(index) = self.table.find(leg) else {
            return drop(reply.send(Err(MediaError::NoSuchLeg(leg))));
        };
        let company = self.table.company(index);
        let free =
            |index: &u32| self.table.get(*index).is_some_and(|seat| seat.lease.is_some() && !seat.moving);
        if !company.iter().all(free) {
            return drop(reply.send(Ok(false)));
        }
        for index in &company {
            if let Some(seat) = self.table.get_mut(*index) {
                seat.moving = true;
                self.driver.retire(seat.rtp);
                if let Some(rtcp) = seat.rtcp {
                    self.driver.retire(rtcp);
                }
            }
        }
        let awaited = company.len() * 2;
        self.moving.push(Moving { company, target, awaited, sockets: Vec::new(), reply });
    }

    fn finish_move(&mut self, mut moving: Moving) {
        let mut evicted = Vec::with_capacity(moving.company.len());
        let names: Vec<_> = moving.company.iter().map(|index| (*index, self.heard_by(*index))).collect();
        for (index, hears) in names {
            let (rtp_tag, rtcp_tag) = self.table.tags(index);
            let (Some(rtp), Some(rtcp)) = (moving.socket(rtp_tag), moving.socket(rtcp_tag)) else { continue };
            if let Some(seat) = self.table.evict(index) {
                evicted.push(Evicted { seat, rtp, rtcp, hears });
            }
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
        for Evicted { mut seat, rtp, rtcp, hears } in evicted {
            let id = seat.leg.id();
            let (index, rtp_tag, rtcp_tag) = self.table.reserve();
            let rtp = self.driver.add(rtp, rtp_tag, Load::OneParty);
            let rtcp = self.driver.add(rtcp, rtcp_tag, Load::OneParty);
            let (Ok(rtp), Ok(rtcp)) = (rtp, rtcp) else {
                // No descriptor is left to read it with. Control learns it as what it is: silence.
                self.table.forget(index);
                self.directory.gone(id);
                self.out.events.push(Event::Silent { leg: id, lasting: std::time::Duration::ZERO });
                continue;
            };
            seat.rtp = rtp;
            seat.rtcp = Some(rtcp);
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

    /// Every leg says goodbye.
    pub(super) fn stop(&mut self) {
        for index in 0..self.table.slots() as u32 {
            if let Some(seat) = self.table.get_mut(index) {
                let mut doors = doors(&mut self.driver, &mut self.counters, &self.browsers, seat, None);
                seat.leg.leave(self.now, &mut doors, &mut self.out);
            }
        }
        self.tell();
        self.stopping = true;
    }
}

impl Moving {
    fn waits_for(&self, index: Option<u32>) -> bool {
        index.is_some_and(|index| self.company.contains(&index))
    }
    fn socket(&mut self, tag: u64) -> Option<UdpSocket> {
        let at = self.sockets.iter().position(|(of, _)| *of == tag)?;
        Some(self.sockets.swap_remove(at).1)
    }
}
