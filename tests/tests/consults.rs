//! Agents who ask somebody about a customer, with a real caller, a browser and a colleague: who hears whom.

use scenarios::appliance::{Appliance, Options, PASSWORD};
use scenarios::browser::Browser;
use scenarios::place::Place;
use scenarios::sipp::{Caller, Sipp};
use scenarios::tone;
use serde_json::json;

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
    let caller = Caller { hold_ms: Some(90_000), ..Caller::once(NUMBER, appliance.sip, CUSTOMER_HZ) };
    let sipp = caller.start(appliance.dir.path(), "customer");
    page.see("[data-offer]");
    page.click("Accept");
    page.see("[data-phase=talking]");
    let mut boris = Place::take(appliance, "boris", BORIS_HZ).await;
    boris.is("ready").await;
    (page, boris, sipp)
}

/// XFER-01, XFER-02, XFER-03, CTRL-04: by keyboard, the customer is held and a colleague is called, who sees who asks and about whom, and the
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
    let _ = sipp.running.wait(std::time::Duration::from_secs(60));
}
