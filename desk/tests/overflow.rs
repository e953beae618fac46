//! Callers who are not queued, or not any longer: where their service leads them (ROUTE-07).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::time::Duration;

use desk::Refusal;
use desk::audit::Actor;
use desk::past::Past;
use desk::past::twin::Change;
use desk::records::{RecordFilter, RecordView};
use desk::testing::{House, Setup, cleo, help, tenant};
use model::call::{CallOrder, Rejection, Sound};
use model::flow::Flow;
use model::id::{FlowId, Id, InteractionId, NumberId, ServiceId};
use model::interaction::EndedBy;
use model::journal::Event;
use model::service::{Number, Overflow, QueueRules, Service, Treatment};
use model::skill::{Requirement, SkillExpr};
use model::time::Timestamp;

/// A second service that anybody may answer, under the number 300.
fn backup() -> ServiceId {
    ServiceId::from_number(2)
}
fn goodbye() -> FlowId {
    FlowId::from_number(1)
}
fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

const GOODBYE: &str =
    "name = \"Goodbye\"\nstart = \"say\"\n[play.say]\nprompt = \"goodbye\"\nnext = \"end\"\n[hangup.end]\n";

/// A house with the service "Backup" and the flow "Goodbye"; `queue` are the rules of "Help", made when both are there.
async fn open(open: bool, queue: impl FnOnce(&mut QueueRules)) -> House {
    let house = House::open_with(Setup { open, ..Setup::default() }).await;
    let service = Service {
        id: backup(),
        name: "Backup".into(),
        requirement: Requirement::fixed(SkillExpr::Any),
        queue: QueueRules { when_unstaffed: Treatment::Queue, ..QueueRules::default() },
        open: true,
        ..house.desk.get::<Service>(help()).await.unwrap().item
    };
    house.desk.create(service, Actor::default()).await.unwrap();
    let (id, digits) = (NumberId::from_number(3), "300".to_owned());
    let number = Number { id, tenant: tenant(), digits, service: backup(), flow: None };
    house.desk.create(number, Actor::default()).await.unwrap();
    let mut flow =
        Flow { id: goodbye(), tenant: tenant(), name: "Goodbye".into(), active: None, versions: vec![] };
    flow.active = Some(flow.save(GOODBYE.to_owned()));
    house.desk.create(flow, Actor::default()).await.unwrap();
    change(&house, help(), |service| queue(&mut service.queue)).await.unwrap();
    house
}

async fn change(house: &House, id: ServiceId, how: impl FnOnce(&mut Service)) -> Result<(), Refusal> {
    let row = house.desk.get::<Service>(id).await.unwrap();
    let mut service = row.item;
    how(&mut service);
    house.desk.update(service, row.version, Actor::default()).await.map(drop)
}

async fn record(house: &House, call: InteractionId) -> RecordView {
    house.settled().await;
    let sue = house.sign_in("sue").await;
    let records = house.desk.records(&sue, RecordFilter::default(), None, 50).await.unwrap().items;
    records.into_iter().find(|record| record.interaction == call).unwrap()
}

fn led_on(journal: &[Event]) -> Vec<(InteractionId, Overflow, Treatment)> {
    journal
        .iter()
        .filter_map(|event| match event {
            Event::Overflowed { interaction, why, to, .. } => Some((*interaction, *why, *to)),
            _ => None,
        })
        .collect()
}

/// The sound that a call hears next.
async fn hears(house: &mut House, call: InteractionId) -> CallOrder {
    house
        .order(|o| match o {
            CallOrder::Play { interaction, .. } | CallOrder::PlaySounds { interaction, .. }
                if *interaction == call =>
            {
                Some(o.clone())
            }
            _ => None,
        })
        .await
}

