//! Calls that we place: rung phones, trunks that work and trunks that do not, answers and refusals.

use model::call::{CallFact, DialFailure, Sound};
use model::interaction::EndedBy;
use model::journal::Party;

use super::SECOND;
use crate::call::dialling::{REACHING_MAX, TRUNK_SILENT_MAX};
use crate::call::fixture::*;
use crate::call::refusal::Refusal;
use crate::call::timer::SessionTimer;
use crate::call::words::{Branch, Heard, MediaOrder, Order, Peer, PeerOrder, PhoneEvent, PhoneOrder};
use crate::call::{BUSY_MAX, UNORDERED_MAX};

/// An agent's number is being called over the first trunk.
fn calling() -> Scene {
    let mut scene = Scene::of_a_dialled_number();
    scene.phone_does(11, PhoneEvent::Reached);
    scene
}
fn early() -> PhoneEvent {
    PhoneEvent::Progress { status: 183, sdp: Some(sdp("192.0.2.30", "sendrecv", 1)) }
}
fn hears(scene: &Scene, heard: &Heard) -> bool {
    scene.media.contains(&MediaOrder::Hear { leg: softphone().leg, heard: heard.clone() })
}
fn failed(scene: &Scene) -> Option<(DialFailure, Option<u16>)> {
    scene.facts.iter().find_map(|f| match f {
        CallFact::DialFailed { why, status, .. } => Some((*why, *status)),
        _ => None,
    })
}

/// OUT-01: the number rings, what it lets hear before the answer is heard, the answer joins both, recorded.
#[test]
fn a_number_rings_and_answers() {
    let mut scene = calling();
    assert!(matches!(
        scene.phones.as_slice(),
        [(_, PhoneOrder::Reach), (Branch(11), PhoneOrder::Invite { .. })]
    ));
    scene.phone_does(11, PhoneEvent::Progress { status: 100, sdp: None });
    assert!(!scene.told().contains(&"FarEndRinging".to_owned()), "100 says nothing of the far end");
    scene.phone_does(11, PhoneEvent::Progress { status: 180, sdp: None });
    assert!(hears(&scene, &Heard::Sound(Sound::Ringback)));
    scene.phone_does(11, early());
    assert!(hears(&scene, &Heard::Leg(trunk_leg(11))), "early media");
    scene.forget();
    scene.trunk_answers(11);
    assert_eq!(scene.told(), ["LegAnswered", "FarEndAnswered"]);
    scene.connect(false);
    assert!(scene.media.contains(&MediaOrder::Bridge { a: trunk_leg(11), b: softphone().leg }));
    assert!(
        scene.told().contains(&"Bridged".to_owned()) && scene.told().contains(&"RecordingStarted".to_owned())
    );
    scene.customer_does(Peer::Bye);
    assert_eq!(scene.ended(), Some((EndedBy::Customer, None)));
    assert!(scene.customer.is_empty(), "it left by itself: nothing is sent to it");
}

/// The agent's phone on the desk rings first; the number is dialled when it was picked up.
#[test]
fn a_phone_on_the_desk_is_rung_before_the_number() {
    let mut scene = Scene::of_a_placed_call();
    scene.ring_phones(1, &[1]);
    scene.phone_does(1, picked_up(sdp("192.0.2.20", "sendrecv", 1)));
    assert_eq!(scene.told(), ["LegAnswered", "AgentAnswered"]);
    scene.dial(&[11]);
    scene.phone_does(11, PhoneEvent::Reached);
    scene.phone_does(11, PhoneEvent::Progress { status: 180, sdp: None });
    let heard = Heard::Sound(Sound::Ringback);
    assert!(scene.media.contains(&MediaOrder::Hear { leg: phone_leg(), heard }));
    scene.trunk_answers(11);
    scene.connect(false);
    assert!(scene.media.contains(&MediaOrder::Bridge { a: trunk_leg(11), b: phone_leg() }));
    let party = Party::Customer;
    assert!(scene.facts.iter().any(|f| matches!(f, CallFact::LegAnswered { party: p, .. } if *p == party)));
}

