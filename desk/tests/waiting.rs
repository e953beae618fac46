//! What callers hear and press while they wait (ROUTE-07).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::time::Duration;

use desk::Refusal;
use desk::audit::Actor;
use desk::console::protocol::Command;
use desk::past::Past;
use desk::testing::{House, Setup, help, tenant};
use model::call::{CallFact, CallOrder, Sound};
use model::flow::Flow;
use model::id::{FlowId, Id, InteractionId, ServiceId};
use model::interaction::EndedBy;
use model::journal::Event;
use model::service::{Overflow, QueueRules, Service, Treatment, WaitingRules};
use model::skill::{Requirement, SkillExpr};
use model::time::Timestamp;

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

async fn open(waiting: WaitingRules) -> House {
    let queue = QueueRules { when_unstaffed: Treatment::Queue, waiting, ..QueueRules::default() };
    House::open_with(Setup { queue, ..Setup::default() }).await
}

/// What a call hears next: sounds, or `music`.
async fn hears(house: &mut House, call: InteractionId) -> String {
    let (number, heard) = house
        .order(|o| match o {
            CallOrder::PlaySounds { interaction, number, sounds } if *interaction == call => {
                Some((Some(*number), sounds.join(" ")))
            }
            CallOrder::Play { interaction, sound: Sound::QueueMusic, .. } if *interaction == call => {
                Some((None, "music".to_owned()))
            }
            _ => None,
        })
        .await;
    if let Some(number) = number {
        house.fact(CallFact::Played { interaction: call, number }).await;
    }
    heard
}

/// ROUTE-07: a greeting, then the place in the line as it is at each time; with the agent it is over at once.
#[tokio::test]
async fn the_place_in_the_line_is_told_until_an_agent_is_there() {
    let greeting = Some("welcome".into());
    let rules =
        WaitingRules { greeting, position: true, comfort: vec!["choose".into()], ..Default::default() };
    let mut house = open(rules).await;
    let first = house.customer_calls("100").await;
    let call = house.customer_calls("100").await;
    assert_eq!(hears(&mut house, call).await, "music", "the call is answered by it");
    assert_eq!(hears(&mut house, call).await, "welcome");
    assert_eq!(hears(&mut house, call).await, "music");
    house.pass(seconds(20)).await;
    assert_eq!(hears(&mut house, call).await, "position-before number-2 position-after");
    assert_eq!(hears(&mut house, call).await, "choose");
    assert_eq!(hears(&mut house, call).await, "music");
    house.call_ends(first, EndedBy::Customer).await;
    house.pass(seconds(60)).await;
    // An agent comes in the middle of the announcement: it delays nobody.
    let page = house.page("anna").await;
    let (_, offer) = house.rung(call).await;
    page.does(Command::Accept { offer }).await.unwrap();
    house
        .order(|o| matches!(o, CallOrder::Connect { interaction, .. } if *interaction == call).then_some(()))
        .await;
    house.pass(seconds(300)).await;
    let late = house.orders_so_far();
    assert!(
        !late.iter().any(|o| matches!(o, CallOrder::PlaySounds { .. } | CallOrder::Play { .. })),
        "{late:?}"
    );
    assert!(!house.journal().await.iter().any(|event| matches!(event, Event::FlowStep { .. })));
}

const CHOICE: &str = r#"
name = "Choice"
start = "music"
while_waiting = true

[wait.music]
seconds = 20
next = "ask"

[menu.ask]
prompt = "choose"
choices = { 1 = "music", 2 = "backup", 3 = "bye" }
tries = 1
timeout = "music"
otherwise = "music"

[queue.backup]
service = "Backup"

[play.bye]
prompt = "goodbye"
next = "end"

[hangup.end]
"#;

/// A house with the service "Backup", and a flow that "Help" has for those who wait.
async fn with_choice() -> House {
    let house = open(WaitingRules::default()).await;
    let row = house.desk.get::<Service>(help()).await.unwrap();
    let backup = Service {
        id: ServiceId::from_number(2),
        name: "Backup".into(),
        requirement: Requirement::fixed(SkillExpr::Any),
        ..row.item.clone()
    };
    house.desk.create(backup, Actor::default()).await.unwrap();
    let (id, name) = (FlowId::from_number(1), "Choice".to_owned());
    let mut flow = Flow { id, tenant: tenant(), name, active: None, versions: vec![] };
    flow.active = Some(flow.save(CHOICE.into()));
    house.desk.create(flow, Actor::default()).await.unwrap();
    let mut service = row.item;
    service.queue.waiting.flow = Some(id);
    house.desk.update(service, row.version, Actor::default()).await.unwrap();
    house
}

