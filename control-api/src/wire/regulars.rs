//! Customers who come again, as the API says it.

use model::service::RegularRules;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A customer who comes again is held for the agent who served them last, if that agent is at work and meets the requirement.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Regulars {
    /// For how many days an agent is remembered, 1 to 365.
    pub within_days: u32,
    /// Seconds that the customer waits for nobody else, 0 to 600; 0: the agent is rung if free at that moment.
    pub hold_s: u32,
    /// As how many more seconds of waiting the wait counts in this time, 0 to 3600: the agent takes it before others who came that
    /// much earlier.
    pub ahead_s: u32,
}

impl Default for Regulars {
    fn default() -> Self {
        RegularRules::default().into()
    }
}

impl From<RegularRules> for Regulars {
    fn from(RegularRules { within_days, hold_s, ahead_s }: RegularRules) -> Self {
        Self { within_days, hold_s, ahead_s }
    }
}

impl From<Regulars> for RegularRules {
    fn from(Regulars { within_days, hold_s, ahead_s }: Regulars) -> Self {
        Self { within_days, hold_s, ahead_s }
    }
}
