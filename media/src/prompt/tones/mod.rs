//! The sounds of exchanges, by country: what callers of a country know as ringing, busy, no way, wrong number.
//!
//! The figures are those of ITU-T E.180 and its Supplement 2 ([`countries`]); what a country leaves open there is as in most
//! others. A tone is made once, as a [`Prompt`], and so can be sent in every codec.

mod cadence;
mod countries;

use super::{Prompt, PromptError};
use cadence::{Note, Notes};
use countries::{COUNTRIES, Country};

/// What a tone says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tone {
    /// Dial now.
    Dial,
    /// The other side is being rung.
    Ringback,
    /// The other side is on a call.
    Busy,
    /// There is no way there at the moment.
    Congestion,
    /// This number is not in use, or an announcement follows: three rising notes (E.180 §6.5).
    SpecialInformation,
    /// Somebody else calls.
    CallWaiting,
    /// This call is being recorded.
    Record,
    /// Speak now (voice mail, whispered announcements).
    Beep,
    /// A call was answered for the agent (VOICE-11): two rising notes, unlike anything an exchange sends.
    TwoTone,
    /// Barely audible noise, so that a line does not sound dead. -62 dBm0.
    ComfortNoise,
}

impl Tone {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Dial,
        Self::Ringback,
        Self::Busy,
        Self::Congestion,
        Self::SpecialInformation,
        Self::CallWaiting,
        Self::Record,
        Self::Beep,
        Self::TwoTone,
        Self::ComfortNoise,
    ];
}

/// Whose tones.
#[derive(Clone, Copy)]
pub struct Plan(&'static Country);

/// Germany's: 425 Hz in the cadences most of Europe is used to.
impl Default for Plan {
    fn default() -> Self {
        Self::of_country("DE").unwrap_or(Self(&countries::EUROPE))
    }
}

impl PartialEq for Plan {
    fn eq(&self, other: &Self) -> bool {
        self.country() == other.country()
    }
}
impl Eq for Plan {}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Plan({})", self.country())
    }
}

impl Plan {
    /// The tones of a country by its ISO 3166 code, in capitals or not; `None` for one that is not in the table.
    pub fn of_country(code: &str) -> Option<Self> {
        let country = COUNTRIES.iter().find(|country| country.code.eq_ignore_ascii_case(code));
        country.map(Self)
    }

    /// The countries that are known, by their codes, in alphabetical order.
    pub fn countries() -> impl Iterator<Item = &'static str> {
        COUNTRIES.iter().map(|country| country.code)
    }

    /// The country's code.
    pub const fn country(self) -> &'static str {
        self.0.code
    }

    /// The tone, one cadence long; it repeats without a seam.
    pub fn tone(self, tone: Tone) -> Result<Prompt, PromptError> {
        let samples = match tone {
            Tone::ComfortNoise => cadence::noise(),
            _ => cadence::samples(self.notes(tone)),
        };
        Prompt::from_pcm(format!("{tone:?} ({})", self.country()), cadence::RATE, &samples)
    }

    const fn notes(self, tone: Tone) -> Notes {
        match tone {
            Tone::Dial => self.0.dial,
            Tone::Ringback => self.0.ringback,
            Tone::Busy => self.0.busy,
            Tone::Congestion => self.0.congestion,
            Tone::SpecialInformation => self.0.information,
            Tone::CallWaiting => self.0.waiting,
            Tone::Record => self.0.record,
            Tone::TwoTone => &TWO_TONE,
            Tone::Beep | Tone::ComfortNoise => &BEEP,
        }
    }
}

/// The same everywhere: no exchange sends them.
const TWO_TONE: [Note; 2] = [Note::one(660, 160, 20), Note::one(880, 220, 20)];
const BEEP: [Note; 1] = [Note::one(1_000, 300, 20)];
