//! One thing at a time.

use proptest::prelude::*;

use super::network::{packet, voice};
use super::{Buffer, Config, Heard, Kind, Meta, Placed, Player, Taken};
use crate::codec::g711;
use model::media::Codec;

/// A buffer and the time; packets and takes every 20 ms.
struct Bench {
    buffer: Buffer,
    now_us: u64,
}

impl Bench {
    fn new() -> Self {
        Self { buffer: Buffer::new(Config::new(8_000)), now_us: 1_000_000_000 }
    }
    fn put(&mut self, meta: Meta) -> Placed {
        let ticks = if meta.kind == Kind::Audio { 160 } else { 0 };
        // The payload names the packet.
        let at = self.now_us;
        self.buffer.put(meta, ticks, &meta.seq.to_be_bytes(), at)
    }
    /// The number of the packet to play, or what else is to be done.
    fn take(&mut self) -> Result<u16, &'static str> {
        match self.buffer.take(self.now_us, 0) {
            Taken::Frame { payload, .. } => Ok(u16::from_be_bytes([payload[0], payload[1]])),
            Taken::Lost { .. } => Err("lost"),
            Taken::Noise(_) => Err("noise"),
            Taken::Quiet => Err("quiet"),
        }
    }
    /// Each step: these packets come, a frame is taken 20 ms later.
    fn step(&mut self, packets: &[Meta]) -> Result<u16, &'static str> {
        packets.iter().for_each(|meta| _ = self.put(*meta));
        self.now_us += 20_000;
        self.take()
    }
    /// Packets `from..to` in order; what was played.
    fn run(&mut self, range: std::ops::Range<u32>) -> Vec<Result<u16, &'static str>> {
        range.map(|n| self.step(&[packet(n)])).collect()
    }
}

fn seq(n: u32) -> Result<u16, &'static str> {
    Ok(packet(n).seq)
}

/// A talker pauses, and by chance the first packets after it come quickly one after the other: what follows at its pace shows
/// that it was a pause, and no network that caught up.
#[test]
fn a_pause_that_ends_with_two_quick_packets_is_a_pause_all_the_same() {
    let mut delay = super::Delay::new(20, 20, 400);
    let at = |n: i64| n * 20_000;
    (0..50).for_each(|n| delay.note(at(n), at(n)));
    // The sender's clock stood still for 700 ms.
    let pause = 700_000;
    for n in 50..60 {
        let quick = if n == 51 { -15_000 } else { 0 };
        delay.note(at(n) + pause + quick, at(n));
    }
    let waited = delay.waited_us(at(59), at(59) + pause);
    assert!((0..40_000).contains(&waited), "{waited}");
    assert!(!delay.in_doubt());
}

/// MEDIA-06: sequence numbers and timestamps wrap around in the midst of a call.
#[test]
fn every_packet_is_played_once_and_in_order_across_both_wraps() {
    let mut bench = Bench::new();
    // Numbers wrap at the 536th packet, timestamps at the 1875th.
    let played = bench.run(0..3_000);
    let first = played.iter().position(Result::is_ok).unwrap();
    assert!(first <= 2, "40 ms to begin with");
    for (n, frame) in played[first..].iter().enumerate() {
        assert_eq!(*frame, seq(n as u32));
    }
}

#[test]
fn overtaken_packets_are_put_in_order_and_doubles_dropped() {
    let mut bench = Bench::new();
    bench.run(0..10);
    let mut played = vec![bench.step(&[packet(11), packet(10)])];
    played.push(bench.step(&[packet(11), packet(12), packet(12)]));
    played.extend(bench.run(13..20));
    assert!(played.windows(2).all(|w| w[1].unwrap() == w[0].unwrap().wrapping_add(1)), "{played:?}");
    let counts = bench.buffer.counts();
    assert_eq!((counts.duplicates, counts.late, counts.lost, counts.concealed_ticks), (2, 0, 0, 0));
}

