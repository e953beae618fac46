//! MEDIA-08: what is told, how soon, and what is not.

use super::{Change, Tick, Trouble, Watch};
use crate::jitter::test_dice::Dice;

/// A leg on which all is well.
fn well(at_us: u64) -> Tick {
    Tick {
        at_us,
        received: 25,
        sent: 25,
        wants_received: true,
        wants_sent: true,
        samples: 4_000,
        peak: 9_000,
        clipped: 0,
        transit_us: Some(-77_000_000),
        recorded_us: None,
    }
}

/// Ticks each 500 ms from `from_s` to `to_s`; what was told, and how many seconds after `from_s`.
fn run(watch: &mut Watch, from_s: u64, to_s: u64, tick: impl Fn(Tick) -> Tick) -> Vec<(f64, Change)> {
    let mut told = Vec::new();
    for half in from_s * 2 + 1..=to_s * 2 {
        let at_us = half * 500_000;
        watch.tick(tick(well(at_us)), &mut |change| {
            told.push(((at_us - from_s * 1_000_000) as f64 / 1e6, change));
        });
    }
    told
}

fn told_once(told: &[(f64, Change)], trouble: Trouble, began: bool) -> f64 {
    let [(after, change)] = told else { panic!("{told:?}") };
    assert_eq!(*change, Change { trouble, began });
    *after
}

/// MEDIA-08: audio one way only is told within 3 s, and again when it flows.
#[test]
fn one_way_audio_is_told_within_three_seconds_in_either_direction() {
    for (trouble, broken) in [
        (Trouble::NothingReceived, Tick { received: 0, samples: 0, transit_us: None, ..well(0) }),
        (Trouble::NothingSent, Tick { sent: 0, ..well(0) }),
    ] {
        let mut watch = Watch::default();
        assert!(run(&mut watch, 0, 60, |tick| tick).is_empty());
        let told = run(&mut watch, 60, 90, |tick| Tick { at_us: tick.at_us, ..broken });
        assert!(told_once(&told, trouble, true) <= 3.0);
        let told = run(&mut watch, 90, 100, |tick| tick);
        assert!(told_once(&told, trouble, false) <= 0.5);
    }
}

/// MEDIA-08: a leg that never heard anything from its beginning is told too.
#[test]
fn a_leg_that_never_hears_anything_is_told() {
    let told =
        run(&mut Watch::default(), 0, 20, |tick| Tick { received: 0, samples: 0, transit_us: None, ..tick });
    assert!(told_once(&told, Trouble::NothingReceived, true) <= 3.0);
}

#[test]
fn hold_and_announced_pauses_are_no_trouble() {
    let mut watch = Watch::default();
    run(&mut watch, 0, 10, |tick| tick);
    let hold = |tick| Tick { received: 0, samples: 0, wants_received: false, transit_us: None, ..tick };
    assert!(run(&mut watch, 10, 300, hold).is_empty());
    // Nothing either way: a call that is being set up, or ended.
    let dead = |tick| Tick { received: 0, sent: 0, samples: 0, transit_us: None, ..tick };
    assert!(run(&mut watch, 300, 400, dead).is_empty());
}

/// RECO-04: a recorded channel that gets nothing is told within the time that was set, though nothing is sent either; that
/// audio is back, too.
#[test]
fn an_empty_channel_of_a_recording_is_told_within_its_time_and_when_it_fills_again() {
    let recorded = |tick| Tick { recorded_us: Some(5_000_000), ..tick };
    let dead = |tick| Tick { received: 0, sent: 0, samples: 0, transit_us: None, ..recorded(tick) };
    let mut watch = Watch::default();
    assert!(run(&mut watch, 0, 10, recorded).is_empty());
    assert!(run(&mut watch, 10, 14, dead).is_empty(), "a pause of a far end that does not say it pauses");
    assert!(run(&mut watch, 14, 20, recorded).is_empty());
    let told = run(&mut watch, 20, 120, dead);
    let after = told_once(&told, Trouble::NothingToRecord, true);
    assert!(after > 4.0 && after <= 5.0, "{after} s");
    assert_eq!(told_once(&run(&mut watch, 120, 130, recorded), Trouble::NothingToRecord, false), 0.5);
    // A leg that nothing ever came from.
    let told = run(&mut Watch::default(), 0, 20, dead);
    assert!(told_once(&told, Trouble::NothingToRecord, true) <= 5.5);
}

/// RECO-04: nothing is missing while no recording captures the leg or nothing is to come; an alarm ends with the recording.
#[test]
fn a_channel_is_empty_only_while_something_should_come() {
    let dead = |tick| Tick { received: 0, sent: 0, samples: 0, transit_us: None, ..tick };
    let recorded = |tick| Tick { recorded_us: Some(5_000_000), ..dead(tick) };
    let mut watch = Watch::default();
    assert!(run(&mut watch, 0, 60, dead).is_empty());
    assert!(run(&mut watch, 60, 64, recorded).is_empty(), "time before does not count");
    assert!(run(&mut watch, 64, 120, dead).is_empty());
    told_once(&run(&mut watch, 120, 130, recorded), Trouble::NothingToRecord, true);
    told_once(&run(&mut watch, 130, 140, dead), Trouble::NothingToRecord, false);
}

