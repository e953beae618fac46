//! What a record shows supervisors of supervisors who took part in the call (HELP-03 to HELP-05). Agents see nothing of it.

use model::call::Attending;
use model::supervision::RecordedAttendance;
use serde::Serialize;
use utoipa::ToSchema;

use crate::configuration::Configuration;

/// A supervisor who took part in one way.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AttendanceOfRecord {
    /// Who, by name.
    pub supervisor_name: Option<String>,
    /// `monitor`, `coach` or `barge_in`.
    #[schema(value_type = String)]
    pub how: Attending,
    /// Since when in this way.
    pub since: u64,
    /// Until when.
    pub until: Option<u64>,
}

impl AttendanceOfRecord {
    pub(super) fn new(attended: &RecordedAttendance, names: &Configuration) -> Self {
        Self {
            supervisor_name: names.users.get(&attended.supervisor).map(|user| user.name.clone()),
            how: attended.how,
            since: attended.since.millis(),
            until: attended.until.map(model::time::Timestamp::millis),
        }
    }
}
