//! What comes over the wire beside calls: malformed requests, unknown methods, broken streams, TLS, floods. Nothing of it
//! may disturb a call.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use model::call::CallFact;
use signaling::service::{TlsIdentity, Transport};
use support::sipp::Sipp;
use support::{House, OTHER_IP, TRUNK_IP, ip};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(5);

fn request(method: &str, call_id: &str, via: &str, from: SocketAddr) -> String {
    format!(
        "{method} sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{via} {from};branch=z9hG4bK{call_id};rport\r\n\
         From: <sip:a@test>;tag=1\r\nTo: <sip:100@127.0.0.1>\r\nCall-ID: {call_id}\r\nCSeq: 1 {method}\r\n\
         Contact: <sip:a@{from}>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
}

struct Stranger {
    socket: UdpSocket,
    house: SocketAddr,
}

impl Stranger {
    async fn at(source: &str, house: SocketAddr) -> Self {
        Self { socket: UdpSocket::bind((ip(source), 0)).await.unwrap(), house }
    }
    fn me(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }
    async fn says(&self, text: impl AsRef<[u8]>) {
        self.socket.send_to(text.as_ref(), self.house).await.unwrap();
    }
    /// The status of the next answer, with all of it.
    async fn hears(&self) -> Option<(u16, String)> {
        let mut buffer = vec![0; 65_536];
        let (len, _) = timeout(PATIENCE, self.socket.recv_from(&mut buffer)).await.ok()?.ok()?;
        let text = String::from_utf8_lossy(&buffer[..len]).into_owned();
        Some((text.split(' ').nth(1)?.parse().ok()?, text))
    }
    async fn asks(&self, text: impl AsRef<[u8]>) -> (u16, String) {
        self.says(text).await;
        self.hears().await.expect("an answer")
    }
}

/// SIP-06: what is malformed is answered or dropped and counted, and a call in progress does not notice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_requests_are_answered_and_disturb_nobody() {
    let mut house = House::open().await;
    let caller = Sipp::calls(house.path(), "caller_hangs_up", TRUNK_IP, house.at(Transport::Udp), false);
    let call = house.incoming().await;
    house.play_music(call).await;
    house.fact("the answer", |f| matches!(f, CallFact::LegAnswered { .. }).then_some(())).await;
    let stranger = Stranger::at(OTHER_IP, house.at(Transport::Udp)).await;
    let me = stranger.me();
    let good = |id: &str| request("OPTIONS", id, "UDP", me);
    assert_eq!(stranger.asks(request("DANCE", "m1", "UDP", me)).await.0, 405, "an unknown method");
    let allow = stranger.asks(request("PUBLISH", "m2", "UDP", me)).await;
    assert!(allow.0 == 405 && allow.1.contains("Allow:"), "{}", allow.1);
    assert_eq!(stranger.asks(good("m3").replace("CSeq: 1 OPTIONS", "CSeq: 1 INVITE")).await.0, 400);
    assert_eq!(stranger.asks(good("m4").replace("SIP/2.0\r\nVia", "SIP/7.0\r\nVia")).await.0, 505);
    assert_eq!(stranger.asks(good("m5").replace("Content-Length: 0", "Content-Length: 99")).await.0, 400);
    assert_eq!(stranger.asks(good("m6").replace("From: <sip:a@test>;tag=1\r\n", "")).await.0, 400);
    assert_eq!(
        stranger.asks(good("m7").replace("Max-Forwards: 70", "Require: 100rel\r\nMax-Forwards: 70")).await.0,
        420
    );
    for garbage in
        [b"\x00\x01\x02".as_slice(), b"\r\n\r\n", b"HELLO", b"SIP/2.0 200 OK\r\n\r\n", &[0xff; 2_000]]
    {
        stranger.says(garbage).await;
    }
    for method in ["BYE", "UPDATE", "INFO", "REFER"] {
        let inside = request(method, &format!("m8{method}"), "UDP", me)
            .replace("To: <sip:100@127.0.0.1>", "To: <sip:100@127.0.0.1>;tag=none");
        assert_eq!(stranger.asks(inside).await.0, 481, "{method} in no dialog");
    }
    assert_eq!(stranger.asks(request("CANCEL", "m9", "UDP", me)).await.0, 481);
    assert_eq!(
        stranger.asks(request("REFER", "m9r", "UDP", me)).await.0,
        403,
        "nobody is called for a stranger"
    );
    assert_eq!(stranger.asks(good("m10")).await.0, 200);
    assert!(house.counted("sip_malformed_answered_total") >= 4);
    assert!(house.counted("sip_malformed_dropped_total") >= 2);
    house.ended().await;
    caller.succeeds().await;
}

