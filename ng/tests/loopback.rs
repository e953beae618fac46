//! A proxy, a node and a real plane on the loopback: what is asked for is what packets do.

#![expect(clippy::unwrap_used, reason = "fixtures of tests; the lint knows only functions marked as tests")]

mod support;

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use ng::wire::Value;
use support::{Ours, Proxy, port, receive, request, sdp_of};

struct Phone {
    socket: UdpSocket,
    to: Option<SocketAddr>,
    seq: u16,
}

impl Phone {
    fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        Self { socket, to: None, seq: 0 }
    }

    fn sdp(&self, types: &str) -> String {
        let port = self.socket.local_addr().unwrap().port();
        format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP {types}\r\n"
        )
    }

    fn says(&mut self, payload_type: u8, octet: u8) {
        let packet = self.packet(payload_type, octet);
        self.socket.send_to(&packet, self.to.unwrap()).unwrap();
    }

    /// The last packet of a telephone event.
    fn presses(&mut self, payload_type: u8, digit: u8) {
        let mut packet = self.packet(payload_type, digit);
        packet.truncate(12);
        packet.extend_from_slice(&[digit, 0x8a, 0x03, 0x20]);
        self.socket.send_to(&packet, self.to.unwrap()).unwrap();
    }

    fn packet(&mut self, payload_type: u8, octet: u8) -> Vec<u8> {
        let mut packet = vec![0x80, payload_type];
        packet.extend_from_slice(&self.seq.to_be_bytes());
        packet.extend_from_slice(&(u32::from(self.seq) * 160).to_be_bytes());
        packet.extend_from_slice(&7_u32.to_be_bytes());
        packet.extend_from_slice(&[octet; 160]);
        self.seq += 1;
        packet
    }

    /// Payload type and first octet of the next RTP packet.
    async fn hears(&self) -> Option<(u8, u8)> {
        loop {
            let packet = receive(&self.socket, Duration::from_secs(2)).await?;
            if packet.len() > 12 && !(200..=204).contains(&packet[1]) {
                return Some((packet[1] & 0x7f, packet[12]));
            }
        }
    }
}

async fn call(proxy: &mut Proxy, anna: &mut Phone, ben: &mut Phone, more: impl Fn(Value) -> Value) {
    let ask = |command: &str, sdp: String| more(request(command).with("from-tag", "a").with("sdp", sdp));
    let offer = sdp_of(&proxy.ask(ask("offer", anna.sdp("0"))).await.unwrap());
    ben.to = Some(SocketAddr::from(([127, 0, 0, 1], port(&offer))));
    let types = if offer.contains("RTP/AVP 8") { "8" } else { "0" };
    let answer = ask("answer", ben.sdp(types)).with("to-tag", "b");
    let answer = sdp_of(&proxy.ask(answer).await.unwrap());
    anna.to = Some(SocketAddr::from(([127, 0, 0, 1], port(&answer))));
}

/// MEDIA-15: an existing proxy uses the box in rtpengine's place: offer, answer, audio both ways, figures, delete.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_made_talks_is_counted_and_gives_its_ports_back() {
    // Two pairs: a second call fits only when the first one gave its ports back.
    let ours = Ours::start(4, None, None).await;
    let mut proxy = Proxy::to(ours.address);
    for round in 0..3 {
        let (mut anna, mut ben) = (Phone::new(), Phone::new());
        call(&mut proxy, &mut anna, &mut ben, |request| request).await;
        for n in 0..10 {
            anna.says(0, n);
            assert_eq!(ben.hears().await, Some((0, n)), "round {round}");
            ben.says(0, 100 + n);
            assert_eq!(anna.hears().await, Some((0, 100 + n)));
        }
        let figures = proxy.ask(request("query")).await.unwrap();
        let rtp = figures.get("totals").unwrap().get("RTP").unwrap();
        assert_eq!(rtp.get("packets").and_then(Value::int), Some(20));
        assert_eq!(rtp.get("bytes").and_then(Value::int), Some(20 * 172));
        let full = proxy.ask(
            Value::dict()
                .with("command", "offer")
                .with("call-id", "other")
                .with("from-tag", "x")
                .with("sdp", anna.sdp("0")),
        );
        let why = full.await.unwrap().get("error-reason").and_then(Value::text);
        assert_eq!(why.as_deref(), Some("Ran out of ports"));
        let delete = request("delete").with("from-tag", "a").with("delete-delay", 0_u64);
        let last = proxy.ask(delete).await.unwrap();
        let packets = last.get("totals").unwrap().get("RTP").unwrap().get("packets").and_then(Value::int);
        assert_eq!(packets, Some(20), "the delete tells the figures too");
    }
    let status = ours.status.read();
    assert_eq!((status.calls, status.legs), (0, 0));
}

