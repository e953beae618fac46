use super::*;

/// A stream of 20 ms G.711 packets, with what the network does to it.
struct Network {
    meter: StreamMeter,
    seq: u16,
    timestamp: u32,
    at_us: u64,
    changes: Vec<(u64, Change)>,
}

impl Network {
    fn new() -> Self {
        let meter = StreamMeter::new(Codec::Pcma);
        Self { meter, seq: 65_000, timestamp: u32::MAX - 10_000, at_us: 7_000_000, changes: vec![] }
    }
    /// One packet: lost, or `delay_us` late.
    fn packet(&mut self, lost: bool, delay_us: u64) {
        if !lost {
            let (ssrc, seq, timestamp) = (1, self.seq, self.timestamp);
            let at_us = self.at_us + delay_us;
            self.meter.packet(Arrival { ssrc, seq, timestamp, at_us, octets: 172, timed: true });
            let change = self.meter.quality(at_us);
            self.changes.extend(change.map(|c| ((at_us - 7_000_000) / 1_000_000, c)));
        }
        self.seq = self.seq.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(160);
        self.at_us += 20_000;
    }
    fn good(&mut self, seconds: usize) {
        (0..seconds * 50).for_each(|_| self.packet(false, 0));
    }
}

#[test]
fn an_undisturbed_stream_has_the_best_mos() {
    let mut n = Network::new();
    n.good(60);
    let stats = n.meter.snapshot();
    assert_eq!((stats.packets, stats.lost, stats.duplicates, stats.octets), (3_000, 0, 0, 3_000 * 172));
    assert_eq!(stats.jitter_ms, 0.0);
    assert!((stats.mos.unwrap() - 4.41).abs() < 0.01 && stats.mos == stats.mos_min);
    assert!(n.changes.is_empty());
}

#[test]
fn mos_is_unknown_before_the_first_second() {
    let mut n = Network::new();
    (0..50).for_each(|_| n.packet(false, 0));
    assert_eq!(n.meter.snapshot().mos, None);
    n.packet(false, 0);
    assert!(n.meter.snapshot().mos.is_some());
    assert_eq!(n.meter.snapshot().mos_min, None, "no window of 5 s has ended");
}

/// RFC 3550 A.8, computed apart in floating point.
#[test]
fn jitter_is_the_estimator_of_the_rfc() {
    let mut n = Network::new();
    let (mut expected, mut last) = (0.0f64, 0.0f64);
    for i in 0..500u64 {
        let delay_us = i * i * 7_919 % 19_000;
        n.packet(false, delay_us);
        let delay = delay_us as f64;
        if i > 0 {
            expected += ((delay - last).abs() - expected) / 16.0;
        }
        last = delay;
    }
    let got = f64::from(n.meter.snapshot().jitter_ms);
    assert!((got - expected / 1000.0).abs() < 0.01, "{got} against {}", expected / 1000.0);
}

#[test]
fn events_count_for_loss_and_not_for_jitter() {
    let mut n = Network::new();
    n.good(1);
    for i in 0..10 {
        let (seq, timestamp, at_us) = (n.seq, n.timestamp, n.at_us + i * 20_000);
        n.meter.packet(Arrival { ssrc: 1, seq, timestamp, at_us, octets: 16, timed: false });
        n.seq = n.seq.wrapping_add(1);
    }
    n.timestamp = n.timestamp.wrapping_add(1_600);
    n.at_us += 200_000;
    n.good(1);
    let stats = n.meter.snapshot();
    assert_eq!((stats.packets, stats.lost, stats.jitter_max_ms), (110, 0, 0.0));
}

/// QUAL-01: ten lost packets in ten seconds are borne, the eleventh warns, and the warning clears by itself.
#[test]
fn the_eleventh_lost_packet_in_ten_seconds_is_too_many() {
    for (lost, warns) in [(10, false), (11, true)] {
        let mut n = Network::new();
        n.good(20);
        (0..500).for_each(|i| n.packet(i % 40 == 0 && i / 40 < lost, 0));
        n.good(20);
        let poor: Vec<bool> = n.changes.iter().map(|(_, c)| c.poor).collect();
        assert_eq!(poor, if warns { vec![true, false] } else { vec![] }, "{lost} lost");
        if warns {
            let (raised, change) = n.changes[0];
            assert!((20..=31).contains(&raised), "raised in second {raised}");
            assert!(change.loss_percent > 2.0 && change.loss_percent < 2.5);
            assert!((30..=41).contains(&n.changes[1].0), "cleared in second {}", n.changes[1].0);
        }
    }
}

