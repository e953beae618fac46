//! Callers who are not queued, or not any longer.

use model::interaction::Channel;
use model::journal::Event;
use model::service::{LateContacts, Overflow, QueueRules, Treatment};
use model::skill::{Requirement, SkillExpr};
use router::{Arrival, Input, Refusal};

use crate::hall::{Hall, MORNING, hotline, seconds, service};

/// ROUTE-07, ROUTE-03: led on to another queue, a caller has the place of the first arrival there, whatever the queue's order.
#[test]
fn route_07_whoever_is_led_on_keeps_the_place_of_the_first_arrival() {
    use model::service::WaitingOrder::{Ageing, Deadline};
    for order in [Ageing, Deadline] {
        let on = Treatment::Service(model::id::Id::from_number(2));
        let mut hall = Hall::with(|config| {
            let first = &mut config.services[0].queue;
            (first.wait_time_max, first.when_waited_long) = (Some(seconds(30)), on);
            let rules = QueueRules { when_unstaffed: Treatment::Queue, order, ..QueueRules::default() };
            config.services.push(service(2, Requirement::fixed(SkillExpr::Any), rules));
        });
        let second = hall.config.services[1].id;
        let early = hall.call();
        let since = hall.now;
        hall.pass(seconds(10));
        let later = hall.call_to(second);
        hall.pass(seconds(20));
        let led_on =
            Event::Overflowed { interaction: early, from: hotline(), why: Overflow::WaitedLong, to: on };
        assert!(hall.events().any(|event| *event == led_on));
        assert!(hall.floor.interaction(early).is_none() && hall.ended_as(early).is_none());
        let arrival = Arrival::new(early, second, Channel::Voice);
        hall.must(Input::Arrive(Arrival { since: Some(since), ..arrival }));
        assert_eq!((hall.floor.position(early), hall.floor.position(later)), (Some(1), Some(2)));
        let ana = hall.agent(&[]);
        assert_eq!(hall.offered_to(early), Some(ana));
    }
}

/// ROUTE-07: who comes from elsewhere and is late already falls back at once where late contacts are served last.
#[test]
fn route_07_whoever_comes_late_from_elsewhere_falls_back_at_once() {
    let mut hall = Hall::with(|config| {
        let rules = &mut config.services[0].queue;
        (rules.order, rules.late) = (model::service::WaitingOrder::Deadline, LateContacts::Last);
    });
    hall.pass(seconds(100));
    let since = Some(MORNING);
    let late = hall.special_call(|arrival| arrival.since = since);
    let fresh = hall.call();
    assert_eq!((hall.floor.position(fresh), hall.floor.position(late)), (Some(1), Some(2)));
}

/// ROUTE-07: full, waited long enough, left by the last agent: they may all wait on.
#[test]
fn route_07_a_queue_may_let_callers_wait_all_the_same() {
    let mut hall = Hall::with(|config| {
        let rules = &mut config.services[0].queue;
        (rules.waiting_max, rules.when_full) = (1, Treatment::Queue);
        (rules.wait_time_max, rules.when_waited_long) = (Some(seconds(60)), Treatment::Queue);
        (rules.when_unstaffed, rules.when_agents_left) = (Treatment::Announce, Some(Treatment::Queue));
    });
    let ana = hall.agent(&[]);
    let talking = hall.takes_a_call(ana);
    let waiting = [hall.call(), hall.call(), hall.call()];
    hall.pass(seconds(61));
    hall.hangs_up(talking);
    hall.must(Input::Offline { agent: ana });
    assert!(waiting.iter().all(|call| hall.waits(*call)));
    assert_eq!(hall.tries_to_call(hotline()), Err(Refusal::NoAgentOnline), "the door is another matter");
}

/// ROUTE-07: whoever waits may go on to another queue, but not while a phone rings, and not to one that takes nobody.
#[test]
fn route_07_whoever_waits_may_move_on_but_not_while_a_phone_rings() {
    let mut hall = Hall::with(|config| {
        let rules = QueueRules { when_unstaffed: Treatment::Queue, ..QueueRules::default() };
        config.services.push(service(2, Requirement::fixed(SkillExpr::Any), rules));
        let mut closed = service(3, Requirement::fixed(SkillExpr::Any), QueueRules::default());
        closed.open = false;
        config.services.push(closed);
    });
    let (to, closed) = (hall.config.services[1].id, hall.config.services[2].id);
    assert_eq!(
        (hall.floor.door(to, Channel::Voice), hall.floor.door(closed, Channel::Voice)),
        (Ok(()), Err(Refusal::Closed))
    );
    let call = hall.call();
    hall.must(Input::MoveOn { interaction: call, to: Treatment::Service(to) });
    assert!(hall.floor.interaction(call).is_none());
    let ana = hall.agent(&[]);
    let rings = hall.call();
    assert_eq!(hall.offered_to(rings), Some(ana));
    assert_eq!(
        hall.tell(Input::MoveOn { interaction: rings, to: Treatment::Service(to) }),
        Err(Refusal::Stale)
    );
    assert_eq!(hall.offered_to(rings), Some(ana));
}
