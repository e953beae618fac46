//! STUN at a browser's leg.

use std::time::Duration;

use media::ice::{BrowserTransport, IceOutput, username_ufrag};

use crate::peer::{THEIRS, address, certificate, check, leg, start};
use crate::pieces;

/// Checks, right and wrong, from four addresses. A check whose tag is right may verify the address it came from; nothing else
/// may, and nothing is ever sent elsewhere than to who asked or to who is verified.
///
/// How a piece comes: bits 0-1 address, bit 2: the octets are attributes of a check with a right tag, else a datagram;
/// bits 3-7: seconds that passed.
pub(super) fn stun(input: &[u8]) {
    let mut now = start();
    let mut leg = leg(1, &certificate().fingerprint().to_string(), input.len() % 2 == 1, now);
    let mut proven = [false; 4];
    for (how, octets) in pieces(input) {
        let _ = username_ufrag(octets);
        let place = usize::from(how & 3);
        let signed = how & 4 != 0;
        now += Duration::from_secs(u64::from(how >> 3));
        let datagram = if signed { check(&leg, THEIRS, octets) } else { octets.to_vec() };
        proven[place] |= signed;
        let mut out = Vec::new();
        leg.handle_timeout(now, &mut out);
        sent_to_verified(&leg, &out);
        out.clear();
        leg.handle(&datagram, address(place), now, &mut out);
        for output in &out {
            match output {
                IceOutput::Send { to, bytes } => {
                    assert!(*to == address(place) || leg.is_verified(*to), "{to} never proved anything");
                    assert!(bytes.len() <= 1_500, "fits into a datagram");
                }
                IceOutput::Selected(to) => assert!(proven[place] && *to == address(place)),
                IceOutput::Keys { .. } => panic!("keys without a handshake"),
                _ => {}
            }
        }
        for (place, proven) in proven.iter().enumerate() {
            assert!(*proven || !leg.is_verified(address(place)), "{place} never sent a check with a tag");
        }
    }
}

fn sent_to_verified(leg: &BrowserTransport, out: &[IceOutput]) {
    for output in out {
        if let IceOutput::Send { to, .. } = output {
            assert!(leg.is_verified(*to), "{to} never proved anything");
        }
    }
}
