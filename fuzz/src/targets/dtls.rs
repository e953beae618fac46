//! DTLS at a browser's leg: records of anybody, and a real handshake on a way that changes it.

use std::time::Duration;

use media::ice::{BrowserTransport, IceOutput, Kind, classify};

use crate::peer::{NOMINATES, Peer, THEIRS, address, check, fingerprint, leg, start};
use crate::pieces;

/// Octets in place of DTLS: no keys come of them, and who passed no check gets no answer.
///
/// How a piece comes: bit 0: from a stranger; bits 1-2: seconds that passed. The first octet says who opens the handshake.
pub(super) fn records(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else { return };
    let mut now = start();
    let fingerprint = fingerprint();
    let mut leg = leg(1, fingerprint, first & 1 == 1, now);
    let mut out = Vec::new();
    leg.handle(&check(&leg, THEIRS, &NOMINATES), address(0), now, &mut out);
    assert_eq!(leg.selected(), Some(address(0)));
    for (how, octets) in pieces(rest) {
        now += Duration::from_secs(u64::from(how >> 1 & 3));
        out.clear();
        leg.handle_timeout(now, &mut out);
        nothing_secret(&out);
        out.clear();
        let from = address(usize::from(how & 1));
        // Other kinds of datagrams have their own targets.
        if octets.first().is_some_and(|first| classify(*first) == Kind::Dtls) {
            leg.handle(octets, from, now, &mut out);
        }
        nothing_secret(&out);
        assert!(how & 1 == 0 || out.is_empty(), "a stranger's records are not looked at");
    }
}

fn nothing_secret(out: &[IceOutput]) {
    for output in out {
        assert!(!matches!(output, IceOutput::Keys { .. }), "keys without a handshake");
        if let IceOutput::Send { to, .. } = output {
            assert_eq!(*to, address(0), "only the verified address is sent to");
        }
    }
}

/// A handshake whose datagrams are changed on the way. Keys come out only when both ends have the same ones, and the leg's
/// state goes on being sound: a changed datagram after the keys ends no call.
///
/// The first octet: bit 0 who opens. How a piece comes: which datagram of the whole exchange (from either side) it changes; the
/// piece: bit 0 of its first octet: lost, bit 1: twice, then pairs of (place, exclusive or) for its octets.
pub(super) fn handshake(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else { return };
    let active = first & 1 == 1;
    let changes: Vec<(u8, &[u8])> = pieces(rest).collect();
    let mut now = start();
    let mut leg = leg(1, fingerprint(), active, now);
    let mut peer = Peer::new(!active, now);
    let mut out = Vec::new();
    leg.handle(&check(&leg, THEIRS, &NOMINATES), address(0), now, &mut out);
    let mut count = 0u8;
    let (mut keys, mut failed) = (None, false);
    for _ in 0..40 {
        let mut moved = false;
        for output in std::mem::take(&mut out) {
            match output {
                IceOutput::Send { bytes, .. } if classify(bytes[0]) == Kind::Dtls => {
                    moved = true;
                    on_the_way(bytes, &mut count, &changes, |octets| peer.handle(octets, now));
                }
                IceOutput::Keys { send, receive } => keys = Some((send, receive)),
                IceOutput::Failed(_) => {
                    assert!(keys.is_none(), "a bad packet after the keys fails nothing");
                    failed = true;
                }
                _ => {}
            }
        }
        for bytes in std::mem::take(&mut peer.sent) {
            moved = true;
            on_the_way(bytes, &mut count, &changes, |octets| {
                if octets.first().is_some_and(|first| classify(*first) == Kind::Dtls) {
                    leg.handle(octets, address(0), now, &mut out);
                }
            });
        }
        if !moved {
            // A retransmission is due, or nothing is any more.
            now += Duration::from_millis(500);
            leg.handle_timeout(now, &mut out);
            peer.time(now);
        }
    }
    if let (Some((send, receive)), Some(theirs)) = (&keys, &peer.keys) {
        let ours =
            [send, receive].map(|key| key.key_and_salt.get(..key.suite.key_len()).expect("long enough"));
        assert!(ours.iter().all(|key| contains(theirs, key)), "both ends have the same keys");
        assert_ne!(send, receive);
    }
    assert!(!(changes.is_empty() && (failed || keys.is_none())), "a handshake nobody changed succeeds");
    goes_on(&mut leg, keys.is_some());
}

/// Whatever came: junk from the verified address afterwards yields no new keys, and ends no keyed leg.
fn goes_on(leg: &mut BrowserTransport, keyed: bool) {
    let mut out = Vec::new();
    leg.handle(&[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4], address(0), start(), &mut out);
    for output in out {
        assert!(!matches!(output, IceOutput::Keys { .. }));
        assert!(!keyed || !matches!(output, IceOutput::Failed(_)));
    }
}

fn on_the_way(bytes: Vec<u8>, count: &mut u8, changes: &[(u8, &[u8])], mut deliver: impl FnMut(&[u8])) {
    let mut bytes = bytes;
    let (mut lost, mut twice) = (false, false);
    for (_, change) in changes.iter().filter(|(which, _)| which == count) {
        let Some((flags, pairs)) = change.split_first() else { continue };
        lost |= flags & 1 != 0;
        twice |= flags & 2 != 0;
        for pair in pairs.chunks_exact(2) {
            let place = usize::from(pair[0]) % bytes.len().max(1);
            if let Some(octet) = bytes.get_mut(place) {
                *octet ^= pair[1];
            }
        }
    }
    *count = count.saturating_add(1);
    for _ in 0..usize::from(!lost) + usize::from(twice && !lost) {
        deliver(&bytes);
    }
}

fn contains(whole: &[u8], part: &[u8]) -> bool {
    whole.windows(part.len()).any(|window| window == part)
}
