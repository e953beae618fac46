//! Messages that callers left.

use std::time::Duration;

use async_trait::async_trait;
use model::diversion::MessageBox;
use model::id::{RecordingId, ServiceId, TenantId, UserId};
use model::time::Timestamp;
use sqlx::QueryBuilder;

use super::{Db, Engine, Row, newest, recordings, rows};
use crate::error::{StoreError, WriteError};
use crate::page::{Cursor, Page, bounded};
use crate::recordings::Recording;
use crate::voicemails::{NewVoicemail, Voicemail, VoicemailFilter, Voicemails};

/// Messages with the recordings they are.
const JOINED: &str = " FROM voicemails JOIN recordings ON recordings.id = voicemails.recording WHERE ";
const COLUMNS: &str = "voicemails.*, recordings.state, recordings.length_ms";
/// Those that are over and were long enough.
const LISTED: &str = "NOT dropped AND recordings.state IN ('finishing', 'ready', 'failed')";

#[async_trait]
impl Voicemails for Engine {
    async fn begin_voicemail(&self, new: &NewVoicemail) -> Result<(), WriteError> {
        let query = sqlx::query(
            "INSERT INTO voicemails
             (recording, tenant, interaction, service, owner, caller, caller_name, left_at, dropped)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (recording) DO NOTHING",
        );
        let query = query.bind(new.recording.to_string()).bind(new.tenant.to_string());
        let query = query.bind(new.interaction.to_string());
        let query = query.bind(new.to.service().map(|service| service.to_string()));
        let query = query.bind(new.to.owner().map(|owner| owner.to_string()));
        let query = query.bind(new.caller.clone()).bind(new.caller_name.clone());
        query.bind(rows::micros(new.left_at)).bind(false).execute(self.writing()).await?;
        Ok(())
    }

    async fn drop_voicemail(&self, tenant: TenantId, recording: RecordingId) -> Result<(), WriteError> {
        let query = sqlx::query("UPDATE voicemails SET dropped = $1 WHERE recording = $2 AND tenant = $3");
        let query = query.bind(true).bind(recording.to_string()).bind(tenant.to_string());
        query.execute(self.writing()).await?;
        Ok(())
    }

    async fn voicemails(
        &self,
        tenant: TenantId,
        filter: &VoicemailFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<Voicemail>, StoreError> {
        let limit = bounded(limit);
        let mut query = filtered(&format!("SELECT {COLUMNS}"), tenant, filter);
        newest::push_page::<RecordingId>(&mut query, "left_at", "recording", after, limit)?;
        let found = query.build().fetch_all(self.reading()).await?;
        let found = found.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(found, limit, |row| newest::cursor(row.left.left_at, row.left.recording)))
    }

    async fn count_voicemails(&self, tenant: TenantId, filter: &VoicemailFilter) -> Result<u64, StoreError> {
        let mut query = filtered("SELECT COUNT(*) AS many", tenant, filter);
        rows::count(&query.build().fetch_one(self.reading()).await?, "many")
    }

    async fn voicemail(
        &self,
        tenant: TenantId,
        recording: RecordingId,
    ) -> Result<Option<Voicemail>, StoreError> {
        let mut query =
            QueryBuilder::<Db>::new(format!("SELECT {COLUMNS}{JOINED}{LISTED} AND voicemails.tenant = "));
        query
            .push_bind(tenant.to_string())
            .push(" AND voicemails.recording = ")
            .push_bind(recording.to_string());
        query.build().fetch_optional(self.reading()).await?.as_ref().map(read).transpose()
    }

    async fn mark_voicemail(
        &self,
        tenant: TenantId,
        recording: RecordingId,
        heard: Option<(UserId, Timestamp)>,
    ) -> Result<bool, StoreError> {
        let (by, at) = heard.unzip();
        // Who was first stays, unless it is made new again.
        let query = sqlx::query(
            "UPDATE voicemails SET
             heard_by = CASE WHEN $1 IS NULL THEN NULL ELSE COALESCE(heard_by, $1) END,
             heard_at = CASE WHEN $2 IS NULL THEN NULL ELSE COALESCE(heard_at, $2) END
             WHERE recording = $3 AND tenant = $4",
        );
        let query = query.bind(by.map(|by| by.to_string())).bind(at.map(rows::micros));
        let query = query.bind(recording.to_string()).bind(tenant.to_string());
        Ok(query.execute(self.writing()).await?.rows_affected() == 1)
    }

    async fn voicemails_before(
        &self,
        tenant: TenantId,
        service: Option<ServiceId>,
        before: Timestamp,
    ) -> Result<Vec<Recording>, StoreError> {
        let mut query = QueryBuilder::<Db>::new(format!("SELECT recordings.*{JOINED}voicemails.tenant = "));
        query.push_bind(tenant.to_string());
        match service {
            Some(service) => query.push(" AND voicemails.service = ").push_bind(service.to_string()),
            None => query.push(" AND voicemails.service IS NULL"),
        };
        query.push(" AND recordings.state IN ('ready', 'failed') AND (dropped OR left_at < ");
        query.push_bind(rows::micros(before)).push(") ORDER BY left_at, recording LIMIT 1000");
        query.build().fetch_all(self.reading()).await?.iter().map(recordings::read).collect()
    }

    async fn delete_voicemail(&self, tenant: TenantId, recording: RecordingId) -> Result<(), WriteError> {
        let query = sqlx::query("DELETE FROM voicemails WHERE recording = $1 AND tenant = $2");
        query.bind(recording.to_string()).bind(tenant.to_string()).execute(self.writing()).await?;
        Ok(())
    }
}

fn filtered(select: &str, tenant: TenantId, filter: &VoicemailFilter) -> QueryBuilder<Db> {
    let mut query = QueryBuilder::<Db>::new(format!("{select}{JOINED}{LISTED} AND voicemails.tenant = "));
    query.push_bind(tenant.to_string());
    if filter.unheard {
        query.push(" AND heard_at IS NULL");
    }
    match &filter.services {
        Some(services) => {
            query.push(" AND (voicemails.service IN (''");
            for service in services {
                query.push(", ").push_bind(service.to_string());
            }
            query.push(")");
        }
        None => {
            query.push(" AND (voicemails.service IS NOT NULL");
        }
    }
    if let Some(owner) = filter.owner {
        query.push(" OR voicemails.owner = ").push_bind(owner.to_string());
    }
    query.push(")");
    query
}

fn read(row: &Row) -> Result<Voicemail, StoreError> {
    let to = match rows::id_or_none(row, "service")? {
        Some(service) => MessageBox::Service { service },
        None => MessageBox::Own { owner: rows::id(row, "owner")? },
    };
    Ok(Voicemail {
        left: NewVoicemail {
            recording: rows::id(row, "recording")?,
            tenant: rows::id(row, "tenant")?,
            interaction: rows::id(row, "interaction")?,
            to,
            caller: rows::text(row, "caller")?,
            caller_name: rows::text_or_none(row, "caller_name")?,
            left_at: rows::time(row, "left_at")?,
        },
        state: rows::word(row, "state")?,
        length: Duration::from_millis(rows::count(row, "length_ms")?),
        heard: rows::id_or_none(row, "heard_by")?.zip(rows::time_or_none(row, "heard_at")?),
    })
}
