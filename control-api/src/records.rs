//! `/records`: service records and their recordings (REC-01 to REC-07).

use std::collections::BTreeSet;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use desk::recording::{AudioFormat, Peaks};
use desk::records::{AccessOfRecording, RecordFilter, RecordView, status_of};
use desk::refusal::Refusal;
use model::id::{InteractionId, ServiceId, UserId};
use model::interaction::{Channel, Direction};
use model::people::Privilege;
use model::recording::ErasedRange;
use model::time::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::files::attach_audio;
use crate::identity::Who;
use crate::json::{Params, PathId};
use crate::page::{List, Paging};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// Which records.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Arrived not before this, in milliseconds since 1970.
    from: Option<u64>,
    /// Arrived before this.
    to: Option<u64>,
    /// Of this service.
    #[param(value_type = Option<String>)]
    service: Option<ServiceId>,
    /// Handled by this agent, or begun as an internal call; others' need the privilege.
    #[param(value_type = Option<String>)]
    agent: Option<UserId>,
    /// Kinds of contact, separated by commas: `voice,callback`. Left out: all.
    channel: Option<String>,
    /// `inbound`, `outbound` or `internal`.
    #[param(value_type = Option<String>)]
    direction: Option<Direction>,
    /// Part of the calling number.
    caller: Option<String>,
    /// Part of the called number.
    contact: Option<String>,
    /// How it ended.
    status: Option<String>,
}

fn kinds(list: &str) -> Result<BTreeSet<Channel>, Refusal> {
    let kind = |word: &str| {
        let found = Channel::ALL
            .into_iter()
            .find(|channel| serde_json::to_value(channel).is_ok_and(|name| name == word));
        found.ok_or_else(|| Refusal::field("/channel", format!("`{word}` is not a kind of contact")))
    };
    list.split(',').map(kind).collect()
}

/// Service records, newest first: the own ones, or all with the privilege.
#[utoipa::path(get, path = "/records", tag = "records", params(Wanted, Paging), responses(
    (status = 200, body = List<RecordView>), (status = 403, body = Problem, content_type = "application/problem+json")))]
pub async fn list(
    State(state): State<ApiState>,
    who: Who,
    Params(wanted): Params<Wanted>,
    Params(paging): Params<Paging>,
) -> Result<axum::Json<List<RecordView>>, ApiError> {
    who.needs(Privilege::TakeInteractions)?;
    let unknown = || Refusal::field("/status", "not a status");
    let filter = RecordFilter {
        from: wanted.from.map(Timestamp::from_millis),
        to: wanted.to.map(Timestamp::from_millis),
        agent: wanted.agent,
        service: wanted.service,
        channels: wanted.channel.as_deref().map(kinds).transpose()?.unwrap_or_default(),
        direction: wanted.direction,
        caller: wanted.caller.filter(|text| !text.is_empty()),
        contact: wanted.contact.filter(|text| !text.is_empty()),
        status: wanted.status.map(|name| status_of(&name).ok_or_else(unknown)).transpose()?,
    };
    let page = state.desk.records(&who.identity, filter, paging.after().as_ref(), paging.limit()).await?;
    Ok(axum::Json(List::of(page, |record| record)))
}

/// One service record.
#[utoipa::path(get, path = "/records/{interaction}", tag = "records",
    params(("interaction" = String, Path)), responses(
    (status = 200, body = RecordView), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub async fn show(
    State(state): State<ApiState>,
    who: Who,
    PathId(interaction): PathId<InteractionId>,
) -> Result<axum::Json<RecordView>, ApiError> {
    who.needs(Privilege::TakeInteractions)?;
    Ok(axum::Json(state.desk.record(&who.identity, interaction).await?))
}

/// A recording, whole or in ranges: `recording.wav`, `recording.opus` or `recording.mp3`. Every access is audited.
#[utoipa::path(get, path = "/records/{interaction}/{file}", tag = "records",
    params(("interaction" = String, Path), ("file" = String, Path, description = "recording.wav, recording.opus or recording.mp3")),
    responses((status = 200, description = "The file"), (status = 206, description = "A range of it"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 416, body = Problem, content_type = "application/problem+json")))]
pub async fn recording(
    State(state): State<ApiState>,
    who: Who,
    PathId((interaction, file)): PathId<(InteractionId, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    who.needs(Privilege::TakeInteractions)?;
    let ending = file.strip_prefix("recording.").and_then(AudioFormat::from_ending);
    let format = ending.ok_or(Refusal::missing("address"))?;
    let audio = state.desk.recording(&who.identity, interaction, format, who.actor).await?;
    Ok(attach_audio(audio, request.headers(), &interaction.to_string(), format))
}

/// Which stretch of a recording.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Stretch {
    /// Milliseconds from the beginning; together with `to_ms`.
    from_ms: Option<u64>,
    /// Milliseconds from the beginning.
    to_ms: Option<u64>,
}

/// Destroy a recording for ever, or a stretch of it (RECO-05). The record says who did it and when.
#[utoipa::path(delete, path = "/records/{interaction}/recording", tag = "records",
    params(("interaction" = String, Path), Stretch),
    responses((status = 204, description = "It is gone"), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
pub async fn erase(
    State(state): State<ApiState>,
    who: Who,
    PathId(interaction): PathId<InteractionId>,
    Params(stretch): Params<Stretch>,
) -> Result<StatusCode, ApiError> {
    who.needs(Privilege::EraseRecordings)?;
    let range = match (stretch.from_ms, stretch.to_ms) {
        (None, None) => None,
        (Some(from_ms), Some(to_ms)) => Some(ErasedRange { from_ms, to_ms }),
        _ => return Err(Refusal::field("/to_ms", "a stretch has from_ms and to_ms").into()),
    };
    state.desk.erase_recording(&who.identity, interaction, range, who.actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who played or downloaded a recording, newest first (RECO-06): for supervisors.
#[utoipa::path(get, path = "/records/{interaction}/recording/accesses", tag = "records",
    params(("interaction" = String, Path), Paging), responses(
    (status = 200, body = List<AccessOfRecording>), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
pub async fn accesses(
    State(state): State<ApiState>,
    who: Who,
    PathId(interaction): PathId<InteractionId>,
    Params(paging): Params<Paging>,
) -> Result<axum::Json<List<AccessOfRecording>>, ApiError> {
    who.needs(Privilege::Supervise)?;
    let (after, limit) = (paging.after(), paging.limit());
    let page = state.desk.recording_accesses(&who.identity, interaction, after.as_ref(), limit).await?;
    Ok(axum::Json(List::of(page, |access| access)))
}

/// The shape of a recording, for drawing.
#[utoipa::path(get, path = "/records/{interaction}/recording/peaks", tag = "records",
    params(("interaction" = String, Path)), responses(
    (status = 200, body = Peaks), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub async fn peaks(
    State(state): State<ApiState>,
    who: Who,
    PathId(interaction): PathId<InteractionId>,
) -> Result<Response, ApiError> {
    who.needs(Privilege::TakeInteractions)?;
    Ok(axum::Json(state.desk.peaks(&who.identity, interaction).await?).into_response())
}
