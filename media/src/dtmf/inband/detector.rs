//! Tones to digits.

use std::sync::LazyLock;
use std::time::Duration;

use super::super::Digit;
use super::{HIGH_HZ, KEYPAD, LOW_HZ};

/// What was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A digit is being held. It has been for about 40 ms.
    Began(char),
    /// It was let go.
    Ended(Digit),
}

/// Listens to one stream at 8 kHz. 600 octets, no allocation.
#[derive(Clone, Debug)]
pub struct Detector {
    /// The last 16 ms.
    line: [f32; WINDOW],
    /// New samples since the last look.
    fresh: usize,
    /// Phases of the eight tones at the last look.
    phases: [f32; 8],
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Nothing,
    /// A pair of tones that may become a digit.
    Perhaps(Pair),
    /// A digit is held.
    Held {
        pair: Pair,
        next: Option<Pair>,
    },
}

/// One pair of tones over several looks.
#[derive(Clone, Copy, Debug)]
struct Pair {
    digit: char,
    /// Looks at which it was there, and since then at which it was not.
    good: u32,
    bad: u32,
    /// Sum of how far off pitch both tones were, as shares, and of how many looks.
    off: [f32; 2],
    off_of: u32,
}

/// What one look shows.
#[derive(Clone, Copy, Debug)]
struct Look {
    digit: char,
    off: [f32; 2],
}

impl Default for Detector {
    fn default() -> Self {
        Self { line: [0.0; WINDOW], fresh: 0, phases: [0.0; 8], state: State::Nothing }
    }
}

impl Detector {
    /// Takes samples and tells what they bring.
    pub fn feed(&mut self, samples: &[i16], found: &mut dyn FnMut(Found)) {
        for piece in samples.chunks(HOP) {
            let mut rest = piece;
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min(HOP - self.fresh));
                self.line.copy_within(now.len().., 0);
                let room = &mut self.line[WINDOW - now.len()..];
                room.iter_mut().zip(now).for_each(|(place, sample)| *place = f32::from(*sample));
                self.fresh += now.len();
                rest = later;
                if self.fresh == HOP {
                    self.fresh = 0;
                    let look = self.look();
                    self.advance(look, found);
                }
            }
        }
    }

    /// Whether a pair of tones is there now that is, or may become, a digit: what must not be passed on as voice where the
    /// digit travels in another form.
    pub fn suspects(&self) -> bool {
        !matches!(self.state, State::Nothing)
    }

    /// The stream ended or was interrupted: a digit that was held ends here.
    pub fn finish(&mut self, found: &mut dyn FnMut(Found)) {
        if let State::Held { pair, .. } = std::mem::replace(&mut self.state, State::Nothing) {
            found(Found::Ended(pair.ended()));
        }
        *self = Self::default();
    }

    fn look(&mut self) -> Option<Look> {
        let table = &*TABLE;
        let mut weighed = [0.0f32; WINDOW];
        let mut power = 0.0;
        for ((place, sample), weight) in weighed.iter_mut().zip(&self.line).zip(&table.window) {
            *place = sample * weight;
            power += *place * *place;
        }
        if power * table.to_mean < LEVEL_MIN * LEVEL_MIN / 2.0 {
            // Too quiet for one tone, let alone two.
            return None;
        }
        // Side by side, so that the compiler may use vector registers.
        let (mut s1, mut s2) = ([0.0f32; 8], [0.0f32; 8]);
        for sample in &weighed {
            for tone in 0..8 {
                let next = sample + 2.0 * table.cos[tone] * s1[tone] - s2[tone];
                s2[tone] = s1[tone];
                s1[tone] = next;
            }
        }
        let mut strength = [0.0f32; 8];
        let mut off = [0.0f32; 8];
        for tone in 0..8 {
            let (re, im) = (s1[tone] - table.cos[tone] * s2[tone], table.sin[tone] * s2[tone]);
            strength[tone] = re * re + im * im;
            let phase = im.atan2(re);
            let moved = (phase - self.phases[tone] - table.advance[tone]).rem_euclid(std::f32::consts::TAU);
            let moved = if moved > std::f32::consts::PI { moved - std::f32::consts::TAU } else { moved };
            self.phases[tone] = phase;
            off[tone] = moved / advance_per_share(tone);
        }
        let loudest = |tones: std::ops::Range<usize>| {
            tones.max_by(|a, b| strength[*a].total_cmp(&strength[*b])).unwrap_or_default()
        };
        let (low, high) = (loudest(0..4), loudest(4..8));
        let (low_power, high_power) = (strength[low] * table.to_power, strength[high] * table.to_power);
        let is_pair = low_power.min(high_power) >= LEVEL_MIN * LEVEL_MIN / 2.0
            && low_power <= high_power * NORMAL_TWIST
            && high_power <= low_power * REVERSE_TWIST
            && low_power + high_power >= PURITY * power * table.to_mean
            && off[low].abs().max(off[high].abs()) <= OFF_LOOK;
        is_pair.then(|| Look { digit: KEYPAD[low][high - 4], off: [off[low], off[high]] })
    }

    fn advance(&mut self, look: Option<Look>, found: &mut dyn FnMut(Found)) {
        self.state = match std::mem::replace(&mut self.state, State::Nothing) {
            State::Nothing => look.map_or(State::Nothing, |look| State::Perhaps(Pair::new(look))),
            State::Perhaps(mut pair) => match pair.goes_on(look) {
                true if pair.is_digit() => {
                    found(Found::Began(pair.digit));
                    State::Held { pair, next: None }
                }
                true => State::Perhaps(pair),
                false => look.map_or(State::Nothing, |look| State::Perhaps(Pair::new(look))),
            },
            State::Held { mut pair, mut next } => {
                if look.is_some_and(|look| look.digit == pair.digit) {
                    // What broke off comes again: an interruption, not a gap.
                    pair.good += pair.bad + 1;
                    pair.bad = 0;
                    next = None;
                } else {
                    pair.bad += 1;
                    let goes_on = next.as_mut().is_some_and(|other| other.goes_on(look));
                    if !goes_on {
                        next = look.map(Pair::new);
                    }
                }
                // Another digit that follows without a gap ends this one too.
                let other = next.filter(Pair::is_digit);
                if other.is_none() && pair.bad < GAP_LOOKS {
                    State::Held { pair, next }
                } else {
                    found(Found::Ended(pair.ended()));
                    match (other, next) {
                        (Some(other), _) => {
                            found(Found::Began(other.digit));
                            State::Held { pair: other, next: None }
                        }
                        (None, Some(next)) => State::Perhaps(next),
                        (None, None) => State::Nothing,
                    }
                }
            }
        };
    }
}