/// MEDIA-15: a codec that the proxy asked to add is converted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_transcoded_as_the_flags_say() {
    let ours = Ours::start(8, None, None).await;
    let mut proxy = Proxy::to(ours.address);
    let (mut anna, mut ben) = (Phone::new(), Phone::new());
    let codec = Value::dict().with("mask", vec!["PCMU".into()]).with("transcode", vec!["PCMA".into()]);
    call(&mut proxy, &mut anna, &mut ben, |request| request.with("codec", codec.clone())).await;
    for octet in [0x12, 0x80, 0xff] {
        anna.says(0, octet);
        assert_eq!(ben.hears().await, Some((8, media::codec::g711::mu_to_a(octet))));
        ben.says(8, octet);
        assert_eq!(anna.hears().await, Some((0, media::codec::g711::a_to_mu(octet))));
    }
}

/// MEDIA-15: blocked media is silent until it is unblocked; a sound is heard in the other party's place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sounds_and_blocks_reach_the_packets() {
    let folder = tempfile::tempdir().unwrap();
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(folder.path().join("tone.wav"), spec).unwrap();
    (0..8_000).for_each(|_| wav.write_sample(8_000_i16).unwrap());
    wav.finalize().unwrap();
    let records = tempfile::tempdir().unwrap();
    let ours = Ours::start(8, Some(records.path().to_owned()), Some(folder.path().to_owned())).await;
    let mut proxy = Proxy::to(ours.address);
    let (mut anna, mut ben) = (Phone::new(), Phone::new());
    call(&mut proxy, &mut anna, &mut ben, |request| request).await;
    let ok = |answer: Option<Value>| {
        let answer = answer.unwrap();
        assert_eq!(answer.get("result").and_then(Value::text).as_deref(), Some("ok"), "{answer:?}");
        answer
    };
    ok(proxy.ask(request("start recording")).await);
    ok(proxy.ask(request("block media").with("from-tag", "a")).await);
    anna.says(0, 1);
    assert_ne!(ben.hears().await, Some((0, 1)));
    ok(proxy.ask(request("unblock media").with("from-tag", "a")).await);
    anna.says(0, 2);
    assert_eq!(ben.hears().await, Some((0, 2)));
    let outside =
        proxy.ask(request("play media").with("from-tag", "a").with("file", "../../etc/passwd")).await;
    assert_eq!(
        outside.unwrap().get("error-reason").and_then(Value::text).as_deref(),
        Some("Failed to open media file")
    );
    let played = ok(proxy.ask(request("play media").with("from-tag", "a").with("file", "tone.wav")).await);
    assert_eq!(played.get("duration").and_then(Value::int), Some(1_000));
    let tone = media::codec::g711::encode_mu(8_000);
    assert_eq!(anna.hears().await, Some((0, tone)));
    ok(proxy.ask(request("stop media").with("from-tag", "a")).await);
    ok(proxy.ask(request("stop recording")).await);
    let recorded = std::fs::read_dir(records.path()).unwrap().count();
    assert_eq!(recorded, 1);
    let status = ours.stop().await.read();
    assert_eq!((status.calls, status.legs), (0, 0), "stopping ends the calls");
}

