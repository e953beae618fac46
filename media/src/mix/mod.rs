//! The conference mixer: each party hears the others, never itself.
//!
//! Every 20 ms the frames of all parties are [`Mixer::put`], then [`Mixer::mix`]ed, then each party's mix is
//! [`Mixer::read`]. A mix is the total of those who have the floor less what this listener must not hear, so that 64
//! parties cost little more than 64 additions a sample. Who hears whom is kept pair by pair: that carries listening in,
//! coaching and barging in. Only the loudest few have the floor ([`floor`]); each mix passes a limiter ([`limit`]).
//!
//! Nothing clicks: whoever begins or ends to be heard, by a word, a role or a lost frame, is faded over one frame. All
//! memory is taken in [`Mixer::new`].

mod floor;
mod limit;

use floor::Floor;
use limit::Limiter;

/// Most parties of a conference.
pub const PARTIES_MAX: usize = 64;
/// Frames a second.
const FRAMES: usize = 50;

/// Why there is no mixer, or no seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MixError {
    /// Mixed is at 8, 16 and 48 kHz.
    #[error("{0} Hz is not a rate of the mixer")]
    Rate(u32),
    /// 2 to 64 parties fit a conference.
    #[error("{0} parties are outside 2 to 64")]
    Parties(usize),
    /// All seats are taken.
    #[error("all {0} seats are taken")]
    Full(usize),
}

/// A party's place. A seat that was left is never mistaken for that of its next owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seat {
    index: u8,
    generation: u32,
}

/// What a party may hear and who may hear it, as it joins. Single pairs can be changed after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Hears everybody, is heard by everybody. A supervisor who barges in becomes one.
    Member,
    /// Hears everybody, is heard by nobody.
    Monitor,
    /// Hears everybody, is heard by this party only.
    Coach(Seat),
}

/// One conference.
#[derive(Clone, Debug)]
pub struct Mixer {
    rate_hz: u32,
    frame: usize,
    parties: Vec<Party>,
    /// Samples of all parties, a frame each.
    samples: Vec<f32>,
    /// The sum of those who have the floor.
    total: Vec<f32>,
    /// What one listener hears, before the limiter.
    heard: Vec<f32>,
    floor: Floor,
    /// Who was summed up in the last mix.
    talkers: u64,
}

#[derive(Clone, Copy, Debug)]
struct Party {
    state: State,
    generation: u32,
    role: Role,
    /// Bit n: hears the party at n, if that has the floor.
    hears: u64,
    /// Whom it heard at the end of the last frame, and hears at the end of this one.
    heard: u64,
    hearing: u64,
    /// Whether there were samples in the frame before, and in this one.
    had: bool,
    has: bool,
    limiter: Limiter,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Free,
    Seated,
    /// Its last words die away in the next frame.
    Leaving,
    /// They have.
    Gone,
}

impl Mixer {
    /// A conference for at most `parties` at 8000, 16000 or 48000 Hz, of which the `speakers` loudest are heard.
    pub fn new(rate_hz: u32, parties: usize, speakers: usize) -> Result<Self, MixError> {
        if !matches!(rate_hz, 8_000 | 16_000 | 48_000) {
            return Err(MixError::Rate(rate_hz));
        }
        if !(2..=PARTIES_MAX).contains(&parties) {
            return Err(MixError::Parties(parties));
        }
        let frame = rate_hz as usize / FRAMES;
        Ok(Self {
            rate_hz,
            frame,
            parties: vec![Party::FREE; parties],
            samples: vec![0.0; frame * parties],
            total: vec![0.0; frame],
            heard: vec![0.0; frame],
            floor: Floor::new(speakers.clamp(1, parties)),
            talkers: 0,
        })
    }

    /// Samples of a frame of 20 ms.
    pub fn frame(&self) -> usize {
        self.frame
    }

    /// Sampling rate.
    pub fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    /// Seats taken.
    pub fn seated(&self) -> usize {
        self.parties.iter().filter(|party| party.state == State::Seated).count()
    }

    /// A party joins; it is faded in.
    pub fn join(&mut self, role: Role) -> Result<Seat, MixError> {
        let free = self.parties.iter().position(|party| party.state == State::Free);
        let at = free.ok_or(MixError::Full(self.parties.len()))?;
        let generation = self.parties[at].generation.wrapping_add(1);
        self.parties[at] = Party { state: State::Seated, generation, ..Party::FREE };
        self.samples[at * self.frame..][..self.frame].fill(0.0);
        self.floor.forget(at);
        let seat = Seat { index: at as u8, generation };
        // Whom a newcomer hears is for the roles of the others to say.
        for other in 0..self.parties.len() {
            if other != at && self.parties[other].state == State::Seated {
                let audible = self.parties[other].role.audible_to(seat);
                self.pair(at, other, audible);
            }
        }
        self.set_role(seat, role);
        Ok(seat)
    }

