//! An agent leaves, and the customer stays.

use media::control::Channel;
use model::call::{CallFact, Sound};
use model::id::Id;
use model::interaction::EndedBy;
use model::journal::Party;

use crate::call::fixture::*;
use crate::call::words::{Connect, Heard, MediaOrder, Order, Peer, PhoneEvent};

fn hears_music(scene: &Scene) -> bool {
    let music = MediaOrder::Hear { leg: customer_leg(), heard: Heard::Sound(Sound::HoldMusic) };
    scene.media.contains(&music)
}

/// XFER-05, RECO-01: the agent's half ends with its figures, the softphone is free for the next call and in this recording no longer, and
/// the customer hears music. Whoever comes next is in the same recording.
#[test]
fn the_agent_leaves_and_the_next_one_is_in_the_same_recording() {
    let mut scene = Scene::of_a_conversation();
    scene.order(Order::Mute { agent: agent(), muted: true });
    scene.forget();
    scene.order(Order::Release(agent()));
    assert!(hears_music(&scene));
    let (leg, recording) = (softphone().leg, recording());
    assert_eq!(
        scene.media[0],
        MediaOrder::Untap { recording, channel: Channel::Right },
        "before anything else"
    );
    for order in [MediaOrder::Hear { leg, heard: Heard::Nothing }, MediaOrder::Mute { leg, muted: false }] {
        assert!(scene.media.contains(&order), "{order:?}");
    }
    let party = Party::Agent { agent: agent() };
    let is_half = |fact: &CallFact| matches!(fact, CallFact::LegEnded { leg, party: of, stats: Some(_), .. } if *leg == half() && *of == party);
    assert!(matches!(&scene.facts[..], [fact] if is_half(fact)), "{:?}", scene.facts);
    scene.forget();
    scene.order(Order::Release(agent()));
    assert!(scene.media.is_empty(), "the agent is gone already");

    scene.order(Order::Play { sound: Sound::QueueMusic, then_hang_up: false });
    scene.ring_phones(2, &[1]);
    scene.phone_does(1, picked_up(sdp("192.0.2.20", "sendrecv", 1)));
    scene.connect(false);
    assert!(!scene.media.iter().any(|order| matches!(order, MediaOrder::StartRecording(_))), "it goes on");
    let tap = MediaOrder::Tap { recording, channel: Channel::Right, leg: phone_leg() };
    assert!(scene.media.contains(&tap));
    assert!(scene.media.contains(&MediaOrder::Bridge { a: customer_leg(), b: phone_leg() }));
    scene.forget();
    scene.customer_does(Peer::Bye);
    assert_eq!(scene.told().iter().filter(|told| *told == "RecordingCaptured").count(), 1);
}

/// A desk phone is hung up; the customer stays.
#[test]
fn a_desk_phone_that_leaves_is_hung_up() {
    let mut scene = Scene::of_a_conversation_by_phone();
    scene.order(Order::Release(agent()));
    assert!(hears_music(&scene) && scene.live.is_empty() && !scene.legs.contains(&phone_leg()));
    assert_eq!(scene.ended(), None);
    // What it says afterwards is of no call.
    scene.phone_does(1, PhoneEvent::Peer(Peer::Bye));
    assert_eq!(scene.ended(), None);
}

/// Whoever has the customer next is not recorded: the recording is closed, and not with the call.
#[test]
fn the_recording_ends_with_a_service_that_does_not_record() {
    let mut scene = Scene::of_a_conversation();
    scene.order(Order::Release(agent()));
    scene.forget();
    let (agent, softphone, half, record, announce) = (agent(), Some(softphone()), half(), None, false);
    scene.order(Order::Connect(Connect { agent, softphone, half, record, announce }));
    assert!(scene.media.contains(&MediaOrder::StopRecording(recording())));
    assert!(!scene.media.iter().any(|order| matches!(order, MediaOrder::Tap { .. })));
    assert!(scene.told().contains(&"RecordingCaptured".to_owned()));
    scene.forget();
    scene.order(Order::HangUp(EndedBy::Agent));
    assert!(!scene.told().contains(&"RecordingCaptured".to_owned()));
}

/// An agent who held the customer was perhaps in another call: the softphone is left as it is there.
#[test]
fn a_softphone_that_is_in_another_call_is_left_alone() {
    let mut scene = Scene::of_a_conversation();
    scene.order(Order::Hold(agent()));
    scene.forget();
    scene.order(Order::Release(agent()));
    let leg = softphone().leg;
    let touched = |order: &MediaOrder| match order {
        MediaOrder::Hear { leg: of, .. } | MediaOrder::Mute { leg: of, .. } => *of == leg,
        _ => false,
    };
    assert!(!scene.media.iter().any(touched), "{:?}", scene.media);
    assert!(hears_music(&scene));
}

/// XFER-05: the customer hears the number ring, and is joined with it in the same recording; a number that is busy leaves the customer
/// free for an agent again.
#[test]
fn a_number_is_dialled_for_a_customer_whose_agent_left() {
    let mut scene = Scene::of_a_conversation();
    scene.order(Order::Release(agent()));
    scene.dial(&[11]);
    scene.phone_does(11, PhoneEvent::Reached);
    scene.phone_does(11, PhoneEvent::Progress { status: 180, sdp: None });
    let ringing = MediaOrder::Hear { leg: customer_leg(), heard: Heard::Sound(Sound::Ringback) };
    assert!(scene.media.contains(&ringing));
    scene.phone_does(11, PhoneEvent::Refused(486.into()));
    assert!(scene.told().contains(&"DialFailed".to_owned()));
    scene.order(Order::Play { sound: Sound::QueueMusic, then_hang_up: false });
    scene.dial(&[12]);
    scene.phone_does(12, PhoneEvent::Reached);
    scene.trunk_answers(12);
    scene.forget();
    scene.order(Order::JoinFarEnd(Some(recording())));
    let tap = MediaOrder::Tap { recording: recording(), channel: Channel::Right, leg: trunk_leg(12) };
    assert!(scene.media.contains(&tap));
    assert_eq!(scene.told(), ["FarEndBridged"]);
}

/// XFER-06: a customer whom nobody took leaves a message: the recording of the conversation is closed, and the message is its own.
#[test]
fn a_message_after_a_conversation_is_a_recording_of_its_own() {
    let mut scene = Scene::of_a_conversation();
    scene.order(Order::Release(agent()));
    scene.forget();
    let message = model::id::RecordingId::from_number(66);
    scene.order(Order::RecordMessage(message));
    let stop = scene.media.iter().position(|order| *order == MediaOrder::StopRecording(recording()));
    let start = scene.media.iter().position(|order| *order == MediaOrder::StartRecording(message));
    assert!(stop.is_some() && stop < start, "{:?}", scene.media);
    assert!(scene.told().contains(&"RecordingCaptured".to_owned()));
}

/// Two colleagues part by hanging up, not by one of them leaving the other.
#[test]
fn nobody_leaves_a_call_between_colleagues() {
    let mut scene = Scene::of_colleagues();
    scene.order(Order::Release(agent()));
    scene.order(Order::Release(colleague()));
    assert!(scene.media.is_empty() && scene.facts.is_empty());
}
