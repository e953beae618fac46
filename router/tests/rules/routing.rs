//! Who is asked, in which order, and what happens when they do not take it.

use model::journal::{Event, OfferEnd};
use model::service::{QueueRules, RingRule};
use model::skill::{Requirement, SkillExpr, StepMode};
use router::{AgentTerm, Input, Refusal, RequirementError};

use crate::hall::{Billing, English, German, Hall, hotline, seconds, service};

fn both(a: SkillExpr, b: SkillExpr) -> SkillExpr {
    SkillExpr::And(vec![a, b])
}

/// ROUTE-02: a boolean expression over skills with levels.
#[test]
fn route_02_levels_and_combinations_decide_who_may_answer() {
    let mut hall = Hall::open();
    let novice = hall.expert(&[(German, 3), (Billing, 8)]);
    let expert = hall.expert(&[(German, 8)]);
    let call = hall.call_needing(German.at(5));
    assert_eq!(hall.offered_to(call), Some(expert));
    let call = hall.call_needing(both(German.at(1), Billing.at(5)));
    assert_eq!(hall.offered_to(call), Some(novice));
    let call = hall.call_needing(both(German.at(5), Billing.at(5)));
    assert!(hall.waits(call));
    let anna = hall.agent(&[English]);
    let call = hall.call_needing(SkillExpr::Not(Box::new(German.at(1))));
    assert_eq!(hall.offered_to(call), Some(anna));
}

/// ROUTE-02: a step that replaces the one before; one that widens it.
#[test]
fn route_02_steps_replace_or_widen_after_their_time() {
    let steps = || vec![(German.at(8), Some(seconds(30))), (English.at(1), None)];
    for (mode, fits) in [(StepMode::Replace, false), (StepMode::Cumulative, true)] {
        let mut hall = Hall::open();
        let english = hall.agent(&[English]);
        let call = hall.call_with_steps(mode, steps());
        hall.pass(seconds(29));
        assert!(hall.waits(call));
        hall.pass(seconds(1));
        assert_eq!(hall.offered_to(call), Some(english), "the second step");
        hall.declines(english);
        let german = hall.expert(&[(German, 9)]);
        assert_eq!(hall.offered_to(call), fits.then_some(german), "{mode:?}: who fitted the first step");
    }
}

/// ROUTE-02: a preferred agent is waited for during the hold, then anybody is asked; excluded agents never are.
#[test]
fn route_02_a_preferred_agent_is_waited_for_and_an_excluded_one_never_asked() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    hall.pass(seconds(9));
    let jonas = hall.agent(&[]);
    let call = hall.special_call(|call| call.preferred = vec![jonas]);
    assert_eq!(hall.offered_to(call), Some(jonas), "free at once, though Ana is idle longer");
    hall.accepts(jonas);
    let call = hall.special_call(|call| call.preferred = vec![jonas]);
    assert_eq!(hall.offered_to(call), Some(ana), "busy, and no hold was asked for");
    hall.customer_leaves(call);
    let call = hall.special_call(|call| {
        call.preferred = vec![jonas];
        call.preferred_hold = seconds(20);
    });
    hall.pass(seconds(19));
    assert!(hall.waits(call), "Ana is free, but the hold lasts");
    hall.pass(seconds(1));
    assert_eq!(hall.offered_to(call), Some(ana));
    hall.customer_leaves(call);
    let call = hall.special_call(|call| call.excluded = vec![ana]);
    hall.pass(seconds(600));
    assert!(hall.waits(call));
}

/// ROUTE-02, LIVE-07 (C16): priority first, then who knows the agent, then the longest wait; held no longer, it is ahead of nobody.
#[test]
fn live_07_a_preferred_agent_takes_who_is_held_before_who_came_earlier() {
    let mut hall = Hall::open();
    let (ana, jonas) = (hall.agent(&[]), hall.agent(&[]));
    let (first, second) = (hall.call(), hall.call());
    for (agent, call) in [(ana, first), (jonas, second)] {
        assert_eq!(hall.offered_to(call), Some(agent));
        hall.accepts(agent);
    }
    let stranger = hall.call();
    hall.pass(seconds(50));
    let held = |hall: &mut Hall| {
        hall.special_call(|call| {
            call.preferred = vec![jonas];
            call.preferred_hold = seconds(30);
            call.ahead = seconds(60);
        })
    };
    let friend = held(&mut hall);
    let urgent = hall.call_with_priority(2);
    let order = |hall: &Hall| [urgent, friend, stranger].map(|call| hall.floor.ahead(call));
    assert_eq!(order(&hall), [Some(0), Some(1), Some(2)]);
    hall.hangs_up(second);
    hall.completes(jonas);
    assert_eq!(hall.offered_to(urgent), Some(jonas), "priority comes first");
    hall.accepts(jonas);
    hall.hangs_up(urgent);
    hall.completes(jonas);
    assert_eq!(hall.offered_to(friend), Some(jonas), "who knows the agent comes before who came earlier");
    hall.accepts(jonas);
    let friend = held(&mut hall);
    hall.pass(seconds(30));
    assert_eq!([stranger, friend].map(|call| hall.floor.ahead(call)), [Some(0), Some(1)], "the hold is over");
    hall.hangs_up(first);
    hall.completes(ana);
    assert_eq!(hall.offered_to(stranger), Some(ana));
}

