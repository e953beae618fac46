//! How long to wait: lateness of packets, forgotten slowly; and how the sender's clock runs.
//!
//! A packet's transit is its arrival less its timestamp, on two clocks that were never set to each other; only its excess
//! over the fastest transit of the last 5 to 10 s means anything. That floor is short enough to follow clocks that drift.

/// Watches arrivals and says how long to wait.
#[derive(Clone, Debug)]
pub struct Delay {
    /// Share of the packets by lateness, each bin [`BIN_US`] wide; the last bin is open.
    shares: [f32; BINS],
    /// Packets noted, up to where the forgetting has reached its pace.
    noted: u32,
    target_us: i64,
    start_us: i64,
    min_us: i64,
    max_us: i64,
    /// Fastest transit of the present span and of the one before.
    floor_us: Option<[i64; 2]>,
    span_ends_us: i64,
    /// Arrival and time of sending of the packet before.
    last: Option<(i64, i64)>,
    /// A gap that may be a stall or a step: the next packet tells.
    doubt: Option<i64>,
    drift: Drift,
}

impl Delay {
    /// With bounds for what it may say, and what it says while little is known.
    pub fn new(min_ms: u32, start_ms: u32, max_ms: u32) -> Self {
        let (min_us, max_us) = (i64::from(min_ms) * 1_000, i64::from(max_ms) * 1_000);
        let start_us = i64::from(start_ms) * 1_000;
        Self {
            shares: [0.0; BINS],
            noted: 0,
            target_us: start_us.clamp(min_us, max_us),
            start_us,
            min_us,
            max_us,
            floor_us: None,
            span_ends_us: 0,
            last: None,
            doubt: None,
            drift: Drift::default(),
        }
    }

    /// When a packet came that was read at `read_us` and lay there since `since_us` at the earliest: as the fastest would have,
    /// as far as that is possible.
    pub fn likely_us(&self, since_us: i64, read_us: i64, said_us: i64) -> i64 {
        let Some(floor_us) = self.floor_us else { return read_us };
        (said_us + floor_us[0].min(floor_us[1])).clamp(since_us.min(read_us), read_us)
    }

    /// Takes note of a packet in order: when it came, and when it was said by the sender's clock.
    pub fn note(&mut self, came_us: i64, said_us: i64) {
        let transit_us = came_us - said_us;
        let Some(floor_us) = &mut self.floor_us else {
            self.floor_us = Some([transit_us; 2]);
            self.span_ends_us = came_us + SPAN_US;
            self.last = Some((came_us, said_us));
            return;
        };
        let (last_came, last_said) = self.last.replace((came_us, said_us)).unwrap_or((came_us, said_us));
        // A long gap: what a stalled network held back comes in a burst; after a pause of the sender, or a step of the
        // path's delay, packets go on at their pace, and the old floor says nothing about them.
        if let Some(doubt_us) = self.doubt.take() {
            let burst = (came_us - last_came) * 2 < said_us - last_said;
            if transit_us - floor_us[0].min(floor_us[1]) < DOUBT_US {
                self.count(doubt_us);
            } else if burst {
                // Not at its end yet: should the packets go on late and at their pace, it was a pause after all.
                self.doubt = Some(doubt_us);
                return;
            } else {
                self.floor_us = Some([transit_us; 2]);
                self.span_ends_us = came_us + SPAN_US;
                self.drift.begin_anew();
                self.count(0);
                return;
            }
        } else if (came_us - last_came) - (said_us - last_said) > DOUBT_US {
            self.doubt = Some(transit_us - floor_us[0].min(floor_us[1]));
            return;
        }
        let Some(floor_us) = &mut self.floor_us else { return };
        if came_us >= self.span_ends_us {
            self.drift.note(came_us, floor_us[0]);
            *floor_us = [transit_us, floor_us[0]];
            self.span_ends_us = came_us + SPAN_US;
        }
        floor_us[0] = floor_us[0].min(transit_us);
        let late_us = transit_us - floor_us[0].min(floor_us[1]);
        self.count(late_us);
    }

    /// Takes note of a packet that was overtaken: only its lateness counts.
    pub fn note_overtaken(&mut self, came_us: i64, said_us: i64) {
        if self.floor_us.is_some() {
            self.count(self.waited_us(said_us, came_us));
        }
    }

