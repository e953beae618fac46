//! Reading the journal as it grows: what was, then what comes, without a gap and without a repetition.

use std::collections::VecDeque;
use std::sync::Arc;

use model::id::TenantId;
use model::journal::{Entry, Seq};
use store::Journal;
use tokio::sync::broadcast::{self, error::RecvError};

use crate::refusal::Refusal;
use crate::start::DeskHandle;
use crate::trouble::read;

/// Entries read from the database at once.
const READ: u32 = 500;

/// A place in a tenant's journal that moves forward.
pub struct JournalReader {
    tenant: TenantId,
    journal: Journal,
    live: broadcast::Receiver<Arc<Entry>>,
    /// The last entry that was given.
    seen: u64,
    /// Entries read from the database, to be given before anything live.
    backlog: VecDeque<Arc<Entry>>,
    /// Whether there may be more in the database.
    behind: bool,
}

impl DeskHandle {
    /// The journal after an entry; without one, from now on.
    pub async fn read_journal(&self, after: Option<u64>) -> Result<JournalReader, Refusal> {
        // Subscribed first: what comes between this and the reading is in both, and given once.
        let (journal, tenant) = (self.journal().clone(), self.tenant());
        let live = journal.subscribe();
        let seen = match after {
            Some(after) => after,
            None => journal.last_seq(tenant).await.map_err(read)?.0,
        };
        Ok(JournalReader { tenant, journal, live, seen, backlog: VecDeque::new(), behind: after.is_some() })
    }
}

impl JournalReader {
    /// The next entry, when there is one; `None` when the journal cannot be read any more.
    pub async fn next(&mut self) -> Option<Arc<Entry>> {
        loop {
            if let Some(entry) = self.backlog.pop_front() {
                self.seen = entry.seq.0;
                return Some(entry);
            }
            if self.behind {
                let from = Seq(self.seen.saturating_add(1));
                match self.journal.read(self.tenant, from, READ).await {
                    Ok(entries) => {
                        self.behind = !entries.is_empty();
                        self.backlog.extend(entries.into_iter().map(Arc::new));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "the journal cannot be read for a subscriber");
                        return None;
                    }
                }
                continue;
            }
            match self.live.recv().await {
                Ok(entry) if entry.tenant != self.tenant || entry.seq.0 <= self.seen => {}
                Ok(entry) if entry.seq.0 == self.seen.saturating_add(1) => self.backlog.push_back(entry),
                // A gap: what is missing is in the database.
                Ok(_) | Err(RecvError::Lagged(_)) => self.behind = true,
                Err(RecvError::Closed) => return None,
            }
        }
    }
}
