//! By which phone calls reach an agent.

use super::*;
use scenarios::carrier::{Carrier, Manner};

/// Signs out by the page's own way, and in again.
fn sign_in_again(office: &mut Office) {
    let page = &mut office.page;
    page.click("Log out");
    page.act("click", json!({ "name": "Log out", "within": "dialog[open]" }));
    page.see("[role=status]:text-is('You are logged out.')");
    page.sign_in(&office.appliance.base, "anna", PASSWORD);
}

/// CONN-06, CONN-09, CONN-10, OUT-04, ERR-34: an agent chooses a number outside in the settings, by keyboard; a closed one is refused in words; from the next
/// sign-in on the page shows it, and says of an offer that it rings there. Without a phone there are no calls. A colleague who is not
/// there has a mobile that can be dialled.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_chooses_a_phone() {
    let mut office = Office::open().await;
    let carrier = Carrier::start(office.appliance.dir.path(), "mobile", Manner::Rings, AGENT_HZ);
    let trunk = office.admin.get("/trunks").await["items"][0]["id"].as_str().expect("a trunk").to_owned();
    office.admin.change(&format!("/trunks/{trunk}"), |trunk| trunk["target"] = json!(carrier.target())).await;
    let boris = office.appliance.hire(&office.admin, &office.house, "boris", "browser", Some("202")).await;
    office.admin.change(&format!("/users/{boris}"), |user| user["mobile"] = json!("+491707654321")).await;
    office.sign_in("anna");
    let page = &mut office.page;
    page.see("[data-state=ready]");

    page.click("Settings");
    page.see("[data-phone-choice]");
    page.evaluate("document.querySelector('[data-phone-choice]').focus()");
    page.select("My phone", "number");
    page.fill("Number", "+881612345678");
    page.click("Save phone");
    page.see("dialog[open] [role=alert]");
    page.shot("phone-closed");
    page.fill("Number", "+49 170 1234567");
    page.click("Save phone");
    page.see("dialog[open] [role=status]:has-text('Saved. Sign out and in again to use it.')");
    page.shot("phone-choice");
    page.assert_clean("choosing a phone");
    page.press("Escape");
    page.gone("dialog[open]");
    // Not before the next sign-in.
    page.see("[data-phone=up]:has-text('Phone connected')");
    sign_in_again(&mut office);
    let page = &mut office.page;
    page.see("[data-phone=up]:has-text('+491701234567')");
    page.see("[data-state=ready]");

    let customer = office.customer("customer", None);
    let page = &mut office.page;
    page.see("[role=alertdialog]:has-text('+491701234567 rings. Pick up and press 1 to take the call.')");
    page.shot("offer-outside");
    page.assert_clean("an offer that rings outside");
    page.click("Decline");
    page.gone("[role=alertdialog]");
    scenarios::until("the mobile rings no longer", async || carrier.messages().contains("CANCEL sip:")).await;
    drop(customer);

    let page = &mut office.page;
    page.press("Alt+KeyC");
    page.see("[data-colleagues] li:has-text('Agent boris')");
    page.see("[aria-label='Call the mobile of Agent boris']");
    page.shot("colleague-mobile");
    page.assert_clean("a colleague's mobile");
    page.press("Escape");
    page.theme_and_language("dark", "ru");
    page.click("Настройки");
    page.see("[data-phone-choice]");
    page.shot("phone-choice-ru");
    page.assert_clean("choosing a phone, Russian, dark");
    page.select("Мой телефон", "none");
    page.click("Сохранить телефон");
    page.see("dialog[open] [role=status]:has-text('Сохранено')");
    page.press("Escape");
    page.gone("dialog[open]");
    page.theme_and_language("light", "en");
    sign_in_again(&mut office);
    office.page.see("[data-phone=down]:has-text('No phone')");
}