    /// Another role: who hears this party is set anew, for all.
    pub fn set_role(&mut self, seat: Seat, role: Role) -> bool {
        let Some(at) = self.at(seat) else { return false };
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
            (Some(listener), Some(speaker)) if listener != speaker => {
                self.pair(listener, speaker, audible);
                true
            }
            _ => false,
        }
    }

    /// A party leaves: what it said last dies away within a frame, then its seat is free.
    pub fn leave(&mut self, seat: Seat) -> bool {
        let Some(at) = self.at(seat) else { return false };
        self.parties[at].state = State::Leaving;
        true
    }

    /// What a party says in the next frame. Shorter than a frame ends in silence; a second one replaces the first.
    pub fn put(&mut self, seat: Seat, said: &[i16]) -> bool {
        let Some(at) = self.at(seat) else { return false };
        let room = &mut self.samples[at * self.frame..][..self.frame];
        let party = &mut self.parties[at];
        let slope = 1.0 / self.frame as f32;
        let all = said.iter().copied().map(f32::from).chain(std::iter::repeat(0.0));
        for (i, (place, sample)) in room.iter_mut().zip(all).enumerate() {
            // After a frame without samples the first one may begin anywhere: it is faded in.
            *place = if party.had { sample } else { sample * (i as f32 * slope) };
        }
        party.has = true;
        true
    }

    /// Mixes what was put. Who put nothing is silent.
    pub fn mix(&mut self) {
        let mut present = 0u64;
        for (at, party) in self.parties.iter_mut().enumerate() {
            let samples = &mut self.samples[at * self.frame..][..self.frame];
            match party.state {
                State::Free => continue,
                State::Gone => {
                    *party = Party { generation: party.generation, ..Party::FREE };
                    samples.fill(0.0);
                    continue;
                }
                State::Leaving => {
                    party.state = State::Gone;
                    party.has = false;
                }
                State::Seated => {}
            }
            if !party.has {
                fade_away(samples, party.had);
            }
            let power = samples.iter().map(|s| s * s).sum::<f32>() / self.frame as f32;
            self.floor.heard(at, power);
            present |= 1 << at;
        }
        self.talkers = self.floor.choose(present);
        self.total.fill(0.0);
        for at in bits(self.talkers) {
            let samples = &self.samples[at * self.frame..][..self.frame];
            self.total.iter_mut().zip(samples).for_each(|(sum, sample)| *sum += sample);
        }
        for party in &mut self.parties {
            party.heard = party.hearing & present;
            party.hearing = party.hears & self.talkers;
            party.had = std::mem::take(&mut party.has);
        }
    }

    /// What a party hears in this frame; once after each [`Mixer::mix`]. Samples beyond a frame are zero.
    pub fn read(&mut self, seat: Seat, out: &mut [i16]) -> bool {
        out.fill(0);
        let Some(at) = self.at(seat) else { return false };
        let Party { heard, hearing, .. } = self.parties[at];
        let steady = heard & hearing;
        let samples = |at: usize| &self.samples[at * self.frame..][..self.frame];
        // The total less the few who are not heard, or the sum of the few who are: whichever is less work.
        let without = self.talkers & !steady;
        if without.count_ones() < steady.count_ones() {
            self.heard.copy_from_slice(&self.total);
            for other in bits(without) {
                self.heard.iter_mut().zip(samples(other)).for_each(|(sum, sample)| *sum -= sample);
            }
        } else {
            self.heard.fill(0.0);
            for other in bits(steady) {
                self.heard.iter_mut().zip(samples(other)).for_each(|(sum, sample)| *sum += sample);
            }
        }
        let slope = 1.0 / self.frame as f32;
        for other in bits(hearing & !heard) {
            let said = self.heard.iter_mut().zip(samples(other)).enumerate();
            said.for_each(|(i, (sum, sample))| *sum += sample * (i as f32 * slope));
        }
        for other in bits(heard & !hearing) {
            let said = self.heard.iter_mut().zip(samples(other)).enumerate();
            said.for_each(|(i, (sum, sample))| *sum += sample * (1.0 - i as f32 * slope));
        }
        self.parties[at].limiter.limit(&mut self.heard);
        let both = out.iter_mut().zip(&self.heard);
        both.for_each(|(place, sample)| *place = sample.round() as i16);
        true
    }

    /// Whether a party has the floor in this frame.
    pub fn has_floor(&self, seat: Seat) -> bool {
        self.at(seat).is_some_and(|at| self.talkers & (1 << at) != 0)
    }

    fn at(&self, seat: Seat) -> Option<usize> {
        let party = self.parties.get(usize::from(seat.index))?;
        let theirs = party.state == State::Seated && party.generation == seat.generation;
        theirs.then_some(usize::from(seat.index))
    }

    fn pair(&mut self, listener: usize, speaker: usize, audible: bool) {
        let bit = 1 << speaker;
        let hears = &mut self.parties[listener].hears;
        *hears = if audible { *hears | bit } else { *hears & !bit };
    }
}

impl Party {
    const FREE: Self = Self {
        state: State::Free,
        generation: 0,
        role: Role::Member,
        hears: 0,
        heard: 0,
        hearing: 0,
        had: false,
        has: false,
        limiter: Limiter::NEW,
    };
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

/// Goes on from the last frame without a step: that frame backwards, fading. Later, silence.
fn fade_away(samples: &mut [f32], had: bool) {
    if !had {
        samples.fill(0.0);
        return;
    }
    samples.reverse();
    let slope = 1.0 / samples.len() as f32;
    samples.iter_mut().enumerate().for_each(|(i, sample)| *sample *= 1.0 - i as f32 * slope);
}

/// The places of the bits that are set.
fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let at = mask.trailing_zeros() as usize;
        mask &= mask.wrapping_sub(1);
        (at < 64).then_some(at)
    })
}

#[cfg(test)]
mod tests;
