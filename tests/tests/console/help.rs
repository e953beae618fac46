//! An agent asks for help in one browser, the supervisor sees it in another.

use super::*;

/// HELP-01, KEY-01: the flag goes up by key during the call, shows on button and row, outlives a reload, and goes with the call; the
/// supervisor has it in the list, in both languages, and nobody on the line hears of it.
#[tokio::test(flavor = "multi_thread")]
async fn help_01_an_agent_raises_the_flag_and_the_supervisor_sees_who_and_with_whom() {
    let mut office = Office::open().await;
    let folder = office.appliance.dir.path().join("chief");
    std::fs::create_dir(&folder).expect("a folder");
    let mut chief = Browser::start(&folder, &office.appliance.dir.path().join("microphone.wav"));
    chief.sign_in(&office.appliance.base, "chief", PASSWORD);
    chief.see("[data-help='0']");
    office.sign_in("anna");
    let customer = office.customer("customer", None);
    let page = &mut office.page;
    page.see("[role=alertdialog]");
    page.click("Accept");
    page.see("[data-phase=talking]");
    page.press("Alt+KeyF");
    page.see("button[aria-pressed=true]:has-text('Ask for help')");
    page.see(".list .item:has([aria-label='Asks for help'])");
    page.see("[role=status]:has-text('Your supervisors see that you ask for help.')");
    page.shot("help-agent");
    page.assert_clean("help asked for");
    page.act("reload", json!({}));
    page.see("[data-phase=talking] button[aria-pressed=true]:has-text('Ask for help')");
    hears_the_customer(page, "with the flag");

    chief.see("[data-help='1']");
    assert_eq!(
        chief.text("[data-help] + [role=status]"),
        "Agent anna asks for help with Mara Lind · Support"
    );
    chief.evaluate("document.querySelector('[data-help]').focus()");
    chief.press("Enter");
    chief.see("dialog[open] li:has-text('Agent anna asks for help with Mara Lind · Support')");
    chief.see("dialog[open] button[aria-label='Call Agent anna']");
    chief.shot("help-supervisor");
    chief.assert_clean("list of who asks for help");
    chief.press("Escape");
    chief.gone("dialog[open]");
    chief.act("click", json!({ "name": "Team" }));
    chief.see("tr:has-text('Agent anna') .chip:has-text('Asks for help')");
    chief.theme_and_language("dark", "ru");
    chief.evaluate("document.querySelector('[data-help]').focus()");
    chief.press("Enter");
    chief.see("dialog[open] li:has-text('Agent anna просит помощи: Mara Lind · Support')");
    chief.shot("help-supervisor-ru");
    chief.assert_clean("list of who asks for help, in Russian");
    let listed = office.admin.get("/help").await;
    assert_eq!(listed["items"][0]["agent"]["name"], "Agent anna", "{listed}");

    office.page.click("Hang up");
    office.page.see("[data-state=wrap_up]");
    assert_eq!(office.page.count("[aria-label='Asks for help']"), 0);
    chief.see("[data-help='0']");
    scenarios::until("the record says when help was asked for", async || {
        let records = office.admin.get("/records").await;
        let help = &records["items"][0]["help"][0];
        help["by_name"] == "Agent anna" && help["to"].is_u64()
    })
    .await;
    drop(customer);
}
