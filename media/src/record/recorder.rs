//! The writer thread: from rings to files, a block each tenth of a second.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use model::id::RecordingId;

use super::container::Container;
use super::format::{Entry, Head, OCTETS_MAX, Payload};
use super::tap::{Handle, Slot, Tap, What};

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

#[derive(Default)]
struct Shared {
    overruns: Arc<AtomicU64>,
    disk_errors: AtomicU64,
    frames: AtomicU64,
    stop: AtomicBool,
    places: Mutex<Places>,
}

/// Free places of the writer's table.
#[derive(Default)]
struct Places {
    free: Vec<u32>,
    generations: Vec<u32>,
    open: usize,
}

enum Order {
    Ring(rtrb::Consumer<Slot>),
    Open(Handle, Box<Open>),
    Close(Handle, u64),
}

/// Starts, opens, counts: the control side of recording. Dropping it writes out what is there and stops the writer;
/// recordings that were not ended stay unfinished and are found at the next start.
pub struct Recorder {
    config: Config,
    shared: Arc<Shared>,
    orders: SyncSender<Order>,
    writer: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Starts the writer. `report` is called from its threads and must not block for long.
    pub fn start(config: Config, report: impl Fn(Report) + Send + Sync + 'static) -> std::io::Result<Self> {
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
        };
        let writer = std::thread::Builder::new().name("record".into()).spawn(move || {
            writer.run();
            // The writer's sender is gone with it, so this ends.
            _ = syncer.join();
        })?;
        Ok(Self { config, shared, orders, writer: Some(writer) })
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
        let container = Container::create(file, &head).map_err(|source| {
            self.places().give_back(handle);
            RecordError::Create { file: file.to_path_buf(), source }
        })?;
        let open = Box::new(Open::new(head, container));
        self.orders.send(Order::Open(handle, open)).map_err(|_| RecordError::Stopped)?;
        Ok(handle)
    }

    /// Ends a recording whose media thread cannot (it was never told, or is gone). Others end by [`Tap::stop`].
    pub fn close(&self, handle: Handle, at_us: u64) -> Result<(), RecordError> {
        self.orders.send(Order::Close(handle, at_us)).map_err(|_| RecordError::Stopped)
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

    fn give_back(&mut self, handle: Handle) {
        self.free.push(handle.index);
        self.open -= 1;
    }
}

/// One open recording, in the writer's hands.
struct Open {
    recording: RecordingId,
    generation: u32,
    container: Container,
    paused: bool,
    /// The parts of a payload that takes several slots.
    parts: Vec<u8>,
    /// When to end it: a stop was read in an earlier pass, so every ring has been emptied of what came before it.
    stop_at_us: Option<u64>,
    stopping: bool,
    told_overrun: bool,
    told_disk: bool,
    synced: Option<Instant>,
}

impl Open {
    fn new(head: Head, container: Container) -> Self {
        Self {
            recording: head.recording,
            generation: 0,
            container,
            paused: false,
            parts: Vec::with_capacity(OCTETS_MAX),
            stop_at_us: None,
            stopping: false,
            told_overrun: false,
            told_disk: false,
            synced: None,
        }
    }

    fn take(&mut self, slot: &Slot, report: &dyn Fn(Report)) -> u64 {
        let at_us = slot.at_us;
        if slot.missed > 0 {
            self.container.add(&Entry::Missed { count: slot.missed.into(), at_us });
            if !std::mem::replace(&mut self.told_overrun, true) {
                let why = format!("{} packets came faster than they could be written", slot.missed);
                report(Report::Failed { recording: self.recording, why });
            }
        }
        match &slot.what {
            What::Payload { channel, codec, epoch, seq, timestamp, more, len, octets } => {
                let octets = &octets[..usize::from(*len).min(octets.len())];
                if *more || !self.parts.is_empty() {
                    self.parts.extend_from_slice(octets);
                    if *more {
                        return 0;
                    }
                }
                let octets = if self.parts.is_empty() { octets } else { &self.parts };
                // What was said in a pause is nowhere, not even for a moment on the disk.
                if !self.paused {
                    let (channel, codec, epoch) = (*channel, *codec, *epoch);
                    let (seq, timestamp) = (*seq, *timestamp);
                    self.container.add(&Entry::Payload(Payload {
                        channel,
                        codec,
                        epoch,
                        seq,
                        timestamp,
                        at_us,
                        octets,
                    }));
                }
                self.parts.clear();
                return u64::from(!self.paused);
            }
            What::Tap { channel, leg } => {
                self.container.add(&Entry::Tap { channel: *channel, leg: *leg, at_us })
            }
            What::Pause => {
                self.paused = true;
                self.container.add(&Entry::Pause { at_us });
            }
            What::Resume => {
                self.paused = false;
                self.container.add(&Entry::Resume { at_us });
            }
            What::Stop => self.stop_at_us = Some(at_us),
        }
        0
    }
}

