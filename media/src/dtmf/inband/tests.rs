//! The limits of Q.24, one by one. All tones begin at every phase of the detector's looks.

use std::time::Duration;

use super::talk::speech;
use super::{Detector, Found, HIGH_HZ, KEYPAD, LOW_HZ, Tones};
use crate::codec::g711;
use crate::jitter::test_dice::Dice;

const DIGITS: &str = "0123456789*#ABCD";

fn heard(samples: &[i16]) -> Vec<Found> {
    let (mut detector, mut found) = (Detector::default(), Vec::new());
    samples.chunks(160).for_each(|frame| detector.feed(frame, &mut |what| found.push(what)));
    detector.finish(&mut |what| found.push(what));
    found
}

fn digits(samples: &[i16]) -> String {
    heard(samples)
        .into_iter()
        .filter_map(|found| match found {
            Found::Began(digit) => Some(digit),
            Found::Ended(_) => None,
        })
        .collect()
}

/// A pair of tones as a far end may send it.
#[derive(Clone, Copy)]
struct Key {
    digit: char,
    ms: f64,
    /// How far off pitch, in percent.
    low_off: f64,
    high_off: f64,
    /// Levels in dBm0.
    low_dbm0: f64,
    high_dbm0: f64,
}

impl Key {
    fn of(digit: char) -> Self {
        Self { digit, ms: 60.0, low_off: 0.0, high_off: 0.0, low_dbm0: -10.0, high_dbm0: -10.0 }
    }
    fn tones(self) -> Vec<i16> {
        let row = KEYPAD.iter().position(|row| row.contains(&self.digit)).unwrap();
        let column = KEYPAD[row].iter().position(|key| *key == self.digit).unwrap();
        let low = LOW_HZ[row] * (1.0 + self.low_off / 100.0);
        let high = HIGH_HZ[column] * (1.0 + self.high_off / 100.0);
        let level = |dbm0: f64| 32_767.0 * 10f64.powf((dbm0 - 3.17) / 20.0);
        (0..(self.ms * 8.0) as usize)
            .map(|i| {
                let t = i as f64 / 8_000.0 * std::f64::consts::TAU;
                ((low * t).sin() * level(self.low_dbm0) + (high * t + 0.7).sin() * level(self.high_dbm0))
                    as i16
            })
            .collect()
    }
    /// Alone in silence, beginning at each of the phases the looks can have to it.
    fn heard_at_all_phases(self) -> Vec<String> {
        (0..40)
            .step_by(3)
            .map(|phase| digits(&[vec![0; 400 + phase], self.tones(), vec![0; 800]].concat()))
            .collect()
    }
    fn is_accepted(self) -> bool {
        self.heard_at_all_phases().iter().all(|digits| *digits == self.digit.to_string())
    }
    fn is_rejected(self) -> bool {
        self.heard_at_all_phases().iter().all(String::is_empty)
    }
}

/// MEDIA-09: what the generator makes the detector hears, through either law of G.711.
#[test]
fn every_digit_made_is_heard_once() {
    let mut line = vec![0; 800];
    for digit in DIGITS.chars() {
        let mut tones = Tones::new(digit, Duration::from_millis(40), 8_000).unwrap();
        let mut room = [0; 160];
        loop {
            let given = tones.fill(&mut room);
            line.extend(&room[..given]);
            if given < room.len() {
                break;
            }
        }
        line.extend([0; 320]);
    }
    assert_eq!(digits(&line), DIGITS);
    let mu: Vec<i16> = line.iter().map(|s| g711::decode_mu(g711::encode_mu(*s))).collect();
    let a: Vec<i16> = line.iter().map(|s| g711::decode_a(g711::encode_a(*s))).collect();
    assert_eq!((digits(&mu), digits(&a)), (DIGITS.into(), DIGITS.into()));
    assert!(Tones::new('E', Duration::ZERO, 8_000).is_none());
}

