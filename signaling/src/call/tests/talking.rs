//! Customer and agent together: connecting, hold, mute, digits.

use media::control::{Channel, Direction, Event, MediaError};
use model::call::{CallFact, Sound};
use model::interaction::EndedBy;

use super::SECOND;
use crate::call::fixture::*;
use crate::call::words::{Heard, Input, MediaOrder, Order, Peer, PhoneEvent, PhoneOrder};

/// The recording runs before customer and agent hear each other, the customer left, our side right.
#[test]
fn connecting_records_first_then_plays_the_tones_then_bridges() {
    let mut scene = Scene::of_a_waiting_caller();
    scene.order(Order::RingSoftphone { ring: ring(1), softphone: Some(softphone()) });
    scene.forget();
    scene.connect(true);
    assert_eq!(scene.told(), ["LegAnswered", "RecordingStarted"]);
    let taps: Vec<_> = scene
        .media
        .iter()
        .filter_map(|o| match o {
            MediaOrder::Tap { channel, leg, .. } => Some((*channel, *leg)),
            _ => None,
        })
        .collect();
    assert_eq!(taps, [(Channel::Left, customer_leg()), (Channel::Right, softphone().leg)]);
    let tones = MediaOrder::Hear { leg: softphone().leg, heard: Heard::Announcement };
    assert_eq!(scene.media.last(), Some(&tones));
    scene.does(Input::Media(Event::PromptEnded { leg: softphone().leg }));
    assert_eq!(scene.media.last(), Some(&MediaOrder::Bridge { a: customer_leg(), b: softphone().leg }));
    assert_eq!(
        scene.told(),
        ["LegAnswered", "RecordingStarted", "Bridged"],
        "talk time begins after the tones"
    );
}

#[test]
fn tones_whose_end_is_not_heard_of_do_not_keep_the_caller_waiting() {
    let mut scene = Scene::of_a_waiting_caller();
    scene.connect(true);
    assert!(!scene.told().contains(&"Bridged".to_owned()));
    scene.pass(3 * SECOND);
    assert!(scene.told().contains(&"Bridged".to_owned()));
}

#[test]
fn a_call_that_cannot_be_recorded_is_connected_and_said_so() {
    let mut scene = Scene::of_a_waiting_caller();
    scene.refuses = |o| match o {
        MediaOrder::StartRecording(_) => Some(MediaError::Unavailable),
        _ => None,
    };
    scene.forget();
    scene.connect(false);
    assert_eq!(scene.told(), ["LegAnswered", "RecordingFailed", "Bridged"]);
    scene.order(Order::HangUp(EndedBy::Agent));
    assert!(!scene.told().contains(&"RecordingCaptured".to_owned()));
}

/// CTRL-03: hold changes only what the customer hears; the agent goes on hearing the customer.
#[test]
fn on_hold_the_customer_hears_music_and_the_agent_the_customer() {
    let mut scene = Scene::of_a_conversation();
    scene.order(Order::Hold(agent()));
    scene.order(Order::Hold(agent()));
    assert_eq!(
        scene.media,
        [
            MediaOrder::Stats(softphone().leg),
            MediaOrder::Hear { leg: customer_leg(), heard: Heard::Sound(Sound::HoldMusic) }
        ]
    );
    assert_eq!(scene.told(), ["HoldChanged"], "said once");
    scene.order(Order::Retrieve(agent()));
    assert_eq!(scene.media.last(), Some(&MediaOrder::Bridge { a: customer_leg(), b: softphone().leg }));
    assert_eq!(scene.told(), ["HoldChanged", "HoldChanged"]);
}

/// An agent may have several calls on hold: the end of one on hold does not reach into the one that is talked in.
#[test]
fn a_held_customer_who_leaves_does_not_disturb_the_agents_other_call() {
    let mut scene = Scene::of_a_conversation();
    scene.order(Order::Hold(agent()));
    scene.forget();
    scene.customer_does(Peer::Bye);
    let touched = |o: &MediaOrder| matches!(o, MediaOrder::Hear { leg, .. } | MediaOrder::Mute { leg, .. } if *leg == softphone().leg);
    assert!(!scene.media.iter().any(touched));
    assert!(scene.call.is_over());
}

