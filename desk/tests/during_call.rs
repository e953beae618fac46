//! Flows that agents start during a call (CTRL-06).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::time::Duration;

use desk::Refusal;
use desk::audit::Actor;
use desk::console::protocol::Command;
use desk::records::{RecordFilter, RecordView};
use desk::testing::{House, Page, anna, help, tenant};
use model::call::{CallFact, CallOrder};
use model::flow::{Flow, FlowEnd};
use model::id::{FlowId, Id, InteractionId, NumberId, RecordingId};
use model::interaction::{EndStatus, EndedBy};
use model::journal::Event;
use model::service::Number;

const CARD: &str = r##"
name = "Card payment"
start = "order"
during_calls = true

[collect.order]
prompt = "welcome"
into = "order"
max = 4
next = "card"
failed = "over"

[collect.card]
prompt = "choose"
into = "card"
max = 16
luhn = true
secret = true
wait_s = 60
next = "noted"
failed = "over"

[set.noted]
vars = { card_given = "yes" }
next = "over"

[return.over]
"##;

fn card() -> FlowId {
    FlowId::from_number(1)
}

async fn open() -> House {
    let house = House::open().await;
    let (id, name) = (card(), "Card payment".to_owned());
    let mut flow = Flow { id, tenant: tenant(), name, active: None, versions: vec![] };
    flow.active = Some(flow.save(CARD.to_owned()));
    house.desk.create(flow, Actor::default()).await.unwrap();
    house
}

/// Anna talks, and sends the caller through the flow.
async fn sent(house: &mut House, page: &mut Page) -> InteractionId {
    let call = house.talking(page).await;
    page.does(Command::StartFlow { interaction: call, flow: card() }).await.unwrap();
    assert_eq!(house.next_order().await, CallOrder::TakeAside { interaction: call });
    assert!(matches!(heard(house).await, (1, sounds) if sounds == ["welcome"]));
    call
}

async fn heard(house: &mut House) -> (u32, Vec<String>) {
    house
        .order(|order| match order {
            CallOrder::PlaySounds { number, sounds, .. } if !sounds.is_empty() => {
                Some((*number, sounds.clone()))
            }
            _ => None,
        })
        .await
}

async fn presses(house: &House, interaction: InteractionId, keys: &str) {
    for digit in keys.chars() {
        house.fact(CallFact::DigitReceived { interaction, digit }).await;
    }
    house.settled().await;
}

fn pause(interaction: InteractionId, paused: bool) -> CallOrder {
    CallOrder::PauseRecording { interaction, by: Some(anna()), paused }
}

async fn recording(house: &House, call: InteractionId) -> RecordingId {
    let found = |event: Event| match event {
        Event::RecordingStarted { interaction, recording } if interaction == call => Some(recording),
        _ => None,
    };
    house.journal().await.into_iter().find_map(found).unwrap()
}

async fn record(house: &House, call: InteractionId) -> RecordView {
    house.settled().await;
    let sue = house.sign_in("sue").await;
    let page = house.desk.records(&sue, RecordFilter::default(), None, 50).await.unwrap();
    page.items.into_iter().find(|record| record.interaction == call).unwrap()
}

