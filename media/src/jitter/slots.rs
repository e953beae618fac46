//! Fixed places for packets, found by sequence number.

use super::Kind;

/// A packet that waits to be played.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    /// Extended sequence number: names the packet, and its place.
    pub(super) seq: u64,
    /// Extended timestamp, in ticks.
    pub(super) time: i64,
    /// Its duration in ticks; 0 for what is no audio.
    pub(super) ticks: u32,
    pub(super) kind: Kind,
    /// First of another source: what a decoder remembers is not its past.
    pub(super) fresh: bool,
    pub(super) len: usize,
}

/// The places.
#[derive(Clone, Debug)]
pub(super) struct Slots {
    slots: Vec<Option<Slot>>,
    octets: Vec<u8>,
    payload_max: usize,
    held: usize,
}

impl Slots {
    pub(super) fn new(packets: usize, payload_max: usize) -> Self {
        Self { slots: vec![None; packets], octets: vec![0; packets * payload_max], payload_max, held: 0 }
    }

    /// Packets held.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// How many sequence numbers in a row fit.
    pub(super) fn room(&self) -> u64 {
        self.slots.len() as u64
    }

    /// Keeps a packet; false when its payload is too long. The caller sees to it that no older packet has its place.
    pub(super) fn put(&mut self, mut slot: Slot, payload: &[u8]) -> bool {
        let at = self.at(slot.seq);
        let Some(room) = self.octets[at * self.payload_max..][..self.payload_max].get_mut(..payload.len())
        else {
            return false;
        };
        room.copy_from_slice(payload);
        slot.len = payload.len();
        if self.slots[at].replace(slot).is_none() {
            self.held += 1;
        }
        true
    }

    /// The packet with this number.
    pub(super) fn get(&self, seq: u64) -> Option<Slot> {
        self.slots[self.at(seq)].filter(|slot| slot.seq == seq)
    }

    /// The first packet from this number up to and with `last`.
    pub(super) fn first(&self, from: u64, last: u64) -> Option<Slot> {
        if self.held == 0 {
            return None;
        }
        (from..=last.min(from.saturating_add(self.room() - 1))).find_map(|seq| self.get(seq))
    }

    /// The payload of a packet that is, or was just, held.
    pub(super) fn payload(&self, slot: &Slot) -> &[u8] {
        &self.octets[self.at(slot.seq) * self.payload_max..][..slot.len]
    }

    /// Gives a place free. Its payload stays readable until the next [`Slots::put`].
    pub(super) fn free(&mut self, seq: u64) {
        let at = self.at(seq);
        if self.slots[at].is_some_and(|slot| slot.seq == seq) {
            self.slots[at] = None;
            self.held -= 1;
        }
    }

    fn at(&self, seq: u64) -> usize {
        (seq % self.slots.len() as u64) as usize
    }
}

impl Slot {
    pub(super) fn new(seq: u64, time: i64, ticks: u32, kind: Kind) -> Self {
        Self { seq, time, ticks, kind, fresh: false, len: 0 }
    }
}
