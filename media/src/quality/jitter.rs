//! Interarrival jitter (RFC 3550 §6.4.1 and A.8), and who came too late to be played.

use super::{Forwarded, Handover, PLAYOUT_MS};

#[derive(Clone, Debug)]
pub(super) struct Jitter {
    clock_hz: u32,
    last: Option<(u32, u64)>,
    /// In timestamp units.
    jitter: f32,
    max_ms: f32,
    /// Transit against the first packet, microseconds; unwrapped, so that it can be compared over minutes.
    transit_us: i64,
    /// Fastest transit of the current and of the previous span: the moving floor follows clock skew.
    floor_us: [i64; 2],
    span_ends_us: u64,
    /// A gap that may be a stall of the network or a pause of the sender: the next packet tells.
    doubt_us: Option<i64>,
}

impl Jitter {
    pub(super) fn new(clock_hz: u32) -> Self {
        Self {
            clock_hz,
            last: None,
            jitter: 0.0,
            max_ms: 0.0,
            transit_us: 0,
            floor_us: [0, 0],
            span_ends_us: 0,
            doubt_us: None,
        }
    }

    /// Another timeline begins; the worst jitter is remembered.
    pub(super) fn restart(&mut self, clock_hz: u32) {
        *self = Self { max_ms: self.max_ms, ..Self::new(clock_hz) };
    }

    /// Takes note of a packet; whether it came too late to be played.
    pub(super) fn note(&mut self, timestamp: u32, at_us: u64) -> bool {
        let Some((last_timestamp, last_at_us)) = self.last.replace((timestamp, at_us)) else {
            self.span_ends_us = at_us + SPAN_US;
            return false;
        };
        let said_us =
            i64::from(timestamp.wrapping_sub(last_timestamp) as i32) * 1_000_000 / i64::from(self.clock_hz);
        let came_us = at_us.saturating_sub(last_at_us).min(i64::MAX as u64) as i64;
        let difference_us = came_us.saturating_sub(said_us);
        if difference_us.unsigned_abs() > JUMP_US {
            // The clock of the sender jumped: nothing to compare with.
            let max_ms = self.max_ms;
            *self = Self { jitter: self.jitter, max_ms, last: self.last, ..Self::new(self.clock_hz) };
            self.span_ends_us = at_us + SPAN_US;
            return false;
        }
        // A browser that stops sending (its microphone closed between two calls) goes on later with the next sequence number
        // and the next timestamp: the time between is nobody's delay. What a stalled network held back comes in a burst.
        if let Some(doubt_us) = self.doubt_us.take() {
            if came_us.saturating_mul(2) < said_us {
                self.count(doubt_us, at_us);
            } else {
                self.floor_us = [self.transit_us; 2];
            }
        }
        if difference_us > PAUSE_US {
            self.doubt_us = Some(difference_us);
            return false;
        }
        self.count(difference_us, at_us)
    }

    fn count(&mut self, difference_us: i64, at_us: u64) -> bool {
        let difference = difference_us.unsigned_abs() as f32 * self.clock_hz as f32 / 1e6;
        self.jitter += (difference - self.jitter) / JITTER_GAIN;
        self.max_ms = self.max_ms.max(self.ms());
        self.transit_us += difference_us;
        if at_us >= self.span_ends_us {
            self.floor_us = [self.transit_us, self.floor_us[0]];
            self.span_ends_us = at_us + SPAN_US;
        }
        self.floor_us[0] = self.floor_us[0].min(self.transit_us);
        self.transit_us - self.floor_us[0].min(self.floor_us[1]) > (PLAYOUT_MS * 1000) as i64
    }

    /// Fills in what another meter needs to go on.
    pub(super) fn hand_over(&self, handover: Handover) -> Option<Handover> {
        if self.doubt_us.is_some() {
            return None;
        }
        Some(Handover {
            last: self.last?,
            jitter_us: f64::from(self.jitter) * 1e6 / f64::from(self.clock_hz),
            transit_us: self.transit_us,
            floor_us: self.floor_us,
            span_ends_us: self.span_ends_us,
            ..handover
        })
    }

    /// The estimate went on elsewhere.
    pub(super) fn forwarded(&mut self, forwarded: &Forwarded) {
        let now = &forwarded.now;
        self.last = Some(now.last);
        self.jitter = (now.jitter_us * f64::from(self.clock_hz) / 1e6) as f32;
        self.max_ms = self.max_ms.max((forwarded.jitter_max_us / 1_000.0) as f32);
        self.transit_us = now.transit_us;
        self.floor_us = now.floor_us;
        self.span_ends_us = now.span_ends_us;
        self.doubt_us = None;
    }

    pub(super) fn ms(&self) -> f32 {
        self.jitter * 1000.0 / self.clock_hz as f32
    }

    pub(super) fn max_ms(&self) -> f32 {
        self.max_ms
    }

    pub(super) fn ticks(&self) -> u32 {
        self.jitter as u32
    }
}

/// Noise reduction of the estimate: each packet moves it by 1/16 (RFC 3550 §6.4.1).
const JITTER_GAIN: f32 = 16.0;
/// Half of the 10 s over which the fastest packet is remembered.
const SPAN_US: u64 = 5_000_000;
/// A gap this long, more than a player can wait, may be a pause of the sender.
const PAUSE_US: i64 = (PLAYOUT_MS * 1_000) as i64;
/// A difference this large is no jitter.
const JUMP_US: u64 = 10_000_000;
