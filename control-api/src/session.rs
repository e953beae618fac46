//! `/session`: signing in and out.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use desk::auth::{Credentials, Identity};
use desk::preferences::Phones;
use model::people::{OwnPhone, PhoneKind, Privilege};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::identity::{COOKIE, Source, Who};
use crate::json::{Json, Params};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;
use crate::wire::User;

/// What a person typed.
#[derive(Deserialize, ToSchema)]
pub struct SignIn {
    /// Login or e-mail address.
    login: String,
    /// Password.
    password: String,
    /// End another live session of the user (ERR-17).
    #[serde(default)]
    force: bool,
}

/// A session, as the page needs it.
#[derive(Serialize, ToSchema)]
pub struct SessionView {
    /// Who.
    user: User,
    /// What they may do.
    #[schema(value_type = Vec<String>)]
    privileges: Vec<Privilege>,
    /// For the header `x-csrf`.
    csrf: String,
    /// When it ends, if it is not used; milliseconds since 1970.
    expires_at: u64,
}

impl SessionView {
    fn new(identity: &Identity, state: &ApiState) -> Self {
        let (role, withheld) = (identity.user.role, &state.desk.configuration().withheld);
        Self {
            user: User::from(identity.user.clone()),
            privileges: identity
                .privileges
                .iter()
                .copied()
                .filter(|what| withheld.leaves(role, *what))
                .collect(),
            csrf: identity.csrf.clone(),
            expires_at: identity.expires_at.millis(),
        }
    }
}

/// Sign in.
#[utoipa::path(post, path = "/session", tag = "session", request_body = SignIn, security(()), responses(
    (status = 200, body = SessionView, description = "Signed in; sets the session cookie"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "Signed in elsewhere"),
    (status = 429, body = Problem, content_type = "application/problem+json", description = "Too many attempts")))]
pub async fn open(
    State(state): State<ApiState>,
    Source(source): Source,
    Json(body): Json<SignIn>,
) -> Result<Response, ApiError> {
    let SignIn { login, password, force } = body;
    let signed_in = state.desk.sign_in(Credentials { login, password, force, source }).await?;
    let cookie = set_cookie(&signed_in.token.reveal(), None);
    Ok((cookie, axum::Json(SessionView::new(&signed_in.identity, &state))).into_response())
}

/// The present session.
#[utoipa::path(get, path = "/session", tag = "session", responses(
    (status = 200, body = SessionView), (status = 401, body = Problem, content_type = "application/problem+json")))]
pub async fn show(State(state): State<ApiState>, who: Who) -> Result<axum::Json<SessionView>, ApiError> {
    Ok(axum::Json(SessionView::new(&who.person()?.identity, &state)))
}

/// What the own user wants to see or not, in whatever browser.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreferencesView {
    /// Whether a notice is shown before a customer is called back (CB-03); without it an accepted one is dialled at once.
    callback_notice: bool,
}

/// What the own user wants to see or not.
#[utoipa::path(get, path = "/session/preferences", tag = "session", responses((status = 200, body = PreferencesView)))]
pub async fn preferences(
    State(state): State<ApiState>,
    who: Who,
) -> Result<axum::Json<PreferencesView>, ApiError> {
    let wanted = state.desk.preferences(&who.identity).await?;
    Ok(axum::Json(PreferencesView { callback_notice: !wanted.no_callback_notice }))
}

/// Change that, from now on and everywhere.
#[utoipa::path(put, path = "/session/preferences", tag = "session", request_body = PreferencesView, responses((status = 204)))]
pub async fn set_preferences(
    State(state): State<ApiState>,
    who: Who,
    Json(body): Json<PreferencesView>,
) -> Result<StatusCode, ApiError> {
    state.desk.show_callback_notice(&who.identity, body.callback_notice).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Numbers of the house.
#[derive(Serialize, ToSchema)]
pub struct HouseNumbers {
    /// Digits with an optional +, sorted.
    items: Vec<String>,
}

/// The house's numbers, of which whoever dials may choose the one that is shown there (OUT-11).
#[utoipa::path(get, path = "/session/numbers", tag = "session", responses(
    (status = 200, body = HouseNumbers), (status = 403, body = Problem, content_type = "application/problem+json")))]
