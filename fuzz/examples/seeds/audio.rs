//! Payloads of codecs, playout, and a recording.

use std::sync::mpsc;
use std::time::Duration;

use fuzz::piece;
use media::codec::Encoder;
use media::codec::comfort::NoiseMeter;
use media::codec::g722::G722Encoder;
use media::control::{Channel, PauseReason};
use media::record::{Config, Head, Payload, Recorder, Report};
use model::id::{Id, LegId, RecordingId};
use model::media::Codec;

use super::{keep, speech};

/// Octets of a container's header, and of a record's before its body.
const HEAD: usize = 52;
const RECORD: usize = 8;

pub fn all() -> std::io::Result<()> {
    voice()?;
    playout()?;
    prompts()?;
    recording()
}

fn tone(rate: usize, samples: usize, from: usize) -> Vec<i16> {
    let at = |n: usize| (n as f32 / rate as f32 * 440.0 * std::f32::consts::TAU).sin();
    (from..from + samples).map(|n| (at(n) * 9_000.0) as i16).collect()
}

fn opus(frames: usize, ms: usize) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new(Codec::Opus, 48_000).expect("an encoder");
    let mut out = [0; 1_400];
    let frame = 48 * ms;
    (0..frames)
        .filter_map(|n| {
            encoder.encode(&tone(48_000, frame, n * frame), &mut out).map(|len| out[..len].to_vec())
        })
        .collect()
}

fn voice() -> std::io::Result<()> {
    for (name, first, ms) in [("8k", 0, 20), ("16k", 1, 60), ("48k", 2, 10)] {
        let mut input = vec![first];
        for (n, payload) in opus(6, ms).iter().enumerate() {
            input.extend(piece(if n == 3 { 0x41 } else { 0 }, payload));
        }
        keep("opus", name, &input)?;
    }
    let (mut encoder, mut octets) = (G722Encoder::default(), [0; 160]);
    let mut input = Vec::new();
    for n in 0..6 {
        encoder.encode(&tone(16_000, 320, n * 320), &mut octets);
        input.extend(piece(32, if n == 3 { &[] } else { &octets }));
    }
    keep("g722", "tone-and-hole", &input)?;
    let (mut encoder, mut input) = (g729::Encoder::new(false), Vec::new());
    for n in 0..12 {
        let samples: [i16; 80] = tone(8_000, 80, n * 80).try_into().expect("a frame");
        let mut octets = [0; 10];
        let length = encoder.encode(&samples, &mut octets);
        input.extend(piece(u8::from(n == 5) * 2, &octets[..length]));
    }
    input.extend(piece(0, &[0x9a, 0x5c]));
    input.extend(piece(16, &[0x31, 0x40]));
    keep("g729", "tone-losses-silence", &input)?;
    let octets =
        |samples: Vec<i16>| samples.iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<u8>>();
    let mut input = piece(3 | 6 << 2, &octets(tone(8_000, 80, 0)));
    input.extend(piece(9 << 2, &[]));
    input.extend(piece(2 << 2, &octets(vec![i16::MIN, i16::MAX, 0, -1])));
    input.extend(piece(1 | 2 << 2, &octets(tone(8_000, 80, 80))));
    keep("g729_encode", "tone-silence-extremes", &input)?;
    let mut input = Vec::new();
    for order in [0, 4, 10] {
        let mut meter = NoiseMeter::new(order);
        meter.listen(&tone(8_000, 160, 0));
        let mut payload = [0; 11];
        let len = meter.payload(&mut payload);
        input.extend(piece(160, &payload[..len]));
    }
    keep("comfort_noise", "three-orders", &input)
}

