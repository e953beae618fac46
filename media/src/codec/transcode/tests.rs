use super::*;
use crate::codec::g711;

fn format(codec: Codec, ptime_ms: u8) -> Format {
    let payload_type = match codec {
        Codec::Pcmu => 0,
        Codec::Pcma => 8,
        Codec::Opus => 111,
    };
    Format { payload_type, codec, ptime_ms }
}

/// A talker with a tone, packet by packet.
struct Talker {
    codec: Codec,
    ptime_ms: usize,
    hz: f64,
    encoder: Encoder,
    seq: u16,
    timestamp: u32,
    samples: usize,
}

impl Talker {
    fn new(codec: Codec, ptime_ms: usize, hz: f64) -> Self {
        // Numbers begin near their end: every test goes through the wrap.
        let encoder = Encoder::new(codec, 8_000).unwrap();
        Self { codec, ptime_ms, hz, encoder, seq: 65_530, timestamp: u32::MAX - 3_000, samples: 0 }
    }
    fn say(&mut self) -> (u16, u32, Vec<u8>) {
        let pcm: Vec<i16> = (0..self.ptime_ms * 8)
            .map(|i| {
                let t = (self.samples + i) as f64 / 8_000.0;
                ((t * self.hz * std::f64::consts::TAU).sin() * 8_000.0) as i16
            })
            .collect();
        self.samples += pcm.len();
        let mut payload = vec![0; 1_400];
        let n = self.encoder.encode(&pcm, &mut payload).unwrap();
        payload.truncate(n);
        let said = (self.seq, self.timestamp, payload);
        self.seq = self.seq.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(self.ptime_ms as u32 * self.codec.clock_hz() / 1000);
        said
    }
}

/// A listener who plays what it gets by timestamp.
struct Listener {
    decoder: Decoder,
    pcm: Vec<i16>,
    /// Position in the listener's clock.
    ticks: u64,
    markers: usize,
    packets: Vec<u32>,
    octets: usize,
}

impl Listener {
    fn new(codec: Codec) -> Self {
        let decoder = Decoder::new(codec, 8_000).unwrap();
        Self { decoder, pcm: vec![], ticks: 0, markers: 0, packets: vec![], octets: 0 }
    }
    fn hear(&mut self, packet: Encoded<'_>, clock: u32) {
        self.ticks += u64::from(packet.skipped);
        self.pcm.resize((self.ticks * 8_000 / u64::from(clock)) as usize, 0);
        let mut pcm = [0; PACKET_SAMPLES_MAX];
        let n = self.decoder.decode(packet.payload, &mut pcm).unwrap();
        self.pcm.extend(&pcm[..n]);
        self.ticks += u64::from(packet.duration);
        self.markers += usize::from(packet.marker);
        self.packets.push(packet.duration);
        self.octets += packet.payload.len();
        assert_eq!(
            self.pcm.len() as u64,
            self.ticks * 8_000 / u64::from(clock),
            "duration is what the payload lasts"
        );
    }
}

fn push(t: &mut Transcoder, l: &mut Listener, said: &(u16, u32, Vec<u8>)) {
    let clock = t.to().codec.clock_hz();
    t.push(Packet { seq: said.0, timestamp: said.1, payload: &said.2 }, &mut |p| l.hear(p, clock));
}

/// Power of one frequency against all, 0 to 1.
fn purity(pcm: &[i16], hz: f64) -> f64 {
    let (mut re, mut im, mut all) = (0.0, 0.0, 0.0);
    for (i, s) in pcm.iter().enumerate() {
        let (s, angle) = (f64::from(*s), hz * std::f64::consts::TAU * i as f64 / 8_000.0);
        re += s * angle.cos();
        im += s * angle.sin();
        all += s * s;
    }
    2.0 * (re * re + im * im) / pcm.len() as f64 / all.max(1.0)
}

const CODECS: [Codec; 3] = [Codec::Pcmu, Codec::Pcma, Codec::Opus];

#[test]
fn a_tone_crosses_between_any_two_codecs_and_packet_times() {
    for from in CODECS {
        for to in CODECS {
            for (ptime_in, ptime_out) in [(20, 20), (10, 20), (60, 20), (20, 60), (20, 10), (40, 20)] {
                let mut talker = Talker::new(from, ptime_in, 440.0);
                let mut listener = Listener::new(to);
                let mut t = Transcoder::new(format(from, ptime_in as u8), format(to, ptime_out)).unwrap();
                for _ in 0..(1_200 / ptime_in) {
                    push(&mut t, &mut listener, &talker.say());
                }
                let expected = u32::from(ptime_out) * to.clock_hz() / 1000;
                assert!(listener.packets.iter().all(|d| *d == expected));
                assert_eq!(listener.pcm.len(), 9_600, "{from:?} {ptime_in} ms to {to:?} {ptime_out} ms");
                assert_eq!(listener.markers, 1, "one talkspurt, one marker");
                assert_eq!(t.counts().decoded, 1_200 / ptime_in as u64);
                assert_eq!(t.counts().concealed_ms, 0);
                let pure = purity(&listener.pcm[1_600..], 440.0);
                assert!(pure > 0.97, "{from:?} {ptime_in} ms to {to:?} {ptime_out} ms: {pure:.3}");
            }
        }
    }
}

