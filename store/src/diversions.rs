//! What becomes of calls to extensions that their owners do not take (VM-01).

use std::collections::BTreeMap;

use async_trait::async_trait;
use model::diversion::Diversion;
use model::id::{TenantId, UserId};

use crate::error::StoreError;

/// Diversions of users.
#[async_trait]
pub trait Diversions: Send + Sync {
    /// Those of everybody of a tenant who ever set any.
    async fn diversions(&self, tenant: TenantId) -> Result<BTreeMap<UserId, Diversion>, StoreError>;
    /// Keeps what a user has set from now on.
    async fn save_diversion(
        &self,
        tenant: TenantId,
        user: UserId,
        diversion: &Diversion,
    ) -> Result<(), StoreError>;
}
