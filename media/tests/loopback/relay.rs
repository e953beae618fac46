//! Two parties hear each other.

use media::control::{Answer, Command, MediaError, SrtpSuite, Transport};
use media::driver::{DriverChoice, DriverKind};
use model::id::{Id, LegId};

use crate::both_drivers;
use crate::world::{How, PCMA, World, g711};

both_drivers! {
    two_phones_hear_each_other_in_one_stream_of_ours;
    /// MEDIA-01: any kind of protection, IPv4 and IPv6, meets any other.
    srtp_of_every_suite_meets_plain_rtp_across_address_families;
    mu_law_meets_a_law_in_the_same_buffer;
    /// MEDIA-03: the same code runs over either driver, and which one runs is told.
    the_driver_that_runs_is_told;
    a_deleted_leg_is_gone_and_its_ports_are_free;
}

async fn two_phones_hear_each_other_in_one_stream_of_ours(driver: DriverChoice) {
    let world = World::new(driver);
    let (mut anna, mut ben) = (world.phone(How::default()).await, world.phone(How::default()).await);
    world.bridge(&anna, &ben).await;
    let mut last = None;
    for n in 0..20 {
        anna.says(&g711(n));
        ben.says(&g711(100 + n));
        let (to_ben, to_anna) = (ben.hears().await.unwrap(), anna.hears().await.unwrap());
        assert_eq!((to_ben.payload, to_anna.payload), (g711(n), g711(100 + n)));
        assert_eq!(to_ben.from, ben.their_rtp, "it comes from where Ben sends to");
        assert_ne!(to_ben.header.ssrc, anna.ssrc, "the stream is ours");
        if let Some((ssrc, seq, time)) = last {
            let header = to_ben.header;
            assert_eq!((header.ssrc, header.seq.since(seq), header.timestamp.since(time)), (ssrc, 1, 160));
        }
        last = Some((to_ben.header.ssrc, to_ben.header.seq, to_ben.header.timestamp));
    }
    let stats = world.stats(anna.leg).await;
    assert_eq!((stats.received.packets, stats.received.lost, stats.sent_packets), (20, 0, 20));
    assert_eq!(stats.sent_octets, 20 * 172);
}

async fn srtp_of_every_suite_meets_plain_rtp_across_address_families(driver: DriverChoice) {
    let world = World::new(driver);
    for suite in [
        SrtpSuite::AesCm128HmacSha1_80,
        SrtpSuite::AesCm128HmacSha1_32,
        SrtpSuite::Aes256CmHmacSha1_80,
        SrtpSuite::AeadAes128Gcm,
        SrtpSuite::AeadAes256Gcm,
    ] {
        let mut safe = world.phone(How { suite: Some(suite), interface: "::1", ..How::default() }).await;
        let mut plain = world.phone(How::default()).await;
        world.bridge(&safe, &plain).await;
        // Sequence numbers wrap on the way: the roll-over counter must follow.
        for n in 0..12 {
            safe.says(&g711(n));
            plain.says(&g711(50 + n));
            assert_eq!(plain.hears().await.unwrap().payload, g711(n), "{suite:?}");
            assert_eq!(safe.hears().await.unwrap().payload, g711(50 + n), "{suite:?}");
        }
    }
}

async fn mu_law_meets_a_law_in_the_same_buffer(driver: DriverChoice) {
    let world = World::new(driver);
    let mut mu = world.phone(How::default()).await;
    let mut a = world.phone(How { send: PCMA, ..How::default() }).await;
    world.bridge(&mu, &a).await;
    for n in 0..5 {
        mu.says(&g711(n));
        let heard = a.hears().await.unwrap();
        let expected: Vec<u8> = g711(n).iter().map(|code| media::codec::g711::mu_to_a(*code)).collect();
        assert_eq!((heard.header.payload_type, heard.payload), (8, expected));
        a.says(&g711(n));
        let expected: Vec<u8> = g711(n).iter().map(|code| media::codec::g711::a_to_mu(*code)).collect();
        assert_eq!(mu.hears().await.unwrap().payload, expected);
    }
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let counters = world.media.counters()[0].counters;
    assert_eq!((counters.relayed_in_place, counters.relayed_copies, counters.transcoded), (10, 0, 0));
}

async fn the_driver_that_runs_is_told(driver: DriverChoice) {
    let world = World::new(driver);
    let kind = if driver == DriverChoice::Uring { DriverKind::Uring } else { DriverKind::Mmsg };
    assert_eq!(world.plane.info().threads[0].driver, kind);
    assert_eq!(world.media.counters()[0].driver, kind);
}

async fn a_deleted_leg_is_gone_and_its_ports_are_free(driver: DriverChoice) {
    let world = World::with(driver, 1, 4, std::time::Duration::from_secs(30));
    let first = world.create("127.0.0.1", None).await.unwrap();
    let second = world.create("127.0.0.1", None).await.unwrap();
    assert_eq!(world.create("127.0.0.1", None).await, Err(MediaError::PortsExhausted(4)));
    assert!(matches!(world.media.command(Command::DeleteLeg { leg: first.0 }).await, Ok(Answer::Stats(_))));
    let again = Command::Stats { leg: first.0 };
    assert_eq!(world.media.command(again).await, Err(MediaError::NoSuchLeg(first.0)));
    let third = world.create("127.0.0.1", None).await.unwrap();
    assert_eq!(third.1.rtp, first.1.rtp);
    let exists = Command::CreateLeg {
        leg: second.0,
        transport: Transport::Ports { interface: "127.0.0.1".parse().unwrap() },
        near: None,
    };
    assert_eq!(world.media.command(exists).await, Err(MediaError::LegExists(second.0)));
    let nobody = LegId::from_number(u64::MAX);
    let bridge = Command::Bridge { a: second.0, b: nobody };
    assert_eq!(world.media.command(bridge).await, Err(MediaError::NoSuchLeg(nobody)));
    let elsewhere = world.create("127.0.0.9", None).await;
    assert!(matches!(elsewhere, Err(MediaError::BadSetup(_))), "{elsewhere:?}");
}