/// QUAL-01: mean jitter above 20 ms over 10 s warns; 20 and less does not.
#[test]
fn jitter_above_20_ms_warns_and_recovers() {
    // Alternating delays of 0 and d give a jitter of d: every packet differs by d from the one before.
    for (delay_ms, warns) in [(19, false), (21, true)] {
        let mut n = Network::new();
        n.good(15);
        (0..1_500).for_each(|i| n.packet(false, (i % 2) * delay_ms * 1_000));
        n.good(30);
        let poor: Vec<bool> = n.changes.iter().map(|(_, c)| c.poor).collect();
        assert_eq!(poor, if warns { vec![true, false] } else { vec![] }, "{delay_ms} ms");
        assert_eq!(n.meter.snapshot().lost, 0);
    }
}

/// QUAL-01: an outage is seen when the stream comes back.
#[test]
fn an_outage_of_a_second_warns_once() {
    let mut n = Network::new();
    n.good(15);
    (0..50).for_each(|_| n.packet(true, 0));
    n.good(15);
    assert_eq!(n.changes.iter().map(|(_, c)| c.poor).collect::<Vec<_>>(), [true, false]);
    assert!((n.changes[0].1.loss_percent - 10.0).abs() < 1.1);
}

/// MEDIA-07: the worst moment is kept beside the mean.
#[test]
fn a_bad_moment_does_not_hide_in_a_good_hour() {
    let mut n = Network::new();
    n.good(1_800);
    (0..250).for_each(|i| n.packet(i % 4 == 0, 0));
    n.good(1_800);
    let mos = n.meter.mos().unwrap();
    assert!(mos.mean > 4.39 && mos.worst.mos < 3.0, "{mos:?}");
    assert!((mos.worst.ended_us - 7_000_000).abs_diff(1_805_000_000) <= 5_000_000);
    assert!((15.0..30.0).contains(&mos.worst.loss_percent), "a quarter was lost: {:?}", mos.worst);
    assert_eq!(mos.best.loss_percent, 0.0);
    assert!(mos.p10 > 4.3, "one window of 720 is not the tenth part");
    assert_eq!(n.meter.snapshot().mos_min, Some(mos.worst.mos));
}

#[test]
fn packets_too_late_to_play_count_as_lost_for_mos() {
    let mut n = Network::new();
    n.good(5);
    // One packet in ten comes 150 ms late, without overtaking in number.
    (0..1_000).for_each(|i| n.packet(false, if i % 10 == 0 { 150_000 } else { 0 }));
    let stats = n.meter.snapshot();
    assert_eq!(stats.lost, 0);
    assert!(stats.mos_min.unwrap() < 3.6, "{:?}", stats.mos_min);
}

/// Browsers stop sending when their microphone closes between two calls, and go on with the next timestamp.
#[test]
fn a_sender_that_paused_is_not_late_when_it_goes_on() {
    let mut n = Network::new();
    n.good(2);
    n.at_us += 4_000_000;
    n.good(8);
    let stats = n.meter.snapshot();
    assert!(stats.mos.unwrap() > 4.4 && stats.jitter_max_ms < 1.0, "{stats:?}");
    assert!(n.changes.is_empty());
}

#[test]
fn what_a_stalled_network_held_back_for_a_second_is_late() {
    let mut n = Network::new();
    n.good(2);
    (0..50).for_each(|held| n.packet(false, 1_000_000 - held * 19_900));
    n.good(7);
    let stats = n.meter.snapshot();
    assert!(stats.jitter_max_ms > 40.0 && stats.mos_min.unwrap() < 4.0, "{stats:?}");
}

#[test]
fn a_drifting_clock_is_not_lateness() {
    let mut n = Network::new();
    // 200 ppm for half an hour is 360 ms.
    (0..90_000u64).for_each(|i| n.packet(false, i * 4));
    assert!(n.meter.snapshot().mos_min.unwrap() > 4.40);
}

/// MEDIA-07: conversational quality is told once the round trip is known.
#[test]
fn delay_costs_conversational_quality_only() {
    let mut n = Network::new();
    n.good(10);
    assert_eq!(n.meter.conversational(), None);
    n.meter.set_rtt_ms(40.0);
    let near = n.meter.conversational().unwrap();
    n.meter.set_rtt_ms(800.0);
    let far = n.meter.conversational().unwrap();
    assert!(near > 4.3 && far < 3.0, "{near} {far}");
    assert!(n.meter.snapshot().mos.unwrap() > 4.4);
    assert_eq!(n.meter.snapshot().rtt_ms, Some(800.0));
}

