//! Retransmissions (RFC 4588): a stream of their own beside the video, with its own SSRC and numbers.
//!
//! The first two octets of a payload name the packet it repairs, by the number its sender gave it; they become the number that
//! we gave it, or the packet is not passed on: it repairs what this receiver never knew. Its time is the repaired packet's.

use std::ops::Range;

use model::time::Timestamp;

use super::super::incoming::Said;
use super::super::{DropReason, Leg, Outgoing, Pass, Passing, Received, SourceKey};
use crate::rtp::{HEADER_LEN, Header, SeqNo, View};

/// Octets of the original sequence number.
const OSN_LEN: usize = 2;

/// Both directions of a leg's repair stream.
#[derive(Debug)]
pub(super) struct Repair {
    outgoing: Outgoing,
    heard: Option<u32>,
    received: u64,
}

impl Repair {
    /// A stream beside another: what is unpredictable about that one makes this one so.
    pub fn beside(video: &Outgoing) -> Self {
        let now = video.clock_at(Timestamp::from_micros(0)).0;
        let ssrc = video.ssrc().rotate_left(16) ^ now;
        let ssrc = if ssrc == video.ssrc() { !ssrc } else { ssrc };
        Self { outgoing: Outgoing::new(ssrc, (now >> 8) as u16, now), heard: None, received: 0 }
    }
    pub const fn ssrc(&self) -> u32 {
        self.outgoing.ssrc()
    }
    pub const fn heard(&self) -> Option<u32> {
        self.heard
    }
    pub const fn received(&self) -> u64 {
        self.received
    }
    pub const fn sent(&self) -> u64 {
        self.outgoing.packets()
    }
}

impl Leg {
    /// A packet of the far end's repair stream, all checks passed.
    pub(in super::super) fn receive_repair(
        &mut self,
        view: &View,
        said: Said,
    ) -> Result<Received, DropReason> {
        let Some(video) = &mut self.video else { return Err(DropReason::UnknownPayload) };
        let Said::Passed { format, clock_hz } = said else { return Err(DropReason::UnknownPayload) };
        video.repair.heard = Some(view.header.ssrc);
        video.repair.received += 1;
        // What only fills the line (padding) repairs nothing.
        if self.muted || view.payload_len < OSN_LEN {
            return Err(DropReason::NotWanted);
        }
        Ok(Received::Passed(Passing {
            header: view.header,
            format,
            clock_hz,
            stream: self.stream.number,
            repair: true,
            payload_at: view.payload_at,
            payload_len: view.payload_len,
        }))
    }

    /// Makes a repair this leg's own, where it lies.
    pub(in super::super) fn pass_repair(
        &mut self,
        key: SourceKey,
        passing: &Passing,
        payload_type: u8,
        buffer: &mut [u8],
        datagram_at: usize,
        now: Timestamp,
    ) -> Pass {
        let Some(to) = self.destination() else { return Pass::NotNow };
        if !self.police_out(HEADER_LEN + passing.payload_len, to, now) {
            return Pass::Policed;
        }
        match self.repaired(key, passing, payload_type, buffer, datagram_at, now) {
            Some(range) => Pass::Sent(range, to),
            None => Pass::NotNow,
        }
    }

    fn repaired(
        &mut self,
        key: SourceKey,
        passing: &Passing,
        payload_type: u8,
        buffer: &mut [u8],
        datagram_at: usize,
        now: Timestamp,
    ) -> Option<Range<usize>> {
        let payload_at = datagram_at + passing.payload_at;
        let number = buffer.get_mut(payload_at..payload_at + OSN_LEN)?.first_chunk_mut::<OSN_LEN>()?;
        let original = self.outgoing.ours_of(key, SeqNo(u16::from_be_bytes(*number)))?;
        let timestamp = self.outgoing.time_of(key, passing.header.timestamp)?;
        *number = original.0.to_be_bytes();
        let video = self.video.as_mut()?;
        let stream = SourceKey { stream: passing.header.ssrc, ..key };
        video.repair.outgoing.set_clock(passing.clock_hz);
        let numbered = video.repair.outgoing.relay(stream, &passing.header, now)?;
        let header = Header { marker: passing.header.marker, payload_type, timestamp, ..numbered };
        let at = payload_at.checked_sub(HEADER_LEN)?;
        let room = buffer.get_mut(at..)?;
        header.write(room);
        let len = self.protection.protect_rtp(room, HEADER_LEN + passing.payload_len)?;
        // The repair stream's own time is what it would be without the video's offset, so that jumps are told as they are.
        let ticks = passing.clock_hz / 50;
        video.repair.outgoing.sent(&numbered, passing.payload_len, ticks, now);
        Some(at..at + len)
    }
}
