//! Two Chromium pages with cameras see and hear each other through the media plane.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use media::control::{
    Answer, Command, Common, Direction, Format, Latching, LegCreated, LegSetup, LegStats, Offered, Security,
    Transport, Video, common_video,
};
use media::plane::{Interface, Plane, PlaneConfig, PlaneHandle};
use model::id::{Id, LegId};
use model::media::Codec;
use scenarios::browser::Browser;
use scenarios::tone;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How long the wire is measured.
const MEASURED: Duration = Duration::from_secs(10);
/// A browser on a busy machine takes its time.
const PATIENCE: u32 = 300;

/// MEDIA-14, MEDIA-01, CAP-03: audio by Opus and video by VP8 both ways, a keyframe request that passes, and no more on the wire
/// than a video call may carry.
#[tokio::test(flavor = "multi_thread")]
async fn two_chromium_pages_see_and_hear_each_other_within_the_cap() {
    let dir = tempfile::tempdir().expect("a folder");
    let plane = plane();
    let media = plane.handle();
    let mut browser = browser(dir.path());
    let page = serve_page().await;
    browser.act("goto", json!({ "url": page }));
    let other = browser.act("tab", json!({ "url": page }));
    let tabs = [json!(0), other];

    let mut sides = Vec::new();
    for (n, tab) in tabs.iter().enumerate() {
        browser.act("tab", json!({ "number": tab }));
        let offer = browser.evaluate("call()");
        let offer = offer.as_str().expect("an offer").to_owned();
        sides.push(Side::new(&media, n as u64, offer).await);
    }
    let common = {
        let (first, second) = (video_formats(&sides[0].offer), video_formats(&sides[1].offer));
        common_video(&first, &second, 1)
    };
    let vp8 = common.iter().position(|it| !it.repair).expect("a codec both have");
    let chosen = &common[vp8..(vp8 + 2).min(common.len())];
    assert!(chosen.iter().any(|it| it.repair), "both repair what is lost: {common:?}");
    for side in &sides {
        side.configure(&media, chosen).await;
    }
    for medium in [0, 1] {
        let bridge = Command::Bridge { a: sides[0].legs[medium].0, b: sides[1].legs[medium].0 };
        assert_eq!(media.command(bridge).await, Ok(Answer::Done));
    }
    for (side, tab) in sides.iter().zip(&tabs) {
        browser.act("tab", json!({ "number": tab }));
        let answer = side.answer(&media, chosen).await;
        browser.evaluate(&format!("answered({})", json!(answer)));
    }

    let mut seen = Vec::new();
    for (tab, name) in tabs.iter().zip(["video-first", "video-second"]) {
        browser.act("tab", json!({ "number": tab }));
        let first = wait_for(&mut browser, "decodes frames", |it| {
            it["framesDecoded"].as_u64() > Some(20) && it["frameWidth"].as_u64() > Some(0)
        });
        assert!(first["audio"].as_u64() > Some(0), "and hears: {first}");
        browser.shot(name);
        seen.push(first["framesDecoded"].as_u64().expect("a number"));
    }

    // A request for a whole picture goes from the second page to the first: the first encodes one more.
    browser.act("tab", json!({ "number": tabs[0] }));
    let before = wait_for(&mut browser, "encodes", |it| it["keyFramesEncoded"].as_u64() > Some(0));
    let requested = stats(&media, sides[0].legs[1].0).await.video.expect("video").keyframes_requested;
    let bridge = Command::Bridge { a: sides[0].legs[1].0, b: sides[1].legs[1].0 };
    assert_eq!(media.command(bridge).await, Ok(Answer::Done));
    wait_for(&mut browser, "encodes a whole picture when asked", |it| {
        it["keyFramesEncoded"].as_u64() > before["keyFramesEncoded"].as_u64()
            && it["pliCount"].as_u64() > before["pliCount"].as_u64()
    });
    let now = stats(&media, sides[0].legs[1].0).await.video.expect("video").keyframes_requested;
    assert!(now > requested);

    let wire = |media: PlaneHandle, leg| async move {
        let stats = stats(&media, leg).await;
        let packets = stats.received.packets + stats.video.map_or(0, |video| video.repairs_received);
        // Ethernet with preamble, IPv4, UDP, and the tag of SRTP.
        (stats.received.octets + packets * (26 + 20 + 8 + 16)) * 8
    };
    let mut before = Vec::new();
    for side in &sides {
        before.push(wire(media.clone(), side.legs[1].0).await);
    }
    tokio::time::sleep(MEASURED).await;
    for (side, before) in sides.iter().zip(before) {
        let rate = (wire(media.clone(), side.legs[1].0).await - before) / MEASURED.as_secs();
        let video = stats(&media, side.legs[1].0).await.video.expect("video");
        println!("video: {rate} bit/s on the wire over ten seconds; {video:?}");
        assert!((50_000..=960_000).contains(&rate), "{rate} bit/s on the wire");
    }
    for (tab, before) in tabs.iter().zip(&seen) {
        browser.act("tab", json!({ "number": tab }));
        wait_for(&mut browser, "goes on", |it| it["framesDecoded"].as_u64() > Some(before + 50));
    }

    // One-way video: the second page is seen no longer, and goes on seeing.
    let blind = Command::Hear { leg: sides[0].legs[1].0, source: media::control::Source::Nothing };
    assert_eq!(media.command(blind).await, Ok(Answer::Done));
    browser.act("tab", json!({ "number": tabs[1] }));
    let before = wait_for(&mut browser, "sees", |_| true)["framesDecoded"].as_u64();
    wait_for(&mut browser, "goes on seeing", |it| it["framesDecoded"].as_u64() > before.map(|n| n + 30));
    let sent = stats(&media, sides[0].legs[1].0).await.sent_packets;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(stats(&media, sides[0].legs[1].0).await.sent_packets, sent, "nothing goes to the first");
}

