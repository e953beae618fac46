//! Conferences: calls in which more than two talk (XFER-08).

use serde::{Deserialize, Serialize};

use crate::id::{AgentId, InteractionId};
use crate::time::Timestamp;

/// How many may be in a call beside the customer and the agent who has it.
pub const GUESTS_MAX: usize = 8;

/// Somebody who was brought into a call, as its record tells of it (XFER-15).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedGuest {
    /// The call that they came from.
    pub from: InteractionId,
    /// The colleague; none: a number outside.
    pub agent: Option<AgentId>,
    /// The number that was called.
    pub number: String,
    /// Who brought them.
    pub by: AgentId,
    /// When they came.
    pub joined_at: Timestamp,
    /// When they left, or had another place in the call.
    pub left_at: Option<Timestamp>,
}
