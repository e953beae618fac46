//! Digits to tones.

use std::time::Duration;

use super::{HIGH_HZ, KEYPAD, LOW_HZ};

/// The samples of one digit.
#[derive(Clone, Debug)]
pub struct Tones {
    /// Of each tone: the sample now and the one before, and the factor that makes the next of them.
    low: Oscillator,
    high: Oscillator,
    at: usize,
    length: usize,
    ramp: usize,
}

#[derive(Clone, Copy, Debug)]
struct Oscillator {
    now: f64,
    before: f64,
    factor: f64,
}

impl Tones {
    /// A digit of `0-9 * # A-D`, held so long, at most 10 s. `None` when it is no digit.
    pub fn new(digit: char, held: Duration, rate_hz: u32) -> Option<Self> {
        let digit = digit.to_ascii_uppercase();
        let row = KEYPAD.iter().position(|row| row.contains(&digit))?;
        let column = KEYPAD[row].iter().position(|key| *key == digit)?;
        let length = (held.as_micros().min(10_000_000) as u64 * u64::from(rate_hz) / 1_000_000) as usize;
        let tone = |hz, level| Oscillator::new(hz, level, rate_hz);
        Some(Self {
            low: tone(LOW_HZ[row], LOW_LEVEL),
            high: tone(HIGH_HZ[column], HIGH_LEVEL),
            at: 0,
            length,
            ramp: rate_hz as usize / 500,
        })
    }

    /// Writes the next samples; says how many there were. Fewer than asked for: the digit is over.
    pub fn fill(&mut self, out: &mut [i16]) -> usize {
        let given = out.len().min(self.length - self.at);
        for sample in &mut out[..given] {
            // 2 ms up and down, so that neither end clicks.
            let edge = self.at.min(self.length - 1 - self.at).min(self.ramp) as f64 / self.ramp.max(1) as f64;
            *sample = ((self.low.next() + self.high.next()) * edge) as i16;
            self.at += 1;
        }
        given
    }
}

impl Oscillator {
    fn new(hz: f64, level: f64, rate_hz: u32) -> Self {
        let step = std::f64::consts::TAU * hz / f64::from(rate_hz.max(1));
        Self { now: 0.0, before: -step.sin() * level, factor: 2.0 * step.cos() }
    }

    fn next(&mut self) -> f64 {
        let given = self.now;
        self.now = self.factor * self.now - self.before;
        self.before = given;
        given
    }
}

/// -9 and -7 dBm0, where a full-scale sine has +3.17 (G.711): the high tone, which lines weaken more, is 2 dB stronger, and
/// both together are as loud as telephones are.
const LOW_LEVEL: f64 = 8_100.0;
const HIGH_LEVEL: f64 = 10_200.0;
