//! The journal's tables, and the service records that are folded from them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use model::id::TenantId;
use model::journal::{Entry, Event, Seq};
use sqlx::{AssertSqlSafe, Connection as _};
use tokio::sync::MutexGuard;

use super::{Conn, Engine, Row, dialect, messages, records, rows};
use crate::error::StoreError;
use crate::journal::READ_MAX;
use crate::journal::ledger::{CommitError, Head, Ledger, Line};
use crate::journal::projection::{Changes, Projection};

#[async_trait]
impl Ledger for Engine {
    async fn take_over(&self) -> Result<Vec<(TenantId, Head)>, StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query("UPDATE journal_heads SET epoch = epoch + 1").execute(&mut *tx).await?;
        let found = sqlx::query("SELECT tenant, seq, epoch FROM journal_heads").fetch_all(&mut *tx).await?;
        let found = found.iter().map(|row| Ok((rows::id(row, "tenant")?, head(row)?)));
        let found = found.collect::<Result<Vec<_>, StoreError>>()?;
        tx.commit().await?;
        *self.projection.lock().await = Projection::default();
        for (tenant, head) in &found {
            self.catch_up(*tenant, *head).await?;
        }
        Ok(found)
    }

    async fn take_over_one(&self, tenant: TenantId) -> Result<Head, StoreError> {
        let query = sqlx::query(
            "INSERT INTO journal_heads (tenant, seq, epoch) VALUES ($1, 0, 1)
             ON CONFLICT (tenant) DO UPDATE SET epoch = journal_heads.epoch + 1 RETURNING seq, epoch",
        );
        let head = head(&query.bind(tenant.to_string()).fetch_one(self.writing()).await?)?;
        self.catch_up(tenant, head).await?;
        Ok(head)
    }

    async fn commit(
        &self,
        lines: &[Line],
        heads: &[(TenantId, Head)],
        save: usize,
    ) -> Result<usize, CommitError> {
        let mut projection = self.projection.lock().await;
        let mut conn = self.journal_connection().await?;
        let mut tx = conn.begin_with(dialect::BEGIN).await?;
        let stored = lock_heads(&mut tx, heads).await?;
        let is_new = |line: &&Line| {
            stored.iter().any(|(tenant, seq)| *tenant == line.entry.tenant && line.entry.seq > *seq)
        };
        let new: Vec<&Line> = lines.iter().filter(is_new).collect();
        insert(&mut tx, &new).await?;
        messages::insert(&mut tx, &new).await?;
        // All lines, not the new ones alone: a commit whose answer was lost was not folded here.
        let entries: Vec<&Entry> = lines.iter().map(|line| &*line.entry).collect();
        let changes = fold(&projection, &mut tx, &entries).await?;
        let plan = projection.plan(&changes, heads, save);
        records::save(&mut tx, &plan.save).await?;
        for ((tenant, head), (_, folded)) in heads.iter().zip(&plan.folded) {
            let stored = stored.iter().find(|(of, _)| of == tenant).map_or(Seq(0), |(_, seq)| *seq);
            sqlx::query("UPDATE journal_heads SET seq = $2, folded = $3 WHERE tenant = $1")
                .bind(tenant.to_string())
                .bind(rows::signed(head.seq.0.max(stored.0)))
                .bind(rows::signed(folded.0))
                .execute(&mut *tx)
                .await?;
        }
        let saved = plan.ids();
        tx.commit().await?;
        projection.keep(changes, heads, &saved);
        self.keep_journal_connection(conn);
        Ok(projection.unsaved())
    }

    async fn save_changed(&self, at_most: usize) -> Result<usize, StoreError> {
        let mut projection = self.projection.lock().await;
        if projection.unsaved() == 0 {
            return Ok(0);
        }
        let mut conn = self.journal_connection().await?;
        let mut tx = conn.begin_with(dialect::BEGIN).await?;
        let (heads, none) = (projection.heads(), Changes::default());
        let plan = projection.plan(&none, &heads, at_most);
        for ((tenant, head), (_, folded)) in heads.iter().zip(&plan.folded) {
            if !move_folded(&mut tx, *tenant, head.epoch, *folded).await? {
                // Another writer has folded these entries.
                *projection = Projection::default();
                return Ok(0);
            }
        }
        records::save(&mut tx, &plan.save).await?;
        let saved = plan.ids();
        tx.commit().await?;
        projection.saved(&saved);
        self.keep_journal_connection(conn);
        Ok(projection.unsaved())
    }

    async fn read_entries(&self, tenant: TenantId, from: Seq, limit: u32) -> Result<Vec<Entry>, StoreError> {
        // The block that holds the place, and those after it.
        let query = sqlx::query(
            "SELECT first, entries FROM journal_blocks WHERE tenant = $1 AND first >= COALESCE(
                 (SELECT MAX(first) FROM journal_blocks WHERE tenant = $1 AND first <= $2), 0)
             ORDER BY first",
        );
        let query = query.bind(tenant.to_string()).bind(rows::signed(from.0));
        let mut blocks = query.fetch(self.reading());
        let limit = limit as usize;
        let mut found = Vec::new();
        while found.len() < limit
            && let Some(row) = blocks.try_next().await?
        {
            let first = rows::count(&row, "first")?;
            let block: Vec<(i64, Event)> = rows::json(&row, "entries")?;
            let wanted = (first..).zip(block).filter(|(seq, _)| *seq >= from.0).take(limit - found.len());
            for (seq, (at, event)) in wanted {
                found.push(Entry { seq: Seq(seq), tenant, at: rows::from_micros("entries", at)?, event });
            }
        }
        Ok(found)
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

