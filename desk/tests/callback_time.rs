//! Callers who choose by key when they are called back (CB-01).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::time::Duration;

use desk::console::protocol::Command;
use desk::testing::{House, Setup, anna};
use model::calendar::Calendar;
use model::call::{CallFact, CallOrder};
use model::id::InteractionId;
use model::interaction::EndedBy;
use model::journal::Event;
use model::people::PhoneKind;
use model::service::QueueRules;

const CHOOSING: &str = r##"
name = "Choosing"
start = "hour"

[collect.hour]
prompt = "choose"
into = "hour"
max = 2
next = "later"
failed = "end"

[callback.later]
service = "Help"
at = { in_days = "0", hour = "{hour}" }
outside = "sorry"
next = "bye"
invalid = "end"
already = "end"
refused = "end"

[play.sorry]
prompt = "welcome"
interruptible = false
next = "hour"

[play.bye]
prompt = "goodbye"
next = "end"

[hangup.end]
"##;

/// A house that is open in the afternoon; its clock stands at 11:00 in Berlin, and nobody is there.
async fn open() -> House {
    let hours = Calendar {
        zone: "Europe/Berlin".into(),
        open: vec!["daily 12:00-18:00".into()],
        holidays: vec![],
        special: Default::default(),
    };
    let queue = QueueRules { hours: Some(hours), ..QueueRules::default() };
    let house = House::open_with(Setup { queue, ..Setup::default() }).await;
    house.opens_a_trunk().await;
    house.answers_with_flow("200", CHOOSING).await;
    house
}

async fn hears(house: &mut House, call: InteractionId) -> String {
    let (number, heard) = house
        .order(|o| match o {
            CallOrder::PlaySounds { interaction, number, sounds } if *interaction == call && *number > 0 => {
                Some((*number, sounds.join(" ")))
            }
            _ => None,
        })
        .await;
    house.fact(CallFact::Played { interaction: call, number }).await;
    heard
}

async fn presses(house: &House, call: InteractionId, keys: &str) {
    for digit in keys.chars() {
        house.fact(CallFact::DigitReceived { interaction: call, digit }).await;
    }
    house.settled().await;
}

/// CB-01: an hour at which the service is closed, or that is over, is refused; a good one is promised although nobody is there now, and
/// kept over a restart: at that hour, not before, an agent is rung.
#[tokio::test]
async fn a_caller_is_called_back_at_the_hour_that_was_chosen() {
    let mut house = open().await;
    let call = house.customer_calls("200").await;
    for closed in ["20", "10", "99"] {
        assert_eq!(hears(&mut house, call).await, "choose");
        presses(&house, call, closed).await;
        assert_eq!(hears(&mut house, call).await, "welcome", "at {closed}");
    }
    assert_eq!(hears(&mut house, call).await, "choose");
    presses(&house, call, "13").await;
    assert_eq!(hears(&mut house, call).await, "goodbye");
    house.call_ends(call, EndedBy::System).await;
    let due = house.clock_now() + Duration::from_secs(2 * 3_600);
    let written = house.journal().await;
    assert!(
        written.iter().any(|e| matches!(e, Event::CallbackAsked { since, .. } if *since == due)),
        "{written:?}"
    );
    assert!(written.iter().any(|e| matches!(e, Event::CallbackHeld { until, .. } if *until == due)));

    let mut house = house.crash().await;
    // She comes shortly before the hour: a page that is open over a jump of two hours has been idle for too long.
    house.pass(Duration::from_secs(2 * 3_600 - 10)).await;
    let page = house.page("anna").await;
    house.fact(CallFact::PhoneUp { agent: anna(), phone: PhoneKind::Browser }).await;
    house.settled().await;
    page.does(Command::Ready).await.unwrap();
    house.settled().await;
    let rings = |order: &CallOrder| matches!(order, CallOrder::RingAgent { .. });
    assert!(!house.orders_so_far().iter().any(rings), "not before the hour");
    house.pass(Duration::from_secs(11)).await;
    assert_eq!(house.rung(call).await.0, anna());
}