/// CTRL-06: the caller enters a number, which the agent sees, and a card, of which nobody sees, hears, records or writes down a digit;
/// then the two hear each other again.
#[tokio::test]
async fn a_caller_goes_through_a_flow_and_comes_back() {
    let mut house = open().await;
    let mut page = house.page("anna").await;
    assert_eq!(page.welcome["snapshot"]["services"][0]["flows"][0]["name"], "Card payment");
    let call = sent(&mut house, &mut page).await;
    let shown = page.event("work", |e| !e["work"]["flow"].is_null()).await;
    assert_eq!(shown["work"]["flow"]["way"], serde_json::json!(["order"]));
    let live = house.desk.calls().await.unwrap();
    assert_eq!(live.iter().map(|call| call.phase).collect::<Vec<_>>(), ["self_service"]);

    presses(&house, call, "4711").await;
    let orders = house.orders_so_far();
    let paused = orders.iter().position(|order| *order == pause(call, true)).unwrap();
    let asked = orders
        .iter()
        .position(|order| matches!(order, CallOrder::PlaySounds { sounds, .. } if sounds == &["choose"]));
    assert!(
        paused < asked.unwrap(),
        "nothing secret is asked for before the recording is to pause: {orders:?}"
    );
    let shown = page.event("work", |e| e["work"]["flow"]["secret"] == true).await;
    assert_eq!(shown["work"]["noted"]["order"], "4711");
    let recording = recording(&house, call).await;
    let fact = |paused| CallFact::RecordingPaused { interaction: call, recording, by: Some(anna()), paused };
    house.fact(fact(true)).await;

    // Neither the agent nor time has it recorded.
    let early = page.does(Command::ResumeRecording { interaction: call }).await;
    assert!(matches!(early, Err(Refusal::NotNow { .. })), "{early:?}");
    presses(&house, call, "411111111111111").await;
    // Nor is the caller passed on meanwhile.
    let to = Command::Transfer { interaction: call, service: Some(help()), user: None, number: None };
    assert!(matches!(page.does(to).await, Err(Refusal::NotNow { .. })));
    let again = page.does(Command::StartFlow { interaction: call, flow: card() }).await;
    assert!(matches!(again, Err(Refusal::NotNow { .. })), "{again:?}");
    house.orders_so_far();
    presses(&house, call, "1").await;
    let orders = house.orders_so_far();
    let back = orders.iter().position(|order| *order == CallOrder::BringBack { interaction: call });
    let resumed = orders.iter().position(|order| *order == pause(call, false));
    assert!(back.is_some() && resumed.is_some(), "{orders:?}");
    house.fact(fact(false)).await;
    page.banner("flow_over").await;
    let shown = page.event("work", |e| e["work"]["flow"].is_null()).await;
    assert_eq!(shown["work"]["noted"], serde_json::json!({ "order": "4711", "card_given": "yes" }));
    assert_eq!((&shown["work"]["phase"], &shown["work"]["digits"]), (&"talking".into(), &"".into()));
    // From here on keys are between the two.
    presses(&house, call, "5").await;
    page.event("work", |e| e["work"]["digits"] == "5").await;

    house.call_ends(call, EndedBy::Customer).await;
    let record = record(&house, call).await;
    let told: Vec<_> = record.flows.iter().map(|f| (f.name.as_str(), f.agent_name.as_str(), f.end)).collect();
    assert_eq!(told, [("Card payment", "ANNA", Some(FlowEnd::Returned))]);
    assert_eq!(record.recording_pauses.len(), 1);
    let written = format!("{:?}", house.journal().await);
    assert!(!written.contains("4111") && written.contains("card_given"), "{written}");
}

/// CTRL-06: a card takes longer than a pause may last: it ends with the card, not in the middle of it.
#[tokio::test]
async fn a_pause_does_not_end_while_a_card_is_entered() {
    let mut house = open().await;
    let mut page = house.page("anna").await;
    let call = sent(&mut house, &mut page).await;
    presses(&house, call, "4711").await;
    let recording = recording(&house, call).await;
    let by = Some(anna());
    house.fact(CallFact::RecordingPaused { interaction: call, recording, by, paused: true }).await;
    let over = |order: &CallOrder| matches!(order, CallOrder::PauseRecording { paused: false, .. });
    // A slow caller: the limit of 300 seconds passes between two keys.
    for _ in 0..6 {
        presses(&house, call, "4").await;
        house.pass(Duration::from_secs(59)).await;
    }
    assert!(!house.orders_so_far().iter().any(over));
    page.does(Command::TakeBack { interaction: call }).await.unwrap();
    assert!(house.orders_so_far().iter().any(over));
}

