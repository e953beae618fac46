//! What decoders do with payloads that no encoder made.

use media::codec::comfort::NoiseMaker;
use media::codec::g722::G722Decoder;
use media::codec::{Decoder, PACKET_SAMPLES_MAX};
use media::jitter::{Kind, Meta, Player};
use model::media::Codec;

use crate::pieces;

/// Opus: as many samples as were promised, never more than 120 ms. How a piece comes: bit 0: it was lost, and is what its
/// predecessor is rebuilt from; bit 1: the decoder forgets before.
pub(super) fn opus(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else { return };
    let rate = [8_000, 16_000, 48_000][usize::from(first % 3)];
    let mut decoder = Decoder::new(Codec::Opus, rate).expect("a rate of Opus");
    let mut out = vec![0; PACKET_SAMPLES_MAX];
    for (how, octets) in pieces(rest) {
        if how & 2 != 0 {
            decoder.reset();
        }
        if how & 1 != 0 {
            let hole = (usize::from(how) * 7).min(out.len());
            decoder.conceal(Some(octets), &mut out[..hole]);
            continue;
        }
        let promised = decoder.samples_in(octets);
        let given = decoder.decode(octets, &mut out);
        assert!(given.is_none_or(|given| Some(given) == promised), "{given:?} of {promised:?}");
        assert!(given.is_none_or(|given| given <= rate as usize * 120 / 1000));
    }
}

/// G.722: two samples an octet, as far as there is room. How a piece comes: the room is that many times ten samples.
pub(super) fn g722(input: &[u8]) {
    let mut decoder = G722Decoder::default();
    let mut out = vec![0; 2_560];
    for (how, octets) in pieces(input) {
        let room = usize::from(how) * 10;
        if octets.is_empty() {
            decoder.conceal(&mut out[..room]);
            continue;
        }
        let given = decoder.decode(octets, &mut out[..room]);
        assert_eq!(given, (2 * octets.len()).min(room / 2 * 2));
    }
}

/// G.729: any payload is frames or none, and any frames decode. How a piece comes: bits 0-2: so many frames were lost before it;
/// bit 3: the decoder is a new one; bit 4: nothing was sent before it.
pub(super) fn g729(input: &[u8]) {
    let mut decoder = g729::Decoder::new();
    let mut out = [0; g729::SAMPLES];
    for (how, octets) in pieces(input) {
        if how & 8 != 0 {
            decoder = g729::Decoder::new();
        }
        if how & 16 != 0 {
            decoder.decode(g729::Frame::Untransmitted, &mut out);
        }
        for _ in 0..how & 7 {
            decoder.decode(g729::Frame::Erased, &mut out);
        }
        let Some(frames) = g729::frame::frames(octets) else { continue };
        let mut copy = decoder.clone();
        assert_eq!(frames.clone().count(), octets.len().div_ceil(g729::frame::SPEECH_OCTETS));
        for frame in frames.clone() {
            decoder.decode(frame, &mut out);
        }
        let mut again = [0; g729::SAMPLES];
        frames.for_each(|frame| copy.decode(frame, &mut again));
        assert!(octets.is_empty() || out == again, "a copy of a decoder decodes alike");
    }
}

/// G.729's encoder: any samples are frames that decode. How a piece comes: bit 0: the encoder is a new one; bit 1: that one says
/// when nobody speaks; bits 2-5: so many frames are made of the octets, over and over.
pub(super) fn g729_encode(input: &[u8]) {
    let mut encoder = g729::Encoder::new(false);
    let mut silence = false;
    let mut decoder = g729::Decoder::new();
    let mut heard = [0; g729::SAMPLES];
    for (how, octets) in pieces(input) {
        if how & 1 != 0 {
            silence = how & 2 != 0;
            encoder = g729::Encoder::new(silence);
        }
        let mut samples = octets.as_chunks::<2>().0.iter().map(|pair| i16::from_le_bytes(*pair)).cycle();
        for _ in 0..how >> 2 & 15 {
            let frame = std::array::from_fn(|_| samples.next().unwrap_or(0));
            let mut out = [0; g729::frame::SPEECH_OCTETS];
            let length = encoder.encode(&frame, &mut out);
            assert!(length == 10 || silence && matches!(length, 0 | 2), "{length} octets");
            let frame = g729::Frame::from_octets(&out[..length]).expect("what an encoder makes is a frame");
            if let g729::Frame::Speech(speech) = frame {
                assert!(speech.parity_holds());
            }
            decoder.decode(frame, &mut heard);
        }
    }
}

/// Comfort noise (RFC 3389) is never louder than it says: a filter that is not stable would be heard by everybody.
pub(super) fn comfort_noise(input: &[u8]) {
    let mut maker = NoiseMaker::new(3);
    let mut out = [0; 480];
    for (how, octets) in pieces(input) {
        assert_eq!(maker.wish(octets), !octets.is_empty());
        maker.fill(&mut out[..usize::from(how)]);
        // A sharp filter rings when the level falls, and has to be still after a second.
        for _ in 0..17 {
            maker.fill(&mut out);
        }
        let Some(level) = octets.first() else { continue };
        let loudest = out.iter().map(|sample| f32::from(*sample).abs()).fold(0.0, f32::max);
        let rms = 32_768.0 * 10f32.powf(-f32::from(level & 0x7F) / 20.0);
        assert!(loudest <= rms * 30.0 + 2.0, "{loudest} at an rms of {rms}");
    }
}

/// Playout: whatever packets come when, frames go out, and every packet is accounted for. The first octet chooses the codec.
/// How a piece comes: bits 0-3 milliseconds times five that passed, bits 4-5 kind. The piece: SSRC (1), number (2),
/// timestamp (4), payload.
pub(super) fn playout(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else { return };
    let (codec, rate) = [
        (Codec::Pcmu, 8_000),
        (Codec::Pcma, 8_000),
        (Codec::Opus, 48_000),
        (Codec::Opus, 16_000),
        (Codec::G729, 8_000),
        (Codec::G722, 16_000),
    ][usize::from(first % 6)];
    let mut player = Player::new(codec, rate).expect("a rate of the codec");
    let mut out = vec![0; rate as usize / 50];
    let mut now_us = 1_000_000;
    let mut next_frame_us = now_us;
    for (how, octets) in pieces(rest) {
        now_us += u64::from(how & 15) * 5_000;
        while next_frame_us <= now_us {
            player.take(next_frame_us, &mut out);
            next_frame_us += 20_000;
        }
        let Some(([ssrc, s0, s1, t0, t1, t2, t3], payload)) = octets.split_first_chunk::<7>() else {
            continue;
        };
        let meta = Meta {
            held_us: u32::from(how >> 6) * 40_000,
            ssrc: u32::from(*ssrc),
            seq: u16::from_be_bytes([*s0, *s1]),
            timestamp: u32::from_be_bytes([*t0, *t1, *t2, *t3]),
            kind: [Kind::Audio, Kind::Noise, Kind::Event, Kind::Audio][usize::from(how >> 4 & 3)],
        };
        player.put(meta, payload, now_us);
        let waited = player.waited_us(now_us);
        assert!(waited.is_none_or(|waited| waited.abs() < 3_600_000_000), "{waited:?}");
    }
}
