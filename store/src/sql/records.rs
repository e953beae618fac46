//! Service records: filter columns beside the document.

use std::sync::LazyLock;

use async_trait::async_trait;
use model::id::{InteractionId, TenantId};
use model::interaction::ServiceRecord;
use model::journal::Seq;
use model::time::Timestamp;
use sqlx::QueryBuilder;

use super::rows::{json, micros, to_json, to_word};
use super::{Conn, Db, Engine, Query, dialect, newest, rows};
use crate::error::StoreError;
use crate::journal::projection::Folded;
use crate::page::{Cursor, Page, bounded};
use crate::records::{RecordFilter, Records, is_unfinished};

const COLUMNS: [&str; 15] = [
    "interaction",
    "tenant",
    "channel",
    "direction",
    "caller",
    "contact",
    "agent",
    "calling_agent",
    "service",
    "disposition",
    "arrived_at",
    "status",
    "unfinished",
    "document",
    "folded",
];

/// What can change after the arrival. SQLite rewrites each index of which a column is set here, so this is worth a list.
const CHANGING: [&str; 7] = ["agent", "service", "disposition", "status", "unfinished", "document", "folded"];

/// Rows of one statement: a few sizes, so that few statements are prepared.
const CHUNKS: [usize; 3] = [32, 8, 1];

#[async_trait]
impl Records for Engine {
    async fn save_record(&self, record: &ServiceRecord) -> Result<(), StoreError> {
        let mut projection = self.hold_records().await;
        let mut tx = self.begin().await?;
        // An import may correct what an update of a live record never touches.
        let query = sqlx::query("DELETE FROM service_records WHERE interaction = $1");
        query.bind(record.interaction.to_string()).execute(&mut *tx).await?;
        let query = sqlx::query("SELECT seq FROM journal_heads WHERE tenant = $1");
        let head = query.bind(record.tenant.to_string()).fetch_optional(&mut *tx).await?;
        // What the journal said so far is not folded into it again.
        let seq = Seq(head.map_or(Ok(0), |row| rows::count(&row, "seq"))?);
        save(&mut tx, &[&Folded { record: record.clone(), seq }]).await?;
        tx.commit().await?;
        projection.forget(record.interaction);
        Ok(())
    }

    async fn record(&self, tenant: TenantId, id: InteractionId) -> Result<Option<ServiceRecord>, StoreError> {
        self.with_saved_records().await;
        let query =
            sqlx::query("SELECT document FROM service_records WHERE interaction = $1 AND tenant = $2");
        let found =
            query.bind(id.to_string()).bind(tenant.to_string()).fetch_optional(self.reading()).await?;
        found.map(|row| json(&row, "document")).transpose()
    }

