//! Requirement classes: interactions that ask for the same thing wait in one ordered line.
//!
//! A class is a kind of contact and one condition on agents. Interactions of a class are served strictly by their
//! [`Place`]; so when an agent frees, only the heads of the classes the agent fits are compared.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeSet, HashMap};
use std::hash::BuildHasherDefault;

use model::interaction::Channel;
use model::skill::SkillExpr;
use serde::Serialize;

use crate::bits::Bits;
use crate::condition::Condition;
use crate::config::CLASSES_MAX;
use crate::profiles::{LANES, lane};
use crate::slab::Key;

/// A place in the order of waiting: smallest first. It never changes while an interaction waits, whatever happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// Virtual arrival in microseconds: the arrival, moved back by what the priority is worth.
    pub virtual_arrival: i64,
    /// Number of the arrival: decides between equals.
    pub arrival: u64,
}

impl Place {
    /// Behind everybody.
    pub(crate) const LAST: Self = Self { virtual_arrival: i64::MAX, arrival: u64::MAX };
}

#[derive(Debug)]
pub(crate) struct Class {
    pub channel: Channel,
    pub who: SkillExpr,
    pub condition: Condition,
    /// Services and interactions that may still need it.
    pins: u32,
    /// The profiles that meet it: a row of the matrix.
    pub profiles: Bits,
    pub waiting: BTreeSet<(Place, Key)>,
    used: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Classes {
    slots: Vec<Class>,
    numbers: HashMap<(Channel, SkillExpr), usize, BuildHasherDefault<DefaultHasher>>,
    free: Vec<usize>,
    /// Classes where somebody waits, by kind of contact.
    pub waiting: [Bits; LANES],
    /// First place of each class, side by side, so that comparing heads stays in the cache.
    pub heads: Vec<Place>,
    /// First place among each 64 classes: a whole word of the matrix is skipped when it cannot win.
    pub block_heads: Vec<Place>,
}

impl Classes {
    pub fn get(&self, class: usize) -> &Class {
        &self.slots[class]
    }
    pub fn get_mut(&mut self, class: usize) -> &mut Class {
        &mut self.slots[class]
    }
    pub fn find(&self, channel: Channel, who: &SkillExpr) -> Option<usize> {
        self.numbers.get(&(channel, who.clone())).copied()
    }
    /// Whether a number is that of a class in use.
    pub fn is_used(&self, class: usize) -> bool {
        self.slots.get(class).is_some_and(|class| class.used)
    }
    /// Numbers of all classes in use.
    pub fn all(&self) -> impl Iterator<Item = usize> + '_ {
        self.slots.iter().enumerate().filter(|(_, class)| class.used).map(|(number, _)| number)
    }

    /// A new class without profiles; `None` when all are taken and needed. The second part names classes that were
    /// dropped to make room: their columns must be cleared.
    pub fn add(
        &mut self,
        channel: Channel,
        who: &SkillExpr,
        condition: Condition,
    ) -> (Option<usize>, Vec<usize>) {
        let mut dropped = Vec::new();
        if self.free.is_empty() && self.slots.len() >= CLASSES_MAX {
            for number in 0..self.slots.len() {
                if self.slots[number].used && self.slots[number].pins == 0 {
                    let class = &mut self.slots[number];
                    class.used = false;
                    class.profiles = Bits::default();
                    let who = std::mem::replace(&mut class.who, SkillExpr::Any);
                    self.numbers.remove(&(class.channel, who));
                    dropped.push(number);
                }
            }
            self.free.extend(dropped.iter().rev());
        }
        let class = Class {
            channel,
            who: who.clone(),
            condition,
            pins: 0,
            profiles: Bits::default(),
            waiting: BTreeSet::new(),
            used: true,
        };
        let number = if let Some(number) = self.free.pop() {
            self.slots[number] = class;
            number
        } else if self.slots.len() < CLASSES_MAX {
            self.slots.push(class);
            self.heads.push(Place::LAST);
            self.block_heads.resize(self.slots.len().div_ceil(64), Place::LAST);
            self.slots.len() - 1
        } else {
            return (None, dropped);
        };
        self.numbers.insert((channel, who.clone()), number);
        (Some(number), dropped)
    }

    /// Keeps the class while it may be needed.
    pub fn pin(&mut self, class: usize) {
        self.slots[class].pins += 1;
    }
    pub fn unpin(&mut self, class: usize) {
        self.slots[class].pins = self.slots[class].pins.saturating_sub(1);
    }

    pub fn enter(&mut self, class: usize, place: Place, item: Key) {
        self.slots[class].waiting.insert((place, item));
        if place < self.heads[class] {
            self.heads[class] = place;
            self.waiting[lane(self.slots[class].channel)].set(class);
            let block = &mut self.block_heads[class / 64];
            *block = place.min(*block);
        }
    }

    pub fn leave(&mut self, class: usize, place: Place, item: Key) {
        let Class { waiting: line, channel, .. } = &mut self.slots[class];
        line.remove(&(place, item));
        if self.heads[class] != place {
            return;
        }
        let head = line.first().map_or(Place::LAST, |(place, _)| *place);
        self.heads[class] = head;
        self.waiting[lane(*channel)].put(class, head != Place::LAST);
        let block = class / 64;
        if self.block_heads[block] == place {
            let end = self.heads.len().min(block * 64 + 64);
            self.block_heads[block] =
                self.heads[block * 64..end].iter().copied().min().unwrap_or(Place::LAST);
        }
    }
}
