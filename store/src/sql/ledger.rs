//! The journal's tables, and the projection of service records within the same transaction.

use std::sync::LazyLock;

use async_trait::async_trait;
use model::id::TenantId;
use model::journal::{Entry, Seq};
use sqlx::{AssertSqlSafe, Connection as _};

use super::{Conn, Engine, Row, dialect, messages, records, rows};
use crate::error::StoreError;
use crate::journal::ledger::{CommitError, Head, Ledger, Line};

/// Rows of one statement: a few sizes, so that few statements are prepared.
const CHUNKS: [usize; 4] = [256, 32, 4, 1];

#[async_trait]
impl Ledger for Engine {
    async fn take_over(&self) -> Result<Vec<(TenantId, Head)>, StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query("UPDATE journal_heads SET epoch = epoch + 1").execute(&mut *tx).await?;
        let found = sqlx::query("SELECT tenant, seq, epoch FROM journal_heads").fetch_all(&mut *tx).await?;
        let found = found.iter().map(|row| Ok((rows::id(row, "tenant")?, head(row)?))).collect();
        tx.commit().await?;
        found
    }

    async fn take_over_one(&self, tenant: TenantId) -> Result<Head, StoreError> {
        let query = sqlx::query(
            "INSERT INTO journal_heads (tenant, seq, epoch) VALUES ($1, 0, 1)
             ON CONFLICT (tenant) DO UPDATE SET epoch = journal_heads.epoch + 1 RETURNING seq, epoch",
        );
        head(&query.bind(tenant.to_string()).fetch_one(self.writing()).await?)
    }

    async fn commit(&self, lines: &[Line], heads: &[(TenantId, Head)]) -> Result<(), CommitError> {
        let mut projection = self.projection.lock().await;
        let mut conn = self.journal_connection().await?;
        let mut tx = conn.begin_with(dialect::BEGIN).await?;
        let new = move_heads(&mut tx, lines, heads).await?;
        insert(&mut tx, &new).await?;
        messages::insert(&mut tx, &new).await?;
        let mut changes = projection.begin(new.iter().map(|line| &*line.entry));
        for id in changes.unknown() {
            let stored = match records::load(&mut tx, id).await {
                // A record that cannot be read must not stop the journal; its entries stay, so it can be folded again.
                Err(StoreError::Corrupt { column, detail }) => {
                    tracing::error!(interaction = %id, column, detail, "a service record cannot be read");
                    None
                }
                other => other?,
            };
            changes.know(id, stored);
        }
        let changed = changes.fold(new.iter().map(|line| &*line.entry));
        records::save(&mut tx, &changed).await?;
        tx.commit().await?;
        projection.keep(changed);
        self.keep_journal_connection(conn);
        Ok(())
    }

    async fn read_entries(&self, tenant: TenantId, from: Seq, limit: u32) -> Result<Vec<Entry>, StoreError> {
        let query = sqlx::query(
            "SELECT seq, at, payload FROM journal WHERE tenant = $1 AND seq >= $2 ORDER BY seq LIMIT $3",
        );
        let query = query.bind(tenant.to_string()).bind(rows::signed(from.0)).bind(i64::from(limit));
        let entry = |row: &Row| {
            let (seq, at) = (Seq(rows::count(row, "seq")?), rows::time(row, "at")?);
            Ok(Entry { seq, tenant, at, event: rows::json(row, "payload")? })
        };
        query.fetch_all(self.reading()).await?.iter().map(entry).collect()
    }

    async fn last_seq(&self, tenant: TenantId) -> Result<Seq, StoreError> {
        let query = sqlx::query("SELECT seq FROM journal_heads WHERE tenant = $1").bind(tenant.to_string());
        let found = query.fetch_optional(self.reading()).await?;
        found.map_or(Ok(Seq(0)), |row| Ok(Seq(rows::count(&row, "seq")?)))
    }

    async fn shut(&self) {
        self.close().await;
    }
}

fn head(row: &Row) -> Result<Head, StoreError> {
    Ok(Head { seq: Seq(rows::count(row, "seq")?), epoch: rows::count(row, "epoch")? })
}

/// Moves each tenant's head to its last line here, and gives the lines that are not yet in the database.
///
/// A commit whose answer was lost may have happened: then the head already stands further on, and those lines are
/// left out. A head with another epoch belongs to another writer.
async fn move_heads<'a>(
    conn: &mut Conn,
    lines: &'a [Line],
    heads: &[(TenantId, Head)],
) -> Result<Vec<&'a Line>, CommitError> {
    let mut stored = Vec::with_capacity(heads.len());
    for (tenant, wanted) in heads {
        let sql = format!("SELECT seq, epoch FROM journal_heads WHERE tenant = $1{}", dialect::FOR_UPDATE);
        let row = sqlx::query(AssertSqlSafe(sql)).bind(tenant.to_string()).fetch_optional(&mut *conn).await?;
        let found = row.as_ref().map(head).transpose()?.filter(|found| found.epoch == wanted.epoch);
        let Some(found) = found else { return Err(CommitError::Fenced) };
        if wanted.seq > found.seq {
            sqlx::query("UPDATE journal_heads SET seq = $2 WHERE tenant = $1")
                .bind(tenant.to_string())
                .bind(rows::signed(wanted.seq.0))
                .execute(&mut *conn)
                .await?;
        }
        stored.push((*tenant, found.seq));
    }
    let is_new = |line: &&Line| {
        stored.iter().any(|(tenant, seq)| *tenant == line.entry.tenant && line.entry.seq > *seq)
    };
    Ok(lines.iter().filter(is_new).collect())
}

async fn insert(conn: &mut Conn, lines: &[&Line]) -> Result<(), sqlx::Error> {
    static STATEMENTS: LazyLock<[String; CHUNKS.len()]> = LazyLock::new(|| CHUNKS.map(statement));
    let mut rest = lines;
    for (size, sql) in CHUNKS.into_iter().zip(&*STATEMENTS) {
        while rest.len() >= size {
            let (now, later) = rest.split_at(size);
            let mut query = sqlx::query(sql.as_str());
            for Line { entry, payload, .. } in now {
                query = query.bind(entry.tenant.to_string()).bind(rows::signed(entry.seq.0));
                query = query.bind(rows::micros(entry.at)).bind(&**payload);
            }
            query.execute(&mut *conn).await?;
            rest = later;
        }
    }
    Ok(())
}

fn statement(size: usize) -> String {
    format!("INSERT INTO journal (tenant, seq, at, payload) VALUES {}", rows::holes(size, 4))
}
