//! Emails on the floor: brought, offered, postponed, taken, given, passed on, answered, and over a crash.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::time::Duration;

use desk::Refusal;
use desk::console::protocol::Command;
use desk::floor::written::{Asked, Customer, NewContact, WrittenList};
use desk::testing::{House, Page, Setup, ben, cleo, help, solved, tenant};
use model::id::{Id, InteractionId, OfferToken};
use model::interaction::Channel;
use model::journal::Event;
use serde_json::{Value, json};

fn new(subject: &str) -> NewContact {
    let customer =
        Customer { name: "Mara Lind".into(), email: "mara@example.org".into(), ..Customer::default() };
    NewContact {
        channel: Channel::Email,
        service: help(),
        customer,
        address: "help@example.org".into(),
        language: None,
        subject: subject.into(),
        category: "Billing".into(),
        reference: "<1@example.org>".into(),
        text: "Good day,\n\nwhat does it cost?".into(),
    }
}

async fn email(house: &House, subject: &str) -> InteractionId {
    house.desk.bring_contact(new(subject)).await.unwrap().interaction
}

async fn offered(page: &mut Page, email: InteractionId) -> OfferToken {
    let fits = |e: &Value| e["offer"]["interaction"] == email.to_string();
    page.event("offered", fits).await["offer"]["offer"].as_str().unwrap().parse().unwrap()
}

/// An email that this page has accepted.
async fn open(house: &House, page: &mut Page, subject: &str) -> InteractionId {
    let email = email(house, subject).await;
    let offer = offered(page, email).await;
    page.does(Command::Accept { offer }).await.unwrap();
    page.event("work", |e| e["work"]["interaction"] == email.to_string()).await;
    email
}

/// An email that was offered to this page and postponed.
async fn postponed(house: &House, page: &mut Page, subject: &str) -> InteractionId {
    let email = email(house, subject).await;
    let offer = offered(page, email).await;
    page.does(Command::Postpone { offer }).await.unwrap();
    email
}

/// A page that takes no offers by itself.
async fn idle(house: &House, login: &str) -> Page {
    let page = house.page(login).await;
    page.does(Command::NotReady { reason: None }).await.unwrap();
    page
}

async fn listed(house: &House, page: &Page, asked: Value) -> WrittenList {
    let asked: Asked = serde_json::from_value(asked).unwrap();
    house.desk.written_list(&page.who, asked).await.unwrap()
}

async fn subjects(house: &House, page: &Page, asked: Value) -> Vec<String> {
    listed(house, page, asked).await.items.into_iter().map(|row| row.subject).collect()
}

fn personal() -> Value {
    json!({ "queue": "personal" })
}

/// MAIL-03, MAIL-04: the offer says kind, service, address, name, category and subject. Reply opens it; Postpone puts it in the
/// personal queue and changes nobody's state.
#[tokio::test]
async fn mail_03_an_email_is_offered_and_answered_or_postponed() {
    let house = House::open().await;
    let mut page = house.page("anna").await;
    let first = email(&house, "Prices").await;
    let offer = page.event("offered", |_| true).await["offer"].clone();
    assert_eq!((&offer["channel"], &offer["service"]["name"]), (&json!("email"), &json!("Help")));
    assert_eq!((&offer["caller"], &offer["caller_name"]), (&json!("mara@example.org"), &json!("Mara Lind")));
    assert_eq!(
        (&offer["noted"]["subject"], &offer["noted"]["category"]),
        (&json!("Prices"), &json!("Billing"))
    );
    assert_eq!(offer["may_put_back"], false);
    let token = offer["offer"].as_str().unwrap().parse().unwrap();
    page.does(Command::Postpone { offer: token }).await.unwrap();
    page.event("offer_ended", |e| e["why"] == "postponed").await;
    let tab = page.event("personal", |e| e["personal"]["count"] == 1).await;
    let level = Duration::from_secs(20);
    assert_eq!(tab["personal"]["due"], (house.clock_now() + level).millis());
    assert_eq!(house.desk.agents().await.unwrap()[0].state.state, "ready");
    assert_eq!(house.desk.contact(first).await.unwrap().phase, "assigned");
    let second = open(&house, &mut page, "Delivery").await;
    page.state("busy").await;
    assert_eq!(house.desk.contact(second).await.unwrap().phase, "open");
    house.decided_again().await;
}

