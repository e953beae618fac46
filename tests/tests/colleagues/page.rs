//! Anna in Chromium.

use std::time::Duration;

use scenarios::appliance::PASSWORD;
use scenarios::browser::Browser;
use scenarios::place::Place;
use scenarios::sipp::Caller;
use scenarios::tone;
use serde_json::json;

use super::{NUMBER, call, gone, open, phase};

const ANNA_HZ: f64 = 1_000.0;
const BORIS_HZ: f64 = 700.0;
/// The service's number as people read it.
const SHOWN: &str = "+49 30 555100";

/// VOICE-04, VOICE-08, OUT-03: the offer window of an internal call shows its type, the colleague and the extension; refusing leaves
/// the agent ready; calling back from the list of colleagues connects both, and there is no after-call work.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_who_calls_and_calls_back() {
    let (appliance, _, _admin) = open().await;
    let mut boris = Place::take(&appliance, "boris", BORIS_HZ).await;
    let microphone = appliance.dir.path().join("microphone.wav");
    tone::write_wav(&microphone, 48_000, &tone::sine(ANNA_HZ, 48_000, 4.0));
    let mut page = Browser::start(appliance.dir.path(), &microphone);
    page.sign_in(&appliance.base, "anna", PASSWORD);
    page.see("[data-phone=up]");
    page.see("[data-state=ready]");

    let refused = call(&mut boris.agent, "1001").await;
    page.see("[data-offer]");
    page.shot("internal-offer");
    page.assert_clean("internal offer");
    let shown = page.text("[data-offer]");
    for part in ["Internal call", "Agent boris", "1002"] {
        assert!(shown.contains(part), "the offer window lacks {part}: {shown}");
    }
    page.click("Decline");
    page.gone("[data-offer]");
    page.see("[data-state=ready]");
    phase(&mut boris.agent, "refused").await;
    gone(&mut boris.agent, &refused).await;

    page.press("Alt+KeyC");
    page.see("[data-colleagues]");
    page.fill("Name, extension or number", "bor");
    page.see("[data-colleague]:has-text('Agent boris')");
    page.shot("colleagues");
    page.assert_clean("colleagues");
    page.press("Enter");
    page.see("[data-phase=dialling]");
    page.shot("dialling");
    page.assert_clean("dialling");
    let interaction = boris.answer().await;
    page.see("[data-phase=talking]");
    // Eight of ten windows: the browser repeats its microphone's file with a click.
    scenarios::until("Boris hears the page's microphone", async || boris.hears(ANNA_HZ, 1.5) > 0.8).await;
    let heard = page.heard_hz();
    assert!(heard.is_some_and(|hz| (hz - BORIS_HZ).abs() < 12.0), "the page hears {heard:?}");
    page.shot("internal-call");
    page.assert_clean("internal call");
    page.click("Hang up");
    gone(&mut boris.agent, &interaction).await;
    page.see("[data-state=ready]");
    page.gone("[data-phase]");
}

/// VOICE-05: what the tenant chose for the offer window is what agents see, from the next offer on.
#[tokio::test(flavor = "multi_thread")]
async fn the_offer_window_shows_what_the_tenant_chose() {
    let (appliance, _, admin) = open().await;
    let microphone = appliance.dir.path().join("microphone.wav");
    tone::write_wav(&microphone, 48_000, &tone::sine(ANNA_HZ, 48_000, 4.0));
    let mut page = Browser::start(appliance.dir.path(), &microphone);
    page.sign_in(&appliance.base, "anna", PASSWORD);
    page.see("[data-phone=up]");
    page.see("[data-state=ready]");
    let customer = |name: &str| {
        let (dial, sip_port) = (NUMBER, appliance.sip);
        Caller { hold_ms: Some(8_000), ..Caller::once(dial, sip_port, 440.0) }
            .start(appliance.dir.path(), name)
    };
    let mut first = customer("first");
    page.see("[data-offer]");
    let shown = page.text("[data-offer]");
    assert!(
        shown.contains("Support") && !shown.contains(SHOWN),
        "by default the service, not the line: {shown}"
    );
    first.running.wait(Duration::from_secs(60));
    page.gone("[data-offer]");

    admin.change("/tenant", |t| t["offer_window"]["external"] = json!(["line", "number"])).await;
    page.see("[data-state=ready]");
    let mut second = customer("second");
    page.see("[data-offer]");
    let shown = page.text("[data-offer]");
    assert!(shown.contains(SHOWN) && !shown.contains("Support"), "now the line, not the service: {shown}");
    second.running.wait(Duration::from_secs(60));
}
