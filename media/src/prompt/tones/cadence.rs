//! From frequencies and times to samples.

/// A part of a cadence: what sounds how long, and how long nothing does after it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Note {
    pub hz: Hz,
    pub on_ms: u32,
    pub off_ms: u32,
}

/// What sounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Hz {
    One(u16),
    /// Both at once.
    Two(u16, u16),
    /// The first, its loudness rising and falling at the second (amplitude modulation of 90 %).
    Trembling(u16, u16),
}

/// A cadence. One that has a single note without a pause sounds without end.
pub(super) type Notes = &'static [Note];

impl Note {
    pub const fn one(hz: u16, on_ms: u32, off_ms: u32) -> Self {
        Self { hz: Hz::One(hz), on_ms, off_ms }
    }
    pub const fn two(low: u16, high: u16, on_ms: u32, off_ms: u32) -> Self {
        Self { hz: Hz::Two(low, high), on_ms, off_ms }
    }
    pub const fn trembling(hz: u16, by: u16, on_ms: u32, off_ms: u32) -> Self {
        Self { hz: Hz::Trembling(hz, by), on_ms, off_ms }
    }
}

impl Hz {
    /// At most 1 either way.
    fn at(self, seconds: f64) -> f64 {
        let wave = |hz: u16| (f64::from(hz) * seconds * std::f64::consts::TAU).sin();
        match self {
            Self::One(hz) => wave(hz),
            Self::Two(low, high) => (wave(low) + wave(high)) / 2.0,
            Self::Trembling(hz, by) => wave(hz) * (1.0 + 0.9 * wave(by)) / 1.9,
        }
    }
}

/// At least one cadence; more, where one is not a whole number of packets of 20 ms.
pub(super) fn samples(notes: Notes) -> Vec<i16> {
    let endless = matches!(notes, [only] if only.off_ms == 0);
    let mut samples = Vec::new();
    while samples.is_empty() || !samples.len().is_multiple_of(160) {
        for note in notes {
            let on = (note.on_ms * RATE / 1_000) as usize;
            for i in 0..on {
                // A tone that starts at once clicks: 5 ms of slope at each end. One without end has none; it lasts a whole
                // number of seconds, and so of its waves.
                let slope = (i.min(on - 1 - i) as f64 / (0.005 * f64::from(RATE))).min(1.0);
                let slope = if endless { 1.0 } else { slope };
                samples.push((note.hz.at(i as f64 / f64::from(RATE)) * slope * AMPLITUDE) as i16);
            }
            samples.resize(samples.len() + (note.off_ms * RATE / 1_000) as usize, 0);
        }
    }
    samples
}

/// Four seconds of noise: long enough that nobody hears it repeat.
pub(super) fn noise() -> Vec<i16> {
    let mut state = 0x2545_F491u32;
    let mut smooth = 0.0f32;
    (0..4 * RATE)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            // Rooms hum more than they hiss: a one-pole low-pass.
            smooth += ((state as f32 / u32::MAX as f32) - 0.5 - smooth) * 0.4;
            (smooth * NOISE) as i16
        })
        .collect()
}

pub(super) const RATE: u32 = 8_000;
/// -10 dBm0 for a single tone: full scale of a sine is +3.14 dBm0 (G.711).
const AMPLITUDE: f64 = 7_200.0;
/// Brings the smoothed noise to -62 dBm0, about 18 in root mean square.
const NOISE: f32 = 125.0;
