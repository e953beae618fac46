//! What a record shows of agents who passed its customer on (XFER-05).

use model::id::{DispositionId, UserId};
use model::time::Timestamp;
use model::transfer::{RecordedPart, TransferTarget};
use serde::Serialize;
use utoipa::ToSchema;

use crate::configuration::Configuration;

/// The part of an agent who passed the customer on (XFER-05).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PartOfRecord {
    /// Who.
    #[schema(value_type = String)]
    pub agent: UserId,
    /// The agent's name.
    pub agent_name: Option<String>,
    /// For which service, by name.
    pub service_name: Option<String>,
    /// When the conversation with this agent began.
    pub answered_at: Option<u64>,
    /// When the customer was passed on.
    pub ended_at: u64,
    /// To whom: `service`, `agent` or `number`.
    pub to: &'static str,
    /// The name of that service or agent, or the number.
    pub to_name: String,
    /// How the agent coded it.
    #[schema(value_type = Option<String>)]
    pub disposition: Option<DispositionId>,
    /// Its name.
    pub disposition_name: Option<String>,
    /// The agent's remark.
    pub comment: String,
    /// After-call work completed.
    pub completed_at: Option<u64>,
}

impl PartOfRecord {
    pub(super) fn new(part: RecordedPart, names: &Configuration) -> Self {
        let user = |id: UserId| names.users.get(&id).map(|user| user.name.clone());
        let service = |id| names.services.get(&id).map(|service| service.name.clone());
        let (to, to_name) = match part.to {
            TransferTarget::Service { service: id } => ("service", service(id).unwrap_or_default()),
            TransferTarget::Agent { agent } => ("agent", user(agent).unwrap_or_default()),
            TransferTarget::Number { number } => ("number", number),
        };
        Self {
            agent: part.agent,
            agent_name: user(part.agent),
            service_name: part.service.and_then(service),
            answered_at: part.answered_at.map(Timestamp::millis),
            ended_at: part.ended_at.millis(),
            to,
            to_name,
            disposition: part.disposition,
            disposition_name: part.disposition.and_then(|id| Some(names.dispositions.get(&id)?.name.clone())),
            comment: part.comment,
            completed_at: part.completed_at.map(Timestamp::millis),
        }
    }
}
