//! What a stream sounds like: loss, jitter, MOS.
//!
//! A [`StreamMeter`] watches one incoming stream. Everything it knows comes from sequence number, timestamp and arrival
//! time, so a capture fed through it gives the figures the call had. It allocates nothing and takes about 900 octets.
//!
//! MOS is the E-model's (ITU-T G.107 with G.113 figures a codec, see [`emodel`]), for windows of 5 s: a minute of silence
//! in a good hour must not hide in the mean. Listening quality assumes no delay; conversational quality needs the round
//! trip from RTCP. A packet more than [`PLAYOUT_MS`] late counts as lost, because a player has gone on by then.

mod bursts;
mod course;
pub mod emodel;
mod handover;
mod jitter;
mod limits;
mod sequence;
pub mod watch;
mod windows;

pub use bursts::{BurstFigures, GMIN};
pub use course::Course;
pub use handover::{Forwarded, Handover};
pub use limits::{Change, Limits};
pub use sequence::{Sequence, Verdict};

use std::mem::offset_of;

use jitter::Jitter;
use model::media::{Codec, StreamStats};
use windows::Windows;

use crate::rtp::xr::VoipMetrics;

/// One RTP packet, as far as its quality goes.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Who sent it.
    pub ssrc: u32,
    /// Sequence number.
    pub seq: u16,
    /// RTP timestamp.
    pub timestamp: u32,
    /// When it came, in microseconds of a clock that never runs back.
    pub at_us: u64,
    /// Octets of RTP, header included.
    pub octets: usize,
    /// Whether the timestamp tells when it was said. Not so for telephone events, which all carry the time of their
    /// beginning (RFC 4733 §2.2.2): they count for loss, not for jitter.
    pub timed: bool,
}

/// What a receiver report says about the stream (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reception {
    /// Whose packets.
    pub ssrc: u32,
    /// Share lost since the last report, in 256ths.
    pub fraction_lost: u8,
    /// Lost since the beginning, 24 bits signed.
    pub lost: i32,
    /// Highest sequence number, with the cycles above it.
    pub highest: u32,
    /// Jitter in timestamp units.
    pub jitter: u32,
}

/// What a stream was like during 5 s.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Window {
    /// When they ended, on the clock of the arrivals.
    pub ended_us: u64,
    /// Listening quality.
    pub mos: f32,
    /// Mean of the jitter that its packets saw.
    pub jitter_ms: f32,
    /// Lost, or too late to be played.
    pub loss_percent: f32,
    /// The round trip as it was known then.
    pub rtt_ms: Option<f32>,
}

/// MOS over the life of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MosSummary {
    /// Mean of the windows.
    pub mean: f32,
    /// Nine windows of ten were better.
    pub p10: f32,
    /// The worst window.
    pub worst: Window,
    /// The best window.
    pub best: Window,
    /// Windows of 5 s that had audio.
    pub windows: u32,
    /// How it went.
    pub course: Course,
}

/// Measures one incoming stream. What each packet needs lies in front ([`StreamMeter::EACH_PACKET`]).
#[derive(Clone, Debug)]
#[repr(C)]
pub struct StreamMeter {
    /// `None`: passed on without being understood.
    codec: Option<Codec>,
    clock_hz: u32,
    ssrc: Option<u32>,
    packets: u64,
    octets: u64,
    recent: Recent,
    sequence: Sequence,
    bursts: bursts::Bursts,
    jitter: Jitter,
    // What is told once a second.
    limits: Limits,
    windows: Windows,
    rejected: u64,
    rtt_ms: Option<f32>,
    /// Expected and lost when the last report was made, of all that ever came.
    reported: (u64, u64),
    /// What the figures shown begin after. Reports to the far end count from the stream's beginning all the same.
    begun: Begun,
}

/// What limits and windows were not told yet. They are told before one of their seconds ends, so that each packet is counted in
/// the second it came in.
#[derive(Clone, Copy, Debug, Default)]
struct Recent {
    packets: u32,
    late: u32,
    jitter_ms: f32,
    /// When the newest of them came.
    last_us: u64,
    /// When a second or a window ends; 0: it is not known.
    ends_us: u64,
}

/// Counts at the moment the figures began.
#[derive(Clone, Copy, Debug, Default)]
struct Begun {
    totals: Totals,
    duplicates: u64,
}

impl StreamMeter {
    /// Octets from its beginning that a packet reaches.
    pub const EACH_PACKET: usize = offset_of!(Self, limits);

    /// A meter for a stream in `codec`.
    pub fn new(codec: Codec) -> Self {
        Self {
            codec: Some(codec),
            clock_hz: codec.clock_hz(),
            ssrc: None,
            recent: Recent::default(),
            sequence: Sequence::default(),
            bursts: bursts::Bursts::default(),
            jitter: Jitter::new(codec.clock_hz()),
            limits: Limits::default(),
            windows: Windows::default(),
            packets: 0,
            octets: 0,
            rejected: 0,
            rtt_ms: None,
            reported: (0, 0),
            begun: Begun::default(),
        }
    }

