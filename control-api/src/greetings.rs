//! `/users/{id}/greetings`: what somebody says to callers who are to leave them a message (VM-03, VM-16).

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use desk::greetings::GreetingView;
use model::id::{GreetingId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::identity::Who;
use crate::json::{Json, Octets, Params, PathId};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// A minute of 48 kHz in stereo, and what else is in such a file.
const FILE_MAX: usize = 12 * 1024 * 1024;

/// Greetings of one person.
#[derive(Serialize, ToSchema)]
pub struct Greetings {
    /// The oldest first; at most three.
    items: Vec<GreetingView>,
}

/// What a greeting is called.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Named {
    /// 1 to 60 characters; no other greeting of that person has it.
    name: String,
}

/// A greeting as it is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// 1 to 60 characters; no other greeting of that person has it.
    name: String,
    /// Callers hear it, in the place of the one chosen before. `false` for all: they hear that of the house.
    chosen: bool,
}

/// Greetings of a person: one's own, or as an administrator anybody's.
#[utoipa::path(get, path = "/users/{id}/greetings", tag = "configuration", params(("id" = String, Path)), responses(
    (status = 200, body = Greetings), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
pub async fn list(
    State(state): State<ApiState>,
    who: Who,
    PathId(id): PathId<UserId>,
) -> Result<axum::Json<Greetings>, ApiError> {
    Ok(axum::Json(Greetings { items: state.desk.greetings(&who.identity, id)? }))
}

/// Keep a new one: WAV (16 bits, mono or stereo) or Ogg Opus, at most a minute and 12 MiB. Callers go on hearing what they heard.
#[utoipa::path(post, path = "/users/{id}/greetings", tag = "configuration", params(("id" = String, Path), Named),
    request_body(content = Vec<u8>, content_type = "audio/wav"), responses((status = 201, body = GreetingView),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "There are three already"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "What is wrong with the name or the file")))]
pub async fn add(
    State(state): State<ApiState>,
    who: Who,
    PathId(id): PathId<UserId>,
    Params(named): Params<Named>,
    Octets(file): Octets,
) -> Result<(StatusCode, axum::Json<GreetingView>), ApiError> {
    let new = (named.name.as_str(), file.to_vec());
    Ok((StatusCode::CREATED, axum::Json(state.desk.add_greeting(&who.identity, id, new, who.actor).await?)))
}

/// Name one, and say whether callers hear it from the next call on.
#[utoipa::path(put, path = "/users/{id}/greetings/{greeting}", tag = "configuration", request_body = Change,
    params(("id" = String, Path), ("greeting" = String, Path)), responses((status = 200, body = GreetingView),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
pub async fn change(
    State(state): State<ApiState>,
    who: Who,
    PathId(which): PathId<(UserId, GreetingId)>,
    Json(body): Json<Change>,
) -> Result<axum::Json<GreetingView>, ApiError> {
    let wanted = (body.name.as_str(), body.chosen);
    Ok(axum::Json(state.desk.change_greeting(&who.identity, which, wanted, who.actor).await?))
}

/// Delete one for ever. If callers heard it, they hear that of the house.
#[utoipa::path(delete, path = "/users/{id}/greetings/{greeting}", tag = "configuration",
    params(("id" = String, Path), ("greeting" = String, Path)), responses(
    (status = 204, description = "It is gone"), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub async fn remove(
    State(state): State<ApiState>,
    who: Who,
    PathId(which): PathId<(UserId, GreetingId)>,
) -> Result<StatusCode, ApiError> {
    state.desk.delete_greeting(&who.identity, which, who.actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One as it sounds: WAV, 16 kHz, mono.
#[utoipa::path(get, path = "/users/{id}/greetings/{greeting}/audio", tag = "configuration",
    params(("id" = String, Path), ("greeting" = String, Path)), responses(
    (status = 200, description = "The file", content_type = "audio/wav"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
pub async fn audio(
    State(state): State<ApiState>,
    who: Who,
    PathId((owner, greeting)): PathId<(UserId, GreetingId)>,
) -> Result<Response, ApiError> {
    let wav = state.desk.greeting_audio(&who.identity, owner, greeting).await?;
    let headers = [
        (header::CONTENT_TYPE, "audio/wav".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{greeting}.wav\"")),
    ];
    Ok((headers, wav).into_response())
}

/// Put another sound in the place of one: recorded again.
#[utoipa::path(put, path = "/users/{id}/greetings/{greeting}/audio", tag = "configuration",
    params(("id" = String, Path), ("greeting" = String, Path)),
    request_body(content = Vec<u8>, content_type = "audio/wav"), responses((status = 200, body = GreetingView),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "What is wrong with the file")))]
pub async fn record_again(
    State(state): State<ApiState>,
    who: Who,
    PathId(which): PathId<(UserId, GreetingId)>,
    Octets(file): Octets,
) -> Result<axum::Json<GreetingView>, ApiError> {
    let kept = state.desk.record_greeting_again(&who.identity, which, file.to_vec(), who.actor).await?;
    Ok(axum::Json(kept))
}

/// The addresses. Sounds may be larger than other bodies.
pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(change, remove))
        .routes(routes!(audio, record_again))
        .layer(DefaultBodyLimit::max(FILE_MAX))
}
