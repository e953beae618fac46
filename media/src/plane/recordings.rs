//! What is captured where: the plane's side of recordings. Files and their writer are in `record`.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use model::id::{LegId, RecordingId, RoomId};
use tokio::sync::{mpsc, oneshot};

use super::shard::Shard;
use super::table::Seat;
use crate::control::{Channel, Event, MediaError};
use crate::leg::Audio;
use crate::record::{Handle, Payload, Report, Tap};

/// Recordings that capture one leg at most: its interaction's, and a supervisor's or two.
const TAPS_MAX: usize = 4;
/// Streams of one leg a channel can tell apart before the numbers of another leg begin.
const EPOCHS_A_LEG: u16 = 64;

/// A channel of a recording that captures a leg.
#[derive(Clone, Copy, Debug)]
pub(super) struct SeatTap {
    pub handle: Handle,
    pub channel: Channel,
    /// Number of the leg's first stream in the container; others follow.
    pub epoch: u16,
}

/// What a channel captures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Captures {
    /// A leg's words.
    Leg(LegId),
    /// A room's mix.
    Room(RoomId),
}

/// Recordings that are open.
#[derive(Debug, Default)]
pub(super) struct Recordings {
    open: Mutex<HashMap<RecordingId, Open>>,
}

#[derive(Debug)]
struct Open {
    handle: Handle,
    channels: [Option<Captures>; 2],
    taps: u16,
    closed: Option<oneshot::Sender<(u64, u64)>>,
}

/// What a [`Command::Tap`](crate::control::Command::Tap) amounts to.
pub(super) struct Change {
    pub handle: Handle,
    pub before: Option<Captures>,
    pub epoch: u16,
}

impl Recordings {
    pub fn opened(&self, recording: RecordingId, handle: Handle) {
        self.lock().insert(recording, Open { handle, channels: [None; 2], taps: 0, closed: None });
    }

    pub fn is_open(&self, recording: RecordingId) -> bool {
        self.lock().contains_key(&recording)
    }

    /// An open recording, as the writer names it.
    pub fn handle(&self, recording: RecordingId) -> Option<Handle> {
        self.lock().get(&recording).filter(|open| open.closed.is_none()).map(|open| open.handle)
    }

    /// A channel captures something else from now on.
    pub fn change(&self, recording: RecordingId, channel: Channel, what: Option<Captures>) -> Option<Change> {
        let mut open = self.lock();
        let open = open.get_mut(&recording)?;
        let at = usize::from(channel == Channel::Right);
        let before = open.channels.get_mut(at).and_then(|now| std::mem::replace(now, what));
        open.taps = open.taps.wrapping_add(1);
        Some(Change { handle: open.handle, before, epoch: open.taps.wrapping_mul(EPOCHS_A_LEG) })
    }

    /// Begins to end a recording: what it captured, and where its end will be told.
    #[expect(clippy::type_complexity, reason = "three things that are used once, right away")]
    pub fn ending(
        &self,
        recording: RecordingId,
    ) -> Option<(Handle, [Option<Captures>; 2], oneshot::Receiver<(u64, u64)>)> {
        let mut open = self.lock();
        let open = open.get_mut(&recording).filter(|open| open.closed.is_none())?;
        let (told, closed) = oneshot::channel();
        open.closed = Some(told);
        Some((open.handle, std::mem::take(&mut open.channels), closed))
    }

    /// The writer has something to say.
    pub fn reported(&self, report: Report, events: &mpsc::Sender<Event>) {
        match report {
            Report::Failed { recording, why } => {
                if events.try_send(Event::RecordingFailed { recording, why }).is_err() {
                    tracing::warn!(%recording, "control is behind; a failed recording could not be told");
                }
            }
            Report::Closed { recording, frames, missing } => {
                if let Some(told) = self.lock().remove(&recording).and_then(|open| open.closed) {
                    told.send((frames, missing)).ok();
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RecordingId, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    /// A channel captures this leg from now on.
    pub(super) fn tap(&mut self, leg: LegId, tap: SeatTap) -> Result<(), MediaError> {
        let index = self.table.find(leg).ok_or(MediaError::NoSuchLeg(leg))?;
        let Some(seat) = self.table.get_mut(index) else { return Err(MediaError::NoSuchLeg(leg)) };
        // A container that says nothing of what was said would look complete.
        if seat.leg.setup().is_some_and(|setup| setup.receive.is_empty()) {
            return Err(MediaError::NotRecordable(leg));
        }
        if seat.taps.len() >= TAPS_MAX {
            return Err(MediaError::BadSetup(format!("{TAPS_MAX} recordings capture this leg already")));
        }
        seat.taps.push(tap);
        self.mark(&tap, Some(leg));
        Ok(())
    }

    /// A channel captures this leg no longer.
    pub(super) fn untap(&mut self, leg: LegId, tap: &SeatTap) {
        if let Some(seat) = self.table.find(leg).and_then(|index| self.table.get_mut(index)) {
            seat.taps.retain(|other| (other.handle, other.channel) != (tap.handle, tap.channel));
        }
        self.mark(tap, None);
    }

    pub(super) fn mark(&mut self, tap: &SeatTap, leg: Option<LegId>) {
        // Marks have places of their own in the ring. Should even those be full, the change is still seen by the epoch
        // of the payloads that follow.
        if self.tap.hears(tap.handle, tap.channel, leg, self.now.micros()).is_err() {
            self.counters.record_overruns += 1;
        }
    }
}

/// A packet came in a format that the container has no name for: the recordings that capture its leg count it as missing, and
/// are told to be incomplete. Says how many there are.
pub(super) fn missed(tap: &mut Tap, seat: &Seat) -> u64 {
    for into in &seat.taps {
        tap.missed(into.handle);
    }
    seat.taps.len() as u64
}

/// Gives audio to the recordings that capture its leg. `payload`: as it came, after muting.
pub(super) fn capture(tap: &mut Tap, seat: &Seat, audio: &Audio, payload: &[u8], at_us: u64) -> (u64, u64) {
    let (mut taken, mut lost) = (0, 0);
    for into in &seat.taps {
        let payload = Payload {
            channel: into.channel,
            codec: audio.codec,
            epoch: into.epoch.wrapping_add((audio.stream % u32::from(EPOCHS_A_LEG)) as u16),
            seq: audio.header.seq.0,
            timestamp: audio.header.timestamp.0,
            at_us,
            octets: payload,
        };
        if tap.payload(into.handle, &payload) { taken += 1 } else { lost += 1 }
    }
    (taken, lost)
}
