//! Who asks: the session cookie with its CSRF header, or a program's key.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use desk::audit::Actor;
use desk::auth::Identity;
use desk::auth::token::same;
use desk::refusal::Refusal;
use model::id::{Id, SessionId, UserId};
use model::people::{PhoneKind, Privilege, Role, User};
use model::time::Timestamp;

use crate::problem::ApiError;
use crate::state::ApiState;

/// The session cookie's name.
pub const COOKIE: &str = "patchbay_session";

/// Put into requests that came over the operator's own socket, which only the owner of the data folder can open: the file
/// system is the sign-in, so there is neither cookie nor CSRF token.
#[derive(Clone, Copy, Debug)]
pub struct LocalOperator;

/// Whoever sent the request, signed in.
pub struct Who {
    /// The person and what they may do.
    pub identity: Identity,
    /// For the audit log.
    pub actor: Actor,
}

impl Who {
    /// Refuses a key: what needs a page or a phone is for people.
    pub fn person(&self) -> Result<&Self, ApiError> {
        if self.actor.key.is_some() { Err(crate::api_keys::only_people().into()) } else { Ok(self) }
    }

    /// Refuses without the privilege (SEC-05, ERR-13).
    pub fn needs(&self, what: Privilege) -> Result<&Self, ApiError> {
        self.identity.needs(what)?;
        Ok(self)
    }
}

impl FromRequestParts<ApiState> for Who {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        if parts.extensions.get::<LocalOperator>().is_some() {
            return Ok(Self {
                identity: operator(state),
                actor: Actor { user: None, address: None, key: None },
            });
        }
        // No browser sends a key by itself, so there is nothing for another site to abuse: it needs no CSRF token.
        if let Some(key) = bearer(&parts.headers) {
            let address = source(parts);
            let (identity, key) = state.desk.identify_key(key, address).await?;
            return Ok(Self {
                identity,
                actor: Actor { user: None, address: Some(address), key: Some(key) },
            });
        }
        let cookie = cookie(&parts.headers).ok_or(Refusal::NotSignedIn)?;
        let identity = state.desk.identify(cookie).await?;
        // Another site can make the browser send the cookie, but it cannot read the token (and the cookie is SameSite).
        if !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS) {
            let header = parts.headers.get("x-csrf").map(|value| value.as_bytes()).unwrap_or_default();
            if !same(header, identity.csrf.as_bytes()) {
                return Err(Refusal::BadCsrf.into());
            }
        }
        let actor = Actor { user: Some(identity.user.id), address: Some(source(parts)), key: None };
        Ok(Self { identity, actor })
    }
}

/// The operator as an administrator of the tenant; no row of the database.
fn operator(state: &ApiState) -> Identity {
    let user = User {
        id: UserId::from_number(0),
        tenant: state.desk.tenant(),
        login: "operator".into(),
        name: "Operator".into(),
        email: None,
        extension: None,
        role: Role::Administrator,
        group: None,
        skills: BTreeMap::new(),
        phone: PhoneKind::None,
        mobile: None,
        chats_max: None,
        disabled: false,
    };
    Identity {
        tenant: state.desk.tenant(),
        privileges: user.role.privileges().to_vec(),
        user,
        session: SessionId::from_number(0),
        csrf: String::new(),
        expires_at: Timestamp::NEVER,
    }
}

/// The key of `Authorization: Bearer`; the scheme in whatever case (RFC 9110 §11.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
}

/// Where a request came from.
pub struct Source(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for Source {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(source(parts)))
    }
}

/// The address of the connection. Headers of proxies are not believed: whoever can reach us could write them.
fn source(parts: &Parts) -> IpAddr {
    let connection = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    connection.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(address)| address.ip().to_canonical())
}

/// The session cookie's value.
pub fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}
