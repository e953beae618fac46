//! What goes wrong on a leg is told.
#![allow(clippy::disallowed_methods, reason = "troubles are told in real time")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use media::control::Event;
use media::driver::DriverChoice;
use media::quality::watch::Trouble;
use model::id::Id;

use crate::both_drivers;
use crate::world::{How, Phone, World, g711};

both_drivers! {
    /// MEDIA-08: each with the leg it belongs to, and its end.
    troubles_of_legs_are_told_with_the_leg_and_their_end;
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
