//! The rules of a call, told in the trade's words.

use std::time::Duration;

use media::control::{Channel, Direction, Event, MediaError};
use media::quality::watch::Trouble;
use model::call::{CallFact, Rejection, Sound};
use model::interaction::EndedBy;
use model::journal::Party;

use super::fixture::*;
use super::timer::SessionTimer;
use super::words::Branch;
use super::words::{Heard, Input, MediaOrder, Order, Peer, PeerOrder, PhoneEvent, PhoneOrder};

const SECOND: Duration = Duration::from_secs(1);

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

/// B3: Queued, agent selected; Offered, accepted.
#[test]
fn all_phones_of_an_agent_ring_and_the_first_one_picked_up_silences_the_others() {
    let mut scene = Scene::of_a_waiting_caller();
    scene.forget();
    scene.ring_phones(1, &[1, 2, 3]);
    let invites =
        |scene: &Scene| scene.phones.iter().filter(|(_, o)| matches!(o, PhoneOrder::Invite { .. })).count();
    assert_eq!(invites(&scene), 3);
    scene.phone_does(2, PhoneEvent::Answered(sdp("192.0.2.20", "sendrecv", 1)));
    let ended: Vec<_> =
        scene.phones.iter().filter(|(_, o)| *o == PhoneOrder::End).map(|(b, _)| b.0).collect();
    assert_eq!(ended, [1, 3]);
    assert_eq!(scene.told(), ["LegAnswered", "AgentAnswered"]);
    scene.phone_does(3, PhoneEvent::Answered(sdp("192.0.2.21", "sendrecv", 1)));
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
            scene.phone_does(*branch, PhoneEvent::Refused(*status));
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
    scene.phone_does(1, PhoneEvent::Answered(sdp("192.0.2.20", "sendrecv", 1)));
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
fn the_hold_key_of_the_agents_phone_works_as_the_consoles() {
    let mut scene = Scene::of_a_conversation_by_phone();
    let offer = |n, direction: &str| {
        PhoneEvent::Peer(Peer::Offer {
            id: super::words::RequestId(n),
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

#[test]
fn a_phone_that_hangs_up_before_it_is_connected_is_unreachable_and_the_caller_waits_on() {
    let mut scene = Scene::of_a_waiting_caller();
    scene.ring_phones(1, &[1]);
    scene.phone_does(1, PhoneEvent::Answered(sdp("192.0.2.20", "sendrecv", 1)));
    scene.forget();
    scene.phone_does(1, PhoneEvent::Peer(Peer::Bye));
    assert_eq!(scene.told(), ["LegEnded", "AgentUnreachable"]);
    assert_eq!(scene.ended(), None);
    scene.order(Order::RingSoftphone { ring: ring(2), softphone: Some(softphone()) });
    scene.connect(false);
    assert!(scene.told().contains(&"Bridged".to_owned()));
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
fn figures_come_every_two_seconds_while_they_talk_and_never_else() {
    let mut waiting = Scene::of_a_waiting_caller();
    waiting.pass(60 * SECOND);
    assert!(!waiting.told().contains(&"Quality".to_owned()));
    let mut scene = Scene::of_a_conversation();
    scene.pass(10 * SECOND);
    assert_eq!(scene.told(), vec!["Quality"; 5]);
    scene.does(Input::Media(Event::Quality {
        leg: customer_leg(),
        poor: true,
        jitter_ms: 80.0,
        loss_percent: 9.0,
    }));
    assert_eq!(scene.told().last().unwrap(), "QualityChanged");
}

/// MEDIA-08: one-way audio makes a half poor at once, and good again only when nothing else is wrong with it.
#[test]
fn a_half_is_poor_while_anything_is_wrong_with_it() {
    let mut scene = Scene::of_a_conversation();
    let trouble = |trouble, began| Input::Media(Event::Trouble { leg: customer_leg(), trouble, began });
    let limits = |poor| Event::Quality { leg: customer_leg(), poor, jitter_ms: 80.0, loss_percent: 9.0 };
    let changes = |scene: &Scene| scene.told().iter().filter(|fact| *fact == "QualityChanged").count();
    scene.does(trouble(Trouble::NothingReceived, true));
    assert_eq!(changes(&scene), 1);
    scene.does(Input::Media(limits(true)));
    scene.does(trouble(Trouble::NothingReceived, false));
    scene.does(trouble(Trouble::Silence, true));
    assert_eq!(changes(&scene), 1, "it is poor already, and silence alone is nobody's fault");
    scene.does(Input::Media(limits(false)));
    assert_eq!(changes(&scene), 2, "all is well again");
}

/// RECO-04: an empty channel of a recording is told once, of whom, and that it is over; of a call that is not recorded nothing is.
#[test]
fn an_empty_channel_of_a_recording_is_told_with_its_party() {
    let mut scene = Scene::of_a_conversation();
    let silent = |leg, began| Input::Media(Event::Trouble { leg, trouble: Trouble::NothingToRecord, began });
    let parties = |scene: &Scene| -> Vec<(bool, bool)> {
        let told = scene.facts.iter().filter_map(|fact| match fact {
            CallFact::RecordingSilent { party, silent, .. } => Some((*party == Party::Customer, *silent)),
            _ => None,
        });
        told.collect()
    };
    scene.does(silent(softphone().leg, false));
    assert!(parties(&scene).is_empty(), "the end of what belonged to another call of the agent's");
    for began in [true, true, false] {
        scene.does(silent(customer_leg(), began));
    }
    scene.does(silent(softphone().leg, true));
    assert_eq!(parties(&scene), [(true, true), (true, false), (false, true)]);

    let mut scene = Scene::of_a_waiting_caller();
    scene.refuses = |o| match o {
        MediaOrder::StartRecording(_) => Some(MediaError::Unavailable),
        _ => None,
    };
    scene.connect(false);
    scene.does(silent(customer_leg(), true));
    assert!(parties(&scene).is_empty(), "that it is not recorded was said");
}

#[test]
fn an_answer_nobody_acknowledges_ends_the_call() {
    let mut scene = Scene::of_a_caller();
    scene.order(Order::Play { sound: Sound::QueueMusic, then_hang_up: false });
    scene.customer_does(Peer::NeverAcknowledged);
    assert!(scene.ended().unwrap().1.unwrap().contains("acknowledged"));
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
