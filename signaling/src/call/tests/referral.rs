//! Agents who transfer by the keys of their phones (REFER).

use std::time::Duration;

use model::call::{CallFact, ReferTo, Rejection};
use model::id::{Id, InteractionId};
use model::interaction::EndedBy;

use crate::call::fixture::*;
use crate::call::words::{Branch, Order, Peer, PeerOrder, PhoneEvent, PhoneOrder, RequestId};

fn refer(id: u32) -> Peer {
    Peer::Refer { id: RequestId(id), to: ReferTo::Dialled("1002".into()) }
}

/// What the phone was told since: the status of an answer, `n` and the status of a NOTIFY, `end` for the BYE.
fn told(scene: &Scene) -> Vec<String> {
    let word = |order: &(Branch, PhoneOrder)| match &order.1 {
        PhoneOrder::Reply(answered) => Some(answered.status.to_string()),
        PhoneOrder::Notify { status } => Some(format!("n{status}")),
        PhoneOrder::End => Some("end".to_owned()),
        _ => None,
    };
    scene.phones.iter().filter_map(word).collect()
}

fn asked() -> Scene {
    let mut scene = Scene::of_a_conversation_by_phone();
    scene.forget();
    scene.phone_does(1, PhoneEvent::Peer(refer(7)));
    let is_asked = |fact: &CallFact| matches!(fact, CallFact::Referred { agent: who, to: ReferTo::Dialled(to), .. } if *who == agent() && to == "1002");
    assert!(matches!(&scene.facts[..], [fact] if is_asked(fact)), "{:?}", scene.facts);
    assert!(told(&scene).is_empty(), "the desk decides first");
    scene
}

/// SIP-04: a blind transfer by the phone's key: taken up, tried, done, and only then the phone is let go.
#[test]
fn a_phone_is_told_that_its_transfer_is_done_before_it_is_let_go() {
    let mut scene = asked();
    scene.order(Order::AnswerReferral(agent(), None));
    assert_eq!(told(&scene), ["202", "n100"]);
    scene.order(Order::Release(agent()));
    assert_eq!(told(&scene), ["202", "n100", "n200", "end"]);
    assert_eq!(scene.ended(), None, "the customer stays");
    scene.pass(Duration::from_secs(60));
    assert_eq!(told(&scene).len(), 4);
}

/// SIP-04: what the desk does not take up the phone is told in its own words, and the conversation goes on; it may ask again.
#[test]
fn a_phone_whose_transfer_is_refused_talks_on() {
    for (why, status) in [
        (Rejection::UnknownNumber, "404"),
        (Rejection::NobodyThere, "480"),
        (Rejection::Busy, "486"),
        (Rejection::Declined, "603"),
        (Rejection::Overloaded, "503"),
    ] {
        let mut scene = asked();
        scene.phone_does(1, PhoneEvent::Peer(refer(8)));
        assert_eq!(told(&scene), ["491"], "one at a time");
        scene.order(Order::AnswerReferral(agent(), Some(why)));
        assert_eq!(told(&scene), ["491", status]);
        scene.phone_does(1, PhoneEvent::Peer(refer(9)));
        scene.order(Order::AnswerReferral(colleague(), None));
        assert_eq!(told(&scene), ["491", status], "somebody else's answer");
        scene.order(Order::AnswerReferral(agent(), None));
        assert_eq!(told(&scene), ["491", status, "202", "n100"]);
        assert_eq!(scene.ended(), None);
    }
}

/// A phone that hangs up as soon as its transfer is taken up does not take the customer with it; if the transfer fails, it has hung up.
#[test]
fn a_phone_that_does_not_wait_for_the_end_of_its_transfer_cuts_nobody_off() {
    let mut scene = asked();
    scene.order(Order::AnswerReferral(agent(), None));
    scene.phone_does(1, PhoneEvent::Peer(Peer::Bye));
    assert_eq!(scene.ended(), None);
    scene.order(Order::Release(agent()));
    assert_eq!(scene.ended(), None, "the customer is with the desk");

    let mut scene = asked();
    scene.order(Order::AnswerReferral(agent(), None));
    scene.phone_does(1, PhoneEvent::Peer(Peer::Bye));
    scene.pass(Duration::from_secs(21));
    assert_eq!(scene.ended(), Some((EndedBy::Agent, None)), "nothing came of it");
}

/// A desk that does not answer, a transfer that does not end, and a customer who hangs up: the phone hears of each.
#[test]
fn a_phone_hears_of_a_transfer_that_does_not_come_about() {
    let mut scene = asked();
    scene.pass(Duration::from_secs(21));
    assert_eq!(told(&scene), ["503"]);
    let mut scene = asked();
    scene.order(Order::AnswerReferral(agent(), None));
    scene.pass(Duration::from_secs(21));
    assert_eq!(told(&scene), ["202", "n100", "n503"]);
    assert_eq!(scene.ended(), None);
    let mut scene = asked();
    scene.order(Order::AnswerReferral(agent(), None));
    scene.customer_does(Peer::Bye);
    assert_eq!(told(&scene), ["202", "n100", "n487", "end"]);
    let mut scene = asked();
    scene.customer_does(Peer::Bye);
    assert_eq!(told(&scene), ["481", "end"]);
}

/// SAFE-01: what comes over a trunk is not passed on because its far end says so.
#[test]
fn a_carrier_cannot_transfer() {
    let mut scene = Scene::of_a_conversation();
    scene.forget();
    let to = ReferTo::Call(InteractionId::from_number(9));
    scene.customer_does(Peer::Refer { id: RequestId(3), to });
    assert!(matches!(&scene.customer[..], [PeerOrder::Reply(answered)] if answered.status == 403));
    assert!(scene.facts.is_empty());
}
