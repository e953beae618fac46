//! A recording's container as a crash, a broken disk or a stranger may leave it.

use media::record::{EXTENSION, Entry, Formats, Reader, finish};

use crate::pieces;

/// Octets of the header.
const HEAD: usize = 52;

/// The first octet: bit 0: octets as they are; else records are written around the pieces, with right checksums, so that what lies
/// behind the checksum is tried too: how a piece comes is its kind, its first octet the channel. Bit 1: it is finished as well.
pub(super) fn recording(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else { return };
    let octets = if first & 1 != 0 { rest.to_vec() } else { container(rest) };
    let Ok(mut reader) = Reader::new(&octets[..]) else { return };
    let (mut records, mut payloads) = (0, 0);
    while let Some(entry) = reader.next_entry().expect("memory does not fail") {
        records += 1;
        if let Entry::Payload(payload) = entry {
            payloads += payload.octets.len();
        }
    }
    let tail = reader.tail();
    assert!(records * 8 + payloads <= octets.len(), "no octet is told twice");
    let lost = tail.torn_octets + tail.damaged_octets;
    assert!(lost <= octets.len() as u64, "{tail:?}");
    if first & 2 != 0 {
        finished(&octets);
    }
}

/// Finishing ends, with whatever came out.
fn finished(octets: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("r").with_extension(EXTENSION);
    std::fs::write(&file, octets).expect("there is room");
    if let Ok(made) = finish(&file, folder.path(), Formats { wav: false, opus: false, mp3: false }) {
        assert!(made.files.iter().all(|file| file.path.exists()), "{made:?}");
        assert!(!file.exists(), "the container is renamed");
    }
}

fn container(input: &[u8]) -> Vec<u8> {
    let (head, rest) = input.split_at(input.len().min(HEAD));
    let mut octets = head.to_vec();
    for (kind, piece) in pieces(rest) {
        let Some((channel, body)) = piece.split_first() else { continue };
        let len = u16::try_from(body.len()).unwrap_or(u16::MAX).to_le_bytes();
        let start = [kind, *channel, len[0], len[1]];
        octets.extend_from_slice(&start);
        octets.extend_from_slice(&crc32fast::hash(&[&start, body].concat()).to_le_bytes());
        octets.extend_from_slice(body);
    }
    octets
}