/// MAIL-02: several emails are in hand at once, as many as fit.
#[tokio::test]
async fn mail_02_several_emails_are_open_at_once() {
    let house = House::open().await;
    let mut page = house.page("anna").await;
    let kept = postponed(&house, &mut page, "kept").await;
    for n in 0..5 {
        open(&house, &mut page, &format!("email {n}")).await;
    }
    let refused = page.does(Command::Open { interaction: kept }).await;
    assert_eq!(refused, Err(Refusal::HandsFull));
    assert_eq!(subjects(&house, &page, personal()).await, ["kept"]);
}

/// MAIL-05: an email that nobody reacts to goes to the next agent at its place; the agent is Not ready, with a banner, and it counts.
#[tokio::test]
async fn mail_05_a_missed_email_goes_to_another_agent() {
    let house = House::open().await;
    let mut anna = house.page("anna").await;
    let email = email(&house, "Anybody?").await;
    offered(&mut anna, email).await;
    let mut ben = house.page("ben").await;
    house.pass(Duration::from_secs(20)).await;
    assert_eq!(anna.banner("missed_offer").await["params"]["channel"], "email");
    let me = anna.event("me", |e| e["agent"]["state"]["state"] == "not_ready").await;
    assert_eq!(me["agent"]["missed_today"], 1);
    let offer = offered(&mut ben, email).await;
    ben.does(Command::Accept { offer }).await.unwrap();
    house.decided_again().await;
}

/// An email waits whatever the hours, the staff and the length of the queue: nobody is on the line who could be told.
#[tokio::test]
async fn emails_wait_while_nobody_is_there() {
    let mut setup = Setup { open: false, ..Setup::default() };
    setup.queue.waiting_max = 1;
    setup.queue.wait_time_max = Some(Duration::from_secs(60));
    let house = House::open_with(setup).await;
    let emails = [email(&house, "one").await, email(&house, "two").await];
    let page = house.page("anna").await;
    page.closes().await;
    house.pass(Duration::from_secs(86_400)).await;
    for email in emails {
        assert_eq!(house.desk.contact(email).await.unwrap().phase, "waiting");
    }
}

/// MAIL-01: an agent takes an email from the group queue, into the own queue or at once into the hands; of two who take the same, one
/// gets it and the other reads a sentence.
#[tokio::test]
async fn mail_01_an_email_is_taken_from_the_group_queue() {
    let house = House::open().await;
    let (anna, ben, cleo) =
        (idle(&house, "anna").await, idle(&house, "ben").await, idle(&house, "cleo").await);
    let (first, second) = (email(&house, "first").await, email(&house, "second").await);
    let group = listed(&house, &anna, json!({})).await;
    assert_eq!((group.total, group.group.count, group.personal.count), (2, 2, 0));
    assert_eq!(listed(&house, &cleo, json!({})).await.total, 0, "Cleo has not the skill");
    anna.does(Command::Keep { interaction: first }).await.unwrap();
    assert_eq!(ben.does(Command::Keep { interaction: first }).await, Err(Refusal::TakenAlready));
    cleo.does(Command::Keep { interaction: second }).await.unwrap_err();
    ben.does(Command::Take { interaction: second }).await.unwrap();
    assert_eq!(house.desk.contact(second).await.unwrap().phase, "open");
    assert_eq!(anna.does(Command::Take { interaction: second }).await, Err(Refusal::TakenAlready));
    let rows = listed(&house, &anna, personal()).await.items;
    assert_eq!(rows.len(), 1);
    assert_eq!(serde_json::to_value(&rows[0].assigned).unwrap()["why"], "taken");
    house.decided_again().await;
}

