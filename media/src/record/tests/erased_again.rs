//! The process dies in the middle of erasing; what was to be erased is erased all the same.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::*;
use crate::record::{
    Config, Erasing, Formats, MadeAudio, Noted, Recorder, Vault, erase_all, erase_range, finish_with,
    forget_erasure, note_erasure, noted_erasures,
};
use model::id::UserId;

const FOLDER: &str = "PATCHBAY_TEST_ERASING_FOLDER";
const FORMATS: Formats = Formats { wav: true, opus: true, mp3: false };
const PACKETS: u64 = 750;
/// Five of fifteen seconds.
const RANGE: (u64, u64) = (5_000, 10_000);

fn noted() -> Noted {
    Noted { range: Some(RANGE), wall_us: 77, by: Some(UserId::from_number(4)) }
}

fn erase_as_noted(folder: &Path, vault: &Vault) {
    for (container, Noted { range, wall_us, by }) in noted_erasures(folder).unwrap() {
        match range {
            None => erase_all(&container, Some(vault)).unwrap(),
            Some((from_ms, to_ms)) => {
                let what = Erasing { from_ms, to_ms, wall_us, by };
                erase_range(&container, Some(vault), what, FORMATS).map(drop).unwrap();
            }
        }
        forget_erasure(&container).unwrap();
    }
}

/// A finished recording, of which copies can be made.
fn recording(folder: &Path) {
    let vault = Vault::create(&folder.join("tenant")).unwrap();
    let (sender, reports) = channel();
    let recorder =
        Recorder::start_with(Config::default(), Some(vault.clone()), move |report| drop(sender.send(report)));
    let recorder = recorder.unwrap();
    let mut tap = recorder.tap().unwrap();
    let path = folder.join("call.pbr");
    let handle = recorder.open(&path, head()).unwrap();
    let mut left = Talker::new(Channel::Left, Codec::Pcma, 400.0);
    let mut right = Talker::new(Channel::Right, Codec::Pcma, 700.0);
    for n in 0..PACKETS {
        let at_us = BEGAN_US + n * 20_000;
        let mut say = |talker: &mut Talker| {
            let payload = talker.say(at_us);
            // The writer takes its time; the ring is smaller than the call.
            while !tap.payload(handle, &payload) {
                std::thread::sleep(Duration::from_millis(1));
            }
        };
        say(&mut left);
        say(&mut right);
        if n % 500 == 499 {
            std::thread::sleep(Duration::from_millis(120));
        }
    }
    tap.stop(handle, BEGAN_US + PACKETS * 20_000).unwrap();
    reports.recv_timeout(Duration::from_secs(20)).unwrap();
    let keys = vault.of(&path).unwrap();
    finish_with(&path, folder, FORMATS, &keys).unwrap();
}

fn copy_of(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        std::fs::copy(&file, copy.path().join(file.file_name().unwrap())).unwrap();
    }
    copy
}

/// Lets a process of its own erase what is noted, and kills it so long after it began; `None`: lets it finish. Says how long it
/// took.
#[expect(clippy::disallowed_methods, reason = "a process is killed in real time")]
fn erase_and_kill(folder: &Path, after: Option<Duration>) -> Duration {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "record::tests::erased_again::the_process_that_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.ends_with("begins")), "it did not begin");
    let began = Instant::now();
    if let Some(after) = after {
        std::thread::sleep(after);
        // SIGKILL: no handler, no destructor.
        child.kill().unwrap();
    }
    child.wait().unwrap();
    began.elapsed()
}

