//! MEDIA-09: digits from key to event and back.

use std::time::Duration;

use media::control::{Answer, Command, Event, EventFormat, MediaError};
use media::driver::DriverChoice;
use media::dtmf;

use crate::both_drivers;
use crate::world::{How, OPUS, PCMU, Phone, World, g711};

both_drivers! {
    /// MEDIA-09: events at 8 kHz and 48 kHz, in both directions, once each.
    digits_cross_from_a_trunk_to_a_browser_codec_and_back;
    digits_we_send_have_right_durations_and_three_ends;
    digits_sent_to_a_phone_without_events_are_tones;
    a_digit_whose_ends_are_lost_is_told_once;
    /// MEDIA-09: a tone becomes an event for who takes events, and is heard by nobody twice.
    a_tone_becomes_an_event_and_its_sound_is_taken_out;
    /// MEDIA-09: an event becomes a tone for who takes no events.
    an_event_becomes_a_tone_for_who_takes_no_events;
}

const AT_48_KHZ: EventFormat = EventFormat { payload_type: 110, clock_hz: 48_000 };

fn opus() -> How {
    How { send: OPUS, events: Some(AT_48_KHZ), ..How::default() }
}

/// Presses a key for 100 ms, with three end packets.
async fn presses(phone: &mut Phone, digit: char, ends: usize) {
    let events = phone.how.events.unwrap();
    let tick = (events.clock_hz / 50) as u16;
    let code = dtmf::code_of(digit).unwrap();
    for n in 1..=4 + ends as u16 {
        let event = dtmf::Event { code, end: n >= 5, volume: 10, duration: tick * n.min(5) };
        let packet = phone.packet(events.payload_type, n == 1, &event.octets());
        phone.rtp.send_to(&packet, phone.their_rtp).unwrap();
        phone.seq = phone.seq.wrapping_add(1);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    phone.time = phone.time.wrapping_add(events.clock_hz / 10);
}

/// The digits a phone is sent, with their final durations in milliseconds, until `n` ended.
async fn hears_digits(phone: &mut Phone, n: usize) -> Vec<(char, u64)> {
    let events = phone.how.events.unwrap();
    let mut receiver = dtmf::Receiver::new(events.clock_hz);
    let mut digits = Vec::new();
    let mut ends = 0;
    let mut began = None;
    while digits.len() < n || ends % 3 != 0 {
        let heard = phone.hears().await.expect("more of the event");
        if heard.header.payload_type != events.payload_type {
            continue;
        }
        let event = dtmf::Event::parse(&heard.payload).unwrap();
        assert_eq!(heard.header.marker, began != Some(heard.header.timestamp), "the first packet is marked");
        began = Some(heard.header.timestamp);
        ends += usize::from(event.end);
        let now = model::time::Timestamp::ZERO;
        let told = receiver.packet(heard.header.timestamp.0, event, now);
        digits.extend(told.into_iter().flatten().map(|told| (told.digit, told.held.as_millis() as u64)));
    }
    digits
}

async fn digits_cross_from_a_trunk_to_a_browser_codec_and_back(driver: DriverChoice) {
    let mut world = World::new(driver);
    let (mut trunk, mut agent) = (world.phone(How::default()).await, world.phone(opus()).await);
    world.bridge(&trunk, &agent).await;
    trunk.says(&g711(0));
    presses(&mut trunk, '7', 3).await;
    assert_eq!(hears_digits(&mut agent, 1).await, [('7', 100)]);
    assert_eq!(
        world.event().await,
        Some(Event::Dtmf { leg: trunk.leg, digit: '7', held: Duration::from_millis(100) })
    );
    presses(&mut agent, '#', 3).await;
    presses(&mut agent, '#', 3).await;
    assert_eq!(hears_digits(&mut trunk, 2).await, [('#', 100), ('#', 100)]);
    for _ in 0..2 {
        let told = world.event().await;
        assert_eq!(told, Some(Event::Dtmf { leg: agent.leg, digit: '#', held: Duration::from_millis(100) }));
    }
    assert!(world.events.try_recv().is_err(), "never doubled");
}

async fn digits_we_send_have_right_durations_and_three_ends(driver: DriverChoice) {
    let mut world = World::new(driver);
    for how in [How::default(), opus()] {
        let mut phone = world.phone(how).await;
        let send = |digits: &str| Command::SendDtmf {
            leg: phone.leg,
            digits: digits.into(),
            each: Duration::from_millis(80),
        };
        assert!(matches!(world.media.command(send("12x")).await, Err(MediaError::BadSetup(_))));
        assert_eq!(world.media.command(send("1*D")).await, Ok(Answer::Done));
        assert_eq!(hears_digits(&mut phone, 3).await, [('1', 80), ('*', 80), ('D', 80)]);
        assert_eq!(world.event().await, Some(Event::DtmfSent { leg: phone.leg }));
    }
}

async fn digits_sent_to_a_phone_without_events_are_tones(driver: DriverChoice) {
    let mut world = World::new(driver);
    let mut phone = world.phone(How { events: None, ..How::default() }).await;
    let each = Duration::from_millis(100);
    let send = Command::SendDtmf { leg: phone.leg, digits: "5".into(), each };
    assert_eq!(world.media.command(send).await, Ok(Answer::Done));
    let mut samples = Vec::new();
    for _ in 0..5 {
        let heard = phone.hears().await.expect("a tone");
        assert_eq!(heard.header.payload_type, PCMU.payload_type);
        samples.extend(heard.payload.iter().map(|code| f64::from(media::codec::g711::decode_mu(*code))));
    }
    phone.hears_nothing("the tone is over").await;
    // The power at a frequency, by correlation.
    let power = |hz: f64| {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, sample) in samples.iter().enumerate() {
            let angle = std::f64::consts::TAU * hz * n as f64 / 8_000.0;
            re += sample * angle.cos();
            im += sample * angle.sin();
        }
        re.hypot(im) / samples.len() as f64
    };
    assert!(power(770.0) > 2_000.0 && power(1_336.0) > 2_000.0, "770 and 1336 Hz are the 5");
    for other in [697.0, 852.0, 941.0, 1_209.0, 1_477.0, 1_633.0] {
        assert!(power(other) < 300.0, "{other} Hz is not in it");
    }
    assert_eq!(world.event().await, Some(Event::DtmfSent { leg: phone.leg }));
}

