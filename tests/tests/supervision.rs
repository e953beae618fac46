//! A supervisor in an agent's call, with a real caller, an agent and a browser: who hears whom in each of the three ways, and what is recorded.

use std::time::Duration;

use scenarios::appliance::{Appliance, Options, PASSWORD};
use scenarios::browser::Browser;
use scenarios::pcap::{Capture, Datagram, rtp_payloads};
use scenarios::place::Place;
use scenarios::sipp::Caller;
use scenarios::{now_ms, tone};
use serde_json::{Value, json};

const NUMBER: &str = "+4930555100";
const CUSTOMER_HZ: f64 = 440.0;
const ANNA_HZ: f64 = 1_000.0;
const SUE_HZ: f64 = 700.0;

/// Two seconds of talk: when they began and ended, in microseconds.
async fn meanwhile() -> (u64, u64) {
    // What was said before is still on its way.
    tokio::time::sleep(Duration::from_millis(800)).await;
    let from = now_ms() * 1_000;
    tokio::time::sleep(Duration::from_secs(3)).await;
    (from, now_ms() * 1_000)
}

/// For how many seconds Anna heard the customer alone and both, of the last two.
fn anna_hears(anna: &Place) -> (f64, f64) {
    let heard = anna.phone.heard();
    let last = heard.get(heard.len().saturating_sub(16_000)..).unwrap_or_default();
    (
        tone::seconds_with(last, 8_000, CUSTOMER_HZ),
        tone::seconds_with_both(last, 8_000, [CUSTOMER_HZ, SUE_HZ]),
    )
}

