//! The one task that writes: gathers appends, commits them in groups, and bridges the time without a database.
//!
//! The first append after a rest is committed at once: who appends has gathered already (a floor commits a whole batch of decisions
//! and waits), and whatever comes meanwhile shares the next commit.
//!
//! At most one commit is on its way, in a task of its own, so that a slow or hung database never keeps the writer from
//! taking appends and from spooling them.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use model::id::TenantId;
use model::journal::Entry;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::config::{Health, HealthState, JournalConfig};
use super::drain::drain;
use super::ledger::{CommitError, Head};
use super::queue::{Append, Durable, Queue};
use super::spool::Spool;
use super::{AppendError, JournalOpenError};
use crate::Store;
use crate::error::StoreError;

/// Pause after the first failed commit; doubled up to [`BACK_OFF_MAX`].
const BACK_OFF: Duration = Duration::from_millis(50);
/// Longest pause: the time by which a returning database is noticed late.
const BACK_OFF_MAX: Duration = Duration::from_secs(2);
/// Records that changed are saved so many in a transaction, some milliseconds' work: appends wait behind it.
const SAVED_AT_ONCE: usize = 256;
/// Pause after the spool file could not be written.
const SPOOL_RETRY: Duration = Duration::from_secs(1);

/// See the module's words.
pub(super) struct Writer {
    store: Store,
    config: JournalConfig,
    appends: mpsc::Receiver<Append>,
    outstanding: Arc<AtomicUsize>,
    published: broadcast::Sender<Arc<Entry>>,
    health: watch::Sender<Health>,
    queue: Queue,
    spool: Option<Spool>,
    spool_retry_at: Option<Instant>,
    job: Option<Job>,
    /// When the records that changed are to be saved, if there are any.
    save_at: Option<Instant>,
    /// When the database last stopped taking commits, and when to try again.
    trouble: Option<Trouble>,
    closing: bool,
}

/// What is on its way to the database.
struct Job {
    since: Instant,
    task: JoinHandle<Result<Done, CommitError>>,
}

enum Done {
    /// So many events are in the database, and so many records wait to be saved.
    Committed(usize, usize),
    /// So many records are left.
    Saved(usize),
    TakenOver(TenantId, Head),
}

struct Trouble {
    since: Instant,
    pause: Duration,
    try_at: Instant,
}

/// What the writer was woken by.
enum Woken {
    Appended(Append),
    Closed,
    Finished(Result<Result<Done, CommitError>, tokio::task::JoinError>),
    Due,
}

impl Writer {
    /// Takes the logs over and commits what a spool file still holds.
    pub async fn open(
        store: Store,
        config: JournalConfig,
        appends: mpsc::Receiver<Append>,
        outstanding: Arc<AtomicUsize>,
        published: broadcast::Sender<Arc<Entry>>,
    ) -> Result<(Self, watch::Receiver<Health>), JournalOpenError> {
        let mut spool = Spool::new(config.spool.clone(), config.spool_bytes_max);
        let left = spool.read()?;
        let mut heads = store.engine.take_over().await?;
        let set_aside = if left.is_empty() {
            None
        } else {
            drain(&store, &mut spool, &left, &mut heads, config.batch_max).await?
        };
        let (health, watch) = watch::channel(Health { set_aside, ..Health::default() });
        let queue = Queue::from_heads(heads);
        let writer = Self {
            store,
            config,
            appends,
            outstanding,
            published,
            health,
            queue,
            spool: Some(spool),
            spool_retry_at: None,
            job: None,
            save_at: None,
            trouble: None,
            closing: false,
        };
        Ok((writer, watch))
    }

    /// Runs until the journal is closed and everything is durable, or until another writer has taken over.
    pub async fn run(mut self) {
        loop {
            let records_wait = self.save_at.is_some() && self.trouble.is_none();
            if self.closing && self.queue.is_idle() && self.job.is_none() && !records_wait {
                break;
            }
            self.start_job();
            match self.wait().await {
                Woken::Appended(append) => self.take(append),
                Woken::Closed => self.closing = true,
                Woken::Finished(result) => {
                    self.job = None;
                    match result {
                        Ok(Ok(done)) => self.done(done).await,
                        Ok(Err(CommitError::Fenced)) => return self.fenced().await,
                        Ok(Err(CommitError::Store(error))) => self.failed(&error),
                        Err(error) => self.failed(&error),
                    }
                }
                Woken::Due => {}
            }
            self.look_after_trouble().await;
            if self.closing && self.queue.spooled_len() == self.queue.len() && self.trouble.is_some() {
                // All of it is durable on disk and goes to the database at the next start.
                break;
            }
        }
        if let Some(job) = self.job.take() {
            // Not left running behind the back of whoever opens the journal next; a cancelled task is no news.
            job.task.abort();
            job.task.await.ok();
        }
    }

