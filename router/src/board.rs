//! The eligibility matrix: which classes each profile meets, kept from both sides.
//!
//! A condition is tested once for each pair of class and profile, when either is new. From then on a decision is a few
//! words of bits: the classes of the agent's profile that have somebody waiting, or the profiles of the interaction's
//! class that have somebody free.

use std::collections::BTreeSet;

use model::id::AgentId;
use model::interaction::Channel;
use model::skill::SkillExpr;

use crate::bits::Bits;
use crate::classes::{Classes, Sort};
use crate::condition::{Condition, Skills, Traits};
use crate::lanes::bit;
use crate::profiles::Profiles;
use crate::slab::IdMap;
use crate::steps;

#[derive(Clone, Debug, Default)]
pub(crate) struct Board {
    pub skills: Skills,
    pub classes: Classes,
    pub profiles: Profiles,
    /// Agents whom some condition names: each has a profile of their own.
    pub named: BTreeSet<AgentId>,
    own: IdMap<AgentId, usize>,
}

impl Board {
    /// The class of a condition; `None` when the floor holds its limit of classes.
    pub fn class_for(&mut self, sort: Sort, who: &SkillExpr) -> Option<usize> {
        if let Some(class) = self.classes.find(sort, who) {
            return Some(class);
        }
        let (class, dropped) = self.classes.add(sort, who, Condition::compile(who, &self.skills));
        for profile in self.profiles.all().collect::<Vec<_>>() {
            for &class in &dropped {
                self.profiles.get_mut(profile).classes.clear(class);
            }
        }
        self.test_class(class?);
        class
    }

    /// One less needs the class. One that names agents is dropped at once: few ask for the same, and the rows would grow.
    pub fn release(&mut self, class: usize) {
        self.classes.unpin(class);
        if self.classes.is_spent(class) {
            for profile in self.classes.get(class).profiles.iter() {
                self.profiles.get_mut(profile).classes.clear(class);
            }
            self.classes.drop_one(class);
        }
    }

    /// Tests a class against every profile.
    fn test_class(&mut self, number: usize) {
        let Self { classes, profiles, own, .. } = self;
        let class = classes.get_mut(number);
        let candidates: Vec<usize> = match class.condition.only() {
            Some(agents) => agents.iter().filter_map(|agent| own.get(agent).copied()).collect(),
            None => profiles.all().collect(),
        };
        steps::count(candidates.len());
        let mut fitting = Bits::default();
        for profile in candidates {
            let slot = profiles.get_mut(profile);
            let fits = class.condition.fit(&slot.traits).is_some();
            slot.classes.put(number, fits);
            if fits {
                fitting.set(profile);
            }
        }
        class.profiles = fitting;
    }

    /// Classes that speak of skills nobody had may have come within reach: tests them anew.
    pub fn learn_skills(&mut self) {
        let unknown: Vec<usize> =
            self.classes.all().filter(|&class| self.classes.get(class).condition.lacks_a_skill()).collect();
        for class in unknown {
            let condition = Condition::compile(&self.classes.get(class).who, &self.skills);
            self.classes.get_mut(class).condition = condition;
            self.test_class(class);
        }
    }

    /// The profile with these traits, with one more agent in it.
    pub fn enroll(&mut self, traits: Traits) -> usize {
        if let Some(profile) = self.profiles.find(&traits) {
            self.profiles.enroll(profile);
            return profile;
        }
        let own = traits.own;
        let number = self.profiles.add(traits);
        self.profiles.enroll(number);
        if let Some(agent) = own {
            self.own.insert(agent, number);
        }
        let slot = self.profiles.get_mut(number);
        slot.classes = Bits::default();
        for class in self.classes.all().collect::<Vec<_>>() {
            steps::count(1);
            let class_slot = self.classes.get_mut(class);
            let fits = class_slot.condition.fit(&slot.traits).is_some();
            class_slot.profiles.put(number, fits);
            if fits {
                slot.classes.set(class);
            }
        }
        number
    }

    /// One agent less in the profile.
    pub fn dismiss(&mut self, profile: usize) {
        let slot = self.profiles.get(profile);
        let (classes, own) = (slot.classes.clone(), slot.traits.own);
        if !self.profiles.dismiss(profile) {
            return;
        }
        for class in classes.iter() {
            self.classes.get_mut(class).profiles.clear(profile);
        }
        if let Some(agent) = own {
            self.own.remove(&agent);
        }
    }

    /// Whether the class has an agent in the configuration.
    pub fn has_agents(&self, class: usize) -> bool {
        // A profile without agents is gone, and so is its bit.
        !self.classes.get(class).profiles.is_empty()
    }
    /// Whether the class has an agent signed in and not Offline who is there for this kind of contact.
    pub fn is_staffed(&self, class: usize, channel: Channel) -> bool {
        let mut online = self.classes.get(class).profiles.common(&self.profiles.online);
        online.any(|profile| self.profiles.get(profile).traits.closed & bit(channel) == 0)
    }
}
