//! MEDIA-06, as a far end sees it: packets in with their times, packets out with theirs.

use std::net::SocketAddr;

use model::id::{Id, LegId};

use super::*;
use crate::codec::{Decoder, Encoder, PACKET_SAMPLES_MAX};
use crate::control::{Direction, Latching, LegSetup, Security};
use crate::driver::Clock;
use crate::jitter::test_dice::Dice;
use crate::leg::{Birth, Outbox, Way};
use crate::rtp::{Header, SeqNo, View};

const TALKER: SourceKey = SourceKey { speaker: 5, stream: 0 };

/// A leg that hears a voice, its far end, and the time.
struct Line {
    leg: Leg,
    sent: Sent,
    from: Codec,
    voice: Vec<u8>,
    started: Timestamp,
}

#[derive(Default)]
struct Sent {
    now: Timestamp,
    packets: Vec<(Timestamp, Header, Vec<u8>)>,
}

impl Wire for Sent {
    fn put(&mut self, _: Door, _: SocketAddr, write: &mut dyn FnMut(&mut [u8]) -> usize) {
        let mut room = [0; 1_500];
        let len = write(&mut room);
        let view = View::parse(&room[..len]).unwrap();
        let payload = room[view.payload_at..view.payload_at + view.payload_len].to_vec();
        self.packets.push((self.now, view.header, payload));
    }
}

impl Line {
    fn between(from: Codec, to: Codec, shape: Shape) -> Self {
        Self::with_noise(from, to, shape, None)
    }

    fn with_noise(from: Codec, to: Codec, shape: Shape, comfort_noise: Option<u8>) -> Self {
        let birth = Birth {
            ssrc: 9,
            seq: 1,
            timestamp: 1_000,
            media_timeout: Duration::from_secs(30),
            recording_silence: Duration::from_secs(5),
            clock: Clock::start(),
        };
        let mut leg = Leg::new(LegId::from_number(1), &birth, None);
        let send = Format { payload_type: to.static_type().unwrap_or(111), codec: to, ptime_ms: 20 };
        let setup = LegSetup {
            remote: Some("127.0.0.1:9".parse().unwrap()),
            remote_rtcp: None,
            rtcp_mux: true,
            send: Some(send),
            receive: vec![send],
            events: None,
            shape,
            comfort_noise,
            security: Security::None,
            direction: Direction::SendRecv,
            latching: Latching::Off,
            ..LegSetup::default()
        };
        let started = Timestamp::from_millis(1_700_000_000_000);
        leg.configure(setup, started, &mut Outbox::default()).unwrap();
        leg.expect(TALKER, from, true).unwrap();
        let rate_hz = from.rate_hz().unwrap_or(8_000);
        let mut encoder = Encoder::new(from, rate_hz).unwrap();
        let tone: Vec<i16> = (0..rate_hz as usize / 50)
            .map(|n| ((n as f64 * 500.0 * std::f64::consts::TAU / f64::from(rate_hz)).sin() * 9e3) as i16)
            .collect();
        let mut voice = vec![0; 400];
        encoder.encode(&tone, &mut voice).unwrap();
        let len = encoder.encode(&tone, &mut voice).unwrap();
        voice.truncate(len);
        Self { leg, sent: Sent::default(), from, voice, started }
    }

    /// The nth packet of 20 ms comes.
    fn arrives(&mut self, n: u32, ssrc: u32, at: Timestamp) {
        let timestamp = RtpTimestamp(n.wrapping_mul(self.from.clock_hz() / 50));
        let header = Header { marker: false, payload_type: 0, seq: SeqNo(n as u16), timestamp, ssrc };
        let (codec, payload_len) = (self.from, self.voice.len());
        let audio = Audio { header, codec, stream: 0, payload_at: 12, payload_len, describes_silence: false };
        let voice = self.voice.clone();
        self.leg.hear_voice(TALKER, &audio, false, &voice, at, 0).unwrap();
    }

    /// Lets packets come at these times (microseconds from the start), and the wheel call each 5 ms.
    fn runs(&mut self, mut arrivals: Vec<(u64, u32)>, until_ms: u64) {
        arrivals.sort_unstable();
        let mut next = 0;
        for tick in 0..until_ms / 5 {
            let now = self.started + Duration::from_millis(tick * 5);
            while let Some((at_us, n)) = arrivals.get(next).copied() {
                let at = self.started + Duration::from_micros(at_us);
                if at > now {
                    break;
                }
                self.arrives(n, 7, at);
                next += 1;
            }
            self.sent.now = now;
            if self.leg.next_deadline().is_some_and(|at| at <= now) {
                self.leg.timer(now, &mut self.sent, &mut Outbox::default());
            }
        }
    }

