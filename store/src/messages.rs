//! What was written in chats and emails. The journal's writer stores messages, in the transaction of the entry that tells of
//! them ([`crate::journal::Fact`]); everybody else reads. Drafts
//! of answers are kept beside them.

use async_trait::async_trait;
use model::id::{InteractionId, TenantId};
use model::time::Timestamp;
use model::written::Message;

use crate::error::StoreError;

/// The messages of written contacts.
#[async_trait]
pub trait Messages: Send + Sync {
    /// Messages of a contact after a number, in order; at most `limit`, which is 1 to 500.
    async fn messages(
        &self,
        tenant: TenantId,
        interaction: InteractionId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError>;
    /// What is written of an answer and not sent; empty when there is nothing.
    async fn draft(&self, tenant: TenantId, interaction: InteractionId) -> Result<String, StoreError>;
    /// Keeps it, in place of what was kept before, until an agent's message is stored; empty text is nothing.
    async fn save_draft(
        &self,
        tenant: TenantId,
        interaction: InteractionId,
        text: &str,
        at: Timestamp,
    ) -> Result<(), StoreError>;
}
