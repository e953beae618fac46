//! The orders of waiting a service may have, alone and beside each other (ROUTE-03).

use model::id::{Id, InteractionId, ServiceId};
use model::service::{LateContacts, QueueRules, Treatment, WaitingOrder};
use model::skill::{Requirement, SkillExpr};
use router::Input;

use crate::hall::{Hall, seconds, service};

/// A hall with one service for each of these rules, numbered from 1; everybody answers all of them.
fn hall(services: impl IntoIterator<Item = QueueRules>) -> Hall {
    Hall::with(|config| {
        config.services = services
            .into_iter()
            .enumerate()
            .map(|(n, rules)| {
                let rules = QueueRules { when_unstaffed: Treatment::Queue, ..rules };
                service(n as u64 + 1, Requirement::fixed(SkillExpr::Any), rules)
            })
            .collect();
    })
}

fn ageing() -> QueueRules {
    QueueRules::default()
}
fn deadline(target: u64, late: LateContacts) -> QueueRules {
    let service_level = seconds(target);
    QueueRules { order: WaitingOrder::Deadline, service_level, late, ..QueueRules::default() }
}
fn slope(slope_percent: u32) -> QueueRules {
    QueueRules { order: WaitingOrder::Slopes, slope_percent, ..QueueRules::default() }
}

fn calls(hall: &mut Hall, number: u64) -> InteractionId {
    hall.call_to(ServiceId::from_number(number))
}

/// One agent signs in and takes everybody: the order they are served in.
fn served(hall: &mut Hall, agent: model::id::AgentId, how_many: usize) -> Vec<InteractionId> {
    hall.signs_in(agent);
    let mut order = Vec::new();
    while order.len() < how_many {
        let (call, token) = hall.floor.agent(agent).unwrap().offer.expect("somebody is offered");
        hall.must(Input::Accept { agent, token });
        hall.hangs_up(call);
        hall.completes(agent);
        order.push(call);
    }
    order
}

/// ROUTE-03: the earliest service-level deadline first: whoever came later to a service that answers sooner.
#[test]
fn route_03_the_earliest_deadline_is_served_first() {
    let mut hall = hall([deadline(60, LateContacts::First), deadline(10, LateContacts::First)]);
    let ana = hall.hires(&[]);
    let slow = calls(&mut hall, 1);
    hall.pass(seconds(49));
    let fast = calls(&mut hall, 2);
    hall.pass(seconds(2));
    let faster = calls(&mut hall, 2);
    hall.pass(seconds(30));
    // Deadlines: 59 s, 60 s, 61 s. All are late by now, and keep their places.
    assert_eq!(served(&mut hall, ana, 3), [fast, slow, faster]);
}

/// ROUTE-03: where the late are served last, those who can still be answered in time go first; but a late caller falls
/// back by an hour only, once.
#[test]
fn route_03_the_late_may_be_served_last_but_are_not_overtaken_for_ever() {
    let mut hall = hall([deadline(20, LateContacts::Last)]);
    let ana = hall.hires(&[]);
    let late = calls(&mut hall, 1);
    hall.pass(seconds(19));
    assert_eq!(hall.floor.interaction(late).unwrap().falls_back, Some(hall.now + seconds(1)));
    hall.pass(seconds(1));
    let view = hall.floor.interaction(late).unwrap();
    assert_eq!(view.falls_back, None);
    let in_time = calls(&mut hall, 1);
    assert_eq!([late, in_time].map(|call| hall.floor.ahead(call)), [Some(1), Some(0)]);
    assert_eq!(served(&mut hall, ana, 2), [in_time, late]);

    let late = calls(&mut hall, 1);
    hall.must(Input::LogOut { agent: ana });
    hall.pass(seconds(3_601));
    let much_later = calls(&mut hall, 1);
    assert_eq!(served(&mut hall, ana, 2), [late, much_later], "an hour later nobody overtakes any more");
}

/// ROUTE-03: a caller whose phone rings at an agent becomes late in the meantime, and comes back to the later place.
#[test]
fn route_03_who_becomes_late_while_it_rings_falls_back_all_the_same() {
    let mut hall = hall([deadline(10, LateContacts::Last)]);
    let ana = hall.agent(&[]);
    let rings = calls(&mut hall, 1);
    hall.pass(seconds(15));
    let later = calls(&mut hall, 1);
    assert_eq!(hall.offered_to(rings), Some(ana), "it rings on");
    hall.pass(seconds(5));
    assert_eq!([rings, later].map(|call| hall.floor.ahead(call)), [Some(1), Some(0)]);
}

