//! Every request has an id: in the answer's `x-request-id`, in problems, and in the log.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tracing::Instrument;

use crate::state::ApiState;

/// Octets of all header names and values together.
const HEADERS_MAX: usize = 32 * 1024;

static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Refuses requests with too many headers.
pub async fn headers_fit(request: Request, next: Next) -> Response {
    let size: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if size > HEADERS_MAX {
        return StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE.into_response();
    }
    next.run(request).await
}

/// Gives the request an id.
pub async fn identify(State(state): State<ApiState>, mut request: Request, next: Next) -> Response {
    let id = URL_SAFE_NO_PAD.encode(state.desk.sources().bytes::<12>());
    request.extensions_mut().insert(RequestId(id.clone()));
    let span =
        tracing::info_span!("http", request = %id, method = %request.method(), path = request.uri().path());
    let mut response = next.run(request).instrument(span).await;
    state.counters.answered(response.status());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(X_REQUEST_ID.clone(), value);
    }
    response
}
