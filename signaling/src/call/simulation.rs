//! Calls through thick and thin: orders, far ends and the media plane do what they like, in any order, from one seed.
//!
//! Whatever happens, at the end every leg is gone, every phone was let go, every recording is closed, the customer was told
//! once, and the desk heard of the end exactly once and of nothing after it (the fixture watches that).

use std::time::Duration;

use media::control::{Event, MediaError};
use model::call::{CallFact, ReferTo, Rejection, Sound};
use model::interaction::EndedBy;
use model::journal::Party;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::fixture::*;
use super::timer::SessionTimer;
use super::words::{Input, MediaOrder, Order, Peer, PeerOrder, PhoneEvent, PhoneOrder, RequestId};

const CALLS: u64 = 4_000;
/// Trunks over which an agent's phone outside is dialled.
const OUTSIDE: [u32; 2] = [21, 22];

#[test]
fn every_call_ends_once_whatever_happens() {
    for seed in 0..CALLS {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut scene = begin(&mut random);
        let steps = random.random_range(0..60);
        for _ in 0..steps {
            step(&mut scene, &mut random);
        }
        if scene.ended().is_none() {
            scene.order(Order::HangUp(EndedBy::Agent));
        }
        check(&scene, seed);
    }
}

fn begin(random: &mut ChaCha8Rng) -> Scene {
    let mut scene = begin_of(random);
    // In some worlds the media plane has bad days.
    scene.refuses = match random.random_range(0..8) {
        0 => |o| matches!(o, MediaOrder::Create { .. }).then_some(MediaError::Unavailable),
        1 => |o| matches!(o, MediaOrder::Configure { .. }).then_some(MediaError::BadSetup("no".into())),
        2 => |o| matches!(o, MediaOrder::StartRecording(_)).then_some(MediaError::Unavailable),
        3 => |o| matches!(o, MediaOrder::Bridge { .. }).then_some(MediaError::Unavailable),
        _ => |_| None,
    };
    scene
}

/// A customer, a colleague's desk phone or a colleague's softphone calls.
fn begin_of(random: &mut ChaCha8Rng) -> Scene {
    match random.random_range(0..8) {
        0 | 1 => return Scene::of_a_colleague(),
        2 => return Scene::of_a_placed_call(),
        3 => return Scene::of_a_dialled_number(),
        _ => {}
    }
    let timer = match random.random_range(0..4) {
        0 => SessionTimer::of_request(Some("90;refresher=uac"), true, START).unwrap(),
        1 => SessionTimer::of_request(Some("90;refresher=uas"), true, START).unwrap(),
        _ => None,
    };
    let offer = match random.random_range(0..10) {
        0 => None,
        1 => Some("nonsense".to_owned()),
        _ => Some(sdp("192.0.2.9", "sendrecv", 1)),
    };
    match random.random_range(0..4) {
        0 => Scene::of_a_desk_phone(offer, timer),
        _ => Scene::of(offer, timer),
    }
}

/// What a trunk over which a number is dialled may say.
fn trunk_event(random: &mut ChaCha8Rng) -> PhoneEvent {
    match random.random_range(0..8) {
        0 | 1 => PhoneEvent::Reached,
        2 if random.random_bool(0.3) => PhoneEvent::Full,
        3 => PhoneEvent::Progress { status: 183, sdp: Some(sdp("192.0.2.30", "sendrecv", 1)) },
        4 => picked_up(sdp("192.0.2.30", "sendrecv", 1)),
        7 if random.random_bool(0.1) => PhoneEvent::Peer(Peer::Bye),
        5 => PhoneEvent::Refused([404, 486, 503, 603][random.random_range(0..4)].into()),
        _ => PhoneEvent::Unreachable("gone".into()),
    }
}

