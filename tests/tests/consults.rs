//! Agents who ask somebody about a customer, with a real caller, a browser and a colleague: who hears whom.

use std::time::Duration;

use scenarios::appliance::{Appliance, Options, PASSWORD, text};
use scenarios::browser::Browser;
use scenarios::http::Http;
use scenarios::pcap::{Capture, rtp_payloads};
use scenarios::place::Place;
use scenarios::sipp::{Caller, Sipp};
use scenarios::tone;
use serde_json::{Value, json};

const NUMBER: &str = "+4930555100";
const CUSTOMER_HZ: f64 = 440.0;
const ANNA_HZ: f64 = 1_000.0;
const BORIS_HZ: f64 = 700.0;

/// Anna in Chromium talks to a customer, and Boris is at his place.
async fn talking(appliance: &Appliance) -> (Browser, Place, Sipp) {
    let admin = appliance.admin().await;
    let house = appliance.furnish(&admin, NUMBER).await;
    for (login, extension) in [("anna", "1001"), ("boris", "1002")] {
        appliance.hire(&admin, &house, login, "browser", Some(extension)).await;
    }
    let microphone = appliance.dir.path().join("microphone.wav");
    tone::write_wav(&microphone, 48_000, &tone::sine(ANNA_HZ, 48_000, 4.0));
    let mut page = Browser::start(appliance.dir.path(), &microphone);
    page.sign_in(&appliance.base, "anna", PASSWORD);
    page.see("[data-phone=up]");
    page.see("[data-state=ready]");
    let sipp = Caller::once(NUMBER, appliance.sip, CUSTOMER_HZ).start(appliance.dir.path(), "customer");
    page.see("[data-offer]");
    page.click("Accept");
    page.see("[data-phase=talking]");
    let mut boris = Place::take(appliance, "boris", BORIS_HZ).await;
    boris.is("ready").await;
    (page, boris, sipp)
}

/// XFER-01, XFER-02, XFER-03, CTRL-04, KEY-04: by keyboard, the customer is held and a colleague is called, who sees who asks and about whom, and the
/// screen when it is sent; the two hear each other and not the customer; hung up, it leads back to the held customer.
#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_is_asked_and_the_customer_waits() {
    let appliance = Appliance::start(&Options::default());
    let (mut page, mut boris, mut sipp) = talking(&appliance).await;
    page.fill("Remark", "Asks for the invoice of May.");
    page.press("Alt+Shift+KeyD");
    page.see("[data-transfer=ask]");
    page.see("[data-transfer] input[type=radio]");
    page.shot("consult-whom");
    page.assert_clean("whom to ask");
    page.act("click", json!({ "role": "radio", "name": "Agent boris Ready · 1002" }));
    page.click("Call Agent boris");
    page.gone("[data-transfer]");
    page.see("[data-phase=dialling]");
    page.shot("consult-dialling");
    page.assert_clean("asking");
    let seen = boris.agent.wait_for("an offer", |e| e["event"] == "offered").await["offer"].clone();
    assert_eq!(
        (&seen["colleague"]["name"], &seen["about"]["by"], &seen["about"]["service"]["name"]),
        (&json!("Agent anna"), &json!("Agent anna"), &json!("Support")),
        "{seen}"
    );
    boris.agent.send("accept", json!({ "offer": seen["offer"] })).await.expect("the offer is open");
    page.see("[data-consult]");
    page.click("Send screen");
    let sent = boris.agent.wait_for("the screen", |e| e["work"]["screen"]["comment"].is_string()).await;
    assert_eq!(sent["work"]["screen"]["comment"], "Asks for the invoice of May.");
    // Eight of ten windows: the browser repeats its microphone's file with a click.
    scenarios::until("Boris hears Anna", async || boris.hears(ANNA_HZ, 1.5) > 0.8).await;
    assert!(boris.hears(CUSTOMER_HZ, 1.5) < 0.1, "and not the customer");
    assert_eq!(page.count("[data-interaction]"), 2, "both calls are in the list");
    page.see("[data-interaction] .icon.held");
    page.shot("consult-talking");
    page.assert_clean("consultation");
    page.theme_and_language("dark", "ru");
    page.see("[data-consult]");
    page.shot("consult-talking-ru");
    page.assert_clean("consultation, Russian and dark");
    page.theme_and_language("light", "en");
    boris.agent.send("hang_up", json!({ "interaction": seen["interaction"] })).await.expect("it is up");
    page.gone("[data-consult]");
    page.see("[data-phase=held]");
    page.press("Alt+KeyH");
    page.see("[data-phase=talking]");
    page.click("Hang up");
    page.see("[data-phase=wrap_up]");
    assert!(sipp.running.wait(Duration::from_secs(60)).success(), "SIPp: {}", sipp.errors());
}