/// One page: its offer, and its legs for audio and video.
struct Side {
    offer: String,
    legs: Vec<(LegId, LegCreated)>,
}

impl Side {
    async fn new(media: &PlaneHandle, number: u64, offer: String) -> Self {
        let mut legs = Vec::new();
        for medium in 0..2 {
            let leg = LegId::from_number(number * 2 + medium);
            let create = Command::CreateLeg { leg, transport: Transport::Ice, near: None };
            match media.command(create).await {
                Ok(Answer::Created(created)) => legs.push((leg, created)),
                other => panic!("{other:?}"),
            }
        }
        Self { offer, legs }
    }

    async fn configure(&self, media: &PlaneHandle, common: &[Common]) {
        let first = self.legs[0].0.uuid().as_u128() < 2;
        for (medium, (leg, _)) in self.legs.iter().enumerate() {
            let lines = section(&self.offer, medium);
            let value = |name: &str| attribute(&lines, name).unwrap_or_default().to_owned();
            let security = Security::Dtls {
                remote_ufrag: value("ice-ufrag"),
                remote_pwd: value("ice-pwd"),
                remote_fingerprint: value("fingerprint"),
                active: false,
            };
            let base = LegSetup {
                rtcp_mux: true,
                security,
                direction: Direction::SendRecv,
                latching: Latching::Off,
                ..LegSetup::default()
            };
            let setup = if medium == 0 {
                let opus = Format { payload_type: opus(&self.offer), codec: Codec::Opus, ptime_ms: 20 };
                LegSetup { send: Some(opus), receive: vec![opus], ..base }
            } else {
                let repairs = common.iter().filter(|it| it.repair).map(|it| it.first.format).collect();
                let mine = |it: &Common| if first { it.first } else { it.second };
                let passed = common.iter().map(mine).collect();
                LegSetup { passed, video: Some(Video { repairs, ..Video::default() }), ..base }
            };
            let configure = Command::ConfigureLeg { leg: *leg, setup: Box::new(setup) };
            assert_eq!(media.command(configure).await, Ok(Answer::Done));
        }
    }

