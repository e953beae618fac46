//! The writer thread: from rings to files, a block each tenth of a second.

use std::fs::File;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use model::id::RecordingId;
use tokio::sync::oneshot;

use super::container::Container;
use super::format::{Entry, Head, OCTETS_MAX, Payload};
use super::pause::Pauses;
use super::recorder::{Config, Order, Report, Shared};
use super::tap::{Handle, Slot, What};
use crate::control::PauseReason;

/// One open recording, in the writer's hands.
pub(super) struct Open {
    recording: RecordingId,
    generation: u32,
    container: Container,
    pauses: Pauses,
    /// A pause whose mark is written once the rings are empty of what came before it.
    to_mark: Option<(u64, PauseReason)>,
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
    pub(super) fn new(head: Head, container: Container) -> Self {
        Self {
            recording: head.recording,
            generation: 0,
            container,
            pauses: Pauses::default(),
            to_mark: None,
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
                let captured = self.pauses.captures(at_us);
                if captured {
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
                return u64::from(captured);
            }
            What::Tap { channel, leg } => {
                self.container.add(&Entry::Tap { channel: *channel, leg: *leg, at_us })
            }
            What::Stop => self.stop_at_us = Some(at_us),
        }
        0
    }
}

impl Open {
    /// Pauses, or goes on (`None`).
    fn pause(&mut self, at_us: u64, why: Option<PauseReason>) {
        match why {
            Some(why) => {
                if let Some(from_us) = self.pauses.begin(at_us) {
                    self.to_mark = Some((from_us, why));
                }
            }
            None => {
                self.mark_pause();
                if let Some(to_us) = self.pauses.end(at_us) {
                    self.container.add(&Entry::Resume { at_us: to_us });
                }
            }
        }
    }

    fn mark_pause(&mut self) {
        if let Some((at_us, why)) = self.to_mark.take() {
            self.container.add(&Entry::Pause { at_us, why });
        }
    }
}

/// What the writer thread owns.
pub(super) struct Writer {
    pub(super) config: Config,
    pub(super) shared: Arc<Shared>,
    pub(super) report: Arc<dyn Fn(Report) + Send + Sync>,
    pub(super) inbox: Receiver<Order>,
    pub(super) syncs: SyncSender<SyncFile>,
    pub(super) rings: Vec<rtrb::Consumer<Slot>>,
    pub(super) table: Vec<Option<Box<Open>>>,
    /// Recordings that were paused, or go on, in this pass, and who is waiting to hear of it.
    pub(super) paused: Vec<(Handle, oneshot::Sender<()>)>,
}

/// A file whose time to be synced has come.
pub(super) struct SyncFile {
    recording: RecordingId,
    file: Arc<File>,
}

impl Writer {
    #[expect(
        clippy::disallowed_methods,
        reason = "the writer paces its own disk work; no recorded time comes from here"
    )]
    /// Works until the recorder is dropped.
    pub(super) fn run(mut self) {
        let mut flushed = Instant::now();
        loop {
            let stop = self.shared.stop.load(Relaxed);
            self.obey();
            self.empty_rings();
            self.mark_pauses();
            let now = Instant::now();
            self.end_stopped();
            if stop {
                // There is no next pass: the rings were emptied after the flag was seen.
                self.end_stopped();
            }
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
                Order::Pause(handle, at_us, why, told) => {
                    if let Some(open) = find(&mut self.table, handle) {
                        open.pause(at_us, why);
                        self.paused.push((handle, told));
                    }
                }
                Order::Close(handle, at_us) => {
                    if let Some(open) = find(&mut self.table, handle) {
                        open.stop_at_us.get_or_insert(at_us);
                    }
                }
            }
        }
    }

    fn mark_pauses(&mut self) {
        for (handle, told) in self.paused.drain(..) {
            if let Some(open) = find(&mut self.table, handle) {
                open.mark_pause();
                // Who asked may be gone.
                told.send(()).ok();
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
pub(super) fn sync_files(inbox: &Receiver<SyncFile>, shared: &Shared, report: &dyn Fn(Report)) {
    while let Ok(SyncFile { recording, file }) = inbox.recv() {
        if let Err(error) = file.sync_data() {
            shared.disk_errors.fetch_add(1, Relaxed);
            report(Report::Failed { recording, why: format!("the container cannot be synced: {error}") });
        }
    }
}

const POLL: Duration = Duration::from_millis(20);
