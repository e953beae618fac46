//! Customers whom agents pass on, with real callers, carriers and a browser: who hears whom, and what is recorded.

use std::time::Duration;

use scenarios::appliance::{Appliance, House, Options, PASSWORD, text};
use scenarios::browser::Browser;
use scenarios::carrier::{Carrier, Manner};
use scenarios::http::Http;
use scenarios::pcap::{Capture, rtp_payloads};
use scenarios::place::Place;
use scenarios::sipp::Caller;
use scenarios::tone;
use serde_json::{Value, json};

const NUMBER: &str = "+4930555100";
const CUSTOMER_HZ: f64 = 440.0;
const ANNA_HZ: f64 = 1_000.0;
const BORIS_HZ: f64 = 700.0;
const BRANCH_HZ: f64 = 1_400.0;

/// A second service, "Billing", whose only agent is Boris.
async fn with_billing(appliance: &Appliance, admin: &Http, house: &House) {
    let skill = text(&admin.post("/skills", json!({ "name": "Invoices" })).await["id"]);
    let mut billing = admin.get(&format!("/services/{}", house.service)).await;
    for gone in ["id", "version", "tenant"] {
        billing.as_object_mut().expect("a service").remove(gone);
    }
    billing["name"] = json!("Billing");
    let who = json!({ "at_least": { "skill": skill, "level": 3 } });
    billing["requirement"] = json!({ "mode": "replace", "steps": [{ "who": who, "lasts_ms": null }] });
    admin.post("/services", billing).await;
    let of_billing = House { skill, ..house.clone() };
    appliance.hire(admin, &of_billing, "boris", "browser", Some("1002")).await;
}

/// The channels of a finished recording: how long each of the tones is heard on the left and on the right.
async fn heard(admin: &Http, interaction: &str, tones: [f64; 2]) -> [[f64; 2]; 2] {
    let path = format!("/records/{interaction}/recording.wav");
    let wav = scenarios::eventually_ok(async || admin.bytes(&path).await).await;
    let (rate, channels) = tone::read_wav(&wav);
    [0, 1].map(|side| tones.map(|hz| tone::seconds_with(&channels[side], rate, hz)))
}

/// The record, once it has ended.
async fn ended(admin: &Http, interaction: &str) -> Value {
    let path = format!("/records/{interaction}");
    scenarios::until("the record has its end", async || admin.get(&path).await["status"].is_string()).await;
    admin.get(&path).await
}

