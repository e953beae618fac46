//! Supervisors who take part in agents' calls (HELP-03 to HELP-05).

use axum::extract::State;
use axum::http::StatusCode;
use desk::console::protocol::Command;
use model::call::Attending;
use model::id::InteractionId;
use model::people::Privilege;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::identity::Who;
use crate::json::{Json, PathId};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// In which way to take part.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttendingOfCall {
    /// `monitor` (is heard by nobody), `coach` (by the agent alone) or `barge_in` (by everybody).
    #[schema(value_type = String)]
    how: Attending,
}

/// Take part in an agent's call with the own softphone, or in another way from now on. How it goes, the console says.
#[utoipa::path(put, path = "/calls/{interaction}/attending", tag = "live", params(("interaction" = String, Path)), request_body = AttendingOfCall,
    responses((status = 202, description = "It is being set up"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "No such call"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "Nobody talks in it, or the own phone or another call is in the way")))]
pub async fn attend(
    State(state): State<ApiState>,
    who: Who,
    PathId(interaction): PathId<InteractionId>,
    Json(body): Json<AttendingOfCall>,
) -> Result<StatusCode, ApiError> {
    asks(&state, &who, Command::Attend { interaction, how: body.how }).await
}

/// Leave it; the others go on.
#[utoipa::path(delete, path = "/calls/{interaction}/attending", tag = "live", params(("interaction" = String, Path)),
    responses((status = 202, description = "It is over in a moment"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "You take no part in it")))]
pub async fn stop(
    State(state): State<ApiState>,
    who: Who,
    PathId(interaction): PathId<InteractionId>,
) -> Result<StatusCode, ApiError> {
    asks(&state, &who, Command::StopAttending { interaction }).await
}

/// Have the call from now on, as a supervisor who talks to the customer; its agent leaves.
#[utoipa::path(post, path = "/calls/{interaction}/take_over", tag = "live", params(("interaction" = String, Path)),
    responses((status = 202, description = "The agent leaves"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "You take no part in it"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "The customer does not hear you, or others would have the call")))]
pub async fn take_over(
    State(state): State<ApiState>,
    who: Who,
    PathId(interaction): PathId<InteractionId>,
) -> Result<StatusCode, ApiError> {
    asks(&state, &who, Command::TakeOver { interaction }).await
}

async fn asks(state: &ApiState, who: &Who, command: Command) -> Result<StatusCode, ApiError> {
    who.needs(Privilege::Supervise)?.person()?;
    state.desk.command(who.identity.user.id, who.identity.session, command).await?;
    Ok(StatusCode::ACCEPTED)
}
