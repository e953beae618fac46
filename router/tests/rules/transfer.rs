//! Customers whom an agent passes on.

use std::collections::BTreeSet;

use model::agent::{AgentState, NotReadyReason};
use model::id::{AgentId, Id, InteractionId, ServiceId};
use model::interaction::{Channel, EndStatus, EndedBy};
use model::journal::Event;
use model::people::{GroupRules, RestState};
use model::service::{QueueRules, Treatment};
use model::skill::Requirement;
use model::time::Timestamp;
use model::transfer::TransferTarget;
use router::{Arrival, Floor, Input, Onward, Output, Refusal, Retrace, Stage};

use crate::hall::{English, German, Hall, hotline, seconds, service};
use crate::sim::{Dice, for_each_seed};
use crate::states::not_ready;

fn billing() -> ServiceId {
    ServiceId::from_number(2)
}

/// A hotline for everybody and a service for those who speak German; two calls at once are too many.
fn hall() -> Hall {
    Hall::with(|config| {
        let queue = QueueRules { when_unstaffed: Treatment::Queue, ..QueueRules::default() };
        config.services.push(service(2, Requirement::fixed(German.at(1)), queue));
    })
}

fn into(interaction: InteractionId, service: ServiceId, since: Option<Timestamp>) -> Arrival {
    Arrival { since, ..Arrival::new(interaction, service, Channel::Voice) }
}

fn back(interaction: InteractionId, since: Option<Timestamp>) -> Arrival {
    Arrival { returns: true, ..into(interaction, hotline(), since) }
}

impl Hall {
    fn passes_on(&mut self, agent: AgentId, interaction: InteractionId, to: Onward) -> InteractionId {
        let part = self.next_id();
        self.must(Input::PassOn { interaction, agent, part, to: Box::new(to) });
        part
    }
    fn hands_to(&mut self, agent: AgentId, call: InteractionId, next: AgentId) -> InteractionId {
        self.passes_on(
            agent,
            call,
            Onward::Agent { agent: next, otherwise: back(call, Some(crate::hall::MORNING)) },
        )
    }
}

/// XFER-06: the agent is in after-call work at once, and the customer waits in the other service at the place of the first arrival,
/// before those who came later.
#[test]
fn xfer_06_a_customer_passed_on_to_a_service_keeps_the_place_of_the_first_arrival() {
    let mut hall = hall();
    let ana = hall.agent(&[English]);
    let bea = hall.agent(&[German]);
    let busy = hall.call_to(billing());
    hall.accepts(bea);
    let came = hall.now;
    let call = hall.takes_a_call(ana);
    hall.pass(seconds(30));
    let later = hall.call_to(billing());
    hall.pass(seconds(5));
    let part = hall.passes_on(ana, call, Onward::Queue(into(call, billing(), Some(came))));
    assert_eq!(hall.state(ana), AgentState::WrapUp);
    assert!(hall.waits(call) && hall.waits(later));
    hall.hangs_up(busy);
    hall.completes(bea);
    assert_eq!(hall.offered_to(call), Some(bea), "who came first is served first");
    hall.accepts(bea);
    // Ana's part is coded and completed whenever she wants, whatever becomes of the customer.
    hall.must(Input::WrapUpContinue { interaction: part });
    hall.hangs_up(call);
    assert_eq!((hall.state(ana), hall.state(bea)), (AgentState::WrapUp, AgentState::WrapUp));
    hall.must(Input::Complete { agent: ana, interaction: part });
    assert_eq!(hall.state(ana), AgentState::Ready);
    assert_eq!(hall.ended_as(call), Some(EndStatus::Normal));
    assert_eq!(hall.ended_as(part), None, "a part is no customer's call");
}

/// XFER-07: the colleague is rung whatever they are at, and whoever does not take it leaves the customer in the queue at the old place.
#[test]
fn xfer_07_a_colleague_who_does_not_take_it_leaves_the_customer_in_the_queue() {
    for declines in [true, false] {
        let mut hall = hall();
        let ana = hall.agent(&[English]);
        let call = hall.takes_a_call(ana);
        let bea = hall.agent(&[English]);
        let lunch = NotReadyReason::Chosen(Id::from_number(1));
        hall.must(Input::NotReady { agent: bea, reason: lunch });
        hall.pass(seconds(10));
        hall.hands_to(ana, call, bea);
        assert_eq!((hall.state(ana), hall.state(bea)), (AgentState::WrapUp, AgentState::Ringing));
        let later = hall.call();
        if declines {
            hall.declines(bea);
        } else {
            hall.pass(seconds(20));
        }
        assert_eq!(hall.state(bea), not_ready(lunch), "a colleague's choice does not change why Bea is away");
        assert!(hall.waits(call));
        hall.completes(ana);
        assert_eq!(hall.offered_to(call), Some(ana), "before whoever came later");
        assert!(hall.waits(later));
    }
}

