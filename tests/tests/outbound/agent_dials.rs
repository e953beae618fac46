//! An agent calls a customer.

use scenarios::agent::Agent;
use scenarios::appliance::{Appliance, Options, PASSWORD, text};
use scenarios::carrier::{Carrier, Manner};
use scenarios::http::Http;
use scenarios::pcap::{Capture, rtp_payloads};
use scenarios::softphone::Softphone;
use scenarios::tone;
use serde_json::{Value, json};

const OUR_LINE: &str = "+4930555100";
const CUSTOMER_HZ: f64 = 440.0;
const AGENT_HZ: f64 = 1_000.0;

/// Gives the trunks these targets, in their order, and makes those that are missing.
pub(crate) async fn trunks_to(admin: &Http, targets: &[&str]) {
    let trunks = admin.get("/trunks").await["items"].as_array().cloned().unwrap_or_default();
    for (n, target) in targets.iter().enumerate() {
        match trunks.get(n) {
            Some(trunk) => {
                let path = format!("/trunks/{}", text(&trunk["id"]));
                admin.change(&path, |trunk| trunk["target"] = json!(target)).await;
            }
            None => {
                let trunk = json!({
                    "name": format!("carrier {n}"), "addresses": [], "username": null, "target": target, "calls_max": 10,
                    "srtp": "accept",
                });
                admin.post("/trunks", trunk).await;
            }
        }
    }
}

/// OUT-01, OUT-02, REC-05, SIP-02, STATE-06: an agent dials a number as people write it; a trunk that answers 503 gives way to the
/// next, the carrier is heard before it answers, both hear each other, the recording has both whole, after-call work follows, and
/// the record is one of a call out.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_dials_a_customer_and_both_hear_each_other() {
    let appliance = Appliance::start(&Options::default());
    let admin = appliance.admin().await;
    let house = appliance.furnish(&admin, OUR_LINE).await;
    appliance.hire(&admin, &house, "anna", "browser", None).await;
    let out_of_order = Carrier::start(appliance.dir.path(), "carrier-503", Manner::Refuses(503), CUSTOMER_HZ);
    let carrier = Carrier::start(appliance.dir.path(), "carrier", Manner::Answers, CUSTOMER_HZ);
    trunks_to(&admin, &[&out_of_order.target(), &carrier.target()]).await;

    let http = Http::sign_in(&appliance.base, "anna", PASSWORD).await.expect("signs in");
    let mut agent = Agent::connect(&http, appliance.https).await;
    let phone = Softphone::attach(&mut agent, AGENT_HZ).await;
    let capture = Capture::start(appliance.dir.path(), "lo", "udp", None);
    let dial = json!({ "number": "+49 (30) 987-6543", "service": house.service });
    agent.send("dial", dial).await.expect("dialled");
    let work = agent.wait_for("dialling", |event| event["work"]["phase"] == "dialling").await;
    assert_eq!(
        (&work["work"]["direction"], &work["work"]["contact"]),
        (&json!("outbound"), &json!("+49309876543"))
    );
    let interaction = text(&work["work"]["interaction"]);
    agent.wait_for("both talk", |event| event["work"]["phase"] == "talking").await;
    let early = tone::seconds_with(&phone.heard(), 8_000, CUSTOMER_HZ);
    assert!(early > 0.5, "the carrier's tone was heard before it answered: {early} s");
    let before = phone.heard().len();
    scenarios::until("the agent hears the customer", async || {
        tone::seconds_with(&phone.heard().split_off(before), 8_000, CUSTOMER_HZ) > 3.0
    })
    .await;
    agent.send("hang_up", json!({ "interaction": interaction })).await.expect("hung up");
    agent.wait_for("after-call work", |event| event["work"]["phase"] == "wrap_up").await;
    agent.send("complete", json!({ "interaction": interaction })).await.expect("complete");
    drop(phone);

    let datagrams = capture.stop();
    let heard: Vec<i16> =
        rtp_payloads(&datagrams, carrier.media_port, 0).concat().into_iter().map(tone::from_mulaw).collect();
    let seconds = tone::seconds_with(&heard, 8_000, AGENT_HZ);
    assert!(seconds > 2.0, "the customer heard the agent {seconds} s");
    let refused = out_of_order.messages();
    assert!(
        refused.contains("INVITE sip:+49309876543@127.0.0.1") && refused.contains("ACK sip:"),
        "{refused}"
    );
    let taken = carrier.messages();
    assert!(taken.contains(&format!("P-Asserted-Identity: <sip:{OUR_LINE}@127.0.0.1")), "{taken}");
    assert!(taken.contains("BYE sip:carrier@127.0.0.1"), "{taken}");

    let record = &admin.get("/records").await["items"][0];
    assert_eq!((&record["direction"], &record["status"]), (&json!("outbound"), &json!("normal")), "{record}");
    assert_eq!(
        (&record["caller"], &record["contact"]),
        (&json!(OUR_LINE), &json!("+49309876543")),
        "{record}"
    );
    assert_eq!(
        (&record["ended_by"], &record["service"]),
        (&json!("agent"), &json!(house.service)),
        "{record}"
    );
    let path = format!("/records/{interaction}/recording");
    let wav = scenarios::eventually_ok(async || admin.bytes(&format!("{path}.wav")).await).await;
    let (rate, channels) = tone::read_wav(&wav);
    let length = channels[0].len() as f64 / f64::from(rate);
    let talked =
        record["ended_at"].as_u64().zip(record["answered_at"].as_u64()).map(|(e, a)| (e - a) as f64 / 1e3);
    assert!(talked.is_some_and(|t| (t - length).abs() < 0.7), "{length} s recorded of {talked:?}");
    tone::assert_apart(&channels, rate, [CUSTOMER_HZ, AGENT_HZ]);
}

