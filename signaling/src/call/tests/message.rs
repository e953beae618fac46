//! Messages that callers leave.

use media::control::{Channel, Event};
use media::quality::watch::Trouble;
use model::call::{CallFact, Sound};

use crate::call::fixture::*;
use crate::call::words::{Input, MediaOrder, Order, Peer};

fn speaking() -> Scene {
    let mut scene = Scene::of_a_waiting_caller();
    scene.forget();
    scene.order(Order::RecordMessage(recording()));
    scene
}

fn silent(scene: &mut Scene, began: bool) {
    let leg = customer_leg();
    scene.does(Input::Media(Event::Trouble { leg, trouble: Trouble::Silence, began }));
}

/// ROUTE-07: only the caller is captured; silence is told while it is, and the message is closed before anything else happens.
#[test]
fn a_message_is_captured() {
    let mut scene = speaking();
    let tap = MediaOrder::Tap { recording: recording(), channel: Channel::Left, leg: customer_leg() };
    assert_eq!(scene.media, [MediaOrder::StartRecording(recording()), tap]);
    assert_eq!(scene.told(), ["RecordingStarted"]);
    scene.forget();
    silent(&mut scene, true);
    silent(&mut scene, true);
    silent(&mut scene, false);
    let told: Vec<_> =
        scene.facts.iter().map(|fact| matches!(fact, CallFact::CallerSilent { silent: true, .. })).collect();
    assert_eq!(told, [true, false]);
    scene.forget();
    scene.order(Order::EndMessage);
    assert_eq!(scene.media, [MediaOrder::StopRecording(recording())]);
    assert_eq!(scene.told(), ["RecordingCaptured"]);
    scene.forget();
    scene.order(Order::EndMessage);
    silent(&mut scene, true);
    scene.order(Order::Play { sound: Sound::Closed, then_hang_up: true });
    assert_eq!(scene.told(), Vec::<String>::new(), "it is over");
    scene.customer_does(Peer::Bye);
    assert!(!scene.media.contains(&MediaOrder::StopRecording(recording())), "closed once");
}

/// ROUTE-07: who hangs up in the middle of the message has left it; who is silent from the tone on is told of.
#[test]
fn whoever_hangs_up_has_left_a_message() {
    let mut scene = Scene::of_a_waiting_caller();
    silent(&mut scene, true);
    scene.forget();
    scene.order(Order::RecordMessage(recording()));
    assert_eq!(scene.told(), ["RecordingStarted", "CallerSilent"]);
    scene.forget();
    scene.customer_does(Peer::Bye);
    assert_eq!(scene.told(), ["RecordingCaptured", "LegEnded", "Ended"]);
}

/// A message that somebody orders of two who talk would mix up their recording.
#[test]
fn nothing_is_taken_of_a_conversation() {
    let mut scene = Scene::of_a_conversation();
    scene.order(Order::RecordMessage(recording()));
    assert!(scene.media.is_empty() && scene.facts.is_empty(), "{:?}", scene.media);
    // And who is connected in the middle of a message is recorded anew.
    let mut scene = speaking();
    scene.order(Order::RingSoftphone { ring: ring(1), softphone: Some(softphone()) });
    scene.forget();
    scene.connect(false);
    assert_eq!(scene.media.iter().filter(|order| matches!(order, MediaOrder::StopRecording(_))).count(), 1);
}
