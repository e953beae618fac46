//! The format: whatever happens to a file, what was written whole is read, and the rest is told.

use proptest::prelude::*;

use super::*;
use crate::record::format::{HEAD_LEN, RECORD_HEAD};
use crate::record::{ReadError, Reader, Tail};

/// A container of 2 s with both channels, in octets.
fn octets() -> Vec<u8> {
    let mut written = Written::new();
    let mut left = Talker::new(Channel::Left, Codec::Pcma, 400.0);
    let mut right = Talker::new(Channel::Right, Codec::Opus, 600.0);
    written.add(Entry::Tap { channel: Channel::Left, leg: Some(leg(1)), at_us: BEGAN_US });
    for n in 0..100 {
        let at_us = BEGAN_US + n * 20_000;
        written.add(Entry::Payload(left.say(at_us)));
        written.add(Entry::Payload(right.say(at_us + 3_000)));
    }
    std::fs::read(written.end(2_000_000)).unwrap()
}

fn read(octets: &[u8]) -> Result<(usize, bool, Tail), ReadError> {
    let mut reader = Reader::new(octets)?;
    let (mut payloads, mut ended) = (0, false);
    while let Some(entry) = reader.next_entry()? {
        payloads += usize::from(matches!(entry, Entry::Payload(_)));
        ended |= matches!(entry, Entry::End { .. });
    }
    Ok((payloads, ended, reader.tail()))
}

#[test]
fn what_was_written_is_read() {
    let octets = octets();
    let (payloads, ended, tail) = read(&octets).unwrap();
    assert_eq!((payloads, ended), (200, true));
    assert!(tail.good_seals > 20);
    let link = tail.link;
    assert_eq!(tail, Tail { good_seals: tail.good_seals, link, ..Tail::default() });
    assert_eq!(Reader::new(&octets[..]).unwrap().head(), head());
}

#[test]
fn a_torn_end_is_cut_and_never_an_error() {
    let octets = octets();
    let mut last = 0;
    for len in (HEAD_LEN..octets.len()).step_by(7) {
        let (payloads, _, tail) = read(&octets[..len]).unwrap();
        assert!(payloads >= last && payloads <= 200, "more octets never give fewer payloads");
        assert_eq!((tail.damaged_octets, tail.broken_seals), (0, 0));
        assert!(tail.torn_octets < 200, "at most the record that was being written is lost");
        last = payloads;
    }
    assert!(matches!(read(&octets[..HEAD_LEN - 1]), Err(ReadError::NoHead)));
    assert!(matches!(read(&[]), Err(ReadError::NoHead)));
}

/// RECO-04: the chain shows that something was changed, even by someone who repairs the checksums.
#[test]
fn a_changed_payload_breaks_the_chain() {
    let clean = octets();
    let mut forged = clean.clone();
    let (at, len) = record(&forged, 40);
    forged[at + RECORD_HEAD + 30] ^= 1;
    let (payloads, _, tail) = read(&forged).unwrap();
    assert_eq!(payloads, 199, "the checksum refuses the record");
    assert_eq!((tail.damaged_octets, tail.broken_seals), (len as u64, 1));

    let mut crc = crc32fast::Hasher::new();
    crc.update(&forged[at..at + 4]);
    crc.update(&forged[at + RECORD_HEAD..at + len]);
    forged[at + 4..at + 8].copy_from_slice(&crc.finalize().to_le_bytes());
    let (payloads, _, tail) = read(&forged).unwrap();
    assert_eq!((payloads, tail.damaged_octets), (200, 0), "the checksum was repaired");
    assert_eq!(tail.broken_seals, 1, "the seal was not");
}

/// RECO-04: missing frames are detected.
#[test]
fn a_record_that_was_taken_out_breaks_the_chain() {
    let clean = octets();
    for n in [1, 40, 120] {
        let (at, len) = record(&clean, n);
        let mut cut = clean.clone();
        cut.drain(at..at + len);
        let (_, ended, tail) = read(&cut).unwrap();
        assert!(ended && tail.broken_seals >= 1, "record {n}: {tail:?}");
    }
}

