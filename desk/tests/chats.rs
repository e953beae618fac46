//! Chats on the floor: brought, offered, answered, ended, and over a crash.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::time::Duration;

use desk::Refusal;
use desk::audit::Actor;
use desk::console::protocol::Command;
use desk::floor::written::{Customer, NewContact, Tongue, Wrote};
use desk::past::Past;
use desk::testing::{House, Page, Setup, anna, cleo as cleo_id, help, solved, sue as sue_id, tenant};
use model::call::{CallFact, CallOrder};
use model::capacity::{Blend, Capacity};
use model::id::{InteractionId, OfferToken};
use model::interaction::{Channel, EndedBy};
use model::journal::Event;
use model::people::{GroupRules, Privilege, Role, Tenant, User, Withheld};
use model::service::{Farewell, Farewells, QueueRules, Service, Treatment};
use model::time::Timestamp;
use serde_json::json;

fn new(text: &str) -> NewContact {
    let customer = Customer {
        name: "Mara Lind".into(),
        email: "mara@example.org".into(),
        phone: "+4930123456".into(),
        company: "Lind".into(),
    };
    let address = "https://example.org/prices".into();
    let [subject, category, reference] = [(); 3].map(|()| String::new());
    let (channel, service, text) = (Channel::Chat, help(), text.into());
    NewContact { channel, service, customer, address, language: None, subject, category, reference, text }
}

async fn chat(house: &House, text: &str) -> InteractionId {
    house.desk.bring_contact(new(text)).await.unwrap().interaction
}

async fn offered(page: &mut Page, chat: InteractionId) -> OfferToken {
    let fits = |e: &serde_json::Value| e["offer"]["interaction"] == chat.to_string();
    page.event("offered", fits).await["offer"]["offer"].as_str().unwrap().parse().unwrap()
}

/// A chat that this page has accepted.
async fn open(house: &House, page: &mut Page, text: &str) -> InteractionId {
    let chat = chat(house, text).await;
    let offer = offered(page, chat).await;
    page.does(Command::Accept { offer }).await.unwrap();
    page.event("work", |e| e["work"]["interaction"] == chat.to_string()).await;
    chat
}

async fn written(house: &House, chat: InteractionId) -> Vec<(u32, String, String)> {
    let adam = house.sign_in("adam").await;
    let all = house.desk.messages(&adam, chat, 0).await.unwrap();
    let show = |m: desk::console::protocol::Message| {
        (m.number, serde_json::to_value(m.by).unwrap()["author"].as_str().unwrap().to_owned(), m.text)
    };
    all.into_iter().map(show).collect()
}

/// CHAT-01, CHAT-14, C2: chats come to agents whose role may handle them, as many as the agent may have; calls come to the others all
/// the same. A service that takes no chats says so to whoever brings one.
#[tokio::test]
async fn chat_01_chats_come_to_those_whose_role_and_rights_let_them() {
    let house = House::open().await;
    let mut page = house.page("anna").await;
    let withhold = async |withheld| {
        let row = house.desk.tenant_settings().await.unwrap();
        let tenant = Tenant { withheld, ..row.item };
        house.desk.update_tenant(tenant, row.version, Actor::default()).await
    };
    let from = |role, what| Withheld([(role, [what].into())].into());
    let wrong = withhold(from(Role::Agent, Privilege::CallOut)).await.unwrap_err();
    assert!(matches!(&wrong, Refusal::Invalid { errors } if errors[0].pointer == "/withheld"), "{wrong:?}");
    withhold(from(Role::Agent, Privilege::HandleChats)).await.unwrap();
    let away = house.desk.bring_contact(new("Is anybody there?")).await.unwrap().interaction;
    assert_eq!(
        written(&house, away).await[1].2,
        "Nobody is here to answer at the moment. Please write to us later."
    );
    withhold(Withheld::default()).await.unwrap();
    let own = async |chats_max| {
        let row = house.desk.get::<User>(anna()).await.unwrap();
        house.desk.update_user(User { chats_max, ..row.item }, row.version, Actor::default()).await
    };
    assert!(own(Some(51)).await.is_err());
    own(Some(1)).await.unwrap();
    open(&house, &mut page, "First").await;
    let second = chat(&house, "Second").await;
    house.settled().await;
    let waits = house.desk.contact(second).await.unwrap();
    assert_eq!((waits.phase, waits.position), ("waiting", Some(1)));
    own(None).await.unwrap();
    offered(&mut page, second).await;
    let row = house.desk.get::<Service>(help()).await.unwrap();
    let mut service = row.item;
    service.queue.takes = [Channel::Voice].into();
    house.desk.update(service, row.version, Actor::default()).await.unwrap();
    let refused = house.desk.bring_contact(new("Third")).await.unwrap_err();
    assert!(
        matches!(&refused, Refusal::Invalid { errors } if errors[0].pointer == "/channel"),
        "{refused:?}"
    );
}

