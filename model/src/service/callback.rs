//! Callers who are called back rather than kept on the line.

use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// Whether those who wait are offered to be called back, and how that is done (CB-01). A flow may ask for it as well, whatever is
/// offered here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallbackRules {
    /// Offered to whoever has waited so many seconds; `None`: not for the time waited.
    pub offer_after_s: Option<u32>,
    /// Offered to whoever is expected to wait at least so many minutes; `None`: not for that.
    pub offer_from_min: Option<u32>,
    /// Customers of one service who may be waiting to be called back. Default 50.
    pub open_max: u32,
    /// How often a customer is dialled, at most. Default 3.
    pub attempts_max: u32,
    /// Seconds between one attempt and the next. The place in the line is kept. Default 300.
    pub pause_s: u32,
    /// Seconds that the customer's phone rings. Default 30.
    pub ring_s: u32,
    /// Hours after which it is given up, whoever was not reached until then. Default 12.
    pub keep_h: u32,
}

impl CallbackRules {
    /// What [`CallbackRules::offer_after_s`] may be.
    pub const OFFER_AFTER_S: RangeInclusive<u32> = 5..=3_600;
    /// What [`CallbackRules::offer_from_min`] may be.
    pub const OFFER_FROM_MIN: RangeInclusive<u32> = 1..=240;
    /// What [`CallbackRules::open_max`] may be.
    pub const OPEN_MAX: RangeInclusive<u32> = 0..=500;
    /// What [`CallbackRules::attempts_max`] may be.
    pub const ATTEMPTS_MAX: RangeInclusive<u32> = 1..=10;
    /// What [`CallbackRules::pause_s`] may be.
    pub const PAUSE_S: RangeInclusive<u32> = 10..=7_200;
    /// What [`CallbackRules::ring_s`] may be.
    pub const RING_S: RangeInclusive<u32> = 10..=120;
    /// What [`CallbackRules::keep_h`] may be.
    pub const KEEP_H: RangeInclusive<u32> = 1..=72;

    /// Whether those who wait are offered it.
    pub fn is_offered(&self) -> bool {
        self.offer_after_s.is_some() || self.offer_from_min.is_some()
    }
}

impl Default for CallbackRules {
    fn default() -> Self {
        Self {
            offer_after_s: None,
            offer_from_min: None,
            open_max: 50,
            attempts_max: 3,
            pause_s: 300,
            ring_s: 30,
            keep_h: 12,
        }
    }
}
