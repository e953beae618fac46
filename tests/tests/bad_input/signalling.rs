//! Malformed SIP and SDP.

use std::net::Ipv4Addr;
use std::time::Duration;

use scenarios::place::Place;
use scenarios::sip::{Line, Stream, offer};

use super::{ANNA_HZ, NUMBER, a_call_works, nothing_broke, open, still_well};

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
    let line = Line::to(appliance.sip);
    let (mut answered, mut dropped) = (0.0, 0.0);
    for breach in breaches() {
        let text = broken(&line, &breach);
        line.send(text.as_bytes());
        let got: Vec<u16> = line.answered().iter().map(|a| a.status).collect();
        let expected: Vec<u16> = (breach.3 > 0).then_some(breach.3).into_iter().collect();
        assert_eq!(got, expected, "{}:\n{}", breach.0, text.chars().take(800).collect::<String>());
        if breach.3 > 0 { answered += 1.0 } else { dropped += 1.0 }
    }
    let keep_alives = [vec![], b"\r\n\r\n".to_vec(), vec![0; 4_096]];
    let mut noise = Noise(7);
    let junk: Vec<Vec<u8>> = [
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
    for some in keep_alives.iter().chain(&junk).collect::<Vec<_>>().chunks(10) {
        some.iter().for_each(|datagram| line.send(datagram));
        // A few at a time: what the kernel drops proves nothing.
        assert!(line.answered().is_empty(), "junk is not answered");
    }
    let unknown = line.ask(&line.request("DOWNLOAD", NUMBER, ""));
    assert!(
        unknown.status == 405 && unknown.header("Allow").is_some_and(|a| a.contains("INVITE")),
        "{}",
        unknown.text
    );
    let stray = line.request("BYE", NUMBER, "").replace("To: <sip:", "To: <sip:x@y>;tag=nobody\r\nX: <sip:");
    assert_eq!(line.ask(&stray).status, 481);
    assert_eq!(line.ask(&line.request("CANCEL", NUMBER, "")).status, 481);

    let metrics = admin.metrics().await;
    let (told, silent) = ["answered", "dropped"]
        .map(|what| metrics.sum(&format!("patchbay_sip_malformed_{what}_total"), &[]))
        .into();
    assert_eq!((told, silent), (answered, dropped + junk.len() as f64), "each is counted once");
    assert_eq!(metrics.sum("patchbay_sip_calls_total", &[]), 0.0, "none of it was a call");
    assert!(admin.walk("/records", 50).await.is_empty(), "none of it left a record");
    still_well(&mut appliance, &admin).await;
}