/// A conversation whose packets are captured, of which some seconds are over.
struct Talk {
    page: Browser,
    boris: Place,
    sipp: Sipp,
    admin: Http,
    customer: String,
    capture: Capture,
}

impl Talk {
    async fn begin(appliance: &Appliance) -> Self {
        let (page, boris, sipp) = talking(appliance).await;
        let admin = appliance.admin().await;
        let customer = of_the_customer(&admin).await;
        let capture = Capture::start(appliance.dir.path(), "lo", "udp", None);
        tokio::time::sleep(Duration::from_secs(3)).await;
        Self { page, boris, sipp, admin, customer, capture }
    }
}

/// Anna holds the customer and calls Boris, who answers and hears her and not the customer. Returns the interaction of their call.
async fn asked(page: &mut Browser, boris: &mut Place) -> String {
    page.press("Alt+Shift+KeyD");
    page.see("[data-transfer] input[type=radio]");
    page.act("click", json!({ "role": "radio", "name": "Agent boris Ready · 1002" }));
    page.click("Call Agent boris");
    let interaction = boris.answer().await;
    page.see("[data-consult]");
    scenarios::until("Boris hears Anna", async || boris.hears(ANNA_HZ, 1.5) > 0.8).await;
    assert!(boris.hears(CUSTOMER_HZ, 1.5) < 0.1, "and not the customer");
    interaction
}

/// What the customer was sent, and the recording's channels, customer first, with their rate.
struct Heard {
    by_customer: Vec<i16>,
    rate: u32,
    recorded: Vec<Vec<i16>>,
    record: Value,
}

impl Heard {
    /// Waits for the end of the call.
    async fn of(admin: &Http, interaction: &str, capture: Capture, sipp: &mut Sipp) -> Self {
        assert!(sipp.running.wait(Duration::from_secs(60)).success(), "SIPp: {}", sipp.errors());
        let datagrams = capture.stop();
        let by_customer =
            rtp_payloads(&datagrams, sipp.media_port, 0).concat().into_iter().map(tone::from_mulaw).collect();
        let path = format!("/records/{interaction}");
        scenarios::until("the record has its end", async || admin.get(&path).await["status"].is_string())
            .await;
        let record = admin.get(&path).await;
        let path = format!("{path}/recording.wav");
        let wav = scenarios::eventually_ok(async || admin.bytes(&path).await).await;
        let (rate, recorded) = tone::read_wav(&wav);
        Self { by_customer, rate, recorded, record }
    }

    /// The customer's channel has the customer from the beginning of the talk to its end, and nobody else.
    fn has_the_customer_throughout(&self) {
        let [answered, ended] =
            ["answered_at", "ended_at"].map(|at| self.record[at].as_u64().expect("a time"));
        let (talk, left) = ((ended - answered) as f64 / 1e3, &self.recorded[0]);
        let seconds = tone::seconds_with(left, self.rate, CUSTOMER_HZ);
        assert!(seconds > 0.85 * talk, "the customer, on hold and off: {seconds} of {talk} s");
        for (who, hz) in [("Anna", ANNA_HZ), ("Boris", BORIS_HZ)] {
            let seconds = tone::seconds_with(left, self.rate, hz);
            assert!(seconds < 0.3, "{who} is on the customer's channel for {seconds} s");
        }
    }
}

/// The one customer's call that is live.
async fn of_the_customer(admin: &Http) -> String {
    let live = admin.get("/calls").await;
    let customers = |call: &&Value| !call["service"].is_null();
    let all: Vec<&Value> = live["items"].as_array().into_iter().flatten().filter(customers).collect();
    assert_eq!(all.len(), 1, "{live}");
    text(&all[0]["interaction"])
}

