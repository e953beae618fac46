//! The disk is full; calls go on, somebody is told at once, and the next call is recorded.

use std::process::Command;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::*;
use crate::record::{Config, Formats, RecordError, Recorder, Report, Vault, finish_with, verify};
use model::recording::Completeness;

const FOLDER: &str = "PATCHBAY_TEST_FULL_DISK";

/// RECO-04: an alarm within 1 s when a call that should be recorded is not; the call goes on, and when there is room again the
/// next call is recorded. On a real file system that is full, in a mount namespace of its own.
#[test]
fn a_full_disk_is_told_within_a_second_and_calls_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "mount -t tmpfs -o size=192k none \"${FOLDER}\" && exec \"$0\" --exact \
         record::tests::full_disk::what_runs_where_the_disk_is_full --ignored --nocapture"
    );
    let out = Command::new("unshare")
        .args(["--mount", "sh", "-c", &script])
        .arg(std::env::current_exe().unwrap())
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success(), "{said}{}", String::from_utf8_lossy(&out.stderr));
    assert!(said.contains("1 passed"), "{said}");
}

/// Not a test of its own: what [`a_full_disk_is_told_within_a_second_and_calls_go_on`] starts where the disk is small.
#[test]
#[ignore = "started by the test above"]
#[expect(clippy::disallowed_methods, reason = "the test measures how soon the alarm comes")]
fn what_runs_where_the_disk_is_full() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let keys = tempfile::tempdir().unwrap();
    let vault = Vault::create(&keys.path().join("tenant")).unwrap();
    let (sender, reports) = channel();
    let report = move |report| drop(sender.send((Instant::now(), report)));
    let recorder = Recorder::start_with(Config::default(), Some(vault.clone()), report).unwrap();
    let mut tap = recorder.tap().unwrap();
    let first = folder.join("first.pbr");
    let handle = recorder.open(&first, head()).unwrap();
    let mut left = Talker::new(Channel::Left, Codec::Pcma, 400.0);
    let mut n = 0;
    let mut say = |tap: &mut crate::record::Tap, handle, packets: u64| {
        for _ in 0..packets {
            assert!(tap.payload(handle, &left.say(BEGAN_US + n * 20_000)), "the one who talks never waits");
            n += 1;
        }
    };
    say(&mut tap, handle, 50);
    std::thread::sleep(Duration::from_millis(300));
    // Somebody else takes all that is left.
    let filler = folder.join("filler");
    let mut octets = 1 << 20;
    let mut file = std::fs::File::create(&filler).unwrap();
    while octets > 0 {
        match std::io::Write::write(&mut file, &vec![0; octets]) {
            Ok(_) => {}
            Err(_) => octets /= 2,
        }
    }
    let full = Instant::now();
    // Two seconds of a call: more than what is left of the last page.
    say(&mut tap, handle, 100);
    let (told, report) = reports.recv_timeout(Duration::from_secs(10)).unwrap();
    let Report::Failed { recording, why } = report else { panic!("{report:?}") };
    assert_eq!(recording, head().recording);
    assert!(why.contains("No space left"), "{why}");
    let after = told - full;
    println!("the alarm came after {} ms", after.as_millis());
    assert!(after < Duration::from_secs(1), "{after:?}");
    // A call that begins now: a typed refusal at once, and no half-made files.
    let refused = recorder.open(&folder.join("second.pbr"), head()).unwrap_err();
    assert!(matches!(refused, RecordError::Create { .. } | RecordError::Key(_)), "{refused}");
    assert!(!folder.join("second.pbr").exists() && !folder.join("second.key").exists());
    assert!(recorder.counters().disk_errors > 0);

    // An open file keeps its place.
    drop(file);
    std::fs::remove_file(&filler).unwrap();
    say(&mut tap, handle, 50);
    tap.stop(handle, BEGAN_US + 4_000_000).unwrap();
    let third = folder.join("third.pbr");
    let next = recorder.open(&third, head()).unwrap();
    say(&mut tap, next, 50);
    tap.stop(next, BEGAN_US + 5_000_000).unwrap();
    let mut closed = vec![];
    while closed.len() < 2 {
        if let (_, Report::Closed { frames, missing, .. }) =
            reports.recv_timeout(Duration::from_secs(10)).unwrap()
        {
            closed.push((frames, missing));
        }
    }
    let (frames, missing) = closed[0];
    assert!(missing > 0 && frames + missing == 200, "each packet is either there or counted: {closed:?}");
    assert_eq!(closed[1], (50, 0), "the next call is recorded");
    let lacking = verify(&first, &vault.of(&first).unwrap()).unwrap();
    assert_eq!((lacking.verdict, lacking.missing), (Completeness::Incomplete, missing));
    assert_eq!((lacking.broken_seals, lacking.torn_octets), (0, 0), "the container stays whole");
    let formats = Formats { wav: false, opus: true, mp3: false };
    assert_eq!(
        finish_with(&third, keys.path(), formats, &vault.of(&third).unwrap()).unwrap().verdict,
        Completeness::Complete
    );
}
