//! Supervisors who take part in an agent's contact: silently, coaching, or as one of those who talk (HELP-03 to HELP-05).

use serde::{Deserialize, Serialize};

use crate::call::Attending;
use crate::id::{AgentId, InteractionId};
use crate::time::Timestamp;

/// A supervisor who took part in one way, as the record tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedAttendance {
    /// The name of the supervisor's part.
    pub from: InteractionId,
    /// Who.
    pub supervisor: AgentId,
    /// In which way.
    pub how: Attending,
    /// Since when in this way.
    pub since: Timestamp,
    /// Until when.
    pub until: Option<Timestamp>,
}
