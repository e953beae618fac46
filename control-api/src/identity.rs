//! Who asks: the session cookie with its CSRF header.

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
            return Ok(Self { identity: operator(state), actor: Actor { user: None, address: None } });
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
        let actor = Actor { user: Some(identity.user.id), address: Some(source(parts)) };
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
        disabled: false,
    };
    Identity {
        tenant: state.desk.tenant(),
        user,
        session: SessionId::from_number(0),
        csrf: String::new(),
        expires_at: Timestamp::NEVER,
    }
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
