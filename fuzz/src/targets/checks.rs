//! ICE on a leg with ports of its own: connectivity checks and media at both of them, from its far end and from strangers (MEDIA-12).

use std::net::SocketAddr;
use std::time::Duration;

use media::control::{Checks, Direction, Format, LegSetup, Passed};
use media::leg::{Door, Outbox, Received};
use media::srtp::MAX_OVERHEAD;
use model::media::Codec;
use model::time::Timestamp;

use super::leg::{Sent, call_due, newborn};
use crate::peer::{THEIRS, address, check_of};
use crate::pieces;

/// Our user fragment.
const OURS: &str = "ourufrag";

/// Only from whom a check with the password came to the port of RTP is media believed, whoever was signalled; media goes to nobody
/// else, and an answer to a check goes where the check came from.
///
/// The first octet: bit 0: RTCP on the same port. How a piece comes: bits 0-1 address (0 and 1 are what was signalled); bit 2 the door
/// for RTCP; bit 3: the octets are attributes of a check with a right tag, else a datagram; bits 4-7: time that passed, in quarters
/// of a second.
pub(super) fn checks(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else { return };
    let mut now = Timestamp::from_millis(2_000_000_000_000);
    let mut leg = newborn();
    let mut out = Outbox::default();
    let password = "p".repeat(24);
    leg.configure(setup(first & 1 != 0, &password), now, &mut out).expect("the setup can work");
    let (mut wire, mut proven) = (Sent::default(), [[false; 4]; 2]);
    for (how, octets) in pieces(rest) {
        now = now + Duration::from_millis(250 * u64::from(how >> 4));
        call_due(&mut leg, now, &mut wire, &mut out);
        let (place, rtcp) = (usize::from(how & 3), how & 4 != 0);
        let from = address(place);
        let is_check = how & 8 != 0;
        let datagram = if is_check { check_of(OURS, &password, THEIRS, octets) } else { octets.to_vec() };
        proven[usize::from(rtcp)][place] |= is_check;
        let mut buffer = [&datagram[..], &[0; MAX_OVERHEAD + 64]].concat();
        let door = if rtcp { Door::Rtcp } else { Door::Rtp };
        let before = leg.stats().received;
        wire.to.clear();
        let received = leg.receive(&mut buffer, datagram.len(), from, door, now, &mut out);
        leg.apply_ice(now, &mut wire, &mut out);
        let may_be_sent_to =
            |to: &SocketAddr| *to == from || (0..4).any(|n| proven[0][n] && address(n) == *to);
        assert!(wire.to.iter().all(may_be_sent_to), "{:?}", wire.to);
        if matches!(received, Received::Audio(_) | Received::Event(_) | Received::Passed(_)) {
            assert!(proven[0][place], "{from} proved nothing at the port of RTP");
        } else if !proven[0][place] {
            let after = leg.stats().received;
            assert_eq!(
                (after.packets, after.lost),
                (before.packets, before.lost),
                "a stranger is not counted"
            );
        }
        out.events.clear();
    }
}

fn setup(rtcp_mux: bool, password: &str) -> LegSetup {
    let pcma = Format { payload_type: 8, codec: Codec::Pcma, ptime_ms: 20 };
    LegSetup {
        remote: Some(address(0)),
        remote_rtcp: Some(address(1)),
        rtcp_mux,
        send: Some(pcma),
        receive: vec![pcma],
        passed: vec![Passed { payload_type: 96, format: 1, clock_hz: 90_000 }],
        checks: Some(Box::new(Checks {
            ufrag: OURS.into(),
            pwd: password.into(),
            remote_ufrag: THEIRS.into(),
        })),
        direction: Direction::SendRecv,
        ..LegSetup::default()
    }
}
