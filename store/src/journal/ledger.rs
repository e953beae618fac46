//! What the journal asks of a database engine.

use std::sync::Arc;

use async_trait::async_trait;
use model::id::TenantId;
use model::journal::{Entry, Seq};

use crate::error::StoreError;

/// Where a tenant's journal stands, and which writer may go on from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// Place of the last entry.
    pub seq: Seq,
    /// Counts the writers.
    pub epoch: u64,
}

/// An entry with its event as JSON, made once, and the text it brings.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub entry: Arc<Entry>,
    pub payload: Arc<str>,
    /// What a message says ([`Event::Written`]): stored with the entry, and not in it.
    pub text: Option<Arc<str>>,
}

/// Why a commit did not happen, or may not have happened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommitError {
    #[error("another writer has taken the journal over")]
    Fenced,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for CommitError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// The journal's tables.
#[async_trait]
pub(crate) trait Ledger: Send + Sync {
    /// Makes this the only writer of all tenants known so far, and folds what the last one left unfolded.
    async fn take_over(&self) -> Result<Vec<(TenantId, Head)>, StoreError>;
    /// Makes this the only writer of a tenant, which may be new.
    async fn take_over_one(&self, tenant: TenantId) -> Result<Head, StoreError>;
    /// Stores lines that follow on what is stored, and with them `save` records that changed, all or nothing. `heads` holds each
    /// tenant of the lines once, with the place of its last line here. Safe to repeat. Gives how many records wait to be saved.
    async fn commit(
        &self,
        lines: &[Line],
        heads: &[(TenantId, Head)],
        save: usize,
    ) -> Result<usize, CommitError>;
    /// Saves as many records that changed; gives how many are left.
    async fn save_changed(&self, at_most: usize) -> Result<usize, StoreError>;
    /// Entries of a tenant from a place on, in order.
    async fn read_entries(&self, tenant: TenantId, from: Seq, limit: u32) -> Result<Vec<Entry>, StoreError>;
    /// Place of a tenant's last entry.
    async fn last_seq(&self, tenant: TenantId) -> Result<Seq, StoreError>;
    /// Closes all connections.
    async fn shut(&self);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;
    use model::id::{AgentId, Id};
    use model::journal::Event;
    use model::time::Timestamp;

    fn tenant() -> TenantId {
        TenantId::from_number(1)
    }

    fn line(seq: u64) -> Line {
        let event = Event::AgentLoggedOut { agent: AgentId::from_number(seq) };
        let payload = serde_json::to_string(&event).unwrap().into();
        let entry = Entry { seq: Seq(seq), tenant: tenant(), at: Timestamp::ZERO, event };
        Line { entry: entry.into(), payload, text: None }
    }

    /// The answer to a commit was lost on the way: the writer cannot know whether it happened and sends it again, by
    /// now together with what came after.
    #[tokio::test]
    async fn a_commit_that_is_sent_again_stores_each_line_once() {
        for db in [Scratch::sqlite(), Scratch::postgres()] {
            let engine = db.open().await.engine;
            let epoch = engine.take_over_one(tenant()).await.unwrap().epoch;
            let heads = |seq| [(tenant(), Head { seq: Seq(seq), epoch })];
            engine.commit(&[line(1), line(2)], &heads(2), 0).await.unwrap();
            engine.commit(&[line(1), line(2)], &heads(2), 0).await.unwrap();
            engine.commit(&[line(1), line(2), line(3)], &heads(3), 0).await.unwrap();
            let stored = engine.read_entries(tenant(), Seq(1), 10).await.unwrap();
            assert_eq!(
                stored,
                [line(1), line(2), line(3)].map(|line| Entry::clone(&line.entry)),
                "{}",
                db.url
            );

            engine.take_over_one(tenant()).await.unwrap();
            let fenced = engine.commit(&[line(4)], &heads(4), 0).await;
            assert!(matches!(fenced, Err(CommitError::Fenced)), "{fenced:?}");
            assert_eq!(engine.last_seq(tenant()).await.unwrap(), Seq(3));
        }
    }
}
