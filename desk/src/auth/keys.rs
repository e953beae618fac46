//! Keys of programs (API-03): who a key is, and what is made of its use.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use model::id::{Id, SessionId, UserId};
use model::people::{PhoneKind, Role, User};
use store::api_keys::ApiKey;

use super::token::{KEY_PREFIX, Secret};
use super::{Auth, Identity, TOUCH_EVERY};
use crate::refusal::Refusal;
use crate::trouble::read;

/// How long a key is good for when nothing else is said; never longer than the appliance allows.
pub const KEY_LIFETIME: Duration = Duration::from_secs(365 * 24 * 3_600);

impl Auth {
    /// Whose key this is.
    ///
    /// A right key is never kept waiting: 256 random bits cannot be guessed, and an old script with a dead key must not
    /// lock out what runs beside it on the same host. What is slowed down is the stream of wrong ones.
    pub async fn identify_key(&self, presented: &str, source: IpAddr) -> Result<(Identity, ApiKey), Refusal> {
        let now = self.sources.now();
        let found = match presented.starts_with(KEY_PREFIX) {
            true => self.store.api_keys().key_of(Secret::presented(presented).hash()).await.map_err(read)?,
            false => None,
        };
        let live = |key: &ApiKey| key.tenant == self.tenant && key.is_live(now);
        let Some(key) = found.filter(live) else {
            let (mut throttle, account) = (self.key_throttle(), source.to_string());
            if let Some(wait) = throttle.check(source, &account, now) {
                return Err(Refusal::TooManyAttempts { wait });
            }
            throttle.failed(source, &account, now);
            return Err(Refusal::NotSignedIn);
        };
        if key.used_at.is_none_or(|used| now.since(used) >= TOUCH_EVERY)
            && let Err(error) = self.store.api_keys().touch_key(key.id, now).await
        {
            // Its use is a courtesy to whoever looks at the list.
            tracing::warn!(%error, "the use of a key could not be written");
        }
        Ok((self.as_identity(&key), key))
    }

    /// A key as somebody who asks: a person without a page, a phone or a role.
    fn as_identity(&self, key: &ApiKey) -> Identity {
        let user = User {
            id: UserId::from_uuid(key.id.uuid()),
            tenant: self.tenant,
            login: key.prefix.clone(),
            name: key.name.clone(),
            email: None,
            extension: None,
            role: Role::Agent,
            group: None,
            skills: BTreeMap::new(),
            phone: PhoneKind::None,
            mobile: None,
            chats_max: None,
            disabled: false,
        };
        Identity {
            tenant: self.tenant,
            user,
            privileges: key.privileges.clone(),
            session: SessionId::from_number(0),
            csrf: String::new(),
            expires_at: key.expires_at,
        }
    }
}
