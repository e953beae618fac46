//! `/keys`: what programs sign in with (API-03).

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use desk::api_keys::{ApiKey, NewKey};
use desk::refusal::Refusal;
use model::id::{KeyId, UserId};
use model::people::Privilege;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::identity::Who;
use crate::json::{Json, Params, PathId};
use crate::page::{List, Paging};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// A key, without its secret.
#[derive(Serialize, ToSchema)]
pub struct Key {
    /// Its id.
    #[schema(value_type = String)]
    id: KeyId,
    /// What it is for.
    name: String,
    /// The first characters of the secret.
    prefix: String,
    /// What it may do.
    #[schema(value_type = Vec<String>)]
    privileges: Vec<Privilege>,
    /// When it was made, in milliseconds since 1970.
    created_at: u64,
    /// By whom; null: the operator of the appliance.
    #[schema(value_type = Option<String>)]
    created_by: Option<UserId>,
    /// When it ends by itself.
    expires_at: u64,
    /// When it was used last, to a minute.
    used_at: Option<u64>,
    /// When it was revoked.
    revoked_at: Option<u64>,
}

impl From<ApiKey> for Key {
    fn from(key: ApiKey) -> Self {
        let ApiKey {
            id,
            name,
            prefix,
            privileges,
            created_at,
            created_by,
            expires_at,
            used_at,
            revoked_at,
            ..
        } = key;
        Self {
            id,
            name,
            prefix,
            privileges,
            created_at: created_at.millis(),
            created_by,
            expires_at: expires_at.millis(),
            used_at: used_at.map(Timestamp::millis),
            revoked_at: revoked_at.map(Timestamp::millis),
        }
    }
}

/// A new key with its secret, which nobody can read again.
#[derive(Serialize, ToSchema)]
pub struct CreatedKey {
    /// The key.
    #[serde(flatten)]
    key: Key,
    /// For `Authorization: Bearer …`.
    secret: String,
}

/// What a new key is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedKey {
    /// What it is for; 1 to 64 characters.
    name: String,
    /// What it may do: of what you may yourself.
    #[schema(value_type = Vec<String>)]
    privileges: Vec<Privilege>,
    /// How many days it is good for: 365, or as many as the appliance allows (`[http] key_days_max`) when that is less.
    #[serde(default)]
    valid_days: Option<u32>,
}

/// Keys of programs, newest first, with those that ended.
#[utoipa::path(get, path = "/keys", tag = "configuration", params(Paging), responses((status = 200, body = List<Key>),
    (status = 403, body = Problem, content_type = "application/problem+json")))]
pub async fn list(
    State(state): State<ApiState>,
    who: Who,
    Params(paging): Params<Paging>,
) -> Result<axum::Json<List<Key>>, ApiError> {
    who.needs(Privilege::Administer)?;
    let page = state.desk.keys(paging.after().as_ref(), paging.limit()).await?;
    Ok(axum::Json(List::of(page, Key::from)))
}

/// Make a key. The answer has its secret, this once; an `Idempotency-Key` is not looked at, because answers to be repeated are
/// stored. Keys are made by people: a key makes none.
#[utoipa::path(post, path = "/keys", tag = "configuration", request_body = WantedKey, responses(
    (status = 201, body = CreatedKey), (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "Asked for with a key"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
pub async fn create(
    State(state): State<ApiState>,
    who: Who,
    Json(body): Json<WantedKey>,
) -> Result<(StatusCode, axum::Json<CreatedKey>), ApiError> {
    who.needs(Privilege::Administer)?.person()?;
    let lifetime = body.valid_days.map(|days| Duration::from_secs(u64::from(days) * 86_400));
    let new = NewKey { name: body.name, privileges: body.privileges, lifetime };
    let (key, secret) = state.desk.create_key(&who.identity, new, who.actor).await?;
    let created = CreatedKey { key: key.into(), secret: secret.reveal().to_owned() };
    Ok((StatusCode::CREATED, axum::Json(created)))
}

/// Revoke a key: it opens nothing from now on.
#[utoipa::path(delete, path = "/keys/{id}", tag = "configuration", params(("id" = String, Path)), responses(
    (status = 204, description = "Revoked, now or before"),
    (status = 404, body = Problem, content_type = "application/problem+json")))]
pub async fn revoke(
    State(state): State<ApiState>,
    who: Who,
    PathId(id): PathId<KeyId>,
) -> Result<StatusCode, ApiError> {
    who.needs(Privilege::Administer)?;
    state.desk.revoke_key(id, who.actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a key cannot do, because it has neither page nor phone.
pub fn only_people() -> Refusal {
    Refusal::NotNow { why: "This is for people who signed in; a key has no page and no phone." }
}
