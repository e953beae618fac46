//! Malformed SIP and SDP.

use std::time::Duration;

use scenarios::sip::{Line, offer, over_tcp};

use super::{NUMBER, nothing_broke, open, still_well};

/// A word in a request, what it becomes, and the answer: 0 for silence.
type Breach = (&'static str, &'static str, String, u16);

/// What breaks an INVITE that would be taken otherwise, after RFC 4475.
fn breaches() -> Vec<Breach> {
    let many = |line: &str, count: usize| line.repeat(count) + "Max-Forwards: 70\r\n";
    let b = |name, from, to: &str, status| (name, from, to.to_owned(), status);
    vec![
        b("no Call-ID", "Call-ID", "X-Call-ID", 400),
        b("no From tag (RFC 4475 §3.3.1)", ";tag=", ";gat=", 400),
        b("an open quote (§3.1.2.6)", "From: <sip:", "From: \"Mr. J. User <sip:", 400),
        b("a number too large (§3.1.2.4)", "CSeq: 1 ", "CSeq: 36893488147419103232 ", 400),
        b("CSeq of another method (§3.1.2.17)", "CSeq: 1 INVITE", "CSeq: 1 OPTIONS", 400),
        b("a body that is not there (§3.1.2.2)", "Content-Length: ", "Content-Length: 9", 400),
        b("a negative length (§3.1.2.3)", "Content-Length: ", "Content-Length: -", 400),
        b("two From (§3.3.8)", "To: ", "From: <sip:b@127.0.0.1>;tag=b\r\nTo: ", 400),
        b("the cookie alone (§3.2.1)", "branch=z9hG4bK", "branch=z9hG4bK;x=", 400),
        b(
            "a URI in brackets (§3.1.2.7)",
            "INVITE sip:+4930555100@127.0.0.1",
            "INVITE <sip:+4930555100@127.0.0.1>",
            400,
        ),
        b("blanks within the URI (§3.1.2.8)", "INVITE sip:+49", "INVITE sip: +49", 400),
        b(
            "headers in the URI (§3.1.2.11)",
            " SIP/2.0\r\nVia",
            "?Route=%3Csip:example.com%3E SIP/2.0\r\nVia",
            400,
        ),
        b("version 7 (§3.1.2.16)", " SIP/2.0\r\nVia", " SIP/7.0\r\nVia", 505),
        b(
            "an unknown extension (§3.3.3)",
            "Max-Forwards: 70",
            "Max-Forwards: 70\r\nRequire: nothingSupportsThis",
            420,
        ),
        b("an unknown scheme (§3.3.2)", "INVITE sip:", "INVITE nobodyKnowsThisScheme:", 416),
        b("Max-Forwards beyond an octet (§3.1.2.4)", "Max-Forwards: 70", "Max-Forwards: 300", 400),
        b("a body of another kind (§3.3.6)", "application/sdp", "application/unknown", 415),
        b("no Contact", "Contact: ", "X-Contact: ", 400),
        ("400 headers", "Max-Forwards: 70\r\n", many("X-Junk: 1\r\n", 400), 400),
        ("100 Via", "Max-Forwards: 70\r\n", many("Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\n", 100), 400),
        (
            "a line of 20 KiB",
            "Max-Forwards: 70\r\n",
            format!("X-Junk: {}\r\nMax-Forwards: 70\r\n", "a".repeat(20_000)),
            400,
        ),
        b("no start line", "INVITE ", "", 0),
        b("an ACK that is none", "INVITE sip:+4930555100@127.0.0.1", "ACK sip:\u{1}", 0),
        b("no Via to answer to", "Via: ", "Aiv: ", 0),
    ]
}

fn broken(line: &Line, (name, from, to, _): &Breach) -> String {
    let whole = line.request("INVITE", NUMBER, &offer(40_000));
    let text = whole.replacen(from, to, 1);
    assert_ne!(text, whole, "{name} changes nothing");
    text
}