    /// From the arrival of each packet to the departure of the one made of it, in milliseconds, sorted.
    fn delays(&self, arrivals: &[(u64, u32)]) -> Vec<f64> {
        let mut delays: Vec<f64> = arrivals
            .iter()
            .zip(&self.sent.packets)
            .map(|((at_us, _), (sent, ..))| {
                sent.since(self.started).as_secs_f64() * 1e3 - *at_us as f64 / 1e3
            })
            .collect();
        delays.sort_by(f64::total_cmp);
        delays
    }

    fn playout(&self) -> Playout {
        self.leg.playout().unwrap()
    }
}

fn calm(packets: u32, phase_us: u64) -> Vec<(u64, u32)> {
    (0..packets).map(|n| (phase_us + u64::from(n) * 20_000, n)).collect()
}

/// MEDIA-06: in a calm network a voice waits for 10 ms, whatever the phase in which packets come.
#[test]
fn a_calm_network_costs_little_delay() {
    for phase_us in [0, 1_300, 4_900, 12_345, 19_999] {
        let mut line = Line::between(Codec::Pcmu, Codec::Opus, Shape::default());
        let arrivals = calm(500, phase_us);
        line.runs(arrivals.clone(), 10_000);
        let delays = line.delays(&arrivals);
        let p99 = delays[delays.len() * 99 / 100];
        assert!(delays[0] >= 4.9 && p99 <= 10.1, "phase {phase_us}: {:.1} to {p99:.1} ms", delays[0]);
        assert!(line.sent.packets.len() >= 498);
        assert_eq!(line.playout().concealed_ms, 0);
    }
}

/// MEDIA-06: what leaves is even whatever comes: numbers and time without holes, one packet each 20 ms.
#[test]
fn a_bad_network_is_made_even_in_any_codec() {
    let mut dice = Dice::new(11);
    let arrivals: Vec<(u64, u32)> = (0..1_500)
        .filter_map(|n| {
            let (lost, late) = (dice.share() < 0.02, dice.share() * 30_000.0);
            (!lost).then(|| (u64::from(n) * 20_000 + late as u64, n))
        })
        .collect();
    for (from, to) in [
        (Codec::Pcma, Codec::Opus),
        (Codec::Opus, Codec::Pcmu),
        (Codec::G722, Codec::Pcma),
        (Codec::Pcmu, Codec::G722),
        (Codec::G722, Codec::Opus),
        (Codec::G729, Codec::Opus),
        (Codec::Opus, Codec::G729),
    ] {
        let mut line = Line::between(from, to, Shape::default());
        line.runs(arrivals.clone(), 30_000);
        let step = to.clock_hz() / 50;
        for pair in line.sent.packets.windows(2) {
            let ((a, before, _), (b, after, _)) = (&pair[0], &pair[1]);
            assert_eq!(b.since(*a), Duration::from_millis(20), "{from:?} to {to:?}");
            assert_eq!(
                (after.seq.since(before.seq), after.timestamp.since(before.timestamp)),
                (1, step as i32)
            );
            assert!(!after.marker, "one talkspurt");
        }
        let playout = line.playout();
        assert!((20..60).contains(&playout.lost), "{from:?} to {to:?}: {playout:?}");
        assert!(playout.concealed_ms < 1_200, "2 % of 30 s, and what was late: {playout:?}");
        assert!(playout.buffered_ms <= 45, "{playout:?}");
        let delays = line.delays(&arrivals);
        assert!(line.sent.packets.len() > 1_490 && delays[0] < 40.0, "{:?}", delays[0]);
    }
}

/// MEDIA-06: a sender whose clock is off by 300 ppm is followed for minutes, without packets piling up or running out.
#[test]
fn a_clock_that_runs_apart_is_followed() {
    for ppm in [-300i64, 300] {
        let mut line = Line::between(Codec::Pcmu, Codec::Opus, Shape::default());
        let step_us = (20_000 - 20_000 * ppm / 1_000_000) as u64;
        let arrivals: Vec<(u64, u32)> = (0..15_000).map(|n| (u64::from(n) * step_us, n)).collect();
        line.runs(arrivals, 299_000);
        let playout = line.playout();
        // 90 ms of drift in five minutes.
        assert!(playout.lost == 0 && playout.late <= 6 && playout.concealed_ms <= 120, "{ppm}: {playout:?}");
        let waits = line.leg.playout_news(line.sent.now).unwrap().1.unwrap();
        assert!(waits < 45, "{ppm} ppm: waits {waits} ms after five minutes");
    }
}