#[test]
fn muting_drops_the_agents_words_and_nothing_else() {
    let mut scene = Scene::of_a_conversation();
    scene.order(Order::Mute { agent: agent(), muted: true });
    scene.order(Order::Mute { agent: agent(), muted: true });
    assert_eq!(scene.media, [MediaOrder::Mute { leg: softphone().leg, muted: true }]);
    assert_eq!(scene.told(), ["MuteChanged"]);
}

#[test]
fn digits_go_to_the_customers_side_and_nonsense_nowhere() {
    let mut scene = Scene::of_a_conversation();
    scene.order(Order::SendDigits { agent: agent(), digits: "12#".into() });
    scene.order(Order::SendDigits { agent: agent(), digits: "12x".into() });
    scene.order(Order::SendDigits { agent: agent(), digits: String::new() });
    assert_eq!(scene.media, [MediaOrder::SendDigits { leg: customer_leg(), digits: "12#".into() }]);
    scene.does(Input::Media(Event::Dtmf { leg: customer_leg(), digit: '5', held: SECOND }));
    scene.customer_does(Peer::Digit('6'));
    let digits: Vec<_> = scene
        .facts
        .iter()
        .filter_map(|f| match f {
            CallFact::DigitReceived { digit, .. } => Some(*digit),
            _ => None,
        })
        .collect();
    assert_eq!(digits, ['5', '6']);
}

/// SIP-04: hold by `sendonly`, `inactive` and an address of zeros is answered as RFC 3264 says (§8.4).
#[test]
fn a_customers_hold_is_answered_in_all_three_forms() {
    let forms = [
        ("192.0.2.9", "sendonly", "a=recvonly", Direction::RecvOnly),
        ("192.0.2.9", "inactive", "a=inactive", Direction::Inactive),
        ("0.0.0.0", "sendrecv", "a=", Direction::RecvOnly),
    ];
    for (n, (address, direction, answer, ours)) in (2..).zip(forms) {
        let mut scene = Scene::of_a_conversation();
        scene.offer(n, Some(sdp(address, direction, n)));
        assert_eq!(scene.status(), Some(200));
        assert!(scene.said_to_customer().contains(answer), "{}", scene.said_to_customer());
        let set = scene.media.iter().find_map(|o| match o {
            MediaOrder::Configure { setup, .. } => Some(setup.direction),
            _ => None,
        });
        assert!(set == Some(ours) || (address == "0.0.0.0" && set.is_some()), "{set:?}");
        scene.offer(n + 1, Some(sdp("192.0.2.9", "sendrecv", n + 1)));
        assert!(scene.said_to_customer().contains("a=sendrecv"));
        assert_eq!(scene.ended(), None);
    }
}

#[test]
fn the_hold_key_of_the_agents_phone_works_as_the_consoles() {
    let mut scene = Scene::of_a_conversation_by_phone();
    let offer = |n, direction: &str| {
        PhoneEvent::Peer(Peer::Offer {
            id: crate::call::words::RequestId(n),
            sdp: Some(sdp("192.0.2.20", direction, n)),
        })
    };
    scene.phone_does(1, offer(2, "sendonly"));
    assert_eq!(scene.told(), ["HoldChanged"]);
    assert!(
        scene
            .media
            .contains(&MediaOrder::Hear { leg: customer_leg(), heard: Heard::Sound(Sound::HoldMusic) })
    );
    scene.phone_does(1, offer(3, "sendrecv"));
    assert_eq!(scene.told(), ["HoldChanged", "HoldChanged"]);
    let replies =
        scene.phones.iter().filter(|(_, o)| matches!(o, PhoneOrder::Reply(a) if a.status == 200)).count();
    assert_eq!(replies, 2);
    scene.order(Order::Hold(agent()));
    scene.phone_does(1, offer(4, "sendrecv"));
    assert_eq!(scene.told().len(), 3, "a renewal by the phone does not undo the console's hold");
}
