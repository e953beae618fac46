//! Configuration: lists, objects with ETags, changes with If-Match, creation with Idempotency-Key.

mod dispositions;
mod flow;
mod people;
mod requirement;
mod special;
mod tables;
mod tenant;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use desk::configuration::Item;
use desk::configuration::dry_run::DryRun;
use desk::page::Version;
use desk::refusal::Refusal;
use model::people::Privilege;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::identity::Who;
use crate::json::{Json, Params, PathId};
use crate::page::{List, Paging};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;
use crate::wire::{self, Wire};

type IdOf<W> = <<W as Wire>::Item as Item>::Id;

/// A page of objects.
pub async fn list<W: Wire>(
    state: &ApiState,
    who: &Who,
    paging: &Paging,
) -> Result<axum::Json<List<W>>, ApiError> {
    who.needs(Privilege::SeeConfiguration)?;
    let page = state.desk.list::<W::Item>(paging.after().as_ref(), paging.limit()).await?;
    let now = state.desk.configuration();
    Ok(axum::Json(List::of(page, |row| W::show(row.item).named(&now))))
}

/// One object with its ETag.
pub async fn show<W: Wire + Serialize>(
    state: &ApiState,
    who: &Who,
    id: IdOf<W>,
) -> Result<Response, ApiError> {
    who.needs(Privilege::SeeConfiguration)?;
    let row = state.desk.get::<W::Item>(id).await?;
    Ok(with_etag(StatusCode::OK, row.version, &W::show(row.item).named(&state.desk.configuration())))
}

/// A new object, once for each Idempotency-Key.
pub async fn create<W: Wire + Serialize>(
    state: &ApiState,
    who: &Who,
    headers: &HeaderMap,
    path: &str,
    body: W,
) -> Result<Response, ApiError> {
    who.needs(Privilege::Administer)?;
    let request = fingerprint(path, &body);
    let work = async {
        let item = stored(body, state, state.desk.sources().id())?;
        let row = state.desk.create(item, who.actor).await?;
        Ok((201, json(&W::show(row.item))))
    };
    once(state, who, headers, &request, path, work).await
}

/// Another state of an object.
pub async fn replace<W: Wire + Serialize>(
    state: &ApiState,
    who: &Who,
    headers: &HeaderMap,
    id: IdOf<W>,
    body: W,
) -> Result<Response, ApiError> {
    who.needs(Privilege::Administer)?;
    let expected = expected::<W>(state, headers, id).await?;
    let item = stored(body, state, id)?;
    let row = state.desk.update(item, expected, who.actor).await?;
    Ok(with_etag(StatusCode::OK, row.version, &W::show(row.item)))
}

/// A body as it is stored, under this id.
pub fn stored<W: Wire>(body: W, state: &ApiState, id: IdOf<W>) -> Result<W::Item, Refusal> {
    body.into_item(id, state.desk.tenant(), &state.desk.configuration())
}