/// ROUTE-07, ROUTE-03: a key leads to another queue, at the place of the first arrival; the journal has each step once, and is decided
/// again the same.
#[tokio::test]
async fn a_key_leads_to_another_queue_and_the_place_is_kept() {
    let mut house = with_choice().await;
    let call = house.customer_calls("100").await;
    for round in 0..3 {
        house.pass(seconds(20)).await;
        assert_eq!(
            house
                .order(|o| match o {
                    CallOrder::PlaySounds { sounds, .. } => Some(sounds.clone()),
                    _ => None,
                })
                .await,
            ["choose"]
        );
        let digit = if round < 2 { '1' } else { '2' };
        house.fact(CallFact::DigitReceived { interaction: call, digit }).await;
    }
    let journal = house.journal().await;
    let steps = journal.iter().filter_map(|event| match event {
        Event::FlowStep { step, .. } => Some(step.as_str()),
        _ => None,
    });
    assert_eq!(steps.collect::<Vec<_>>(), ["music", "ask", "backup"]);
    let backup = ServiceId::from_number(2);
    assert!(journal.iter().any(|event| matches!(event,
        Event::Overflowed { why: Overflow::Chosen, to: Treatment::Service(to), .. } if *to == backup)));
    let since = journal.iter().rev().find_map(|event| match event {
        Event::Queued { service, since, .. } if *service == backup => *since,
        _ => None,
    });
    assert_eq!(house.clock_now().since(since.unwrap()), seconds(60), "the place of the first arrival");
    let mut page = house.page("cleo").await;
    assert_eq!(
        house.talking_to(&mut page, call).await["work"]["digits"],
        "",
        "keys in the queue are not the agent's"
    );
    let again =
        Past::of(&house.store, tenant()).decide_again(Timestamp::ZERO, Timestamp::NEVER).await.unwrap();
    assert_eq!(again.difference, None);
}

/// ROUTE-07, ROUTE-08: a flow may end the call of somebody who waits; the record says so, and the queue is empty.
#[tokio::test]
async fn a_flow_may_end_the_call_of_somebody_who_waits() {
    let mut house = with_choice().await;
    let call = house.customer_calls("100").await;
    house.pass(seconds(20)).await;
    house.fact(CallFact::DigitReceived { interaction: call, digit: '3' }).await;
    let (number, _) = house
        .order(|o| match o {
            CallOrder::PlaySounds { number, sounds, .. } if sounds == &["goodbye"] => Some((*number, ())),
            _ => None,
        })
        .await;
    house.fact(CallFact::Played { interaction: call, number }).await;
    house.order(|o| matches!(o, CallOrder::HangUp { .. }).then_some(())).await;
    house.call_ends(call, EndedBy::System).await;
    let ends = house.journal().await;
    let ends: Vec<_> = ends.iter().filter(|event| matches!(event, Event::Ended { .. })).collect();
    assert!(
        matches!(ends[..], [Event::Ended { status: model::interaction::EndStatus::SelfServed, .. }]),
        "{ends:?}"
    );
    assert_eq!(house.desk.queues().await.unwrap()[0].waiting, 0);
}

/// ROUTE-07: sounds and flows that are not there or are not for this use are refused with their place.
#[tokio::test]
async fn what_cannot_be_heard_is_refused_with_its_place() {
    let house = with_choice().await;
    let row = house.desk.get::<Service>(help()).await.unwrap();
    let mut service = row.item.clone();
    service.queue.waiting = WaitingRules {
        greeting: Some("hallo".into()),
        comfort: vec!["choose".into(), "chose".into()],
        every_s: 1,
        flow: Some(FlowId::from_number(9)),
        ..WaitingRules::default()
    };
    let refused = house.desk.update(service, row.version, Actor::default()).await;
    let Err(Refusal::Invalid { errors }) = refused else { panic!("{refused:?}") };
    let places: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(
        places,
        [
            "/queue/waiting/greeting",
            "/queue/waiting/comfort/1",
            "/queue/waiting/every_s",
            "/queue/waiting/flow"
        ]
    );
    let row = house.desk.get::<Flow>(FlowId::from_number(1)).await.unwrap();
    let mut flow = row.item.clone();
    let before = "name = \"x\"\nstart = \"end\"\n[hangup.end]\n";
    flow.active = Some(flow.save(before.into()));
    let refused = house.desk.update(flow, row.version, Actor::default()).await;
    let Err(Refusal::Invalid { errors }) = refused else { panic!("{refused:?}") };
    assert!(errors[0].message.contains("`while_waiting = true` is missing"), "{errors:?}");
    let mut service = house.desk.get::<Service>(help()).await.unwrap().item;
    service.queue.when_closed = Treatment::Flow(FlowId::from_number(1));
    let errors = desk::configuration::Checked::errors(&service, &house.desk.configuration());
    assert_eq!(errors[0].pointer, "/queue/when_closed");
}