/// MEDIA-06: a stream towards G.711 goes on through a short silence, rests after it, and begins anew with a marker.
#[test]
fn a_voice_rests_when_nothing_comes_and_wakes_with_the_next_packet() {
    let mut line = Line::between(Codec::Opus, Codec::Pcma, Shape::default());
    let mut arrivals = calm(50, 0);
    // Ten seconds later it goes on, as after hold.
    arrivals.extend((0..50).map(|n| (11_000_000 + u64::from(n) * 20_000, 550 + n)));
    line.runs(arrivals, 13_000);
    let gaps: Vec<u64> =
        line.sent.packets.windows(2).map(|pair| pair[1].0.since(pair[0].0).as_millis() as u64).collect();
    let long: Vec<&u64> = gaps.iter().filter(|gap| **gap != 20).collect();
    assert_eq!(long.len(), 1, "{long:?}");
    assert!((8_000..9_600).contains(long[0]), "silence was sent for a while, then nothing: {long:?}");
    let markers = line.sent.packets.iter().filter(|(_, header, _)| header.marker).count();
    assert_eq!(markers, 2, "two talkspurts");
    let (_, first, _) = line.sent.packets[0].clone();
    let (sent, last, _) = line.sent.packets.last().unwrap().clone();
    let passed_ms = sent.since(line.sent.packets[0].0).as_millis() as i64;
    let said_ms = i64::from(last.timestamp.since(first.timestamp)) / 8;
    assert!((passed_ms - said_ms).abs() <= 40, "time went on: {passed_ms} ms, {said_ms} ms");
}

/// MEDIA-05, RFC 7587 §6.1: who asked for DTX is not sent silence.
#[test]
fn silence_is_not_sent_to_who_asked_for_dtx() {
    let sent = |dtx| {
        let mut line = Line::between(Codec::Pcmu, Codec::Opus, Shape { dtx, ..Shape::default() });
        line.voice = vec![0xFF; 160];
        line.runs(calm(500, 0), 10_000);
        line.sent.packets.len()
    };
    assert!(sent(false) >= 498);
    assert!(sent(true) < 60, "{} packets of silence", sent(true));
}

/// What one said is not heard by whom the next one talks to.
#[test]
fn nothing_of_the_talker_before_is_said_after_a_change() {
    let mut line = Line::between(Codec::Pcmu, Codec::G722, Shape::default());
    line.runs(calm(50, 0), 1_000);
    let now = line.started + Duration::from_millis(1_000);
    for n in 50..58 {
        line.arrives(n, 7, now);
    }
    line.leg.source_changed();
    line.voice = vec![0xFF; 160];
    let before = line.sent.packets.len();
    for n in 0..50 {
        let at = now + Duration::from_millis(20 * u64::from(n));
        line.arrives(9_000 + n, 8, at);
        line.sent.now = at + Duration::from_millis(10);
        line.leg.timer(line.sent.now, &mut line.sent, &mut Outbox::default());
    }
    let mut decoder = Decoder::new(Codec::G722, 16_000).unwrap();
    let mut room = [0; PACKET_SAMPLES_MAX];
    assert!(line.sent.packets.len() > before + 40);
    for (n, (_, _, payload)) in line.sent.packets[before..].iter().enumerate() {
        let len = decoder.decode(payload, &mut room).unwrap();
        let peak = room[..len].iter().map(|s| s.unsigned_abs()).max().unwrap();
        assert!(peak < 500, "packet {n}: {peak}");
    }
}

/// MEDIA-05, RFC 3389: comfort noise is heard as noise by who takes none, for as long as the pause lasts.
#[test]
fn comfort_noise_is_made_for_who_takes_none() {
    let mut line = Line::between(Codec::Pcmu, Codec::G722, Shape::default());
    line.runs(calm(50, 0), 1_000);
    let paused = line.started + Duration::from_millis(1_000);
    let header =
        Header { marker: false, payload_type: 13, seq: SeqNo(50), timestamp: RtpTimestamp(8_000), ssrc: 7 };
    let audio = Audio {
        header,
        codec: Codec::Pcmu,
        stream: 0,
        payload_at: 12,
        payload_len: 1,
        describes_silence: false,
    };
    line.leg.hear_voice(TALKER, &audio, true, &[40], paused, 0).unwrap();
    let before = line.sent.packets.len();
    for tick in 1..=1_000 {
        line.sent.now = paused + Duration::from_millis(tick * 5);
        line.leg.timer(line.sent.now, &mut line.sent, &mut Outbox::default());
    }
    let noise = &line.sent.packets[before..];
    assert!(noise.len() >= 249, "{} packets in 5 s", noise.len());
    let mut decoder = Decoder::new(Codec::G722, 16_000).unwrap();
    let mut room = [0; PACKET_SAMPLES_MAX];
    let mut power = 0.0;
    for (_, _, payload) in noise {
        let len = decoder.decode(payload, &mut room).unwrap();
        power = room[..len].iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / len as f64;
    }
    let dbov = 10.0 * (power / 32_767f64.powi(2)).log10();
    assert!((-46.0..-36.0).contains(&dbov), "{dbov:.1} dBov where -40 was wished for");
}

