//! The audit log.

use async_trait::async_trait;
use model::id::{AuditId, TenantId};
use sqlx::QueryBuilder;

use super::rows::{id, id_or_none, json, micros, text, text_or_none, time};
use super::{Db, Engine, Row, newest};
use crate::audit::{AuditEntry, AuditFilter, AuditLog};
use crate::error::StoreError;
use crate::page::{Cursor, Page, bounded};

#[async_trait]
impl AuditLog for Engine {
    async fn append_audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let query = sqlx::query(
            "INSERT INTO audit (id, tenant, at, actor, address, action, target, detail, api_key)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        );
        let query = query.bind(entry.id.to_string()).bind(entry.tenant.to_string()).bind(micros(entry.at));
        let query = query.bind(entry.actor.map(|actor| actor.to_string())).bind(entry.address.clone());
        let query = query.bind(&entry.action).bind(&entry.target).bind(entry.detail.to_string());
        let query = query.bind(entry.key.map(|key| key.to_string()));
        query.execute(self.writing()).await?;
        Ok(())
    }

    async fn audit_entries(
        &self,
        tenant: TenantId,
        filter: &AuditFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<AuditEntry>, StoreError> {
        let limit = bounded(limit);
        let mut query = QueryBuilder::<Db>::new("SELECT * FROM audit WHERE tenant = ");
        query.push_bind(tenant.to_string());
        if let Some(from) = filter.from {
            query.push(" AND at >= ").push_bind(micros(from));
        }
        if let Some(to) = filter.to {
            query.push(" AND at < ").push_bind(micros(to));
        }
        if let Some(actor) = filter.actor {
            query.push(" AND actor = ").push_bind(actor.to_string());
        }
        if let Some(action) = &filter.action {
            query.push(" AND action = ").push_bind(action.clone());
        }
        if let Some(target) = &filter.target {
            query.push(" AND target = ").push_bind(target.clone());
        }
        newest::push_page::<AuditId>(&mut query, "at", "id", after, limit)?;
        let found = query.build().fetch_all(self.reading()).await?;
        let found = found.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(found, limit, |entry| newest::cursor(entry.at, entry.id)))
    }
}

fn read(row: &Row) -> Result<AuditEntry, StoreError> {
    Ok(AuditEntry {
        id: id(row, "id")?,
        tenant: id(row, "tenant")?,
        at: time(row, "at")?,
        actor: id_or_none(row, "actor")?,
        key: id_or_none(row, "api_key")?,
        address: text_or_none(row, "address")?,
        action: text(row, "action")?,
        target: text(row, "target")?,
        detail: json(row, "detail")?,
    })
}
