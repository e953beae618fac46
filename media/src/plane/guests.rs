//! Legs of browsers that live away from the port they were signalled with.
//!
//! A browser knows one port of ours, and that port belongs to the thread its leg was born on. When the leg has to be with a
//! partner on another thread, it takes *lines* with it: sockets on the same port, each connected to one address of its
//! browser, which the kernel prefers (see [`SharedPort`](crate::driver::SharedPort)). So its packets arrive where it lives,
//! and none is handed between threads.
//!
//! What still comes to the old port is the first check from a new address: the browser changed its network, or its page was
//! loaded anew. The thread at home hands such a check over ([`Order::Check`]); the leg's own thread verifies it as any other
//! and opens a line to where it came from. That is rare, so it may take memory, and it is bounded: [`CHECKS_MAX`] a sweep.

use std::net::SocketAddr;

use model::id::LegId;

use super::doors::doors;
use super::orders::{DEFERRED_MAX, Order};
use super::shard::Shard;
use super::sockets::{LINES_MAX, Line};
use crate::driver::{Load, Packet, SocketId};
use crate::leg::{Door, Received};

/// Checks handed over between two sweeps at most, 20 ms: many agents of one site may lose their network together, and a flood
/// must leave room for commands in the other thread's box. More are dropped; browsers repeat them.
pub(super) const CHECKS_MAX: usize = 64;

/// A connectivity check on its way to the thread of its leg.
#[derive(Debug)]
pub(super) struct Check {
    pub leg: LegId,
    pub from: SocketAddr,
    /// The shared port it came to.
    pub at: SocketAddr,
    pub datagram: Vec<u8>,
}

impl Shard {
    /// Hands a check to where its leg lives; false when it is dropped.
    pub(super) fn hand_over(
        &mut self,
        leg: LegId,
        from: SocketAddr,
        socket: SocketId,
        packet: &Packet,
        range: std::ops::Range<usize>,
    ) -> bool {
        let Some(at) = self.browsers.port(socket).map(|port| port.local()) else { return false };
        if self.checks_left == 0 {
            return false;
        }
        let datagram = self.driver.bytes(packet).get(range).unwrap_or_default().to_vec();
        self.checks_left -= 1;
        self.post_check(Check { leg, from, at, datagram })
    }

    fn post_check(&self, check: Check) -> bool {
        let home = self.directory.home(check.leg).filter(|home| *home != self.number);
        home.is_some_and(|home| self.directory.post(home, Order::Check(Box::new(check))).is_ok())
    }

    /// A check of a leg that was born elsewhere.
    pub(super) fn checked(&mut self, mut check: Box<Check>) {
        let Some(index) = self.table.find(check.leg) else {
            // It moved on meanwhile.
            self.post_check(*check);
            return;
        };
        let Some(seat) = self.table.get_mut(index) else { return };
        if seat.moving {
            if self.deferred.len() < DEFERRED_MAX {
                self.deferred.push(Order::Check(check));
            }
            return;
        }
        let len = check.datagram.len();
        let received =
            seat.leg.receive(&mut check.datagram, len, check.from, Door::Rtp, self.now, &mut self.out);
        if received == Received::Done && seat.leg.is_verified(check.from) {
            self.open_line(index, check.at, check.from);
        }
        let Some(seat) = self.table.get_mut(index) else { return };
        // Who failed the check has no line, and so gets no answer.
        let mut doors = doors(&mut self.driver, &mut self.counters, &self.browsers, &seat.sockets, None);
        seat.leg.apply_ice(self.now, &mut doors, &mut self.out);
        self.tell();
        self.arm(index);
    }

    /// Opens a line on the port at `local`. Where that fails, the leg goes on without: its browser checks again.
    fn open_line(&mut self, index: u32, local: SocketAddr, remote: SocketAddr) {
        self.prune_lines(index);
        let (tag, _) = self.table.tags(index);
        let Some(browser) = self.table.get_mut(index).and_then(|seat| seat.sockets.browser_mut()) else {
            return;
        };
        if browser.line_to(remote).is_some() || browser.lines.len() >= LINES_MAX {
            return;
        }
        let Some(port) = browser.ports.iter().find(|port| port.local() == local) else { return };
        let Ok(line) = port.line(remote) else { return };
        if let Ok(socket) = self.driver.add(line, tag, Load::OneParty) {
            browser.lines.push(Line { remote, socket });
        }
    }

    /// Closes lines to addresses that are the browser's no longer.
    pub(super) fn prune_lines(&mut self, index: u32) {
        let Some(seat) = self.table.get_mut(index).filter(|seat| !seat.moving) else { return };
        let leg = &seat.leg;
        let Some(browser) = seat.sockets.browser_mut() else { return };
        browser.lines.retain(|line| {
            let verified = leg.is_verified(line.remote);
            if !verified {
                self.driver.retire(line.socket);
            }
            verified
        });
    }

    /// Opens the lines that a leg takes with it from home, without reading them yet: one to each verified address that has
    /// none.
    pub(super) fn lines_to_go(&self, index: u32) -> std::io::Result<Vec<std::net::UdpSocket>> {
        let seat = self.table.get(index);
        let Some((seat, browser)) = seat.and_then(|seat| Some((seat, seat.sockets.browser()?))) else {
            return Ok(Vec::new());
        };
        let bare = |addr: &&SocketAddr| browser.line_to(**addr).is_none() && seat.leg.is_verified(**addr);
        let ports = browser.addrs.iter().filter(bare).map(|addr| (addr, self.browsers.port_to(*addr, index)));
        ports.filter_map(|(addr, port)| Some(port?.line(*addr))).collect()
    }

    /// Once a second: names of legs that ended elsewhere are forgotten.
    pub(super) fn forget_ended_guests(&mut self) {
        let directory = &self.directory;
        self.browsers.forget_ended(|leg| directory.home(leg).is_some());
    }
}
