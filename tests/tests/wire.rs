//! What calls take of a line: frames counted on a veth pair, in both directions, through the media plane.
#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use media::codec::{Encoder, g711};
use media::control::{Answer, Command, Direction, Format, LegSetup, Security, SrtpKey, SrtpSuite, Transport};
use media::plane::{Interface, Plane, PlaneConfig, PlaneHandle};
use media::rtp::{Header, RtpTimestamp, SeqNo};
use model::id::{Id, LegId};
use model::media::Codec;
use scenarios::namespace::Namespace;
use scenarios::pcap::{Capture, Datagram};

/// What a capture does not see of a frame: eight octets of preamble and four of check sequence.
const UNSEEN: usize = 12;
/// Packets a second.
const RATE: usize = 50;
/// Seconds of speech, sent in less.
const SECONDS: usize = 4;

/// A far end in the namespace, with its leg.
struct Party {
    socket: UdpSocket,
    leg: LegId,
    /// Where its leg listens.
    door: SocketAddr,
}

/// Payloads of 20 ms, one after the other.
type Speech = Box<dyn FnMut() -> Vec<u8> + Send>;

struct Line {
    // Dropped first: the plane's sockets are bound to the pair's addresses.
    plane: Plane,
    namespace: Namespace,
    here: IpAddr,
    there: IpAddr,
}

impl Line {
    fn new(six: bool) -> Self {
        let namespace = Namespace::new();
        let (here, there) = if six {
            (namespace.here6.into(), namespace.there6.into())
        } else {
            (namespace.here.into(), namespace.there.into())
        };
        let interfaces = vec![Interface { bind: here, advertised: here }];
        let plane = Plane::start(PlaneConfig { threads: 1, interfaces, ..PlaneConfig::default() }).unwrap();
        Self { plane, namespace, here, there }
    }

    async fn party(&self, number: u64, codec: Codec, security: Security) -> Party {
        let media = self.plane.handle();
        let leg = LegId::from_number(number);
        let socket = self.namespace.socket(SocketAddr::new(self.there, 0));
        let transport = Transport::Ports { interface: self.here };
        let created = media.command(Command::CreateLeg { leg, transport, near: None }).await.unwrap();
        let Answer::Created(created) = created else { panic!("{created:?}") };
        let remote = Some(socket.local_addr().unwrap());
        let setup = LegSetup { remote, security, direction: Direction::SendRecv, ..LegSetup::default() };
        let payload_type = codec.static_type().unwrap_or(96);
        let format = Format { payload_type, codec, ptime_ms: 20 };
        let setup = LegSetup { send: Some(format), receive: vec![format], ..setup };
        media.command(Command::ConfigureLeg { leg, setup: Box::new(setup) }).await.unwrap();
        Party { socket, leg, door: created.rtp }
    }

    /// Kilobits a second that packets of audio from `from` to `to` take, one packet each 20 ms.
    fn kbits(datagrams: &[Datagram], from: SocketAddr, to: SocketAddr) -> f64 {
        let frames: Vec<usize> =
            datagrams.iter().filter(|d| (d.from, d.to) == (from, to)).map(|d| d.frame_octets).collect();
        // A capture begins a little late, and what a transcoder holds at the end never leaves: the mean of the others counts.
        assert!(2 * frames.len() >= RATE * SECONDS, "{} packets from {from} to {to}", frames.len());
        let octets: usize = frames.iter().map(|octets| octets + UNSEEN).sum();
        (octets * RATE * 8) as f64 / frames.len() as f64 / 1_000.0
    }
}

async fn bridge(media: &PlaneHandle, a: &Party, b: &Party) {
    media.command(Command::Bridge { a: a.leg, b: b.leg }).await.unwrap();
}