    /// An answer as a media node's proxy would write it.
    async fn answer(&self, media: &PlaneHandle, common: &[Common]) -> String {
        let first = self.legs[0].0.uuid().as_u128() < 2;
        let mut sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-lite\r\n".to_owned();
        for (medium, (leg, created)) in self.legs.iter().enumerate() {
            let ice = created.ice.as_ref().expect("ICE");
            let lines = section(&self.offer, medium);
            let mid = attribute(&lines, "mid").expect("a mid");
            let port = created.rtp.port();
            let types: Vec<u8> = match medium {
                0 => vec![opus(&self.offer)],
                _ => common.iter().map(|it| if first { it.first } else { it.second }.payload_type).collect(),
            };
            let list: Vec<String> = types.iter().map(u8::to_string).collect();
            let kind = ["audio", "video"][medium];
            sdp += &format!("m={kind} {port} UDP/TLS/RTP/SAVPF {}\r\nc=IN IP4 127.0.0.1\r\n", list.join(" "));
            sdp += &format!("a=mid:{mid}\r\na=rtcp-mux\r\na=sendrecv\r\na=setup:passive\r\n");
            sdp += &format!("a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", ice.ufrag, ice.pwd);
            sdp += &format!("a=fingerprint:{}\r\n", ice.fingerprint);
            for (n, candidate) in ice.candidates.iter().enumerate() {
                let (ip, port) = (candidate.ip(), candidate.port());
                sdp += &format!("a=candidate:{n} 1 udp 2130706431 {ip} {port} typ host\r\n");
            }
            sdp += "a=end-of-candidates\r\n";
            for line in &lines {
                let about =
                    |name: &str| types.iter().any(|one| line.starts_with(&format!("a={name}:{one} ")));
                let feedback = ["nack", "nack pli", "ccm fir", "goog-remb"];
                let wanted = line.split_once(' ').is_some_and(|(_, what)| feedback.contains(&what));
                if about("rtpmap") || about("fmtp") || medium == 1 && about("rtcp-fb") && wanted {
                    sdp += &format!("{line}\r\n");
                }
            }
            let stats = stats(media, *leg).await;
            let streams: Vec<u32> =
                [Some(stats.sent_ssrc), stats.video.map(|it| it.repair_ssrc)].into_iter().flatten().collect();
            if let [video, repair] = streams[..] {
                sdp += &format!("a=ssrc-group:FID {video} {repair}\r\n");
            }
            for ssrc in streams {
                sdp += &format!("a=ssrc:{ssrc} cname:plane\r\na=ssrc:{ssrc} msid:plane {kind}\r\n");
            }
        }
        sdp
    }
}

fn plane() -> Plane {
    let here: IpAddr = "127.0.0.1".parse().expect("an address");
    let config = PlaneConfig {
        threads: 1,
        pin: false,
        interfaces: vec![Interface { bind: here, advertised: here }],
        port_min: 28_500,
        port_max: 28_539,
        ice_port: Some(0),
        ..PlaneConfig::default()
    };
    Plane::start(config).expect("a plane")
}

fn browser(dir: &Path) -> Browser {
    let microphone = dir.join("microphone.wav");
    tone::write_wav(&microphone, 48_000, &tone::sine(700.0, 48_000, 4.0));
    Browser::start(dir, &microphone)
}

async fn stats(media: &PlaneHandle, leg: LegId) -> LegStats {
    match media.command(Command::Stats { leg }).await {
        Ok(Answer::Stats(stats)) => *stats,
        other => panic!("{other:?}"),
    }
}

