//! How calls end, and what is survived.

use std::time::Duration;

use media::control::{Event, MediaError};
use model::call::{CallFact, Sound};
use model::interaction::EndedBy;

use super::SECOND;
use crate::call::fixture::*;
use crate::call::timer::SessionTimer;
use crate::call::words::{Branch, Heard, Input, MediaOrder, Order, Peer, PeerOrder, PhoneEvent, PhoneOrder};

/// B3: Talking, either side hangs up. Everybody is told, the recording is closed, and the end is the last word.
#[test]
fn whoever_hangs_up_the_end_is_said_last() {
    type HangUp = fn(&mut Scene);
    let ways: [(HangUp, EndedBy); 3] = [
        (|s| s.customer_does(Peer::Bye), EndedBy::Customer),
        (|s| s.phone_does(1, PhoneEvent::Peer(Peer::Bye)), EndedBy::Agent),
        (|s| s.order(Order::HangUp(EndedBy::Agent)), EndedBy::Agent),
    ];
    for (hang_up, by) in ways {
        let mut scene = Scene::of_a_conversation_by_phone();
        hang_up(&mut scene);
        assert_eq!(scene.told(), ["RecordingCaptured", "LegEnded", "LegEnded", "Ended"]);
        assert_eq!(scene.ended(), Some((by, None)));
        let byes = scene.customer.iter().filter(|o| matches!(o, PeerOrder::Bye { .. })).count();
        assert_eq!(byes, usize::from(by != EndedBy::Customer), "{by:?}");
        assert_eq!(scene.legs.len(), 2, "only softphones' legs outlive calls");
        assert!(scene.call.is_over());
    }
}

#[test]
fn the_softphone_outlives_the_call_and_only_its_part_in_it_is_counted() {
    let mut scene = Scene::of_a_waiting_caller();
    scene.connect(false);
    scene.forget();
    scene.order(Order::HangUp(EndedBy::Agent));
    assert!(scene.legs.contains(&softphone().leg));
    assert!(scene.media.contains(&MediaOrder::Hear { leg: softphone().leg, heard: Heard::Nothing }));
    let stats = scene.facts.iter().find_map(|f| match f {
        CallFact::LegEnded { leg, stats, .. } if *leg == half() => *stats,
        _ => None,
    });
    assert_eq!(stats.unwrap().packets, 100, "what it received before is not this call's");
}

/// WRTC-02: the customer never hears silence while the page is loaded anew, and bridge and recording stay.
#[test]
fn a_softphone_that_comes_back_finds_its_call_again() {
    let mut scene = Scene::of_a_conversation();
    scene.does(Input::Softphone { leg: softphone().leg, up: false });
    assert_eq!(
        scene.media,
        [MediaOrder::Hear { leg: customer_leg(), heard: Heard::Sound(Sound::ComfortNoise) }]
    );
    scene.pass(Duration::from_millis(900));
    scene.forget();
    scene.does(Input::Softphone { leg: softphone().leg, up: true });
    assert_eq!(
        scene.media,
        [
            MediaOrder::Hear { leg: customer_leg(), heard: Heard::Leg(softphone().leg) },
            MediaOrder::Hear { leg: softphone().leg, heard: Heard::Leg(customer_leg()) },
        ]
    );
    scene.pass(60 * SECOND);
    assert_eq!(scene.ended(), None);
}

#[test]
fn a_held_customer_stays_held_when_the_softphone_comes_back() {
    let mut scene = Scene::of_a_conversation();
    scene.order(Order::Hold(agent()));
    scene.does(Input::Softphone { leg: softphone().leg, up: false });
    scene.forget();
    scene.does(Input::Softphone { leg: softphone().leg, up: true });
    assert_eq!(
        scene.media,
        [MediaOrder::Hear { leg: customer_leg(), heard: Heard::Sound(Sound::HoldMusic) }]
    );
}

#[test]
fn a_softphone_that_stays_away_ends_the_call_as_a_failure() {
    let mut scene = Scene::of_a_conversation();
    scene.does(Input::Softphone { leg: softphone().leg, up: false });
    scene.pass(29 * SECOND);
    assert_eq!(scene.ended(), None);
    scene.pass(SECOND);
    let (by, failure) = scene.ended().unwrap();
    assert_eq!(by, EndedBy::System);
    assert!(failure.unwrap().contains("softphone"));
}

