//! Callers who are connected with a number outside.

use serde::{Deserialize, Serialize};

use crate::template::Template;

/// Most numbers that are dialled for one caller in a flow: a menu that leads back would dial for as long as keys are pressed.
pub(crate) const TRANSFERS_MAX: u32 = 10;
/// How long a number may ring, in seconds.
pub(crate) const RING_S: std::ops::RangeInclusive<u32> = 5..=120;

/// Connects the caller with a number outside, without an agent. The flow is over when it answers, and the call when either side
/// hangs up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// What is dialled: digits with an optional `+`; `{name}` stands for what was noted.
    pub number: Template,
    /// Seconds it may ring, all trunks together, 5 to 120. Default 30.
    #[serde(default = "thirty", skip_serializing_if = "is_thirty")]
    pub ring_s: u32,
    /// Where to when the line is busy, if not as `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy: Option<String>,
    /// Where to when nobody answers in time, if not as `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<String>,
    /// Where to when it cannot be dialled or reached, may not be, or refuses.
    pub failed: String,
}

fn thirty() -> u32 {
    30
}

fn is_thirty(value: &u32) -> bool {
    *value == 30
}
