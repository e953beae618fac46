//! Trouble a caller notices before the figures do: audio one way only, silence, clipping, clocks that run apart. And one that
//! nobody notices until the recording is played: a channel of it that stays empty.
//!
//! A [`Watch`] belongs to one leg. Its owner tells it every 500 ms or more often what was measured since the last time,
//! and gets told when a trouble begins and when it is over. Each is raised within 3 s; what is cheap to see, after
//! 2.5 s, so that a tick's length still fits. Clock skew depends on the network: 3 s where it is calm, longer where
//! jitter hides it, because a wrong alarm is worse than a late one. An empty channel is told after the time its owner sets:
//! far ends that suppress silence without saying so pause for a second or two.

/// What was measured on a leg since the last tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tick {
    /// Now, in microseconds of a clock that never runs back.
    pub at_us: u64,
    /// Audio packets that came from the far end, and that were sent to it.
    pub received: u32,
    /// See `received`.
    pub sent: u32,
    /// Whether audio is to come: not on hold, and the far end did not announce a pause (comfort noise, DTX).
    pub wants_received: bool,
    /// Whether audio is to be sent.
    pub wants_sent: bool,
    /// Samples that came and were looked at; 0 where payloads are only passed on.
    pub samples: u32,
    /// The largest of them.
    pub peak: u16,
    /// How many were [`CLIPPED`] or larger.
    pub clipped: u32,
    /// The fastest transit: arrival less timestamp, in microseconds. `None` when no packet came.
    pub transit_us: Option<i64>,
    /// A recording captures what comes, and after this many microseconds without anything that is told; `None`: none does, or
    /// nothing is to come.
    pub recorded_us: Option<u64>,
}

/// A trouble of a leg.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trouble {
    /// We send and nothing comes.
    NothingReceived,
    /// Audio comes and we send nothing.
    NothingSent,
    /// Packets come and carry no sound.
    Silence,
    /// The far end's samples are cut off at full scale.
    Clipping,
    /// The far end's clock runs faster than ours by so many parts per million; slower, when negative.
    ClockSkew(f32),
    /// A recording captures the leg and gets nothing, whatever is sent (RECO-04).
    NothingToRecord,
}

impl Trouble {
    /// Their names, in the order of [`Trouble::index`].
    pub const NAMES: [&str; 6] =
        ["nothing_received", "nothing_sent", "silence", "clipping", "clock_skew", "nothing_to_record"];

    /// Its place among all.
    pub const fn index(self) -> usize {
        match self {
            Self::NothingReceived => 0,
            Self::NothingSent => 1,
            Self::Silence => 2,
            Self::Clipping => 3,
            Self::ClockSkew(_) => 4,
            Self::NothingToRecord => 5,
        }
    }

    /// For logs and metrics.
    pub const fn name(self) -> &'static str {
        Self::NAMES[self.index()]
    }
}

/// A trouble began or is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Which.
    pub trouble: Trouble,
    /// Whether it began.
    pub began: bool,
}

/// Watches one leg. Allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    received: Flow,
    sent: Flow,
    channel: Channel,
    silent_since_us: Option<u64>,
    silent: bool,
    clipping: Clipping,
    skew: Skew,
}

impl Watch {
    /// Takes note of a tick and tells what changed.
    pub fn tick(&mut self, tick: Tick, told: &mut dyn FnMut(Change)) {
        let mut tell = |trouble, change: Option<bool>| {
            if let Some(began) = change {
                told(Change { trouble, began });
            }
        };
        let Tick { at_us, received, sent, .. } = tick;
        tell(Trouble::NothingReceived, self.received.note(at_us, received, sent, tick.wants_received));
        tell(Trouble::NothingSent, self.sent.note(at_us, sent, received, tick.wants_sent));
        tell(Trouble::NothingToRecord, self.channel.note(&tick));
        tell(Trouble::Silence, self.silence(&tick));
        tell(Trouble::Clipping, self.clipping.note(&tick));
        let before = self.skew.ppm;
        let change = self.skew.note(&tick);
        tell(Trouble::ClockSkew(if change == Some(false) { before } else { self.skew.ppm }), change);
    }