/// XFER-05, XFER-06, KEY-02, KEY-03, RECO-01: in Chromium an agent sees how many agents of the other service are free, passes the customer on by keyboard,
/// is in after-call work at once and heard no longer; customer and colleague hear each other, the recording has all three, and the
/// record has both parts.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_passes_a_customer_on_to_a_service() {
    let appliance = Appliance::start(&Options::default());
    let admin = appliance.admin().await;
    let house = appliance.furnish(&admin, NUMBER).await;
    with_billing(&appliance, &admin, &house).await;
    appliance.hire(&admin, &house, "anna", "browser", Some("1001")).await;
    let mut boris = Place::take(&appliance, "boris", BORIS_HZ).await;
    boris.is("ready").await;
    let microphone = appliance.dir.path().join("microphone.wav");
    tone::write_wav(&microphone, 48_000, &tone::sine(ANNA_HZ, 48_000, 4.0));
    let mut page = Browser::start(appliance.dir.path(), &microphone);
    page.sign_in(&appliance.base, "anna", PASSWORD);
    page.see("[data-phone=up]");
    page.see("[data-state=ready]");

    let capture = Capture::start(appliance.dir.path(), "lo", "udp", None);
    let mut sipp = Caller::once(NUMBER, appliance.sip, CUSTOMER_HZ).start(appliance.dir.path(), "customer");
    page.see("[data-offer]");
    page.click("Accept");
    page.see("[data-phase=talking]");
    tokio::time::sleep(Duration::from_secs(3)).await;
    page.press("Alt+Shift+KeyB");
    page.see("[data-transfer]");
    page.press("Escape");
    page.gone("[data-transfer]");
    page.press("Alt+Shift+KeyT");
    page.see("[data-transfer]");
    assert!(
        page.text("[data-transfer]").contains("1 of 1 free, 0 waiting"),
        "{}",
        page.text("[data-transfer]")
    );
    page.act("click", json!({ "role": "radio", "name": "Billing 1 of 1 free, 0 waiting" }));
    page.shot("transfer-service");
    page.assert_clean("transfer to a service");
    page.tab("Number");
    page.fill("Number outside", "+49 30 987654");
    page.shot("transfer-number");
    page.assert_clean("transfer to a number");
    page.tab("Colleagues");
    page.see("[data-transfer] input[type=radio]");
    page.shot("transfer-colleague");
    page.assert_clean("transfer to a colleague");
    page.tab("Services");
    page.click("Transfer to Billing");
    page.gone("[data-transfer]");
    page.see("[data-state=wrap_up]");
    page.see("[data-phase=wrap_up]");
    page.shot("transferred");
    page.assert_clean("transferred");
    assert!(page.text("[data-phase]").contains("Transferred to Billing"));
    page.fill("Remark", "Wants the invoice again.");

    let interaction = boris.answer().await;
    boris.comes_to_hear(CUSTOMER_HZ, 2.0).await;
    assert!(boris.hears(ANNA_HZ, 2.0) < 0.1, "Anna is not in the call any more");
    tokio::time::sleep(Duration::from_secs(3)).await;
    page.click("Complete");
    page.see("[data-state=ready]");
    boris.finish(&interaction).await;
    assert!(sipp.running.wait(Duration::from_secs(60)).success(), "SIPp: {}", sipp.errors());

    let datagrams = capture.stop();
    let to_customer: Vec<i16> =
        rtp_payloads(&datagrams, sipp.media_port, 0).concat().into_iter().map(tone::from_mulaw).collect();
    for (who, hz) in [("Anna", ANNA_HZ), ("Boris", BORIS_HZ)] {
        let seconds = tone::seconds_with(&to_customer, 8_000, hz);
        assert!(seconds > 1.5, "the customer hears {who}: {seconds} s");
    }
    let record = ended(&admin, &interaction).await;
    assert_eq!(
        (&record["status"], &record["agent_name"]),
        (&json!("transferred"), &json!("Agent boris")),
        "{record}"
    );
    assert_eq!((&record["service_name"], &record["comment"]), (&json!("Billing"), &json!("")), "{record}");
    let part = &record["parts"][0];
    assert_eq!(
        (&part["agent_name"], &part["service_name"], &part["to_name"], &part["comment"]),
        (&json!("Agent anna"), &json!("Support"), &json!("Billing"), &json!("Wants the invoice again.")),
        "{record}"
    );
    let [left, right] = heard(&admin, &interaction, [ANNA_HZ, BORIS_HZ]).await;
    assert!(right.iter().all(|seconds| *seconds > 1.5), "both agents on our side: {right:?}");
    assert!(left.iter().all(|seconds| *seconds < 0.5), "and nobody of us on the customer's: {left:?}");
    let [left, _] = heard(&admin, &interaction, [CUSTOMER_HZ, CUSTOMER_HZ]).await;
    let whole =
        record["ended_at"].as_u64().zip(record["answered_at"].as_u64()).map(|(e, a)| (e - a) as f64 / 1e3);
    assert!(whole.is_some_and(|whole| left[0] > 0.8 * whole), "{left:?} of {whole:?} s, the wait included");

    page.click("Service records");
    page.see("table tbody tr");
    page.click("Open record");
    page.see("[data-parts]");
    page.shot("transfer-record");
    page.assert_clean("record of a transfer");
    assert!(page.text("[data-parts]").contains("transferred to Billing"));
}

/// Gives the house's only trunk a target to dial.
async fn dial_over(admin: &Http, carrier: &Carrier) {
    let trunks = admin.get("/trunks").await;
    let path = format!("/trunks/{}", text(&trunks["items"][0]["id"]));
    admin.change(&path, |trunk| trunk["target"] = json!(carrier.target())).await;
}

