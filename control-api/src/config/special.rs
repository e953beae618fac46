//! Kinds that have more to do than to be stored: users have passwords, trunks have secrets, services may surprise.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use desk::configuration::Checked;
use desk::refusal::Refusal;
use model::people::Privilege;

use super::{IdOf, Served, expected, fingerprint, json, once, stored, with_etag};
use crate::identity::Who;
use crate::problem::ApiError;
use crate::state::ApiState;
use crate::wire::{self, Wire};

impl Served for wire::User {
    async fn make(
        self,
        state: &ApiState,
        who: &Who,
        headers: &HeaderMap,
        path: &str,
    ) -> Result<Response, ApiError> {
        who.needs(Privilege::Administer)?;
        let request = fingerprint(path, &self);
        let work = async {
            let password = self.password.clone();
            let user = stored(self, state, state.desk.sources().id())?;
            let row = state.desk.create_user(user, password.as_deref(), who.actor).await?;
            Ok((201, json(&Self::show(row.item))))
        };
        once(state, who, headers, &request, path, work).await
    }

    async fn change(
        self,
        state: &ApiState,
        who: &Who,
        headers: &HeaderMap,
        id: IdOf<Self>,
    ) -> Result<Response, ApiError> {
        who.needs(Privilege::Administer)?;
        if self.password.is_some() {
            return Err(Refusal::field("/password", "set it under /users/{id}/password").into());
        }
        let expected = expected::<Self>(state, headers, id).await?;
        let user = stored(self, state, id)?;
        let row = state.desk.update_user(user, expected, who.actor).await?;
        Ok(with_etag(StatusCode::OK, row.version, &Self::show(row.item)))
    }

    async fn take_away(
        state: &ApiState,
        who: &Who,
        headers: &HeaderMap,
        id: IdOf<Self>,
    ) -> Result<StatusCode, ApiError> {
        who.needs(Privilege::Administer)?;
        let expected = expected::<Self>(state, headers, id).await?;
        let user = state.desk.get::<model::people::User>(id).await?.item;
        state.desk.delete_user(user, expected, who.actor).await?;
        Ok(StatusCode::NO_CONTENT)
    }
}

impl Served for wire::Trunk {
    async fn make(
        self,
        state: &ApiState,
        who: &Who,
        headers: &HeaderMap,
        path: &str,
    ) -> Result<Response, ApiError> {
        who.needs(Privilege::Administer)?;
        let request = fingerprint(path, &self);
        let work = async {
            let (theirs, ours) = (self.password.clone(), self.account_password.clone());
            let trunk = stored(self, state, state.desk.sources().id())?;
            check_passwords(&trunk, theirs.as_deref(), ours.as_deref())?;
            let row = state.desk.create(trunk, who.actor).await?;
            state.desk.set_trunk_password(&row.item, theirs.as_deref(), who.actor).await?;
            state.desk.set_trunk_account(&row.item, ours.as_deref(), who.actor).await?;
            Ok((201, json(&Self::show(row.item))))
        };
        once(state, who, headers, &request, path, work).await
    }

    async fn change(
        self,
        state: &ApiState,
        who: &Who,
        headers: &HeaderMap,
        id: IdOf<Self>,
    ) -> Result<Response, ApiError> {
        who.needs(Privilege::Administer)?;
        let expected = expected::<Self>(state, headers, id).await?;
        let (theirs, ours) = (self.password.clone(), self.account_password.clone());
        let trunk = stored(self, state, id)?;
        check_passwords(&trunk, theirs.as_deref(), ours.as_deref())?;
        let row = state.desk.update(trunk, expected, who.actor).await?;
        state.desk.set_trunk_password(&row.item, theirs.as_deref(), who.actor).await?;
        state.desk.set_trunk_account(&row.item, ours.as_deref(), who.actor).await?;
        Ok(with_etag(StatusCode::OK, row.version, &Self::show(row.item)))
    }
}

/// A password without a user name would never be used: it is a mistake. Ours at a carrier is the carrier's to choose, however
/// short.
fn check_passwords(
    trunk: &model::service::Trunk,
    theirs: Option<&str>,
    ours: Option<&str>,
) -> Result<(), Refusal> {
    if theirs.is_some() && trunk.username.is_none() {
        return Err(Refusal::field("/username", "a password needs a user name"));
    }
    if theirs.is_some_and(|password| !(8..=128).contains(&password.len())) {
        return Err(Refusal::field("/password", "8 to 128 octets"));
    }
    if ours.is_some() && trunk.account.is_none() {
        return Err(Refusal::field("/account", "a password needs a user name"));
    }
    if ours.is_some_and(|password| !(1..=128).contains(&password.len())) {
        return Err(Refusal::field("/account_password", "1 to 128 octets"));
    }
    Ok(())
}

impl Served for wire::Service {
    async fn make(
        self,
        state: &ApiState,
        who: &Who,
        headers: &HeaderMap,
        path: &str,
    ) -> Result<Response, ApiError> {
        who.needs(Privilege::Administer)?;
        let request = fingerprint(path, &self);
        let work = async {
            let service = stored(self, state, state.desk.sources().id())?;
            let row = state.desk.create(service, who.actor).await?;
            Ok((201, json(&warned(state, row.item))))
        };
        once(state, who, headers, &request, path, work).await
    }

    async fn change(
        self,
        state: &ApiState,
        who: &Who,
        headers: &HeaderMap,
        id: IdOf<Self>,
    ) -> Result<Response, ApiError> {
        who.needs(Privilege::Administer)?;
        let expected = expected::<Self>(state, headers, id).await?;
        let service = stored(self, state, id)?;
        let row = state.desk.update(service, expected, who.actor).await?;
        Ok(with_etag(StatusCode::OK, row.version, &warned(state, row.item)))
    }
}

fn warned(state: &ApiState, service: model::service::Service) -> wire::Service {
    let now = state.desk.configuration();
    let warnings = service.warnings(&now);
    wire::Service { warnings, ..wire::Service::show(service).named(&now) }
}
