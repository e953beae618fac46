use proptest::prelude::*;

use super::*;
use crate::codec::{Decoder, Encoded, Encoder, Recoder, Shape, packet_ms};
use crate::control::Format;
use model::media::Codec;

fn format(ptime_ms: u8) -> Format {
    Format { payload_type: 18, codec: Codec::G729, ptime_ms }
}

/// What somebody says who pauses: a buzz whose pitch moves for a second, then a faint noise for a second.
fn talk(seconds: usize) -> Vec<i16> {
    let mut state = 1u32;
    let sample = |n: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if n / 8_000 % 2 == 1 {
            return (state >> 16) as i16 / 1_200;
        }
        let t = n as f64 / 8_000.0;
        let phase = (130.0 * t + 6.0 * (t * 5.0).sin()) * std::f64::consts::TAU;
        (1..14).map(|h| (phase * f64::from(h)).sin() * 4_000.0 / f64::from(h)).sum::<f64>() as i16
    };
    (0..seconds * 8_000).map(sample).collect()
}

fn level_db(samples: &[i16]) -> f64 {
    let power = samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / samples.len().max(1) as f64;
    10.0 * power.max(1e-3).log10()
}

/// Packets as they would be sent, and how long each lasts in ticks; what is left out is empty.
fn packets(samples: &[i16], ptime_ms: u8, leaves_out: bool) -> Vec<(Vec<u8>, u32)> {
    let shape = Shape { dtx: leaves_out, ..Shape::default() };
    let mut recoder = Recoder::new(8_000, 8_000, format(ptime_ms), &shape).unwrap();
    let mut all = Vec::new();
    for frame in samples.chunks(160) {
        recoder.push(frame, &mut |Encoded { payload, duration }| all.push((payload.to_vec(), duration)));
    }
    all
}

/// MEDIA-05: what was said is heard as loud as it was, whatever the packet time; packets are whole frames of 10 ms.
#[test]
fn a_voice_is_as_loud_behind_the_codec_as_before_it() {
    let said = talk(1);
    for ptime_ms in [10, 15, 20, 30, 40, 50, 60] {
        let mut decoder = G729Decoder::default();
        let mut heard = Vec::new();
        for (payload, ticks) in packets(&said, ptime_ms, false) {
            assert_eq!(payload.len(), usize::from(packet_ms(Codec::G729, ptime_ms)));
            let mut room = vec![0; G729Decoder::samples_in(&payload).unwrap()];
            assert_eq!(decoder.decode(&payload, &mut room), Some(ticks as usize));
            heard.extend(room);
        }
        let off = level_db(&heard[800..]) - level_db(&said[800..]);
        assert!(off.abs() < 1.0, "{ptime_ms} ms: {off:.2} dB");
    }
}

/// MEDIA-05: Annex B: a pause is described once and now and then, and sent as nothing between; time goes on by what is left out.
#[test]
fn a_pause_is_described_and_left_out_where_the_far_end_allows_it() {
    let said = talk(4);
    for ptime_ms in [10, 20, 30, 60] {
        let all = packets(&said, ptime_ms, true);
        let ticks: u32 = all.iter().map(|(_, ticks)| ticks).sum();
        assert!(32_000 - ticks < 480, "{ptime_ms} ms: {ticks} ticks of 32000");
        let described = all.iter().filter(|(payload, _)| describes_silence(payload)).count();
        let left_out = all.iter().filter(|(payload, _)| payload.is_empty()).count();
        assert!((2..60).contains(&described), "{ptime_ms} ms: {described} descriptions in two pauses");
        assert!(left_out > 80, "{ptime_ms} ms: {left_out} frames of 200 left out");
        for (payload, ticks) in all.iter().filter(|(payload, _)| !payload.is_empty()) {
            assert_eq!(
                payload.len().div_ceil(10),
                *ticks as usize / 80,
                "a packet lasts as long as its frames"
            );
        }
        let speech: usize = all.iter().map(|(payload, _)| payload.len() / 10).sum();
        assert!((200..320).contains(&speech), "{speech} frames of speech in two seconds of it");
    }
}