/// ROUTE-07, ROUTE-03: whoever waited too long goes on to another queue and has the place of the first arrival there; journal and record
/// say so, the past is decided again the same, and the twin does it too.
#[tokio::test]
async fn a_long_wait_goes_on_in_another_queue_at_the_place_of_the_first_arrival() {
    let to = Treatment::Service(backup());
    let mut house = open(true, |queue| {
        queue.when_unstaffed = Treatment::Queue;
        (queue.wait_time_max, queue.when_waited_long) = (Some(seconds(30)), to);
    })
    .await;
    let from = house.clock_now();
    let early = house.customer_calls("100").await;
    house.pass(seconds(10)).await;
    let late = house.customer_calls("300").await;
    house.pass(seconds(20)).await;
    assert_eq!(led_on(&house.journal().await), [(early, Overflow::WaitedLong, to)]);
    let mut page = house.page("cleo").await;
    assert_eq!(house.talking_to(&mut page, early).await["work"]["service"]["name"], "Backup");
    house.call_ends(late, EndedBy::Customer).await;
    house.call_ends(early, EndedBy::Customer).await;
    let told = record(&house, early).await;
    assert_eq!((told.service, told.agent, told.status), (Some(backup()), Some(cleo()), Some("normal")));
    let [overflow] = &told.overflows[..] else { panic!("{told:?}") };
    assert_eq!((overflow.from.as_str(), overflow.to.as_str(), overflow.to_flow), ("Help", "Backup", false));
    let past = Past::of(&house.store, tenant());
    let again = past.decide_again(Timestamp::ZERO, Timestamp::NEVER).await.unwrap();
    assert_eq!(again.difference, None);
    let now = desk::configuration::Configuration::load(&house.store, tenant()).await.unwrap();
    house.pass(seconds(60)).await;
    let twin = past.what_if((from, house.clock_now()), &Change::default(), &now, 1).await.unwrap();
    let count = |of: &desk::past::twin::Outcome| (of.total.customers, of.total.answered, of.total.abandoned);
    assert_eq!(count(&twin.recorded), (2, 1, 1), "one customer, though of two queues");
    assert_eq!(count(&twin.same_rules), (2, 1, 1));
}

/// ROUTE-07: each case leads where the service says: closed, nobody signed in, full, and the last agent gone.
#[tokio::test]
async fn each_case_leads_where_the_service_says() {
    let to = Treatment::Service(backup());
    let mut house = open(false, |queue| queue.when_closed = to).await;
    let call = house.customer_calls("100").await;
    let music = CallOrder::Play { interaction: call, sound: Sound::QueueMusic, then_hang_up: false };
    assert_eq!(hears(&mut house, call).await, music);
    assert_eq!(led_on(&house.journal().await), [(call, Overflow::Closed, to)]);

    let mut house = open(true, |queue| queue.when_unstaffed = to).await;
    let call = house.customer_calls("100").await;
    hears(&mut house, call).await;
    assert_eq!(led_on(&house.journal().await), [(call, Overflow::Unstaffed, to)]);

    let mut house = open(true, |queue| {
        (queue.waiting_max, queue.when_full, queue.when_agents_left) = (1, to, Some(to));
    })
    .await;
    let mut anna = house.page("anna").await;
    let busy = house.customer_calls("100").await;
    house.talking_to(&mut anna, busy).await;
    let (first, second) = (house.customer_calls("100").await, house.customer_calls("100").await);
    house.settled().await;
    assert_eq!(led_on(&house.journal().await), [(second, Overflow::Full, to)]);
    house.call_ends(busy, EndedBy::Customer).await;
    house.pass(seconds(31)).await;
    house.desk.sign_out(&anna.who, true, Actor::default()).await.unwrap();
    let all = led_on(&house.journal().await);
    assert_eq!(all.last(), Some(&(first, Overflow::AgentsLeft, to)), "{all:?}");
}

/// ROUTE-07, VOICE-15: into a flow, which ends the call as it says; and without words.
#[tokio::test]
async fn a_queue_leads_into_a_flow_or_ends_the_call_without_words() {
    let mut house = open(true, |queue| {
        queue.when_unstaffed = Treatment::Queue;
        (queue.waiting_max, queue.when_full) = (1, Treatment::Flow(goodbye()));
        (queue.wait_time_max, queue.when_waited_long) = (Some(seconds(20)), Treatment::Reject);
    })
    .await;
    let (waits, full) = (house.customer_calls("100").await, house.customer_calls("100").await);
    let CallOrder::PlaySounds { sounds, number, .. } = hears(&mut house, full).await else {
        panic!("no flow")
    };
    assert_eq!(sounds, ["goodbye"]);
    house.fact(model::call::CallFact::Played { interaction: full, number }).await;
    house
        .order(|o| matches!(o, CallOrder::HangUp { interaction, .. } if *interaction == full).then_some(()))
        .await;
    house.call_ends(full, EndedBy::System).await;
    let told = record(&house, full).await;
    assert_eq!((told.status, told.overflows[0].to_flow), (Some("self_served"), true));
    house.pass(seconds(20)).await;
    house
        .order(|o| {
            matches!(o, CallOrder::Reject { interaction, why: Rejection::Busy } if *interaction == waits)
                .then_some(())
        })
        .await;
    house.call_ends(waits, EndedBy::System).await;
    assert_eq!(record(&house, waits).await.status, Some("queue_full"));
    assert!(house.desk.calls().await.unwrap().is_empty());
}

