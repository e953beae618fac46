//! From the tap through the writer to the file.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::*;
use crate::record::{Config, Formats, Reader, RecordError, Recorder, Report, finish};

fn recorder(config: Config) -> (Recorder, Receiver<Report>) {
    let (sender, reports) = channel();
    (Recorder::start(config, move |report| drop(sender.send(report))).unwrap(), reports)
}

fn next(reports: &Receiver<Report>) -> Report {
    reports.recv_timeout(Duration::from_secs(10)).unwrap()
}

fn entries(path: &Path) -> (usize, Vec<String>) {
    let mut reader = Reader::new(std::fs::File::open(path).unwrap()).unwrap();
    let (mut payloads, mut marks) = (0, vec![]);
    while let Some(entry) = reader.next_entry().unwrap() {
        match entry {
            Entry::Payload(_) => payloads += 1,
            Entry::Seal { .. } => {}
            Entry::Tap { .. } => marks.push(format!("tap at {payloads}")),
            Entry::Pause { .. } => marks.push(format!("pause at {payloads}")),
            Entry::Resume { .. } => marks.push(format!("resume at {payloads}")),
            Entry::Missed { count, .. } => marks.push(format!("missed {count} at {payloads}")),
            Entry::End { frames, missing, .. } => marks.push(format!("end {frames} {missing}")),
        }
    }
    (payloads, marks)
}

/// RECO-02: the media thread only hands payloads over; order is kept, and a stop comes after all that went before.
#[test]
fn what_is_tapped_is_in_the_container_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (recorder, reports) = recorder(Config::default());
    let mut tap = recorder.tap().unwrap();
    let path = folder.path().join("2026/call.pbr");
    let handle = recorder.open(&path, head()).unwrap();
    assert!(
        matches!(recorder.open(&path, head()), Err(RecordError::Create { .. })),
        "a container is never overwritten"
    );
    let mut left = Talker::new(Channel::Left, Codec::Pcma, 440.0);
    tap.hears(handle, Channel::Left, Some(leg(1)), BEGAN_US).unwrap();
    for n in 0..100 {
        if n == 40 {
            tap.pause(handle, BEGAN_US + n * 20_000).unwrap();
        }
        if n == 60 {
            tap.resume(handle, BEGAN_US + n * 20_000).unwrap();
        }
        assert!(tap.payload(handle, &left.say(BEGAN_US + n * 20_000)));
    }
    tap.stop(handle, BEGAN_US + 2_000_000).unwrap();
    let recording = head().recording;
    assert_eq!(next(&reports), Report::Closed { recording, frames: 80, missing: 0 });
    let (payloads, marks) = entries(&path);
    assert_eq!(payloads, 80, "what was said in the pause never reached the disk");
    assert_eq!(marks, ["tap at 0", "pause at 40", "resume at 40", "end 80 0"]);
    assert_eq!((recorder.counters().frames, recorder.counters().open), (80, 0));
    assert!(finish(&path, folder.path(), Formats { wav: true, opus: false, mp3: false }).unwrap().complete);
}

#[test]
fn a_long_payload_is_kept_whole_and_an_endless_one_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (recorder, reports) = recorder(Config::default());
    let mut tap = recorder.tap().unwrap();
    let path = folder.path().join("call.pbr");
    let handle = recorder.open(&path, head()).unwrap();
    let long: Vec<u8> = (0..1_500).map(|n| n as u8).collect();
    let payload = |octets| Payload {
        channel: Channel::Right,
        codec: Codec::Pcmu,
        epoch: 3,
        seq: 5,
        timestamp: 6,
        at_us: BEGAN_US,
        octets,
    };
    assert!(tap.payload(handle, &payload(&long)));
    assert!(tap.payload(handle, &payload(&[])));
    assert!(!tap.payload(handle, &payload(&[0; 1_501])));
    tap.stop(handle, BEGAN_US).unwrap();
    let recording = head().recording;
    assert!(matches!(next(&reports), Report::Failed { .. }));
    assert_eq!(next(&reports), Report::Closed { recording, frames: 2, missing: 1 });
    let mut reader = Reader::new(std::fs::File::open(&path).unwrap()).unwrap();
    assert_eq!(reader.next_entry().unwrap(), Some(Entry::Payload(payload(&long))));
}

