//! Signing in, states, the administrator's pages, and what holds for every page.

use super::*;

/// ACC-14, ERR-12, ERR-17, ERR-21, ERR-27: one place to work at a time, and words for each way out.
#[tokio::test(flavor = "multi_thread")]
async fn signing_in_elsewhere_is_asked_for_and_ends_the_other_page() {
    let mut office = Office::open().await;
    let page = &mut office.page;
    page.act("goto", json!({ "url": office.appliance.base }));
    page.fill("User name", "anna");
    page.fill("Password", "wrong-guess-1");
    page.click("Sign in");
    page.see("[role=alert]:text-is('User name or password is not correct.')");
    page.assert_clean("a refused sign-in");

    let elsewhere = Http::sign_in(&office.appliance.base, "anna", PASSWORD).await.expect("signed in");
    let _desk = Agent::connect(&elsewhere, office.appliance.https).await;
    page.fill("Password", PASSWORD);
    page.click("Sign in");
    page.see("[role=alert]:text-is('You are already signed in on another device. Sign in here instead?')");
    page.assert_clean("the question of a second sign-in");
    page.click("Sign in here");
    page.see("[data-state=ready]");

    // A second tab is the same session: the newer one is the desk, the older one offers to take it back.
    let second = page.act("tab", json!({ "url": office.appliance.base }));
    page.see("[data-state]");
    page.act("tab", json!({ "number": 0 }));
    page.see("[role=status]:text-is('The console is open in another tab or window.')");
    page.click("Use it here");
    page.see("[data-state]");
    page.act("tab", json!({ "number": second }));
    page.see("[role=status]:text-is('The console is open in another tab or window.')");
    page.act("tab", json!({ "number": 0 }));

    let _forced = Http::sign_in(&office.appliance.base, "anna", PASSWORD).await.expect("signed in");
    page.see("[role=status]:text-is('Session ended: you signed in on another device.')");
    page.fill("User name", "anna");
    page.fill("Password", PASSWORD);
    page.click("Sign in");
    page.click("Sign in here");
    page.see("[data-state]");
    page.click("Log out");
    page.see("dialog:has-text('Log out now?')");
    page.act("click", json!({ "name": "Log out", "within": "dialog[open]" }));
    page.see("[role=status]:text-is('You are logged out.')");
}

/// STATE-02, STATE-12: the menu of states without a mouse; the time in a state runs.
#[tokio::test(flavor = "multi_thread")]
async fn states_are_chosen_by_keyboard_and_their_time_runs() {
    let mut office = Office::open().await;
    office.sign_in("anna");
    let page = &mut office.page;
    page.see("[data-state=ready]");
    page.evaluate("document.querySelector('[data-state]').focus()");
    page.press("Enter");
    page.see("[role=menu]");
    page.assert_clean("state menu");
    let icons = page.count("[role=menuitem] svg");
    assert!(icons >= 7 && icons == page.count("[role=menuitem]"), "every state has its icon");
    page.press("ArrowDown");
    let reason = page.evaluate("document.activeElement.textContent.trim()");
    let reason = reason.as_str().expect("an item has the focus").to_owned();
    assert!(["Lunch", "Away", "Break", "Meeting", "Training"].contains(&&*reason), "{reason}");
    page.press("Enter");
    page.see(&format!("[data-state=not_ready]:has-text('Not ready · {reason}')"));
    let focus = page.evaluate("document.activeElement.dataset.state ?? ''");
    assert_eq!(focus, "not_ready", "the focus is where it was");
    let (since, before) = (now_ms(), seconds_shown(page));
    std::thread::sleep(Duration::from_millis(2_100));
    let after = seconds_shown(page);
    let passed = i64::try_from((now_ms() - since) / 1_000).expect("seconds");
    assert!((1..=passed + 1).contains(&(after - before)), "from {before} s to {after} s in {passed} s");

    // The last entry is for colleagues and changes no state; the one before it leaves service.
    for (keys, sees) in [
        (&["End"][..], "[data-state=not_ready] ~ [title='Do not disturb']"),
        (&["End", "ArrowUp"], "[data-state=offline]"),
        (&["Home"], "[data-state=ready]"),
    ] {
        page.press("ArrowDown");
        page.see("[role=menu]");
        keys.iter().for_each(|key| page.press(key));
        page.press("Enter");
        page.see(sees);
    }
    page.press("ArrowDown");
    page.see("[role=menu]");
    page.press("Escape");
    page.gone("[role=menu]");
    page.press("Alt+KeyK");
    page.see("dialog:has-text('Keyboard shortcuts')");
    page.assert_clean("keyboard shortcuts");
    page.press("Escape");
    page.gone("dialog[open]");
}