/// MAIL-01: a supervisor gives an email to an agent, who is told; agents cannot. It can be taken from one personal queue into another.
#[tokio::test]
async fn mail_01_a_supervisor_assigns_an_email() {
    let house = House::open().await;
    let (mut anna, sue) = (idle(&house, "anna").await, idle(&house, "sue").await);
    let first = email(&house, "first").await;
    let give = |user| Command::Assign { interaction: first, user };
    assert!(matches!(anna.does(give(ben())).await, Err(Refusal::Forbidden { .. })));
    sue.does(give(desk::testing::anna())).await.unwrap();
    let banner = anna.banner("email_assigned").await;
    assert_eq!(banner["params"], json!({ "why": "assigned", "by": "SUE", "subject": "first" }));
    assert_eq!(subjects(&house, &anna, personal()).await, ["first"]);
    // Cleo lacks the skill: the supervisor knows better.
    sue.does(give(cleo())).await.unwrap();
    anna.event("personal", |e| e["personal"]["count"] == 0).await;
    let of_cleo = json!({ "queue": "personal", "agent": cleo() });
    assert_eq!(subjects(&house, &sue, of_cleo.clone()).await, ["first"]);
    assert_eq!(subjects(&house, &anna, of_cleo).await, Vec::<String>::new(), "only supervisors look there");
    let cleo = idle(&house, "cleo").await;
    cleo.does(Command::Open { interaction: first }).await.unwrap();
    sue.does(give(ben())).await.unwrap_err();
    house.decided_again().await;
}

/// MAIL-01: a colleague passes an email on, to an agent or into another queue, with a remark that the customer never reads.
#[tokio::test]
async fn mail_01_an_email_is_passed_on_with_a_remark() {
    let house = House::open().await;
    let mut anna = house.page("anna").await;
    let first = open(&house, &mut anna, "first").await;
    let to = |user, service, remark: &str| Command::PassOn {
        interaction: first,
        user,
        service,
        remark: remark.into(),
    };
    anna.does(to(None, Some(help()), "")).await.unwrap_err();
    anna.does(to(Some(ben()), Some(help()), "")).await.unwrap_err();
    anna.does(to(Some(ben()), None, &"x".repeat(4_001))).await.unwrap_err();
    anna.does(to(Some(ben()), None, "Knows the contract")).await.unwrap();
    anna.state("ready").await;
    anna.event("work_ended", |e| e["interaction"] == first.to_string()).await;
    let mut ben = idle(&house, "ben").await;
    assert_eq!(ben.welcome["snapshot"]["personal"]["count"], 1);
    ben.does(Command::Open { interaction: first }).await.unwrap();
    ben.event("work", |e| e["work"]["written"]["last_message"] == 2).await;
    let read = house.desk.messages(&ben.who, first, 0).await.unwrap();
    let note = serde_json::to_value(&read[1]).unwrap();
    assert_eq!((&note["author"], &note["text"]), (&json!("note"), &json!("Knows the contract")));
    anna.does(to(None, None, "mine?")).await.unwrap_err();
    house.decided_again().await;
}

/// MAIL-17, MAIL-18: what is returned has its old place in the group queue; what is set aside frees the hands.
#[tokio::test]
async fn mail_18_an_email_is_returned_to_the_group_queue() {
    let house = House::open().await;
    let mut anna = house.page("anna").await;
    let first = open(&house, &mut anna, "first").await;
    anna.does(Command::SetAside { interaction: first }).await.unwrap();
    anna.state("ready").await;
    anna.event("work_ended", |e| e["interaction"] == first.to_string()).await;
    anna.does(Command::NotReady { reason: None }).await.unwrap();
    house.pass(Duration::from_secs(60)).await;
    email(&house, "second").await;
    anna.does(Command::GiveBack { interaction: first }).await.unwrap();
    assert_eq!(subjects(&house, &anna, json!({})).await, ["first", "second"]);
    assert_eq!(house.desk.contact(first).await.unwrap().position, Some(1));
    anna.does(Command::GiveBack { interaction: first }).await.unwrap_err();
    house.decided_again().await;
}

