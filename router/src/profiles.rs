//! Agent profiles: agents who can do the same, and among them the free ones in the order they are chosen.

use std::collections::{BTreeMap, BTreeSet};

use model::id::AgentId;

use crate::bits::Bits;
use crate::condition::Traits;
use crate::config::ORDER_TERMS;
use crate::lanes::{LANES, Lanes};

/// An agent's rank by the configured order, smallest first; the place of the fit stays 0 until an interaction is known.
pub(crate) type Standing = [u64; ORDER_TERMS];

#[derive(Clone, Debug, Default)]
pub(crate) struct Profile {
    pub traits: Traits,
    /// The classes it meets: a column of the matrix.
    pub classes: Bits,
    /// Agents with this profile in the configuration.
    pub enrolled: u32,
    /// Those who are signed in and not Offline.
    pub online: u32,
    /// Those who can take an interaction now, each once, by the kinds of contact that may come.
    idle: Vec<(Lanes, Idle)>,
}

/// Free agents, first the one who comes first.
pub(crate) type Idle = BTreeSet<(Standing, AgentId, usize)>;

impl Profile {
    /// The lists of agents who can take this kind of contact.
    pub fn idle(&self, lane: usize) -> impl Iterator<Item = &Idle> {
        self.idle.iter().filter(move |(lanes, _)| lanes >> lane & 1 == 1).map(|(_, idle)| idle)
    }
    pub fn has_idle(&self, lane: usize) -> bool {
        self.idle(lane).any(|idle| !idle.is_empty())
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Profiles {
    slots: Vec<Profile>,
    numbers: BTreeMap<Traits, usize>,
    free: Vec<usize>,
    /// Profiles with an agent in the configuration.
    pub enrolled: Bits,
    /// Profiles with an agent signed in and not Offline.
    pub online: Bits,
    /// Profiles with a free agent, by kind of contact.
    pub open: [Bits; LANES],
    /// Agents of each profile who take work, side by side: those of a service are added up.
    working: Vec<u32>,
}

impl Profiles {
    pub fn get(&self, profile: usize) -> &Profile {
        &self.slots[profile]
    }
    pub fn get_mut(&mut self, profile: usize) -> &mut Profile {
        &mut self.slots[profile]
    }
    /// How many numbers have been given out, those of gone profiles too.
    pub fn numbers(&self) -> usize {
        self.slots.len()
    }
    pub fn find(&self, traits: &Traits) -> Option<usize> {
        self.numbers.get(traits).copied()
    }
    /// Numbers of all profiles in use.
    pub fn all(&self) -> impl Iterator<Item = usize> + '_ {
        self.enrolled.iter()
    }
    /// A new profile that meets no class yet.
    pub fn add(&mut self, traits: Traits) -> usize {
        let number = self.free.pop().unwrap_or(self.slots.len());
        if number == self.slots.len() {
            self.slots.push(Profile::default());
            self.working.push(0);
        }
        self.slots[number].traits = traits.clone();
        self.numbers.insert(traits, number);
        number
    }

    /// One more agent has this profile.
    pub fn enroll(&mut self, profile: usize) {
        self.slots[profile].enrolled += 1;
        self.enrolled.set(profile);
    }
    /// One agent less; true when it was the last and the profile is gone: its rows must be cleared.
    pub fn dismiss(&mut self, profile: usize) -> bool {
        let slot = &mut self.slots[profile];
        slot.enrolled = slot.enrolled.saturating_sub(1);
        if slot.enrolled > 0 {
            return false;
        }
        self.numbers.remove(&slot.traits);
        *slot = Profile::default();
        self.working[profile] = 0;
        self.enrolled.clear(profile);
        self.online.clear(profile);
        self.free.push(profile);
        true
    }

    /// Counts an agent in or out; true when the last one left.
    pub fn count_online(&mut self, profile: usize, on: bool) -> bool {
        let slot = &mut self.slots[profile];
        slot.online = if on { slot.online + 1 } else { slot.online.saturating_sub(1) };
        self.online.put(profile, slot.online > 0);
        !on && slot.online == 0
    }

    /// Agents of the profile who take work, or will when the work in hand is done.
    pub fn working(&self, profile: usize) -> u32 {
        self.working[profile]
    }
    pub fn count_working(&mut self, profile: usize, on: bool) {
        let count = &mut self.working[profile];
        *count = if on { *count + 1 } else { count.saturating_sub(1) };
    }

    pub fn file(&mut self, profile: usize, lanes: Lanes, standing: Standing, id: AgentId, agent: usize) {
        let lists = &mut self.slots[profile].idle;
        let at = lists.iter().position(|(of, _)| *of == lanes).unwrap_or_else(|| {
            lists.push((lanes, Idle::new()));
            lists.len() - 1
        });
        let idle = &mut lists[at].1;
        let first = idle.is_empty();
        idle.insert((standing, id, agent));
        if first {
            self.mark_open(profile, lanes);
        }
    }
    pub fn unfile(&mut self, profile: usize, lanes: Lanes, standing: Standing, id: AgentId, agent: usize) {
        let list = self.slots[profile].idle.iter_mut().find(|(of, _)| *of == lanes);
        let Some((_, idle)) = list else { return };
        idle.remove(&(standing, id, agent));
        if idle.is_empty() {
            self.mark_open(profile, lanes);
        }
    }
    fn mark_open(&mut self, profile: usize, lanes: Lanes) {
        for lane in (0..LANES).filter(|lane| lanes >> lane & 1 == 1) {
            self.open[lane].put(profile, self.slots[profile].has_idle(lane));
        }
    }
}