    /// Another source, or another timeline: what is known of the path's lateness stays, the floor goes.
    pub fn begin_anew(&mut self) {
        self.floor_us = None;
        self.last = None;
        self.doubt = None;
        self.drift.begin_anew();
    }

    /// How long after its fastest possible arrival a packet should be played.
    pub fn target_us(&self) -> i64 {
        self.target_us
    }

    /// How long a packet said then has waited at `now_us`, against the fastest possible arrival.
    pub fn waited_us(&self, said_us: i64, now_us: i64) -> i64 {
        self.floor_us.map_or(0, |floor_us| now_us - said_us - floor_us[0].min(floor_us[1]))
    }

    /// Whether the last packet came after a gap that the next one has to explain.
    pub fn in_doubt(&self) -> bool {
        self.doubt.is_some()
    }

    /// How much faster the sender's clock runs than ours, in parts per million; `None` in the first minute.
    pub fn drift_ppm(&self) -> Option<f32> {
        self.drift.ppm()
    }

    fn count(&mut self, late_us: i64) {
        let bin = (late_us.max(0) / BIN_US).min(BINS as i64 - 1) as usize;
        // While little is known each packet weighs the same, later the old ones fade.
        self.noted = (self.noted + 1).min(MEMORY);
        let weight = 1.0 / self.noted as f32;
        self.shares.iter_mut().for_each(|share| *share *= 1.0 - weight);
        self.shares[bin] += weight;
        let mut above = 1.0 - QUANTILE;
        let mut chosen = 0;
        for (bin, share) in self.shares.iter().enumerate().rev() {
            above -= share;
            if above < 0.0 {
                chosen = bin;
                break;
            }
        }
        // The upper edge of the bin: a packet in it must be in time.
        let mut wanted_us = (chosen as i64 + 1) * BIN_US;
        if self.noted < SURE {
            wanted_us = wanted_us.max(self.start_us);
        }
        self.target_us = wanted_us.clamp(self.min_us, self.max_us);
    }
}

/// Slope of the floor over the last two minutes, by least squares.
#[derive(Clone, Debug, Default)]
struct Drift {
    points: [(i64, i64); POINTS],
    /// Points noted, ever.
    noted: usize,
}

impl Drift {
    fn note(&mut self, at_us: i64, floor_us: i64) {
        self.points[self.noted % POINTS] = (at_us, floor_us);
        self.noted += 1;
    }

    fn begin_anew(&mut self) {
        self.noted = 0;
    }

    fn ppm(&self) -> Option<f32> {
        let points = &self.points[..self.noted.min(POINTS)];
        if points.len() < POINTS / 2 {
            return None;
        }
        // Against one of the points: differences are small enough for floats.
        let (at, floor) = points[0];
        let of = |p: &(i64, i64)| ((p.0 - at) as f64, (p.1 - floor) as f64);
        let n = points.len() as f64;
        let (mx, my) = points.iter().map(of).fold((0.0, 0.0), |s, p| (s.0 + p.0 / n, s.1 + p.1 / n));
        let (xy, xx) = points
            .iter()
            .map(of)
            .fold((0.0, 0.0), |s, (x, y)| (s.0 + (x - mx) * (y - my), s.1 + (x - mx) * (x - mx)));
        // A fast sender's packets come ever earlier against their timestamps.
        (xx > 0.0).then(|| (-xy / xx * 1e6) as f32)
    }
}

const BIN_US: i64 = 5_000;
/// 500 ms of lateness.
const BINS: usize = 100;
/// Of 200 packets one may be late: by the E-model a percent of concealed packets in G.711 costs 3.6 points of R, as much as
/// 150 ms more delay below 177 ms, so waiting is the cheaper of the two.
const QUANTILE: f32 = 0.995;
/// Packets until a memory has faded to 37 %: 20 s at 20 ms, long enough to hold some of the packets above the quantile.
const MEMORY: u32 = 1_000;
/// While fewer packets were seen, the delay is not less than that to begin with. One second at 20 ms.
const SURE: u32 = 50;
/// Half of the time over which the fastest packet is remembered.
const SPAN_US: i64 = 5_000_000;
/// A gap longer than what jitter makes.
const DOUBT_US: i64 = 100_000;
/// Spans for the drift: two minutes.
const POINTS: usize = 24;