pub async fn numbers(State(state): State<ApiState>, who: Who) -> Result<axum::Json<HouseNumbers>, ApiError> {
    Ok(axum::Json(HouseNumbers { items: state.desk.house_numbers(&who.identity)? }))
}

/// A phone that a user may have.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnPhoneView {
    /// `browser`, `sip`, `number` or `none`.
    #[schema(value_type = String)]
    kind: PhoneKind,
    /// Of `number`, which: digits with an optional +. `null`: the one that an administrator set.
    #[serde(default)]
    number: Option<String>,
}

/// By which phone the own user is reached.
#[derive(Serialize, ToSchema)]
pub struct PhonesView {
    /// As an administrator set it.
    set: OwnPhoneView,
    /// What the user chose instead, from the next sign-in on; `null`: what is set.
    own: Option<OwnPhoneView>,
    /// Whether the user may name a number outside.
    own_numbers: bool,
}

/// By which phone the own user is reached.
#[utoipa::path(get, path = "/session/phone", tag = "session", responses((status = 200, body = PhonesView)))]
pub async fn phone(State(state): State<ApiState>, who: Who) -> Result<axum::Json<PhonesView>, ApiError> {
    let Phones { set, mobile, own, own_numbers } = state.desk.phones(&who.person()?.identity).await?;
    Ok(axum::Json(PhonesView {
        set: OwnPhoneView { kind: set, number: mobile },
        own: own.map(|OwnPhone { kind, number }| OwnPhoneView { kind, number }),
        own_numbers,
    }))
}

/// Choose another phone than the one that is set, from the next sign-in on (CONN-10).
#[utoipa::path(put, path = "/session/phone", tag = "session", request_body = OwnPhoneView, responses((status = 204),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "Not a phone for this user"),
    (status = 422, body = Problem, content_type = "application/problem+json")))]
pub async fn choose_phone(
    State(state): State<ApiState>,
    who: Who,
    Json(body): Json<OwnPhoneView>,
) -> Result<StatusCode, ApiError> {
    let identity = &who.person()?.identity;
    state.desk.choose_phone(identity, Some((body.kind, body.number))).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Have the phone that is set again, from the next sign-in on.
#[utoipa::path(delete, path = "/session/phone", tag = "session", responses((status = 204)))]
pub async fn usual_phone(State(state): State<ApiState>, who: Who) -> Result<StatusCode, ApiError> {
    state.desk.choose_phone(&who.person()?.identity, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How to sign out.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SignOut {
    /// Also while a call is up.
    #[serde(default)]
    force: bool,
}

/// Sign out.
#[utoipa::path(delete, path = "/session", tag = "session", params(SignOut), responses(
    (status = 204), (status = 409, body = Problem, content_type = "application/problem+json", description = "A call is up")))]
pub async fn close(
    State(state): State<ApiState>,
    who: Who,
    Params(query): Params<SignOut>,
) -> Result<Response, ApiError> {
    who.person()?;
    state.desk.sign_out(&who.identity, query.force, who.actor).await?;
    Ok((StatusCode::NO_CONTENT, set_cookie("", Some(0))).into_response())
}

type SetCookie = [(header::HeaderName, HeaderValue); 1];

fn set_cookie(value: &str, max_age: Option<u32>) -> SetCookie {
    let age = max_age.map(|age| format!("; Max-Age={age}")).unwrap_or_default();
    let text = format!("{COOKIE}={value}; Path=/; HttpOnly; Secure; SameSite=Strict{age}");
    // Hex digits and our own words: always a valid header.
    [(header::SET_COOKIE, HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("")))]
}