/// MAIL-13, MAIL-14, MAIL-15: filtered by service, sorted both ways, a hundred rows a page.
#[tokio::test]
async fn mail_14_a_list_has_pages_and_an_order() {
    let house = House::open().await;
    let anna = idle(&house, "anna").await;
    for n in 0..130 {
        let mut new = new(&format!("subject {:03}", 129 - n));
        new.customer.name = format!("Customer {:03}", n * 7 % 130);
        house.desk.bring_contact(new).await.unwrap();
        house.clock.advance(Duration::from_millis(1_000));
    }
    let page = listed(&house, &anna, json!({})).await;
    assert_eq!((page.items.len(), page.total, page.listed), (100, 130, 130));
    assert_eq!((page.services.len(), page.services[0].count), (1, 130));
    assert_eq!(page.items[0].subject, "subject 129");
    assert!(page.group.due.unwrap() < house.clock_now().millis(), "the first is late");
    assert_eq!(listed(&house, &anna, json!({ "offset": 100 })).await.items.len(), 30);
    for (sort, descending, first) in [
        ("due", true, "subject 000"),
        ("arrived", false, "subject 129"),
        ("updated", true, "subject 000"),
        ("subject", false, "subject 000"),
        ("subject", true, "subject 129"),
        ("sender", false, "subject 129"),
    ] {
        let asked = json!({ "sort": sort, "descending": descending });
        assert_eq!(subjects(&house, &anna, asked).await[0], first, "{sort} {descending}");
    }
    let other = json!({ "service": model::id::ServiceId::from_number(77) });
    assert_eq!(listed(&house, &anna, other).await.total, 0);
}

/// MAIL-16: whoever may answer it reads it without opening it; nobody else does.
#[tokio::test]
async fn mail_16_an_email_is_previewed() {
    let house = House::open().await;
    let (anna, cleo) = (idle(&house, "anna").await, idle(&house, "cleo").await);
    let first = email(&house, "first").await;
    assert_eq!(house.desk.messages(&anna.who, first, 0).await.unwrap().len(), 1);
    assert_eq!(house.desk.messages(&cleo.who, first, 0).await, Err(Refusal::missing("contact")));
    assert_eq!(house.desk.contact(first).await.unwrap().phase, "waiting");
}

/// ACC-16: whoever signs out, or goes away, finds open emails in the personal queue.
#[tokio::test]
async fn acc_16_open_emails_wait_in_the_personal_queue_for_their_agent() {
    let house = House::open().await;
    let mut anna = house.page("anna").await;
    let first = open(&house, &mut anna, "first").await;
    anna.closes().await;
    house.pass(Duration::from_secs(15)).await;
    assert_eq!(house.desk.contact(first).await.unwrap().phase, "assigned");
    let anna = idle(&house, "anna").await;
    assert_eq!(subjects(&house, &anna, personal()).await, ["first"]);
    house.decided_again().await;
}

