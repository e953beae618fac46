//! PostgreSQL: for appliances that share their records, or whose operator already runs one.
//!
//! The journal has a connection of its own, so that it never waits for the pool, and so that a hung connection can be
//! thrown away: its place is free at once, and the row lock on `journal_heads` orders the old commit before the new.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, Postgres, Transaction};

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

type Db = Postgres;
type Row = sqlx::postgres::PgRow;
type Conn = sqlx::PgConnection;
type Query<'q> = sqlx::query::Query<'q, Db, <Db as sqlx::Database>::Arguments>;

const MIGRATIONS: &[Migration] = migrations!("postgres");

/// Where PostgreSQL differs.
mod dialect {
    pub const BEGIN: &str = "BEGIN";
    /// The number is `patchbay` in ASCII. Given back when the transaction ends.
    pub const LOCK_SCHEMA: &str = "SELECT pg_advisory_xact_lock(8097881575290724729)";
    pub const FOR_UPDATE: &str = " FOR UPDATE";
    /// Lets others refer to the row too, but not delete it.
    pub const FOR_KEY_SHARE: &str = " FOR KEY SHARE";
    pub fn hole(n: usize) -> String {
        format!("${n}")
    }
    pub fn is_taken(error: &dyn sqlx::error::DatabaseError, table: &str, column: &str) -> bool {
        error.constraint() == Some(format!("{table}_{column}_unique").as_str())
    }
}

/// An open PostgreSQL database.
pub(crate) struct Engine {
    pool: PgPool,
    options: PgConnectOptions,
    patience: Duration,
    journal: std::sync::Mutex<Option<Conn>>,
    projection: tokio::sync::Mutex<Projection>,
}

impl Engine {
    pub async fn open(url: &str, config: &StoreConfig) -> Result<Self, OpenError> {
        let options =
            PgConnectOptions::from_str(url).map_err(OpenError::BadUrl)?.application_name("patchbay");
        let pool = PgPoolOptions::new()
            .max_connections(config.connections_max.clamp(2, 100))
            .acquire_timeout(config.patience)
            .idle_timeout(Duration::from_secs(600))
            .connect_with(options.clone())
            .await
            .map_err(OpenError::Unreachable)?;
        {
            let mut conn = pool.acquire().await.map_err(OpenError::Unreachable)?;
            migrate::migrate(&mut conn).await?;
        }
        let journal = std::sync::Mutex::default();
        let projection = tokio::sync::Mutex::default();
        Ok(Self { pool, options, patience: config.patience, journal, projection })
    }

    fn reading(&self) -> &PgPool {
        &self.pool
    }
    fn writing(&self) -> &PgPool {
        &self.pool
    }
    async fn begin(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        self.pool.begin_with(dialect::BEGIN).await
    }
    /// Takes the journal's connection out; whoever fails with it drops it, and the next one is new.
    async fn journal_connection(&self) -> Result<Conn, sqlx::Error> {
        let kept = crate::journal::lock(&self.journal).take();
        match kept {
            Some(conn) => Ok(conn),
            None => tokio::time::timeout(self.patience, self.options.connect())
                .await
                .unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut)),
        }
    }
    fn keep_journal_connection(&self, conn: Conn) {
        *crate::journal::lock(&self.journal) = Some(conn);
    }
    async fn close(&self) {
        let conn = crate::journal::lock(&self.journal).take();
        if let Some(conn) = conn {
            // The server ends it anyway when the socket closes.
            conn.close().await.ok();
        }
        self.pool.close().await;
    }
}

impl crate::Engine for Engine {}
