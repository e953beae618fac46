//! The process dies; the recording does not.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::*;
use crate::record::{Config, Formats, MadeAudio, Recorder, Vault, find_unfinished, finish_with};

const SEALED: &str = "PATCHBAY_TEST_RECORDING_SEALED";
const FOLDER: &str = "PATCHBAY_TEST_RECORDING_FOLDER";

/// RECO-03: killing the process loses at most 200 ms of audio; at start unfinished containers are found and finished.
#[test]
fn a_killed_process_loses_at_most_200_ms() {
    // At any moment: 1 to 90 packets in, from a seed that a failure names; in the clear and encrypted in turn.
    for round in 0..8u64 {
        let kill_after = 1 + (round + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) % 90;
        let folder = tempfile::tempdir().unwrap();
        let key_file = folder.path().join("tenant");
        let vault = (round % 2 == 1).then(|| Vault::create(&key_file).unwrap());
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "record::tests::killed::the_process_that_is_killed",
                "--ignored",
                "--nocapture",
            ])
            .env(FOLDER, folder.path())
            .env(SEALED, if vault.is_some() { "yes" } else { "no" })
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut sent = 0;
        for line in lines.by_ref().map_while(Result::ok) {
            sent = line.strip_prefix("sent ").map_or(sent, |n| n.parse().unwrap());
            if sent >= kill_after {
                // SIGKILL: no handler, no destructor, no flush.
                child.kill().unwrap();
                break;
            }
        }
        // What it managed to say between our reading and its death counts as well.
        for line in lines.map_while(Result::ok) {
            sent = line.strip_prefix("sent ").map_or(sent, |n| n.parse().unwrap());
        }
        child.wait().unwrap();
        assert!(sent >= kill_after);

        let unfinished = find_unfinished(folder.path()).unwrap();
        assert_eq!(unfinished.len(), 1, "the container is found");
        let keys = vault.map_or(vec![], |vault| vault.of(&unfinished[0]).unwrap());
        let formats = Formats { wav: true, opus: true, mp3: false };
        let finished = finish_with(&unfinished[0], folder.path(), formats, &keys).unwrap();
        assert!(!finished.complete, "it was not ended in order");
        assert_eq!((finished.damaged_octets, finished.broken_seals), (0, 0));
        // Ten packets of 20 ms a channel.
        for channel in [finished.left, finished.right] {
            assert!(channel.captured + 10 >= sent, "round {round}: {} of {sent} packets", channel.captured);
            assert!(channel.captured_ms + 200 >= sent * 20);
        }
        let made = folder.path().join("call.wav");
        if !keys.is_empty() {
            let sealed = MadeAudio::open(&made, &keys).unwrap();
            let mut octets = Vec::new();
            while (octets.len() as u64) < sealed.len() {
                octets.extend(sealed.read_at(octets.len() as u64, 1 << 20).unwrap());
            }
            std::fs::write(&made, octets).unwrap();
        }
        let (rate, left, right) = wav(&made);
        assert!(left.len() as u64 * 1000 / u64::from(rate) + 200 >= sent * 20);
        let heard_ms =
            (finished.left.captured_ms as usize).saturating_sub(20).min(left.len() * 1000 / rate as usize);
        if heard_ms > 100 {
            assert!(purity(part(&left, rate, 0, heard_ms), 400.0, rate) > 0.99);
            assert!(!is_silent(&right));
        }
    }
}

/// Not a test: what [`a_killed_process_loses_at_most_200_ms`] starts and kills. Records two channels at 50 packets a
/// second and says how many it has handed over.
#[test]
#[ignore = "started by the test above"]
fn the_process_that_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let sealed = std::env::var_os(SEALED).is_some_and(|yes| yes == "yes");
    let vault = sealed.then(|| Vault::open(&Path::new(&folder).join("tenant")).unwrap());
    let recorder = Recorder::start_with(Config::default(), vault, |_| {}).unwrap();
    let mut tap = recorder.tap().unwrap();
    let handle = recorder.open(&Path::new(&folder).join("call.pbr"), head()).unwrap();
    let mut left = Talker::new(Channel::Left, Codec::Pcma, 400.0);
    let mut right = Talker::new(Channel::Right, Codec::Pcma, 700.0);
    for n in 0..500 {
        let at_us = BEGAN_US + n * 20_000;
        assert!(tap.payload(handle, &left.say(at_us)) && tap.payload(handle, &right.say(at_us)));
        let mut out = std::io::stdout().lock();
        writeln!(out, "sent {}", n + 1).unwrap();
        out.flush().unwrap();
        drop(out);
        std::thread::sleep(Duration::from_millis(20));
    }
}
