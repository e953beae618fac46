//! Somebody else's G.729: libbcg729 behind a small C program, in a process of its own. What it encodes we must decode, and it what we
//! encode.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Frames of `speech` (8 kHz), ten octets each: every 10 ms are sent.
pub fn encode(speech: &[i16]) -> Vec<u8> {
    let octets: Vec<u8> = speech.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let frames = run(&["encode", "0"], octets);
    frames.chunks_exact(11).flat_map(|frame| frame[1..].to_vec()).collect()
}

/// The same with silence left out (Annex B): ten octets of speech, two that describe a silence, or none, each 10 ms.
pub fn encode_with_pauses(speech: &[i16]) -> Vec<Vec<u8>> {
    let octets: Vec<u8> = speech.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let coded = run(&["encode", "1"], octets);
    let (mut frames, mut rest) = (Vec::new(), &coded[..]);
    while let Some((&length, after)) = rest.split_first() {
        let (frame, after) = after.split_at(length.into());
        frames.push(frame.to_vec());
        rest = after;
    }
    frames
}

/// Samples at 8 kHz of frames of ten octets.
pub fn decode(frames: &[u8]) -> Vec<i16> {
    let with_lengths = frames.chunks_exact(10).flat_map(|frame| [&[10], frame].concat()).collect();
    run(&["decode"], with_lengths).chunks_exact(2).map(|s| i16::from_le_bytes([s[0], s[1]])).collect()
}

fn run(arguments: &[&str], input: Vec<u8>) -> Vec<u8> {
    let mut child = Command::new(program())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program that was just built");
    let mut stdin = child.stdin.take().expect("a pipe");
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let mut output = Vec::new();
    child.stdout.take().expect("a pipe").read_to_end(&mut output).expect("its output");
    writer.join().expect("no panic").expect("it reads its input");
    assert!(child.wait().expect("its end").success(), "libbcg729 {arguments:?} failed");
    output
}

/// Built once a process.
fn program() -> &'static PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let program = crate::appliance::binary().with_file_name("bcg729");
        let part = program.with_extension(std::process::id().to_string());
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../g729/tests/outside/bcg.c");
        let built = Command::new("cc").args(["-O2", "-o"]).arg(&part).args([source, "-lbcg729"]).status();
        assert!(
            built.is_ok_and(|status| status.success()),
            "libbcg729-dev and a C compiler are needed: scripts/setup test installs them"
        );
        // In one step: another test may be at it too.
        std::fs::rename(&part, &program).expect("the same folder");
        program
    })
}
