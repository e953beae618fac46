//! Formats that are passed on as they are: codecs without a decoder of ours, and video.
//!
//! What two far ends agreed on needs no understanding: control gives each format a number, each leg has a payload type for it,
//! and a packet changes only its header on the way. The payload stays where it lies. The marker stays as it came even where
//! a source begins, because in video it ends a picture (RFC 3551 §5).

use std::net::SocketAddr;
use std::ops::Range;

use model::time::Timestamp;

use super::incoming::Said;
use super::{Leg, SourceKey};
use crate::control::Passed;
use crate::rtp::{HEADER_LEN, Header};

/// A packet in a format that is passed on, for whoever hears the leg.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Passing {
    /// The header as it came, with its own payload type.
    pub header: Header,
    /// Control's number of the format.
    pub format: u16,
    /// Its clock.
    pub clock_hz: u32,
    /// Changes when the stream is another: new SSRC, new format.
    pub stream: u32,
    /// Whether it is a retransmission, in a stream of its own beside this one.
    pub repair: bool,
    /// Where in the datagram the payload begins.
    pub payload_at: usize,
    /// Octets of payload.
    pub payload_len: usize,
}

/// What became of a packet that was to be passed on.
#[derive(Clone, Debug, PartialEq)]
pub enum Pass {
    /// It lies here in its buffer, and goes there.
    Sent(Range<usize>, SocketAddr),
    /// The leg has no payload type for its format.
    Unmatched,
    /// It is not to be sent now.
    NotNow,
    /// The cap on the leg's video forbids it.
    Policed,
}

/// The formats a leg passes on; most legs have none.
#[derive(Clone, Debug, Default)]
pub(super) struct Passes(Box<[Passed]>);

impl Passes {
    pub fn new(formats: &[Passed]) -> Self {
        Self(formats.into())
    }
    /// What a payload type of the far end means.
    pub fn said(&self, payload_type: u8) -> Option<Said> {
        let known = self.0.iter().find(|it| it.payload_type == payload_type)?;
        Some(Said::Passed { format: known.format, clock_hz: known.clock_hz })
    }
    /// Our payload type for a format.
    fn payload_type(&self, format: u16, clock_hz: u32) -> Option<u8> {
        self.0.iter().find(|it| (it.format, it.clock_hz) == (format, clock_hz)).map(|it| it.payload_type)
    }
}

impl Leg {
    /// Makes the packet in `buffer` this leg's own, where it lies: payload at `datagram_at + passing.payload_at`.
    pub fn pass(
        &mut self,
        key: SourceKey,
        passing: &Passing,
        buffer: &mut [u8],
        datagram_at: usize,
        now: Timestamp,
    ) -> Pass {
        let Some(payload_type) = self.passes.payload_type(passing.format, passing.clock_hz) else {
            return Pass::Unmatched;
        };
        if passing.repair {
            return self.pass_repair(key, passing, payload_type, buffer, datagram_at, now);
        }
        let Some(to) = self.destination().filter(|_| !self.sends_digits()) else {
            self.outgoing.interrupted();
            return Pass::NotNow;
        };
        self.outgoing.set_clock(passing.clock_hz);
        let heard = Header { payload_type, ..passing.header };
        let Some(header) = self.outgoing.relay(key, &heard, now) else { return Pass::NotNow };
        // What is dropped here leaves a hole in the numbers, so that the receiver knows.
        if !self.police_out(HEADER_LEN + passing.payload_len, to, now) {
            return Pass::Policed;
        }
        let header = Header { marker: heard.marker, ..header };
        match self.write_passed(&header, passing, buffer, datagram_at, now) {
            Some(range) => Pass::Sent(range, to),
            None => Pass::NotNow,
        }
    }

    fn write_passed(
        &mut self,
        header: &Header,
        passing: &Passing,
        buffer: &mut [u8],
        datagram_at: usize,
        now: Timestamp,
    ) -> Option<Range<usize>> {
        // A payload lies at least a header's length behind the datagram's beginning, whatever stood between.
        let at = (datagram_at + passing.payload_at).checked_sub(HEADER_LEN)?;
        let room = buffer.get_mut(at..)?;
        header.write(room);
        let len = self.protection.protect_rtp(room, HEADER_LEN + passing.payload_len)?;
        // Nobody says how long it lasts: 20 ms keeps what follows from sharing its time.
        self.outgoing.sent(header, passing.payload_len, passing.clock_hz / 50, now);
        Some(at..at + len)
    }
}