    /// The figures shown count from here: another call on the same stream. The far end's view goes on, because a cumulative
    /// loss that jumps reads as a broken receiver (RFC 3550 §6.4.1); only the jitter is estimated anew, which it may be.
    pub fn begin_anew(&mut self) {
        self.begun = Begun { totals: self.sequence.totals(), duplicates: self.sequence.duplicates() };
        self.jitter = Jitter::new(self.clock_hz);
        self.limits = Limits::default();
        self.windows = Windows::default();
        self.recent = Recent::default();
        (self.packets, self.octets, self.rejected) = (0, 0, 0);
    }

    /// The stream goes on in another codec: what was measured stays, the clock may change.
    pub fn set_codec(&mut self, codec: Codec) {
        self.set_format(Some(codec), codec.clock_hz());
    }

    /// The stream goes on in a format that is passed on without being understood: loss and jitter are measured, MOS is not.
    pub fn set_passed(&mut self, clock_hz: u32) {
        self.set_format(None, clock_hz);
    }

    fn set_format(&mut self, codec: Option<Codec>, clock_hz: u32) {
        if codec != self.codec || clock_hz != self.clock_hz {
            self.settle();
            self.recent.ends_us = 0;
            (self.codec, self.clock_hz) = (codec, clock_hz);
            self.jitter.restart(clock_hz);
        }
    }

    /// Takes note of a packet that passed all checks.
    pub fn packet(&mut self, arrival: Arrival) -> Verdict {
        if arrival.at_us >= self.recent.ends_us {
            self.settle();
        }
        if self.ssrc.replace(arrival.ssrc).is_some_and(|old| old != arrival.ssrc) {
            self.sequence.restart();
            self.jitter.restart(self.clock_hz);
        }
        self.packets += 1;
        self.octets += arrival.octets as u64;
        let verdict = self.sequence.note(arrival.seq);
        match verdict {
            Verdict::Restarted => self.jitter.restart(self.clock_hz),
            Verdict::Stray | Verdict::Duplicate => return verdict,
            Verdict::Gap(missing) => self.bursts.note(u32::from(missing)),
            Verdict::InOrder => self.bursts.note(0),
            _ => {}
        }
        let late = arrival.timed && self.jitter.note(arrival.timestamp, arrival.at_us);
        let recent = &mut self.recent;
        recent.packets += 1;
        recent.late += u32::from(late);
        recent.jitter_ms += self.jitter.ms();
        recent.last_us = arrival.at_us;
        if arrival.at_us >= recent.ends_us {
            // The first packet of all begins the first second.
            self.settle();
            let ends_us = self.limits.ends_after(arrival.at_us).min(self.windows.ends_after(arrival.at_us));
            self.recent.ends_us = ends_us;
        }
        verdict
    }

    /// Tells limits and windows of what came since they were told last.
    fn settle(&mut self) {
        let Recent { packets, late, jitter_ms, last_us, ends_us } = self.recent;
        if packets == 0 {
            return;
        }
        self.recent = Recent { ends_us, ..Recent::default() };
        let totals = self.totals();
        self.limits.note(last_us, totals, jitter_ms, packets);
        if let Some(codec) = self.codec {
            let part = windows::Part {
                at_us: last_us,
                totals,
                late: u64::from(late),
                jitter_ms: (f64::from(jitter_ms), packets),
                rtt_ms: self.rtt_ms,
            };
            self.windows.note(part, emodel::Impairment::of(codec));
        }
    }

    /// The windows with what they were not told yet.
    fn windows(&self) -> Windows {
        let mut up_to_date = self.clone();
        up_to_date.settle();
        up_to_date.windows
    }

    /// A packet was dropped before it could be measured: bad tag, wrong source, unknown payload type.
    pub fn rejected(&mut self) {
        self.rejected += 1;
    }

    /// The round trip, from RTCP.
    pub fn set_rtt_ms(&mut self, rtt_ms: f32) {
        self.rtt_ms = Some(rtt_ms);
    }

    /// QUAL-01: whether quality left or regained its limits since the last call. Ask after packets or on a tick; it
    /// answers at most once a second.
    pub fn quality(&mut self, now_us: u64) -> Option<Change> {
        self.settle();
        self.limits.check(now_us, self.totals())
    }