/// RECO-04: what could not be written is counted, told, and never blocks the one who talks.
#[test]
fn a_full_ring_refuses_counts_and_lets_the_stop_through() {
    let folder = tempfile::tempdir().unwrap();
    let (recorder, reports) = recorder(Config { ring_slots: 128, ..Config::default() });
    let mut tap = recorder.tap().unwrap();
    let path = folder.path().join("call.pbr");
    let handle = recorder.open(&path, head()).unwrap();
    let mut left = Talker::new(Channel::Left, Codec::Pcma, 440.0);
    // Faster than any writer empties 64 slots: it looks each 20 ms.
    let (mut taken, mut refused) = (0, 0);
    while refused < 20 {
        let payload = left.say(BEGAN_US);
        for _ in 0..200 {
            if tap.payload(handle, &payload) { taken += 1 } else { refused += 1 }
        }
    }
    tap.stop(handle, BEGAN_US + 20_000).unwrap();
    let Report::Failed { why, .. } = next(&reports) else { panic!("the loss is reported first") };
    assert!(why.contains("packets came faster"), "{why}");
    let recording = head().recording;
    assert_eq!(next(&reports), Report::Closed { recording, frames: taken, missing: refused });
    assert_eq!(recorder.counters().overruns, refused);
    let finished = finish(&path, folder.path(), Formats { wav: false, opus: false, mp3: false }).unwrap();
    assert!(!finished.complete);
    assert_eq!((finished.frames, finished.missing), (taken, refused));
}

#[test]
fn a_handle_of_an_ended_recording_writes_to_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (recorder, reports) = recorder(Config { recordings_max: 1, ..Config::default() });
    let mut tap = recorder.tap().unwrap();
    let first = recorder.open(&folder.path().join("1.pbr"), head()).unwrap();
    assert!(matches!(recorder.open(&folder.path().join("x.pbr"), head()), Err(RecordError::TooMany(1))));
    recorder.close(first, BEGAN_US).unwrap();
    assert!(matches!(next(&reports), Report::Closed { frames: 0, .. }));
    let second = recorder.open(&folder.path().join("2.pbr"), head()).unwrap();
    let mut left = Talker::new(Channel::Left, Codec::Pcma, 440.0);
    tap.payload(first, &left.say(BEGAN_US));
    tap.payload(second, &left.say(BEGAN_US));
    tap.stop(second, BEGAN_US).unwrap();
    assert!(matches!(next(&reports), Report::Closed { frames: 1, .. }));
}

#[test]
fn a_call_that_moves_to_another_thread_is_ended_after_both_rings_are_empty() {
    let folder = tempfile::tempdir().unwrap();
    let (recorder, reports) = recorder(Config::default());
    let (mut here, mut there) = (recorder.tap().unwrap(), recorder.tap().unwrap());
    for round in 0..20 {
        let path = folder.path().join(format!("{round}.pbr"));
        let handle = recorder.open(&path, head()).unwrap();
        let mut left = Talker::new(Channel::Left, Codec::Pcma, 440.0);
        (0..50).for_each(|n| assert!(here.payload(handle, &left.say(BEGAN_US + n * 20_000))));
        (50..100).for_each(|n| assert!(there.payload(handle, &left.say(BEGAN_US + n * 20_000))));
        there.stop(handle, BEGAN_US + 2_000_000).unwrap();
        assert!(matches!(next(&reports), Report::Closed { frames: 100, missing: 0, .. }));
    }
}

#[test]
fn stopping_the_recorder_writes_out_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let (recorder, _reports) = recorder(Config::default());
    let mut tap = recorder.tap().unwrap();
    let path = folder.path().join("call.pbr");
    let handle = recorder.open(&path, head()).unwrap();
    let mut left = Talker::new(Channel::Left, Codec::Pcma, 440.0);
    (0..50).for_each(|n| assert!(tap.payload(handle, &left.say(BEGAN_US + n * 20_000))));
    let ended = folder.path().join("ended.pbr");
    let second = recorder.open(&ended, head()).unwrap();
    tap.payload(second, &left.say(BEGAN_US));
    tap.stop(second, BEGAN_US).unwrap();
    drop(recorder);
    assert_eq!(entries(&ended), (1, vec!["end 1 0".to_owned()]), "a stop that was said is carried out");
    assert_eq!(entries(&path), (50, vec![]), "all of it, and not ended: the next start finds it");
}