    fn silence(&mut self, tick: &Tick) -> Option<bool> {
        if !tick.wants_received || tick.samples == 0 {
            // Neither sound nor its absence: on hold, or nothing came. What was known of silence ends with it.
            self.silent_since_us = None;
            return std::mem::take(&mut self.silent).then_some(false);
        }
        if tick.peak > SILENT {
            self.silent_since_us = None;
            return std::mem::take(&mut self.silent).then_some(false);
        }
        let since_us = *self.silent_since_us.get_or_insert(tick.at_us);
        let lasts = tick.at_us.saturating_sub(since_us) >= PATIENCE_US - TICK_US;
        (lasts && !std::mem::replace(&mut self.silent, true)).then_some(true)
    }
}

/// One direction, against the other.
#[derive(Clone, Debug, Default)]
struct Flow {
    /// When the last packet went this way, or was first waited for.
    last_us: Option<u64>,
    /// Packets the other way since.
    other: u32,
    missing: bool,
}

impl Flow {
    fn note(&mut self, at_us: u64, own: u32, other: u32, wanted: bool) -> Option<bool> {
        if own > 0 || !wanted {
            (self.last_us, self.other) = (wanted.then_some(at_us), 0);
            return std::mem::take(&mut self.missing).then_some(false);
        }
        let last_us = *self.last_us.get_or_insert(at_us);
        self.other = self.other.saturating_add(other);
        let lasts = at_us.saturating_sub(last_us) >= PATIENCE_US && self.other >= OTHERS_MIN;
        (lasts && !std::mem::replace(&mut self.missing, true)).then_some(true)
    }
}

/// What a recording gets from the leg.
#[derive(Clone, Debug, Default)]
struct Channel {
    /// Since when it gets nothing: the last packet, or when it was first waited for.
    empty_since_us: Option<u64>,
    empty: bool,
}

impl Channel {
    fn note(&mut self, tick: &Tick) -> Option<bool> {
        let Some(patience_us) = tick.recorded_us.filter(|_| tick.received == 0) else {
            self.empty_since_us = tick.recorded_us.map(|_| tick.at_us);
            return std::mem::take(&mut self.empty).then_some(false);
        };
        let since_us = *self.empty_since_us.get_or_insert(tick.at_us);
        let lasts = tick.at_us.saturating_sub(since_us) >= patience_us.saturating_sub(TICK_US);
        (lasts && !std::mem::replace(&mut self.empty, true)).then_some(true)
    }
}

/// Share of samples at full scale over the last 2 to 3 s.
#[derive(Clone, Debug, Default)]
struct Clipping {
    /// Clipped and looked at, by second; the last is the present one.
    seconds: [(u32, u32); 3],
    ends_us: u64,
    on: bool,
}

impl Clipping {
    fn note(&mut self, tick: &Tick) -> Option<bool> {
        if tick.at_us >= self.ends_us {
            self.seconds.rotate_left(1);
            self.seconds[2] = (0, 0);
            self.ends_us = tick.at_us + 1_000_000;
        }
        let now = &mut self.seconds[2];
        *now = (now.0.saturating_add(tick.clipped), now.1.saturating_add(tick.samples));
        let (clipped, samples) =
            self.seconds.iter().fold((0u64, 0u64), |sum, s| (sum.0 + u64::from(s.0), sum.1 + u64::from(s.1)));
        // A peak now and then is no clipping: at 8 kHz, 0.5 % of 2 s are 80 samples.
        let on = match self.on {
            false => clipped >= CLIPPED_MIN && clipped * 200 > samples,
            true => clipped * 1_000 > samples,
        };
        (std::mem::replace(&mut self.on, on) != on).then_some(on)
    }
}

/// When a packet came, and its transit: the lower halves of both, in microseconds. Only differences count, of points that are
/// minutes apart at most.
#[derive(Clone, Copy, Debug, Default)]
struct Point {
    at_us: u32,
    transit_us: u32,
}

impl Point {
    /// How much later it came than another, and how much longer it took.
    const fn after(self, other: Self) -> (i32, i32) {
        let at_us = self.at_us.wrapping_sub(other.at_us).cast_signed();
        (at_us, self.transit_us.wrapping_sub(other.transit_us).cast_signed())
    }
}

