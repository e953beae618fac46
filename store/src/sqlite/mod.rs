//! SQLite: one file, the default of a single appliance.
//!
//! **WAL** lets readers go on while one connection writes. **`synchronous=FULL`** flushes the WAL at each commit, so
//! that what was acknowledged survives a power failure; `NORMAL` would lose the last commits, and the journal promises
//! them. Group commit makes the flush cheap: one for hundreds of events.
//!
//! SQLite has one writer at a time. All writing goes through one connection that tasks queue for in order of arrival;
//! without it they would meet in SQLite's busy handler, which sleeps and has no order.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Sqlite, Transaction};

use crate::StoreConfig;
use crate::error::OpenError;
use crate::journal::projection::Projection;
use crate::schema::{Migration, migrations};

#[path = "../sql/api_keys.rs"]
mod api_keys;
#[path = "../sql/audit.rs"]
mod audit;
#[path = "../sql/diversions.rs"]
mod diversions;
#[path = "../sql/generations.rs"]
mod generations;
#[path = "../sql/greetings.rs"]
mod greetings;
#[path = "../sql/idempotency.rs"]
mod idempotency;
#[path = "../sql/ledger.rs"]
mod ledger;
#[path = "../sql/lookups.rs"]
mod lookups;
#[path = "../sql/messages.rs"]
mod messages;
#[path = "../sql/migrate.rs"]
mod migrate;
#[path = "../sql/newest.rs"]
mod newest;
#[path = "../sql/preferences.rs"]
mod preferences;
#[path = "../sql/recordings.rs"]
mod recordings;
#[path = "../sql/records.rs"]
mod records;
#[path = "../sql/reports.rs"]
mod reports;
#[path = "../sql/rows.rs"]
mod rows;
#[path = "../sql/secrets.rs"]
mod secrets;
#[path = "../sql/sessions.rs"]
mod sessions;
#[path = "../sql/table.rs"]
mod table;
#[path = "../sql/tables.rs"]
mod tables;
#[path = "../sql/tenants.rs"]
mod tenants;
#[path = "../sql/traces.rs"]
mod traces;
#[path = "../sql/voicemails.rs"]
mod voicemails;

type Db = Sqlite;
type Row = sqlx::sqlite::SqliteRow;
type Conn = sqlx::SqliteConnection;
type Query<'q> = sqlx::query::Query<'q, Db, <Db as sqlx::Database>::Arguments>;

const MIGRATIONS: &[Migration] = migrations!("sqlite");

/// Where SQLite differs.
mod dialect {
    /// Takes the write lock at once: a transaction that reads first and then writes could find it taken and fail.
    pub const BEGIN: &str = "BEGIN IMMEDIATE";
    /// `BEGIN IMMEDIATE` already keeps everybody else out.
    pub const LOCK_SCHEMA: &str = "SELECT 1";
    pub const FOR_UPDATE: &str = "";
    pub const FOR_KEY_SHARE: &str = "";
    /// Without a number: SQLite looks numbered ones up one by one, which a thousand in a statement make slow.
    pub fn hole(_: usize) -> String {
        "?".into()
    }
    /// SQLite names the columns: `UNIQUE constraint failed: users.tenant, users.login`.
    pub fn is_taken(error: &dyn sqlx::error::DatabaseError, table: &str, column: &str) -> bool {
        let wanted = format!("{table}.{column}");
        error.is_unique_violation() && error.message().split([' ', ',']).any(|word| word == wanted)
    }
}

/// A WAL that grew in a burst is cut back to this at the next checkpoint.
const WAL_BYTES_KEPT: &str = "67108864";

/// An open SQLite database.
pub(crate) struct Engine {
    read: SqlitePool,
    write: SqlitePool,
    projection: tokio::sync::Mutex<Projection>,
}

impl Engine {
    pub async fn open(url: &str, config: &StoreConfig) -> Result<Self, OpenError> {
        if url.contains(":memory:") || url.contains("mode=memory") {
            let why = "every connection would have a database of its own in memory: name a file";
            return Err(OpenError::BadUrl(sqlx::Error::Configuration(why.into())));
        }
        let options = SqliteConnectOptions::from_str(url).map_err(OpenError::BadUrl)?;
        create_private(options.get_filename()).map_err(|error| OpenError::Unreachable(error.into()))?;
        let options = options
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(config.patience)
            .pragma("journal_size_limit", WAL_BYTES_KEPT);
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(config.patience)
                .idle_timeout(Duration::from_secs(600))
        };
        let write =
            first_connection(&pool(1), &options, config.patience).await.map_err(OpenError::Unreachable)?;
        {
            let mut conn = write.acquire().await.map_err(OpenError::Unreachable)?;
            migrate::migrate(&mut conn).await?;
        }
        let read =
            pool(config.connections_max.clamp(2, 100)).connect_lazy_with(options.pragma("query_only", "ON"));
        Ok(Self { read, write, projection: tokio::sync::Mutex::default() })
    }

    fn reading(&self) -> &SqlitePool {
        &self.read
    }
    fn writing(&self) -> &SqlitePool {
        &self.write
    }
    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.write.begin_with(dialect::BEGIN).await
    }
    /// The journal queues for the one writing connection like everybody else.
    async fn journal_connection(&self) -> Result<PoolConnection<Sqlite>, sqlx::Error> {
        self.write.acquire().await
    }
    fn keep_journal_connection(&self, conn: PoolConnection<Sqlite>) {
        drop(conn);
    }
    async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}

impl crate::Engine for Engine {}

/// Opens the writing pool. Going over to the WAL does not wait by the busy time-out, so a start beside another start is
/// tried again here.
async fn first_connection(
    pool: &SqlitePoolOptions,
    options: &SqliteConnectOptions,
    patience: Duration,
) -> Result<SqlitePool, sqlx::Error> {
    const PAUSE: Duration = Duration::from_millis(50);
    const SQLITE_BUSY: &str = "5";
    let mut waited = Duration::ZERO;
    loop {
        match pool.clone().connect_with(options.clone()).await {
            Err(sqlx::Error::Database(error))
                if error.code().as_deref() == Some(SQLITE_BUSY) && waited < patience =>
            {
                tokio::time::sleep(PAUSE).await;
                waited += PAUSE;
            }
            end => return end,
        }
    }
}

/// Creates the file readable by its owner alone: it holds password hashes. SQLite gives its WAL the same mode.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
