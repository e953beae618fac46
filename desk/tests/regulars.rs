//! Customers who come again and are held for the agent who served them last (ROUTE-02, C16).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::time::Duration;

use desk::Refusal;
use desk::audit::Actor;
use desk::console::protocol::Command;
use desk::testing::{House, Page, Setup, anna, ben, help, tenant};
use model::call::{CallFact, CallOrder, Source};
use model::id::{Id, InteractionId, OfferToken, TrunkId, UserId};
use model::interaction::EndedBy;
use model::journal::Event;
use model::people::PhoneKind;
use model::service::{QueueRules, RegularRules, Service, Treatment};

const ERIKA: &str = "+4930123456";

/// Anna and Ben at their pages, both Ready, Anna the first.
async fn staffed(house: &House) -> (Page, Page) {
    let mut pages = Vec::new();
    for (login, agent) in [("anna", anna()), ("ben", ben())] {
        let page = house.page(login).await;
        house.fact(CallFact::PhoneUp { agent, phone: PhoneKind::Browser }).await;
        house.settled().await;
        page.does(Command::Ready).await.unwrap();
        house.pass(Duration::from_secs(1)).await;
        pages.push(page);
    }
    let ben = pages.pop().unwrap();
    (pages.pop().unwrap(), ben)
}

async fn open(regulars: Option<RegularRules>) -> (House, Page, Page) {
    let queue = QueueRules { when_unstaffed: Treatment::Queue, regulars, ..QueueRules::default() };
    let house = House::open_with(Setup { queue, ..Setup::default() }).await;
    let (anna, ben) = staffed(&house).await;
    (house, anna, ben)
}

async fn calls(house: &House, number: u64, caller: &str) -> InteractionId {
    let interaction = InteractionId::from_number(number);
    let from = Source::Trunk { trunk: TrunkId::from_number(1) };
    let (caller, contact) = (caller.to_owned(), "100".to_owned());
    let tenant = tenant();
    house.fact(CallFact::Incoming { interaction, tenant, from, caller, caller_name: None, contact }).await;
    interaction
}

/// A customer is served by whoever is rung, and the work is done.
async fn served(house: &mut House, page: &mut Page, call: InteractionId) {
    house.talking_to(page, call).await;
    house.call_ends(call, EndedBy::Customer).await;
    page.event("work", |event| event["work"]["phase"] == "wrap_up").await;
    page.does(Command::Complete { interaction: call }).await.unwrap();
    house.pass(Duration::from_secs(5)).await;
}

/// Ben serves Erika, as Anna, who is more skilled, is away; then both are Ready.
async fn served_by_ben(house: &mut House, anna: &mut Page, ben: &mut Page) {
    anna.does(Command::NotReady { reason: None }).await.unwrap();
    let call = calls(house, 1, ERIKA).await;
    served(house, ben, call).await;
    anna.does(Command::Ready).await.unwrap();
}

/// Who is rung for a call so far.
fn rung(house: &mut House, call: InteractionId) -> Option<(UserId, OfferToken)> {
    house.orders_so_far().into_iter().find_map(|order| match order {
        CallOrder::RingAgent { interaction, agent, token, .. } if interaction == call => Some((agent, token)),
        _ => None,
    })
}

/// ROUTE-02, LIVE-07 (C16): a customer who comes again is rung at the agent who served her last, however her number is written this
/// time, and though another agent is more skilled. Without the rule it is the more skilled one.
#[tokio::test]
async fn route_02_who_comes_again_is_rung_at_the_agent_she_knows() {
    for (rules, expected) in [(Some(RegularRules::default()), ben()), (None, anna())] {
        let (mut house, mut anna_page, mut ben_page) = open(rules).await;
        served_by_ben(&mut house, &mut anna_page, &mut ben_page).await;
        let call = calls(&house, 2, "0049 30 123456").await;
        assert_eq!(house.rung(call).await.0, expected);
    }
}

/// ROUTE-02: while the agent is on another call nobody else is asked for the time of the hold; nobody waits for somebody who is at
/// lunch; whoever withholds the number is known by nobody.
#[tokio::test]
async fn route_02_the_hold_ends_and_is_not_made_for_who_is_away() {
    let rules = RegularRules { hold_s: 20, ..RegularRules::default() };
    let (mut house, mut page, _ben) = open(Some(rules)).await;
    let call = calls(&house, 1, ERIKA).await;
    served(&mut house, &mut page, call).await;
    page.does(Command::NotReady { reason: None }).await.unwrap();
    let call = calls(&house, 2, ERIKA).await;
    assert_eq!(house.rung(call).await.0, ben(), "Anna is away");
    house.call_ends(call, EndedBy::Customer).await;
    page.does(Command::Ready).await.unwrap();
    let other = calls(&house, 3, ERIKA).await;
    house.talking_to(&mut page, other).await;
    let call = calls(&house, 4, ERIKA).await;
    house.pass(Duration::from_secs(19)).await;
    assert_eq!(rung(&mut house, call), None, "Ben is free, and Anna is on a call");
    house.pass(Duration::from_secs(1)).await;
    assert_eq!(house.rung(call).await.0, ben());
    let ahead = house.journal().await.into_iter().find_map(|event| match event {
        Event::Queued { interaction, ahead, .. } if interaction == call => Some(ahead),
        _ => None,
    });
    assert_eq!(ahead, Some(Duration::from_secs(300)));
    let nobody = calls(&house, 5, "").await;
    house.call_ends(other, EndedBy::Customer).await;
    page.event("work", |event| event["work"]["phase"] == "wrap_up").await;
    page.does(Command::Complete { interaction: other }).await.unwrap();
    assert_eq!(house.rung(nobody).await.0, anna(), "whoever is free");
}

/// ROUTE-02: who served whom is known again after a kill, from the records.
#[tokio::test]
async fn route_02_a_kill_forgets_nobody() {
    let (mut house, mut anna_page, mut ben_page) = open(Some(RegularRules::default())).await;
    served_by_ben(&mut house, &mut anna_page, &mut ben_page).await;
    let mut house = house.crash().await;
    let _pages = staffed(&house).await;
    for attempt in 2.. {
        let call = calls(&house, attempt, ERIKA).await;
        let (agent, _) = house.rung(call).await;
        house.call_ends(call, EndedBy::Customer).await;
        if agent == ben() {
            break;
        }
        assert!(attempt < 1_000, "the records were read long ago");
    }
}

/// What is out of bounds is refused, each field by its name.
#[tokio::test]
async fn rules_out_of_bounds_are_refused() {
    let (house, ..) = open(None).await;
    let row = house.desk.get::<Service>(help()).await.unwrap();
    let regulars = Some(RegularRules { within_days: 0, hold_s: 601, ahead_s: 3_601 });
    let queue = QueueRules { regulars, ..row.item.queue.clone() };
    let refused = house.desk.update(Service { queue, ..row.item }, row.version, Actor::default()).await;
    let Err(Refusal::Invalid { errors }) = refused else { panic!("{refused:?}") };
    let fields: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(fields, ["/queue/regulars/within_days", "/queue/regulars/hold_s", "/queue/regulars/ahead_s"]);
}
