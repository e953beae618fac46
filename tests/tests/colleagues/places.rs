//! Two softphones, by the console's protocol.

use std::time::Duration;

use scenarios::appliance::text;
use scenarios::place::Place;
use scenarios::sipp::Caller;
use serde_json::json;

use super::{NUMBER, TONE_HZ, call, gone, open, phase, record};

const ANNA_HZ: f64 = 1_000.0;
const BORIS_HZ: f64 = 700.0;
const CUSTOMER_HZ: f64 = 440.0;

/// OUT-03, VOICE-04, VOICE-08: a colleague who is not ready is called, refuses and stands where she stood, reason and all, while
/// the caller hears busy; called again she accepts, both hear each other, each holds for themselves, and nothing is left to do.
#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_refuses_once_and_talks_the_next_time() {
    let (appliance, _, admin) = open().await;
    let mut anna = Place::take(&appliance, "anna", ANNA_HZ).await;
    let mut boris = Place::take(&appliance, "boris", BORIS_HZ).await;
    let lunch = admin.post("/reasons", json!({ "name": "Canteen", "icon": "utensils" })).await;
    anna.agent.send("not_ready", json!({ "reason": lunch["id"] })).await.expect("at lunch");
    let at_lunch = |e: &serde_json::Value| {
        e["event"] == "me"
            && e["agent"]["state"]["state"] == "not_ready"
            && e["agent"]["state"]["reason"]["name"] == "Canteen"
    };
    anna.agent.wait_for("lunch", at_lunch).await;

    let refused = call(&mut boris.agent, "1001").await;
    let offer = anna.agent.wait_for("an offer", |e| e["event"] == "offered").await["offer"].clone();
    assert_eq!((&offer["direction"], &offer["service"]), (&json!("internal"), &json!(null)), "{offer}");
    assert_eq!(offer["colleague"]["name"], "Agent boris", "{offer}");
    assert_eq!(offer["colleague"]["extension"], "1002", "{offer}");
    scenarios::until("the caller hears it ring", async || boris.hears(TONE_HZ, 1.4) > 0.3).await;
    anna.agent.send("decline", json!({ "offer": offer["offer"] })).await.expect("declined");
    anna.agent.wait_for("lunch again", at_lunch).await;
    let work = phase(&mut boris.agent, "refused").await;
    assert_eq!(work["refused_why"], "declined", "{work}");
    gone(&mut boris.agent, &refused).await;
    assert!(boris.hears(TONE_HZ, 2.0) > 0.3, "the caller does not hear busy");
    assert_eq!(record(&admin, &refused).await["status"], "refused");
    boris.is("ready").await;

    let talked = call(&mut boris.agent, "1001").await;
    assert_eq!(anna.answer().await, talked);
    phase(&mut boris.agent, "talking").await;
    anna.comes_to_hear(BORIS_HZ, 1.5).await;
    boris.comes_to_hear(ANNA_HZ, 1.5).await;
    boris.agent.send("hold", json!({ "interaction": talked })).await.expect("held");
    phase(&mut boris.agent, "held").await;
    scenarios::until("Anna no longer hears Boris, who holds", async || anna.hears(BORIS_HZ, 1.0) < 0.05)
        .await;
    boris.agent.send("retrieve", json!({ "interaction": talked })).await.expect("taken back");
    phase(&mut boris.agent, "talking").await;
    anna.comes_to_hear(BORIS_HZ, 1.0).await;
    anna.agent.send("hang_up", json!({ "interaction": talked })).await.expect("hung up");
    gone(&mut anna.agent, &talked).await;
    gone(&mut boris.agent, &talked).await;
    anna.is("not_ready").await;
    boris.is("ready").await;

    let record_of = record(&admin, &talked).await;
    assert_eq!(
        (&record_of["status"], &record_of["ended_by"]),
        (&json!("normal"), &json!("agent")),
        "{record_of}"
    );
    assert_eq!(
        (&record_of["caller"], &record_of["contact"]),
        (&json!("1002"), &json!("1001")),
        "{record_of}"
    );
    assert_eq!(record_of["recording"], json!(null), "internal calls are not recorded: {record_of}");
    assert_eq!(record_of["holds"], 1, "{record_of}");
    let talked_ms = record_of["ended_at"].as_u64().zip(record_of["answered_at"].as_u64()).map(|(e, a)| e - a);
    let most = talked_ms.expect("both times") / 20;
    for side in ["customer_stats", "agent_stats"] {
        let packets = record_of[side]["packets"].as_u64().unwrap_or_default();
        // Both spoke for three seconds at least. Half a second more may come of what was on its way.
        assert!((120..most + 25).contains(&packets), "{side} is of this call alone: {record_of}");
    }
    for place in [&anna, &boris] {
        assert_eq!(
            record(&place.http, &talked).await["interaction"],
            talked.as_str(),
            "it is a record of both"
        );
    }
}

/// STATE-18: whoever talks to a customer gets no other customer, but colleagues get through; taking the call puts the customer on
/// hold, and the customer is there afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_gets_through_to_a_busy_agent_and_the_customer_waits() {
    let (appliance, _, _admin) = open().await;
    let mut anna = Place::take(&appliance, "anna", ANNA_HZ).await;
    let caller = Caller::once(NUMBER, appliance.sip, CUSTOMER_HZ);
    let mut customer = caller.start(appliance.dir.path(), "customer");
    let with_customer = anna.answer().await;
    let mut boris = Place::take(&appliance, "boris", BORIS_HZ).await;
    let between = call(&mut boris.agent, "1001").await;
    assert_eq!(anna.answer().await, between);
    anna.comes_to_hear(BORIS_HZ, 1.5).await;
    boris.comes_to_hear(ANNA_HZ, 1.5).await;
    assert!(boris.hears(CUSTOMER_HZ, 1.5) < 0.05, "Boris hears the customer");
    boris.agent.send("hang_up", json!({ "interaction": between })).await.expect("hung up");
    gone(&mut anna.agent, &between).await;
    anna.agent.send("retrieve", json!({ "interaction": with_customer })).await.expect("taken back");
    anna.comes_to_hear(CUSTOMER_HZ, 1.0).await;
    anna.finish(&with_customer).await;
    assert!(customer.running.wait(Duration::from_secs(60)).success(), "SIPp: {}", customer.errors());
}

/// OUT-04, ERR-34: a colleague who is not signed in cannot be called, nor oneself, nor an extension that nobody has; each is
/// said in words of its own and changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_cannot_be_called_is_named_and_nothing_changes() {
    let (appliance, _, admin) = open().await;
    let mut boris = Place::take(&appliance, "boris", BORIS_HZ).await;
    for (extension, problem) in [
        ("1001", "/problems/colleague-offline"),
        ("1002", "/problems/not-now"),
        ("9999", "/problems/not-found"),
    ] {
        let refusal = boris.agent.send("call", json!({ "extension": extension })).await.expect_err("refused");
        assert_eq!(refusal["type"], problem, "{extension}: {refusal}");
        assert!(refusal["detail"].as_str().is_some_and(|d| !d.is_empty()), "{extension}: {refusal}");
    }
    boris.is("ready").await;
    assert!(admin.walk("/records", 50).await.is_empty(), "nothing was called");
    let found = boris.http.get("/colleagues?q=ann").await;
    assert_eq!(found["items"].as_array().map(Vec::len), Some(1), "{found}");
    let anna = &found["items"][0];
    assert_eq!((text(&anna["extension"]).as_str(), &anna["callable"]), ("1001", &json!(false)), "{anna}");
}