/// Where each tenant's log stands, held until the transaction ends.
///
/// A commit whose answer was lost may have happened: then the log already stands further on. A head with another epoch belongs to
/// another writer.
async fn lock_heads(
    conn: &mut Conn,
    heads: &[(TenantId, Head)],
) -> Result<Vec<(TenantId, Seq)>, CommitError> {
    let mut stored = Vec::with_capacity(heads.len());
    for (tenant, wanted) in heads {
        let sql = format!("SELECT seq, epoch FROM journal_heads WHERE tenant = $1{}", dialect::FOR_UPDATE);
        let row = sqlx::query(AssertSqlSafe(sql)).bind(tenant.to_string()).fetch_optional(&mut *conn).await?;
        let found = row.as_ref().map(head).transpose()?.filter(|found| found.epoch == wanted.epoch);
        let Some(found) = found else { return Err(CommitError::Fenced) };
        stored.push((*tenant, found.seq));
    }
    Ok(stored)
}

/// The lines of each tenant as one row. A tenant's lines stand in order and without a gap.
async fn insert(conn: &mut Conn, lines: &[&Line]) -> Result<(), sqlx::Error> {
    let mut blocks: BTreeMap<TenantId, (Seq, String)> = BTreeMap::new();
    for Line { entry, payload, .. } in lines {
        let (_, block) = blocks.entry(entry.tenant).or_insert_with(|| (entry.seq, String::new()));
        block.push(if block.is_empty() { '[' } else { ',' });
        // Nothing fails that writes into a string.
        write!(block, "[{},{payload}]", rows::micros(entry.at)).ok();
    }
    for (tenant, (first, mut entries)) in blocks {
        entries.push(']');
        let query = sqlx::query("INSERT INTO journal_blocks (tenant, first, entries) VALUES ($1, $2, $3)");
        let query = query.bind(tenant.to_string()).bind(rows::signed(first.0)).bind(entries);
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

/// Folds entries, reading the records that are not known.
async fn fold(projection: &Projection, conn: &mut Conn, entries: &[&Entry]) -> Result<Changes, StoreError> {
    let mut changes = projection.begin(entries.iter().copied());
    let unknown = changes.unknown();
    let stored = records::load(conn, &unknown).await?;
    changes.know(&unknown, stored);
    changes.fold(entries.iter().copied());
    Ok(changes)
}

/// Says up to which entry all records of a tenant are in their table, unless another writer says so by now.
async fn move_folded(conn: &mut Conn, tenant: TenantId, epoch: u64, folded: Seq) -> Result<bool, StoreError> {
    let query = sqlx::query("UPDATE journal_heads SET folded = $2 WHERE tenant = $1 AND epoch = $3");
    let query = query.bind(tenant.to_string()).bind(rows::signed(folded.0)).bind(rows::signed(epoch));
    Ok(query.execute(conn).await?.rows_affected() == 1)
}

impl Engine {
    /// Folds what the last writer had not saved: it was killed, or the database was away.
    async fn catch_up(&self, tenant: TenantId, head: Head) -> Result<(), StoreError> {
        let query =
            sqlx::query("SELECT folded FROM journal_heads WHERE tenant = $1").bind(tenant.to_string());
        let mut folded = Seq(rows::count(&query.fetch_one(self.writing()).await?, "folded")?);
        while folded < head.seq {
            let entries = self.read_entries(tenant, Seq(folded.0 + 1), READ_MAX).await?;
            let Some(last) = entries.last() else { break };
            let entries: Vec<&Entry> = entries.iter().collect();
            let mut tx = self.begin().await?;
            let changes = fold(&Projection::default(), &mut tx, &entries).await?;
            records::save(&mut tx, &changes.all()).await?;
            if !move_folded(&mut tx, tenant, head.epoch, last.seq).await? {
                // The next writer is there already, and does it.
                break;
            }
            tx.commit().await?;
            folded = last.seq;
        }
        Ok(())
    }

    /// The same, and no record changes until the guard is dropped.
    pub(super) async fn hold_records(&self) -> MutexGuard<'_, Projection> {
        for _ in 0..3 {
            self.with_saved_records().await;
            let projection = self.projection.lock().await;
            if projection.unsaved() == 0 {
                return projection;
            }
        }
        self.projection.lock().await
    }

    /// Has changed records saved, so that who reads the table now sees all that is durable. Waits 2 s at most: a database that takes no
    /// writing can still be read.
    pub(super) async fn with_saved_records(&self) {
        let saved = tokio::time::timeout(Duration::from_secs(2), self.save_changed(usize::MAX)).await;
        match saved {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "records are read while the newest cannot be saved"),
            Err(_) => tracing::warn!("records are read while the newest wait to be saved"),
        }
    }
}
