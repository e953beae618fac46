//! The shared ports of a thread, and whose browser sends from where.
//!
//! A browser shows itself by a connectivity check with our `ice-ufrag`; from then on its address tells whose packets come.
//! Only addresses that passed a check get in, a few for each leg.

use std::collections::HashMap;
use std::net::SocketAddr;

use crate::driver::SocketId;
use crate::ice::{self, Kind};

/// Addresses of one browser: its networks, and the ports of a few reloads.
pub(super) const ADDRS_MAX: usize = 8;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Browsers {
    /// The thread's shared sockets, with the addresses to signal.
    pub sockets: Vec<(SocketId, SocketAddr)>,
    by_addr: HashMap<SocketAddr, (u32, SocketId)>,
    by_ufrag: HashMap<String, u32>,
}

impl Browsers {
    /// A leg made for a browser that will check with this `ice-ufrag`.
    pub fn expect(&mut self, ufrag: String, index: u32) {
        self.by_ufrag.insert(ufrag, index);
    }

    /// Whose datagram this is.
    pub fn who(&self, datagram: &[u8], from: SocketAddr) -> Option<u32> {
        let stun = datagram.first().is_some_and(|first| ice::classify(*first) == Kind::Stun);
        // A check names its leg; its address may have been another leg's a moment ago (the page was loaded again).
        if stun && let Some(ufrag) = ice::username_ufrag(datagram) {
            return self.by_ufrag.get(ufrag).copied();
        }
        self.by_addr.get(&from).map(|(index, _)| *index)
    }

    /// An address passed a check of this leg. `addrs`: the leg's addresses so far.
    pub fn verified(&mut self, from: SocketAddr, index: u32, socket: SocketId, addrs: &mut Vec<SocketAddr>) {
        self.by_addr.insert(from, (index, socket));
        if !addrs.contains(&from) {
            if addrs.len() >= ADDRS_MAX {
                self.forget_addr(addrs.remove(0), index);
            }
            addrs.push(from);
        }
    }

    /// The socket that reaches a browser's address.
    pub fn socket_to(&self, addr: SocketAddr) -> Option<SocketId> {
        self.by_addr.get(&addr).map(|(_, socket)| *socket)
    }

    /// The leg is gone.
    pub fn forget(&mut self, ufrag: &str, addrs: &[SocketAddr], index: u32) {
        self.by_ufrag.remove(ufrag);
        for addr in addrs {
            self.forget_addr(*addr, index);
        }
    }

    fn forget_addr(&mut self, addr: SocketAddr, index: u32) {
        if self.by_addr.get(&addr).is_some_and(|(owner, _)| *owner == index) {
            self.by_addr.remove(&addr);
        }
    }
}