/// SIP-06: the same over TCP, where a message also can have no end; a stream that cannot be read on is closed.
#[tokio::test(flavor = "multi_thread")]
async fn malformed_sip_on_streams_is_answered_and_hopeless_streams_are_closed() {
    let (mut appliance, _, admin) = open().await;
    let sip = appliance.sip;
    let line = Line::to(sip);
    let over_tcp = |request: String| request.replace("SIP/2.0/UDP", "SIP/2.0/TCP");
    // Half a message and then nothing, and a message that comes word by word for ever: neither may be waited for.
    let half = over_tcp(line.request("INVITE", NUMBER, "")).split_at(100).0.to_owned();
    let unfinished = [false, true].map(|goes_on| {
        let half = half.clone();
        tokio::task::spawn_blocking(move || gives_up_on(sip, half.as_bytes(), goes_on))
    });
    for breach in breaches() {
        if breach.0.contains("body that is not there") {
            // On a stream the rest may still come: nothing is wrong yet.
            continue;
        }
        let mut stream = Stream::to(sip);
        let good = over_tcp(line.request("OPTIONS", NUMBER, ""));
        stream.say(format!("{}{good}", over_tcp(broken(&line, &breach))).as_bytes());
        let first = stream.answer().map(|a| a.status);
        match breach.3 {
            0 => assert_eq!(first, Some(200), "{}: it is passed over", breach.0),
            // It is refused before it was read whole, so the closed connection may be seen first.
            status if breach.0.contains("20 KiB") => {
                assert!(first.is_none_or(|got| got == status), "{}: {first:?}", breach.0);
            }
            status => {
                assert_eq!(first, Some(status), "{}", breach.0);
                // Where its end is known, the stream is read on.
                let after = stream.answer().map(|a| a.status);
                let framed = !breach.0.contains("length");
                assert_eq!(after, framed.then_some(200), "{}: and what comes after it", breach.0);
            }
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
        let mut stream = Stream::to(sip);
        stream.say(&bytes);
        while let Some(answer) = stream.answer() {
            assert!(answer.status >= 400, "{what}: {}", answer.text);
        }
    }
    let mut stream = Stream::to(sip);
    stream.say(over_tcp(line.request("OPTIONS", NUMBER, "")).as_bytes());
    assert_eq!(stream.answer().map(|a| a.status), Some(200), "whoever speaks well is answered");
    for unfinished in unfinished {
        unfinished.await.expect("an unfinished message is given up");
    }
    assert_eq!(admin.metrics().await.sum("patchbay_sip_calls_total", &[]), 0.0, "none of it was a call");
    still_well(&mut appliance, &admin).await;
}

/// Says the beginning of a message, and then a header a second if it `goes_on`, until the appliance closes. It allows a message
/// 15 s; a minute is for slow machines.
fn gives_up_on(sip: u16, half: &[u8], goes_on: bool) {
    let mut stream = Stream::to(sip);
    assert!(stream.say(half));
    if !goes_on {
        return stream.closed();
    }
    for _ in 0..60 {
        std::thread::sleep(Duration::from_secs(1));
        if !stream.say(b"\r\nX-More: 1") {
            return;
        }
    }
    panic!("after a minute it still waits for the end of a message");
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
    let mut taken_up = 0.0;
    for (what, body) in &bodies {
        let line = Line::to(appliance.sip);
        let answer = line.ask(&line.request("INVITE", NUMBER, body));
        println!("{what}: {}", answer.status);
        assert!([400, 488, 513].contains(&answer.status), "{what}: {}", answer.text);
        // RFC 3261 §20.43: in words, for whoever looks at the far end's log.
        if answer.status != 513 {
            taken_up += 1.0;
        }
        let says_why = answer.header("Warning").is_some_and(|w| w.contains('"'));
        assert!(says_why || answer.status == 513, "{what}: no reason in {}", answer.text);
    }
    let failed = admin.metrics().await.sum("patchbay_sip_calls_failed_total", &[]);
    assert_eq!(failed, taken_up, "each call that came to nothing is counted");
    scenarios::until("no port stays taken", async || {
        admin.metrics().await.sum("patchbay_media_legs", &[]) == 0.0
    })
    .await;
    nothing_broke(&mut appliance);
    still_well(&mut appliance, &admin).await;
}

/// SAFE-02: a stranger who guesses a phone's password has to pause, one who floods is cut to a stranger's rate, and both are
/// counted; calls of the carrier, which come all the while, are not held up by it.
#[tokio::test(flavor = "multi_thread")]
async fn strangers_who_guess_or_flood_are_slowed_and_the_carrier_is_not() {
    let (mut appliance, _, admin) = open().await;
    let mut anna = Place::take(&appliance, "anna", ANNA_HZ).await;
    let guesser = Line::at(Ipv4Addr::new(127, 0, 0, 2), appliance.sip);
    assert_eq!(guesser.ask(&guesser.request("INVITE", NUMBER, &offer(40_000))).status, 401, "no open relay");
    let guess = |n: usize| {
        let credentials = format!(
            "Authorization: Digest username=\"101\", realm=\"patchbay\", nonce=\"guess\", uri=\"sip:101@127.0.0.1:{}\", \
             response=\"{n:064x}\", algorithm=SHA-256, cnonce=\"c\", qop=auth, nc=00000001\r\nMax-Forwards",
            appliance.sip
        );
        guesser.ask(&guesser.request("REGISTER", "101", "").replacen("Max-Forwards", &credentials, 1))
    };
    let first = guess(0);
    assert!(first.status == 401 && first.header("WWW-Authenticate").is_some(), "{}", first.text);
    let paused = (1..20).map(guess).find(|answer| answer.status != 401).expect("guessing has an end");
    let wait = paused.header("Retry-After").and_then(|v| v.parse::<u32>().ok());
    assert!(paused.status == 403 && wait.is_some_and(|s| s >= 30), "{}", paused.text);
    assert!(
        admin.metrics().await.sum("patchbay_sip_guessing_paused_total", &[]) >= 1.0,
        "and it is reported"
    );

    let before = admin.metrics().await;
    let flood = Line::at(Ipv4Addr::new(127, 0, 0, 3), appliance.sip);
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let flooding = tokio::task::spawn_blocking(move || {
        let mut sent = 0_u32;
        // Two a millisecond: far beyond a stranger's rate, and not so much that the test starves itself.
        while stopped.recv_timeout(Duration::from_millis(10))
            == Err(std::sync::mpsc::RecvTimeoutError::Timeout)
        {
            for _ in 0..20 {
                flood.send(flood.request("INVITE", NUMBER, &offer(40_000)).as_bytes());
                sent += 1;
            }
        }
        sent
    });
    a_call_works(&appliance, &mut anna, &admin).await;
    drop(stop);
    let sent = flooding.await.expect("no panic");
    let after = admin.metrics().await;
    let more = |name: &str| after.sum(name, &[]) - before.sum(name, &[]);
    println!(
        "{sent} sent, {} cut, {} challenged",
        more("patchbay_sip_source_limited_total"),
        more("patchbay_sip_challenged_total")
    );
    assert!(more("patchbay_sip_source_limited_total") > f64::from(sent) / 2.0, "a flood is cut: {sent} sent");
    assert_eq!(more("patchbay_sip_calls_total"), 1.0, "one of them was a call");
    nothing_broke(&mut appliance);
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