/// XFER-07: an agent in a conversation is rung, and may carry both; queues give nothing more until the hands are empty again.
#[test]
fn xfer_07_a_busy_colleague_may_take_a_second_customer() {
    let mut hall = hall();
    let ana = hall.agent(&[English]);
    let call = hall.takes_a_call(ana);
    let bea = hall.agent(&[English]);
    let own = hall.takes_a_call(bea);
    hall.hands_to(ana, call, bea);
    hall.accepts(bea);
    assert_eq!(hall.state(bea), AgentState::Busy);
    hall.hangs_up(own);
    hall.completes(bea);
    let waiting = hall.call();
    assert_eq!(hall.offered_to(waiting), None, "one customer is in hand");
    hall.hangs_up(call);
    hall.completes(bea);
    assert_eq!(hall.offered_to(waiting), Some(bea));
}

/// XFER-05: a refused transfer changes nothing: the agent still has the customer.
#[test]
fn xfer_05_what_cannot_be_passed_on_stays_with_the_agent() {
    let mut hall = hall();
    let ana = hall.agent(&[English]);
    let (bea, cora) = (hall.agent(&[English]), hall.agent(&[English]));
    let call = hall.takes_a_call(ana);
    let rung = hall.call();
    assert_eq!(hall.offered_to(rung), Some(bea));
    hall.must(Input::Offline { agent: cora });
    let before = hall.journal.len();
    let to = |agent| Onward::Agent { agent, otherwise: back(call, None) };
    let unknown = ServiceId::from_number(77);
    let id = hall.next_id();
    for (to, why) in [
        (to(ana), Refusal::NotAllowed),
        (to(bea), Refusal::NotNow { state: AgentState::Ringing }),
        (to(cora), Refusal::NotNow { state: AgentState::Offline }),
        (to(AgentId::from_number(99)), Refusal::UnknownAgent),
        (Onward::Queue(into(call, unknown, None)), Refusal::UnknownService),
    ] {
        let told = Input::PassOn { interaction: call, agent: ana, part: id, to: Box::new(to) };
        assert_eq!(hall.tell(told), Err(why));
    }
    let number = Onward::Number("+4930".into());
    let told = Input::PassOn { interaction: call, agent: bea, part: id, to: Box::new(number) };
    assert_eq!(hall.tell(told), Err(Refusal::NotYours));
    hall.reconfigure(|config| config.services[1].open = false);
    let told = Input::PassOn {
        interaction: call,
        agent: ana,
        part: id,
        to: Box::new(Onward::Queue(into(call, billing(), None))),
    };
    assert_eq!(hall.tell(told), Err(Refusal::Closed));
    assert_eq!((hall.journal.len(), hall.state(ana)), (before, AgentState::Busy));
}

/// XFER-05: without after-call work the agent is free at once, and whoever is passed on to a number outside is not on the floor.
#[test]
fn xfer_05_the_agent_is_released_at_once() {
    let mut hall = Hall::with_rules(GroupRules {
        wrap_up: false,
        after_login: RestState::Ready,
        ..GroupRules::default()
    });
    let ana = hall.agent(&[]);
    let call = hall.takes_a_call(ana);
    let waiting = hall.call();
    hall.passes_on(ana, call, Onward::Number("+49301234".into()));
    assert_eq!(hall.offered_to(waiting), Some(ana));
    assert_eq!(hall.floor.interaction(call), None);
    hall.declines(ana);
    hall.must(Input::Arrive(back(call, Some(crate::hall::MORNING))));
    assert!(hall.waits(call));
}

/// What asked for somebody special asks for the same when it comes back to its service.
#[test]
fn a_customer_who_comes_back_asks_for_what_was_asked_before() {
    let mut hall = hall();
    let ana = hall.agent(&[German]);
    let call = hall.call_needing(German.at(3));
    hall.accepts(ana);
    let bea = hall.agent(&[English]);
    hall.hands_to(ana, call, bea);
    hall.declines(bea);
    let cora = hall.agent(&[English]);
    assert!(hall.waits(call), "Cora speaks no German");
    assert_eq!(hall.state(cora), AgentState::Ready);
    hall.completes(ana);
    assert_eq!(hall.offered_to(call), Some(ana));
}

