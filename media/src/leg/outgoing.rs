//! The one stream a leg sends: its SSRC for life, its sequence numbers without holes of our own making, and a timeline that
//! goes on when the source changes.
//!
//! A relayed packet keeps its distance to its neighbours: what was lost or overtaken before us stays lost or overtaken
//! behind us, so that the far end's receiver sees the truth. Only where a source begins are numbers and time joined to
//! what was sent before.

use model::time::Timestamp;

use crate::rtp::{Header, RtpTimestamp, SeqNo};

/// Who speaks: changes with the heard leg, its SSRC and its codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceKey {
    /// The heard leg, or a number of our own for sounds.
    pub speaker: u64,
    /// Its stream.
    pub stream: u32,
}

/// How the numbers of a source become ours.
#[derive(Clone, Copy, Debug)]
struct Projection {
    key: SourceKey,
    seq_offset: u16,
    ticks_offset: u32,
    newest: SeqNo,
    newest_time: RtpTimestamp,
    /// The first packet of the source: older ones would take numbers already used. Forgotten once it is far behind.
    first: Option<SeqNo>,
}

impl Projection {
    /// Whether this number of the source is one of the last that it covers.
    fn tells(&self, theirs: SeqNo) -> bool {
        let first = self.first.is_none_or(|first| theirs.since(first) >= 0);
        first && (0..=2 * MISORDER_MAX).contains(&self.newest.since(theirs))
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Outgoing {
    ssrc: u32,
    clock_hz: u32,
    seq: SeqNo,
    timestamp: RtpTimestamp,
    /// Ticks the last packet covers.
    lasts: u32,
    sent_at: Option<Timestamp>,
    projection: Option<Projection>,
    packets: u64,
    octets: u64,
    payload_octets: u32,
    reported_packets: u64,
}

/// A step back of more than this, or ahead of more than [`DROPOUT_MAX`], is a sender that began anew (RFC 3550 A.1).
const MISORDER_MAX: i16 = 100;
const DROPOUT_MAX: i16 = 3_000;
/// So far behind the newest nothing is taken for overtaken by those who remember 64 numbers.
const SETTLED: i16 = 64;
/// Time that jumps this much against the clock on the wall is joined anew.
const JUMP_S: u32 = 2;

impl Outgoing {
    /// A stream that has sent nothing. The random parts come from the caller (RFC 3550 §5.1 wants them unpredictable).
    pub fn new(ssrc: u32, seq: u16, timestamp: u32) -> Self {
        Self {
            ssrc,
            clock_hz: 8_000,
            // The upper bit is left free, so that SRTP receivers that join late guess the roll-over counter right (RFC 3711 §3.3.1).
            seq: SeqNo(seq & 0x7FFF),
            timestamp: RtpTimestamp(timestamp),
            lasts: 0,
            sent_at: None,
            projection: None,
            packets: 0,
            octets: 0,
            payload_octets: 0,
            reported_packets: 0,
        }
    }

    /// The leg's SSRC.
    pub const fn ssrc(&self) -> u32 {
        self.ssrc
    }
    /// RTP packets sent.
    pub const fn packets(&self) -> u64 {
        self.packets
    }
    /// RTP octets sent, headers included.
    pub const fn octets(&self) -> u64 {
        self.octets
    }
    /// Octets of payload sent, as a sender report counts them.
    pub const fn payload_octets(&self) -> u32 {
        self.payload_octets
    }

    /// The clock of what is sent from now on. The timeline goes on in the new unit.
    pub fn set_clock(&mut self, clock_hz: u32) {
        if self.clock_hz != clock_hz {
            self.clock_hz = clock_hz;
            self.projection = None;
        }
    }

    /// The clock of what is sent now, in Hz.
    pub const fn clock_hz(&self) -> u32 {
        self.clock_hz
    }

    /// What the stream's clock shows now.
    pub fn clock_at(&self, now: Timestamp) -> RtpTimestamp {
        match self.sent_at {
            Some(sent_at) => {
                let passed = now.since(sent_at).as_micros() as u64 * u64::from(self.clock_hz) / 1_000_000;
                self.timestamp.plus(passed as u32)
            }
            None => self.timestamp,
        }
    }

    /// The time for something new: now, but never before the end of what was sent. Packets that waited in a socket while this
    /// thread was held up are all handled at one moment, and must not share a timestamp.
    pub fn time_at(&self, now: Timestamp) -> RtpTimestamp {
        let (clock, end) = (self.clock_at(now), self.timestamp.plus(self.lasts));
        if clock.since(end) > 0 { clock } else { end }
    }

    /// The header for a packet of `source` with header `header`; `None` for one that came too late to be told in ours.
    pub fn relay(&mut self, key: SourceKey, header: &Header, now: Timestamp) -> Option<Header> {
        let mut joined = false;
        let mut projection = match self.projection {
            Some(going) if going.key == key && self.goes_on(&going, header, now) => going,
            _ => {
                joined = true;
                let time = self.time_at(now);
                Projection {
                    key,
                    seq_offset: self.seq.next().0.wrapping_sub(header.seq.0),
                    ticks_offset: time.0.wrapping_sub(header.timestamp.0),
                    newest: header.seq,
                    newest_time: header.timestamp,
                    first: Some(header.seq),
                }
            }
        };
        if projection.first.is_some_and(|first| header.seq.since(first) < 0) {
            return None;
        }
        if header.seq.since(projection.newest) > 0 {
            projection.newest = header.seq;
            projection.newest_time = header.timestamp;
            if projection.first.is_some_and(|first| header.seq.since(first) > 2 * MISORDER_MAX) {
                projection.first = None;
            }
        }
        self.projection = Some(projection);
        Some(Header {
            marker: header.marker || joined,
            payload_type: header.payload_type,
            seq: header.seq.plus(projection.seq_offset),
            timestamp: header.timestamp.plus(projection.ticks_offset),
            ssrc: self.ssrc,
        })
    }

    fn goes_on(&self, going: &Projection, header: &Header, now: Timestamp) -> bool {
        let step = header.seq.since(going.newest);
        if !(-MISORDER_MAX..=DROPOUT_MAX).contains(&step) {
            return false;
        }
        let Some(sent_at) = self.sent_at else { return true };
        let passed = now.since(sent_at).as_micros() as u64 * u64::from(self.clock_hz) / 1_000_000;
        let said = i64::from(header.timestamp.since(going.newest_time));
        said.abs_diff(passed as i64) <= u64::from(JUMP_S * self.clock_hz)
    }

    /// Whose packet left under this number of ours, and by which number of its sender; only of the source that goes on now, and
    /// as far back as overtaken packets are told.
    pub fn source_of(&self, ours: SeqNo) -> Option<(SourceKey, SeqNo)> {
        let going = self.projection?;
        let theirs = SeqNo(ours.0.wrapping_sub(going.seq_offset));
        going.tells(theirs).then_some((going.key, theirs))
    }
    /// The other way around: under which number of ours it left.
    pub fn ours_of(&self, key: SourceKey, theirs: SeqNo) -> Option<SeqNo> {
        let going = self.projection.filter(|going| going.key == key && going.tells(theirs))?;
        Some(theirs.plus(going.seq_offset))
    }
    /// A moment of the source's timeline on ours, while it goes on.
    pub fn time_of(&self, key: SourceKey, theirs: RtpTimestamp) -> Option<RtpTimestamp> {
        let going = self.projection.filter(|going| going.key == key)?;
        Some(theirs.plus(going.ticks_offset))
    }

    /// The header for a packet of our own making, at this time of our timeline. What was relayed before is joined anew.
    pub fn own(&mut self, payload_type: u8, marker: bool, timestamp: RtpTimestamp) -> Header {
        self.projection = None;
        Header { marker, payload_type, seq: self.seq.next(), timestamp, ssrc: self.ssrc }
    }

    /// The packet with this header and so many octets of payload is on its way. It covers `ticks` from its timestamp, which was
    /// the time at `at`.
    pub fn sent(&mut self, header: &Header, payload_len: usize, ticks: u32, at: Timestamp) {
        self.packets += 1;
        self.octets += (payload_len + crate::rtp::HEADER_LEN) as u64;
        self.payload_octets = self.payload_octets.wrapping_add(payload_len as u32);
        if self.sent_at.is_none() || header.seq.since(self.seq) > 0 {
            self.seq = header.seq;
            self.timestamp = header.timestamp;
            self.lasts = ticks;
            self.sent_at = Some(at);
        }
    }

    /// What is added to sequence numbers and RTP times of a source, once no packet of it can come that is older than its
    /// beginning; `None` while it is not the source, or just began.
    pub fn offsets(&self, key: SourceKey) -> Option<(u16, u32)> {
        let going = self.projection.filter(|going| going.key == key)?;
        let settled = going.first.is_none_or(|first| going.newest.since(first) > SETTLED);
        settled.then_some((going.seq_offset, going.ticks_offset))
    }

    /// So many packets of the source were sent elsewhere, by [`Outgoing::offsets`]. `newest`: number and time, as they came, of the
    /// one with the highest number, sent at `at`.
    pub fn forwarded(
        &mut self,
        packets: u64,
        octets: u64,
        newest: (SeqNo, RtpTimestamp),
        ticks: u32,
        at: Timestamp,
    ) {
        self.packets += packets;
        self.octets += octets;
        let headers = packets * crate::rtp::HEADER_LEN as u64;
        self.payload_octets = self.payload_octets.wrapping_add(octets.saturating_sub(headers) as u32);
        let Some(going) = &mut self.projection else { return };
        if newest.0.since(going.newest) > 0 {
            (going.newest, going.newest_time) = newest;
            going.first = None;
            self.seq = newest.0.plus(going.seq_offset);
            self.timestamp = newest.1.plus(going.ticks_offset);
            self.lasts = ticks;
            self.sent_at = Some(at);
        }
    }

    /// A source's packet was not sent on purpose; the next one begins anew, so that no loss shows.
    pub fn interrupted(&mut self) {
        self.projection = None;
    }

    /// Whether anything was sent since the last time this was asked (RFC 3550 §6.4: only senders send sender reports).
    pub fn sent_since_report(&mut self) -> bool {
        let sent = self.packets != self.reported_packets;
        self.reported_packets = self.packets;
        sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const ANNA: SourceKey = SourceKey { speaker: 1, stream: 0 };
    const BEN: SourceKey = SourceKey { speaker: 2, stream: 0 };

    struct Listener {
        stream: Outgoing,
        now: Timestamp,
    }
    impl Listener {
        fn new() -> Self {
            Self { stream: Outgoing::new(0xABCD, 100, 5_000), now: Timestamp::from_millis(1_000) }
        }
        fn hears(&mut self, who: SourceKey, seq: u16, time: u32) -> Option<(u16, u32, bool)> {
            let header = Header {
                marker: false,
                payload_type: 0,
                seq: SeqNo(seq),
                timestamp: RtpTimestamp(time),
                ssrc: 9,
            };
            let out = self.stream.relay(who, &header, self.now)?;
            self.stream.sent(&out, 160, 160, self.now);
            assert_eq!(out.ssrc, 0xABCD);
            Some((out.seq.0, out.timestamp.0, out.marker))
        }
        fn passes(&mut self, ms: u64) {
            self.now = self.now + Duration::from_millis(ms);
        }
    }

    #[test]
    fn a_stream_keeps_its_holes_and_its_order() {
        let mut listener = Listener::new();
        assert_eq!(listener.hears(ANNA, 65_534, 1_000), Some((101, 5_000, true)));
        listener.passes(60);
        assert_eq!(listener.hears(ANNA, 1, 1_480), Some((104, 5_480, false)), "two lost before us");
        assert_eq!(listener.hears(ANNA, 0, 1_320), Some((103, 5_320, false)), "one was overtaken");
        listener.passes(20);
        assert_eq!(listener.hears(ANNA, 2, 1_640), Some((105, 5_640, false)));
    }

    #[test]
    fn another_speaker_goes_on_in_our_numbers_and_our_time_with_a_marker() {
        let mut listener = Listener::new();
        listener.hears(ANNA, 10, 0);
        listener.passes(1_000);
        assert_eq!(listener.hears(BEN, 40_000, 777), Some((102, 13_000, true)));
        assert_eq!(listener.hears(BEN, 39_999, 617), None, "older than the beginning: its number is taken");
        listener.passes(5);
        assert_eq!(
            listener.hears(ANNA, 61, 8_160),
            Some((103, 13_160, true)),
            "never less than a packet later"
        );
    }

    #[test]
    fn a_sender_that_begins_anew_is_joined_without_a_jump() {
        let mut listener = Listener::new();
        listener.hears(ANNA, 10, 0);
        listener.passes(20);
        assert_eq!(listener.hears(ANNA, 50_000, 160), Some((102, 5_160, true)), "numbers jumped");
        listener.passes(20);
        assert_eq!(listener.hears(ANNA, 50_001, 900_000_000), Some((103, 5_320, true)), "time jumped");
    }

    #[test]
    fn silence_that_was_not_sent_is_no_jump() {
        let mut listener = Listener::new();
        listener.hears(ANNA, 10, 0);
        listener.passes(10_000);
        assert_eq!(listener.hears(ANNA, 11, 80_000), Some((102, 85_000, false)));
    }

    #[test]
    fn after_a_tone_of_our_own_the_speaker_goes_on_behind_it() {
        let mut listener = Listener::new();
        listener.hears(ANNA, 10, 0);
        listener.passes(20);
        let time = listener.stream.time_at(listener.now);
        let own = listener.stream.own(101, true, time);
        listener.stream.sent(&own, 4, 160, listener.now);
        listener.passes(20);
        assert_eq!(listener.hears(ANNA, 12, 320), Some((103, 5_320, true)));
    }

    #[test]
    fn what_is_said_at_one_moment_does_not_share_a_timestamp() {
        let mut listener = Listener::new();
        listener.hears(ANNA, 10, 0);
        for n in 1..4 {
            let digit = listener.stream.own(101, true, listener.stream.time_at(listener.now));
            assert_eq!(digit.timestamp, RtpTimestamp(5_160 + (n - 1) * 800), "digit {n} of 100 ms each");
            listener.stream.sent(&digit, 4, 800, listener.now);
        }
    }

    #[test]
    fn numbers_wrap_without_being_refused() {
        let mut listener = Listener::new();
        for n in 0..70_000u32 {
            listener.passes(20);
            assert!(listener.hears(ANNA, n as u16, n * 160).is_some(), "packet {n}");
        }
        assert_eq!(listener.stream.packets(), 70_000);
    }
}