#[test]
fn a_preferred_agent_must_still_fit() {
    let mut hall = Hall::open();
    let english = hall.agent(&[English]);
    let german = hall.agent(&[German]);
    let call = hall.special_call(|call| {
        call.requirement = Some(Requirement::fixed(German.at(1)));
        call.preferred = vec![english];
        call.preferred_hold = seconds(20);
    });
    hall.pass(seconds(20));
    assert_eq!(hall.offered_to(call), Some(german));
}

/// ROUTE-03: a priority point buys waiting time, so nobody is overtaken for ever; ties by arrival.
#[test]
fn route_03_a_priority_point_is_worth_a_minute_of_waiting() {
    let mut hall = Hall::open();
    let ana = hall.hires(&[]);
    let patient = hall.call();
    hall.pass(seconds(59));
    let urgent = hall.call_with_priority(1);
    hall.pass(seconds(2));
    let late = hall.call_with_priority(1);
    let later = hall.call_with_priority(1);
    let order = [urgent, patient, late, later];
    assert_eq!(order.map(|call| hall.floor.ahead(call)), [Some(0), Some(1), Some(2), Some(3)]);
    hall.signs_in(ana);
    for call in order {
        assert_eq!(hall.offered_to(call), Some(ana), "the places shown are the order of service");
        hall.accepts(ana);
        hall.hangs_up(call);
        hall.completes(ana);
    }
}

/// ROUTE-03: an interaction that comes back from an agent has the place it had.
#[test]
fn route_03_a_returned_interaction_keeps_its_key() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let first = hall.call();
    let place = hall.floor.interaction(first).unwrap().place;
    let second = hall.call();
    hall.pass(seconds(20));
    assert!(hall.waits(first), "Ana missed it");
    assert_eq!(hall.floor.interaction(first).unwrap().place, place);
    let jonas = hall.agent(&[]);
    assert_eq!((hall.offered_to(first), hall.offered_to(second)), (Some(jonas), None));
    hall.must(Input::Ready { agent: ana });
    assert_eq!(hall.offered_to(second), Some(ana));
}

#[test]
fn priority_comes_from_the_service_unless_the_call_brings_its_own() {
    let mut hall = Hall::with(|config| {
        let vip = QueueRules {
            priority: 10,
            when_unstaffed: model::service::Treatment::Queue,
            ..Default::default()
        };
        config.services.push(service(2, Requirement::fixed(SkillExpr::Any), vip));
    });
    let ana = hall.hires(&[]);
    let plain = hall.call();
    let vip = hall.call_to(<_ as model::id::Id>::from_number(2));
    let urgent = hall.call_with_priority(100);
    hall.signs_in(ana);
    for call in [urgent, vip, plain] {
        assert_eq!(hall.offered_to(call), Some(ana));
        hall.customer_leaves(call);
    }
}

/// ROUTE-05: an offer is a lease with a token and a deadline; a stale token is a no-op.
#[test]
fn route_05_a_stale_token_changes_nothing() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let call = hall.call();
    let stale = hall.token(ana);
    hall.pass(seconds(20));
    let events = hall.journal.len();
    let picture = hall.floor.snapshot();
    for input in [
        Input::Accept { agent: ana, token: stale },
        Input::Decline { agent: ana, token: stale },
        Input::OfferFailed { agent: ana, token: stale },
    ] {
        assert_eq!(hall.tell(input), Err(Refusal::Stale));
    }
    assert_eq!((hall.journal.len(), hall.floor.snapshot()), (events, picture));
    hall.customer_leaves(call);
    hall.must(Input::Ready { agent: ana });
    hall.call();
    assert_ne!(hall.token(ana), stale);
    assert_eq!(
        hall.tell(Input::Accept { agent: ana, token: stale }),
        Err(Refusal::Stale),
        "an answer to the old one"
    );
}

