//! Changing the configuration: check, store, audit, and give it to floor and signalling, in this order.

use model::agent::Reason;
use model::block::Block;
use model::flow::Flow;
use model::people::{Group, PhoneKind, User};
use model::service::{Disposition, Number, Service, Skill, Trunk};
use serde_json::json;
use store::catalogue::Catalogue;
use store::secrets::DigestSecret;
use store::{Item, Store};

use super::snapshot::Configuration;
use super::validate::Checked;
use crate::audit::Actor;
use crate::auth::check_password;
use crate::auth::token::Secret;
use crate::page::{Cursor, Page, Version, Versioned};
use crate::refusal::Refusal;
use crate::start::{DeskConfig, DeskHandle};
use crate::trouble::{delete, read, write};

/// A kind of object an administrator sets up.
pub trait Configured: Item + Checked {
    /// Its name in the audit log.
    const NAME: &'static str;
    /// Where it is stored.
    fn rows(store: &Store) -> &dyn Catalogue<Self>;
    /// Puts it into a configuration, or takes it out; nothing for what the floor does not decide by.
    fn place(_config: &mut Configuration, _id: Self::Id, _item: Option<Self>) {}
}

macro_rules! configured {
    ($($item:ident, $name:literal, $rows:ident $(, $known:ident)?;)*) => {$(
        impl Configured for $item {
            const NAME: &'static str = $name;
            fn rows(store: &Store) -> &dyn Catalogue<Self> { store.$rows() }
            $(fn place(config: &mut Configuration, id: Self::Id, item: Option<Self>) {
                match item {
                    Some(item) => drop(config.$known.insert(id, item)),
                    None => drop(config.$known.remove(&id)),
                }
            })?
        }
    )*};
}
configured! {
    User, "user", users, users;
    Group, "group", groups, groups;
    Skill, "skill", skills;
    Reason, "reason", reasons, reasons;
    Service, "service", services, services;
    Disposition, "disposition", dispositions;
    Flow, "flow", flows, flows;
    Number, "number", numbers;
    Trunk, "trunk", trunks;
    Block, "block", blocks;
}

/// What a SIP phone or trunk signs in with: shown once.
#[derive(Debug)]
pub struct NewSecret {
    /// Digest user name.
    pub username: String,
    /// Digest password.
    pub password: Secret,
}