/// MEDIA-15: JSON is answered in JSON, a repeated cookie from memory, and nonsense by nothing or by an error.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn datagrams_of_every_kind_are_answered_as_rtpengine_does_it() {
    let ours = Ours::start(4, None, None).await;
    let mut proxy = Proxy::to(ours.address);
    assert_eq!(proxy.send_raw(b"1 {\"command\":\"ping\"}").await.unwrap(), b"1 {\"result\":\"pong\"}");
    assert_eq!(proxy.send_raw(b"2 d7:command4:pinge").await.unwrap(), b"2 d6:result4:ponge");
    assert_eq!(proxy.send_raw(b"2 d7:command6:dancinge").await.unwrap(), b"2 d6:result4:ponge");
    let error = |reason: &str| format!("d6:result5:error12:error-reason{}:{reason}e", reason.len());
    for (cookie, body, reason) in [
        ("3", "hello", "Invalid NG data format"),
        ("4", "d7:command", "Could not decode bencode dictionary"),
        ("5", "de", "Dictionary contains no key \"command\""),
        ("6", "d7:command5:dancee", "Unrecognized command"),
    ] {
        let answer = proxy.send_raw(format!("{cookie} {body}").as_bytes()).await.unwrap();
        assert_eq!(String::from_utf8(answer).unwrap(), format!("{cookie} {}", error(reason)));
    }
    assert_eq!(proxy.send_raw(b"d7:command4:pinge").await, None, "no cookie, no answer");
    assert_eq!(ours.status.read().counts.senseless, 1);
}

/// MEDIA-15: SRTP towards one party and plain RTP towards the other, with the keys of the descriptions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn srtp_meets_plain_rtp_by_the_keys_in_the_descriptions() {
    use base64::Engine;
    use media::control::{SrtpKey, SrtpSuite};
    use media::srtp;

    let ours = Ours::start(8, None, None).await;
    let mut proxy = Proxy::to(ours.address);
    let (mut anna, mut ben) = (Phone::new(), Phone::new());
    let offer = request("offer").with("from-tag", "a").with("sdp", anna.sdp("0"));
    let offer = offer
        .with("transport-protocol", "RTP/SAVP")
        .with("SDES", vec!["only-AES_CM_128_HMAC_SHA1_80".into()]);
    let offer = sdp_of(&proxy.ask(offer).await.unwrap());
    let (_, inline) = offer.split_once("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:").unwrap();
    let decode = |text: &str| base64::engine::general_purpose::STANDARD_NO_PAD.decode(text).unwrap();
    let key = |key_and_salt| SrtpKey { suite: SrtpSuite::AesCm128HmacSha1_80, key_and_salt };
    let mut opens = srtp::Receiver::new(&key(decode(inline.split("\r\n").next().unwrap()))).unwrap();
    const BENS: &str = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
    let mut protects = srtp::Sender::new(&key(decode(BENS))).unwrap();
    let answer = ben.sdp("0").replace("RTP/AVP", "RTP/SAVP");
    let answer = format!("{answer}a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{BENS}\r\n");
    let answer = request("answer").with("from-tag", "a").with("to-tag", "b").with("sdp", answer);
    let answer = sdp_of(&proxy.ask(answer).await.unwrap());
    ben.to = Some(SocketAddr::from(([127, 0, 0, 1], port(&offer))));
    anna.to = Some(SocketAddr::from(([127, 0, 0, 1], port(&answer))));
    for n in 0..5 {
        anna.says(0, n);
        let mut packet = receive(&ben.socket, Duration::from_secs(2)).await.unwrap();
        assert_eq!(packet.len(), 12 + 160 + 10);
        let len = opens.unprotect_rtp(&mut packet).unwrap();
        assert_eq!((len, packet[12]), (172, n));
        let mut safe = ben.packet(0, 100 + n);
        safe.resize(172 + 10, 0);
        protects.protect_rtp(&mut safe, 172).unwrap();
        ben.socket.send_to(&safe, ben.to.unwrap()).unwrap();
        assert_eq!(anna.hears().await, Some((0, 100 + n)));
    }
}