/// MEDIA-05: `annexb=no`: every frame is sent.
#[test]
fn silence_is_sent_to_those_who_want_it() {
    for (payload, ticks) in packets(&talk(4), 20, false) {
        assert_eq!((payload.len(), ticks), (20, 160));
    }
}

/// MEDIA-05: what a talker left out sounds like the room it was described as, and speech after it as speech.
#[test]
fn what_was_left_out_is_heard_as_the_noise_of_the_room() {
    let said = talk(4);
    let mut decoder = Decoder::new(Codec::G729, 8_000).unwrap();
    let mut heard = Vec::new();
    for (payload, ticks) in packets(&said, 20, true) {
        let from = heard.len();
        heard.resize(from + ticks as usize, 0);
        match payload.is_empty() {
            true => decoder.conceal(None, &mut heard[from..]),
            false => assert_eq!(decoder.decode(&payload, &mut heard[from..]), Some(ticks as usize)),
        }
    }
    for (what, span, least, most) in [
        ("speech", 1_000..8_000, -1.5, 1.5),
        ("pause", 11_000..15_500, -6.0, 3.0),
        ("speech again", 17_000..24_000, -1.5, 1.5),
        ("pause again", 27_000..31_500, -6.0, 3.0),
    ] {
        let off = level_db(&heard[span.clone()]) - level_db(&said[span]);
        assert!((least..most).contains(&off), "{what}: {off:.1} dB");
    }
}

/// MEDIA-05, MEDIA-06: a lost packet is replaced by something nearer to what was said than silence is; nothing gets louder by it.
#[test]
fn a_loss_is_concealed() {
    // Forty losses in eight words: with the four of one word chance decides, and each choice of an encoder.
    let said = talk(16);
    let (mut whole, mut holed) = (G729Decoder::default(), G729Decoder::default());
    let (mut left, mut all, mut loudest) = (0.0, 0.0, 0u16);
    let mut peak = 0u16;
    for (n, (payload, _)) in packets(&said, 20, false).into_iter().enumerate() {
        let (mut a, mut b) = ([0i16; 160], [0i16; 160]);
        whole.decode(&payload, &mut a).unwrap();
        match n % 12 == 11 {
            true => {
                holed.conceal(&mut b);
                let square = |(x, y): (&i16, &i16)| (f64::from(*x) - f64::from(*y)).powi(2);
                left += a.iter().zip(&b).map(square).sum::<f64>();
                all += a.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
            }
            false => _ = holed.decode(&payload, &mut b).unwrap(),
        }
        peak = a.iter().map(|s| s.unsigned_abs()).max().unwrap().max(peak);
        loudest = b.iter().map(|s| s.unsigned_abs()).max().unwrap().max(loudest);
    }
    assert!(left < all * 0.8, "what is wrong has {:.2} of the power of what was lost", left / all);
    assert!(loudest < peak / 2 * 3, "{loudest} where the loudest was {peak}");
}

#[test]
fn an_invention_of_any_lengths_is_the_same_as_of_one() {
    let mut decoder = G729Decoder::default();
    for (payload, _) in packets(&talk(1), 20, true) {
        decoder.decode(&payload, &mut [0; 160]).unwrap();
    }
    let (mut at_once, mut in_pieces) = ([0i16; 480], [0i16; 480]);
    decoder.clone().conceal(&mut at_once);
    let (mut decoder, mut from) = (decoder, 0);
    for len in [117, 43, 1, 79, 80, 100, 60] {
        decoder.conceal(&mut in_pieces[from..from + len]);
        from += len;
    }
    assert_eq!(at_once, in_pieces);
    assert!(at_once.iter().any(|s| *s != 0));
}

