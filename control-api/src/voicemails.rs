//! `/voicemails`: messages that callers left for a service (ROUTE-07) or for an extension (VM-01).

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use desk::recording::{AudioFormat, Peaks};
use desk::refusal::Refusal;
use desk::voicemails::{Boxes, VoicemailView};
use model::id::{RecordingId, ServiceId};
use model::people::Privilege;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::files::attach_audio;
use crate::identity::Who;
use crate::json::{Json, Params, PathId};
use crate::page::{List, Paging};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// Which messages.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Only those for this service.
    #[param(value_type = Option<String>)]
    service: Option<ServiceId>,
    /// `true`: only those for the own extension.
    #[serde(default)]
    own: bool,
    /// `true`: only those that nobody has heard.
    #[serde(default)]
    unheard: bool,
}

/// How many messages there are.
#[derive(Serialize, ToSchema)]
pub struct Count {
    /// Messages that nobody has heard.
    unheard: u64,
}

/// Whether a message counts as heard.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// `true`: by whoever says it, unless somebody heard it before; `false`: it is as good as new.
    heard: bool,
}

/// Messages for the own extension and for the services that one may answer, newest first; with the privilege to see all records, for all
/// services.
#[utoipa::path(get, path = "/voicemails", tag = "records", params(Wanted, Paging), responses(
    (status = 200, body = List<VoicemailView>), (status = 403, body = Problem, content_type = "application/problem+json")))]
pub async fn list(
    State(state): State<ApiState>,
    who: Who,
    Params(wanted): Params<Wanted>,
    Params(paging): Params<Paging>,
) -> Result<axum::Json<List<VoicemailView>>, ApiError> {
    who.needs(Privilege::TakeInteractions)?;
    let boxes = match wanted.service {
        _ if wanted.own => Boxes::Own,
        Some(service) => Boxes::Service(service),
        None => Boxes::All,
    };
    let which = (boxes, wanted.unheard);
    let page = state.desk.voicemails(&who.identity, which, paging.after().as_ref(), paging.limit()).await?;
    Ok(axum::Json(List::of(page, |message| message)))
}

/// How many messages there are that one may hear.
#[utoipa::path(get, path = "/voicemails/count", tag = "records", responses(
    (status = 200, body = Count), (status = 403, body = Problem, content_type = "application/problem+json")))]
pub async fn count(State(state): State<ApiState>, who: Who) -> Result<axum::Json<Count>, ApiError> {
    who.needs(Privilege::TakeInteractions)?;
    Ok(axum::Json(Count { unheard: state.desk.unheard_voicemails(&who.identity).await? }))
}

/// What was said, whole or in ranges: `message.wav`, `message.opus` or `message.mp3`. Every access is audited.
#[utoipa::path(get, path = "/voicemails/{voicemail}/{file}", tag = "records",
    params(("voicemail" = String, Path), ("file" = String, Path, description = "message.wav, message.opus or message.mp3")),
    responses((status = 200, description = "The file"), (status = 206, description = "A range of it"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 416, body = Problem, content_type = "application/problem+json")))]
pub async fn audio(
    State(state): State<ApiState>,
    who: Who,
    PathId((voicemail, file)): PathId<(RecordingId, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    who.needs(Privilege::TakeInteractions)?;
    let ending = file.strip_prefix("message.").and_then(AudioFormat::from_ending);
    let format = ending.ok_or(Refusal::missing("address"))?;
    let audio = state.desk.voicemail_audio(&who.identity, voicemail, format, who.actor).await?;
    Ok(attach_audio(audio, request.headers(), &voicemail.to_string(), format))
}

/// The shape of a message, for drawing.
#[utoipa::path(get, path = "/voicemails/{voicemail}/message/peaks", tag = "records",
    params(("voicemail" = String, Path)), responses(
    (status = 200, body = Peaks), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub async fn peaks(
    State(state): State<ApiState>,
    who: Who,
    PathId(voicemail): PathId<RecordingId>,
) -> Result<Response, ApiError> {
    who.needs(Privilege::TakeInteractions)?;
    Ok(axum::Json(state.desk.voicemail_peaks(&who.identity, voicemail).await?).into_response())
}

/// Say that a message was heard, or that it is as good as new.
#[utoipa::path(put, path = "/voicemails/{voicemail}/heard", tag = "records", request_body = Mark,
    params(("voicemail" = String, Path)), responses(
    (status = 200, body = VoicemailView), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub async fn mark(
    State(state): State<ApiState>,
    who: Who,
    PathId(voicemail): PathId<RecordingId>,
    Json(mark): Json<Mark>,
) -> Result<axum::Json<VoicemailView>, ApiError> {
    who.needs(Privilege::TakeInteractions)?;
    Ok(axum::Json(state.desk.mark_voicemail(&who.identity, voicemail, mark.heard).await?))
}

/// Destroy a message for ever (RECO-05): one for a service whoever may erase recordings, one for an extension its owner. The record of its call says who did it and when.
#[utoipa::path(delete, path = "/voicemails/{voicemail}", tag = "records",
    params(("voicemail" = String, Path)), responses(
    (status = 204, description = "It is gone"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
pub async fn erase(
    State(state): State<ApiState>,
    who: Who,
    PathId(voicemail): PathId<RecordingId>,
) -> Result<StatusCode, ApiError> {
    who.needs(Privilege::TakeInteractions)?;
    state.desk.erase_voicemail(&who.identity, voicemail, who.actor).await?;
    Ok(StatusCode::NO_CONTENT)
}
