//! `/colleagues`: whom one can call within the house (OUT-03).

use axum::extract::State;
use desk::colleagues::ColleagueView;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::identity::Who;
use crate::json::Params;
use crate::page::{List, Paging};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// Which colleagues.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Part of name, extension, login or email.
    #[serde(default)]
    #[param(required = false)]
    q: String,
    /// Only those who may answer for this service.
    #[serde(default)]
    #[param(required = false, value_type = Option<String>)]
    service: Option<model::id::ServiceId>,
}

/// Colleagues by name, without oneself and without disabled users; `callable`: a call would ring there now.
#[utoipa::path(get, path = "/colleagues", tag = "live", params(Wanted, Paging), responses(
    (status = 200, body = List<ColleagueView>), (status = 403, body = Problem, content_type = "application/problem+json")))]
pub async fn list(
    State(state): State<ApiState>,
    who: Who,
    Params(wanted): Params<Wanted>,
    Params(paging): Params<Paging>,
) -> Result<axum::Json<List<ColleagueView>>, ApiError> {
    let (after, limit) = (paging.after(), paging.limit());
    let page =
        state.desk.colleagues(&who.identity, (&wanted.q, wanted.service), after.as_ref(), limit).await?;
    Ok(axum::Json(List::of(page, |colleague| colleague)))
}
