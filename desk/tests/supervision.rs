//! Supervisors listen, coach, barge in and take over (HELP-02 to HELP-05).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use desk::Refusal;
use desk::audit::Actor;
use desk::console::protocol::Command;
use desk::testing::{House, Page, Setup, anna, tenant};
use model::call::{Attending, CallFact, CallOrder};
use model::id::{InteractionId, UserId};
use model::interaction::{EndedBy, ServiceRecord};
use model::journal::Party;
use model::people::PhoneKind;
use serde_json::{Value, json};

/// Anna talks to a customer, Sue supervises.
async fn open() -> (House, Page, Page, InteractionId) {
    let mut house = House::open_with(Setup::default()).await;
    let mut annas = house.page("anna").await;
    let call = house.talking(&mut annas).await;
    let sues = at_work(&house, "sue").await;
    (house, annas, sues, call)
}

async fn at_work(house: &House, login: &str) -> Page {
    let page = house.page(login).await;
    house.fact(CallFact::PhoneUp { agent: page.who.user.id, phone: PhoneKind::Browser }).await;
    house.settled().await;
    page
}

async fn asked(house: &mut House) -> (InteractionId, InteractionId, UserId, Attending) {
    house
        .order(|order| match order {
            CallOrder::Attend { interaction, from, agent, how } => Some((*interaction, *from, *agent, *how)),
            _ => None,
        })
        .await
}

/// Sue takes part like this: the name of her part.
async fn attends(house: &mut House, page: &mut Page, call: InteractionId, how: Attending) -> InteractionId {
    page.does(Command::Attend { interaction: call, how }).await.unwrap();
    let (of, from, agent, asked) = asked(house).await;
    assert_eq!((of, agent, asked), (call, page.who.user.id, how));
    house.fact(CallFact::Joined { interaction: call, from }).await;
    page.event("attending", |e| e["attended"]["up"] == true && e["attended"]["how"] == json!(how)).await;
    from
}

async fn part_over(house: &House, page: &mut Page, from: InteractionId) {
    house.fact(CallFact::Ended { interaction: from, by: EndedBy::Agent, failure: None }).await;
    page.event("attending_over", |_| true).await;
}

async fn record(house: &House, call: InteractionId) -> ServiceRecord {
    house.store.records().record(tenant(), call).await.unwrap().unwrap()
}

async fn hung_up(house: &mut House) -> InteractionId {
    house
        .order(|order| match order {
            CallOrder::HangUp { interaction, .. } => Some(*interaction),
            _ => None,
        })
        .await
}

fn state(page: &Value) -> &Value {
    &page["agent"]["state"]["state"]
}

/// HELP-03: the supervisor hears and is Busy meanwhile; nothing that the agent's page or record shows says so, and the journal and the
/// supervisors' record do.
#[tokio::test]
async fn a_supervisor_listens_and_the_agent_is_not_told() {
    let (mut house, mut annas, mut sues, call) = open().await;
    let from = attends(&mut house, &mut sues, call, Attending::Monitor).await;
    let welcome = Page::attach(&house.desk, &sues.who, None).await.welcome;
    assert_eq!(welcome["snapshot"]["me"]["state"]["state"], "busy");
    let seen = &welcome["snapshot"]["attending"];
    assert_eq!(
        (&seen["agent"]["name"], &seen["caller"], &seen["may_take_over"]),
        (&"ANNA".into(), &"+4930123456".into(), &false.into())
    );
    let mut sues = Page::attach(&house.desk, &sues.who, None).await;
    // Whatever the agent's page is told of, and whatever a new page of hers shows.
    annas.does(Command::AskHelp { interaction: call }).await.unwrap();
    let work = annas.event("work", |e| e["work"]["help_since"].is_u64()).await;
    assert!(!work.to_string().contains("SUE"), "{work}");
    assert_eq!((&work["work"]["attendants"], &work["work"]["conference"]), (&json!([]), &Value::Null));
    let welcome = Page::attach(&house.desk, &annas.who, None).await.welcome;
    assert!(!welcome.to_string().contains("monitor") && !welcome.to_string().contains("SUE"), "{welcome}");
    let mut annas = Page::attach(&house.desk, &annas.who, None).await;

    sues.does(Command::StopAttending { interaction: call }).await.unwrap();
    assert_eq!(hung_up(&mut house).await, from);
    part_over(&house, &mut sues, from).await;
    sues.event("me", |e| state(e) != "busy").await;
    house.call_ends(call, EndedBy::Customer).await;
    annas.event("work", |e| e["work"]["phase"] == "wrap_up").await;
    let attended = record(&house, call).await.attended;
    assert_eq!(attended.len(), 1);
    assert_eq!((attended[0].supervisor, attended[0].how), (sues.who.user.id, Attending::Monitor));
    assert!(attended[0].until.is_some());
    let of_sue = house.desk.record(&sues.who, call).await.unwrap();
    assert_eq!(of_sue.attended[0].supervisor_name.as_deref(), Some("SUE"));
    let of_anna = house.desk.record(&annas.who, call).await.unwrap();
    assert!(of_anna.attended.is_empty() && !serde_json::to_string(&of_anna).unwrap().contains("SUE"));
}

