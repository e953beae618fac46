//! Silence in place: a muted leg's packets go on, without its words.
//!
//! Stopping the stream instead would trip the media time-outs of far ends, and let NAT bindings close.

use model::media::Codec;

use crate::codec::g729;

/// One frame of 20 ms without sound, as libopus codes digital silence in CELT.
const OPUS_SILENT_FRAME: [u8; 2] = [0xFF, 0xFE];

/// The smallest step up in both bands of G.722 is 0xFF, which adaptation takes to nothing within some milliseconds.
const G722_SILENT: u8 = 0xFF;

/// Replaces the payload at the front of `room` (its length is `len`) by silence of the same duration; returns its new length.
pub fn silence(codec: Codec, room: &mut [u8], len: usize) -> usize {
    match codec {
        Codec::Pcmu | Codec::Pcma => {
            // The codes for zero: 0xFF in mu-law, 0xD5 in A-law (G.711, even bits inverted).
            let zero = if codec == Codec::Pcmu { 0xFF } else { 0xD5 };
            if let Some(payload) = room.get_mut(..len) {
                payload.fill(zero);
            }
            len
        }
        Codec::G722 => {
            if let Some(payload) = room.get_mut(..len) {
                payload.fill(G722_SILENT);
            }
            len
        }
        Codec::G729 => {
            if let Some(payload) = room.get_mut(..len) {
                g729::silence(payload);
            }
            len
        }
        Codec::Opus => {
            let halves = opus_quarters(room.get(..len).unwrap_or_default()) / 4;
            // 10 ms: one frame of configuration 30; else so many frames of 20 ms, configuration 31, code 3 (RFC 6716 §3.2.5).
            let mut silent = [0u8; 14];
            let frames = (halves / 2).clamp(1, 6);
            let new = if halves == 1 {
                silent[0] = 30 << 3;
                silent[1..3].copy_from_slice(&OPUS_SILENT_FRAME);
                3
            } else {
                silent[0] = 31 << 3 | 3;
                silent[1] = frames as u8;
                for frame in 0..frames {
                    silent[2 + 2 * frame..4 + 2 * frame].copy_from_slice(&OPUS_SILENT_FRAME);
                }
                2 + 2 * frames
            };
            match room.get_mut(..new) {
                Some(payload) => {
                    payload.copy_from_slice(&silent[..new]);
                    new
                }
                None => 0,
            }
        }
    }
}

/// How long an Opus packet lasts, in quarters of 10 ms (RFC 6716 §3.1).
fn opus_quarters(payload: &[u8]) -> usize {
    let Some(toc) = payload.first() else { return 0 };
    let config = usize::from(toc >> 3);
    let frame = match config {
        0..12 => [4, 8, 16, 24][config & 3],
        12..16 => [4, 8][config & 1],
        _ => [1, 2, 4, 8][config & 3],
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => payload.get(1).map_or(0, |count| usize::from(count & 0x3F)),
    };
    frame * frames
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_muted_opus_talker_is_silent_for_as_long_as_the_packet_was() {
        for (toc, ms) in
            [(0b1111_0000u8, 10), (0b1111_1000, 20), (0b1111_1001, 40), (0b0001_1000, 60), (8, 20)]
        {
            let mut room = [0u8; 40];
            room[0] = toc;
            let len = silence(Codec::Opus, &mut room, 20);
            let mut decoder = opus::Decoder::new(48_000, opus::Channels::Mono).unwrap();
            let mut samples = [7i16; 5_760];
            let n = decoder.decode(&room[..len], &mut samples, false).unwrap();
            assert_eq!(n, ms * 48, "{ms} ms");
            assert!(samples[..n].iter().all(|s| *s == 0), "digital silence");
        }
    }

    #[test]
    fn a_muted_g722_talker_falls_silent_whatever_was_said_before() {
        let (mut encoder, mut decoder) =
            (crate::codec::g722::G722Encoder::default(), crate::codec::g722::G722Decoder::default());
        let loud: Vec<i16> = (0..3_200).map(|n: i32| ((n * 37) % 400 - 200) as i16 * 60).collect();
        let (mut octets, mut samples) = ([0u8; 1_600], [0i16; 320]);
        encoder.encode(&loud, &mut octets);
        for packet in octets.chunks(160) {
            decoder.decode(packet, &mut samples);
        }
        assert!(samples.iter().any(|s| s.abs() > 2_000));
        let mut room = [7u8; 160];
        for n in 0..20 {
            assert_eq!(silence(Codec::G722, &mut room, 160), 160);
            decoder.decode(&room, &mut samples);
            let peak = samples.iter().map(|s| s.unsigned_abs()).max().unwrap();
            assert!(n < 3 || peak < 200, "packet {n}: {peak}");
        }
        assert!(samples.iter().all(|s| s.abs() <= 40), "{samples:?}");
    }

    #[test]
    fn a_muted_g711_talker_sends_the_code_for_zero() {
        let mut room = [1u8; 160];
        assert_eq!(silence(Codec::Pcmu, &mut room, 160), 160);
        assert!(room.iter().all(|code| crate::codec::g711::decode_mu(*code) == 0));
        silence(Codec::Pcma, &mut room, 160);
        assert!(room.iter().all(|code| crate::codec::g711::decode_a(*code).abs() <= 8));
    }
}
