//! A customer asks to be called back, and is.

use std::time::Duration;

use scenarios::appliance::{Appliance, House, Options, text};
use scenarios::carrier::{Carrier, Manner};
use scenarios::http::Http;
use scenarios::pcap::{Capture, rtp_payloads};
use scenarios::place::Place;
use scenarios::pressing::pressing;
use scenarios::sipp::Caller;
use scenarios::tone;
use serde_json::{Value, json};

use crate::agent_dials::trunks_to;

const OUR_LINE: &str = "+4930555100";
/// The number that SIPp's only caller has.
const CUSTOMER: &str = "+49301";
const WAITING_HZ: f64 = 700.0;
const CUSTOMER_HZ: f64 = 440.0;
const AGENT_HZ: f64 = 1_000.0;

/// A service that offers to call back after five seconds and tries again after ten, and Anna, who is not Ready.
async fn open(admin: &Http, appliance: &Appliance) -> (House, Place) {
    let house = appliance.furnish(admin, OUR_LINE).await;
    appliance.hire(admin, &house, "anna", "browser", None).await;
    admin
        .change(&format!("/services/{}", house.service), |service| {
            service["queue"]["callback"]["offer_after_s"] = json!(5);
            service["queue"]["callback"]["pause_s"] = json!(10);
        })
        .await;
    let mut anna = Place::take(appliance, "anna", AGENT_HZ).await;
    anna.agent.send("not_ready", json!({})).await.expect("takes nothing yet");
    anna.is("not_ready").await;
    (house, anna)
}

/// A customer waits, presses 1 while it is offered and 1 when the number was read out, hears good-bye and is hung up.
async fn customer_asks(admin: &Http, appliance: &Appliance) -> String {
    let caller = Caller { hold_ms: Some(60_000), ..Caller::once(OUR_LINE, appliance.sip, WAITING_HZ) };
    let speech = pressing(WAITING_HZ, 60, &[(8_000, '1'), (18_000, '1')]);
    let mut sipp = caller.start_speaking(appliance.dir.path(), "waiting", "127.0.0.1", &speech);
    let open = async || callbacks(admin).await == 1;
    scenarios::until("the callback is promised", open).await;
    let call = admin.get("/calls").await["items"][0].clone();
    assert_eq!(call["callback"]["number"], CUSTOMER, "{call}");
    let interaction = text(&call["interaction"]);
    scenarios::until("good-bye was said, and the line is free", async || {
        admin.get(&format!("/calls/{interaction}")).await["phase"] == "waiting"
    })
    .await;
    // SIPp would have held longer: that it is over is the appliance's doing, and is no success to SIPp.
    let _ = sipp.running.wait(Duration::from_secs(90));
    interaction
}

async fn callbacks(admin: &Http) -> u64 {
    admin.get("/queues").await["items"][0]["callbacks"].as_u64().unwrap_or_default()
}

/// The agent takes the callback that is offered next, reads the notice and dials.
async fn takes(place: &mut Place, interaction: &str) {
    let is_ours = |e: &Value| e["event"] == "offered" && e["offer"]["interaction"] == interaction;
    let offer = place.agent.wait_for("the callback", is_ours).await["offer"].clone();
    assert_eq!((&offer["channel"], &offer["callback"]["number"]), (&json!("callback"), &json!(CUSTOMER)));
    place.agent.send("accept", json!({ "offer": offer["offer"] })).await.expect("accepted");
    place.agent.wait_for("the notice", |e| e["work"]["phase"] == "reserved").await;
    place.agent.send("call_back", json!({ "interaction": interaction })).await.expect("dialled");
}