/// Removes an object.
pub async fn remove<W: Wire>(
    state: &ApiState,
    who: &Who,
    headers: &HeaderMap,
    id: IdOf<W>,
) -> Result<StatusCode, ApiError> {
    who.needs(Privilege::Administer)?;
    let expected = expected::<W>(state, headers, id).await?;
    state.desk.delete::<W::Item>(id, expected, who.actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The version that `If-Match` names; `*` is whatever there is now (RFC 9110 §13.1.1).
pub async fn expected<W: Wire>(
    state: &ApiState,
    headers: &HeaderMap,
    id: IdOf<W>,
) -> Result<Version, ApiError> {
    match named_version(headers)? {
        Some(version) => Ok(version),
        None => Ok(state.desk.get::<W::Item>(id).await?.version),
    }
}

/// The same; `None` for `*`.
pub fn named_version(headers: &HeaderMap) -> Result<Option<Version>, ApiError> {
    let value = headers.get(header::IF_MATCH).ok_or(Refusal::MatchRequired)?;
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let number = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    // A tag that is none of ours matches nothing.
    Ok(Some(Version(number.and_then(|number| number.parse().ok()).ok_or(Refusal::Stale)?)))
}

/// As [`once_only`], for an object with an ETag and an address of its own.
pub async fn once(
    state: &ApiState,
    who: &Who,
    headers: &HeaderMap,
    request: &[u8],
    path: &str,
    work: impl Future<Output = Result<(u16, Vec<u8>), ApiError>>,
) -> Result<Response, ApiError> {
    let (mut response, body) = once_only(state, who, headers, request, work).await?;
    let id = serde_json::from_slice::<serde_json::Value>(&body).ok();
    let id = id.as_ref().and_then(|body| body.get("id")).and_then(serde_json::Value::as_str);
    let location = id.map(|id| format!("/api/v1{path}/{id}"));
    let headers = response.headers_mut();
    // A new object is at its first version.
    headers.insert(header::ETAG, HeaderValue::from_static("\"1\""));
    if let Some(location) = location.and_then(|text| HeaderValue::from_str(&text).ok()) {
        headers.insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Does `work` once for the request's Idempotency-Key, and answers with what it gave, body and all.
pub async fn once_only(
    state: &ApiState,
    who: &Who,
    headers: &HeaderMap,
    request: &[u8],
    work: impl Future<Output = Result<(u16, Vec<u8>), ApiError>>,
) -> Result<(Response, Vec<u8>), ApiError> {
    let key = match headers.get("idempotency-key").map(HeaderValue::to_str) {
        None => None,
        Some(Ok(key)) => Some(key),
        Some(Err(_)) => {
            return Err(Refusal::Malformed { why: "The Idempotency-Key is not text.".into() }.into());
        }
    };
    let given = state.desk.once(&who.identity.user.id.to_string(), key, request, work).await?;
    let status = StatusCode::from_u16(given.status).unwrap_or(StatusCode::OK);
    let mut response = (status, Body::from(given.body.clone())).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if given.repeated {
        headers.insert(HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static("true"));
    }
    Ok((response, given.body))
}

/// What tells two requests apart. Passwords are not serialized, so they are not part of it.
pub fn fingerprint(path: &str, body: &impl Serialize) -> Vec<u8> {
    let mut request = path.as_bytes().to_vec();
    request.push(0);
    request.extend(json(body));
    request
}

/// JSON of one of our own types.
pub fn json(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_default()
}

/// An object with its ETag.
pub fn with_etag(status: StatusCode, version: Version, body: &impl Serialize) -> Response {
    let mut response = (status, axum::Json(body)).into_response();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// How objects of a kind are changed; some kinds have more to do than to be stored.
pub trait Served: Wire + Serialize {
    /// A new one.
    async fn make(
        self,
        state: &ApiState,
        who: &Who,
        headers: &HeaderMap,
        path: &str,
    ) -> Result<Response, ApiError> {
        create(state, who, headers, path, self).await
    }
    /// Another state of it.
    async fn change(
        self,
        state: &ApiState,
        who: &Who,
        headers: &HeaderMap,
        id: IdOf<Self>,
    ) -> Result<Response, ApiError> {
        replace(state, who, headers, id, self).await
    }
    /// Removes it.
    async fn take_away(
        state: &ApiState,
        who: &Who,
        headers: &HeaderMap,
        id: IdOf<Self>,
    ) -> Result<StatusCode, ApiError> {
        remove::<Self>(state, who, headers, id).await
    }
}

impl Served for wire::Group {}
impl Served for wire::Skill {}
impl Served for wire::Reason {}
impl Served for wire::Flow {}
impl Served for wire::Number {}

/// Whether a change is only tried.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Trial {
    /// `true`: nothing is stored; the answer (200, `DryRun`) says what the change would do to queues, agents and those who wait.
    /// Neither `If-Match` nor `Idempotency-Key` is looked at.
    #[serde(default)]
    dry_run: bool,
}

/// What storing this, or removing what is there, would do.
pub async fn try_out<W: Wire>(
    state: &ApiState,
    who: &Who,
    id: IdOf<W>,
    body: Option<W>,
) -> Result<Response, ApiError> {
    who.needs(Privilege::Administer)?;
    let item = match body {
        Some(body) => Some(stored(body, state, id)?),
        None => {
            state.desk.get::<W::Item>(id).await?;
            None
        }
    };
    Ok(axum::Json(state.desk.dry_run::<W::Item>(id, item).await?).into_response())
}

macro_rules! crud {
    ($(#[$doc:meta] $module:ident: $wire:ident, $list:tt, $one:tt;)*) => {$(
        #[$doc]
        pub mod $module {
            use super::*;

            /// A page of them.
            #[utoipa::path(get, path = $list, tag = "configuration", params(Paging), responses(
                (status = 200, body = List<wire::$wire>),
                (status = 403, body = Problem, content_type = "application/problem+json")))]
            pub async fn list(State(state): State<ApiState>, who: Who, Params(paging): Params<Paging>)
                -> Result<axum::Json<List<wire::$wire>>, ApiError> {
                super::list(&state, &who, &paging).await
            }
            /// One of them, with its ETag.
            #[utoipa::path(get, path = $one, tag = "configuration", params(("id" = String, Path)), responses(
                (status = 200, body = wire::$wire, headers(("ETag" = String))),
                (status = 404, body = Problem, content_type = "application/problem+json")))]
            pub async fn show(State(state): State<ApiState>, who: Who, PathId(id): PathId<IdOf<wire::$wire>>)
                -> Result<Response, ApiError> {
                super::show::<wire::$wire>(&state, &who, id).await
            }
            /// A new one. `Idempotency-Key` makes repeating safe.
            #[utoipa::path(post, path = $list, tag = "configuration", request_body = wire::$wire,
                params(("Idempotency-Key" = Option<String>, Header), Trial), responses(
                (status = 200, body = DryRun, description = "With `dry_run=true`"),
                (status = 201, body = wire::$wire, headers(("ETag" = String), ("Location" = String))),
                (status = 409, body = Problem, content_type = "application/problem+json"),
                (status = 422, body = Problem, content_type = "application/problem+json")))]
            pub async fn create(State(state): State<ApiState>, who: Who, headers: HeaderMap,
                Params(trial): Params<Trial>, Json(body): Json<wire::$wire>) -> Result<Response, ApiError> {
                if trial.dry_run {
                    let id = state.desk.sources().id();
                    return super::try_out(&state, &who, id, Some(body)).await;
                }
                body.make(&state, &who, &headers, $list).await
            }
            /// Another state of it. `If-Match` names the version that is changed.
            ///
            /// With `dry_run=true` nothing is stored, and the answer is a `DryRun`: what it would do.
            #[utoipa::path(put, path = $one, tag = "configuration", request_body = wire::$wire,
                params(("id" = String, Path), ("If-Match" = String, Header), Trial), responses(
                (status = 200, body = wire::$wire, headers(("ETag" = String))),
                (status = 412, body = Problem, content_type = "application/problem+json"),
                (status = 422, body = Problem, content_type = "application/problem+json"),
                (status = 428, body = Problem, content_type = "application/problem+json")))]
            pub async fn replace(State(state): State<ApiState>, who: Who, headers: HeaderMap,
                PathId(id): PathId<IdOf<wire::$wire>>, Params(trial): Params<Trial>, Json(body): Json<wire::$wire>)
                -> Result<Response, ApiError> {
                if trial.dry_run {
                    return super::try_out(&state, &who, id, Some(body)).await;
                }
                body.change(&state, &who, &headers, id).await
            }
            /// Removes it, unless something still refers to it. `If-Match` names the version that is removed.
            #[utoipa::path(delete, path = $one, tag = "configuration",
                params(("id" = String, Path), ("If-Match" = String, Header), Trial), responses(
                (status = 200, body = DryRun, description = "With `dry_run=true`"), (status = 204), (status = 409, body = Problem, content_type = "application/problem+json"),
                (status = 412, body = Problem, content_type = "application/problem+json"),
                (status = 428, body = Problem, content_type = "application/problem+json")))]
            pub async fn remove(State(state): State<ApiState>, who: Who, headers: HeaderMap,
                PathId(id): PathId<IdOf<wire::$wire>>, Params(trial): Params<Trial>) -> Result<Response, ApiError> {
                if trial.dry_run {
                    return super::try_out::<wire::$wire>(&state, &who, id, None).await;
                }
                Ok(<wire::$wire as Served>::take_away(&state, &who, &headers, id).await?.into_response())
            }
            pub(super) fn routes() -> OpenApiRouter<ApiState> {
                OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show, replace, remove))
            }
        }
    )*};
}

crud! {
    /// `/groups`
    groups: Group, "/groups", "/groups/{id}";
    /// `/skills`
    skills: Skill, "/skills", "/skills/{id}";
    /// `/reasons`
    reasons: Reason, "/reasons", "/reasons/{id}";
    /// `/services`
    services: Service, "/services", "/services/{id}";
    /// `/flows`
    flows: Flow, "/flows", "/flows/{id}";
    /// `/numbers`
    numbers: Number, "/numbers", "/numbers/{id}";
    /// `/trunks`
    trunks: Trunk, "/trunks", "/trunks/{id}";
    /// `/users`
    users: User, "/users", "/users/{id}";
}

/// All of it.
pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .merge(groups::routes())
        .merge(skills::routes())
        .merge(reasons::routes())
        .merge(services::routes())
        .merge(flows::routes())
        .merge(flow::routes())
        .merge(numbers::routes())
        .merge(trunks::routes())
        .merge(users::routes())
        .merge(people::routes())
        .merge(dispositions::routes())
        .merge(tables::routes())
        .merge(requirement::routes())
        .merge(tenant::routes())
}