/// SAFE-02: a flood from one address is cut; the trunk's call comes through all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_a_stranger_does_not_cost_the_trunk_its_call() {
    let mut house = House::open().await;
    let stranger = Stranger::at(OTHER_IP, house.at(Transport::Udp)).await;
    for n in 0..2_000 {
        stranger.says(request("INVITE", &format!("flood{n}"), "UDP", stranger.me())).await;
    }
    let caller = Sipp::calls(house.path(), "caller_refused_404", TRUNK_IP, house.at(Transport::Udp), false);
    let interaction = house.incoming().await;
    let why = model::call::Rejection::UnknownNumber;
    house.order(model::call::CallOrder::Reject { interaction, why }).await;
    house.ended().await;
    caller.succeeds().await;
    // How many of them the kernel could keep for us depends on the machine.
    let limited = house.counted("sip_source_limited_total");
    assert!(limited > 100, "{limited}");
    assert!(house.counted("sip_challenged_total") <= 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ipv6_is_listened_to_beside_ipv4() {
    let house = House::open().await;
    let v6 = house.handle.listeners().iter().find(|l| l.bound.is_ipv6()).unwrap().bound;
    let stranger = Stranger::at("::1", v6).await;
    let (status, text) = stranger.asks(request("OPTIONS", "six", "UDP", stranger.me())).await;
    assert_eq!(status, 200, "{text}");
}

/// The first answer on a stream.
async fn hears(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut buffer = vec![0; 16_384];
    let mut text = String::new();
    while !text.contains("\r\n\r\n") {
        let len = timeout(PATIENCE, stream.read(&mut buffer)).await.expect("an answer").unwrap();
        if len == 0 {
            break;
        }
        text.push_str(&String::from_utf8_lossy(&buffer[..len]));
    }
    text
}

async fn asks_options(mut stream: impl AsyncRead + AsyncWrite + Unpin, via: &str, me: SocketAddr) {
    // In pieces, and two at once: a stream has no edges.
    let two = request("OPTIONS", "s1", via, me) + &request("OPTIONS", "s2", via, me);
    let (first, second) = two.split_at(100);
    stream.write_all(first.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    stream.write_all(second.as_bytes()).await.unwrap();
    // The answers come in one piece or in two, and in any order.
    let mut text = String::new();
    while text.matches("CSeq:").count() < 2 {
        let more = hears(&mut stream).await;
        assert!(!more.is_empty(), "the stream was closed after {text}");
        text += &more;
    }
    assert_eq!(text.matches("SIP/2.0 200").count(), 2, "{text}");
    stream.write_all(b"\r\n\r\n").await.unwrap();
    let mut pong = [0; 2];
    timeout(PATIENCE, stream.read_exact(&mut pong)).await.unwrap().unwrap();
    assert_eq!(&pong, b"\r\n", "a ping is answered (RFC 5626 §4.4.1)");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_are_cut_into_messages_and_closed_when_their_framing_is_lost() {
    let house = House::open().await;
    let stream = TcpStream::connect(house.at(Transport::Tcp)).await.unwrap();
    let me = stream.local_addr().unwrap();
    asks_options(stream, "TCP", me).await;
    let mut lost = TcpStream::connect(house.at(Transport::Tcp)).await.unwrap();
    let me = lost.local_addr().unwrap();
    let broken = request("OPTIONS", "s3", "TCP", me).replace("Content-Length: 0", "Content-Length: -5");
    lost.write_all(broken.as_bytes()).await.unwrap();
    let mut rest = Vec::new();
    timeout(PATIENCE, lost.read_to_end(&mut rest)).await.expect("closed").unwrap();
    let text = String::from_utf8_lossy(&rest);
    assert!(text.starts_with("SIP/2.0 400"), "{text}");
}

/// SIP over TLS, with the appliance's certificate.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_is_spoken_and_a_handshake_that_fails_is_counted() {
    let key = rcgen::generate_simple_self_signed(vec!["patchbay.test".to_owned()]).unwrap();
    let identity = TlsIdentity {
        chain_pem: key.cert.pem().into_bytes(),
        key_pem: key.signing_key.serialize_pem().into_bytes(),
    };
    let house = House::open_with(10, Some(identity)).await;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(key.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let tcp = TcpStream::connect(house.at(Transport::Tls)).await.unwrap();
    let me = tcp.local_addr().unwrap();
    let name = rustls::pki_types::ServerName::try_from("patchbay.test").unwrap();
    let stream = connector.connect(name, tcp).await.unwrap();
    asks_options(stream, "TLS", me).await;
    let mut plain = TcpStream::connect(house.at(Transport::Tls)).await.unwrap();
    plain.write_all(b"OPTIONS sip:a SIP/2.0\r\n\r\n").await.unwrap();
    let mut rest = Vec::new();
    timeout(PATIENCE, plain.read_to_end(&mut rest)).await.expect("closed").ok();
    // The far end sees the close a moment before it is counted.
    for _ in 0..100 {
        if house.counted("sip_tls_failed_total") == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the failed handshake was not counted");
}

/// SAFE-01: a phone's password opens no way out, and guessing ends in 403.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_passwords_are_challenged_and_then_refused() {
    let house = House::open().await;
    let stranger = Stranger::at(OTHER_IP, house.at(Transport::Udp)).await;
    let mut statuses = Vec::new();
    for n in 0..30 {
        let (_, challenge) = stranger.asks(request("REGISTER", &format!("g{n}"), "UDP", stranger.me())).await;
        let nonce =
            challenge.split("nonce=\"").nth(1).and_then(|t| t.split('"').next()).unwrap_or("none").to_owned();
        let guess = format!(
            "Authorization: Digest username=\"201\", realm=\"patchbay.test\", nonce=\"{nonce}\", \
             uri=\"sip:100@127.0.0.1\", response=\"{n:032x}\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\"x\"\r\nMax-Forwards"
        );
        let with =
            request("REGISTER", &format!("h{n}"), "UDP", stranger.me()).replace("Max-Forwards", &guess);
        statuses.push(stranger.asks(with).await.0);
        tokio::time::sleep(Duration::from_millis(110)).await;
        if statuses.last() == Some(&403) {
            break;
        }
    }
    assert_eq!(statuses.first(), Some(&401), "{statuses:?}");
    assert_eq!(statuses.last(), Some(&403), "{statuses:?}");
    assert_eq!(house.counted("sip_registered_total"), 0);
}
