//! What a record shows of who was brought into the call (XFER-08, XFER-15).

use model::conference::RecordedGuest;
use model::id::UserId;
use model::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::configuration::Configuration;

/// Somebody who was brought into a call.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct GuestOfRecord {
    /// The colleague; none: a number outside.
    #[schema(value_type = Option<String>)]
    pub agent: Option<UserId>,
    /// The colleague's name.
    pub agent_name: Option<String>,
    /// The number that was called.
    pub number: String,
    /// Who brought them, by name; of the first it is the organiser.
    pub by_name: Option<String>,
    /// When they came.
    pub joined_at: u64,
    /// When they left, or had another place in the call.
    pub left_at: Option<u64>,
}

impl GuestOfRecord {
    pub(super) fn new(guest: &RecordedGuest, names: &Configuration) -> Self {
        let name = |id: UserId| names.users.get(&id).map(|user| user.name.clone());
        Self {
            agent: guest.agent,
            agent_name: guest.agent.and_then(name),
            number: guest.number.clone(),
            by_name: name(guest.by),
            joined_at: guest.joined_at.millis(),
            left_at: guest.left_at.map(Timestamp::millis),
        }
    }
}
