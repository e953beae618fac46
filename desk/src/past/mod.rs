//! The past of a floor, read off the journal: explained (ROUTE-09), decided again and tried under other rules (ROUTE-10).
//!
//! The journal says what happened, the store what the floor decided by ([`store::generations`]); both are only read, so all
//! of this may be done while an appliance runs.

mod explain;
pub mod explanation;
pub mod twin;
pub mod verify;

use model::id::TenantId;
use model::journal::{Entry, Event, Seq};
use model::time::Timestamp;
use router::{Floor, FloorConfig};
use store::journal::READ_MAX;
use store::{Store, StoreError};

use crate::configuration::Configuration;

pub use explain::When;

/// Entries folded before the moment that is asked for, and at a start: days of a busy floor. What agents did before has been done again
/// since; calls that are older have a record, and end by that.
pub const FOLDED_MAX: u64 = 100_000;

/// Why the past cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored configuration cannot be used by this floor.
    #[error("a configuration of the past cannot be used")]
    Config(#[from] router::ConfigError),
    /// A stored configuration cannot be read by this program.
    #[error("generation {generation} of the configuration cannot be read")]
    Unreadable {
        /// Which.
        generation: u64,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// Stores what the floor decides by, and gives its number; 0 when that fails, and then the past from here on cannot be decided
/// again, while calls go on.
pub(crate) async fn keep(
    store: &Store,
    tenant: TenantId,
    configuration: &Configuration,
    now: Timestamp,
) -> u64 {
    let kept = match serde_json::to_string(&configuration.floor()) {
        Ok(text) => store.generations().keep_generation(tenant, &text, now).await.map_err(|e| e.to_string()),
        Err(error) => Err(error.to_string()),
    };
    kept.unwrap_or_else(|error| {
        tracing::error!(
            error,
            "what the floor decides by could not be stored: it cannot be replayed from here on"
        );
        0
    })
}

/// A tenant's journal and configurations.
#[derive(Clone)]
pub struct Past {
    store: Store,
    tenant: TenantId,
}

impl Past {
    /// The past of a tenant.
    pub fn of(store: &Store, tenant: TenantId) -> Self {
        Self { store: store.clone(), tenant }
    }

    /// Entries from a place on, a page of them.
    pub async fn read(&self, from: Seq) -> Result<Vec<Entry>, PastError> {
        Ok(self.store.read_journal(self.tenant, from, READ_MAX).await?)
    }

    /// The place of the last entry.
    pub async fn end(&self) -> Result<Seq, PastError> {
        Ok(self.store.journal_end(self.tenant).await?)
    }

    /// The place of the first entry that is not before a moment; one after the last when there is none.
    pub async fn seq_at(&self, at: Timestamp) -> Result<Seq, PastError> {
        let (mut low, mut high) = (1, self.end().await?.0 + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            let found = self.store.read_journal(self.tenant, Seq(middle), 1).await?;
            match found.first() {
                Some(entry) if entry.at < at => low = entry.seq.0 + 1,
                _ => high = middle,
            }
        }
        Ok(Seq(low))
    }

    /// What the floor decided by, by its number; `None` when it is forgotten or was never stored.
    pub async fn generation(&self, number: u64) -> Result<Option<FloorConfig>, PastError> {
        let kept = self.store.generations().generation(self.tenant, number).await?;
        kept.map(|kept| read(kept.number, &kept.payload)).transpose()
    }

    /// What the floor decided by at a moment; before the oldest that is known, that one.
    pub async fn config_at(&self, at: Timestamp) -> Result<Option<FloorConfig>, PastError> {
        let kept = self.store.generations().generation_at(self.tenant, at).await?;
        kept.map(|kept| read(kept.number, &kept.payload)).transpose()
    }

    /// The floor as it stood just before an entry was written, before anything was decided there.
    pub async fn floor_before(&self, seq: Seq, now: &Configuration) -> Result<Floor, PastError> {
        let mut next = Seq(seq.0.saturating_sub(FOLDED_MAX).max(1));
        let mut floor: Option<Floor> = None;
        while next < seq {
            let page = self.read(next).await?;
            let Some(last) = page.last() else { break };
            next = Seq(last.seq.0 + 1);
            for entry in page.iter().take_while(|entry| entry.seq < seq) {
                let floor = match &mut floor {
                    Some(floor) => floor,
                    None => {
                        let config = self.config_at(entry.at).await?;
                        floor.insert(Floor::new(config.unwrap_or_else(|| now.floor()))?)
                    }
                };
                match entry.event {
                    Event::Configured { generation, .. } => {
                        if let Some(config) = self.generation(generation).await? {
                            floor.fold_configuration(config, entry.at)?;
                        }
                    }
                    _ => floor.fold(entry),
                }
            }
        }
        floor.map_or_else(|| Ok(Floor::new(now.floor())?), Ok)
    }
}

fn read(generation: u64, payload: &str) -> Result<FloorConfig, PastError> {
    serde_json::from_str(payload).map_err(|source| PastError::Unreadable { generation, source })
}