    fn take(&mut self, append: Append) {
        if append.events.is_empty() {
            self.outstanding.fetch_sub(1, Ordering::AcqRel);
        }
        self.queue.push(append);
    }

    /// What is in the channel already goes into this group. The channel is bounded, so this ends.
    fn take_all(&mut self) {
        while let Ok(append) = self.appends.try_recv() {
            self.take(append);
        }
    }

    fn start_job(&mut self) {
        if self.job.is_some() || self.trouble.as_ref().is_some_and(|t| t.try_at > Instant::now()) {
            return;
        }
        self.take_all();
        let (engine, patience) = (self.store.engine.clone(), self.config.commit_timeout);
        let task = if let Some(tenant) = self.queue.stranger() {
            tokio::spawn(async move {
                let head =
                    timeout(patience, engine.take_over_one(tenant)).await.map_err(|_| too_slow())??;
                Ok(Done::TakenOver(tenant, head))
            })
        } else if self.queue.len() > 0 {
            let (lines, heads) = self.queue.batch(self.config.batch_max);
            let save = if self.save_is_due() { SAVED_AT_ONCE } else { 0 };
            tokio::spawn(async move {
                let commit = engine.commit(&lines, &heads, save);
                let unsaved = timeout(patience, commit).await.map_err(|_| too_slow())??;
                Ok(Done::Committed(lines.len(), unsaved))
            })
        } else if self.save_is_due() {
            tokio::spawn(async move {
                let save = engine.save_changed(SAVED_AT_ONCE);
                Ok(Done::Saved(timeout(patience, save).await.map_err(|_| too_slow())??))
            })
        } else {
            return;
        };
        self.job = Some(Job { since: Instant::now(), task });
    }

    fn save_is_due(&self) -> bool {
        self.save_at.is_some_and(|at| self.closing || at <= Instant::now())
    }

