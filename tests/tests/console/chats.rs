//! Chats as an agent has them: two at once, over a kill of the appliance.

use super::*;

const WORK: &str = ".list [data-interaction]";

async fn brings(channel: &Http, service: &str, name: &str, text: &str) -> String {
    let contact = json!({ "channel": "chat", "service": service, "text": text, "address": "https://example.org/prices",
        "customer": { "name": name, "email": format!("{}@example.org", name.split(' ').next().unwrap_or_default().to_lowercase()), "company": "Lind" } });
    let wrote = channel.post("/contacts", contact).await;
    wrote["interaction"].as_str().expect("an id").to_owned()
}

async fn writes(channel: &Http, chat: &str, text: &str) {
    channel.post(&format!("/contacts/{chat}/messages"), json!({ "text": text })).await;
}

async fn texts(channel: &Http, chat: &str) -> Vec<String> {
    let all = channel.get(&format!("/contacts/{chat}/messages?after=0")).await;
    let items = all["items"].as_array().expect("messages");
    items.iter().map(|m| m["text"].as_str().expect("text").to_owned()).collect()
}

/// CHAT-02 to CHAT-04, CHAT-06, CHAT-10, CHAT-15, CHAT-16: two chats at once; one is answered while the other counts what is not read.
/// The appliance is killed in the middle: both are there again, with their texts, and what was typed stands in the input.
#[tokio::test(flavor = "multi_thread")]
async fn chat_15_two_chats_at_once_over_a_kill() {
    let mut office = Office::open().await;
    // Long enough for a busy machine.
    office.service(|s| s["queue"]["ring_time_ms"] = 300_000.into());
    let service = office.house.service.clone();
    let admin = office.appliance.admin().await;
    office.sign_in("anna");
    let first = brings(&admin, &service, "Mara Lind", "Is it still in stock?").await;
    let page = &mut office.page;
    page.see("[data-offer] h1:has-text('New chat')");
    page.see("[data-offer]:has-text('Mara Lind'):has-text('mara@example.org'):has-text('Lind')");
    page.shot("chat-offer");
    page.assert_clean("the offer of a chat");
    page.click("Accept");
    page.see("article[data-channel=chat] .message.customer:has-text('Is it still in stock?')");
    page.see("[data-state=busy]");
    page.fill("Message to Mara Lind", "Good morning, <b>yes</b> it is");
    page.press("Shift+Enter");
    page.press("Enter");
    page.see(".message.agent .text:has-text('<b>yes</b>')");
    assert_eq!(texts(&admin, &first).await[1], "Good morning, <b>yes</b> it is", "text stays text");

    let second = brings(&admin, &service, "Otto Ruf", "Hello?").await;
    page.see("[data-offer]:has-text('Otto Ruf') button:has-text('Open')");
    page.shot("chat-offer-besides");
    page.assert_clean("the offer of a second chat");
    page.evaluate("[...document.querySelectorAll('[data-offer] button')].find((b) => b.textContent.trim() === 'Accept').click()");
    page.see(&format!("{WORK}[data-interaction='{second}'] .unread:has-text('1')"));
    page.see("article[aria-label='Mara Lind']");
    assert_eq!(page.count(WORK), 2);
    assert_eq!(page.text(&format!("{WORK} .name")), "Otto Ruf", "newest first");
    writes(&admin, &second, "Are you there?").await;
    let page = &mut office.page;
    page.see(&format!("{WORK}[data-interaction='{second}'] .unread:has-text('2')"));
    page.see(&format!("{WORK}[data-interaction='{second}'] .waits"));
    page.fill("Message to Mara Lind", "One moment");
    page.shot("chats-en");
    page.assert_clean("two chats");

    office.appliance.running.signal(libc::SIGKILL);
    office.appliance.running.wait(Duration::from_secs(30));
    office.appliance.start_again();
    let admin = office.appliance.admin().await;
    let page = &mut office.page;
    page.see("article[aria-label='Mara Lind'] .message.agent");
    writes(&admin, &first, "Thank you!").await;
    page.see(".message.customer:has-text('Thank you!')");
    page.assert_only_unreachable();
    // A reload as well: the newest is shown, and each keeps what was typed.
    page.evaluate("location.reload()");
    page.see("article[aria-label='Otto Ruf'] .message:has-text('Are you there?')");
    assert_eq!(page.count(WORK), 2);
    page.evaluate(&format!("document.querySelector(\"{WORK}[data-interaction='{first}']\").click()"));
    page.see("article[aria-label='Mara Lind'] .message:has-text('Thank you!')");
    assert_eq!(page.evaluate("document.querySelector('.write textarea').value"), "One moment");
    page.evaluate(&format!("document.querySelector(\"{WORK}[data-interaction='{second}']\").click()"));
    page.see("article[aria-label='Otto Ruf']");
    page.theme_and_language("dark", "ru");
    page.see(&format!("{WORK}:has-text('Чат')"));
    page.shot("chats-ru");
    page.assert_clean("two chats in Russian");
    page.theme_and_language("light", "en");

    brings(&admin, &service, "Ida Falk", "Third").await;
    let page = &mut office.page;
    page.see("[data-offer]:has-text('Ida Falk')");
    page.click("Decline");
    page.see("[data-state=busy]");
    admin.call(reqwest::Method::POST, &format!("/contacts/{first}/end"), None, None).await;
    let page = &mut office.page;
    page.see(&format!("{WORK}[data-interaction='{first}']:has-text('After-call work')"));
    page.click("End chat");
    page.see("article[data-phase=wrap_up]:has-text('The conversation is over.')");
    page.shot("chat-over");
    page.assert_clean("a chat that is over");
    // REC-01: what was written stands apart from calls.
    page.click("Service records");
    page.see("main table:has-text('No records match.')");
    page.tab("Online");
    page.see("main tbody tr:has-text('Mara Lind'):has-text('Chat')");
    page.shot("records-online");
    page.assert_clean("records of chats");
}