/// XFER-05: a number that is busy gives the customer back to the service, where the same agent may take them again; the next number is
/// heard before it answers, both hear each other, and the recording has agent and number.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_passes_a_customer_on_to_a_number() {
    let appliance = Appliance::start(&Options::default());
    let admin = appliance.admin().await;
    let house = appliance.furnish(&admin, NUMBER).await;
    appliance.hire(&admin, &house, "anna", "browser", Some("1001")).await;
    let busy = Carrier::start(appliance.dir.path(), "busy", Manner::Refuses(486), BRANCH_HZ);
    let branch = Carrier::start(appliance.dir.path(), "branch", Manner::Answers, BRANCH_HZ);
    dial_over(&admin, &busy).await;
    let mut anna = Place::take(&appliance, "anna", ANNA_HZ).await;
    anna.is("ready").await;
    let capture = Capture::start(appliance.dir.path(), "lo", "udp", None);
    let caller = Caller { hold_ms: Some(40_000), ..Caller::once(NUMBER, appliance.sip, CUSTOMER_HZ) };
    let mut sipp = caller.start(appliance.dir.path(), "customer");
    let interaction = anna.answer().await;
    anna.comes_to_hear(CUSTOMER_HZ, 2.0).await;
    let transfer = json!({ "interaction": interaction, "number": "+49 30 555-111" });
    anna.agent.send("transfer", transfer).await.expect("passed on");
    let own = |e: &Value| e["event"] == "work" && e["work"]["phase"] == "wrap_up";
    let part = anna.agent.wait_for("after-call work", own).await["work"].clone();
    assert_eq!(part["passed_to"], "+4930555111", "{part}");
    let is_failed = |entry: &Value| entry["event"]["type"] == "dial_failed";
    admin.journal(|entries| entries.iter().any(is_failed)).await;
    anna.agent.send("complete", json!({ "interaction": part["interaction"] })).await.expect("completed");
    assert_eq!(anna.answer().await, interaction, "the same customer comes back");
    anna.comes_to_hear(CUSTOMER_HZ, 2.0).await;

    dial_over(&admin, &branch).await;
    let transfer = json!({ "interaction": interaction, "number": "+49 30 555-222" });
    anna.agent.send("transfer", transfer).await.expect("passed on");
    let is_passed = |entry: &Value| entry["event"]["type"] == "passed_on";
    admin.journal(|entries| entries.iter().any(is_passed)).await;
    let live = admin.get("/calls").await;
    assert!(live.to_string().contains("passed_on"), "{live}");
    let left_at = anna.phone.heard().len();
    let _ = sipp.running.wait(Duration::from_secs(120));
    let since = anna.phone.heard().split_off(left_at);
    assert!(tone::seconds_with(&since, 8_000, CUSTOMER_HZ) < 0.2, "Anna does not listen any more");
    let datagrams = capture.stop();
    let voice = |port| -> Vec<i16> {
        rtp_payloads(&datagrams, port, 0).concat().into_iter().map(tone::from_mulaw).collect()
    };
    assert!(
        tone::seconds_with(&voice(sipp.media_port), 8_000, BRANCH_HZ) > 2.0,
        "the caller hears the branch"
    );
    assert!(
        tone::seconds_with(&voice(branch.media_port), 8_000, CUSTOMER_HZ) > 2.0,
        "the branch hears the caller"
    );
    assert!(branch.messages().contains("INVITE sip:+4930555222@127.0.0.1"));
    let record = ended(&admin, &interaction).await;
    assert_eq!((&record["status"], &record["agent"]), (&json!("transferred"), &Value::Null), "{record}");
    let to: Vec<&Value> =
        record["parts"].as_array().into_iter().flatten().map(|part| &part["to_name"]).collect();
    assert_eq!(to, ["+4930555111", "+4930555222"], "{record}");
    let [left, right] = heard(&admin, &interaction, [ANNA_HZ, BRANCH_HZ]).await;
    assert!(right.iter().all(|seconds| *seconds > 1.5), "agent and branch on our side: {right:?}");
    assert!(left.iter().all(|seconds| *seconds < 0.5), "{left:?}");
}