fn step(scene: &mut Scene, random: &mut ChaCha8Rng) {
    let branch = random.random_range(1..4);
    match random.random_range(0..36) {
        32 if !scene.legs.iter().any(|leg| OUTSIDE.map(trunk_leg).contains(leg)) => {
            scene.ring_number(random.random_range(1..3), &OUTSIDE);
        }
        33 | 34 => {
            let event = trunk_event(random);
            scene.phone_does(OUTSIDE[random.random_range(0..2)], event);
        }
        35 => {
            let leg = trunk_leg(OUTSIDE[random.random_range(0..2)]);
            let digit = ['1', '1', '2', '7'][random.random_range(0..4)];
            let event = match random.random_range(0..4) {
                0 => Event::PromptEnded { leg },
                _ => Event::Dtmf { leg, digit, held: Duration::from_millis(80) },
            };
            scene.does(Input::Media(event));
        }
        24 if !scene.inside && !scene.legs.iter().any(|leg| [11, 12].map(trunk_leg).contains(leg)) => {
            scene.dial(&[11, 12]);
        }
        27 if !scene.placed && random.random_bool(0.5) => scene.order(Order::JoinFarEnd(Some(recording()))),
        24..=27 if !scene.inside => {
            let event = trunk_event(random);
            scene.phone_does(random.random_range(11..13), event);
        }
        30 => {
            // No two requests of a dialog have one number.
            let id = RequestId(1_000 + u32::try_from(scene.customer.len() + scene.phones.len()).unwrap());
            let event = Peer::Refer { id, to: ReferTo::Dialled("1002".into()) };
            match random.random() {
                true => scene.customer_does(event),
                false => scene.phone_does(branch, PhoneEvent::Peer(event)),
            }
        }
        31 => {
            let refused = random.random::<bool>().then_some(Rejection::NobodyThere);
            scene.order(Order::AnswerReferral(somebody(random), refused));
        }
        28 => scene.order(if random.random() { Order::TakeAside } else { Order::BringBack }),
        29 => scene.order(Order::PlaySounds { number: 1, sounds: vec!["welcome".into()] }),
        0 => scene.order(Order::Play { sound: Sound::QueueMusic, then_hang_up: random.random() }),
        1 => scene.order(Order::Play { sound: Sound::Closed, then_hang_up: random.random() }),
        2 if !scene.legs.contains(&phone_leg()) => scene.ring_phones(random.random_range(1..3), &[1, 2, 3]),
        3 => {
            let up = random.random_bool(0.8).then(softphone);
            scene.order(Order::RingSoftphone { ring: ring(random.random_range(1..3)), softphone: up });
        }
        4 => scene.order(Order::StopRinging { token: ring(random.random_range(1..3)).token }),
        5 | 6 => scene.connect(random.random()),
        7 if random.random_bool(0.5) => scene.order(Order::Release(somebody(random))),
        7 => {
            let who = somebody(random);
            scene.order(if random.random() { Order::Hold(who) } else { Order::Retrieve(who) });
        }
        8 => scene.order(Order::Mute { agent: somebody(random), muted: random.random() }),
        9 if random.random_bool(0.2) => scene.order(Order::HangUp(EndedBy::Agent)),
        10 if random.random_bool(0.2) => scene.order(Order::Reject(Rejection::Busy)),
        11 => scene.customer_does(Peer::Acknowledged(
            random.random_bool(0.9).then(|| sdp("192.0.2.9", "sendrecv", 1)),
        )),
        12 if random.random_bool(0.2) => {
            scene.customer_does(if answered(scene) { Peer::Bye } else { Peer::Cancelled })
        }
        13 => {
            let direction = ["sendonly", "inactive", "sendrecv"][random.random_range(0..3)];
            let version = random.random_range(1..99);
            let sdp = random.random_bool(0.8).then(|| sdp("192.0.2.9", direction, version));
            scene.offer(version, sdp);
        }
        14 => scene.customer_does(Peer::OfferAcknowledged(
            random.random_bool(0.5).then(|| sdp("192.0.2.9", "sendrecv", 1)),
        )),
        15 => scene.customer_does(Peer::Renewed),
        16 => scene.phone_does(branch, picked_up(sdp("192.0.2.20", "sendrecv", 1))),
        17 => scene.phone_does(
            branch,
            PhoneEvent::Refused([408, 480, 486, 503, 603][random.random_range(0..5)].into()),
        ),
        18 => scene.phone_does(branch, PhoneEvent::Unreachable("gone".into())),
        19 if random.random_bool(0.3) => scene.phone_does(branch, PhoneEvent::Peer(Peer::Bye)),
        20 => {
            let offer = Peer::Offer {
                id: RequestId(random.random_range(100..200)),
                sdp: Some(sdp("192.0.2.20", "sendonly", 2)),
            };
            scene.phone_does(branch, PhoneEvent::Peer(offer));
        }
        21 => {
            let leg = if random.random_bool(0.8) { softphone().leg } else { colleagues_softphone().leg };
            scene.does(Input::Softphone { leg, up: random.random() });
        }
        22 => {
            let leg = [scene.customer_leg(), phone_leg(), softphone().leg][random.random_range(0..3)];
            let event = match random.random_range(0..4) {
                0 if random.random_bool(0.2) => Event::Silent { leg, lasting: Duration::from_secs(30) },
                1 => Event::PromptEnded { leg },
                2 => Event::Started { leg },
                _ => Event::Dtmf { leg, digit: '1', held: Duration::from_millis(100) },
            };
            scene.does(Input::Media(event));
        }
        _ => {
            let millis = random.next_u32() % 20_000;
            scene.pass(Duration::from_millis(u64::from(millis)));
        }
    }
}

