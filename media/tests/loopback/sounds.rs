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