/// SIP-06: malformed messages over UDP are answered as RFC 4475 says, or not at all, and never take a call.
#[tokio::test(flavor = "multi_thread")]
async fn malformed_sip_in_datagrams_is_answered_or_dropped_and_counted() {
    let (mut appliance, _, admin) = open().await;
    let (mut answered, mut dropped) = (0.0, 0.0);
    for breach in breaches() {
        let line = Line::to(appliance.sip);
        let text = broken(&line, &breach);
        line.send(text.as_bytes());
        let expected = (breach.3 > 0).then_some(breach.3);
        let limit = Duration::from_millis(if expected.is_some() { 3_000 } else { 200 });
        let got = line.answer(limit).map(|a| a.status);
        assert_eq!(got, expected, "{}:\n{}", breach.0, text.chars().take(800).collect::<String>());
        if expected.is_some() { answered += 1.0 } else { dropped += 1.0 }
    }
    let line = Line::to(appliance.sip);
    let mut noise = Noise(7);
    let junk: Vec<Vec<u8>> = [
        vec![],
        b"\r\n\r\n".to_vec(),
        vec![0; 4_096],
        vec![b'A'; 60_000],
        b"SIP/2.0 200 OK\r\n\r\n".to_vec(),
        b"SIP/2.0 -1 Stray\r\nVia: x\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        b"INVITE".to_vec(),
        "INVITE sip:\u{feff}\u{202e} SIP/2.0\r\n: \r\n\r\n".as_bytes().to_vec(),
    ]
    .into_iter()
    .chain((1..200).map(|n| noise.bytes(n * 7)))
    .collect();
    for datagram in &junk {
        line.send(datagram);
        // Slowly enough for the socket's buffer: what the kernel drops proves nothing.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(line.answer(Duration::from_millis(300)).is_none(), "junk is not answered");
    let unknown = line.ask(&line.request("DOWNLOAD", NUMBER, ""));
    assert!(
        unknown.status == 405 && unknown.header("Allow").is_some_and(|a| a.contains("INVITE")),
        "{}",
        unknown.text
    );
    let stray = line.request("BYE", NUMBER, "").replace("To: <sip:", "To: <sip:x@y>;tag=nobody\r\nX: <sip:");
    assert_eq!(line.ask(&stray).status, 481);
    assert_eq!(line.ask(&line.request("CANCEL", NUMBER, "")).status, 481);
    assert_eq!(line.ask(&line.request("OPTIONS", NUMBER, "")).status, 200, "whoever speaks well is answered");

    let metrics = admin.metrics().await;
    assert!(metrics.sum("patchbay_sip_malformed_answered_total", &[]) >= answered);
    assert!(metrics.sum("patchbay_sip_malformed_dropped_total", &[]) >= dropped + 200.0);
    assert_eq!(metrics.sum("patchbay_sip_calls_total", &[]), 0.0, "none of it was a call");
    assert!(admin.walk("/records", 50).await.is_empty(), "none of it left a record");
    still_well(&mut appliance, &admin).await;
}

/// SIP-06: the same over TCP, where a message also can have no end; a stream that cannot be read on is closed.
#[tokio::test(flavor = "multi_thread")]
async fn malformed_sip_on_streams_is_answered_and_hopeless_streams_are_closed() {
    let (mut appliance, _, admin) = open().await;
    let sip = appliance.sip;
    // Half a message, and then nothing: the appliance must not wait for ever.
    let slow = tokio::task::spawn_blocking(move || {
        over_tcp(
            sip,
            b"INVITE sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKslow\r\n",
            Duration::from_secs(40),
        )
    });
    let line = Line::to(sip);
    for breach in breaches() {
        let text = broken(&line, &breach).replace("SIP/2.0/UDP", "SIP/2.0/TCP");
        let patience = Duration::from_millis(if breach.3 == 0 { 200 } else { 500 });
        let (said, _) = over_tcp(sip, text.as_bytes(), patience);
        if breach.0.contains("body that is not there") {
            // On a stream the rest may still come: nothing is wrong yet.
            assert_eq!(said, "", "{}", breach.0);
        } else if breach.3 == 0 {
            assert_eq!(said, "", "{}", breach.0);
        } else if !said.is_empty() {
            assert!(said.starts_with(&format!("SIP/2.0 {} ", breach.3)), "{}: {said}", breach.0);
        }
    }
    for (what, bytes) in [
        (
            "a length beyond all bounds",
            line.request("INVITE", NUMBER, "")
                .replace("Content-Length: 0", "Content-Length: 99999999999")
                .into_bytes(),
        ),
        ("a header without end", [b"OPTIONS sip:a@b SIP/2.0\r\nX: ".to_vec(), vec![b'a'; 1 << 20]].concat()),
        ("a TLS greeting", [vec![0x16, 3, 1, 0xff, 0xff], vec![0; 300_000]].concat()),
        ("noise", Noise(11).bytes(400_000)),
    ] {
        let (said, closed) = over_tcp(sip, &bytes, Duration::from_secs(3));
        assert!(closed && !said.contains("SIP/2.0 2"), "{what}: closed: {closed}, said: {said}");
    }
    let (said, _) = over_tcp(
        sip,
        line.request("OPTIONS", NUMBER, "").replace("SIP/2.0/UDP", "SIP/2.0/TCP").as_bytes(),
        Duration::from_millis(500),
    );
    assert!(said.starts_with("SIP/2.0 200"), "whoever speaks well is answered: {said}");
    let (_, closed) = slow.await.expect("no panic");
    assert!(closed, "an unfinished message is given up");
    assert_eq!(admin.metrics().await.sum("patchbay_sip_calls_total", &[]), 0.0, "none of it was a call");
    still_well(&mut appliance, &admin).await;
}

/// SIP-05, SIP-06: a call whose SDP cannot be read is refused with 400, one that offers nothing we can do with 488; both are
/// the caller's fault, never ours.
#[tokio::test(flavor = "multi_thread")]
async fn malformed_sdp_is_refused_and_the_box_is_not_to_blame() {
    let (mut appliance, _, admin) = open().await;
    let good = offer(40_000);
    let with = |from: &str, to: &str| {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good);
        text
    };
    let many = "m=audio 40000 RTP/AVP 0\r\n".repeat(2_000);
    let crypto = |value: &str| {
        with("RTP/AVP 0", "RTP/SAVP 0") + "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " + value + "\r\n"
    };
    let bodies = [
        ("words", "hello".to_owned()),
        ("zeros", "\0".repeat(64)),
        ("no version", with("v=0\r\n", "")),
        ("another version", with("v=0", "v=1")),
        ("no origin", with("o=- 1 1 IN IP4 127.0.0.1\r\n", "")),
        ("no stream", with("m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n", "")),
        ("no address", with("c=IN IP4 127.0.0.1\r\n", "")),
        ("an address that is none", with("c=IN IP4 127.0.0.1", "c=IN IP4 999.0.0.1")),
        ("a port that is none", with("40000", "99999")),
        ("a port below zero", with("40000", "-1")),
        ("no payload type", with("RTP/AVP 0", "RTP/AVP")),
        ("a payload type beyond all", with("RTP/AVP 0", "RTP/AVP 4000000000")),
        ("video only", with("m=audio", "m=video")),
        ("another transport", with("RTP/AVP", "TCP/MSRP")),
        (
            "codecs we lack",
            with("RTP/AVP 0\r\na=rtpmap:0 PCMU/8000", "RTP/AVP 96\r\na=rtpmap:96 AMR-WB/16000"),
        ),
        ("SRTP without a key", with("RTP/AVP 0", "RTP/SAVP 0")),
        ("SRTP with half a key", crypto("inline:QUJD")),
        ("SRTP with no base64", crypto("inline:%%%%")),
        ("DTLS without a fingerprint", with("RTP/AVP 0", "UDP/TLS/RTP/SAVP 0")),
        ("two thousand streams", good.clone() + &many),
        ("a line without end", with("s=-", &format!("s={}", "x".repeat(40_000)))),
    ];
    let mut refused = 0;
    for (what, body) in &bodies {
        let line = Line::to(appliance.sip);
        let answer = line.ask(&line.request("INVITE", NUMBER, body));
        println!("{what}: {}", answer.status);
        assert!([400, 488, 513].contains(&answer.status), "{what}: {}", answer.text);
        refused += 1;
    }
    assert_eq!(refused, bodies.len());
    nothing_broke(&mut appliance);
    assert_eq!(admin.metrics().await.sum("patchbay_media_legs", &[]), 0.0, "no port stays taken");
    still_well(&mut appliance, &admin).await;
}

/// The same noise each time: what fails must fail again.
pub struct Noise(pub u64);

impl Noise {
    /// So many bytes of it.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let next = || {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as u8
        };
        std::iter::repeat_with(next).take(count).collect()
    }
}
