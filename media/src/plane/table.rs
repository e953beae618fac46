//! The legs of one thread, and who hears whom.

use std::collections::HashMap;
use std::mem::offset_of;

use model::id::LegId;

use super::fast::FastSeat;
use super::recordings::SeatTap;
use super::sockets::Sockets;
use crate::driver::prefetch;
use crate::leg::{Door, Leg};

/// Legs that may hear one leg directly; more would be a conference, which is another machine.
pub(super) const HEARERS_MAX: usize = 16;

/// A leg with its place on the thread; in the order of memory, as the leg's own parts are ([`Leg`]).
#[derive(Debug)]
#[repr(C)]
pub(super) struct Seat {
    /// Names the leg to its hearers; never reused, so that a stream is not taken for another.
    pub serial: u64,
    pub hears: Heard,
    pub taps: Vec<SeatTap>,
    pub fast: FastSeat,
    pub hearers: Hearers,
    pub sockets: Sockets,
    pub leg: Leg,
    /// The tick of the wheel it is called at next.
    pub armed: Option<u64>,
    /// Its way to another thread has begun.
    pub moving: bool,
}

impl Seat {
    /// A packet of this party is handled soon: what it needs is fetched from memory.
    pub fn fetch_speaker(&self) {
        prefetch(self, 0..offset_of!(Self, leg) + Leg::RECEIVES);
    }
    /// A packet to this party is made soon: the same.
    pub fn fetch_hearer(&self) {
        prefetch(self, offset_of!(Self, sockets)..offset_of!(Self, leg) + Leg::SENDS);
    }
}

/// The legs that hear one, in the seat itself: a list elsewhere would be one more wait for memory a packet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hearers {
    len: u8,
    legs: [u32; HEARERS_MAX],
}

impl std::ops::Deref for Hearers {
    type Target = [u32];
    fn deref(&self) -> &[u32] {
        self.legs.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl Hearers {
    /// One more; nobody is added beyond [`HEARERS_MAX`].
    fn push(&mut self, leg: u32) {
        if let Some(place) = self.legs.get_mut(usize::from(self.len)) {
            *place = leg;
            self.len += 1;
        }
    }
    fn remove(&mut self, leg: u32) {
        if let Some(at) = self.iter().position(|hearer| *hearer == leg) {
            self.legs.copy_within(at + 1.., at);
            self.len -= 1;
        }
    }
    /// Nobody hears it.
    pub fn clear(&mut self) {
        self.len = 0;
    }
}

/// What a leg hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Nothing,
    Leg(u32),
    Sound,
    /// The mix of a room of this thread, in which it is the party with this number.
    Room {
        room: u32,
        party: u8,
    },
}

impl Heard {
    /// The room and the party's number in it.
    pub const fn room(self) -> Option<(u32, u8)> {
        match self {
            Self::Room { room, party } => Some((room, party)),
            _ => None,
        }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Table {
    slots: Vec<(u32, Option<Box<Seat>>)>,
    free: Vec<u32>,
    by_id: HashMap<LegId, u32>,
}

impl Table {
    pub fn len(&self) -> usize {
        self.by_id.len()
    }
    pub fn slots(&self) -> usize {
        self.slots.len()
    }
    pub fn find(&self, leg: LegId) -> Option<u32> {
        self.by_id.get(&leg).copied()
    }
    pub fn get(&self, index: u32) -> Option<&Seat> {
        self.slots.get(index as usize)?.1.as_deref()
    }
    pub fn get_mut(&mut self, index: u32) -> Option<&mut Seat> {
        self.slots.get_mut(index as usize)?.1.as_deref_mut()
    }

    /// A place for a leg: its index and the tags of its sockets.
    pub fn reserve(&mut self) -> (u32, u64, u64) {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push((0, None));
            (self.slots.len() - 1) as u32
        });
        let generation = self.slots.get(index as usize).map_or(0, |slot| slot.0);
        (index, tag(index, generation, Door::Rtp), tag(index, generation, Door::Rtcp))
    }
    /// A reserved place is not used after all.
    pub fn forget(&mut self, index: u32) {
        self.free.push(index);
    }
    pub fn seat(&mut self, index: u32, seat: Box<Seat>) {
        self.by_id.insert(seat.leg.id(), index);
        if let Some(slot) = self.slots.get_mut(index as usize) {
            slot.1 = Some(seat);
        }
    }

