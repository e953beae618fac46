//! Emails as an agent has them: offered, postponed, taken from the group queue, given by a supervisor, over a kill of the appliance.

use super::*;
use scenarios::agent::Agent;

const WORK: &str = ".list [data-interaction]";

async fn brings(channel: &Http, service: &str, name: &str, subject: &str) -> String {
    let address = format!("{}@example.org", name.split(' ').next().unwrap_or_default().to_lowercase());
    let contact = json!({ "channel": "email", "service": service, "subject": subject, "category": "Contracts",
        "text": "Good day,\n\nplease tell me what it costs.\n\nYours", "address": "help@example.com",
        "customer": { "name": name, "email": address } });
    let wrote = channel.post("/contacts", contact).await;
    wrote["interaction"].as_str().expect("an id").to_owned()
}

/// Clicks a tab, which may say besides that some are late.
fn tab(page: &mut Browser, name: &str) {
    page.act("click", json!({ "role": "tab", "name": name, "exact": false }));
}

/// Clicks a button whose name is longer than what it shows.
fn click_row(page: &mut Browser, email: &str, button: &str) {
    page.see(&format!("tr[data-interaction='{email}'] button:has-text('{button}')"));
    page.evaluate(&format!(
        "[...document.querySelectorAll(\"tr[data-interaction='{email}'] button\")].find((b) => b.textContent.trim() === '{button}').click()"
    ));
}

