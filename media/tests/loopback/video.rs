//! Video between two far ends: its feedback, its repairs, its cap (MEDIA-14, CAP-03).

use std::time::{Duration, Instant};

use media::control::{Answer, Command, MediaError, Passed, Source, SrtpSuite, Video};
use media::driver::DriverChoice;
use media::rtp::feedback::{self, Meaning, Nack};
use media::rtp::rtcp::{self, Packet, SenderInfo};
use media::rtp::{RtpTimestamp, SeqNo};

use crate::both_drivers;
use crate::world::{A_WHILE, Heard, How, Phone, World};

/// Until this, what must come has come, however busy the machine is.
const A_LONG_WHILE: Duration = Duration::from_secs(10);

both_drivers! {
    /// MEDIA-14: a whole picture is asked for when a bridge is made, and when it is made anew.
    who_begins_to_be_seen_is_asked_for_a_whole_picture;
    /// MEDIA-14: keyframe requests pass, as often as is good for the sender.
    requests_for_whole_pictures_are_passed_on_but_not_in_a_flood;
    lost_packets_are_asked_for_by_their_senders_numbers_and_repaired_by_ours;
    a_sender_is_told_the_least_of_what_its_receiver_takes_and_the_cap_allows;
    /// CAP-03: who ignores what it is told is held to the cap, and asked for a whole picture afterwards.
    a_flood_is_cut_to_the_cap_and_healed;
    a_hundred_thousand_packets_below_the_cap_pass_without_a_drop;
    a_camera_that_begins_anew_goes_on_in_one_stream;
    voice_and_picture_keep_their_senders_clock;
    junk_feedback_harms_nobody;
    a_setup_that_mixes_video_with_other_things_is_refused;
}

const VP8: Passed = Passed { payload_type: 96, format: 1, clock_hz: 90_000 };
const RTX: Passed = Passed { payload_type: 97, format: 2, clock_hz: 90_000 };

/// A page with a camera, keyed like a browser, as far as the plane sees it.
async fn camera(world: &World, max_bits_per_second: u32) -> Phone {
    let how = How { suite: Some(SrtpSuite::AeadAes128Gcm), mux: true, ..How::default() };
    let mut phone = world.phone(how).await;
    phone.passed = vec![VP8, RTX];
    phone.video = Some(Video { max_bits_per_second, repairs: vec![RTX.format] });
    world.configure(&phone).await.unwrap();
    phone
}

async fn pair(world: &World) -> (Phone, Phone) {
    let (mut anna, ben) = (camera(world, 960_000).await, camera(world, 960_000).await);
    world.bridge(&anna, &ben).await;
    asks_nothing(&mut anna, "nobody can be asked who was never seen").await;
    (anna, ben)
}

/// One packet of a picture.
fn shows(phone: &mut Phone, payload: &[u8], last: bool) {
    let packet = phone.packet(VP8.payload_type, last, payload);
    phone.rtp.send_to(&packet, phone.their_rtp).unwrap();
    phone.seq = phone.seq.wrapping_add(1);
    if last {
        phone.time = phone.time.wrapping_add(3_000);
    }
}

async fn sees(phone: &mut Phone) -> Heard {
    phone.hears().await.expect("a packet")
}

/// What is asked of a camera next, bandwidth apart.
async fn asks(phone: &mut Phone) -> String {
    told(phone, A_LONG_WHILE, wish).await.expect("a wish")
}

async fn asks_nothing(phone: &mut Phone, why: &str) {
    assert_eq!(told(phone, A_WHILE, wish).await, None, "{why}");
}

fn wish(meaning: Meaning<'_>) -> Option<String> {
    match meaning {
        Meaning::PictureLoss => Some("PLI".to_owned()),
        Meaning::FullIntra => Some("FIR".to_owned()),
        Meaning::Nack(nacks) => Some(format!("{:?}", nacks.collect::<Vec<_>>())),
        Meaning::Bandwidth(_) | Meaning::Other => None,
    }
}

/// Waits until a camera is told this bandwidth.
async fn is_told(phone: &mut Phone, bits: u64) {
    let told = told(phone, A_LONG_WHILE, |it| (it == Meaning::Bandwidth(bits)).then_some(())).await;
    assert!(told.is_some(), "{bits} bit/s");
}