/// Sends these payloads to the party's leg, in the rhythm of calls.
fn speak(party: &Party, codec: Codec, mut speech: Speech) {
    let payload_type = codec.static_type().expect("a telephone's codec");
    for n in 0..RATE * SECONDS {
        let header = Header {
            marker: n == 0,
            payload_type,
            seq: SeqNo(n as u16),
            timestamp: RtpTimestamp(n as u32 * 160),
            ssrc: 7,
        };
        let mut packet = header.octets().to_vec();
        packet.extend(speech());
        party.socket.send_to(&packet, party.door).unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Twenty milliseconds of something like a voice in mu-law: a hum in syllables, with some breath.
fn voice(n: usize) -> Vec<u8> {
    let mut noise = n as u32 + 1;
    let mut octet = |at: usize| {
        let t = (n * 160 + at) as f64 / 8_000.0;
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let hum: f64 =
            (1..12).map(|h| (t * 150.0 * f64::from(h) * std::f64::consts::TAU).sin() / f64::from(h)).sum();
        g711::encode_mu((6_000.0 * hum * (t * 12.0).sin().max(0.0)) as i16 + (noise >> 24) as i16)
    };
    (0..160).map(&mut octet).collect()
}

/// That voice in a codec.
fn speech(codec: Codec) -> Speech {
    let (mut n, mut encoder) = (0, Encoder::new(codec, 8_000).unwrap());
    Box::new(move || {
        let samples: Vec<i16> = voice(n).into_iter().map(g711::decode_mu).collect();
        n += 1;
        let mut payload = vec![0; 400];
        let len = encoder.encode(&samples, &mut payload).unwrap();
        payload.truncate(len);
        payload
    })
}

/// Both parties speak at once; what each direction took on both sides of the plane, in kbit/s: towards it and from it for the first party,
/// then for the second.
async fn measure(codecs: [Codec; 2]) -> Vec<f64> {
    let line = Line::new(false);
    let [a, b] = codecs;
    let (a, b) = (line.party(1, a, Security::None).await, line.party(2, b, Security::None).await);
    bridge(&line.plane.handle(), &a, &b).await;
    let dir = tempfile::tempdir().unwrap();
    let capture = Capture::start(dir.path(), &line.namespace.link, "udp", None);
    std::thread::scope(|scope| {
        scope.spawn(|| speak(&a, codecs[0], speech(codecs[0])));
        scope.spawn(|| speak(&b, codecs[1], speech(codecs[1])));
    });
    let datagrams = capture.stop();
    let far = |party: &Party| party.socket.local_addr().unwrap();
    [(far(&a), a.door), (a.door, far(&a)), (far(&b), b.door), (b.door, far(&b))]
        .map(|(from, to)| Line::kbits(&datagrams, from, to))
        .to_vec()
}

/// CAP-01, CAP-05, PERF-01: a G.711 call takes 90.4 kbit/s each way: 64 of speech and 66 octets of headers a packet.
#[tokio::test]
async fn a_g711_call_takes_90_4_kbits_each_way() {
    assert_eq!(measure([Codec::Pcmu; 2]).await, [90.4; 4]);
}

/// CAP-01, CAP-02, CAP-05, PERF-01: a G.729 call takes 34.4 kbit/s each way, and 400 of them 13.76 Mbit/s: where the plane passes on what
/// others encoded, and where it encodes itself.
#[tokio::test]
async fn a_g729_call_takes_34_4_kbits_each_way_and_400_of_them_13_76_mbits() {
    let each = measure([Codec::G729; 2]).await;
    assert_eq!(each, [34.4; 4]);
    assert_eq!(measure([Codec::G729, Codec::Pcmu]).await, [34.4, 34.4, 90.4, 90.4]);
    assert!((each[0] * 400.0 / 1_000.0 - 13.76).abs() < 1e-9);
}

/// CAP-03, PERF-01: audio to an agent takes at most 60 kbit/s over IPv4, encrypted with the longest tag.
#[tokio::test]
async fn encrypted_opus_to_an_agent_takes_at_most_60_kbits() {
    let kbits = to_an_agent(false).await;
    assert!((20.0..=60.0).contains(&kbits), "{kbits} kbit/s");
}

/// CAP-03, PERF-01: the same over IPv6, whose header has 20 octets more.
#[tokio::test]
async fn encrypted_opus_to_an_agent_takes_at_most_60_kbits_over_ipv6_too() {
    let kbits = to_an_agent(true).await;
    assert!((28.0..=60.0).contains(&kbits), "{kbits} kbit/s");
}

/// What a voice from a trunk takes on its way to an agent, in kbit/s.
async fn to_an_agent(six: bool) -> f64 {
    let line = Line::new(six);
    let key = SrtpKey { suite: SrtpSuite::AeadAes128Gcm, key_and_salt: (0..28).collect() };
    let secure = Security::Sdes { send: key.clone(), receive: key };
    let trunk = line.party(1, Codec::Pcmu, Security::None).await;
    let agent = line.party(2, Codec::Opus, secure).await;
    bridge(&line.plane.handle(), &trunk, &agent).await;
    let dir = tempfile::tempdir().unwrap();
    let capture = Capture::start(dir.path(), &line.namespace.link, "udp", None);
    speak(&trunk, Codec::Pcmu, speech(Codec::Pcmu));
    let datagrams = capture.stop();
    let kbits = Line::kbits(&datagrams, agent.door, agent.socket.local_addr().unwrap());
    eprintln!("{kbits:.1} kbit/s, IPv6 {six}");
    kbits
}
