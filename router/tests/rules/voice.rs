//! Calls that are offered, taken, refused and missed.

use model::agent::{AgentState, NotReadyReason};
use model::id::{Id as _, SessionId};
use model::interaction::EndStatus;
use model::journal::OfferEnd;
use model::people::PhoneKind;
use model::service::{Overflow, QueueRules, Treatment};
use model::skill::{Requirement, SkillExpr};
use router::{Input, Output, Refusal};

use crate::hall::{English, German, Hall, hotline, seconds, service, team};

/// VOICE-01: a queue call goes only to an agent who is Ready and serves it.
#[test]
fn voice_01_a_german_caller_waits_for_the_german_speaker_though_another_agent_is_free() {
    let mut hall = Hall::open();
    let jonas = hall.agent(&[German]);
    let _ana = hall.agent(&[English]);
    let first = hall.call_needing(German.at(1));
    assert_eq!(hall.offered_to(first), Some(jonas));
    hall.accepts(jonas);
    let second = hall.call_needing(German.at(1));
    hall.pass(seconds(90));
    assert_eq!(hall.offered_to(second), None, "Ana is free but lacks the skill");
    hall.hangs_up(first);
    assert_eq!(hall.offered_to(second), None, "Jonas is not Ready yet");
    hall.completes(jonas);
    assert_eq!(hall.offered_to(second), Some(jonas));
}

/// VOICE-01: the group that serves a service.
#[test]
fn voice_01_a_service_of_one_group_is_not_offered_to_another() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let other = <model::id::GroupId as model::id::Id>::from_number(2);
    let call = hall.call_needing(SkillExpr::InGroup(other));
    assert!(hall.waits(call));
    hall.reconfigure(|config| config.agents[0].group = Some(other));
    assert_eq!(hall.offered_to(call), Some(ana), "moved to the group that serves it");
}

/// VOICE-02: an offered call rings with a window, and the agent is Ringing until it is resolved.
#[test]
fn voice_02_an_offered_call_rings_until_it_is_resolved() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let call = hall.call();
    let token = hall.token(ana);
    let deadline = hall.now + seconds(20);
    assert!(hall.out.contains(&Output::Offer { interaction: call, agent: ana, token, deadline }));
    assert_eq!(hall.state(ana), AgentState::Ringing);
    hall.pass(seconds(19));
    assert_eq!(hall.state(ana), AgentState::Ringing);
    hall.customer_leaves(call);
    let why = OfferEnd::CallerLeft;
    assert!(hall.out.contains(&Output::WithdrawOffer { interaction: call, agent: ana, token, why }));
    assert_eq!(hall.state(ana), AgentState::Ready);
}

/// VOICE-06: accepted is Busy, and the call is among the agent's active ones.
#[test]
fn voice_06_an_accepted_call_is_in_the_active_list() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let call = hall.call();
    hall.accepts(ana);
    let view = hall.floor.agent(ana).unwrap();
    assert_eq!((view.state, view.active), (AgentState::Busy, vec![call]));
}

/// VOICE-07: a refused call returns to the queue, and the agent is Not ready.
#[test]
fn voice_07_a_refused_call_goes_back_to_its_place_in_the_queue() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let refused = hall.call();
    let later = hall.call();
    hall.declines(ana);
    assert!(hall.waits(refused));
    assert_eq!(hall.state(ana), AgentState::NotReady { reason: NotReadyReason::Declined });
    assert_eq!(hall.floor.ahead(refused), Some(0), "before the one who came later");
    assert_eq!(hall.floor.ahead(later), Some(1));
    let jonas = hall.agent(&[]);
    assert_eq!(hall.offered_to(refused), Some(jonas));
}

/// VOICE-08: refusing a colleague's call ends it, and the agent is where the agent was.
#[test]
fn voice_08_a_refused_internal_call_ends_and_changes_nothing() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let rest = NotReadyReason::Chosen(model::id::Id::from_number(1));
    for before in [AgentState::Ready, AgentState::NotReady { reason: rest }] {
        if before != AgentState::Ready {
            hall.must(Input::NotReady { agent: ana, reason: rest });
        }
        let call = hall.next_id();
        hall.must(Input::CallAgent { interaction: call, agent: ana, ring_time: seconds(30) });
        assert_eq!(hall.state(ana), AgentState::Ringing);
        hall.declines(ana);
        assert_eq!((hall.state(ana), hall.ended_as(call)), (before, Some(EndStatus::Refused)));
        assert!(hall.floor.interaction(call).is_none(), "not queued for others");
    }
}

