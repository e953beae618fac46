//! Who sits where and hears whom.

use super::{LISTENERS_MAX, MixError, Mixer, Party, Role, Seat, State};

impl Mixer {
    /// A place that hears all members and says nothing; left by [`Mixer::leave`].
    pub fn listen(&mut self) -> Result<Seat, MixError> {
        let mut places = self.parties.iter().enumerate().skip(self.seats);
        let free = places.find(|(_, party)| party.state == State::Free).map(|(at, _)| at);
        let at = free.ok_or(MixError::Full(LISTENERS_MAX))?;
        let seat = self.take(at);
        self.parties[at].role = Role::Monitor;
        Ok(seat)
    }

    /// A party joins; it is faded in.
    pub fn join(&mut self, role: Role) -> Result<Seat, MixError> {
        let place = |state| self.parties[..self.seats].iter().position(|party| party.state == state);
        // A place whose last words have died away will do, though its name is not off the door yet.
        let free = place(State::Free).or_else(|| place(State::Gone));
        let at = free.ok_or(MixError::Full(self.seats))?;
        let seat = self.take(at);
        self.samples[at * self.frame..][..self.frame].fill(0.0);
        self.floor.forget(at);
        self.set_role(seat, role);
        Ok(seat)
    }

    fn take(&mut self, at: usize) -> Seat {
        let generation = self.parties[at].generation.wrapping_add(1);
        self.parties[at] = Party { state: State::Seated, generation, ..Party::FREE };
        let seat = Seat { index: at as u8, generation };
        // Whom a newcomer hears is for the roles of the others to say.
        for other in 0..self.seats {
            if other != at && self.parties[other].state == State::Seated {
                let audible = self.parties[other].role.audible_to(seat);
                self.pair(at, other, audible);
            }
        }
        seat
    }

    /// Another role: who hears this party is set anew, for all.
    pub fn set_role(&mut self, seat: Seat, role: Role) -> bool {
        let Some(at) = self.at(seat).filter(|at| *at < self.seats) else { return false };
        self.parties[at].role = role;
        for other in 0..self.parties.len() {
            let listener = Seat { index: other as u8, generation: self.parties[other].generation };
            self.pair(other, at, other != at && role.audible_to(listener));
        }
        true
    }

    /// Whether `listener` may hear `speaker`, whatever their roles say. False when one of them left, or both are one.
    pub fn set_audible(&mut self, listener: Seat, speaker: Seat, audible: bool) -> bool {
        match (self.at(listener), self.at(speaker)) {
            (Some(listener), Some(speaker)) if listener != speaker && speaker < self.seats => {
                self.pair(listener, speaker, audible);
                true
            }
            _ => false,
        }
    }

    /// Whether `listener` hears `speaker` when that has the floor.
    pub fn hears(&self, listener: Seat, speaker: Seat) -> bool {
        match (self.at(listener), self.at(speaker).filter(|at| *at < self.seats)) {
            (Some(listener), Some(speaker)) => self.parties[listener].hears & (1 << speaker) != 0,
            _ => false,
        }
    }

    /// A party leaves: what it said last dies away within a frame, then its seat is free.
    pub fn leave(&mut self, seat: Seat) -> bool {
        let Some(at) = self.at(seat) else { return false };
        self.parties[at].state = if at < self.seats { State::Leaving } else { State::Free };
        true
    }

    fn pair(&mut self, listener: usize, speaker: usize, audible: bool) {
        let bit = 1 << speaker;
        let hears = &mut self.parties[listener].hears;
        *hears = if audible { *hears | bit } else { *hears & !bit };
    }
}

impl Role {
    fn audible_to(self, listener: Seat) -> bool {
        match self {
            Self::Member => true,
            Self::Monitor => false,
            Self::Coach(of) => of == listener,
        }
    }
}
