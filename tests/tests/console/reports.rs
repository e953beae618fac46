//! What is not working, reported by an agent and dealt with by an administrator.

use super::*;

/// QUAL-02, QUAL-03, QUAL-04: during a call, which goes on, and in after-call work the agent reports a problem, with the page's log; a quarter of an hour
/// of the log is sent from the settings; the administrator sees the reports, opens the record and the log, and is done with it.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_reports_a_problem_and_an_administrator_deals_with_it() {
    let mut office = Office::open().await;
    office.sign_in("anna");
    office.page.see("[data-state=ready]");
    let mut customer = office.customer("customer", None);
    let page = &mut office.page;
    page.see("[data-offer]");
    page.click("Accept");
    page.see("[data-phase=talking]");
    page.click("Report a problem");
    page.see("dialog[open] [name=fault]");
    page.act("click", json!({ "role": "radio", "name": "Noise" }));
    page.fill("In your words", "It crackles.");
    page.shot("report");
    page.assert_clean("reporting a problem");
    page.click("Send");
    page.gone("dialog[open]");
    page.see("[role=status]:has-text('Sent to the administrators')");
    page.see("[data-phase=talking]");
    page.click("Hang up");
    page.see("[data-phase=wrap_up]");
    assert!(customer.running.wait(Duration::from_secs(60)).success(), "SIPp: {}", customer.errors());
    page.click("Report a problem");
    page.act("click", json!({ "role": "radio", "name": "Something else" }));
    page.fill("In your words", "The caller was very quiet.");
    page.act("click", json!({ "role": "checkbox", "name": "Send this page's log along" }));
    page.click("Send");
    page.gone("dialog[open]");
    page.click("Complete");
    page.see("[data-state=ready]");

    page.click("Settings");
    page.see("dialog[open] [data-information]");
    page.act("click-css", json!({ "selector": "[data-information] summary" }));
    page.see("[data-information] li");
    page.shot("information");
    page.assert_clean("information and log");
    page.press("Escape");
    page.gone("dialog[open]");
    page.theme_and_language("dark", "ru");
    page.click("Настройки");
    page.act("click-css", json!({ "selector": "[data-information] summary" }));
    page.see("[data-information] li");
    page.shot("information-ru");
    page.assert_clean("information and log, Russian, dark");
    page.press("Escape");
    page.gone("dialog[open]");
    page.theme_and_language("light", "en");
    page.click("Settings");
    page.act("click-css", json!({ "selector": "[data-information] summary" }));
    page.act(
        "click",
        json!({ "name": "Send to the administrators", "within": "[data-information] li:first-child" }),
    );
    page.fill("In your words", "The page was slow.");
    page.act("click", json!({ "name": "Send", "within": "dialog[data-report][open]" }));
    page.see("[data-information] [role=status]:has-text('Sent to the administrators')");
    let all = office.admin.get("/reports").await;
    let [general, after, during] = all["items"].as_array().map(Vec::as_slice).unwrap_or_default() else {
        panic!("{all}")
    };
    assert_eq!((&general["interaction"], &after["log_size"]), (&Value::Null, &json!(0)), "{all}");
    assert_eq!((&during["fault"], &during["remark"]), (&json!("noise"), &json!("It crackles.")), "{all}");
    assert_eq!(during["interaction"], after["interaction"]);
    let path = format!("/reports/{}/log", during["id"].as_str().unwrap_or_default());
    let (status, log) = office.admin.bytes(&path).await;
    let log = String::from_utf8_lossy(&log).into_owned();
    assert!(status.is_success() && log.contains("phone: connected") && log.contains(" talking"), "{log}");
    assert!(!log.contains("Mara"), "no names of callers: {log}");

    let page = &mut office.page;
    page.click("Close");
    page.click("Log out");
    page.act("click", json!({ "name": "Log out", "within": "dialog[open]" }));
    page.see("input[type=password]");
    page.sign_in(&office.appliance.base, "chief", PASSWORD);
    page.click("Admin");
    page.tab("Problem reports");
    page.see("[data-reports] tr:has-text('It crackles.')");
    page.shot("reports");
    page.assert_clean("problem reports");
    page.act("click", json!({ "name": "Record", "exact": false, "within": "tr:has-text('It crackles.')" }));
    page.see("dialog[open]");
    page.press("Escape");
    page.gone("dialog[open]");
    page.act("click-css", json!({ "selector": "tr:has-text('It crackles.') button:has-text('Done')" }));
    page.see("tr:has-text('It crackles.'):has-text('Done by Clara Chief')");
    page.theme_and_language("dark", "ru");
    page.shot("reports-ru");
    page.assert_clean("problem reports, Russian, dark");
}
