//! MEDIA-13: commands, and what a refused one leaves behind.

use std::time::Duration;

use media::control::{
    Answer, Command, Direction, Event, Format, Latching, LegSetup, MediaError, Passed, Security, Source,
    SrtpKey, SrtpSuite,
};
use media::driver::DriverChoice;
use model::id::{Id, LegId};
use model::media::Codec;

use crate::both_drivers;
use crate::world::{How, World, g711};

both_drivers! {
    /// MEDIA-13: a command that fails leaves the leg as it was.
    a_refused_setup_or_bridge_leaves_the_call_as_it_was;
    /// MEDIA-12: the roll-over counter is kept over re-negotiation when the keys are.
    a_renegotiation_with_the_same_keys_keeps_the_roll_over_counter;
    a_muted_leg_sends_silence_and_still_hears;
    /// MEDIA-13: media times out after a set silence and says so, once, and says when it is back.
    silence_is_told_once_and_so_is_its_end;
    direction_is_obeyed_both_ways;
    a_leg_that_hears_somebody_else_by_now_goes_on_doing_so;
    a_leg_held_with_an_address_of_zeros_is_sent_nothing_and_is_learnt_still;
}

/// What ends for one call leaves alone what another has begun since.
async fn a_leg_that_hears_somebody_else_by_now_goes_on_doing_so(driver: DriverChoice) {
    let world = World::new(driver);
    let (mut anna, mut ben) = (world.phone(How::default()).await, world.phone(How::default()).await);
    let mut carl = world.phone(How::default()).await;
    world.bridge(&anna, &ben).await;
    world.bridge(&anna, &carl).await;
    let stop = |leg, speaker| world.media.command(Command::StopHearing { leg, speaker });
    assert_eq!(stop(anna.leg, ben.leg).await, Ok(Answer::Done));
    carl.says(&g711(1));
    assert_eq!(anna.hears().await.expect("Carl is heard").payload, g711(1));
    assert_eq!(stop(anna.leg, carl.leg).await, Ok(Answer::Done));
    carl.says(&g711(2));
    anna.hears_nothing("it was told so").await;
    anna.says(&g711(3));
    assert_eq!(carl.hears().await.expect("the other way goes on").payload, g711(3));
    ben.says(&g711(4));
    anna.hears_nothing("that was over before").await;
}

async fn a_refused_setup_or_bridge_leaves_the_call_as_it_was(driver: DriverChoice) {
    let world = World::new(driver);
    let (mut anna, mut ben) = (world.phone(How::default()).await, world.phone(How::default()).await);
    world.bridge(&anna, &ben).await;
    let short_key = SrtpKey { suite: SrtpSuite::AeadAes128Gcm, key_and_salt: vec![1; 5] };
    let good = anna.setup();
    let passed = |payload_type, format, clock_hz| Passed { payload_type, format, clock_hz };
    let dtls = Security::Dtls {
        remote_ufrag: "abcd".into(),
        remote_pwd: "x".repeat(22),
        remote_fingerprint: "sha-256 00".into(),
        active: false,
    };
    let bad: Vec<LegSetup> = vec![
        LegSetup { security: Security::Sdes { send: short_key.clone(), receive: short_key }, ..good.clone() },
        LegSetup { security: dtls, ..good.clone() },
        LegSetup {
            send: Some(Format { payload_type: 72, codec: Codec::Pcmu, ptime_ms: 20 }),
            ..good.clone()
        },
        LegSetup { send: Some(Format { payload_type: 0, codec: Codec::Pcmu, ptime_ms: 5 }), ..good.clone() },
        LegSetup { remote: Some("224.0.0.1:9".parse().unwrap()), ..good.clone() },
        LegSetup { send: None, ..good.clone() },
        LegSetup { passed: vec![passed(0, 1, 8_000)], ..good.clone() },
        LegSetup { passed: vec![passed(18, 1, 8_000), passed(18, 2, 8_000)], ..good.clone() },
        LegSetup { passed: vec![passed(18, 1, 8_000), passed(19, 1, 8_000)], ..good.clone() },
        LegSetup { passed: vec![passed(18, 1, 0)], ..good.clone() },
        LegSetup { passed: vec![passed(75, 1, 8_000)], ..good.clone() },
        LegSetup { passed: (96..120).map(|n| passed(n, n.into(), 8_000)).collect(), ..good.clone() },
    ];
    for setup in bad {
        let refused =
            world.media.command(Command::ConfigureLeg { leg: anna.leg, setup: Box::new(setup) }).await;
        assert!(matches!(refused, Err(MediaError::BadSetup(_))), "{refused:?}");
    }
    let nobody = LegId::from_number(u64::MAX);
    let refused = world.media.command(Command::Bridge { a: anna.leg, b: nobody }).await;
    assert_eq!(refused, Err(MediaError::NoSuchLeg(nobody)));
    for n in 0..3 {
        anna.says(&g711(n));
        ben.says(&g711(40 + n));
        assert_eq!(ben.hears().await.unwrap().payload, g711(n));
        assert_eq!(anna.hears().await.unwrap().payload, g711(40 + n));
    }
}