/// OUT-06, OUT-13, SAFE-01, ERR-07: a number that is closed is not dialled; a busy one is said to be busy, and the record says so, and
/// one whose telephone is off to be off, by the network's cause; one that rings is given up by the agent, which cancels it.
#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_are_closed_busy_or_given_up_are_told_apart() {
    let appliance = Appliance::start(&Options::default());
    let admin = appliance.admin().await;
    let house = appliance.furnish(&admin, OUR_LINE).await;
    appliance.hire(&admin, &house, "anna", "browser", None).await;
    let http = Http::sign_in(&appliance.base, "anna", PASSWORD).await.expect("signs in");
    let mut agent = Agent::connect(&http, appliance.https).await;
    let _phone = Softphone::attach(&mut agent, AGENT_HZ).await;

    let problem = |refused: Result<Value, Value>| {
        text(&refused.expect_err("refused")["type"]).replace("/problems/", "")
    };
    let dial = |number: &str| json!({ "number": number });
    assert_eq!(problem(agent.send("dial", dial("+49301234567")).await), "no-trunk");
    let busy = Carrier::start(appliance.dir.path(), "busy", Manner::Refuses(486), CUSTOMER_HZ);
    trunks_to(&admin, &[&busy.target()]).await;
    assert_eq!(problem(agent.send("dial", dial("+881612345678")).await), "number-closed");
    assert_eq!(problem(agent.send("dial", dial("alice")).await), "invalid");

    agent.send("dial", dial("+49301234567")).await.expect("dialled");
    let work = agent.wait_for("busy", |event| event["work"]["phase"] == "refused").await;
    assert_eq!(work["work"]["refused_why"], "busy", "{work}");
    let interaction = text(&work["work"]["interaction"]);
    agent.send("hang_up", json!({ "interaction": interaction })).await.expect("hung up");
    agent.wait_for("after-call work", |event| event["work"]["phase"] == "wrap_up").await;
    agent.send("complete", json!({ "interaction": interaction })).await.expect("complete");
    let record = admin.get(&format!("/records/{interaction}")).await;
    assert_eq!((&record["status"], &record["direction"]), (&json!("busy"), &json!("outbound")), "{record}");

    let off = Carrier::start(appliance.dir.path(), "off", Manner::RefusesFor(480, 20), CUSTOMER_HZ);
    trunks_to(&admin, &[&off.target()]).await;
    agent.send("dial", dial("+49301234567")).await.expect("dialled");
    let work = agent.wait_for("switched off", |event| event["work"]["phase"] == "refused").await;
    assert_eq!(work["work"]["refused_why"], "phone_off", "{work}");
    let interaction = text(&work["work"]["interaction"]);
    agent.send("hang_up", json!({ "interaction": interaction })).await.expect("hung up");
    agent.wait_for("after-call work", |event| event["work"]["phase"] == "wrap_up").await;
    agent.send("complete", json!({ "interaction": interaction })).await.expect("complete");
    assert_eq!(admin.get(&format!("/records/{interaction}")).await["status"], "phone_off");

    let ringing = Carrier::start(appliance.dir.path(), "ringing", Manner::Rings, CUSTOMER_HZ);
    trunks_to(&admin, &[&ringing.target()]).await;
    agent.send("dial", dial("+49301234567")).await.expect("dialled");
    let work = agent.wait_for("dialling", |event| event["work"]["phase"] == "dialling").await;
    let interaction = text(&work["work"]["interaction"]);
    scenarios::until("it rings there", async || ringing.messages().contains("180 Ringing")).await;
    agent.send("hang_up", json!({ "interaction": interaction })).await.expect("hung up");
    scenarios::until("the carrier hears of it", async || {
        let messages = ringing.messages();
        messages.contains("CANCEL sip:") && messages.contains("ACK sip:")
    })
    .await;
    let ended = async || admin.get(&format!("/records/{interaction}")).await["status"] == "cancelled";
    scenarios::until("the record says so", ended).await;
}