/// What was acknowledged survives a kill: each email is where it was, and what was in the hands of somebody who does not come back is in
/// that agent's personal queue.
#[tokio::test]
async fn emails_survive_a_crash() {
    let house = House::open().await;
    let mut anna = house.page("anna").await;
    let kept = postponed(&house, &mut anna, "kept").await;
    let opened = open(&house, &mut anna, "opened").await;
    let again = postponed(&house, &mut anna, "again").await;
    anna.does(Command::Open { interaction: again }).await.unwrap();
    anna.does(Command::NotReady { reason: None }).await.unwrap();
    let waits = email(&house, "waits").await;
    let who = anna.who.clone();
    let house = house.crash().await;
    assert_eq!(house.desk.contact(waits).await.unwrap().phase, "waiting");
    assert_eq!(house.desk.contact(kept).await.unwrap().phase, "assigned");
    let anna = Page::attach(&house.desk, &who, None).await;
    let mut rows: Vec<_> = anna.welcome["snapshot"]["work"]
        .as_array()
        .unwrap()
        .iter()
        .map(|w| w["noted"]["subject"].as_str().unwrap().to_owned())
        .collect();
    rows.sort();
    assert_eq!(rows, ["again", "opened"]);
    assert_eq!(subjects(&house, &anna, personal()).await, ["kept"]);
    let house = house.crash().await;
    house.pass(Duration::from_secs(15)).await;
    let anna = house.page("anna").await;
    let offer = anna.welcome["snapshot"]["offers"][0]["offer"].as_str().unwrap().parse().unwrap();
    anna.does(Command::Accept { offer }).await.unwrap();
    let mut kept = subjects(&house, &anna, personal()).await;
    kept.sort();
    assert_eq!(kept, ["again", "kept", "opened"]);
    let ends = house.journal().await.into_iter().filter(|e| matches!(e, Event::Ended { .. })).count();
    assert_eq!(ends, 0, "nothing was lost");
    anna.does(Command::Open { interaction: opened }).await.unwrap();
    house.decided_again().await;
}

/// MAIL-35, ACW-01: sent and ended, it is coded and completed as the service and the team say.
#[tokio::test]
async fn mail_35_an_answered_email_has_after_call_work() {
    let house = House::open_with(Setup { mandatory: true, ..Setup::default() }).await;
    let mut anna = house.page("anna").await;
    let first = postponed(&house, &mut anna, "first").await;
    anna.does(Command::Open { interaction: first }).await.unwrap();
    let text = "Dear Mrs Lind,\n\nnothing.\n".repeat(1_000);
    anna.does(Command::Write { interaction: first, text }).await.unwrap();
    anna.does(Command::HangUp { interaction: first }).await.unwrap();
    anna.state("wrap_up").await;
    let complete = Command::Complete { interaction: first };
    assert_eq!(anna.does(complete.clone()).await, Err(Refusal::DispositionRequired));
    anna.does(Command::Code { interaction: first, disposition: Some(solved()), comment: None })
        .await
        .unwrap();
    anna.does(complete).await.unwrap();
    anna.state("ready").await;
    let adam = house.sign_in("adam").await;
    house.settled().await;
    let record = house.desk.record(&adam, first).await.unwrap();
    assert_eq!((record.channel, record.disposition), (Channel::Email, Some(solved())));
    assert!(record.first_reply_at.is_some() && record.completed_at.is_some());
    assert_eq!(record.noted.get("subject").map(String::as_str), Some("first"));
}

/// What an integrator may not bring.
#[tokio::test]
async fn an_email_without_an_address_is_refused() {
    let house = House::open().await;
    let mut anonymous = new("first");
    anonymous.customer.email = "nobody".into();
    assert!(matches!(house.desk.bring_contact(anonymous).await, Err(Refusal::Invalid { .. })));
    let mut chat = new("a chat has no subject");
    chat.channel = Channel::Chat;
    assert!(matches!(house.desk.bring_contact(chat).await, Err(Refusal::Invalid { .. })));
    let mut long = new("first");
    long.text = "x".repeat(100_001);
    assert!(matches!(house.desk.bring_contact(long).await, Err(Refusal::Invalid { .. })));
}

