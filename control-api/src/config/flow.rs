//! `/flow/check` and `/flow/try`: a flow as text, looked over and tried out before anybody calls (ROUTE-08).

use std::sync::Arc;

use axum::extract::State;
use desk::configuration::WrongFlow;
use desk::flow::{Caller, Script, TextError, try_out};
use desk::refusal::{FieldError, Refusal};
use model::people::Privilege;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::identity::Who;
use crate::json::Json;
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// A text to be looked over.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FlowText {
    /// TOML.
    text: String,
}

/// Whether callers could go through it now.
#[derive(Serialize, ToSchema)]
pub struct CheckedFlow {
    /// Whether nothing is wrong with it.
    valid: bool,
    /// Everything that is wrong; of a text that cannot be read, the first place.
    faults: Vec<FlowFault>,
}

/// Something wrong.
#[derive(Serialize, ToSchema)]
pub struct FlowFault {
    /// The field, such as `menu.language.timeout`; none when the text cannot be read.
    at: Option<String>,
    /// Line from 1, when the text cannot be read.
    line: Option<usize>,
    /// Column from 1, in characters.
    column: Option<usize>,
    /// What is wrong, and what would do.
    what: String,
}

/// A text and what a caller does in it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FlowTrial {
    /// TOML.
    text: String,
    /// Keys and words one after the other: `1 4711# wait closed`. A queue that is not said to be `closed`, `unstaffed` or `full` takes
    /// the caller; `wait` lets one wait for a key pass; `hangup`. What a system answers that an `http` step asks: `name=value` for each
    /// value that is picked or the status, then `ok`; or `failed`, or `timeout`; of a table the same, or `missing`. When all is used up, the caller presses nothing more,
    /// and systems answer with status 200 and nothing else. A number that a `transfer` dials answers unless `busy`, `unanswered` or
    /// `failed` is next.
    #[serde(default)]
    script: String,
    /// Calling number.
    #[serde(default)]
    caller: String,
    /// Caller's name.
    #[serde(default)]
    caller_name: String,
    /// Called number.
    #[serde(default)]
    called: String,
    /// When the call begins, in milliseconds since 1970; now unless set.
    #[serde(default)]
    at: Option<u64>,
}

/// The way a script led.
#[derive(Serialize, ToSchema)]
pub struct TriedFlow {
    /// What happened, in this order.
    lines: Vec<TriedLine>,
    /// How it ended.
    end: Option<String>,
}

/// One thing that happened.
#[derive(Serialize, ToSchema)]
pub struct TriedLine {
    /// The step, by kind and name; empty: the same as before.
    step: String,
    /// What.
    what: String,
}

/// Look a flow over without storing it.
#[utoipa::path(post, path = "/flow/check", tag = "configuration", request_body = FlowText, responses(
    (status = 200, body = CheckedFlow, description = "Also when something is wrong: `faults` says what"),
    (status = 403, body = Problem, content_type = "application/problem+json")))]
async fn check(
    State(state): State<ApiState>,
    who: Who,
    Json(FlowText { text }): Json<FlowText>,
) -> Result<axum::Json<CheckedFlow>, ApiError> {
    who.needs(Privilege::SeeConfiguration)?;
    let faults = match state.desk.configuration().check_flow(&text) {
        Ok(_) => Vec::new(),
        Err(WrongFlow::Text(TextError::Wrong { line, column, what })) => {
            vec![FlowFault { at: None, line: Some(line), column: Some(column), what }]
        }
        Err(WrongFlow::Text(error)) => {
            vec![FlowFault { at: None, line: None, column: None, what: error.to_string() }]
        }
        Err(WrongFlow::Faults(faults)) => faults
            .into_iter()
            .map(|fault| FlowFault { at: Some(fault.at), line: None, column: None, what: fault.what })
            .collect(),
    };
    Ok(axum::Json(CheckedFlow { valid: faults.is_empty(), faults }))
}

/// Send a simulated caller through a flow without storing it.
#[utoipa::path(post, path = "/flow/try", tag = "configuration", request_body = FlowTrial, responses(
    (status = 200, body = TriedFlow),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn try_it(
    State(state): State<ApiState>,
    who: Who,
    Json(trial): Json<FlowTrial>,
) -> Result<axum::Json<TriedFlow>, ApiError> {
    who.needs(Privilege::SeeConfiguration)?;
    let wrong = |field: &str, what: String| Refusal::Invalid { errors: vec![FieldError::new(field, what)] };
    let ready = state.desk.configuration().check_flow(&trial.text);
    let ready = Arc::new(ready.map_err(|fault| wrong("/text", fault.first()))?);
    let script = Script::from_words(&trial.script).map_err(|error| wrong("/script", error.to_string()))?;
    let caller = Caller { number: trial.caller, name: trial.caller_name, called: trial.called };
    let at = trial.at.map_or_else(|| state.desk.now(), Timestamp::from_millis);
    let told = try_out(&ready, &caller, &script, at);
    let end = told.end().map(str::to_owned);
    let line = |line: desk::flow::Line| TriedLine { step: line.step, what: line.what };
    Ok(axum::Json(TriedFlow { end, lines: told.lines.into_iter().map(line).collect() }))
}

/// The addresses.
pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(check)).routes(routes!(try_it))
}
