//! Customers who are passed on to whom the agent asked first.

use model::agent::AgentState;
use model::id::{AgentId, Id as _, InteractionId};
use model::interaction::{Channel, EndStatus};
use model::journal::{Entry, Event};
use model::transfer::TransferTarget;
use router::{Input, Refusal, Stage};

use crate::hall::{English, Hall, seconds};

/// Ana calls a colleague while a customer waits for her: what keeps her Busy, and the call.
fn asks(hall: &mut Hall, agent: AgentId, colleague: AgentId) -> (InteractionId, InteractionId) {
    let (own, talk) = (hall.next_id(), hall.next_id());
    hall.must(Input::Begin { interaction: own, agent, channel: Channel::Voice, internal: true });
    hall.must(Input::CallAgent { interaction: talk, agent: colleague, ring_time: seconds(20) });
    hall.accepts(colleague);
    (own, talk)
}

/// XFER-04: both calls leave the agent, who is in after-call work of the customer's; the colleague has the customer, and nothing more of
/// the call in which they spoke.
#[test]
fn xfer_04_the_colleague_who_was_asked_has_the_customer_and_the_agent_is_released() {
    let mut hall = Hall::open();
    let (ana, bea) = (hall.agent(&[English]), hall.agent(&[English]));
    let call = hall.takes_a_call(ana);
    let (own, talk) = asks(&mut hall, ana, bea);
    hall.pass(seconds(30));
    let part = hall.next_id();
    let to = TransferTarget::Agent { agent: bea };
    hall.must(Input::HandOver { interaction: call, agent: ana, part, consulted: talk, to });
    hall.hangs_up(own);
    assert_eq!((hall.state(ana), hall.state(bea)), (AgentState::WrapUp, AgentState::Busy));
    assert_eq!(hall.floor.interaction(call).unwrap().stage, Stage::Active { agent: bea });
    assert_eq!(hall.floor.interaction(talk), None);
    assert_eq!(hall.ended_as(talk), Some(EndStatus::Normal));
    let wraps = |of| {
        let begun =
            |e: &&Entry| matches!(e.event, Event::WrapUpStarted { interaction, .. } if interaction == of);
        hall.journal.iter().filter(begun).count()
    };
    assert_eq!((wraps(part), wraps(talk), wraps(own)), (1, 0, 0));
    hall.hangs_up(call);
    assert_eq!(hall.state(bea), AgentState::WrapUp, "the colleague codes the customer's call");
    hall.completes(bea);
    hall.completes(ana);
    assert_eq!((hall.state(ana), hall.state(bea)), (AgentState::Ready, AgentState::Ready));
}

/// XFER-04: to a number outside that was asked: nobody of the floor has the customer any more, and the call to the number needs no
/// after-call work beside that of the customer's.
#[test]
fn xfer_04_a_number_that_was_asked_takes_the_customer_off_the_floor() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[English]);
    let call = hall.takes_a_call(ana);
    let (talk, part) = (hall.next_id(), hall.next_id());
    hall.must(Input::Begin { interaction: talk, agent: ana, channel: Channel::Voice, internal: false });
    let to = TransferTarget::Number { number: "+4930".into() };
    hall.must(Input::HandOver { interaction: call, agent: ana, part, consulted: talk, to });
    assert_eq!((hall.floor.interaction(call), hall.floor.interaction(talk)), (None, None));
    assert_eq!(hall.state(ana), AgentState::WrapUp);
    hall.completes(ana);
    assert_eq!(hall.state(ana), AgentState::Ready);
}

/// XFER-04: only whoever has the customer hands over, and to somebody else; what cannot be changes nothing.
#[test]
fn xfer_04_nobody_else_hands_over() {
    let mut hall = Hall::open();
    let (ana, bea) = (hall.agent(&[English]), hall.agent(&[English]));
    let call = hall.takes_a_call(ana);
    let (own, talk) = asks(&mut hall, ana, bea);
    let before = hall.journal.len();
    let part = hall.next_id();
    let to = |agent| TransferTarget::Agent { agent };
    let over = |interaction, agent, to| Input::HandOver { interaction, agent, part, consulted: talk, to };
    let service = TransferTarget::Service { service: crate::hall::hotline() };
    for (input, why) in [
        (over(call, bea, to(ana)), Refusal::NotYours),
        (over(call, ana, to(ana)), Refusal::NotAllowed),
        (over(call, ana, service), Refusal::NotAllowed),
        (over(call, ana, to(AgentId::from_number(99))), Refusal::UnknownAgent),
        (over(own, ana, to(bea)), Refusal::NotAllowed),
        (over(talk, bea, to(ana)), Refusal::NotAllowed),
    ] {
        assert_eq!(hall.tell(input), Err(why));
    }
    assert_eq!(hall.journal.len(), before);
}

/// XFER-09: a colleague who is brought into the customer's call stays at work until that is over for them; a number outside leaves the floor,
/// and the call to it needs no after-call work.
#[test]
fn xfer_09_whoever_is_brought_in_stays_at_work_or_leaves_the_floor() {
    for outside in [false, true] {
        let mut hall = Hall::open();
        let (ana, bea) = (hall.agent(&[English]), hall.agent(&[English]));
        let call = hall.takes_a_call(ana);
        let (own, from) = if outside {
            let talk = hall.next_id();
            let begins =
                Input::Begin { interaction: talk, agent: ana, channel: Channel::Voice, internal: false };
            hall.must(begins);
            (None, talk)
        } else {
            let (own, talk) = asks(&mut hall, ana, bea);
            (Some(own), talk)
        };
        let (agent, number) = ((!outside).then_some(bea), "+4930".to_owned());
        let brings =
            |interaction| Input::BringIn { interaction, from, agent, number: number.clone(), by: ana };
        assert_eq!(hall.tell(brings(from)), Err(Refusal::NotYours));
        hall.must(brings(call));
        own.into_iter().for_each(|own| hall.hangs_up(own));
        assert_eq!(hall.floor.interaction(from).is_some(), !outside);
        assert_eq!(hall.state(bea), if outside { AgentState::Ready } else { AgentState::Busy });
        if !outside {
            hall.hangs_up(from);
            assert_eq!(
                hall.state(bea),
                AgentState::Ready,
                "a call between colleagues has no after-call work"
            );
        }
        hall.hangs_up(call);
        assert_eq!(hall.state(ana), AgentState::WrapUp);
        hall.completes(ana);
        assert_eq!(hall.state(ana), AgentState::Ready, "nothing else is to be completed");
    }
}
