//! An agent at a desk: signed in, console open, softphone connected.

use std::time::Duration;

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::appliance::{Appliance, PASSWORD, text};
use crate::http::Http;
use crate::softphone::Softphone;

/// A place where calls are taken.
pub struct Place {
    /// The agent's session.
    pub http: Http,
    /// The console.
    pub agent: Agent,
    /// The phone.
    pub phone: Softphone,
}

impl Place {
    /// Signs a hired agent in; the phone speaks `hz`.
    pub async fn take(appliance: &Appliance, login: &str, hz: f64) -> Self {
        let http = Http::sign_in(&appliance.base, login, PASSWORD).await.expect("the agent signs in");
        Self::return_to(appliance, http, hz).await
    }

    /// Opens the console of a session that is there already, as a reloaded page does.
    pub async fn return_to(appliance: &Appliance, http: Http, hz: f64) -> Self {
        let mut agent = Agent::connect(&http, appliance.https).await;
        let phone = Softphone::attach(&mut agent, hz).await;
        Self { http, agent, phone }
    }

    /// Takes the next offer and waits until the conversation runs; returns the interaction.
    pub async fn answer(&mut self) -> String {
        let offer = self.agent.wait_for("an offer", |e| e["event"] == "offered").await["offer"].clone();
        self.agent.send("accept", json!({ "offer": offer["offer"] })).await.expect("the offer is open");
        let interaction = offer["interaction"].clone();
        self.agent
            .wait_for("talking", |e| {
                e["work"]["interaction"] == interaction && e["work"]["phase"] == "talking"
            })
            .await;
        text(&interaction)
    }

    /// Hangs up and completes the after-call work.
    pub async fn finish(&mut self, interaction: &str) {
        self.agent.send("hang_up", json!({ "interaction": interaction })).await.expect("the call is up");
        self.wrap_up(interaction).await;
    }

    /// Completes the after-call work once the call is over.
    pub async fn wrap_up(&mut self, interaction: &str) {
        let over = |e: &Value| e["work"]["interaction"] == interaction && e["work"]["phase"] == "wrap_up";
        self.agent.wait_for("after-call work", over).await;
        self.agent.send("complete", json!({ "interaction": interaction })).await.expect("completed");
        self.agent
            .wait_for("the end", |e| e["event"] == "work_ended" && e["interaction"] == interaction)
            .await;
    }

    /// Waits until the agent is in this state.
    pub async fn is(&mut self, state: &str) {
        for _ in 0..300 {
            let me = self.agent.send("resync", json!({})).await;
            assert!(me.is_ok(), "{me:?}");
            let welcome = self.agent.wait_for("a snapshot", |e| e["event"] == "welcome").await;
            if welcome["snapshot"]["me"]["state"]["state"] == state {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the agent does not become {state}");
    }

    /// Waits until the tone `hz` fills the last `seconds` of what is heard: nine of ten windows, as the first may begin before
    /// the tone did.
    pub async fn comes_to_hear(&self, hz: f64, seconds: f64) {
        crate::until(&format!("{hz} Hz are heard"), async || self.hears(hz, seconds) >= 0.9).await;
    }

    /// Waits until so many seconds more were heard, and returns them.
    pub async fn hears_on(&self, seconds: f64) -> Vec<i16> {
        let (before, wanted) = (self.phone.heard().len(), (seconds * 8_000.0) as usize);
        for _ in 0..6_000 {
            let mut heard = self.phone.heard();
            if heard.len() >= before + wanted {
                return heard.split_off(before);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{seconds} s more are not heard within a minute")
    }

    /// How much of the last `seconds` of what was heard is the tone `hz`, 0 to 1.
    pub fn hears(&self, hz: f64, seconds: f64) -> f64 {
        let heard = self.phone.heard();
        let wanted = (seconds * 8_000.0) as usize;
        if heard.len() < wanted {
            return 0.0;
        }
        crate::tone::windows_with(&heard[heard.len() - wanted..], 8_000, hz)
    }
}
