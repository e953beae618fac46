//! What callers hear while they wait, as it travels.

use model::id::FlowId;
use model::service::WaitingRules;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What callers hear while they wait, besides music (ROUTE-07).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Waiting {
    /// A sound that is played once, when the caller is queued.
    pub greeting: Option<String>,
    /// Whether the place in the line is told.
    pub position: bool,
    /// Whether the expected wait is told, when it is known.
    pub expected_wait: bool,
    /// Sounds that are played in turn, one each time; at most 10.
    pub comfort: Vec<String>,
    /// Seconds of music before any of this is told, 1 to 3600.
    pub first_after_s: u32,
    /// Seconds of music between one time and the next, 5 to 3600.
    pub every_s: u32,
    /// A flow with `while_waiting = true` that is gone through instead of all this.
    #[schema(value_type = Option<String>)]
    pub flow: Option<FlowId>,
}

impl Default for Waiting {
    fn default() -> Self {
        WaitingRules::default().into()
    }
}

impl From<WaitingRules> for Waiting {
    fn from(rules: WaitingRules) -> Self {
        let WaitingRules { greeting, position, expected_wait, comfort, first_after_s, every_s, flow } = rules;
        Self { greeting, position, expected_wait, comfort, first_after_s, every_s, flow }
    }
}

impl From<Waiting> for WaitingRules {
    fn from(waiting: Waiting) -> Self {
        let Waiting { greeting, position, expected_wait, comfort, first_after_s, every_s, flow } = waiting;
        Self { greeting, position, expected_wait, comfort, first_after_s, every_s, flow }
    }
}