async fn a_renegotiation_with_the_same_keys_keeps_the_roll_over_counter(driver: DriverChoice) {
    let world = World::new(driver);
    let suite = Some(SrtpSuite::AesCm128HmacSha1_80);
    let mut safe = world.phone(How { suite, ..How::default() }).await;
    let mut far = world.phone(How::default()).await;
    world.bridge(&safe, &far).await;
    // From 65530: over the wrap, so that both ends count one roll-over.
    for n in 0..10 {
        safe.says(&g711(n));
        assert_eq!(far.hears().await.unwrap().payload, g711(n));
    }
    world.configure(&safe).await.unwrap();
    for n in 10..14 {
        safe.says(&g711(n));
        far.says(&g711(n));
        assert_eq!(far.hears().await.unwrap().payload, g711(n), "opened with the old counter");
        assert_eq!(safe.hears().await.unwrap().payload, g711(n));
    }
}

async fn a_muted_leg_sends_silence_and_still_hears(driver: DriverChoice) {
    let world = World::new(driver);
    let (mut agent, mut caller) = (world.phone(How::default()).await, world.phone(How::default()).await);
    world.bridge(&agent, &caller).await;
    let mute = |muted| Command::Mute { leg: agent.leg, muted };
    assert_eq!(world.media.command(mute(true)).await, Ok(Answer::Done));
    agent.says(&g711(1));
    let first = caller.hears().await.unwrap();
    assert_eq!(first.payload, [0xFF; 160], "the stream goes on without words");
    caller.says(&g711(2));
    assert_eq!(agent.hears().await.unwrap().payload, g711(2));
    let unmute = Command::Mute { leg: agent.leg, muted: false };
    assert_eq!(world.media.command(unmute).await, Ok(Answer::Done));
    agent.says(&g711(3));
    let heard = caller.hears().await.unwrap();
    assert_eq!((heard.payload, heard.header.seq.since(first.header.seq)), (g711(3), 1));
}

async fn silence_is_told_once_and_so_is_its_end(driver: DriverChoice) {
    let mut world = World::with(driver, 1, 40, Duration::from_millis(500));
    let mut phone = world.phone(How::default()).await;
    let held = world.phone(How { direction: Direction::Inactive, ..How::default() }).await;
    phone.says(&g711(1));
    assert_eq!(world.events.recv().await, Some(Event::Started { leg: phone.leg }));
    let Some(Event::Silent { leg, lasting }) = world.event().await else { panic!("silence is told") };
    assert_eq!(leg, phone.leg, "nothing is expected of a leg on hold");
    assert!(lasting >= Duration::from_millis(500) && lasting < Duration::from_millis(1_700), "{lasting:?}");
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert!(world.events.try_recv().is_err(), "once");
    phone.says(&g711(2));
    let back = tokio::time::timeout(crate::world::SOON, world.events.recv()).await.unwrap();
    assert_eq!(back, Some(Event::Started { leg: phone.leg }));
    drop(held);
}

async fn direction_is_obeyed_both_ways(driver: DriverChoice) {
    let world = World::new(driver);
    let (mut anna, mut ben) = (world.phone(How::default()).await, world.phone(How::default()).await);
    world.bridge(&anna, &ben).await;
    for (direction, anna_hears, ben_hears) in [
        (Direction::RecvOnly, false, true),
        (Direction::SendOnly, true, false),
        (Direction::Inactive, false, false),
        (Direction::SendRecv, true, true),
    ] {
        anna.how.direction = direction;
        world.configure(&anna).await.unwrap();
        anna.says(&g711(1));
        ben.says(&g711(2));
        assert_eq!(ben.hears_within(crate::world::A_WHILE).await.is_some(), ben_hears, "{direction:?}");
        assert_eq!(anna.hears_within(crate::world::A_WHILE).await.is_some(), anna_hears, "{direction:?}");
    }
    world.hear(anna.leg, Source::Nothing).await;
    ben.says(&g711(3));
    anna.hears_nothing("she hears nobody").await;
}

async fn a_leg_held_with_an_address_of_zeros_is_sent_nothing_and_is_learnt_still(driver: DriverChoice) {
    let world = World::new(driver);
    let mut nat = world.phone(How { latching: Latching::Any, ..How::default() }).await;
    let mut far = world.phone(How::default()).await;
    world.bridge(&nat, &far).await;
    nat.says(&g711(1));
    assert_eq!(far.hears().await.unwrap().payload, g711(1));
    let held = LegSetup { remote: None, remote_rtcp: None, ..nat.setup() };
    world.media.command(Command::ConfigureLeg { leg: nat.leg, setup: Box::new(held) }).await.unwrap();
    far.says(&g711(2));
    nat.hears_nothing("it is held").await;
    world.configure(&nat).await.unwrap();
    far.says(&g711(3));
    assert_eq!(nat.hears().await.unwrap().payload, g711(3), "its address is known still");
}
