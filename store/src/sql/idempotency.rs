//! Keys of requests and their answers.

use async_trait::async_trait;
use model::id::TenantId;
use model::time::Timestamp;
use sqlx::Row as _;

use super::{Engine, rows};
use crate::error::StoreError;
use crate::idempotency::{Answer, IdempotencyKeys, Reservation};

#[async_trait]
impl IdempotencyKeys for Engine {
    async fn reserve_key(
        &self,
        tenant: TenantId,
        key: &str,
        fingerprint: &str,
        now: Timestamp,
    ) -> Result<Reservation, StoreError> {
        // The insertion decides which of two simultaneous requests is the first.
        let query = sqlx::query(
            "INSERT INTO idempotency_keys (tenant, idempotency_key, fingerprint, created_at)
             VALUES ($1, $2, $3, $4) ON CONFLICT (tenant, idempotency_key) DO NOTHING",
        );
        let query = query.bind(tenant.to_string()).bind(key).bind(fingerprint).bind(rows::micros(now));
        if query.execute(self.writing()).await?.rows_affected() == 1 {
            return Ok(Reservation::New);
        }
        let query = sqlx::query(
            "SELECT fingerprint, status, body FROM idempotency_keys WHERE tenant = $1 AND idempotency_key = $2",
        );
        let found = query.bind(tenant.to_string()).bind(key).fetch_optional(self.reading()).await?;
        // Released in this very moment: the client tries again.
        let Some(row) = found else { return Ok(Reservation::InProgress) };
        if rows::text(&row, "fingerprint")? != fingerprint {
            return Ok(Reservation::Mismatch);
        }
        let (status, body): (Option<i64>, Option<Vec<u8>>) = (row.try_get("status")?, row.try_get("body")?);
        Ok(match status.and_then(|status| u16::try_from(status).ok()) {
            Some(status) => Reservation::Answered(Answer { status, body: body.unwrap_or_default() }),
            None => Reservation::InProgress,
        })
    }

    async fn answer_key(&self, tenant: TenantId, key: &str, answer: &Answer) -> Result<(), StoreError> {
        let query = sqlx::query(
            "UPDATE idempotency_keys SET status = $3, body = $4
             WHERE tenant = $1 AND idempotency_key = $2 AND status IS NULL",
        );
        let query =
            query.bind(tenant.to_string()).bind(key).bind(i64::from(answer.status)).bind(&answer.body);
        query.execute(self.writing()).await?;
        Ok(())
    }

    async fn release_key(&self, tenant: TenantId, key: &str) -> Result<(), StoreError> {
        let query = sqlx::query(
            "DELETE FROM idempotency_keys WHERE tenant = $1 AND idempotency_key = $2 AND status IS NULL",
        );
        query.bind(tenant.to_string()).bind(key).execute(self.writing()).await?;
        Ok(())
    }

    async fn sweep_keys(&self, before: Timestamp) -> Result<u64, StoreError> {
        let query =
            sqlx::query("DELETE FROM idempotency_keys WHERE created_at < $1").bind(rows::micros(before));
        Ok(query.execute(self.writing()).await?.rows_affected())
    }
}