/// ROUTE-05: ring-all and ring-k: the first to accept wins, and the others are released in the same step.
#[test]
fn route_05_several_are_rung_and_the_first_to_accept_wins() {
    for (ring, expected) in [(RingRule::One, 1), (RingRule::Several, 2), (RingRule::All, 3)] {
        let mut hall = Hall::with(|config| {
            let queue = &mut config.services[0].queue;
            (queue.ring, queue.ring_agents) = (ring, 2);
        });
        let agents = [hall.agent(&[]), hall.agent(&[]), hall.agent(&[])];
        let call = hall.call();
        let rung = hall.all_rung(call);
        assert_eq!(rung.len(), expected, "{ring:?}");
        let winner = *rung.last().unwrap();
        hall.accepts(winner);
        for agent in agents {
            let state = hall.state(agent);
            let busy = agent == winner;
            assert_eq!(state == model::agent::AgentState::Busy, busy);
            assert!(busy || state == model::agent::AgentState::Ready, "{state:?}");
        }
        let released = hall
            .events()
            .filter(|event| matches!(event, Event::OfferEnded { why: OfferEnd::TakenElsewhere, .. }));
        assert_eq!(released.count(), expected - 1);
    }
}

/// ROUTE-05: as long as one of several phones rings, the call is not requeued.
#[test]
fn one_of_two_refuses_and_the_other_rings_on() {
    let mut hall = Hall::with(|config| config.services[0].queue.ring = RingRule::All);
    let (ana, jonas) = (hall.agent(&[]), hall.agent(&[]));
    let call = hall.call();
    hall.declines(ana);
    assert_eq!(hall.all_rung(call), [jonas]);
    hall.pass(seconds(20));
    assert!(hall.waits(call));
}

/// ROUTE-05: who refused is not asked again for a while, and then is.
#[test]
fn route_05_a_refusal_is_remembered_for_the_cool_down() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let call = hall.call();
    hall.declines(ana);
    hall.must(Input::Ready { agent: ana });
    let other = hall.call();
    assert_eq!(
        (hall.offered_to(call), hall.offered_to(other)),
        (None, Some(ana)),
        "the refused one is skipped"
    );
    hall.customer_leaves(other);
    hall.pass(seconds(59));
    assert!(hall.waits(call));
    hall.pass(seconds(1));
    assert_eq!(hall.offered_to(call), Some(ana));
}

#[test]
fn with_several_fitting_agents_the_configured_order_decides() {
    use AgentTerm::{LeastLoaded, LeastSkilled, LongestIdle, MostSkilled, RoundRobin};
    // Novice is idle longest; the expert was rung least recently.
    for (order, chosen) in [
        (vec![MostSkilled, LongestIdle], 1),
        (vec![LeastSkilled, LongestIdle], 0),
        (vec![LongestIdle], 0),
        (vec![RoundRobin], 1),
        (vec![LeastLoaded, LongestIdle], 0),
        (vec![], 0),
    ] {
        let mut hall = Hall::with(|config| config.agent_order = order.clone());
        let novice = hall.expert(&[(German, 2)]);
        let call = hall.call();
        hall.customer_leaves(call);
        hall.pass(seconds(10));
        let expert = hall.expert(&[(German, 9)]);
        let call = hall.call_needing(German.at(1));
        assert_eq!(hall.offered_to(call), Some([novice, expert][chosen]), "{order:?}");
    }
}

#[test]
fn the_less_loaded_agent_is_chosen_when_load_comes_first() {
    let mut hall = Hall::two_at_once();
    hall.reconfigure(|config| config.agent_order = vec![AgentTerm::LeastLoaded, AgentTerm::LongestIdle]);
    let (ana, jonas) = (hall.agent(&[]), hall.agent(&[]));
    hall.takes_a_call(ana);
    let second = hall.call();
    assert_eq!(hall.offered_to(second), Some(jonas));
    hall.accepts(jonas);
    let third = hall.call();
    assert_eq!(hall.offered_to(third), Some(ana), "equal load: idle longer");
}

#[test]
fn an_unusable_requirement_is_refused_and_nothing_happens() {
    let mut hall = Hall::open();
    let id = hall.next_id();
    let mut arrival = router::Arrival::new(id, hotline(), model::interaction::Channel::Voice);
    arrival.requirement = Some(Requirement { steps: vec![], mode: StepMode::Replace });
    assert_eq!(hall.tell(Input::Arrive(arrival)), Err(Refusal::Requirement(RequirementError::NoStep)));
    assert_eq!(hall.floor.queue(hotline()).unwrap().waiting, 0);
}
