//! The journal: everything that happened, in order, a log a tenant, one disk flush for many appends.
//!
//! [`Journal::append`] never waits: it takes a place in a bounded queue and gives a [`Receipt`], a future that is
//! ready once the events are **durable**. One writer task gathers what has queued up while the previous transaction
//! was being flushed and commits it as one row of each tenant. Events are published to [`Journal::subscribe`] only once
//! durable, in order.
//!
//! **Service records** are folded from the same entries and saved a little later ([`JournalConfig::save_after`]), each once
//! for all that happened to it meanwhile. Nobody sees that: whoever reads records through this store has them saved first, and
//! after a crash the next opening folds again what was not saved.
//!
//! **When the database goes away** the queue is kept and retried with back-off. Once it has stood still for a second,
//! the queue is also written to a local append-only file, flushed in batches: calls go on, receipts come, consoles are
//! told. When the database is back, or at the next start, the events go there in order; the file is emptied after that.
//! The queue has a bound ([`JournalConfig::outstanding_max`]): when it is full, `append` says so.
//!
//! **One writer.** Each opening takes the tenants' logs over by counting up an epoch in `journal_heads`; a writer that
//! finds another epoch there stops with [`AppendError::Fenced`] instead of mixing two truths. The same row tells a
//! writer that lost its connection during a commit whether that commit happened, so that no event is stored twice.

mod config;
mod drain;
pub(crate) mod ledger;
pub(crate) mod projection;
mod queue;
mod spool;
mod writer;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use model::id::TenantId;
use model::journal::{Entry, Event, Seq};
use model::time::Timestamp;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

pub use self::config::{Health, HealthState, JournalConfig};
use self::queue::Append;
use crate::Store;
use crate::error::StoreError;

/// Entries [`Journal::read`] gives at once at most.
pub const READ_MAX: u32 = 10_000;

/// The journal of all tenants of a store. Cheap to clone.
#[derive(Clone)]
pub struct Journal {
    store: Store,
    shared: Arc<Shared>,
    writer: Arc<Mutex<Option<JoinHandle<()>>>>,
    outstanding_max: usize,
}

struct Shared {
    appends: Mutex<Option<mpsc::Sender<Append>>>,
    outstanding: Arc<AtomicUsize>,
    published: broadcast::Sender<Arc<Entry>>,
    health: watch::Receiver<Health>,
}

/// Something to be written down: an event, and for [`Event::Written`] what was written, which goes into the table of messages in
/// the same transaction and never into the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// What happened.
    pub event: Event,
    /// The text of a message.
    pub text: Option<Arc<str>>,
}

impl From<Event> for Fact {
    fn from(event: Event) -> Self {
        Self { event, text: None }
    }
}

/// Why events were not appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The database has been away for so long that the queue is full. Nothing was taken.
    #[error("the journal's queue is full")]
    Full,
    /// Another appliance has taken this tenant's log over.
    #[error("another writer has taken the journal over")]
    Fenced,
    /// The journal was closed.
    #[error("the journal is closed")]
    Closed,
}

/// Why a journal could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum JournalOpenError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The spool file cannot be read or written.
    #[error("the journal's spool file cannot be used")]
    Spool(#[from] std::io::Error),
    /// Another appliance took the journal over in this very moment.
    #[error("another writer has taken the journal over")]
    Fenced,
}

/// The places of appended events: `first` to `last`, without gaps. For no events, `last` is before `first`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Place of the first event.
    pub first: Seq,
    /// Place of the last event.
    pub last: Seq,
}

/// Ready once the appended events are durable. Dropping it changes nothing: the events are written all the same.
#[derive(Debug)]
pub struct Receipt(oneshot::Receiver<Result<Appended, AppendError>>);

impl Future for Receipt {
    type Output = Result<Appended, AppendError>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|answer| answer.unwrap_or(Err(AppendError::Closed)))
    }
}

