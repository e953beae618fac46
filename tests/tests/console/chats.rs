//! Chats as an agent has them.

use super::*;

async fn brings(channel: &Http, service: &str, name: &str, text: &str) -> String {
    let contact = json!({ "channel": "chat", "service": service, "text": text, "address": "https://example.org/prices",
        "customer": { "name": name, "email": format!("{}@example.org", name.split(' ').next().unwrap_or_default().to_lowercase()), "company": "Lind" } });
    let wrote = channel.post("/contacts", contact).await;
    wrote["interaction"].as_str().expect("an id").to_owned()
}

async fn texts(channel: &Http, chat: &str) -> Vec<String> {
    let all = channel.get(&format!("/contacts/{chat}/messages?after=0")).await;
    let items = all["items"].as_array().expect("messages");
    items.iter().map(|m| m["text"].as_str().expect("text").to_owned()).collect()
}

/// CHAT-02, CHAT-03, CHAT-10: a chat is offered with who writes, accepted, and answered in text that stays text; beside it a second
/// is offered.
#[tokio::test(flavor = "multi_thread")]
async fn chat_02_a_chat_is_offered_and_answered_and_a_second_is_offered_beside_it() {
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

    brings(&admin, &service, "Otto Ruf", "Hello?").await;
    page.see("[data-offer]:has-text('Otto Ruf') button:has-text('Open')");
    page.shot("chat-offer-besides");
    page.assert_clean("the offer of a second chat");
}
