//! The control side of recording: starts the writer, opens containers, counts.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use model::id::RecordingId;
use tokio::sync::oneshot;

use super::container::{Container, new_file};
use super::format::Head;
use super::keys::{KeyError, Vault};
use super::tap::{Handle, Slot, Tap};
use super::writer::{Open, SyncFile, Writer, sync_files};
use crate::control::PauseReason;

/// Bounds and cadences.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Slots of each media thread's ring, 360 octets each. The default, 16384 (6 MB), holds two seconds of 80 calls.
    pub ring_slots: usize,
    /// Recordings open at a time. Default 4096.
    pub recordings_max: usize,
    /// Most time between two writes to a file. Default 80 ms; with the rings' polling it keeps the loss at a kill well
    /// below 200 ms (RECO-03).
    pub flush_every: Duration,
    /// Time between two syncs of a file to the disk: what a power cut may cost. Default 5 s.
    pub sync_every: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ring_slots: 16_384,
            recordings_max: 4_096,
            flush_every: Duration::from_millis(80),
            sync_every: Duration::from_secs(5),
        }
    }
}

/// What the writer has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// A recording is no longer complete; said once a cause. Writing goes on if it can.
    Failed {
        /// Which.
        recording: RecordingId,
        /// In words for the operator.
        why: String,
    },
    /// A recording was ended and its container closed.
    Closed {
        /// Which.
        recording: RecordingId,
        /// Payloads written.
        frames: u64,
        /// Payloads that could not be written.
        missing: u64,
    },
}

/// Why a recording could not begin.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The container could not be made.
    #[error("cannot create {file}: {source}")]
    Create {
        /// The container.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// As many recordings are open as may be.
    #[error("{0} recordings are open already; raise the limit")]
    TooMany(usize),
    /// There is no key to record with.
    #[error("cannot record encrypted: {0}")]
    Key(#[from] KeyError),
    /// The writer has stopped.
    #[error("the recorder has stopped")]
    Stopped,
}

/// Counts for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Payloads refused by full rings.
    pub overruns: u64,
    /// Writes and syncs that failed.
    pub disk_errors: u64,
    /// Payloads written or waiting in a block.
    pub frames: u64,
    /// Recordings open now.
    pub open: u64,
}

/// What both sides see.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) overruns: Arc<AtomicU64>,
    pub(super) disk_errors: AtomicU64,
    pub(super) frames: AtomicU64,
    pub(super) stop: AtomicBool,
    pub(super) places: Mutex<Places>,
}

/// Free places of the writer's table.
#[derive(Default)]
pub(super) struct Places {
    free: Vec<u32>,
    generations: Vec<u32>,
    open: usize,
}

/// What the writer is told beside the rings.
pub(super) enum Order {
    /// One more media thread.
    Ring(rtrb::Consumer<Slot>),
    /// A container that was made.
    Open(Handle, Box<Open>),
    /// A recording is over, as of a time.
    Close(Handle, u64),
    /// A recording is paused as of a time, with a reason, or goes on; told when it is so.
    Pause(Handle, u64, Option<PauseReason>, oneshot::Sender<()>),
}

/// Starts, opens, counts: the control side of recording. Dropping it writes out what is there and stops the writer;
/// recordings that were not ended stay unfinished and are found at the next start.
pub struct Recorder {
    config: Config,
    shared: Arc<Shared>,
    orders: SyncSender<Order>,
    vault: Option<Vault>,
    writer: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Starts the writer. `report` is called from its threads and must not block for long. Containers are in the clear.
    pub fn start(config: Config, report: impl Fn(Report) + Send + Sync + 'static) -> std::io::Result<Self> {
        Self::start_with(config, None, report)
    }

    /// The same; with a vault every container is encrypted under a key of its own (RECO-05).
    pub fn start_with(
        config: Config,
        vault: Option<Vault>,
        report: impl Fn(Report) + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (orders, inbox) = sync_channel(ORDERS_MAX);
        let report: Arc<dyn Fn(Report) + Send + Sync> = Arc::new(report);
        let (syncs, sync_inbox) = sync_channel::<SyncFile>(SYNCS_MAX);
        let syncer = {
            let (shared, report) = (Arc::clone(&shared), Arc::clone(&report));
            std::thread::Builder::new()
                .name("record-sync".into())
                .spawn(move || sync_files(&sync_inbox, &shared, &*report))?
        };
        let writer = Writer {
            config,
            shared: Arc::clone(&shared),
            report,
            inbox,
            syncs,
            rings: vec![],
            table: vec![],
            paused: vec![],
        };
        let writer = std::thread::Builder::new().name("record".into()).spawn(move || {
            writer.run();
            // The writer's sender is gone with it, so this ends.
            _ = syncer.join();
        })?;
        Ok(Self { config, shared, orders, vault, writer: Some(writer) })
    }

