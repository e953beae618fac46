//! `/requirement/check`: a requirement as text, tried before it is stored (ROUTE-02).

use axum::extract::State;
use desk::refusal::TextProblem;
use model::id::UserId;
use model::people::Privilege;
use model::skill::{SkillExpr, text};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::identity::Who;
use crate::json::Json;
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// Agents who are named; the others are counted.
const NAMED: usize = 100;

/// A text to be tried.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequirementText {
    /// Such as `german >= 7 and (billing or not trainee)`.
    text: String,
}

/// What a text means now.
#[derive(Serialize, ToSchema)]
pub struct CheckedRequirement {
    /// Whether it can be stored.
    valid: bool,
    /// Why not.
    problem: Option<TextProblem>,
    /// As a step of a requirement has it.
    #[schema(value_type = Option<serde_json::Value>)]
    who: Option<SkillExpr>,
    /// As it will be shown.
    who_text: Option<String>,
    /// How many agents meet it now; those who may not sign in do not count.
    agents: usize,
    /// The first 100 of them, by name.
    who_meet: Vec<Meets>,
}

/// Somebody who meets it.
#[derive(Serialize, ToSchema)]
pub struct Meets {
    /// What colleagues see.
    name: String,
    /// As `agent` has it in a text.
    login: String,
    /// Its id.
    #[schema(value_type = String)]
    id: UserId,
}

/// Try a requirement without storing it: whether it can be read, and who meets it now.
#[utoipa::path(post, path = "/requirement/check", tag = "configuration", request_body = RequirementText, responses(
    (status = 200, body = CheckedRequirement, description = "Also when the text cannot be read: `problem` says why"),
    (status = 403, body = Problem, content_type = "application/problem+json")))]
async fn check(
    State(state): State<ApiState>,
    who: Who,
    Json(RequirementText { text }): Json<RequirementText>,
) -> Result<axum::Json<CheckedRequirement>, ApiError> {
    who.needs(Privilege::SeeConfiguration)?;
    let now = state.desk.configuration();
    let checked = match text::parse(&text, now.names()) {
        Err(error) => CheckedRequirement {
            valid: false,
            problem: Some(TextProblem::new(&text, &error)),
            who: None,
            who_text: None,
            agents: 0,
            who_meet: Vec::new(),
        },
        Ok(who) => {
            let mut all: Vec<_> = now.who_meet(&who).map(|user| (&user.name, &user.login, user.id)).collect();
            all.sort_unstable();
            let meets = |&(name, login, id): &(&String, &String, UserId)| Meets {
                name: name.clone(),
                login: login.clone(),
                id,
            };
            CheckedRequirement {
                valid: true,
                problem: None,
                who_text: Some(text::print(&who, now.names())),
                who: Some(who),
                agents: all.len(),
                who_meet: all.iter().take(NAMED).map(meets).collect(),
            }
        }
    };
    Ok(axum::Json(checked))
}

/// The address.
pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(check))
}
