//! Keys of programs, as an administrator makes them.

use super::*;

/// API-03: a key is made in the console, its secret is shown once and works, and after it is revoked it does not.
#[tokio::test(flavor = "multi_thread")]
async fn api_03_an_administrator_makes_a_key_and_revokes_it() {
    let mut office = Office::open().await;
    office.page.sign_in(&office.appliance.base, "chief", PASSWORD);
    let page = &mut office.page;
    page.click("Admin");
    page.tab("Keys");
    page.click("Add");
    page.fill("What it is for", "Wallboard");
    page.act("click", json!({ "name": "supervise", "role": "checkbox" }));
    page.assert_clean("new key");
    page.click("Make the key");
    page.see("[data-secret]");
    let secret = page.text("[data-secret]");
    page.shot("key-made");
    page.assert_clean("key made");
    page.click("Done");
    page.gone("dialog[open]");
    page.see("tr:has-text('Wallboard') td:text-is('never')");
    assert_eq!(page.count(":text('pbk_')"), 1, "only its beginning is left");
    let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().expect("a client");
    let asked = async || {
        let request = client.get(format!("{}/api/v1/agents", office.appliance.base)).bearer_auth(&secret);
        request.send().await.expect("an answer").status().as_u16()
    };
    assert_eq!(asked().await, 200);
    let page = &mut office.page;
    page.click("Revoke the key Wallboard");
    page.act("click", json!({ "name": "Wallboard opens nothing any more: revoke" }));
    page.see("tr:has-text('Wallboard') td:text-is('revoked')");
    assert_eq!(asked().await, 401);
    let page = &mut office.page;
    page.theme_and_language("dark", "ru");
    page.shot("keys-ru");
    page.assert_clean("keys, Russian, dark");
}
