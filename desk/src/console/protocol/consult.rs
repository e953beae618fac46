//! What a colleague sees of a call that is being asked about.

use std::collections::BTreeMap;

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
