//! One browser leg: its connectivity checks, its handshake, and what binds them.

use std::net::SocketAddr;
use std::time::Instant;

use super::agent::{Agent, Change};
use super::certificate::{Certificate, Fingerprint};
use super::handshake::Handshake;
use super::{IceOutput, Kind, classify};
use crate::control::LocalIce;

/// `ice-char` of RFC 8839 §5.4, 64 of them: six random bits each.
const ICE_CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Characters of our user fragment: 48 bits, so that legs of a port never share one.
const UFRAG: usize = 8;

/// Our `ice-ufrag` and `ice-pwd`.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// `a=ice-ufrag`; tells the legs of a port apart.
    pub ufrag: String,
    /// `a=ice-pwd`.
    pub pwd: String,
}

impl Credentials {
    /// Makes credentials from random octets, which must come from a cryptographic generator: 48 bits of name and 144 of
    /// password, where RFC 8445 §5.3 asks for 24 and 128.
    pub fn from_random(random: &[u8; 32]) -> Self {
        let chars = random.map(|octet| char::from(ICE_CHARS[usize::from(octet & 63)]));
        let (ufrag, pwd) = chars.split_at(UFRAG);
        Self { ufrag: ufrag.iter().collect(), pwd: pwd.iter().collect() }
    }
}

/// The password stays out of logs.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({}, hidden)", self.ufrag)
    }
}

/// Why the far end's parameters cannot be used; nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRemote {
    /// `a=ice-ufrag` or `a=ice-pwd` has a wrong length or characters (RFC 8839 §5.4).
    #[error("the far end's ice-ufrag or ice-pwd is not well-formed")]
    Credentials,
    /// `a=fingerprint` is none, or of a hash too weak.
    #[error("the far end's fingerprint is not one of SHA-256, SHA-384 or SHA-512")]
    Fingerprint,
}

/// ICE-lite and DTLS of one browser leg, without I/O.
pub struct BrowserTransport {
    agent: Agent,
    handshake: Handshake,
}

impl std::fmt::Debug for BrowserTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BrowserTransport({}, selected {:?})", self.agent.ufrag(), self.agent.selected())
    }
}

impl BrowserTransport {
    /// A leg that nobody has reached yet. It answers checks at once: they may come before the browser's answer does.
    pub fn new(certificate: &Certificate, credentials: Credentials) -> Self {
        Self {
            agent: Agent::new(credentials.ufrag, credentials.pwd),
            handshake: Handshake::new(certificate.clone(), || IceOutput::Closed),
        }
    }

    /// Our side for SDP, with the addresses the leg's port can be reached at.
    pub fn local(&self, candidates: Vec<SocketAddr>) -> LocalIce {
        LocalIce {
            ufrag: self.agent.ufrag().to_owned(),
            pwd: self.agent.pwd().to_owned(),
            fingerprint: self.handshake.certificate().fingerprint().to_string(),
            candidates,
        }
    }

    /// Takes the browser's `ice-ufrag`, `ice-pwd` and `fingerprint`; `active` when our side opens the handshake
    /// (`a=setup:active`). A lite agent has no use for the password beyond seeing that it is one.
    ///
    /// Repeating what is known changes nothing. Other ICE credentials (an ICE restart after a change of network) make all
    /// addresses prove themselves again. Another fingerprint or role (the page was loaded again: WRTC-02) ends the
    /// association and awaits a new one. An ICE restart alone keeps it and its keys (RFC 8842 §3.1).
    pub fn set_remote(
        &mut self,
        ufrag: &str,
        pwd: &str,
        fingerprint: &str,
        active: bool,
        now: Instant,
        out: &mut Vec<IceOutput>,
    ) -> Result<(), BadRemote> {
        if !is_ice(ufrag, 4) || !is_ice(pwd, 22) {
            return Err(BadRemote::Credentials);
        }
        let peer = (Fingerprint::parse(fingerprint).ok_or(BadRemote::Fingerprint)?, active);
        let same = self.handshake.is_with(&peer);
        let change = self.agent.set_remote(ufrag, same, now);
        if !same {
            self.handshake.expect(peer, now);
        }
        self.apply(change, out);
        self.open(now, out);
        Ok(())
    }

    /// Handles a datagram that is not RTP or RTCP.
    pub fn handle(&mut self, datagram: &[u8], from: SocketAddr, now: Instant, out: &mut Vec<IceOutput>) {
        match datagram.first().copied().map(classify) {
            Some(Kind::Stun) => {
                let (answer, change) = self.agent.handle(datagram, from, now);
                if let Some(bytes) = answer {
                    out.push(IceOutput::Send { to: from, bytes });
                }
                self.apply(change, out);
                self.open(now, out);
            }
            // Only who passed a check may speak; else anybody could win the race of the first ClientHello.
            Some(Kind::Dtls) if self.agent.is_verified(from) => {
                let to = self.agent.selected().unwrap_or(from);
                self.handshake.handle(datagram, to, now, out);
            }
            _ => {}
        }
    }

    /// Does what is due at `now`: retransmissions and the end of consent.
    pub fn handle_timeout(&mut self, now: Instant, out: &mut Vec<IceOutput>) {
        let change = self.agent.handle_timeout(now);
        self.apply(change, out);
        if let Some(to) = self.agent.selected() {
            self.handshake.handle_timeout(to, now, out);
        }
    }

    /// When [`Self::handle_timeout`] has something to do; may change with every call.
    pub fn next_timeout(&self) -> Option<Instant> {
        let handshake = self.agent.selected().and_then(|_| self.handshake.next_timeout());
        [self.agent.next_timeout(), handshake].into_iter().flatten().min()
    }

    /// Ends the leg: tells the browser, if it is there.
    pub fn close(&mut self, out: &mut Vec<IceOutput>) {
        self.handshake.close(self.agent.selected(), out);
    }

    /// Where media is to be sent, if anywhere: the address the browser nominated last.
    pub fn selected(&self) -> Option<SocketAddr> {
        self.agent.selected()
    }

    /// Whether this is the address media is sent to.
    pub fn is_selected(&self, from: SocketAddr) -> bool {
        self.agent.selected() == Some(from)
    }

    /// When the browser checked an address last that it still has.
    pub fn checked_at(&self) -> Option<Instant> {
        self.agent.checked_at()
    }

    /// Whether media from this address may be believed: it passed a check under the present credentials. Browsers may
    /// send from any such address, the selected one or not (RFC 8445 §12.2).
    pub fn is_verified(&self, from: SocketAddr) -> bool {
        self.is_selected(from) || self.agent.is_verified(from)
    }

    fn apply(&mut self, change: Option<Change>, out: &mut Vec<IceOutput>) {
        match change {
            Some(Change::Selected(address)) => out.push(IceOutput::Selected(address)),
            Some(Change::Lost) => out.push(IceOutput::ConsentLost),
            None => {}
        }
    }

    /// Opens the handshake when it is ours to open and there is an address to open it with.
    fn open(&mut self, now: Instant, out: &mut Vec<IceOutput>) {
        if let Some(to) = self.agent.selected() {
            self.handshake.open(to, now, out);
        }
    }
}

pub(super) fn is_ice(text: &str, least: usize) -> bool {
    (least..=256).contains(&text.len()) && text.bytes().all(|octet| ICE_CHARS.contains(&octet))
}