/// MEDIA-05, RFC 3389: who takes comfort noise is told how a pause sounds, about once a second, instead of being sent it.
#[test]
fn who_takes_comfort_noise_is_told_how_a_pause_sounds() {
    let mut line = Line::with_noise(Codec::Opus, Codec::Pcma, Shape::default(), Some(13));
    line.runs(calm(50, 0), 1_000);
    // The talker pauses, and says so every 400 ms by a frame without content.
    line.voice.truncate(1);
    let before = line.sent.packets.len();
    for tick in 0..2_000u32 {
        let now = line.started + Duration::from_millis(1_000 + u64::from(tick) * 5);
        if tick.is_multiple_of(80) {
            line.arrives(50 + tick / 4, 7, now);
        }
        line.sent.now = now;
        line.leg.timer(now, &mut line.sent, &mut Outbox::default());
    }
    let sent = &line.sent.packets[before..];
    let noise = sent.iter().filter(|(_, header, payload)| header.payload_type == 13 && payload.len() == 1);
    assert!(noise.count() >= 5, "{} packets in 10 s", sent.len());
    assert!(sent.len() < 400, "{} packets in 10 s", sent.len());
}

/// MEDIA-05, Annex B: a far end that allows it is told how a pause sounds in two octets, and is sent nothing between; one that does not
/// is sent all of it.
#[test]
fn a_pause_is_left_out_of_g729_only_for_who_allows_it() {
    for dtx in [false, true] {
        let mut line = Line::between(Codec::Pcmu, Codec::G729, Shape { dtx, ..Shape::default() });
        line.voice = vec![0xFF; 160];
        line.runs(calm(500, 0), 10_000);
        let sent = &line.sent.packets;
        let described = sent.iter().filter(|(_, _, payload)| payload.len() % 10 == 2).count();
        match dtx {
            true => assert!(sent.len() < 60 && described > 0, "{described} of {} packets", sent.len()),
            false => assert!(sent.len() >= 498 && described == 0, "{described} of {} packets", sent.len()),
        }
        let time = |n: usize| i64::from(sent[n].1.timestamp.since(sent[0].1.timestamp));
        let passed_ms = sent.last().unwrap().0.since(sent[0].0).as_millis() as i64;
        assert!((time(sent.len() - 1) / 8 - passed_ms).abs() <= 20, "time goes on while nothing is sent");
    }
}

/// MEDIA-05, Annex B: what a talker leaves out is sent on as the noise it described, for as long as it is silent.
#[test]
fn a_described_pause_is_heard_as_noise_by_who_takes_another_codec() {
    let mut line = Line::between(Codec::G729, Codec::Pcma, Shape::default());
    line.runs(calm(50, 0), 1_000);
    let before = line.sent.packets.len();
    // Energy 8 of 31, nothing more for four seconds.
    line.voice = vec![0, 8 << 1];
    line.arrives(50, 7, line.started + Duration::from_millis(1_000));
    for tick in 1..=800 {
        line.sent.now = line.started + Duration::from_millis(1_000 + tick * 5);
        line.leg.timer(line.sent.now, &mut line.sent, &mut Outbox::default());
    }
    let noise = &line.sent.packets[before..];
    assert!(noise.len() >= 199, "{} packets in 4 s", noise.len());
    for (n, (_, _, payload)) in noise.iter().enumerate().skip(5) {
        let peak =
            payload.iter().map(|code| crate::codec::g711::decode_a(*code).unsigned_abs()).max().unwrap();
        assert!((10..2_000).contains(&peak), "packet {n}: {peak}");
    }
    assert_eq!(line.playout().lost, 0, "a pause is no loss");
}

/// RFC 7261: a talker's description of silence does not reach a far end that did not agree to it; before it, and for those who did,
/// G.729 passes as it comes.
#[test]
fn g729_passes_as_it_comes_until_silence_is_described_to_who_wants_it_sent() {
    for (dtx, way) in [(true, Way::InPlace), (false, Way::Transcoded)] {
        let line = Line::between(Codec::G729, Codec::G729, Shape { dtx, ..Shape::default() });
        assert_eq!(line.leg.way(Codec::G729, false), Way::InPlace);
        assert_eq!(line.leg.way(Codec::G729, true), way);
    }
    let mut line = Line::between(Codec::G729, Codec::G729, Shape::default());
    line.voice = vec![0, 14 << 1];
    line.runs(calm(100, 0), 2_000);
    assert!(line.sent.packets.len() >= 98);
    assert!(line.sent.packets.iter().all(|(_, _, payload)| payload.len() == 20));
}