/// ROUTE-03: class slopes: each second of the steep class counts for three, so the classes are compared at the time of the
/// decision; inside a class it is first come, first served.
#[test]
fn route_03_a_steep_class_overtakes_a_flat_one_as_time_goes_by() {
    let order = |wait: u64| {
        let mut hall = hall([slope(100), slope(300)]);
        let ana = hall.hires(&[]);
        let flat = calls(&mut hall, 1);
        hall.pass(seconds(60));
        let steep = calls(&mut hall, 2);
        hall.pass(seconds(1));
        let second = calls(&mut hall, 2);
        hall.pass(seconds(wait - 1));
        let served = served(&mut hall, ana, 3);
        let place = |call| served.iter().position(|each| *each == call).unwrap();
        [flat, steep, second].map(place)
    };
    assert_eq!(order(29), [0, 1, 2], "89 s against 3 x 29 s and 3 x 28 s");
    assert_eq!(order(31), [1, 0, 2], "91 s against 3 x 31 s and 3 x 30 s");
    assert_eq!(order(40), [2, 0, 1], "100 s against 3 x 40 s and 3 x 39 s");
}

/// ROUTE-03: services of all three orders compete for one agent in virtual seconds of waiting.
#[test]
fn route_03_different_orders_compete_on_one_scale() {
    let mut hall = hall([ageing(), deadline(20, LateContacts::First), slope(200)]);
    let ana = hall.hires(&[]);
    let due = calls(&mut hall, 2);
    hall.pass(seconds(15));
    let aged = calls(&mut hall, 1);
    hall.pass(seconds(10));
    let steep = calls(&mut hall, 3);
    hall.pass(seconds(20));
    // Waited 45 s less 20 s; 30 s; twice 20 s.
    assert_eq!(served(&mut hall, ana, 3), [steep, aged, due]);
}

/// ROUTE-03: a priority point is worth the same waiting time under each order.
#[test]
fn route_03_priority_is_worth_the_same_under_every_order() {
    for rules in [ageing(), deadline(20, LateContacts::First), slope(300), slope(25)] {
        for (waited, first) in [(59, true), (61, false)] {
            let mut hall = hall([ageing(), QueueRules { priority: 1, ..rules.clone() }]);
            let ana = hall.hires(&[]);
            let target = if rules.order == WaitingOrder::Deadline { 20 } else { 0 };
            let plain = calls(&mut hall, 1);
            hall.pass(seconds(waited - target));
            let urgent = calls(&mut hall, 2);
            let expected = if first { [urgent, plain] } else { [plain, urgent] };
            assert_eq!(served(&mut hall, ana, 2), expected, "{rules:?} after {waited} s");
        }
    }
}

/// ROUTE-03: of equals, whoever came first, whatever the orders of their services.
#[test]
fn route_03_equals_are_served_as_they_came() {
    let mut hall = hall([slope(300), ageing(), slope(50)]);
    let ana = hall.hires(&[]);
    let order = [3, 1, 2].map(|service| calls(&mut hall, service));
    assert_eq!(served(&mut hall, ana, 1), order[..1], "nobody has waited yet");
    hall.must(Input::LogOut { agent: ana });
}

/// What a service's order is changed to holds for those who come; who waits keeps the place.
#[test]
fn a_changed_order_holds_for_those_who_come() {
    let mut hall = hall([ageing()]);
    let ana = hall.hires(&[]);
    let before = calls(&mut hall, 1);
    hall.reconfigure(|config| {
        config.services[0].queue = QueueRules { when_unstaffed: Treatment::Queue, ..slope(1_000) }
    });
    hall.pass(seconds(10));
    let after = calls(&mut hall, 1);
    hall.pass(seconds(2));
    let percent = |call| hall.floor.interaction(call).unwrap().slope_percent;
    assert_eq!((percent(before), percent(after)), (100, 1_000));
    assert_eq!(served(&mut hall, ana, 2), [after, before], "20 s against 12 s");
}
