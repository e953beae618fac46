//! Configuration rows of any kind: the statements that all of them share.

use async_trait::async_trait;
use model::id::TenantId;
use sqlx::{AssertSqlSafe, Row as _};

use super::{Conn, Engine, Query, Row, dialect, rows};
use crate::catalogue::Catalogue;
use crate::error::{DeleteError, Referrer, StoreError, WriteError};
use crate::item::{Item, Kind};
use crate::page::{Cursor, Page, Version, Versioned, bounded};

/// Where a kind of row is kept. Names are constants of this program, never a client's words.
pub(super) trait Table: Item {
    /// The table.
    const NAME: &'static str;
    /// Its columns after `id`, `tenant` and `version`, in the order of [`Table::bind`].
    const COLUMNS: &'static [&'static str];
    /// Columns that must be unique; the constraint is called `<table>_<column>_unique`.
    const UNIQUE: &'static [&'static str];
    /// Which columns of the service records name such rows.
    const IN_RECORDS: &'static [&'static str] = &[];
    /// Adds the values of [`Table::COLUMNS`].
    fn bind<'q>(&self, query: Query<'q>) -> Query<'q>;
    /// Reads a row.
    fn read(row: &Row) -> Result<Self, StoreError>;
}

/// Referrers an error names at most.
const REFERRERS_MAX: usize = 20;

#[async_trait]
impl<T: Table> Catalogue<T> for Engine {
    async fn get(&self, tenant: TenantId, id: T::Id) -> Result<Option<Versioned<T>>, StoreError> {
        let sql = format!("SELECT * FROM {} WHERE id = $1 AND tenant = $2", T::NAME);
        let query = sqlx::query(AssertSqlSafe(sql)).bind(id.to_string()).bind(tenant.to_string());
        query.fetch_optional(self.reading()).await?.as_ref().map(versioned).transpose()
    }

    async fn list(
        &self,
        tenant: TenantId,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<Versioned<T>>, StoreError> {
        let limit = bounded(limit);
        let after = match after {
            Some(cursor) => cursor.0.parse::<T::Id>().map_err(|_| StoreError::BadCursor)?.to_string(),
            None => String::new(),
        };
        let sql = format!("SELECT * FROM {} WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3", T::NAME);
        let query =
            sqlx::query(AssertSqlSafe(sql)).bind(tenant.to_string()).bind(after).bind(i64::from(limit) + 1);
        let found = query.fetch_all(self.reading()).await?;
        let found = found.iter().map(versioned).collect::<Result<Vec<Versioned<T>>, _>>()?;
        Ok(Page::cut(found, limit, |row| row.item.id().to_string()))
    }

    async fn insert(&self, item: &T) -> Result<Versioned<T>, WriteError> {
        let item = item.canonical();
        let mut tx = self.begin().await?;
        write_references(&mut tx, &item).await?;
        let holes = (1..=T::COLUMNS.len()).map(|n| format!(", ${}", n + 2)).collect::<String>();
        let columns = T::COLUMNS.join(", ");
        let sql =
            format!("INSERT INTO {} (id, tenant, version, {columns}) VALUES ($1, $2, 1{holes})", T::NAME);
        let query =
            sqlx::query(AssertSqlSafe(sql)).bind(item.id().to_string()).bind(item.tenant().to_string());
        item.bind(query).execute(&mut *tx).await.map_err(refused::<T>)?;
        tx.commit().await?;
        Ok(Versioned { item, version: Version(1) })
    }

    async fn update(&self, item: &T, expected: Version) -> Result<Versioned<T>, WriteError> {
        let item = item.canonical();
        let mut tx = self.begin().await?;
        match version::<T>(&mut tx, item.tenant(), item.id()).await? {
            None => return Err(WriteError::NotFound),
            Some(current) if current != expected => return Err(WriteError::Conflict { current }),
            Some(_) => {}
        }
        write_references(&mut tx, &item).await?;
        let sets: String =
            T::COLUMNS.iter().enumerate().map(|(n, column)| format!(", {column} = ${}", n + 2)).collect();
        let sql = format!("UPDATE {} SET version = version + 1{sets} WHERE id = $1", T::NAME);
        let query = item.bind(sqlx::query(AssertSqlSafe(sql)).bind(item.id().to_string()));
        query.execute(&mut *tx).await.map_err(refused::<T>)?;
        tx.commit().await?;
        Ok(Versioned { item, version: Version(expected.0 + 1) })
    }

    async fn delete(
        &self,
        tenant: TenantId,
        id: T::Id,
        expected: Option<Version>,
    ) -> Result<(), DeleteError> {
        let _held = if T::IN_RECORDS.is_empty() { None } else { Some(self.hold_records().await) };
        let mut tx = self.begin().await?;
        match version::<T>(&mut tx, tenant, id).await? {
            None => return Err(DeleteError::NotFound),
            Some(current) if expected.is_some_and(|e| e != current) => {
                return Err(DeleteError::Conflict { current });
            }
            Some(_) => {}
        }
        let mut by = referrers(&mut tx, &id.to_string()).await?;
        for column in T::IN_RECORDS {
            by.extend(records_naming(&mut tx, column, &id.to_string()).await?);
        }
        if !by.is_empty() {
            let more = by.len() > REFERRERS_MAX;
            by.truncate(REFERRERS_MAX);
            return Err(DeleteError::InUse { by, more });
        }
        sqlx::query("DELETE FROM refs WHERE from_id = $1").bind(id.to_string()).execute(&mut *tx).await?;
        let sql = format!("DELETE FROM {} WHERE id = $1", T::NAME);
        sqlx::query(AssertSqlSafe(sql)).bind(id.to_string()).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }
}

/// A row that a `WHERE` of our own finds.
pub(super) async fn find<T: Table>(
    engine: &Engine,
    condition: &str,
    binds: &[&str],
) -> Result<Option<Versioned<T>>, StoreError> {
    let sql = format!("SELECT * FROM {} WHERE {condition}", T::NAME);
    let query = binds.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, text| query.bind(*text));
    query.fetch_optional(engine.reading()).await?.as_ref().map(versioned).transpose()
}

