//! The conferences of one thread: who sits where, what is ordered of them, and their ticks. What a room does is in `room`.

use std::collections::HashMap;

use model::id::{LegId, RoomId};
use model::time::Timestamp;

use super::browsers::Browsers;
use super::counters::Counters;
use super::doors::doors;
use super::recordings::SeatTap;
use super::shard::{Due, Shard};
use super::table::{Heard, Table};
use crate::control::{MediaError, RoomOrder, RoomRole, RoomSetup};
use crate::driver::Driver;
use crate::jitter::{Kind, Meta};
use crate::leg::{Audio, Leg};
use crate::record::{Payload, Tap};
use crate::room::{Capture, Captured, Equipment, Room, Stage};
use crate::rtp::Header;

/// See the module.
#[derive(Default)]
pub(super) struct Rooms {
    slots: Vec<Slot>,
    by_id: HashMap<RoomId, u32>,
}

#[derive(Default)]
struct Slot {
    room: Option<Box<Room>>,
    /// The tick of the wheel it is called at next.
    armed: Option<u64>,
}

impl Rooms {
    fn find(&self, room: RoomId) -> Result<u32, MediaError> {
        self.by_id.get(&room).copied().ok_or(MediaError::NoSuchRoom(room))
    }
    fn get(&mut self, index: u32) -> Option<&mut Room> {
        self.slots.get_mut(index as usize)?.room.as_deref_mut()
    }
    pub fn id_of(&self, index: u32) -> Option<RoomId> {
        self.slots.get(index as usize)?.room.as_ref().map(|room| room.id())
    }
    fn add(&mut self, room: Room) -> u32 {
        let index = self.slots.iter().position(|slot| slot.room.is_none()).unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() - 1
        });
        self.by_id.insert(room.id(), index as u32);
        if let Some(slot) = self.slots.get_mut(index) {
            *slot = Slot { room: Some(Box::new(room)), armed: None };
        }
        index as u32
    }
    fn remove(&mut self, index: u32) -> Option<Box<Room>> {
        let room = self.slots.get_mut(index as usize)?.room.take()?;
        self.by_id.remove(&room.id());
        Some(room)
    }

    /// A party's packet.
    pub fn put(&mut self, at: (u32, u8), audio: &Audio, payload: &[u8], now: Timestamp, held_us: u32) {
        if let Some(room) = self.get(at.0) {
            room.put(
                at.1,
                audio.codec,
                Meta { held_us, ..meta(&audio.header, Kind::Audio) },
                payload,
                now.micros(),
            );
        }
    }

    /// What has a number among a party's packets and is none of them: an event, comfort noise.
    pub fn mark(&mut self, at: (u32, u8), header: &Header, kind: Kind, payload: &[u8], now: Timestamp) {
        if let Some(room) = self.get(at.0) {
            room.mark(at.1, meta(header, kind), payload, now.micros());
        }
    }

    /// See [`Room::next_hearer`].
    pub fn next_hearer(&mut self, at: (u32, u8), from: usize) -> Option<(usize, u32)> {
        self.get(at.0)?.next_hearer(at.1, from)
    }
}

const fn meta(header: &Header, kind: Kind) -> Meta {
    Meta { ssrc: header.ssrc, seq: header.seq.0, timestamp: header.timestamp.0, kind, held_us: 0 }
}

/// Where a room's packets go: to the legs of this thread, and into its ring for recordings.
struct OnThread<'a> {
    table: &'a mut Table,
    driver: &'a mut Driver,
    counters: &'a mut Counters,
    browsers: &'a Browsers,
    tap: &'a mut Tap,
    now: Timestamp,
}

impl Stage for OnThread<'_> {
    fn listens(&mut self, index: u32) -> bool {
        self.table.get(index).is_some_and(|seat| seat.leg.hears_mix())
    }

    fn send(&mut self, index: u32, payload: &[u8], ticks: u32) {
        let Some(seat) = self.table.get_mut(index) else { return };
        let mut doors = doors(self.driver, self.counters, self.browsers, &seat.sockets, None);
        seat.leg.say_mixed(payload, ticks, self.now, &mut doors);
        self.counters.mixed += 1;
    }

    fn record(&mut self, captured: &Captured<'_>) {
        let Captured { to, codec, seq, timestamp, payload: octets } = *captured;
        let at_us = self.now.micros();
        let payload = Payload { channel: to.channel, codec, epoch: to.epoch, seq, timestamp, at_us, octets };
        if self.tap.payload(to.handle, &payload) {
            self.counters.recorded += 1;
        } else {
            self.counters.record_overruns += 1;
        }
    }
}

