//! What was written in chats and emails. The journal's writer stores messages, in the transaction of the entry that tells of
//! them ([`crate::journal::Fact`]); everybody else reads.

use async_trait::async_trait;
use model::id::{InteractionId, TenantId};
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
}
