//! Problems as RFC 9457 has them: one shape for REST and WebSocket, stable types, a page for each type.
//!
//! A handler returns [`ApiError`]; the body is written by [`finish`], which knows the request's id and also turns
//! whatever axum itself refuses (unknown address, wrong method, body too large) into a problem.

use axum::body::Body;
use axum::extract::{Path, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use desk::refusal::{FieldError, KINDS, Kind, Refusal};
use serde::Serialize;
use utoipa::ToSchema;

use crate::request_id::RequestId;

/// Kinds that only HTTP knows.
const HTTP_KINDS: [Kind; 5] = [
    Kind {
        slug: "method-not-allowed",
        title: "Method not allowed",
        status: 405,
        help: "The address exists, but not with this method. The Allow header names the methods.",
    },
    Kind {
        slug: "too-large",
        title: "Request too large",
        status: 413,
        help: "Bodies have at most 1 MiB, headers together at most 32 KiB.",
    },
    Kind {
        slug: "not-json",
        title: "Not JSON",
        status: 415,
        help: "Bodies are JSON and say so: Content-Type: application/json.",
    },
    Kind {
        slug: "too-slow",
        title: "Request too slow",
        status: 408,
        help: "The body of a request has to arrive within 30 seconds.",
    },
    Kind {
        slug: "bad-range",
        title: "Range cannot be served",
        status: 416,
        help: "The range asked for lies outside of the file. Content-Range says how long the file is.",
    },
];

/// All kinds.
pub fn kinds() -> impl Iterator<Item = &'static Kind> {
    KINDS.iter().chain(&HTTP_KINDS)
}

/// The body of a problem.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `/problems/…`: stable, and the address of a page about it.
    #[serde(rename = "type")]
    pub kind: String,
    /// Short text, the same for all of the type.
    pub title: &'static str,
    /// HTTP status.
    pub status: u16,
    /// What was wrong with this request.
    pub detail: String,
    /// Fields that cannot be taken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Under which the log of the appliance has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl Problem {
    fn of_kind(kind: &Kind, detail: String) -> Self {
        Self {
            kind: format!("/problems/{}", kind.slug),
            title: kind.title,
            status: kind.status,
            detail,
            errors: Vec::new(),
            request_id: None,
        }
    }
    /// A command on the WebSocket that was refused.
    pub fn of(refusal: &Refusal) -> Self {
        let mut problem = Self::of_kind(refusal.kind(), refusal.to_string());
        if let Refusal::Invalid { errors } = refusal {
            problem.errors.clone_from(errors);
        }
        problem
    }
}

/// Why a handler did not do it.
#[derive(Debug)]
pub enum ApiError {
    /// The desk refused.
    Refused(Refusal),
    /// HTTP itself does not allow it.
    Http(&'static str),
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let wait = match &self {
            // Rounded up: whoever waits as long as told must not come too early.
            Self::Refused(Refusal::TooManyAttempts { wait }) => {
                Some(wait.as_millis().div_ceil(1_000).max(1) as u64)
            }
            Self::Refused(Refusal::Unavailable) => Some(5),
            _ => None,
        };
        let problem = match &self {
            Self::Refused(refusal) => Problem::of(refusal),
            Self::Http(slug) => match HTTP_KINDS.iter().find(|kind| kind.slug == *slug) {
                Some(kind) => Problem::of_kind(kind, kind.help.to_owned()),
                None => Problem::of(&Refusal::Internal),
            },
        };
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        if let Some(wait) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, wait.into());
        }
        response.extensions_mut().insert(problem);
        response
    }
}

/// Marks an answer that says what is wrong in its own way: health checks.
#[derive(Clone, Copy, Debug)]
pub struct Finished;

/// Writes the body of problems, and makes problems of what axum refused by itself.
pub async fn finish(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().map(|id| id.0.clone());
    let mut response = next.run(request).await;
    let status = response.status();
    if response.extensions().get::<Finished>().is_some() {
        return response;
    }
    let problem = response.extensions_mut().remove::<Problem>();
    let mut problem = match problem {
        Some(problem) => problem,
        None if status.is_client_error() || status.is_server_error() => of_status(status),
        None => return response,
    };
    problem.request_id = id;
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    *response.body_mut() = Body::from(body);
    response
}

fn of_status(status: StatusCode) -> Problem {
    let by_status = |kind: &&Kind| kind.status == status.as_u16();
    let kind = match status {
        StatusCode::NOT_FOUND => Refusal::missing("address").kind(),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => &HTTP_KINDS[1],
        _ => match HTTP_KINDS.iter().find(by_status) {
            Some(kind) => kind,
            None if status.is_server_error() => Refusal::Internal.kind(),
            None => Refusal::Malformed { why: String::new() }.kind(),
        },
    };
    Problem { status: status.as_u16(), ..Problem::of_kind(kind, kind.help.to_owned()) }
}

/// `GET /problems/{slug}`: what a problem means and what to do.
pub async fn page(Path(slug): Path<String>) -> Result<Html<String>, ApiError> {
    let kind = kinds().find(|kind| kind.slug == slug).ok_or(Refusal::missing("problem type"))?;
    // All texts are ours: nothing of the request is shown.
    Ok(Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\
         <h1>{title}</h1><p>HTTP status {status}</p><p>{help}</p></html>",
        title = kind.title,
        status = kind.status,
        help = kind.help,
    )))
}
