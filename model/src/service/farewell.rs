//! What customers who write read when a service does not take them, or not any longer.

use serde::{Deserialize, Serialize};

use super::Overflow;

/// Most characters of one text.
pub const FAREWELL_MAX: usize = 1_000;

/// The service's own words, by the case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Farewells {
    /// The service is closed, or has an emergency.
    pub closed: Farewell,
    /// Nobody is signed in, or the last agent left.
    pub unstaffed: Farewell,
    /// As many wait as may, or the longest wait is over.
    pub full: Farewell,
}

/// One text in both languages. Empty: the usual words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Farewell {
    /// English.
    pub en: String,
    /// Russian.
    pub ru: String,
}

impl Farewells {
    /// The text for a case.
    pub fn of(&self, why: Overflow) -> &Farewell {
        match why {
            Overflow::Closed | Overflow::Emergency => &self.closed,
            Overflow::Unstaffed | Overflow::AgentsLeft => &self.unstaffed,
            Overflow::Full | Overflow::WaitedLong | Overflow::Chosen => &self.full,
        }
    }
    /// All of them, by where they stand.
    pub fn all(&self) -> [(&'static str, &str); 6] {
        [
            ("closed/en", &self.closed.en),
            ("closed/ru", &self.closed.ru),
            ("unstaffed/en", &self.unstaffed.en),
            ("unstaffed/ru", &self.unstaffed.ru),
            ("full/en", &self.full.en),
            ("full/ru", &self.full.ru),
        ]
    }
}
