//! Tables that flows look values up in.

use async_trait::async_trait;
use model::id::TenantId;
use sqlx::AssertSqlSafe;

use super::{Engine, Row, rows};
use crate::error::StoreError;
use crate::lookups::{LookupRow, LookupTable, Lookups};

/// Rows of one statement: five values each, and engines take some thousand values.
const AT_ONCE: usize = 200;
/// Statements of one transaction: others who write wait no longer than for these.
const STATEMENTS: usize = 5;

#[async_trait]
impl Lookups for Engine {
    async fn lookup_tables(&self, tenant: TenantId) -> Result<Vec<LookupTable>, StoreError> {
        let query = sqlx::query("SELECT * FROM lookup_tables WHERE tenant = $1 ORDER BY name");
        let found = query.bind(tenant.to_string()).fetch_all(self.reading()).await?;
        found.iter().map(read).collect()
    }

    async fn replace_lookup_table(
        &self,
        tenant: TenantId,
        table: &LookupTable,
        rows: &[LookupRow],
    ) -> Result<(), StoreError> {
        let (of, name) = (tenant.to_string(), &table.name);
        let query = sqlx::query("SELECT content FROM lookup_tables WHERE tenant = $1 AND name = $2");
        let found = query.bind(&of).bind(name).fetch_optional(self.reading()).await?;
        let before = found.map_or(Ok(0), |row| rows::count(&row, "content"))?;
        let content = before + 1;
        // What an import left that did not come to its end.
        self.forget_rows(&of, name, before).await?;
        for part in rows.chunks(AT_ONCE * STATEMENTS) {
            let mut tx = self.begin().await?;
            for some in part.chunks(AT_ONCE) {
                let holes = rows::holes(some.len(), 5);
                let sql =
                    format!("INSERT INTO lookup_rows (tenant, name, content, key, cells) VALUES {holes}");
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for (key, cells) in some {
                    query = query.bind(&of).bind(name).bind(rows::signed(content)).bind(key);
                    query = query.bind(rows::to_json(cells));
                }
                query.execute(&mut *tx).await?;
            }
            tx.commit().await?;
        }
        let query = sqlx::query(
            "INSERT INTO lookup_tables (tenant, name, content, columns, phone_keys, row_count, changed_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (tenant, name) DO UPDATE SET content = excluded.content, columns = excluded.columns,
             phone_keys = excluded.phone_keys, row_count = excluded.row_count, changed_at = excluded.changed_at",
        );
        let query =
            query.bind(&of).bind(name).bind(rows::signed(content)).bind(rows::to_json(&table.columns));
        let query = query.bind(table.phone_keys).bind(rows::signed(table.rows));
        query.bind(rows::micros(table.changed_at)).execute(self.writing()).await?;
        self.forget_rows(&of, name, content).await
    }

    async fn delete_lookup_table(&self, tenant: TenantId, name: &str) -> Result<bool, StoreError> {
        let query = sqlx::query("DELETE FROM lookup_tables WHERE tenant = $1 AND name = $2");
        let gone = query.bind(tenant.to_string()).bind(name).execute(self.writing()).await?.rows_affected();
        self.forget_rows(&tenant.to_string(), name, 0).await?;
        Ok(gone > 0)
    }

    async fn look_up(
        &self,
        tenant: TenantId,
        table: &str,
        key: &str,
    ) -> Result<Option<Vec<String>>, StoreError> {
        let query = sqlx::query(
            "SELECT cells FROM lookup_tables t JOIN lookup_rows r
             ON r.tenant = t.tenant AND r.name = t.name AND r.content = t.content
             WHERE t.tenant = $1 AND t.name = $2 AND r.key = $3",
        );
        let query = query.bind(tenant.to_string()).bind(table).bind(key);
        let found = query.fetch_optional(self.reading()).await?;
        found.map(|row| rows::json(&row, "cells")).transpose()
    }
}

impl Engine {
    /// Removes the rows of a table that are not of this content.
    async fn forget_rows(&self, tenant: &str, name: &str, content: u64) -> Result<(), StoreError> {
        let query = sqlx::query("DELETE FROM lookup_rows WHERE tenant = $1 AND name = $2 AND content <> $3");
        query.bind(tenant).bind(name).bind(rows::signed(content)).execute(self.writing()).await?;
        Ok(())
    }
}

fn read(row: &Row) -> Result<LookupTable, StoreError> {
    Ok(LookupTable {
        name: rows::text(row, "name")?,
        columns: rows::json(row, "columns")?,
        phone_keys: rows::flag(row, "phone_keys")?,
        rows: rows::count(row, "row_count")?,
        changed_at: rows::time(row, "changed_at")?,
    })
}
