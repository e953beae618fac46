//! MEDIA-02, seen from outside: after a warm-up, the media threads of a running plane take no memory for any packet.
#![expect(clippy::unwrap_used, reason = "fixtures of tests; the lint knows only functions marked as tests")]

#[path = "counting/page.rs"]
mod page;

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::{IpAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use media::control::{
    Answer, Channel, Command, Direction, Format, Latching, LegSetup, Passed, RoomOrder, RoomRole, RoomSetup,
    Security, SrtpKey, SrtpSuite, Transport, Video,
};
use media::driver::{DriverChoice, DriverConfig};
use media::plane::{Interface, Plane, PlaneConfig, PlaneHandle};
use media::rtp::feedback::{self, Nack};
use media::rtp::{Header, RtpTimestamp, SeqNo, rtcp};
use media::srtp;
use model::id::{Id, LegId, RecordingId, RoomId};
use model::media::Codec;

/// Counts what media threads take while it is switched on.
struct Counting;

static WATCHING: AtomicBool = AtomicBool::new(false);
static TAKEN: AtomicU64 = AtomicU64::new(0);

/// Whether the calling thread is one of the plane's, by its name; asked without taking memory.
fn is_media_thread() -> bool {
    let mut name = [0u8; 16];
    // SAFETY: the kernel writes at most 16 octets, which the buffer holds.
    unsafe { libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr()) };
    name.starts_with(b"media-")
}

