//! MEDIA-11: prompts and music.

use std::sync::Arc;
use std::time::{Duration, Instant};

use media::control::{Event, Source};
use media::driver::DriverChoice;
use media::prompt::Prompt;

use crate::both_drivers;
use crate::world::{How, OPUS, PCMA, World, g711};

both_drivers! {
    a_prompt_is_heard_whole_once_and_its_end_is_told;
    music_repeats_without_a_seam_at_the_pace_of_speech;
    a_caller_on_hold_hears_music_and_then_the_agent_again_in_one_stream;
    one_party_may_be_heard_by_several;
    /// MEDIA-11: fade on change.
    a_sound_that_is_cut_off_dies_away_within_a_packet;
    /// MEDIA-11: one sound to several, at the same place.
    all_who_wait_hear_the_same_place_of_the_music;
}

/// A sound whose every sample differs from its neighbours.
fn prompt(ms: usize) -> Arc<Prompt> {
    let samples: Vec<i16> = (0..ms * 8).map(|n| ((n * 97) % 30_000) as i16 - 15_000).collect();
    Arc::new(Prompt::from_pcm("test", 8_000, &samples).unwrap())
}

async fn a_prompt_is_heard_whole_once_and_its_end_is_told(driver: DriverChoice) {
    let mut world = World::new(driver);
    let prompt = prompt(200);
    for how in [How::default(), How { send: PCMA, ..How::default() }, How { send: OPUS, ..How::default() }] {
        let mut caller = world.phone(how).await;
        world.hear(caller.leg, Source::Prompt { prompt: Arc::clone(&prompt), repeat: false }).await;
        let frames = prompt.frames(how.send.codec, 20).unwrap();
        for (n, frame) in frames.iter().enumerate() {
            let heard = caller.hears().await.expect("a packet of the prompt");
            assert_eq!(heard.payload, frame.payload, "packet {n} of {:?}", how.send.codec);
            assert_eq!(heard.header.marker, n == 0);
        }
        assert_eq!(world.event().await, Some(Event::PromptEnded { leg: caller.leg }));
        caller.hears_nothing("it ended").await;
    }
}

async fn music_repeats_without_a_seam_at_the_pace_of_speech(driver: DriverChoice) {
    let world = World::new(driver);
    let music = prompt(100);
    let mut caller = world.phone(How::default()).await;
    world.hear(caller.leg, Source::Prompt { prompt: Arc::clone(&music), repeat: true }).await;
    let frames = music.frames(media_codec(), 20).unwrap();
    let first = caller.hears().await.unwrap();
    #[expect(clippy::disallowed_methods, reason = "the pace of real packets is measured with a real clock")]
    let began = Instant::now();
    for n in 1..50 {
        let heard = caller.hears().await.unwrap();
        assert_eq!(heard.payload, frames.get(n % frames.len()).unwrap().payload, "packet {n}");
        assert_eq!(heard.header.seq.since(first.header.seq), n as i16);
        assert_eq!(heard.header.timestamp.since(first.header.timestamp), n as i32 * 160);
    }
    let took = began.elapsed();
    assert!((930..1_150).contains(&took.as_millis()), "49 packets took {took:?}");
}

fn media_codec() -> model::media::Codec {
    model::media::Codec::Pcmu
}

async fn a_caller_on_hold_hears_music_and_then_the_agent_again_in_one_stream(driver: DriverChoice) {
    let world = World::new(driver);
    let music = prompt(100);
    let (mut caller, mut agent) = (world.phone(How::default()).await, world.phone(How::default()).await);
    world.bridge(&caller, &agent).await;
    agent.says(&g711(1));
    let mut last = caller.hears().await.unwrap().header;
    let ssrc = last.ssrc;
    // Hold: the customer hears music, the agent nothing.
    world.hear(caller.leg, Source::Prompt { prompt: Arc::clone(&music), repeat: true }).await;
    world.hear(agent.leg, Source::Nothing).await;
    for n in 0..5 {
        agent.says(&g711(66));
        let heard = caller.hears().await.unwrap();
        assert_eq!(heard.payload, music.frames(media_codec(), 20).unwrap().get(n % 5).unwrap().payload);
        assert_eq!((heard.header.ssrc, heard.header.seq.since(last.seq)), (ssrc, 1));
        assert_eq!(heard.header.marker, n == 0, "music begins a talkspurt");
        last = heard.header;
    }
    caller.says(&g711(7));
    agent.hears_nothing("the caller is on hold").await;
    world.bridge(&caller, &agent).await;
    agent.says(&g711(2));
    let heard = loop {
        let heard = caller.hears().await.unwrap();
        assert_eq!(heard.header.seq.since(last.seq), 1);
        assert!(heard.header.timestamp.since(last.timestamp) >= 160);
        last = heard.header;
        if heard.payload == g711(2) {
            break heard;
        }
    };
    assert!(heard.header.marker, "the agent's voice begins a talkspurt");
    tokio::time::sleep(Duration::from_millis(40)).await;
    caller.hears_nothing("the music is over").await;
}