/// SIP-02: failover on 5xx, on silence, and when a trunk cannot be reached or is full; the leg of the trunk before is gone.
#[test]
fn a_trunk_that_does_not_work_gives_way_to_the_next() {
    let broken: [fn(&mut Scene); 5] = [
        |s| s.phone_does(11, PhoneEvent::Full),
        |s| s.phone_does(11, PhoneEvent::Unreachable("no route".into())),
        |s| {
            s.phone_does(11, PhoneEvent::Reached);
            s.phone_does(11, PhoneEvent::Refused(503.into()));
        },
        |s| {
            s.phone_does(11, PhoneEvent::Reached);
            s.pass(TRUNK_SILENT_MAX);
        },
        |s| {
            s.phone_does(11, PhoneEvent::Reached);
            s.phone_does(11, early());
            s.phone_does(11, PhoneEvent::Refused(500.into()));
        },
    ];
    for how in broken {
        let mut scene = Scene::of_a_dialled_number();
        how(&mut scene);
        assert!(scene.phones.contains(&(Branch(11), PhoneOrder::End)));
        assert!(scene.phones.contains(&(Branch(12), PhoneOrder::Reach)));
        assert!(!scene.legs.contains(&trunk_leg(11)));
        scene.phone_does(12, PhoneEvent::Reached);
        scene.phone_does(11, PhoneEvent::Refused(486.into()));
        assert_eq!(failed(&scene), None, "what the trunk before says comes too late");
        scene.trunk_answers(12);
        assert!(scene.told().contains(&"FarEndAnswered".to_owned()));
        scene.order(Order::HangUp(EndedBy::Agent));
        assert!(scene.customer.iter().any(|o| matches!(o, PeerOrder::Bye { .. })));
        assert_eq!(scene.legs.len(), 2, "only the softphones are left");
    }
}

/// SIP-02: a trunk that cannot be reached or says nothing is said to be silent, for the calls that follow; one that says anything, is
/// full, or is given up before its time, is not.
#[test]
fn only_a_trunk_that_says_nothing_is_said_to_be_silent() {
    let silent: [fn(&mut Scene); 3] = [
        |s| s.phone_does(11, PhoneEvent::Unreachable("no route".into())),
        |s| s.pass(REACHING_MAX),
        |s| {
            s.phone_does(11, PhoneEvent::Reached);
            s.pass(TRUNK_SILENT_MAX);
        },
    ];
    let there: [fn(&mut Scene); 5] = [
        |s| s.phone_does(11, PhoneEvent::Full),
        |s| s.phone_does(11, PhoneEvent::Refused(503.into())),
        |s| s.phone_does(11, PhoneEvent::Refused(486.into())),
        |s| s.order(Order::HangUp(EndedBy::Agent)),
        |s| {
            s.phone_does(11, PhoneEvent::Progress { status: 100, sdp: None });
            s.pass(TRUNK_SILENT_MAX);
        },
    ];
    for (n, how) in silent.into_iter().enumerate() {
        let mut scene = Scene::of_a_dialled_number();
        how(&mut scene);
        assert_eq!(scene.silent, [trunk(11)], "{n}");
    }
    for (n, how) in there.into_iter().enumerate() {
        let mut scene = if n == 0 { Scene::of_a_dialled_number() } else { calling() };
        how(&mut scene);
        assert_eq!(scene.silent, [], "{n}");
    }
}

/// OUT-13: what the one who was called says is the end of it, and is told.
#[test]
fn who_was_called_decides_and_is_not_called_over_another_trunk() {
    for (status, why) in [
        (486, DialFailure::Busy),
        (600, DialFailure::Busy),
        (480, DialFailure::NoAnswer),
        (603, DialFailure::Rejected),
        (403, DialFailure::Rejected),
        (404, DialFailure::NotFound),
        (484, DialFailure::NotFound),
    ] {
        let mut scene = calling();
        scene.phone_does(11, PhoneEvent::Refused(status.into()));
        assert_eq!(failed(&scene), Some((why, Some(status))));
        assert!(hears(&scene, &Heard::Sound(Sound::Busy)));
        scene.pass(BUSY_MAX);
        assert_eq!(scene.ended(), Some((EndedBy::System, None)), "after the busy tone");
        assert!(scene.media.contains(&MediaOrder::Hear { leg: softphone().leg, heard: Heard::Nothing }));
    }
}

