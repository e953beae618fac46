//! What runs for every packet takes no memory: transcoding, measuring, recording, playing prompts.

mod counting;

use counting::allocations;
use media::codec::{Recoder, Shape, rates};
use media::control::{Channel, Format};
use media::jitter::{Config, Kind, Meta, Player};
use media::prompt::tones::{Plan, Tone};
use media::quality::{Arrival, StreamMeter};
use media::record::{Config as RecordConfig, Head, Payload, Recorder};
use model::id::{Id, RecordingId};
use model::media::Codec;

#[test]
fn transcoding_a_packet_takes_no_memory() {
    let tone = Plan::default().tone(Tone::Ringback).unwrap();
    for (from, to) in Codec::ALL.into_iter().flat_map(|from| Codec::ALL.map(|to| (from, to))) {
        let (given_hz, wanted_hz) = rates(from, to, 48_000);
        let to = Format { payload_type: 0, codec: to, ptime_ms: 20 };
        let mut player = Player::with(from, given_hz, Config::in_phase(from.clock_hz())).unwrap();
        let mut recoder = Recoder::new(given_hz, wanted_hz, to, &Shape::default()).unwrap();
        let frames = tone.frames(from, 20).unwrap();
        let mut samples = vec![0; given_hz as usize / 50];
        let (mut packets, mut timestamp) = (0, 0u32);
        let taken = allocations(|| {
            for seq in 0..200u16 {
                let (frame, now_us) = (frames.get(usize::from(seq)).unwrap(), u64::from(seq) * 20_000);
                // Some are lost: concealment takes no memory either.
                if seq % 7 != 2 {
                    let meta = Meta { ssrc: 1, seq, timestamp, kind: Kind::Audio, held_us: 0 };
                    player.put(meta, frame.payload, now_us);
                }
                player.take(now_us + 5_000, &mut samples);
                recoder.push(&samples, &mut |_| packets += 1);
                timestamp = timestamp.wrapping_add(frame.ticks);
            }
        });
        assert_eq!((taken, packets), (0, 200), "{from:?} to {to:?}");
    }
}

#[test]
fn measuring_a_packet_takes_no_memory() {
    let mut meter = StreamMeter::new(Codec::Opus);
    let taken = allocations(|| {
        for n in 0..3_000u32 {
            let at_us = u64::from(n) * 20_000;
            meter.packet(Arrival {
                ssrc: 1,
                seq: n as u16,
                timestamp: n * 960,
                at_us,
                octets: 80,
                timed: true,
            });
            meter.quality(at_us);
            meter.snapshot();
        }
        meter.report();
    });
    assert_eq!(taken, 0);
    assert_eq!(meter.snapshot().packets, 3_000);
}

/// RECO-02: recording a relayed call costs the media thread a copy, nothing more.
#[test]
fn recording_a_packet_takes_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::start(RecordConfig::default(), |_| {}).unwrap();
    let mut tap = recorder.tap().unwrap();
    let head = Head { recording: RecordingId::from_number(1), wall_us: 0, at_us: 0 };
    let handle = recorder.open(&folder.path().join("call.pbr"), head).unwrap();
    let octets = [0x55; 160];
    let mut captured = 0;
    let taken = allocations(|| {
        tap.hears(handle, Channel::Left, None, 0).unwrap();
        for n in 0..1_000u32 {
            let payload = Payload {
                channel: Channel::Left,
                codec: Codec::Pcma,
                epoch: 0,
                seq: n as u16,
                timestamp: n * 160,
                at_us: u64::from(n) * 20_000,
                octets: &octets,
            };
            captured += u32::from(tap.payload(handle, &payload));
        }
        tap.stop(handle, 20_000_000).unwrap();
    });
    assert_eq!((taken, captured), (0, 1_000));
}