/// A requirement is typed as text: the page says where it is wrong and takes one there, and who meets it.
fn requirement_as_text(page: &mut Browser) {
    page.click("Garden advice");
    page.click("Write as text");
    assert_eq!(page.evaluate("document.querySelector('dialog textarea').value"), "Gardening >= 3");
    page.fill("Who may answer", "any and (Gardning >= 3 or agent anna)");
    page.see("dialog [role=status]:has-text('Line 1, column 10: there is no skill “Gardning”. Did you mean Gardening?')");
    page.see("dialog textarea[aria-invalid=true]");
    page.shot("requirement-as-text");
    page.assert_clean("a requirement with an error");
    page.click("Save");
    page.see("dialog [role=alert]:has-text('there is no skill `Gardning`')");
    page.click("Go to the error");
    // What is selected is replaced by typing.
    page.press("Delete");
    page.see("dialog [role=status]:has-text('“>=” stands where a condition')");
    page.fill("Who may answer", "Gardening >= 3 or agent anna");
    page.see("dialog [role=status]:has-text('Agents who meet it now: 1 (Agent anna).')");
    page.gone("dialog textarea[aria-invalid]");
    page.fill("Who may answer", "gardening >= 3 and not agent anna");
    page.see("dialog [role=status]:has-text('Nobody meets it now')");
    page.click("Save");
    page.see("[data-effects]:has-text('Nobody would meet step 1 of Garden advice')");
    page.click("Save all the same");
    page.gone("dialog[open]");
    page.see("td:text-is('Gardening >= 3 and not agent anna')");
}

