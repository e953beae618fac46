//! What went over the wire for a call, in its record.

use super::*;

/// SIP-08: the ladder of a call: message by message, whole when one is opened, and as a file.
#[tokio::test(flavor = "multi_thread")]
async fn sip_08_a_record_shows_what_went_over_the_wire() {
    let mut office = Office::open().await;
    // Nobody is there: it is announced, and then we hang up.
    let mut customer = office.customer("customer", None);
    customer.running.wait(Duration::from_secs(60));
    scenarios::until("the call is recorded", async || {
        let records = office.admin.get("/records").await;
        records["items"].as_array().is_some_and(|items| items.len() == 1)
    })
    .await;
    let page = &mut office.page;
    page.sign_in(&office.appliance.base, "chief", PASSWORD);
    page.click("Service records");
    page.act("click", json!({ "name": "Open record", "within": "tr:has-text('+49 301')" }));
    page.see("dialog[open] [data-trace]");
    page.evaluate("document.querySelector('[data-trace] summary').focus()");
    page.press("Enter");
    page.see("[data-trace] li:has-text('INVITE · SDP')");
    page.see("[data-trace] li:has-text('200 OK · SDP')");
    page.see("[data-trace] li:has-text('received from 127.0.0.1:')");
    page.see("[data-trace] li:has-text('BYE')");
    assert_eq!(page.count("[data-trace] pre"), 0);
    page.act("click-css", json!({ "selector": "[data-trace] li:first-child button" }));
    page.see("[data-trace] pre:has-text('INVITE sip:')");
    page.shot("ladder");
    page.assert_clean("ladder of a call");
    let fetched = page.evaluate(
        "fetch(document.querySelector('[data-trace] a').href).then(async (file) => [file.status, (await file.arrayBuffer()).byteLength > 1000])",
    );
    assert_eq!(fetched, json!([200, true]));
    page.press("Escape");
    page.gone("dialog[open]");
    page.theme_and_language("dark", "ru");
    page.act("click-css", json!({ "selector": "tr:has-text('+49 301') button" }));
    page.see("dialog[open] summary:text-is('Сигнализация')");
    page.act("click-css", json!({ "selector": "[data-trace] summary" }));
    page.see("[data-trace] li:has-text('INVITE · SDP')");
    page.shot("ladder-ru");
    page.assert_clean("ladder of a call, Russian, dark");
}
