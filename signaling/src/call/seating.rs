//! Who hears whom when more than two are in a call: directly, in a room, or alone with music.
//!
//! It is worked out anew from who is there, whenever that changes, and compared with how everybody sat before; what differs is
//! ordered. Two hear each other directly, more meet in the call's one room. Who holds, or whose page is loaded anew, is left out:
//! the others go on and hear nothing of it, and only who is left alone hears music or noise, never silence.

use media::control::{RoomOrder, RoomRole, RoomSetup};
use model::call::{Attending, Sound};
use model::id::LegId;

use super::guest::{GUESTS_MAX, Guest};
use super::link::{EndState, Link};
use super::words::{Heard, MediaOrder, Output};
use super::{Call, customer::Customer};

/// So many of the loudest are heard at a time.
const SPEAKERS: usize = 3;

/// How everybody sits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seating {
    table: Table,
    /// Who hears a sound, because nobody is there to talk to.
    alone: Vec<(LegId, Sound)>,
    /// Whom the recording's channel of our side captures.
    captured: Option<Captured>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Table {
    /// As two ends sit by themselves; or nobody talks.
    #[default]
    Plain,
    /// Two hear each other directly.
    Pair(LegId, LegId),
    /// All meet in the room.
    Room(Vec<(LegId, RoomRole)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Captured {
    Leg(LegId),
    Room,
}

/// Somebody who may talk.
struct Member<'a> {
    leg: LegId,
    state: &'a EndState,
}

impl Call {
    /// Whether more than its two ends are in this call, or were until now.
    pub(super) fn is_conference(&self) -> bool {
        !self.guests.is_empty() || self.seating != Seating::default()
    }

    /// Lets everybody hear whom they should.
    pub(super) fn arrange(&mut self, out: &mut Vec<Output>) {
        let target = self.seating();
        self.sit(target, out);
        if !self.is_taking() {
            self.capture(out);
        }
        // Two ends by themselves hold, retrieve and wait as ever (`link`).
        if self.guests.is_empty() && !self.is_taking() {
            self.seating = Seating::default();
        }
    }

    /// Everybody sits as before somebody came who cannot stay.
    pub(super) fn arrange_back(&mut self, before: Seating, out: &mut Vec<Output>) {
        if self.guests.is_empty() && before == Seating::default() {
            // What was ordered for the guest was refused, or is undone.
            let target = self.seating();
            self.sit(target, out);
            self.seating = before;
        } else {
            self.arrange(out);
        }
    }

    /// The room is closed with the call.
    pub(super) fn close_room(&mut self, out: &mut Vec<Output>) {
        if let Table::Room(_) = std::mem::take(&mut self.seating).table {
            out.push(Output::Media(MediaOrder::Room(RoomOrder::Close)));
        }
    }

    /// The recording's channel of our side captures everybody but the customer.
    pub(super) fn capture(&mut self, out: &mut Vec<Output>) {
        let (Some(recording), Link::Joined(_)) = (self.recording, &self.link) else { return };
        let captured = match &self.seating.table {
            Table::Plain => match self.agent.media_leg().filter(|_| self.guests.is_empty()) {
                Some(leg) => Captured::Leg(leg),
                None => return,
            },
            Table::Pair(a, b) => Captured::Leg(if *a == self.leg { *b } else { *a }),
            Table::Room(_) => Captured::Room,
        };
        if self.seating.captured.replace(captured) == Some(captured) {
            return;
        }
        out.push(Output::Media(match captured {
            Captured::Leg(leg) => MediaOrder::Tap { recording, channel: media::control::Channel::Right, leg },
            Captured::Room => MediaOrder::TapRoom { recording, without: self.leg },
        }));
    }

    /// Everybody's leg, how they take part, and whether they are there.
    #[cfg(test)]
    pub(super) fn everybody(&self) -> Vec<(LegId, Attending, bool)> {
        let members = self.members().into_iter();
        let members = members.map(|member| (member.leg, Attending::BargeIn, member.state.is_there()));
        let silent = self.guests.iter().filter(|guest| !guest.is_member());
        let silent = silent.map(|guest| (guest.who.media(), guest.how, guest.who.state.is_there()));
        members.chain(silent).collect()
    }

    fn members(&self) -> Vec<Member<'_>> {
        let Link::Joined(joined) = &self.link else { return Vec::new() };
        let customer = (!matches!(self.customer, Customer::Gone))
            .then_some(Member { leg: self.leg, state: &joined.caller });
        let agent = self.agent.media_leg().map(|leg| Member { leg, state: &joined.called });
        let guests = self.guests.iter().filter(|guest| guest.is_member());
        let guests = guests.map(|guest| Member { leg: guest.who.media(), state: &guest.who.state });
        customer.into_iter().chain(agent).chain(guests).collect()
    }

    /// How everybody should sit.
    fn seating(&self) -> Seating {
        let captured = self.seating.captured;
        let members = self.members();
        let there: Vec<LegId> = members.iter().filter(|m| m.state.is_there()).map(|m| m.leg).collect();
        let silent: Vec<&Guest> =
            self.guests.iter().filter(|guest| !guest.is_member() && guest.who.state.is_there()).collect();
        let held = members.iter().any(|member| member.state.holds);
        let music = if held { Sound::HoldMusic } else { Sound::ComfortNoise };
        let table = match &there[..] {
            [] | [_] => {
                // A supervisor waits with whoever is left.
                let waiting = silent.iter().map(|guest| (guest.who.media(), Sound::ComfortNoise));
                let alone = there.iter().map(|leg| (*leg, music)).chain(waiting).collect();
                return Seating { table: Table::Plain, alone, captured };
            }
            [a, b] if silent.is_empty() && (self.recording.is_none() || *a == self.leg) => {
                Table::Pair(*a, *b)
            }
            legs => {
                let agent = self.agent.media_leg().filter(|leg| legs.contains(leg));
                let everybody = legs.iter().map(|leg| (*leg, RoomRole::Member));
                let supervisors = silent.iter().map(|guest| {
                    let role = match (guest.how, agent) {
                        (Attending::Coach, Some(leg)) => RoomRole::Coach(leg),
                        _ => RoomRole::Monitor,
                    };
                    (guest.who.media(), role)
                });
                Table::Room(everybody.chain(supervisors).collect())
            }
        };
        Seating { table, alone: Vec::new(), captured }
    }

    /// Orders what differs from how everybody sits now.
    fn sit(&mut self, target: Seating, out: &mut Vec<Output>) {
        let before = std::mem::replace(&mut self.seating, target);
        let after = &self.seating;
        // By themselves, an end that holds hears the other on; among more it hears nobody.
        let pair = match before.table {
            Table::Pair(a, b) => Some((a, b)),
            Table::Plain => self.agent.media_leg().map(|agent| (self.leg, agent)),
            Table::Room(_) => None,
        };
        for seat in &after.alone {
            if !before.alone.contains(seat) {
                let (leg, sound) = *seat;
                out.push(Output::Media(MediaOrder::Hear { leg, heard: Heard::Sound(sound) }));
            }
        }
        let order = |order| Output::Media(MediaOrder::Room(order));
        match (&before.table, &after.table) {
            (Table::Room(old), Table::Room(new)) => {
                let stays = |leg: &LegId| new.iter().any(|(other, _)| other == leg);
                for (leg, _) in old.iter().filter(|(leg, _)| !stays(leg)) {
                    out.push(order(RoomOrder::Leave { leg: *leg }));
                }
                for (leg, role) in new.iter().copied() {
                    match old.iter().find(|(other, _)| *other == leg) {
                        None => out.push(order(RoomOrder::Join { leg, role })),
                        Some((_, was)) if *was != role => out.push(order(RoomOrder::SetRole { leg, role })),
                        Some(_) => {}
                    }
                }
            }
            (_, Table::Room(parties)) => {
                let (parties_max, parties) = (GUESTS_MAX + 2, parties.clone());
                out.push(order(RoomOrder::Open(RoomSetup { parties_max, speakers: SPEAKERS, parties })));
            }
            (old, Table::Pair(a, b)) => {
                if old != &after.table {
                    out.push(Output::Media(MediaOrder::Bridge { a: *a, b: *b }));
                }
            }
            (_, Table::Plain) => {}
        }
        if let Some((a, b)) = pair {
            let stays = |leg: LegId| match &after.table {
                Table::Plain => after.alone.iter().any(|(alone, _)| *alone == leg),
                Table::Pair(a, b) => *a == leg || *b == leg,
                Table::Room(parties) => parties.iter().any(|(party, _)| *party == leg),
            };
            for (leg, speaker) in [(a, b), (b, a)] {
                if !stays(leg) {
                    out.push(Output::Media(MediaOrder::StopHearing { leg, speaker }));
                }
            }
        }
        if let (Table::Room(_), Table::Pair(..) | Table::Plain) = (&before.table, &after.table) {
            out.push(order(RoomOrder::Close));
        }
    }
}