#[test]
fn thirty_ms_packets_become_twenty() {
    let mut talker = Talker::new(Codec::Pcma, 30, 500.0);
    let mut listener = Listener::new(Codec::Opus);
    let mut t = Transcoder::new(format(Codec::Pcma, 30), format(Codec::Opus, 20)).unwrap();
    for _ in 0..20 {
        push(&mut t, &mut listener, &talker.say());
    }
    assert_eq!(listener.packets, vec![960; 30]);
}

#[test]
fn a_lost_packet_is_concealed_and_time_goes_on() {
    for from in CODECS {
        let mut talker = Talker::new(from, 20, 300.0);
        let mut listener = Listener::new(Codec::Pcmu);
        let mut t = Transcoder::new(format(from, 20), format(Codec::Pcmu, 20)).unwrap();
        for i in 0..100 {
            let said = talker.say();
            // Every tenth is lost.
            if i % 10 != 9 || i == 99 {
                push(&mut t, &mut listener, &said);
            }
        }
        assert_eq!(listener.pcm.len(), 16_000, "{from:?}: no time is lost");
        assert_eq!(t.counts().concealed_ms, 9 * 20);
        let pure = purity(&listener.pcm[1_600..], 300.0);
        assert!(pure > 0.85, "{from:?}: concealment keeps the tone, {pure:.3}");
    }
}

#[test]
fn a_long_hole_is_60_ms_of_invention_and_then_silence() {
    let mut talker = Talker::new(Codec::Pcma, 20, 300.0);
    let mut listener = Listener::new(Codec::Opus);
    let mut t = Transcoder::new(format(Codec::Pcma, 20), format(Codec::Opus, 20)).unwrap();
    for i in 0..60 {
        let said = talker.say();
        if !(20..40).contains(&i) {
            push(&mut t, &mut listener, &said);
        }
    }
    assert_eq!(t.counts().concealed_ms, 60);
    assert_eq!(listener.pcm.len(), 60 * 160, "the hole keeps its length");
    assert_eq!(listener.packets.len(), 43, "but is not sent as packets");
    assert_eq!(listener.markers, 2, "sound after silence is a talkspurt");
}

#[test]
fn silence_suppression_is_handed_on_as_a_jump_in_time() {
    let mut talker = Talker::new(Codec::Pcmu, 20, 300.0);
    let mut listener = Listener::new(Codec::Opus);
    let mut t = Transcoder::new(format(Codec::Pcmu, 20), format(Codec::Opus, 20)).unwrap();
    push(&mut t, &mut listener, &talker.say());
    talker.timestamp = talker.timestamp.wrapping_add(8_000);
    push(&mut t, &mut listener, &talker.say());
    assert_eq!(t.counts().concealed_ms, 0, "nothing was lost");
    assert_eq!((listener.packets.len(), listener.markers), (2, 2));
    assert_eq!(listener.ticks, 960 + 48_000 + 960);
}

#[test]
fn overtaken_and_repeated_packets_change_nothing() {
    for from in CODECS {
        let mut talker = Talker::new(from, 20, 400.0);
        let mut listener = Listener::new(Codec::Pcma);
        let mut t = Transcoder::new(format(from, 20), format(Codec::Pcma, 20)).unwrap();
        let said: Vec<_> = (0..60).map(|_| talker.say()).collect();
        for group in said.chunks(3) {
            push(&mut t, &mut listener, &group[0]);
            push(&mut t, &mut listener, &group[2]);
            push(&mut t, &mut listener, &group[1]);
            push(&mut t, &mut listener, &group[2]);
        }
        assert_eq!(t.counts().late, 40);
        assert_eq!(listener.pcm.len(), 60 * 160);
    }
}

#[test]
fn a_restarted_stream_is_taken_up_at_once() {
    let mut talker = Talker::new(Codec::Pcmu, 20, 400.0);
    let mut listener = Listener::new(Codec::Pcma);
    let mut t = Transcoder::new(format(Codec::Pcmu, 20), format(Codec::Pcma, 20)).unwrap();
    for _ in 0..5 {
        push(&mut t, &mut listener, &talker.say());
    }
    (talker.seq, talker.timestamp) = (20_000, 77);
    for _ in 0..5 {
        push(&mut t, &mut listener, &talker.say());
    }
    assert_eq!(listener.packets.len(), 10);
    assert_eq!(listener.ticks, 10 * 160, "no silence is made up between");
    t.reset();
    (talker.seq, talker.timestamp) = (3, 9_000_000);
    push(&mut t, &mut listener, &talker.say());
    assert_eq!(listener.packets.len(), 11);
}

#[test]
fn what_is_no_payload_is_counted_and_skipped() {
    for codec in CODECS {
        let mut t = Transcoder::new(format(codec, 20), format(Codec::Pcmu, 20)).unwrap();
        let mut calls = 0;
        t.push(Packet { seq: 1, timestamp: 0, payload: &[] }, &mut |_| calls += 1);
        t.push(Packet { seq: 2, timestamp: 0, payload: &[0xFF; 1_400] }, &mut |_| calls += 1);
        assert_eq!((calls, t.counts().broken), (0, 2), "{codec:?}");
    }
}

