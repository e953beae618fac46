//! By which sockets a leg's packets come in and go out.

use std::net::SocketAddr;
use std::sync::Arc;

use super::browsers::Browsers;
use super::ports::PortLease;
use crate::driver::{SharedPort, SocketId};
use crate::leg::Door;

/// Lines of one leg at most: as many as addresses of a browser can be verified at one time, and one that is being tried.
pub(super) const LINES_MAX: usize = 9;

/// See the module.
#[derive(Debug)]
pub(super) enum Sockets {
    /// A pair of its own.
    Own {
        rtp: SocketId,
        rtcp: SocketId,
        lease: PortLease,
    },
    Browser(BrowserSockets),
}

/// A browser's leg is reached at the shared ports it was born with, wherever it lives.
#[derive(Debug)]
pub(super) struct BrowserSockets {
    /// Our `ice-ufrag`.
    pub ufrag: String,
    /// The thread that reads the shared ports.
    pub home: usize,
    /// Those ports, to open lines on.
    pub ports: Arc<Vec<SharedPort>>,
    /// At home: the shared socket for what has no better way.
    pub shared: Option<SocketId>,
    /// At home: addresses of the browser in the thread's map.
    pub addrs: Vec<SocketAddr>,
    /// Sockets connected to one address of the browser each.
    pub lines: Vec<Line>,
}

/// See [`SharedPort::line`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub remote: SocketAddr,
    pub socket: SocketId,
}

impl Sockets {
    /// The socket by which a packet leaves; `None` when there is no way.
    pub fn out(&self, door: Door, to: SocketAddr, browsers: &Browsers) -> Option<SocketId> {
        match self {
            Self::Own { rtp, rtcp, .. } => Some(if door == Door::Rtcp { *rtcp } else { *rtp }),
            Self::Browser(browser) => {
                let line = browser.line_to(to);
                line.or_else(|| browser.shared.map(|shared| browsers.socket_to(to).unwrap_or(shared)))
            }
        }
    }

    /// Whether a datagram that came by a socket of this leg alone may be looked at: lines get a stranger's in their first
    /// moment.
    pub fn admits(&self, from: SocketAddr) -> bool {
        match self {
            Self::Own { .. } => true,
            Self::Browser(browser) => browser.line_to(from).is_some(),
        }
    }

    /// Sockets of the leg alone.
    pub fn own(&self) -> impl Iterator<Item = SocketId> {
        let (pair, lines) = match self {
            Self::Own { rtp, rtcp, .. } => ([Some(*rtp), Some(*rtcp)], [].as_slice()),
            Self::Browser(browser) => ([None, None], browser.lines.as_slice()),
        };
        pair.into_iter().flatten().chain(lines.iter().map(|line| line.socket))
    }

    /// A browser's.
    pub fn browser(&self) -> Option<&BrowserSockets> {
        if let Self::Browser(browser) = self { Some(browser) } else { None }
    }
    /// See [`Sockets::browser`].
    pub fn browser_mut(&mut self) -> Option<&mut BrowserSockets> {
        if let Self::Browser(browser) = self { Some(browser) } else { None }
    }
}

impl BrowserSockets {
    /// The line to an address.
    pub fn line_to(&self, addr: SocketAddr) -> Option<SocketId> {
        self.lines.iter().find(|line| line.remote == addr).map(|line| line.socket)
    }
}
