//! RTCP of real legs.

use std::time::Duration;

use media::control::{Answer, Command, MediaError, SrtpSuite};
use media::driver::DriverChoice;
use media::rtp::rtcp::{self, Packet, ReportBlock};
use model::id::{Id, LegId};

use crate::both_drivers;
use crate::world::{How, Phone, World, g711};

both_drivers! {
    a_leg_reports_what_it_sends_and_hears_and_learns_the_round_trip;
    a_protected_leg_reports_protected_on_its_one_port;
    the_figures_of_a_call_are_its_own_on_a_leg_that_outlives_it;
}

async fn a_leg_reports_what_it_sends_and_hears_and_learns_the_round_trip(driver: DriverChoice) {
    let world = World::new(driver);
    let (mut anna, mut ben) = (world.phone(How::default()).await, world.phone(How::default()).await);
    world.bridge(&anna, &ben).await;
    for n in 0..20 {
        anna.says(&g711(n));
        ben.says(&g711(n));
        // Every fourth packet of Anna is lost before us.
        if n % 4 == 3 {
            anna.seq = anna.seq.wrapping_add(1);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let report = anna.report().await.expect("a report within seconds");
    let first = rtcp::parse(&report).unwrap().next();
    let Some(Packet::Report { ssrc, sender: Some(sender), mut blocks }) = first else { panic!("{first:?}") };
    assert_eq!((sender.packets, sender.octets), (20, 20 * 160));
    let block = blocks.next().expect("about what Anna sends");
    assert_eq!((block.ssrc, block.cumulative_lost), (anna.ssrc, 4), "the last hole is not seen yet");
    // Anna answers after 30 ms: 25 % lost, and 10 ms of jitter.
    tokio::time::sleep(Duration::from_millis(30)).await;
    let about_us = ReportBlock {
        ssrc,
        fraction_lost: 64,
        cumulative_lost: 5,
        highest_seq: 0,
        jitter: 80,
        last_sr: rtcp::ntp_middle(sender.ntp),
        delay_since_last_sr: 20 * 65_536 / 1_000,
    };
    sends_report(&anna, about_us);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let stats = world.stats(anna.leg).await;
    assert_eq!((stats.far_lost_percent, stats.far_jitter_ms), (Some(25.0), Some(10.0)));
    let rtt = stats.received.rtt_ms.expect("a round trip");
    assert!((10.0..60.0).contains(&rtt), "30 ms and the way, less the 20 ms Anna says she held it: {rtt} ms");
    // What a stranger reports is not believed.
    sends_report_from(&ben, &anna, ReportBlock { fraction_lost: 255, ..about_us });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(world.stats(anna.leg).await.far_lost_percent, Some(25.0));
}

fn sends_report(phone: &Phone, block: ReportBlock) {
    sends_report_from(phone, phone, block);
}

fn sends_report_from(who: &Phone, about: &Phone, block: ReportBlock) {
    let mut packet = [0; rtcp::BUILT_MAX];
    let report =
        rtcp::Report { ssrc: about.ssrc, sender: None, block: Some(block), cname: "far", bye: false };
    let len = rtcp::build(&mut packet, &report);
    who.rtcp.send_to(&packet[..len], about.their_rtcp).unwrap();
}

async fn a_protected_leg_reports_protected_on_its_one_port(driver: DriverChoice) {
    let world = World::new(driver);
    let suite = Some(SrtpSuite::AeadAes128Gcm);
    let mut safe = world.phone(How { suite, mux: true, ..How::default() }).await;
    safe.says(&g711(1));
    let report = safe.report().await.expect("a report that verifies");
    let first = rtcp::parse(&report).unwrap().next();
    assert!(matches!(first, Some(Packet::Report { sender: None, .. })), "we sent nothing: {first:?}");
}

async fn the_figures_of_a_call_are_its_own_on_a_leg_that_outlives_it(driver: DriverChoice) {
    let world = World::new(driver);
    let mut phone = world.phone(How::default()).await;
    let begin = Command::BeginMeasuring { leg: phone.leg };
    assert_eq!(world.media.command(begin.clone()).await, Ok(Answer::Done), "before anything came");
    for n in 0..10 {
        phone.says(&g711(n));
        // Every other packet is lost.
        phone.seq = phone.seq.wrapping_add(1);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    let first = world.stats(phone.leg).await.received;
    assert_eq!((first.packets, first.lost), (10, 9));
    assert_eq!(world.media.command(begin).await, Ok(Answer::Done));
    phone.seq = phone.seq.wrapping_sub(1);
    for n in 0..3 {
        phone.says(&g711(n));
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    let second = world.stats(phone.leg).await.received;
    assert_eq!((second.packets, second.octets, second.lost), (3, 3 * 172, 0));
    let report = phone.report().await.expect("a report within seconds");
    let first = rtcp::parse(&report).unwrap().next();
    let Some(Packet::Report { mut blocks, .. }) = first else { panic!("{first:?}") };
    let block = blocks.next().expect("about what the phone sends");
    assert_eq!(block.cumulative_lost, 9, "the far end's count goes on");
    let gone = Command::BeginMeasuring { leg: LegId::from_number(u64::MAX) };
    assert!(matches!(world.media.command(gone).await, Err(MediaError::NoSuchLeg(_))));
}
