//! Agents call agents.

use std::time::Duration;

use model::call::{CallFact, Rejection, Sound};
use model::id::{Id, RecordingId};
use model::interaction::EndedBy;
use model::journal::Party;

use super::fixture::*;
use super::words::{Connect, Heard, Input, MediaOrder, Order, Peer, PeerOrder, PhoneEvent};
use super::{BUSY_MAX, SOFTPHONE_AWAY_MAX, UNORDERED_MAX};

fn hears(leg: model::id::LegId, heard: Heard) -> MediaOrder {
    MediaOrder::Hear { leg, heard }
}

#[test]
fn whoever_calls_from_a_softphone_hears_ringing_and_then_the_colleague() {
    let mut scene = Scene::of_a_colleague();
    let (own, far) = (colleagues_softphone().leg, softphone().leg);
    assert_eq!(scene.told(), ["LegAnswered"]);
    assert!(
        matches!(&scene.facts[0], CallFact::LegAnswered { party: Party::Customer, leg, .. } if *leg == calling_half())
    );
    scene.order(Order::RingSoftphone { ring: ring(1), softphone: Some(softphone()) });
    assert_eq!(scene.media.last(), Some(&hears(own, Heard::Sound(Sound::Ringback))));
    let (agent, half, softphone) = (agent(), half(), Some(softphone()));
    scene.order(Order::Connect(Connect { agent, softphone, half, record: None, announce: false }));
    assert_eq!(scene.media.last(), Some(&MediaOrder::Bridge { a: own, b: far }));
    assert_eq!(scene.told(), ["LegAnswered", "LegAnswered", "Bridged"]);
    scene.forget();

    scene.order(Order::HangUp(EndedBy::Customer));
    assert_eq!(scene.told(), ["LegEnded", "LegEnded", "Ended"]);
    assert_eq!(scene.ended(), Some((EndedBy::Customer, None)));
    for leg in [own, far] {
        assert!(scene.media.contains(&hears(leg, Heard::Nothing)), "silence for {leg}");
        assert!(!scene.media.contains(&MediaOrder::Delete(leg)), "the softphone stays for the next call");
    }
}

/// VOICE-08: refusing an internal call ends it, and the caller hears busy: the tone in a softphone, 486 at a desk phone.
#[test]
fn whose_colleague_refuses_hears_busy() {
    let mut scene = Scene::of_a_colleague();
    scene.order(Order::RingSoftphone { ring: ring(1), softphone: Some(softphone()) });
    scene.order(Order::StopRinging { token: ring(1).token });
    scene.order(Order::Reject(Rejection::Busy));
    let own = colleagues_softphone().leg;
    assert_eq!(scene.media.last(), Some(&hears(own, Heard::Sound(Sound::Busy))));
    assert_eq!(scene.ended(), None, "the tone is heard first");
    scene.does(Input::Media(media::control::Event::PromptEnded { leg: own }));
    assert_eq!(scene.ended(), Some((EndedBy::System, None)));

    let mut phone = Scene::of_a_desk_phone(Some(sdp("192.0.2.9", "sendrecv", 1)), None);
    phone.order(Order::RingSoftphone { ring: ring(1), softphone: Some(softphone()) });
    assert_eq!(phone.status(), Some(180), "the phone plays the ringing itself");
    phone.order(Order::Reject(Rejection::Busy));
    assert_eq!(phone.status(), Some(486));
    assert!(phone.ended().is_some());
}

#[test]
fn a_caller_who_does_not_wait_out_the_busy_tone_hangs_up() {
    let mut scene = Scene::of_a_colleague();
    scene.order(Order::RingSoftphone { ring: ring(1), softphone: Some(softphone()) });
    scene.order(Order::Reject(Rejection::Busy));
    scene.order(Order::HangUp(EndedBy::Customer));
    assert_eq!(scene.ended(), Some((EndedBy::Customer, None)));
}

