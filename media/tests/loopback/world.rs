//! A plane on the loopback, and far ends that talk to it.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::time::Duration;

use media::codec::Shape;
use media::control::{
    Answer, Command, Direction, Event, EventFormat, Format, Latching, LegCreated, LegSetup, LegStats,
    MediaError, Passed, Security, Source, SrtpKey, SrtpSuite, Transport, Video,
};
use media::driver::{DriverChoice, DriverConfig};
use media::plane::{Interface, Plane, PlaneConfig, PlaneHandle};
use media::rtp::{Header, RtpTimestamp, SeqNo, View};
use media::srtp;
use model::id::{Id, LegId};
use model::media::Codec;
use tokio::sync::mpsc;

/// Long enough for a busy machine, short enough to wait for in vain.
pub const SOON: Duration = Duration::from_secs(2);
/// How long nothing must come to be called nothing.
pub const A_WHILE: Duration = Duration::from_millis(120);

static NEXT_LEG: AtomicU64 = AtomicU64::new(1);
static NEXT_PORT: AtomicU16 = AtomicU16::new(20_000);

pub struct World {
    pub plane: Plane,
    pub media: PlaneHandle,
    pub events: mpsc::Receiver<Event>,
}

impl World {
    pub fn new(driver: DriverChoice) -> Self {
        Self::with(driver, 1, 40, Duration::from_secs(30))
    }

    pub fn with(driver: DriverChoice, threads: usize, ports: u16, media_timeout: Duration) -> Self {
        let port_min = NEXT_PORT.fetch_add(ports + ports % 2, Ordering::Relaxed);
        let here = |ip: &str| {
            let ip: IpAddr = ip.parse().unwrap();
            Interface { bind: ip, advertised: ip }
        };
        let config = PlaneConfig {
            threads,
            pin: false,
            interfaces: vec![here("127.0.0.1"), here("::1")],
            port_min,
            port_max: port_min + ports - 1,
            ice_port: Some(0),
            driver: DriverConfig {
                choice: driver,
                receive_buffers: 256,
                own_buffers: 256,
                ..DriverConfig::default()
            },
            media_timeout,
            ..PlaneConfig::default()
        };
        let plane = Plane::start(config).unwrap();
        let events = plane.events().unwrap();
        Self { media: plane.handle(), plane, events }
    }

    pub async fn create(
        &self,
        interface: &str,
        near: Option<LegId>,
    ) -> Result<(LegId, LegCreated), MediaError> {
        let leg = LegId::from_number(NEXT_LEG.fetch_add(1, Ordering::Relaxed));
        let transport = Transport::Ports { interface: interface.parse().unwrap() };
        match self.media.command(Command::CreateLeg { leg, transport, near }).await? {
            Answer::Created(created) => Ok((leg, created)),
            other => panic!("{other:?}"),
        }
    }

    /// A phone with its leg, set up as `how` says.
    pub async fn phone(&self, how: How) -> Phone {
        let (leg, created) = self.create(how.interface, None).await.unwrap();
        let phone = Phone::new(leg, created, how);
        self.configure(&phone).await.unwrap();
        phone
    }

    pub async fn configure(&self, phone: &Phone) -> Result<Answer, MediaError> {
        let setup = Box::new(phone.setup());
        self.media.command(Command::ConfigureLeg { leg: phone.leg, setup }).await
    }

    pub async fn bridge(&self, a: &Phone, b: &Phone) {
        assert_eq!(self.media.command(Command::Bridge { a: a.leg, b: b.leg }).await, Ok(Answer::Done));
    }

    pub async fn hear(&self, leg: LegId, source: Source) {
        assert_eq!(self.media.command(Command::Hear { leg, source }).await, Ok(Answer::Done));
    }

    pub async fn stats(&self, leg: LegId) -> LegStats {
        match self.media.command(Command::Stats { leg }).await {
            Ok(Answer::Stats(stats)) => *stats,
            other => panic!("{other:?}"),
        }
    }

    /// The next event that is not about the beginning of a stream, nor about what phones in tests do to ears and clocks.
    pub async fn event(&mut self) -> Option<Event> {
        loop {
            match tokio::time::timeout(SOON, self.events.recv()).await.ok()? {
                Some(Event::Started { .. } | Event::Trouble { .. }) => {}
                event => return event,
            }
        }
    }
}

