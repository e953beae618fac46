//! Abuse in quantity: what is sprayed at a running plane is counted under its name, forwarded to nobody, and ends nothing.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use media::control::{Answer, Command, Event, Latching, MediaError, Source, SrtpSuite};
use media::driver::DriverChoice;
use media::leg::DropReason::{self, BadTag, Malformed, NoLeg, Repeated, WrongSource};
use media::plane::Counters;
use media::rtp::rtcp::{self, ReportBlock, SenderInfo};
use model::id::{Id, LegId};

use crate::both_drivers;
use crate::browsers::{OPUS_FRAME, create, load};
use crate::world::{How, Phone, SOON, World, g711, socket_pair};

both_drivers! {
    /// MEDIA-12: before a protected leg has learnt its far end, a thousand strangers cannot take it; afterwards neither.
    a_spray_before_and_after_learning_takes_no_leg;
    /// MEDIA-12: repeated SRTP is counted and goes nowhere, however much of it comes.
    a_replayed_call_is_not_heard_twice;
    /// MEDIA-12: the roll-over counter of each stream is kept when the far end changes its SSRC and comes back.
    a_roll_over_counter_survives_another_ssrc_and_a_renegotiation;
    /// SAFE-05: STUN, DTLS, and lengths nobody sends, at legs with a port of their own.
    junk_at_a_port_is_malformed_and_takes_no_memory;
    /// SAFE-05: forged checks and records at a browser's port end no browser's call.
    junk_at_the_shared_port_moves_no_browser;
    /// MEDIA-12: whatever reports say, and whoever says it, the figures stay possible.
    forged_reports_do_not_bend_the_figures;
    /// MEDIA-12: the same over IPv6.
    a_stranger_on_ipv6_is_a_stranger;
    /// MEDIA-13: commands for legs that are gone are refused, each with the leg's name.
    commands_for_a_leg_that_is_gone_say_so;
}

fn counters(world: &World) -> Counters {
    world.media.counters()[0].counters
}

fn dropped(world: &World, reason: DropReason) -> u64 {
    counters(world).dropped[reason as usize]
}

/// Waits until so many were dropped for this reason, then sees that there are no more.
async fn drops(world: &World, reason: DropReason, wanted: u64) {
    let deadline = tokio::time::Instant::now() + SOON * 5;
    while dropped(world, reason) < wanted && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(dropped(world, reason), wanted, "{}", reason.name());
}

/// Sends datagrams no faster than the plane reads them, so that none is lost in a socket.
async fn spray(
    world: &World,
    from: &[UdpSocket],
    to: SocketAddr,
    datagrams: impl Iterator<Item = Vec<u8>>,
) -> u64 {
    let mut sent = 0;
    let before = counters(world).received_packets;
    for (datagram, socket) in datagrams.zip(from.iter().cycle()) {
        socket.send_to(&datagram, to).unwrap();
        sent += 1;
        if sent % 32 == 0 {
            received(world, before + sent).await;
        }
    }
    received(world, before + sent).await;
    sent
}