/// MEDIA-15: play DTMF sends telephone events to the other party; block DTMF stops those that come.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn digits_are_played_and_blocked() {
    let ours = Ours::start(8, None, None).await;
    let mut proxy = Proxy::to(ours.address);
    let (mut anna, mut ben) = (Phone::new(), Phone::new());
    let events = "0 101\r\na=rtpmap:101 telephone-event/8000";
    let offer = request("offer").with("from-tag", "a").with("sdp", anna.sdp(events));
    ben.to = Some(SocketAddr::from(([127, 0, 0, 1], port(&sdp_of(&proxy.ask(offer).await.unwrap())))));
    let answer = request("answer").with("from-tag", "a").with("to-tag", "b").with("sdp", ben.sdp(events));
    anna.to = Some(SocketAddr::from(([127, 0, 0, 1], port(&sdp_of(&proxy.ask(answer).await.unwrap())))));
    anna.says(0, 1);
    assert_eq!(ben.hears().await, Some((0, 1)));
    proxy.ask(request("play DTMF").with("from-tag", "a").with("code", "7")).await.unwrap();
    assert_eq!(ben.hears().await, Some((101, 7)));
    while receive(&ben.socket, Duration::from_millis(300)).await.is_some() {}
    proxy.ask(request("block DTMF").with("from-tag", "a")).await.unwrap();
    anna.presses(101, 5);
    anna.says(0, 2);
    assert_eq!(ben.hears().await, Some((0, 2)), "the digit did not pass");
    proxy.ask(request("unblock DTMF").with("from-tag", "a")).await.unwrap();
    anna.presses(101, 5);
    assert_eq!(ben.hears().await, Some((101, 5)));
}

/// MEDIA-12: a phone behind NAT is reached where its packets come from, as the flag says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_behind_nat_is_reached_where_its_packets_come_from() {
    let ours = Ours::start(8, None, None).await;
    let mut proxy = Proxy::to(ours.address);
    for flags in [vec![], vec![Value::from("SIP-source-address")]] {
        let (mut anna, mut ben) = (Phone::new(), Phone::new());
        let own = format!("m=audio {}", port(&anna.sdp("0")));
        let inside = anna
            .sdp("0")
            .replace("c=IN IP4 127.0.0.1", "c=IN IP4 192.168.77.7")
            .replace(&own, "m=audio 4004");
        let offer = request("offer").with("from-tag", "a").with("sdp", inside).with("flags", flags);
        let offer = offer.with("received-from", vec!["IP4".into(), "127.0.0.1".into()]);
        ben.to = Some(SocketAddr::from(([127, 0, 0, 1], port(&sdp_of(&proxy.ask(offer).await.unwrap())))));
        let answer = request("answer").with("from-tag", "a").with("to-tag", "b").with("sdp", ben.sdp("0"));
        anna.to = Some(SocketAddr::from(([127, 0, 0, 1], port(&sdp_of(&proxy.ask(answer).await.unwrap())))));
        anna.says(0, 1);
        assert_eq!(ben.hears().await, Some((0, 1)));
        ben.says(0, 2);
        assert_eq!(anna.hears().await, Some((0, 2)));
        proxy.ask(request("delete").with("delete-delay", 0_u64)).await.unwrap();
    }
}

fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

/// MEDIA-15: after a few seconds of talk a proxy reads quality, jitter and loss by the source's number, when something came
/// last, and what came by RTCP.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quality_is_told_by_source() {
    let ours = Ours::start(8, None, None).await;
    let mut proxy = Proxy::to(ours.address);
    let (mut anna, mut ben) = (Phone::new(), Phone::new());
    let began = support::clock().millis() / 1_000;
    call(&mut proxy, &mut anna, &mut ben, |request| request).await;
    let anna_rtcp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let report = [0x80, 201, 0, 1, 0, 0, 0, 7];
    let to = anna.to.unwrap();
    let told = loop {
        anna.says(0, 1);
        assert_eq!(ben.hears().await, Some((0, 1)));
        anna_rtcp.send_to(&report, SocketAddr::new(to.ip(), to.port() + 1)).unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        let figures = proxy.ask(request("query")).await.unwrap();
        if at(&figures, &["SSRC", "7", "average MOS"]).is_some() {
            break figures;
        }
    };
    let int = |path: &[&str]| {
        at(&told, path).and_then(Value::int).unwrap_or_else(|| panic!("{path:?} in {told:?}"))
    };
    let average = |key| int(&["SSRC", "7", "average MOS", key]);
    // The phone is no good time-keeper, so how good is not for this test to say.
    assert!((10..=45).contains(&average("MOS")) && average("samples") > 0, "{told:?}");
    assert_eq!(average("packet loss"), 0);
    let of = |which| int(&["SSRC", "7", which, "MOS"]);
    assert!(of("lowest MOS") <= average("MOS") && average("MOS") <= of("highest MOS"));
    assert!(int(&["SSRC", "7", "lowest MOS", "reported at"]) >= began as i64);
    let reports = int(&["totals", "RTCP", "packets"]);
    assert!(reports > 0 && int(&["totals", "RTCP", "bytes"]) == reports * 8);
    let Some(Value::List(media)) = at(&told, &["tags", "a", "medias"]) else { panic!("media") };
    assert_eq!(media[0].get("codec").and_then(Value::text).as_deref(), Some("PCMU/8000"));
    let Some(Value::List(streams)) = media[0].get("streams") else { panic!("streams") };
    assert_eq!(streams[0].get("SSRC").and_then(Value::int), Some(7));
    assert!(streams[0].get("last packet").and_then(Value::int) >= Some(began as i64));
}

