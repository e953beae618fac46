//! Flows that agents start during their own calls (CTRL-06).

use axum::extract::State;
use axum::http::StatusCode;
use desk::console::protocol::Command;
use model::id::{FlowId, InteractionId};
use model::people::Privilege;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::identity::Who;
use crate::json::{Json, PathId};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// A flow to send the customer through.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FlowOfCall {
    /// One of the flows for calls of the service.
    #[schema(value_type = String)]
    flow: FlowId,
}

/// Send the customer of an own call through a flow, and wait for them: neither hears the other meanwhile. How it goes, the console says.
#[utoipa::path(put, path = "/calls/{interaction}/flow", tag = "live", params(("interaction" = String, Path)), request_body = FlowOfCall,
    responses((status = 202, description = "It has begun"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "No such call of yours, or no such flow for it"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "There is no conversation, or a flow already")))]
pub async fn start(
    State(state): State<ApiState>,
    who: Who,
    PathId(interaction): PathId<InteractionId>,
    Json(body): Json<FlowOfCall>,
) -> Result<StatusCode, ApiError> {
    who.needs(Privilege::TakeInteractions)?.person()?;
    let command = Command::StartFlow { interaction, flow: body.flow };
    state.desk.command(who.identity.user.id, who.identity.session, command).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Take the customer of an own call back out of the flow.
#[utoipa::path(delete, path = "/calls/{interaction}/flow", tag = "live", params(("interaction" = String, Path)),
    responses((status = 202, description = "They hear each other in a moment"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "The customer is in no flow")))]
pub async fn take_back(
    State(state): State<ApiState>,
    who: Who,
    PathId(interaction): PathId<InteractionId>,
) -> Result<StatusCode, ApiError> {
    who.needs(Privilege::TakeInteractions)?.person()?;
    let command = Command::TakeBack { interaction };
    state.desk.command(who.identity.user.id, who.identity.session, command).await?;
    Ok(StatusCode::ACCEPTED)
}
