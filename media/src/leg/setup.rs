//! Applying what was negotiated: checked in full first, so that a refused setup leaves the leg as it was (MEDIA-13).

use std::net::{IpAddr, SocketAddr};

use model::time::Timestamp;

use super::incoming::Accepts;
use super::passing::Passes;
use super::protection::Keyed;
use super::{Door, Latch, Leg, Outbox, Protection, Terms, Wire};
use crate::control::{Checks, Event, Format, Latching, LegSetup, MediaError, Security};
use crate::dtmf;
use crate::ice::{DtlsTransport, IceOutput, PortChecks};

/// Formats a far end may send at most; more is no phone.
pub(super) const FORMATS_MAX: usize = 16;

impl Leg {
    /// Takes over what was negotiated; may be repeated.
    pub fn configure(&mut self, setup: LegSetup, now: Timestamp, out: &mut Outbox) -> Result<(), MediaError> {
        check(&setup, self.is_ice())?;
        let to = setup.remote.filter(|addr| is_somewhere(*addr) && setup.latching != Latching::Any);
        let keyed = self.secure(&setup.security, to, now, out)?;
        self.check_by(setup.checks.as_deref(), now, out);
        if !matches!(setup.security, Security::DtlsAlone { .. }) {
            self.dtls = None;
        }
        match (keyed, &setup.security) {
            (Some(keyed), _) => self.protection.rekey(keyed),
            (None, Security::None) => self.protection = Protection::Plain,
            // Keys of a handshake stay until the next handshake brings others.
            (None, _) if matches!(self.protection, Protection::Keyed(_)) => {}
            (None, _) => self.protection = Protection::Waiting,
        }
        if !self.is_ice() {
            let remote = setup.remote.filter(|addr| is_somewhere(*addr));
            let rtcp = setup.remote_rtcp.filter(|addr| is_somewhere(*addr));
            let new = match setup.checks {
                Some(_) => Some(Latch::by_checks(setup.rtcp_mux)),
                None => remote.map(|_| Latch::new(setup.latching, remote, rtcp, setup.rtcp_mux)),
            };
            self.nowhere = new.is_none();
            // Held with an address of zeros, the leg keeps what it learnt: the same address comes back with the call.
            if let Some(new) = new {
                self.latch = self.latch.clone().renegotiated(new);
            }
            let chosen = self.checks.as_ref().map_or([None, None], |checks| checks.selected());
            for (addr, rtcp) in chosen.into_iter().zip([false, true]) {
                addr.into_iter().for_each(|addr| self.latch.chosen(addr, rtcp));
            }
        }
        if self.setup.as_ref().map(|old| (old.send, old.shape)) != Some((setup.send, setup.shape)) {
            let passed = setup.passed.first().map(|passed| passed.clock_hz);
            if let Some(clock_hz) = setup.send.map(|send| send.codec.clock_hz()).or(passed) {
                self.outgoing.set_clock(clock_hz);
            }
            self.outgoing.interrupted();
            self.voice = None;
            self.mixed = None;
            if let Some(send) = setup.send {
                self.play_in(send);
            }
        }
        let clock_of = |setup: &LegSetup| setup.events.map(|events| events.clock_hz);
        if self.setup.as_ref().and_then(clock_of) != clock_of(&setup) {
            self.events_in = dtmf::Receiver::new(clock_of(&setup).unwrap_or(8_000));
        }
        self.accepts = Accepts::new(&setup.receive);
        self.passes = Passes::new(&setup.passed);
        self.configure_video(&setup);
        let (events, overhear) = (setup.events.is_some(), setup.overhear);
        self.expect_packets(setup.direction, now);
        self.terms = Some(Terms::of(&setup));
        self.setup = Some(setup);
        if events {
            (self.overheard, self.overhears) = (None, false);
        } else if overhear {
            self.overhear(false).map_err(|why| MediaError::BadSetup(why.to_string()))?;
        }
        Ok(())
    }

