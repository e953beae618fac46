//! What strangers send, and what comes of it.

use std::time::Duration;

use media::control::{Direction, Latching, SrtpSuite};
use media::driver::DriverChoice;
use media::leg::DropReason;

use crate::both_drivers;
use crate::world::{A_WHILE, How, Phone, World, g711, socket_pair};

both_drivers! {
    /// MEDIA-12: without latching a stranger's packets are dropped and counted, and change nothing.
    a_stranger_is_dropped_and_counted_and_gets_nothing;
    /// MEDIA-12: a phone behind NAT is learnt from its packets; afterwards nobody else is believed.
    a_phone_behind_nat_is_learnt_and_then_nobody_else;
    tiny_huge_and_senseless_datagrams_change_nothing;
    a_protected_leg_takes_no_plain_no_forged_and_no_repeated_packet;
    a_new_ssrc_of_the_far_end_goes_on_in_our_stream;
    a_goodbye_by_rtcp_ends_nothing;
    an_unknown_payload_type_is_rejected;
}

fn dropped(world: &World, reason: DropReason) -> u64 {
    world.media.counters()[0].counters.dropped[reason as usize]
}

/// Says `n`, and asserts that the other hears it.
async fn carries(from: &mut Phone, to: &mut Phone, n: u8) {
    from.says(&g711(n));
    assert_eq!(to.hears().await.expect("the call goes on").payload, g711(n));
}

async fn a_stranger_is_dropped_and_counted_and_gets_nothing(driver: DriverChoice) {
    let world = World::new(driver);
    let (mut anna, mut ben) = (world.phone(How::default()).await, world.phone(How::default()).await);
    world.bridge(&anna, &ben).await;
    carries(&mut anna, &mut ben, 1).await;
    let (stranger, _) = socket_pair("127.0.0.1");
    // The stranger even knows Anna's numbers.
    for _ in 0..5 {
        let packet = anna.packet(0, false, &g711(66));
        stranger.send_to(&packet, anna.their_rtp).unwrap();
    }
    ben.hears_nothing("strangers are not relayed").await;
    carries(&mut anna, &mut ben, 2).await;
    carries(&mut ben, &mut anna, 3).await;
    assert!(stranger.recv(&mut [0; 2048]).is_err(), "nothing is sent to it");
    let stats = world.stats(anna.leg).await;
    assert_eq!((stats.received.packets, stats.received.rejected), (2, 5));
    assert_eq!(dropped(&world, DropReason::WrongSource), 5);
}

async fn a_phone_behind_nat_is_learnt_and_then_nobody_else(driver: DriverChoice) {
    let world = World::new(driver);
    let mut nat = world.phone(How { latching: Latching::Any, ..How::default() }).await;
    let mut far = world.phone(How::default()).await;
    // It signals an address that is not where its packets come from.
    let signalled = std::mem::replace(&mut nat.rtp, socket_pair("127.0.0.1").0);
    world.bridge(&nat, &far).await;
    far.says(&g711(1));
    nat.hears_nothing("nobody is sent to before something verified came").await;
    assert!(signalled.recv(&mut [0; 2048]).is_err());
    carries(&mut nat, &mut far, 2).await;
    carries(&mut far, &mut nat, 3).await;
    let (stranger, _) = socket_pair("127.0.0.1");
    stranger.send_to(&nat.packet(0, false, &g711(66)), nat.their_rtp).unwrap();
    far.hears_nothing("the source is latched").await;
    carries(&mut far, &mut nat, 4).await;
    assert!(stranger.recv(&mut [0; 2048]).is_err());
    assert_eq!(world.stats(nat.leg).await.received.rejected, 1);
}

