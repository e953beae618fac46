//! RTCP of a leg: what it reports, what it learns from reports; and what is looked at once a second.

use std::net::SocketAddr;
use std::time::Duration;

use model::time::Timestamp;

use super::incoming::reason_of;
use super::{Door, DropReason, Leg, Outbox, Protection, Received, SourceKey, Wire};
use crate::control::{Direction, Event};
use crate::ice::CONSENT_EXPIRY;
use crate::rtp::RtpTimestamp;
use crate::rtp::rtcp::{self, Packet, ReportBlock, SenderInfo};
use crate::rtp::xr;

/// Time between reports, before it is scattered (RFC 3550 §6.2: at least 5 s).
const INTERVAL: Duration = Duration::from_secs(5);
/// How often a leg is to be looked after.
pub const LOOKS_EVERY: Duration = Duration::from_millis(400);
/// A round trip longer than this is a misunderstanding.
const ROUND_TRIP_MAX: Duration = Duration::from_secs(10);
/// More jitter than this, in milliseconds, is a forgery or a misunderstanding, and would spoil every mean it gets into.
const JITTER_MS_MAX: f32 = 10_000.0;

/// Sender reports of ours that answers are expected to.
const TOLD_MAX: usize = 4;

/// What was reported, by whom, when.
#[derive(Clone, Debug)]
pub(super) struct Reports {
    cname: String,
    next_at: Option<Timestamp>,
    /// Middle of the NTP time of the far end's last sender report, and when it came.
    last_sr: Option<(u32, Timestamp)>,
    /// Fraction lost and jitter (in ticks) that the far end reports about us.
    far: Option<(u8, u32)>,
    /// Sender reports of ours: middle of the NTP time they told, and when they left. The oldest goes first.
    told: [Option<(u32, Timestamp)>; TOLD_MAX],
    /// The clock of the source that is heard, as it told it last.
    source: Option<(SourceKey, SourceClock)>,
    received_packets: u64,
    received_octets: u64,
    received_at: Option<Timestamp>,
    sent_packets: u64,
}

/// A moment on a sender's two clocks, as its sender report told it, and when that came. Voice and picture of one far end are
/// brought together by it at their receiver, so it is passed on in our timestamps instead of a clock of ours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SourceClock {
    /// NTP time.
    pub ntp: u64,
    /// RTP time.
    pub timestamp: RtpTimestamp,
    /// When the report came.
    pub at: Timestamp,
}

impl Reports {
    pub fn new(a: u32, b: u32) -> Self {
        Self {
            cname: format!("{a:08x}{b:08x}@patchbay"),
            next_at: None,
            last_sr: None,
            far: None,
            told: [None; TOLD_MAX],
            source: None,
            received_packets: 0,
            received_octets: 0,
            received_at: None,
            sent_packets: 0,
        }
    }
    pub const fn received_packets(&self) -> u64 {
        self.received_packets
    }
    /// Octets that came in, and when the last of them.
    pub const fn received(&self) -> (u64, Option<Timestamp>) {
        (self.received_octets, self.received_at)
    }
    pub const fn sent_packets(&self) -> u64 {
        self.sent_packets
    }
    pub fn far_lost_percent(&self) -> Option<f32> {
        self.far.map(|(lost, _)| f32::from(lost) * 100.0 / 256.0)
    }
    pub fn far_jitter_ms(&self, clock_hz: u32) -> Option<f32> {
        let ms = self.far.map(|(_, jitter)| jitter as f32 * 1_000.0 / clock_hz.max(1) as f32);
        ms.filter(|ms| *ms <= JITTER_MS_MAX)
    }
}