/// MEDIA-09: Q.24: 40 ms are a digit, 23 ms are none.
#[test]
fn forty_milliseconds_are_a_digit_and_twenty_three_are_none() {
    for digit in DIGITS.chars() {
        assert!(Key { ms: 40.0, ..Key::of(digit) }.is_accepted(), "{digit} of 40 ms");
        assert!(Key { ms: 23.0, ..Key::of(digit) }.is_rejected(), "{digit} of 23 ms");
    }
}

/// MEDIA-09: Q.24: 1.5 % off pitch is a digit, 3.5 % is none, with either tone, up or down.
#[test]
fn pitch_is_accepted_to_one_and_a_half_percent_and_rejected_from_three_and_a_half() {
    for digit in DIGITS.chars() {
        for (low_off, high_off) in
            [(1.5, 1.5), (-1.5, -1.5), (1.5, -1.5), (-1.5, 1.5), (1.5, 0.0), (0.0, -1.5)]
        {
            for ms in [40.0, 100.0] {
                let key = Key { low_off, high_off, ms, ..Key::of(digit) };
                assert!(key.is_accepted(), "{digit} off by {low_off} and {high_off} %, {ms} ms");
            }
        }
        for (low_off, high_off) in [(3.5, 0.0), (-3.5, 0.0), (0.0, 3.5), (0.0, -3.5), (3.5, 3.5), (-3.5, 3.5)]
        {
            for ms in [40.0, 100.0, 500.0] {
                let key = Key { low_off, high_off, ms, ..Key::of(digit) };
                assert!(key.is_rejected(), "{digit} off by {low_off} and {high_off} %, {ms} ms");
            }
        }
    }
}

/// MEDIA-09: the low tone may be 8 dB stronger, the high one 4 dB; far more is no keypad.
#[test]
fn twist_is_accepted_to_eight_and_four_decibels() {
    for digit in DIGITS.chars() {
        for twist in [0.0, 4.0, 8.0] {
            let key = Key { low_dbm0: -8.0, high_dbm0: -8.0 - twist, ms: 40.0, ..Key::of(digit) };
            assert!(key.is_accepted(), "{digit}: low {twist} dB stronger");
        }
        let key = Key { low_dbm0: -12.0, high_dbm0: -8.0, ms: 40.0, ..Key::of(digit) };
        assert!(key.is_accepted(), "{digit}: high 4 dB stronger");
        for (low_dbm0, high_dbm0) in [(-8.0, -19.0), (-15.0, -8.0)] {
            let key = Key { low_dbm0, high_dbm0, ..Key::of(digit) };
            assert!(key.is_rejected(), "{digit}: {low_dbm0} and {high_dbm0} dBm0");
        }
    }
}

/// MEDIA-09: from 0 to -25 dBm0 a tone; digits that cross-talk brings are none.
#[test]
fn level_is_accepted_over_twenty_five_decibels() {
    for digit in DIGITS.chars() {
        for level in [-3.0, -10.0, -25.0, -29.0] {
            let key = Key { low_dbm0: level, high_dbm0: level, ms: 40.0, ..Key::of(digit) };
            assert!(key.is_accepted(), "{digit} at {level} dBm0");
        }
        let key = Key { low_dbm0: -40.0, high_dbm0: -40.0, ..Key::of(digit) };
        assert!(key.is_rejected(), "{digit} at -40 dBm0");
    }
}

/// MEDIA-09: two presses of a key 40 ms apart are two digits; one that breaks off for 10 ms is one.
#[test]
fn a_gap_makes_two_digits_and_an_interruption_does_not() {
    for digit in DIGITS.chars() {
        for phase in (0..40).step_by(3) {
            let twice = |gap_ms: usize| {
                let key = Key { ms: 50.0, ..Key::of(digit) }.tones();
                digits(&[vec![0; 400 + phase], key.clone(), vec![0; gap_ms * 8], key, vec![0; 800]].concat())
            };
            assert_eq!(twice(40).len(), 2, "{digit}, phase {phase}");
            assert_eq!(twice(10).len(), 1, "{digit}, phase {phase}");
        }
    }
}

