//! What the journal asks of a database engine, and the cache of records its projector folds into.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use model::id::{InteractionId, TenantId};
use model::interaction::ServiceRecord;
use model::journal::{Entry, Event, Seq};

use crate::error::StoreError;
use crate::records::fold_record;

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
    /// Makes this the only writer of all tenants known so far.
    async fn take_over(&self) -> Result<Vec<(TenantId, Head)>, StoreError>;
    /// Makes this the only writer of a tenant, which may be new.
    async fn take_over_one(&self, tenant: TenantId) -> Result<Head, StoreError>;
    /// Stores lines that follow on what is stored, and the records they change, all or nothing. `heads` holds each
    /// tenant of the lines once, with the place of its last line here. Safe to repeat.
    async fn commit(&self, lines: &[Line], heads: &[(TenantId, Head)]) -> Result<(), CommitError>;
    /// Entries of a tenant from a place on, in order.
    async fn read_entries(&self, tenant: TenantId, from: Seq, limit: u32) -> Result<Vec<Entry>, StoreError>;
    /// Place of a tenant's last entry.
    async fn last_seq(&self, tenant: TenantId) -> Result<Seq, StoreError>;
    /// Closes all connections.
    async fn shut(&self);
}

/// Records of interactions that go on, so that the projector seldom reads what it wrote a moment ago.
#[derive(Debug, Default)]
pub(crate) struct Projection {
    known: HashMap<InteractionId, ServiceRecord>,
}

/// Records kept at most, some 10 MB. When it is reached all are forgotten and read again as needed.
const KNOWN_MAX: usize = 20_000;

impl Projection {
    /// Begins to fold entries; nothing is kept until [`Projection::keep`], so a failed commit leaves no trace.
    pub fn begin<'a>(&self, entries: impl Iterator<Item = &'a Entry>) -> Changes {
        let mut records = BTreeMap::new();
        for entry in entries {
            let Some(id) = entry.event.interaction() else { continue };
            records.entry(id).or_insert_with(|| match (self.known.get(&id), &entry.event) {
                (Some(record), _) => Known::Loaded(Some(Box::new(record.clone()))),
                (None, Event::Arrived { .. }) => Known::Loaded(None),
                (None, _) => Known::NotYet,
            });
        }
        Changes { records }
    }

    /// The commit happened: keeps what goes on, forgets what is over.
    pub fn keep(&mut self, changed: Vec<ServiceRecord>) {
        if self.known.len() + changed.len() > KNOWN_MAX {
            self.known.clear();
        }
        for record in changed {
            let over =
                record.ended_at.is_some() && (record.completed_at.is_some() || record.answered_at.is_none());
            if over {
                self.known.remove(&record.interaction);
            } else {
                self.known.insert(record.interaction, record);
            }
        }
    }
}

/// The records that a group of entries speaks of.
pub(crate) struct Changes {
    records: BTreeMap<InteractionId, Known>,
}

enum Known {
    NotYet,
    Loaded(Option<Box<ServiceRecord>>),
}

impl Changes {
    /// Interactions whose record has to be read first.
    pub fn unknown(&self) -> Vec<InteractionId> {
        self.records.iter().filter(|(_, known)| matches!(known, Known::NotYet)).map(|(id, _)| *id).collect()
    }
    /// A record was read; `None`: there is none.
    pub fn know(&mut self, id: InteractionId, record: Option<ServiceRecord>) {
        self.records.insert(id, Known::Loaded(record.map(Box::new)));
    }
    /// Folds the entries and gives the records that changed.
    pub fn fold<'a>(self, entries: impl Iterator<Item = &'a Entry>) -> Vec<ServiceRecord> {
        let mut records: BTreeMap<InteractionId, (Option<ServiceRecord>, bool)> = self
            .records
            .into_iter()
            .map(|(id, known)| match known {
                Known::Loaded(record) => (id, (record.map(|record| *record), false)),
                Known::NotYet => (id, (None, false)),
            })
            .collect();
        for entry in entries {
            if let Some((record, changed)) = entry.event.interaction().and_then(|id| records.get_mut(&id)) {
                *changed |= fold_record(record, entry);
            }
        }
        records.into_values().filter(|(_, changed)| *changed).filter_map(|(record, _)| record).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;
    use model::id::{AgentId, Id};
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
            engine.commit(&[line(1), line(2)], &heads(2)).await.unwrap();
            engine.commit(&[line(1), line(2)], &heads(2)).await.unwrap();
            engine.commit(&[line(1), line(2), line(3)], &heads(3)).await.unwrap();
            let stored = engine.read_entries(tenant(), Seq(1), 10).await.unwrap();
            assert_eq!(
                stored,
                [line(1), line(2), line(3)].map(|line| Entry::clone(&line.entry)),
                "{}",
                db.url
            );

            engine.take_over_one(tenant()).await.unwrap();
            let fenced = engine.commit(&[line(4)], &heads(4)).await;
            assert!(matches!(fenced, Err(CommitError::Fenced)), "{fenced:?}");
            assert_eq!(engine.last_seq(tenant()).await.unwrap(), Seq(3));
        }
    }
}
