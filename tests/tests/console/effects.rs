//! What a change would do is shown before it is made.

use super::*;

/// Who takes the last agent of a queue away reads what that means before it is stored, in both languages; what is
/// changed after reading is looked at again, and what takes nothing away is saved at once.
#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_reads_what_a_change_would_do_before_it_is_made() {
    let mut office = Office::open().await;
    let skill = office.admin.get("/skills").await["items"][0]["name"].as_str().expect("a skill").to_owned();
    office.page.sign_in(&office.appliance.base, "chief", PASSWORD);
    let page = &mut office.page;
    page.click("Admin");
    page.tab("Users");
    page.click("Agent anna");
    page.fill(&skill, "0");
    page.click("Save");
    page.see("[data-effects] li:has-text('Nobody could answer Support any more (now: 1).')");
    page.see("[data-effects] li:has-text('Agent anna could no longer answer: Support.')");
    page.shot("effects");
    page.assert_clean("effects");
    let stored = office.admin.get("/users").await;
    let anna = |users: &Value| {
        users["items"].as_array().into_iter().flatten().find(|u| u["login"] == "anna").cloned()
    };
    assert_ne!(anna(&stored).expect("Anna")["skills"], json!({}), "nothing is stored yet");
    // Another change than the one that was read about.
    let page = &mut office.page;
    page.act("click", json!({ "name": "May not sign in", "role": "checkbox" }));
    page.click("Save all the same");
    page.see("button:text-is('Save all the same'):not(:disabled)");
    page.see("[data-effects] li:has-text('Nobody could answer Support any more (now: 1).')");
    page.click("Save all the same");
    page.gone("dialog[open]");
    let stored = anna(&office.admin.get("/users").await).expect("Anna");
    assert_eq!((&stored["skills"], &stored["disabled"]), (&json!({}), &json!(true)));

    // What gives is saved at once.
    let page = &mut office.page;
    page.click("Agent anna");
    page.see("dialog[open]");
    assert_eq!(page.count("[data-effects]"), 0, "what was said of the last change is no news");
    page.fill(&skill, "5");
    page.act("click", json!({ "name": "May not sign in", "role": "checkbox" }));
    page.click("Save");
    page.gone("dialog[open]");

    page.theme_and_language("dark", "ru");
    page.click("Agent anna");
    page.fill(&skill, "0");
    page.click("Сохранить");
    page.see("[data-effects] li:has-text('Support: отвечать будет некому (сейчас операторов: 1).')");
    page.shot("effects-ru");
    page.assert_clean("effects, Russian, dark");
}
