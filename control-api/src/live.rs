//! What is going on now: agents, queues, calls, the appliance itself.

use axum::extract::State;
use axum::http::StatusCode;
use desk::console::protocol::{AgentView, Command, HelpView, QueueView};
use desk::floor::views::CallView;
use model::id::{InteractionId, ServiceId, UserId};
use model::people::Privilege;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::identity::Who;
use crate::json::{Json, PathId};
use crate::page::List;
use crate::problem::{ApiError, Problem};
use crate::state::{ApiState, PartHealth};

/// Everybody's state.
#[utoipa::path(get, path = "/agents", tag = "live", responses(
    (status = 200, body = List<AgentView>), (status = 403, body = Problem, content_type = "application/problem+json")))]
pub async fn agents(
    State(state): State<ApiState>,
    who: Who,
) -> Result<axum::Json<List<AgentView>>, ApiError> {
    who.needs(Privilege::Supervise)?;
    Ok(axum::Json(List::whole(state.desk.agents().await?)))
}

/// Where a supervisor puts an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Forced {
    /// To work.
    Ready,
    /// Out of work.
    NotReady,
}

/// Where a supervisor puts an agent.
#[derive(Deserialize, ToSchema)]
pub struct ForcedState {
    /// `ready` or `not_ready`.
    state: Forced,
}

/// Put an agent to work or take one out (STATE-22).
#[utoipa::path(put, path = "/agents/{user}/state", tag = "live", params(("user" = String, Path)),
    request_body = ForcedState, responses((status = 200, body = AgentView),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "Not signed in")))]
pub async fn force(
    State(state): State<ApiState>,
    who: Who,
    PathId(user): PathId<UserId>,
    Json(body): Json<ForcedState>,
) -> Result<axum::Json<AgentView>, ApiError> {
    who.needs(Privilege::Supervise)?;
    Ok(axum::Json(state.desk.force_state(user, body.state == Forced::Ready, who.actor).await?))
}

/// Who asks for help with what, longest first (HELP-02); the console's `help_asked` and `help_over` say when it changes.
#[utoipa::path(get, path = "/help", tag = "live", responses(
    (status = 200, body = List<HelpView>), (status = 403, body = Problem, content_type = "application/problem+json")))]
pub async fn help(State(state): State<ApiState>, who: Who) -> Result<axum::Json<List<HelpView>>, ApiError> {
    who.needs(Privilege::Supervise)?;
    Ok(axum::Json(List::whole(state.desk.help_requests(who.identity.user.id).await?)))
}

/// All queues.
#[utoipa::path(get, path = "/queues", tag = "live", responses((status = 200, body = List<QueueView>)))]
pub async fn queues(
    State(state): State<ApiState>,
    who: Who,
) -> Result<axum::Json<List<QueueView>>, ApiError> {
    who.needs(Privilege::TakeInteractions)?;
    Ok(axum::Json(List::whole(state.desk.queues().await?)))
}

/// Whether new callers of a service meet its emergency treatment.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Emergency {
    /// Switched on.
    on: bool,
}

/// Switch the emergency treatment of a service on or off (ROUTE-07): new callers meet it instead of flows, queue and announcements.
#[utoipa::path(put, path = "/services/{service}/emergency", tag = "live", params(("service" = String, Path)), request_body = Emergency,
    responses((status = 204, description = "From now on"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
pub async fn emergency(
    State(state): State<ApiState>,
    who: Who,
    PathId(service): PathId<ServiceId>,
    Json(body): Json<Emergency>,
) -> Result<StatusCode, ApiError> {
    who.needs(Privilege::Supervise)?;
    state.desk.set_emergency(service, body.on, who.actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Switch the emergency treatment of all services on or off, in one action.
#[utoipa::path(put, path = "/emergency", tag = "live", request_body = Emergency,
    responses((status = 204, description = "From now on"), (status = 403, body = Problem, content_type = "application/problem+json")))]
pub async fn emergency_everywhere(
    State(state): State<ApiState>,
    who: Who,
    Json(body): Json<Emergency>,
) -> Result<StatusCode, ApiError> {
    who.needs(Privilege::Supervise)?;
    state.desk.set_emergency_everywhere(body.on, who.actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Live calls, oldest first.
#[utoipa::path(get, path = "/calls", tag = "live", responses(
    (status = 200, body = List<CallView>), (status = 403, body = Problem, content_type = "application/problem+json")))]
pub async fn calls(State(state): State<ApiState>, who: Who) -> Result<axum::Json<List<CallView>>, ApiError> {
    who.needs(Privilege::Supervise)?;
    Ok(axum::Json(List::whole(state.desk.calls().await?)))
}

/// One live call.
#[utoipa::path(get, path = "/calls/{interaction}", tag = "live", params(("interaction" = String, Path)), responses(
    (status = 200, body = CallView), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub async fn call(
    State(state): State<ApiState>,
    who: Who,
    PathId(interaction): PathId<InteractionId>,
) -> Result<axum::Json<CallView>, ApiError> {
    who.needs(Privilege::Supervise)?;
    Ok(axum::Json(state.desk.call(interaction).await?))
}

/// A number outside to be called.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCall {
    /// As people write it; after a comma what is pressed when it answers (OUT-08).
    number: String,
    /// Under which service it is counted; the caller's first when none is named.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    service: Option<ServiceId>,
    /// Which of the house's numbers is shown there (`/session/numbers`); left out: one of the service's, else of the house.
    #[serde(default)]
    caller_id: Option<String>,
}

