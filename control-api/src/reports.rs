//! `/reports`: what agents report as not working (QUAL-03, QUAL-04).

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use desk::reports::{NewReport, ReportView};
use model::id::{InteractionId, ReportId};
use model::people::Privilege;
use model::report::Fault;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::identity::Who;
use crate::json::{Json, Params, PathId};
use crate::page::{List, Paging};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// What is not working.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// In which call; none: in none in particular.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    interaction: Option<InteractionId>,
    /// `echo`, `noise`, `distortion`, `sound_lost`, `ended_unexpectedly` or `other`.
    #[schema(value_type = String)]
    fault: Fault,
    /// In the agent's words, at most 2,000 characters; of `other` not empty.
    #[serde(default)]
    remark: String,
    /// A part of the page's log as text, at most 256 KiB.
    #[serde(default)]
    log: String,
}

/// Which reports.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// `true`: only those that nobody has dealt with.
    #[serde(default)]
    open: bool,
}

/// How many reports there are.
#[derive(Serialize, ToSchema)]
pub struct Open {
    /// Those that nobody has dealt with.
    open: u64,
}

/// Whether a report is dealt with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// `false`: it is open again.
    done: bool,
}

/// Report a problem to the administrators, of a call that one may see or of none.
#[utoipa::path(post, path = "/reports", tag = "records", request_body = Body, responses(
    (status = 201, body = ReportView), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "20 within an hour already"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
pub async fn make(
    State(state): State<ApiState>,
    who: Who,
    Json(body): Json<Body>,
) -> Result<(StatusCode, axum::Json<ReportView>), ApiError> {
    who.needs(Privilege::TakeInteractions)?;
    let Body { interaction, fault, remark, log } = body;
    let new = NewReport { interaction, fault, remark, log };
    Ok((StatusCode::CREATED, axum::Json(state.desk.report(&who.identity, new).await?)))
}

/// What agents reported, newest first; kept for 90 days.
#[utoipa::path(get, path = "/reports", tag = "records", params(Wanted, Paging), responses(
    (status = 200, body = List<ReportView>), (status = 403, body = Problem, content_type = "application/problem+json")))]
pub async fn list(
    State(state): State<ApiState>,
    who: Who,
    Params(wanted): Params<Wanted>,
    Params(paging): Params<Paging>,
) -> Result<axum::Json<List<ReportView>>, ApiError> {
    let page =
        state.desk.reports(&who.identity, wanted.open, paging.after().as_ref(), paging.limit()).await?;
    Ok(axum::Json(List::of(page, |report| report)))
}

/// How many reports nobody has dealt with.
#[utoipa::path(get, path = "/reports/count", tag = "records", responses(
    (status = 200, body = Open), (status = 403, body = Problem, content_type = "application/problem+json")))]
pub async fn count(State(state): State<ApiState>, who: Who) -> Result<axum::Json<Open>, ApiError> {
    Ok(axum::Json(Open { open: state.desk.open_reports(&who.identity).await? }))
}

/// The part of the page's log that came along. Every access is audited.
#[utoipa::path(get, path = "/reports/{report}/log", tag = "records", params(("report" = String, Path)), responses(
    (status = 200, description = "The log", content_type = "text/plain"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "There is none")))]
pub async fn log(
    State(state): State<ApiState>,
    who: Who,
    PathId(report): PathId<ReportId>,
) -> Result<Response, ApiError> {
    let log = state.desk.report_log(&who.identity, report, who.actor).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{report}.log\"")),
    ];
    Ok((headers, log).into_response())
}

/// Say that a report is dealt with, or that it is open again.
#[utoipa::path(put, path = "/reports/{report}/done", tag = "records", request_body = Mark,
    params(("report" = String, Path)), responses(
    (status = 200, body = ReportView), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
pub async fn mark(
    State(state): State<ApiState>,
    who: Who,
    PathId(report): PathId<ReportId>,
    Json(mark): Json<Mark>,
) -> Result<axum::Json<ReportView>, ApiError> {
    Ok(axum::Json(state.desk.mark_report(&who.identity, report, mark.done, who.actor).await?))
}