#[test]
fn a_packet_that_comes_after_its_successor_was_played_is_late_and_not_lost() {
    let mut bench = Bench::new();
    bench.run(0..50);
    // 50 is missing while 51 to 54 come.
    let played = bench.run(51..55);
    assert_eq!(played.iter().filter(|p| **p == Err("lost")).count(), 1);
    assert_eq!(bench.buffer.counts().lost, 1);
    assert_eq!(bench.put(packet(50)), Placed::Late);
    let counts = bench.buffer.counts();
    assert_eq!((counts.late, counts.lost, counts.concealed_ticks), (1, 0, 160));
}

/// MEDIA-06: the packet behind the hole is shown, so that its copy of the missing one can be used (Opus FEC).
#[test]
fn the_packet_behind_a_hole_helps_to_conceal_it() {
    let mut bench = Bench::new();
    bench.run(0..50);
    let mut helped = false;
    for n in 51..55 {
        bench.put(packet(n));
        bench.now_us += 20_000;
        if let Taken::Lost { next, ticks } = bench.buffer.take(bench.now_us, 0) {
            assert_eq!((next, ticks), (Some(&packet(51).seq.to_be_bytes()[..]), 160));
            helped = true;
        }
    }
    assert!(helped);
}

#[test]
fn a_pause_is_no_loss_and_the_next_talkspurt_begins_at_its_own_time() {
    let mut bench = Bench::new();
    bench.run(0..100);
    let began = bench.buffer.counts();
    // Two seconds without a packet: numbers go on, timestamps jump.
    for _ in 0..100 {
        bench.step(&[]).unwrap_or(0);
    }
    let after = |n: u32| Meta { timestamp: packet(n).timestamp.wrapping_add(16_000), ..packet(n) };
    let played: Vec<_> = (100..150).map(|n| bench.step(&[after(n)])).collect();
    let first = played.iter().position(Result::is_ok).unwrap();
    assert_eq!(played[first], seq(100), "the first word is there");
    assert!(played[first..].iter().all(Result::is_ok));
    let counts = bench.buffer.counts();
    assert_eq!((counts.lost, counts.late), (began.lost, began.late));
}

#[test]
fn comfort_noise_ends_a_talkspurt_without_anything_invented() {
    let mut bench = Bench::new();
    bench.run(0..100);
    let noise = Meta { kind: Kind::Noise, ..packet(100) };
    let mut played = vec![bench.step(&[noise])];
    for _ in 0..30 {
        played.push(bench.step(&[]));
    }
    assert_eq!(played.iter().filter(|p| **p == Err("noise")).count(), 1);
    assert!(!played.contains(&Err("lost")));
    assert_eq!(bench.buffer.counts().concealed_ticks, 0);
}

/// MEDIA-05: in a pause the noise is heard that the talker described, and it ends with the pause.
#[test]
fn a_pause_sounds_as_the_talker_wished() {
    let mut player = Player::new(Codec::Pcmu, 8_000).unwrap();
    let power = |out: &[i16]| out.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / out.len() as f64;
    let mut noise = Vec::new();
    for n in 0..200u32 {
        let now_us = 7_000_000 + u64::from(n) * 20_000;
        let meta = Meta { timestamp: n * 160, ..packet(n.min(101) + n.saturating_sub(150)) };
        match n {
            ..100 | 150.. => _ = player.put(meta, &[0x90; 160], now_us),
            100 => _ = player.put(Meta { kind: Kind::Noise, ..meta }, &[50, 100, 140], now_us),
            _ => {}
        }
        let mut out = [0; 160];
        let heard = player.take(now_us + 10_000, &mut out);
        if (110..150).contains(&n) {
            assert_eq!(heard, Heard::Quiet);
            noise.extend(out);
        }
        if n > 160 {
            assert_eq!(heard, Heard::Voice, "frame {n}");
        }
    }
    let dbov = 10.0 * (power(&noise) / 32_767f64.powi(2)).log10();
    assert!((dbov + 50.0).abs() < 1.0, "{dbov:.1} dBov");
    assert_eq!((player.counts().lost, player.counts().concealed_ticks), (0, 0));
}