/// CTRL-06: the agent takes the caller back at any time, whoever holds; without a flow there is nobody to take back.
#[tokio::test]
async fn an_agent_takes_the_caller_back() {
    let mut house = open().await;
    let mut page = house.page("anna").await;
    let call = sent(&mut house, &mut page).await;
    presses(&house, call, "4711").await;
    house.orders_so_far();
    page.does(Command::TakeBack { interaction: call }).await.unwrap();
    let orders = house.orders_so_far();
    assert_eq!(orders, [CallOrder::BringBack { interaction: call }, pause(call, false)]);
    let twice = page.does(Command::TakeBack { interaction: call }).await;
    assert!(matches!(twice, Err(Refusal::NotNow { .. })), "{twice:?}");
    // Held before: the flow runs, and the caller is held again.
    house.fact(CallFact::HoldChanged { interaction: call, agent: anna(), held: true }).await;
    page.does(Command::StartFlow { interaction: call, flow: card() }).await.unwrap();
    page.event("work", |e| e["work"]["flow"]["name"] == "Card payment" && e["work"]["phase"] == "held").await;
    page.does(Command::TakeBack { interaction: call }).await.unwrap();
    page.event("work", |e| e["work"]["flow"].is_null() && e["work"]["phase"] == "held").await;
    let ends: Vec<_> = record(&house, call).await.flows.iter().map(|flow| flow.end).collect();
    assert_eq!(ends, [Some(FlowEnd::TakenBack); 2]);
}

/// CTRL-06: a recording that cannot be paused: the flow is broken off before the card.
#[tokio::test]
async fn without_a_pause_no_card_is_taken() {
    let mut house = open().await;
    let mut page = house.page("anna").await;
    let call = sent(&mut house, &mut page).await;
    presses(&house, call, "4711").await;
    house.orders_so_far();
    let (by, why) = (Some(anna()), "the disk".to_owned());
    house.fact(CallFact::PauseFailed { interaction: call, by, paused: true, why }).await;
    page.banner("flow_failed").await;
    assert!(house.orders_so_far().contains(&CallOrder::BringBack { interaction: call }));
    assert_eq!(record(&house, call).await.flows[0].end, Some(FlowEnd::Failed));
}

/// CTRL-06: who hangs up in a flow ends the call as ever, with after-call work; and so does a crash, with nothing left open.
#[tokio::test]
async fn a_call_ends_in_a_flow() {
    let mut house = open().await;
    let mut page = house.page("anna").await;
    let call = sent(&mut house, &mut page).await;
    house.call_ends(call, EndedBy::Customer).await;
    page.event("work", |e| e["work"]["phase"] == "wrap_up" && e["work"]["flow"].is_null()).await;
    page.does(Command::Complete { interaction: call }).await.unwrap();
    let ended = record(&house, call).await;
    assert_eq!((ended.flows[0].end, ended.status), (Some(FlowEnd::CallEnded), Some("normal")));
    page.does(Command::Ready).await.unwrap();
    let call = sent(&mut house, &mut page).await;
    page.does(Command::HangUp { interaction: call }).await.unwrap();
    house.order(|o| matches!(o, CallOrder::HangUp { by: EndedBy::Agent, .. }).then_some(())).await;
    let house = house.crash().await;
    let ended = record(&house, call).await;
    assert_eq!(ended.flows[0].end, Some(FlowEnd::CallEnded));
    let ends = house.journal().await;
    let interrupted = |e: &Event| matches!(e, Event::Ended { interaction, status: EndStatus::Interrupted, .. } if *interaction == call);
    assert!(ends.iter().any(interrupted));
}

/// CTRL-06: only flows for calls of the service, only the own call, only while somebody talks; and such a flow is nothing for callers
/// who have no agent.
#[tokio::test]
async fn what_may_not_be_started_is_not() {
    let mut house = open().await;
    let mut page = house.page("anna").await;
    let ben = house.page("ben").await;
    let call = house.talking(&mut page).await;
    let other = FlowId::from_number(9);
    let missing = page.does(Command::StartFlow { interaction: call, flow: other }).await;
    assert!(matches!(missing, Err(Refusal::NotFound { .. })), "{missing:?}");
    let start = Command::StartFlow { interaction: call, flow: card() };
    assert!(ben.does(start.clone()).await.is_err(), "of another agent");
    house.call_ends(call, EndedBy::Customer).await;
    house.settled().await;
    let late = page.does(start).await;
    assert!(matches!(late, Err(Refusal::NotNow { .. })), "{late:?}");
    assert!(!house.orders_so_far().contains(&CallOrder::TakeAside { interaction: call }));

    let number = Number {
        id: NumberId::from_number(2),
        tenant: tenant(),
        digits: "200".into(),
        service: help(),
        flow: Some(card()),
    };
    let refused = house.desk.create(number, Actor::default()).await;
    assert!(format!("{refused:?}").contains("have an agent"), "{refused:?}");
}