/// What a phone negotiates.
#[derive(Clone, Copy)]
pub struct How {
    pub interface: &'static str,
    pub send: Format,
    pub events: Option<EventFormat>,
    pub suite: Option<SrtpSuite>,
    pub latching: Latching,
    pub direction: Direction,
    pub mux: bool,
    /// Silence may be left out of what it is sent and sends.
    pub pauses: bool,
}

pub const PCMU: Format = Format { payload_type: 0, codec: Codec::Pcmu, ptime_ms: 20 };
pub const PCMA: Format = Format { payload_type: 8, codec: Codec::Pcma, ptime_ms: 20 };
pub const OPUS: Format = Format { payload_type: 111, codec: Codec::Opus, ptime_ms: 20 };
pub const G722: Format = Format { payload_type: 9, codec: Codec::G722, ptime_ms: 20 };
pub const G729: Format = Format { payload_type: 18, codec: Codec::G729, ptime_ms: 20 };

impl Default for How {
    fn default() -> Self {
        Self {
            interface: "127.0.0.1",
            send: PCMU,
            events: Some(EventFormat { payload_type: 101, clock_hz: 8_000 }),
            suite: None,
            latching: Latching::Off,
            direction: Direction::SendRecv,
            mux: false,
            pauses: false,
        }
    }
}

/// A far end with sockets of its own.
pub struct Phone {
    pub leg: LegId,
    pub how: How,
    pub rtp: UdpSocket,
    pub rtcp: UdpSocket,
    pub their_rtp: SocketAddr,
    pub their_rtcp: SocketAddr,
    pub ssrc: u32,
    pub seq: u16,
    pub time: u32,
    /// Formats of its that are passed on.
    pub passed: Vec<Passed>,
    pub video: Option<Video>,
    keys: Option<(SrtpKey, SrtpKey)>,
    protect: Option<srtp::Sender>,
    open: Option<srtp::Receiver>,
}

/// A packet as a phone sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub header: Header,
    pub payload: Vec<u8>,
    pub from: SocketAddr,
}

impl Phone {
    pub fn new(leg: LegId, created: LegCreated, how: How) -> Self {
        let (rtp, rtcp) = socket_pair(how.interface);
        let key = |n: u8, suite: SrtpSuite| SrtpKey {
            suite,
            key_and_salt: (0..suite.key_and_salt_len()).map(|i| i as u8 ^ n).collect(),
        };
        let keys = how.suite.map(|suite| (key(leg.uuid().as_u128() as u8, suite), key(0x80, suite)));
        Self {
            leg,
            how,
            rtp,
            rtcp,
            their_rtp: created.rtp,
            their_rtcp: created.rtcp,
            ssrc: 0x1000 + leg.uuid().as_u128() as u32,
            seq: 65_530,
            time: u32::MAX - 500,
            passed: Vec::new(),
            video: None,
            protect: keys.as_ref().map(|(far, _)| srtp::Sender::new(far).unwrap()),
            open: keys.as_ref().map(|(_, ours)| srtp::Receiver::new(ours).unwrap()),
            keys,
        }
    }

    pub fn setup(&self) -> LegSetup {
        LegSetup {
            remote: Some(self.rtp.local_addr().unwrap()),
            remote_rtcp: Some(self.rtcp.local_addr().unwrap()),
            rtcp_mux: self.how.mux,
            send: self.video.is_none().then_some(self.how.send),
            receive: if self.video.is_none() { vec![self.how.send] } else { Vec::new() },
            passed: self.passed.clone(),
            video: self.video.clone(),
            events: self.how.events.filter(|_| self.video.is_none()),
            security: match &self.keys {
                Some((far, ours)) => Security::Sdes { send: ours.clone(), receive: far.clone() },
                None => Security::None,
            },
            direction: self.how.direction,
            latching: self.how.latching,
            shape: Shape { dtx: self.how.pauses, ..Shape::default() },
            ..LegSetup::default()
        }
    }

