//! Changes of the set-up while people work, and what may be asked about who waits and why.

use model::skill::{Requirement, Step, StepMode};
use router::{Advice, Arrival, Input, Output, Refusal, Verdict};

use crate::hall::{Billing, English, German, Hall, hotline, seconds};

#[test]
fn a_requirement_nobody_fits_is_reported_at_once() {
    let mut hall = Hall::open();
    hall.agent(&[German]);
    let call = hall.call_needing(English.at(1));
    assert!(hall.out.contains(&Output::NobodyFits { interaction: call }));
    let fine = hall.call_needing(German.at(5));
    hall.reconfigure(|config| config.agents[0].skills.clear());
    assert!(
        !hall.out.contains(&Output::NobodyFits { interaction: fine }),
        "it rings; whoever answers answers"
    );
    hall.pass(seconds(20));
    hall.reconfigure(|_| {});
    assert!(hall.out.contains(&Output::NobodyFits { interaction: fine }), "it waits again, in vain");
}

#[test]
fn a_skill_learnt_while_callers_wait_brings_them_an_agent() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let call = hall.call_needing(Billing.at(3));
    hall.reconfigure(|config| {
        config.agents[0].skills.insert(Billing.id(), model::skill::Level::MAX);
    });
    assert_eq!(hall.offered_to(call), Some(ana));
}

#[test]
fn a_new_set_up_keeps_places_and_lets_offers_ring_on() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let rings = hall.call();
    let waits = hall.call();
    let place = hall.floor.interaction(waits).unwrap().place;
    hall.reconfigure(|config| {
        config.services[0].queue.priority = 50;
        config.services[0].requirement = Requirement::fixed(German.at(1));
    });
    assert_eq!(hall.offered_to(rings), Some(ana));
    assert_eq!(hall.floor.interaction(waits).unwrap().place, place);
    hall.reconfigure(|config| config.services.clear());
    assert_eq!(hall.tries_to_call(hotline()), Err(Refusal::UnknownService));
    hall.accepts(ana);
    hall.hangs_up(rings);
    hall.completes(ana);
    assert_eq!(hall.offered_to(waits), Some(ana), "the queue is gone, its callers are not");
}

#[test]
fn an_agent_taken_out_of_the_set_up_is_signed_out_and_may_end_the_call() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let jonas = hall.agent(&[]);
    let call = hall.call();
    let first = hall.offered_to(call).unwrap();
    hall.accepts(first);
    let rings = hall.call();
    hall.reconfigure(|config| config.agents.clear());
    assert!(hall.waits(rings));
    assert_eq!(hall.floor.agents(), []);
    hall.customer_hangs_up(call);
    assert!(hall.floor.interaction(call).is_none());
    assert_eq!((ana, jonas).0, first);
}

/// ROUTE-06: I13 also when the last step that anybody fits is over, and when it comes back to such a queue.
#[test]
fn a_step_that_nobody_fits_is_reported_when_it_begins() {
    let mut hall = Hall::open();
    let ana = hall.expert(&[(German, 5)]);
    hall.must(Input::ForceNotReady { agent: ana });
    let steps =
        vec![Step { who: German.at(5), lasts: Some(seconds(10)) }, Step { who: English.at(5), lasts: None }];
    let call = model::id::Id::from_number(900);
    let mut arrival = Arrival::new(call, hotline(), model::interaction::Channel::Voice);
    arrival.requirement = Some(Requirement { steps, mode: StepMode::Replace });
    hall.must(Input::Arrive(arrival));
    assert!(!hall.out.contains(&Output::NobodyFits { interaction: call }), "Ana will do, once she is Ready");
    let due = hall.floor.next_deadline().unwrap();
    let mut out = Vec::new();
    hall.floor.tick(due, &mut out);
    assert!(out.contains(&Output::NobodyFits { interaction: call }), "{out:?}");
}

#[test]
fn the_explanation_names_what_stands_between_a_caller_and_each_agent() {
    let mut hall = Hall::open();
    let english = hall.agent(&[English]);
    let away = hall.hires(&[(German, 5)]);
    let resting = hall.agent(&[German]);
    hall.must(Input::ForceNotReady { agent: resting });
    let busy = hall.agent(&[German]);
    let talk = hall.call_needing(German.at(1));
    hall.accepts(busy);
    let refuser = hall.agent(&[German]);
    let call = hall.call_needing(German.at(1));
    hall.declines(refuser);
    hall.must(Input::Ready { agent: refuser });
    let why = hall.floor.explain(call).unwrap();
    assert_eq!((why.position, why.fitting, why.online, why.hopeless), (Some(0), 4, 3, false));
    let verdict = |agent| why.agents.iter().find(|(who, _)| *who == agent).unwrap().1;
    assert_eq!(verdict(english), Verdict::Unskilled);
    assert_eq!(verdict(away), Verdict::Away);
    assert_eq!(verdict(resting), Verdict::NotReady);
    assert_eq!(verdict(busy), Verdict::NoRoom);
    assert_eq!(verdict(refuser), Verdict::Refused { until: hall.now + seconds(60) });
    let until = hall.now + seconds(60);
    let [english, away, resting, busy] = [english, away, resting, busy].map(|agent| (1, vec![agent]));
    let expected = [
        Advice::NotReady { agents: resting.0, who: resting.1 },
        Advice::AtWork { agents: busy.0, who: busy.1.clone() },
        Advice::Refused { agents: 1, until },
        Advice::Away { agents: away.0, who: away.1 },
        Advice::LacksOnly { skill: German.id(), asked: 1, agents: english.0, who: english.1 },
    ];
    assert_eq!(why.advice, expected);
    let busy = busy.1[0];
    let why = hall.floor.explain(talk).unwrap();
    assert_eq!(why.agents.iter().find(|(who, _)| *who == busy).unwrap().1, Verdict::Handling);
}

#[test]
fn the_queue_knows_how_many_wait_and_who_waits_longest() {
    let mut hall = Hall::open();
    let ana = hall.hires(&[]);
    assert_eq!(hall.floor.longest_wait(hotline(), hall.now), None);
    let first = hall.call();
    hall.pass(seconds(10));
    hall.call_with_priority(1_000);
    hall.pass(seconds(5));
    let queue = hall.floor.queue(hotline()).unwrap();
    assert_eq!((queue.waiting, queue.staffed), (2, false));
    assert_eq!(hall.floor.longest_wait(hotline(), hall.now), Some(seconds(15)));
    hall.customer_leaves(first);
    assert_eq!(hall.floor.longest_wait(hotline(), hall.now), Some(seconds(5)));
    hall.signs_in(ana);
    hall.accepts(ana);
    assert_eq!(hall.floor.queue(hotline()).unwrap().waiting, 0);
}