impl Shard {
    /// Carries out an order for a room that lives here; its legs do, too.
    pub(super) fn order_room(&mut self, room: RoomId, order: RoomOrder) -> Result<(), MediaError> {
        match order {
            RoomOrder::Open(setup) => self.open_room(room, &setup),
            RoomOrder::Join { leg, role } => {
                let index = self.rooms.find(room)?;
                self.check_free(leg)?;
                let equipment = self.equip(index, leg)?;
                self.join_room(index, leg, role, equipment)
            }
            RoomOrder::SetRole { leg, role } => self.room(room)?.set_role(leg, role),
            RoomOrder::SetAudible { listener, speaker, audible } => {
                self.room(room)?.set_audible(listener, speaker, audible)
            }
            RoomOrder::Leave { leg } => {
                let at = self.rooms.find(room)?;
                let index = self.table.find(leg).ok_or(MediaError::NoSuchLeg(leg))?;
                match self.table.get(index).map(|seat| seat.hears) {
                    Some(Heard::Room { room: of, .. }) if of == at => self.hears(index, Heard::Nothing),
                    _ => return Err(MediaError::NotInRoom { leg, room }),
                }
                Ok(())
            }
            RoomOrder::Close => {
                let index = self.rooms.find(room)?;
                let Some(gone) = self.rooms.remove(index) else { return Err(MediaError::NoSuchRoom(room)) };
                for leg in gone.indexes() {
                    self.hears(leg, Heard::Nothing);
                }
                for Capture { handle, channel, epoch } in gone.captures() {
                    self.mark(&SeatTap { handle, channel, epoch }, None);
                }
                Ok(())
            }
        }
    }

    fn room(&mut self, room: RoomId) -> Result<&mut Room, MediaError> {
        let index = self.rooms.find(room)?;
        self.rooms.get(index).ok_or(MediaError::NoSuchRoom(room))
    }

    /// Everything that can be refused is tried on a room that nobody knows yet.
    fn open_room(&mut self, id: RoomId, setup: &RoomSetup) -> Result<(), MediaError> {
        if self.rooms.by_id.contains_key(&id) {
            return Err(MediaError::RoomExists(id));
        }
        let mut room = Room::new(id, setup, self.now)?;
        let mut seated = Vec::with_capacity(setup.parties.len());
        for (leg, role) in &setup.parties {
            self.check_free(*leg)?;
            let index = self.table.find(*leg).ok_or(MediaError::NoSuchLeg(*leg))?;
            if seated.iter().any(|(other, _)| *other == index) {
                return Err(MediaError::InRoom { leg: *leg, room: id });
            }
            let formats = self.table.get(index).and_then(|seat| formats(&seat.leg));
            let equipment = room.equip(*leg, formats)?;
            seated.push((index, room.join(*leg, index, *role, equipment)?));
        }
        let at = self.rooms.add(room);
        for (index, party) in seated {
            self.hears(index, Heard::Room { room: at, party });
        }
        self.arm_room(at);
        Ok(())
    }