    async fn wait(&mut self) -> Woken {
        let due = self.next_deadline();
        let (taking, working) = (!self.closing, self.job.is_some());
        let finished = async {
            match &mut self.job {
                Some(job) => (&mut job.task).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            result = finished, if working => Woken::Finished(result),
            append = self.appends.recv(), if taking => append.map_or(Woken::Closed, Woken::Appended),
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => Woken::Due,
        }
    }

    /// When something has to be done though nothing comes in.
    fn next_deadline(&self) -> Option<Instant> {
        let retry = self.trouble.as_ref().filter(|_| self.job.is_none()).map(|t| t.try_at);
        let unsafe_events = self.queue.len() > self.queue.spooled_len();
        let spool = self.standing_since().filter(|_| unsafe_events).map(|since| {
            let due = since + self.config.spool_after;
            self.spool_retry_at.map_or(due, |retry| due.max(retry))
        });
        let save = self.save_at.filter(|_| self.job.is_none() && self.trouble.is_none());
        [retry, spool, save].into_iter().flatten().min()
    }

    /// Since when the database has not moved, if it has work.
    fn standing_since(&self) -> Option<Instant> {
        self.trouble.as_ref().map(|t| t.since).or_else(|| self.job.as_ref().map(|job| job.since))
    }

    async fn done(&mut self, done: Done) {
        if let Some(trouble) = self.trouble.take() {
            let away_ms = trouble.since.elapsed().as_millis() as u64;
            tracing::info!(away_ms, spooled = self.queue.spooled_len(), "the journal's database is back");
            self.health.send_modify(|health| {
                health.state = HealthState::Up;
                health.error = None;
            });
        }
        match done {
            Done::TakenOver(tenant, head) => self.queue.meet(tenant, head),
            Done::Saved(unsaved) => self.save_at = (unsaved > 0).then(Instant::now),
            Done::Committed(count, unsaved) => {
                self.save_at = match self.save_at {
                    _ if unsaved == 0 => None,
                    // What was due was in this commit.
                    Some(at) if at > Instant::now() => Some(at),
                    _ => Some(Instant::now() + self.config.save_after),
                };
                let had_spooled = self.queue.spooled_len() > 0;
                let durable = self.queue.committed(count);
                self.outstanding.fetch_sub(count, Ordering::AcqRel);
                self.publish(durable);
                if had_spooled {
                    self.shrink_spool().await;
                }
            }
        }
    }

    async fn shrink_spool(&mut self) {
        let spooled = self.queue.spooled_len();
        self.health.send_modify(|health| health.spooled = spooled);
        if spooled == 0 {
            // If this fails, the lines stay and are found to be in the database at the next start.
            if let Err(error) = self.with_spool(Spool::clear).await {
                tracing::warn!(%error, "the journal's spool file cannot be emptied");
            }
        }
    }

    fn failed(&mut self, error: &dyn std::error::Error) {
        let now = Instant::now();
        let said = match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        let (since, pause) = match &self.trouble {
            Some(trouble) => (trouble.since, (trouble.pause * 2).min(BACK_OFF_MAX)),
            None => {
                tracing::warn!(error = said, "the journal's database does not take commits; trying again");
                (now, BACK_OFF)
            }
        };
        self.trouble = Some(Trouble { since, pause, try_at: now + pause });
        self.health.send_modify(|health| {
            health.error = Some(said);
            if health.state == HealthState::Up {
                health.state = HealthState::Away;
            }
        });
    }

    /// Spools what waits, once the database has stood still for long enough.
    async fn look_after_trouble(&mut self) {
        let now = Instant::now();
        let pressing = self.closing && self.trouble.is_some();
        let long = self.standing_since().is_some_and(|since| now >= since + self.config.spool_after);
        if !(long || pressing) || self.spool_retry_at.is_some_and(|retry| retry > now) {
            return;
        }
        self.take_all();
        let lines = self.queue.unspooled();
        if lines.is_empty() {
            return;
        }
        let count = lines.len();
        match self.with_spool(move |spool| spool.append(&lines)).await {
            Ok(()) => {
                self.spool_retry_at = None;
                let durable = self.queue.spooled(count);
                self.publish(durable);
                let spooled = self.queue.spooled_len();
                self.health.send_modify(|health| {
                    health.spooled = spooled;
                    if health.state == HealthState::Stuck {
                        health.state = HealthState::Away;
                    }
                });
            }
            Err(error) => {
                self.spool_retry_at = Some(now + SPOOL_RETRY);
                tracing::error!(%error, events = count, "the journal's spool file cannot be written");
                self.health.send_modify(|health| health.state = HealthState::Stuck);
            }
        }
    }

    /// Runs file work on a blocking thread.
    async fn with_spool<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Spool) -> std::io::Result<T> + Send + 'static,
    ) -> std::io::Result<T> {
        let Some(mut spool) = self.spool.take() else {
            return Err(std::io::Error::other("the spool is lost"));
        };
        let (spool, result) = tokio::task::spawn_blocking(move || {
            let result = work(&mut spool);
            (spool, result)
        })
        .await
        .map_err(std::io::Error::other)?;
        self.spool = Some(spool);
        result
    }

    fn publish(&self, durable: Durable) {
        for entry in durable.entries {
            // An error means that nobody listens.
            self.published.send(entry).ok();
        }
        for (answer, places) in durable.answers {
            // An error means that nobody waits.
            answer.send(Ok(places)).ok();
        }
    }

    /// Another writer owns the log. What only the spool file holds stays there, set aside for a person.
    async fn fenced(&mut self) {
        tracing::error!(spooled = self.queue.spooled_len(), "another writer has taken the journal over");
        let set_aside: Option<PathBuf> = match self.queue.spooled_len() {
            0 => None,
            _ => self.with_spool(Spool::set_aside).await.ok(),
        };
        self.health.send_modify(|health| {
            health.state = HealthState::Fenced;
            health.set_aside = health.set_aside.take().or(set_aside);
        });
        self.appends.close();
        self.take_all();
        for answer in self.queue.give_up() {
            answer.send(Err(AppendError::Fenced)).ok();
        }
    }
}

fn too_slow() -> CommitError {
    CommitError::Store(StoreError::Away(sqlx::Error::PoolTimedOut))
}