/// ROUTE-07: a circle is refused with its place and its way, through services and through a flow that leads on at once; one that two
/// changes have closed all the same ends after a few rounds.
#[tokio::test]
async fn a_circle_of_overflow_is_refused_and_nobody_goes_round_in_one() {
    let mut house = open(false, |queue| queue.when_closed = Treatment::Service(backup())).await;
    let refused = change(&house, backup(), |s| s.queue.when_full = Treatment::Service(help())).await;
    let Err(Refusal::Invalid { errors }) = refused else { panic!("{refused:?}") };
    assert_eq!(errors[0].pointer, "/queue/when_full");
    assert!(errors[0].message.contains("Backup -> Help -> Backup"), "{errors:?}");
    let row = house.desk.get::<Flow>(goodbye()).await.unwrap();
    change(&house, help(), |s| s.queue.when_closed = Treatment::Flow(goodbye())).await.unwrap();
    let mut flow = row.item.clone();
    flow.active =
        Some(flow.save("name = \"Goodbye\"\nstart = \"ask\"\n[queue.ask]\nservice = \"Help\"\n".into()));
    let refused = house.desk.update(flow.clone(), row.version, Actor::default()).await;
    let Err(Refusal::Invalid { errors }) = refused else { panic!("{refused:?}") };
    assert!(errors[0].message.contains("Help -> flow Goodbye -> Help"), "{errors:?}");
    // Something is heard on the way: that is no circle that turns by itself.
    flow.active = Some(flow.save(GOODBYE.replace("[hangup.end]", "[queue.end]\nservice = \"Help\"")));
    house.desk.update(flow, row.version, Actor::default()).await.unwrap();

    // Behind the desk's back, as two administrators at once may.
    for (id, to) in [(help(), backup()), (backup(), help())] {
        let row = house.store.services().get(tenant(), id).await.unwrap().unwrap();
        let mut service = row.item;
        (service.open, service.queue.when_closed) = (false, Treatment::Service(to));
        house.store.services().update(&service, row.version).await.unwrap();
    }
    house.desk.reload().await.unwrap();
    let call = house.customer_calls("100").await;
    let closed = CallOrder::Play { interaction: call, sound: Sound::Closed, then_hang_up: true };
    assert_eq!(hears(&mut house, call).await, closed);
    assert_eq!(led_on(&house.journal().await).len(), 9);
}

/// ROUTE-07: what cannot be led to is refused with its place; what leads to something that is to go is told before it goes.
#[tokio::test]
async fn what_leads_nowhere_is_refused_or_told_before() {
    let house = open(true, |queue| {
        queue.when_closed = Treatment::Service(backup());
        queue.when_waited_long = Treatment::Flow(goodbye());
    })
    .await;
    let refused = change(&house, help(), |s| {
        s.queue.when_full = Treatment::Service(ServiceId::from_number(99));
        s.queue.when_waited_long = Treatment::Flow(FlowId::from_number(99));
        (s.queue.when_unstaffed, s.queue.when_agents_left) = (Treatment::Queue, Some(Treatment::Reject));
    })
    .await;
    let Err(Refusal::Invalid { errors }) = refused else { panic!("{refused:?}") };
    let places: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(places, ["/queue/when_full", "/queue/when_waited_long", "/queue/when_agents_left"]);
    let told = house.desk.dry_run::<Service>(backup(), None).await.unwrap().warnings;
    for said in ["The number 300 leads to the service Backup", "The service Help leads to the service Backup"]
    {
        assert!(told.iter().any(|warning| warning.starts_with(said)), "{told:?}");
    }
    let told = house.desk.dry_run::<Flow>(goodbye(), None).await.unwrap().warnings;
    assert!(
        told.iter().any(|warning| warning.starts_with("The service Help leads to the flow Goodbye")),
        "{told:?}"
    );
    let row = house.desk.get::<Flow>(goodbye()).await.unwrap();
    let deleted = house.desk.delete::<Flow>(goodbye(), row.version, Actor::default()).await;
    assert!(matches!(deleted, Err(Refusal::Conflict { .. })), "{deleted:?}");
}