/// RECO-04: a container written anew as a whole has another last seal than the one that was kept.
#[test]
fn a_rewritten_container_has_another_seal() {
    let (_, _, genuine) = read(&octets()).unwrap();
    let mut written = Written::new();
    let mut left = Talker::new(Channel::Left, Codec::Pcma, 400.0);
    (0..50).for_each(|n| written.add(Entry::Payload(left.say(BEGAN_US + n * 20_000))));
    let (_, _, forged) = read(&std::fs::read(written.end(1_000_000)).unwrap()).unwrap();
    assert_eq!(forged.broken_seals, 0);
    assert_ne!(genuine.link, forged.link);
}

/// Place and length of the n-th record.
fn record(octets: &[u8], n: usize) -> (usize, usize) {
    let mut at = HEAD_LEN;
    for _ in 0..n {
        at += RECORD_HEAD + usize::from(u16::from_le_bytes([octets[at + 2], octets[at + 3]]));
    }
    (at, RECORD_HEAD + usize::from(u16::from_le_bytes([octets[at + 2], octets[at + 3]])))
}

#[test]
fn a_full_disk_leaves_a_whole_container_that_says_what_it_lacks() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    assert!(Container::over(full, &head(), None).is_err(), "no header, no recording");

    // A file that may not grow: the second handle takes the right to write away.
    let mut written = Written::new();
    let mut left = Talker::new(Channel::Left, Codec::Pcma, 400.0);
    (0..10).for_each(|n| written.add(Entry::Payload(left.say(BEGAN_US + n * 20_000))));
    let mut failing = Container::failing(&head());
    (0..10).for_each(|n| failing.add(&Entry::Payload(left.say(BEGAN_US + n * 20_000))));
    assert!(failing.flush().is_err());
    failing.add(&Entry::Payload(left.say(BEGAN_US)));
    let (frames, missing, ended) = failing.end(BEGAN_US);
    assert!(ended.is_err());
    assert_eq!((frames, missing), (0, 11));
}

proptest! {
    #[test]
    fn no_octets_make_the_reader_panic(noise in proptest::collection::vec(any::<u8>(), 0..4_000)) {
        _ = read(&noise);
        let mut with_head = head().encode(false).to_vec();
        with_head.extend(&noise);
        let (_, _, tail) = read(&with_head).unwrap();
        prop_assert!(tail.torn_octets + tail.damaged_octets <= noise.len() as u64);
    }

    #[test]
    fn damage_costs_what_it_hit_and_little_more(at in 0usize..20_000, len in 1usize..600, with in any::<u8>()) {
        let mut octets = octets();
        let from = HEAD_LEN + at % (octets.len() - HEAD_LEN);
        let to = (from + len).min(octets.len());
        octets[from..to].iter_mut().for_each(|octet| *octet = octet.wrapping_add(with | 1));
        let (payloads, _, tail) = read(&octets).unwrap();
        // A payload record has at least 60 octets here; two more may be cut at the edges.
        prop_assert!(payloads + (to - from) / 60 + 2 >= 200, "{payloads} payloads are left");
        prop_assert!(tail.damaged_octets + tail.torn_octets > 0 || tail.broken_seals > 0);
    }

    #[test]
    fn every_payload_comes_back_as_it_went(
        epoch in any::<u16>(), seq in any::<u16>(), timestamp in any::<u32>(), at_us in any::<u64>(),
        octets in proptest::collection::vec(any::<u8>(), 0..1_500), right in any::<bool>(), codec in 0usize..4,
    ) {
        let payload = Payload {
            channel: if right { Channel::Right } else { Channel::Left },
            codec: [Codec::Pcmu, Codec::Pcma, Codec::Opus, Codec::G729][codec],
            epoch, seq, timestamp, at_us, octets: &octets,
        };
        let mut file = head().encode(false).to_vec();
        prop_assert!(Entry::Payload(payload).encode(&mut file));
        let mut reader = Reader::new(&file[..]).unwrap();
        prop_assert_eq!(reader.next_entry().unwrap(), Some(Entry::Payload(payload)));
        prop_assert_eq!(reader.next_entry().unwrap(), None);
    }
}
