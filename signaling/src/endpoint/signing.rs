//! Requests that a carrier challenges: sent again with credentials, within the bounds of [`SignIn`].

use std::sync::{Arc, Mutex, PoisonError};

use super::message::{Headers, Request, Response};
use super::{Endpoint, Flow};
use crate::digest::{SignIn, Turns, challenges_in};

/// Our account at a carrier, as its flows share it.
pub type Account = Arc<Mutex<SignIn>>;

/// A request on its way, as often as it has to be sent.
pub(super) struct Signing {
    /// As it was handed in, with the number of its last turn.
    request: Request,
    account: Option<Account>,
    turns: Turns,
}

impl Signing {
    pub(super) fn new(request: Request, flow: &Flow) -> Self {
        Self { request, account: flow.account.clone(), turns: Turns::default() }
    }

    /// What goes out now.
    pub(super) fn next(&mut self, endpoint: &Endpoint) -> Request {
        let mut request = self.request.clone();
        if let Some(account) = &self.account {
            let mut sign_in = account.lock().unwrap_or_else(PoisonError::into_inner);
            let (method, cnonce) = (request.method.name(), endpoint.token());
            for (name, value) in sign_in.credentials(method, &request.uri, &cnonce, &mut self.turns) {
                request.headers.push(name, value);
            }
        }
        request
    }

    /// Whether a response asks for credentials that we have: then the request goes out once more.
    pub(super) fn goes_on(&mut self, response: &Response) -> bool {
        let (Some(name), Some(account)) = (challenges_in(response.status), &self.account) else {
            return false;
        };
        let challenges: Vec<&str> = response.headers.all(name).collect();
        let mut sign_in = account.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(why) = sign_in.challenged(response.status, &challenges, &mut self.turns) {
            let (account, method) = (&*sign_in, self.request.method);
            tracing::warn!(?account, %method, status = response.status, "a carrier does not let us in: {why}");
            return false;
        }
        self.request.count_up();
        true
    }
}

/// The credentials a request carries: the ACK of its 2xx repeats them (RFC 3261 §13.2.2.4).
pub(super) fn credentials_of(request: &Request) -> Headers {
    let names = ["Authorization", "Proxy-Authorization"];
    let fields = names.iter().flat_map(|name| request.headers.all(name).map(move |value| (*name, value)));
    fields.fold(Headers::new(), |headers, (name, value)| headers.with(name, value))
}