    fn check_free(&self, leg: LegId) -> Result<(), MediaError> {
        let index = self.table.find(leg).ok_or(MediaError::NoSuchLeg(leg))?;
        match self.table.get(index).map(|seat| seat.hears) {
            Some(Heard::Room { room, .. }) => match self.rooms.id_of(room) {
                Some(room) => Err(MediaError::InRoom { leg, room }),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn equip(&mut self, room: u32, leg: LegId) -> Result<Equipment, MediaError> {
        let index = self.table.find(leg).ok_or(MediaError::NoSuchLeg(leg))?;
        let formats = self.table.get(index).and_then(|seat| formats(&seat.leg));
        let Some(room) = self.rooms.get(room) else { return Err(MediaError::Unavailable) };
        room.equip(leg, formats)
    }

    fn join_room(
        &mut self,
        at: u32,
        leg: LegId,
        role: RoomRole,
        equipment: Equipment,
    ) -> Result<(), MediaError> {
        let index = self.table.find(leg).ok_or(MediaError::NoSuchLeg(leg))?;
        let Some(room) = self.rooms.get(at) else { return Err(MediaError::Unavailable) };
        let party = room.join(leg, index, role, equipment)?;
        self.hears(index, Heard::Room { room: at, party });
        Ok(())
    }

    /// Says what a leg hears from now on. Who leaves a room by that leaves it in both directions.
    pub(super) fn hears(&mut self, listener: u32, heard: Heard) {
        let before = self.table.get(listener).map(|seat| seat.hears);
        if let Some(Heard::Room { room, party }) = before
            && before != Some(heard)
            && let Some(room) = self.rooms.get(room)
        {
            room.leave(party);
        }
        if before == Some(Heard::Sound)
            && let Some(seat) = self.table.get_mut(listener)
        {
            let mut doors = doors(&mut self.driver, &mut self.counters, &self.browsers, &seat.sockets, None);
            seat.leg.fade_sound(self.now, &mut doors);
        }
        self.table.hear(listener, heard);
    }

    /// Two of one room are about to hear each other directly: what waits to be said is said first.
    pub(super) fn drain(&mut self, a: u32, b: u32) {
        let place = |index| match self.table.get(index).map(|seat| seat.hears) {
            Some(Heard::Room { room, party }) => Some((room, party)),
            _ => None,
        };
        let (Some((room, of_a)), Some((same, of_b))) = (place(a), place(b)) else { return };
        if room != same {
            return;
        }
        let now = self.now;
        self.on_stage(room, |room, stage| {
            room.drain(of_a, of_b, now, stage);
            room.drain(of_b, of_a, now, stage);
        });
    }

    fn on_stage(&mut self, at: u32, run: impl FnOnce(&mut Room, &mut OnThread<'_>)) {
        let Self { rooms, table, driver, counters, browsers, tap, now, .. } = self;
        if let Some(room) = rooms.get(at) {
            run(room, &mut OnThread { table, driver, counters, browsers, tap, now: *now });
        }
    }

    /// Makes what a party needs to stay in its room with other formats. Nothing, when it is in none.
    pub(super) fn equip_anew(
        &mut self,
        index: u32,
        formats: Option<(crate::control::Format, model::media::Codec)>,
    ) -> Result<Option<(u32, u8, Equipment)>, MediaError> {
        let Some(seat) = self.table.get(index) else { return Ok(None) };
        let (leg, hears) = (seat.leg.id(), seat.hears);
        let Heard::Room { room: at, party } = hears else { return Ok(None) };
        let Some(room) = self.rooms.get(at) else { return Ok(None) };
        Ok(Some((at, party, room.equip(leg, formats)?)))
    }

    pub(super) fn renegotiated(&mut self, (at, party, equipment): (u32, u8, Equipment)) {
        if let Some(room) = self.rooms.get(at) {
            room.renegotiated(party, equipment);
        }
    }

    /// A channel captures a room, or no longer.
    pub(super) fn tap_room(
        &mut self,
        room: RoomId,
        tap: SeatTap,
        without: Option<LegId>,
        on: bool,
    ) -> Result<(), MediaError> {
        let SeatTap { handle, channel, epoch } = tap;
        if on {
            self.room(room)?.tap(Capture { handle, channel, epoch }, without)?;
            self.mark(&tap, Some(room_as_leg(room)));
        } else {
            if let Ok(room) = self.room(room) {
                room.untap(handle, channel);
            }
            self.mark(&tap, None);
        }
        Ok(())
    }

    /// A room is called at its tick.
    pub(super) fn call_room(&mut self, tick: u64, at: u32) {
        let Some(slot) = self.rooms.slots.get_mut(at as usize).filter(|slot| slot.armed == Some(tick)) else {
            return;
        };
        slot.armed = None;
        let now = self.now;
        let mut events = std::mem::take(&mut self.out.events);
        self.on_stage(at, |room, stage| {
            let before = room.counts();
            room.tick(now, stage, &mut events);
            let after = room.counts();
            stage.counters.mix_encoded += after.encoded + after.shared - before.encoded - before.shared;
        });
        self.out.events = events;
        self.tell();
        self.arm_room(at);
    }

    fn arm_room(&mut self, at: u32) {
        let Some(slot) = self.rooms.slots.get_mut(at as usize) else { return };
        let Some(room) = &slot.room else { return };
        let tick = self.wheel.tick_of(room.next_deadline());
        slot.armed = Some(tick);
        self.wheel.add(tick, Due::Room(at));
    }
}

/// What a leg is sent, and what it is expected to send.
fn formats(leg: &Leg) -> Option<(crate::control::Format, model::media::Codec)> {
    leg.setup().and_then(formats_of)
}

/// The same of a setup.
pub(super) fn formats_of(
    setup: &crate::control::LegSetup,
) -> Option<(crate::control::Format, model::media::Codec)> {
    let send = setup.send?;
    Some((send, setup.receive.first().map_or(send.codec, |format| format.codec)))
}

/// A container's marks name whose words follow; a room is named by its own id there.
fn room_as_leg(room: RoomId) -> LegId {
    use model::id::Id;
    LegId::from_uuid(room.uuid())
}