/// RECO-05: a time range that was being erased when the process was killed, at whatever point, is erased by the next start:
/// it is heard in nothing that is left, its key is gone, the rest is whole, and the hole is marked once.
#[test]
fn a_range_whose_erasing_was_killed_at_any_point_is_erased_by_the_next_start() {
    let first = tempfile::tempdir().unwrap();
    recording(first.path());
    let old_container = std::fs::read(first.path().join("call.pbr-done")).unwrap();
    let whole = copy_of(first.path());
    note_erasure(&whole.path().join("call.pbr-done"), &noted()).unwrap();
    let takes = erase_and_kill(whole.path(), None);
    let mut interrupted = 0;
    // Ten rounds; more only on a machine so odd that none was killed before its end.
    for round in 0..40_u64 {
        if round >= 10 && interrupted > 0 {
            break;
        }
        let copy = copy_of(first.path());
        let (folder, done) = (copy.path(), copy.path().join("call.pbr-done"));
        note_erasure(&done, &noted()).unwrap();
        // At any point of it, and in odd rounds once more while it is done again.
        let share = |salt: u64| (round + salt).wrapping_mul(0x9E37_79B9_7F4A_7C15) % 1_000;
        let point = |salt| takes.mul_f64(share(salt) as f64 / 1_000.0);
        erase_and_kill(folder, Some(point(1)));
        interrupted += u32::from(!noted_erasures(folder).unwrap().is_empty());
        if round % 2 == 1 {
            erase_and_kill(folder, Some(point(100)));
        }

        // The next start.
        let vault = Vault::open(&folder.join("tenant")).unwrap();
        erase_as_noted(folder, &vault);
        assert_eq!(noted_erasures(folder).unwrap(), []);
        let keys = vault.of(&done).unwrap();
        assert_eq!(keys.len(), 1, "round {round}: the old key is gone");
        let found = crate::record::verify(&done, &keys).unwrap();
        let holes: Vec<_> = found.erased.iter().map(|hole| (hole.from_ms, hole.to_ms, hole.by)).collect();
        assert_eq!(holes, [(RANGE.0 - 200, RANGE.1 + 200, noted().by)], "round {round}: marked once");
        assert_eq!(found.left.captured, PACKETS - 270, "round {round}: {found:?}");
        assert_eq!((found.broken_seals, found.damaged_octets, found.torn_octets), (0, 0, 0));
        let sealed = MadeAudio::open(&folder.join("call.wav"), &keys).unwrap();
        let mut octets = Vec::new();
        while (octets.len() as u64) < sealed.len() {
            octets.extend(sealed.read_at(octets.len() as u64, 1 << 20).unwrap());
        }
        let clear = folder.join("clear.wav");
        std::fs::write(&clear, octets).unwrap();
        let (rate, l, r) = wav(&clear);
        let hole = |pcm| is_silent(part(pcm, rate, 5_000, 10_000));
        assert!(hole(&l) && hole(&r), "round {round}: what was erased is heard");
        assert!(purity(part(&l, rate, 500, 4_500), 400.0, rate) > 0.99);
        assert!(purity(part(&r, rate, 10_500, 14_500), 700.0, rate) > 0.99);
        let old = folder.join("old.pbr");
        std::fs::write(&old, &old_container).unwrap();
        assert!(crate::record::verify(&old, &keys).is_err(), "round {round}: a copy of the old one opens");
        let left = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(left.into_iter().all(|name| name != "call.pbr-new"), "round {round}");
    }
    assert!(interrupted > 0, "no round was killed before its end");
}

/// RECO-05: the same of a whole recording: whatever is left after the kill, the next start leaves nothing.
#[test]
fn a_whole_recording_whose_erasing_was_interrupted_is_gone_after_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    recording(folder.path());
    let done = folder.path().join("call.pbr-done");
    let vault = Vault::open(&folder.path().join("tenant")).unwrap();
    note_erasure(&done, &Noted { range: None, wall_us: 1, by: None }).unwrap();
    // As far as the key, and no further.
    vault.destroy(&done).unwrap();
    erase_as_noted(folder.path(), &vault);
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["tenant"]);
}

/// Not a test: what the one above starts and kills.
#[test]
#[ignore = "started by the test above"]
fn the_process_that_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let vault = Vault::open(&folder.join("tenant")).unwrap();
    println!("\nbegins");
    std::io::stdout().flush().unwrap();
    erase_as_noted(folder, &vault);
}