/// CHAT-02, CHAT-03: the offer says service, kind, name, email, telephone and company; accepted, the agent is Busy and has a row.
/// No telephone rings for it.
#[tokio::test]
async fn chat_02_a_chat_is_offered_in_a_window_and_accepted_into_a_row() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let chat = chat(&house, "Is it still in stock?").await;
    let offer = page.event("offered", |_| true).await["offer"].clone();
    assert_eq!((&offer["service"]["name"], &offer["channel"]), (&json!("Help"), &json!("chat")));
    assert_eq!(
        (&offer["caller_name"], &offer["contact"]),
        (&json!("Mara Lind"), &json!("https://example.org/prices"))
    );
    assert_eq!(
        offer["noted"],
        json!({ "email": "mara@example.org", "phone": "+4930123456", "company": "Lind" })
    );
    let token = offer["offer"].as_str().unwrap().parse().unwrap();
    page.does(Command::Accept { offer: token }).await.unwrap();
    page.event("offer_ended", |e| e["offer"] == offer["offer"] && e["why"] == "accepted").await;
    let work = page.event("work", |_| true).await["work"].clone();
    assert_eq!((&work["phase"], &work["channel"]), (&json!("talking"), &json!("chat")));
    assert_eq!(work["written"], json!({ "last_message": 1, "unanswered_since": house.desk.now().millis() }));
    page.state("busy").await;
    let rings = |order: &CallOrder| matches!(order, CallOrder::RingAgent { .. } | CallOrder::Connect { .. });
    assert!(!house.orders_so_far().iter().any(rings));
    assert_eq!(written(&house, chat).await, [(1, "customer".into(), "Is it still in stock?".into())]);
}

