//! A customer who speaks and presses keys.

use crate::pcap::Spoken;
use crate::sipp::{Said, Speech};
use crate::tone;

/// A customer who speaks `hz` for so many `seconds` and meanwhile presses keys, each at its millisecond for 100 ms (RFC 4733).
pub fn pressing(hz: f64, seconds: u64, keys: &[(u64, char)]) -> Speech {
    let said = Said::Packets(packets(hz, seconds, keys));
    Speech { payload_type: 0, map: "PCMU/8000", lines: "", said }
}

fn packets(hz: f64, seconds: u64, keys: &[(u64, char)]) -> Vec<Spoken> {
    let codes: Vec<u8> = tone::sine(hz, 8_000, seconds as f64).into_iter().map(tone::to_mulaw).collect();
    let mut packets = Vec::new();
    for (number, payload) in codes.chunks_exact(160).enumerate() {
        let (at_ms, timestamp) = (number as u64 * 20, number as u32 * 160);
        let key = keys.iter().find(|(from, _)| (*from..from + 100).contains(&at_ms));
        let Some((from, key)) = key else {
            let payload = payload.to_vec();
            packets.push(Spoken { at_ms, timestamp, marker: number == 0, payload_type: 0, payload });
            continue;
        };
        let event = "0123456789*#".find(*key).expect("a key") as u8;
        let since = at_ms - from;
        let length = (since as u16 + 20) * 8;
        let last = since == 80;
        // The end is said three times.
        for _ in 0..if last { 3 } else { 1 } {
            let payload = [&[event, u8::from(last) << 7 | 10][..], &length.to_be_bytes()].concat();
            let timestamp = *from as u32 * 8;
            packets.push(Spoken { at_ms, timestamp, marker: since == 0, payload_type: 101, payload });
        }
    }
    packets
}
