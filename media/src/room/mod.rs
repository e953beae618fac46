//! A conference without I/O: packets of its parties in, packets for each of them out, every 20 ms.
//!
//! ```text
//! packets ──▶ Voice (jitter buffer, decoder) ──▶ Mixer ──▶ Ear (encoder) ──▶ packets
//! ```
//! The mixer knows seats, a room knows legs: their roles by name, who is recorded, which rate is worth while. The rate is the
//! second best among what the parties' codecs can do, because better than that only one could hear or say. It rises when
//! somebody joins, with one frame that dies away and one that rises; it does not fall again.
//!
//! Whoever hears exactly what others hear in the same codec gets the same packets ([`tick`]).
//!
//! Not here: which thread it lives on, who may be moved (`plane`), RTP numbers (`leg`).

mod ear;
mod news;
mod taps;
#[cfg(test)]
mod tests;
mod tick;
mod voice;

use std::time::Duration;

use model::id::{LegId, RoomId};
use model::media::Codec;
use model::time::Timestamp;

use crate::codec::CodecError;
use crate::control::{Format, MediaError, RoomRole, RoomSetup};
use crate::jitter::Meta;
use crate::mix::{MixError, Mixer, Role, Seat};

use ear::Ear;
use news::News;
use tick::Shared;
use voice::{FRAME_MAX, Voice};

pub use taps::{Capture, Captured};
pub use tick::{Counts, Stage};

/// The room is mixed so often.
const FRAME: Duration = Duration::from_millis(20);
const LOWEST_HZ: u32 = 8_000;

/// See the module.
pub struct Room {
    id: RoomId,
    mixer: Mixer,
    parties: Vec<Option<Party>>,
    /// Encoders whose packets go to many, one a codec.
    shared: Vec<Shared>,
    taps: Vec<taps::RoomTap>,
    /// When the next frame is due.
    next_at: Timestamp,
    /// The rate it should have from the next frame on.
    wanted_hz: u32,
    frame: Box<[i16]>,
    news: News,
    counts: Counts,
}

struct Party {
    leg: LegId,
    /// How the caller finds the leg.
    index: u32,
    seat: Seat,
    role: RoomRole,
    voice: Voice,
    ear: Ear,
    /// Its own encoder was not used for the frame before.
    idle: bool,
}

/// What a party needs, made before anything changes, so that making it may fail.
pub struct Equipment {
    voice: Voice,
    ear: Ear,
}

impl Room {
    /// An empty room; its first frame is due at once.
    pub fn new(id: RoomId, setup: &RoomSetup, now: Timestamp) -> Result<Self, MediaError> {
        let mixer = Mixer::new(LOWEST_HZ, setup.parties_max, setup.speakers)
            .map_err(|why| MediaError::BadSetup(why.to_string()))?;
        Ok(Self {
            id,
            mixer,
            parties: (0..setup.parties_max).map(|_| None).collect(),
            shared: Vec::new(),
            taps: Vec::new(),
            next_at: now,
            wanted_hz: LOWEST_HZ,
            frame: vec![0; FRAME_MAX].into_boxed_slice(),
            news: News::default(),
            counts: Counts::default(),
        })
    }

    pub const fn id(&self) -> RoomId {
        self.id
    }

    /// When [`Room::tick`] is due next.
    pub const fn next_deadline(&self) -> Timestamp {
        self.next_at
    }

    /// Encoder and decoder of a party; `None`: nothing is known about its stream.
    pub fn equip(&self, leg: LegId, formats: Option<(Format, Codec)>) -> Result<Equipment, MediaError> {
        let refused = |why: String| MediaError::CannotMix { leg, why };
        let Some((send, speaks)) = formats else { return Err(refused("nothing is negotiated yet".into())) };
        let refuse = |why: CodecError| refused(why.to_string());
        let room_hz = self.mixer.rate_hz();
        Ok(Equipment {
            voice: Voice::new(speaks, room_hz).map_err(refuse)?,
            ear: Ear::new(send, room_hz).map_err(refuse)?,
        })
    }

    /// A leg joins: its number here.
    pub fn join(
        &mut self,
        leg: LegId,
        index: u32,
        role: RoomRole,
        equipment: Equipment,
    ) -> Result<u8, MediaError> {
        let full = MediaError::RoomFull { room: self.id, parties: self.mixer.seats() };
        let number = self.parties.iter().position(Option::is_none).ok_or(full.clone())?;
        let seat = self.mixer.join(self.role_of(role)?).map_err(|_: MixError| full)?;
        let Equipment { voice, ear } = equipment;
        self.share(ear.to());
        if let Some(place) = self.parties.get_mut(number) {
            *place = Some(Party { leg, index, seat, role, voice, ear, idle: true });
        }
        // Whoever coached this leg when it was here before does so again.
        for (other, was) in self.parties.iter().flatten().map(|party| (party.seat, party.role)) {
            if was == RoomRole::Coach(leg) {
                self.mixer.set_role(other, Role::Coach(seat));
            }
        }
        self.mask_taps();
        self.choose_rate();
        Ok(number as u8)
    }

