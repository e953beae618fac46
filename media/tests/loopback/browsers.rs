//! A browser's leg: ICE, DTLS and SRTP with a whole WebRTC agent at the other end.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use media::control::{
    Answer, Command, Direction, Event, EventFormat, Format, Latching, LegCreated, LegSetup, Security,
    Transport,
};
use media::driver::DriverChoice;
use model::id::{Id, LegId};
use model::media::Codec;
use str0m::config::Fingerprint;
use str0m::media::{MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{RtpWrite, Ssrc};
use str0m::{Candidate, Event as RtcEvent, IceCreds, Input, Output, Rtc};

use crate::both_drivers;
use crate::world::{How, PCMU, SOON, World, g711, socket_pair};

both_drivers! {
    /// MEDIA-01: a browser (DTLS-SRTP, ICE-lite) and a plain trunk hear each other.
    a_browser_and_a_trunk_hear_each_other;
    two_browsers_on_one_port_are_told_apart;
}

/// Each page has a stream of its own.
static NEXT_SSRC: AtomicU32 = AtomicU32::new(0xB0B0);

/// A whole WebRTC agent with a socket.
pub struct Browser {
    rtc: Rtc,
    socket: UdpSocket,
    pub leg: LegId,
    pub connected: bool,
    /// Payloads it could open.
    pub heard: Vec<Vec<u8>>,
    seq: u64,
    ssrc: Ssrc,
    known_ssrc: Option<u32>,
}

#[expect(
    clippy::disallowed_methods,
    reason = "the agent at the other end of a real socket lives in real time"
)]
fn now() -> Instant {
    Instant::now()
}

impl Browser {
    pub fn new(leg: LegId, created: &LegCreated) -> Self {
        let (socket, _) = socket_pair("127.0.0.1");
        let ours = created.ice.clone().expect("ICE parameters");
        let mut rtc = Rtc::builder().set_rtp_mode(true).build(now());
        rtc.add_local_candidate(Candidate::host(socket.local_addr().unwrap(), "udp").unwrap()).unwrap();
        let v4 = ours.candidates.iter().find(|addr| addr.is_ipv4()).unwrap();
        rtc.add_remote_candidate(Candidate::host(*v4, "udp").unwrap());
        let mut api = rtc.direct_api();
        api.set_ice_controlling(true);
        api.set_remote_ice_credentials(IceCreds { ufrag: ours.ufrag, pass: ours.pwd });
        api.set_remote_fingerprint(ours.fingerprint.parse::<Fingerprint>().unwrap());
        api.start_dtls(true).unwrap();
        let mid = Mid::from("a");
        api.declare_media(mid, MediaKind::Audio);
        let ssrc = Ssrc::from(NEXT_SSRC.fetch_add(1, Ordering::Relaxed));
        api.declare_stream_tx(ssrc, None, mid, None);
        Self { rtc, socket, leg, connected: false, heard: Vec::new(), seq: 1, ssrc, known_ssrc: None }
    }

    pub fn setup(&mut self) -> LegSetup {
        let api = self.rtc.direct_api();
        let IceCreds { ufrag, pass } = api.local_ice_credentials();
        let opus = Format { payload_type: 111, codec: Codec::Opus, ptime_ms: 20 };
        LegSetup {
            remote: None,
            remote_rtcp: None,
            rtcp_mux: true,
            send: Some(opus),
            receive: vec![opus],
            passed: Vec::new(),
            video: None,
            events: Some(EventFormat { payload_type: 110, clock_hz: 48_000 }),
            security: Security::Dtls {
                remote_ufrag: ufrag,
                remote_pwd: pass,
                remote_fingerprint: api.local_dtls_fingerprint().to_string(),
                active: false,
            },
            direction: Direction::SendRecv,
            latching: Latching::Off,
            ..LegSetup::default()
        }
    }

