//! Far ends for tests, and a network between them and a leg that runs on a clock of its own.
//!
//! [`Browser`] is a whole WebRTC agent by str0m: full ICE, controlling, which shares no ICE code with ours. [`Phone`]
//! sends hand-made checks and does what tests want to vary: DTLS version and role, small datagrams, silence.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dimpl::{Dtls, Output as DtlsOutput};
use str0m::config::Fingerprint as StrFingerprint;
use str0m::media::{MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{RtpWrite, Ssrc};
use str0m::{Candidate, Event, IceCreds, Input, Output, Rtc};

use super::stun::{Answer, BINDING_REQUEST, ICE_CONTROLLED, PRIORITY, USE_CANDIDATE, USERNAME};
use super::{BrowserTransport, Certificate, Credentials, Fingerprint, IceOutput, Kind, classify};
use crate::control::SrtpKey;
use crate::srtp;

pub(super) fn start() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "an instant cannot be made otherwise; tests go on from it by hand"
    )]
    Instant::now()
}

pub(super) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Where legs are reached.
pub(super) fn here() -> SocketAddr {
    address("192.0.2.1:40000")
}

pub(super) struct Datagram {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub bytes: Vec<u8>,
}

pub(super) trait Peer {
    fn receive(&mut self, datagram: &Datagram, now: Instant);
    fn tick(&mut self, now: Instant);
    fn next(&self) -> Option<Instant>;
    fn sent(&mut self) -> Vec<Datagram>;
}

/// Which datagrams do not arrive.
#[derive(Clone, Copy, Debug)]
pub(super) enum Loss {
    Never,
    /// Every n-th.
    Every(usize),
    /// So many of a hundred, by a generator with this seed.
    Percent(u64, u64),
}

/// A leg, a far end, and the way between them.
pub(super) struct World<P> {
    pub now: Instant,
    pub leg: BrowserTransport,
    pub peer: P,
    /// What is lost on the way, in both directions.
    pub loss: Loss,
    pub datagrams: usize,
    /// What the leg told, without what it sent.
    pub told: Vec<IceOutput>,
    /// RTP that came to the leg, as it came.
    pub media: Vec<Datagram>,
}

impl<P: Peer> World<P> {
    pub(super) fn new(leg: BrowserTransport, peer: P, now: Instant) -> Self {
        Self { now, leg, peer, loss: Loss::Never, datagrams: 0, told: Vec::new(), media: Vec::new() }
    }

    fn is_lost(&mut self) -> bool {
        self.datagrams += 1;
        match &mut self.loss {
            Loss::Never => false,
            Loss::Every(n) => self.datagrams.is_multiple_of(*n),
            // splitmix64: the same seed loses the same datagrams.
            Loss::Percent(percent, state) => {
                *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                (mixed ^ (mixed >> 31)) % 100 < *percent
            }
        }
    }

    pub(super) fn set_remote(&mut self, remote: &Remote, active: bool) {
        let mut out = Vec::new();
        let Remote { ufrag, pwd, fingerprint } = remote;
        self.leg.set_remote(ufrag, pwd, fingerprint, active, self.now, &mut out).unwrap();
        self.carry(out);
    }

    /// Brings what the leg put out to the far end.
    pub(super) fn carry(&mut self, out: Vec<IceOutput>) {
        for output in out {
            match output {
                IceOutput::Send { to, bytes } => {
                    if !self.is_lost() {
                        self.peer.receive(&Datagram { from: here(), to, bytes }, self.now);
                    }
                }
                told => self.told.push(told),
            }
        }
    }

    /// Delivers what is under way; tells whether there was anything.
    fn deliver(&mut self) -> bool {
        let sent = self.peer.sent();
        let moved = !sent.is_empty();
        for datagram in sent {
            if self.is_lost() {
                continue;
            }
            if classify(datagram.bytes[0]) == Kind::Media {
                self.media.push(datagram);
                continue;
            }
            let mut out = Vec::new();
            self.leg.handle(&datagram.bytes, datagram.from, self.now, &mut out);
            self.carry(out);
        }
        moved
    }

