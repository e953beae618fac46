//! Time a frame of 10 ms: ours beside libbcg729's (a process of its own, by its own clock), on the same speech.
//!
//! `cargo bench -p g729 --bench beside`. Environment: `G729_BENCH_ROUNDS` (default 9; the fastest of them counts). The two take
//! turns round by round, so a busy moment of the machine meets both.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

#[path = "../tests/outside/mod.rs"]
mod outside;

use std::hint::black_box;
use std::time::Instant;

use g729::{Decoder, Encoder, Frame, SAMPLES};
use outside::{bcg_encode, bcg_time_decode, bcg_time_encode, material, split};

/// What a decoder may take of libbcg729's time.
const DECODER_GOAL: f64 = 0.7;
/// What an encoder may.
const ENCODER_GOAL: f64 = 0.4;

fn main() {
    let rounds = std::env::var("G729_BENCH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(9);
    let speech: Vec<i16> = material::all(0)
        .into_iter()
        .filter(|material| material.name.starts_with("speech"))
        .flat_map(|material| material.samples)
        .collect();
    println!(
        "{:.1} s of speech, the fastest of {rounds} rounds, microseconds a frame",
        speech.len() as f64 / 8_000.0
    );
    println!("{:<28}{:>8}{:>12}{:>8}{:>8}", "", "ours", "libbcg729", "ratio", "goal");
    for (name, silence) in [("decoder", false), ("decoder, Annex B", true)] {
        let octets = bcg_encode(&speech, silence);
        let frames: Vec<Frame> =
            split(&octets).map(|(_, octets)| Frame::from_octets(octets).expect("a frame")).collect();
        let (mut ours, mut theirs) = (f64::INFINITY, f64::INFINITY);
        for _ in 0..rounds {
            theirs = theirs.min(bcg_time_decode(&octets, 1));
            ours = ours.min(decode(&frames));
        }
        row(name, ours, theirs, DECODER_GOAL);
    }
    for (name, silence) in [("encoder", false), ("encoder, Annex B", true)] {
        let (mut ours, mut theirs) = (f64::INFINITY, f64::INFINITY);
        for _ in 0..rounds {
            theirs = theirs.min(bcg_time_encode(&speech, silence, 1));
            ours = ours.min(encode(&speech, silence));
        }
        row(name, ours, theirs, ENCODER_GOAL);
    }
}

fn row(name: &str, ours: f64, theirs: f64, goal: f64) {
    println!("{name:<28}{:>8.2}{:>12.2}{:>8.2}{goal:>8.2}", ours / 1e3, theirs / 1e3, ours / theirs);
}

/// Nanoseconds a frame of one pass over all of them.
fn decode(frames: &[Frame]) -> f64 {
    let mut decoder = Decoder::new();
    let mut out = [0; SAMPLES];
    let start = Instant::now();
    for frame in frames {
        decoder.decode(*frame, &mut out);
        black_box(&out);
    }
    start.elapsed().as_nanos() as f64 / frames.len() as f64
}

/// The same of encoding.
fn encode(speech: &[i16], silence: bool) -> f64 {
    let mut encoder = Encoder::new(silence);
    let mut out = [0; 10];
    let frames = speech.as_chunks::<SAMPLES>().0;
    let start = Instant::now();
    for frame in frames {
        encoder.encode(frame, &mut out);
        black_box(&out);
    }
    start.elapsed().as_nanos() as f64 / frames.len() as f64
}
