//! Who waits, why, for how long, and how well callers are served: what a supervisor sees of the queues.

use super::*;
use scenarios::softphone::Softphone;

/// ROUTE-09, ROUTE-11: a supervisor opens the line of a service by keyboard and reads why its caller waits and what would help; when
/// the caller was answered, the service level stands beside the queue, as a picture and in words.
#[tokio::test(flavor = "multi_thread")]
async fn route_09_a_supervisor_sees_why_a_caller_waits_and_how_callers_were_served() {
    let mut office = Office::open().await;
    // Long enough for a busy machine.
    office.service(|s| s["queue"]["service_level_ms"] = 600_000.into());
    let http = Http::sign_in(&office.appliance.base, "anna", PASSWORD).await.expect("signs in");
    let mut anna = Agent::connect(&http, office.appliance.https).await;
    let phone = Softphone::attach(&mut anna, AGENT_HZ).await;
    anna.send("not_ready", json!({})).await.expect("not ready");
    office.page.sign_in(&office.appliance.base, "chief", PASSWORD);
    office.page.see("tbody:has-text('Support'):has-text('Nobody called')");
    let mut customer = office.customer("customer", None);
    let page = &mut office.page;
    page.see("td button[aria-label='1 waiting for Support: see who and why']");
    page.evaluate("document.querySelector('td button.link').focus()");
    page.press("Enter");
    page.see("dialog[open] summary:has-text('Mara Lind'):has-text('Place 1')");
    page.see("dialog[open] li:has-text('Signed in and not Ready (1): Agent anna')");
    page.see("dialog[open] dt:has-text('Not Ready') + dd:has-text('Agent anna')");
    page.shot("waiting-en");
    page.assert_clean("waiting");
    page.press("Escape");
    page.gone("dialog[open]");
    page.theme_and_language("dark", "ru");
    page.evaluate("document.querySelector('td button.link').focus()");
    page.press("Enter");
    page.see("dialog[open] summary:has-text('Mara Lind')");
    page.shot("waiting-ru");
    page.assert_clean("waiting in Russian");
    page.press("Escape");
    page.gone("dialog[open]");
    page.theme_and_language("light", "en");

    anna.send("ready", json!({})).await.expect("ready");
    let offer = anna.wait_for("an offer", |event| event["event"] == "offered").await;
    anna.send("accept", json!({ "offer": offer["offer"]["offer"] })).await.expect("accepted");
    anna.wait_for("both talk", |event| event["work"]["phase"] == "talking").await;
    let interaction = &offer["offer"]["interaction"];
    anna.send("hang_up", json!({ "interaction": interaction })).await.expect("hung up");
    assert!(customer.running.wait(Duration::from_secs(60)).success(), "SIPp: {}", customer.errors());
    let page = &mut office.page;
    page.see("tbody:has-text('Support') meter");
    page.see("tbody:has-text('Support'):has-text('100 %')");
    let story = page.evaluate("document.querySelector('td[colspan]').title");
    let told = "Today: 1 callers, 1 answered, 0 left first, 0 turned away; 100 % in time";
    assert!(story.as_str().is_some_and(|story| story.ends_with(told)), "{story}");
    page.shot("served");
    page.assert_clean("served");
    drop(phone);
}
