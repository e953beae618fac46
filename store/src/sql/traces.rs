//! What went over the wire for calls.

use async_trait::async_trait;
use model::id::{InteractionId, TenantId};
use model::time::Timestamp;
use model::trace::CallTrace;
use sqlx::{QueryBuilder, Row as _};

use super::{Db, Engine, rows};
use crate::error::{StoreError, WriteError};
use crate::traces::{Traces, pack, unpack};

/// Rows of one statement: both engines take so many holes.
const ROWS_MAX: usize = 200;

#[async_trait]
impl Traces for Engine {
    async fn save_traces(
        &self,
        tenant: TenantId,
        ended_at: Timestamp,
        traces: &[CallTrace],
    ) -> Result<(), WriteError> {
        for some in traces.chunks(ROWS_MAX) {
            let packed = some.iter().map(|trace| Ok((trace.interaction, pack(trace)?)));
            let packed = packed.collect::<Result<Vec<_>, StoreError>>()?;
            let mut query =
                QueryBuilder::<Db>::new("INSERT INTO traces (interaction, tenant, ended_at, packed) ");
            query.push_values(packed, |mut row, (interaction, packed)| {
                row.push_bind(interaction.to_string()).push_bind(tenant.to_string());
                row.push_bind(rows::micros(ended_at)).push_bind(packed);
            });
            query.push(" ON CONFLICT (interaction) DO NOTHING");
            query.build().execute(self.writing()).await?;
        }
        Ok(())
    }

    async fn trace(
        &self,
        tenant: TenantId,
        interaction: InteractionId,
    ) -> Result<Option<CallTrace>, StoreError> {
        let query = sqlx::query("SELECT packed FROM traces WHERE interaction = $1 AND tenant = $2");
        let query = query.bind(interaction.to_string()).bind(tenant.to_string());
        let Some(row) = query.fetch_optional(self.reading()).await? else { return Ok(None) };
        unpack(interaction, row.try_get("packed")?).map(Some)
    }

    async fn forget_traces(&self, before: Timestamp) -> Result<u64, WriteError> {
        let query = sqlx::query(
            "DELETE FROM traces WHERE interaction IN
             (SELECT interaction FROM traces WHERE ended_at < $1 ORDER BY ended_at LIMIT 1000)",
        );
        Ok(query.bind(rows::micros(before)).execute(self.writing()).await?.rows_affected())
    }
}
