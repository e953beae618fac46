//! Ending calls, and an emergency that ends them before they begin.

use super::*;

/// VOICE-13, KEY-01: a call is ended by the icon on its row, which hovering or Tab shows, and by the button in the bar from whatever
/// page; the shortcut is tried with the offers.
#[tokio::test(flavor = "multi_thread")]
async fn voice_13_a_call_is_ended_from_its_row_and_from_the_bar() {
    let mut office = Office::open().await;
    office.sign_in("anna");
    for from in ["row", "bar"] {
        let mut customer = office.customer(from, None);
        let page = &mut office.page;
        page.see("[role=alertdialog]");
        page.click("Accept");
        page.see("[data-phase=talking]");
        if from == "row" {
            let shown = "getComputedStyle(document.querySelector('.entry .end')).opacity";
            assert_eq!(page.evaluate(shown), "0", "not in the way");
            page.evaluate("document.querySelector('.entry .item').focus()");
            page.press("Tab");
            assert_eq!(page.evaluate(shown), "1");
            page.shot("end-from-row");
            page.assert_clean("end from the row");
            page.press("Enter");
        } else {
            page.click("Service records");
            page.see("header [data-end]");
            page.shot("end-from-bar");
            page.assert_clean("end from the bar");
            page.act("click-css", json!({ "selector": "header [data-end]" }));
        }
        page.see("[data-state=wrap_up]");
        page.gone("[data-end]");
        assert_eq!(page.count(".entry .end"), 0, "nothing is left to be ended");
        assert!(customer.running.wait(Duration::from_secs(60)).success(), "SIPp: {}", customer.errors());
        page.press("Alt+Enter");
        page.see("[data-state=ready]");
        page.click("Desk");
    }
}

/// ROUTE-07: a supervisor switches the emergency of all services on by one action and off by one; every page says it meanwhile, in
/// both languages, and so does the command line.
#[tokio::test(flavor = "multi_thread")]
async fn route_07_the_emergency_of_all_services_is_on_every_page() {
    let mut office = Office::open().await;
    office.page.sign_in(&office.appliance.base, "chief", PASSWORD);
    let page = &mut office.page;
    page.click("Emergency for all services");
    page.click("All new callers of all services hear the announcement: switch on");
    page.see("[data-emergency]:has-text('Emergency: new callers of Support are not served.')");
    page.click("Service records");
    page.see("[data-emergency]");
    page.assert_clean("emergency");
    let queues = std::process::Command::new(scenarios::appliance::binary())
        .args(["queues", "--config"])
        .arg(office.appliance.dir.path().join("patchbay.toml"))
        .output()
        .expect("it runs");
    let queues = String::from_utf8_lossy(&queues.stdout).into_owned();
    assert!(queues.lines().any(|line| line.contains("Support") && line.contains("emergency")), "{queues}");
    let page = &mut office.page;
    page.theme_and_language("dark", "ru");
    page.see("[data-emergency]:has-text('Support')");
    page.shot("emergency-ru");
    page.assert_clean("emergency in Russian");
    page.theme_and_language("light", "en");
    page.click("End all");
    page.gone("[data-emergency]");
}
