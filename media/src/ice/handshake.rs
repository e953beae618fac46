//! The DTLS association of one leg, and what ends it: common to legs with ICE and without.

use std::net::SocketAddr;
use std::time::Instant;

use super::IceOutput;
use super::association::{Association, Verdict};
use super::certificate::{Certificate, Fingerprint};

/// Whom a handshake is with, and whether we open it.
pub(super) type Peer = (Fingerprint, bool);

/// See the module.
pub(super) struct Handshake {
    certificate: Certificate,
    association: Option<Association>,
    /// Whom the association is for; none when there is to be a new one in any case.
    peer: Option<Peer>,
    /// What is said when the far end ends it.
    closed: fn() -> IceOutput,
}

impl Handshake {
    /// Nobody is expected yet.
    pub fn new(certificate: Certificate, closed: fn() -> IceOutput) -> Self {
        Self { certificate, association: None, peer: None, closed }
    }

    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Whether this is whom it is with already.
    pub fn is_with(&self, peer: &Peer) -> bool {
        self.peer.as_ref() == Some(peer)
    }

    /// Ends what there is, and expects this far end.
    pub fn expect(&mut self, peer: Peer, now: Instant) {
        self.association = Some(Association::new(&self.certificate, peer.0.clone(), peer.1, now));
        self.peer = Some(peer);
    }

    /// Opens it when it is ours to open and that was not done yet.
    pub fn open(&mut self, to: SocketAddr, now: Instant, out: &mut Vec<IceOutput>) {
        if let Some(association) = self.association.as_mut().filter(|a| a.next_timeout().is_none()) {
            let verdict = association.handle_timeout(to, now, out);
            self.judge(verdict, out);
        }
    }

    /// Handles a datagram that may be believed; answers go to `to`.
    pub fn handle(&mut self, datagram: &[u8], to: SocketAddr, now: Instant, out: &mut Vec<IceOutput>) {
        if let Some(association) = &mut self.association {
            let verdict = association.handle(datagram, to, now, out);
            self.judge(verdict, out);
        }
    }

    /// Does what is due at `now`: retransmissions.
    pub fn handle_timeout(&mut self, to: SocketAddr, now: Instant, out: &mut Vec<IceOutput>) {
        let due = |association: &&mut Association| association.next_timeout().is_some_and(|at| at <= now);
        if let Some(association) = self.association.as_mut().filter(due) {
            let verdict = association.handle_timeout(to, now, out);
            self.judge(verdict, out);
        }
    }

    /// When [`Self::handle_timeout`] has something to do.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.association.as_ref().and_then(Association::next_timeout)
    }

    /// Ends it: tells the far end, if it is known where that is.
    pub fn close(&mut self, to: Option<SocketAddr>, out: &mut Vec<IceOutput>) {
        if let (Some(mut association), Some(to)) = (self.association.take(), to) {
            association.close(to, out);
        }
    }

    fn judge(&mut self, verdict: Verdict, out: &mut Vec<IceOutput>) {
        match verdict {
            Verdict::GoesOn => return,
            Verdict::Spent => {}
            Verdict::Closed => {
                self.peer = None;
                out.push((self.closed)());
            }
            Verdict::Failed(why) => {
                self.peer = None;
                out.push(IceOutput::Failed(why));
            }
        }
        self.association = None;
    }
}
