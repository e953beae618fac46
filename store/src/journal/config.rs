//! Bounds and times of the journal, and how it is doing.

use std::path::PathBuf;
use std::time::Duration;

/// Bounds and times of the journal.
#[derive(Clone, Debug)]
pub struct JournalConfig {
    /// The local file that keeps events while the database is away. Its folder must exist.
    pub spool: PathBuf,
    /// Events accepted and not yet in the database, 1 to 10,000,000. Default 100,000: a quarter of an hour of outage at
    /// a hundred events a second, some 100 MB.
    pub outstanding_max: usize,
    /// Events in one transaction, default 2,048: the gain of larger groups is gone there, the wait is not.
    pub batch_max: usize,
    /// A record that changed waits for so long for what else happens to it before it is saved. Default 500 ms.
    pub save_after: Duration,
    /// Standing still for longer than this, events also go to the spool file. Default 1 s.
    pub spool_after: Duration,
    /// Size the spool file may reach. Default 256 MiB.
    pub spool_bytes_max: u64,
    /// A commit that takes longer is given up and tried again on a new connection. Default 10 s.
    pub commit_timeout: Duration,
    /// Published entries a slow subscriber may be behind. Default 16,384.
    pub broadcast_capacity: usize,
}

impl JournalConfig {
    /// The defaults with the spool file at `spool`.
    pub fn at(spool: impl Into<PathBuf>) -> Self {
        Self {
            spool: spool.into(),
            outstanding_max: 100_000,
            batch_max: 2_048,
            save_after: Duration::from_millis(500),
            spool_after: Duration::from_secs(1),
            spool_bytes_max: 256 * 1024 * 1024,
            commit_timeout: Duration::from_secs(10),
            broadcast_capacity: 16_384,
        }
    }
}

/// How the journal is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// What the writer can do.
    pub state: HealthState,
    /// Events durable in the spool file and not yet in the database.
    pub spooled: usize,
    /// What the database said last, while it is away.
    pub error: Option<String>,
    /// A spool file that contradicts the database and was set aside for a person to look at.
    pub set_aside: Option<PathBuf>,
}

/// What the journal's writer can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HealthState {
    /// Commits arrive.
    #[default]
    Up,
    /// The database does not take commits; events wait in memory and, after a second, in the spool file.
    Away,
    /// The database is away and the spool file cannot be written either: receipts wait.
    Stuck,
    /// Another writer has taken over; this one is finished.
    Fenced,
}
