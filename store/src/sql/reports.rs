//! What agents reported as not working.

use async_trait::async_trait;
use model::id::{ReportId, TenantId, UserId};
use model::report::Report;
use model::time::Timestamp;
use sqlx::QueryBuilder;

use super::rows::{count, id, id_or_none, micros, signed, text, time, time_or_none, to_word, word};
use super::{Db, Engine, Row, newest};
use crate::error::StoreError;
use crate::page::{Cursor, Page, bounded};
use crate::reports::Reports;

/// All columns but the log, which is long.
const COLUMNS: &str = "id, tenant, at, agent, interaction, fault, remark, log_size, done_by, done_at";

#[async_trait]
impl Reports for Engine {
    async fn insert_report(&self, report: &Report, log: &str) -> Result<(), StoreError> {
        let query = sqlx::query(
            "INSERT INTO reports (id, tenant, at, agent, interaction, fault, remark, log, log_size)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        );
        let query = query.bind(report.id.to_string()).bind(report.tenant.to_string());
        let query = query.bind(micros(report.at)).bind(report.agent.to_string());
        let query = query.bind(report.interaction.map(|interaction| interaction.to_string()));
        let query = query.bind(to_word(&report.fault)).bind(&report.remark).bind(log);
        let query = query.bind(signed(report.log_size));
        query.execute(self.writing()).await?;
        Ok(())
    }

    async fn reports(
        &self,
        tenant: TenantId,
        open: bool,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<Report>, StoreError> {
        let limit = bounded(limit);
        let mut query = QueryBuilder::<Db>::new(format!("SELECT {COLUMNS} FROM reports WHERE tenant = "));
        query.push_bind(tenant.to_string());
        if open {
            query.push(" AND done_at IS NULL");
        }
        newest::push_page::<ReportId>(&mut query, "at", "id", after, limit)?;
        let found = query.build().fetch_all(self.reading()).await?;
        let found = found.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(found, limit, |report| newest::cursor(report.at, report.id)))
    }

    async fn report(&self, tenant: TenantId, id: ReportId) -> Result<Option<Report>, StoreError> {
        let mut query = QueryBuilder::<Db>::new(format!("SELECT {COLUMNS} FROM reports WHERE id = "));
        query.push_bind(id.to_string()).push(" AND tenant = ").push_bind(tenant.to_string());
        query.build().fetch_optional(self.reading()).await?.as_ref().map(read).transpose()
    }

    async fn report_log(&self, tenant: TenantId, id: ReportId) -> Result<Option<String>, StoreError> {
        let query = sqlx::query("SELECT log FROM reports WHERE id = $1 AND tenant = $2");
        let query = query.bind(id.to_string()).bind(tenant.to_string());
        query.fetch_optional(self.reading()).await?.as_ref().map(|row| text(row, "log")).transpose()
    }

    async fn open_reports(&self, tenant: TenantId) -> Result<u64, StoreError> {
        let query = "SELECT COUNT(*) AS many FROM reports WHERE tenant = $1 AND done_at IS NULL";
        let row = sqlx::query(query).bind(tenant.to_string()).fetch_one(self.reading()).await?;
        count(&row, "many")
    }

    async fn reports_of(&self, agent: UserId, since: Timestamp) -> Result<u64, StoreError> {
        let query = sqlx::query("SELECT COUNT(*) AS many FROM reports WHERE agent = $1 AND at >= $2");
        let row = query.bind(agent.to_string()).bind(micros(since)).fetch_one(self.reading()).await?;
        count(&row, "many")
    }

    async fn mark_report(
        &self,
        tenant: TenantId,
        id: ReportId,
        done: Option<(UserId, Timestamp)>,
    ) -> Result<(), StoreError> {
        let query =
            sqlx::query("UPDATE reports SET done_by = $3, done_at = $4 WHERE id = $1 AND tenant = $2");
        let query = query.bind(id.to_string()).bind(tenant.to_string());
        let query = query.bind(done.map(|(by, _)| by.to_string())).bind(done.map(|(_, at)| micros(at)));
        query.execute(self.writing()).await?;
        Ok(())
    }

    async fn forget_reports(&self, tenant: TenantId, before: Timestamp) -> Result<u64, StoreError> {
        let query = sqlx::query(
            "DELETE FROM reports WHERE id IN
             (SELECT id FROM reports WHERE tenant = $1 AND at < $2 ORDER BY at LIMIT 1000)",
        );
        let query = query.bind(tenant.to_string()).bind(micros(before));
        Ok(query.execute(self.writing()).await?.rows_affected())
    }
}

fn read(row: &Row) -> Result<Report, StoreError> {
    Ok(Report {
        id: id(row, "id")?,
        tenant: id(row, "tenant")?,
        at: time(row, "at")?,
        agent: id(row, "agent")?,
        interaction: id_or_none(row, "interaction")?,
        fault: word(row, "fault")?,
        remark: text(row, "remark")?,
        log_size: count(row, "log_size")?,
        done: id_or_none(row, "done_by")?.zip(time_or_none(row, "done_at")?),
    })
}