#[test]
fn each_of_two_colleagues_holds_and_mutes_for_themselves() {
    let mut scene = Scene::of_colleagues();
    let (own, far) = (colleagues_softphone().leg, softphone().leg);
    scene.order(Order::Hold(colleague()));
    assert_eq!(
        scene.media,
        [MediaOrder::Stats(own), hears(far, Heard::Sound(Sound::HoldMusic))],
        "the other hears music"
    );
    assert!(
        matches!(scene.facts[0], CallFact::HoldChanged { agent, held: true, .. } if agent == colleague())
    );
    scene.order(Order::Hold(agent()));
    assert_eq!(scene.media.len(), 3, "who holds is left alone: there may be another call");
    scene.forget();
    scene.order(Order::Retrieve(colleague()));
    assert_eq!(
        scene.media,
        [MediaOrder::Measure(own), hears(own, Heard::Sound(Sound::HoldMusic))],
        "back, but the other holds now"
    );
    scene.forget();
    scene.order(Order::Retrieve(agent()));
    assert_eq!(scene.media, [MediaOrder::Measure(far), MediaOrder::Bridge { a: own, b: far }]);
    scene.forget();
    scene.order(Order::Mute { agent: colleague(), muted: true });
    assert_eq!(scene.media, [MediaOrder::Mute { leg: own, muted: true }]);
    scene.order(Order::SendDigits { agent: colleague(), digits: "1".into() });
    assert_eq!(scene.media.last(), Some(&MediaOrder::SendDigits { leg: far, digits: "1".into() }));
}

#[test]
fn the_hold_key_of_a_calling_desk_phone_holds_the_colleague() {
    let mut scene = Scene::of_a_desk_phone(Some(sdp("192.0.2.9", "sendrecv", 1)), None);
    scene.order(Order::RingSoftphone { ring: ring(1), softphone: Some(softphone()) });
    scene.connect(false);
    scene.customer_does(Peer::Acknowledged(None));
    assert!(scene.told().contains(&"Bridged".to_owned()), "{:?}", scene.told());
    scene.forget();
    scene.offer(1, Some(sdp("192.0.2.9", "sendonly", 2)));
    assert_eq!(scene.told(), ["HoldChanged"]);
    assert!(scene.media.contains(&hears(softphone().leg, Heard::Sound(Sound::HoldMusic))));
    scene.offer(2, Some(sdp("192.0.2.9", "sendrecv", 3)));
    assert_eq!(scene.told(), ["HoldChanged", "HoldChanged"]);
}

/// WRTC-02: the page of whoever called is loaded anew: the colleague hears music, and then both hear each other again.
#[test]
fn a_calling_softphone_that_is_lost_is_waited_for_only_in_a_conversation() {
    let mut scene = Scene::of_colleagues();
    let (own, far) = (colleagues_softphone().leg, softphone().leg);
    scene.does(Input::Softphone { leg: own, up: false });
    assert_eq!(scene.media, [hears(far, Heard::Sound(Sound::ComfortNoise))]);
    scene.forget();
    scene.does(Input::Softphone { leg: own, up: true });
    assert_eq!(scene.media, [hears(far, Heard::Leg(own)), hears(own, Heard::Leg(far))]);
    scene.does(Input::Softphone { leg: own, up: false });
    scene.pass(SOFTPHONE_AWAY_MAX);
    assert_eq!(scene.ended(), Some((EndedBy::System, Some("the caller's softphone did not come back"))));

    let mut ringing = Scene::of_a_colleague();
    ringing.order(Order::RingSoftphone { ring: ring(1), softphone: Some(softphone()) });
    ringing.does(Input::Softphone { leg: own, up: false });
    assert_eq!(ringing.ended(), Some((EndedBy::System, Some("the caller's softphone was lost"))));
}