    /// Lives for a moment: reads its socket, does what is due.
    pub fn live(&mut self) {
        let here = self.socket.local_addr().unwrap();
        let mut octets = [0; 2_048];
        while let Ok((len, from)) = self.socket.recv_from(&mut octets) {
            self.learn_ssrc(&octets[..len]);
            let receive = Receive::new(Protocol::Udp, from, here, &octets[..len]).unwrap();
            self.rtc.handle_input(Input::Receive(now(), receive)).unwrap();
            self.drain();
        }
        self.rtc.handle_input(Input::Timeout(now())).unwrap();
        self.drain();
    }

    /// Browsers take a stream that was not announced; this agent wants to be told.
    fn learn_ssrc(&mut self, datagram: &[u8]) {
        let media = datagram.first().is_some_and(|first| first >> 6 == 2) && !media::rtp::is_rtcp(datagram);
        if let Some(view) =
            media::rtp::View::parse(datagram).ok().filter(|_| media && self.known_ssrc.is_none())
        {
            self.known_ssrc = Some(view.header.ssrc);
            self.rtc.direct_api().expect_stream_rx(Ssrc::from(view.header.ssrc), None, Mid::from("a"), None);
        }
    }

    fn drain(&mut self) {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(_) => return,
                Output::Transmit(it) => drop(self.socket.send_to(&it.contents, it.destination)),
                Output::Event(RtcEvent::Connected) => self.connected = true,
                Output::Event(RtcEvent::RtpPacket(packet)) => self.heard.push(packet.payload.to_vec()),
                Output::Event(_) => {}
            }
        }
    }

    pub fn says(&mut self, payload: &[u8]) {
        let time = (self.seq * 960) as u32;
        let write = RtpWrite::new(111.into(), self.seq.into(), time, now(), payload.to_vec());
        self.rtc.direct_api().stream_tx(&self.ssrc).unwrap().write_rtp(write);
        self.seq += 1;
        self.live();
    }

    /// Its machine goes over to another network: another address, the same page.
    pub fn changes_network(&mut self) {
        let host = |socket: &UdpSocket| Candidate::host(socket.local_addr().unwrap(), "udp").unwrap();
        let old = host(&self.socket);
        (self.socket, _) = socket_pair("127.0.0.1");
        self.rtc.add_local_candidate(host(&self.socket)).unwrap();
        self.rtc.direct_api().invalidate_candidate(&old);
        self.live();
    }

    /// Lives until `done`, or fails.
    pub async fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let deadline = now() + SOON * 2;
        while !done(self) {
            assert!(now() < deadline, "{what}");
            self.live();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn open(world: &World, near: Option<LegId>, number: u64) -> (Browser, SocketAddr) {
    let created = create(world, near, number).await;
    (load(world, LegId::from_number(number), &created).await, created.rtp)
}

pub async fn create(world: &World, near: Option<LegId>, number: u64) -> LegCreated {
    let create = Command::CreateLeg { leg: LegId::from_number(number), transport: Transport::Ice, near };
    match world.media.command(create).await {
        Ok(Answer::Created(created)) => created,
        other => panic!("{other:?}"),
    }
}

/// A page is loaded, for the first time or again, and takes over the leg.
pub async fn load(world: &World, leg: LegId, created: &LegCreated) -> Browser {
    let mut browser = Browser::new(leg, created);
    let setup = Box::new(browser.setup());
    world.media.command(Command::ConfigureLeg { leg, setup }).await.unwrap();
    browser.until("the handshake is done", |browser| browser.connected).await;
    browser
}

/// Opus: 20 ms of silence in SILK, mono.
pub const OPUS_FRAME: [u8; 3] = [0x08, 0x0B, 0xE4];

async fn a_browser_and_a_trunk_hear_each_other(driver: DriverChoice) {
    let mut world = World::new(driver);
    let (mut agent, _) = open(&world, None, 1 << 32).await;
    assert_eq!(world.event().await, Some(Event::Secured { leg: agent.leg }));
    let mut trunk = world.phone(How { send: PCMU, ..How::default() }).await;
    world.media.command(Command::Bridge { a: agent.leg, b: trunk.leg }).await.unwrap();
    for n in 0..10 {
        trunk.says(&g711(n));
        tokio::time::sleep(Duration::from_millis(20)).await;
        agent.live();
    }
    agent.until("the trunk is heard", |agent| agent.heard.len() >= 9).await;
    for _ in 0..5 {
        agent.says(&OPUS_FRAME);
        assert_eq!(trunk.hears().await.expect("the browser is heard").payload.len(), 160);
    }
    let stats = world.stats(agent.leg).await;
    assert_eq!((stats.received.packets, stats.received.rejected), (5, 0));
    // Its voice ends with a second of silence.
    while trunk.hears_within(Duration::from_millis(500)).await.is_some() {}
    // A stranger on the shared port is nobody's.
    let (stranger, _) = socket_pair("127.0.0.1");
    let shared = world.plane.info().threads[0].shared.clone();
    stranger.send_to(&[0x80; 40], shared.iter().find(|addr| addr.is_ipv4()).unwrap()).unwrap();
    trunk.hears_nothing("nobody said anything").await;
    let dropped = world.media.counters()[0].counters.dropped;
    assert_eq!(dropped[media::leg::DropReason::NoLeg as usize], 1);
}

/// WRTC-01: a page whose microphone is closed sends nothing but checks; it is there all the same, until they stop, and again when
/// they come again.
#[tokio::test]
async fn a_browser_that_only_checks_is_not_silent() {
    let timeout = Duration::from_secs(6);
    let mut world = World::with(DriverChoice::Mmsg, 1, 40, timeout);
    let (mut agent, _) = open(&world, None, 9 << 32).await;
    assert_eq!(world.event().await, Some(Event::Secured { leg: agent.leg }));
    let until = now() + timeout * 2;
    while now() < until {
        agent.live();
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!matches!(world.events.try_recv(), Ok(Event::Silent { .. })), "it checks");
    }
    let next = tokio::time::timeout(timeout * 2, async {
        loop {
            match world.events.recv().await {
                Some(Event::Silent { leg, .. }) => return leg,
                Some(_) => {}
                None => panic!("the plane has ended"),
            }
        }
    });
    assert_eq!(next.await.expect("silence is told"), agent.leg);
    let mut back = false;
    let until = now() + timeout;
    while !back && now() < until {
        agent.live();
        tokio::time::sleep(Duration::from_millis(20)).await;
        back = matches!(world.events.try_recv(), Ok(Event::Started { leg }) if leg == agent.leg);
    }
    assert!(back, "it checks again");
}

async fn two_browsers_on_one_port_are_told_apart(driver: DriverChoice) {
    let world = World::new(driver);
    let (mut anna, at) = open(&world, None, 2 << 32).await;
    let (mut ben, same) = open(&world, None, 3 << 32).await;
    assert_eq!(at, same);
    world.media.command(Command::Bridge { a: anna.leg, b: ben.leg }).await.unwrap();
    // The same codec on both sides: relayed as it is, from SRTP to SRTP.
    for n in 0..5u8 {
        anna.says(&[0x08, n, 1]);
        ben.says(&[0x08, n, 2]);
        tokio::time::sleep(Duration::from_millis(10)).await;
        anna.live();
        ben.live();
    }
    anna.until("Ben is heard", |anna| anna.heard.len() == 5).await;
    ben.until("Anna is heard", |ben| ben.heard.len() == 5).await;
    assert_eq!(ben.heard, (0..5).map(|n| vec![0x08, n, 1]).collect::<Vec<_>>());
    assert_eq!(anna.heard, (0..5).map(|n| vec![0x08, n, 2]).collect::<Vec<_>>());
}