/// An internal call is no queue work: no after-call work follows it.
#[test]
fn an_accepted_internal_call_ends_where_it_began() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let call = hall.next_id();
    hall.must(Input::CallAgent { interaction: call, agent: ana, ring_time: seconds(30) });
    hall.accepts(ana);
    assert_eq!(hall.state(ana), AgentState::Busy);
    let waiting = hall.call();
    assert_eq!(hall.offered_to(waiting), None, "on the phone");
    hall.hangs_up(call);
    assert_eq!(hall.offered_to(waiting), Some(ana));
}

/// VOICE-09: the countdown expires: the next agent is rung, the first is Not ready (No answer).
#[test]
fn voice_09_a_missed_call_rings_at_the_next_agent() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[German]);
    hall.pass(seconds(1));
    let jonas = hall.agent(&[German]);
    let _other = hall.agent(&[English]);
    let call = hall.call_needing(German.at(1));
    assert_eq!(hall.offered_to(call), Some(ana), "idle longer");
    hall.pass(seconds(20));
    assert_eq!(hall.offered_to(call), Some(jonas), "same skill");
    assert_eq!(hall.state(ana), AgentState::NotReady { reason: NotReadyReason::NoAnswer });
    hall.must(Input::Ready { agent: ana });
    hall.pass(seconds(20));
    assert!(hall.waits(call), "Jonas missed it too, and Ana is skipped for a minute");
    hall.pass(seconds(40));
    assert_eq!(hall.offered_to(call), Some(ana), "the minute is over");
}

/// VOICE-10: missed and refused offers are counted for each agent.
#[test]
fn voice_10_missed_and_refused_offers_are_counted() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let jonas = hall.hires(&[]);
    for round in 0..3 {
        let call = hall.call();
        if round == 0 {
            hall.declines(ana)
        } else {
            hall.pass(seconds(20))
        }
        hall.customer_leaves(call);
        hall.must(Input::Ready { agent: ana });
    }
    let tally = hall.floor.agent(ana).unwrap().tally;
    assert_eq!((tally.offered, tally.missed, tally.declined, tally.accepted), (3, 2, 1, 0));
    assert_eq!(hall.floor.agent(jonas).unwrap().tally, router::Tally::default());
}

/// VOICE-14: the phone cannot be reached: back to the queue, Not ready (Connection lost).
#[test]
fn voice_14_an_offer_that_cannot_be_set_up_goes_back_to_the_queue() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let call = hall.call();
    hall.cannot_be_reached(ana);
    assert!(hall.waits(call));
    assert_eq!(hall.state(ana), AgentState::NotReady { reason: NotReadyReason::ConnectionLost });
}

/// VOICE-15: all agents of the group are offline: "no agent online".
#[test]
fn voice_15_nobody_online_is_said_at_the_door_and_in_the_queue() {
    let mut hall = Hall::with(|config| config.services[0].queue.when_unstaffed = Treatment::Announce);
    let ana = hall.hires(&[]);
    assert!(!hall.floor.staffed(hotline()));
    assert_eq!(hall.tries_to_call(hotline()), Err(Refusal::NoAgentOnline));
    hall.signs_in(ana);
    let talking = hall.takes_a_call(ana);
    let waiting = hall.call();
    assert!(hall.floor.staffed(hotline()), "busy is not offline");
    hall.hangs_up(talking);
    hall.must(Input::Offline { agent: ana });
    let why = Overflow::AgentsLeft;
    assert!(hall.out.contains(&Output::TurnedAway { interaction: waiting, why }));
    assert_eq!(hall.ended_as(waiting), Some(EndStatus::NoAgentOnline));
}

/// VOICE-15: a caller who leaves while it rings is abandoned in ringing, against that agent, who is as before.
#[test]
fn voice_15_a_caller_who_leaves_while_it_rings_counts_against_the_agent() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let idle_since = hall.floor.agent(ana).unwrap().idle_since;
    let call = hall.call();
    hall.pass(seconds(5));
    hall.customer_leaves(call);
    assert_eq!(hall.ended_as(call), Some(EndStatus::AbandonedRinging));
    let view = hall.floor.agent(ana).unwrap();
    assert_eq!((view.state, view.tally.abandoned, view.idle_since), (AgentState::Ready, 1, idle_since));
    hall.must(Input::NotReady { agent: ana, reason: NotReadyReason::Forced });
    let call = hall.call();
    hall.customer_leaves(call);
    assert_eq!(hall.ended_as(call), Some(EndStatus::Abandoned), "nobody's phone rang");
}

