//! The phone on the desk calls a colleague.

use std::time::Duration;

use scenarios::tone;
use serde_json::json;

use super::office::{AGENT_HZ, CUSTOMER_HZ, Office};

const COLLEAGUE_HZ: f64 = 700.0;

/// OUT-03, VOICE-08, SIP-03: the extension of a colleague is dialled on a desk phone. Refused, the phone is told that the
/// colleague is busy; taken, both hear each other, and hanging up the phone ends it for both without after-call work.
#[tokio::test(flavor = "multi_thread")]
async fn a_desk_phone_dials_a_colleagues_extension() {
    let mut office = Office::open("PCMU").await;
    let mut boris = office.colleague("boris", "102", COLLEAGUE_HZ).await;

    office.phone.dial("102");
    let offer = boris.agent.wait_for("an offer", |e| e["event"] == "offered").await["offer"].clone();
    assert_eq!(offer["direction"], "internal", "{offer}");
    assert_eq!(
        (&offer["colleague"]["name"], &offer["colleague"]["extension"]),
        (&json!("Agent paul"), &json!("101"))
    );
    office.phone.wait_for("CALL_RINGING");
    office.state("busy").await;
    boris.agent.send("decline", json!({ "offer": offer["offer"] })).await.expect("declined");
    office.phone.wait_for("CALL_CLOSED");
    office.state("ready").await;
    boris.is("ready").await;

    office.phone.dial("102");
    let interaction = boris.answer().await;
    office.phone.wait_for("CALL_ESTABLISHED");
    boris.comes_to_hear(AGENT_HZ, 1.5).await;
    // The phone hears as long: two seconds of it are asked for below.
    tokio::time::sleep(Duration::from_secs(3)).await;
    office.phone.press("hangup");
    boris
        .agent
        .wait_for("the end", |e| e["event"] == "work_ended" && e["interaction"] == interaction.as_str())
        .await;
    office.phone.wait_for("CALL_CLOSED");
    office.state("ready").await;
    boris.is("ready").await;
    let (rate, heard) = office.phone.heard();
    let seconds = tone::windows_with(&heard, rate, COLLEAGUE_HZ) * heard.len() as f64 / f64::from(rate);
    assert!(seconds > 2.0, "the phone heard the colleague for {seconds:.1} s");
}

/// SIP-04, XFER-05, RECO-01: the transfer key of a desk phone: the customer goes to the colleague at once, the phone is let go, the agent has
/// after-call work, and the recording goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_desk_phone_transfers_a_customer() {
    let mut office = Office::open("PCMU").await;
    let mut boris = office.colleague("boris", "102", COLLEAGUE_HZ).await;
    boris.is("ready").await;
    let talk = office.talk(None).await;
    let customer = scenarios::appliance::text(&talk.interaction);
    office.phone.transfer("102");
    office.phone.wait_for("CALL_CLOSED");
    office.state("wrap_up").await;
    assert_eq!(boris.answer().await, customer);
    boris.comes_to_hear(CUSTOMER_HZ, 1.5).await;
    assert!(boris.hears(AGENT_HZ, 1.0) < 0.1, "the agent is not in the call any more");
    boris.hears_on(3.0).await;
    boris.finish(&customer).await;
    let record = office.passed_on(talk).await;
    assert_eq!(
        (&record["status"], &record["agent_name"], &record["parts"][0]["agent_name"]),
        (&json!("transferred"), &json!("Agent boris"), &json!("Agent paul")),
        "{record}"
    );
    let (rate, recorded) = office.recording(&customer).await;
    for (who, side, hz) in
        [("the agent", 1, AGENT_HZ), ("the colleague", 1, COLLEAGUE_HZ), ("the customer", 0, CUSTOMER_HZ)]
    {
        let seconds = tone::seconds_with(&recorded[side], rate, hz);
        assert!(seconds > 2.0, "{who} is recorded for {seconds:.1} s");
    }
}
