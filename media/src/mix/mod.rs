//! The conference mixer: each party hears the others, never itself.
//!
//! Every 20 ms the frames of all parties are [`Mixer::put`], then [`Mixer::mix`]ed, then each party's mix is
//! [`Mixer::read`]. A mix is the total of those who have the floor less what this listener must not hear, so that 64
//! parties cost little more than 64 additions a sample. Who hears whom is kept pair by pair: that carries listening in,
//! coaching and barging in. Only the loudest few have the floor ([`floor`]); each mix passes a limiter ([`limit`]).
//!
//! Who hears exactly what most others hear ([`Mixer::is_common`]) need not be mixed for, nor encoded for, on its own:
//! [`Mixer::read_common`] is made once a frame. [`Mixer::listen`] gives places that only hear and take nobody's seat: recordings.
//!
//! Nothing clicks: whoever begins or ends to be heard, by a word, a role or a lost frame, is faded over one frame. All
//! memory is taken in [`Mixer::new`].

mod floor;
mod limit;
mod seats;

use floor::Floor;
use limit::Limiter;

/// Most parties of a conference.
pub const PARTIES_MAX: usize = 64;
/// Places that only hear, beyond the parties.
pub const LISTENERS_MAX: usize = 4;
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
    /// Those who speak, at most `seats` of them, then those who only hear.
    parties: Vec<Party>,
    seats: usize,
    /// Samples of all parties, a frame each.
    samples: Vec<f32>,
    /// The sum of those who have the floor.
    total: Vec<f32>,
    /// What one listener hears, before the limiter.
    heard: Vec<f32>,
    floor: Floor,
    /// Who was summed up in the last mix, and who of those present in it were in the one before.
    talkers: u64,
    talked: u64,
    /// What those hear who hear everybody, made once; and its limiter.
    common: Vec<i16>,
    common_limiter: Limiter,
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
    /// Hears the common mix in this frame.
    common: bool,
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
            parties: vec![Party::FREE; parties + LISTENERS_MAX],
            seats: parties,
            samples: vec![0.0; frame * parties],
            total: vec![0.0; frame],
            heard: vec![0.0; frame],
            floor: Floor::new(speakers.clamp(1, parties)),
            talkers: 0,
            talked: 0,
            common: vec![0; frame],
            common_limiter: Limiter::NEW,
        })
    }

    /// The same conference at another rate, everybody at their place: it begins out of silence. What was put is not in it.
    /// End the old one with [`Mixer::mix_last`], so that nothing breaks off.
    pub fn at_rate(&self, rate_hz: u32) -> Result<Self, MixError> {
        let mut other = Self::new(rate_hz, self.seats, 1)?;
        other.parties.copy_from_slice(&self.parties);
        for party in &mut other.parties {
            (party.heard, party.hearing, party.had, party.has, party.common) = (0, 0, false, false, false);
        }
        other.floor = self.floor.clone();
        Ok(other)
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
        self.parties[..self.seats].iter().filter(|party| party.state == State::Seated).count()
    }

    /// Seats in all.
    pub fn seats(&self) -> usize {
        self.seats
    }

    /// What a party says in the next frame. Shorter than a frame ends in silence; a second one replaces the first.
    pub fn put(&mut self, seat: Seat, said: &[i16]) -> bool {
        let Some(at) = self.at(seat).filter(|at| *at < self.seats) else { return false };
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
        self.mix_for(|party| party.hears);
    }

    /// A last mix, in which all die away for everybody: before [`Mixer::at_rate`].
    pub fn mix_last(&mut self) {
        self.mix_for(|_| 0);
    }

    fn mix_for(&mut self, hears: impl Fn(&Party) -> u64) {
        let mut present = 0u64;
        for (at, party) in self.parties[..self.seats].iter_mut().enumerate() {
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
        self.talked = self.talkers & present;
        self.talkers = self.floor.choose(present);
        self.total.fill(0.0);
        for at in bits(self.talkers) {
            let samples = &self.samples[at * self.frame..][..self.frame];
            self.total.iter_mut().zip(samples).for_each(|(sum, sample)| *sum += sample);
        }
        let (mut candidates, limiter) = (false, self.common_limiter);
        for party in &mut self.parties {
            if party.common {
                // It went through this limiter, one frame ago.
                party.limiter = limiter;
            }
            party.heard = party.hearing & present;
            party.hearing = hears(party) & self.talkers;
            party.had = std::mem::take(&mut party.has);
            let candidate =
                party.state == State::Seated && (party.heard, party.hearing) == (self.talked, self.talkers);
            // One with another gain goes on by itself until both are the same.
            party.common = candidate && party.limiter == limiter;
            candidates |= candidate;
        }
        if candidates {
            self.sum(self.talked, self.talkers);
            self.common_limiter.limit(&mut self.heard);
            to_samples(&mut self.common, &self.heard);
        }
    }

    /// Whether this party hears what [`Mixer::read_common`] gives: in this frame everybody who has the floor, and so in the last.
    pub fn is_common(&self, seat: Seat) -> bool {
        self.at(seat).is_some_and(|at| self.parties[at].common)
    }

    /// What all those hear whom [`Mixer::is_common`] names. Samples beyond a frame are zero.
    pub fn read_common(&self, out: &mut [i16]) {
        out.fill(0);
        out.iter_mut().zip(&self.common).for_each(|(place, sample)| *place = *sample);
    }

    /// What a party hears in this frame; once after each [`Mixer::mix`]. Samples beyond a frame are zero.
    pub fn read(&mut self, seat: Seat, out: &mut [i16]) -> bool {
        out.fill(0);
        let Some(at) = self.at(seat) else { return false };
        let Party { heard, hearing, common, .. } = self.parties[at];
        if common {
            self.read_common(out);
            return true;
        }
        self.sum(heard, hearing);
        self.parties[at].limiter.limit(&mut self.heard);
        to_samples(out, &self.heard);
        true
    }

    /// Sums up, in `self.heard`, who is heard at the end of this frame; who was not at its beginning rises, who is not at its
    /// end falls.
    fn sum(&mut self, heard: u64, hearing: u64) {
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
    }

    /// Whether a party speaks: it has the floor, and is louder than a quiet room.
    pub fn is_speaking(&self, seat: Seat) -> bool {
        let at = self.at(seat).filter(|at| *at < self.seats);
        at.is_some_and(|at| self.talkers & (1 << at) != 0 && self.floor.power(at) > SPEECH)
    }

    /// Whether a party has the floor in this frame.
    pub fn has_floor(&self, seat: Seat) -> bool {
        self.at(seat).is_some_and(|at| at < self.seats && self.talkers & (1 << at) != 0)
    }

    fn at(&self, seat: Seat) -> Option<usize> {
        let party = self.parties.get(usize::from(seat.index))?;
        let theirs = party.state == State::Seated && party.generation == seat.generation;
        theirs.then_some(usize::from(seat.index))
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
        common: false,
        limiter: Limiter::NEW,
    };
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

fn to_samples(out: &mut [i16], mixed: &[f32]) {
    out.iter_mut().zip(mixed).for_each(|(place, sample)| *place = sample.round() as i16);
}

/// Power of speech: -45 dBov, far below any voice on a line and above what lines and rooms hum.
const SPEECH: f32 = 34_000.0;

/// The places of the bits that are set.
fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let at = mask.trailing_zeros() as usize;
        mask &= mask.wrapping_sub(1);
        (at < 64).then_some(at)
    })
}

#[cfg(test)]
pub(crate) mod test_tone;
#[cfg(test)]
mod tests;
