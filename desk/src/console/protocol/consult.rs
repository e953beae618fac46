//! What a colleague sees of a call that is being asked about, and what everybody sees of a conference.

use std::collections::BTreeMap;

use model::id::InteractionId;
use serde::Serialize;
use utoipa::ToSchema;

use super::ServiceName;

/// A customer's call as the agent who has it sees it (XFER-02).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ScreenView {
    /// Who asks, by name.
    pub by: String,
    /// Which service it is of.
    pub service: Option<ServiceName>,
    /// The customer's number.
    pub number: String,
    /// The customer's name.
    pub name: Option<String>,
    /// What flows noted of the customer, by name; nothing secret.
    pub noted: BTreeMap<String, String>,
    /// What the agent remarked so far; empty before the screen was sent.
    pub comment: String,
}

/// A call in which more than two talk, as one of its agents sees it (XFER-08).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConferenceView {
    /// Whether this agent is its organiser: may take others out, and end it for all (XFER-12, XFER-13).
    pub organiser: bool,
    /// Who is in it, the customer first.
    pub parties: Vec<PartyView>,
}

/// Somebody in a conference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PartyView {
    /// The call that they came from, by which they are taken out; none of the customer and of the agent who has the call.
    #[schema(value_type = Option<String>)]
    pub from: Option<InteractionId>,
    /// What they are.
    pub kind: PartyKind,
    /// Their name.
    pub name: Option<String>,
    /// Their number.
    pub number: String,
    /// Whether it is this agent.
    pub you: bool,
    /// Whether they are the organiser.
    pub organiser: bool,
}

/// What somebody in a conference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartyKind {
    /// Whose call it is.
    Customer,
    /// Somebody of the house.
    Agent,
    /// A number outside.
    Number,
}