/// MEDIA-06: a digit's packets take the place of audio; neither they nor the audio they replace are lost.
#[test]
fn telephone_events_between_the_audio_are_no_loss() {
    let mut bench = Bench::new();
    bench.run(0..100);
    let event = |n| Meta { kind: Kind::Event, timestamp: packet(100).timestamp, ..packet(n) };
    let mut played: Vec<_> = (100..110).map(|n| bench.step(&[event(n)])).collect();
    played.push(bench.step(&[event(110), event(111), packet(112)]));
    played.extend(bench.run(113..130));
    assert!(!played.contains(&Err("lost")), "{played:?}");
    let heard: Vec<_> = played.into_iter().flatten().collect();
    assert_eq!(heard.len(), heard.iter().collect::<std::collections::BTreeSet<_>>().len());
    assert!((112..126).all(|n| heard.contains(&packet(n).seq)), "{heard:?}");
    let counts = bench.buffer.counts();
    assert_eq!((counts.lost, counts.late, counts.concealed_ticks), (0, 0, 0));
}

/// MEDIA-06: a sender sets its clock while it talks; nobody hears it.
#[test]
fn a_timestamp_jump_forth_or_back_loses_nothing() {
    for jump in [1_000_000u32, 50_000, u32::MAX - 80_000, 1 << 31] {
        let mut bench = Bench::new();
        let before = bench.run(0..100);
        let jumped = |n| Meta { timestamp: packet(n).timestamp.wrapping_add(jump), ..packet(n) };
        let after: Vec<_> = (100..200).map(|n| bench.step(&[jumped(n)])).collect();
        let heard: Vec<u16> = before.into_iter().chain(after).flatten().collect();
        assert!(heard.len() >= 197, "{} frames after a jump of {jump}", heard.len());
        assert!(heard.windows(2).all(|w| w[1] == w[0].wrapping_add(1)));
        let counts = bench.buffer.counts();
        assert_eq!((counts.lost, counts.late, counts.concealed_ticks, counts.restarts), (0, 0, 0, 1));
    }
}

/// MEDIA-06: another source takes over at once, without a gap, and its first frame says so.
#[test]
fn another_source_goes_on_where_the_old_one_ended() {
    let mut bench = Bench::new();
    bench.run(0..100);
    let other =
        |n: u32| Meta { ssrc: 8, seq: n as u16, timestamp: 77 + n * 160, kind: Kind::Audio, held_us: 0 };
    let (mut fresh, mut heard) = (0, 0);
    for n in 0..100 {
        bench.put(other(n));
        bench.now_us += 20_000;
        if let Taken::Frame { fresh: new, .. } = bench.buffer.take(bench.now_us, 0) {
            fresh += u32::from(new);
            heard += 1;
        }
    }
    assert_eq!((fresh, heard >= 97), (1, true), "{heard} heard");
    let counts = bench.buffer.counts();
    assert_eq!((counts.lost, counts.late, counts.restarts), (0, 0, 1));
}

#[test]
fn a_sender_that_begins_anew_with_other_numbers_is_followed() {
    let mut bench = Bench::new();
    bench.run(0..100);
    let anew = |n: u32| Meta { seq: 30_000 + n as u16, ..packet(n) };
    let heard = (100..200).filter_map(|n| bench.step(&[anew(n)]).ok()).count();
    // One number that fits nothing may be a stray; the second in line is believed.
    assert!(heard >= 96, "{heard}");
    assert_eq!(bench.buffer.counts().restarts, 1);
}

#[test]
fn a_path_that_gets_longer_for_good_costs_its_delay_once() {
    let mut bench = Bench::new();
    bench.run(0..500);
    for _ in 0..15 {
        // 300 ms in which nothing comes.
        _ = bench.step(&[]);
    }
    let played = bench.run(500..1_000);
    let heard = played.iter().flatten().count();
    assert!(heard >= 495, "{heard} of 500");
    let waited = bench.buffer.waited_us(bench.now_us, 0).unwrap();
    assert!(waited < 100_000, "no delay on top of the path's: {waited} µs");
}

#[test]
fn more_packets_than_there_is_room_for_push_the_oldest_out() {
    let mut bench = Bench::new();
    for n in 0..200 {
        bench.put(packet(n));
    }
    assert_eq!(bench.buffer.buffered(), 64);
    assert_eq!(bench.buffer.counts().overflowed, 136);
    bench.now_us += 60_000;
    // Nobody wants to hear what is older than 400 ms: the 17 packets before the newest, and 60 ms since.
    assert_eq!(bench.take(), seq(182));
}