    /// Lets this much time pass, from event to event.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        let mut events = 0;
        loop {
            while self.deliver() {}
            let next = [self.leg.next_timeout(), self.peer.next()].into_iter().flatten().min().unwrap_or(end);
            if next > end {
                break;
            }
            // A due timer that stays due would turn the media thread in circles.
            events += 1;
            assert!(events < 20_000, "timers do not advance");
            self.now = next.max(self.now + Duration::from_micros(100));
            let mut out = Vec::new();
            self.leg.handle_timeout(self.now, &mut out);
            self.carry(out);
            self.peer.tick(self.now);
        }
        self.now = end;
    }

    /// The last keys the leg told.
    pub(super) fn keys(&self) -> Option<(&SrtpKey, &SrtpKey)> {
        self.told.iter().rev().find_map(|told| match told {
            IceOutput::Keys { send, receive } => Some((send, receive)),
            _ => None,
        })
    }

    pub(super) fn failure(&self) -> Option<&str> {
        self.told.iter().find_map(|told| match told {
            IceOutput::Failed(why) => Some(why.as_str()),
            _ => None,
        })
    }
}

/// The signalled parameters of a far end.
#[derive(Clone, Debug)]
pub(super) struct Remote {
    pub ufrag: String,
    pub pwd: String,
    pub fingerprint: String,
}

/// A leg with known credentials.
pub(super) fn leg(certificate: &Certificate) -> BrowserTransport {
    BrowserTransport::new(certificate, Credentials::from_random(&[0x5a; 32]))
}

/// str0m in the browser's place.
pub(super) struct Browser {
    rtc: Rtc,
    next: Option<Instant>,
    sent: Vec<Datagram>,
    pub remote: Remote,
    pub connected: bool,
    /// Payloads of RTP it could open.
    pub heard: Vec<Vec<u8>>,
}

pub(super) const BROWSER_SSRC: u32 = 0x0b0b_0b0b;
pub(super) const OUR_SSRC: u32 = 0x0a0a_0a0a;
const OPUS: u8 = 111;

impl Browser {
    /// `active`: it opens the handshake, as browsers do when we answer `setup:passive`.
    pub(super) fn new(leg: &BrowserTransport, at: SocketAddr, active: bool, now: Instant) -> Self {
        let mut rtc = Rtc::builder().set_rtp_mode(true).build(now);
        rtc.add_local_candidate(Candidate::host(at, "udp").unwrap()).unwrap();
        rtc.add_remote_candidate(Candidate::host(here(), "udp").unwrap());
        let ours = leg.local(vec![here()]);
        let mut api = rtc.direct_api();
        api.set_ice_controlling(true);
        api.set_remote_ice_credentials(IceCreds { ufrag: ours.ufrag, pass: ours.pwd });
        api.set_remote_fingerprint(ours.fingerprint.parse::<StrFingerprint>().unwrap());
        api.start_dtls(active).unwrap();
        let mid = Mid::from("a");
        api.declare_media(mid, MediaKind::Audio);
        api.declare_stream_tx(Ssrc::from(BROWSER_SSRC), None, mid, None);
        api.expect_stream_rx(Ssrc::from(OUR_SSRC), None, mid, None);
        let IceCreds { ufrag, pass } = api.local_ice_credentials();
        let remote = Remote { ufrag, pwd: pass, fingerprint: api.local_dtls_fingerprint().to_string() };
        let mut browser =
            Self { rtc, next: Some(now), sent: Vec::new(), remote, connected: false, heard: Vec::new() };
        browser.tick(now);
        browser
    }

    pub(super) fn say(&mut self, sequence: u64, payload: &[u8], now: Instant) {
        let write = RtpWrite::new(OPUS.into(), sequence.into(), 960, now, payload.to_vec());
        self.rtc.direct_api().stream_tx(&Ssrc::from(BROWSER_SSRC)).unwrap().write_rtp(write);
        self.tick(now);
    }

    fn drain(&mut self) {
        loop {
            let Ok(output) = self.rtc.poll_output() else {
                // It found fault with our handshake and is gone.
                self.next = None;
                return;
            };
            match output {
                Output::Timeout(at) => {
                    self.next = Some(at);
                    return;
                }
                Output::Transmit(it) => {
                    self.sent.push(Datagram {
                        from: it.source,
                        to: it.destination,
                        bytes: it.contents.to_vec(),
                    });
                }
                Output::Event(Event::Connected) => self.connected = true,
                Output::Event(Event::RtpPacket(packet)) => self.heard.push(packet.payload.to_vec()),
                Output::Event(_) => {}
            }
        }
    }
}

