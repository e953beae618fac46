//! `/livez`, `/readyz`, `/metrics`: for machines that watch the appliance. They need no sign-in and tell no secrets.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::ApiError;
use crate::state::{ApiState, PartHealth};
use desk::refusal::Refusal;

/// A part that does not answer within this time is not ready.
const PATIENCE: Duration = Duration::from_secs(2);

/// The process turns. Never asks the database: a slow disk must not have us killed with calls up.
pub async fn live(State(state): State<ApiState>) -> Response {
    if state.desk.is_alive() {
        (StatusCode::OK, "live\n").into_response()
    } else {
        let mut response = (StatusCode::SERVICE_UNAVAILABLE, "the floor's task has ended\n").into_response();
        response.extensions_mut().insert(crate::problem::Finished);
        response
    }
}

/// Whether the appliance can do its work.
#[derive(Serialize, ToSchema)]
pub struct Readiness {
    /// All parts are.
    ready: bool,
    /// Each part.
    checks: Vec<PartHealth>,
}

/// Ready for work: 200 or 503, with a line for each part when asked with `?verbose`.
pub async fn ready(State(state): State<ApiState>, uri: axum::http::Uri) -> Response {
    let checks = parts(&state).await;
    let ready = checks.iter().all(|check| check.ok);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let verbose =
        uri.query().is_some_and(|q| q.split('&').any(|p| p == "verbose" || p.starts_with("verbose=")));
    let shown = if verbose { checks } else { Vec::new() };
    let mut response = (status, axum::Json(Readiness { ready, checks: shown })).into_response();
    response.extensions_mut().insert(crate::problem::Finished);
    response
}

/// How each part is doing: the desk's own, then what the house says.
pub async fn parts(state: &ApiState) -> Vec<PartHealth> {
    let part = |name: &str, ok: bool, detail: Option<String>| PartHealth { name: name.into(), ok, detail };
    let floor = tokio::time::timeout(PATIENCE, state.desk.queues()).await;
    let (journal_ok, journal_detail) = state.desk.journal_health();
    let database = tokio::time::timeout(PATIENCE, state.desk.database_answers()).await;
    let mut parts = vec![
        part("floor", matches!(floor, Ok(Ok(_))), None),
        part("journal", journal_ok, journal_detail),
        part("database", matches!(database, Ok(true)), None),
        part(
            "calls",
            state.appliance.accepts_calls(),
            (!state.appliance.accepts_calls()).then(|| "draining".into()),
        ),
    ];
    parts.extend(state.appliance.parts());
    parts
}

/// Figures for Prometheus.
pub async fn metrics(State(state): State<ApiState>) -> Result<Response, ApiError> {
    let text =
        prometheus::TextEncoder::new().encode_to_string(&state.registry.gather()).map_err(|error| {
            tracing::error!(%error, "figures could not be written");
            Refusal::Internal
        })?;
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
