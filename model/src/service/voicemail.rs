//! Messages that callers leave for a service or for an extension.

use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use std::time::Duration;

/// How messages are taken and kept: for a service (ROUTE-07), whose treatments and flows say which callers are led to them, or for
/// extensions (VM-12).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VoicemailRules {
    /// A sound that callers hear before the tone; `None`: the appliance's own.
    pub greeting: Option<String>,
    /// Seconds that one message may last. Default 180.
    pub length_max_s: u32,
    /// Messages that are kept at once; the next caller is told that none can be left. Default 100.
    pub messages_max: u32,
    /// Days after which a message is erased. Default 90 (VM-12).
    pub keep_days: u32,
}

impl VoicemailRules {
    /// What [`VoicemailRules::length_max_s`] may be.
    pub const LENGTH_MAX_S: RangeInclusive<u32> = 10..=600;
    /// What [`VoicemailRules::messages_max`] may be.
    pub const MESSAGES_MAX: RangeInclusive<u32> = 1..=1_000;
    /// What [`VoicemailRules::keep_days`] may be.
    pub const KEEP_DAYS: RangeInclusive<u32> = 1..=36_500;
    /// What is shorter is no message: a breath, or somebody who hung up at the tone.
    pub const SHORTEST: Duration = Duration::from_secs(2);

    /// How long one message may last.
    pub fn length_max(&self) -> Duration {
        Duration::from_secs(self.length_max_s.into())
    }
}

impl Default for VoicemailRules {
    fn default() -> Self {
        Self { greeting: None, length_max_s: 180, messages_max: 100, keep_days: 90 }
    }
}
