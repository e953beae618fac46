//! Callers who are connected with a number outside.

use model::call::{CallFact, DialFailure, Sound};
use model::interaction::EndedBy;
use model::journal::Party;

use super::SECOND;
use crate::call::fixture::*;
use crate::call::words::{
    Branch, Heard, Input, MediaOrder, Order, Peer, PeerOrder, PhoneEvent, PhoneOrder, RequestId,
};

/// A caller for whom a number is dialled over two trunks.
fn dialling() -> Scene {
    let mut scene = Scene::of_a_waiting_caller();
    scene.forget();
    scene.dial(&[11, 12]);
    scene.phone_does(11, PhoneEvent::Reached);
    scene
}

/// A caller who talks to the number, recorded.
fn joined() -> Scene {
    let mut scene = dialling();
    scene.trunk_answers(11);
    scene.order(Order::JoinFarEnd(Some(recording())));
    scene
}

fn hears(scene: &Scene, heard: &Heard) -> bool {
    scene.media.contains(&MediaOrder::Hear { leg: customer_leg(), heard: heard.clone() })
}

/// ROUTE-08: the caller hears ringing, then what the number lets hear before it answers; the answer joins both, recorded, and the
/// hang-up of either ends it.
#[test]
fn a_caller_is_connected_with_a_number() {
    let mut scene = dialling();
    scene.phone_does(11, PhoneEvent::Progress { status: 180, sdp: None });
    assert!(hears(&scene, &Heard::Sound(Sound::Ringback)));
    let early = Some(sdp("192.0.2.30", "sendrecv", 1));
    scene.phone_does(11, PhoneEvent::Progress { status: 183, sdp: early });
    assert!(hears(&scene, &Heard::Leg(trunk_leg(11))), "early media");
    scene.forget();
    scene.trunk_answers(11);
    assert_eq!(scene.told(), ["LegAnswered", "FarEndAnswered"]);
    assert!(matches!(scene.facts[0], CallFact::LegAnswered { party: Party::FarEnd, .. }));
    scene.order(Order::JoinFarEnd(Some(recording())));
    assert!(scene.media.contains(&MediaOrder::Bridge { a: customer_leg(), b: trunk_leg(11) }));
    let taps = scene.media.iter().filter(|order| matches!(order, MediaOrder::Tap { .. })).count();
    assert_eq!(taps, 2, "both channels");
    assert_eq!(scene.told()[2..], ["RecordingStarted", "FarEndBridged"]);
    scene.forget();
    scene.phone_does(11, PhoneEvent::Peer(Peer::Bye));
    assert_eq!(scene.ended(), Some((EndedBy::Agent, None)));
    assert!(scene.told().contains(&"RecordingCaptured".to_owned()));
    assert!(matches!(scene.customer[..], [PeerOrder::Bye { .. }]));
    assert_eq!(scene.legs.len(), 2, "only the softphones are left");

    let mut scene = joined();
    scene.customer_does(Peer::Bye);
    assert_eq!(scene.ended(), Some((EndedBy::Customer, None)));
    assert!(scene.phones.contains(&(Branch(11), PhoneOrder::End)));
}

/// ROUTE-08: who was not answered yet is answered first, since there is ringing to be heard.
#[test]
fn a_caller_who_was_not_answered_is() {
    let mut scene = Scene::of_a_caller();
    scene.dial(&[11]);
    assert_eq!(scene.status(), Some(200));
    assert!(scene.phones.contains(&(Branch(11), PhoneOrder::Reach)));
}

/// ROUTE-08: a trunk that does not work gives way to the next; what the number says ends it, and the caller is still there.
#[test]
fn a_number_that_does_not_answer_leaves_the_caller_where_they_were() {
    let mut scene = dialling();
    scene.phone_does(11, PhoneEvent::Refused(503.into()));
    scene.phone_does(12, PhoneEvent::Reached);
    scene.phone_does(12, PhoneEvent::Refused(486.into()));
    let why = scene.facts.iter().find_map(|fact| match fact {
        CallFact::DialFailed { why, .. } => Some(*why),
        _ => None,
    });
    assert_eq!((why, scene.ended()), (Some(DialFailure::Busy), None));
    assert!(hears(&scene, &Heard::Nothing));
    assert_eq!(scene.legs.len(), 3, "the caller's and the softphones'");
    scene.forget();
    scene.order(Order::PlaySounds { number: 1, sounds: vec!["sorry".into()] });
    assert!(hears(&scene, &Heard::Named("sorry".into())));
    // It may be tried again, and rings no longer than it may.
    scene.dial(&[13]);
    scene.phone_does(13, PhoneEvent::Reached);
    scene.phone_does(13, PhoneEvent::Progress { status: 180, sdp: None });
    scene.pass(RING_TIME + SECOND);
    assert!(scene.told().contains(&"DialFailed".to_owned()));
    scene.dial(&[]);
    assert_eq!(scene.told().iter().filter(|told| *told == "DialFailed").count(), 2, "without any trunk");
}

/// ROUTE-08: who hangs up while it rings is not called for any longer.
#[test]
fn a_caller_who_leaves_while_it_rings_is_let_go() {
    let mut scene = dialling();
    scene.phone_does(11, PhoneEvent::Progress { status: 180, sdp: None });
    scene.customer_does(Peer::Bye);
    assert_eq!(scene.ended(), Some((EndedBy::Customer, None)));
    assert!(scene.phones.contains(&(Branch(11), PhoneOrder::End)));
    assert_eq!(scene.legs.len(), 2);
    // Its answer crossed the end.
    scene.phone_does(11, picked_up(sdp("192.0.2.30", "sendrecv", 1)));
    assert!(matches!(scene.phones.last(), Some((Branch(11), PhoneOrder::End))));
}

/// The number may change its media, and hold; an agent is not rung meanwhile, and nothing else is played.
#[test]
fn what_the_number_does_in_its_dialog_is_answered() {
    let mut scene = joined();
    scene.forget();
    let offer = Peer::Offer { id: RequestId(5), sdp: Some(sdp("192.0.2.31", "sendonly", 2)) };
    scene.phone_does(11, PhoneEvent::Peer(offer));
    let replied = scene.phones.iter().any(
        |(branch, order)| matches!(order, PhoneOrder::Reply(answered) if *branch == Branch(11) && answered.status == 200),
    );
    assert!(replied, "{:?}", scene.phones);
    assert_eq!(scene.told(), [""; 0], "who holds us plays music themselves");
    scene.order(Order::RingSoftphone { ring: ring(1), softphone: Some(softphone()) });
    assert_eq!(scene.told(), ["AgentUnreachable"]);
    scene.order(Order::Play { sound: Sound::QueueMusic, then_hang_up: false });
    assert!(!hears(&scene, &Heard::Sound(Sound::QueueMusic)));
    let leg = trunk_leg(11);
    scene.does(Input::Media(media::control::Event::Silent { leg, lasting: SECOND * 30 }));
    assert!(scene.ended().is_none(), "it sends only music, or nothing");
}
