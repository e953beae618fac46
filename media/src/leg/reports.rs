//! RTCP of a leg: what it reports, what it learns from reports; and what is looked at once a second.

use std::net::SocketAddr;
use std::time::Duration;

use model::time::Timestamp;

use super::incoming::reason_of;
use super::{Door, DropReason, Leg, Outbox, Protection, Received, Wire};
use crate::control::{Direction, Event};
use crate::ice::CONSENT_EXPIRY;
use crate::rtp::rtcp::{self, Packet, ReportBlock, SenderInfo};

/// Time between reports, before it is scattered (RFC 3550 §6.2: at least 5 s).
const INTERVAL: Duration = Duration::from_secs(5);
/// A round trip longer than this is a misunderstanding.
const ROUND_TRIP_MAX: Duration = Duration::from_secs(10);

/// What was reported, by whom, when.
#[derive(Clone, Debug)]
pub(super) struct Reports {
    cname: String,
    next_at: Option<Timestamp>,
    /// Middle of the NTP time of the far end's last sender report, and when it came.
    last_sr: Option<(u32, Timestamp)>,
    /// Fraction lost and jitter (in ticks) that the far end reports about us.
    far: Option<(u8, u32)>,
}

impl Reports {
    pub fn new(a: u32, b: u32) -> Self {
        Self { cname: format!("{a:08x}{b:08x}@patchbay"), next_at: None, last_sr: None, far: None }
    }
    pub fn far_lost_percent(&self) -> Option<f32> {
        self.far.map(|(lost, _)| f32::from(lost) * 100.0 / 256.0)
    }
    pub fn far_jitter_ms(&self, clock_hz: u32) -> Option<f32> {
        self.far.map(|(_, jitter)| jitter as f32 * 1_000.0 / clock_hz.max(1) as f32)
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
            let Packet::Report { sender, blocks, .. } = packet else { continue };
            if let Some(sender) = sender {
                self.reports.last_sr = Some((rtcp::ntp_middle(sender.ntp), now));
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
        Ok(Received::Done)
    }

    fn reported(&mut self, block: &ReportBlock, now: Timestamp) {
        self.reports.far = Some((block.fraction_lost, block.jitter));
        if block.last_sr == 0 {
            return;
        }
        // In 1/65536 s: when we hear it, less the time they held it, less when we said it (RFC 3550 §6.4.1).
        let middle = rtcp::ntp_middle(rtcp::ntp_of(now));
        let trip = middle.wrapping_sub(block.delay_since_last_sr).wrapping_sub(block.last_sr).cast_signed();
        if trip >= 0 && (trip as u64) < ROUND_TRIP_MAX.as_secs() << 16 {
            self.meter.set_rtt_ms(trip as f32 * 1_000.0 / 65_536.0);
        }
    }

    /// Looks after the leg; to be called about once a second. `random` scatters the reports.
    pub fn each_second(&mut self, random: u32, now: Timestamp, wire: &mut dyn Wire, out: &mut Outbox) {
        if let Some(change) = self.meter.quality(now.micros()) {
            out.events.push(Event::Quality {
                leg: self.id,
                poor: change.poor,
                jitter_ms: change.jitter_ms,
                loss_percent: change.loss_percent,
            });
        }
        self.watch_silence(now, out);
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
        let lasting = now.since(since);
        if lasting >= self.media_timeout && !self.alive.silent_told {
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
            self.apply_ice(now, wire, out);
        }
    }

    /// Sends a report: SR when something was sent since the last one, else RR (§6.4).
    fn report(&mut self, bye: bool, now: Timestamp, wire: &mut dyn Wire) {
        let Some(to) = self.latch.rtcp_to().filter(|_| self.may_send()) else { return };
        let door = if self.latch.mux() { Door::Rtp } else { Door::Rtcp };
        let sender = self.outgoing.sent_since_report().then(|| SenderInfo {
            ntp: rtcp::ntp_of(now),
            rtp_timestamp: self.outgoing.clock_at(now).0,
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
        let report =
            rtcp::Report { ssrc: self.outgoing.ssrc(), sender, block, cname: &self.reports.cname, bye };
        let protection = &mut self.protection;
        wire.put(door, to, &mut |room| {
            let len = rtcp::build(room, &report);
            protection.protect_rtcp(room, len).unwrap_or(0)
        });
    }
}
