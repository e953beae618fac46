//! A carrier that has G.729 and nothing else: the customer's side is encoded and decoded by libbcg729, so that whatever both of our
//! halves got wrong alike would show.

use std::time::Duration;

use scenarios::appliance::{Appliance, Options, PASSWORD, text};
use scenarios::bcg729;
use scenarios::browser::Browser;
use scenarios::pcap::{Capture, rtp_payloads};
use scenarios::sipp::{Caller, Speech};
use scenarios::tone;
use serde_json::json;

const CUSTOMER_HZ: f64 = 440.0;
const AGENT_HZ: f64 = 1_000.0;
/// How long they talk at least.
const TALK: Duration = Duration::from_secs(6);

/// MEDIA-05, SIP-05, RECO-01: an offer of G.729 alone is answered; the agent in the browser hears the customer, the customer the agent, and
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
    let caller = Caller {
        dial: "+4930555100",
        sip_port: appliance.sip,
        calls: 1,
        rate: 1,
        hold_ms: None,
        hz: CUSTOMER_HZ,
        extra: &[],
    };
    let speech = Speech {
        payload_type: 18,
        map: "G729/8000",
        lines: "a=fmtp:18 annexb=no\n",
        octets: bcg729::encode(&tone::sine(CUSTOMER_HZ, 8_000, 10.0)),
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
    let mut texts = datagrams.iter().map(|d| String::from_utf8_lossy(&d.payload).into_owned());
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
