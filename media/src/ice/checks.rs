//! ICE of a leg that has ports of its own (RFC 8445 §2.5): a lite agent for each of the two.
//!
//! Checks here prove addresses and nothing else: keys come by SDP, or there are none. Phones and trunks that speak ICE without
//! WebRTC need not give consent (RFC 7675), so what was chosen stays chosen until another address is nominated.

use std::net::SocketAddr;
use std::time::Instant;

use super::agent::{Agent, Change};
use super::transport::is_ice;
use super::{BadRemote, IceOutput};
use crate::control::Checks;

/// See the module.
pub struct PortChecks {
    /// For RTP and for RTCP; both have the same credentials.
    agents: [Agent; 2],
}

impl std::fmt::Debug for PortChecks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [rtp, rtcp] = self.selected();
        write!(f, "PortChecks({}, RTP {rtp:?}, RTCP {rtcp:?})", self.agents[0].ufrag())
    }
}

impl PortChecks {
    /// Whether the credentials are such (RFC 8839 §5.4).
    pub fn fits(checks: &Checks) -> Result<(), BadRemote> {
        let all = is_ice(&checks.ufrag, 4) && is_ice(&checks.pwd, 22) && is_ice(&checks.remote_ufrag, 4);
        if all { Ok(()) } else { Err(BadRemote::Credentials) }
    }

    /// Nobody has checked yet.
    pub fn new(checks: &Checks) -> Self {
        Self { agents: [(); 2].map(|()| Agent::new(checks.ufrag.clone(), checks.pwd.clone())) }
    }

    /// Whether these are its own credentials.
    pub fn is_of(&self, checks: &Checks) -> bool {
        let [rtp, _] = &self.agents;
        rtp.ufrag() == checks.ufrag && rtp.pwd() == checks.pwd
    }

    /// Takes the far end's `a=ice-ufrag`. Another one (an ICE restart) makes all addresses prove themselves again; until then
    /// packets go where they went.
    pub fn set_remote(&mut self, ufrag: &str, now: Instant, out: &mut Vec<IceOutput>) {
        for (agent, rtcp) in self.agents.iter_mut().zip([false, true]) {
            tell(agent.set_remote(ufrag, true, now), rtcp, out);
        }
    }

    /// Handles a STUN datagram that came to one of the ports.
    pub fn handle(
        &mut self,
        datagram: &[u8],
        from: SocketAddr,
        rtcp: bool,
        now: Instant,
        out: &mut Vec<IceOutput>,
    ) {
        let (answer, change) = self.agents[usize::from(rtcp)].handle(datagram, from, now);
        if let Some(bytes) = answer {
            out.push(if rtcp {
                IceOutput::SendRtcp { to: from, bytes }
            } else {
                IceOutput::Send { to: from, bytes }
            });
        }
        tell(change, rtcp, out);
    }

    /// Where RTP and RTCP go, as far as checks have shown it.
    pub fn selected(&self) -> [Option<SocketAddr>; 2] {
        let [rtp, rtcp] = &self.agents;
        [rtp.selected(), rtcp.selected()]
    }
}

fn tell(change: Option<Change>, rtcp: bool, out: &mut Vec<IceOutput>) {
    if let Some(Change::Selected(addr)) = change {
        out.push(if rtcp { IceOutput::SelectedRtcp(addr) } else { IceOutput::Selected(addr) });
    }
}

#[cfg(test)]
mod tests {
    use super::super::peer::{address, start};
    use super::super::stun::{Answer, BINDING_REQUEST, PRIORITY, USE_CANDIDATE, USERNAME};
    use super::*;

    fn ours(remote_ufrag: &str) -> Checks {
        Checks { ufrag: "ourufrag".into(), pwd: "p".repeat(24), remote_ufrag: remote_ufrag.into() }
    }

    fn check(pwd: &str, remote_ufrag: &str) -> Vec<u8> {
        let mut request = Answer::new(BINDING_REQUEST, b"transaction!");
        request.attribute(USERNAME, format!("ourufrag:{remote_ufrag}").as_bytes());
        request.attribute(PRIORITY, &[0, 0, 1, 0]);
        request.attribute(0x802a, &[7; 8]);
        request.attribute(USE_CANDIDATE, &[]);
        request.integrity(pwd);
        request.finish()
    }

    /// MEDIA-12: each port believes whom a check with its password proved there, and a stranger's check proves nothing.
    #[test]
    fn each_port_has_checks_of_its_own() {
        let (mut leg, now) = (PortChecks::new(&ours("them")), start());
        let mut out = Vec::new();
        leg.set_remote("them", now, &mut out);
        let (far, far_rtcp) = (address("198.51.100.7:50000"), address("198.51.100.7:50001"));
        leg.handle(&check("wrong-password-of-some-length", "them"), far, false, now, &mut out);
        assert!(matches!(out.as_slice(), [IceOutput::Send { .. }]), "a refusal: {out:?}");
        assert_eq!(leg.selected(), [None, None]);
        out.clear();
        leg.handle(&check(&"p".repeat(24), "them"), far, false, now, &mut out);
        assert!(
            matches!(out.as_slice(), [IceOutput::Send { to, .. }, IceOutput::Selected(at)] if *to == far && *at == far)
        );
        assert_eq!(leg.selected(), [Some(far), None]);
        out.clear();
        leg.handle(&check(&"p".repeat(24), "them"), far_rtcp, true, now, &mut out);
        assert!(matches!(out.as_slice(), [IceOutput::SendRtcp { to, .. }, IceOutput::SelectedRtcp(at)]
                if *to == far_rtcp && *at == far_rtcp));
        assert_eq!(leg.selected(), [Some(far), Some(far_rtcp)]);
    }

    #[test]
    fn after_a_restart_only_new_checks_move_it() {
        let (mut leg, now) = (PortChecks::new(&ours("them")), start());
        let (old, new) = (address("198.51.100.7:50000"), address("203.0.113.9:50001"));
        let mut out = Vec::new();
        leg.set_remote("them", now, &mut out);
        leg.handle(&check(&"p".repeat(24), "them"), old, false, now, &mut out);
        leg.set_remote("then", now, &mut out);
        assert_eq!(leg.selected()[0], Some(old), "until the far end checks anew");
        leg.handle(&check(&"p".repeat(24), "them"), new, false, now, &mut out);
        assert_eq!(leg.selected()[0], Some(old));
        leg.handle(&check(&"p".repeat(24), "then"), new, false, now, &mut out);
        assert_eq!(leg.selected()[0], Some(new));
    }
}
