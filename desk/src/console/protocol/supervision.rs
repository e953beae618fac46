//! What supervisors see of a call in which they take part, and its agents of them (HELP-03 to HELP-05).

use model::call::Attending;
use model::id::InteractionId;
use model::interaction::Direction;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Colleague, ServiceName};

/// The call in which a supervisor takes part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AttendedView {
    /// Which call.
    #[schema(value_type = String)]
    pub interaction: InteractionId,
    /// Who has it; none when only a number outside does.
    pub agent: Option<Colleague>,
    /// Of which service.
    pub service: Option<ServiceName>,
    /// `inbound` or `outbound`.
    #[schema(value_type = String)]
    pub direction: Direction,
    /// Calling number.
    pub caller: String,
    /// Display name.
    pub caller_name: Option<String>,
    /// Called number.
    pub contact: String,
    /// `monitor` (hears everybody, is heard by nobody), `coach` (is heard by the agent alone) or `barge_in` (by everybody).
    #[schema(value_type = String)]
    pub how: Attending,
    /// Whether it is so already; not while it is being set up.
    pub up: bool,
    /// Whether the agent holds the customer.
    pub held: bool,
    /// Whether the customer can be taken over now.
    pub may_take_over: bool,
    /// Since when the supervisor takes part, in milliseconds since 1970.
    pub since: u64,
}

/// A supervisor in an agent's call. Whoever only listens is not shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AttendantView {
    /// Who, by name.
    pub name: String,
    /// `coach` or `barge_in`.
    #[schema(value_type = String)]
    pub how: Attending,
}
