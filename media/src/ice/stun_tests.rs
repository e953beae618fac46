//! STUN: the vectors of RFC 5769, and what no datagram may do.

use std::net::SocketAddr;

use proptest::prelude::*;

use super::peer::{Check, address, check, leg};
use super::stun::Message;
use super::{Certificate, Kind, classify, username_ufrag};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";

/// RFC 5769 §2.1.
const REQUEST: &str = "00010058 2112a442 b7e7a701bc34d686fa87dfae
    80220010 5354554e207465737420636c69656e74 00240004 6e0001ff 80290008 932ff9b151263b36
    00060009 6576746a3a68367659202020 00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2 80280004 e57a3bcf";

/// RFC 5769 §2.2 and §2.3.
const RESPONSES: [&str; 2] = [
    "0101003c 2112a442 b7e7a701bc34d686fa87dfae 8022000b 7465737420766563746f7220 00200008 0001a147e112a643
    00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004 c07d4c96",
    "01010048 2112a442 b7e7a701bc34d686fa87dfae 8022000b 7465737420766563746f7220
    00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9
    00080014 a382954e4be67bf11784c97c8292c275bfe3ed41 80280004 c8fb0b4c",
];

#[test]
fn the_sample_request_of_rfc_5769_is_read_and_verified() {
    let datagram = hex(REQUEST);
    let request = Message::read(&datagram).unwrap();
    assert!(request.is_binding_request());
    assert_eq!(request.username(), Some("evtj:h6vY"));
    assert_eq!(request.priority, Some(0x6e00_01ff));
    assert!(request.controlled && !request.use_candidate && request.unknown().is_empty());
    assert!(request.fingerprint_ok() && request.integrity_ok(PASSWORD));
    assert!(!request.integrity_ok("VOkJxbRl1RmTxUk/WvJxBs"));
    assert_eq!(username_ufrag(&datagram), Some("evtj"));
}

/// The samples carry SOFTWARE, which we do not write; the address is compared octet for octet, and their integrity and
/// checksum are verified by the code that verifies checks.
#[test]
fn our_answers_are_the_sample_responses_of_rfc_5769() {
    let request = hex(REQUEST);
    let request = Message::read(&request).unwrap();
    for (sample, from) in
        RESPONSES.into_iter().zip(["192.0.2.1:32853", "[2001:db8:1234:5678:11:2233:4455:6677]:32853"])
    {
        let sample = hex(sample);
        let read = Message::read(&sample).unwrap();
        assert!(read.fingerprint_ok() && read.integrity_ok(PASSWORD) && !read.is_binding_request());
        let ours = request.success(address(from), PASSWORD);
        let software = 4 + 12;
        assert_eq!(ours[4..20], sample[4..20], "cookie and transaction");
        let address_end = sample.len() - 8 - 24;
        assert_eq!(ours[20..ours.len() - 32], sample[20 + software..address_end]);
        let read = Message::read(&ours).unwrap();
        assert!(read.fingerprint_ok() && read.integrity_ok(PASSWORD));
    }
}

#[test]
fn an_address_behind_a_dual_stack_socket_is_answered_as_what_the_browser_knows() {
    let request = hex(REQUEST);
    let request = Message::read(&request).unwrap();
    let mapped: SocketAddr = address("[::ffff:192.0.2.1]:32853");
    assert_eq!(request.success(mapped, PASSWORD), request.success(address("192.0.2.1:32853"), PASSWORD));
}

#[test]
fn what_shares_the_port_is_told_apart_by_its_first_octet() {
    let of = |kind| (0..=255u8).filter(|&octet| classify(octet) == kind).collect::<Vec<_>>();
    assert_eq!(of(Kind::Stun), (0..=3).collect::<Vec<_>>());
    assert_eq!(of(Kind::Dtls), (20..=63).collect::<Vec<_>>());
    assert_eq!(of(Kind::Media), (128..=191).collect::<Vec<_>>());
}

#[test]
fn only_a_binding_request_names_a_leg() {
    let leg = leg(&Certificate::generate().unwrap());
    let mut request = check(&leg, "theirs", Check::default());
    assert_eq!(username_ufrag(&request), Some(leg.local(vec![]).ufrag.as_str()));
    request[1] = 0x11;
    assert_eq!(username_ufrag(&request), None);
    assert_eq!(username_ufrag(b""), None);
    assert_eq!(username_ufrag(&[0x80; 40]), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_octets_bring_the_reader_down(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Message::read(&octets);
        let _ = username_ufrag(&octets);
    }

    /// Octets with a right header get further in.
    #[test]
    fn no_attributes_bring_the_reader_down(words in prop::collection::vec(any::<[u8; 4]>(), 0..60), small in any::<bool>()) {
        let mut octets = vec![0, 1, 0, (words.len() * 4) as u8, 0x21, 0x12, 0xa4, 0x42];
        octets.extend([9; 12]);
        for word in &words {
            // Small types and lengths, so that attributes follow one another.
            octets.extend(if small { [0, word[1] & 0x3f, 0, word[3] & 0x1f] } else { *word });
        }
        if let Some(message) = Message::read(&octets) {
            let _ = message.fingerprint_ok();
            prop_assert!(!message.integrity_ok(PASSWORD));
            let from = address("192.0.2.1:1");
            prop_assert!(Message::read(&message.success(from, PASSWORD)).is_some());
            prop_assert!(Message::read(&message.error(420, "Unknown Attribute", None)).is_some());
        }
    }

    /// One wrong bit in what the integrity covers is noticed, by the checksum or by the integrity.
    #[test]
    fn a_tampered_check_is_not_believed(at in 0..76usize, bit in 0..8u32) {
        let mut datagram = hex(REQUEST);
        datagram[at] ^= 1 << bit;
        if let Some(message) = Message::read(&datagram) {
            prop_assert!(!(message.is_binding_request() && message.fingerprint_ok() && message.integrity_ok(PASSWORD)));
        }
    }
}
