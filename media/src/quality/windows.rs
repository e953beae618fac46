//! MOS in windows of 5 s: mean, worst, the tenth percentile.

use super::emodel::{self, Impairment};
use super::{Course, MosSummary, Totals, Window};

#[derive(Clone, Debug)]
pub(super) struct Windows {
    began: Option<u64>,
    newest_us: u64,
    /// Counts when the window began, and after the newest packet.
    before: Totals,
    newest: Totals,
    /// Came too late to be played: in this window, and ever.
    late: u64,
    late_ever: u64,
    sum: f64,
    count: u32,
    worst: Window,
    best: Window,
    course: Course,
    /// Sum of the jitter that packets of this window saw, and how many there were.
    jitter: (f64, u32),
    rtt_ms: Option<f32>,
    /// How many windows had a MOS of `1 + n * STEP`.
    histogram: [u16; BINS],
}

impl Default for Windows {
    fn default() -> Self {
        Self {
            began: None,
            newest_us: 0,
            before: Totals::default(),
            newest: Totals::default(),
            late: 0,
            late_ever: 0,
            sum: 0.0,
            count: 0,
            worst: Window { mos: f32::MAX, ..Window::default() },
            best: Window::default(),
            course: Course::default(),
            jitter: (0.0, 0),
            rtt_ms: None,
            histogram: [0; BINS],
        }
    }
}

/// Loss as the E-model wants it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loss {
    pub(super) percent: f64,
    pub(super) burst_ratio: f64,
}

/// Packets of one window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// When the last of them came.
    pub(super) at_us: u64,
    /// Counts after it.
    pub(super) totals: Totals,
    /// So many of them came too late to be played.
    pub(super) late: u64,
    /// Their jitter, added up, and how many they are.
    pub(super) jitter_ms: (f64, u32),
    /// The round trip, if it is known.
    pub(super) rtt_ms: Option<f32>,
}

impl Windows {
    /// Takes note of packets of one window.
    pub(super) fn note(&mut self, part: Part, codec: Impairment) {
        let Part { at_us, totals, late, jitter_ms, rtt_ms } = part;
        let began = *self.began.get_or_insert(at_us);
        if at_us >= began + WINDOW_US {
            self.close(began + WINDOW_US, codec);
            // The next window begins on the grid, however long the pause was.
            self.began = Some(at_us - (at_us - began) % WINDOW_US);
        }
        self.newest = totals;
        self.newest_us = at_us;
        self.late += late;
        self.late_ever += late;
        self.jitter = (self.jitter.0 + jitter_ms.0, self.jitter.1.saturating_add(jitter_ms.1));
        self.rtt_ms = rtt_ms.or(self.rtt_ms);
    }

    /// When the window ends that `at_us` lies in.
    pub(super) fn ends_after(&self, at_us: u64) -> u64 {
        let began = self.began.unwrap_or(at_us);
        at_us - at_us.saturating_sub(began) % WINDOW_US + WINDOW_US
    }

    fn close(&mut self, ended_us: u64, codec: Impairment) {
        let loss = loss(self.before, self.newest, self.late);
        let mos = emodel::mos(codec, loss.percent, loss.burst_ratio, 0.0);
        self.sum += mos;
        self.count += 1;
        let (jitter_ms, packets) = std::mem::take(&mut self.jitter);
        let window = Window {
            ended_us,
            mos: mos as f32,
            jitter_ms: (jitter_ms / f64::from(packets.max(1))) as f32,
            loss_percent: loss.percent as f32,
            rtt_ms: self.rtt_ms,
        };
        if window.mos < self.worst.mos {
            self.worst = window;
        }
        if window.mos > self.best.mos {
            self.best = window;
        }
        self.course.note(window);
        let bin = &mut self.histogram[(((mos - 1.0) / STEP) as usize).min(BINS - 1)];
        *bin = bin.saturating_add(1);
        self.before = self.newest;
        self.late = 0;
    }

    /// Mean of the windows; before the first ended, what it has so far if that is a second or more.
    pub(super) fn mean(&self, totals: Totals, codec: Impairment) -> Option<f32> {
        if self.count > 0 {
            return Some((self.sum / f64::from(self.count)) as f32);
        }
        let loss = loss(self.before, totals, self.late);
        (self.newest_us >= self.began? + 1_000_000)
            .then(|| emodel::mos(codec, loss.percent, loss.burst_ratio, 0.0) as f32)
    }

    /// Packets that came too late to be played, since the stream began.
    pub(super) fn late_ever(&self) -> u64 {
        self.late_ever
    }

    /// Loss since the stream began.
    pub(super) fn loss(&self, totals: Totals) -> Loss {
        loss(Totals::default(), totals, self.late_ever)
    }

    pub(super) fn summary(&self) -> Option<MosSummary> {
        if self.count == 0 {
            return None;
        }
        let tenth = self.count.div_ceil(10);
        let mut seen = 0;
        let bin = self.histogram.iter().position(|n| {
            seen += u32::from(*n);
            seen >= tenth
        });
        let p10 = 1.0 + bin.unwrap_or(BINS - 1) as f32 * STEP as f32;
        Some(MosSummary {
            mean: (self.sum / f64::from(self.count)) as f32,
            p10: p10.max(self.worst.mos),
            worst: self.worst,
            best: self.best,
            windows: self.count,
            course: self.course,
        })
    }
}

fn loss(before: Totals, after: Totals, late: u64) -> Loss {
    let expected = after.expected.saturating_sub(before.expected);
    let missing = after.lost.saturating_sub(before.lost);
    let bursts = after.bursts.saturating_sub(before.bursts);
    if expected == 0 {
        return Loss { percent: 0.0, burst_ratio: 1.0 };
    }
    let share = (missing + late).min(expected) as f64 / expected as f64;
    // G.107 §7.4: the mean run of lost packets against the mean run if losses were independent, 1 / (1 - p).
    let missing_share = missing.min(expected) as f64 / expected as f64;
    let burst_ratio =
        if bursts == 0 { 1.0 } else { (missing as f64 / bursts as f64 * (1.0 - missing_share)).max(1.0) };
    Loss { percent: share * 100.0, burst_ratio }
}

const WINDOW_US: u64 = 5_000_000;
const STEP: f64 = 0.05;
const BINS: usize = 71;