    /// A leg leaves; what it said last dies away.
    pub fn leave(&mut self, number: u8) {
        if let Some(party) = self.parties.get_mut(usize::from(number)).and_then(Option::take) {
            self.mixer.leave(party.seat);
        }
    }

    /// A leg becomes something else.
    pub fn set_role(&mut self, leg: LegId, role: RoomRole) -> Result<(), MediaError> {
        let as_seat = self.role_of(role)?;
        let not_here = MediaError::NotInRoom { leg, room: self.id };
        let party = self.parties.iter_mut().flatten().find(|party| party.leg == leg).ok_or(not_here)?;
        party.role = role;
        self.mixer.set_role(party.seat, as_seat);
        self.mask_taps();
        Ok(())
    }

    /// Whether one leg hears another from now on.
    pub fn set_audible(&mut self, listener: LegId, speaker: LegId, audible: bool) -> Result<(), MediaError> {
        let (hears, says) = (self.seat(listener)?, self.seat(speaker)?);
        if self.mixer.set_audible(hears, says, audible) {
            return Ok(());
        }
        Err(MediaError::BadSetup("nobody hears itself".into()))
    }

    /// Whether a leg may take a role; changes nothing.
    pub fn role_of(&self, role: RoomRole) -> Result<Role, MediaError> {
        Ok(match role {
            RoomRole::Member => Role::Member,
            RoomRole::Monitor => Role::Monitor,
            RoomRole::Coach(of) => Role::Coach(self.seat(of)?),
        })
    }

    /// Other formats were negotiated for a party.
    pub fn renegotiated(&mut self, number: u8, equipment: Equipment) {
        let Equipment { voice, ear } = equipment;
        self.share(ear.to());
        if let Some(party) = self.party(number) {
            // What it said in the old codec and what the far end may still send in it are played out.
            if party.ear.to() != ear.to() {
                party.ear = ear;
                party.idle = true;
            }
            party.voice.expect(voice);
        }
        self.choose_rate();
    }

    /// A packet of a party came.
    pub fn put(&mut self, number: u8, codec: Codec, meta: Meta, payload: &[u8], at_us: u64) {
        let room_hz = self.mixer.rate_hz();
        if let Some(party) = self.party(number) {
            party.voice.put(codec, room_hz, meta, payload, at_us);
        }
    }

    /// Something of a party came that is no audio and has a number among its packets: an event, comfort noise.
    pub fn mark(&mut self, number: u8, meta: Meta, payload: &[u8], at_us: u64) {
        if let Some(party) = self.party(number) {
            party.voice.mark(meta, payload, at_us);
        }
    }

    /// The first party from the `from`th place on that hears this one: its place and the caller's index of it. Events go to all
    /// of them, one after the other.
    pub fn next_hearer(&self, of: u8, from: usize) -> Option<(usize, u32)> {
        let speaker = self.parties.get(usize::from(of))?.as_ref()?.seat;
        let mut places = self.parties.iter().enumerate().skip(from);
        places.find_map(|(place, party)| {
            let party = party.as_ref()?;
            self.mixer.hears(party.seat, speaker).then_some((place, party.index))
        })
    }

    /// All legs in it, as the caller finds them.
    pub fn indexes(&self) -> Vec<u32> {
        self.parties.iter().flatten().map(|party| party.index).collect()
    }

    /// What was mixed and encoded so far.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    fn party(&mut self, number: u8) -> Option<&mut Party> {
        self.parties.get_mut(usize::from(number))?.as_mut()
    }

    fn seat(&self, leg: LegId) -> Result<Seat, MediaError> {
        let party = self.parties.iter().flatten().find(|party| party.leg == leg);
        party.map(|party| party.seat).ok_or(MediaError::NotInRoom { leg, room: self.id })
    }

    /// The second best of what the parties hear; never less than now.
    fn choose_rate(&mut self) {
        let (mut best, mut second) = (0, 0);
        for hz in self.parties.iter().flatten().filter_map(|party| voice::native_hz(party.ear.to().codec)) {
            second = second.max(hz.min(best));
            best = best.max(hz);
        }
        self.wanted_hz = self.mixer.rate_hz().max(second);
    }
}