/// HELP-04, HELP-05: the agent's page says who coaches and who talks along; the supervisor goes from one way to another and stays in the
/// call; each is in the record with its time.
#[tokio::test]
async fn a_supervisor_coaches_talks_and_listens_again() {
    let (mut house, mut annas, mut sues, call) = open().await;
    let from = attends(&mut house, &mut sues, call, Attending::Monitor).await;
    for (how, told) in [
        (Attending::Coach, json!([{ "name": "SUE", "how": "coach" }])),
        (Attending::BargeIn, json!([{ "name": "SUE", "how": "barge_in" }])),
        (Attending::Monitor, json!([])),
    ] {
        assert_eq!(attends(&mut house, &mut sues, call, how).await, from);
        let work = annas.event("work", |e| e["work"]["attendants"] == told).await["work"].clone();
        let three = work["conference"]["parties"].as_array().map(|parties| parties.len());
        assert_eq!(three, (how == Attending::BargeIn).then_some(3), "{work}");
    }
    house.fact(CallFact::Ended { interaction: from, by: EndedBy::System, failure: None }).await;
    house.call_ends(call, EndedBy::Customer).await;
    sues.event("attending_over", |_| true).await;
    annas.event("work", |e| e["work"]["phase"] == "wrap_up").await;
    let attended = record(&house, call).await.attended;
    let ways: Vec<_> = attended.iter().map(|each| (each.how, each.until.is_some())).collect();
    use Attending::{BargeIn, Coach, Monitor};
    assert_eq!(ways, [(Monitor, true), (Coach, true), (BargeIn, true), (Monitor, true)]);
}

/// HELP-03: agents do not take part in others' calls, and a supervisor only in what can be listened to, with a phone, and in one at a time.
#[tokio::test]
async fn who_may_not_take_part_is_told() {
    let (mut house, annas, mut sues, call) = open().await;
    let ben = at_work(&house, "ben").await;
    let listen = |interaction| Command::Attend { interaction, how: Attending::Monitor };
    let refused = ben.does(listen(call)).await.unwrap_err();
    assert!(matches!(refused, Refusal::Forbidden { .. }), "{refused:?}");
    let waiting = house.customer_calls("100").await;
    let refused = sues.does(listen(waiting)).await.unwrap_err();
    assert_eq!(refused.kind().slug, "not-now");
    house.fact(CallFact::PhoneDown { agent: sues.who.user.id, phone: PhoneKind::Browser }).await;
    let refused = sues.does(listen(call)).await.unwrap_err();
    assert_eq!(refused.kind().slug, "not-now");
    house.fact(CallFact::PhoneUp { agent: sues.who.user.id, phone: PhoneKind::Browser }).await;
    house.orders_so_far();
    attends(&mut house, &mut sues, call, Attending::Monitor).await;
    // The one softphone is in that call.
    let cleo = at_work(&house, "cleo").await;
    let to_cleo = Command::Call { user: Some(cleo.who.user.id), extension: None };
    assert_eq!(sues.does(to_cleo).await.unwrap_err().kind().slug, "not-now");
    let over = sues.does(Command::TakeOver { interaction: call }).await.unwrap_err();
    assert_eq!(over.kind().slug, "not-now", "the customer does not know the supervisor");
    drop(annas);
}

/// HELP-03: signalling could not let the supervisor in: nobody is Busy with it, and nothing is in the record.
#[tokio::test]
async fn a_supervisor_who_cannot_come_in_is_told() {
    let (mut house, _annas, mut sues, call) = open().await;
    sues.does(Command::Attend { interaction: call, how: Attending::Coach }).await.unwrap();
    let (_, from, ..) = asked(&mut house).await;
    house.fact(CallFact::JoinFailed { interaction: call, from, why: "full".into() }).await;
    sues.event("banner", |e| e["code"] == "attend_failed").await;
    sues.event("attending_over", |_| true).await;
    sues.event("me", |e| state(e) != "busy").await;
    assert!(record(&house, call).await.attended.is_empty());
}

