//! The shared ports of a thread, and whose browser sends from where.
//!
//! A browser shows itself by a connectivity check with our `ice-ufrag`; from then on its address tells whose packets come.
//! Only addresses that passed a check get in, a few for each leg. A leg that moved away keeps its name here, because its browser
//! knows no other port: see `guests`.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use model::id::LegId;

use crate::driver::{SharedPort, SocketId};
use crate::ice::{self, Kind};

/// Addresses of one browser: its networks, and the ports of a few reloads.
pub(super) const ADDRS_MAX: usize = 8;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Browsers {
    /// The thread's shared sockets, with the addresses to signal.
    pub sockets: Vec<(SocketId, SocketAddr)>,
    /// The same in the same order, to open lines on.
    pub ports: Arc<Vec<SharedPort>>,
    by_addr: HashMap<SocketAddr, (u32, SocketId)>,
    by_ufrag: HashMap<String, Whose>,
}

/// Whom a datagram is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// A leg of this thread.
    Here(u32),
    /// A leg that moved to another one.
    Away(LegId),
}

impl Browsers {
    /// A leg of this thread, whose browser will check with this `ice-ufrag`.
    pub fn expect(&mut self, ufrag: String, index: u32) {
        self.by_ufrag.insert(ufrag, Whose::Here(index));
    }

    /// Whose datagram this is.
    pub fn who(&self, datagram: &[u8], from: SocketAddr) -> Option<Whose> {
        let stun = datagram.first().is_some_and(|first| ice::classify(*first) == Kind::Stun);
        // A check names its leg; its address may have been another leg's a moment ago (the page was loaded again).
        if stun && let Some(ufrag) = ice::username_ufrag(datagram) {
            return self.by_ufrag.get(ufrag).copied();
        }
        self.by_addr.get(&from).map(|(index, _)| Whose::Here(*index))
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

    /// The port that an address checked, as long as it is this leg's.
    pub fn port_to(&self, addr: SocketAddr, index: u32) -> Option<&SharedPort> {
        let (_, socket) = self.by_addr.get(&addr).filter(|(owner, _)| *owner == index)?;
        self.port(*socket)
    }

    /// The port of a shared socket.
    pub fn port(&self, socket: SocketId) -> Option<&SharedPort> {
        let at = self.sockets.iter().position(|(shared, _)| *shared == socket)?;
        self.ports.get(at)
    }

    /// The leg moved to another thread; its checks follow it.
    pub fn leaves(&mut self, ufrag: &str, addrs: &[SocketAddr], index: u32, leg: LegId) {
        if let Some(whose) = self.by_ufrag.get_mut(ufrag) {
            *whose = Whose::Away(leg);
        }
        self.forget_addrs(addrs, index);
    }

    /// Forgets legs that ended elsewhere.
    pub fn forget_ended(&mut self, lives: impl Fn(LegId) -> bool) {
        self.by_ufrag.retain(|_, whose| match whose {
            Whose::Here(_) => true,
            Whose::Away(leg) => lives(*leg),
        });
    }

    /// The leg is gone.
    pub fn forget(&mut self, ufrag: &str, addrs: &[SocketAddr], index: u32) {
        self.by_ufrag.remove(ufrag);
        self.forget_addrs(addrs, index);
    }

    fn forget_addrs(&mut self, addrs: &[SocketAddr], index: u32) {
        for addr in addrs {
            self.forget_addr(*addr, index);
        }
    }

    fn forget_addr(&mut self, addr: SocketAddr, index: u32) {
        if self.by_addr.get(&addr).is_some_and(|(owner, _)| *owner == index) {
            self.by_addr.remove(&addr);
        }
    }

    /// Addresses and names it knows.
    #[cfg(test)]
    pub fn len(&self) -> (usize, usize) {
        (self.by_addr.len(), self.by_ufrag.len())
    }
}
