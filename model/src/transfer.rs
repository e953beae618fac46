//! Customers whom an agent passes on (XFER-05): to a service, to a colleague, to a number outside.

use serde::{Deserialize, Serialize};

use crate::id::{AgentId, DispositionId, InteractionId, ServiceId};
use crate::time::Timestamp;

/// How often one customer may be passed on; the next time is refused.
pub const TRANSFERS_MAX: usize = 32;

/// Whom a customer is passed on to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "to")]
pub enum TransferTarget {
    /// Whoever of a service is free first.
    Service {
        /// Which one.
        service: ServiceId,
    },
    /// One colleague.
    Agent {
        /// Who.
        agent: AgentId,
    },
    /// A number outside.
    Number {
        /// Which one.
        number: String,
    },
}

/// The part of an agent who passed the customer on, as the record tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedPart {
    /// Its after-call work goes under this id.
    pub part: InteractionId,
    /// Who.
    pub agent: AgentId,
    /// For which service.
    pub service: Option<ServiceId>,
    /// When the conversation with this agent began.
    pub answered_at: Option<Timestamp>,
    /// When the customer was passed on.
    pub ended_at: Timestamp,
    /// To whom.
    pub to: TransferTarget,
    /// How the agent coded it.
    pub disposition: Option<DispositionId>,
    /// The agent's remark.
    pub comment: String,
    /// After-call work completed.
    pub completed_at: Option<Timestamp>,
}