/// REC-01, REC-02, REC-07, STATE-22, ROUTE-02: a house furnished in the browser, a requirement written as text, its first call, and who sees which records.
#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_furnishes_the_house_and_the_new_agent_takes_a_call_there() {
    let mut office = Office::open().await;
    // Nobody is there yet: a record without an agent.
    let mut lost = office.customer("lost", Some(500));
    lost.running.wait(Duration::from_secs(60));

    office.page.sign_in(&office.appliance.base, "chief", PASSWORD);
    let page = &mut office.page;
    page.click("Admin");
    page.tab("Skills");
    page.click("Add");
    page.fill("Name", "Gardening");
    page.click("Save");
    page.see("button:text-is('Gardening')");
    page.tab("Services");
    page.see("button:text-is('Support')");
    page.click("Add");
    page.fill("Name", "Garden advice");
    page.select("Needs the skill", "Gardening");
    page.fill("Level at least", "3");
    page.click("Save");
    page.see("[data-effects]:has-text('Nobody would meet step 1 of Garden advice: Gardening >= 3.')");
    page.click("Save all the same");
    page.see("td:has-text('Gardening ≥ 3')");
    page.click("Garden advice");
    page.fill("Dispositions", "Advised");
    page.press("Enter");
    page.see("dialog .chip:text-is('Advised')");
    page.shot("service-editor");
    page.assert_clean("service editor");
    page.click("Save");
    page.gone("dialog[open]");
    requirement_as_text(page);
    page.tab("Numbers");
    page.click("Add");
    page.fill("Number", "+4930555300");
    page.select("Leads to", "Garden advice");
    page.click("Save");
    page.see("button:text-is('+49 30 555300')");
    page.tab("Users");
    page.click("Add");
    page.fill("Name", "Gerda Grün");
    page.fill("User name", "gerda");
    page.fill("Password", PASSWORD);
    page.fill("Gardening", "4");
    page.shot("user-editor");
    page.assert_clean("user editor");
    page.click("Save");
    page.see("tr:has-text('gerda') .chip:text-is('Gardening 4')");

    page.tab("Teams");
    page.click("Add");
    page.fill("Name", "Night shift");
    page.fill("Break time a day, minutes", "45");
    page.shot("team-editor");
    page.click("Save");
    page.see("tr:has(button:text-is('Night shift')) td:text-is('45')");
    page.tab("Not ready");
    page.click("Add");
    page.fill("Name", "Nap");
    page.fill("Ends by itself after, minutes", "20");
    page.shot("reason-editor");
    page.click("Save");
    page.see("tr:has(button:text-is('Nap')) td:text-is('After 20 min')");
    page.tab("Routing");
    page.click("Move “Who has been free the longest” up");
    page.evaluate("document.querySelector(\"[aria-label='Agent: Emails']\").click()");
    page.click("Save");
    page.see("[data-effects]:has-text('Agents who could not have emails any more')");
    page.shot("routing-effects");
    page.assert_clean("what a change for all would do");
    page.click("Save all the same");
    page.see("[role=status]:text-is('Saved.')");
    assert_eq!(office.admin.get("/tenant").await["withheld"], json!({ "agent": ["handle_emails"] }));
    let page = &mut office.page;
    let order = office.admin.get("/tenant").await["agent_order"].clone();
    assert_eq!(order, json!(["most_skilled", "longest_idle", "least_loaded"]));
    page.fill("Erase after, days", "30");
    page.click("Save");
    page.see("[role=status]:text-is('Saved.')");
    page.shot("routing");
    page.assert_clean("routing");
    assert_eq!(office.admin.get("/tenant").await["own_voicemail"]["keep_days"], 30);
    let page = &mut office.page;

    // Somebody is faster.
    page.tab("Skills");
    page.click("Gardening");
    page.see("dialog[open]");
    let skills = office.admin.get("/skills").await;
    let skill = skills["items"].as_array().into_iter().flatten().find(|s| s["name"] == "Gardening").cloned();
    let path =
        format!("/skills/{}", skill.as_ref().and_then(|s| s["id"].as_str()).expect("the skill exists"));
    office.admin.change(&path, |s| s["name"] = "Gardens".into()).await;
    page.fill("Name", "Gardening, all kinds");
    page.click("Save");
    page.see("[role=alert]:has-text('Somebody else changed this in the meantime.')");
    page.click("Save");
    page.see("button:text-is('Gardening, all kinds')");
    page.click("Gardening, all kinds");
    page.act("click", json!({ "name": "Delete", "within": "dialog[open]" }));
    page.act("click", json!({ "name": "Delete", "within": "dialog[open]" }));
    page.see("[role=alert]:has-text('something else still uses this')");
    page.click("Cancel");
    page.gone("dialog[open]");

    // The supervisor's view: an agent is sent to a break and back.
    let anna = Http::sign_in(&office.appliance.base, "anna", PASSWORD).await.expect("signed in");
    let mut desk = Agent::connect(&anna, office.appliance.https).await;
    page.click("Team");
    page.see("tr:has-text('Agent anna') .chip.ready");
    page.act("click", json!({ "name": "Make Not ready", "within": "tr:has-text('Agent anna')" }));
    page.see("tr:has-text('Agent anna') .chip:has-text('Not ready · Set by a supervisor')");
    desk.wait_for("forced", |e| e["agent"]["state"]["reason"]["kind"] == "forced").await;
    page.act("click", json!({ "name": "Make Ready", "within": "tr:has-text('Agent anna')" }));
    page.see("tr:has-text('Agent anna') .chip.ready");

    page.click("Log out");
    page.act("click", json!({ "name": "Log out", "within": "dialog[open]" }));
    page.see("[role=status]:text-is('You are logged out.')");
    office.sign_in("gerda");
    office.page.see("[data-phone=up]");
    let mut customer = office.customer_of("garden", "+4930555300", None);
    let page = &mut office.page;
    page.see("[role=alertdialog]:has-text('for Garden advice')");
    page.click("Accept");
    page.see("[data-phase=talking]");
    page.click("Advised");
    // Something to be played afterwards.
    std::thread::sleep(Duration::from_secs(4));
    page.click("Hang up");
    assert!(customer.running.wait(Duration::from_secs(60)).success(), "SIPp: {}", customer.errors());
    page.click("Complete");
    page.see("[data-state=ready]");

    // Her own record, and only that.
    page.click("Service records");
    page.see("tbody tr:has-text('Garden advice')");
    assert_eq!(page.count("tbody tr"), 1);
    assert_eq!(page.count("nav :text('Team')") + page.count("nav :text('Admin')"), 0, "not hers");
    let columns = page.text("thead").to_lowercase();
    for column in [
        "time",
        "type",
        "caller number",
        "contact number",
        "service",
        "call status",
        "duration",
        "remark",
        "recording",
    ] {
        assert!(columns.contains(column), "{column} is missing in {columns}");
    }
    page.click("Open record");
    page.see("canvas");
    page.click("Play");
    page.see("button:text-is('Pause')");
    eventually("half a second is played", Duration::from_secs(60), || {
        let at = page.evaluate("document.querySelector('audio').currentTime").as_f64().expect("seconds");
        (at > 0.5).then_some(())
    });
    page.press("Escape");

    page.click("Log out");
    page.act("click", json!({ "name": "Log out", "within": "dialog[open]" }));
    page.see("[role=status]:text-is('You are logged out.')");
    page.sign_in(&office.appliance.base, "chief", PASSWORD);
    page.click("Service records");
    page.see("tbody tr:has-text('Gerda Grün')");
    assert_eq!(page.count("tbody tr"), 2);
    // RECO-06: a supervisor sees who listened.
    page.act("click", json!({ "name": "Open record", "within": "tbody tr:has-text('Gerda Grün')" }));
    page.act("click-css", json!({ "selector": "dialog[open] summary:has-text('Who listened to it')" }));
    page.see("dialog[open] details li:has-text('Gerda Grün')");
    assert_eq!(
        page.count("dialog[open] details li"),
        1,
        "a player's parts are one listening, and looking is none"
    );
    page.evaluate("document.querySelector('dialog[open] details').scrollIntoView()");
    page.shot("who-listened");
    page.assert_clean("who listened");
    page.press("Escape");
    page.gone("dialog[open]");
    page.select("Call status", "Normal end");
    page.click("Filter");
    page.gone("tbody tr:has-text('Support')");
    assert_eq!(page.count("tbody tr"), 1);
    page.click("Clear");
    page.see("tbody tr:has-text('Support')");
    page.fill("Contact number", "+4930555300");
    page.click("Filter");
    page.gone("tbody tr:has-text('Support')");
    page.fill("From", "2001-01-01");
    page.fill("To", "2001-01-02");
    page.click("Filter");
    page.see("td:text-is('No records match.')");
}

