//! Agents who are rung.

use super::SECOND;
use crate::call::fixture::*;
use crate::call::words::{Branch, Input, Order, Peer, PhoneEvent, PhoneOrder};

/// B3: Queued, agent selected; Offered, accepted.
#[test]
fn all_phones_of_an_agent_ring_and_the_first_one_picked_up_silences_the_others() {
    let mut scene = Scene::of_a_waiting_caller();
    scene.forget();
    scene.ring_phones(1, &[1, 2, 3]);
    let invites =
        |scene: &Scene| scene.phones.iter().filter(|(_, o)| matches!(o, PhoneOrder::Invite { .. })).count();
    assert_eq!(invites(&scene), 3);
    scene.phone_does(2, picked_up(sdp("192.0.2.20", "sendrecv", 1)));
    let ended: Vec<_> =
        scene.phones.iter().filter(|(_, o)| *o == PhoneOrder::End).map(|(b, _)| b.0).collect();
    assert_eq!(ended, [1, 3]);
    assert_eq!(scene.told(), ["LegAnswered", "AgentAnswered"]);
    scene.phone_does(3, picked_up(sdp("192.0.2.21", "sendrecv", 1)));
    assert_eq!(
        scene.phones.last(),
        Some(&(Branch(3), PhoneOrder::End)),
        "two picked up at once: one is hung up"
    );
}

#[test]
fn an_unanswered_caller_hears_ringing_while_a_phone_rings() {
    let mut scene = Scene::of_a_caller();
    scene.ring_phones(1, &[1]);
    assert_eq!(scene.status(), Some(180));
    scene.pass(60 * SECOND);
    assert_eq!(scene.ended(), None, "an order came: the ten seconds are over");
}

/// B3: Offered, refused or set-up failed: back to the queue.
#[test]
fn a_refusal_by_hand_and_a_phone_that_cannot_be_reached_are_told_apart() {
    let outcome = |statuses: &[(u32, u16)]| {
        let mut scene = Scene::of_a_waiting_caller();
        scene.ring_phones(1, &[1, 2]);
        scene.forget();
        for (branch, status) in statuses {
            scene.phone_does(*branch, PhoneEvent::Refused((*status).into()));
        }
        assert_eq!(scene.ended(), None, "the caller waits on");
        assert_eq!(scene.legs.contains(&phone_leg()), scene.facts.is_empty());
        scene.told()
    };
    assert_eq!(outcome(&[(1, 486)]), Vec::<String>::new(), "the other phone still rings");
    assert_eq!(outcome(&[(1, 486), (2, 503)]), ["AgentRefused"]);
    assert_eq!(outcome(&[(1, 603)]), ["AgentRefused"], "6xx speaks for all phones");
    assert_eq!(outcome(&[(1, 408), (2, 503)]), ["AgentUnreachable"]);
    assert_eq!(outcome(&[(1, 404), (2, 488)]), ["AgentUnreachable"]);
}

#[test]
fn a_phone_nobody_picks_up_is_given_up_even_if_the_desk_forgets_it() {
    let mut scene = Scene::of_a_waiting_caller();
    scene.ring_phones(1, &[1]);
    scene.forget();
    scene.pass(120 * SECOND);
    assert_eq!(scene.told(), ["AgentUnreachable"]);
    assert_eq!(scene.phones, [(Branch(1), PhoneOrder::End)]);
}

#[test]
fn a_lease_that_is_over_rings_no_longer_and_a_stale_one_changes_nothing() {
    let mut scene = Scene::of_a_waiting_caller();
    scene.ring_phones(2, &[1]);
    scene.forget();
    scene.order(Order::StopRinging { token: ring(1).token });
    assert!(scene.phones.is_empty(), "the stale token is another lease's");
    scene.order(Order::StopRinging { token: ring(2).token });
    assert_eq!(scene.phones, [(Branch(1), PhoneOrder::End)]);
    assert_eq!(scene.told(), Vec::<String>::new());
    scene.phone_does(1, picked_up(sdp("192.0.2.20", "sendrecv", 1)));
    assert_eq!(scene.phones.len(), 2, "a pick-up that crossed it is hung up");
}

#[test]
fn a_softphone_that_is_not_connected_is_said_to_be_unreachable() {
    let mut scene = Scene::of_a_waiting_caller();
    scene.forget();
    scene.order(Order::RingSoftphone { ring: ring(1), softphone: None });
    assert_eq!(scene.told(), ["AgentUnreachable"]);
    scene.order(Order::RingSoftphone { ring: ring(2), softphone: Some(softphone()) });
    assert_eq!(scene.told().len(), 1, "the console rings; there is nothing to say");
    scene.does(Input::Softphone { leg: softphone().leg, up: false });
    assert_eq!(scene.told(), ["AgentUnreachable", "AgentUnreachable"]);
}

#[test]
fn a_phone_that_hangs_up_before_it_is_connected_is_unreachable_and_the_caller_waits_on() {
    let mut scene = Scene::of_a_waiting_caller();
    scene.ring_phones(1, &[1]);
    scene.phone_does(1, picked_up(sdp("192.0.2.20", "sendrecv", 1)));
    scene.forget();
    scene.phone_does(1, PhoneEvent::Peer(Peer::Bye));
    assert_eq!(scene.told(), ["LegEnded", "AgentUnreachable"]);
    assert_eq!(scene.ended(), None);
    scene.order(Order::RingSoftphone { ring: ring(2), softphone: Some(softphone()) });
    scene.connect(false);
    assert!(scene.told().contains(&"Bridged".to_owned()));
}
