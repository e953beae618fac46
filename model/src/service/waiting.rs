//! What callers hear while they wait.

use serde::{Deserialize, Serialize};

use crate::id::FlowId;

/// What callers hear while they wait, besides music (ROUTE-07). Whatever it is, it delays no offer and costs nobody their place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WaitingRules {
    /// A sound that is played once, when the caller is queued.
    pub greeting: Option<String>,
    /// Whether the place in the line is told.
    pub position: bool,
    /// Whether the expected wait is told, when it is known.
    pub expected_wait: bool,
    /// Sounds that are played in turn, one each time.
    pub comfort: Vec<String>,
    /// Seconds of music before any of this is told, 1 to 3600. Default 20.
    pub first_after_s: u32,
    /// Seconds of music between one time and the next, 5 to 3600. Default 60.
    pub every_s: u32,
    /// A flow that is gone through while the caller waits, instead of all this.
    pub flow: Option<FlowId>,
}

/// Comforting messages of one service.
pub const COMFORT_MAX: usize = 10;

impl Default for WaitingRules {
    fn default() -> Self {
        Self {
            greeting: None,
            position: false,
            expected_wait: false,
            comfort: Vec::new(),
            first_after_s: 20,
            every_s: 60,
            flow: None,
        }
    }
}
