//! `/blocks`: callers who are refused (VOICE-16).

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use desk::configuration::blocks::{BlockView, NewBlock};
use model::id::BlockId;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::config::{fingerprint, json, once};
use crate::identity::Who;
use crate::json::{Json, Params, PathId};
use crate::page::{List, Paging};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Part of the number or of the reason.
    #[serde(default)]
    #[param(required = false)]
    q: String,
}

/// Whom to block.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedBlock {
    /// As people write it.
    number: String,
    /// All callers whose number begins like this: for administrators.
    #[serde(default)]
    prefix: bool,
    /// Why; at most 200 characters.
    #[serde(default)]
    reason: String,
    /// When it ends by itself, in milliseconds since 1970.
    #[serde(default)]
    until: Option<u64>,
}

/// The block list, newest first.
#[utoipa::path(get, path = "/blocks", tag = "live", params(Wanted, Paging), responses((status = 200, body = List<BlockView>),
    (status = 403, body = Problem, content_type = "application/problem+json")))]
pub async fn list(
    State(state): State<ApiState>,
    who: Who,
    Params(wanted): Params<Wanted>,
    Params(paging): Params<Paging>,
) -> Result<axum::Json<List<BlockView>>, ApiError> {
    let page = state.desk.blocks(&who.identity, &wanted.q, paging.after().as_ref(), paging.limit())?;
    Ok(axum::Json(List::of(page, |block| block)))
}

/// Refuse callers of a number from now on: they hear the tone of a refused call, and the record says `blocked`.
/// `Idempotency-Key` makes repeating safe.
#[utoipa::path(post, path = "/blocks", tag = "live", request_body = WantedBlock,
    params(("Idempotency-Key" = Option<String>, Header)), responses((status = 201, body = BlockView),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "On the list already, or the list is full"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
pub async fn add(
    State(state): State<ApiState>,
    who: Who,
    headers: HeaderMap,
    Json(body): Json<WantedBlock>,
) -> Result<Response, ApiError> {
    let request = fingerprint("/blocks", &body);
    let work = async {
        let WantedBlock { number, prefix, reason, until } = body;
        let new = NewBlock { number, prefix, reason, until: until.map(Timestamp::from_millis) };
        Ok((201, json(&state.desk.block(&who.identity, new, who.actor).await?)))
    };
    once(&state, &who, &headers, &request, "/blocks", work).await
}

/// Take an entry off the list: administrators any, others those they made.
#[utoipa::path(delete, path = "/blocks/{id}", tag = "live", params(("id" = String, Path)), responses((status = 204),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
pub async fn remove(
    State(state): State<ApiState>,
    who: Who,
    PathId(id): PathId<BlockId>,
) -> Result<StatusCode, ApiError> {
    state.desk.unblock(&who.identity, id, who.actor).await?;
    Ok(StatusCode::NO_CONTENT)
}
