//! A media plane of paper that knows who hears whom.

use std::collections::{HashMap, HashSet};

use media::control::{Answer, Channel, LegCreated, LegStats, MediaError, RoomOrder, RoomRole};
use model::id::{Id, InteractionId, LegId, RecordingId, RoomId};

use crate::call::words::{Heard, MediaOrder};

/// What a leg hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ear {
    Nothing,
    Sound,
    Leg(LegId),
    Room(InteractionId),
}

/// Whose words a recording has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tap {
    Leg(LegId),
    Room { call: InteractionId, without: LegId },
}

#[derive(Default)]
pub struct Plane {
    ears: HashMap<LegId, Ear>,
    rooms: HashMap<InteractionId, Vec<(LegId, RoomRole)>>,
    muted: HashSet<LegId>,
    taps: HashMap<(RecordingId, Channel), Tap>,
    pub refuses: Option<fn(&MediaOrder) -> bool>,
    /// Legs that must never be in silence.
    pub watched: HashSet<LegId>,
    /// Pairs of whom the first must never hear the second.
    pub apart: Vec<(LegId, LegId)>,
}

impl Plane {
    pub fn softphone(&mut self, leg: LegId) {
        self.ears.insert(leg, Ear::Nothing);
    }

    /// Carries out an order of a call, and looks who hears whom.
    pub fn order(&mut self, call: InteractionId, order: &MediaOrder) -> Result<Answer, MediaError> {
        if self.refuses.is_some_and(|refuses| refuses(order)) {
            return Err(MediaError::Unavailable);
        }
        let answer = self.carry_out(call, order);
        for leg in self.watched.iter().filter(|leg| self.ears.contains_key(leg)) {
            assert!(!self.is_in_silence(*leg), "{leg} hears nothing after {order:?}");
        }
        for (listener, speaker) in &self.apart {
            assert!(!self.hears(*listener, *speaker), "{listener} hears {speaker} after {order:?}");
        }
        answer
    }

    fn there(&self, leg: LegId) -> Result<(), MediaError> {
        self.ears.contains_key(&leg).then_some(()).ok_or(MediaError::NoSuchLeg(leg))
    }

    fn listen(&mut self, leg: LegId, ear: Ear) {
        if self.ears.get(&leg) != Some(&ear) {
            for parties in self.rooms.values_mut() {
                parties.retain(|(other, _)| *other != leg);
            }
        }
        self.ears.insert(leg, ear);
    }

    fn carry_out(&mut self, call: InteractionId, order: &MediaOrder) -> Result<Answer, MediaError> {
        match order {
            MediaOrder::Create { leg, .. } => {
                self.ears.insert(*leg, Ear::Nothing);
                let [rtp, rtcp] = ["192.0.2.1:30000", "192.0.2.1:30001"].map(|at| at.parse().unwrap());
                return Ok(Answer::Created(LegCreated { rtp, rtcp, ice: None }));
            }
            MediaOrder::Configure { leg, .. } | MediaOrder::SendDigits { leg, .. } => self.there(*leg)?,
            MediaOrder::Hear { leg, heard } => {
                self.there(*leg)?;
                let ear = match heard {
                    Heard::Nothing => Ear::Nothing,
                    Heard::Announcement | Heard::Sound(_) | Heard::Named(_) => Ear::Sound,
                    Heard::Leg(other) => Ear::Leg(*other),
                };
                self.listen(*leg, ear);
            }
            MediaOrder::StopHearing { leg, speaker } => {
                self.there(*leg)?;
                if self.ears.get(leg) == Some(&Ear::Leg(*speaker)) {
                    self.listen(*leg, Ear::Nothing);
                }
            }
            MediaOrder::Bridge { a, b } => {
                self.there(*a)?;
                self.there(*b)?;
                self.listen(*a, Ear::Leg(*b));
                self.listen(*b, Ear::Leg(*a));
            }
            MediaOrder::Mute { leg, muted } => {
                self.there(*leg)?;
                if *muted {
                    self.muted.insert(*leg)
                } else {
                    self.muted.remove(leg)
                };
            }
            MediaOrder::Room(order) => self.room(call, order)?,
            MediaOrder::Tap { recording, channel, leg } => {
                self.there(*leg)?;
                self.taps.insert((*recording, *channel), Tap::Leg(*leg));
            }
            MediaOrder::TapRoom { recording, without } => {
                let room = RoomId::from_uuid(call.uuid());
                self.rooms.get(&call).ok_or(MediaError::NoSuchRoom(room))?;
                self.taps.insert((*recording, Channel::Right), Tap::Room { call, without: *without });
            }
            MediaOrder::Untap { recording, channel } => drop(self.taps.remove(&(*recording, *channel))),
            MediaOrder::StartRecording(_) | MediaOrder::PauseRecording { .. } => {}
            MediaOrder::StopRecording(recording) => {
                self.taps.retain(|(of, _), _| of != recording);
                return Ok(Answer::Recorded { frames: 1, missing: 0 });
            }
            MediaOrder::Measure(leg) => self.there(*leg)?,
            MediaOrder::Stats(leg) => {
                self.there(*leg)?;
                return Ok(Answer::Stats(Box::default()));
            }
            MediaOrder::Delete(leg) => {
                self.there(*leg)?;
                self.listen(*leg, Ear::Nothing);
                self.ears.remove(leg);
                return Ok(Answer::Stats(Box::<LegStats>::default()));
            }
        }
        Ok(Answer::Done)
    }