async fn a_sound_that_is_cut_off_dies_away_within_a_packet(driver: DriverChoice) {
    let world = World::new(driver);
    let tone: Vec<i16> = (0..8_000).map(|n| ((f64::from(n) * 0.31).sin() * 9_000.0) as i16).collect();
    let music = Arc::new(Prompt::from_pcm("tone", 8_000, &tone).unwrap());
    for send in [crate::world::PCMU, PCMA, media::control::Format { ptime_ms: 60, ..PCMA }] {
        let mut caller = world.phone(How { send, ..How::default() }).await;
        let mut agent = world.phone(How { send, ..How::default() }).await;
        world.hear(caller.leg, Source::Prompt { prompt: Arc::clone(&music), repeat: true }).await;
        let mut decoder = media::codec::Decoder::new(send.codec, 8_000).unwrap();
        let (mut heard, mut last): (Vec<i16>, _) = (Vec::new(), None);
        for _ in 0..3 {
            let packet = caller.hears().await.unwrap();
            let mut samples = [0; 960];
            let n = decoder.decode(&packet.payload, &mut samples).unwrap();
            heard.extend(&samples[..n]);
            last = Some(packet.header);
        }
        world.hear(caller.leg, Source::Leg(agent.leg)).await;
        agent.says(&vec![0x55; usize::from(send.ptime_ms) * 8]);
        let voice = loop {
            let packet = caller.hears().await.unwrap();
            let before = last.replace(packet.header).unwrap();
            assert_eq!(packet.header.seq.since(before.seq), 1);
            if packet.payload.iter().all(|code| *code == 0x55) {
                break packet;
            }
            let mut samples = [0; 960];
            let n = decoder.decode(&packet.payload, &mut samples).unwrap();
            heard.extend(&samples[..n]);
        };
        assert!(voice.header.marker);
        let end = heard.iter().rposition(|sample| sample.unsigned_abs() > 1_200).unwrap();
        assert!(heard.len() - end <= 100, "it has died away when the voice begins");
        let loud = heard.iter().rposition(|sample| sample.unsigned_abs() > 8_500).unwrap();
        assert!(heard.len() - loud <= 800, "and took at most 100 ms for it");
        // The steepest step of this tone is 2790; G.711 adds up to 512.
        let steepest = heard.windows(2).map(|w| (i32::from(w[1]) - i32::from(w[0])).abs()).max().unwrap();
        assert!(steepest < 3_400, "no click: {steepest}");
    }
}

async fn all_who_wait_hear_the_same_place_of_the_music(driver: DriverChoice) {
    let world = World::with(driver, 2, 40, std::time::Duration::from_secs(30));
    let music = prompt(2_000);
    let frames: Vec<Vec<u8>> =
        music.frames(media_codec(), 20).unwrap().iter().map(|f| f.payload.to_vec()).collect();
    let place =
        |payload: &[u8]| frames.iter().position(|frame| frame == payload).expect("a frame of the music");
    let (mut first, mut second) = (world.phone(How::default()).await, world.phone(How::default()).await);
    world.hear(first.leg, Source::PlayAlong(Arc::clone(&music))).await;
    let mut at = place(&first.hears().await.unwrap().payload);
    let mut in_turn = 0;
    for _ in 0..15 {
        let next = place(&first.hears().await.unwrap().payload);
        in_turn += usize::from(next == (at + 1) % frames.len());
        at = next;
    }
    assert!(
        in_turn > 10,
        "one packet after the other; only where the machine stalls, the music goes on without us"
    );
    // The second one comes later, on another thread: not at the beginning.
    world.hear(second.leg, Source::PlayAlong(Arc::clone(&music))).await;
    let joined = place(&second.hears().await.unwrap().payload);
    let ahead = (joined + frames.len() - at) % frames.len();
    assert!((1..50).contains(&ahead), "{ahead} packets after what the first heard last");
    // An announcement, and the music has gone on behind it.
    let announcement = prompt(100);
    world.hear(second.leg, Source::Prompt { prompt: announcement, repeat: false }).await;
    world.hear(second.leg, Source::PlayAlong(music)).await;
    assert!(first.hears().await.is_some());
}

async fn one_party_may_be_heard_by_several(driver: DriverChoice) {
    let world = World::new(driver);
    let mut customer = world.phone(How::default()).await;
    let mut agent = world.phone(How::default()).await;
    let mut supervisor = world.phone(How { send: PCMA, ..How::default() }).await;
    let mut trainee = world.phone(How { send: OPUS, ..How::default() }).await;
    world.bridge(&customer, &agent).await;
    world.hear(supervisor.leg, Source::Leg(customer.leg)).await;
    world.hear(trainee.leg, Source::Leg(customer.leg)).await;
    for n in 0..3 {
        customer.says(&g711(n));
        assert_eq!(agent.hears().await.unwrap().payload, g711(n));
        let a_law: Vec<u8> = g711(n).iter().map(|code| media::codec::g711::mu_to_a(*code)).collect();
        assert_eq!(supervisor.hears().await.unwrap().payload, a_law);
        assert_eq!(trainee.hears().await.unwrap().header.payload_type, OPUS.payload_type);
    }
    supervisor.says(&g711(9));
    customer.hears_nothing("a supervisor who listens is not heard").await;
}
