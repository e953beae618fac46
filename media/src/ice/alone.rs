//! DTLS of a leg that has a port of its own and no ICE: the keys of phones and trunks that speak `UDP/TLS/RTP/SAVP`.
//!
//! Without connectivity checks there is no proof of an address but the leg's own rule (`leg::Latch`): the caller hands in only
//! datagrams from addresses that it admits, and says where our own flights begin. What a stranger could reach by being faster
//! is a handshake that fails, never keys: those come only after the announced certificate was shown.

use std::net::SocketAddr;
use std::time::Instant;

use super::certificate::{Certificate, Fingerprint};
use super::handshake::Handshake;
use super::{BadRemote, IceOutput};

/// See the module.
pub struct DtlsTransport {
    handshake: Handshake,
    /// Where our flights go.
    to: Option<SocketAddr>,
}

impl std::fmt::Debug for DtlsTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DtlsTransport(to {:?})", self.to)
    }
}

impl DtlsTransport {
    /// Nothing is known of the far end yet.
    pub fn new(certificate: Certificate) -> Self {
        let closed = || IceOutput::Failed("the far end ended the DTLS association".into());
        Self { handshake: Handshake::new(certificate, closed), to: None }
    }

    /// Takes the far end's `a=fingerprint`, whether we open the handshake (`a=setup:active` on our side), and where it is
    /// expected; `None`: where its first datagram comes from.
    ///
    /// Repeating what is known changes nothing. Another fingerprint, role or address ends the association and begins a new
    /// one (RFC 8842 §4).
    pub fn set_remote(
        &mut self,
        fingerprint: &str,
        active: bool,
        to: Option<SocketAddr>,
        now: Instant,
        out: &mut Vec<IceOutput>,
    ) -> Result<(), BadRemote> {
        let peer = (Fingerprint::parse(fingerprint).ok_or(BadRemote::Fingerprint)?, active);
        if !self.handshake.is_with(&peer) {
            self.handshake.expect(peer, now);
            self.to = to;
        }
        self.to = self.to.or(to);
        if let Some(to) = self.to {
            self.handshake.open(to, now, out);
        }
        Ok(())
    }

    /// Handles a datagram of a handshake from an address that the leg admits; answers go there.
    pub fn handle(&mut self, datagram: &[u8], from: SocketAddr, now: Instant, out: &mut Vec<IceOutput>) {
        self.to = Some(from);
        self.handshake.handle(datagram, from, now, out);
    }

    /// Does what is due at `now`: retransmissions.
    pub fn handle_timeout(&mut self, now: Instant, out: &mut Vec<IceOutput>) {
        if let Some(to) = self.to {
            self.handshake.handle_timeout(to, now, out);
        }
    }

    /// When [`Self::handle_timeout`] has something to do; may change with every call.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.to.and_then(|_| self.handshake.next_timeout())
    }

    /// Ends the association: tells the far end, if it is there.
    pub fn close(&mut self, out: &mut Vec<IceOutput>) {
        self.handshake.close(self.to, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::SrtpKey;
    use std::time::Duration;

    /// Two far ends of each other; what they say travels at once.
    struct World {
        now: Instant,
        ends: [DtlsTransport; 2],
        told: [Vec<IceOutput>; 2],
    }

    const ADDRS: [&str; 2] = ["192.0.2.1:4000", "192.0.2.2:5000"];

    impl World {
        #[expect(
            clippy::disallowed_methods,
            reason = "the library counts in Instant, which only a clock makes"
        )]
        fn new() -> (Self, [Certificate; 2]) {
            let certificates = [0, 1].map(|_| Certificate::generate().unwrap());
            let ends = certificates.clone().map(DtlsTransport::new);
            (Self { now: Instant::now(), ends, told: [Vec::new(), Vec::new()] }, certificates)
        }
        fn expect(&mut self, end: usize, print: &str, active: bool) {
            let to = Some(ADDRS[1 - end].parse().unwrap());
            let mut out = Vec::new();
            self.ends[end].set_remote(print, active, to, self.now, &mut out).unwrap();
            self.carry(end, out);
        }
        fn carry(&mut self, from: usize, outputs: Vec<IceOutput>) {
            for output in outputs {
                let IceOutput::Send { to, bytes } = output else {
                    self.told[from].push(output);
                    continue;
                };
                assert_eq!(to, ADDRS[1 - from].parse().unwrap());
                let mut out = Vec::new();
                self.ends[1 - from].handle(&bytes, ADDRS[from].parse().unwrap(), self.now, &mut out);
                self.carry(1 - from, out);
            }
        }
        fn pass(&mut self, time: Duration) {
            let end_of_time = self.now + time;
            while self.now < end_of_time {
                self.now += Duration::from_millis(50);
                for end in [0, 1] {
                    let mut out = Vec::new();
                    self.ends[end].handle_timeout(self.now, &mut out);
                    self.carry(end, out);
                }
            }
        }
        fn keys(&self, end: usize) -> Option<(&SrtpKey, &SrtpKey)> {
            self.told[end].iter().find_map(|told| match told {
                IceOutput::Keys { send, receive } => Some((send, receive)),
                _ => None,
            })
        }
    }

    /// MEDIA-01: two ends without ICE agree on keys, whoever opens, and each has the other's.
    #[test]
    fn keys_come_without_ice_in_both_roles() {
        for active in [0, 1] {
            let (mut world, certificates) = World::new();
            for end in [1 - active, active] {
                let print = certificates[1 - end].fingerprint().to_string();
                world.expect(end, &print, end == active);
            }
            world.pass(Duration::from_secs(3));
            let (ours, theirs) = (world.keys(0).expect("keys"), world.keys(1).expect("keys"));
            assert_eq!((ours.0, ours.1), (theirs.1, theirs.0));
        }
    }

    /// MEDIA-01: a certificate that was not announced brings no keys.
    #[test]
    fn a_stranger_with_another_certificate_gets_no_keys() {
        let (mut world, certificates) = World::new();
        let other = Certificate::generate().unwrap().fingerprint().to_string();
        world.expect(1, &certificates[0].fingerprint().to_string(), false);
        world.expect(0, &other, true);
        world.pass(Duration::from_secs(3));
        assert!(world.keys(0).is_none());
        assert!(
            world.told[0]
                .iter()
                .any(|told| matches!(told, IceOutput::Failed(why) if why.contains("announced")))
        );
    }
}
