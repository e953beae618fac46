//! Sounds as operators and proxies bring them: WAV and Ogg Opus files.

use std::io::Cursor;

use media::prompt::Prompt;
use model::media::Codec;

use crate::pieces;

/// Octets of a file that are tried: one octet of Opus may stand for 120 ms, and making a prompt of minutes takes seconds.
const OCTETS_MAX: usize = 2_000;

/// A file is refused, or is a sound whose packets reach to its end.
///
/// The first octet: 0 a WAV file, 1 an Ogg Opus file, else Ogg pages are written around the pieces, with right checksums, so that what
/// lies behind the checksum is tried too: how a piece comes are the page's flags, its first four octets where the page ends.
pub(super) fn prompt(input: &[u8]) {
    let Some((first, file)) = input.split_first() else { return };
    let file = file.get(..OCTETS_MAX).unwrap_or(file);
    let prompt = match first {
        0 => Prompt::from_wav("fuzzed", file),
        1 => Prompt::from_ogg_opus("fuzzed", Cursor::new(file)),
        _ => Prompt::from_ogg_opus("fuzzed", Cursor::new(ogg(file))),
    };
    let Ok(prompt) = prompt else { return };
    let seconds = prompt.length().as_secs_f64();
    assert!(seconds > 0.0 && seconds <= 601.0, "{seconds} s");
    for (codec, ptime_ms) in
        [(Codec::Pcma, 20), (Codec::Pcmu, 30), (Codec::G722, 60), (Codec::G729, 40), (Codec::Opus, 20)]
    {
        let frames = prompt.frames(codec, ptime_ms).expect("a usual packet time");
        let told = frames.iter().count() as f64 * f64::from(ptime_ms) / 1e3;
        assert!(told >= seconds - 0.001 && told < seconds + 0.1, "{codec:?}: {told} of {seconds} s");
    }
}

fn ogg(input: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    for (number, (flags, piece)) in pieces(input).enumerate() {
        let (ends, packet) = piece.split_at(piece.len().min(4));
        let mut page = [b"OggS\0".as_slice(), &[flags & 7]].concat();
        page.extend_from_slice(ends);
        page.resize(14, 0);
        page.extend_from_slice(&1u32.to_le_bytes());
        page.extend_from_slice(&u32::try_from(number).unwrap_or(0).to_le_bytes());
        page.extend_from_slice(&[0; 4]);
        // A packet's last segment is shorter than 255 octets (RFC 3533 §5).
        let segments = (packet.len() / 255 + 1).min(255);
        page.push(segments as u8);
        page.extend((1..segments).map(|_| 255));
        page.push((packet.len() % 255) as u8);
        page.extend_from_slice(packet);
        let checksum = checksum(&page);
        page[22..26].copy_from_slice(&checksum.to_le_bytes());
        file.extend_from_slice(&page);
    }
    file
}

/// The CRC of Ogg pages: not reflected, begins at zero (RFC 3533 §6).
fn checksum(page: &[u8]) -> u32 {
    page.iter().fold(0, |crc, octet| {
        (0..8).fold(crc ^ u32::from(*octet) << 24, |crc, _| {
            if crc >> 31 == 1 { crc << 1 ^ 0x04C1_1DB7 } else { crc << 1 }
        })
    })
}
