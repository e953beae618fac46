//! Configurations of the past.

use async_trait::async_trait;
use model::id::TenantId;
use model::time::Timestamp;

use super::{Engine, Row, rows};
use crate::error::StoreError;
use crate::generations::{Generation, Generations, KEPT};

#[async_trait]
impl Generations for Engine {
    async fn keep_generation(
        &self,
        tenant: TenantId,
        payload: &str,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let newest = self.generation_at(tenant, Timestamp::NEVER).await?;
        if let Some(newest) = newest.as_ref().filter(|newest| newest.payload == payload) {
            return Ok(newest.number);
        }
        let number = newest.map_or(0, |newest| newest.number) + 1;
        // One appliance writes for a tenant; should two, the key keeps their generations apart.
        let query =
            sqlx::query("INSERT INTO generations (tenant, generation, at, payload) VALUES ($1, $2, $3, $4)");
        let query = query.bind(tenant.to_string()).bind(rows::signed(number)).bind(rows::micros(now));
        query.bind(payload).execute(self.writing()).await?;
        let query = sqlx::query("DELETE FROM generations WHERE tenant = $1 AND generation <= $2");
        let old = rows::signed(number.saturating_sub(KEPT));
        query.bind(tenant.to_string()).bind(old).execute(self.writing()).await?;
        Ok(number)
    }

    async fn generation(&self, tenant: TenantId, number: u64) -> Result<Option<Generation>, StoreError> {
        let query = sqlx::query(
            "SELECT generation, at, payload FROM generations WHERE tenant = $1 AND generation = $2",
        );
        let query = query.bind(tenant.to_string()).bind(rows::signed(number));
        query.fetch_optional(self.reading()).await?.as_ref().map(read).transpose()
    }

    async fn generation_at(&self, tenant: TenantId, at: Timestamp) -> Result<Option<Generation>, StoreError> {
        let query = sqlx::query(
            "SELECT generation, at, payload FROM generations WHERE tenant = $1 AND at <= $2
             ORDER BY generation DESC LIMIT 1",
        );
        let query = query.bind(tenant.to_string()).bind(rows::micros(at));
        if let Some(row) = query.fetch_optional(self.reading()).await? {
            return read(&row).map(Some);
        }
        let query = sqlx::query(
            "SELECT generation, at, payload FROM generations WHERE tenant = $1 ORDER BY generation LIMIT 1",
        );
        let query = query.bind(tenant.to_string());
        query.fetch_optional(self.reading()).await?.as_ref().map(read).transpose()
    }
}

fn read(row: &Row) -> Result<Generation, StoreError> {
    Ok(Generation {
        number: rows::count(row, "generation")?,
        at: rows::time(row, "at")?,
        payload: rows::text(row, "payload")?,
    })
}
