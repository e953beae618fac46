//! The sounds of exchanges: ringback, busy, congestion and others, by country (ITU-T E.180 and its Supplement 2).

use super::{Prompt, PromptError};

/// What a tone says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tone {
    /// The other side is being rung.
    Ringback,
    /// The other side is on a call.
    Busy,
    /// There is no way there at the moment.
    Congestion,
    /// Speak now (voice mail, whispered announcements).
    Beep,
    /// A call was answered for the agent (VOICE-11): two rising notes, unlike anything an exchange sends.
    TwoTone,
    /// Barely audible noise, so that a line does not sound dead. -62 dBm0.
    ComfortNoise,
}

/// Whose tones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Plan {
    /// 425 Hz, as in most of Europe.
    #[default]
    Europe,
    /// The United Kingdom: double ring.
    UnitedKingdom,
    /// The United States and Canada (precise tone plan).
    NorthAmerica,
    /// Russia and its neighbours: 425 Hz, long ring.
    Russia,
}

impl Plan {
    /// The plan of a country by its ISO 3166 code; Europe's for the many that use 425 Hz.
    pub fn of_country(code: &str) -> Self {
        match code.to_ascii_uppercase().as_str() {
            "GB" | "IE" | "GG" | "JE" | "IM" => Self::UnitedKingdom,
            "US" | "CA" | "PR" => Self::NorthAmerica,
            "RU" | "BY" | "KZ" | "UA" | "AM" | "UZ" => Self::Russia,
            _ => Self::Europe,
        }
    }

    /// The tone, one cadence long; it repeats without a seam.
    pub fn tone(self, tone: Tone) -> Result<Prompt, PromptError> {
        let samples = match tone {
            Tone::ComfortNoise => noise(),
            _ => self.cadence(tone).samples(),
        };
        Prompt::from_pcm(format!("{tone:?} ({self:?})"), RATE, &samples)
    }

    /// The cadence table: frequencies, then milliseconds on, off, on, off …
    fn cadence(self, tone: Tone) -> Cadence {
        let (hz, ms): (&'static [f32], &'static [u32]) = match (tone, self) {
            (Tone::Ringback, Self::Europe) => (&[425.0], &[1000, 4000]),
            (Tone::Busy, Self::Europe) => (&[425.0], &[500, 500]),
            (Tone::Congestion, Self::Europe) => (&[425.0], &[240, 240]),
            (Tone::Ringback, Self::UnitedKingdom) => (&[400.0, 450.0], &[400, 200, 400, 2000]),
            (Tone::Busy, Self::UnitedKingdom) => (&[400.0], &[375, 375]),
            (Tone::Congestion, Self::UnitedKingdom) => (&[400.0], &[400, 350, 225, 525]),
            (Tone::Ringback, Self::NorthAmerica) => (&[440.0, 480.0], &[2000, 4000]),
            (Tone::Busy, Self::NorthAmerica) => (&[480.0, 620.0], &[500, 500]),
            (Tone::Congestion, Self::NorthAmerica) => (&[480.0, 620.0], &[250, 250]),
            (Tone::Ringback, Self::Russia) => (&[425.0], &[800, 3200]),
            (Tone::Busy, Self::Russia) => (&[425.0], &[400, 400]),
            (Tone::Congestion, Self::Russia) => (&[425.0], &[200, 200]),
            (Tone::TwoTone, _) => return Cadence { notes: vec![(&[660.0], 160, 20), (&[880.0], 220, 20)] },
            (Tone::Beep | Tone::ComfortNoise, _) => (&[1000.0], &[300, 20]),
        };
        let on_off = ms.chunks(2).map(|pair| (hz, pair[0], pair.get(1).copied().unwrap_or(0)));
        Cadence { notes: on_off.collect() }
    }
}

/// Notes: frequencies, milliseconds on, milliseconds off after it.
struct Cadence {
    notes: Vec<(&'static [f32], u32, u32)>,
}

impl Cadence {
    /// At least one cadence; more, where one is not a whole number of 20 ms packets.
    fn samples(&self) -> Vec<i16> {
        let mut samples = Vec::new();
        while samples.is_empty() || !samples.len().is_multiple_of(160) {
            for (hz, on_ms, off_ms) in &self.notes {
                let on = (on_ms * RATE / 1000) as usize;
                for i in 0..on {
                    // A tone that starts at once clicks: 5 ms of slope at each end.
                    let slope = (i.min(on - 1 - i) as f32 / (0.005 * RATE as f32)).min(1.0);
                    let t = i as f32 / RATE as f32;
                    let sum: f32 = hz.iter().map(|hz| (hz * t * std::f32::consts::TAU).sin()).sum();
                    samples.push((sum * slope * AMPLITUDE / hz.len() as f32) as i16);
                }
                samples.resize(samples.len() + (off_ms * RATE / 1000) as usize, 0);
            }
        }
        samples
    }
}

/// Four seconds of noise: long enough that nobody hears it repeat.
fn noise() -> Vec<i16> {
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

const RATE: u32 = 8_000;
/// -10 dBm0 for a single tone: full scale of a sine is +3.14 dBm0 (G.711).
const AMPLITUDE: f32 = 7_200.0;
/// Brings the smoothed noise to -62 dBm0, about 18 in root mean square.
const NOISE: f32 = 125.0;
