//! Callers who arrive: refusals, sounds before an agent, descriptions that cannot be taken.

use media::control::Event;
use model::call::{Rejection, Sound};
use model::interaction::EndedBy;

use super::SECOND;
use crate::call::fixture::*;
use crate::call::words::{Heard, Input, MediaOrder, Order, Peer, PeerOrder};

#[test]
fn a_call_nobody_takes_up_is_refused_after_ten_seconds() {
    let mut scene = Scene::of_a_caller();
    scene.pass(9 * SECOND);
    assert!(scene.customer.is_empty());
    scene.pass(SECOND);
    assert_eq!(scene.status(), Some(480));
    assert_eq!(scene.ended().unwrap().0, EndedBy::System);
}

#[test]
fn each_refusal_has_its_meaning_on_the_wire() {
    let meanings = [
        (Rejection::UnknownNumber, 404),
        (Rejection::NobodyThere, 480),
        (Rejection::Busy, 486),
        (Rejection::Declined, 603),
        (Rejection::Overloaded, 503),
    ];
    for (why, status) in meanings {
        let mut scene = Scene::of_a_caller();
        scene.order(Order::Reject(why));
        assert_eq!((scene.status(), scene.ended()), (Some(status), Some((EndedBy::System, None))));
        assert!(scene.media.is_empty(), "nothing was set up for it");
    }
    let mut late = Scene::of_a_waiting_caller();
    late.order(Order::Reject(Rejection::Busy));
    assert!(
        matches!(late.customer.last(), Some(PeerOrder::Bye { .. })),
        "an answered call can only be ended"
    );
}

/// B3: In scenario or queued, the caller hangs up.
#[test]
fn a_caller_who_gives_up_before_the_answer_gets_487_and_one_after_it_a_quiet_end() {
    let mut scene = Scene::of_a_caller();
    scene.customer_does(Peer::Cancelled);
    assert_eq!((scene.status(), scene.ended()), (Some(487), Some((EndedBy::Customer, None))));
    let mut scene = Scene::of_a_waiting_caller();
    scene.forget();
    scene.customer_does(Peer::Bye);
    assert_eq!(scene.customer, [], "the BYE was answered by the dialog");
    assert_eq!(scene.told(), ["LegEnded", "Ended"]);
    assert_eq!(scene.ended(), Some((EndedBy::Customer, None)));
}

#[test]
fn a_sound_answers_the_call_and_an_announcement_ends_it() {
    let mut scene = Scene::of_a_caller();
    scene.order(Order::Play { sound: Sound::Closed, then_hang_up: true });
    assert_eq!(scene.status(), Some(200));
    assert!(scene.said_to_customer().contains("m=audio 30000 RTP/AVP 8 101"));
    assert_eq!(scene.told(), ["Incoming", "LegAnswered"]);
    assert_eq!(
        scene.media.last(),
        Some(&MediaOrder::Hear { leg: customer_leg(), heard: Heard::Sound(Sound::Closed) })
    );
    scene.does(Input::Media(Event::PromptEnded { leg: customer_leg() }));
    assert_eq!(scene.ended(), Some((EndedBy::System, None)));
}

#[test]
fn music_that_repeats_never_ends_a_call() {
    let mut scene = Scene::of_a_caller();
    scene.order(Order::Play { sound: Sound::QueueMusic, then_hang_up: true });
    scene.does(Input::Media(Event::PromptEnded { leg: customer_leg() }));
    assert_eq!(scene.ended(), None);
}

#[test]
fn an_offer_we_cannot_take_changes_nothing() {
    let mut scene = Scene::of_a_conversation();
    let g729 = sdp("192.0.2.9", "sendrecv", 2).replace("RTP/AVP 8 101", "RTP/AVP 18");
    scene.offer(1, Some(g729));
    assert_eq!(scene.status(), Some(488));
    scene.offer(2, Some("v=1".into()));
    assert_eq!(scene.status(), Some(400));
    assert!(scene.media.is_empty());
    assert_eq!(scene.ended(), None);
}

