//! Formats that are passed on without being understood.

use std::time::Duration;

use media::control::{Answer, Channel, Command, Direction, LegSetup, MediaError, Passed, Source, SrtpSuite};
use media::driver::DriverChoice;
use media::prompt::Prompt;
use media::rtp::rtcp::{self, Packet};
use model::id::{Id, RecordingId};

use crate::both_drivers;
use crate::world::{Heard, How, Phone, SOON, World, g711};

both_drivers! {
    a_codec_without_a_decoder_passes_by_each_legs_own_payload_type;
    loss_and_jitter_of_a_passed_codec_are_reported_in_its_clock_and_no_quality_is_invented;
    who_has_no_payload_type_for_a_format_is_not_sent_it_and_that_is_counted;
    a_muted_leg_passes_nothing_on_and_leaves_no_hole;
    music_and_a_passed_codec_follow_each_other_in_one_stream;
    what_no_container_can_name_is_not_recorded_in_silence;
}

/// G.729, and AMR-WB in one of its many forms.
const G729: u16 = 1;
const AMR_WB: u16 = 2;

fn passed(payload_type: u8, format: u16, clock_hz: u32) -> Passed {
    Passed { payload_type, format, clock_hz }
}

async fn phone(world: &World, how: How, passed: &[Passed]) -> Phone {
    let mut phone = world.phone(how).await;
    phone.passed = passed.to_vec();
    world.configure(&phone).await.unwrap();
    phone
}

fn says(phone: &mut Phone, payload_type: u8, marker: bool, payload: &[u8], ticks: u32) {
    let packet = phone.packet(payload_type, marker, payload);
    phone.rtp.send_to(&packet, phone.their_rtp).unwrap();
    phone.seq = phone.seq.wrapping_add(1);
    phone.time = phone.time.wrapping_add(ticks);
}

async fn a_codec_without_a_decoder_passes_by_each_legs_own_payload_type(driver: DriverChoice) {
    let world = World::new(driver);
    let suite = Some(SrtpSuite::AeadAes128Gcm);
    let mut anna = phone(&world, How { suite, ..How::default() }, &[passed(18, G729, 8_000)]).await;
    let mut ben = phone(&world, How::default(), &[passed(96, G729, 8_000)]).await;
    world.bridge(&anna, &ben).await;
    let mut last: Option<Heard> = None;
    for n in 0..30u8 {
        let payload = [n; 20];
        says(&mut anna, 18, n == 0 || n == 10, &payload, 160);
        let heard = ben.hears().await.unwrap();
        assert_eq!((heard.header.payload_type, heard.payload.as_slice()), (96, &payload[..]));
        assert_eq!(heard.header.marker, n == 0 || n == 10, "the marker stays as it came");
        if let Some(last) = last {
            assert_eq!(heard.header.ssrc, last.header.ssrc);
            assert_eq!(heard.header.seq.since(last.header.seq), 1);
            assert_eq!(heard.header.timestamp.since(last.header.timestamp), 160);
        }
        last = Some(heard);
        says(&mut ben, 96, false, &payload, 160);
        let back = anna.hears().await.unwrap();
        assert_eq!((back.header.payload_type, back.payload.as_slice()), (18, &payload[..]));
    }
    // Extension and contributing sources stay behind.
    let mut packet = ben.packet(96, false, &[]);
    packet[0] |= 0x11;
    packet.extend([9; 4]);
    packet.extend([0xBE, 0xDE, 0, 1, 7, 7, 7, 7]);
    packet.extend([5; 20]);
    ben.rtp.send_to(&packet, ben.their_rtp).unwrap();
    assert_eq!(anna.hears().await.unwrap().payload, [5; 20]);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let counters = world.media.counters()[0].counters;
    assert_eq!((counters.relayed_in_place, counters.relayed_copies, counters.unmatched), (61, 0, 0));
}