/// How the fastest transit moves, by least squares over half seconds.
#[derive(Clone, Debug, Default)]
struct Skew {
    /// The fastest packet of each half second, oldest first.
    points: [Point; POINTS],
    len: usize,
    current: Option<Point>,
    /// When the newest packet came.
    newest_us: u64,
    ends_us: u64,
    /// Half seconds in a row that spoke for skew.
    agreed: u32,
    on: bool,
    ppm: f32,
}

impl Skew {
    fn note(&mut self, tick: &Tick) -> Option<bool> {
        if let Some(transit_us) = tick.transit_us {
            let point = Point { at_us: tick.at_us as u32, transit_us: transit_us as u32 };
            let newest = self.current.or_else(|| self.len.checked_sub(1).map(|last| self.points[last]));
            let paused = tick.at_us.saturating_sub(self.newest_us) > PAUSE_US;
            if paused || newest.is_some_and(|newest| point.after(newest).1.unsigned_abs() > STEP_US) {
                // The sender's clock was set, or the path changed: nothing to compare with.
                (self.len, self.current, self.agreed) = (0, None, 0);
            }
            if self.current.is_none_or(|fastest| point.after(fastest).1 < 0) {
                self.current = Some(point);
            }
            self.newest_us = tick.at_us;
        }
        if tick.at_us < self.ends_us {
            return None;
        }
        self.ends_us = tick.at_us + TICK_US;
        let point = self.current.take()?;
        if self.len == POINTS {
            self.points.copy_within(1.., 0);
            self.len -= 1;
        }
        self.points[self.len] = point;
        self.len += 1;
        let (ppm, error) = self.slope()?;
        // With few points an error is itself badly known; with many, five of them are never chance.
        let errors = if self.len < 12 { 10.0 } else { 5.0 };
        let speaks = ppm.abs() > SKEW_PPM && ppm.abs() > errors * error;
        self.agreed = if speaks { self.agreed + 1 } else { 0 };
        if !self.on && self.agreed >= 2 {
            (self.on, self.ppm) = (true, ppm);
            return Some(true);
        }
        if self.on && self.len == POINTS && ppm.abs() < SKEW_PPM / 2.0 {
            self.on = false;
            return Some(false);
        }
        None
    }

    /// Parts per million, and their standard error.
    fn slope(&self) -> Option<(f32, f32)> {
        if self.len < 4 {
            return None;
        }
        let points = &self.points[..self.len];
        let of = |point: &Point| {
            let (at_us, transit_us) = point.after(points[0]);
            (f64::from(at_us), f64::from(transit_us))
        };
        let n = points.len() as f64;
        let (mx, my) = points.iter().map(of).fold((0.0, 0.0), |s, p| (s.0 + p.0 / n, s.1 + p.1 / n));
        let (xx, xy, yy) = points.iter().map(of).fold((0.0, 0.0, 0.0), |s, (x, y)| {
            (s.0 + (x - mx).powi(2), s.1 + (x - mx) * (y - my), s.2 + (y - my).powi(2))
        });
        if xx <= 0.0 {
            return None;
        }
        let rest = (yy - xy * xy / xx).max(0.0);
        // Nothing is known better than clocks and schedulers are: 20 us.
        let variance = (rest / (n - 2.0)).max(400.0);
        Some(((-xy / xx * 1e6) as f32, ((variance / xx).sqrt() * 1e6) as f32))
    }
}

/// Samples from here on count as cut off: just below the largest of A-law (32 256) and mu-law (32 124).
pub const CLIPPED: u16 = 32_000;
/// How long a trouble lasts before it is told.
const PATIENCE_US: u64 = 2_500_000;
/// The longest time between ticks.
const TICK_US: u64 = 500_000;
/// -66 dBov: less than any line's noise, more than the smallest step of A-law.
const SILENT: u16 = 16;
/// Packets the other way without which nothing is missing.
const OTHERS_MIN: u32 = 5;
/// Clipped samples without which no share counts: 10 ms at 8 kHz.
const CLIPPED_MIN: u64 = 80;
/// Skew worth telling. Crystals are within 100 ppm of each other; a sound card in trouble is far off.
const SKEW_PPM: f32 = 300.0;
/// A step this large between half seconds is no skew.
const STEP_US: u32 = 50_000;
/// After a pause of this length a clock is measured anew.
const PAUSE_US: u64 = 60_000_000;
/// 15 s.
const POINTS: usize = 30;

#[cfg(test)]
mod tests;