#[test]
fn a_colleague_with_a_desk_phone_is_rung_there() {
    let mut scene = Scene::of_a_colleague();
    scene.ring_phones(1, &[1]);
    assert!(scene.media.contains(&hears(colleagues_softphone().leg, Heard::Sound(Sound::Ringback))));
    scene.phone_does(1, picked_up(sdp("192.0.2.20", "sendrecv", 1)));
    let agent = agent();
    scene.order(Order::Connect(Connect {
        agent,
        softphone: None,
        half: half(),
        record: None,
        announce: false,
    }));
    let bridge = MediaOrder::Bridge { a: colleagues_softphone().leg, b: phone_leg() };
    assert!(scene.media.contains(&bridge), "{:?}", scene.media);
    scene.phone_does(1, PhoneEvent::Peer(Peer::Bye));
    assert_eq!(scene.ended(), Some((EndedBy::Agent, None)));
    assert!(!scene.customer.iter().any(|o| matches!(o, PeerOrder::Bye { .. })), "a softphone has no dialog");
}

#[test]
fn a_busy_tone_whose_end_nobody_tells_is_over_all_the_same() {
    let mut scene = Scene::of_a_colleague();
    scene.order(Order::RingSoftphone { ring: ring(1), softphone: Some(softphone()) });
    scene.order(Order::Reject(Rejection::Busy));
    scene.pass(BUSY_MAX);
    assert_eq!(scene.ended(), Some((EndedBy::System, None)));
}

#[test]
fn a_call_that_nobody_orders_on_is_given_up() {
    let mut scene = Scene::of_a_colleague();
    scene.pass(UNORDERED_MAX + Duration::from_secs(1));
    assert!(scene.ended().is_some());
}

/// VM-13: a call that the colleague does not take goes to a number outside: who called from a softphone talks to whoever answers there,
/// and the softphone is there for the next call.
#[test]
fn a_call_from_a_softphone_goes_on_to_a_number_outside() {
    let mut scene = Scene::of_a_colleague();
    let own = colleagues_softphone().leg;
    scene.order(Order::RingSoftphone { ring: ring(1), softphone: Some(softphone()) });
    scene.order(Order::StopRinging { token: ring(1).token });
    scene.forget();
    scene.dial(&[11]);
    scene.phone_does(11, PhoneEvent::Reached);
    scene.trunk_answers(11);
    scene.order(Order::JoinFarEnd(None));
    assert!(scene.told().contains(&"FarEndBridged".to_owned()), "{:?}", scene.told());
    assert!(
        scene.media.iter().any(|m| matches!(m, MediaOrder::Bridge { a, .. } if *a == own)),
        "{:?}",
        scene.media
    );
    scene.forget();
    scene.order(Order::Hold(colleague()));
    assert!(
        matches!(scene.facts[0], CallFact::HoldChanged { agent, held: true, .. } if agent == colleague())
    );
    scene.order(Order::HangUp(EndedBy::Customer));
    assert_eq!(scene.ended(), Some((EndedBy::Customer, None)));
    assert!(!scene.media.contains(&MediaOrder::Delete(own)));
}

/// VM-01: and a message is taken of whoever calls from a softphone.
#[test]
fn a_message_is_taken_from_a_softphone() {
    let mut scene = Scene::of_a_colleague();
    let own = colleagues_softphone().leg;
    scene.order(Order::PlaySounds { number: 1, sounds: vec!["voicemail-greeting".into()] });
    assert_eq!(scene.media.last(), Some(&hears(own, Heard::Named("voicemail-greeting".into()))));
    scene.does(Input::Media(media::control::Event::PromptEnded { leg: own }));
    assert!(scene.told().contains(&"Played".to_owned()), "{:?}", scene.told());
    let recording = RecordingId::from_number(5);
    scene.order(Order::RecordMessage(recording));
    let taps = |m: &MediaOrder| matches!(m, MediaOrder::Tap { leg, .. } if *leg == own);
    assert!(scene.media.iter().any(taps), "{:?}", scene.media);
    scene.order(Order::HangUp(EndedBy::Customer));
    assert_eq!(scene.ended(), Some((EndedBy::Customer, None)));
    assert!(!scene.media.contains(&MediaOrder::Delete(own)));
}
