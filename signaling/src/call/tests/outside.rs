//! Agents whose phone is a number outside.

use media::control::Event;
use model::call::CallFact;
use model::journal::Party;

use super::SECOND;
use crate::call::fixture::*;
use crate::call::words::{Branch, Heard, Input, MediaOrder, Order, Peer, PhoneEvent, PhoneOrder};

/// A caller who waits while an agent's number is dialled over two trunks.
fn dialled() -> Scene {
    let mut scene = Scene::of_a_waiting_caller();
    scene.forget();
    scene.ring_number(1, &[21, 22]);
    scene.phone_does(21, PhoneEvent::Reached);
    scene
}

/// Somebody picked up.
fn picked() -> Scene {
    let mut scene = dialled();
    scene.phone_does(21, PhoneEvent::Progress { status: 180, sdp: None });
    scene.trunk_answers(21);
    scene
}

fn press(scene: &mut Scene, digit: char) {
    scene.does(Input::Media(Event::Dtmf { leg: trunk_leg(21), digit, held: SECOND }));
}

fn says(scene: &Scene, sound: &str) -> usize {
    let order = MediaOrder::Hear { leg: trunk_leg(21), heard: Heard::Named(sound.into()) };
    scene.media.iter().filter(|had| **had == order).count()
}

/// CONN-06, CONN-11: the agent's number is dialled; whoever picks up hears what to press, again and again, and 1 takes the call. From
/// then on it is the agent's phone like any other.
#[test]
fn an_agent_takes_a_call_at_a_number_outside() {
    let mut scene = picked();
    assert_eq!(scene.told(), ["LegAnswered"], "nobody has taken the call yet");
    assert!(matches!(scene.facts[0], CallFact::LegAnswered { party: Party::Agent { .. }, .. }));
    for heard in [(1, 0), (1, 1), (2, 1)] {
        assert_eq!((says(&scene, "press-one"), says(&scene, "pause")), heard);
        scene.does(Input::Media(Event::PromptEnded { leg: trunk_leg(21) }));
    }
    assert_eq!(scene.told(), ["LegAnswered"]);
}

/// CONN-06: 1 takes the call; a key of another meaning changes nothing.
#[test]
fn a_key_says_that_it_is_the_agent() {
    let mut scene = picked();
    press(&mut scene, '7');
    assert_eq!(scene.told(), ["LegAnswered"]);
    press(&mut scene, '1');
    assert_eq!(scene.told(), ["LegAnswered", "AgentAnswered"]);
    scene.connect(false);
    assert!(scene.media.contains(&MediaOrder::Bridge { a: customer_leg(), b: trunk_leg(21) }));
    assert!(scene.told().contains(&"Bridged".to_owned()));
    // Later keys are the conversation's.
    press(&mut scene, '2');
    assert_eq!(scene.ended(), None);
    scene.phone_does(21, PhoneEvent::Peer(Peer::Bye));
    assert!(scene.ended().is_some());
    assert_eq!(scene.legs.len(), 2, "only the softphones are left");
}

/// CONN-06: a mailbox presses nothing, and no customer is left talking to one.
#[test]
fn a_mailbox_takes_no_calls() {
    let mut scene = picked();
    scene.pass(19 * SECOND);
    assert_eq!(scene.told(), ["LegAnswered"]);
    scene.pass(2 * SECOND);
    assert_eq!(scene.told(), ["LegAnswered", "LegEnded", "AgentUnreachable"]);
    assert!(scene.phones.contains(&(Branch(21), PhoneOrder::End)));
    assert_eq!(scene.ended(), None, "the caller waits on");
}

/// CONN-06: 2, or hanging up at the ringing, refuses; a network that cannot reach the phone is told apart.
#[test]
fn a_call_is_refused_at_a_number_outside() {
    let mut scene = picked();
    press(&mut scene, '2');
    assert_eq!(scene.told(), ["LegAnswered", "LegEnded", "AgentRefused"]);

    let mut scene = dialled();
    scene.phone_does(21, PhoneEvent::Refused(486.into()));
    assert_eq!(scene.told(), ["AgentRefused"]);

    let mut scene = dialled();
    scene.phone_does(21, PhoneEvent::Refused(503.into()));
    scene.phone_does(22, PhoneEvent::Reached);
    assert_eq!(scene.told(), Vec::<String>::new(), "the other trunk is tried");
    scene.phone_does(22, PhoneEvent::Refused(404.into()));
    assert_eq!(scene.told(), ["AgentUnreachable"]);
    assert_eq!(scene.legs.len(), 3, "the caller's and the softphones'");

    let mut scene = picked();
    scene.phone_does(21, PhoneEvent::Peer(Peer::Bye));
    assert_eq!(scene.told(), ["LegAnswered", "LegEnded", "AgentUnreachable"], "hung up without a word");
    assert_eq!(scene.ended(), None);
}

/// A lease that is over, or a caller who leaves, ends the dialling wherever it is, and nothing is left behind.
#[test]
fn nobody_is_dialled_any_longer_than_needed() {
    for scene in [dialled, picked] {
        let mut over = scene();
        over.order(Order::StopRinging { token: ring(1).token });
        assert!(over.phones.contains(&(Branch(21), PhoneOrder::End)));
        assert_eq!(over.legs.len(), 3);
        over.phone_does(21, picked_up(sdp("192.0.2.30", "sendrecv", 1)));
        assert!(matches!(over.phones.last(), Some((Branch(21), PhoneOrder::End))));

        let mut left = scene();
        left.customer_does(Peer::Bye);
        assert!(left.ended().is_some());
        assert!(left.phones.contains(&(Branch(21), PhoneOrder::End)));
        assert_eq!(left.legs.len(), 2, "only the softphones are left");
    }
    let mut scene = Scene::of_a_waiting_caller();
    scene.forget();
    scene.ring_number(1, &[]);
    assert_eq!(scene.told(), ["AgentUnreachable"], "without any trunk");
}
