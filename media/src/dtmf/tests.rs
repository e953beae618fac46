//! What keys do, and what is heard of them.

use super::*;

fn at(ms: u64) -> Timestamp {
    Timestamp::from_millis(ms)
}
fn event(duration: u16, end: bool) -> Event {
    Event { code: 5, end, volume: 10, duration }
}
fn heard(receiver: &mut Receiver, packets: &[(u32, u16, bool)]) -> Vec<Digit> {
    let mut digits = Vec::new();
    for (n, (timestamp, duration, end)) in packets.iter().enumerate() {
        digits.extend(
            receiver.packet(*timestamp, event(*duration, *end), at(n as u64 * 20)).into_iter().flatten(),
        );
    }
    digits
}

#[test]
fn three_end_packets_are_one_digit_with_its_length() {
    let mut receiver = Receiver::new(8_000);
    let packets =
        [(800, 160, false), (800, 320, false), (800, 800, true), (800, 800, true), (800, 800, true)];
    let digits = heard(&mut receiver, &packets);
    assert_eq!(digits, [Digit { digit: '5', held: Duration::from_millis(100) }]);
    assert_eq!(receiver.expire(at(10_000)), None);
}

#[test]
fn the_same_key_twice_is_two_digits_even_when_all_ends_are_lost() {
    let mut receiver = Receiver::new(8_000);
    let digits = heard(
        &mut receiver,
        &[(800, 160, false), (800, 480, false), (4_800, 160, false), (4_800, 320, false)],
    );
    assert_eq!(digits, [Digit { digit: '5', held: Duration::from_millis(60) }]);
    let deadline = receiver.next_deadline().unwrap();
    assert_eq!(deadline, at(60 + 150));
    assert_eq!(receiver.expire(at(209)), None);
    assert_eq!(receiver.expire(deadline), Some(Digit { digit: '5', held: Duration::from_millis(40) }));
    assert_eq!(receiver.next_deadline(), None);
}

#[test]
fn a_digit_of_which_only_one_end_packet_came_is_a_digit() {
    let mut receiver = Receiver::new(48_000);
    assert_eq!(
        heard(&mut receiver, &[(7, 4_800, true)]),
        [Digit { digit: '5', held: Duration::from_millis(100) }]
    );
}

#[test]
fn an_overtaken_packet_of_the_digit_before_is_no_digit() {
    let mut receiver = Receiver::new(8_000);
    let digits =
        heard(&mut receiver, &[(800, 800, true), (4_000, 160, false), (800, 800, true), (4_000, 800, true)]);
    assert_eq!(digits.len(), 2);
}

#[test]
fn a_key_held_longer_than_16_bits_count_is_one_digit() {
    let mut receiver = Receiver::new(48_000);
    let digits = heard(
        &mut receiver,
        &[(0, 960, false), (0, 65_535, false), (65_535, 960, false), (65_535, 4_800, true)],
    );
    assert_eq!(digits, [Digit { digit: '5', held: Duration::from_micros(70_335 * 1_000 / 48) }]);
}

#[test]
fn an_event_that_is_no_digit_is_not_told() {
    let mut receiver = Receiver::new(8_000);
    let flash = Event { code: 16, end: true, volume: 0, duration: 800 };
    assert_eq!(receiver.packet(1, flash, at(0)), [None, None]);
    assert_eq!(Event::parse(&[1, 2, 3]), None);
}

/// Everything a sender says from 0 ms on, with the moment it is said at.
fn said(digits: &str, each_ms: u64, clock_hz: Option<u32>) -> Vec<(u64, Step)> {
    let mut sender = Sender::new(digits, Duration::from_millis(each_ms), at(0)).unwrap();
    let mut all = Vec::new();
    for ms in 0..5_000 {
        while let Some(step) = sender.step(clock_hz, at(ms)) {
            all.push((ms, step));
        }
    }
    all
}

/// MEDIA-09: correct durations at both clocks, three end packets, one marker.
#[test]
fn a_digit_is_sent_with_growing_duration_and_three_ends() {
    for (clock, tick) in [(8_000u32, 160u16), (48_000, 960)] {
        let all = said("5", 100, Some(clock));
        let packets: Vec<_> = all
            .iter()
            .filter_map(|(ms, step)| match step {
                Step::Send(packet) => Some((*ms, packet.first, packet.event.duration, packet.event.end)),
                _ => None,
            })
            .collect();
        let expected = [
            (0, true, tick, false),
            (20, false, 2 * tick, false),
            (40, false, 3 * tick, false),
            (60, false, 4 * tick, false),
            (80, false, 5 * tick, true),
            (100, false, 5 * tick, true),
            (120, false, 5 * tick, true),
        ];
        assert_eq!(packets, expected);
        assert_eq!(all.last(), Some(&(200, Step::Done)), "after a gap as long as the digit");
    }
}

#[test]
fn what_is_sent_is_heard_once_each_with_pauses_for_commas() {
    let mut receiver = Receiver::new(8_000);
    let mut digits = String::new();
    let mut began = 0;
    for (ms, step) in said("1,1#d", 100, Some(8_000)) {
        if let Step::Send(packet) = step {
            if packet.first {
                began = ms as u32 * 8;
            }
            let told = receiver.packet(began, packet.event, at(ms));
            digits.extend(told.into_iter().flatten().map(|told| told.digit));
        }
    }
    assert_eq!(digits, "11#D");
}

#[test]
fn without_events_the_digits_are_tones_in_the_same_rhythm() {
    let all = said("12", 100, None);
    let moments: Vec<_> = all.iter().map(|(ms, _)| *ms).collect();
    assert_eq!(moments, [0, 200, 400]);
    assert!(matches!(all[1].1, Step::Tone(Digit { digit: '2', .. })));
}

#[test]
fn no_letter_beyond_d_and_no_endless_number_is_taken() {
    assert!(Sender::new("12E", Duration::ZERO, at(0)).is_none());
    assert!(Sender::new(&"1".repeat(DIGITS_MAX + 1), Duration::ZERO, at(0)).is_none());
}