/// Another talker is heard as if nobody had spoken before; so is the next one who is encoded.
#[test]
fn after_a_reset_nothing_of_before_is_left() {
    let said = talk(2);
    let new = || Encoder::shaped(Codec::G729, 8_000, &Shape { dtx: true, ..Shape::default() }).unwrap();
    let run = |encoder: &mut Encoder, decoder: &mut Decoder| {
        let (mut room, mut octets) = ([0; 80], [0; 10]);
        let mut heard = Vec::new();
        for frame in said.chunks(80) {
            let len = encoder.encode(frame, &mut octets).unwrap();
            match len {
                0 => decoder.conceal(None, &mut room),
                _ => _ = decoder.decode(&octets[..len], &mut room).unwrap(),
            }
            heard.extend(room);
        }
        heard
    };
    let (mut encoder, mut decoder) = (new(), Decoder::new(Codec::G729, 8_000).unwrap());
    let first = run(&mut encoder, &mut decoder);
    encoder.reset();
    decoder.reset();
    assert!(first == run(&mut encoder, &mut decoder), "samples differ after a reset");
}

/// MEDIA-11: a muted talker is silent within 40 ms, whatever was said before.
#[test]
fn a_muted_talker_falls_silent() {
    let mut decoder = G729Decoder::default();
    let mut room = [0; 160];
    for (payload, _) in packets(&talk(1), 20, false) {
        decoder.decode(&payload, &mut room).unwrap();
    }
    for n in 0..50 {
        let mut payload = [7u8; 20];
        silence(&mut payload);
        decoder.decode(&payload, &mut room).unwrap();
        let peak = room.iter().map(|s| s.unsigned_abs()).max().unwrap();
        assert!(n < 2 || peak < 300, "packet {n}: {peak}");
        assert!(n < 10 || peak < 40, "packet {n}: {peak}");
    }
    let mut payload = [9u8; 12];
    silence(&mut payload);
    assert!(describes_silence(&payload), "a pause stays one");
    decoder.decode(&payload, &mut room).unwrap();
    decoder.conceal(&mut room);
    assert!(room.iter().all(|s| s.abs() < 40), "{room:?}");
}

/// What [`Encoder`] and [`Decoder`] say of their memory.
#[test]
fn the_state_of_a_direction_is_small() {
    let (encoder, decoder) = (size_of::<G729Encoder>(), size_of::<G729Decoder>());
    assert!(encoder <= 3_072 && decoder <= 3_072, "{encoder} and {decoder} octets");
}

#[test]
fn lengths_that_are_no_frames_are_refused() {
    let mut decoder = Decoder::new(Codec::G729, 8_000).unwrap();
    for len in [1, 3, 9, 11, 13, 24, 133] {
        assert_eq!(decoder.decode(&vec![0; len], &mut [0; 1_920]), None, "{len} octets");
    }
    assert_eq!(decoder.samples_in(&[]), None, "nothing is no packet");
    assert_eq!(decoder.samples_in(&[0; 130]), None, "130 ms");
    assert_eq!(decoder.samples_in(&[0; 12]), Some(160));
    assert!(Decoder::new(Codec::G729, 16_000).is_err());
    let mut encoder = Encoder::new(Codec::G729, 8_000).unwrap();
    assert_eq!(encoder.encode(&[0; 79], &mut [0; 20]), None);
    assert_eq!(encoder.encode(&[0; 160], &mut [0; 19]), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Any octets, and holes between them, decode to as many samples as was said.
    #[test]
    fn any_payload_decodes(
        payloads in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..70), 0usize..200), 1..8),
    ) {
        let mut decoder = Decoder::new(Codec::G729, 8_000).unwrap();
        let mut room = [0; 960];
        for (payload, hole) in payloads {
            let wanted = decoder.samples_in(&payload);
            prop_assert_eq!(decoder.decode(&payload, &mut room), wanted);
            decoder.conceal(None, &mut room[..hole]);
        }
    }
}