/// Asks the page for its figures until they are as wanted.
#[track_caller]
fn wait_for(browser: &mut Browser, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..PATIENCE {
        last = browser.evaluate("figures()");
        if wanted(&last) {
            return last;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    panic!("the page never {what}: {last}");
}

/// The lines of one medium of a session description.
fn section(sdp: &str, medium: usize) -> Vec<&str> {
    let mut lines = sdp.lines().skip_while(|line| !line.starts_with("m="));
    let mut found = Vec::new();
    let mut number = None;
    for line in lines.by_ref() {
        if line.starts_with("m=") {
            number = Some(number.map_or(0, |n: usize| n + 1));
        }
        if number == Some(medium) {
            found.push(line);
        }
    }
    found
}

fn attribute<'a>(lines: &[&'a str], name: &str) -> Option<&'a str> {
    lines.iter().find_map(|line| line.strip_prefix("a=")?.strip_prefix(name)?.strip_prefix(':'))
}

fn opus(sdp: &str) -> u8 {
    let lines = section(sdp, 0);
    let map = lines.iter().find(|line| line.ends_with(" opus/48000/2")).expect("Opus");
    map.trim_start_matches("a=rtpmap:").split(' ').next().and_then(|it| it.parse().ok()).expect("a number")
}

fn video_formats(sdp: &str) -> Vec<Offered<'_>> {
    let lines = section(sdp, 1);
    let about = |name: &str, payload_type: &str| {
        lines.iter().find_map(|line| {
            line.strip_prefix("a=")?
                .strip_prefix(name)?
                .strip_prefix(':')?
                .strip_prefix(payload_type)?
                .strip_prefix(' ')
        })
    };
    let listed = lines[0].split(' ').skip(3);
    listed
        .filter_map(|payload_type| {
            let (name, clock) = about("rtpmap", payload_type)?.split_once('/')?;
            Some(Offered {
                payload_type: payload_type.parse().ok()?,
                name,
                clock_hz: clock.parse().ok()?,
                parameters: about("fmtp", payload_type).unwrap_or(""),
            })
        })
        .collect()
}

/// Serves the page on the loopback, which counts as secure: only there a page may have the camera.
async fn serve_page() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4_096];
            let _ = stream.read(&mut request).await;
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: ";
            let _ = stream.write_all(format!("{head}{}\r\n\r\n{PAGE}", PAGE.len()).as_bytes()).await;
        }
    });
    format!("http://{at}/")
}

const PAGE: &str = r#"<!doctype html><title>Video</title><body style="font:16px sans-serif">
<p>Far end</p><video id=far autoplay playsinline muted width=640></video><audio id=sound autoplay></audio>
<script>
const peer = new RTCPeerConnection({ bundlePolicy: "balanced" });
peer.ontrack = (e) => { (e.track.kind === "video" ? far : sound).srcObject = new MediaStream([e.track]); };
async function call() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 480 } });
  for (const kind of ["audio", "video"]) {
    const track = stream.getTracks().find((t) => t.kind === kind);
    peer.addTransceiver(track, { direction: "sendrecv", streams: [stream] });
  }
  await peer.setLocalDescription();
  return peer.localDescription.sdp;
}
async function answered(sdp) { await peer.setRemoteDescription({ type: "answer", sdp }); }
async function figures() {
  const figures = { state: peer.connectionState };
  for (const it of (await peer.getStats()).values()) {
    if (it.type === "inbound-rtp" && it.kind === "video") {
      Object.assign(figures, { framesDecoded: it.framesDecoded, frameWidth: it.frameWidth, lost: it.packetsLost });
    }
    if (it.type === "inbound-rtp" && it.kind === "audio") figures.audio = it.packetsReceived;
    if (it.type === "outbound-rtp" && it.kind === "video") {
      Object.assign(figures, { keyFramesEncoded: it.keyFramesEncoded, pliCount: it.pliCount, target: it.targetBitrate });
    }
  }
  return figures;
}
</script>"#;