impl Peer for Browser {
    fn receive(&mut self, datagram: &Datagram, now: Instant) {
        let receive = Receive::new(Protocol::Udp, datagram.from, datagram.to, &datagram.bytes).unwrap();
        if self.rtc.handle_input(Input::Receive(now, receive)).is_ok() {
            self.drain();
        }
    }

    fn tick(&mut self, now: Instant) {
        if self.rtc.handle_input(Input::Timeout(now)).is_ok() {
            self.drain();
        }
    }

    fn next(&self) -> Option<Instant> {
        self.next
    }

    fn sent(&mut self) -> Vec<Datagram> {
        std::mem::take(&mut self.sent)
    }
}

/// What a hand-made check carries.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Check {
    pub nominates: bool,
    pub controlled: bool,
    pub priority: u32,
}

pub(super) fn check(leg: &BrowserTransport, remote_ufrag: &str, check: Check) -> Vec<u8> {
    let ours = leg.local(Vec::new());
    let mut request = Answer::new(BINDING_REQUEST, b"transaction!");
    request.attribute(USERNAME, format!("{}:{remote_ufrag}", ours.ufrag).as_bytes());
    request.attribute(PRIORITY, &check.priority.to_be_bytes());
    request.attribute(if check.controlled { ICE_CONTROLLED } else { 0x802a }, &[7; 8]);
    if check.nominates {
        request.attribute(USE_CANDIDATE, &[]);
    }
    request.integrity(&ours.pwd);
    request.finish()
}

/// Which DTLS a [`Phone`] speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V12,
    V13,
    Both,
}

/// A far end by hand: checks every 2.5 s, then DTLS by `dimpl`.
pub(super) struct Phone {
    pub at: SocketAddr,
    pub remote: Remote,
    dtls: Dtls,
    check: Vec<u8>,
    next_check: Option<Instant>,
    checked: bool,
    next_dtls: Option<Instant>,
    sent: Vec<Datagram>,
    pub keyed: Option<(Vec<u8>, dimpl::SrtpProfile)>,
    pub failed: bool,
}

impl Phone {
    pub(super) fn new(leg: &BrowserTransport, at: &str, ufrag: &str, active: bool, now: Instant) -> Self {
        Self::with(leg, at, ufrag, active, Version::V12, 1_200, now)
    }

    pub(super) fn with(
        leg: &BrowserTransport,
        at: &str,
        ufrag: &str,
        active: bool,
        version: Version,
        mtu: usize,
        now: Instant,
    ) -> Self {
        let certificate = dimpl::certificate::generate_self_signed_certificate().unwrap();
        let fingerprint = Fingerprint::of(&certificate.certificate).to_string();
        let config = dimpl::Config::builder().mtu(mtu).use_server_cookie(false).build().unwrap();
        let make = match version {
            Version::V12 => Dtls::new_12,
            Version::V13 => Dtls::new_13,
            Version::Both => Dtls::new_auto,
        };
        let mut dtls = make(Arc::new(config), certificate, now);
        dtls.set_active(active);
        Self {
            at: address(at),
            remote: Remote { ufrag: ufrag.into(), pwd: "p".repeat(22), fingerprint },
            dtls,
            check: check(leg, ufrag, Check { nominates: true, ..Check::default() }),
            next_check: Some(now),
            checked: false,
            next_dtls: None,
            sent: Vec::new(),
            keyed: None,
            failed: false,
        }
    }

    pub(super) fn stop_checking(&mut self) {
        self.next_check = None;
    }

    pub(super) fn check_again(&mut self, now: Instant) {
        self.next_check = Some(now);
    }

    /// Moves to another network: the same far end from another address.
    pub(super) fn move_to(&mut self, at: &str, now: Instant) {
        self.at = address(at);
        self.next_check = Some(now);
    }

    pub(super) fn close(&mut self) {
        self.dtls.close().unwrap();
        self.drain();
    }

