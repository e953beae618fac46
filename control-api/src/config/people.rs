//! Passwords of users, and secrets of their SIP phones.

use axum::extract::State;
use axum::http::StatusCode;
use model::id::UserId;
use model::people::Privilege;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::identity::Who;
use crate::json::{Json, PathId};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// A new password.
#[derive(Deserialize, ToSchema)]
pub struct NewPassword {
    /// At least 10 characters.
    password: String,
}

/// Give a user a new password. Other sign-ins of the user end.
#[utoipa::path(put, path = "/users/{id}/password", tag = "configuration", params(("id" = String, Path)),
    request_body = NewPassword, responses((status = 204),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn set_password(
    State(state): State<ApiState>,
    who: Who,
    PathId(id): PathId<UserId>,
    Json(body): Json<NewPassword>,
) -> Result<StatusCode, ApiError> {
    who.needs(Privilege::Administer)?;
    state.desk.set_password(id, &body.password, who.actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a SIP phone signs in with: shown this once.
#[derive(Serialize, ToSchema)]
pub struct PhoneSecret {
    /// Digest user name: the extension.
    username: String,
    /// Digest password.
    password: String,
}

/// Make a new secret for a user's SIP phone; the old one stops working.
#[utoipa::path(post, path = "/users/{id}/phone-secret", tag = "configuration", params(("id" = String, Path)),
    responses((status = 200, body = PhoneSecret), (status = 409, body = Problem,
    content_type = "application/problem+json", description = "The user has no SIP phone")))]
async fn new_phone_secret(
    State(state): State<ApiState>,
    who: Who,
    PathId(id): PathId<UserId>,
) -> Result<axum::Json<PhoneSecret>, ApiError> {
    who.needs(Privilege::Administer)?;
    let secret = state.desk.new_phone_secret(id, who.actor).await?;
    Ok(axum::Json(PhoneSecret { username: secret.username, password: secret.password.reveal().to_owned() }))
}

/// Both.
pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(set_password)).routes(routes!(new_phone_secret))
}
