//! A carrier that has G.729 and nothing else: the customer's side is encoded and decoded by libbcg729, so that whatever both of our
//! halves got wrong alike would show.

use std::time::Duration;

use scenarios::agent::Agent;
use scenarios::appliance::{Appliance, Options, PASSWORD, text};
use scenarios::bcg729;
use scenarios::browser::Browser;
use scenarios::http::Http;
use scenarios::pcap::{Capture, Spoken, rtp_payloads};
use scenarios::sipp::{Caller, Said, Speech};
use scenarios::softphone::Softphone;
use scenarios::tone;
use serde_json::json;

const CUSTOMER_HZ: f64 = 440.0;
const AGENT_HZ: f64 = 1_000.0;
/// How long they talk at least.
const TALK: Duration = Duration::from_secs(6);

/// MEDIA-05, SIP-05, RECO-01, CONN-03, CONN-14: an offer of G.729 alone is answered; the agent in the browser, encrypted and without installing anything, hears the customer, the customer the agent, and
/// the recording holds both. An offer that says `annexb=no` is answered so, and every frame is sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_with_g729_alone_talks_to_an_agent_in_chromium() {
    let appliance = Appliance::start(&Options::default());
    let admin = appliance.admin().await;
    let house = appliance.furnish(&admin, "+4930555100").await;
    appliance.hire(&admin, &house, "anna", "browser", None).await;

    let microphone = appliance.dir.path().join("microphone.wav");
    tone::write_wav(&microphone, 48_000, &tone::sine(AGENT_HZ, 48_000, 4.0));
    let mut page = Browser::start(appliance.dir.path(), &microphone);
    page.act("goto", json!({ "url": appliance.base }));
    page.see("form");
    page.sign_in(&appliance.base, "anna", PASSWORD);
    page.see("[data-phone=up]");
    page.see("[data-state=ready]");

    let capture = Capture::start(appliance.dir.path(), "lo", "udp", None);
    let caller = Caller::once("+4930555100", appliance.sip, CUSTOMER_HZ);
    let speech = Speech {
        payload_type: 18,
        map: "G729/8000",
        lines: "a=fmtp:18 annexb=no\n",
        said: Said::Octets(bcg729::encode(&tone::sine(CUSTOMER_HZ, 8_000, 10.0))),
    };
    let mut sipp = caller.start_speaking(appliance.dir.path(), "customer", "127.0.0.1", &speech);

    page.see("[data-offer]");
    page.click("Accept");
    page.see("[data-phase=talking]");
    let talking_until = tokio::time::Instant::now() + TALK;
    let heard = page.heard_hz();
    assert!(
        heard.is_some_and(|hz| (hz - CUSTOMER_HZ).abs() < 12.0),
        "the browser hears {heard:?}, not the customer"
    );
    tokio::time::sleep_until(talking_until).await;
    page.click("Solved");
    page.click("Hang up");
    page.see("[data-state=wrap_up]");
    page.click("Complete");
    page.see("[data-state=ready]");
    assert!(sipp.running.wait(Duration::from_secs(60)).success(), "SIPp: {}", sipp.errors());

    let datagrams = capture.stop();
    let sip = datagrams.iter().filter(|datagram| datagram.from.port() == appliance.sip);
    let mut texts = sip.map(|d| String::from_utf8_lossy(&d.payload).into_owned());
    let answer = texts
        .find(|text| text.starts_with("SIP/2.0 200") && text.contains("m=audio"))
        .expect("the INVITE was answered");
    assert!(answer.contains(" RTP/AVP 18 101") && answer.contains("a=fmtp:18 annexb=no"), "{answer}");

    let payloads = rtp_payloads(&datagrams, sipp.media_port, 18);
    assert!(payloads.len() > 250, "{} packets in six seconds", payloads.len());
    assert!(payloads.iter().all(|payload| payload.len() == 20), "two frames a packet, and all of them");
    let heard_by_customer = bcg729::decode(&payloads.concat());
    let seconds = heard_by_customer.len() as f64 / 8_000.0;
    let share = tone::windows_with(&heard_by_customer, 8_000, AGENT_HZ);
    assert!(
        share * seconds > 2.0,
        "libbcg729 finds the agent's tone in {:.1} s of {seconds:.1} s",
        share * seconds
    );

    let records = admin.get("/records").await;
    let record = &records["items"][0];
    assert_eq!(record["status"], "normal", "{record}");
    let stats = &record["customer_stats"];
    assert!(stats["packets"].as_u64() > Some(100) && stats["lost"] == 0, "{stats}");
    // The codec alone costs that much (G.113: Ie 11).
    assert!(stats["mos"].as_f64().is_some_and(|mos| (1.0..=4.11).contains(&mos)), "{stats}");

    let path = format!("/records/{}/recording", text(&record["interaction"]));
    let wav = scenarios::eventually_ok(async || admin.bytes(&format!("{path}.wav")).await).await;
    let (rate, channels) = tone::read_wav(&wav);
    tone::assert_apart(&channels, rate, [CUSTOMER_HZ, AGENT_HZ]);
}