async fn tiny_huge_and_senseless_datagrams_change_nothing(driver: DriverChoice) {
    let world = World::new(driver);
    let (mut anna, mut ben) = (world.phone(How::default()).await, world.phone(How::default()).await);
    world.bridge(&anna, &ben).await;
    carries(&mut anna, &mut ben, 1).await;
    let mut junk: Vec<Vec<u8>> =
        vec![vec![], vec![0x80], vec![0x80; 11], vec![0xFF; 60_000], vec![0x80; 1_601]];
    // Every first octet, in every length around the headers; and packets that lie about themselves.
    for first in 0..=255u8 {
        junk.extend([1usize, 3, 12, 13, 28, 64].map(|len| vec![first; len]));
    }
    junk.push([&[0xBFu8, 0][..], &[0xFF; 30]].concat());
    for octets in &junk {
        anna.rtp.send_to(octets, anna.their_rtp).unwrap();
        anna.rtcp.send_to(octets, anna.their_rtcp).unwrap();
        // The sockets hold some hundred datagrams; let them be read.
        if octets.len() > 1_000 || octets.first().is_some_and(|first| first % 16 == 0) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    while let Some(heard) = ben.hears_within(A_WHILE).await {
        // What is well-formed RTP of a known type is the far end's own affair.
        assert_eq!(heard.header.payload_type, 0);
    }
    anna.ssrc += 1;
    let mut carried = false;
    for n in 0..3 {
        anna.says(&g711(n));
        // The junk above may have begun streams of its own, which still come.
        while let Some(heard) = ben.hears_within(A_WHILE).await {
            carried |= heard.payload == g711(n);
        }
    }
    assert!(carried, "the call goes on");
    carries(&mut ben, &mut anna, 9).await;
}

async fn a_protected_leg_takes_no_plain_no_forged_and_no_repeated_packet(driver: DriverChoice) {
    let world = World::new(driver);
    let suite = Some(SrtpSuite::AesCm128HmacSha1_80);
    let mut safe = world.phone(How { suite, latching: Latching::Any, ..How::default() }).await;
    let mut far = world.phone(How::default()).await;
    world.bridge(&safe, &far).await;
    let (stranger, _) = socket_pair("127.0.0.1");
    let plain = far.packet(0, false, &g711(66));
    stranger.send_to(&plain, safe.their_rtp).unwrap();
    far.hears_nothing("plain RTP on a protected leg").await;
    carries(&mut safe, &mut far, 1).await;
    let genuine = safe.packet(0, false, &g711(2));
    safe.seq = safe.seq.wrapping_add(1);
    let mut forged = genuine.clone();
    forged[20] ^= 1;
    safe.rtp.send_to(&forged, safe.their_rtp).unwrap();
    far.hears_nothing("a forged packet").await;
    safe.rtp.send_to(&genuine, safe.their_rtp).unwrap();
    assert_eq!(far.hears().await.unwrap().payload, g711(2), "the forgery did not spoil the window");
    safe.rtp.send_to(&genuine, safe.their_rtp).unwrap();
    far.hears_nothing("a repeated packet").await;
    carries(&mut safe, &mut far, 3).await;
    carries(&mut far, &mut safe, 4).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let counts = [DropReason::BadTag, DropReason::Repeated].map(|reason| dropped(&world, reason));
    assert_eq!(counts, [2, 1]);
}

async fn a_new_ssrc_of_the_far_end_goes_on_in_our_stream(driver: DriverChoice) {
    let world = World::new(driver);
    let (mut anna, mut ben) = (world.phone(How::default()).await, world.phone(How::default()).await);
    world.bridge(&anna, &ben).await;
    anna.says(&g711(1));
    let before = ben.hears().await.unwrap().header;
    let straggler = anna.packet(0, false, &g711(66));
    (anna.ssrc, anna.seq, anna.time) = (0xFEED, 9, 77);
    anna.says(&g711(2));
    let after = ben.hears().await.unwrap().header;
    assert_eq!((after.ssrc, after.seq.since(before.seq), after.marker), (before.ssrc, 1, true));
    assert!((160..8_000).contains(&after.timestamp.since(before.timestamp)), "time goes on");
    anna.rtp.send_to(&straggler, anna.their_rtp).unwrap();
    ben.hears_nothing("a straggler of the old stream").await;
    carries(&mut anna, &mut ben, 3).await;
}

async fn a_goodbye_by_rtcp_ends_nothing(driver: DriverChoice) {
    let world = World::new(driver);
    let (mut anna, mut ben) = (world.phone(How::default()).await, world.phone(How::default()).await);
    world.bridge(&anna, &ben).await;
    carries(&mut anna, &mut ben, 1).await;
    let mut goodbye = [0; media::rtp::rtcp::BUILT_MAX];
    let report =
        media::rtp::rtcp::Report { ssrc: anna.ssrc, sender: None, block: None, cname: "anna", bye: true };
    let len = media::rtp::rtcp::build(&mut goodbye, &report);
    anna.rtcp.send_to(&goodbye[..len], anna.their_rtcp).unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    carries(&mut anna, &mut ben, 2).await;
}

async fn an_unknown_payload_type_is_rejected(driver: DriverChoice) {
    let world = World::new(driver);
    let (mut anna, mut ben) = (world.phone(How::default()).await, world.phone(How::default()).await);
    world.bridge(&anna, &ben).await;
    let unknown = anna.packet(18, false, &[1; 20]);
    anna.rtp.send_to(&unknown, anna.their_rtp).unwrap();
    ben.hears_nothing("G.729 was not negotiated").await;
    assert_eq!(world.stats(anna.leg).await.received.rejected, 1);
    // A direction that was not negotiated is silent too.
    anna.how.direction = Direction::SendOnly;
    world.configure(&anna).await.unwrap();
    anna.says(&g711(1));
    ben.hears_nothing("Anna is on hold").await;
    carries(&mut ben, &mut anna, 2).await;
}
