//! Agents who call agents: softphone to softphone, in the browser and from the phone on the desk.

mod diverted;
mod greeted;
mod page;
mod places;

use std::time::Duration;

use scenarios::agent::Agent;
use scenarios::appliance::{Appliance, House, Options, text};
use scenarios::http::Http;
use serde_json::{Value, json};

/// What an exchange's ringing and busy tones are made of, in most of Europe (ITU-T E.180 Supplement 2).
pub const TONE_HZ: f64 = 425.0;
/// The service's number.
pub const NUMBER: &str = "+4930555100";

/// An appliance with a service, Anna (1001) and Boris (1002), both with softphones.
pub async fn open() -> (Appliance, House, Http) {
    let appliance = Appliance::start(&Options::default());
    let admin = appliance.admin().await;
    let house = appliance.furnish(&admin, NUMBER).await;
    appliance.hire(&admin, &house, "anna", "browser", Some("1001")).await;
    appliance.hire(&admin, &house, "boris", "browser", Some("1002")).await;
    (appliance, house, admin)
}

/// Calls a colleague by extension; returns the interaction.
pub async fn call(agent: &mut Agent, extension: &str) -> String {
    agent.send("call", json!({ "extension": extension })).await.expect("the colleague is called");
    let work = phase(agent, "dialling").await;
    assert_eq!((&work["direction"], &work["outgoing"]), (&json!("internal"), &json!(true)), "{work}");
    text(&work["interaction"])
}

/// Waits until a piece of work is at this phase.
pub async fn phase(agent: &mut Agent, wanted: &str) -> Value {
    let fits = |e: &Value| e["event"] == "work" && e["work"]["phase"] == wanted;
    agent.wait_for(wanted, fits).await["work"].clone()
}

/// Waits until the work on an interaction is gone.
pub async fn gone(agent: &mut Agent, interaction: &str) {
    agent.wait_for("the end", |e| e["event"] == "work_ended" && e["interaction"] == interaction).await;
}

/// The record of an internal call that has ended.
pub async fn record(http: &Http, interaction: &str) -> Value {
    for _ in 0..300 {
        let records = http.get("/records?direction=internal").await["items"].as_array().cloned();
        let found = records
            .into_iter()
            .flatten()
            .find(|r| r["interaction"] == interaction && r["status"].is_string());
        if let Some(record) = found {
            return record;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no record of {interaction}: {:?}", http.walk("/records", 50).await)
}