impl DeskHandle {
    /// A page of objects.
    pub async fn list<T: Configured>(
        &self,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<Versioned<T>>, Refusal> {
        T::rows(&self.0.store).list(self.tenant(), after, limit).await.map_err(read)
    }

    /// One object.
    pub async fn get<T: Configured>(&self, id: T::Id) -> Result<Versioned<T>, Refusal> {
        let row = T::rows(&self.0.store).get(self.tenant(), id).await.map_err(read)?;
        row.ok_or(Refusal::missing(T::NAME))
    }

    /// A new object. What it may surprise with is told by [`Checked::warnings`].
    pub async fn create<T: Configured>(&self, item: T, actor: Actor) -> Result<Versioned<T>, Refusal> {
        self.check(&item)?;
        let row = T::rows(&self.0.store).insert(&item).await.map_err(write)?;
        self.changed::<T>("create", item.id(), item.label(), actor).await?;
        Ok(row)
    }

    /// Replaces an object that is still at `expected`.
    pub async fn update<T: Configured>(
        &self,
        item: T,
        expected: Version,
        actor: Actor,
    ) -> Result<Versioned<T>, Refusal> {
        self.check(&item)?;
        let row = T::rows(&self.0.store).update(&item, expected).await.map_err(write)?;
        self.changed::<T>("update", item.id(), item.label(), actor).await?;
        Ok(row)
    }

    /// Removes an object that is still at `expected`.
    pub async fn delete<T: Configured>(
        &self,
        id: T::Id,
        expected: Version,
        actor: Actor,
    ) -> Result<(), Refusal> {
        T::rows(&self.0.store).delete(self.tenant(), id, Some(expected)).await.map_err(delete)?;
        self.changed::<T>("delete", id, "", actor).await
    }

    /// Removes a user, but never the last administrator.
    pub async fn delete_user(&self, user: User, expected: Version, actor: Actor) -> Result<(), Refusal> {
        self.check(&User { disabled: true, ..user.clone() })?;
        self.0.auth.close_all(user.id).await?;
        self.delete::<User>(user.id, expected, actor).await
    }

    /// A new user with a first password.
    pub async fn create_user(
        &self,
        user: User,
        password: Option<&str>,
        actor: Actor,
    ) -> Result<Versioned<User>, Refusal> {
        password.map_or(Ok(()), check_password)?;
        let row = self.create(user, actor).await?;
        if let Some(password) = password {
            self.0.auth.set_password(row.item.id, password).await?;
        }
        Ok(row)
    }

    /// Replaces a user; whoever is disabled is signed out everywhere.
    pub async fn update_user(
        &self,
        user: User,
        expected: Version,
        actor: Actor,
    ) -> Result<Versioned<User>, Refusal> {
        let row = self.update(user, expected, actor).await?;
        if row.item.disabled {
            self.0.auth.close_all(row.item.id).await?;
        }
        Ok(row)
    }

    /// Gives a user a new password; other sign-ins of the user end.
    pub async fn set_password(
        &self,
        user: model::id::UserId,
        password: &str,
        actor: Actor,
    ) -> Result<(), Refusal> {
        let row = self.get::<User>(user).await?;
        self.0.auth.set_password(row.item.id, password).await?;
        if actor.user != Some(user) {
            self.0.auth.close_all(user).await?;
        }
        self.audit().record(actor, "user.password", user, json!({})).await
    }

    /// Makes a strong secret for a user's SIP phone; it is told once and kept as digests only (SAFE-01).
    pub async fn new_phone_secret(
        &self,
        user: model::id::UserId,
        actor: Actor,
    ) -> Result<NewSecret, Refusal> {
        let row = self.get::<User>(user).await?.item;
        let Some(username) = row.extension.filter(|_| row.phone == PhoneKind::Sip) else {
            return Err(Refusal::NotNow { why: "The user's phone is not a SIP phone with an extension." });
        };
        let password = Secret::phone(&self.0.sources);
        let digest = DigestSecret::derive(&username, &self.0.config.realm, password.reveal());
        self.0.store.secrets().set_phone_secret(user, Some(&digest)).await.map_err(write)?;
        self.audit().record(actor, "user.phone_secret", user, json!({})).await?;
        self.reload().await?;
        Ok(NewSecret { username, password })
    }

    /// Sets what a trunk signs in with; without a user name there is nothing to sign in with.
    pub async fn set_trunk_password(
        &self,
        trunk: &Trunk,
        password: Option<&str>,
        actor: Actor,
    ) -> Result<(), Refusal> {
        let secrets = self.0.store.secrets();
        match (&trunk.username, password) {
            (None, _) => secrets.set_trunk_secret(trunk.id, None).await.map_err(write)?,
            (Some(_), None) => return Ok(()),
            (Some(username), Some(password)) => {
                if password.len() < 8 || password.len() > 128 {
                    return Err(Refusal::field("/password", "8 to 128 octets"));
                }
                let digest = DigestSecret::derive(username, &self.0.config.realm, password);
                secrets.set_trunk_secret(trunk.id, Some(&digest)).await.map_err(write)?;
            }
        }
        self.audit().record(actor, "trunk.password", trunk.id, json!({})).await?;
        self.reload().await
    }

    /// Sets what we sign in with at a trunk. Without an account there is nothing to sign in with; without a password, the one
    /// that it had stays.
    pub async fn set_trunk_account(
        &self,
        trunk: &Trunk,
        password: Option<&str>,
        actor: Actor,
    ) -> Result<(), Refusal> {
        if trunk.account.is_some() && password.is_none() {
            return Ok(());
        }
        let password = password.filter(|_| trunk.account.is_some());
        self.0.store.secrets().set_trunk_password(trunk.id, password).await.map_err(write)?;
        if password.is_some() {
            self.audit().record(actor, "trunk.account_password", trunk.id, json!({})).await?;
        }
        self.reload().await
    }

    pub(super) fn check(&self, item: &impl Checked) -> Result<(), Refusal> {
        let errors = item.errors(&self.configuration());
        if errors.is_empty() { Ok(()) } else { Err(Refusal::Invalid { errors }) }
    }

    async fn changed<T: Configured>(
        &self,
        what: &str,
        id: T::Id,
        label: &str,
        actor: Actor,
    ) -> Result<(), Refusal> {
        let action = format!("{}.{what}", T::NAME);
        self.audit().record(actor, &action, id, json!({ "name": label })).await?;
        self.reload().await
    }

    /// Reads the configuration anew and gives it to floor and signalling. Also for whoever changed the store directly.
    pub async fn reload(&self) -> Result<(), Refusal> {
        let _turn = self.0.reconfiguring.lock().await;
        let configuration = Configuration::load(&self.0.store, self.tenant()).await.map_err(read)?;
        let configuration = configuration.with_flows(
            self.0.config.sounds.now(),
            self.0.config.language,
            self.0.systems.askable(),
        );
        let configuration = configuration.with_hours(self.now());
        let DeskConfig { realm, phone_srtp, .. } = &self.0.config;
        let calls = configuration.calls(&self.0.store, realm, *phone_srtp).await.map_err(read)?;
        self.configure(configuration.into(), calls).await;
        Ok(())
    }
}