/// MAIL-01 to MAIL-05, MAIL-07, MAIL-09, MAIL-16, MAIL-17: two emails are offered, one answered and one postponed; others are taken
/// from the group queue and given by a supervisor; a kill in the middle loses nothing; a missed one makes Not ready.
#[tokio::test(flavor = "multi_thread")]
async fn mail_01_emails_reach_an_agent_in_every_way_over_a_kill() {
    let mut office = Office::open().await;
    // Long enough for a busy machine.
    office.service(|s| s["queue"]["ring_time_ms"] = 300_000.into());
    let service = office.house.service.clone();
    let admin = office.appliance.admin().await;
    office.sign_in("anna");
    let page = &mut office.page;
    page.see("button[aria-current=page]:has-text('Desk')");
    let first = brings(&admin, &service, "Mara Lind", "What does it cost?").await;
    let page = &mut office.page;
    page.see("[data-offer] h1:has-text('New email')");
    page.see("[data-offer]:has-text('Mara Lind'):has-text('mara@example.org'):has-text('What does it cost?'):has-text('Contracts')");
    page.shot("email-offer");
    page.assert_clean("the offer of an email");
    page.click("Reply");
    page.see("article[data-channel=email] .message.customer:has-text('please tell me what it costs')");
    page.see("[data-state=busy]");

    let second = brings(&admin, &service, "Otto Ruf", "Delivery is late").await;
    let page = &mut office.page;
    page.see("[data-offer]:has-text('Otto Ruf')");
    page.press("Alt+KeyX");
    page.gone("[data-offer]");
    page.see("[data-state=busy]");
    page.fill("Answer to Mara Lind", "Dear Mrs Lind,\n\nnothing <b>at all</b>.");
    page.shot("email-open");
    page.assert_clean("an email that is open");
    page.click("Send");
    page.see(".message.agent .text:has-text('<b>at all</b>')");

    // The own page of emails: what was postponed is there, and nothing waits for others.
    page.click("My cases");
    tab(page, "Personal queue 1");
    page.see(&format!("tr[data-interaction='{second}']:has-text('Postponed')"));
    page.click("Delivery is late");
    page.see("aside .message.customer:has-text('please tell me what it costs')");
    page.shot("cases-personal");
    page.assert_clean("the personal queue with a preview");

    // Whoever is Not ready is offered nothing: the next ones wait in the group queue.
    page.act("click", json!({ "name": "Busy", "exact": false }));
    page.act("click", json!({ "role": "menuitem", "name": "Lunch" }));
    page.see(":text-is('then Not ready · Lunch')");
    let third = brings(&admin, &service, "Ida Falk", "Change of address").await;
    let fourth = brings(&admin, &service, "Ada Kern", "Invoice").await;
    let page = &mut office.page;
    tab(page, "Group queue 2");
    click_row(page, &third, "Take");
    tab(page, "Group queue 1");
    page.see("[role=tab][aria-selected=false]:has-text('Personal queue'):has-text('2')");
    // Past its service level, which is twenty seconds.
    page.see("[role=tab] .dot[aria-label='Some are past their service level']");
    page.see(&format!("tr[data-interaction='{fourth}'] .bar.over"));
    page.shot("cases-group");
    page.assert_clean("the group queue");
    tab(page, "Personal queue 2");
    click_row(page, &third, "Open");
    page.see("article[data-channel=email]:has-text('Change of address')");
    assert_eq!(page.count(WORK), 2);
    assert_eq!(page.text(&format!("{WORK} .name")), "Ida Falk", "newest first");

    // What is typed goes with the email.
    page.fill("Answer to Ida Falk", "Half an answer");
    page.click("To my queue");
    page.click("My cases");
    tab(page, "Personal queue 2");
    click_row(page, &third, "Open");
    page.see("article[data-channel=email]:has-text('Change of address')");
    page.see(&format!("{WORK}[data-interaction='{third}'][aria-current]"));
    eventually("what was typed is there", Duration::from_secs(60), || {
        let typed = page.evaluate("document.querySelector('.write textarea')?.value");
        (typed == "Half an answer").then_some(())
    });

    // A supervisor gives away what still waits; the agent is told.
    let chief = Http::sign_in(&office.appliance.base, "chief", PASSWORD).await.expect("the supervisor");
    let mut chief = Agent::connect(&chief, office.appliance.https).await;
    let users = admin.get("/users").await;
    let anna = users["items"].as_array().expect("users").iter().find(|u| u["login"] == "anna").expect("Anna")
        ["id"]
        .clone();
    chief.send("assign", json!({ "interaction": fourth, "user": anna })).await.expect("given");
    let page = &mut office.page;
    page.see(
        "[aria-live=polite] :text('Clara Chief gave you the email “Invoice”. It is in your personal queue.')",
    );
    page.click("My cases");
    tab(page, "Personal queue 2");
    page.see(&format!("tr[data-interaction='{fourth}']:has-text('Assigned by Clara Chief')"));
    office.appliance.running.signal(libc::SIGKILL);
    office.appliance.running.wait(Duration::from_secs(30));
    let again = ".chip:has-text('Reconnecting')";
    office.page.see(again);
    office.appliance.start_again();
    office.admin = office.appliance.admin().await;
    let admin = &office.admin;
    let page = &mut office.page;
    page.gone(again);
    page.click("Desk");
    page.see("article[data-channel=email]:has-text('Change of address')");
    page.evaluate(&format!("document.querySelector(\"{WORK}[data-interaction='{first}']\").click()"));
    page.see("article:has-text('What does it cost?') .message.agent:has-text('<b>at all</b>')");
    page.assert_only_unreachable();
    page.click("My cases");
    tab(page, "Personal queue 2");
    page.see(&format!("tr[data-interaction='{second}']"));

    page.theme_and_language("dark", "ru");
    page.see(&format!("tr[data-interaction='{fourth}']:has-text('Назначает Clara Chief')"));
    page.shot("cases-personal-ru");
    page.assert_clean("the personal queue in Russian");
    page.theme_and_language("light", "en");

    // Both are ended; what nobody reacts to makes Not ready.
    office.service(|s| s["queue"]["ring_time_ms"] = 5_000.into());
    let page = &mut office.page;
    page.click("Desk");
    page.see("article[data-channel=email]");
    for (email, sent) in [(&first, true), (&third, false)] {
        page.evaluate(&format!("document.querySelector(\"{WORK}[data-interaction='{email}']\").click()"));
        page.see(&format!("{WORK}[data-interaction='{email}'][aria-current]"));
        page.click("Close");
        if !sent {
            page.see("dialog[open]:has-text('Close this email without sending a reply?')");
            page.assert_clean("the question before an email is closed unsent");
            page.evaluate("document.querySelector('dialog[open] .danger').click()");
        }
        page.see("article[data-channel=email][data-phase=wrap_up]");
    }
    page.click("Complete");
    page.see("article[data-phase=wrap_up]");
    page.click("Complete");
    page.see("[data-state=not_ready]");
    page.act("click", json!({ "name": "Not ready", "exact": false }));
    page.act("click", json!({ "role": "menuitem", "name": "Ready" }));
    page.see("[data-state=ready]");
    // A customer who answers comes back to whoever handled the email.
    let again = json!({ "text": "Thank you. One more thing …" });
    admin.post(&format!("/contacts/{first}/messages"), again).await;
    let page = &mut office.page;
    page.see("[aria-live=polite] :text('The customer wrote again about “What does it cost?”.')");
    brings(admin, &service, "Jan Busch", "Nobody reads this").await;
    let page = &mut office.page;
    page.see("[data-offer]:has-text('Jan Busch')");
    page.see("[aria-live=polite] :text('You missed an email at')");
    page.see("[data-state=not_ready]");
    page.click("My cases");
    page.see("[role=tab]:has-text('Group queue'):has-text('1')");
}
