//! Flows that agents started during calls, as records show them (CTRL-06).

use model::flow::{FlowEnd, RecordedFlow};
use serde::Serialize;
use utoipa::ToSchema;

use crate::configuration::Configuration;

/// A flow that the agent started for the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FlowOfRecord {
    /// Its name; empty of one that was deleted.
    pub name: String,
    /// Which version of it.
    pub version: u32,
    /// Who started it.
    pub agent_name: String,
    /// When, in milliseconds since 1970.
    pub from: u64,
    /// Until when; none: it goes on.
    pub to: Option<u64>,
    /// How it came to its end: `returned` (by itself), `taken_back` (by the agent), `failed` (broken off) or `call_ended`.
    #[schema(value_type = Option<String>)]
    pub end: Option<FlowEnd>,
}

impl FlowOfRecord {
    pub(crate) fn new(flow: &RecordedFlow, names: &Configuration) -> Self {
        Self {
            name: names.flows.get(&flow.flow).map(|flow| flow.name.clone()).unwrap_or_default(),
            version: flow.version,
            agent_name: names.users.get(&flow.agent).map(|user| user.name.clone()).unwrap_or_default(),
            from: flow.from.millis(),
            to: flow.over.map(|(at, _)| at.millis()),
            end: flow.over.map(|(_, end)| end),
        }
    }
}
