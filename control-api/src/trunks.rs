//! How trunks stand with their carriers.

use axum::extract::State;
use desk::trunks::TrunkState;
use model::call::Standing;
use model::id::TrunkId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::identity::Who;
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// How a trunk that registers stands with its carrier.
#[derive(Serialize, ToSchema)]
pub struct TrunkStateView {
    /// Which trunk.
    #[schema(value_type = String)]
    trunk: TrunkId,
    /// Its name.
    name: String,
    /// `trying`, `registered`, `refused` or `unreached`; all but `registered` are tried again, ever later, at least every half hour.
    standing: &'static str,
    /// Of `registered`: when it would end, in milliseconds since 1970; it is renewed before.
    until: Option<u64>,
    /// Of `refused`: what the carrier answered. 401 and 403 mostly mean a wrong user name or password.
    status: Option<u16>,
    /// Of `unreached`: in words.
    why: Option<String>,
}

/// All of them.
#[derive(Serialize, ToSchema)]
pub struct TrunkStates {
    /// In the order in which they were made.
    items: Vec<TrunkStateView>,
}

impl From<TrunkState> for TrunkStateView {
    fn from(TrunkState { trunk, name, standing }: TrunkState) -> Self {
        let view = Self { trunk, name, standing: "trying", until: None, status: None, why: None };
        match standing {
            Standing::Trying => view,
            Standing::Registered { until } => {
                Self { standing: "registered", until: Some(until.millis()), ..view }
            }
            Standing::Refused { status } => Self { standing: "refused", status: Some(status), ..view },
            Standing::Unreached { why } => Self { standing: "unreached", why: Some(why), ..view },
        }
    }
}

/// How the trunks that register stand with their carriers (SIP-02).
#[utoipa::path(get, path = "/trunk-states", tag = "live", responses(
    (status = 200, body = TrunkStates), (status = 403, body = Problem, content_type = "application/problem+json")))]
pub async fn states(State(state): State<ApiState>, who: Who) -> Result<axum::Json<TrunkStates>, ApiError> {
    let states = state.desk.trunk_states(&who.identity).await?;
    Ok(axum::Json(TrunkStates { items: states.into_iter().map(TrunkStateView::from).collect() }))
}
