//! Where packets belong: through jitter, loss, reordering, drift and jumps.

use super::*;
use crate::record::{Finished, Formats, finish};

fn finished(mut written: Written, length_us: u64) -> (Finished, u32, Vec<i16>, Vec<i16>) {
    let container = written.end(length_us);
    let out = written.folder.path().join("out");
    let finished = finish(&container, &out, Formats { wav: true, opus: false, mp3: false }).unwrap();
    let (rate, left, right) = wav(&out.join("call.wav"));
    (finished, rate, left, right)
}

#[test]
fn network_jitter_is_not_heard() {
    for codec in [Codec::Pcma, Codec::Opus, Codec::G729] {
        let mut written = Written::new();
        let mut left = Talker::new(Channel::Left, codec, 440.0);
        let mut packets: Vec<(u64, Vec<u8>, u16, u32)> = (0..250u64)
            .map(|n| {
                let payload = left.say(0);
                // Up to 70 ms late: packets overtake each other.
                (
                    BEGAN_US + n * 20_000 + n * n * 7_919 % 70_000,
                    payload.octets.to_vec(),
                    payload.seq,
                    payload.timestamp,
                )
            })
            .collect();
        packets.sort();
        for (at_us, octets, seq, timestamp) in &packets {
            let (at_us, seq, timestamp) = (*at_us, *seq, *timestamp);
            written.add(Entry::Payload(Payload {
                channel: Channel::Left,
                codec,
                epoch: 0,
                seq,
                timestamp,
                at_us,
                octets,
            }));
        }
        let (finished, rate, left, _) = finished(written, 5_000_000);
        assert_eq!(finished.left.captured, 250);
        let pure = purity(part(&left, rate, 200, 4_800), 440.0, rate);
        assert!(pure > 0.97, "{codec:?}: {pure:.3}");
    }
}

#[test]
fn lost_packets_leave_silence_of_their_length() {
    let mut written = Written::new();
    let mut left = Talker::new(Channel::Left, Codec::Pcmu, 500.0);
    for n in 0..150 {
        if (50..60).contains(&n) {
            left.skip()
        } else {
            written.add(Entry::Payload(left.say(BEGAN_US + n * 20_000)))
        }
    }
    let (finished, rate, left, right) = finished(written, 3_000_000);
    assert_eq!((finished.left.expected, finished.left.captured), (150, 140));
    assert!(finished.complete, "what the network lost is not missing from the recording");
    assert!(is_silent(part(&left, rate, 1_000, 1_200)));
    assert!(purity(part(&left, rate, 0, 1_000), 500.0, rate) > 0.99);
    assert!(purity(part(&left, rate, 1_200, 3_000), 500.0, rate) > 0.99);
    assert!(is_silent(&right));
}

#[test]
fn the_channels_are_aligned_by_arrival() {
    let mut written = Written::new();
    let mut left = Talker::new(Channel::Left, Codec::Pcma, 400.0);
    let mut right = Talker::new(Channel::Right, Codec::Opus, 400.0);
    for n in 0..200 {
        let at_us = BEGAN_US + n * 20_000;
        // The agent is there 1.3 s later than the customer.
        written.add(Entry::Payload(left.say(at_us + 500_000)));
        written.add(Entry::Payload(right.say(at_us + 1_800_000)));
    }
    let (_, rate, left, right) = finished(written, 6_000_000);
    let first = |pcm: &[i16]| {
        pcm.iter().position(|s| s.unsigned_abs() > 1_000).unwrap() as f64 * 1000.0 / f64::from(rate)
    };
    assert!((first(&left) - 500.0).abs() < 5.0, "{}", first(&left));
    // The codec looks ahead: its sound comes up to 12 ms late.
    assert!((first(&right) - 1_800.0).abs() < 15.0, "{}", first(&right));
}

#[test]
fn a_clock_that_runs_fast_does_not_drift_away() {
    let mut written = Written::new();
    let mut left = Talker::new(Channel::Left, Codec::Pcma, 400.0);
    // 0.1 % fast for two minutes is 120 ms; the last packet still ends where it arrived.
    for n in 0..6_000 {
        written.add(Entry::Payload(left.say(BEGAN_US + n * 19_980)));
    }
    let (finished, rate, left, _) = finished(written, 119_880_000);
    let last = left.iter().rposition(|s| s.unsigned_abs() > 1_000).unwrap() as f64 * 1000.0 / f64::from(rate);
    assert!((last - 119_880.0).abs() < 60.0, "{last}");
    assert!(finished.left.captured_ms >= 119_800);
}

#[test]
fn a_new_source_or_a_jump_in_time_goes_on_where_it_arrives() {
    let mut written = Written::new();
    let mut left = Talker::new(Channel::Left, Codec::Pcma, 400.0);
    for n in 0..250u64 {
        match n {
            // The far end restarts its numbers; the leg notices the new SSRC.
            100 => (left.epoch, left.seq, left.timestamp) = (1, 77, 3_000_000_000),
            // Timestamps jump by an hour though the source is the same.
            200 => left.timestamp = left.timestamp.wrapping_add(8_000 * 3_600),
            _ => {}
        }
        written.add(Entry::Payload(left.say(BEGAN_US + n * 20_000)));
    }
    let (finished, rate, left, _) = finished(written, 5_000_000);
    assert_eq!((finished.length_ms, finished.left.captured, finished.left.expected), (5_000, 250, 250));
    assert!(purity(part(&left, rate, 20, 4_980), 400.0, rate) > 0.98);
}

#[test]
fn timestamps_that_stood_still_through_a_hold_are_put_right() {
    let mut written = Written::new();
    let mut left = Talker::new(Channel::Left, Codec::Pcma, 400.0);
    (0..50).for_each(|n| written.add(Entry::Payload(left.say(BEGAN_US + n * 20_000))));
    // Three seconds of nothing, then numbers and timestamps go on as if there had been no hold.
    (0..50).for_each(|n| written.add(Entry::Payload(left.say(BEGAN_US + 4_000_000 + n * 20_000))));
    let (finished, rate, left, _) = finished(written, 5_000_000);
    assert_eq!(finished.left.captured_ms, 2_000);
    assert!(is_silent(part(&left, rate, 1_000, 4_000)));
    assert!(purity(part(&left, rate, 4_010, 4_990), 400.0, rate) > 0.99);
}

#[test]
fn absurd_times_do_not_make_absurd_files() {
    let mut written = Written::new();
    let mut left = Talker::new(Channel::Left, Codec::Pcma, 400.0);
    (0..50).for_each(|n| written.add(Entry::Payload(left.say(BEGAN_US + n * 20_000))));
    written.add(Entry::Payload(left.say(u64::MAX)));
    written.add(Entry::Payload(left.say(0)));
    written.add(Entry::Tap { channel: Channel::Left, leg: None, at_us: u64::MAX });
    let (finished, _, left, _) = finished(written, 1_000_000);
    assert_eq!((finished.length_ms, left.len()), (1_000, 8_000));
}