    /// A ring for one more media thread.
    pub fn tap(&self) -> Result<Tap, RecordError> {
        let (producer, consumer) =
            rtrb::RingBuffer::new(self.config.ring_slots.max(super::tap::RESERVED * 2));
        self.orders.send(Order::Ring(consumer)).map_err(|_| RecordError::Stopped)?;
        Ok(Tap::new(producer, self.config.recordings_max, Arc::clone(&self.shared.overruns)))
    }

    /// Creates a container, which must not exist; touches the disk, so not from a media thread. `head.at_us` is the
    /// beginning on the clock of the arrival times. Afterwards media threads may use the handle on any tap.
    pub fn open(&self, file: &Path, head: Head) -> Result<Handle, RecordError> {
        let handle = self.places().take(self.config.recordings_max)?;
        let container = self.create(file, &head).inspect_err(|_| self.places().give_back(handle))?;
        let open = Box::new(Open::new(head, container));
        self.orders.send(Order::Open(handle, open)).map_err(|_| RecordError::Stopped)?;
        Ok(handle)
    }

    /// The file first, for it must be new; then its key, on the disk before anything is written with it.
    fn create(&self, file: &Path, head: &Head) -> Result<Container, RecordError> {
        let error = |source| RecordError::Create { file: file.to_path_buf(), source };
        let made = new_file(file).map_err(error)?;
        let key = self.vault.as_ref().map(|vault| vault.make(file)).transpose();
        let container = key
            .map_err(RecordError::from)
            .and_then(|key| Container::over(made, head, key.as_ref()).map_err(error));
        if container.is_err() {
            // An empty file would be found at the next start and tell nothing.
            std::fs::remove_file(file).ok();
            self.vault.as_ref().map(|vault| vault.destroy(file));
        }
        container
    }

    /// Ends a recording whose media thread cannot (it was never told, or is gone). Others end by [`Tap::stop`].
    pub fn close(&self, handle: Handle, at_us: u64) -> Result<(), RecordError> {
        self.orders.send(Order::Close(handle, at_us)).map_err(|_| RecordError::Stopped)
    }

    /// Leaves out what comes from `at_us` on, or captures again (`None`). The answer comes when the writer has done it:
    /// from then on nothing of the pause can reach the disk. No answer: the recording has ended.
    pub fn pause(
        &self,
        handle: Handle,
        at_us: u64,
        why: Option<PauseReason>,
    ) -> Result<oneshot::Receiver<()>, RecordError> {
        let (told, done) = oneshot::channel();
        self.orders.send(Order::Pause(handle, at_us, why, told)).map_err(|_| RecordError::Stopped)?;
        Ok(done)
    }

    /// Counts so far.
    pub fn counters(&self) -> Counters {
        Counters {
            overruns: self.shared.overruns.load(Relaxed),
            disk_errors: self.shared.disk_errors.load(Relaxed),
            frames: self.shared.frames.load(Relaxed),
            open: self.places().open as u64,
        }
    }

    fn places(&self) -> std::sync::MutexGuard<'_, Places> {
        self.shared.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.shared.stop.store(true, Relaxed);
        if let Some(writer) = self.writer.take() {
            writer.thread().unpark();
            _ = writer.join();
        }
    }
}

impl Places {
    fn take(&mut self, most: usize) -> Result<Handle, RecordError> {
        let index = match self.free.pop() {
            Some(index) => index,
            None if self.generations.len() < most => {
                self.generations.push(0);
                (self.generations.len() - 1) as u32
            }
            None => return Err(RecordError::TooMany(most)),
        };
        self.open += 1;
        let generation = &mut self.generations[index as usize];
        *generation = generation.wrapping_add(1);
        Ok(Handle { index, generation: *generation })
    }

    pub(super) fn give_back(&mut self, handle: Handle) {
        self.free.push(handle.index);
        self.open -= 1;
    }
}

/// Orders that may wait for the writer.
const ORDERS_MAX: usize = 1_024;
/// Files that may wait to be synced.
const SYNCS_MAX: usize = 256;