    fn room(&mut self, call: InteractionId, order: &RoomOrder) -> Result<(), MediaError> {
        let room = RoomId::from_uuid(call.uuid());
        let absent = MediaError::NoSuchRoom(room);
        match order {
            RoomOrder::Open(setup) => {
                assert!(setup.parties.len() <= setup.parties_max);
                if self.rooms.contains_key(&call) {
                    return Err(MediaError::RoomExists(room));
                }
                for (at, (leg, role)) in setup.parties.iter().enumerate() {
                    self.free(*leg)?;
                    let before = setup.parties.get(..at).unwrap_or_default();
                    coaches_one_of(before, *leg, *role, room)?;
                }
                for (leg, _) in &setup.parties {
                    self.ears.insert(*leg, Ear::Room(call));
                }
                self.rooms.insert(call, setup.parties.clone());
            }
            RoomOrder::Join { leg, role } => {
                self.free(*leg)?;
                let parties = self.rooms.get_mut(&call).ok_or(absent)?;
                coaches_one_of(parties, *leg, *role, room)?;
                parties.push((*leg, *role));
                self.ears.insert(*leg, Ear::Room(call));
            }
            RoomOrder::SetRole { leg, role } => {
                let parties = self.rooms.get_mut(&call).ok_or(absent)?;
                coaches_one_of(&parties.clone(), *leg, *role, room)?;
                let party = parties.iter_mut().find(|(other, _)| other == leg);
                party.ok_or(MediaError::NotInRoom { leg: *leg, room })?.1 = *role;
            }
            RoomOrder::SetAudible { .. } => unreachable!("roles say who is heard"),
            RoomOrder::Leave { leg } => {
                self.rooms.get(&call).ok_or(absent)?;
                if self.ears.get(leg) != Some(&Ear::Room(call)) {
                    return Err(MediaError::NotInRoom { leg: *leg, room });
                }
                self.listen(*leg, Ear::Nothing);
            }
            RoomOrder::Close => {
                for (leg, _) in self.rooms.remove(&call).ok_or(absent)? {
                    self.ears.insert(leg, Ear::Nothing);
                }
                self.taps.retain(|_, tap| !matches!(tap, Tap::Room { call: of, .. } if *of == call));
            }
        }
        Ok(())
    }

    fn free(&self, leg: LegId) -> Result<(), MediaError> {
        self.there(leg)?;
        match self.ears.get(&leg) {
            Some(Ear::Room(of)) => Err(MediaError::InRoom { leg, room: RoomId::from_uuid(of.uuid()) }),
            _ => Ok(()),
        }
    }

    /// Whether one hears the words of the other.
    pub fn hears(&self, listener: LegId, speaker: LegId) -> bool {
        if listener == speaker || self.muted.contains(&speaker) || !self.ears.contains_key(&speaker) {
            return false;
        }
        match self.ears.get(&listener) {
            Some(Ear::Leg(leg)) => *leg == speaker,
            Some(Ear::Room(call)) => self.rooms.get(call).is_some_and(|parties| {
                parties.iter().any(|(leg, role)| {
                    let audible = match role {
                        RoomRole::Member => true,
                        RoomRole::Monitor => false,
                        RoomRole::Coach(of) => *of == listener,
                    };
                    *leg == speaker && audible
                })
            }),
            _ => false,
        }
    }

    pub fn both_hear(&self, a: LegId, b: LegId) -> bool {
        self.hears(a, b) && self.hears(b, a)
    }

    /// Whether nothing at all is heard: no sound, and nobody who is there.
    pub fn is_in_silence(&self, leg: LegId) -> bool {
        match self.ears.get(&leg) {
            None | Some(Ear::Nothing) => true,
            Some(Ear::Sound) => false,
            Some(Ear::Leg(other)) => !self.ears.contains_key(other),
            Some(Ear::Room(call)) => {
                let parties = self.rooms.get(call).map_or(&[][..], Vec::as_slice);
                !parties.iter().any(|(other, _)| {
                    self.hears(leg, *other) || (self.muted.contains(other) && *other != leg)
                })
            }
        }
    }

    /// Whether somebody's words are in a channel of a recording.
    pub fn captures(&self, recording: RecordingId, channel: Channel, leg: LegId) -> bool {
        match self.taps.get(&(recording, channel)) {
            None => false,
            Some(Tap::Leg(of)) => *of == leg,
            Some(Tap::Room { call, without }) => {
                let speaks = |(of, role): &(LegId, RoomRole)| *of == leg && *role != RoomRole::Monitor;
                leg != *without && self.rooms.get(call).is_some_and(|parties| parties.iter().any(speaks))
            }
        }
    }

    pub fn legs(&self) -> impl Iterator<Item = LegId> {
        self.ears.keys().copied()
    }
    pub fn is_there(&self, leg: LegId) -> bool {
        self.ears.contains_key(&leg)
    }
    pub fn open_rooms(&self) -> usize {
        self.rooms.len()
    }
    pub fn open_recordings(&self) -> usize {
        self.taps.len()
    }
}

/// Who coaches, coaches somebody who is there.
fn coaches_one_of(
    parties: &[(LegId, RoomRole)],
    leg: LegId,
    role: RoomRole,
    room: RoomId,
) -> Result<(), MediaError> {
    match role {
        RoomRole::Coach(of) if leg == of || !parties.iter().any(|(other, _)| *other == of) => {
            Err(MediaError::NotInRoom { leg: of, room })
        }
        _ => Ok(()),
    }
}