async fn received(world: &World, wanted: u64) {
    let deadline = tokio::time::Instant::now() + SOON * 5;
    while counters(world).received_packets < wanted && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn strangers(ip: &str, count: usize) -> Vec<UdpSocket> {
    (0..count).map(|_| socket_pair(ip).0).collect()
}

async fn carries(from: &mut Phone, to: &mut Phone, n: u8) {
    from.says(&g711(n));
    assert_eq!(to.hears().await.expect("the call goes on").payload, g711(n));
}

async fn a_spray_before_and_after_learning_takes_no_leg(driver: DriverChoice) {
    let world = World::new(driver);
    let suite = Some(SrtpSuite::AesCm128HmacSha1_80);
    let mut safe = world.phone(How { suite, latching: Latching::Any, ..How::default() }).await;
    let mut far = world.phone(How::default()).await;
    world.bridge(&safe, &far).await;
    let strangers = strangers("127.0.0.1", 20);
    // Anybody may be the first while the leg learns, so what they send is looked at, and its tag is wrong.
    let plain: Vec<Vec<u8>> = (0..500).map(|_| far.packet(0, false, &g711(66))).collect();
    let sent = spray(&world, &strangers, safe.their_rtp, plain.iter().cloned()).await;
    drops(&world, BadTag, sent).await;
    far.hears_nothing("nothing was verified").await;
    carries(&mut safe, &mut far, 1).await;
    carries(&mut far, &mut safe, 2).await;
    // Now it knows its far end, and nobody else is even looked at.
    let sent = spray(&world, &strangers, safe.their_rtp, plain.into_iter()).await;
    drops(&world, WrongSource, sent).await;
    far.hears_nothing("strangers are not heard").await;
    carries(&mut safe, &mut far, 3).await;
    carries(&mut far, &mut safe, 4).await;
    assert!(
        strangers.iter().all(|stranger| stranger.recv(&mut [0; 2_048]).is_err()),
        "nothing is sent to them"
    );
    let deadline = tokio::time::Instant::now() + SOON;
    while counters(&world).relayed_in_place < 4 && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(counters(&world).relayed_in_place, 4, "nothing but the call was forwarded");
}

async fn a_replayed_call_is_not_heard_twice(driver: DriverChoice) {
    let world = World::new(driver);
    let suite = Some(SrtpSuite::AeadAes128Gcm);
    let mut safe = world.phone(How { suite, ..How::default() }).await;
    let mut far = world.phone(How::default()).await;
    world.bridge(&safe, &far).await;
    let mut said = Vec::new();
    for n in 0..20 {
        said.push(safe.packet(0, false, &g711(n)));
        safe.rtp.send_to(&said[usize::from(n)], safe.their_rtp).unwrap();
        safe.seq = safe.seq.wrapping_add(1);
        assert_eq!(far.hears().await.unwrap().payload, g711(n));
    }
    // More than the errors after which others have hung up.
    let own = [safe.rtp.try_clone().unwrap()];
    let sent = spray(&world, &own, safe.their_rtp, said.iter().cycle().take(1_300).cloned()).await;
    drops(&world, Repeated, sent).await;
    far.hears_nothing("it was heard before").await;
    carries(&mut safe, &mut far, 99).await;
    let stats = world.stats(safe.leg).await;
    assert_eq!((stats.received.packets, stats.received.lost), (21, 0), "and the figures know nothing of it");
}

async fn a_roll_over_counter_survives_another_ssrc_and_a_renegotiation(driver: DriverChoice) {
    let world = World::new(driver);
    let suite = Some(SrtpSuite::AesCm128HmacSha1_80);
    let mut safe = world.phone(How { suite, ..How::default() }).await;
    let mut far = world.phone(How::default()).await;
    world.bridge(&safe, &far).await;
    // From 65530: the first stream's counter stands at one afterwards.
    for n in 0..10 {
        carries(&mut safe, &mut far, n).await;
    }
    let first = (safe.ssrc, safe.seq, safe.time);
    (safe.ssrc, safe.seq, safe.time) = (0xFEED, 65_534, 7);
    for n in 10..14 {
        carries(&mut safe, &mut far, n).await;
    }
    world.configure(&safe).await.unwrap();
    carries(&mut safe, &mut far, 14).await;
    // Stragglers of the first are not expected any more when it comes back as a stream.
    tokio::time::sleep(Duration::from_millis(600)).await;
    (safe.ssrc, safe.seq, safe.time) = first;
    for n in 15..18 {
        carries(&mut safe, &mut far, n).await;
    }
    assert_eq!(dropped(&world, BadTag), 0);
}

/// STUN, DTLS and senseless datagrams, by their first octets.
fn junk(count: usize) -> impl Iterator<Item = Vec<u8>> {
    let stun = [&[0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42][..], b"transaction!"].concat();
    let hello = [&[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 1][..], &[0; 11]].concat();
    let shapes = [stun, hello, vec![20; 1], vec![63; 1_472], vec![3; 2], vec![127; 300], vec![255; 40]];
    (0..count).map(move |n| shapes[n % shapes.len()].clone())
}

async fn junk_at_a_port_is_malformed_and_takes_no_memory(driver: DriverChoice) {
    let world = World::new(driver);
    let (mut anna, mut ben) = (world.phone(How::default()).await, world.phone(How::default()).await);
    world.bridge(&anna, &ben).await;
    carries(&mut anna, &mut ben, 1).await;
    let from = [anna.rtp.try_clone().unwrap()];
    spray(&world, &from, anna.their_rtp, junk(700)).await;
    let (before, resident) = (dropped(&world, Malformed), resident_kb());
    let sent = spray(&world, &from, anna.their_rtp, junk(7_000)).await;
    drops(&world, Malformed, before + sent).await;
    let grown = resident_kb().saturating_sub(resident);
    assert!(grown < 8_192, "{grown} KiB more after {sent} datagrams");
    ben.hears_nothing("junk is not forwarded").await;
    assert!(anna.rtp.recv(&mut [0; 2_048]).is_err(), "and not answered");
    carries(&mut anna, &mut ben, 2).await;
    let stats = world.stats(anna.leg).await;
    assert_eq!((stats.received.packets, stats.received.lost), (2, 0));
}

/// Memory of this process.
fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

async fn junk_at_the_shared_port_moves_no_browser(driver: DriverChoice) {
    let mut world = World::new(driver);
    let created = create(&world, None, 5 << 32).await;
    let leg = LegId::from_number(5 << 32);
    let mut browser = load(&world, leg, &created).await;
    assert_eq!(world.event().await, Some(Event::Secured { leg }));
    let mut trunk = world.phone(How::default()).await;
    world.media.command(Command::Bridge { a: leg, b: trunk.leg }).await.unwrap();
    browser.says(&OPUS_FRAME);
    assert_eq!(trunk.hears().await.expect("the browser is heard").payload.len(), 160);
    // Its voice ends with a second of silence.
    while trunk.hears_within(std::time::Duration::from_millis(500)).await.is_some() {}
    let ours = created.ice.unwrap();
    let port = ours.candidates.into_iter().find(SocketAddr::is_ipv4).unwrap();
    let strangers = strangers("127.0.0.1", 8);
    let before = dropped(&world, NoLeg);
    let sent = spray(&world, &strangers, port, junk(700)).await;
    drops(&world, NoLeg, before + sent).await;
    // A stranger that knows the name, and not the password.
    let checks = (0..200).map(|_| forged_check(&ours.ufrag));
    let sent = spray(&world, &strangers, port, checks).await;
    drops(&world, BadTag, sent).await;
    let records = junk(70).filter(|datagram| (20..=63).contains(&datagram[0]));
    let before = dropped(&world, NoLeg);
    let sent = spray(&world, &strangers, port, records).await;
    drops(&world, NoLeg, before + sent).await;
    trunk.hears_nothing("nobody said anything").await;
    let mut answer = [0; 2_048];
    for stranger in &strangers {
        while let Ok(len) = stranger.recv(&mut answer) {
            assert!(answer[..2] == [1, 0x11] && len < 100, "a stranger hears of errors, and of nothing else");
        }
    }
    browser.says(&OPUS_FRAME);
    assert_eq!(trunk.hears().await.expect("the browser is still heard").payload.len(), 160);
    trunk.says(&g711(1));
    browser.until("the browser still hears", |browser| !browser.heard.is_empty()).await;
}

fn forged_check(ours: &str) -> Vec<u8> {
    let name = format!("{ours}:them");
    let mut body = [&[0, 6, 0, name.len() as u8][..], name.as_bytes()].concat();
    body.resize(body.len().next_multiple_of(4), 0);
    body.extend([&[0, 8, 0, 20][..], &[0x66; 20]].concat());
    let head = [0, 1, 0, body.len() as u8, 0x21, 0x12, 0xA4, 0x42];
    [&head[..], b"transaction!", &body].concat()
}

async fn forged_reports_do_not_bend_the_figures(driver: DriverChoice) {
    let world = World::new(driver);
    let (mut anna, mut ben) = (world.phone(How::default()).await, world.phone(How::default()).await);
    world.bridge(&anna, &ben).await;
    for n in 0..5 {
        carries(&mut anna, &mut ben, n).await;
        carries(&mut ben, &mut anna, n).await;
    }
    let report = anna.report().await.expect("a report within seconds");
    let Some(rtcp::Packet::Report { ssrc: ours, .. }) = rtcp::parse(&report).unwrap().next() else {
        panic!()
    };
    let absurd = ReportBlock {
        ssrc: ours,
        fraction_lost: 255,
        cumulative_lost: -8_388_608,
        highest_seq: u32::MAX,
        jitter: u32::MAX,
        last_sr: 1,
        delay_since_last_sr: u32::MAX,
    };
    let (stranger, _) = socket_pair("127.0.0.1");
    // A stranger's report, and its goodbye.
    stranger.send_to(&said(&anna, Some(absurd), true), anna.their_rtcp).unwrap();
    drops(&world, WrongSource, 1).await;
    let stats = world.stats(anna.leg).await;
    assert_eq!((stats.far_lost_percent, stats.far_jitter_ms, stats.received.rtt_ms), (None, None, None));
    // The far end's own, about somebody else's stream, and then nonsense about ours.
    let about_others = ReportBlock { ssrc: ours ^ 1, ..absurd };
    let before = counters(&world).received_packets;
    anna.rtcp.send_to(&said(&anna, Some(about_others), false), anna.their_rtcp).unwrap();
    received(&world, before + 1).await;
    assert_eq!(world.stats(anna.leg).await.far_lost_percent, None);
    anna.rtcp.send_to(&said(&anna, Some(absurd), true), anna.their_rtcp).unwrap();
    received(&world, before + 2).await;
    let stats = world.stats(anna.leg).await;
    assert!(stats.far_lost_percent.is_some_and(|percent| percent <= 100.0), "{stats:?}");
    assert_eq!((stats.far_jitter_ms, stats.received.rtt_ms), (None, None), "149 hours of jitter are none");
    assert_eq!((stats.received.packets, stats.received.lost), (5, 0));
    carries(&mut anna, &mut ben, 6).await;
    carries(&mut ben, &mut anna, 7).await;
}

fn said(by: &Phone, block: Option<ReportBlock>, bye: bool) -> Vec<u8> {
    let absurd = SenderInfo { ntp: u64::MAX, rtp_timestamp: 0, packets: u32::MAX, octets: u32::MAX };
    let mut packet = [0; rtcp::BUILT_MAX];
    let report = rtcp::Report { ssrc: by.ssrc, sender: Some(absurd), block, cname: "far", bye };
    let len = rtcp::build(&mut packet, &report);
    packet[..len].to_vec()
}

async fn a_stranger_on_ipv6_is_a_stranger(driver: DriverChoice) {
    let world = World::new(driver);
    let mut six =
        world.phone(How { interface: "::1", latching: Latching::SameAddress, ..How::default() }).await;
    let mut four = world.phone(How::default()).await;
    world.bridge(&six, &four).await;
    carries(&mut six, &mut four, 1).await;
    let sent = {
        let strangers = strangers("::1", 4);
        let packets: Vec<_> = (0..100).map(|_| six.packet(0, false, &g711(66))).collect();
        spray(&world, &strangers, six.their_rtp, packets.into_iter()).await
    };
    drops(&world, WrongSource, sent).await;
    four.hears_nothing("it is not the far end").await;
    carries(&mut six, &mut four, 2).await;
    carries(&mut four, &mut six, 3).await;
}

async fn commands_for_a_leg_that_is_gone_say_so(driver: DriverChoice) {
    let world = World::new(driver);
    let (gone, mut ben) = (world.phone(How::default()).await, world.phone(How::default()).await);
    world.bridge(&gone, &ben).await;
    let leg = gone.leg;
    let ended = world.media.command(Command::DeleteLeg { leg }).await;
    assert!(matches!(ended, Ok(Answer::Stats(_))), "{ended:?}");
    let each = Duration::from_millis(100);
    for command in [
        Command::ConfigureLeg { leg, setup: Box::new(gone.setup()) },
        Command::Hear { leg, source: Source::Nothing },
        Command::Hear { leg: ben.leg, source: Source::Leg(leg) },
        Command::StopHearing { leg, speaker: ben.leg },
        Command::Bridge { a: ben.leg, b: leg },
        Command::Bridge { a: leg, b: ben.leg },
        Command::Mute { leg, muted: true },
        Command::SendDtmf { leg, digits: "1".into(), each },
        Command::Stats { leg },
        Command::BeginMeasuring { leg },
        Command::DeleteLeg { leg },
    ] {
        let told = format!("{command:?}");
        assert_eq!(world.media.command(command).await, Err(MediaError::NoSuchLeg(leg)), "{told}");
    }
    let mut carl = world.phone(How::default()).await;
    world.bridge(&ben, &carl).await;
    carries(&mut ben, &mut carl, 1).await;
    carries(&mut carl, &mut ben, 2).await;
}
