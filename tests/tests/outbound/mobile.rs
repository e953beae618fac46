//! An agent whose phone is a number outside.

use scenarios::agent::Agent;
use scenarios::appliance::{Appliance, Options, PASSWORD, text};
use scenarios::carrier::{Carrier, Manner};
use scenarios::http::Http;
use scenarios::pcap::{Capture, rtp_payloads};
use scenarios::sipp::Caller;
use scenarios::tone;
use serde_json::json;

use super::agent_dials::trunks_to;

const OUR_LINE: &str = "+4930555100";
const MOBILE: &str = "+491701234567";
const CUSTOMER_HZ: f64 = 440.0;
const AGENT_HZ: f64 = 1_000.0;

/// A house in which Anna, signed in without any phone in her page, is reached at her mobile.
async fn house(appliance: &Appliance) -> (Http, Agent) {
    let admin = appliance.admin().await;
    let house = appliance.furnish(&admin, OUR_LINE).await;
    appliance.hire(&admin, &house, "anna", "browser", None).await;
    let http = Http::sign_in(&appliance.base, "anna", PASSWORD).await.expect("signs in");
    let phone = json!({ "kind": "number", "number": MOBILE });
    let (status, _, body) = http.call(reqwest::Method::PUT, "/session/phone", Some(phone), None).await;
    assert_eq!(status, 204, "{body}");
    let mut agent = Agent::connect(&http, appliance.https).await;
    agent.send("ready", json!({})).await.expect("ready");
    (admin, agent)
}

/// CONN-06, CONN-11: a customer's call rings at the agent's mobile; 1 takes it, both hear each other, and both are in the recording,
/// each on their own channel. The customer's hanging up frees the line.
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_talks_to_an_agent_at_a_mobile() {
    let appliance = Appliance::start(&Options::default());
    let carrier = Carrier::start(appliance.dir.path(), "mobile", Manner::Presses('1', 2_000), AGENT_HZ);
    let (admin, mut agent) = house(&appliance).await;
    trunks_to(&admin, &[&carrier.target()]).await;
    let capture = Capture::start(appliance.dir.path(), "lo", "udp", None);
    let mut caller = Caller::once(OUR_LINE, appliance.sip, CUSTOMER_HZ);
    caller.hold_ms = Some(12_000);
    let mut sipp = caller.start(appliance.dir.path(), "customer");
    let offer = agent.wait_for("an offer", |e| e["event"] == "offered").await;
    let interaction = text(&offer["offer"]["interaction"]);
    agent.wait_for("both talk", |e| e["work"]["phase"] == "talking").await;
    agent.wait_for("after-call work", |e| e["work"]["phase"] == "wrap_up").await;
    agent.send("complete", json!({ "interaction": interaction })).await.expect("complete");
    assert!(sipp.running.wait(std::time::Duration::from_secs(30)).success(), "SIPp: {}", sipp.errors());

    let datagrams = capture.stop();
    let heard = |port: u16| -> Vec<i16> {
        rtp_payloads(&datagrams, port, 0).concat().into_iter().map(tone::from_mulaw).collect()
    };
    let (mobile, customer) = (heard(carrier.media_port), heard(sipp.media_port));
    let prompt = mobile.iter().take(8_000 * 2).filter(|sample| sample.unsigned_abs() > 300).count();
    assert!(prompt > 2_000, "whoever picked up was told what to press: {prompt} loud samples");
    let both =
        [tone::seconds_with(&mobile, 8_000, CUSTOMER_HZ), tone::seconds_with(&customer, 8_000, AGENT_HZ)];
    assert!(both.iter().all(|seconds| *seconds > 3.0), "agent and customer heard each other {both:?} s");
    let messages = carrier.messages();
    assert!(messages.contains(&format!("INVITE sip:{MOBILE}@127.0.0.1")), "{messages}");
    scenarios::until("the mobile is hung up", async || carrier.messages().contains("BYE sip:carrier@")).await;
    let wav = scenarios::eventually_ok(async || {
        admin.bytes(&format!("/records/{interaction}/recording.wav")).await
    })
    .await;
    let (rate, channels) = tone::read_wav(&wav);
    tone::assert_apart(&channels, rate, [CUSTOMER_HZ, AGENT_HZ]);
}

/// CONN-06: a mailbox that picks up presses nothing: the customer goes back to the line and hears none of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_takes_no_customer() {
    let appliance = Appliance::start(&Options::default());
    // A key of no meaning, long after the call was given up.
    let carrier = Carrier::start(appliance.dir.path(), "mailbox", Manner::Presses('7', 3_000), AGENT_HZ);
    let (admin, mut agent) = house(&appliance).await;
    trunks_to(&admin, &[&carrier.target()]).await;
    let capture = Capture::start(appliance.dir.path(), "lo", "udp", None);
    let sipp = Caller::once(OUR_LINE, appliance.sip, CUSTOMER_HZ).start(appliance.dir.path(), "customer");
    agent.wait_for("an offer", |e| e["event"] == "offered").await;
    agent.wait_for("the offer is over", |e| e["event"] == "offer_ended").await;
    scenarios::until("the mailbox is hung up", async || carrier.messages().contains("BYE sip:carrier@"))
        .await;
    let live = admin.get("/calls").await;
    assert_eq!(live["items"].as_array().map(Vec::len), Some(1), "the customer waits on: {live}");
    let datagrams = capture.stop();
    let heard: Vec<i16> =
        rtp_payloads(&datagrams, sipp.media_port, 0).concat().into_iter().map(tone::from_mulaw).collect();
    assert_eq!(tone::seconds_with(&heard, 8_000, AGENT_HZ), 0.0);
    drop(sipp);
}