impl Pair {
    fn new(look: Look) -> Self {
        // The first look's phase is against what was there before the tones.
        Self { digit: look.digit, good: 1, bad: 0, off: [0.0; 2], off_of: 0 }
    }

    /// Takes note of a look; false when this pair is over before it became a digit.
    fn goes_on(&mut self, look: Option<Look>) -> bool {
        match look.filter(|look| look.digit == self.digit) {
            Some(look) => {
                self.good += 1;
                self.bad = 0;
                self.off = [self.off[0] + look.off[0], self.off[1] + look.off[1]];
                self.off_of += 1;
                true
            }
            None => {
                self.bad += 1;
                self.bad < 2
            }
        }
    }

    fn is_digit(&self) -> bool {
        let mean = |sum: f32| (sum / self.off_of.max(1) as f32).abs();
        self.good >= DIGIT_LOOKS && self.off.iter().all(|sum| mean(*sum) <= OFF_MAX)
    }

    fn ended(&self) -> Digit {
        // A look counts when 70 % of its window are tone, so the looks see 6.4 ms less than there was; the first one, whose
        // phase comes from before the tone, often does not count.
        let micros = u64::from(self.good) * HOP_US + 8_000;
        Digit { digit: self.digit, held: Duration::from_micros(micros) }
    }
}

/// How far the phase of a tone moves in a hop for being off pitch by its whole frequency.
fn advance_per_share(tone: usize) -> f32 {
    (hz(tone) / 8_000.0 * HOP as f64 * std::f64::consts::TAU) as f32
}

fn hz(tone: usize) -> f64 {
    if tone < 4 { LOW_HZ[tone] } else { HIGH_HZ[tone - 4] }
}

struct Table {
    window: [f32; WINDOW],
    cos: [f32; 8],
    sin: [f32; 8],
    /// Phase of a tone on pitch from one look to the next.
    advance: [f32; 8],
    /// From the square of a filter's output to the power of the tone.
    to_power: f32,
    /// From the sum of weighed squares to the power of the signal.
    to_mean: f32,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    // Hamming: 40 dB between the groups, as wide as the tolerance needs.
    let mut window = [0.0; WINDOW];
    for (i, weight) in window.iter_mut().enumerate() {
        let turn = std::f64::consts::TAU * (i as f64 + 0.5) / WINDOW as f64;
        *weight = (0.54 - 0.46 * turn.cos()) as f32;
    }
    let sum: f32 = window.iter().sum();
    let squares: f32 = window.iter().map(|weight| weight * weight).sum();
    let steps: [f64; 8] = std::array::from_fn(|tone| std::f64::consts::TAU * hz(tone) / 8_000.0);
    Table {
        window,
        cos: steps.map(|step| step.cos() as f32),
        sin: steps.map(|step| step.sin() as f32),
        advance: steps.map(|step| (step * HOP as f64).rem_euclid(std::f64::consts::TAU) as f32),
        to_power: 2.0 / (sum * sum),
        to_mean: 1.0 / squares,
    }
});

/// 16 ms.
const WINDOW: usize = 128;
/// 5 ms between looks.
const HOP: usize = 40;
const HOP_US: u64 = 5_000;
/// Looks that see a tone: 40 ms of it six at least, 23 ms four at most.
const DIGIT_LOOKS: u32 = 5;
/// Looks that see none: a gap of 40 ms six at least, an interruption of 10 ms four at most.
const GAP_LOOKS: u32 = 5;
/// The least amplitude of a tone: -32 dBm0. Q.24 has exchanges accept -25 dBm and some of them -29.
const LEVEL_MIN: f32 = 570.0;
/// The low tone may be 8 dB stronger (lines weaken high tones), the high one 4 dB; a bit more, as edges are measured too.
const NORMAL_TWIST: f32 = 7.1;
const REVERSE_TWIST: f32 = 2.85;
/// Share of the power that must be in the two tones. 1.5 % off pitch costs 16 % at most, noise at 15 dB 3 %.
const PURITY: f32 = 0.7;
/// Off pitch on average: between what must be accepted, 1.5 %, and what must be rejected, 3.5 %.
const OFF_MAX: f32 = 0.025;
/// Off pitch in a single look.
const OFF_LOOK: f32 = 0.05;
