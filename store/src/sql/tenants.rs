//! Tenants: the one kind of configuration row that belongs to nobody.

use async_trait::async_trait;
use model::id::TenantId;
use model::people::Tenant;
use sqlx::AssertSqlSafe;

use super::{Conn, Engine, Row, dialect, rows};
use crate::catalogue::Tenants;
use crate::error::{DeleteError, Referrer, StoreError, WriteError};
use crate::item::Kind;
use crate::page::{Cursor, Page, Version, Versioned, bounded};

/// What a tenant can own, and where it is kept. Sessions and secrets go with their users.
const OWNED: [(Kind, &str, &str); 13] = [
    (Kind::User, "users", "id"),
    (Kind::Group, "groups", "id"),
    (Kind::Skill, "skills", "id"),
    (Kind::Reason, "reasons", "id"),
    (Kind::Service, "services", "id"),
    (Kind::Disposition, "dispositions", "id"),
    (Kind::Number, "numbers", "id"),
    (Kind::Flow, "flows", "id"),
    (Kind::Trunk, "trunks", "id"),
    (Kind::Block, "blocks", "id"),
    (Kind::Record, "service_records", "interaction"),
    (Kind::Recording, "recordings", "id"),
    (Kind::Journal, "journal_heads", "tenant"),
];

#[async_trait]
impl Tenants for Engine {
    async fn tenant(&self, id: TenantId) -> Result<Option<Versioned<Tenant>>, StoreError> {
        let query = sqlx::query("SELECT * FROM tenants WHERE id = $1").bind(id.to_string());
        query.fetch_optional(self.reading()).await?.as_ref().map(read).transpose()
    }

    async fn tenant_by_name(&self, name: &str) -> Result<Option<Versioned<Tenant>>, StoreError> {
        let query = sqlx::query("SELECT * FROM tenants WHERE name = $1").bind(name);
        query.fetch_optional(self.reading()).await?.as_ref().map(read).transpose()
    }

    async fn tenants(
        &self,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<Versioned<Tenant>>, StoreError> {
        let limit = bounded(limit);
        let after = match after {
            Some(cursor) => cursor.0.parse::<TenantId>().map_err(|_| StoreError::BadCursor)?.to_string(),
            None => String::new(),
        };
        let query = sqlx::query("SELECT * FROM tenants WHERE id > $1 ORDER BY id LIMIT $2");
        let found = query.bind(after).bind(i64::from(limit) + 1).fetch_all(self.reading()).await?;
        let found = found.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(found, limit, |row| row.item.id.to_string()))
    }

    async fn insert_tenant(&self, tenant: &Tenant) -> Result<Versioned<Tenant>, WriteError> {
        let query = sqlx::query(
            "INSERT INTO tenants (id, version, name, offer_window, system_names, capacity, agent_order, dialling,
                 withheld, own_voicemail)
             VALUES ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9)",
        );
        query
            .bind(tenant.id.to_string())
            .bind(&tenant.name)
            .bind(unless_usual(&tenant.offer_window))
            .bind(unless_usual(&tenant.system_names))
            .bind(unless_usual(&tenant.capacity))
            .bind(unless_usual(&tenant.agent_order))
            .bind(unless_usual(&tenant.dialling))
            .bind(unless_usual(&tenant.withheld))
            .bind(unless_usual(&tenant.own_voicemail))
            .execute(self.writing())
            .await
            .map_err(refused)?;
        Ok(Versioned { item: tenant.clone(), version: Version(1) })
    }

    async fn update_tenant(
        &self,
        tenant: &Tenant,
        expected: Version,
    ) -> Result<Versioned<Tenant>, WriteError> {
        let mut tx = self.begin().await?;
        match version(&mut tx, tenant.id).await? {
            None => return Err(WriteError::NotFound),
            Some(current) if current != expected => return Err(WriteError::Conflict { current }),
            Some(_) => {}
        }
        let query = sqlx::query(
            "UPDATE tenants SET version = version + 1, name = $2, offer_window = $3, system_names = $4, capacity = $5,
                 agent_order = $6, dialling = $7, withheld = $8, own_voicemail = $9
             WHERE id = $1",
        );
        query
            .bind(tenant.id.to_string())
            .bind(&tenant.name)
            .bind(unless_usual(&tenant.offer_window))
            .bind(unless_usual(&tenant.system_names))
            .bind(unless_usual(&tenant.capacity))
            .bind(unless_usual(&tenant.agent_order))
            .bind(unless_usual(&tenant.dialling))
            .bind(unless_usual(&tenant.withheld))
            .bind(unless_usual(&tenant.own_voicemail))
            .execute(&mut *tx)
            .await
            .map_err(refused)?;
        tx.commit().await?;
        Ok(Versioned { item: tenant.clone(), version: Version(expected.0 + 1) })
    }

    async fn delete_tenant(&self, id: TenantId, expected: Option<Version>) -> Result<(), DeleteError> {
        let _held = self.hold_records().await;
        let mut tx = self.begin().await?;
        match version(&mut tx, id).await? {
            None => return Err(DeleteError::NotFound),
            Some(current) if expected.is_some_and(|e| e != current) => {
                return Err(DeleteError::Conflict { current });
            }
            Some(_) => {}
        }
        let mut by = Vec::new();
        for (kind, table, key) in OWNED {
            let sql = format!("SELECT {key} AS id FROM {table} WHERE tenant = $1 LIMIT 1");
            let found = sqlx::query(AssertSqlSafe(sql)).bind(id.to_string()).fetch_optional(&mut *tx).await?;
            if let Some(row) = found {
                by.push(Referrer { kind, id: rows::text(&row, "id")?, name: String::new() });
            }
        }
        if !by.is_empty() {
            return Err(DeleteError::InUse { by, more: false });
        }
        sqlx::query("DELETE FROM tenants WHERE id = $1").bind(id.to_string()).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }
}

fn read(row: &Row) -> Result<Versioned<Tenant>, StoreError> {
    let item = Tenant {
        id: rows::id(row, "id")?,
        name: rows::text(row, "name")?,
        offer_window: rows::json_or_default(row, "offer_window")?,
        system_names: rows::json_or_default(row, "system_names")?,
        capacity: rows::json_or_default(row, "capacity")?,
        agent_order: rows::json_or_default(row, "agent_order")?,
        dialling: rows::json_or_default(row, "dialling")?,
        withheld: rows::json_or_default(row, "withheld")?,
        own_voicemail: rows::json_or_default(row, "own_voicemail")?,
    };
    Ok(Versioned { item, version: Version(rows::count(row, "version")?) })
}

/// NULL for what is as it comes: such a tenant goes along when the default changes.
fn unless_usual<T: Default + PartialEq + serde::Serialize>(value: &T) -> Option<String> {
    (*value != T::default()).then(|| rows::to_json(value))
}

async fn version(conn: &mut Conn, id: TenantId) -> Result<Option<Version>, StoreError> {
    let sql = format!("SELECT version FROM tenants WHERE id = $1{}", dialect::FOR_UPDATE);
    let found = sqlx::query(AssertSqlSafe(sql)).bind(id.to_string()).fetch_optional(conn).await?;
    found.map(|row| Ok(Version(rows::count(&row, "version")?))).transpose()
}

fn refused(error: sqlx::Error) -> WriteError {
    let taken = |field: &&'static str| {
        error.as_database_error().is_some_and(|e| dialect::is_taken(e, "tenants", field))
    };
    match ["id", "name"].into_iter().find(taken) {
        Some(field) => WriteError::Taken { kind: Kind::Tenant, field },
        None => error.into(),
    }
}