/// LIVE-02, LIVE-06: chats that wait are listed with the time waited, and picked by the keyboard or over the API; the list is as new as
/// the queue, in both languages.
#[tokio::test(flavor = "multi_thread")]
async fn live_06_a_waiting_chat_is_picked_by_keyboard() {
    let mut office = Office::open().await;
    office.service(|s| s["queue"]["ring_time_ms"] = 300_000.into());
    let service = office.house.service.clone();
    let admin = office.appliance.admin().await;
    office.sign_in("anna");
    brings(&admin, &service, "Mara Lind", "Is it still in stock?").await;
    let page = &mut office.page;
    page.see("[data-offer]:has-text('Mara Lind')");
    page.click("Decline");
    page.see("[data-state=not_ready]");
    let second = brings(&admin, &service, "Otto Ruf", "Hello?").await;
    let third = brings(&admin, &service, "Ida Falk", "Good morning").await;
    let page = &mut office.page;
    let list = "ul[aria-labelledby=picking-title] li";
    page.see(&format!("{list}:has-text('Ida Falk')"));
    page.see("[role=status]:has-text('Waiting to be picked: 3')");
    assert!(page.text(&format!("{list} .name")).starts_with("Mara Lind"), "the longest wait comes first");
    page.shot("picking-en");
    page.assert_clean("chats to pick");
    page.evaluate("document.querySelector(\"[aria-label='Take Otto Ruf']\").focus()");
    page.press("Enter");
    page.see("article[aria-label='Otto Ruf'] .message:has-text('Hello?')");
    page.see("[data-state=busy]");

    // A colleague is there with a page of his own, and picks another one over the API.
    let group = format!("/groups/{}", office.house.group);
    admin.change(&group, |g| g["rules"]["after_login"] = "not_ready".into()).await;
    office.appliance.hire(&admin, &office.house, "ben", "none", None).await;
    let ben = Http::sign_in(&office.appliance.base, "ben", PASSWORD).await.expect("signed in");
    let _desk = Agent::connect(&ben, office.appliance.https).await;
    let picked = ben.call(reqwest::Method::POST, &format!("/waiting/{third}/take"), None, None).await;
    assert_eq!(picked.0, 204);
    let again = ben.call(reqwest::Method::POST, &format!("/waiting/{second}/take"), None, None).await;
    assert_eq!(again.0, 409);
    let page = &mut office.page;
    page.gone(&format!("{list}:has-text('Ida Falk')"));
    page.theme_and_language("dark", "ru");
    page.see(&format!("{list}:has-text('Mara Lind') button:text-is('Взять')"));
    page.shot("picking-ru");
    page.assert_clean("chats to pick in Russian");
}