/// MAIL-17: a customer who writes again, in after-call work or later, is in the personal queue of whoever handled it; of one that
/// nobody handled in the group queue.
#[tokio::test]
async fn mail_17_a_customer_who_writes_again_comes_back_to_the_agent() {
    let house = House::open().await;
    let mut anna = house.page("anna").await;
    let first = open(&house, &mut anna, "first").await;
    anna.does(Command::Write { interaction: first, text: "It costs nothing.".into() }).await.unwrap();
    anna.does(Command::HangUp { interaction: first }).await.unwrap();
    anna.state("wrap_up").await;
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(house.desk.write_for_customer(first, "Really?".into()).await.unwrap().number, 3);
    anna.does(Command::Complete { interaction: first }).await.unwrap();
    assert_eq!(anna.banner("email_assigned").await["params"]["why"], "answered");
    assert_eq!(subjects(&house, &anna, personal()).await, ["first"]);
    anna.does(Command::Open { interaction: first }).await.unwrap();
    anna.does(Command::Write { interaction: first, text: "Really.".into() }).await.unwrap();
    anna.does(Command::HangUp { interaction: first }).await.unwrap();
    anna.does(Command::Complete { interaction: first }).await.unwrap();
    assert_eq!(house.desk.contact(first).await, Err(Refusal::missing("contact")));
    house.settled().await;
    assert_eq!(house.desk.write_for_customer(first, "Thank you".into()).await.unwrap().number, 5);
    assert_eq!(house.desk.contact(first).await.unwrap().phase, "assigned");
    let record = house.store.records().record(tenant(), first).await.unwrap().unwrap();
    assert_eq!((record.ended_at, record.status, record.customer_messages), (None, None, 3));

    anna.does(Command::NotReady { reason: None }).await.unwrap();
    let unread = email(&house, "unread").await;
    house.desk.end_for_customer(unread).await.unwrap();
    house.settled().await;
    house.desk.write_for_customer(unread, "Still there?".into()).await.unwrap();
    assert_eq!(house.desk.contact(unread).await.unwrap().phase, "waiting");
    house.decided_again().await;
    let house = house.crash().await;
    assert_eq!(house.desk.contact(first).await.unwrap().phase, "assigned");
    assert_eq!(house.desk.contact(unread).await.unwrap().phase, "waiting");
}

/// The same over a kill in after-call work: what the customer wrote meanwhile is not forgotten.
#[tokio::test]
async fn an_email_answered_in_after_call_work_survives_a_crash() {
    let house = House::open().await;
    let mut anna = house.page("anna").await;
    let first = open(&house, &mut anna, "first").await;
    anna.does(Command::HangUp { interaction: first }).await.unwrap();
    anna.state("wrap_up").await;
    house.clock.advance(Duration::from_secs(1));
    house.desk.write_for_customer(first, "One more thing".into()).await.unwrap();
    let house = house.crash().await;
    assert_eq!(house.desk.contact(first).await.unwrap().phase, "assigned");
    let anna = idle(&house, "anna").await;
    assert_eq!(subjects(&house, &anna, personal()).await, ["first"]);
    house.decided_again().await;
}

/// MAIL-17: a draft is kept with the email, over a kill and from agent to agent, until the answer is sent.
#[tokio::test]
async fn mail_17_a_draft_is_kept_until_it_is_sent() {
    let house = House::open().await;
    let mut anna = house.page("anna").await;
    let first = open(&house, &mut anna, "first").await;
    house.desk.save_draft(&anna.who, first, "Dear Mrs Lind,\n").await.unwrap();
    let stranger = idle(&house, "cleo").await;
    assert_eq!(house.desk.draft(&stranger.who, first).await, Err(Refusal::missing("contact")));
    let long = house.desk.save_draft(&anna.who, first, &"x".repeat(100_001)).await;
    assert!(matches!(long, Err(Refusal::Invalid { .. })));
    let pass =
        Command::PassOn { interaction: first, user: Some(ben()), service: None, remark: String::new() };
    anna.does(pass).await.unwrap();
    assert_eq!(house.desk.draft(&anna.who, first).await, Err(Refusal::missing("contact")));
    let house = house.crash().await;
    let ben = idle(&house, "ben").await;
    assert_eq!(house.desk.draft(&ben.who, first).await.unwrap(), "Dear Mrs Lind,\n");
    ben.does(Command::Open { interaction: first }).await.unwrap();
    ben.does(Command::Write { interaction: first, text: "Dear Mrs Lind, it is free.".into() }).await.unwrap();
    assert_eq!(house.desk.draft(&ben.who, first).await.unwrap(), "");
}