    async fn records(
        &self,
        tenant: TenantId,
        filter: &RecordFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<ServiceRecord>, StoreError> {
        self.with_saved_records().await;
        let limit = bounded(limit);
        let mut query = QueryBuilder::<Db>::new("SELECT document FROM service_records WHERE tenant = ");
        query.push_bind(tenant.to_string());
        push_filter(&mut query, filter);
        newest::push_page::<InteractionId>(&mut query, "arrived_at", "interaction", after, limit)?;
        let found = query.build().fetch_all(self.reading()).await?;
        let found =
            found.iter().map(|row| json(row, "document")).collect::<Result<Vec<ServiceRecord>, _>>()?;
        Ok(Page::cut(found, limit, |record| newest::cursor(record.arrived_at, record.interaction)))
    }

    async fn unfinished_records(
        &self,
        tenant: TenantId,
        after: Option<(Timestamp, InteractionId)>,
    ) -> Result<Vec<ServiceRecord>, StoreError> {
        self.with_saved_records().await;
        let query = sqlx::query(
            "SELECT document FROM service_records WHERE tenant = $1 AND unfinished AND (arrived_at, interaction) > ($2, $3)
             ORDER BY arrived_at, interaction LIMIT 10000",
        );
        // Nothing comes before the empty text.
        let (at, id) = after.map_or((-1, String::new()), |(at, id)| (micros(at), id.to_string()));
        let query = query.bind(tenant.to_string()).bind(at).bind(id);
        let found = query.fetch_all(self.reading()).await?;
        found.iter().map(|row| json(row, "document")).collect()
    }
}

/// Inserts or replaces records, each interaction at most once in `records`.
pub(super) async fn save(conn: &mut Conn, records: &[&Folded]) -> Result<(), sqlx::Error> {
    static STATEMENTS: LazyLock<[String; CHUNKS.len()]> = LazyLock::new(|| CHUNKS.map(upsert));
    let mut rest = records;
    for (size, sql) in CHUNKS.into_iter().zip(&*STATEMENTS) {
        while rest.len() >= size {
            let (now, later) = rest.split_at(size);
            let query = sqlx::query(sql.as_str());
            now.iter().fold(query, bind).execute(&mut *conn).await?;
            rest = later;
        }
    }
    save_agents(conn, records).await
}

/// Whose else a record is. Once in, they stay: nobody's part is taken back.
async fn save_agents(conn: &mut Conn, records: &[&Folded]) -> Result<(), sqlx::Error> {
    for folded in records {
        for agent in folded.record.others() {
            let query = sqlx::query(
                "INSERT INTO record_agents (agent, interaction) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            );
            let query = query.bind(agent.to_string()).bind(folded.record.interaction.to_string());
            query.execute(&mut *conn).await?;
        }
    }
    Ok(())
}

/// The records of interactions, as the projector needs them: within its transaction. One that cannot be read is left out, for it must not stop
/// the journal; its entries stay, so it can be folded again.
pub(super) async fn load(conn: &mut Conn, ids: &[InteractionId]) -> Result<Vec<Folded>, StoreError> {
    static STATEMENTS: LazyLock<[String; CHUNKS.len()]> = LazyLock::new(|| CHUNKS.map(select));
    let mut found = Vec::new();
    let mut rest = ids;
    for (size, sql) in CHUNKS.into_iter().zip(&*STATEMENTS) {
        while rest.len() >= size {
            let (now, later) = rest.split_at(size);
            let query = now.iter().fold(sqlx::query(sql.as_str()), |query, id| query.bind(id.to_string()));
            for row in query.fetch_all(&mut *conn).await? {
                let folded = json(&row, "document")
                    .and_then(|record| Ok(Folded { record, seq: Seq(rows::count(&row, "folded")?) }));
                match folded {
                    Ok(folded) => found.push(folded),
                    Err(error) => {
                        let interaction = rows::text(&row, "interaction").unwrap_or_default();
                        tracing::error!(interaction, %error, "a service record cannot be read");
                    }
                }
            }
            rest = later;
        }
    }
    Ok(found)
}

fn select(size: usize) -> String {
    let holes = (1..=size).map(dialect::hole).collect::<Vec<_>>().join(", ");
    format!("SELECT interaction, document, folded FROM service_records WHERE interaction IN ({holes})")
}

fn upsert(size: usize) -> String {
    let sets = CHANGING.map(|c| format!("{c} = excluded.{c}"));
    format!(
        "INSERT INTO service_records ({}) VALUES {} ON CONFLICT (interaction) DO UPDATE SET {}
         WHERE service_records.folded <= excluded.folded",
        COLUMNS.join(", "),
        rows::holes(size, COLUMNS.len()),
        sets.join(", ")
    )
}

fn bind<'q>(query: Query<'q>, folded: &&Folded) -> Query<'q> {
    let Folded { record, seq } = *folded;
    let query = query.bind(record.interaction.to_string()).bind(record.tenant.to_string());
    let query = query.bind(to_word(&record.channel)).bind(to_word(&record.direction));
    let query = query.bind(lowered(&record.caller)).bind(lowered(&record.contact));
    let query = query.bind(record.agent.map(|id| id.to_string()));
    let query = query.bind(record.calling_agent.map(|id| id.to_string()));
    let query = query.bind(record.service.map(|id| id.to_string()));
    let query = query.bind(record.disposition.map(|id| id.to_string())).bind(micros(record.arrived_at));
    let query = query.bind(record.status.map(|status| to_word(&status))).bind(is_unfinished(record));
    query.bind(to_json(record)).bind(rows::signed(seq.0))
}

/// A number as it is looked for: lower case, and without NUL, which PostgreSQL does not take in text.
fn lowered(number: &str) -> String {
    number.to_lowercase().replace('\0', "")
}

fn push_filter(query: &mut QueryBuilder<Db>, filter: &RecordFilter) {
    if let Some(from) = filter.from {
        query.push(" AND arrived_at >= ").push_bind(micros(from));
    }
    if let Some(to) = filter.to {
        query.push(" AND arrived_at < ").push_bind(micros(to));
    }
    if let Some(agent) = filter.agent.map(|id| id.to_string()) {
        query.push(" AND (agent = ").push_bind(agent.clone());
        query.push(" OR calling_agent = ").push_bind(agent.clone());
        query.push(" OR interaction IN (SELECT interaction FROM record_agents WHERE agent = ");
        query.push_bind(agent).push("))");
    }
    let words = [
        (" AND service = ", filter.service.map(|id| id.to_string())),
        (" AND direction = ", filter.direction.map(|direction| to_word(&direction))),
        (" AND status = ", filter.status.map(|status| to_word(&status))),
    ];
    for (condition, value) in words {
        if let Some(value) = value {
            query.push(condition).push_bind(value);
        }
    }
    if !filter.channels.is_empty() {
        let mut channels = query.push(" AND channel IN (").separated(", ");
        for channel in &filter.channels {
            channels.push_bind(to_word(channel));
        }
        query.push(")");
    }
    for (condition, part) in [(" AND caller LIKE ", &filter.caller), (" AND contact LIKE ", &filter.contact)]
    {
        if let Some(part) = part {
            let part = lowered(part).replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            query.push(condition).push_bind(format!("%{part}%")).push(" ESCAPE '\\'");
        }
    }
}
