//! Live media: which legs there are and how they sound, for supervisors.

use axum::extract::State;
use desk::refusal::Refusal;
use model::id::{InteractionId, LegId};
use model::people::Privilege;

use crate::identity::Who;
use crate::json::{Params, PathId};
use crate::page::{List, Paging};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;
use crate::wire::legs::{Leg, MediaLegs};

/// All live media legs, oldest first, with the figures of the whole media plane. However many watch, legs are looked at once a
/// second.
#[utoipa::path(get, path = "/media/legs", tag = "live", params(Paging), responses(
    (status = 200, body = MediaLegs), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json", description = "The media plane does not answer")))]
pub async fn all(
    State(state): State<ApiState>,
    who: Who,
    Params(paging): Params<Paging>,
) -> Result<axum::Json<MediaLegs>, ApiError> {
    who.needs(Privilege::Supervise)?;
    let after = paging.cursor.as_deref().map(cursor).transpose()?;
    let seen = state.appliance.legs().await.ok_or(Refusal::Unavailable)?;
    let limit = usize::try_from(paging.limit()).unwrap_or(usize::MAX);
    // An id's text sorts as the id does.
    let begin = after.map_or(0, |after| seen.items.partition_point(|leg| leg.leg <= after));
    let rest = seen.items.get(begin..).unwrap_or_default();
    let items: Vec<Leg> = rest.iter().take(limit).cloned().collect();
    let next_cursor = items.last().filter(|_| rest.len() > limit).map(|leg| leg.leg.clone());
    Ok(axum::Json(MediaLegs { at: seen.at, totals: seen.totals.clone(), items, next_cursor }))
}

/// The live media legs of one call: customer, agent, and whoever else is rung or listens.
#[utoipa::path(get, path = "/calls/{interaction}/legs", tag = "live", params(("interaction" = String, Path)), responses(
    (status = 200, body = List<Leg>), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "No such call is in progress"),
    (status = 503, body = Problem, content_type = "application/problem+json", description = "The media plane does not answer")))]
pub async fn of_call(
    State(state): State<ApiState>,
    who: Who,
    PathId(interaction): PathId<InteractionId>,
) -> Result<axum::Json<List<Leg>>, ApiError> {
    who.needs(Privilege::Supervise)?;
    state.desk.call(interaction).await?;
    let seen = state.appliance.legs().await.ok_or(Refusal::Unavailable)?;
    let call = Some(interaction.to_string());
    let items = seen.items.iter().filter(|leg| leg.call == call).cloned().collect();
    Ok(axum::Json(List::whole(items)))
}

fn cursor(text: &str) -> Result<String, Refusal> {
    let id: Result<LegId, _> = text.parse();
    id.map(|id| id.to_string())
        .map_err(|_| Refusal::Malformed { why: "The cursor is not one of this list.".into() })
}