/// MEDIA-08: packets without sound are told within 3 s; a pause between words is not.
#[test]
fn silence_is_told_within_three_seconds() {
    let mut watch = Watch::default();
    run(&mut watch, 0, 10, |tick| tick);
    assert!(run(&mut watch, 10, 12, |tick| Tick { peak: 8, ..tick }).is_empty(), "two seconds are a pause");
    run(&mut watch, 12, 20, |tick| tick);
    let told = run(&mut watch, 20, 40, |tick| Tick { peak: 8, ..tick });
    assert!(told_once(&told, Trouble::Silence, true) <= 3.0);
    assert_eq!(told_once(&run(&mut watch, 40, 50, |tick| tick), Trouble::Silence, false), 0.5);
    // The noise of a line is not silence.
    assert!(run(&mut watch, 50, 100, |tick| Tick { peak: 40, ..tick }).is_empty());
}

/// MEDIA-08: a microphone that is cut off at full scale is told within 3 s; single peaks are not.
#[test]
fn clipping_is_told_within_three_seconds() {
    let mut watch = Watch::default();
    assert!(run(&mut watch, 0, 60, |tick| Tick { peak: 32_124, clipped: 3, ..tick }).is_empty());
    let told = run(&mut watch, 60, 80, |tick| Tick { peak: 32_124, clipped: 80, ..tick });
    assert!(told_once(&told, Trouble::Clipping, true) <= 3.0);
    assert!(told_once(&run(&mut watch, 80, 100, |tick| tick), Trouble::Clipping, false) <= 4.0);
}

/// Ticks of a stream whose sender's clock is off, over a network with so much jitter.
fn skewed(seconds: u64, ppm: f64, jitter_us: f64, seed: u64) -> Vec<(f64, Change)> {
    let (mut watch, mut dice) = (Watch::default(), Dice::new(seed));
    let mut told = Vec::new();
    for half in 1..=seconds * 2 {
        let at_us = half * 500_000;
        // The fastest of 25 packets.
        let fastest = (0..25).map(|_| dice.share()).fold(1.0, f64::min) * jitter_us;
        let transit = -77e6 - ppm * at_us as f64 / 1e6 + fastest;
        watch.tick(Tick { transit_us: Some(transit as i64), ..well(at_us) }, &mut |change| {
            told.push((at_us as f64 / 1e6, change));
        });
    }
    told
}

/// MEDIA-08: on a network whose fastest packets come within 0.1 ms of each other, clocks 500 ppm apart are told within
/// 3 s, by sign and size.
#[test]
fn clock_skew_is_told_within_three_seconds_on_a_calm_network() {
    for seed in 1..20 {
        for (ppm, jitter_us) in [(1_000.0, 100.0), (-1_000.0, 100.0), (500.0, 100.0), (-500.0, 0.0)] {
            let told = skewed(60, ppm, jitter_us, seed);
            let [(after, Change { trouble: Trouble::ClockSkew(measured), began: true })] = told[..] else {
                panic!("{told:?} at {ppm} ppm");
            };
            assert!(after <= 3.0, "after {after} s at {ppm} ppm");
            assert!((f64::from(measured) - ppm).abs() < 100.0, "{measured} of {ppm} ppm");
        }
    }
}

#[test]
fn clock_skew_is_found_through_jitter_too_if_later() {
    for seed in 1..20 {
        let told = skewed(120, 600.0, 20_000.0, seed);
        let Some((after, Change { trouble: Trouble::ClockSkew(measured), began: true })) = told.first()
        else {
            panic!("{told:?}");
        };
        assert!(*after <= 30.0 && (measured - 600.0).abs() < 250.0, "{measured} ppm after {after} s");
    }
}

/// MEDIA-08: ordinary crystals and ordinary jitter raise no alarm in ten hours.
#[test]
fn ordinary_clocks_are_no_trouble() {
    for seed in 1..=10 {
        for (ppm, jitter_us) in [(0.0, 0.0), (80.0, 1_000.0), (-80.0, 20_000.0), (0.0, 60_000.0)] {
            let told = skewed(3_600, ppm, jitter_us, seed);
            assert!(told.is_empty(), "{told:?} at {ppm} ppm, {jitter_us} us, seed {seed}");
        }
    }
}

#[test]
fn a_step_of_the_path_or_the_senders_clock_is_no_skew() {
    let mut watch = Watch::default();
    run(&mut watch, 0, 60, |tick| tick);
    assert!(run(&mut watch, 60, 120, |tick| Tick { transit_us: Some(-76_900_000), ..tick }).is_empty());
    assert!(run(&mut watch, 120, 180, |tick| Tick { transit_us: Some(5_000_000_000), ..tick }).is_empty());
}
