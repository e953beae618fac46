//! What people say to callers who are to leave them a message (VM-03).

use async_trait::async_trait;
use model::greeting::Greeting;
use model::id::{GreetingId, TenantId, UserId};

use crate::error::StoreError;

/// Personal greetings, the sounds apart: 16-bit mono WAV.
#[async_trait]
pub trait Greetings: Send + Sync {
    /// Those of everybody of a tenant, the oldest first.
    async fn greetings(&self, tenant: TenantId) -> Result<Vec<Greeting>, StoreError>;
    /// The sound of one.
    async fn greeting_audio(&self, tenant: TenantId, id: GreetingId) -> Result<Option<Vec<u8>>, StoreError>;
    /// Keeps a new one, or another sound of one that is there: its name and whether it is chosen stay then.
    async fn save_greeting(
        &self,
        tenant: TenantId,
        greeting: &Greeting,
        audio: &[u8],
    ) -> Result<(), StoreError>;
    /// Another name.
    async fn rename_greeting(&self, tenant: TenantId, id: GreetingId, name: &str) -> Result<(), StoreError>;
    /// Which one of somebody's callers hear; `None`: that of the house.
    async fn choose_greeting(
        &self,
        tenant: TenantId,
        owner: UserId,
        id: Option<GreetingId>,
    ) -> Result<(), StoreError>;
    /// Forgets one for ever.
    async fn delete_greeting(&self, tenant: TenantId, id: GreetingId) -> Result<(), StoreError>;
}