/// MEDIA-15: a listener gets what one party says, from the moment it answers until it leaves, and the call goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_hears_a_party() {
    let ours = Ours::start(12, None, None).await;
    let mut proxy = Proxy::to(ours.address);
    let (mut anna, mut ben, listener) = (Phone::new(), Phone::new(), Phone::new());
    call(&mut proxy, &mut anna, &mut ben, |request| request).await;
    let asked =
        proxy.ask(request("subscribe request").with("from-tag", "a").with("to-tag", "l")).await.unwrap();
    let offer = sdp_of(&asked);
    assert!(offer.contains("RTP/AVP 0\r\n") && offer.contains("a=sendonly\r\n"), "{offer}");
    let sdp = format!("{}a=recvonly\r\n", listener.sdp("0"));
    let answer = request("subscribe answer").with("to-tag", "l").with("sdp", sdp);
    assert_eq!(proxy.ask(answer).await.unwrap().get("result").and_then(Value::text).as_deref(), Some("ok"));
    for octet in 0..10 {
        anna.says(0, octet);
        assert_eq!(ben.hears().await, Some((0, octet)));
        assert_eq!(listener.hears().await, Some((0, octet)));
        ben.says(0, 100 + octet);
        assert_eq!(
            anna.hears().await,
            Some((0, 100 + octet)),
            "Ben is not copied, and the listener's words go nowhere"
        );
    }
    proxy.ask(request("unsubscribe").with("to-tag", "l")).await.unwrap();
    anna.says(0, 42);
    assert_eq!(ben.hears().await, Some((0, 42)));
    assert!(
        receive(&listener.socket, Duration::from_millis(100))
            .await
            .is_none_or(|packet| packet[1] == 203 || packet[1] >= 200)
    );
}

/// MEDIA-15: comfort noise passes where both speak it, and belongs to the voice beside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn comfort_noise_passes_where_both_speak_it() {
    let ours = Ours::start(8, None, None).await;
    let mut proxy = Proxy::to(ours.address);
    let (mut anna, mut ben) = (Phone::new(), Phone::new());
    let ask = |command: &str, sdp: String| request(command).with("from-tag", "a").with("sdp", sdp);
    let offer = sdp_of(&proxy.ask(ask("offer", anna.sdp("0 13"))).await.unwrap());
    assert!(offer.contains("RTP/AVP 0 13\r\n"), "{offer}");
    ben.to = Some(SocketAddr::from(([127, 0, 0, 1], port(&offer))));
    let answer = sdp_of(&proxy.ask(ask("answer", ben.sdp("0 13")).with("to-tag", "b")).await.unwrap());
    assert!(answer.contains("RTP/AVP 0 13\r\n"), "{answer}");
    anna.to = Some(SocketAddr::from(([127, 0, 0, 1], port(&answer))));
    for (payload_type, octet) in [(0, 1), (13, 2), (0, 3), (13, 4), (0, 5)] {
        anna.says(payload_type, octet);
        assert_eq!(ben.hears().await, Some((payload_type, octet)));
    }
    let figures = proxy.ask(request("query")).await.unwrap();
    assert_eq!(at(&figures, &["totals", "RTP", "packets"]).and_then(Value::int), Some(5));
}
