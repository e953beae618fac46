//! QUAL-01: when quality is poor, and when it is good again.
//!
//! Over the last 10 s, judged each second: the mean of the jitter estimate above 20 ms, or more than 2 % of the packets
//! lost. At 20 ms a packet the window holds 500, so the eleventh lost one is too many.

use super::Totals;

/// Quality left its limits or came back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Whether it is poor now.
    pub poor: bool,
    /// Mean jitter over the window.
    pub jitter_ms: f32,
    /// Loss over the window, in percent.
    pub loss_percent: f32,
}

/// The window and the state of the warning.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// Totals and jitter at each second's end; the newest at `at - 1`.
    seconds: [Second; SECONDS + 1],
    /// Seconds completed, ever.
    at: usize,
    current: Second,
    /// When the current second ends; `None` before the first packet.
    ends_us: Option<u64>,
    poor: bool,
    /// Seconds that ended since the last [`Limits::check`].
    unjudged: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Second {
    /// Counts at its end, since the stream began; they wrap, and only differences count.
    expected: u32,
    lost: u32,
    jitter_sum: f32,
    packets: u32,
}

impl Limits {
    /// Takes note of packets of one second, the last of which came at `at_us`, and of the sum of the jitter after each.
    pub fn note(&mut self, at_us: u64, totals: Totals, jitter_ms: f32, packets: u32) {
        if self.ends_us.is_none() {
            self.ends_us = Some(at_us + SECOND_US);
        }
        // What this packet brought to light belongs to the second it came in.
        self.roll(at_us, (self.current.expected, self.current.lost));
        (self.current.expected, self.current.lost) = (totals.expected as u32, totals.lost as u32);
        self.current.jitter_sum += jitter_ms;
        self.current.packets += packets;
    }

    /// When the second ends that `at_us` lies in.
    pub fn ends_after(&self, at_us: u64) -> u64 {
        let ends_us = self.ends_us.unwrap_or(at_us + SECOND_US);
        match at_us.checked_sub(ends_us) {
            Some(behind) => at_us - behind % SECOND_US + SECOND_US,
            None => ends_us,
        }
    }

    /// Whether the state changed with the seconds that ended before `now_us`.
    pub fn check(&mut self, now_us: u64, totals: Totals) -> Option<Change> {
        self.roll(now_us, (totals.expected as u32, totals.lost as u32));
        if !std::mem::take(&mut self.unjudged) || self.at <= SECONDS {
            return None;
        }
        let newest = self.seconds[(self.at - 1) % (SECONDS + 1)];
        let oldest = self.seconds[self.at % (SECONDS + 1)];
        // Overtaken packets come back: a count may be lower than it was.
        let grown = |new: u32, old: u32| new.wrapping_sub(old).cast_signed().max(0).cast_unsigned();
        let expected = grown(newest.expected, oldest.expected);
        let lost = grown(newest.lost, oldest.lost);
        let (mut jitter_sum, mut packets) = (0.0, 0);
        for second in 1..=SECONDS {
            let second = self.seconds[(self.at + second) % (SECONDS + 1)];
            jitter_sum += second.jitter_sum;
            packets += second.packets;
        }
        if packets == 0 {
            // Nobody sends: neither poor nor recovered.
            return None;
        }
        let jitter_ms = jitter_sum / packets as f32;
        let loss_percent = if expected == 0 { 0.0 } else { lost as f32 * 100.0 / expected as f32 };
        // Rounded to whole packets, so that a window of 499 or 501 has the limit of 500.
        let lost_max = (expected + 25) / 50;
        let poor = jitter_ms > JITTER_MAX_MS || lost > lost_max;
        if poor == self.poor {
            return None;
        }
        self.poor = poor;
        Some(Change { poor, jitter_ms, loss_percent })
    }

    /// Whether quality is poor now.
    pub fn poor(&self) -> bool {
        self.poor
    }

    fn roll(&mut self, now_us: u64, (expected, lost): (u32, u32)) {
        let Some(mut ends_us) = self.ends_us else { return };
        // After a long pause only the last window matters.
        let behind = now_us.saturating_sub(ends_us) / SECOND_US;
        if behind > SECONDS as u64 + 1 {
            ends_us += (behind - SECONDS as u64 - 1) * SECOND_US;
        }
        while now_us >= ends_us {
            (self.current.expected, self.current.lost) = (expected, lost);
            if self.at == 0 {
                // Before the first second there was nothing.
                self.seconds[0] = Second::default();
                self.at = 1;
            }
            self.seconds[self.at % (SECONDS + 1)] = std::mem::take(&mut self.current);
            (self.current.expected, self.current.lost) = (expected, lost);
            self.at += 1;
            ends_us += SECOND_US;
            self.unjudged = true;
        }
        self.ends_us = Some(ends_us);
    }
}

const SECONDS: usize = 10;
const SECOND_US: u64 = 1_000_000;
const JITTER_MAX_MS: f32 = 20.0;
