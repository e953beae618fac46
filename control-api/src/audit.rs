//! `/audit`: who changed or heard what (API-03).

use axum::extract::State;
use desk::audit::{AuditEntry, AuditFilter};
use model::id::{AuditId, KeyId, UserId};
use model::people::Privilege;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::identity::Who;
use crate::json::Params;
use crate::page::{List, Paging};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Not before this, in milliseconds since 1970.
    from: Option<u64>,
    /// Before this.
    to: Option<u64>,
    /// Done by this user.
    #[param(value_type = Option<String>)]
    actor: Option<UserId>,
    /// Done to this id.
    target: Option<String>,
    /// This was done: `recording.play`.
    action: Option<String>,
}

/// One entry.
#[derive(Serialize, ToSchema)]
pub struct Entry {
    /// Its id.
    #[schema(value_type = String)]
    id: AuditId,
    /// When, in milliseconds since 1970.
    at: u64,
    /// Who; `null`: the appliance itself, or a program with a key.
    #[schema(value_type = Option<String>)]
    actor: Option<UserId>,
    /// With which key, when it was a program.
    #[schema(value_type = Option<String>)]
    key: Option<KeyId>,
    /// From which address.
    address: Option<String>,
    /// What was done: `user.update`, `recording.play`.
    action: String,
    /// To what.
    target: String,
    /// What changed, without secrets.
    #[schema(value_type = Object)]
    detail: serde_json::Value,
}

impl From<AuditEntry> for Entry {
    fn from(entry: AuditEntry) -> Self {
        let AuditEntry { id, at, actor, key, address, action, target, detail, .. } = entry;
        Self { id, at: at.millis(), actor, key, address, action, target, detail }
    }
}

/// The audit log, newest first.
#[utoipa::path(get, path = "/audit", tag = "configuration", params(Wanted, Paging), responses(
    (status = 200, body = List<Entry>), (status = 403, body = Problem, content_type = "application/problem+json")))]
pub async fn list(
    State(state): State<ApiState>,
    who: Who,
    Params(wanted): Params<Wanted>,
    Params(paging): Params<Paging>,
) -> Result<axum::Json<List<Entry>>, ApiError> {
    who.needs(Privilege::Administer)?;
    let filter = AuditFilter {
        from: wanted.from.map(Timestamp::from_millis),
        to: wanted.to.map(Timestamp::from_millis),
        actor: wanted.actor,
        target: wanted.target,
        action: wanted.action,
    };
    let page = state.desk.audit().list(&filter, paging.after().as_ref(), paging.limit()).await?;
    Ok(axum::Json(List::of(page, Entry::from)))
}