    /// Takes over the checks of a leg with ports of its own. Its agents stay where our credentials are the same.
    fn check_by(&mut self, wanted: Option<&Checks>, now: Timestamp, out: &mut Outbox) {
        self.checks = wanted.map(|wanted| {
            let known = self.checks.take().filter(|checks| checks.is_of(wanted));
            let mut checks = known.unwrap_or_else(|| Box::new(PortChecks::new(wanted)));
            checks.set_remote(&wanted.remote_ufrag, self.clock.instant(now), &mut out.ice);
            checks
        });
    }

    /// Prepares what the negotiated security needs; changes only ICE, and that only when nothing can fail any more.
    fn secure(
        &mut self,
        security: &Security,
        to: Option<SocketAddr>,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Result<Option<Keyed>, MediaError> {
        let bad = |why: String| MediaError::BadSetup(why);
        match (security, &mut self.ice) {
            (Security::None, None) => Ok(None),
            (Security::Sdes { send, receive }, None) => {
                Protection::check(send, receive).map(Some).map_err(|why| bad(why.to_string()))
            }
            (Security::Dtls { remote_ufrag, remote_pwd, remote_fingerprint, active }, Some(ice)) => {
                let instant = self.clock.instant(now);
                ice.set_remote(remote_ufrag, remote_pwd, remote_fingerprint, *active, instant, &mut out.ice)
                    .map(|()| None)
                    .map_err(|why| bad(why.to_string()))
            }
            (Security::DtlsAlone { remote_fingerprint, active }, None) => {
                let certificate = self.certificate.as_ref();
                let certificate = certificate.ok_or_else(|| bad("the leg has no certificate".into()))?;
                let mut dtls =
                    self.dtls.take().unwrap_or_else(|| Box::new(DtlsTransport::new(certificate.clone())));
                let instant = self.clock.instant(now);
                let set = dtls.set_remote(remote_fingerprint, *active, to, instant, &mut out.ice);
                self.dtls = Some(dtls);
                set.map(|()| None).map_err(|why| bad(why.to_string()))
            }
            (Security::Dtls { .. }, None) => Err(bad("DTLS with ICE needs a leg made for ICE".into())),
            (_, Some(_)) => Err(bad("a leg made for ICE needs DTLS".into())),
        }
    }

    /// Does what ICE and DTLS want; empties `out.ice`.
    pub fn apply_ice(&mut self, now: Timestamp, wire: &mut dyn Wire, out: &mut Outbox) {
        while !out.ice.is_empty() {
            // Handshakes are rare; their order matters, so the front is taken.
            match out.ice.remove(0) {
                IceOutput::Send { to, bytes } => put(wire, Door::Rtp, to, &bytes),
                IceOutput::SendRtcp { to, bytes } => put(wire, Door::Rtcp, to, &bytes),
                IceOutput::SelectedRtcp(addr) => self.latch.chosen(addr, true),
                IceOutput::Selected(addr) if self.checks.is_some() => self.latch.chosen(addr, false),
                IceOutput::Selected(addr) => {
                    self.latch.verified_by_ice(addr);
                    self.consent_lost = false;
                }
                IceOutput::Keys { send, receive } => match Protection::check(&send, &receive) {
                    Ok(keyed) => {
                        self.protection.rekey(keyed);
                        out.events.push(Event::Secured { leg: self.id });
                    }
                    Err(why) => {
                        out.events.push(Event::SecureFailed { leg: self.id, why: why.to_string() });
                    }
                },
                IceOutput::Failed(why) => {
                    self.protection = Protection::Waiting;
                    out.events.push(Event::SecureFailed { leg: self.id, why });
                }
                IceOutput::ConsentLost => self.consent_is_lost(out),
                IceOutput::Closed => {
                    self.protection = Protection::Waiting;
                    self.consent_is_lost(out);
                }
            }
        }
        let _ = now;
    }
}

fn put(wire: &mut dyn Wire, door: Door, to: SocketAddr, bytes: &[u8]) {
    wire.put(door, to, &mut |room| {
        let Some(place) = room.get_mut(..bytes.len()) else { return 0 };
        place.copy_from_slice(bytes);
        bytes.len()
    });
}

/// What no setup may say.
fn check(setup: &LegSetup, ice: bool) -> Result<(), MediaError> {
    let bad = |why: String| Err(MediaError::BadSetup(why));
    for count in [setup.receive.len(), setup.passed.len()] {
        if count > FORMATS_MAX {
            return bad(format!("{count} formats are more than {FORMATS_MAX}"));
        }
    }
    let events = setup.events.map(|events| events.payload_type);
    let types = setup.receive.iter().map(|format| format.payload_type);
    let sent = setup.send.map(|send| send.payload_type);
    let passed = setup.passed.iter().map(|passed| passed.payload_type);
    for payload_type in types.chain(sent).chain(events).chain(passed) {
        // With the marker bit these would read as RTCP on a shared port (RFC 5761 §4).
        if payload_type > 127 || (64..=95).contains(&payload_type) {
            return bad(format!("{payload_type} is no payload type for media"));
        }
    }
    match setup.send {
        Some(Format { ptime_ms, .. }) if !(10..=60).contains(&ptime_ms) => {
            return bad(format!("a packet time of {ptime_ms} ms is outside 10 to 60 ms"));
        }
        None if setup.passed.is_empty() => return bad("there is nothing it could send".into()),
        _ => {}
    }
    if let Some(checks) = &setup.checks {
        PortChecks::fits(checks).or_else(|why| bad(why.to_string()))?;
    }
    if setup.checks.is_some() && (ice || matches!(setup.security, Security::DtlsAlone { .. })) {
        return bad("checks with DTLS need a leg made for ICE, which has its own".into());
    }
    check_passed(setup)?;
    check_video(setup)?;
    if let Some(events) = setup.events.filter(|events| !matches!(events.clock_hz, 8_000 | 16_000 | 48_000)) {
        return bad(format!("events cannot be counted at {} Hz", events.clock_hz));
    }
    let addrs = [setup.remote, setup.remote_rtcp];
    for addr in addrs.into_iter().flatten().filter(|_| !ice) {
        let broadcast = matches!(addr.ip(), IpAddr::V4(ip) if ip.is_broadcast());
        if addr.ip().is_multicast() || broadcast {
            return bad(format!("{} is not one party's address", addr.ip()));
        }
    }
    Ok(())
}

/// A payload type has one meaning, a format one payload type, and clocks are such that milliseconds can be told.
fn check_passed(setup: &LegSetup) -> Result<(), MediaError> {
    let bad = |why: String| Err(MediaError::BadSetup(why));
    let events = setup.events.map(|events| events.payload_type);
    for (n, passed) in setup.passed.iter().enumerate() {
        let earlier = setup.passed.iter().take(n);
        let understood = setup.receive.iter().chain(&setup.send).map(|format| format.payload_type);
        let mut taken = understood.chain(events).chain(earlier.clone().map(|other| other.payload_type));
        if taken.any(|payload_type| payload_type == passed.payload_type) {
            return bad(format!("payload type {} has two meanings", passed.payload_type));
        }
        if earlier.clone().any(|other| other.format == passed.format) {
            return bad(format!("format {} has two payload types", passed.format));
        }
        if !(1_000..=192_000).contains(&passed.clock_hz) {
            return bad(format!("nothing is counted at {} Hz", passed.clock_hz));
        }
    }
    Ok(())
}

/// Video has a leg of its own, and its repairs are among what is passed on.
fn check_video(setup: &LegSetup) -> Result<(), MediaError> {
    let bad = |why: String| Err(MediaError::BadSetup(why));
    let Some(video) = &setup.video else { return Ok(()) };
    if setup.send.is_some() || !setup.receive.is_empty() || setup.events.is_some() {
        return bad("a leg with video carries nothing else".into());
    }
    if !(64_000..=100_000_000).contains(&video.max_bits_per_second) {
        return bad(format!("{} bits per second are no cap for video", video.max_bits_per_second));
    }
    match video.repairs.iter().find(|format| !setup.passed.iter().any(|passed| passed.format == **format)) {
        Some(format) => bad(format!("format {format} is to repair, and is not passed on")),
        None => Ok(()),
    }
}

/// Old-style hold signals `0.0.0.0` (RFC 3264 §8.4), and a refused stream port 0: there is nowhere to send to.
fn is_somewhere(addr: SocketAddr) -> bool {
    !addr.ip().is_unspecified() && addr.port() != 0
}