fn versioned<T: Table>(row: &Row) -> Result<Versioned<T>, StoreError> {
    Ok(Versioned { item: T::read(row)?, version: Version(rows::count(row, "version")?) })
}

/// The version of a row, which nobody else can change or delete until this transaction ends.
async fn version<T: Table>(
    conn: &mut Conn,
    tenant: TenantId,
    id: T::Id,
) -> Result<Option<Version>, StoreError> {
    let sql = format!("SELECT version FROM {} WHERE id = $1 AND tenant = $2{}", T::NAME, dialect::FOR_UPDATE);
    let query = sqlx::query(AssertSqlSafe(sql)).bind(id.to_string()).bind(tenant.to_string());
    let found = query.fetch_optional(conn).await?;
    found.map(|row| Ok(Version(rows::count(&row, "version")?))).transpose()
}

/// Checks that what the row refers to exists, keeps it from being deleted meanwhile, and notes the references.
async fn write_references<T: Table>(conn: &mut Conn, item: &T) -> Result<(), WriteError> {
    sqlx::query("DELETE FROM refs WHERE from_id = $1")
        .bind(item.id().to_string())
        .execute(&mut *conn)
        .await?;
    for (kind, id) in item.references() {
        let sql = format!(
            "SELECT id FROM {} WHERE id = $1 AND tenant = $2{}",
            table_of(kind),
            dialect::FOR_KEY_SHARE
        );
        let query = sqlx::query(AssertSqlSafe(sql)).bind(&id).bind(item.tenant().to_string());
        if query.fetch_optional(&mut *conn).await?.is_none() {
            return Err(WriteError::UnknownReference { kind, id });
        }
        sqlx::query("INSERT INTO refs (from_id, to_id, from_kind, from_name) VALUES ($1, $2, $3, $4)")
            .bind(item.id().to_string())
            .bind(&id)
            .bind(T::KIND.as_str())
            .bind(item.label())
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// The kinds that can be referred to, and where they are kept.
fn table_of(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "users",
        Kind::Group => "groups",
        Kind::Skill => "skills",
        Kind::Reason => "reasons",
        Kind::Service => "services",
        Kind::Disposition => "dispositions",
        Kind::Number => "numbers",
        Kind::Flow => "flows",
        Kind::Trunk => "trunks",
        Kind::Block => "blocks",
        Kind::Tenant | Kind::Record | Kind::Recording | Kind::Journal => "tenants",
    }
}

async fn referrers(conn: &mut Conn, id: &str) -> Result<Vec<Referrer>, StoreError> {
    let sql = "SELECT from_kind, from_id, from_name FROM refs WHERE to_id = $1 AND from_id <> $1
               ORDER BY from_kind, from_id LIMIT $2";
    let found = sqlx::query(sql).bind(id).bind(REFERRERS_MAX as i64 + 1).fetch_all(conn).await?;
    let read = |row: &Row| {
        let kind = rows::text(row, "from_kind")?;
        let kind = Kind::from_name(&kind).ok_or_else(|| StoreError::Corrupt {
            column: "from_kind".into(),
            detail: format!("`{kind}` is no kind"),
        })?;
        Ok(Referrer { kind, id: rows::text(row, "from_id")?, name: rows::text(row, "from_name")? })
    };
    found.iter().map(read).collect()
}

async fn records_naming(conn: &mut Conn, column: &str, id: &str) -> Result<Option<Referrer>, StoreError> {
    let sql = format!("SELECT interaction FROM service_records WHERE {column} = $1 LIMIT 1");
    let found = sqlx::query(AssertSqlSafe(sql)).bind(id).fetch_optional(conn).await?;
    let referrer =
        |row: Row| Ok(Referrer { kind: Kind::Record, id: row.try_get("interaction")?, name: String::new() });
    found.map(referrer).transpose()
}

/// Which unique field an engine's refusal speaks of.
fn refused<T: Table>(error: sqlx::Error) -> WriteError {
    let taken = |e: &dyn sqlx::error::DatabaseError| {
        let names = ["id"].iter().chain(T::UNIQUE);
        names.copied().find(|column| dialect::is_taken(e, T::NAME, column))
    };
    match error.as_database_error().filter(|e| e.is_unique_violation()).and_then(taken) {
        Some(field) => WriteError::Taken { kind: T::KIND, field },
        // The tenant is the one reference that the engines check for us here: all others were looked up.
        None if error.as_database_error().is_some_and(|e| e.is_foreign_key_violation()) => {
            WriteError::UnknownReference { kind: Kind::Tenant, id: String::new() }
        }
        None => error.into(),
    }
}
