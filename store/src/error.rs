//! What can go wrong, by whose move is next.

use crate::item::Kind;
use crate::page::Version;

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The operator's to fix: the URL names no engine we know.
    #[error("a database URL begins with sqlite:// or postgres://")]
    UnknownScheme,
    /// The operator's to fix. The URL itself is not shown: it may hold a password.
    #[error("the database URL cannot be read")]
    BadUrl(#[source] sqlx::Error),
    /// The server is down, the file is out of reach, or the password is wrong.
    #[error("the database cannot be reached")]
    Unreachable(#[source] sqlx::Error),
    /// A newer Patchbay has been here; going back is not possible.
    #[error(
        "the database has schema {found}, this program knows up to {known}: use the newer program or restore a backup"
    )]
    NewerSchema {
        /// The highest migration in the database.
        found: i64,
        /// The highest migration in this program.
        known: i64,
    },
    /// A migration was edited after it had run.
    #[error("migration {version} in the database is not the one in this program")]
    ChangedMigration {
        /// Which one.
        version: i64,
    },
    /// Ours to fix: a migration does not run here. Nothing of it was kept.
    #[error("migration {version} failed")]
    Migration {
        /// Which one.
        version: i64,
        /// What the engine said.
        #[source]
        source: sqlx::Error,
    },
}

/// Why something could not be read, or not be written for no fault of the caller.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Try again later: the database is down, locked or full.
    #[error("the database is away")]
    Away(#[source] sqlx::Error),
    /// The caller's cursor was not made by this list.
    #[error("the cursor is not one of this list")]
    BadCursor,
    /// A stored value cannot be read back.
    #[error("{column} holds what cannot be read: {detail}")]
    Corrupt {
        /// Where.
        column: String,
        /// What is wrong with it.
        detail: String,
    },
    /// Ours to fix: the engine refused a statement.
    #[error("the database refused a statement")]
    Refused(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if is_away(&error) { Self::Away(error) } else { Self::Refused(error) }
    }
}

/// Why a row was not inserted or updated.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Another row has this value in a field that must be unique.
    #[error("another {kind} has this {field}")]
    Taken {
        /// What was written.
        kind: Kind,
        /// The field that must be unique.
        field: &'static str,
    },
    /// The row names something that does not exist in its tenant.
    #[error("there is no {kind} {id}")]
    UnknownReference {
        /// What was named.
        kind: Kind,
        /// Its id.
        id: String,
    },
    /// Somebody changed the row in between: read it again (HTTP 412).
    #[error("the row was changed in between and is at version {current}")]
    Conflict {
        /// The version in the database.
        current: Version,
    },
    /// There is no such row.
    #[error("there is no such row")]
    NotFound,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for WriteError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Something that still names what should be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referrer {
    /// What it is.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// What people call it; empty for service records.
    pub name: String,
}

/// Why a row was not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// Others still refer to it: change them first.
    #[error("still used by {}{}", names(by), if *more { " and others" } else { "" })]
    InUse {
        /// Who refers to it: the first twenty.
        by: Vec<Referrer>,
        /// Whether there are others.
        more: bool,
    },
    /// Somebody changed the row in between.
    #[error("the row was changed in between and is at version {current}")]
    Conflict {
        /// The version in the database.
        current: Version,
    },
    /// There is no such row.
    #[error("there is no such row")]
    NotFound,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for DeleteError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

fn names(by: &[Referrer]) -> String {
    by.iter()
        .map(|r| format!("{} {}", r.kind, if r.name.is_empty() { &r.id } else { &r.name }))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Whether waiting may help: the connection broke, the server is going or not yet there, the file is locked or the
/// disk is full.
pub(crate) fn is_away(error: &sqlx::Error) -> bool {
    use sqlx::Error::{Database, Io, PoolClosed, PoolTimedOut, Protocol, Tls, WorkerCrashed};
    match error {
        Io(_) | Tls(_) | Protocol(_) | PoolTimedOut | PoolClosed | WorkerCrashed => true,
        Database(e) => match e.code().as_deref() {
            // PostgreSQL (appendix A of its manual): class 08 connection, 53 resources, 57P0x shutdown, 40 rolled back
            // for reasons of concurrency, 58 system errors outside of the server, 55P03 lock not available.
            Some(code) if code.len() == 5 => {
                ["08", "40", "53", "57P", "58", "55P03", "25006"].iter().any(|class| code.starts_with(class))
            }
            // SQLite: the low byte is the primary result code. BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL, CANTOPEN.
            Some(code) => code.parse::<u32>().is_ok_and(|n| [5, 6, 7, 8, 10, 13, 14].contains(&(n & 0xff))),
            None => false,
        },
        _ => false,
    }
}
