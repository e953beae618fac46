//! Brings a database to the schema of this program, or refuses it.

use sqlx::Row as _;

use super::{Conn, MIGRATIONS, dialect};
use crate::error::OpenError;

/// Runs what is missing, all in one transaction: another appliance that starts now waits for the lock, and a failure
/// leaves the database as it was.
pub(super) async fn migrate(conn: &mut Conn) -> Result<(), OpenError> {
    let mut tx = sqlx::Connection::begin_with(conn, dialect::BEGIN).await.map_err(OpenError::Unreachable)?;
    sqlx::raw_sql(dialect::LOCK_SCHEMA).execute(&mut *tx).await.map_err(OpenError::Unreachable)?;
    sqlx::raw_sql(
        "CREATE TABLE IF NOT EXISTS schema_migrations
         (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL)",
    )
    .execute(&mut *tx)
    .await
    .map_err(OpenError::Unreachable)?;
    let applied = sqlx::query("SELECT version, checksum FROM schema_migrations ORDER BY version")
        .fetch_all(&mut *tx)
        .await
        .map_err(OpenError::Unreachable)?;

    let known = MIGRATIONS.last().map_or(0, |m| m.version);
    let mut done = 0;
    for row in applied {
        let version: i64 = row.try_get("version").map_err(OpenError::Unreachable)?;
        let checksum: String = row.try_get("checksum").map_err(OpenError::Unreachable)?;
        match MIGRATIONS.iter().find(|m| m.version == version) {
            Some(migration) if migration.checksum() == checksum => done = version,
            Some(_) => return Err(OpenError::ChangedMigration { version }),
            None if version > known => return Err(OpenError::NewerSchema { found: version, known }),
            None => return Err(OpenError::ChangedMigration { version }),
        }
    }
    for migration in MIGRATIONS.iter().filter(|m| m.version > done) {
        let version = migration.version;
        let failed = |source| OpenError::Migration { version, source };
        sqlx::raw_sql(migration.sql).execute(&mut *tx).await.map_err(failed)?;
        sqlx::query("INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)")
            .bind(version)
            .bind(migration.name)
            .bind(migration.checksum())
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        tracing::info!(version, name = migration.name, "schema migrated");
    }
    tx.commit().await.map_err(OpenError::Unreachable)
}