/// CHAT-15: both write, in one order; the row says since when the customer has had no answer. Texts are nowhere in the journal.
#[tokio::test]
async fn chat_15_both_sides_write() {
    let house = House::open().await;
    let mut page = house.page("anna").await;
    let chat = open(&house, &mut page, "Hello").await;
    let write = |text: &str| Command::Write { interaction: chat, text: text.into() };
    page.does(write("Good morning <b>!</b>")).await.unwrap();
    let shown = page.event("message", |_| true).await;
    assert_eq!((&shown["message"]["number"], &shown["message"]["author"]), (&json!(2), &json!("agent")));
    page.event("work", |e| e["work"]["written"]["unanswered_since"].is_null()).await;
    house.clock.advance(Duration::from_secs(30));
    let Wrote { number, at, .. } =
        house.desk.write_for_customer(chat, " Secret words\r\n".into()).await.unwrap();
    assert_eq!(number, 3);
    let row = page.event("work", |e| e["work"]["written"]["last_message"] == 3).await;
    assert_eq!(row["work"]["written"]["unanswered_since"], at);
    assert_eq!(
        written(&house, chat).await.into_iter().map(|(_, by, text)| (by, text)).collect::<Vec<_>>(),
        [("customer", "Hello"), ("agent", "Good morning <b>!</b>"), ("customer", "Secret words")]
            .map(|(by, text)| (by.to_owned(), text.to_owned()))
    );
    let journal = serde_json::to_string(&house.journal().await).unwrap();
    assert!(!journal.contains("Secret words") && journal.contains(r#""type":"written""#));
    for (text, what) in [(String::new(), "nothing"), ("x".repeat(4_001), "too much")] {
        let refused = page.does(write(&text)).await;
        assert!(matches!(refused, Err(Refusal::Invalid { .. })), "{what}: {refused:?}");
    }
    let ben = house.page("ben").await;
    assert_eq!(ben.does(write("mine?")).await, Err(Refusal::missing("contact")));
    assert_eq!(house.desk.messages(&ben.who, chat, 0).await, Err(Refusal::missing("contact")));
}

/// CHAT-05: an unanswered offer makes the agent Not ready, with a banner, and is counted.
#[tokio::test]
async fn chat_05_a_missed_chat_is_counted() {
    let house = House::open().await;
    let mut page = house.page("anna").await;
    let chat = chat(&house, "Anybody?").await;
    offered(&mut page, chat).await;
    house.pass(Duration::from_secs(20)).await;
    let banner = page.banner("missed_offer").await;
    assert_eq!(banner["params"]["channel"], "chat");
    let me = page.event("me", |e| e["agent"]["state"]["state"] == "not_ready").await;
    assert_eq!(
        (&me["agent"]["state"]["reason"]["kind"], &me["agent"]["missed_today"]),
        (&json!("no_answer"), &json!(1))
    );
}

/// CHAT-16: either side ends a chat; the customer's end needs nothing of the agent but the after-call work of the team, and the agent
/// stays Busy while another is open.
#[tokio::test]
async fn chat_16_either_side_ends_it() {
    let mut setup = Setup::default();
    setup.rules.wrap_up = false;
    let house = House::open_with(setup).await;
    let mut page = house.page("anna").await;
    let (first, second) = (open(&house, &mut page, "one").await, open(&house, &mut page, "two").await);
    house.desk.end_for_customer(first).await.unwrap();
    page.event("work_ended", |e| e["interaction"] == first.to_string()).await;
    house.settled().await;
    assert_eq!(house.desk.agents().await.unwrap()[0].state.state, "busy");
    page.does(Command::HangUp { interaction: second }).await.unwrap();
    page.state("ready").await;
    assert_eq!(house.desk.end_for_customer(second).await, Err(Refusal::missing("contact")));
    let adam = house.sign_in("adam").await;
    house.settled().await;
    let records = house.desk.records(&adam, Default::default(), None, 10).await.unwrap().items;
    for (chat, by) in [(first, EndedBy::Customer), (second, EndedBy::Agent)] {
        let record = records.iter().find(|record| record.interaction == chat).unwrap();
        assert_eq!(
            (record.channel, record.status, record.ended_by),
            (Channel::Chat, Some("normal"), Some(by))
        );
    }
}

/// HELP-01: help is asked for with a chat as with a call, and it is over when the chat waits for somebody else.
#[tokio::test]
async fn help_01_a_chat_is_flagged_for_help() {
    let house = House::open().await;
    let mut page = house.page("anna").await;
    let chat = open(&house, &mut page, "one").await;
    let mut sue = house.page("sue").await;
    page.does(Command::AskHelp { interaction: chat }).await.unwrap();
    page.event("work", |e| !e["work"]["help_since"].is_null()).await;
    let asked = sue.event("help_asked", |_| true).await;
    assert_eq!(
        (&asked["help"]["channel"], &asked["help"]["caller_name"]),
        (&json!("chat"), &json!("Mara Lind"))
    );
    page.closes().await;
    house.pass(Duration::from_secs(15)).await;
    sue.event("help_over", |e| e["interaction"] == chat.to_string()).await;
}

/// After-call work is as for calls: coded, and completed by the rules of the service.
#[tokio::test]
async fn after_a_chat_its_work_is_coded_and_completed() {
    let house = House::open_with(Setup { mandatory: true, ..Setup::default() }).await;
    let mut page = house.page("anna").await;
    let chat = open(&house, &mut page, "one").await;
    page.does(Command::Write { interaction: chat, text: "answer".into() }).await.unwrap();
    page.does(Command::HangUp { interaction: chat }).await.unwrap();
    page.state("wrap_up").await;
    let complete = Command::Complete { interaction: chat };
    assert_eq!(page.does(complete.clone()).await, Err(Refusal::DispositionRequired));
    let code = Command::Code { interaction: chat, disposition: Some(solved()), comment: Some("Done".into()) };
    page.does(code).await.unwrap();
    page.does(Command::Write { interaction: chat, text: "late".into() }).await.unwrap_err();
    page.does(complete).await.unwrap();
    page.state("ready").await;
    let adam = house.sign_in("adam").await;
    house.settled().await;
    let record = house.desk.record(&adam, chat).await.unwrap();
    assert_eq!((record.comment.as_str(), record.disposition), ("Done", Some(solved())));
    assert_eq!((record.customer_messages, record.agent_messages), (1, 1));
    assert!(record.first_reply_at.is_some() && record.completed_at.is_some());
}

/// LIVE-05: put back without a change of state, and picked from the queue again.
#[tokio::test]
async fn live_05_a_chat_is_put_back_and_picked_again() {
    let house = House::open().await;
    let mut page = house.page("anna").await;
    let chat = chat(&house, "Hello").await;
    let offer = offered(&mut page, chat).await;
    page.does(Command::PutBack { offer }).await.unwrap();
    page.event("offer_ended", |e| e["why"] == "put_back").await;
    page.state("ready").await;
    assert_eq!(house.desk.contact(chat).await.unwrap().phase, "waiting");
    page.does(Command::Take { interaction: chat }).await.unwrap();
    page.event("work", |e| e["work"]["interaction"] == chat.to_string()).await;
    assert_eq!(house.desk.contact(chat).await.unwrap().agent.as_deref(), Some("ANNA"));
}

/// LIVE-02, LIVE-06: an agent sees who waits in the queues of own services, with the time waited, and picks one; whoever comes second, has
/// no room or lacks the skill is told why.
#[tokio::test]
async fn live_06_an_agent_picks_somebody_who_waits_and_the_second_is_told() {
    let house = House::open().await;
    let (mut page, other, cleo) =
        (house.page("anna").await, house.page("ben").await, house.page("cleo").await);
    for page in [&page, &other] {
        page.does(Command::NotReady { reason: None }).await.unwrap();
    }
    let first = chat(&house, "First").await;
    house.pass(Duration::from_secs(7)).await;
    let second = chat(&house, "Second").await;
    let all = house.desk.waiting_contacts(anna()).await.unwrap();
    let waited = |n: usize| (house.desk.now().millis() - all.items[n].since) / 1_000;
    assert_eq!(all.items.iter().map(|item| item.interaction).collect::<Vec<_>>(), [first, second]);
    assert_eq!((waited(0), waited(1), all.items[1].not_now, all.more), (7, 0, None, 0));
    assert_eq!(
        (all.items[0].service.name.as_str(), all.items[0].caller_name.as_deref()),
        ("Help", Some("Mara Lind"))
    );
    assert!(house.desk.waiting_contacts(cleo_id()).await.unwrap().items.is_empty(), "Cleo lacks the skill");
    assert_eq!(cleo.does(Command::Take { interaction: second }).await, Err(Refusal::NotForYou));
    page.does(Command::Take { interaction: second }).await.unwrap();
    page.event("work", |e| e["work"]["interaction"] == second.to_string()).await;
    assert_eq!(other.does(Command::Take { interaction: second }).await, Err(Refusal::TakenAlready));
    let row = house.desk.get::<User>(anna()).await.unwrap();
    let user = User { chats_max: Some(1), ..row.item };
    house.desk.update_user(user, row.version, Actor::default()).await.unwrap();
    assert_eq!(page.does(Command::Take { interaction: first }).await, Err(Refusal::HandsFull));
    let left = house.desk.waiting_contacts(anna()).await.unwrap();
    assert_eq!((left.items.len(), left.items[0].not_now), (1, Some("hands_full")));
    house.desk.end_for_customer(first).await.unwrap();
    assert_eq!(other.does(Command::Take { interaction: first }).await, Err(Refusal::TakenAlready));
}

/// Where a service takes nobody, the customer reads why instead of hearing it; where it leads on, the other service's queue has the
/// chat.
#[tokio::test]
async fn a_chat_that_is_not_queued_is_told_so_in_words() {
    for (queue, open, said, status) in [
        (QueueRules::default(), false, Some("We are closed"), "closed"),
        (QueueRules::default(), true, Some("Nobody is here"), "no_agent_online"),
        (
            QueueRules { when_unstaffed: Treatment::Reject, ..QueueRules::default() },
            true,
            None,
            "no_agent_online",
        ),
    ] {
        let house = House::open_with(Setup { queue, open, ..Setup::default() }).await;
        let chat = chat(&house, "Hello").await;
        let messages = written(&house, chat).await;
        assert_eq!(messages.len(), 1 + usize::from(said.is_some()));
        if let (Some(said), Some((_, by, text))) = (said, messages.get(1)) {
            assert!(by == "system" && text.starts_with(said), "{text}");
        }
        assert_eq!(house.desk.contact(chat).await, Err(Refusal::missing("contact")));
        let adam = house.sign_in("adam").await;
        house.settled().await;
        assert_eq!(house.desk.record(&adam, chat).await.unwrap().status, Some(status));
    }
}

/// What a service says to customers who write is its own, in the language of the customer; where it says nothing of its own the usual
/// words do, and the language outlives a restart.
#[tokio::test]
async fn a_service_turns_chats_away_in_its_own_words_and_the_language_of_the_customer() {
    let text = |en: &str, ru: &str| Farewell { en: en.into(), ru: ru.into() };
    let farewells =
        Farewells { unstaffed: text("Back at nine.", "Будем в девять."), ..Farewells::default() };
    let queue = QueueRules { farewells, ..QueueRules::default() };
    let house = House::open_with(Setup { queue, ..Setup::default() }).await;
    let turned_away = async |language| {
        let contact = NewContact { language, ..new("Hello") };
        let chat = house.desk.bring_contact(contact).await.unwrap().interaction;
        written(&house, chat).await[1].2.clone()
    };
    assert_eq!(turned_away(None).await, "Back at nine.");
    assert_eq!(turned_away(Some(Tongue::Ru)).await, "Будем в девять.");
    let page = house.page("anna").await;
    page.does(Command::NotReady { reason: None }).await.unwrap();
    let contact = NewContact { language: Some(Tongue::Ru), ..new("Hello") };
    let waits = house.desk.bring_contact(contact).await.unwrap().interaction;
    let house = house.crash().await;
    let row = house.desk.get::<Service>(help()).await.unwrap();
    let mut service = row.item.clone();
    service.queue.farewells.closed.en = "x".repeat(1_001);
    let refused = house.desk.update(service, row.version, Actor::default()).await.unwrap_err();
    assert!(
        matches!(&refused, Refusal::Invalid { errors } if errors[0].pointer == "/queue/farewells/closed/en")
    );
    let page = house.page("anna").await;
    page.closes().await;
    house.pass(Duration::from_secs(15)).await;
    assert_eq!(written(&house, waits).await[1].2, "Будем в девять.", "the last agent left");
}

/// VOICE-18: where the rules let both stand beside each other, a call comes while a chat is open. Each is a row of its own: the call is held
/// while the chat goes on, the customer's message counts as unanswered meanwhile, and either ends without the other.
#[tokio::test]
async fn voice_18_a_call_comes_while_a_chat_is_open_and_each_is_its_own() {
    let mut capacity = Capacity { units: 200, ..Capacity::default() };
    capacity.blending.set(Channel::Chat, Channel::Voice, Blend::Beside);
    let rules = GroupRules { wrap_up: false, capacity: Some(capacity), ..Setup::default().rules };
    let mut house = House::open_with(Setup { rules, ..Setup::default() }).await;
    let mut page = house.page("anna").await;
    let chat = open(&house, &mut page, "Hello").await;
    let call = house.customer_calls("100").await;
    house.talking_to(&mut page, call).await;
    let rows = |page: &Page| {
        let work = page.welcome["snapshot"]["work"].as_array().unwrap().clone();
        work.into_iter().map(|w| (w["channel"].clone(), w["phase"].clone())).collect::<Vec<_>>()
    };
    page.does(Command::Hold { interaction: call }).await.unwrap();
    house.fact(CallFact::HoldChanged { interaction: call, agent: anna(), held: true }).await;
    page.event("work", |e| e["work"]["phase"] == "held").await;
    let mut page = Page::attach(&house.desk, &page.who, None).await;
    assert_eq!(rows(&page), [(json!("voice"), json!("held")), (json!("chat"), json!("talking"))]);
    page.does(Command::Write { interaction: chat, text: "One moment".into() }).await.unwrap();
    house.desk.write_for_customer(chat, "Are you there?".into()).await.unwrap();
    page.event("work", |e| {
        e["work"]["interaction"] == chat.to_string() && e["work"]["written"]["unanswered_since"].is_u64()
    })
    .await;
    page.does(Command::HangUp { interaction: chat }).await.unwrap();
    page.event("work_ended", |e| e["interaction"] == chat.to_string()).await;
    let mut page = Page::attach(&house.desk, &page.who, None).await;
    assert_eq!(rows(&page), [(json!("voice"), json!("held"))]);
    assert_eq!(page.welcome["snapshot"]["me"]["state"]["state"], "busy");
    house.call_ends(call, EndedBy::Customer).await;
    page.state("ready").await;
}

/// What was acknowledged survives a kill: waiting chats wait on, open ones come back to their agent with the page.
#[tokio::test]
async fn chats_survive_a_crash() {
    let house = House::open().await;
    let mut page = house.page("anna").await;
    let (first, second) = (open(&house, &mut page, "one").await, open(&house, &mut page, "two").await);
    page.does(Command::Write { interaction: first, text: "answer".into() }).await.unwrap();
    page.does(Command::NotReady { reason: None }).await.unwrap();
    let waits = chat(&house, "three").await;
    let who = page.who.clone();
    let house = house.crash().await;
    assert_eq!(house.desk.contact(waits).await.unwrap().phase, "waiting");
    assert_eq!(house.desk.write_for_customer(first, "more".into()).await.unwrap().number, 3);
    let mut page = Page::attach(&house.desk, &who, None).await;
    let work = page.welcome["snapshot"]["work"].as_array().unwrap().clone();
    let mut rows: Vec<_> = work.iter().map(|w| w["interaction"].as_str().unwrap().to_owned()).collect();
    rows.sort();
    let mut had = [first.to_string(), second.to_string()];
    had.sort();
    assert_eq!(rows, had);
    assert_eq!(page.welcome["snapshot"]["me"]["state"]["state"], "busy");
    page.does(Command::Write { interaction: first, text: "and again".into() }).await.unwrap();
    page.event("message", |e| e["message"]["number"] == 4).await;
    assert_eq!(written(&house, first).await.len(), 4);
    let ends = house.journal().await.into_iter().filter(|e| matches!(e, Event::Ended { .. })).count();
    assert_eq!(ends, 0, "nobody was cut off");
    let all = Past::of(&house.store, tenant()).decide_again(Timestamp::ZERO, Timestamp::NEVER).await.unwrap();
    assert!(all.difference.is_none() && all.starts == 2 && all.same.decisions > 0, "{all:?}");
}

/// HELP-01, HELP-02: whoever asked for help with a chat asks for it still after a kill, and supervisors see it again; it is over when the
/// chat goes to somebody else.
#[tokio::test]
async fn help_with_a_chat_is_asked_for_still_after_a_crash() {
    let house = House::open().await;
    let mut page = house.page("anna").await;
    let chat = open(&house, &mut page, "one").await;
    page.does(Command::AskHelp { interaction: chat }).await.unwrap();
    let asked = page.event("work", |e| e["work"]["help_since"].is_u64()).await["work"]["help_since"].clone();
    let who = page.who.clone();
    let house = house.crash().await;
    let sue = house.page("sue").await;
    let seen = &sue.welcome["snapshot"]["help"][0];
    assert_eq!((&seen["interaction"], &seen["since"]), (&json!(chat), &asked));
    let page = Page::attach(&house.desk, &who, None).await;
    assert_eq!(page.welcome["snapshot"]["work"][0]["help_since"], asked);
    page.closes().await;
    house.pass(Duration::from_secs(15)).await;
    assert!(house.desk.help_requests(sue_id()).await.unwrap().is_empty(), "it waits for somebody else");
    let house = house.crash().await;
    assert!(house.desk.help_requests(sue_id()).await.unwrap().is_empty());
    let adam = house.sign_in("adam").await;
    assert!(house.desk.record(&adam, chat).await.unwrap().help[0].to.is_some());
}

/// Whoever does not come back loses the chat to the queue, where it has its old place; the customer notices nothing.
#[tokio::test]
async fn a_chat_whose_agent_does_not_come_back_waits_for_others() {
    let house = House::open().await;
    let mut page = house.page("anna").await;
    let chat = open(&house, &mut page, "one").await;
    let house = house.crash().await;
    let mut ben = house.page("ben").await;
    house.pass(Duration::from_secs(15)).await;
    let offer = offered(&mut ben, chat).await;
    ben.does(Command::Accept { offer }).await.unwrap();
    assert_eq!(house.desk.contact(chat).await.unwrap().agent.as_deref(), Some("BEN"));
    // The same without a crash: the page is closed and stays away.
    ben.closes().await;
    house.pass(Duration::from_secs(15)).await;
    assert_eq!(house.desk.contact(chat).await.unwrap().phase, "waiting");
    let all = Past::of(&house.store, tenant()).decide_again(Timestamp::ZERO, Timestamp::NEVER).await.unwrap();
    assert_eq!(all.difference, None, "what happened to it is decided again the same");
}