/// HELP-02, HELP-03, HELP-04, HELP-05, RECO-01: from the team page a supervisor listens, and nobody hears or is told; coaches, and the agent alone hears it;
/// talks along, and both do; takes the customer over, and the agent is in after-call work. The recording has the customer alone on the left, and all of us on
/// the right; the record tells those who supervise, and not the agent.
#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_listens_coaches_talks_along_and_takes_over() {
    let appliance = Appliance::start(&Options::default());
    let admin = appliance.admin().await;
    let house = appliance.furnish(&admin, NUMBER).await;
    appliance.hire(&admin, &house, "anna", "browser", Some("1001")).await;
    let sue = json!({
        "login": "sue", "name": "Sue Supervisor", "email": null, "extension": "1009", "role": "supervisor",
        "group": house.group, "skills": {}, "phone": "browser", "disabled": false, "password": PASSWORD,
    });
    admin.post("/users", sue).await;
    let mut anna = Place::take(&appliance, "anna", ANNA_HZ).await;
    anna.is("ready").await;
    let microphone = appliance.dir.path().join("microphone.wav");
    tone::write_wav(&microphone, 48_000, &tone::sine(SUE_HZ, 48_000, 4.0));
    let mut page = Browser::start(appliance.dir.path(), &microphone);
    page.sign_in(&appliance.base, "sue", PASSWORD);
    page.see("[data-phone=up]");

    let capture = Capture::start(appliance.dir.path(), "lo", "udp", None);
    let mut sipp = Caller::once(NUMBER, appliance.sip, CUSTOMER_HZ).start(appliance.dir.path(), "customer");
    let customer = anna.answer().await;
    anna.comes_to_hear(CUSTOMER_HZ, 2.0).await;

    page.click("Team");
    page.see("[data-attend] [data-how=monitor]");
    page.shot("team-attend");
    page.assert_clean("team with a live call");
    page.act("click-css", json!({ "selector": "[data-attend] [data-how=monitor]" }));
    page.see("[data-attended=monitor]");
    let heard = page.heard_hz();
    assert!(
        heard.is_some_and(|hz| [CUSTOMER_HZ, ANNA_HZ].iter().any(|of| (hz - of).abs() < 12.0)),
        "the supervisor hears {heard:?}"
    );
    let monitored = meanwhile().await;
    let (alone, both) = anna_hears(&anna);
    assert!(alone > 1.7 && both < 0.1, "Anna hears the customer alone: {alone} s, {both} s");
    page.shot("attending");
    page.assert_clean("listening to a call");
    page.theme_and_language("dark", "ru");
    page.shot("attending-ru");
    page.assert_clean("listening to a call, Russian, dark");
    page.theme_and_language("light", "en");
    // What Anna's page is told by now of the call.
    anna.agent.send("resync", json!({})).await.expect("a snapshot");
    let welcome = anna.agent.wait_for("a snapshot", |e| e["event"] == "welcome").await;
    assert!(!welcome.to_string().contains("Sue"), "{welcome}");

    page.act("click-css", json!({ "selector": "[data-attended] input[value=coach]" }));
    page.see("[data-attended=coach]");
    let told = anna.agent.wait_for("who coaches", |e| e["work"]["attendants"][0]["how"] == "coach").await;
    assert_eq!(told["work"]["attendants"][0]["name"], "Sue Supervisor");
    scenarios::until("Anna hears both", async || anna_hears(&anna).1 > 1.5).await;
    let coached = meanwhile().await;

    page.act("click-css", json!({ "selector": "[data-attended] input[value=barge_in]" }));
    page.see("[data-attended=barge_in]");
    scenarios::until("Anna hears both", async || anna_hears(&anna).1 > 1.5).await;
    let along = meanwhile().await;
    page.shot("barged-in");
    page.assert_clean("talking along");

    page.click("Take the customer over");
    page.see("[data-phase=talking]");
    let over = |e: &Value| e["event"] == "work" && e["work"]["phase"] == "wrap_up";
    let part = anna.agent.wait_for("after-call work", over).await["work"].clone();
    assert_eq!(part["passed_to"], "Sue Supervisor", "{part}");
    let taken = meanwhile().await;
    page.shot("taken-over");
    page.assert_clean("taken over");
    page.act("click-css", json!({ "selector": "[data-phase] button.danger" }));
    assert!(sipp.running.wait(Duration::from_secs(60)).success(), "SIPp: {}", sipp.errors());

    let datagrams = capture.stop();
    let to_customer = |(from, to): (u64, u64)| -> Vec<i16> {
        let then: Vec<Datagram> =
            datagrams.iter().filter(|d| (from..to).contains(&d.at_us)).cloned().collect();
        rtp_payloads(&then, sipp.media_port, 0).concat().into_iter().map(tone::from_mulaw).collect()
    };
    for (way, then) in [("monitor", monitored), ("coach", coached)] {
        let heard = to_customer(then);
        let alone = tone::seconds_with(&heard, 8_000, ANNA_HZ);
        let both = tone::seconds_with_both(&heard, 8_000, [ANNA_HZ, SUE_HZ]);
        assert!(alone > 2.5 && both < 0.1, "{way}: the customer hears Anna alone: {alone} s, {both} s");
    }
    let both = tone::seconds_with_both(&to_customer(along), 8_000, [ANNA_HZ, SUE_HZ]);
    assert!(both > 2.0, "the customer hears both: {both} s");
    let heard = to_customer(taken);
    let (sue, anna_then) =
        (tone::seconds_with(&heard, 8_000, SUE_HZ), tone::seconds_with(&heard, 8_000, ANNA_HZ));
    assert!(sue > 2.0 && anna_then < 0.1, "the customer hears the supervisor alone: {sue} s, {anna_then} s");

    let path = format!("/records/{customer}");
    scenarios::until("the record has its end", async || admin.get(&path).await["status"].is_string()).await;
    let record = admin.get(&path).await;
    let ways: Vec<&Value> = record["attended"].as_array().into_iter().flatten().map(|a| &a["how"]).collect();
    assert_eq!(ways, ["monitor", "coach", "barge_in"], "{record}");
    assert_eq!(
        (&record["agent_name"], &record["parts"][0]["agent_name"]),
        (&json!("Sue Supervisor"), &json!("Agent anna")),
        "{record}"
    );
    let own = anna.http.get(&path).await;
    assert!(own["attended"].as_array().is_none_or(Vec::is_empty), "{own}");
    let wav = scenarios::eventually_ok(async || admin.bytes(&format!("{path}/recording.wav")).await).await;
    let (rate, recorded) = tone::read_wav(&wav);
    let talk = record["ended_at"].as_u64().zip(record["answered_at"].as_u64());
    let talk = talk.map_or(0.0, |(ended, answered)| (ended - answered) as f64 / 1e3);
    let left = tone::seconds_with(&recorded[0], rate, CUSTOMER_HZ);
    assert!(left > 0.85 * talk, "the customer throughout: {left} of {talk} s");
    let alone = tone::seconds_with(&recorded[1], rate, ANNA_HZ);
    let both = tone::seconds_with_both(&recorded[1], rate, [ANNA_HZ, SUE_HZ]);
    let sue = tone::seconds_with(&recorded[1], rate, SUE_HZ);
    assert!(alone > 4.0 && both > 5.0 && sue > 2.0, "ours: {alone} s, {both} s, {sue} s");
}
