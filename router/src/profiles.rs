//! Agent profiles: agents who can do the same, and among them the free ones in the order they are chosen.

use std::collections::{BTreeMap, BTreeSet};

use model::id::AgentId;
use model::interaction::Channel;

use crate::bits::Bits;
use crate::condition::Traits;
use crate::config::ORDER_TERMS;

/// Kinds of contact: one list of free agents each.
pub(crate) const LANES: usize = 1;

/// Which list of free agents a kind of contact is served from.
pub(crate) fn lane(channel: Channel) -> usize {
    match channel {
        Channel::Voice => 0,
    }
}

/// An agent's rank by the configured order, smallest first; the place of the fit stays 0 until an interaction is known.
pub(crate) type Standing = [u64; ORDER_TERMS];

#[derive(Debug, Default)]
pub(crate) struct Profile {
    pub traits: Traits,
    /// The classes it meets: a column of the matrix.
    pub classes: Bits,
    /// Agents with this profile in the configuration.
    pub enrolled: u32,
    /// Those who are signed in and not Offline.
    pub online: u32,
    /// Those who can take an interaction now, by kind of contact.
    pub idle: [BTreeSet<(Standing, AgentId, usize)>; LANES],
}

#[derive(Debug, Default)]
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

    pub fn file(&mut self, profile: usize, lane: usize, standing: Standing, id: AgentId, agent: usize) {
        self.slots[profile].idle[lane].insert((standing, id, agent));
        self.open[lane].set(profile);
    }
    pub fn unfile(&mut self, profile: usize, lane: usize, standing: Standing, id: AgentId, agent: usize) {
        let idle = &mut self.slots[profile].idle[lane];
        idle.remove(&(standing, id, agent));
        let open = !idle.is_empty();
        self.open[lane].put(profile, open);
    }
}