/// The customer answers: both hear each other, and the record of the first call is whole.
async fn is_reached(
    appliance: &Appliance,
    admin: &Http,
    place: &mut Place,
    interaction: &str,
    carrier: &Carrier,
) {
    let capture = Capture::start(appliance.dir.path(), "lo", "udp", None);
    takes(place, interaction).await;
    place.agent.wait_for("both talk", |e| e["work"]["phase"] == "talking").await;
    // The carrier's tone was heard for a second and a half before it answered.
    place.comes_to_hear(CUSTOMER_HZ, 6.0).await;
    place.finish(interaction).await;
    let datagrams = capture.stop();
    let heard: Vec<i16> =
        rtp_payloads(&datagrams, carrier.media_port, 0).concat().into_iter().map(tone::from_mulaw).collect();
    let seconds = tone::seconds_with(&heard, 8_000, AGENT_HZ);
    assert!(seconds > 2.0, "the customer heard the agent {seconds} s");
    assert!(carrier.messages().contains(&format!("INVITE sip:{CUSTOMER}@127.0.0.1")));

    let records = admin.get("/records").await;
    assert_eq!(records["items"].as_array().map(Vec::len), Some(1), "one contact, one record: {records}");
    let record = &records["items"][0];
    assert_eq!((&record["direction"], &record["status"]), (&json!("inbound"), &json!("normal")), "{record}");
    assert_eq!((&record["caller"], &record["contact"]), (&json!(CUSTOMER), &json!(OUR_LINE)), "{record}");
    let path = format!("/records/{interaction}/recording");
    let wav = scenarios::eventually_ok(async || admin.bytes(&format!("{path}.wav")).await).await;
    let (rate, channels) = tone::read_wav(&wav);
    let length = channels[0].len() as f64 / f64::from(rate);
    let talked =
        record["ended_at"].as_u64().zip(record["answered_at"].as_u64()).map(|(e, a)| (e - a) as f64 / 1e3);
    assert!(talked.is_some_and(|t| (t - length).abs() < 0.7), "{length} s recorded of {talked:?}");
    tone::assert_apart(&channels, rate, [CUSTOMER_HZ, AGENT_HZ]);
    let today = &admin.get("/queues").await["items"][0]["today"];
    assert_eq!(
        (&today["callbacks"], &today["called_back"], &today["abandoned"]),
        (&json!(1), &json!(1), &json!(0)),
        "{today}"
    );
}

/// CB-01, CB-02: a customer who waits asks to be called back by keys and hangs up; the agent who becomes Ready is offered it, reads the
/// notice and dials. The customer is busy: the agent is Ready again at once. The second attempt is answered: both hear each other, and
/// one record has it all.
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_called_back_at_the_second_attempt() {
    let appliance = Appliance::start(&Options::default());
    let admin = appliance.admin().await;
    let (_, mut anna) = open(&admin, &appliance).await;
    let busy = Carrier::start(appliance.dir.path(), "busy", Manner::Refuses(486), CUSTOMER_HZ);
    let carrier = Carrier::start(appliance.dir.path(), "carrier", Manner::Answers, CUSTOMER_HZ);
    trunks_to(&admin, &[&busy.target()]).await;
    let interaction = customer_asks(&admin, &appliance).await;
    anna.agent.send("ready", json!({})).await.expect("ready");
    takes(&mut anna, &interaction).await;
    let banner = anna.agent.wait_for("why", |e| e["code"] == "callback_failed").await;
    assert_eq!(banner["params"]["why"], "busy", "{banner}");
    anna.is("ready").await;
    trunks_to(&admin, &[&carrier.target()]).await;
    is_reached(&appliance, &admin, &mut anna, &interaction, &carrier).await;
    let record = admin.get(&format!("/records/{interaction}")).await;
    let failed: Vec<&Value> =
        record["callback"]["attempts"].as_array().into_iter().flatten().map(|a| &a["failed"]).collect();
    assert_eq!(failed, [&json!("busy"), &Value::Null], "{record}");
}

/// CB-01, SAFE-06: `kill -9` between the asking and the dialling: the customer is still called back, in the same record.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_does_not_lose_whoever_is_to_be_called_back() {
    let mut appliance = Appliance::start(&Options::default());
    let admin = appliance.admin().await;
    let (_, anna) = open(&admin, &appliance).await;
    let carrier = Carrier::start(appliance.dir.path(), "carrier", Manner::Answers, CUSTOMER_HZ);
    trunks_to(&admin, &[&carrier.target()]).await;
    let interaction = customer_asks(&admin, &appliance).await;
    drop(anna);
    appliance.running.signal(libc::SIGKILL);
    appliance.running.wait(Duration::from_secs(30));
    appliance.start_again();
    let admin = appliance.admin().await;
    assert_eq!(callbacks(&admin).await, 1);
    let mut anna = Place::take(&appliance, "anna", AGENT_HZ).await;
    anna.agent.send("ready", json!({})).await.expect("ready");
    is_reached(&appliance, &admin, &mut anna, &interaction, &carrier).await;
}
