//! Whole calls over networks of every temper.

use super::network::{Jitter, Network, Playout, packet, play};
use super::test_dice::Dice;
use super::{Heard, Meta, Player};
use model::media::Codec;

impl Playout {
    /// Share of the frames in this part that had to be concealed.
    fn concealed(&self, part: std::ops::Range<usize>) -> f64 {
        let frames = &self.frames[part];
        frames.iter().filter(|(heard, _)| *heard == Heard::Concealed).count() as f64 / frames.len() as f64
    }
    /// Mean and largest delay in this part, in milliseconds.
    fn waited_ms(&self, part: std::ops::Range<usize>) -> (f64, f64) {
        let waited: Vec<f64> =
            self.frames[part].iter().filter_map(|(_, waited)| waited.map(|us| us as f64 / 1e3)).collect();
        assert!(!waited.is_empty());
        (waited.iter().sum::<f64>() / waited.len() as f64, waited.iter().copied().fold(0.0, f64::max))
    }
}

const MINUTE: usize = 3_000;

/// MEDIA-06: on a calm network the delay is small and nothing is touched.
#[test]
fn a_calm_network_costs_two_frames_and_no_change() {
    let playout = play(Network::CALM, 2 * MINUTE as u32);
    let counts = playout.player.counts();
    assert_eq!((counts.late, counts.lost, counts.duplicates, counts.overflowed), (0, 0, 0, 0));
    assert_eq!(counts.concealed_ticks, 0);
    // It begins with 40 ms, and up to a frame for the phase of packets and takes.
    let (_, most) = playout.waited_ms(10..MINUTE);
    assert!(most <= 80.0, "{most} ms");
    // Later 20 ms of delay are enough; with a frame of phase and the slack, 60.
    let (_, most) = playout.waited_ms(MINUTE..2 * MINUTE);
    assert!(most <= 80.0, "{most} ms");
}

/// MEDIA-06: the delay is as long as the network's unevenness needs, and no more.
#[test]
fn delay_follows_the_jitter_of_the_network() {
    // Bounds: the latest packet of 200 and a bin (5 ms), a frame of phase, the slack of 20 ms; and 1 % concealed, of which the
    // quantile takes half.
    for (jitter, most_ms) in [
        (Jitter::Even(10.0), 75.0),
        (Jitter::Even(40.0), 100.0),
        (Jitter::Even(100.0), 160.0),
        // 5.3 means are the quantile of an exponential.
        (Jitter::Tail(10.0), 53.0 + 60.0),
        (Jitter::Tail(25.0), 133.0 + 75.0),
    ] {
        for seed in 1..6 {
            let playout = play(Network { jitter, seed, ..Network::CALM }, 3 * MINUTE as u32);
            let later = MINUTE..3 * MINUTE;
            let (mean, _) = playout.waited_ms(later.clone());
            let concealed = playout.concealed(later);
            assert!(mean <= most_ms, "{jitter:?}, seed {seed}: mean delay {mean:.0} ms");
            assert!(
                concealed <= 0.012,
                "{jitter:?}, seed {seed}: {:.2} % concealed, {:?} {mean}",
                concealed * 100.0,
                playout.player.counts()
            );
        }
    }
}

#[test]
fn a_radio_that_stalls_loses_no_words() {
    for seed in 1..6 {
        let jitter = Jitter::Stalls { every_s: 4.0, ms: 150.0 };
        let playout = play(Network { jitter, seed, ..Network::CALM }, 5 * MINUTE as u32);
        let counts = playout.player.counts();
        // All packets come in order, so none is dropped: the delay grows instead.
        assert_eq!((counts.late, counts.lost, counts.overflowed), (0, 0, 0), "seed {seed}");
        // Once the stalls are known they are waited for: 150 ms, and what was said of frame and slack.
        let (mean, most) = playout.waited_ms(MINUTE..5 * MINUTE);
        assert!(mean < 230.0 && most < 400.0, "seed {seed}: {mean:.0}, at most {most:.0} ms");
        let concealed = playout.concealed(MINUTE..5 * MINUTE);
        assert!(concealed < 0.01, "seed {seed}: {:.2} %", concealed * 100.0);
    }
}

#[test]
fn each_lost_packet_is_concealed_once() {
    for (loss, jitter) in [(0.01, Jitter::Even(20.0)), (0.05, Jitter::Even(20.0)), (0.2, Jitter::None)] {
        let network = Network { loss, jitter, ..Network::CALM };
        let packets = 2 * MINUTE as u32;
        let came = network.arrivals(packets).len() as u64;
        let playout = play(network, packets);
        let counts = playout.player.counts();
        let missing = u64::from(packets) - came;
        assert!(counts.lost.abs_diff(missing) <= 10, "{} of {missing} at {loss}", counts.lost);
        let concealed = counts.concealed_ticks / 160;
        // A packet lost just when nothing else had come yet is taken for one that may still come.
        assert!(concealed.abs_diff(missing) <= 20 + missing / 10, "{concealed} for {missing} at {loss}");
    }
}