/// Whatever agents and customers do, passing on included: the audit finds nothing after any step (the hall looks), the past decided
/// again is the same, and a crash after any entry leaves nobody without an end.
#[test]
fn xfer_05_nobody_is_lost_however_often_they_are_passed_on() {
    for_each_seed(6, |seed| {
        let mut dice = Dice::new(seed);
        let mut hall = hall();
        let agents: Vec<AgentId> =
            (0..4).map(|n| hall.agent(if n < 2 { &[German] } else { &[English] })).collect();
        let mut passed = 0;
        for _ in 0..400 {
            let agent = dice.pick(&agents).unwrap();
            let seen = hall.floor.agent(agent).unwrap();
            let other = dice.pick(&agents).unwrap();
            let active = seen.active.first().copied();
            match dice.below(13) {
                12 if active.is_some() => {
                    passed += usize::from(consults(&mut hall, (agent, active.unwrap()), other, &mut dice));
                }
                0 | 1 => drop(hall.call()),
                2 => drop(hall.call_to(billing())),
                3 | 4 if seen.offer.is_some() => hall.accepts(agent),
                5 if seen.offer.is_some() && dice.percent(40) => hall.declines(agent),
                6 | 7 if active.is_some() => {
                    let (call, part) = (active.unwrap(), hall.next_id());
                    let since = Some(crate::hall::MORNING);
                    let to = match dice.below(3) {
                        0 => Onward::Queue(into(call, billing(), since)),
                        1 => Onward::Agent { agent: other, otherwise: back(call, since) },
                        _ => Onward::Number("+4930".into()),
                    };
                    let outside = matches!(to, Onward::Number(_));
                    let told = hall.tell(Input::PassOn { interaction: call, agent, part, to: Box::new(to) });
                    passed += usize::from(told.is_ok());
                    if outside && told.is_ok() && dice.percent(50) {
                        hall.must(Input::Arrive(back(call, since)));
                    }
                }
                8 if active.is_some() => hall.hangs_up(active.unwrap()),
                9 if !seen.wrapping.is_empty() => hall.completes(agent),
                10 => {
                    let reason = NotReadyReason::ByHand;
                    let input = if dice.percent(70) {
                        Input::Ready { agent }
                    } else {
                        Input::NotReady { agent, reason }
                    };
                    let _ = hall.tell(input);
                }
                _ => hall.pass(seconds(dice.below(6) + 1)),
            }
        }
        assert!(passed > 1, "seed {seed}: {passed} were passed on");
        let mut again = Retrace::of(Floor::new(hall.config.clone()).unwrap());
        for (n, entry) in hall.journal.iter().enumerate() {
            if let Err(difference) = again.take(entry, &hall.journal[n + 1..]) {
                panic!("seed {seed}, entry {}: {difference:?}", entry.seq.0);
            }
        }
        for n in (0..hall.journal.len()).step_by(7) {
            crash(&hall, n, seed);
        }
    });
}

/// The agent asks a colleague, or a number, about the customer in hand, and most of the time passes the customer on. Tells whether.
fn consults(
    hall: &mut Hall,
    (agent, call): (AgentId, InteractionId),
    other: AgentId,
    dice: &mut Dice,
) -> bool {
    let (own, talk, channel) = (hall.next_id(), hall.next_id(), Channel::Voice);
    let outside = dice.percent(30);
    let internal = !outside;
    if hall.tell(Input::Begin { interaction: own, agent, channel, internal }).is_err() {
        return false;
    }
    let rings = Input::CallAgent { interaction: talk, agent: other, ring_time: seconds(20) };
    let (consulted, to) = if outside {
        (own, TransferTarget::Number { number: "+4930".into() })
    } else if other != agent && hall.tell(rings).is_ok() {
        hall.accepts(other);
        (talk, TransferTarget::Agent { agent: other })
    } else {
        hall.hangs_up(own);
        return false;
    };
    if dice.percent(30) {
        let asker = agent;
        let (agent, number) = ((!outside).then_some(other), "+4930".to_owned());
        hall.must(Input::BringIn { interaction: call, from: consulted, agent, number, by: asker });
    }
    let part = hall.next_id();
    let told = Input::HandOver { interaction: call, agent, part, consulted, to };
    let handed = dice.percent(80) && hall.tell(told).is_ok();
    for open in [talk, own] {
        if hall.floor.interaction(open).is_some() {
            hall.hangs_up(open);
        }
    }
    handed
}

/// The appliance dies after so many entries: all who were on the floor have an end, and all after-call work is completed.
fn crash(hall: &Hall, after: usize, seed: u64) {
    let mut floor = Floor::replay(hall.config.clone(), &hall.journal[..after]).unwrap();
    let there: BTreeSet<InteractionId> =
        floor.snapshot().interactions.iter().map(|seen| seen.interaction).collect();
    let wrapping: BTreeSet<InteractionId> = floor
        .snapshot()
        .interactions
        .iter()
        .filter(|seen| matches!(seen.stage, Stage::WrapUp { .. }))
        .map(|seen| seen.interaction)
        .collect();
    let mut out = Vec::new();
    floor.restart(hall.now, &mut out);
    let (mut ended, mut completed) = (BTreeSet::new(), BTreeSet::new());
    for output in &out {
        match output {
            Output::Journal(Event::Ended { interaction, by: EndedBy::System, .. }) => {
                ended.insert(*interaction);
            }
            Output::Journal(Event::Completed { interaction, .. }) => {
                completed.insert(*interaction);
            }
            _ => {}
        }
    }
    let live: BTreeSet<_> = there.difference(&wrapping).copied().collect();
    assert_eq!(ended, live, "seed {seed}, after {after}");
    assert!(completed.is_superset(&wrapping), "seed {seed}, after {after}");
    assert_eq!(floor.snapshot().interactions, [], "seed {seed}, after {after}");
}
