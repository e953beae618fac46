//! Customers who come again.

use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// A customer who comes again is held for the agent who served them last, if that agent is at work and meets the requirement
/// (ROUTE-02). It is that agent's call before those of others who came a little earlier, but not before those of higher priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RegularRules {
    /// For how many days an agent is remembered. Default 30.
    pub within_days: u32,
    /// Seconds that a customer waits for nobody else. 0: the agent is rung if free at that moment. Default 30.
    pub hold_s: u32,
    /// As how many more seconds of waiting the wait counts in this time. Default 300.
    pub ahead_s: u32,
}

impl RegularRules {
    /// What [`RegularRules::within_days`] may be.
    pub const WITHIN_DAYS: RangeInclusive<u32> = 1..=365;
    /// What [`RegularRules::hold_s`] may be.
    pub const HOLD_S: RangeInclusive<u32> = 0..=600;
    /// What [`RegularRules::ahead_s`] may be.
    pub const AHEAD_S: RangeInclusive<u32> = 0..=3_600;
}

impl Default for RegularRules {
    fn default() -> Self {
        Self { within_days: 30, hold_s: 30, ahead_s: 300 }
    }
}