async fn a_digit_whose_ends_are_lost_is_told_once(driver: DriverChoice) {
    let mut world = World::new(driver);
    let mut phone = world.phone(How::default()).await;
    presses(&mut phone, '3', 0).await;
    let told = world.event().await;
    assert_eq!(told, Some(Event::Dtmf { leg: phone.leg, digit: '3', held: Duration::from_millis(80) }));
    presses(&mut phone, '4', 1).await;
    let told = world.event().await;
    assert_eq!(told, Some(Event::Dtmf { leg: phone.leg, digit: '4', held: Duration::from_millis(100) }));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(world.events.try_recv().is_err(), "once");
}

/// Says digits as tones of 80 ms with pauses of 80 ms, in packets of 20 ms, between a second of quiet noise.
async fn keys_in(phone: &mut Phone, digits: &str) {
    let mut samples = vec![0i16; 4_000];
    for digit in digits.chars() {
        let mut tone = [0; 640];
        dtmf::inband::Tones::new(digit, Duration::from_millis(80), 8_000).unwrap().fill(&mut tone);
        samples.extend(tone);
        samples.extend([0; 640]);
    }
    samples.extend([0; 4_000]);
    for frame in samples.chunks(160) {
        let payload: Vec<u8> = frame.iter().map(|s| media::codec::g711::encode_mu(*s)).collect();
        phone.says(&payload);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn a_tone_becomes_an_event_and_its_sound_is_taken_out(driver: DriverChoice) {
    let mut world = World::new(driver);
    for how in [How::default(), opus()] {
        let mut trunk = world.phone(How { events: None, ..How::default() }).await;
        let mut agent = world.phone(how).await;
        world.bridge(&trunk, &agent).await;
        let (_, heard) = tokio::join!(keys_in(&mut trunk, "15"), async {
            let events = agent.how.events.unwrap();
            let (mut receiver, mut digits, mut audio) =
                (dtmf::Receiver::new(events.clock_hz), vec![], vec![]);
            while let Some(heard) = agent.hears_within(Duration::from_millis(1_500)).await {
                if heard.header.payload_type != events.payload_type {
                    audio.push(heard.payload);
                    continue;
                }
                let event = dtmf::Event::parse(&heard.payload).unwrap();
                let now = model::time::Timestamp::ZERO;
                let told = receiver.packet(heard.header.timestamp.0, event, now);
                digits.extend(told.into_iter().flatten());
            }
            (digits, audio)
        });
        let (digits, audio) = heard;
        let names: String = digits.iter().map(|digit| digit.digit).collect();
        assert_eq!(names, "15", "each once, in order");
        assert!(digits.iter().all(|digit| (60..=110).contains(&digit.held.as_millis())), "{digits:?}");
        // What is left of the tones is too short for any detector.
        let mut ear = crate::voices::Ear::new(agent.how.send.codec);
        audio.iter().for_each(|payload| ear.hears(payload));
        let (mut detector, mut found) = (dtmf::inband::Detector::default(), vec![]);
        detector.feed(&ear.samples, &mut |it| found.push(it));
        assert!(found.is_empty(), "heard twice: {found:?}");
        for digit in ['1', '5'] {
            let told = world.event().await;
            let Some(Event::Dtmf { leg, digit: said, .. }) = told else { panic!("{told:?}") };
            assert_eq!((leg, said), (trunk.leg, digit));
        }
    }
}

async fn an_event_becomes_a_tone_for_who_takes_no_events(driver: DriverChoice) {
    let world = World::new(driver);
    let mut agent = world.phone(opus()).await;
    let mut trunk = world.phone(How { events: None, ..How::default() }).await;
    world.bridge(&agent, &trunk).await;
    presses(&mut agent, '8', 3).await;
    let mut ear = crate::voices::Ear::new(PCMU.codec);
    while let Some(heard) = trunk.hears_within(Duration::from_millis(500)).await {
        assert_eq!(heard.header.payload_type, PCMU.payload_type);
        ear.hears(&heard.payload);
    }
    ear.samples.extend([0; 800]);
    let (mut detector, mut found) = (dtmf::inband::Detector::default(), vec![]);
    detector.feed(&ear.samples, &mut |it| found.push(it));
    let [dtmf::inband::Found::Began('8'), dtmf::inband::Found::Ended(digit)] = found[..] else {
        panic!("{found:?}")
    };
    assert!((80..=120).contains(&digit.held.as_millis()), "{digit:?}");
}
