//! Why an interaction waits, rings or rang where it does (ROUTE-09).

use axum::extract::State;
use desk::past::When;
use desk::past::explanation::ExplanationView;
use desk::refusal::Refusal;
use model::id::InteractionId;
use model::people::Privilege;
use model::time::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::identity::Who;
use crate::json::{Params, PathId};
use crate::page::List;
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// Which moment is meant. Without any it is now, and of an interaction that is over its last offer.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// Just before its nth offer, from 1, or `last`: whom the floor chose, among whom, and why.
    offer: Option<String>,
    /// As it was then, in milliseconds since 1970.
    at: Option<u64>,
}

impl Moment {
    fn when(&self) -> Result<When, Refusal> {
        match (self.offer.as_deref(), self.at) {
            (None, None) => Ok(When::Now),
            (None, Some(at)) => Ok(When::At(Timestamp::from_millis(at))),
            (Some("last"), None) => Ok(When::LastOffer),
            (Some(number), None) => match number.parse() {
                Ok(number @ 1..) => Ok(When::Offer(number)),
                _ => Err(Refusal::Malformed { why: "`offer` is a number from 1, or `last`.".into() }),
            },
            (Some(_), Some(_)) => Err(Refusal::Malformed { why: "Either `offer` or `at`.".into() }),
        }
    }
}

/// Why an interaction waits, rings or rang where it does: who may take it, who lost on which term, what comes next and what would
/// help. A moment of the past is worked out from the journal.
#[utoipa::path(get, path = "/interactions/{interaction}/explanation", tag = "live",
    params(("interaction" = String, Path), Moment), responses(
    (status = 200, body = ExplanationView), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "No such interaction, or not at that moment")))]
pub async fn one(
    State(state): State<ApiState>,
    who: Who,
    PathId(interaction): PathId<InteractionId>,
    Params(moment): Params<Moment>,
) -> Result<axum::Json<ExplanationView>, ApiError> {
    who.needs(Privilege::Supervise)?;
    Ok(axum::Json(state.desk.explain(interaction, moment.when()?).await?))
}

/// The same for everybody who waits or is rung for now, oldest first; at most 100.
#[utoipa::path(get, path = "/waiting/explanations", tag = "live", responses(
    (status = 200, body = List<ExplanationView>), (status = 403, body = Problem, content_type = "application/problem+json")))]
pub async fn waiting(
    State(state): State<ApiState>,
    who: Who,
) -> Result<axum::Json<List<ExplanationView>>, ApiError> {
    who.needs(Privilege::Supervise)?;
    Ok(axum::Json(List::whole(state.desk.explain_waiting().await?)))
}