/// XFER-03, XFER-04, RECO-01: who was asked gets the customer: the two hear each other, the agent who asked is in after-call work and heard no
/// longer, and the recording has the customer throughout, and first the one, then the other agent.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_asked_gets_the_customer() {
    let appliance = Appliance::start(&Options::default());
    let Talk { mut page, mut boris, mut sipp, admin, customer, capture } = Talk::begin(&appliance).await;
    asked(&mut page, &mut boris).await;
    page.act("click-css", json!({ "selector": "[data-consult] button.primary" }));
    page.see("[data-state=wrap_up]");
    boris.comes_to_hear(CUSTOMER_HZ, 2.0).await;
    assert!(boris.hears(ANNA_HZ, 1.5) < 0.1, "Anna is not in the call any more");
    page.shot("consult-passed-on");
    page.assert_clean("passed on after a consultation");
    page.click("Complete");
    page.see("[data-state=ready]");
    boris.hears_on(3.0).await;
    boris.finish(&customer).await;

    let heard = Heard::of(&admin, &customer, capture, &mut sipp).await;
    for (who, hz) in [("Anna", ANNA_HZ), ("Boris", BORIS_HZ)] {
        let seconds = tone::seconds_with(&heard.by_customer, 8_000, hz);
        assert!(seconds > 2.0, "the customer hears {who}: {seconds} s");
        let seconds = tone::seconds_with(&heard.recorded[1], heard.rate, hz);
        assert!(seconds > 2.0, "{who} is recorded: {seconds} s");
    }
    let both = tone::seconds_with_both(&heard.by_customer, 8_000, [ANNA_HZ, BORIS_HZ]);
    assert!(both < 0.3, "never both at once: {both} s");
    heard.has_the_customer_throughout();
    let record = &heard.record;
    assert_eq!(
        (&record["status"], &record["agent_name"], &record["parts"][0]["agent_name"]),
        (&json!("transferred"), &json!("Agent boris"), &json!("Agent anna")),
        "{record}"
    );
}

/// XFER-08, XFER-09, XFER-13, XFER-14, KEY-05, RECO-01: a colleague who was asked comes into the call, and all three hear each other; the organiser leaves and the
/// colleague goes on with the customer. The recording is whole: hold, conference and what came after.
#[tokio::test(flavor = "multi_thread")]
async fn three_confer_and_two_go_on() {
    let appliance = Appliance::start(&Options::default());
    let Talk { mut page, mut boris, mut sipp, admin, customer, capture } = Talk::begin(&appliance).await;
    asked(&mut page, &mut boris).await;
    page.see("[data-consult] button:has-text('Bring Agent boris in')");
    page.press("Alt+Shift+KeyC");
    page.see("[data-conference]");
    assert_eq!(page.count("[data-conference] li"), 3, "{}", page.text("[data-conference]"));
    scenarios::until("Boris hears both", async || {
        let heard = boris.phone.heard();
        let last = heard.len().saturating_sub(16_000);
        tone::seconds_with_both(&heard[last..], 8_000, [ANNA_HZ, CUSTOMER_HZ]) > 1.5
    })
    .await;
    page.shot("conference");
    page.assert_clean("conference");
    page.theme_and_language("dark", "ru");
    page.see("[data-conference]");
    page.shot("conference-ru");
    page.assert_clean("conference, Russian and dark");
    page.theme_and_language("light", "en");
    boris.hears_on(2.0).await;
    page.click("Leave");
    page.see("[data-state=wrap_up]");
    boris.comes_to_hear(CUSTOMER_HZ, 2.0).await;
    assert!(boris.hears(ANNA_HZ, 1.5) < 0.1, "Anna is not in the call any more");
    page.click("Complete");
    page.see("[data-state=ready]");
    boris.hears_on(3.0).await;
    boris.finish(&customer).await;

    let heard = Heard::of(&admin, &customer, capture, &mut sipp).await;
    let ours = &heard.recorded[1];
    for (who, hz) in [("Anna", ANNA_HZ), ("Boris", BORIS_HZ)] {
        let seconds = tone::seconds_with(&heard.by_customer, 8_000, hz);
        assert!(seconds > 1.5, "the customer hears {who} alone: {seconds} s");
        let seconds = tone::seconds_with(ours, heard.rate, hz);
        assert!(seconds > 1.5, "{who} alone is recorded: {seconds} s");
    }
    for (where_, samples, rate) in
        [("by the customer", &heard.by_customer, 8_000), ("in the recording", ours, heard.rate)]
    {
        let seconds = tone::seconds_with_both(samples, rate, [ANNA_HZ, BORIS_HZ]);
        assert!(seconds > 2.0, "both at once are heard {where_}: {seconds} s");
    }
    heard.has_the_customer_throughout();
    let guest = &heard.record["guests"][0];
    assert_eq!(guest["agent_name"], "Agent boris", "{}", heard.record);
}