#[test]
fn a_packet_time_out_of_range_is_refused() {
    let refused = Transcoder::new(format(Codec::Pcmu, 20), format(Codec::Pcma, 5)).err();
    assert_eq!(refused, Some(CodecError::PacketTime(5)));
    assert!(Transcoder::new(format(Codec::Pcmu, 20), format(Codec::Opus, 30)).is_ok());
}

/// WRTC-01 and PERF-01 count Ethernet with preamble: 8 + 14 + 4, IPv4 20, UDP 8, RTP 12, an AES-GCM tag 16.
#[test]
fn opus_to_a_browser_stays_within_60_kbit_on_the_wire() {
    let mut t = Transcoder::new(format(Codec::Pcma, 20), format(Codec::Opus, 20)).unwrap();
    let (mut octets, mut packets, mut state) = (0, 0, 1u32);
    for n in 0..500u16 {
        // Loud noise with a beat in it: dearer than any speech.
        let payload: Vec<u8> = (0..160)
            .map(|i| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let beat = if (usize::from(n) * 160 + i) % 4_000 < 2_000 { 4 } else { 40 };
                g711::encode_a((state >> 16) as i16 / beat)
            })
            .collect();
        t.push(Packet { seq: n, timestamp: u32::from(n) * 160, payload: &payload }, &mut |p| {
            octets += p.payload.len() + 8 + 14 + 4 + 20 + 8 + 12 + 16;
            packets += 1;
        });
    }
    let kbit = octets as f64 * 8.0 / (f64::from(packets) * 0.02) / 1000.0;
    assert!((45.0..60.0).contains(&kbit), "{kbit:.1} kbit/s");
}

/// Against a copy of the packet before, invention alone loses: the copy must be used where a packet carries one.
#[test]
fn the_copy_in_the_next_opus_packet_fills_the_hole() {
    let mut encoder = Encoder::new(Codec::Opus, 8_000).unwrap();
    let mut packets = vec![];
    let mut pcm_in = vec![];
    for n in 0..150 {
        // A voice-like buzz whose pitch moves, so that repeating the past is wrong.
        let pcm: Vec<i16> = (0..160)
            .map(|i| {
                let t = (n * 160 + i) as f64 / 8_000.0;
                let phase = 120.0 * t + 25.0 * (t * 9.0).sin();
                (1..12)
                    .map(|h| (phase * f64::from(h) * std::f64::consts::TAU).sin() * 5_000.0 / f64::from(h))
                    .sum::<f64>() as i16
            })
            .collect();
        let mut packet = vec![0; 400];
        let len = encoder.encode(&pcm, &mut packet).unwrap();
        packet.truncate(len);
        packets.push(packet);
        pcm_in.push(pcm);
    }
    let error = |use_copy: bool| {
        let (mut whole, mut holed) =
            (Decoder::new(Codec::Opus, 8_000).unwrap(), Decoder::new(Codec::Opus, 8_000).unwrap());
        let (mut a, mut b, mut sum) = ([0i16; 160], [0i16; 160], 0.0);
        for i in 0..149 {
            whole.decode(&packets[i], &mut a).unwrap();
            if i % 10 == 9 {
                holed.conceal(use_copy.then(|| &packets[i + 1][..]), &mut b);
                sum += a.iter().zip(&b).map(|(x, y)| (f64::from(*x) - f64::from(*y)).powi(2)).sum::<f64>();
            } else {
                holed.decode(&packets[i], &mut b).unwrap();
            }
        }
        sum
    };
    let (with, without) = (error(true), error(false));
    assert!(with < without * 0.7, "with the copy {with:.0}, without {without:.0}");
}

proptest::proptest! {
    /// Bytes from the network never panic, and never make more audio than time has passed.
    #[test]
    fn whatever_arrives_is_borne(
        packets in proptest::collection::vec(
            (0u16.., 0u32.., proptest::collection::vec(0u8.., 0..1_400), proptest::bool::ANY), 0..40,
        ),
        from in 0usize..3, to in 0usize..3, ptime in 10u8..=60,
    ) {
        let mut t = Transcoder::new(format(CODECS[from], 20), format(CODECS[to], ptime)).unwrap();
        let (mut seq, mut timestamp, mut sent_ms) = (0u16, 0u32, 0u64);
        let clock = u64::from(CODECS[to].clock_hz());
        for (jump, ticks, payload, in_order) in &packets {
            // Half of the packets are nearly in order, so that holes are bridged too.
            (seq, timestamp) = if *in_order { (seq.wrapping_add(1 + jump % 4), timestamp.wrapping_add(ticks % 3_000)) } else { (*jump, *ticks) };
            t.push(Packet { seq, timestamp, payload }, &mut |p| sent_ms += u64::from(p.duration) * 1000 / clock);
        }
        // A packet is 120 ms at most, its concealment 60 ms, and a filled-up rest 60 ms.
        proptest::prop_assert!(sent_ms <= packets.len() as u64 * 240);
    }
}