    /// The tags of a leg's sockets, RTP first.
    pub fn tags(&self, index: u32) -> (u64, u64) {
        let generation = self.slots.get(index as usize).map_or(0, |slot| slot.0);
        (tag(index, generation, Door::Rtp), tag(index, generation, Door::Rtcp))
    }

    /// The leg a socket's tag belongs to, if it is still there.
    pub fn of_tag(&self, tag: u64) -> Option<(u32, Door)> {
        let (index, generation, door) = read_tag(tag);
        let (now, seat) = self.slots.get(index as usize)?;
        (*now == generation && seat.is_some()).then_some((index, door))
    }

    /// Takes a leg out; whoever heard it hears nothing, and it hears nobody.
    pub fn remove(&mut self, index: u32) -> Option<Box<Seat>> {
        self.hear(index, Heard::Nothing);
        // Its hearers lose it one by one, itself among them if it heard itself.
        while let Some(hearer) = self.get(index).and_then(|seat| seat.hearers.last().copied()) {
            self.hear(hearer, Heard::Nothing);
        }
        self.evict(index)
    }

    /// Takes a leg out as it is; the caller takes all who are bound to it.
    pub fn evict(&mut self, index: u32) -> Option<Box<Seat>> {
        let slot = self.slots.get_mut(index as usize)?;
        let seat = slot.1.take()?;
        slot.0 = slot.0.wrapping_add(1) & 0x7FFF_FFFF;
        self.free.push(index);
        self.by_id.remove(&seat.leg.id());
        Some(seat)
    }

    /// Restores a bond between legs that moved together.
    pub fn bind(&mut self, listener: u32, speaker: u32) {
        if let Some(seat) = self.get_mut(listener) {
            seat.hears = Heard::Leg(speaker);
        }
        if let Some(seat) = self.get_mut(speaker) {
            seat.hearers.push(listener);
        }
    }

    /// Whether `speaker` can take one more hearer, `listener` being one already or not.
    pub fn has_room(&self, speaker: u32, listener: u32) -> bool {
        self.get(speaker)
            .is_some_and(|seat| seat.hearers.len() < HEARERS_MAX || seat.hearers.contains(&listener))
    }

    /// Says what a leg hears from now on.
    pub fn hear(&mut self, listener: u32, heard: Heard) {
        let Some(seat) = self.get_mut(listener) else { return };
        let before = std::mem::replace(&mut seat.hears, heard);
        if before != heard {
            seat.leg.source_changed();
        }
        if heard != Heard::Sound {
            seat.leg.stop_sound();
        }
        if let Heard::Leg(speaker) = before
            && let Some(speaker) = self.get_mut(speaker)
        {
            speaker.hearers.remove(listener);
        }
        if let Heard::Leg(speaker) = heard
            && let Some(speaker) = self.get_mut(speaker)
        {
            speaker.hearers.push(listener);
        }
    }

    /// Whether a leg hears something that should make a sound now.
    pub fn is_fed(&self, index: u32) -> bool {
        match self.get(index).map_or(Heard::Nothing, |seat| seat.hears) {
            Heard::Nothing => false,
            Heard::Leg(speaker) => self.get(speaker).is_some_and(|seat| seat.leg.expects_voice()),
            // A mix is sent without a pause, whoever speaks in it.
            Heard::Sound | Heard::Room { .. } => true,
        }
    }

    /// All legs that are bound to this one by hearing, itself included.
    pub fn company(&self, index: u32) -> Vec<u32> {
        let mut company = vec![index];
        let mut next = 0;
        while let Some(seat) = company.get(next).and_then(|index| self.get(*index)) {
            let speaker = if let Heard::Leg(speaker) = seat.hears { Some(speaker) } else { None };
            for other in seat.hearers.iter().copied().chain(speaker) {
                if !company.contains(&other) {
                    company.push(other);
                }
            }
            next += 1;
        }
        company
    }
}

const fn tag(index: u32, generation: u32, door: Door) -> u64 {
    (generation as u64) << 33 | (matches!(door, Door::Rtcp) as u64) << 32 | index as u64
}

const fn read_tag(tag: u64) -> (u32, u32, Door) {
    let door = if tag >> 32 & 1 == 1 { Door::Rtcp } else { Door::Rtp };
    (tag as u32, (tag >> 33) as u32, door)
}

/// The tags of a leg's sockets without the door: what both have in common.
pub(super) const fn without_door(tag: u64) -> u64 {
    tag & !(1 << 32)
}
