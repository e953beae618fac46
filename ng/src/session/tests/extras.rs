//! Sounds, digits, blocking, recording.

use std::path::PathBuf;

use media::control::Event;
use serde_json::json;

use super::world::{ANNA, BEN, World};
use crate::session::Config;
use crate::wire::Value;

/// A WAV of so many milliseconds.
fn wav(ms: usize) -> Vec<u8> {
    let mut octets = std::io::Cursor::new(Vec::new());
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::new(&mut octets, spec).unwrap();
    (0..ms * 8).for_each(|n| writer.write_sample((n % 100) as i16 * 100).unwrap());
    writer.finalize().unwrap();
    octets.into_inner()
}

fn play(world: &mut World, cookie: &str, times: i64) -> String {
    let request = Value::dict()
        .with("command", "play media")
        .with("call-id", "c")
        .with("from-tag", "a")
        .with("repeat-times", times)
        .with("blob", Value::Text(wav(100)));
    let mut datagram = format!("{cookie} ").into_bytes();
    crate::wire::bencode::write(&request, &mut datagram);
    let mut deeds = Vec::new();
    world.node.datagram(0, super::world::proxy(), &datagram, world.now, &mut deeds);
    let mut answers = world.settle_raw(deeds);
    String::from_utf8(answers.pop().expect("an answer, in bencode")).unwrap()
}

/// MEDIA-15: play media and stop media.
#[test]
fn a_party_hears_a_sound_so_often_and_then_the_other_party_again() {
    let mut world = World::up();
    let (a, b) = (world.leg_towards(5_000), world.leg_towards(6_000));
    assert_eq!(play(&mut world, "p1", 2), "p1 d8:durationi100e6:result2:oke");
    assert_eq!((&world.plane.hears[&a], &world.plane.hears[&b]), (&"blob".to_owned(), &a.to_string()));
    world.tell(Event::PromptEnded { leg: a });
    assert_eq!(world.plane.hears[&a], "blob", "twice was asked for");
    world.tell(Event::PromptEnded { leg: a });
    assert_eq!(world.plane.hears[&a], b.to_string());
    play(&mut world, "p2", 1);
    assert_eq!(world.plane.hears[&a], "blob");
    world.offer(ANNA, json!({"to-tag": "b"}));
    world.answer(BEN, json!({}));
    assert_eq!(world.plane.hears[&a], "blob", "a re-negotiation does not end it");
    world.ask(json!({"command": "stop media", "call-id": "c", "from-tag": "a"}));
    assert_eq!(world.plane.hears[&a], b.to_string());
}

#[test]
fn a_sound_from_nowhere_and_a_file_on_a_node_without_files_are_refused() {
    let mut world = World::up();
    let none = world.ask(json!({"command": "play media", "call-id": "c", "from-tag": "a"}));
    assert_eq!(none["error-reason"], "No media file specified");
    let file =
        world.ask(json!({"command": "play media", "call-id": "c", "from-tag": "a", "file": "/etc/passwd"}));
    assert_eq!(file["error-reason"], "Playing files is not configured on this node");
}

/// MEDIA-15: play DTMF: the party that is named seems to press the key.
#[test]
fn digits_are_heard_by_the_other_party() {
    let mut world = World::up();
    let b = world.leg_towards(6_000);
    for code in ["5", "11"] {
        world.ask(json!({"command": "play DTMF", "call-id": "c", "from-tag": "a", "code": code}));
    }
    assert_eq!(world.plane.digits, [(b, "5".to_owned()), (b, "#".to_owned())]);
    let mut early = World::new();
    early.offer(ANNA, json!({}));
    let answer = early.ask(json!({"command": "play DTMF", "call-id": "c", "from-tag": "a", "code": "5"}));
    assert_eq!(answer["error-reason"], "No SSRC context present for DTMF injection");
}

/// MEDIA-15: block and unblock, of media and of digits.
#[test]
fn a_party_is_blocked_and_unblocked() {
    let mut world = World::up();
    let a = world.leg_towards(5_000);
    world.ask(json!({"command": "block media", "call-id": "c", "from-tag": "a"}));
    assert!(world.plane.muted.contains(&a) && world.plane.muted.len() == 1);
    world.ask(json!({"command": "unblock media", "call-id": "c", "flags": ["all"]}));
    assert!(world.plane.muted.is_empty());
    world.ask(json!({"command": "block DTMF", "call-id": "c", "from-tag": "a"}));
    assert_eq!(world.setup_towards(5_000).events, None, "events that come are of an unknown type");
    assert!(world.setup_towards(6_000).events.is_some());
    world.offer(ANNA, json!({"to-tag": "b"}));
    world.answer(BEN, json!({}));
    assert_eq!(world.setup_towards(5_000).events, None, "a re-negotiation does not unblock");
    world.ask(json!({"command": "unblock DTMF", "call-id": "c", "from-tag": "a"}));
    assert!(world.setup_towards(5_000).events.is_some());
}

/// MEDIA-15: start, pause and stop recording.
#[test]
fn a_recording_has_a_channel_for_each_party_and_pauses() {
    let config = || Config { recordings: Some(PathBuf::from("/rec")), ..Config::default() };
    let mut world = World::with(config());
    world.offer(ANNA, json!({"flags": ["record-call"]}));
    world.answer(BEN, json!({}));
    let (a, b) = (world.leg_towards(5_000), world.leg_towards(6_000));
    let taps = |world: &World| world.plane.recordings.values().copied().collect::<Vec<_>>();
    assert_eq!(taps(&world), [[Some(a), Some(b)]]);
    world.ask(json!({"command": "pause recording", "call-id": "c"}));
    assert_eq!(world.plane.paused.len(), 1, "the plane leaves out what is said, and marks it");
    world.ask(json!({"command": "start recording", "call-id": "c"}));
    assert!(world.plane.paused.is_empty());
    assert_eq!(taps(&world), [[Some(a), Some(b)]]);
    world.ask(json!({"command": "stop recording", "call-id": "c"}));
    assert!(taps(&world).is_empty());
    world.ask(json!({"command": "start recording", "call-id": "c"}));
    world.ask(json!({"command": "delete", "call-id": "c", "delete-delay": 0}));
    assert!(taps(&world).is_empty(), "the call's end ends it");
    let refused = World::up().ask(json!({"command": "start recording", "call-id": "c"}));
    assert_eq!(refused["error-reason"], "Call recording is not configured on this node");
}
