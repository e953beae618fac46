//! What agents reported as not working (QUAL-03).

use async_trait::async_trait;
use model::id::{ReportId, TenantId, UserId};
use model::report::Report;
use model::time::Timestamp;

use crate::error::StoreError;
use crate::page::{Cursor, Page};

/// Reports.
#[async_trait]
pub trait Reports: Send + Sync {
    /// Keeps a report and what came along of the page's log.
    async fn insert_report(&self, report: &Report, log: &str) -> Result<(), StoreError>;
    /// A page of reports, newest first; `open`: only those that nobody has dealt with.
    async fn reports(
        &self,
        tenant: TenantId,
        open: bool,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<Report>, StoreError>;
    /// One report.
    async fn report(&self, tenant: TenantId, id: ReportId) -> Result<Option<Report>, StoreError>;
    /// What came along of the page's log; `None`: there is no such report.
    async fn report_log(&self, tenant: TenantId, id: ReportId) -> Result<Option<String>, StoreError>;
    /// How many nobody has dealt with.
    async fn open_reports(&self, tenant: TenantId) -> Result<u64, StoreError>;
    /// How many somebody made since a time.
    async fn reports_of(&self, agent: UserId, since: Timestamp) -> Result<u64, StoreError>;
    /// That somebody has dealt with it, or that it is open again.
    async fn mark_report(
        &self,
        tenant: TenantId,
        id: ReportId,
        done: Option<(UserId, Timestamp)>,
    ) -> Result<(), StoreError>;
    /// Forgets reports made before a time, at most 1,000 of them; how many those were.
    async fn forget_reports(&self, tenant: TenantId, before: Timestamp) -> Result<u64, StoreError>;
}