async fn loss_and_jitter_of_a_passed_codec_are_reported_in_its_clock_and_no_quality_is_invented(
    driver: DriverChoice,
) {
    let world = World::new(driver);
    let mut anna = phone(&world, How::default(), &[passed(97, AMR_WB, 16_000)]).await;
    let ben = phone(&world, How::default(), &[passed(97, AMR_WB, 16_000)]).await;
    world.bridge(&anna, &ben).await;
    // A second and more of speech at its pace, every fourth packet lost before us.
    for n in 0..60 {
        says(&mut anna, 97, false, &[n; 33], 320);
        if n % 3 == 2 {
            anna.seq = anna.seq.wrapping_add(1);
            anna.time = anna.time.wrapping_add(320);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let stats = world.stats(anna.leg).await.received;
    assert_eq!((stats.packets, stats.lost), (60, 19));
    assert_eq!((stats.mos, stats.mos_min), (None, None), "nobody knows how a codec sounds that is not known");
    let report = anna.report().await.expect("a report within seconds");
    let first = rtcp::parse(&report).unwrap().next();
    let Some(Packet::Report { mut blocks, .. }) = first else { panic!("{first:?}") };
    let block = blocks.next().expect("about what Anna sends");
    let stats = world.stats(anna.leg).await.received;
    assert_eq!(block.jitter, (stats.jitter_ms * 16.0) as u32, "16 ticks a millisecond");
}

async fn who_has_no_payload_type_for_a_format_is_not_sent_it_and_that_is_counted(driver: DriverChoice) {
    let world = World::new(driver);
    let both = [passed(18, G729, 8_000), passed(97, AMR_WB, 16_000)];
    let mut anna = phone(&world, How::default(), &both).await;
    let mut ben = phone(&world, How::default(), &[passed(18, G729, 8_000)]).await;
    let mut carla = phone(&world, How::default(), &both).await;
    world.hear(ben.leg, Source::Leg(anna.leg)).await;
    world.hear(carla.leg, Source::Leg(anna.leg)).await;
    says(&mut anna, 97, false, &[1; 33], 320);
    assert_eq!(carla.hears().await.unwrap().header.payload_type, 97);
    ben.hears_nothing("Ben has no AMR-WB").await;
    says(&mut anna, 18, false, &[2; 20], 160);
    assert_eq!(ben.hears().await.unwrap().payload, [2; 20]);
    assert_eq!(carla.hears().await.unwrap().payload, [2; 20]);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(world.media.counters()[0].counters.unmatched, 1);
    says(&mut anna, 99, false, &[3; 20], 160);
    carla.hears_nothing("99 was not negotiated").await;
    assert_eq!(world.stats(anna.leg).await.received.rejected, 1);
}

async fn a_muted_leg_passes_nothing_on_and_leaves_no_hole(driver: DriverChoice) {
    let world = World::new(driver);
    let formats = [passed(18, G729, 8_000)];
    let mut anna = phone(&world, How::default(), &formats).await;
    let mut ben = phone(&world, How::default(), &formats).await;
    world.bridge(&anna, &ben).await;
    says(&mut anna, 18, false, &[1; 20], 160);
    let before = ben.hears().await.unwrap().header;
    for muted in [true, false] {
        let mute = Command::Mute { leg: anna.leg, muted };
        assert_eq!(world.media.command(mute).await, Ok(Answer::Done));
        says(&mut anna, 18, false, &[2; 20], 160);
        if muted {
            ben.hears_nothing("Anna is muted").await;
        }
    }
    let after = ben.hears().await.unwrap();
    assert_eq!((after.payload.as_slice(), after.header.seq.since(before.seq)), (&[2; 20][..], 1));
}

async fn music_and_a_passed_codec_follow_each_other_in_one_stream(driver: DriverChoice) {
    let world = World::new(driver);
    let formats = [passed(97, AMR_WB, 16_000)];
    let mut anna = phone(&world, How::default(), &formats).await;
    let mut ben = phone(&world, How::default(), &formats).await;
    let tone = std::sync::Arc::new(Prompt::from_pcm("tone", 8_000, &[2_000; 480]).unwrap());
    world.hear(ben.leg, Source::Prompt { prompt: tone.clone(), repeat: false }).await;
    let mut last = ben.hears().await.unwrap().header;
    for _ in 0..2 {
        let header = ben.hears().await.unwrap().header;
        assert_eq!((header.payload_type, header.seq.since(last.seq)), (0, 1));
        assert_eq!(header.timestamp.since(last.timestamp), 160);
        last = header;
    }
    world.hear(ben.leg, Source::Leg(anna.leg)).await;
    says(&mut anna, 97, false, &[1; 33], 320);
    let joined = ben.hears().await.unwrap().header;
    assert_eq!((joined.payload_type, joined.ssrc, joined.seq.since(last.seq)), (97, last.ssrc, 1));
    assert!(joined.timestamp.since(last.timestamp) > 0, "time goes on");
    says(&mut anna, 97, false, &[1; 33], 320);
    assert_eq!(ben.hears().await.unwrap().header.timestamp.since(joined.timestamp), 320);
    // And a voice that is understood takes over again.
    anna.says(&g711(1));
    let voice = ben.hears().await.unwrap();
    assert_eq!((voice.header.payload_type, voice.payload), (0, g711(1)));
    assert_eq!(voice.header.seq.since(joined.seq), 2);

    let setup = LegSetup { send: None, receive: Vec::new(), events: None, ..ben.setup() };
    let configure = Command::ConfigureLeg { leg: ben.leg, setup: Box::new(setup) };
    assert_eq!(world.media.command(configure).await, Ok(Answer::Done));
    let music = Command::Hear { leg: ben.leg, source: Source::Prompt { prompt: tone, repeat: true } };
    assert!(matches!(world.media.command(music).await, Err(MediaError::BadSetup(_))), "in which format?");
    let digits = Command::SendDtmf { leg: ben.leg, digits: "1".into(), each: Duration::from_millis(100) };
    assert!(matches!(world.media.command(digits).await, Err(MediaError::BadSetup(_))));
}

async fn what_no_container_can_name_is_not_recorded_in_silence(driver: DriverChoice) {
    let world = World::new(driver);
    let dir = tempfile::tempdir().unwrap();
    let recording = RecordingId::from_number(7);
    let file = dir.path().join("call.pbr");
    world.media.command(Command::StartRecording { recording, file }).await.unwrap();
    let formats = [passed(18, G729, 8_000)];
    let mut both = phone(&world, How::default(), &formats).await;
    let mut only = phone(&world, How::default(), &formats).await;
    let setup = LegSetup {
        send: None,
        receive: Vec::new(),
        events: None,
        direction: Direction::SendRecv,
        ..only.setup()
    };
    let configure = Command::ConfigureLeg { leg: only.leg, setup: Box::new(setup) };
    assert_eq!(world.media.command(configure).await, Ok(Answer::Done));
    world.bridge(&both, &only).await;
    let tap = |leg, channel| Command::Tap { recording, channel, leg: Some(leg) };
    let refused = world.media.command(tap(only.leg, Channel::Left)).await;
    assert_eq!(refused, Err(MediaError::NotRecordable(only.leg)));
    world.media.command(tap(both.leg, Channel::Right)).await.unwrap();
    // It may send what can be recorded, and does not: the recording says that something is missing.
    both.says(&g711(1));
    says(&mut both, 18, false, &[1; 20], 160);
    says(&mut both, 18, false, &[1; 20], 160);
    assert_eq!(only.hears_within(SOON).await.unwrap().payload, [1; 20], "mu-law is not for it, G.729 is");
    assert_eq!(only.hears_within(SOON).await.unwrap().payload, [1; 20]);
    let ended = world.media.command(Command::StopRecording { recording }).await;
    assert_eq!(ended, Ok(Answer::Recorded { frames: 1, missing: 2 }));
}
