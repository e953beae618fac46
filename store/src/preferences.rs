//! What each user wants to see or not: kept on the appliance, so that it is the same in every browser.

use async_trait::async_trait;
use model::id::{TenantId, UserId};
use model::people::OwnPhone;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;

/// What one user wants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wanted {
    /// No notice is shown before a customer is called back: an accepted one is dialled at once (CB-03).
    pub no_callback_notice: bool,
    /// The phone that is used instead of the one that was set, from the next sign-in on (CONN-10).
    pub own_phone: Option<OwnPhone>,
}

/// Preferences of users.
#[async_trait]
pub trait Preferences: Send + Sync {
    /// What a user wants; of somebody who never said so, the usual.
    async fn preferences(&self, tenant: TenantId, user: UserId) -> Result<Wanted, StoreError>;
    /// Keeps what a user wants from now on.
    async fn save_preferences(
        &self,
        tenant: TenantId,
        user: UserId,
        wanted: &Wanted,
    ) -> Result<(), StoreError>;
}