impl Journal {
    /// Takes the journals of a store over, brings in what a spool file still holds, and starts the writer.
    ///
    /// Must be called within a tokio runtime.
    pub async fn open(store: &Store, config: JournalConfig) -> Result<Self, JournalOpenError> {
        let outstanding = Arc::new(AtomicUsize::new(0));
        let (published, _) = broadcast::channel(config.broadcast_capacity.max(1));
        let (sender, receiver) = mpsc::channel(config.outstanding_max.max(1));
        let outstanding_max = config.outstanding_max;
        let (writer, health) =
            writer::Writer::open(store.clone(), config, receiver, outstanding.clone(), published.clone())
                .await?;
        let task = tokio::spawn(writer.run());
        let shared = Shared { appends: Mutex::new(Some(sender)), outstanding, published, health };
        Ok(Self {
            store: store.clone(),
            shared: Arc::new(shared),
            writer: Arc::new(Mutex::new(Some(task))),
            outstanding_max,
        })
    }

    /// Queues events of a tenant, which will stand in the journal one after the other. Never waits.
    pub fn append(
        &self,
        tenant: TenantId,
        events: Vec<Event>,
        at: Timestamp,
    ) -> Result<Receipt, AppendError> {
        self.append_facts(tenant, events.into_iter().map(Fact::from).collect(), at)
    }

    /// The same, with what was written.
    pub fn append_facts(
        &self,
        tenant: TenantId,
        facts: Vec<Fact>,
        at: Timestamp,
    ) -> Result<Receipt, AppendError> {
        let count = facts.len().max(1);
        let taken = self.shared.outstanding.fetch_update(Ordering::AcqRel, Ordering::Acquire, |now| {
            Some(now + count).filter(|sum| *sum <= self.outstanding_max)
        });
        if taken.is_err() {
            return Err(AppendError::Full);
        }
        let (answer, receipt) = oneshot::channel();
        let append = Append::new(tenant, facts, at, answer);
        let refused = match &*lock(&self.shared.appends) {
            Some(sender) => sender.try_send(append).err().map(|error| match error {
                mpsc::error::TrySendError::Full(_) => AppendError::Full,
                mpsc::error::TrySendError::Closed(_) => AppendError::Closed,
            }),
            None => Some(AppendError::Closed),
        };
        match refused {
            Some(error) => {
                self.shared.outstanding.fetch_sub(count, Ordering::AcqRel);
                Err(error)
            }
            None => Ok(Receipt(receipt)),
        }
    }

    /// Every entry that becomes durable from now on, of all tenants. A receiver that falls behind by more than
    /// [`JournalConfig::broadcast_capacity`] is told so and reads the gap with [`Journal::read`].
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Entry>> {
        self.shared.published.subscribe()
    }

    /// Entries of a tenant from a place on, in order; at most `limit` and [`READ_MAX`].
    pub async fn read(&self, tenant: TenantId, from: Seq, limit: u32) -> Result<Vec<Entry>, StoreError> {
        self.store.engine.read_entries(tenant, from, limit.clamp(1, READ_MAX)).await
    }

    /// The place of a tenant's last entry in the database; 0 before the first.
    pub async fn last_seq(&self, tenant: TenantId) -> Result<Seq, StoreError> {
        self.store.engine.last_seq(tenant).await
    }

    /// How the journal is doing.
    pub fn health(&self) -> Health {
        self.shared.health.borrow().clone()
    }

    /// Follows [`Journal::health`].
    pub fn watch_health(&self) -> watch::Receiver<Health> {
        self.shared.health.clone()
    }

    /// Takes no more events, writes what is queued (to the spool file if the database is away) and ends the writer.
    pub async fn close(&self) {
        lock(&self.shared.appends).take();
        let task = lock(&self.writer).take();
        if let Some(task) = task
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the journal's writer ended badly");
        }
    }
}

/// A poisoned lock still guards whole data here: nothing is half-changed inside.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