/// MEDIA-06: clocks that differ by 200 ppm, for an hour without a pause: 720 ms that must be made or lost unheard.
#[test]
fn an_hour_of_drift_neither_starves_nor_piles_up() {
    for (drift_ppm, seed) in [(200.0, 3), (-200.0, 4)] {
        let network = Network { jitter: Jitter::Even(20.0), drift_ppm, seed, loss: 0.0 };
        let packets = (60 * MINUTE) as u32;
        let playout = play(network, packets);
        let counts = playout.player.counts();
        let minutes = playout.frames.len() / MINUTE;
        for minute in 1..minutes {
            let (mean, most) = playout.waited_ms(minute * MINUTE..(minute + 1) * MINUTE);
            // 20 ms of jitter, a bin, a frame of phase and the slack; a rest of 100 ms before it acts.
            assert!((10.0..80.0).contains(&mean) && most < 100.0, "minute {minute}: {mean:.0}, {most:.0} ms");
        }
        // No underrun growth: the last ten minutes are no worse than the first ten.
        let (first, last) = (
            playout.concealed(MINUTE..10 * MINUTE),
            playout.concealed((minutes - 10) * MINUTE..minutes * MINUTE),
        );
        assert!(last <= first + 0.002 && last < 0.005, "{first:.4} then {last:.4} at {drift_ppm} ppm");
        // What drift brought was worked off: within two frames of 720 ms, and one voice period a change.
        let net_ms = (counts.accelerated_ticks as f64 - counts.expanded_ticks as f64) / 8.0
            - counts.concealed_ticks as f64 / 8.0;
        assert!((net_ms - drift_ppm * 3.6).abs() < 80.0, "{net_ms:.0} ms at {drift_ppm} ppm: {counts:?}");
        let measured = f64::from(playout.player.buffer().delay().drift_ppm().unwrap());
        assert!((measured - drift_ppm).abs() < 25.0, "{measured:.0} ppm measured of {drift_ppm}");
        assert!(playout.player.buffer().buffered() < 8);
    }
}

/// MEDIA-06: each talkspurt begins with the delay chosen by then, so that hardly any needs to be stretched.
#[test]
fn delay_is_chosen_anew_for_each_talkspurt() {
    let mut player = Player::new(Codec::Pcmu, 8_000).unwrap();
    let (mut dice, mut sent, mut heard) = (Dice::new(21), Vec::new(), Heard::Quiet);
    // A second of words, half a second of pause; the network is calm, rough for a minute, and calm again.
    for n in (0..9_000u32).filter(|n| n % 75 < 50) {
        let rough = (3_000..6_000).contains(&n);
        let late_us = dice.share() * if rough { 80_000.0 } else { 2_000.0 };
        let meta = Meta { seq: (sent.len() as u16).wrapping_add(65_500), ..packet(n) };
        sent.push((1_000_000 + u64::from(n) * 20_000 + late_us as u64, meta));
    }
    sent.sort_unstable_by_key(|(at_us, _)| *at_us);
    let mut sent = sent.into_iter().peekable();
    let (mut begins, mut out) = (Vec::new(), [0; 160]);
    for frame in 0..9_000u64 {
        let now_us = 1_004_000 + frame * 20_000;
        while let Some((at_us, meta)) = sent.next_if(|(at_us, _)| *at_us <= now_us) {
            player.put(meta, &[0x90; 160], at_us);
        }
        let before = std::mem::replace(&mut heard, player.take(now_us, &mut out));
        if before == Heard::Quiet && heard == Heard::Voice {
            let target_us = player.buffer().delay().target_us();
            let over_us = player.waited_us(now_us).unwrap() - target_us;
            assert!((0..=20_000).contains(&over_us), "begins {over_us} us after its time");
            begins.push((frame, target_us));
        }
    }
    assert!(begins.len() >= 115, "{} of 120 talkspurts", begins.len());
    let target = |from: u64, to: u64| {
        let of: Vec<_> = begins.iter().filter(|(at, _)| (from..to).contains(at)).map(|b| b.1).collect();
        (of.iter().sum::<i64>() / of.len() as i64) as f64 / 1e3
    };
    assert!(target(2_000, 3_000) <= 25.0, "calm: {} ms", target(2_000, 3_000));
    assert!(target(4_000, 6_000) >= 75.0, "rough: {} ms", target(4_000, 6_000));
    let counts = player.counts();
    assert_eq!(counts.lost, 0);
    assert!(counts.accelerated + counts.expanded <= 60, "a change in a hundred frames at most: {counts:?}");
}

#[test]
fn after_a_bad_time_the_delay_comes_down_again() {
    let bad = Network { jitter: Jitter::Even(120.0), ..Network::CALM };
    let (bad, calm) = (bad.arrivals(2_000), Network::CALM.arrivals(8_000));
    let arrivals = bad.into_iter().chain(calm.into_iter().filter(|(_, n)| *n >= 2_000));
    let mut arrivals: Vec<_> = arrivals.collect();
    arrivals.sort_unstable();
    let playout = super::network::play_arrivals(arrivals);
    let (during, _) = playout.waited_ms(1_000..2_000);
    let (after, _) = playout.waited_ms(7_000..7_900);
    assert!(during > 100.0, "{during:.0} ms");
    // A memory of 20 s is at 1 % after 90 s; two minutes are enough.
    assert!(after < 80.0, "{after:.0} ms");
}