/// Frames as packets of at most 20 ms: speech together, a description of silence at the end of its packet, and nothing of what is not
/// sent (RFC 3551 section 4.5.6).
fn packets(frames: &[Vec<u8>]) -> Vec<Spoken> {
    let mut packets: Vec<Spoken> = Vec::new();
    let mut open = false;
    for (number, frame) in frames.iter().enumerate() {
        let unsent = number.checked_sub(1).is_none_or(|before| frames[before].is_empty());
        match (frame.len(), packets.last_mut().filter(|_| open)) {
            (0, _) => open = false,
            (length, Some(packet)) => {
                packet.at_ms += 10;
                packet.payload.extend(frame);
                open = length == 10 && packet.payload.len() < 20;
            }
            (length, None) => {
                let (at_ms, timestamp) = (number as u64 * 10 + 10, number as u32 * 80);
                let payload = frame.clone();
                packets.push(Spoken { at_ms, timestamp, marker: unsent, payload_type: 18, payload });
                open = length == 10;
            }
        }
    }
    packets
}

/// MEDIA-05, RECO-01: a carrier that leaves out silence, as libbcg729 does it: the agent hears both stretches of speech and quiet noise between them,
/// nothing counts as lost, nobody is taken for gone, and the recording has everything in its place.
#[tokio::test(flavor = "multi_thread")]
async fn a_carrier_that_leaves_out_silence_is_heard_as_it_spoke() {
    const SPEECH_S: f64 = 3.0;
    const PAUSE_S: f64 = 4.0;
    let appliance = Appliance::start(&Options::default());
    let admin = appliance.admin().await;
    let house = appliance.furnish(&admin, "+4930555100").await;
    appliance.hire(&admin, &house, "anna", "browser", None).await;
    let http = Http::sign_in(&appliance.base, "anna", PASSWORD).await.expect("signs in");
    let mut agent = Agent::connect(&http, appliance.https).await;
    let phone = Softphone::attach(&mut agent, AGENT_HZ).await;

    // A first stretch that outlasts the answer and the connection, and a room that is not wholly still.
    let mut seed = 1_u32;
    let room: Vec<i16> = (0..(PAUSE_S * 8_000.0) as usize)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 28) as i16 - 8
        })
        .collect();
    let speech = |seconds| tone::sine(CUSTOMER_HZ, 8_000, seconds);
    let said = [speech(SPEECH_S + 3.0), room.clone(), speech(SPEECH_S), room[..8_000].to_vec()].concat();
    let frames = bcg729::encode_with_pauses(&said);
    let unsent = frames.iter().filter(|frame| frame.is_empty()).count();
    assert!(unsent as f64 > PAUSE_S * 50.0, "libbcg729 left out {unsent} frames");

    let capture = Capture::start(appliance.dir.path(), "lo", "udp", None);
    let caller = Caller {
        hold_ms: Some(((SPEECH_S * 2.0 + 3.0 + PAUSE_S + 1.0) * 1_000.0) as u32),
        ..Caller::once("+4930555100", appliance.sip, CUSTOMER_HZ)
    };
    let speech = Speech {
        payload_type: 18,
        map: "G729/8000",
        lines: "a=fmtp:18 annexb=yes\n",
        said: Said::Packets(packets(&frames)),
    };
    let mut sipp = caller.start_speaking(appliance.dir.path(), "customer", "127.0.0.1", &speech);
    let offer = agent.wait_for("an offer", |event| event["event"] == "offered").await;
    agent.send("accept", json!({ "offer": offer["offer"]["offer"] })).await.expect("accepted");
    agent.wait_for("both talk", |event| event["work"]["phase"] == "talking").await;
    let before = phone.heard().len();
    agent.wait_for("the end", |event| event["work"]["phase"] == "wrap_up").await;
    let heard = phone.heard().split_off(before);
    assert!(sipp.running.wait(Duration::from_secs(60)).success(), "SIPp: {}", sipp.errors());

    let datagrams = capture.stop();
    let sip = datagrams.iter().filter(|datagram| datagram.from.port() == appliance.sip);
    let mut texts = sip.map(|d| String::from_utf8_lossy(&d.payload).into_owned());
    let answer = texts.find(|text| text.starts_with("SIP/2.0 200") && text.contains("m=audio"));
    assert!(answer.as_ref().is_some_and(|text| text.contains("a=fmtp:18 annexb=yes")), "{answer:?}");

    let (first, pause, second) = stretches(&heard, 8_000);
    assert!(
        first > 1.0 && (second - SPEECH_S).abs() < 0.4,
        "speech of {first:.1} s and {second:.1} s is heard"
    );
    assert!((pause - PAUSE_S).abs() < 0.4, "a pause of {pause:.1} s is heard");

    let records = admin.get("/records").await;
    let record = &records["items"][0];
    assert_eq!((&record["status"], &record["ended_by"]), (&json!("normal"), &json!("customer")), "{record}");
    let stats = &record["customer_stats"];
    assert!(stats["packets"].as_u64() > Some(100) && stats["lost"] == 0, "{stats}");
    let path = format!("/records/{}/recording", text(&record["interaction"]));
    let wav = scenarios::eventually_ok(async || admin.bytes(&format!("{path}.wav")).await).await;
    let (rate, channels) = tone::read_wav(&wav);
    let (first, pause, second) = stretches(&channels[0], rate);
    assert!(
        first > 1.0 && (second - SPEECH_S).abs() < 0.4,
        "speech of {first:.1} s and {second:.1} s recorded"
    );
    assert!((pause - PAUSE_S).abs() < 0.4, "a pause of {pause:.1} s recorded");
}