#[test]
fn a_digit_is_told_with_its_length() {
    for ms in [50, 80, 200, 1_000] {
        let found =
            heard(&[vec![0; 437], Key { ms: f64::from(ms), ..Key::of('7') }.tones(), vec![0; 800]].concat());
        let [Found::Began('7'), Found::Ended(ended)] = found[..] else { panic!("{found:?}") };
        let off = ended.held.as_millis() as i64 - i64::from(ms);
        assert!(off.abs() <= 8, "{ms} ms told as {:?}", ended.held);
    }
}

#[test]
fn digits_that_follow_each_other_without_a_gap_are_told_apart() {
    let dialled: Vec<i16> = "159D".chars().flat_map(|d| Key { ms: 80.0, ..Key::of(d) }.tones()).collect();
    assert_eq!(digits(&[dialled, vec![0; 800]].concat()), "159D");
}

/// MEDIA-09: with noise 15 dB below the tones none of a thousand digits is missed, and none is invented.
#[test]
fn digits_are_heard_through_noise() {
    let mut dice = Dice::new(11);
    let mut line = Vec::new();
    let wanted: String = (0..1_000).map(|i| char::from(DIGITS.as_bytes()[i * 7 % 16])).collect();
    for digit in wanted.chars() {
        line.extend(Key { ms: 50.0, ..Key::of(digit) }.tones());
        line.extend(vec![0; 400 + (dice.share() * 40.0) as usize]);
    }
    // Two tones of -10 dBm0 are an RMS of 7207; evenly spread noise of +-a has a/sqrt 3.
    let reach = 7_207.0 * 10f64.powf(-15.0 / 20.0) * 3f64.sqrt();
    for sample in &mut line {
        *sample = (f64::from(*sample) + (dice.share() * 2.0 - 1.0) * reach).clamp(-32_768.0, 32_767.0) as i16;
    }
    assert_eq!(digits(&line), wanted);
}

/// MEDIA-09: ten minutes of voices, among them long steady vowels, dial nothing.
#[test]
fn speech_dials_nothing() {
    for seed in 1..=5 {
        let talk = speech(120, seed);
        let loud = talk.iter().filter(|s| s.abs() > 1_000).count();
        assert!(loud > talk.len() / 10, "there is a voice: {loud} of {}", talk.len());
        assert_eq!(digits(&talk), "", "seed {seed}");
    }
}

/// MEDIA-09: a tone alone, ringing, busy tones and sweeps dial nothing.
#[test]
fn tones_that_are_no_digits_dial_nothing() {
    let tone = |pairs: &[(f64, f64)], ms: usize| -> Vec<i16> {
        (0..ms * 8)
            .map(|i| {
                let t = i as f64 / 8_000.0 * std::f64::consts::TAU;
                pairs.iter().map(|(hz, level)| (hz * t).sin() * level).sum::<f64>() as i16
            })
            .collect()
    };
    for hz in LOW_HZ.into_iter().chain(HIGH_HZ).chain([350.0, 425.0, 1_100.0, 2_100.0]) {
        assert_eq!(digits(&tone(&[(hz, 10_000.0)], 500)), "", "{hz} Hz alone");
    }
    for (a, b) in [(350.0, 440.0), (440.0, 480.0), (480.0, 620.0), (697.0, 770.0), (1209.0, 1336.0)] {
        assert_eq!(digits(&tone(&[(a, 8_000.0), (b, 8_000.0)], 500)), "", "{a} and {b} Hz");
    }
    // A third tone as loud as the two: a chord, not a key.
    assert_eq!(digits(&tone(&[(770.0, 6_000.0), (1336.0, 6_000.0), (2_000.0, 6_000.0)], 500)), "");
    // Two sweeps an octave apart cross the keypad's tones in passing.
    let sweep: Vec<i16> = (0..80_000)
        .map(|i| {
            let t = f64::from(i) / 8_000.0;
            let phase = std::f64::consts::TAU * (500.0 * t + 30.0 * t * t);
            (phase.sin() * 8_000.0 + (phase * 1.73).sin() * 8_000.0) as i16
        })
        .collect();
    assert!(
        digits(&sweep).len() <= 4,
        "10 s of sweep stay on a pair for 40 ms now and then: {}",
        digits(&sweep)
    );
}