    /// The figures so far.
    pub fn snapshot(&self) -> StreamStats {
        let (totals, windows) = (self.totals(), self.windows());
        StreamStats {
            packets: self.packets,
            octets: self.octets,
            lost: totals.lost,
            duplicates: self.sequence.duplicates() - self.begun.duplicates,
            rejected: self.rejected,
            jitter_ms: self.jitter.ms(),
            jitter_max_ms: self.jitter.max_ms(),
            rtt_ms: self.rtt_ms,
            mos: self.codec.and_then(|codec| windows.mean(totals, emodel::Impairment::of(codec))),
            mos_min: self.codec.and_then(|_| windows.summary()).map(|s| s.worst.mos),
        }
    }

    /// MOS of the whole 5 s windows so far; `None` before the first ended.
    pub fn mos(&self) -> Option<MosSummary> {
        self.windows().summary()
    }

    /// Conversational quality, once the round trip is known: the mean loss, with half the round trip, a packet's time,
    /// the codec's lookahead and the player's buffer (twice the jitter, at least 40 ms) as delay.
    pub fn conversational(&self) -> Option<f32> {
        let (totals, codec) = (self.totals(), self.codec?);
        let lookahead_ms = match codec {
            Codec::Opus => 6.5,
            Codec::G729 => 5.0,
            Codec::Pcmu | Codec::Pcma | Codec::G722 => 0.0,
        };
        let buffer_ms = (2.0 * self.jitter.ms()).max(40.0);
        let delay_ms = self.rtt_ms? / 2.0 + 20.0 + lookahead_ms + buffer_ms;
        let loss = self.windows().loss(totals);
        Some(emodel::mos(emodel::Impairment::of(codec), loss.percent, loss.burst_ratio, f64::from(delay_ms))
            as f32)
    }

    /// The report block for the next RTCP report; begins a new interval. `None` before the first packet.
    pub fn report(&mut self) -> Option<Reception> {
        let ssrc = self.ssrc?;
        let totals = self.sequence.totals();
        let expected = totals.expected.saturating_sub(self.reported.0);
        // Overtaken packets can bring the count of lost ones down: an interval with less than nothing lost is clean.
        let lost = totals.lost.saturating_sub(self.reported.1).min(expected);
        self.reported = (totals.expected, totals.lost);
        let fraction = (lost * 256).checked_div(expected).unwrap_or(0).min(255);
        Some(Reception {
            ssrc,
            fraction_lost: fraction as u8,
            lost: totals.lost.min(0x7F_FFFF) as i32,
            highest: self.sequence.highest(),
            jitter: self.jitter.ticks(),
        })
    }

    /// What an extended report says about the stream (RFC 3611 §4.7); `None` before the first packet. Of the jitter buffer a
    /// meter knows nothing: what is more than [`PLAYOUT_MS`] late counts as discarded.
    pub fn voip(&self) -> Option<VoipMetrics> {
        let ssrc = self.ssrc?;
        let (totals, windows) = (self.totals(), self.windows());
        let share = |part: u64| (part * 256).checked_div(totals.expected).unwrap_or(0).min(255) as u8;
        let bursts = self.bursts.figures(PACKET_MS);
        let loss = windows.loss(totals);
        let delay_ms = self.rtt_ms.map_or(0.0, |rtt_ms| f64::from(rtt_ms) / 2.0);
        let rated = |codec| {
            let impairment = emodel::Impairment::of(codec);
            emodel::rating(impairment, loss.percent, loss.burst_ratio, delay_ms) as u8
        };
        Some(VoipMetrics {
            ssrc,
            loss_rate: share(totals.lost),
            discard_rate: share(windows.late_ever()),
            burst_density: bursts.burst_density,
            gap_density: bursts.gap_density,
            burst_ms: bursts.burst_ms,
            gap_ms: bursts.gap_ms,
            round_trip_ms: self.rtt_ms.map_or(0, |rtt_ms| rtt_ms as u16),
            end_system_ms: 0,
            gmin: GMIN as u8,
            rating: self.codec.map(rated),
            mos: (self.snapshot().mos, self.conversational()),
            buffer_ms: 0,
            buffer_max_ms: 0,
        })
    }

    fn totals(&self) -> Totals {
        self.sequence.totals().after(self.begun.totals)
    }
}

/// Counts since the stream began, over all its restarts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Packets there should have been, by sequence number.
    pub expected: u64,
    /// Of these, how many are missing.
    pub lost: u64,
    /// Runs of missing packets.
    pub bursts: u64,
}

impl Totals {
    /// What came after `begun`. A straggler from before it can bring a count below what it was then.
    fn after(self, begun: Self) -> Self {
        Self {
            expected: self.expected.saturating_sub(begun.expected),
            lost: self.lost.saturating_sub(begun.lost),
            bursts: self.bursts.saturating_sub(begun.bursts),
        }
    }
}

/// What a packet lasts, for lengths of bursts: nearly everybody sends 20 ms.
const PACKET_MS: u64 = 20;
/// Packets later than this against the fastest of the last 10 s are lost to a player.
pub const PLAYOUT_MS: u64 = 100;

#[cfg(test)]
mod tests;
