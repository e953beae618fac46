//! Messages of written contacts.

use async_trait::async_trait;
use model::id::{AgentId, InteractionId, TenantId};
use model::journal::Event;
use model::time::Timestamp;
use model::written::{Author, Message};

use super::{Conn, Engine, Row, rows};
use crate::error::StoreError;
use crate::journal::ledger::Line;
use crate::messages::Messages;

/// Messages read at once, at most.
const READ_MAX: u32 = 500;

#[async_trait]
impl Messages for Engine {
    async fn messages(
        &self,
        tenant: TenantId,
        interaction: InteractionId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError> {
        let query = sqlx::query(
            "SELECT number, at, author, agent, text FROM messages
             WHERE interaction = $1 AND tenant = $2 AND number > $3 ORDER BY number LIMIT $4",
        );
        let query = query.bind(interaction.to_string()).bind(tenant.to_string());
        let query = query.bind(i64::from(after)).bind(i64::from(limit.clamp(1, READ_MAX)));
        let found = query.fetch_all(self.reading()).await?;
        found.iter().map(|row| read(tenant, interaction, row)).collect()
    }

    async fn draft(&self, tenant: TenantId, interaction: InteractionId) -> Result<String, StoreError> {
        let query = sqlx::query("SELECT text FROM drafts WHERE interaction = $1 AND tenant = $2");
        let query = query.bind(interaction.to_string()).bind(tenant.to_string());
        let found = query.fetch_optional(self.reading()).await?;
        found.map_or_else(|| Ok(String::new()), |row| rows::text(&row, "text"))
    }

    async fn save_draft(
        &self,
        tenant: TenantId,
        interaction: InteractionId,
        text: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        if text.is_empty() {
            let query = sqlx::query("DELETE FROM drafts WHERE interaction = $1 AND tenant = $2");
            let query = query.bind(interaction.to_string()).bind(tenant.to_string());
            query.execute(self.writing()).await?;
            return Ok(());
        }
        let query = sqlx::query(
            "INSERT INTO drafts (interaction, tenant, at, text) VALUES ($1, $2, $3, $4)
             ON CONFLICT (interaction) DO UPDATE SET at = excluded.at, text = excluded.text",
        );
        let query = query.bind(interaction.to_string()).bind(tenant.to_string()).bind(rows::micros(at));
        query.bind(text.replace('\0', "")).execute(self.writing()).await?;
        Ok(())
    }
}

fn read(tenant: TenantId, interaction: InteractionId, row: &Row) -> Result<Message, StoreError> {
    let author = rows::text(row, "author")?;
    let by = match rows::id_or_none::<AgentId>(row, "agent")? {
        Some(agent) if author == NOTE => Author::Note { agent },
        Some(agent) => Author::Agent { agent },
        None if author == CUSTOMER => Author::Customer,
        None => Author::System,
    };
    let number = u32::try_from(rows::count(row, "number")?).unwrap_or(u32::MAX);
    Ok(Message {
        tenant,
        interaction,
        number,
        at: rows::time(row, "at")?,
        by,
        text: rows::text(row, "text")?,
    })
}

const CUSTOMER: &str = "customer";
const NOTE: &str = "note";

/// Stores the texts that new lines bring, within the journal's transaction.
pub(super) async fn insert(conn: &mut Conn, lines: &[&Line]) -> Result<(), sqlx::Error> {
    for Line { entry, text, .. } in lines {
        let (Event::Written { interaction, number, by }, Some(text)) = (&entry.event, text) else { continue };
        let (author, agent) = match by {
            Author::Customer => (CUSTOMER, None),
            Author::Agent { agent } => ("agent", Some(agent.to_string())),
            Author::System => ("system", None),
            Author::Note { agent } => (NOTE, Some(agent.to_string())),
        };
        let query = sqlx::query(
            "INSERT INTO messages (interaction, number, tenant, at, author, agent, text)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (interaction, number) DO NOTHING",
        );
        let query = query.bind(interaction.to_string()).bind(i64::from(*number));
        let query = query.bind(entry.tenant.to_string()).bind(rows::micros(entry.at)).bind(author);
        if matches!(by, Author::Agent { .. }) {
            // The answer is sent: what was kept of it is old.
            let sent = sqlx::query("DELETE FROM drafts WHERE interaction = $1");
            sent.bind(interaction.to_string()).execute(&mut *conn).await?;
        }
        // PostgreSQL takes no NUL in text, and nothing may stop the journal.
        query.bind(agent).bind(text.replace('\0', "")).execute(&mut *conn).await?;
    }
    Ok(())
}