#[test]
fn the_caller_after_the_last_allowed_one_hears_that_the_queue_is_full() {
    let mut hall = Hall::with(|config| config.services[0].queue.waiting_max = 2);
    let ana = hall.agent(&[]);
    let rings = hall.call();
    hall.call();
    assert_eq!(hall.tries_to_call(hotline()), Err(Refusal::QueueFull), "one rings, one waits");
    hall.accepts(ana);
    assert_eq!(hall.tries_to_call(hotline()), Ok(()), "the first is answered");
    hall.hangs_up(rings);
}

#[test]
fn whoever_waited_too_long_is_turned_away_but_not_while_a_phone_rings() {
    let mut hall = Hall::with(|config| config.services[0].queue.wait_time_max = Some(seconds(60)));
    let ana = hall.hires(&[]);
    let call = hall.call();
    hall.pass(seconds(50));
    let later = hall.call();
    hall.signs_in(ana);
    hall.pass(seconds(15));
    assert_eq!(hall.offered_to(call), Some(ana), "65 s, but it rings");
    hall.pass(seconds(5));
    assert_eq!(hall.ended_as(call), Some(EndStatus::QueueFull), "missed, and too late to wait on");
    hall.pass(seconds(40));
    assert_eq!(hall.ended_as(later), Some(EndStatus::QueueFull));
}

#[test]
fn a_closed_service_takes_nobody_and_an_unknown_one_neither() {
    let mut hall = Hall::with(|config| {
        let mut closed = service(2, Requirement::fixed(SkillExpr::Any), Default::default());
        closed.open = false;
        config.services.push(closed);
    });
    hall.agent(&[]);
    let ids = [2, 3].map(<model::id::ServiceId as model::id::Id>::from_number);
    assert_eq!(hall.tries_to_call(ids[0]), Err(Refusal::Closed));
    assert_eq!(hall.tries_to_call(ids[1]), Err(Refusal::UnknownService));
}

#[test]
fn an_agent_without_a_phone_is_not_rung() {
    let mut hall = Hall::open();
    let ana = hall.hires(&[]);
    hall.must(Input::LogIn { agent: ana, session: model::id::Id::from_number(1), phone: PhoneKind::None });
    assert_eq!(hall.state(ana), AgentState::Ready);
    let call = hall.call();
    assert!(hall.waits(call));
}

#[test]
fn signing_out_while_it_rings_passes_the_call_on() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    hall.pass(seconds(1));
    let jonas = hall.agent(&[]);
    let call = hall.call();
    assert_eq!(hall.offered_to(call), Some(ana));
    hall.must(Input::LogOut { agent: ana });
    assert_eq!((hall.state(ana), hall.offered_to(call)), (AgentState::LoggedOut, Some(jonas)));
    hall.must(Input::ForceNotReady { agent: jonas });
    assert!(hall.waits(call), "forced away while it rang");
}

#[test]
fn signing_out_does_not_cut_the_conversation() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let call = hall.takes_a_call(ana);
    hall.must(Input::LogOut { agent: ana });
    assert_eq!(hall.state(ana), AgentState::LoggedOut);
    assert!(hall.floor.interaction(call).is_some());
    hall.signs_in(ana);
    assert_eq!(hall.state(ana), AgentState::Busy, "the call is still there");
    hall.must(Input::LogOut { agent: ana });
    hall.customer_hangs_up(call);
    assert!(hall.floor.interaction(call).is_none(), "nobody is there for after-call work");
}

#[test]
fn a_changed_group_rule_holds_for_those_already_signed_in() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    hall.reconfigure(|config| config.groups.get_mut(&team()).unwrap().not_ready_on_refusal = false);
    hall.call();
    hall.declines(ana);
    assert_eq!(hall.state(ana), AgentState::Ready, "the rule of now, not of sign-in");
}

/// CONN-06: a call rings longer at a number outside, which takes seconds to ring at all; a chat does not.
#[test]
fn a_number_outside_has_more_time() {
    let mut hall = Hall::open();
    let ana = hall.hires(&[]);
    hall.must(Input::LogIn { agent: ana, session: SessionId::from_number(1), phone: PhoneKind::Number });
    let usual = QueueRules::default().ring_time;
    let call = hall.call();
    assert_eq!(hall.offered_to(call), Some(ana));
    hall.pass(usual + seconds(19));
    assert_eq!(hall.offered_to(call), Some(ana));
    hall.pass(seconds(1));
    assert!(hall.waits(call));
}
