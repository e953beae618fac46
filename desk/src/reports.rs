//! What agents report as not working, and what administrators make of it (QUAL-03, QUAL-04).

use std::time::Duration;

use model::id::{InteractionId, ReportId, UserId};
use model::people::Privilege;
use model::report::{Fault, LOG_MAX, REMARK_MAX, Report};
use model::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::audit::Actor;
use crate::auth::Identity;
use crate::configuration::Configuration;
use crate::page::{Cursor, Page};
use crate::refusal::Refusal;
use crate::start::DeskHandle;
use crate::trouble::read;

/// How long reports are kept.
pub(crate) const KEPT_DAYS: u32 = 90;
/// One agent makes at most so many an hour: more say nothing new, and each may bring a log.
const AN_HOUR_MAX: u64 = 20;
const HOUR: Duration = Duration::from_secs(3_600);

/// What is not working.
#[derive(Clone, Debug)]
pub struct NewReport {
    /// In which call; `None`: in none in particular.
    pub interaction: Option<InteractionId>,
    /// What.
    pub fault: Fault,
    /// In the agent's words.
    pub remark: String,
    /// A part of the page's log; empty: none.
    pub log: String,
}

/// A report as administrators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReportView {
    /// Its id.
    #[schema(value_type = String)]
    pub id: ReportId,
    /// When it was made, in milliseconds since 1970.
    pub at: u64,
    /// Who made it.
    #[schema(value_type = String)]
    pub agent: UserId,
    /// That person's name.
    pub agent_name: String,
    /// In which call; null: in none in particular.
    #[schema(value_type = Option<String>)]
    pub interaction: Option<InteractionId>,
    /// `echo`, `noise`, `distortion`, `sound_lost`, `ended_unexpectedly` or `other`.
    #[schema(value_type = String)]
    pub fault: Fault,
    /// In the agent's words.
    pub remark: String,
    /// Octets of the page's log that came along; 0: none.
    pub log_size: u64,
    /// When an administrator dealt with it; null: it is open.
    pub done_at: Option<u64>,
    /// Who did.
    pub done_by_name: Option<String>,
}

impl ReportView {
    fn new(report: Report, names: &Configuration) -> Self {
        let name = |user: UserId| names.users.get(&user).map(|user| user.name.clone());
        let (done_by, done_at) = report.done.unzip();
        Self {
            id: report.id,
            at: report.at.millis(),
            agent: report.agent,
            agent_name: name(report.agent).unwrap_or_default(),
            interaction: report.interaction,
            fault: report.fault,
            remark: report.remark,
            log_size: report.log_size,
            done_at: done_at.map(Timestamp::millis),
            done_by_name: done_by.and_then(name),
        }
    }
}

impl DeskHandle {
    /// An agent reports something, in a call of theirs or in none.
    pub async fn report(&self, who: &Identity, new: NewReport) -> Result<ReportView, Refusal> {
        who.needs(Privilege::TakeInteractions)?;
        if new.remark.chars().count() > REMARK_MAX {
            return Err(Refusal::field("/remark", format!("at most {REMARK_MAX} characters")));
        }
        if new.fault == Fault::Other && new.remark.trim().is_empty() {
            return Err(Refusal::field("/remark", "say what it was"));
        }
        if new.log.len() > LOG_MAX {
            return Err(Refusal::field("/log", format!("at most {LOG_MAX} octets: its last part will do")));
        }
        // PostgreSQL keeps no text with it.
        if [&new.log, &new.remark].into_iter().any(|text| text.contains('\0')) {
            return Err(Refusal::field("/log", "text without the character U+0000"));
        }
        if let Some(interaction) = new.interaction {
            // Whoever may not see a call has nothing to report of it.
            self.record(who, interaction).await?;
        }
        let (now, store) = (self.now(), self.store().reports());
        let since = Timestamp::from_micros(
            now.micros().saturating_sub(u64::try_from(HOUR.as_micros()).unwrap_or(u64::MAX)),
        );
        if store.reports_of(who.user.id, since).await.map_err(read)? >= AN_HOUR_MAX {
            return Err(Refusal::NotNow {
                why: "You have reported a lot within an hour. The administrators will look at it.",
            });
        }
        let report = Report {
            id: self.0.sources.id(),
            tenant: self.tenant(),
            at: now,
            agent: who.user.id,
            interaction: new.interaction,
            fault: new.fault,
            remark: new.remark.trim().to_owned(),
            log_size: new.log.len() as u64,
            done: None,
        };
        store.insert_report(&report, &new.log).await.map_err(read)?;
        self.0.metrics.reports.with_label_values(&[report.fault.name()]).inc();
        tracing::info!(report = %report.id, interaction = ?report.interaction, fault = report.fault.name(), "an agent reports a problem");
        Ok(ReportView::new(report, &self.configuration()))
    }

    /// A page of reports, newest first; `open`: only those that nobody has dealt with.
    pub async fn reports(
        &self,
        who: &Identity,
        open: bool,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<ReportView>, Refusal> {
        who.needs(Privilege::Administer)?;
        let page = self.store().reports().reports(self.tenant(), open, after, limit).await.map_err(read)?;
        let names = self.configuration();
        let items = page.items.into_iter().map(|report| ReportView::new(report, &names)).collect();
        Ok(Page { items, next: page.next })
    }

    /// How many nobody has dealt with.
    pub async fn open_reports(&self, who: &Identity) -> Result<u64, Refusal> {
        who.needs(Privilege::Administer)?;
        self.store().reports().open_reports(self.tenant()).await.map_err(read)
    }

    /// The log that came along with a report. Audited: names and numbers may be in it.
    pub async fn report_log(&self, who: &Identity, id: ReportId, actor: Actor) -> Result<String, Refusal> {
        who.needs(Privilege::Administer)?;
        let log = self.store().reports().report_log(self.tenant(), id).await.map_err(read)?;
        let log = log.filter(|log| !log.is_empty()).ok_or(Refusal::missing("log"))?;
        self.audit().record(actor, "report.log", id, serde_json::json!({})).await?;
        Ok(log)
    }

    /// Somebody has dealt with it, or it is open again.
    pub async fn mark_report(
        &self,
        who: &Identity,
        id: ReportId,
        done: bool,
        actor: Actor,
    ) -> Result<ReportView, Refusal> {
        who.needs(Privilege::Administer)?;
        let store = self.store().reports();
        let report = store.report(self.tenant(), id).await.map_err(read)?;
        let report = report.ok_or(Refusal::missing("report"))?;
        if report.done.is_some() == done {
            return Ok(ReportView::new(report, &self.configuration()));
        }
        self.audit().record(actor, "report.done", id, serde_json::json!({ "done": done })).await?;
        let done = done.then(|| (who.user.id, self.now()));
        store.mark_report(self.tenant(), id, done).await.map_err(read)?;
        Ok(ReportView::new(Report { done, ..report }, &self.configuration()))
    }
}