    /// The SRTP keys it uses: what it sends with, and what it opens with.
    pub(super) fn keys(&self, active: bool) -> (SrtpKey, SrtpKey) {
        use crate::control::SrtpSuite;
        let (material, profile) = self.keyed.as_ref().unwrap();
        let suite = match profile {
            dimpl::SrtpProfile::AES128_CM_SHA1_80 => SrtpSuite::AesCm128HmacSha1_80,
            dimpl::SrtpProfile::AEAD_AES_128_GCM => SrtpSuite::AeadAes128Gcm,
            _ => SrtpSuite::AeadAes256Gcm,
        };
        let (key, salt) = (suite.key_len(), suite.salt_len());
        let of = |side: usize| SrtpKey {
            suite,
            key_and_salt: [
                &material[side * key..(side + 1) * key],
                &material[2 * key + side * salt..2 * key + (side + 1) * salt],
            ]
            .concat(),
        };
        if active { (of(0), of(1)) } else { (of(1), of(0)) }
    }

    fn drain(&mut self) {
        let mut buffer = vec![0; 4_096];
        loop {
            match self.dtls.poll_output(&mut buffer) {
                DtlsOutput::Packet(bytes) => {
                    self.sent.push(Datagram { from: self.at, to: here(), bytes: bytes.to_vec() });
                }
                DtlsOutput::KeyingMaterial(material, profile) => {
                    self.keyed = Some((material.to_vec(), profile))
                }
                DtlsOutput::Timeout(at) => {
                    self.next_dtls = Some(at);
                    return;
                }
                _ => {}
            }
        }
    }

    fn dtls_time(&mut self, now: Instant) {
        self.failed |= self.dtls.handle_timeout(now).is_err();
        self.drain();
    }
}

impl Peer for Phone {
    fn receive(&mut self, datagram: &Datagram, now: Instant) {
        // What is for an address it left is lost.
        if datagram.to != self.at {
            return;
        }
        match classify(datagram.bytes[0]) {
            Kind::Stun if datagram.bytes[..2] == [0x01, 0x01] => {
                if !std::mem::replace(&mut self.checked, true) {
                    self.dtls_time(now);
                }
                self.next_check = self.next_check.map(|_| now + Duration::from_millis(2_500));
            }
            Kind::Dtls => {
                self.failed |= self
                    .dtls
                    .handle_timeout(now)
                    .and_then(|()| self.dtls.handle_packet(&datagram.bytes))
                    .is_err();
                self.drain();
            }
            _ => {}
        }
    }

    fn tick(&mut self, now: Instant) {
        if self.next_check.is_some_and(|at| at <= now) {
            self.next_check = Some(now + Duration::from_millis(100));
            self.sent.push(Datagram { from: self.at, to: here(), bytes: self.check.clone() });
        }
        if self.checked && !self.failed && self.next_dtls.is_some_and(|at| at <= now) {
            self.dtls_time(now);
        }
    }

    fn next(&self) -> Option<Instant> {
        let dtls = self.next_dtls.filter(|_| self.checked && !self.failed);
        [self.next_check, dtls].into_iter().flatten().min()
    }

    fn sent(&mut self) -> Vec<Datagram> {
        std::mem::take(&mut self.sent)
    }
}

/// An RTP packet of `ssrc`.
pub(super) fn rtp(ssrc: u32, sequence: u16, payload: &[u8]) -> Vec<u8> {
    [&[0x80, OPUS][..], &sequence.to_be_bytes(), &960u32.to_be_bytes(), &ssrc.to_be_bytes(), payload].concat()
}

pub(super) fn protect(sender: &mut srtp::Sender, plain: &[u8]) -> Vec<u8> {
    let mut buf = [plain, &[0; srtp::MAX_OVERHEAD]].concat();
    let len = sender.protect_rtp(&mut buf, plain.len()).unwrap();
    buf.truncate(len);
    buf
}

pub(super) fn open(receiver: &mut srtp::Receiver, packet: &[u8]) -> Option<Vec<u8>> {
    let mut buf = packet.to_vec();
    let len = receiver.unprotect_rtp(&mut buf).ok()?;
    buf.truncate(len);
    Some(buf)
}
