//! Bodies and queries, with refusals of ours.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use desk::refusal::Refusal;
use serde::de::DeserializeOwned;

use crate::problem::ApiError;

/// A body has to be there within this time.
const PATIENCE: Duration = Duration::from_secs(30);

/// A JSON body.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;
    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
        if !essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json")) {
            return Err(ApiError::Http("not-json"));
        }
        parse(&octets(request, state).await?).map(Json)
    }
}

/// A body that is no JSON.
pub struct Octets(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Octets {
    type Rejection = ApiError;
    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        octets(request, state).await.map(Self)
    }
}

async fn octets<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    match tokio::time::timeout(PATIENCE, Bytes::from_request(request, state)).await {
        Err(_) => Err(ApiError::Http("too-slow")),
        Ok(Err(rejection)) => Err(match rejection.into_response().status() {
            StatusCode::PAYLOAD_TOO_LARGE => ApiError::Http("too-large"),
            _ => Refusal::Malformed { why: "The body cannot be read.".into() }.into(),
        }),
        Ok(Ok(body)) => Ok(body),
    }
}

/// Reads JSON. `serde_json` refuses more than 128 levels of nesting by itself.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| {
        Refusal::Malformed { why: format!("The body is not what is expected: {error}.") }.into()
    })
}

/// The part of a query that a handler knows.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query.map(|Query(value)| Self(value)).map_err(|error| {
            Refusal::Malformed { why: format!("The query is not what is expected: {}.", error.body_text()) }
                .into()
        })
    }
}

/// An id in an address: one that cannot be read names nothing.
pub struct PathId<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for PathId<T> {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(id)| Self(id)).map_err(|_| Refusal::missing("object").into())
    }
}
