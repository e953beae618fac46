//! Making and revoking keys of programs (API-03).

use std::time::Duration;

use model::id::KeyId;
use model::people::{Privilege, Withheld};
use serde_json::json;
pub use store::api_keys::ApiKey;

use crate::audit::Actor;
use crate::auth::Identity;
use crate::auth::keys::KEY_LIFETIME;
use crate::auth::token::Secret;
use crate::page::{Cursor, Page};
use crate::refusal::Refusal;
use crate::start::DeskHandle;
use crate::trouble::{read, write};

/// Longest name of a key.
const NAME_MAX: usize = 64;

/// What a new key is to be.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub privileges: Vec<Privilege>,
    /// How long it is good for; a year, or as long as the appliance allows, when nothing is said.
    pub lifetime: Option<Duration>,
}

impl DeskHandle {
    /// Makes a key. Its secret is told this once and kept as a hash. Nobody gives a key more than they may themselves.
    pub async fn create_key(
        &self,
        who: &Identity,
        new: NewKey,
        actor: Actor,
    ) -> Result<(ApiKey, Secret), Refusal> {
        let name = new.name.trim();
        if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
            return Err(Refusal::field("/name", format!("1 to {NAME_MAX} characters")));
        }
        let mut privileges = new.privileges;
        privileges.sort_unstable();
        privileges.dedup();
        if privileges.is_empty() {
            return Err(Refusal::field("/privileges", "at least one"));
        }
        if privileges.iter().any(|privilege| Withheld::POSSIBLE.contains(privilege)) {
            return Err(Refusal::field("/privileges", "a key is offered nothing"));
        }
        if let Some(needs) = privileges.iter().copied().find(|privilege| !who.may(*privilege)) {
            return Err(Refusal::Forbidden { needs });
        }
        let most = self.0.config.auth.key_lifetime_max;
        let lifetime = new.lifetime.unwrap_or(KEY_LIFETIME.min(most));
        if lifetime.is_zero() || lifetime > most {
            let days = most.as_secs() / 86_400;
            return Err(Refusal::field("/valid_days", format!("1 to {days}")));
        }
        let (now, secret) = (self.now(), Secret::api_key(self.sources()));
        let key = ApiKey {
            id: self.sources().id(),
            tenant: self.tenant(),
            name: name.to_owned(),
            prefix: secret.prefix().to_owned(),
            privileges,
            created_at: now,
            created_by: actor.user,
            expires_at: now + lifetime,
            used_at: None,
            revoked_at: None,
        };
        self.store().api_keys().insert_key(&key, secret.hash()).await.map_err(write)?;
        let detail = json!({ "name": key.name, "prefix": key.prefix, "privileges": key.privileges });
        self.audit().record(actor, "key.create", key.id, detail).await?;
        Ok((key, secret))
    }

    /// A page of keys, newest first.
    pub async fn keys(&self, after: Option<&Cursor>, limit: u32) -> Result<Page<ApiKey>, Refusal> {
        self.store().api_keys().keys(self.tenant(), after, limit).await.map_err(read)
    }

    /// Ends a key at once.
    pub async fn revoke_key(&self, key: KeyId, actor: Actor) -> Result<(), Refusal> {
        let revoked =
            self.store().api_keys().revoke_key(self.tenant(), key, self.now()).await.map_err(read)?;
        let revoked = revoked.ok_or(Refusal::missing("key"))?;
        let detail = json!({ "name": revoked.name, "prefix": revoked.prefix });
        self.audit().record(actor, "key.revoke", key, detail).await
    }

    /// The longest life of a key, in days.
    pub fn key_days_max(&self) -> u64 {
        self.0.config.auth.key_lifetime_max.as_secs() / 86_400
    }
}
