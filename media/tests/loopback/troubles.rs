//! What goes wrong on a leg is told.
#![allow(clippy::disallowed_methods, reason = "troubles are told in real time")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use media::control::{Channel, Command, Direction, Event};
use media::driver::DriverChoice;
use media::quality::watch::Trouble;
use model::id::{Id, RecordingId};

use crate::both_drivers;
use crate::world::{How, Phone, World, g711};

both_drivers! {
    /// MEDIA-08: each with the leg it belongs to, and its end.
    troubles_of_legs_are_told_with_the_leg_and_their_end;
    /// RECO-04: a call whose one direction goes dead is told though nobody sends any more; a leg that is on hold is not, nor one that
    /// nothing records.
    a_recorded_leg_that_gets_nothing_is_told;
}

/// Sets the phone's clock to what is on the wall, at a speed: a machine that is held up makes no jitter then.
fn keeps_time(phone: &mut Phone, began: Instant, speed: f64) {
    phone.time = (began.elapsed().as_secs_f64() * 8_000.0 * speed) as u32;
}

/// Troubles that began or ended until `until` has them all.
async fn told(world: &mut World, wanted: &[(u64, &str, bool)], talk: &mut impl FnMut()) {
    let mut missing: BTreeSet<_> = wanted.iter().copied().collect();
    let began = Instant::now();
    while !missing.is_empty() {
        assert!(began.elapsed() < Duration::from_secs(10), "not told: {missing:?}");
        talk();
        tokio::time::sleep(Duration::from_millis(20)).await;
        while let Ok(event) = world.events.try_recv() {
            if let Event::Trouble { leg, trouble, began } = event {
                missing.remove(&(leg.uuid().as_u128() as u64, trouble.name(), began));
            }
        }
    }
}

async fn troubles_of_legs_are_told_with_the_leg_and_their_end(driver: DriverChoice) {
    let mut world = World::new(driver);
    let mut anna = world.phone(How::default()).await;
    let ben = world.phone(How::default()).await;
    let (mut shouting, mut mute) = (world.phone(How::default()).await, world.phone(How::default()).await);
    let (mut fast, listener) = (world.phone(How::default()).await, world.phone(How::default()).await);
    world.bridge(&anna, &ben).await;
    world.bridge(&shouting, &mute).await;
    world.bridge(&fast, &listener).await;
    let name = |phone: &Phone| phone.leg.uuid().as_u128() as u64;
    let began = Instant::now();
    let at_first = [
        (name(&ben), "nothing_received", true),
        (name(&mute), "silence", true),
        (name(&shouting), "clipping", true),
        (name(&fast), "clock_skew", true),
    ];
    told(&mut world, &at_first, &mut || {
        keeps_time(&mut anna, began, 1.0);
        anna.says(&g711(7));
        shouting.says(&[0x80; 160]);
        mute.says(&[0xFF; 160]);
        keeps_time(&mut fast, began, 1.01);
        fast.says(&g711(7));
    })
    .await;
    let mut ben = ben;
    let quiet = [0x70u8; 160];
    let at_last = [
        (name(&ben), "nothing_received", false),
        (name(&mute), "silence", false),
        (name(&shouting), "clipping", false),
    ];
    told(&mut world, &at_last, &mut || {
        ben.says(&quiet);
        shouting.says(&quiet);
        mute.says(&[0x20; 160]);
    })
    .await;
    let counts = world.media.counters()[0].counters.troubles;
    for trouble in [Trouble::NothingReceived, Trouble::Silence, Trouble::Clipping, Trouble::ClockSkew(0.0)] {
        assert!(counts[trouble.index()] > 0, "{} is counted", trouble.name());
    }
}

async fn a_recorded_leg_that_gets_nothing_is_told(driver: DriverChoice) {
    let mut world = World::new(driver);
    let dir = tempfile::tempdir().unwrap();
    let (mut customer, mut agent) = (world.phone(How::default()).await, world.phone(How::default()).await);
    let held = world.phone(How { direction: Direction::Inactive, ..How::default() }).await;
    let unrecorded = world.phone(How::default()).await;
    world.bridge(&customer, &agent).await;
    let recordings = [(1, &customer, &agent), (2, &held, &agent)];
    for (n, left, right) in recordings {
        let recording = RecordingId::from_number(n);
        let file = dir.path().join(format!("{n}.pbr"));
        world.media.command(Command::StartRecording { recording, file }).await.unwrap();
        for (channel, phone) in [(Channel::Left, left), (Channel::Right, right)] {
            let tap = Command::Tap { recording, channel, leg: Some(phone.leg) };
            world.media.command(tap).await.unwrap();
        }
    }
    let (customers, name) = (customer.leg, |phone: &Phone| phone.leg.uuid().as_u128() as u64);
    let mut empty = BTreeSet::new();
    let mut changes = Vec::new();
    let began = Instant::now();
    // Both talk; then the customer's direction is dead, and soon after nobody says a word; then the customer is back.
    let (mut back, mut last_word) = (false, Duration::ZERO);
    while changes.len() < 2 {
        let lasting = began.elapsed();
        assert!(lasting < Duration::from_secs(40), "{changes:?} {empty:?}");
        if lasting < Duration::from_secs(1) || back {
            customer.says(&g711(7));
            last_word = if back { last_word } else { lasting };
        }
        if lasting < Duration::from_secs(3) {
            agent.says(&g711(9));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        while let Ok(event) = world.events.try_recv() {
            if let Event::Trouble { leg, trouble: Trouble::NothingToRecord, began: silent } = event {
                empty.insert(leg.uuid().as_u128() as u64);
                if leg == customers {
                    changes.push((silent, began.elapsed()));
                    back |= silent;
                }
            }
        }
    }
    let [(true, noticed), (false, _)] = changes[..] else { panic!("{changes:?}") };
    assert!(noticed - last_word > Duration::from_secs(4), "a pause is no trouble: {noticed:?} {last_word:?}");
    assert!(!empty.contains(&name(&held)) && !empty.contains(&name(&unrecorded)), "{empty:?}");
    let counts = world.media.counters()[0].counters.troubles;
    assert!(counts[Trouble::NothingToRecord.index()] > 0);
}

/// QUAL-01: more than 2 % lost over ten seconds is told, and that it is over is told by itself.
#[tokio::test]
async fn poor_quality_is_told_and_clears_by_itself() {
    let mut world = World::new(DriverChoice::Mmsg);
    let mut phone = world.phone(How::default()).await;
    let began = Instant::now();
    let mut told = Vec::new();
    let mut n = 0u32;
    while told.len() < 2 {
        assert!(began.elapsed() < Duration::from_secs(40), "{told:?}");
        n += 1;
        // Of the first 12 s every twentieth packet is lost: 5 %.
        if n.is_multiple_of(20) && told.is_empty() {
            phone.seq = phone.seq.wrapping_add(1);
        }
        keeps_time(&mut phone, began, 1.0);
        phone.says(&g711(9));
        tokio::time::sleep(Duration::from_millis(50)).await;
        while let Ok(event) = world.events.try_recv() {
            if let Event::Quality { leg, poor, loss_percent, .. } = event {
                assert_eq!(leg, phone.leg);
                told.push((poor, loss_percent, began.elapsed()));
            }
        }
    }
    let [(true, lost, when), (false, ..)] = told[..] else { panic!("{told:?}") };
    assert!(lost > 2.0, "{lost} %");
    assert!(when >= Duration::from_secs(10), "an average of ten seconds: {when:?}");
}