fn count() {
    if WATCHING.load(Ordering::Relaxed) && is_media_thread() {
        TAKEN.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: every call is passed on unchanged to the system's allocator; counting touches static numbers only.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count();
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const RTX: Passed = Passed { payload_type: 97, format: 3, clock_hz: 90_000 };

/// A far end that says the same packet again and again.
struct Party {
    leg: LegId,
    socket: UdpSocket,
    to: std::net::SocketAddr,
    protect: Option<srtp::Sender>,
    payload_type: u8,
    ticks: u32,
    payload: Vec<u8>,
    seq: u16,
    /// Our stream of video, which it has something to say about.
    sees: Option<u32>,
}

/// What a party sends.
#[derive(Clone, Copy)]
enum Carries {
    Voice(Format),
    /// A codec without a decoder.
    Passed(Passed),
    /// With its retransmissions.
    Video(Passed),
}

fn key() -> SrtpKey {
    let suite = SrtpSuite::AesCm128HmacSha1_80;
    SrtpKey { suite, key_and_salt: (0..suite.key_and_salt_len() as u8).collect() }
}

fn opus_frame() -> Vec<u8> {
    let mut opus = media::codec::Encoder::new(Codec::Opus, 8_000).unwrap();
    let mut packet = [0; 400];
    let len = opus.encode(&[1_000; 160], &mut packet).unwrap();
    packet[..len].to_vec()
}

impl Party {
    async fn join(media: &PlaneHandle, number: u64, carries: Carries, safe: bool) -> Self {
        let here: IpAddr = "127.0.0.1".parse().unwrap();
        let leg = LegId::from_number(number);
        let create = Command::CreateLeg { leg, transport: Transport::Ports { interface: here }, near: None };
        let Ok(Answer::Created(created)) = media.command(create).await else { panic!("no leg") };
        let socket = UdpSocket::bind((here, 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        let security = if safe { Security::Sdes { send: key(), receive: key() } } else { Security::None };
        let setup = LegSetup {
            remote: Some(socket.local_addr().unwrap()),
            remote_rtcp: None,
            rtcp_mux: true,
            send: if let Carries::Voice(format) = carries { Some(format) } else { None },
            receive: if let Carries::Voice(format) = carries { vec![format] } else { Vec::new() },
            passed: match carries {
                Carries::Voice(_) => Vec::new(),
                Carries::Passed(passed) => vec![passed],
                Carries::Video(vp8) => vec![vp8, RTX],
            },
            video: match carries {
                Carries::Video(_) => {
                    Some(Video { max_bits_per_second: 100_000_000, repairs: vec![RTX.format] })
                }
                _ => None,
            },
            events: None,
            security,
            direction: Direction::SendRecv,
            latching: Latching::Any,
            ..LegSetup::default()
        };
        media.command(Command::ConfigureLeg { leg, setup: Box::new(setup) }).await.unwrap();
        let payload = match carries {
            Carries::Voice(Format { codec: Codec::Opus, .. }) => opus_frame(),
            Carries::Voice(Format { codec: Codec::G729, .. }) => vec![0x55; 20],
            Carries::Video(_) => vec![0x55; 900],
            _ => vec![0x55; 160],
        };
        let (payload_type, ticks) = match carries {
            Carries::Voice(format) => (format.payload_type, format.codec.clock_hz() / 50),
            Carries::Passed(passed) | Carries::Video(passed) => (passed.payload_type, passed.clock_hz / 50),
        };
        let sees = match media.command(Command::Stats { leg }).await {
            Ok(Answer::Stats(stats)) => stats.video.map(|_| stats.sent_ssrc),
            other => panic!("{other:?}"),
        };
        let protect = safe.then(|| srtp::Sender::new(&key()).unwrap());
        Self { leg, socket, to: created.rtp, protect, payload_type, ticks, payload, seq: 1, sees }
    }

    /// A browser: a line on the shared port, keys by a handshake.
    async fn browses(media: &PlaneHandle, number: u64, opus: Format) -> Self {
        let page = page::Page::new();
        let leg = LegId::from_number(number);
        let create = Command::CreateLeg { leg, transport: Transport::Ice, near: None };
        let Ok(Answer::Created(created)) = media.command(create).await else { panic!("no leg") };
        let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        let setup = LegSetup {
            remote: None,
            remote_rtcp: None,
            rtcp_mux: true,
            send: Some(opus),
            receive: vec![opus],
            security: Security::Dtls {
                remote_ufrag: page::UFRAG.into(),
                remote_pwd: page::PWD.into(),
                remote_fingerprint: page.fingerprint.clone(),
                active: false,
            },
            direction: Direction::SendRecv,
            latching: Latching::Off,
            ..LegSetup::default()
        };
        media.command(Command::ConfigureLeg { leg, setup: Box::new(setup) }).await.unwrap();
        let key = page.connect(&socket, created.rtp, &created.ice.unwrap()).await;
        Self {
            leg,
            socket,
            to: created.rtp,
            protect: Some(srtp::Sender::new(&key).unwrap()),
            payload_type: opus.payload_type,
            ticks: opus.codec.clock_hz() / 50,
            payload: opus_frame(),
            seq: 1,
            sees: None,
        }
    }

    fn says(&mut self, packet: &mut [u8; 1_500]) {
        let header = Header {
            marker: false,
            payload_type: self.payload_type,
            seq: SeqNo(self.seq),
            timestamp: RtpTimestamp(u32::from(self.seq) * self.ticks),
            ssrc: self.leg.uuid().as_u128() as u32 + 1,
        };
        self.seq += 1;
        let mut len = 12 + self.payload.len();
        packet[..12].copy_from_slice(&header.octets());
        packet[12..len].copy_from_slice(&self.payload);
        if let Some(protect) = &mut self.protect {
            len = protect.protect_rtp(packet, len).unwrap();
        }
        self.socket.send_to(&packet[..len], self.to).unwrap();
        if let Some(ours) = self.sees.filter(|_| self.seq.is_multiple_of(8)) {
            self.complains(packet, ours, header.ssrc);
        }
        // What we are sent is read away.
        while self.socket.recv(packet).is_ok() {}
    }
}

impl Party {
    /// A picture is lost, packets are missing, and less could be taken.
    fn complains(&mut self, packet: &mut [u8; 1_500], ours: u32, ssrc: u32) {
        let report = rtcp::Report { ssrc, sender: None, block: None, cname: "far", bye: false };
        let mut len = rtcp::build(packet, &report);
        len += feedback::picture_loss(&mut packet[len..], ssrc, ours);
        let missing = [Nack { first: SeqNo(self.seq), more: 3 }; 8];
        len += feedback::nack(&mut packet[len..], ssrc, ours, &missing);
        len += feedback::bandwidth(&mut packet[len..], ssrc, ours, 500_000);
        if let Some(protect) = &mut self.protect {
            len = protect.protect_rtcp(packet, len).unwrap();
        }
        self.socket.send_to(&packet[..len], self.to).unwrap();
    }
}

/// What somebody else sends to every port: a stranger's RTP, DTLS and STUN, and nothing at all that makes sense.
const JUNK: [&[u8]; 4] = [&[0x80; 172], &[22; 60], &[0; 20], &[255; 3]];

async fn talk(parties: &mut [Party], rounds: usize) {
    let stranger = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let mut packet = [0; 1_500];
    for round in 0..rounds {
        for party in &mut *parties {
            party.says(&mut packet);
            stranger.send_to(JUNK[round % JUNK.len()], party.to).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// MEDIA-02, MEDIA-10: relay, SRTP, a browser's line, transcoding, recording, conferences, video and its feedback, and dropping
/// take no memory for a packet, and what needs no decoding goes out in the buffer it came in.
#[tokio::test]
async fn a_running_plane_takes_no_memory_for_a_packet() {
    for choice in [DriverChoice::Uring, DriverChoice::Mmsg] {
        let here: IpAddr = "127.0.0.1".parse().unwrap();
        let plane = Plane::start(PlaneConfig {
            threads: 1,
            pin: false,
            interfaces: vec![Interface { bind: here, advertised: here }],
            port_min: 24_000,
            port_max: 24_059,
            ice_port: Some(0),
            driver: DriverConfig { choice, ..DriverConfig::default() },
            ..PlaneConfig::default()
        })
        .unwrap();
        let media = plane.handle();
        let format = |codec: Codec| Format {
            payload_type: if codec == Codec::Opus { 111 } else { codec.static_type().unwrap() },
            codec,
            ptime_ms: 20,
        };
        let (mu, a, opus) = (format(Codec::Pcmu), format(Codec::Pcma), format(Codec::Opus));
        let g729 = format(Codec::G729);
        let browsers = opus;
        let mut parties = Vec::new();
        WATCHING.store(true, Ordering::SeqCst);
        let passed = Passed { payload_type: 18, format: 1, clock_hz: 8_000 };
        let vp8 = Passed { payload_type: 96, format: 2, clock_hz: 90_000 };
        let [mu, a, opus, g729] = [mu, a, opus, g729].map(Carries::Voice);
        let (passed, video) = (Carries::Passed(passed), Carries::Video(vp8));
        // Relay; SRTP to plain; mu-law to A-law; mu-law to Opus and to G.729; G.729 to Opus; a codec that is passed on; video.
        for (n, (left, right)) in [
            ((mu, false), (mu, false)),
            ((mu, true), (mu, false)),
            ((mu, false), (a, false)),
            ((mu, false), (opus, false)),
            ((mu, false), (g729, false)),
            ((g729, false), (opus, false)),
            ((passed, true), (passed, false)),
            ((video, true), (video, true)),
        ]
        .into_iter()
        .enumerate()
        {
            let n = n as u64 * 2;
            let left = Party::join(&media, n, left.0, left.1).await;
            let right = Party::join(&media, n + 1, right.0, right.1).await;
            media.command(Command::Bridge { a: left.leg, b: right.leg }).await.unwrap();
            parties.extend([left, right]);
        }
        // And a browser that talks to another Opus phone: nothing is decoded.
        let browser = Party::browses(&media, 98, browsers).await;
        let phone = Party::join(&media, 99, opus, false).await;
        media.command(Command::Bridge { a: browser.leg, b: phone.leg }).await.unwrap();
        parties.extend([browser, phone]);
        // And four in a room, each with another codec.
        let mut inside = Vec::new();
        for (n, format) in [mu, a, opus, g729].into_iter().enumerate() {
            inside.push(Party::join(&media, 100 + n as u64, format, n == 0).await);
        }
        let room = RoomId::from_number(1);
        let members = inside.iter().map(|party| (party.leg, RoomRole::Member)).collect();
        let setup = RoomSetup { parties_max: 4, speakers: 3, parties: members };
        media.command(Command::Room { room, order: RoomOrder::Open(setup) }).await.unwrap();
        WATCHING.store(false, Ordering::SeqCst);
        assert!(TAKEN.load(Ordering::SeqCst) > 0, "commands take memory, and the count sees it");
        let dir = tempfile::tempdir().unwrap();
        let recording = RecordingId::from_number(1);
        media.command(Command::StartRecording { recording, file: dir.path().join("all.pbr") }).await.unwrap();
        for (channel, party) in [(Channel::Left, &parties[0]), (Channel::Right, &parties[1])] {
            media.command(Command::Tap { recording, channel, leg: Some(party.leg) }).await.unwrap();
        }
        let conference = RecordingId::from_number(2);
        media
            .command(Command::StartRecording { recording: conference, file: dir.path().join("room.pbr") })
            .await
            .unwrap();
        let without = Some(inside[0].leg);
        let tap = Command::TapRoom { recording: conference, channel: Channel::Right, room, without };
        media.command(tap).await.unwrap();
        parties.append(&mut inside);
        talk(&mut parties, 100).await;
        let before = media.counters()[0].counters;
        TAKEN.store(0, Ordering::SeqCst);
        WATCHING.store(true, Ordering::SeqCst);
        // More than a second: reports and the look after each leg are in it.
        talk(&mut parties, 800).await;
        WATCHING.store(false, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(100)).await;
        let after = media.counters()[0].counters;
        assert_eq!(TAKEN.load(Ordering::SeqCst), 0, "{choice:?} took memory");
        let moved = after.relayed_in_place - before.relayed_in_place;
        assert!(moved >= 12 * 800, "twelve of eighteen parties are relayed in place: {moved}");
        assert!(after.transcoded - before.transcoded >= 6 * 800, "and six are transcoded");
        assert!(after.mixed - before.mixed >= 4 * 50, "four in a room are sent their mixes");
        assert_eq!(after.relayed_copies, 0);
        assert!(after.recorded - before.recorded >= 2 * 800, "two are recorded");
        let dropped = after.dropped.iter().sum::<u64>() - before.dropped.iter().sum::<u64>();
        assert!(dropped >= 14 * 800, "and everything a stranger sends is dropped: {dropped}");
    }
}
