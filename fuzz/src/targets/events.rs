//! Telephone events (RFC 4733).

use std::time::Duration;

use media::dtmf::{Event, PAYLOAD_LEN, Receiver};
use model::time::Timestamp;

use crate::pieces;

/// Whatever packets come, each tells two digits at most, and a digit lasts no longer than its timestamps can say.
///
/// How a piece comes: tenths of a second that passed. The piece: the timestamp, then the payload. The first octet chooses the
/// clock.
pub(super) fn events(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else { return };
    let clock_hz = [8_000, 48_000, 0, u32::MAX][usize::from(first & 3)];
    let mut receiver = Receiver::new(clock_hz);
    let mut now = Timestamp::from_millis(1_000_000);
    for (how, octets) in pieces(rest) {
        now = now + Duration::from_millis(100 * u64::from(how));
        let told = receiver.expire(now);
        assert!(told.is_none_or(|digit| "0123456789*#ABCD".contains(digit.digit)));
        let Some((timestamp, payload)) = octets.split_first_chunk::<4>() else { continue };
        let Some(event) = Event::parse(payload) else {
            assert!(payload.len() < PAYLOAD_LEN, "four octets are always an event");
            continue;
        };
        let written = event.octets();
        assert_eq!(
            written[..],
            [payload[0], payload[1] & 0xBF, payload[2], payload[3]],
            "the reserved bit is left out"
        );
        let there = event.in_clock(8_000, 48_000);
        assert_eq!((there.code, there.end), (event.code, event.end));
        assert!(there.duration >= event.duration);
        let longest = Duration::from_micros(2 * u64::from(u32::MAX) * 1_000_000 / u64::from(clock_hz.max(1)));
        for digit in receiver.packet(u32::from_be_bytes(*timestamp), event, now).into_iter().flatten() {
            assert!("0123456789*#ABCD".contains(digit.digit) && digit.held <= longest);
        }
        if let Some(at) = receiver.next_deadline() {
            assert!(at <= now + Duration::from_secs(1), "an end that is lost is missed soon");
        }
    }
}
