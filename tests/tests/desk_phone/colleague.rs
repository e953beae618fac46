//! The phone on the desk calls a colleague.

use std::time::Duration;

use scenarios::tone;
use serde_json::json;

use super::office::{AGENT_HZ, Office};

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
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(boris.hears(AGENT_HZ, 1.5) > 0.9, "the colleague does not hear the phone");
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