#[test]
fn a_first_offer_we_cannot_take_is_refused_with_a_warning() {
    let mut scene =
        Scene::of(Some(sdp("192.0.2.9", "sendrecv", 1).replace("RTP/AVP 8 101", "RTP/AVP 18")), None);
    scene.order(Order::Play { sound: Sound::QueueMusic, then_hang_up: false });
    assert!(matches!(scene.customer.last(), Some(PeerOrder::Refuse { status: 488, warning: Some(_), .. })));
    assert!(scene.ended().unwrap().1.is_some());
    assert!(scene.media.is_empty());
}

#[test]
fn a_caller_without_an_offer_gets_ours_and_answers_in_the_ack() {
    let mut scene = Scene::of(None, None);
    scene.order(Order::Play { sound: Sound::QueueMusic, then_hang_up: false });
    assert!(scene.said_to_customer().contains("m=audio 30000 RTP/AVP 8 0"));
    assert_eq!(scene.told(), ["Incoming"], "no media before the answer");
    scene.customer_does(Peer::Acknowledged(Some(sdp("192.0.2.9", "sendrecv", 1))));
    assert_eq!(scene.told(), ["Incoming", "LegAnswered"]);
    assert!(matches!(
        scene.media.last(),
        Some(MediaOrder::Hear { heard: Heard::Sound(Sound::QueueMusic), .. })
    ));
    let mut mute = Scene::of(None, None);
    mute.order(Order::Play { sound: Sound::QueueMusic, then_hang_up: false });
    mute.customer_does(Peer::Acknowledged(None));
    assert!(mute.ended().unwrap().1.is_some());
    assert!(matches!(mute.customer.last(), Some(PeerOrder::Bye { .. })));
}

#[test]
fn an_answer_nobody_acknowledges_ends_the_call() {
    let mut scene = Scene::of_a_caller();
    scene.order(Order::Play { sound: Sound::QueueMusic, then_hang_up: false });
    scene.customer_does(Peer::NeverAcknowledged);
    assert!(scene.ended().unwrap().1.unwrap().contains("acknowledged"));
}

/// ROUTE-08: sounds of a flow follow one another, their end is told once, and what takes their place silences it.
#[test]
fn sounds_by_name_follow_one_another_and_their_end_is_told() {
    let hears = |name: &str| MediaOrder::Hear { leg: customer_leg(), heard: Heard::Named(name.into()) };
    let over = || Input::Media(Event::PromptEnded { leg: customer_leg() });
    let mut scene = Scene::of_a_caller();
    scene.order(Order::PlaySounds { number: 7, sounds: vec!["welcome".into(), "digit-4".into()] });
    assert_eq!((scene.status(), scene.media.last()), (Some(200), Some(&hears("welcome"))));
    scene.forget();
    scene.does(over());
    assert_eq!(scene.media, [hears("digit-4")]);
    scene.forget();
    scene.does(over());
    scene.does(over());
    assert_eq!((scene.told(), scene.media.len()), (vec!["Played".to_owned()], 0));
    scene.order(Order::PlaySounds { number: 8, sounds: vec!["choose".into()] });
    scene.forget();
    scene.order(Order::PlaySounds { number: 0, sounds: vec![] });
    assert_eq!(scene.media, [MediaOrder::Hear { leg: customer_leg(), heard: Heard::Nothing }]);
    scene.does(over());
    assert!(scene.told().is_empty() && scene.ended().is_none(), "the menu's prompt was cut short");
    scene.order(Order::PlaySounds { number: 9, sounds: vec!["bye".into()] });
    scene.order(Order::Play { sound: Sound::QueueMusic, then_hang_up: false });
    scene.forget();
    scene.does(over());
    assert!(scene.told().is_empty());
}
