//! From the tap through the writer to the file.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::*;
use crate::control::PauseReason;
use crate::record::{Config, Formats, Reader, RecordError, Recorder, Report, finish};
use model::recording::Completeness;

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
            Entry::Seal { .. } | Entry::Erased { .. } => {}
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
    for n in 0..80 {
        assert!(tap.payload(handle, &left.say(BEGAN_US + n * 20_000)));
    }
    tap.stop(handle, BEGAN_US + 2_000_000).unwrap();
    let recording = head().recording;
    assert_eq!(next(&reports), Report::Closed { recording, frames: 80, missing: 0 });
    let (payloads, marks) = entries(&path);
    assert_eq!(payloads, 80);
    assert_eq!(marks, ["tap at 0", "end 80 0"]);
    assert_eq!((recorder.counters().frames, recorder.counters().open), (80, 0));
    assert!(finish(&path, folder.path(), Formats { wav: true, opus: false, mp3: false }).unwrap().complete);
}

/// RECO-04: pauses are marked, and audio of the pause is absent: no octet of it is in the file, though it was in the ring
/// before the writer heard of the pause.
#[test]
fn no_octet_of_a_pause_reaches_the_disk() {
    // What is spoken already when the order comes is in the ring or on the disk, as the two threads happen to run.
    pause_in_the_middle_of_a_number(|_| ());
}

/// RECO-04: an order that comes late takes nothing back: the pause begins after what is on the disk, and its mark says so.
#[test]
fn a_pause_begins_after_what_was_written_before_the_order() {
    let frames = pause_in_the_middle_of_a_number(|recorder| {
        while recorder.counters().frames < 2 * 50 {
            std::thread::yield_now();
        }
    });
    assert_eq!(frames, 2 * (50 + 39));
}

/// Somebody says a number from the 41st packet on and the order to pause is for that moment, but comes nine packets later, `before` it
/// whatever the test waits for. Returns how many payloads were kept.
fn pause_in_the_middle_of_a_number(before: impl Fn(&Recorder)) -> u64 {
    const CARD: &[u8] = b"4111-1111-1111-1111";
    let folder = tempfile::tempdir().unwrap();
    let (recorder, reports) = recorder(Config::default());
    let mut tap = recorder.tap().unwrap();
    let path = folder.path().join("call.pbr");
    let handle = recorder.open(&path, head()).unwrap();
    let at = |n: u64| BEGAN_US + n * 20_000;
    let say = |tap: &mut crate::record::Tap, n: u64, octets: &[u8]| {
        for channel in [Channel::Left, Channel::Right] {
            let (seq, timestamp) = (n as u16, n as u32 * 160);
            let octets: Vec<u8> = octets.iter().copied().cycle().take(160).collect();
            let codec = Codec::Pcma;
            let payload = Payload { channel, codec, epoch: 0, seq, timestamp, at_us: at(n), octets: &octets };
            assert!(tap.payload(handle, &payload));
        }
    };
    (0..41).for_each(|n| say(&mut tap, n, b"good day"));
    (41..50).for_each(|n| say(&mut tap, n, CARD));
    before(&recorder);
    recorder.pause(handle, at(41), Some(PauseReason::CardData)).unwrap().blocking_recv().unwrap();
    (50..60).for_each(|n| say(&mut tap, n, CARD));
    recorder.pause(handle, at(61), None).unwrap().blocking_recv().unwrap();
    (61..100).for_each(|n| say(&mut tap, n, b"thank you"));
    tap.stop(handle, at(100)).unwrap();
    let recording = head().recording;
    let closed = next(&reports);
    assert!(matches!(closed, Report::Closed { missing: 0, .. }), "{closed:?}");

    let octets = std::fs::read(&path).unwrap();
    let holds = |what: &[u8]| octets.windows(what.len()).any(|window| window == what);
    let finished = finish(&path, folder.path(), Formats { wav: true, opus: false, mp3: false }).unwrap();
    // The writer may have seen some of the nine packets before the order: then the pause begins right after the last of them came.
    let [pause] = finished.pauses[..] else { panic!("one pause: {:?}", finished.pauses) };
    assert_eq!(pause.to_ms, 61 * 20);
    assert!((41 * 20..50 * 20).contains(&pause.from_ms), "{pause:?}");
    let began_us = pause_mark(&octets);
    assert_eq!(began_us.saturating_sub(BEGAN_US) / 1000, pause.from_ms);
    let late = began_us > at(41);
    assert_eq!(holds(CARD), late, "what the mark does not cover, and nothing else");
    assert_eq!(closed, Report::Closed { recording, frames: finished.frames, missing: 0 });
    assert_eq!(finished.verdict, Completeness::CompleteExceptPauses);
    // The order may fall between the two channels of one moment: each is whole by itself.
    for channel in [&finished.left, &finished.right] {
        assert_eq!(channel.expected, channel.captured, "nothing is missing but what was paused");
    }
    assert_eq!(finished.left.captured + finished.right.captured, finished.frames);
    assert_eq!(finished.length_ms, 2_000, "silence of the same length stands for it");
    let (rate, left, _) = wav(&folder.path().join("call.wav"));
    assert_eq!(left.len(), 16_000);
    // A payload is judged by when it came, and is heard for 20 ms from there.
    let silent_from = pause.from_ms + if late { 20 } else { 0 };
    assert!(is_silent(part(&left, rate, silent_from as usize, pause.to_ms as usize)));
    finished.frames
}

fn pause_mark(container: &[u8]) -> u64 {
    let mut reader = Reader::new(container).unwrap();
    while let Some(entry) = reader.next_entry().unwrap() {
        if let Entry::Pause { at_us, .. } = entry {
            return at_us;
        }
    }
    panic!("no pause is marked");
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
