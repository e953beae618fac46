//! Services that open and close by their hours, and the emergency switch (ROUTE-07).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::time::Duration;

use desk::Refusal;
use desk::audit::{Actor, AuditFilter};
use desk::past::Past;
use desk::testing::{House, Setup, help, sue, tenant};
use model::calendar::Calendar;
use model::call::{CallOrder, Sound};
use model::id::InteractionId;
use model::journal::Event;
use model::service::{Overflow, QueueRules, Service, Treatment};
use model::time::Timestamp;

const OPEN: &str = "sat 10:41-10:43";

fn calendar(open: &str) -> Calendar {
    Calendar {
        zone: "Europe/Berlin".into(),
        open: vec![open.into()],
        holidays: vec![],
        special: Default::default(),
    }
}

async fn house(hours: Option<Calendar>) -> House {
    let queue = QueueRules { when_unstaffed: Treatment::Queue, hours, ..QueueRules::default() };
    House::open_with(Setup { queue, ..Setup::default() }).await
}

async fn hears(house: &mut House, call: InteractionId) -> Sound {
    house
        .order(|o| match o {
            CallOrder::Play { interaction, sound, .. } if *interaction == call => Some(*sound),
            _ => None,
        })
        .await
}

async fn is_open(house: &House) -> bool {
    house.desk.queues().await.unwrap()[0].open
}

/// ROUTE-07: closed before, open within, closed after, at the minute; who waits when it closes is served on; the past is decided again
/// by what was open then, and a start in the middle of the hours finds it open.
#[tokio::test]
async fn a_service_opens_and_closes_by_its_hours() {
    let begins = House::open().await.clock_now();
    let local = minute_of_day(begins);
    let time = |minutes: u64| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let hours = format!("daily {}-{}", time(local + 1), time(local + 3));
    let mut house = house(Some(Calendar { zone: "UTC".into(), ..calendar(&hours) })).await;
    let call = house.customer_calls("100").await;
    assert_eq!(hears(&mut house, call).await, Sound::Closed);
    house.pass(Duration::from_secs(60)).await;
    house.eventually(async |house| is_open(house).await).await;
    let waits = house.customer_calls("100").await;
    assert_eq!(hears(&mut house, waits).await, Sound::QueueMusic);
    house.pass(Duration::from_secs(60)).await;
    let mut house = house.crash().await;
    assert!(is_open(&house).await);
    let waits = house.customer_calls("100").await;
    assert_eq!(hears(&mut house, waits).await, Sound::QueueMusic);
    house.pass(Duration::from_secs(60)).await;
    house.eventually(async |house| !is_open(house).await).await;
    let late = house.customer_calls("100").await;
    assert_eq!(hears(&mut house, late).await, Sound::Closed);
    let mut anna = house.page("anna").await;
    house.talking_to(&mut anna, waits).await;
    let again =
        Past::of(&house.store, tenant()).decide_again(Timestamp::ZERO, Timestamp::NEVER).await.unwrap();
    assert_eq!(again.difference, None);
}

/// Minutes of the day, in UTC.
fn minute_of_day(at: Timestamp) -> u64 {
    at.millis() / 60_000 % 1_440
}

/// ROUTE-07: hours that are not understood or never open are refused with their place.
#[tokio::test]
async fn hours_that_never_open_are_refused() {
    let house = house(None).await;
    let row = house.desk.get::<Service>(help()).await.unwrap();
    for (hours, pointer, named) in [
        (Calendar { zone: "Berlin".into(), ..calendar(OPEN) }, "/queue/hours", "`Berlin`"),
        (calendar("sat 10-12"), "/queue/hours", "`10-12`"),
        (Calendar { open: vec![], ..calendar(OPEN) }, "/queue/hours/open", "never open"),
    ] {
        let mut service = row.item.clone();
        service.queue.hours = Some(hours);
        let refused = house.desk.update(service, row.version, Actor::default()).await;
        let Err(Refusal::Invalid { errors }) = refused else { panic!("{refused:?}") };
        assert_eq!(errors[0].pointer, pointer);
        assert!(errors[0].message.contains(named), "{errors:?}");
    }
}

/// ROUTE-07: one action of a supervisor, and every new caller hears it; those who wait are served on; it is in the audit log, on every
/// page, and over as quickly.
#[tokio::test]
async fn a_supervisor_switches_the_emergency_on_and_off() {
    let mut house = house(None).await;
    let waits = house.customer_calls("100").await;
    assert_eq!(hears(&mut house, waits).await, Sound::QueueMusic);
    let mut page = house.page("cleo").await;
    let actor = Actor { user: Some(sue()), address: None, key: None };
    house.desk.set_emergency(help(), true, actor).await.unwrap();
    // Pages are told of queues twice a second.
    house.pass(Duration::from_secs(1)).await;
    page.event("queue", |event| event["queue"]["emergency"] == true).await;
    let call = house.customer_calls("100").await;
    assert_eq!(hears(&mut house, call).await, Sound::Closed);
    let audit = house.desk.audit().list(&AuditFilter::default(), None, 50).await.unwrap();
    let entry = audit.items.iter().find(|entry| entry.action == "service.emergency").unwrap();
    assert_eq!((entry.actor, &entry.detail["on"]), (Some(sue()), &true.into()));
    let mut anna = house.page("anna").await;
    house.talking_to(&mut anna, waits).await;
    house.desk.set_emergency(help(), false, actor).await.unwrap();
    let call = house.customer_calls("100").await;
    assert_eq!(hears(&mut house, call).await, Sound::QueueMusic);

    // It may lead elsewhere, as every other case.
    let row = house.desk.get::<Service>(help()).await.unwrap();
    let mut service = row.item;
    service.queue.when_emergency = Treatment::Reject;
    service.queue.emergency = true;
    house.desk.update(service, row.version, actor).await.unwrap();
    let call = house.customer_calls("100").await;
    house
        .order(|o| matches!(o, CallOrder::Reject { interaction, .. } if *interaction == call).then_some(()))
        .await;
    let ended = |event: &Event| {
        matches!(event, Event::Ended { interaction, status, .. }
        if *interaction == call && *status == Overflow::Emergency.status())
    };
    assert!(house.journal().await.iter().any(ended));
}

/// ROUTE-07: one action for all services; it touches only those that it changes, and all are over as quickly.
#[tokio::test]
async fn the_emergency_of_all_services_is_one_action() {
    let mut house = house(None).await;
    let actor = Actor { user: Some(sue()), address: None, key: None };
    assert_eq!(house.desk.set_emergency_everywhere(true, actor).await.unwrap(), 1);
    assert_eq!(house.desk.set_emergency_everywhere(true, actor).await.unwrap(), 0, "done already");
    let call = house.customer_calls("100").await;
    assert_eq!(hears(&mut house, call).await, Sound::Closed);
    assert_eq!(house.desk.set_emergency_everywhere(false, actor).await.unwrap(), 1);
    let call = house.customer_calls("100").await;
    assert_eq!(hears(&mut house, call).await, Sound::QueueMusic);
}