    pub fn packet(&mut self, payload_type: u8, marker: bool, payload: &[u8]) -> Vec<u8> {
        let header = Header {
            marker,
            payload_type,
            seq: SeqNo(self.seq),
            timestamp: RtpTimestamp(self.time),
            ssrc: self.ssrc,
        };
        let mut packet = header.octets().to_vec();
        packet.extend_from_slice(payload);
        if let Some(protect) = &mut self.protect {
            let len = packet.len();
            packet.resize(len + 32, 0);
            let len = protect.protect_rtp(&mut packet, len).unwrap();
            packet.truncate(len);
        }
        packet
    }

    /// Says one packet.
    pub fn says(&mut self, payload: &[u8]) {
        let packet = self.packet(self.how.send.payload_type, false, payload);
        self.rtp.send_to(&packet, self.their_rtp).unwrap();
        self.seq = self.seq.wrapping_add(1);
        self.time = self.time.wrapping_add(self.how.send.codec.clock_hz() / 50);
    }

    /// Says packets at the pace of speech.
    pub async fn talks(&mut self, payloads: impl IntoIterator<Item = Vec<u8>>) {
        for payload in payloads {
            self.says(&payload);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The next RTP packet.
    pub async fn hears(&mut self) -> Option<Heard> {
        self.hears_within(SOON).await
    }

    pub async fn hears_within(&mut self, wait: Duration) -> Option<Heard> {
        let (datagram, from) = datagram(&self.rtp, wait, |octets| !media::rtp::is_rtcp(octets)).await?;
        let mut packet = datagram;
        if let Some(open) = &mut self.open {
            let len = open.unprotect_rtp(&mut packet).expect("what we are sent verifies");
            packet.truncate(len);
        }
        let view = View::parse(&packet).unwrap();
        let payload = packet[view.payload_at..][..view.payload_len].to_vec();
        Some(Heard { header: view.header, payload, from })
    }

    /// Asserts that nothing comes.
    pub async fn hears_nothing(&mut self, why: &str) {
        if let Some(heard) = self.hears_within(A_WHILE).await {
            panic!("{why}, but {heard:?} came");
        }
    }

    /// Sends an RTCP compound packet.
    pub fn tells(&mut self, compound: &[u8]) {
        let mut packet = compound.to_vec();
        if let Some(protect) = &mut self.protect {
            packet.resize(compound.len() + 64, 0);
            let len = protect.protect_rtcp(&mut packet, compound.len()).unwrap();
            packet.truncate(len);
        }
        let (socket, to) =
            if self.how.mux { (&self.rtp, self.their_rtp) } else { (&self.rtcp, self.their_rtcp) };
        socket.send_to(&packet, to).unwrap();
    }

    /// The next RTCP compound packet, opened.
    pub async fn report(&mut self) -> Option<Vec<u8>> {
        self.report_within(Duration::from_secs(8)).await
    }

    pub async fn report_within(&mut self, wait: Duration) -> Option<Vec<u8>> {
        let socket = if self.how.mux { &self.rtp } else { &self.rtcp };
        let (mut packet, _) = datagram(socket, wait, media::rtp::is_rtcp).await?;
        if let Some(open) = &mut self.open {
            let len = open.unprotect_rtcp(&mut packet).expect("reports we are sent verify");
            packet.truncate(len);
        }
        Some(packet)
    }
}

async fn datagram(
    socket: &UdpSocket,
    wait: Duration,
    wanted: impl Fn(&[u8]) -> bool,
) -> Option<(Vec<u8>, SocketAddr)> {
    let mut octets = [0; 2_048];
    let deadline = tokio::time::Instant::now() + wait;
    loop {
        match socket.recv_from(&mut octets) {
            Ok((len, from)) if wanted(&octets[..len]) => return Some((octets[..len].to_vec(), from)),
            Ok(_) => {}
            Err(_) if tokio::time::Instant::now() >= deadline => return None,
            Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
}

/// Two sockets, RTP and RTCP; the system chooses the ports.
pub fn socket_pair(ip: &str) -> (UdpSocket, UdpSocket) {
    let ip: IpAddr = ip.parse().unwrap();
    let bind = || {
        let socket = UdpSocket::bind((ip, 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket
    };
    (bind(), bind())
}

/// Twenty milliseconds of G.711 that differ by `n`.
pub fn g711(n: u8) -> Vec<u8> {
    (0..160u8).map(|i| i ^ n).collect()
}