/// MEDIA-06: a lost packet of G.711 is patched, and the voice goes on without a step.
#[test]
fn a_hole_of_one_packet_is_hardly_a_step_in_the_samples() {
    let mut player = Player::new(Codec::Pcma, 8_000).unwrap();
    let (mut heard, mut concealed) = (Vec::new(), 0);
    let mut now_us = 5_000_000;
    for n in 0..100u32 {
        if n != 60 {
            let payload: Vec<u8> = (0..160).map(|i| g711::encode_a(voice(n as usize * 160 + i))).collect();
            player.put(packet(n), &payload, now_us);
        }
        now_us += 20_000;
        let mut out = [0; 160];
        concealed += u32::from(player.take(now_us, &mut out) == Heard::Concealed);
        heard.extend(out);
    }
    assert_eq!((concealed, player.counts().lost), (1, 1));
    let steepest = |s: &[i16]| s.windows(2).map(|w| w[0].abs_diff(w[1])).max().unwrap();
    let voice: Vec<i16> = (0..8_000).map(voice).collect();
    assert!(steepest(&heard[1_600..]) <= steepest(&voice) * 5 / 4, "{}", steepest(&heard[1_600..]));
}

#[test]
fn thirty_millisecond_packets_are_heard_in_twenty_millisecond_frames() {
    let mut player = Player::new(Codec::Pcmu, 8_000).unwrap();
    let (mut heard, mut n) = (Vec::new(), 0u32);
    for now_ms in (0..6_000u64).step_by(10) {
        if now_ms % 30 == 0 {
            let payload: Vec<u8> = (0..240).map(|i| g711::encode_mu(voice(n as usize * 240 + i))).collect();
            let meta = Meta { timestamp: n * 240, ..packet(n) };
            player.put(meta, &payload, 9_000_000 + now_ms * 1_000);
            n += 1;
        }
        if now_ms % 20 == 0 {
            let mut out = [0; 160];
            player.take(9_000_000 + now_ms * 1_000 + 5_000, &mut out);
            heard.extend(out);
        }
    }
    let counts = player.counts();
    assert_eq!((counts.lost, counts.late, counts.concealed_ticks), (0, 0, 0));
    let begin = heard.iter().position(|s| s.abs() > 100).unwrap();
    // The samples are the sender's, one after another; where a period was taken out, the next is like it.
    let steepest = heard[begin..].windows(2).map(|w| w[0].abs_diff(w[1])).max().unwrap();
    let own =
        (0..8_000).map(voice).collect::<Vec<_>>().windows(2).map(|w| w[0].abs_diff(w[1])).max().unwrap();
    assert!(steepest <= own * 5 / 4, "{steepest} against {own}");
}