fn playout() -> std::io::Result<()> {
    for (name, first) in [("pcmu", 0), ("opus", 2), ("g729", 4)] {
        let mut input = vec![first];
        let opus = opus(12, 20);
        let step = if first == 2 { 960 } else { 160 };
        for n in 0..12u16 {
            let payload = match first {
                2 => opus[usize::from(n)].clone(),
                // Two frames; at last one and a description of silence, and a description alone.
                4 => speech(n)[..[20, 20, 20, 20, 20, 20, 20, 20, 20, 12, 2, 20][usize::from(n)]].to_vec(),
                _ => speech(n),
            };
            let head = [&[1][..], &n.to_be_bytes(), &(u32::from(n) * step).to_be_bytes()].concat();
            // Some come late, one is noise, one an event.
            let how = [4, 4, 0, 8, 4, 0x12, 4, 0x22, 15, 0, 1, 4][usize::from(n)];
            input.extend(piece(how, &[head, payload].concat()));
        }
        keep("playout", name, &input)?;
    }
    Ok(())
}

/// A WAV file, and the pages of an Ogg Opus file.
fn prompts() -> std::io::Result<()> {
    let samples: Vec<u8> = tone(8_000, 400, 0).iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let len = |more: usize| ((samples.len() + more) as u32).to_le_bytes();
    let rates = [8_000u32.to_le_bytes(), 16_000u32.to_le_bytes()].concat();
    let wav = [
        b"RIFF",
        &len(36)[..],
        b"WAVEfmt \x10\0\0\0\x01\0\x01\0",
        &rates,
        b"\x02\0\x10\0data",
        &len(0),
        &samples,
    ];
    keep("prompt", "wav", &[&[0], &wav.concat()[..]].concat())?;
    let page =
        |flags: u8, ends: u32, packet: &[u8]| piece(flags, &[&ends.to_le_bytes()[..], packet].concat());
    let mut input = vec![2];
    input.extend(page(2, 0, b"OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0"));
    input.extend(page(0, 0, b"OpusTags\x02\0\0\0us\0\0\0\0"));
    for (n, packet) in (1u32..).zip(opus(5, 20)) {
        input.extend(page(if n == 5 { 4 } else { 0 }, n * 960, &packet));
    }
    keep("prompt", "opus-pages", &input)
}

/// A call of some frames by the recorder itself.
fn recording() -> std::io::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("call.pbr");
    let (told, closed) = mpsc::channel();
    let recorder = Recorder::start(Config::default(), move |report| {
        if let Report::Closed { .. } = report {
            _ = told.send(());
        }
    })?;
    let mut tap = recorder.tap().expect("a tap");
    let head =
        Head { recording: RecordingId::from_number(1), wall_us: 1_800_000_000_000_000, at_us: 5_000_000 };
    let handle = recorder.open(&file, head).expect("a container");
    for channel in [Channel::Left, Channel::Right] {
        tap.hears(handle, channel, Some(LegId::from_number(2)), 5_000_000).expect("there is room");
    }
    for n in 0..6u16 {
        let at_us = 5_000_000 + u64::from(n) * 20_000;
        for (channel, codec, octets) in [
            (Channel::Left, Codec::Pcma, &speech(n)[..40]),
            (Channel::Right, Codec::Opus, &[0xF8, 0xFF, 0xFE][..]),
        ] {
            let timestamp = u32::from(n) * codec.clock_hz() / 50;
            tap.payload(handle, &Payload { channel, codec, epoch: 0, seq: n, timestamp, at_us, octets });
        }
    }
    drop(recorder.pause(handle, 5_120_000, Some(PauseReason::CardData)).expect("it records"));
    drop(recorder.pause(handle, 5_300_000, None).expect("it records"));
    tap.stop(handle, 5_400_000).expect("there is room");
    closed.recv_timeout(Duration::from_secs(10)).expect("it is closed");
    let octets = std::fs::read(&file)?;
    keep("recording", "whole", &[&[3], &octets[..]].concat())?;
    keep("recording", "torn", &[&[3], &octets[..octets.len() - 30]].concat())?;
    let (head, mut rest) = octets.split_at(HEAD);
    let mut input = [&[2], head].concat();
    while let Some((start, after)) = rest.split_first_chunk::<RECORD>() {
        let (body, after) = after.split_at(usize::from(u16::from_le_bytes([start[2], start[3]])));
        input.extend(piece(start[0], &[&start[1..2], body].concat()));
        rest = after;
    }
    keep("recording", "records", &input)
}
