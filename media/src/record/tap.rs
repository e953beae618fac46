//! The media thread's end: a copy into a ring, nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use model::id::LegId;
use model::media::Codec;

use super::format::{OCTETS_MAX, Payload};
use crate::control::Channel;

/// A recording as media threads name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle {
    /// Place in the writer's table.
    pub(super) index: u32,
    /// Tells this recording from an earlier one at the same place.
    pub(super) generation: u32,
}

#[cfg(test)]
impl Handle {
    /// A recording that no writer knows.
    pub(crate) const fn for_tests() -> Self {
        Self { index: 0, generation: 0 }
    }
}

/// A mark could not be placed because the writer is far behind; try again at the next tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the recording ring is full")]
pub struct RingFull;

/// One media thread's way to the writer. Nothing here allocates, locks or waits.
///
/// Everything pushed through one tap reaches the container in the order of the pushes. When legs move to another thread,
/// the records of both taps are merged within a tenth of a second; arrival times put them right afterwards.
pub struct Tap {
    ring: rtrb::Producer<Slot>,
    /// Payloads refused and not yet told, by place in the writer's table.
    missed: Box<[Missed]>,
    overruns: Arc<AtomicU64>,
}

#[derive(Clone, Copy, Default)]
struct Missed {
    generation: u32,
    count: u32,
}

/// What travels: fixed size, so that the ring is one block of memory.
pub(super) struct Slot {
    pub(super) handle: Handle,
    /// Payloads refused before this.
    pub(super) missed: u32,
    pub(super) at_us: u64,
    pub(super) what: What,
}

#[expect(clippy::large_enum_variant, reason = "payloads are all but a few slots, and a box would allocate")]
pub(super) enum What {
    Payload {
        channel: Channel,
        codec: Codec,
        epoch: u16,
        seq: u16,
        timestamp: u32,
        /// The rest of the payload is in the next slot.
        more: bool,
        len: u16,
        octets: [u8; SLOT_OCTETS],
    },
    Tap {
        channel: Channel,
        leg: Option<LegId>,
    },
    Stop,
}

impl Tap {
    pub(super) fn new(ring: rtrb::Producer<Slot>, recordings_max: usize, overruns: Arc<AtomicU64>) -> Self {
        Self { ring, missed: vec![Missed::default(); recordings_max].into_boxed_slice(), overruns }
    }

    /// Captures a payload. `false`: it was refused (the ring is full, or it is longer than 1500 octets) and counted; the
    /// count reaches the container and [`Report::Failed`](super::Report::Failed).
    pub fn payload(&mut self, handle: Handle, payload: &Payload<'_>) -> bool {
        let slots = payload.octets.len().div_ceil(SLOT_OCTETS).max(1);
        if payload.octets.len() > OCTETS_MAX || self.ring.slots() < slots + RESERVED {
            self.miss(handle);
            return false;
        }
        let missed = self.take_missed(handle);
        let mut rest = payload.octets;
        for part in 0..slots {
            let (now, later) = rest.split_at(rest.len().min(SLOT_OCTETS));
            rest = later;
            let mut octets = [0; SLOT_OCTETS];
            octets[..now.len()].copy_from_slice(now);
            let what = What::Payload {
                channel: payload.channel,
                codec: payload.codec,
                epoch: payload.epoch,
                seq: payload.seq,
                timestamp: payload.timestamp,
                more: part + 1 < slots,
                len: now.len() as u16,
                octets,
            };
            // Cannot be full: only this thread adds.
            let missed = if part == 0 { missed } else { 0 };
            _ = self.ring.push(Slot { handle, missed, at_us: payload.at_us, what });
        }
        true
    }

    /// A payload came that cannot be captured, because the container has no name for its format. It is counted like one that was
    /// refused.
    pub fn missed(&mut self, handle: Handle) {
        self.miss(handle);
    }

    /// A channel captures another leg from now on; `None`: nobody.
    pub fn hears(
        &mut self,
        handle: Handle,
        channel: Channel,
        leg: Option<LegId>,
        at_us: u64,
    ) -> Result<(), RingFull> {
        self.mark(handle, at_us, What::Tap { channel, leg })
    }

    /// Ends the recording after everything pushed before. [`Report::Closed`](super::Report::Closed) follows.
    pub fn stop(&mut self, handle: Handle, at_us: u64) -> Result<(), RingFull> {
        self.mark(handle, at_us, What::Stop)
    }

    fn mark(&mut self, handle: Handle, at_us: u64, what: What) -> Result<(), RingFull> {
        if self.ring.slots() == 0 {
            return Err(RingFull);
        }
        let missed = self.take_missed(handle);
        self.ring.push(Slot { handle, missed, at_us, what }).map_err(|_| RingFull)
    }

    fn miss(&mut self, handle: Handle) {
        self.overruns.fetch_add(1, Relaxed);
        if let Some(missed) = self.missed.get_mut(handle.index as usize) {
            if missed.generation != handle.generation {
                *missed = Missed { generation: handle.generation, count: 0 };
            }
            missed.count = missed.count.saturating_add(1);
        }
    }

    fn take_missed(&mut self, handle: Handle) -> u32 {
        match self.missed.get_mut(handle.index as usize) {
            Some(missed) if missed.generation == handle.generation => std::mem::take(&mut missed.count),
            _ => 0,
        }
    }
}

/// Payload octets a slot holds: 40 ms of G.711. Longer payloads take two or more slots.
const SLOT_OCTETS: usize = 320;
/// Places payloads leave free, so that marks (tap changes, stop) get through a full ring.
pub(super) const RESERVED: usize = 64;