/// MEDIA-06: Opus is concealed by its own means, with the copy in the packet behind the hole.
#[test]
fn opus_plays_through_losses_at_every_rate() {
    for rate in [8_000u32, 16_000, 48_000] {
        let mut encoder = opus::Encoder::new(48_000, opus::Channels::Mono, opus::Application::Voip).unwrap();
        encoder.set_inband_fec(true).unwrap();
        encoder.set_packet_loss_perc(10).unwrap();
        let mut player = Player::new(Codec::Opus, rate).unwrap();
        let (mut now_us, mut voiced, mut concealed) = (1_000_000, 0, 0);
        for n in 0..200u32 {
            let samples: Vec<i16> = (0..960).map(|i| voice((n as usize * 960 + i) / 6)).collect();
            let payload = encoder.encode_vec(&samples, 640).unwrap();
            if n % 10 != 7 {
                player.put(Meta { timestamp: n * 960, ..packet(n) }, &payload, now_us);
            }
            now_us += 20_000;
            let mut out = vec![0; rate as usize / 50];
            let heard = player.take(now_us, &mut out);
            let power = out.iter().map(|s| f64::from(*s) * f64::from(*s)).sum::<f64>() / out.len() as f64;
            if n > 20 {
                assert!(power.sqrt() > 1_000.0, "frame {n} at {rate} Hz is silent: {heard:?}");
            }
            voiced += u32::from(heard == Heard::Voice);
            concealed += u32::from(heard == Heard::Concealed);
        }
        assert_eq!(player.counts().late, 0);
        assert!((18..=20).contains(&concealed) && voiced > 170, "{concealed} concealed, {voiced} voiced");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever comes, and whenever: no panic, no more than fits, every packet accounted for.
    #[test]
    fn anything_may_come(
        steps in prop::collection::vec((any::<u16>(), any::<u32>(), 0u8..8, 0u64..300_000, 0usize..1_500), 1..300),
        near in any::<bool>(),
    ) {
        let mut player = Player::new(Codec::Pcmu, 8_000).unwrap();
        let mut now_us = 0;
        for (i, (seq, timestamp, kind, wait_us, len)) in steps.into_iter().enumerate() {
            let n = i as u32 + u32::from(seq % 8);
            let (seq, timestamp) = if near { (n as u16, n * 160 + timestamp % 3) } else { (seq, timestamp) };
            let kind = match kind { 0 => Kind::Event, 1 => Kind::Noise, _ => Kind::Audio };
            let ssrc = u32::from(wait_us % 50 == 0);
            let meta = Meta { ssrc, seq, timestamp, kind, held_us: 0 };
            player.put(meta, &vec![0x55; len], now_us);
            if wait_us % 3 != 0 {
                let mut out = [0; 480];
                player.take(now_us, &mut out[..160 * (1 + wait_us as usize % 3)]);
            }
            now_us += wait_us;
            let counts = player.counts();
            prop_assert!(player.buffer().buffered() <= 64);
            prop_assert!(counts.late + counts.duplicates + counts.refused + counts.overflowed <= counts.received);
        }
    }
}

/// MEDIA-06: whoever plays was held up for 300 ms and reads what came meanwhile at once: the network is not to blame, so the delay
/// stays as it is; the same burst from the network makes it grow.
#[test]
fn our_own_lateness_is_not_taken_for_the_networks() {
    let target_after = |ours: bool| {
        let mut bench = Bench::new();
        assert!(bench.run(0..200).iter().skip(5).all(Result::is_ok));
        let before = bench.buffer.delay().target_us();
        // Sixteen packets come together; frames that were due are taken, each at its time.
        let due = bench.now_us;
        bench.now_us += 300_000;
        for n in 200..216 {
            let held_us = if ours { 300_000 } else { 0 };
            assert_eq!(bench.put(Meta { held_us, ..packet(n) }), Placed::Kept);
        }
        bench.now_us = due;
        let played: Vec<_> = (0..15)
            .map(|_| {
                bench.now_us += 20_000;
                bench.take()
            })
            .collect();
        assert!(played.iter().all(Result::is_ok), "{played:?}");
        let rest = bench.run(216..400);
        assert_eq!((bench.buffer.counts().late, bench.buffer.counts().lost), (0, 0), "{rest:?}");
        (before, bench.buffer.delay().target_us())
    };
    let (before, after) = target_after(true);
    assert_eq!(before, after, "we were late ourselves");
    let (before, after) = target_after(false);
    assert!(after > before + 40_000, "{before} to {after}: the network was late");
}

/// Held up for longer than anybody wants to wait: what is too old is dropped at once, and counted, and the rest is played.
#[test]
fn what_cannot_be_caught_up_with_is_shed() {
    let mut bench = Bench::new();
    assert!(bench.run(0..200).iter().skip(5).all(Result::is_ok));
    bench.now_us += 400_000;
    (200..220).for_each(|n| _ = bench.put(Meta { held_us: 400_000, ..packet(n) }));
    bench.buffer.shed(bench.now_us);
    let late = bench.buffer.counts().late;
    assert!((10..=16).contains(&late), "{late}");
    let rest = bench.run(220..260);
    assert!(rest.iter().all(Result::is_ok), "{rest:?}");
    assert_eq!((bench.buffer.counts().late, bench.buffer.counts().lost), (late, 0));
    let waited = bench.buffer.waited_us(bench.now_us, 0).unwrap();
    assert!(waited < 200_000, "{waited}");
}