impl Leg {
    pub(super) fn receive_rtcp(
        &mut self,
        buffer: &mut [u8],
        len: usize,
        from: SocketAddr,
        door: Door,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Result<Received, DropReason> {
        let shared = door == Door::Rtp;
        let believed = match &self.ice {
            Some(ice) => ice.is_verified(from),
            None => self.latch.admits_rtcp(from, shared, now),
        };
        if !believed {
            return Err(DropReason::WrongSource);
        }
        let datagram = buffer.get_mut(..len).ok_or(DropReason::Malformed)?;
        let len = match &mut self.protection {
            Protection::Plain => len,
            Protection::Waiting => return Err(DropReason::NotReady),
            Protection::Keyed(keyed) => keyed.receive.unprotect_rtcp(datagram).map_err(reason_of)?,
        };
        let compound = buffer.get(..len).ok_or(DropReason::Malformed)?;
        for packet in rtcp::parse(compound).map_err(|_| DropReason::Malformed)? {
            // A BYE is heard and changes nothing: SIP says when a call is over.
            let (reporter, sender, blocks) = match packet {
                Packet::Report { ssrc, sender, blocks } => (ssrc, sender, blocks),
                Packet::Feedback(feedback) => {
                    self.note_feedback(&feedback, now);
                    continue;
                }
                Packet::Bye | Packet::Other(_) => continue,
            };
            if let Some(sender) = sender {
                self.reports.last_sr = Some((rtcp::ntp_middle(sender.ntp), now));
                // Zero: it has no clock (§6.4.1).
                if sender.ntp != 0 && self.stream.ssrc == Some(reporter) {
                    let timestamp = RtpTimestamp(sender.rtp_timestamp);
                    self.told.clock = Some(SourceClock { ntp: sender.ntp, timestamp, at: now });
                }
            }
            let ours = self.outgoing.ssrc();
            for block in blocks.filter(|block| block.ssrc == ours) {
                self.reported(&block, now);
            }
        }
        self.latch.verified_rtcp(from, shared);
        // Reports show that the far end is there, but its voice did not start by them.
        if self.alive.started && !self.alive.silent_told {
            self.heard(now, out);
        }
        self.reports.received_packets += 1;
        self.reports.received_octets += len as u64;
        self.reports.received_at = Some(now);
        Ok(if self.told.is_something() { Received::Told } else { Received::Done })
    }

    fn reported(&mut self, block: &ReportBlock, now: Timestamp) {
        self.reports.far = Some((block.fraction_lost, block.jitter));
        if block.last_sr == 0 {
            return;
        }
        // When we hear it, less the time they held it, less when we said it (RFC 3550 §6.4.1). What we said may have been the
        // source's time, so it is looked up.
        let told = self.reports.told.iter().flatten().find(|(middle, _)| *middle == block.last_sr);
        let Some((_, said_at)) = told else { return };
        let held = Duration::from_micros(u64::from(block.delay_since_last_sr) * 1_000_000 / 65_536);
        if let Some(trip) = now.since(*said_at).checked_sub(held).filter(|trip| *trip < ROUND_TRIP_MAX) {
            self.meter.set_rtt_ms(trip.as_secs_f32() * 1_000.0);
        }
    }

    /// The source that is heard told its clock.
    pub fn source_told(&mut self, key: SourceKey, clock: SourceClock) {
        self.reports.source = Some((key, clock));
    }

    /// NTP and RTP time of this moment: the source's while its own timeline goes on in ours, else what our clocks show.
    fn clocks(&self, now: Timestamp) -> (u64, u32) {
        let of_source = self.reports.source.and_then(|(key, clock)| {
            let then = self.outgoing.time_of(key, clock.timestamp)?;
            let passed_us = now.since(clock.at).as_micros() as u64;
            let ticks = passed_us * u64::from(self.outgoing.clock_hz()) / 1_000_000;
            let ntp = clock.ntp.wrapping_add(rtcp::ntp_span(passed_us));
            Some((ntp, then.plus(ticks as u32).0))
        });
        of_source.unwrap_or_else(|| (rtcp::ntp_of(now), self.outgoing.clock_at(now).0))
    }

    /// Looks after the leg; to be called [`LOOKS_EVERY`]. `random` scatters the reports; `fed`: it hears something that should
    /// make a sound; `recorded`: a recording captures it.
    pub fn look_after(
        &mut self,
        random: u32,
        (fed, recorded): (bool, bool),
        now: Timestamp,
        wire: &mut dyn Wire,
        out: &mut Outbox,
    ) {
        self.watch(fed, recorded, now, out);
        self.looks = self.looks.wrapping_add(1);
        if self.looks.is_multiple_of(2) {
            self.each_second(random, now, wire, out);
        }
    }

    fn each_second(&mut self, random: u32, now: Timestamp, wire: &mut dyn Wire, out: &mut Outbox) {
        if let Some(change) = self.meter.quality(now.micros()) {
            out.events.push(Event::Quality {
                leg: self.id,
                poor: change.poor,
                jitter_ms: change.jitter_ms,
                loss_percent: change.loss_percent,
            });
        }
        self.watch_silence(now, out);
        self.look_after_video(now, wire);
        let scatter = |share: u32| INTERVAL.mul_f64(f64::from(share % 1_000) / 1_000.0);
        match self.reports.next_at {
            // The first after 1 to 3.5 s, then each 3 to 7 s at this granularity: 5 s, scattered (§6.3.1).
            None if self.setup.is_some() => {
                self.reports.next_at = Some(now + Duration::from_secs(1) + scatter(random) / 2);
            }
            Some(due) if now >= due => {
                self.reports.next_at = Some(now + INTERVAL * 7 / 10 + scatter(random) * 6 / 10);
                self.report(false, now, wire);
            }
            _ => {}
        }
    }

    /// MEDIA-13: says once that the far end has been silent for too long.
    fn watch_silence(&mut self, now: Timestamp, out: &mut Outbox) {
        let Some(expected_since) = self.alive.expected_since else { return };
        let since = self.alive.heard_at.map_or(expected_since, |heard| heard.max(expected_since));
        let mut lasting = now.since(since);
        // A browser whose microphone is closed between two calls sends checks and nothing else, and can be rung all the same.
        let checked_at = self.ice.as_ref().filter(|_| self.may_send()).and_then(|ice| ice.checked_at());
        if let Some(checked_at) = checked_at {
            let unchecked = self.clock.instant(now).saturating_duration_since(checked_at);
            if unchecked < self.media_timeout && std::mem::take(&mut self.alive.silent_told) {
                out.events.push(Event::Started { leg: self.id });
            }
            lasting = lasting.min(unchecked);
        }
        if lasting >= self.patience() && !self.alive.silent_told {
            self.alive.silent_told = true;
            out.events.push(Event::Silent { leg: self.id, lasting });
        }
    }

    /// The browser stopped giving consent: nothing is sent until it does again.
    pub(super) fn consent_is_lost(&mut self, out: &mut Outbox) {
        self.consent_lost = true;
        self.outgoing.interrupted();
        if !self.alive.silent_told {
            self.alive.silent_told = true;
            out.events.push(Event::Silent { leg: self.id, lasting: CONSENT_EXPIRY });
        }
    }

    /// Begins or ends to expect packets, as the direction says.
    pub(super) fn expect_packets(&mut self, direction: Direction, now: Timestamp) {
        let expected = matches!(direction, Direction::SendRecv | Direction::RecvOnly);
        self.alive.expected_since = match (expected, self.alive.expected_since) {
            (false, _) => None,
            (true, Some(since)) => Some(since),
            (true, None) => Some(now),
        };
    }

    /// Says goodbye to the far end; the leg is not used after it.
    pub fn leave(&mut self, now: Timestamp, wire: &mut dyn Wire, out: &mut Outbox) {
        if self.outgoing.packets() > 0 {
            self.report(true, now, wire);
        }
        if let Some(ice) = &mut self.ice {
            ice.close(&mut out.ice);
        }
        if let Some(dtls) = &mut self.dtls {
            dtls.close(&mut out.ice);
        }
        self.apply_ice(now, wire, out);
    }

    /// Sends a report: SR when something was sent since the last one, else RR (§6.4).
    fn report(&mut self, bye: bool, now: Timestamp, wire: &mut dyn Wire) {
        if self.latch.rtcp_to().is_none() || !self.may_send() {
            return;
        }
        let (ntp, rtp_timestamp) = self.clocks(now);
        let sender = self.outgoing.sent_since_report().then(|| SenderInfo {
            ntp,
            rtp_timestamp,
            packets: self.outgoing.packets() as u32,
            octets: self.outgoing.payload_octets(),
        });
        let (last_sr, delay) = match self.reports.last_sr {
            Some((middle, at)) => (middle, (now.since(at).as_micros() as u64 * 65_536 / 1_000_000) as u32),
            None => (0, 0),
        };
        let block = self.meter.report().map(|about| ReportBlock {
            ssrc: about.ssrc,
            fraction_lost: about.fraction_lost,
            cumulative_lost: about.lost,
            highest_seq: about.highest,
            jitter: about.jitter,
            last_sr,
            delay_since_last_sr: delay,
        });
        if sender.is_some() {
            self.reports.told.rotate_right(1);
            self.reports.told[0] = Some((rtcp::ntp_middle(ntp), now));
        }
        let ssrc = self.outgoing.ssrc();
        let metrics = self.meter.voip().filter(|_| !bye && block.is_some());
        self.put_rtcp(wire, &mut |room, cname| {
            let len = rtcp::build(room, &rtcp::Report { ssrc, sender, block, cname, bye });
            match (&metrics, room.get_mut(len..)) {
                (Some(metrics), Some(room)) if len > 0 => len + xr::write(room, ssrc, metrics),
                _ => len,
            }
        });
    }

    /// Puts a compound packet on the wire, protected. `write` is given our canonical name; 0: nothing after all.
    pub(super) fn put_rtcp(&mut self, wire: &mut dyn Wire, write: &mut dyn FnMut(&mut [u8], &str) -> usize) {
        let Some(to) = self.latch.rtcp_to().filter(|_| self.may_send()) else { return };
        let door = if self.latch.mux() { Door::Rtp } else { Door::Rtcp };
        let Self { protection, reports, .. } = self;
        wire.put(door, to, &mut |room| match write(room, &reports.cname) {
            0 => 0,
            len => protection.protect_rtcp(room, len).unwrap_or(0),
        });
        reports.sent_packets += 1;
    }
}
