//! Keys that programs sign in with (API-03). A program holds 256 random bits; the database holds their SHA-256, so that a
//! stolen backup opens nothing. A key that was revoked stays listed: the audit log names it.

use async_trait::async_trait;
use model::id::{KeyId, TenantId, UserId};
use model::people::Privilege;
use model::time::Timestamp;

use crate::error::{StoreError, WriteError};
use crate::page::{Cursor, Page};

/// A key, without the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id, as the audit log names it.
    pub id: KeyId,
    /// Whose key it is.
    pub tenant: TenantId,
    /// What it is for, in people's words.
    pub name: String,
    /// The first characters of the secret: what people recognise it by.
    pub prefix: String,
    /// What it may do.
    pub privileges: Vec<Privilege>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom; `None`: the operator of the appliance.
    pub created_by: Option<UserId>,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When it was used, to a minute.
    pub used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl ApiKey {
    /// Whether it opens anything.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

/// Keys of programs.
#[async_trait]
pub trait ApiKeys: Send + Sync {
    /// A new key, under the SHA-256 of its secret.
    async fn insert_key(&self, key: &ApiKey, hash: [u8; 32]) -> Result<(), WriteError>;
    /// The key of a secret, live or not.
    async fn key_of(&self, hash: [u8; 32]) -> Result<Option<ApiKey>, StoreError>;
    /// A page of a tenant's keys, newest first, revoked ones included.
    async fn keys(
        &self,
        tenant: TenantId,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<ApiKey>, StoreError>;
    /// Notes that it was used.
    async fn touch_key(&self, id: KeyId, now: Timestamp) -> Result<(), StoreError>;
    /// Ends it at once; gives it back as it is then, or nothing when the tenant has no such key. A key that was revoked
    /// stays as it was.
    async fn revoke_key(
        &self,
        tenant: TenantId,
        id: KeyId,
        now: Timestamp,
    ) -> Result<Option<ApiKey>, StoreError>;
}