/// Every page in both themes and both languages: nothing for axe to find, nothing wider than a telephone.
#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_accessible_in_both_themes_both_languages_and_on_a_telephone() {
    let mut office = Office::open().await;
    let mut customer = office.customer("lost", Some(500));
    customer.running.wait(Duration::from_secs(60));
    office.page.sign_in(&office.appliance.base, "chief", PASSWORD);
    let page = &mut office.page;
    let looks = [("light", "en", 1360), ("dark", "ru", 1360), ("light", "ru", 390), ("dark", "en", 390)];
    for (theme, language, width) in looks {
        page.act("size", json!({ "width": width, "height": if width == 390 { 844 } else { 860 } }));
        page.theme_and_language(theme, language);
        assert_eq!(page.evaluate("document.documentElement.lang"), language);
        let title = page.text("nav button:nth-of-type(1)");
        assert!(title.contains(if language == "ru" { "Рабочее место" } else { "Desk" }), "{title}");
        for (number, section) in ["desk", "cases", "records", "team", "admin"].into_iter().enumerate() {
            page.act("click-css", json!({ "selector": format!("nav button:nth-of-type({})", number + 1) }));
            page.see(if section == "desk" { ".empty" } else { "main table tbody" });
            let tabs = if section == "admin" { page.count("[role=tab]") } else { 1 };
            for tab in 1..=tabs {
                if section == "admin" {
                    page.act("click-css", json!({ "selector": format!("[role=tab]:nth-of-type({tab})") }));
                    page.see(&format!("[role=tab][aria-selected=true]:nth-of-type({tab})"));
                    page.see("main table tbody, main [data-preview], main [data-empty]");
                }
                let name = format!("{section}-{tab}-{theme}-{language}-{width}");
                page.shot(&name);
                page.assert_clean(&name);
                let over = page.act("overflow", json!({}));
                assert_eq!(over, 0, "{name} is wider than its window");
            }
        }
    }
}
