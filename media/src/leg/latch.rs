//! Whose packets a leg believes, and where it sends (MEDIA-12).
//!
//! Phones behind NAT send from another address than they signal, so we must learn it from their packets (symmetric RTP,
//! RFC 4961); whoever guesses our port could then take over the call's audio. So learning is opt-in, ends with the first packet
//! that carries proof (SRTP) or with the learning window, and afterwards nobody else is believed. During the window
//! the signalled address wins over a stranger that was faster. Nothing is sent to an address from which nothing verified
//! came, unless it was signalled and the rule trusts what is signalled.

use std::net::SocketAddr;
use std::time::Duration;

use model::time::Timestamp;

use crate::control::Latching;

/// How long the signalled address may still replace a faster stranger.
pub const LEARNING_WINDOW: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Learnt {
    addr: SocketAddr,
    /// Until then the signalled address may replace it; `None`: final.
    open_until: Option<Timestamp>,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Latch {
    rule: Latching,
    signalled: Option<SocketAddr>,
    signalled_rtcp: Option<SocketAddr>,
    mux: bool,
    learnt: Option<Learnt>,
    learnt_rtcp: Option<SocketAddr>,
}

impl Latch {
    /// A leg whose far end said it listens at `remote`, and for RTCP at `rtcp` (default: the next port; muxed: the same).
    pub fn new(rule: Latching, remote: Option<SocketAddr>, rtcp: Option<SocketAddr>, mux: bool) -> Self {
        let signalled = remote.map(canonical);
        let signalled_rtcp = rtcp.map(canonical).or_else(|| {
            let addr = signalled?;
            Some(SocketAddr::new(addr.ip(), if mux { addr.port() } else { addr.port().checked_add(1)? }))
        });
        Self { rule, signalled, signalled_rtcp, mux, learnt: None, learnt_rtcp: None }
    }

    /// A leg whose far end proves its addresses by connectivity checks, and is nowhere before.
    pub fn by_checks(mux: bool) -> Self {
        Self::new(Latching::Off, None, None, mux)
    }

    /// Goes on after a re-negotiation: what was learnt stays when the rule and the signalled addresses are the same.
    pub fn renegotiated(self, new: Self) -> Self {
        let same = self.rule == new.rule
            && self.signalled == new.signalled
            && self.signalled_rtcp == new.signalled_rtcp
            && self.mux == new.mux;
        if same { self } else { new }
    }

    /// ICE verified this address: it is where packets go, and whose packets are believed.
    pub fn verified_by_ice(&mut self, addr: SocketAddr) {
        self.learnt = Some(Learnt { addr, open_until: None });
        self.learnt_rtcp = Some(addr);
    }

    /// A check proved this address for one of the leg's two ports.
    pub fn chosen(&mut self, addr: SocketAddr, rtcp: bool) {
        if rtcp {
            self.learnt_rtcp = Some(addr);
        } else {
            self.learnt = Some(Learnt { addr, open_until: None });
        }
    }

    /// Whether an RTP packet from there may be looked at.
    pub fn admits(&self, from: SocketAddr, now: Timestamp) -> bool {
        match self.learnt {
            Some(learnt) if learnt.addr == from => true,
            Some(learnt) => {
                self.signalled == Some(from) && learnt.open_until.is_some_and(|until| now < until)
            }
            None => match self.rule {
                Latching::Off => self.signalled == Some(from),
                Latching::SameAddress | Latching::Asymmetric => {
                    self.signalled.is_some_and(|addr| addr.ip() == from.ip())
                }
                Latching::Any => true,
            },
        }
    }

    /// A packet that [`Latch::admits`] let in passed all checks. `proven`: its tag showed that it is the far end's.
    pub fn verified(&mut self, from: SocketAddr, proven: bool, now: Timestamp) {
        if !self.learns() || self.learnt.is_some_and(|learnt| learnt.addr == from && !proven) {
            return;
        }
        let is_final = proven || self.signalled == Some(from);
        if self.learnt.is_some_and(|learnt| learnt.open_until.is_none() || !is_final && learnt.addr != from) {
            return;
        }
        let open_until = (!is_final).then_some(now + LEARNING_WINDOW);
        self.learnt = Some(Learnt { addr: from, open_until });
    }

    /// Whether packets may say where the far end is.
    fn learns(&self) -> bool {
        matches!(self.rule, Latching::SameAddress | Latching::Any)
    }

    /// Where RTP goes; `None` as long as no address is trusted.
    pub fn rtp_to(&self) -> Option<SocketAddr> {
        match (self.learnt, self.rule) {
            (Some(learnt), _) => Some(learnt.addr),
            // Behind NAT the signalled address is somebody else's, if anybody's.
            (None, Latching::Any) => None,
            (None, Latching::Off | Latching::Asymmetric | Latching::SameAddress) => self.signalled,
        }
    }

    /// The one address packets come from and go to, once nothing can change it any more but an order.
    pub fn settled(&self, now: Timestamp) -> Option<SocketAddr> {
        match (self.learnt, self.rule) {
            (Some(learnt), _) => learnt.open_until.is_none_or(|until| now >= until).then_some(learnt.addr),
            (None, Latching::Off) => self.signalled,
            (None, Latching::Asymmetric | Latching::SameAddress | Latching::Any) => None,
        }
    }

    /// Whether an RTCP packet from there may be looked at. `shared`: it came to the RTP port.
    pub fn admits_rtcp(&self, from: SocketAddr, shared: bool, now: Timestamp) -> bool {
        if shared {
            return self.mux && self.admits(from, now);
        }
        match (self.learnt_rtcp, self.rule) {
            (Some(addr), _) => addr == from,
            (None, Latching::Off) => self.signalled_rtcp == Some(from),
            (None, Latching::Asymmetric) => self.signalled_rtcp.is_some_and(|addr| addr.ip() == from.ip()),
            // Reports are believed only from the host that sends the audio.
            (None, Latching::SameAddress | Latching::Any) => {
                self.learnt.is_some_and(|learnt| learnt.addr.ip() == from.ip())
            }
        }
    }

    /// An RTCP packet passed all checks.
    pub fn verified_rtcp(&mut self, from: SocketAddr, shared: bool) {
        if !shared && self.learns() && self.learnt_rtcp.is_none() {
            self.learnt_rtcp = Some(from);
        }
    }

    /// Where RTCP goes.
    pub fn rtcp_to(&self) -> Option<SocketAddr> {
        if self.mux {
            return self.rtp_to();
        }
        match (self.learnt_rtcp, self.rule) {
            (Some(addr), _) => Some(addr),
            (None, Latching::Any) => None,
            (None, Latching::Off | Latching::Asymmetric | Latching::SameAddress) => self.signalled_rtcp,
        }
    }

    /// Whether RTCP travels on the RTP port.
    pub const fn mux(&self) -> bool {
        self.mux
    }
}

/// `::ffff:192.0.2.1` and `192.0.2.1` are one address, and sockets see the latter.
fn canonical(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip().to_canonical(), addr.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }
    fn at(ms: u64) -> Timestamp {
        Timestamp::from_millis(ms)
    }
    fn latch(rule: Latching) -> Latch {
        Latch::new(rule, Some(addr("192.0.2.1:4000")), None, false)
    }

    #[test]
    fn without_latching_only_the_signalled_address_and_port_is_believed() {
        let mut latch = latch(Latching::Off);
        assert!(latch.admits(addr("192.0.2.1:4000"), at(0)));
        assert!(!latch.admits(addr("192.0.2.1:4002"), at(0)));
        latch.verified(addr("192.0.2.9:4000"), false, at(0));
        assert_eq!(latch.rtp_to(), Some(addr("192.0.2.1:4000")));
        assert_eq!(latch.rtcp_to(), Some(addr("192.0.2.1:4001")));
        assert!(latch.admits_rtcp(addr("192.0.2.1:4001"), false, at(0)));
        assert!(!latch.admits_rtcp(addr("192.0.2.1:4000"), false, at(0)));
        assert!(!latch.admits_rtcp(addr("192.0.2.1:4000"), true, at(0)), "not muxed");
    }

    #[test]
    fn behind_a_nat_that_keeps_the_address_any_port_may_come_first_and_then_no_other() {
        let mut latch = latch(Latching::SameAddress);
        assert!(!latch.admits(addr("192.0.2.2:4000"), at(0)));
        assert!(latch.admits(addr("192.0.2.1:61000"), at(0)));
        latch.verified(addr("192.0.2.1:61000"), false, at(0));
        assert_eq!(latch.rtp_to(), Some(addr("192.0.2.1:61000")));
        assert!(!latch.admits(addr("192.0.2.1:61002"), at(10)));
    }

    /// MEDIA-12: a stranger that is faster loses to the signalled address within the window, and nobody wins after it.
    #[test]
    fn a_faster_stranger_loses_to_the_signalled_address_within_the_window_only() {
        let (stranger, phone) = (addr("198.51.100.6:9"), addr("192.0.2.1:4000"));
        let mut latch = latch(Latching::Any);
        assert_eq!(latch.rtp_to(), None, "nothing is sent before something verified came");
        assert!(latch.admits(stranger, at(0)));
        latch.verified(stranger, false, at(0));
        assert!(latch.admits(phone, at(1_999)) && !latch.admits(addr("198.51.100.7:9"), at(1)));
        let mut late = latch.clone();
        assert!(!late.admits(phone, at(2_000)), "the window is over");
        late.verified(stranger, false, at(2_001));
        assert_eq!(late.rtp_to(), Some(stranger));
        latch.verified(phone, false, at(1_999));
        assert_eq!(latch.rtp_to(), Some(phone));
        assert!(!latch.admits(stranger, at(1_999)));
    }

    /// MEDIA-12: a packet with proof closes the learning at once.
    #[test]
    fn a_packet_with_a_right_tag_ends_the_learning() {
        let far = addr("203.0.113.5:7000");
        let mut latch = latch(Latching::Any);
        latch.verified(far, true, at(0));
        assert!(!latch.admits(addr("192.0.2.1:4000"), at(1)), "not even the signalled address");
        assert_eq!(latch.rtp_to(), Some(far));
    }

    #[test]
    fn reports_of_a_learnt_far_end_come_from_its_host_and_then_from_one_port() {
        let mut latch = latch(Latching::Any);
        assert!(!latch.admits_rtcp(addr("203.0.113.5:7001"), false, at(0)), "no audio yet");
        latch.verified(addr("203.0.113.5:7000"), false, at(0));
        assert!(!latch.admits_rtcp(addr("203.0.113.6:7001"), false, at(0)));
        latch.verified_rtcp(addr("203.0.113.5:7001"), false);
        assert!(!latch.admits_rtcp(addr("203.0.113.5:7003"), false, at(0)));
        assert_eq!(latch.rtcp_to(), Some(addr("203.0.113.5:7001")));
    }

    /// MEDIA-12: a far end that sends from another port than it listens at is sent to where it listens, whoever comes.
    #[test]
    fn asymmetric_far_ends_are_believed_by_their_host_and_never_followed() {
        let mut latch = latch(Latching::Asymmetric);
        assert!(latch.admits(addr("192.0.2.1:61000"), at(0)) && !latch.admits(addr("192.0.2.2:4000"), at(0)));
        latch.verified(addr("192.0.2.1:61000"), true, at(0));
        assert!(latch.admits(addr("192.0.2.1:61002"), at(9_000)));
        assert_eq!(latch.rtp_to(), Some(addr("192.0.2.1:4000")));
        assert!(latch.admits_rtcp(addr("192.0.2.1:9"), false, at(0)));
        latch.verified_rtcp(addr("192.0.2.1:9"), false);
        assert_eq!((latch.rtcp_to(), latch.settled(at(9_000))), (Some(addr("192.0.2.1:4001")), None));
    }

    /// MEDIA-12: where checks prove addresses, nobody else is believed, before them or after.
    #[test]
    fn with_checks_only_who_passed_one_is_believed() {
        let (phone, stranger) = (addr("203.0.113.5:7000"), addr("203.0.113.5:7002"));
        let mut latch = Latch::by_checks(false);
        assert_eq!((latch.admits(phone, at(0)), latch.rtp_to(), latch.rtcp_to()), (false, None, None));
        latch.chosen(phone, false);
        assert!(latch.admits(phone, at(0)) && !latch.admits(stranger, at(0)));
        assert!(!latch.admits_rtcp(phone, false, at(0)), "the other port has checks of its own");
        latch.verified(stranger, true, at(0));
        assert_eq!(latch.rtp_to(), Some(phone));
        latch.chosen(addr("203.0.113.5:7001"), true);
        assert_eq!(latch.rtcp_to(), Some(addr("203.0.113.5:7001")));
        assert_eq!(latch.renegotiated(Latch::by_checks(false)).rtp_to(), Some(phone));
    }

    #[test]
    fn a_renegotiation_to_the_same_address_keeps_what_was_learnt() {
        let mut old = latch(Latching::Any);
        old.verified(addr("203.0.113.5:7000"), true, at(0));
        let kept = old.clone().renegotiated(latch(Latching::Any));
        assert_eq!(kept.rtp_to(), Some(addr("203.0.113.5:7000")));
        let moved = Latch::new(Latching::Any, Some(addr("192.0.2.44:5000")), None, false);
        assert_eq!(old.renegotiated(moved).rtp_to(), None, "a new address is learnt anew");
    }
}