struct Writer {
    config: Config,
    shared: Arc<Shared>,
    report: Arc<dyn Fn(Report) + Send + Sync>,
    inbox: Receiver<Order>,
    syncs: SyncSender<SyncFile>,
    rings: Vec<rtrb::Consumer<Slot>>,
    table: Vec<Option<Box<Open>>>,
}

struct SyncFile {
    recording: RecordingId,
    file: Arc<File>,
}

impl Writer {
    #[expect(
        clippy::disallowed_methods,
        reason = "the writer paces its own disk work; no recorded time comes from here"
    )]
    fn run(mut self) {
        let mut flushed = Instant::now();
        loop {
            let stop = self.shared.stop.load(Relaxed);
            self.obey();
            self.empty_rings();
            let now = Instant::now();
            self.end_stopped();
            if now.duration_since(flushed) >= self.config.flush_every || stop {
                flushed = now;
                self.flush(now);
            }
            if stop {
                return;
            }
            std::thread::park_timeout(POLL);
        }
    }

    fn obey(&mut self) {
        while let Ok(order) = self.inbox.try_recv() {
            match order {
                Order::Ring(ring) => self.rings.push(ring),
                Order::Open(handle, mut open) => {
                    open.generation = handle.generation;
                    let index = handle.index as usize;
                    if self.table.len() <= index {
                        self.table.resize_with(index + 1, || None);
                    }
                    self.table[index] = Some(open);
                }
                Order::Close(handle, at_us) => {
                    if let Some(open) = find(&mut self.table, handle) {
                        open.stop_at_us.get_or_insert(at_us);
                    }
                }
            }
        }
    }

    fn empty_rings(&mut self) {
        let (mut frames, mut abandoned) = (0, false);
        for ring in &mut self.rings {
            // What is there now, not what is added meanwhile: a pass must end.
            let Ok(chunk) = ring.read_chunk(ring.slots()) else { continue };
            for slot in chunk {
                if let Some(open) = find(&mut self.table, slot.handle) {
                    frames += open.take(&slot, &*self.report);
                }
            }
            abandoned |= ring.is_abandoned() && ring.is_empty();
        }
        if abandoned {
            self.rings.retain(|ring| !(ring.is_abandoned() && ring.is_empty()));
        }
        self.shared.frames.fetch_add(frames, Relaxed);
    }

    /// Ends the recordings whose stop was read in the pass before this one: by now every ring was emptied since.
    fn end_stopped(&mut self) {
        for index in 0..self.table.len() {
            let Some(open) = &mut self.table[index] else { continue };
            let Some(at_us) = open.stop_at_us else { continue };
            if !std::mem::replace(&mut open.stopping, true) {
                continue;
            }
            let (frames, missing, ended) = open.container.end(at_us);
            if let Err(error) = ended {
                disk_error(open, &error, &self.shared, &*self.report);
            }
            let (recording, file) = (open.recording, open.container.file());
            // A full queue leaves the file to the kernel's own write-back.
            _ = self.syncs.try_send(SyncFile { recording, file });
            let handle = Handle { index: index as u32, generation: open.generation };
            self.table[index] = None;
            self.shared.places.lock().unwrap_or_else(PoisonError::into_inner).give_back(handle);
            (self.report)(Report::Closed { recording, frames, missing });
        }
    }

    fn flush(&mut self, now: Instant) {
        for open in self.table.iter_mut().flatten() {
            if !open.container.is_dirty() {
                continue;
            }
            if let Err(error) = open.container.flush() {
                disk_error(open, &error, &self.shared, &*self.report);
            }
            // Recordings begin at different times, so their syncs are spread by themselves.
            if now.duration_since(*open.synced.get_or_insert(now)) >= self.config.sync_every {
                let sync = SyncFile { recording: open.recording, file: open.container.file() };
                match self.syncs.try_send(sync) {
                    Ok(()) => open.synced = Some(now),
                    // The disk is slow: asked again at the next flush.
                    Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
                }
            }
        }
    }
}

fn find(table: &mut [Option<Box<Open>>], handle: Handle) -> Option<&mut Open> {
    let open = table.get_mut(handle.index as usize)?.as_deref_mut()?;
    (open.generation == handle.generation).then_some(open)
}

fn disk_error(open: &mut Open, error: &std::io::Error, shared: &Shared, report: &dyn Fn(Report)) {
    shared.disk_errors.fetch_add(1, Relaxed);
    if !std::mem::replace(&mut open.told_disk, true) {
        report(Report::Failed {
            recording: open.recording,
            why: format!("the container cannot be written: {error}"),
        });
    }
}

/// Syncing may take long, writing must not: it has a thread of its own.
fn sync_files(inbox: &Receiver<SyncFile>, shared: &Shared, report: &dyn Fn(Report)) {
    while let Ok(SyncFile { recording, file }) = inbox.recv() {
        if let Err(error) = file.sync_data() {
            shared.disk_errors.fetch_add(1, Relaxed);
            report(Report::Failed { recording, why: format!("the container cannot be synced: {error}") });
        }
    }
}

const POLL: Duration = Duration::from_millis(20);
const ORDERS_MAX: usize = 1_024;
const SYNCS_MAX: usize = 256;