/// HELP-05: whoever talked along has the customer when the agent leaves, by the supervisor's wish: with after-call work for both.
#[tokio::test]
async fn a_supervisor_takes_the_customer_over() {
    let (mut house, mut annas, mut sues, call) = open().await;
    let from = attends(&mut house, &mut sues, call, Attending::BargeIn).await;
    sues.does(Command::TakeOver { interaction: call }).await.unwrap();
    let leaves = house
        .order(|order| match order {
            CallOrder::Leave { interaction, agent } => Some((*interaction, *agent)),
            _ => None,
        })
        .await;
    assert_eq!(leaves, (call, anna()));
    let sue = sues.who.user.id;
    house.fact(CallFact::TookOver { interaction: call, from, agent: Some(sue) }).await;
    sues.event("attending_over", |_| true).await;
    let talks = |e: &Value| e["work"]["interaction"] == call.to_string() && e["work"]["phase"] == "talking";
    sues.event("work", talks).await;
    annas.event("work_ended", |e| e["interaction"] == call.to_string()).await;
    annas.event("work", |e| e["work"]["phase"] == "wrap_up").await;
    house.call_ends(call, EndedBy::Customer).await;
    sues.event("work", |e| e["work"]["phase"] == "wrap_up").await;
    let record = record(&house, call).await;
    assert_eq!((record.agent, record.parts[0].agent), (Some(sue), anna()));
    assert!(record.attended[0].until.is_some());
    sues.does(Command::Code { interaction: call, disposition: None, comment: Some("done".into()) })
        .await
        .unwrap();
}

/// HELP-03: where there is nobody to listen to, nobody is listened to: the agent passes the customer on, and the supervisor's part ends
/// before the agent is let go.
#[tokio::test]
async fn a_customer_who_is_passed_on_is_listened_to_no_longer() {
    let (mut house, annas, mut sues, call) = open().await;
    let from = attends(&mut house, &mut sues, call, Attending::Monitor).await;
    house.orders_so_far();
    let service = Some(desk::testing::help());
    annas.does(Command::Transfer { interaction: call, service, user: None, number: None }).await.unwrap();
    let orders = house.orders_so_far();
    let at = |wanted: fn(&CallOrder) -> bool| orders.iter().position(wanted).unwrap();
    let dropped = at(|order| matches!(order, CallOrder::HangUp { .. }));
    assert!(dropped < at(|order| matches!(order, CallOrder::Release { .. })), "{orders:?}");
    part_over(&house, &mut sues, from).await;
}

/// HELP-05: the customer leaves while agent and supervisor talk: they go on, and the list says so.
#[tokio::test]
async fn agent_and_supervisor_go_on_when_the_customer_left() {
    let (mut house, mut annas, mut sues, call) = open().await;
    attends(&mut house, &mut sues, call, Attending::BargeIn).await;
    let (leg, stats) = (house.leg(), Default::default());
    house.fact(CallFact::LegEnded { interaction: call, leg, party: Party::Customer, stats }).await;
    annas
        .event("work", |e| {
            e["work"]["conference"]["parties"].as_array().is_some_and(|parties| parties.len() == 2)
        })
        .await;
}

/// HELP-03: a supervisor who signs out, or whose appliance is killed, takes part no longer, and the record has an end of it.
#[tokio::test]
async fn a_part_ends_with_its_supervisor_and_with_a_crash() {
    let (mut house, _annas, mut sues, call) = open().await;
    let from = attends(&mut house, &mut sues, call, Attending::Monitor).await;
    house.desk.sign_out(&sues.who, true, Actor::default()).await.unwrap();
    assert_eq!(hung_up(&mut house).await, from);
    house.fact(CallFact::Ended { interaction: from, by: EndedBy::System, failure: None }).await;
    house.settled().await;
    let mut sues = at_work(&house, "sue").await;
    assert_eq!(sues.welcome["snapshot"]["attending"], Value::Null);
    attends(&mut house, &mut sues, call, Attending::Coach).await;
    let house = house.crash().await;
    let attended = record(&house, call).await.attended;
    assert_eq!(attended.len(), 2);
    assert!(attended.iter().all(|each| each.until.is_some()), "{attended:?}");
    assert_eq!(at_work(&house, "sue").await.welcome["snapshot"]["attending"], Value::Null);
}

/// HELP-03: two supervisors in one call: each sees the own part, and neither has the customer by chance.
#[tokio::test]
async fn two_supervisors_are_in_one_call() {
    let (mut house, mut annas, mut sues, call) = open().await;
    let mut admins = at_work(&house, "adam").await;
    attends(&mut house, &mut sues, call, Attending::BargeIn).await;
    let other = attends(&mut house, &mut admins, call, Attending::Monitor).await;
    sues.event("attending", |e| e["attended"]["may_take_over"] == true).await;
    attends(&mut house, &mut admins, call, Attending::BargeIn).await;
    sues.event("attending", |e| e["attended"]["may_take_over"] == false).await;
    annas.event("work", |e| e["work"]["attendants"].as_array().unwrap().len() == 2).await;
    assert_eq!(sues.does(Command::TakeOver { interaction: call }).await.unwrap_err().kind().slug, "not-now");
    part_over(&house, &mut admins, other).await;
    sues.event("attending", |e| e["attended"]["may_take_over"] == true).await;
}