/// Seconds of the customer's tone before its longest pause, of the pause, and of the tone after it. The pause is noise far below the speech, if
/// anything. A decoder that joins in the middle of a word, as ours do when the call is taken, needs half a second until a tone is clean.
fn stretches(samples: &[i16], rate: u32) -> (f64, f64, f64) {
    let window = rate as usize / 10;
    let spoken: Vec<bool> =
        samples.chunks_exact(window).map(|w| tone::share_at(w, rate, CUSTOMER_HZ) > 0.6).collect();
    let begin = spoken.iter().position(|s| *s).expect("the customer is heard");
    let end = spoken.iter().rposition(|s| *s).expect("the customer is heard");
    // Places of the tone with the longest way to the next.
    let places: Vec<usize> = (begin..=end).filter(|at| spoken[*at]).collect();
    let (before, after) = places
        .windows(2)
        .map(|pair| (pair[0], pair[1]))
        .max_by_key(|(before, after)| after - before)
        .expect("more than one window of the tone");
    let quiet = samples.get((before + 4) * window..(after - 1) * window).unwrap_or_default();
    let loudest = quiet.iter().map(|s| s.unsigned_abs()).max().unwrap_or(0);
    assert!(loudest < 500, "the pause has {loudest}: {spoken:?}");
    let seconds = |windows: usize| windows as f64 / 10.0;
    (seconds(before + 1 - begin), seconds(after - before - 1), seconds(end + 1 - after))
}
