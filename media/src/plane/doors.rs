//! How packets of a leg's own making get out: reports, prompts, digits, handshakes.

use std::net::SocketAddr;

use super::browsers::Browsers;
use super::counters::Counters;
use super::sockets::Sockets;
use crate::driver::{Driver, SocketId};
use crate::leg::{Door, Wire};

/// The doors of a leg, for packets of its own making.
pub(super) struct Doors<'a> {
    driver: &'a mut Driver,
    counters: &'a mut Counters,
    browsers: &'a Browsers,
    sockets: &'a Sockets,
    /// Answers to this address leave by this socket.
    reply: Option<(SocketAddr, SocketId)>,
}

pub(super) fn doors<'a>(
    driver: &'a mut Driver,
    counters: &'a mut Counters,
    browsers: &'a Browsers,
    sockets: &'a Sockets,
    reply: Option<(SocketAddr, SocketId)>,
) -> Doors<'a> {
    Doors { driver, counters, browsers, sockets, reply }
}

impl Wire for Doors<'_> {
    fn put(&mut self, door: Door, to: SocketAddr, write: &mut dyn FnMut(&mut [u8]) -> usize) {
        let socket = match self.reply.filter(|(from, _)| *from == to) {
            Some((_, socket)) => Some(socket),
            None => self.sockets.out(door, to, self.browsers),
        };
        let Some(socket) = socket else { return };
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
