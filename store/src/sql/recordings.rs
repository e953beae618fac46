//! Recordings.

use std::time::Duration;

use async_trait::async_trait;
use model::id::{InteractionId, RecordingId, ServiceId, TenantId};
use model::time::Timestamp;
use sqlx::Row as _;

use super::{Engine, Row, rows};
use crate::error::{StoreError, WriteError};
use crate::recordings::{Recording, Recordings};

#[async_trait]
impl Recordings for Engine {
    async fn save_recording(&self, recording: &Recording) -> Result<(), WriteError> {
        let query = sqlx::query(
            "INSERT INTO recordings
             (id, tenant, interaction, state, files, length_ms, complete, peaks, bytes, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (id) DO UPDATE SET state = excluded.state, files = excluded.files,
             length_ms = excluded.length_ms, complete = excluded.complete, peaks = excluded.peaks,
             bytes = excluded.bytes",
        );
        let length_ms = u64::try_from(recording.length.as_millis()).unwrap_or(u64::MAX);
        let query = query.bind(recording.id.to_string()).bind(recording.tenant.to_string());
        let query = query.bind(recording.interaction.to_string()).bind(rows::to_word(&recording.state));
        let query = query
            .bind(rows::to_json(&recording.files))
            .bind(rows::signed(length_ms))
            .bind(recording.complete);
        let query = query.bind(recording.peaks.clone()).bind(rows::signed(recording.bytes));
        query.bind(rows::micros(recording.created_at)).execute(self.writing()).await?;
        Ok(())
    }

    async fn recording(&self, tenant: TenantId, id: RecordingId) -> Result<Option<Recording>, StoreError> {
        let query = sqlx::query("SELECT * FROM recordings WHERE id = $1 AND tenant = $2");
        let query = query.bind(id.to_string()).bind(tenant.to_string());
        query.fetch_optional(self.reading()).await?.as_ref().map(read).transpose()
    }

    async fn recordings_of(
        &self,
        tenant: TenantId,
        interaction: InteractionId,
    ) -> Result<Vec<Recording>, StoreError> {
        let query = sqlx::query(
            "SELECT * FROM recordings WHERE interaction = $1 AND tenant = $2 ORDER BY created_at, id LIMIT 1000",
        );
        let query = query.bind(interaction.to_string()).bind(tenant.to_string());
        query.fetch_all(self.reading()).await?.iter().map(read).collect()
    }

    async fn unfinished_recordings(&self) -> Result<Vec<Recording>, StoreError> {
        let query = sqlx::query(
            "SELECT * FROM recordings WHERE state IN ('capturing', 'finishing') ORDER BY created_at, id LIMIT 10000",
        );
        query.fetch_all(self.reading()).await?.iter().map(read).collect()
    }

    async fn recordings_before(
        &self,
        tenant: TenantId,
        service: ServiceId,
        before: Timestamp,
    ) -> Result<Vec<Recording>, StoreError> {
        self.with_saved_records().await;
        let query = sqlx::query(
            "SELECT recordings.* FROM recordings JOIN service_records
             ON service_records.interaction = recordings.interaction
             WHERE recordings.tenant = $1 AND service_records.service = $2 AND recordings.created_at < $3
             AND recordings.state IN ('ready', 'failed')
             AND NOT EXISTS (SELECT 1 FROM voicemails WHERE voicemails.recording = recordings.id)
             ORDER BY recordings.created_at, recordings.id LIMIT 1000",
        );
        let query = query.bind(tenant.to_string()).bind(service.to_string()).bind(rows::micros(before));
        query.fetch_all(self.reading()).await?.iter().map(read).collect()
    }

    async fn delete_recording(&self, tenant: TenantId, id: RecordingId) -> Result<bool, StoreError> {
        let query = sqlx::query("DELETE FROM recordings WHERE id = $1 AND tenant = $2");
        let query = query.bind(id.to_string()).bind(tenant.to_string());
        Ok(query.execute(self.writing()).await?.rows_affected() == 1)
    }
}

pub(super) fn read(row: &Row) -> Result<Recording, StoreError> {
    Ok(Recording {
        id: rows::id(row, "id")?,
        tenant: rows::id(row, "tenant")?,
        interaction: rows::id(row, "interaction")?,
        state: rows::word(row, "state")?,
        files: rows::json(row, "files")?,
        length: Duration::from_millis(rows::count(row, "length_ms")?),
        complete: rows::flag(row, "complete")?,
        peaks: row.try_get("peaks")?,
        bytes: rows::count(row, "bytes")?,
        created_at: rows::time(row, "created_at")?,
    })
}
