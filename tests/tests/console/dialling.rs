//! Trunks, the rules of dialling, and numbers that agents dial.

use super::*;
use scenarios::carrier::{Carrier, Manner};

/// SIP-02, OUT-05, OUT-06, SAFE-01: an administrator makes a trunk and says how numbers are dialled and which are closed; a number is tried without being
/// dialled. Secrets are not shown again.
#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_sets_up_trunks_and_dialling() {
    let mut office = Office::open().await;
    office.page.sign_in(&office.appliance.base, "chief", PASSWORD);
    let page = &mut office.page;
    page.click("Admin");
    page.tab("Trunks");
    page.click("Add");
    page.fill("Name", "Carrier");
    page.fill("Takes calls out at", "sip.carrier.example:5061;transport=carrot");
    page.fill("User name there", "house");
    page.fill("Password there", "zanzibar-1");
    page.fill("Calls come from", "192.0.2.0/24\n198.51.100.7");
    page.click("Save");
    page.see("dialog[open] [role=alert]");
    page.shot("trunk-refused");
    page.fill("Takes calls out at", "sip.carrier.example:5061;transport=tls");
    page.assert_clean("a trunk");
    page.click("Save");
    page.gone("dialog[open]");
    page.see("tr:has-text('Carrier'):has-text('192.0.2.0/24, 198.51.100.7')");
    page.click("Carrier");
    page.see("dialog[open] [placeholder='Kept as it is']");
    assert!(!page.evaluate("document.body.innerHTML").to_string().contains("zanzibar"));
    page.shot("trunk");
    page.press("Escape");
    page.gone("dialog[open]");
    page.shot("trunks");
    page.assert_clean("list of trunks");

    page.tab("Dialling");
    page.see("form.try");
    page.click("Add a beginning");
    page.fill("Begins with", "0");
    page.fill("Becomes", "+49");
    page.fill("Open prefixes", "+49\n+43");
    page.act("click", json!({ "role": "checkbox", "name": "Numbers that no prefix fits may be called" }));
    page.click("Save");
    page.see("[role=status]:has-text('Saved')");
    for (number, shown) in [
        ("030 1234", "+49301234 may be called: +49 is open."),
        ("0900 1234", "+499001234 may not be called: +49900 is closed."),
        ("+33 1 234567", "+331234567 may not be called: no prefix fits."),
    ] {
        page.fill("As somebody would dial it", number);
        page.press("Enter");
        page.see(&format!("[data-tried]:text-is('{shown}')"));
    }
    page.shot("dialling");
    page.assert_clean("rules of dialling");
    page.theme_and_language("dark", "ru");
    page.see("[role=tab]:has-text('Набор')");
    page.shot("dialling-ru");
    page.assert_clean("rules of dialling, Russian, dark");
}

/// OUT-09, OUT-10, OUT-15: a number is dialled, and an extension typed while it rings; Enter in the empty field brings the last number back, also when the key of
/// conferences is pressed without a call.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_dials_an_extension_and_the_same_number_again() {
    let mut office = Office::open().await;
    let carrier = Carrier::start(office.appliance.dir.path(), "carrier", Manner::Rings, CUSTOMER_HZ);
    let trunk = office.admin.get("/trunks").await["items"][0]["id"].as_str().expect("a trunk").to_owned();
    office.admin.change(&format!("/trunks/{trunk}"), |trunk| trunk["target"] = json!(carrier.target())).await;
    office.sign_in("anna");
    let page = &mut office.page;
    page.see("[data-state=ready]");
    page.press("Alt+KeyC");
    page.fill("Name, extension or number", "+49 30 987654");
    page.press("Enter");
    page.see("[data-phase=dialling]");
    page.fill("Extension", "42#");
    page.press("Enter");
    page.see("[role=status]:has-text('42#: pressed when it answers.')");
    page.shot("extension");
    page.assert_clean("an extension");
    page.press("Alt+KeyH");
    page.see("[data-phase=wrap_up]");
    page.click("Complete");
    page.see("[data-state=ready]");
    page.press("Alt+Shift+KeyC");
    page.see("[data-colleagues]");
    page.press("Enter");
    let typed = page.evaluate("document.querySelector('[data-colleagues] input').value");
    assert_eq!(typed, "+49 30 987654");
    page.press("Enter");
    page.see("[data-phase=dialling]");
}
