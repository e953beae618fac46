//! Flows that agents start during a call, with the caller's keys and ear.

use scenarios::appliance::text;
use scenarios::pressing::pressing;

use super::*;

/// Music without end: only the agent takes the caller back, for nobody presses 0.
const WAITING: &str = r##"
name = "Music"
start = "music"
during_calls = true

[wait.music]
seconds = 600
choices = { 0 = "over" }
next = "over"

[return.over]
"##;

const CARD: &str = r##"
name = "Card payment"
start = "order"
during_calls = true
services = ["Support"]

[collect.order]
prompt = ["digit-1", "digit-2"]
into = "order_number"
matches = "4711"
wait_s = 60
tries = 10
next = "card"
failed = "over"

[collect.card]
prompt = ["digit-3", "digit-4"]
into = "card"
matches = "928193"
secret = true
wait_s = 60
tries = 10
next = "over"
failed = "over"

[return.over]
"##;

/// CTRL-06: the agent sends the caller through a flow, hears nothing of it, takes the caller back; in another one the caller enters an
/// order, which the page shows, and a card, which nobody sees and no recording has, and then they talk again.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_is_sent_through_a_flow_and_comes_back() {
    let mut office = Office::open().await;
    office.service(|s| s["disposition_mandatory"] = false.into());
    let music = office.admin.post("/flows", json!({ "name": "Music", "text": WAITING })).await;
    assert!(!music["active"].is_null(), "{music}");
    office.admin.post("/flows", json!({ "name": "Card payment", "text": CARD })).await;
    let tried = office.admin.post("/flow/try", json!({ "text": CARD, "script": "4711# 928193#" })).await;
    assert_eq!(tried["end"], "gives the caller back to the agent", "{tried}");
    office.sign_in("anna");
    // Again and again, order and card in turn: whichever step is reached, what it asks for is keyed in.
    let turn = |from: u64, keys: &'static str| {
        keys.chars().enumerate().map(move |(n, key)| (from + 300 * n as u64, key))
    };
    let keys: Vec<(u64, char)> = (0..16)
        .flat_map(|n| turn(2_000 + 10_000 * n, "4711#").chain(turn(7_000 + 10_000 * n, "928193#")))
        .collect();
    let speech = pressing(CUSTOMER_HZ, 170, &keys);
    let caller = Caller { hold_ms: Some(165_000), ..Caller::once(NUMBER, office.appliance.sip, CUSTOMER_HZ) };
    let _customer = caller.start_speaking(office.appliance.dir.path(), "customer", "127.0.0.1", &speech);
    let page = &mut office.page;
    page.see("[role=alertdialog]");
    page.click("Accept");
    page.see("[data-phase=talking]");
    hears_the_customer(page, "before");

    page.click("Self-service");
    page.see("[data-flow=choose] button:has-text('Card payment')");
    page.assert_clean("choosing a flow");
    page.click("Music");
    page.see("[data-flow=runs]:has-text('The caller goes through Music.')");
    hears_no_customer(page, "while the caller is aside");
    page.theme_and_language("dark", "ru");
    page.see("[data-flow=runs]:has-text('Абонент проходит сценарий Music.')");
    page.shot("call-flow-ru-dark");
    page.assert_clean("in a flow, Russian, dark");
    page.theme_and_language("light", "en");
    page.click("Take the caller back");
    page.gone("[data-flow=runs]");
    hears_the_customer(page, "taken back");

    page.click("Self-service");
    page.click("Card payment");
    page.see("[data-flow=runs]:has-text('neither shown nor recorded')");
    page.shot("call-flow-secret");
    page.see("[aria-live=polite] :text('Card payment is over. You and the caller hear each other again.')");
    page.gone("[data-flow=runs]");
    hears_the_customer(page, "after the card");
    page.see("article:has-text('Order number')");
    page.shot("call-flow-over");
    page.assert_clean("after a flow");
    page.click("Hang up");
    page.see("[data-state=wrap_up]");
    page.click("Complete");

    let records = office.admin.get("/records").await;
    let record = office.admin.get(&format!("/records/{}", text(&records["items"][0]["interaction"]))).await;
    let ends: Vec<_> =
        record["flows"].as_array().expect("flows").iter().map(|flow| text(&flow["end"])).collect();
    assert_eq!(ends, ["taken_back", "returned"], "{record}");
    assert_eq!(record["noted"], json!({ "order_number": "4711" }), "{record}");
    let pauses = record["recording_pauses"].as_array().expect("pauses").len();
    assert_eq!(pauses, 1, "{record}");
    let journal =
        office.admin.journal(|all| all.iter().any(|entry| entry["event"]["type"] == "flow_over")).await;
    assert!(!json!(journal).to_string().contains("928193"), "the card is in the journal");
}
