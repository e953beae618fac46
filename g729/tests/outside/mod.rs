//! Other people's G.729 as processes: libbcg729 behind a small C program that is built here, and ffmpeg's decoder.
#![allow(dead_code, reason = "each test and the benchmark use a part of it")]

pub mod material;
pub mod measure;

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use g729::{Frame, SAMPLES};

/// The length that stands for a lost frame in a stream of frames.
pub const LOST: u8 = 255;

/// Runs a program with `input` and returns what it wrote.
pub fn run(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}; scripts/setup test installs it"));
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let mut output = Vec::new();
    child.stdout.take().expect("a pipe").read_to_end(&mut output).expect("its output");
    writer.join().expect("no panic").expect("it reads its input");
    assert!(child.wait().expect("its end").success(), "{program} {arguments:?} failed");
    output
}

/// The C program over libbcg729, built once a process.
fn bcg() -> &'static str {
    static PROGRAM: OnceLock<String> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        std::fs::create_dir_all(&folder).expect("a folder for it");
        let program = folder.join(format!("bcg-{}", std::process::id()));
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/outside/bcg.c");
        let built = Command::new("cc").args(["-O2", "-o"]).arg(&program).args([source, "-lbcg729"]).status();
        assert!(
            built.is_ok_and(|status| status.success()),
            "libbcg729-dev and a C compiler: scripts/setup test"
        );
        program.to_str().expect("a plain path").to_owned()
    })
}

fn octets(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

fn samples(octets: &[u8]) -> Vec<i16> {
    octets.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

/// libbcg729's frames of `speech`: each after its length (10, 2 or 0).
pub fn bcg_encode(speech: &[i16], silence: bool) -> Vec<u8> {
    run(bcg(), &["encode", if silence { "1" } else { "0" }], &octets(speech))
}

/// libbcg729's samples of a stream of frames.
pub fn bcg_decode(frames: &[u8]) -> Vec<i16> {
    samples(&run(bcg(), &["decode"], frames))
}

/// Nanoseconds a frame that libbcg729 takes, the best of `rounds`.
pub fn bcg_time_decode(frames: &[u8], rounds: u32) -> f64 {
    nanoseconds(&run(bcg(), &["time-decode", &rounds.to_string()], frames))
}

/// The same for its encoder.
pub fn bcg_time_encode(speech: &[i16], silence: bool, rounds: u32) -> f64 {
    let silence = if silence { "1" } else { "0" };
    nanoseconds(&run(bcg(), &["time-encode", silence, &rounds.to_string()], &octets(speech)))
}

fn nanoseconds(text: &[u8]) -> f64 {
    String::from_utf8_lossy(text).trim().parse().expect("a number")
}

/// What ffmpeg's decoder makes of speech frames without any between them missing.
pub fn ffmpeg_decode(frames: &[u8]) -> Vec<i16> {
    let plain: Vec<u8> = split(frames).flat_map(|(_, octets)| octets.to_vec()).collect();
    let arguments = ["-v", "error", "-f", "g729", "-i", "-", "-f", "s16le", "-"];
    samples(&run("ffmpeg", &arguments, &plain))
}

/// The frames of a stream, each with its length octet.
pub fn split(frames: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = frames;
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first()?;
        let (octets, after) = after.split_at(if *length == LOST { 0 } else { usize::from(*length) });
        rest = after;
        Some((*length, octets))
    })
}

/// What our decoder makes of a stream of frames.
pub fn our_decode(frames: &[u8]) -> Vec<i16> {
    let mut decoder = g729::Decoder::new();
    let mut out = [0; SAMPLES];
    split(frames)
        .flat_map(|(length, octets)| {
            let frame =
                if length == LOST { Frame::Erased } else { Frame::from_octets(octets).expect("a frame") };
            decoder.decode(frame, &mut out);
            out
        })
        .collect()
}