#[test]
fn a_customer_who_is_heard_no_more_ends_the_call_unless_on_hold_by_own_wish() {
    let silent = || Input::Media(Event::Silent { leg: customer_leg(), lasting: 30 * SECOND });
    let mut scene = Scene::of_a_conversation();
    scene.does(silent());
    assert!(scene.ended().unwrap().1.unwrap().contains("nothing was heard"));
    let mut holding = Scene::of_a_conversation();
    holding.offer(1, Some(sdp("192.0.2.9", "inactive", 2)));
    holding.does(silent());
    assert_eq!(holding.ended(), None);
    let mut waiting = Scene::of_a_waiting_caller();
    waiting.does(silent());
    assert_eq!(waiting.ended(), None, "who waits may be mute");
    waiting.connect(false);
    waiting.pass(11 * SECOND);
    assert!(waiting.ended().is_some(), "who is still not heard ten seconds after is gone");
}

#[test]
fn a_session_nobody_renews_is_ended_and_one_left_to_us_is_renewed() {
    let timer = |value| SessionTimer::of_request(Some(value), true, START).unwrap();
    let mut theirs = Scene::of(Some(sdp("192.0.2.9", "sendrecv", 1)), timer("180;refresher=uac"));
    theirs.order(Order::Play { sound: Sound::QueueMusic, then_hang_up: false });
    theirs.pass(100 * SECOND);
    theirs.customer_does(Peer::Renewed);
    theirs.pass(147 * SECOND);
    assert_eq!(theirs.ended(), None);
    theirs.pass(SECOND);
    assert!(theirs.ended().unwrap().1.unwrap().contains("renew"));
    let mut ours = Scene::of(Some(sdp("192.0.2.9", "sendrecv", 1)), timer("180;refresher=uas"));
    ours.order(Order::Play { sound: Sound::QueueMusic, then_hang_up: false });
    ours.pass(90 * SECOND);
    assert_eq!(ours.customer.last(), Some(&PeerOrder::Renew));
    ours.customer_does(Peer::RenewalAnswered(200));
    ours.pass(90 * SECOND);
    ours.customer_does(Peer::RenewalAnswered(481));
    assert!(ours.ended().unwrap().1.is_some());
}

#[test]
fn a_media_plane_without_ports_is_an_overload_and_a_bridge_that_fails_a_failure() {
    let mut scene = Scene::of_a_caller();
    scene.refuses = |o| matches!(o, MediaOrder::Create { .. }).then_some(MediaError::PortsExhausted(2));
    scene.order(Order::Play { sound: Sound::QueueMusic, then_hang_up: false });
    assert!(matches!(
        scene.customer.last(),
        Some(PeerOrder::Refuse { status: 503, retry_after_s: Some(_), .. })
    ));
    let mut scene = Scene::of_a_waiting_caller();
    scene.refuses = |o| matches!(o, MediaOrder::Bridge { .. }).then_some(MediaError::Unavailable);
    scene.connect(false);
    assert!(scene.ended().unwrap().1.unwrap().contains("bridged"));
    assert!(scene.told().contains(&"RecordingCaptured".to_owned()));
}

#[test]
fn when_the_appliance_stops_every_call_is_ended_and_says_why() {
    let mut scene = Scene::of_a_conversation_by_phone();
    scene.order(Order::Stop);
    assert!(matches!(scene.customer.last(), Some(PeerOrder::Bye { .. })));
    assert_eq!(scene.phones, [(Branch(1), PhoneOrder::End)]);
    assert_eq!(scene.ended().unwrap().0, EndedBy::System);
}

#[test]
fn what_comes_after_the_end_is_told_that_it_is_late() {
    let mut scene = Scene::of_a_conversation_by_phone();
    scene.order(Order::HangUp(EndedBy::Agent));
    scene.forget();
    scene.offer(9, Some(sdp("192.0.2.9", "sendrecv", 2)));
    assert_eq!(scene.status(), Some(481));
    scene.order(Order::Hold(agent()));
    scene.order(Order::HangUp(EndedBy::Agent));
    scene.customer_does(Peer::Bye);
    scene.pass(600 * SECOND);
    assert!(scene.facts.is_empty() && scene.media.is_empty());
}