#[test]
fn a_new_source_begins_without_loss_and_keeps_the_totals() {
    let mut n = Network::new();
    n.good(3);
    n.packet(true, 0);
    n.good(3);
    let arrival =
        |seq, timestamp, at_us| Arrival { ssrc: 2, seq, timestamp, at_us, octets: 172, timed: true };
    for i in 0..50u16 {
        n.meter.packet(arrival(9 + i, 77 + u32::from(i) * 160, n.at_us + u64::from(i) * 20_000));
    }
    let stats = n.meter.snapshot();
    assert_eq!((stats.packets, stats.lost, stats.jitter_ms), (350, 1, 0.0));
}

/// RFC 3550 A.3: loss since the last report, in 256ths.
#[test]
fn reports_tell_the_loss_of_their_interval() {
    let mut n = Network::new();
    assert_eq!(n.meter.report(), None);
    n.good(2);
    assert_eq!(n.meter.report().unwrap().fraction_lost, 0);
    (0..100).for_each(|i| n.packet(i % 4 == 1, 0));
    let report = n.meter.report().unwrap();
    assert_eq!((report.ssrc, report.fraction_lost, report.lost), (1, 64, 25));
    assert_eq!(report.highest, 65_000 + 199);
    n.good(2);
    let report = n.meter.report().unwrap();
    assert_eq!((report.fraction_lost, report.lost), (0, 25));
}

/// A softphone's leg outlives calls: each call's figures are its own.
#[test]
fn figures_that_begin_anew_know_nothing_of_before() {
    let mut n = Network::new();
    n.good(10);
    // A poor end: every fourth packet is lost, the others come unevenly, some twice.
    for i in 0..1_000u64 {
        n.packet(i % 4 == 0, i % 5 * 9_000);
    }
    n.meter.packet(Arrival {
        ssrc: 1,
        seq: n.seq.wrapping_sub(1),
        timestamp: 0,
        at_us: n.at_us,
        octets: 172,
        timed: true,
    });
    n.meter.rejected();
    let before = n.meter.snapshot();
    assert!(before.lost == 250 && before.duplicates == 1 && before.rejected == 1 && before.mos_min.is_some());
    assert!(n.meter.limits.poor());
    n.meter.begin_anew();
    let empty = n.meter.snapshot();
    assert_eq!((empty.packets, empty.octets, empty.lost, empty.duplicates, empty.rejected), (0, 0, 0, 0, 0));
    assert_eq!((empty.jitter_max_ms, empty.mos, empty.mos_min), (0.0, None, None));
    n.changes.clear();
    n.good(60);
    let after = n.meter.snapshot();
    assert_eq!((after.packets, after.lost, after.jitter_max_ms), (3_000, 0, 0.0));
    assert!((after.mos.unwrap() - 4.41).abs() < 0.01 && after.mos == after.mos_min, "{after:?}");
    assert!(n.changes.is_empty(), "quality was never said to be poor in this call, so it does not recover");
    assert!((n.meter.mos().unwrap().mean - 4.41).abs() < 0.01);
    // And what goes wrong from here is told.
    (0..1_000).for_each(|i| n.packet(i % 4 == 0, 0));
    assert!(n.changes.iter().any(|(_, change)| change.poor));
    assert_eq!(n.meter.snapshot().lost, 250);
}

/// RFC 3550 §6.4.1: what the far end is told counts from the beginning of its stream.
#[test]
fn the_far_ends_view_goes_on_when_figures_begin_anew() {
    let mut measured = Network::new();
    let mut left_alone = Network::new();
    for n in [&mut measured, &mut left_alone] {
        (0..500).for_each(|i| n.packet(i % 10 == 5, 0));
        n.meter.report();
        (0..50).for_each(|i| n.packet(i % 10 == 5, 0));
    }
    measured.meter.begin_anew();
    for n in [&mut measured, &mut left_alone] {
        (0..50).for_each(|i| n.packet(i % 5 == 2, 0));
    }
    let told = measured.meter.report().unwrap();
    assert_eq!(Some(told), left_alone.meter.report());
    assert_eq!((told.lost, told.fraction_lost), (65, (15 * 256 / 100) as u8));
    assert_eq!(measured.meter.snapshot().lost, 10, "of the new call");
}