/// Call a number outside (OUT-01): the phone of whoever asks comes first, then the number. How it goes, the console says.
#[utoipa::path(post, path = "/calls", tag = "live", request_body = NewCall,
    responses((status = 202, description = "The call is being placed"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "Not allowed, or not this number"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "Not now, or no trunk takes calls out"),
    (status = 429, body = Problem, content_type = "application/problem+json", description = "Too many calls within a minute")))]
pub async fn place(
    State(state): State<ApiState>,
    who: Who,
    Json(body): Json<NewCall>,
) -> Result<StatusCode, ApiError> {
    who.needs(Privilege::CallOut)?.person()?;
    let command = Command::Dial { number: body.number, service: body.service, caller_id: body.caller_id };
    state.desk.command(who.identity.user.id, who.identity.session, command).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Cancel a callback that nobody has taken yet (CB-01).
#[utoipa::path(post, path = "/calls/{interaction}/cancel_callback", tag = "live", params(("interaction" = String, Path)),
    responses((status = 204, description = "The customer is not called back"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "The customer is just being called")))]
pub async fn cancel_callback(
    State(state): State<ApiState>,
    who: Who,
    PathId(interaction): PathId<InteractionId>,
) -> Result<StatusCode, ApiError> {
    who.needs(Privilege::Supervise)?;
    state.desk.cancel_callback(interaction, who.actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End a call.
#[utoipa::path(post, path = "/calls/{interaction}/hang_up", tag = "live", params(("interaction" = String, Path)),
    responses((status = 202, description = "The call is being ended"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
pub async fn hang_up(
    State(state): State<ApiState>,
    who: Who,
    PathId(interaction): PathId<InteractionId>,
) -> Result<StatusCode, ApiError> {
    who.needs(Privilege::Supervise)?;
    state.desk.hang_up(interaction, who.actor).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Leave out of the recording what is said from now on (card data), or record again: the agent of the call, or a supervisor.
#[utoipa::path(put, path = "/calls/{interaction}/recording", tag = "live", params(("interaction" = String, Path)),
    request_body = RecordingState, responses((status = 202, description = "It is being done; the record and the console say when it is"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "Not recorded")))]
pub async fn pause_recording(
    State(state): State<ApiState>,
    who: Who,
    PathId(interaction): PathId<InteractionId>,
    Json(body): Json<RecordingState>,
) -> Result<StatusCode, ApiError> {
    who.needs(Privilege::TakeInteractions)?;
    state.desk.pause_recording(&who.identity, interaction, body.paused, who.actor).await?;
    Ok(StatusCode::ACCEPTED)
}

/// How a call is to be recorded.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordingState {
    /// Whether what is said is left out.
    paused: bool,
}

/// The appliance.
#[derive(Serialize, ToSchema)]
pub struct Status {
    /// Of this program.
    version: &'static str,
    /// Since the start.
    uptime_ms: u64,
    /// Calls now.
    calls: usize,
    /// How packets are moved.
    media_driver: String,
    /// Whether new calls are taken.
    accepts_calls: bool,
    /// How each part is doing.
    parts: Vec<PartHealth>,
}

/// How the appliance is doing.
#[utoipa::path(get, path = "/status", tag = "live", responses(
    (status = 200, body = Status), (status = 403, body = Problem, content_type = "application/problem+json")))]
pub async fn status(State(state): State<ApiState>, who: Who) -> Result<axum::Json<Status>, ApiError> {
    who.needs(Privilege::Supervise)?;
    let uptime = state.desk.now().since(state.started);
    Ok(axum::Json(Status {
        version: state.version,
        uptime_ms: u64::try_from(uptime.as_millis()).unwrap_or(u64::MAX),
        calls: state.desk.calls().await?.iter().filter(|call| call.phase != "wrap_up").count(),
        media_driver: state.appliance.media_driver(),
        accepts_calls: state.appliance.accepts_calls(),
        parts: crate::health::parts(&state).await,
    }))
}
