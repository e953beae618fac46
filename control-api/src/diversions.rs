//! `/session/diversion` and `/users/{id}/diversion`: what becomes of calls to an extension that are not taken (VM-02, VM-13, VM-16).

use axum::extract::State;
use model::diversion::{Diversion, Forwarding, OwnVoicemail};
use model::id::UserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::identity::Who;
use crate::json::{Json, PathId};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// What becomes of calls to an extension that are not taken. While calls are forwarded, what is said of messages is kept for later.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiversionView {
    /// The caller is connected with a number outside.
    forwarding: ForwardingView,
    /// The caller leaves a message.
    voicemail: OwnVoicemailView,
}

/// Where calls are forwarded to.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ForwardingView {
    /// Whether they are.
    on: bool,
    /// The number outside; kept while forwarding is off.
    number: String,
    /// Seconds that the extension rings first, 0 to 120; 0: it does not.
    after_s: u32,
}

/// Whether callers leave messages.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnVoicemailView {
    /// Whether they do; an email address is needed.
    on: bool,
    /// Seconds that the extension rings first, 0 to 120; 0: it does not.
    after_s: u32,
}

impl From<Diversion> for DiversionView {
    fn from(Diversion { forwarding, voicemail }: Diversion) -> Self {
        let Forwarding { on, number, after_s } = forwarding;
        let forwarding = ForwardingView { on, number, after_s };
        Self { forwarding, voicemail: OwnVoicemailView { on: voicemail.on, after_s: voicemail.after_s } }
    }
}

impl From<DiversionView> for Diversion {
    fn from(DiversionView { forwarding, voicemail }: DiversionView) -> Self {
        let ForwardingView { on, number, after_s } = forwarding;
        let forwarding = Forwarding { on, number, after_s };
        Self { forwarding, voicemail: OwnVoicemail { on: voicemail.on, after_s: voicemail.after_s } }
    }
}

/// What becomes of calls to the own extension that are not taken.
#[utoipa::path(get, path = "/session/diversion", tag = "session", responses((status = 200, body = DiversionView)))]
pub async fn own(State(state): State<ApiState>, who: Who) -> Result<axum::Json<DiversionView>, ApiError> {
    who.person()?;
    Ok(axum::Json(state.desk.diversion(&who.identity, who.identity.user.id).await?.into()))
}

/// Set it, from the next call on.
#[utoipa::path(put, path = "/session/diversion", tag = "session", request_body = DiversionView, responses(
    (status = 200, body = DiversionView),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "An administrator sets it"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
pub async fn set_own(
    State(state): State<ApiState>,
    who: Who,
    Json(body): Json<DiversionView>,
) -> Result<axum::Json<DiversionView>, ApiError> {
    let user = who.person()?.identity.user.id;
    let kept = state.desk.set_diversion(&who.identity, user, body.into(), who.actor).await?;
    Ok(axum::Json(kept.into()))
}

/// What becomes of calls to a user's extension that are not taken.
#[utoipa::path(get, path = "/users/{id}/diversion", tag = "configuration", params(("id" = String, Path)), responses(
    (status = 200, body = DiversionView), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub async fn of_user(
    State(state): State<ApiState>,
    who: Who,
    PathId(id): PathId<UserId>,
) -> Result<axum::Json<DiversionView>, ApiError> {
    Ok(axum::Json(state.desk.diversion(&who.identity, id).await?.into()))
}

/// Set it for a user.
#[utoipa::path(put, path = "/users/{id}/diversion", tag = "configuration", params(("id" = String, Path)),
    request_body = DiversionView, responses((status = 200, body = DiversionView),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
pub async fn set_of_user(
    State(state): State<ApiState>,
    who: Who,
    PathId(id): PathId<UserId>,
    Json(body): Json<DiversionView>,
) -> Result<axum::Json<DiversionView>, ApiError> {
    let kept = state.desk.set_diversion(&who.identity, id, body.into(), who.actor).await?;
    Ok(axum::Json(kept.into()))
}