async fn told<T>(phone: &mut Phone, wait: Duration, pick: impl Fn(Meaning<'_>) -> Option<T>) -> Option<T> {
    let until = tokio::time::Instant::now() + wait;
    while let Some(left) = until.checked_duration_since(tokio::time::Instant::now()) {
        let compound = phone.report_within(left).await?;
        let found = rtcp::parse(&compound).unwrap().find_map(|packet| match packet {
            Packet::Feedback(feedback) => pick(feedback.about(phone.ssrc)),
            _ => None,
        });
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Says feedback about the stream `about`.
fn says(phone: &mut Phone, write: impl FnOnce(&mut [u8], u32) -> usize) {
    let mut compound = [0; 600];
    let report = rtcp::Report { ssrc: phone.ssrc, sender: None, block: None, cname: "far", bye: false };
    let len = rtcp::build(&mut compound, &report);
    let more = write(&mut compound[len..], phone.ssrc);
    phone.tells(&compound[..len + more]);
}

async fn who_begins_to_be_seen_is_asked_for_a_whole_picture(driver: DriverChoice) {
    let world = World::new(driver);
    let (mut anna, mut ben) = pair(&world).await;
    shows(&mut anna, &[1; 900], true);
    sees(&mut ben).await;
    assert_eq!(asks(&mut anna).await, "PLI", "wanted since the bridge was made");
    let mut carla = camera(&world, 960_000).await;
    world.hear(ben.leg, Source::Nothing).await;
    world.bridge(&anna, &carla).await;
    assert_eq!(asks(&mut anna).await, "PLI", "Carla has seen nothing yet");
    shows(&mut anna, &[2; 900], true);
    let first = sees(&mut carla).await;
    assert_eq!((first.header.payload_type, first.payload, first.header.marker), (96, vec![2; 900], true));
    ben.hears_nothing("Ben sees Anna no longer").await;
    asks_nothing(&mut anna, "once is enough").await;
    assert_eq!(world.stats(anna.leg).await.video.unwrap().keyframes_requested, 2);
}

async fn requests_for_whole_pictures_are_passed_on_but_not_in_a_flood(driver: DriverChoice) {
    let world = World::new(driver);
    let (mut anna, mut ben) = pair(&world).await;
    shows(&mut anna, &[1; 900], true);
    let ours = sees(&mut ben).await.header.ssrc;
    assert_eq!(asks(&mut anna).await, "PLI");
    tokio::time::sleep(Duration::from_millis(200)).await;
    says(&mut ben, |room, me| feedback::full_intra(room, me, ours, 1));
    assert_eq!(asks(&mut anna).await, "FIR", "a request stays of its kind");
    says(&mut ben, |room, me| feedback::picture_loss(room, me, 0xDEAD));
    asks_nothing(&mut anna, "about a stream that is not ours").await;
    let before = world.stats(anna.leg).await.video.unwrap().keyframes_requested;
    #[expect(clippy::disallowed_methods, reason = "the plane runs in real time")]
    let began = Instant::now();
    for _ in 0..100 {
        says(&mut ben, |room, me| feedback::picture_loss(room, me, ours));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    tokio::time::sleep(Duration::from_millis(250)).await;
    let passed = world.stats(anna.leg).await.video.unwrap().keyframes_requested - before;
    let intervals = began.elapsed().as_millis() as u64 / 200;
    assert!((2..=intervals + 1).contains(&passed), "{passed} in {intervals} intervals");
    let asked = world.stats(ben.leg).await.video.unwrap().keyframes_asked;
    assert_eq!(asked, 101, "the stranger's is not counted");
}

async fn lost_packets_are_asked_for_by_their_senders_numbers_and_repaired_by_ours(driver: DriverChoice) {
    let world = World::new(driver);
    let (mut anna, mut ben) = pair(&world).await;
    let mut seen = Vec::new();
    for n in 0..20 {
        seen.push((anna.seq, anna.time));
        shows(&mut anna, &[n; 500], n % 5 == 4);
        let heard = sees(&mut ben).await;
        assert_eq!(heard.header.marker, n % 5 == 4, "the marker ends a picture, also where a source begins");
        seen[usize::from(n)].1 = heard.header.timestamp.0;
        if n == 7 {
            assert_eq!(heard.payload[0], 7);
        }
        if n == 19 {
            // Ben lost number 7 and 8: they left twelve and eleven before this one.
            let ours = heard.header;
            let missing = [Nack { first: SeqNo(ours.seq.0.wrapping_sub(12)), more: 1 }];
            assert_eq!(asks(&mut anna).await, "PLI");
            says(&mut ben, |room, me| feedback::nack(room, me, ours.ssrc, &missing));
            let theirs = [Nack { first: SeqNo(seen[7].0), more: 1 }];
            assert_eq!(asks(&mut anna).await, format!("{theirs:?}"));
            // Anna sends number 7 again, in her repair stream.
            let (ssrc, seq) = (anna.ssrc, anna.seq);
            (anna.ssrc, anna.seq) = (0x5EED, 4_000);
            let payload = [&seen[7].0.to_be_bytes()[..], &[7; 500]].concat();
            let time = anna.time;
            anna.time = time.wrapping_sub(3 * 3_000);
            let repair = anna.packet(RTX.payload_type, false, &payload);
            anna.rtp.send_to(&repair, anna.their_rtp).unwrap();
            let repaired = sees(&mut ben).await;
            let stats = world.stats(ben.leg).await;
            let video = stats.video.unwrap();
            assert_eq!((repaired.header.ssrc, stats.sent_ssrc), (video.repair_ssrc, ours.ssrc));
            assert_eq!(repaired.header.payload_type, RTX.payload_type);
            assert_eq!(repaired.payload[..2], ours.seq.0.wrapping_sub(12).to_be_bytes());
            assert_eq!(repaired.payload[2..], [7; 500]);
            assert_eq!(repaired.header.timestamp, RtpTimestamp(seen[7].1), "the time of what it repairs");
            // A repair of what Ben never knew, and padding, stay here.
            anna.seq += 1;
            for payload in [&[0xAB, 0xCD, 1, 2][..], &[]] {
                let repair = anna.packet(RTX.payload_type, false, payload);
                anna.rtp.send_to(&repair, anna.their_rtp).unwrap();
                anna.seq += 1;
            }
            (anna.ssrc, anna.seq, anna.time) = (ssrc, seq, time);
            ben.hears_nothing("there is nothing to repair").await;
            assert_eq!((video.repairs_sent, video.nacks_asked), (1, 1));
            let source = world.stats(anna.leg).await;
            assert_eq!(source.received.lost, 0, "repairs are not the stream's own packets");
            assert_eq!(source.received_ssrc, Some(anna.ssrc));
            let video = source.video.unwrap();
            assert_eq!((video.repairs_received, video.received_repair_ssrc), (3, Some(0x5EED)));
            assert_eq!(video.nacks_requested, 1);
            // Numbers that nobody sent, and of long ago, are nobody's.
            for far in [300, 40_000] {
                let missing = [Nack { first: SeqNo(ours.seq.0.wrapping_sub(far)), more: 0xFFFF }];
                says(&mut ben, |room, me| feedback::nack(room, me, ours.ssrc, &missing));
            }
            asks_nothing(&mut anna, "nobody has these").await;
        }
    }
    shows(&mut anna, &[42; 500], true);
    assert_eq!(sees(&mut ben).await.payload, [42; 500], "and the picture goes on");
}

async fn a_sender_is_told_the_least_of_what_its_receiver_takes_and_the_cap_allows(driver: DriverChoice) {
    let world = World::new(driver);
    let (mut anna, mut ben) = pair(&world).await;
    shows(&mut anna, &[1; 900], true);
    let ours = sees(&mut ben).await.header.ssrc;
    // 85 of 100 of the cap, when nobody says anything.
    is_told(&mut anna, 816_000).await;
    for (said, passed) in [(300_000, 300_000), (5_000_000, 816_000), (150_000, 150_000)] {
        tokio::time::sleep(Duration::from_millis(150)).await;
        says(&mut ben, |room, me| feedback::bandwidth(room, me, ours, said));
        is_told(&mut anna, passed).await;
    }
    // Carla sees Anna too, and takes less.
    let mut carla = camera(&world, 960_000).await;
    world.hear(carla.leg, Source::Leg(anna.leg)).await;
    shows(&mut anna, &[1; 900], true);
    let to_carla = sees(&mut carla).await.header.ssrc;
    tokio::time::sleep(Duration::from_millis(150)).await;
    says(&mut carla, |room, me| feedback::bandwidth(room, me, to_carla, 100_000));
    is_told(&mut anna, 100_000).await;
    // The weakest receiver counts, whoever speaks.
    tokio::time::sleep(Duration::from_millis(150)).await;
    says(&mut carla, |room, me| feedback::bandwidth(room, me, to_carla, 90_000));
    says(&mut ben, |room, me| feedback::bandwidth(room, me, ours, 200_000));
    is_told(&mut anna, 90_000).await;
}

async fn a_flood_is_cut_to_the_cap_and_healed(driver: DriverChoice) {
    let world = World::new(driver);
    let (mut anna, mut ben) = pair(&world).await;
    shows(&mut anna, &[0; 1_000], true);
    let first = sees(&mut ben).await.header;
    assert_eq!(asks(&mut anna).await, "PLI");
    #[expect(clippy::disallowed_methods, reason = "the plane runs in real time")]
    let began = Instant::now();
    let (mut octets, mut seen) = (0, 0);
    for n in 0..1_000 {
        shows(&mut anna, &[1; 1_000], n % 100 == 99);
        if n % 20 == 19 {
            // All that was sent has been decided on.
            while world.stats(anna.leg).await.received.packets < n + 2 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let wait = if n == 999 { A_WHILE } else { Duration::from_millis(4) };
            while let Some(heard) = ben.hears_within(wait).await {
                octets += heard.payload.len() + 12 + 16 + 54;
                seen += 1;
            }
        }
    }
    let us = began.elapsed().as_micros() as usize;
    let allowed = (960_000 / 8) * (us + 400_000) / 1_000_000;
    assert!(octets <= allowed, "{octets} octets in {us} us, {allowed} are allowed");
    let video = world.stats(anna.leg).await.video.unwrap();
    assert!(video.received_policed > 0, "the flood was above the cap");
    assert_eq!(video.received_policed + seen, 1_000, "each packet is either passed or counted");
    assert_eq!(world.stats(ben.leg).await.video.unwrap().sent_policed, 0, "the same cap on both sides");
    // The flood is over: what is whole again comes after a request.
    tokio::time::sleep(Duration::from_millis(400)).await;
    shows(&mut anna, &[2; 1_000], true);
    let heard = sees(&mut ben).await;
    assert_eq!(heard.header.seq.since(first.seq), 1_001, "holes stay, so that the receiver knows");
    assert_eq!(asks(&mut anna).await, "PLI");
}

async fn a_hundred_thousand_packets_below_the_cap_pass_without_a_drop(driver: DriverChoice) {
    let world = World::new(driver);
    let (mut anna, mut ben) = (camera(&world, 100_000_000).await, camera(&world, 100_000_000).await);
    world.bridge(&anna, &ben).await;
    let mut last: Option<SeqNo> = None;
    for batch in 0..5_000u32 {
        for n in 0..20 {
            shows(&mut anna, &[batch as u8; 180], n == 19);
        }
        for _ in 0..20 {
            let heard = sees(&mut ben).await;
            assert!(last.is_none_or(|last| heard.header.seq == last.next()), "in order, none missing");
            assert_eq!(heard.payload, [batch as u8; 180]);
            last = Some(heard.header.seq);
        }
    }
    let stats = (world.stats(anna.leg).await, world.stats(ben.leg).await);
    assert_eq!(
        (stats.0.received.packets, stats.0.received.lost, stats.1.sent_packets),
        (100_000, 0, 100_000)
    );
    let video = (stats.0.video.unwrap(), stats.1.video.unwrap());
    assert_eq!((video.0.received_policed, video.1.sent_policed), (0, 0));
    assert!(video.0.received_bits_per_second > 0 && video.1.sent_bits_per_second > 0);
    assert_eq!(stats.0.received.mos, None);
}

async fn a_camera_that_begins_anew_goes_on_in_one_stream(driver: DriverChoice) {
    let world = World::new(driver);
    let (mut anna, mut ben) = pair(&world).await;
    shows(&mut anna, &[1; 900], true);
    let before = sees(&mut ben).await.header;
    assert_eq!(asks(&mut anna).await, "PLI");
    (anna.ssrc, anna.seq, anna.time) = (0xCAFE, 9, 77);
    shows(&mut anna, &[2; 900], true);
    let after = sees(&mut ben).await.header;
    assert_eq!((after.ssrc, after.seq.since(before.seq)), (before.ssrc, 1));
    assert!(after.timestamp.since(before.timestamp) > 0);
    assert_eq!(asks(&mut anna).await, "PLI", "asked of the new SSRC");
}

async fn voice_and_picture_keep_their_senders_clock(driver: DriverChoice) {
    let world = World::new(driver);
    let (mut anna, mut ben) = pair(&world).await;
    // Anna's clock stands in 2003: whatever it shows, Ben must see voice and picture by one clock.
    let ntp = 0xC300_0000_8000_0000;
    let theirs = anna.time;
    shows(&mut anna, &[1; 900], true);
    let ours = sees(&mut ben).await.header.timestamp;
    let mut compound = [0; rtcp::BUILT_MAX];
    let sender = Some(SenderInfo { ntp, rtp_timestamp: theirs, packets: 1, octets: 900 });
    let report = rtcp::Report { ssrc: anna.ssrc, sender, block: None, cname: "anna", bye: false };
    let len = rtcp::build(&mut compound, &report);
    while ben.report_within(Duration::from_millis(1)).await.is_some() {}
    anna.tells(&compound[..len]);
    while world.stats(anna.leg).await.rtcp_received == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let told = loop {
        let compound = ben.report().await.expect("a report within seconds");
        let first = rtcp::parse(&compound).unwrap().next();
        if let Some(Packet::Report { sender: Some(sender), .. }) = first {
            break sender;
        }
    };
    let passed_s = (told.ntp.wrapping_sub(ntp) as f64) / (1u64 << 32) as f64;
    assert!((0.0..10.0).contains(&passed_s), "Anna's clock goes on in what Ben is told: {passed_s} s");
    let ticks = f64::from(RtpTimestamp(told.rtp_timestamp).since(ours));
    assert!((ticks / 90_000.0 - passed_s).abs() < 0.001, "{ticks} ticks in {passed_s} s");
}

async fn junk_feedback_harms_nobody(driver: DriverChoice) {
    let world = World::new(driver);
    let (mut anna, mut ben) = pair(&world).await;
    shows(&mut anna, &[1; 900], true);
    let ours = sees(&mut ben).await.header.ssrc;
    let mut random = 0x2545_F491_4F6C_DD1Du64;
    for n in 0..600usize {
        says(&mut ben, |room, _| {
            let mut len = 8 + 4 * (n % 40);
            for octet in &mut room[..len] {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                *octet = random as u8;
            }
            // The right kind, the right length, the right stream; everything else is dice. Some lie about their length.
            room[0] = 0x80 | room[0] & 0x1F;
            room[1] = 205 + room[1] % 2;
            room[2..4].copy_from_slice(&((len / 4 - 1) as u16).to_be_bytes());
            if len >= 12 {
                room[8..12].copy_from_slice(&ours.to_be_bytes());
            }
            if n % 7 == 0 {
                len -= 4;
            }
            len
        });
        if n % 50 == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    // What came of it is bounded, and the picture goes on.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let video = world.stats(anna.leg).await.video.unwrap();
    assert!(video.nacks_requested <= 100 * 16, "{video:?}");
    assert!(video.keyframes_requested < 30, "{video:?}");
    for n in 0..10 {
        shows(&mut anna, &[n; 900], true);
        assert_eq!(sees(&mut ben).await.payload, [n; 900]);
    }
}

async fn a_setup_that_mixes_video_with_other_things_is_refused(driver: DriverChoice) {
    let world = World::new(driver);
    let phone = camera(&world, 960_000).await;
    let good = phone.setup();
    let video = |max_bits_per_second, repairs| Some(Video { max_bits_per_second, repairs });
    let send = Some(crate::world::PCMU);
    for setup in [
        media::control::LegSetup { send, ..good.clone() },
        media::control::LegSetup { video: video(1_000, Vec::new()), ..good.clone() },
        media::control::LegSetup { video: video(960_000, vec![9]), ..good.clone() },
        media::control::LegSetup { passed: Vec::new(), video: video(960_000, Vec::new()), ..good.clone() },
    ] {
        let configure = Command::ConfigureLeg { leg: phone.leg, setup: Box::new(setup) };
        assert!(matches!(world.media.command(configure).await, Err(MediaError::BadSetup(_))));
    }
    let again = Command::ConfigureLeg { leg: phone.leg, setup: Box::new(good) };
    assert_eq!(world.media.command(again).await, Ok(Answer::Done));
}
