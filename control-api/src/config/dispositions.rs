//! `/services/{service}/dispositions`: each service has a list of its own (ACW-01).

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use desk::refusal::Refusal;
use model::id::{DispositionId, ServiceId};
use model::people::Privilege;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Served;
use crate::identity::Who;
use crate::json::{Json, PathId};
use crate::page::List;
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;
use crate::wire::{Disposition, Wire};

impl Served for Disposition {}

/// The list of a service.
#[utoipa::path(get, path = "/services/{service}/dispositions", tag = "configuration",
    params(("service" = String, Path)), responses((status = 200, body = List<Disposition>),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn list(
    State(state): State<ApiState>,
    who: Who,
    PathId(service): PathId<ServiceId>,
) -> Result<axum::Json<List<Disposition>>, ApiError> {
    who.needs(Privilege::SeeConfiguration)?;
    state.desk.get::<model::service::Service>(service).await?;
    let configuration = state.desk.configuration();
    let of_service = configuration.dispositions.values().filter(|d| d.service == service);
    Ok(axum::Json(List::whole(of_service.cloned().map(Disposition::show).collect())))
}

/// A new one. `Idempotency-Key` makes repeating safe.
#[utoipa::path(post, path = "/services/{service}/dispositions", tag = "configuration", request_body = Disposition,
    params(("service" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = Disposition, headers(("ETag" = String))),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn create(
    State(state): State<ApiState>,
    who: Who,
    PathId(service): PathId<ServiceId>,
    headers: HeaderMap,
    Json(body): Json<Disposition>,
) -> Result<Response, ApiError> {
    let path = format!("/services/{service}/dispositions");
    Disposition { service, ..body }.make(&state, &who, &headers, &path).await
}

/// One of them, with its ETag.
#[utoipa::path(get, path = "/services/{service}/dispositions/{id}", tag = "configuration",
    params(("service" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = Disposition, headers(("ETag" = String))),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn show(
    State(state): State<ApiState>,
    who: Who,
    PathId((service, id)): PathId<(ServiceId, DispositionId)>,
) -> Result<Response, ApiError> {
    who.needs(Privilege::SeeConfiguration)?;
    belongs(&state, service, id).await?;
    super::show::<Disposition>(&state, &who, id).await
}

/// Another state of it. `If-Match` names the version that is changed.
#[utoipa::path(put, path = "/services/{service}/dispositions/{id}", tag = "configuration", request_body = Disposition,
    params(("service" = String, Path), ("id" = String, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = Disposition, headers(("ETag" = String))),
    (status = 412, body = Problem, content_type = "application/problem+json")))]
async fn replace(
    State(state): State<ApiState>,
    who: Who,
    PathId((service, id)): PathId<(ServiceId, DispositionId)>,
    headers: HeaderMap,
    Json(body): Json<Disposition>,
) -> Result<Response, ApiError> {
    who.needs(Privilege::Administer)?;
    belongs(&state, service, id).await?;
    Disposition { service, ..body }.change(&state, &who, &headers, id).await
}

/// Removes it, unless records name it. `If-Match` names the version that is removed.
#[utoipa::path(delete, path = "/services/{service}/dispositions/{id}", tag = "configuration",
    params(("service" = String, Path), ("id" = String, Path), ("If-Match" = String, Header)),
    responses((status = 204), (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 412, body = Problem, content_type = "application/problem+json")))]
async fn remove(
    State(state): State<ApiState>,
    who: Who,
    PathId((service, id)): PathId<(ServiceId, DispositionId)>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    who.needs(Privilege::Administer)?;
    belongs(&state, service, id).await?;
    Disposition::take_away(&state, &who, &headers, id).await
}

async fn belongs(state: &ApiState, service: ServiceId, id: DispositionId) -> Result<(), ApiError> {
    let row = state.desk.get::<model::service::Disposition>(id).await?;
    if row.item.service == service { Ok(()) } else { Err(Refusal::missing("disposition").into()) }
}

/// All of them.
pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show, replace, remove))
}
