//! Keys of programs.

use async_trait::async_trait;
use model::id::{KeyId, TenantId};
use model::time::Timestamp;
use sqlx::QueryBuilder;

use super::rows::{id, id_or_none, json, micros, text, time, time_or_none, to_json};
use super::{Db, Engine, Row, newest};
use crate::api_keys::{ApiKey, ApiKeys};
use crate::error::{StoreError, WriteError};
use crate::item::Kind;
use crate::page::{Cursor, Page, bounded};

#[async_trait]
impl ApiKeys for Engine {
    async fn insert_key(&self, key: &ApiKey, hash: [u8; 32]) -> Result<(), WriteError> {
        let query = sqlx::query(
            "INSERT INTO api_keys (id, tenant, name, prefix, hash, privileges, created_at, created_by, expires_at, used_at, revoked_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        );
        let query = query.bind(key.id.to_string()).bind(key.tenant.to_string()).bind(&key.name);
        let query = query.bind(&key.prefix).bind(hex::encode(hash)).bind(to_json(&key.privileges));
        let query = query.bind(micros(key.created_at)).bind(key.created_by.map(|user| user.to_string()));
        let query = query.bind(micros(key.expires_at)).bind(key.used_at.map(micros));
        match query.bind(key.revoked_at.map(micros)).execute(self.writing()).await {
            Ok(_) => Ok(()),
            Err(error) if error.as_database_error().is_some_and(|e| e.is_foreign_key_violation()) => {
                Err(WriteError::UnknownReference { kind: Kind::Tenant, id: key.tenant.to_string() })
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn key_of(&self, hash: [u8; 32]) -> Result<Option<ApiKey>, StoreError> {
        let query = sqlx::query("SELECT * FROM api_keys WHERE hash = $1").bind(hex::encode(hash));
        query.fetch_optional(self.reading()).await?.as_ref().map(read).transpose()
    }

    async fn keys(
        &self,
        tenant: TenantId,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<ApiKey>, StoreError> {
        let limit = bounded(limit);
        let mut query = QueryBuilder::<Db>::new("SELECT * FROM api_keys WHERE tenant = ");
        query.push_bind(tenant.to_string());
        newest::push_page::<KeyId>(&mut query, "created_at", "id", after, limit)?;
        let found = query.build().fetch_all(self.reading()).await?;
        let found = found.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(found, limit, |key| newest::cursor(key.created_at, key.id)))
    }

    async fn touch_key(&self, id: KeyId, now: Timestamp) -> Result<(), StoreError> {
        let query = sqlx::query("UPDATE api_keys SET used_at = $2 WHERE id = $1");
        query.bind(id.to_string()).bind(micros(now)).execute(self.writing()).await?;
        Ok(())
    }

    async fn revoke_key(
        &self,
        tenant: TenantId,
        id: KeyId,
        now: Timestamp,
    ) -> Result<Option<ApiKey>, StoreError> {
        let query = sqlx::query(
            "UPDATE api_keys SET revoked_at = COALESCE(revoked_at, $3) WHERE id = $1 AND tenant = $2 RETURNING *",
        );
        let query = query.bind(id.to_string()).bind(tenant.to_string()).bind(micros(now));
        query.fetch_optional(self.writing()).await?.as_ref().map(read).transpose()
    }
}

fn read(row: &Row) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: id(row, "id")?,
        tenant: id(row, "tenant")?,
        name: text(row, "name")?,
        prefix: text(row, "prefix")?,
        privileges: json(row, "privileges")?,
        created_at: time(row, "created_at")?,
        created_by: id_or_none(row, "created_by")?,
        expires_at: time(row, "expires_at")?,
        used_at: time_or_none(row, "used_at")?,
        revoked_at: time_or_none(row, "revoked_at")?,
    })
}