fn somebody(random: &mut ChaCha8Rng) -> model::id::UserId {
    if random.random() { agent() } else { colleague() }
}

fn answered(scene: &Scene) -> bool {
    let up = |f: &CallFact| matches!(f, CallFact::LegAnswered { party: Party::Customer, .. });
    scene.customer.iter().any(|o| matches!(o, PeerOrder::Answer { .. })) || scene.facts.iter().any(up)
}

/// Whoever was told that a transfer is tried is told once how it went, unless they hung up first.
fn told_of_referrals(scene: &Scene) -> bool {
    let of_customer = scene.customer.iter().filter_map(|order| match order {
        PeerOrder::Notify { status } => Some(*status),
        _ => None,
    });
    let of_phones = scene.phones.iter().filter_map(|(_, order)| match order {
        PhoneOrder::Notify { status } => Some(*status),
        _ => None,
    });
    let told: Vec<u16> = of_customer.chain(of_phones).collect();
    let tried = told.iter().filter(|status| **status == 100).count();
    let ended = told.len() - tried;
    let hung_up = scene.facts.iter().any(|fact| matches!(fact, CallFact::Ended { .. }));
    ended <= tried && (ended == tried || hung_up)
}

fn check(scene: &Scene, seed: u64) {
    let facts = &scene.facts;
    let ends = facts.iter().filter(|f| matches!(f, CallFact::Ended { .. })).count();
    assert_eq!(ends, 1, "seed {seed}: ended {ends} times");
    assert!(matches!(facts.last(), Some(CallFact::Ended { .. })), "seed {seed}");
    assert!(scene.call.is_over());
    assert_eq!(scene.legs.len(), 2, "seed {seed}: legs left: {:?}", scene.legs);
    let count = |is: fn(&CallFact) -> bool| facts.iter().filter(|f| is(f)).count();
    assert_eq!(
        count(|f| matches!(f, CallFact::LegAnswered { .. })),
        count(|f| matches!(f, CallFact::LegEnded { .. })),
        "seed {seed}: {facts:#?}"
    );
    assert_eq!(
        count(|f| matches!(f, CallFact::RecordingStarted { .. })),
        count(|f| matches!(f, CallFact::RecordingCaptured { .. })),
        "seed {seed}"
    );
    let farewells = scene
        .customer
        .iter()
        .filter(|o| matches!(o, PeerOrder::Refuse { .. } | PeerOrder::Bye { .. }))
        .count();
    let left = facts.iter().any(|f| matches!(f, CallFact::Ended { by: EndedBy::Customer, .. }));
    // With a softphone there is no dialog in which something could be said.
    let expected = usize::from(!scene.inside && (!scene.placed || answered(scene)));
    assert!(farewells == expected || (left && farewells == 0), "seed {seed}: told {farewells} times");
    assert!(told_of_referrals(scene), "seed {seed}: {:?} {:?}", scene.customer, scene.phones);
    assert!(scene.live.is_empty(), "seed {seed}: forgotten phones: {:?}", scene.live);
}