/// OUT-13: a busy line is busy, though the gateway says that it cannot serve; a network without lines is not the one called.
#[test]
fn the_cause_of_the_network_tells_whether_another_trunk_may_help() {
    let mut scene = calling();
    scene.phone_does(11, PhoneEvent::Refused(Refusal { status: 503, cause: Some(17) }));
    assert_eq!(failed(&scene), Some((DialFailure::Busy, Some(503))));
    assert!(!scene.phones.contains(&(Branch(12), PhoneOrder::Reach)));
    let mut scene = calling();
    scene.phone_does(11, PhoneEvent::Refused(Refusal { status: 503, cause: Some(34) }));
    assert_eq!(failed(&scene), None);
    assert!(scene.phones.contains(&(Branch(12), PhoneOrder::Reach)));
}

#[test]
fn without_any_trunk_left_it_is_said_why() {
    let mut scene = Scene::of_a_dialled_number();
    scene.phone_does(11, PhoneEvent::Full);
    scene.phone_does(12, PhoneEvent::Full);
    assert_eq!(failed(&scene), Some((DialFailure::TrunksBusy, None)));
    let mut scene = calling();
    scene.phone_does(11, PhoneEvent::Refused(503.into()));
    scene.phone_does(12, PhoneEvent::Unreachable("gone".into()));
    assert_eq!(failed(&scene), Some((DialFailure::Unreachable, Some(503))));
    let mut scene = Scene::of_a_placed_call();
    scene.dial(&[]);
    assert_eq!(failed(&scene), Some((DialFailure::Unreachable, None)));
}

#[test]
fn nobody_answers_in_time() {
    let mut scene = calling();
    scene.phone_does(11, PhoneEvent::Progress { status: 180, sdp: None });
    scene.pass(RING_TIME);
    assert_eq!(failed(&scene), Some((DialFailure::NoAnswer, None)));
    assert!(scene.phones.contains(&(Branch(11), PhoneOrder::End)), "CANCEL");
    assert!(!scene.legs.contains(&trunk_leg(11)));
}

/// The agent hangs up while it rings; an answer that crosses is ended by the INVITE's own task.
#[test]
fn the_agent_gives_up() {
    let mut scene = calling();
    scene.phone_does(11, early());
    scene.order(Order::HangUp(EndedBy::Agent));
    assert_eq!(scene.ended(), Some((EndedBy::Agent, None)));
    assert!(scene.live.is_empty() && scene.customer.is_empty());
    assert_eq!(scene.legs.len(), 2);
}

#[test]
fn an_answer_that_cannot_be_used_ends_the_attempt() {
    let mut scene = calling();
    scene.phone_does(11, picked_up("nonsense".into()));
    assert_eq!(failed(&scene), Some((DialFailure::Rejected, None)));
    assert!(scene.phones.contains(&(Branch(11), PhoneOrder::End)), "it is up at the far end: BYE");
}

#[test]
fn a_call_that_nobody_orders_anything_for_is_over_soon() {
    let mut scene = Scene::of_a_placed_call();
    scene.pass(UNORDERED_MAX);
    assert!(matches!(scene.ended(), Some((EndedBy::System, Some(_)))));
}

/// SIP-01: whoever answers may want the session renewed, by us or by themselves (RFC 4028).
#[test]
fn the_session_is_renewed_as_whoever_answered_wants_it() {
    let mut scene = calling();
    let timer = SessionTimer::of_response(Some("90;refresher=uac"), scene.now);
    scene.phone_does(11, PhoneEvent::Answered { sdp: sdp("192.0.2.30", "sendrecv", 1), timer });
    scene.connect(false);
    scene.pass(SECOND * 46);
    assert!(scene.customer.contains(&PeerOrder::Renew));
    scene.customer_does(Peer::RenewalAnswered(481));
    assert!(matches!(scene.ended(), Some((EndedBy::System, Some(_)))));
}
