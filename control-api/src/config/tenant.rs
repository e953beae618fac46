//! `/tenant`: what is set for everybody.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use model::dialling::Verdict;
use model::people::Privilege;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Trial, named_version, with_etag};
use crate::identity::Who;
use crate::json::{Json, Params};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;
use crate::wire::Tenant;

/// The tenant, with its ETag.
#[utoipa::path(get, path = "/tenant", tag = "configuration", responses(
    (status = 200, body = Tenant, headers(("ETag" = String))),
    (status = 403, body = Problem, content_type = "application/problem+json")))]
async fn show(State(state): State<ApiState>, who: Who) -> Result<Response, ApiError> {
    who.needs(Privilege::Administer)?;
    let row = state.desk.tenant_settings().await?;
    Ok(with_etag(StatusCode::OK, row.version, &Tenant::show(&row.item)))
}

/// Another state of it; consoles show it at once. `If-Match` names the version that is changed.
///
/// With `dry_run=true` nothing is stored, and the answer is a `DryRun`: what it would do.
#[utoipa::path(put, path = "/tenant", tag = "configuration", request_body = Tenant,
    params(("If-Match" = String, Header), Trial), responses(
    (status = 200, body = Tenant, headers(("ETag" = String))),
    (status = 412, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 428, body = Problem, content_type = "application/problem+json")))]
async fn replace(
    State(state): State<ApiState>,
    who: Who,
    headers: HeaderMap,
    Params(trial): Params<Trial>,
    Json(body): Json<Tenant>,
) -> Result<Response, ApiError> {
    who.needs(Privilege::Administer)?;
    if trial.dry_run {
        let item = body.into_item(state.desk.tenant());
        return Ok(axum::Json(state.desk.dry_run_tenant(item).await?).into_response());
    }
    let expected = match named_version(&headers)? {
        Some(version) => version,
        None => state.desk.tenant_settings().await?.version,
    };
    let item = body.into_item(state.desk.tenant());
    let row = state.desk.update_tenant(item, expected, who.actor).await?;
    Ok(with_etag(StatusCode::OK, row.version, &Tenant::show(&row.item)))
}

/// A number to be tried.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Attempt {
    /// As somebody would dial it.
    number: String,
}

/// What becomes of a number that is dialled.
#[derive(Serialize, ToSchema)]
struct Tried {
    /// As it is looked at and sent to a trunk.
    number: String,
    /// Whether it may be called.
    permitted: bool,
    /// The longest prefix that fits, which decided; `null`: none fits.
    prefix: Option<String>,
}

/// What becomes of a number by the rules of dialling; nothing is dialled.
#[utoipa::path(get, path = "/tenant/dialling", tag = "configuration", params(Attempt), responses(
    (status = 200, body = Tried),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn try_number(
    State(state): State<ApiState>,
    who: Who,
    Params(attempt): Params<Attempt>,
) -> Result<axum::Json<Tried>, ApiError> {
    who.needs(Privilege::Administer)?;
    let (number, Verdict { permitted, prefix }) = state.desk.try_number(&attempt.number)?;
    Ok(axum::Json(Tried { number, permitted, prefix }))
}

/// All of them.
pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(show, replace)).routes(routes!(try_number))
}
