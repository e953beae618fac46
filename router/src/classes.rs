//! Requirement classes: interactions that ask for the same thing wait in one ordered line.
//!
//! A class is a kind of contact, a slope and one condition on agents. Interactions of a class are served strictly by their
//! [`Place`]; so when an agent frees, only the heads of the classes the agent fits are compared. Class numbers are given
//! out in blocks of 64, each for one kind of contact and one slope, so that the first place of a block is known without
//! looking at the clock.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::BuildHasherDefault;

use model::interaction::Channel;
use model::skill::SkillExpr;

use crate::bits::Bits;
use crate::condition::Condition;
use crate::config::CLASSES_MAX;
use crate::order::{Place, Slope};
use crate::slab::Key;

/// What the classes of one block share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Sort {
    pub channel: Channel,
    pub slope: Slope,
}

#[derive(Clone, Debug)]
pub(crate) struct Class {
    pub sort: Sort,
    pub who: SkillExpr,
    pub condition: Condition,
    /// Services and interactions that may still need it.
    pins: u32,
    /// The profiles that meet it: a row of the matrix.
    pub profiles: Bits,
    pub waiting: BTreeSet<(Place, Key)>,
    used: bool,
}

impl Class {
    fn unused(sort: Sort) -> Self {
        Self {
            sort,
            who: SkillExpr::Any,
            condition: Condition::Nobody,
            pins: 0,
            profiles: Bits::default(),
            waiting: BTreeSet::new(),
            used: false,
        }
    }
}

/// Classes side by side: as many as a word of the matrix has bits.
pub(crate) const BLOCK: usize = 64;

#[derive(Clone, Debug, Default)]
pub(crate) struct Classes {
    slots: Vec<Class>,
    numbers: HashMap<(Sort, SkillExpr), usize, BuildHasherDefault<DefaultHasher>>,
    /// Numbers of begun blocks that are not in use.
    free: BTreeMap<Sort, Vec<usize>>,
    /// Blocks without a class in use, for whatever sort needs one.
    spare: Vec<usize>,
    /// Classes where somebody waits.
    pub waiting: Bits,
    /// First place of each class, side by side, so that comparing heads stays in the cache.
    pub heads: Vec<Place>,
    /// First place among each 64 classes: a whole word of the matrix is skipped when it cannot win.
    pub block_heads: Vec<Place>,
    /// What each block is for.
    pub block_sorts: Vec<Sort>,
}

impl Classes {
    pub fn get(&self, class: usize) -> &Class {
        &self.slots[class]
    }
    pub fn get_mut(&mut self, class: usize) -> &mut Class {
        &mut self.slots[class]
    }
    pub fn find(&self, sort: Sort, who: &SkillExpr) -> Option<usize> {
        self.numbers.get(&(sort, who.clone())).copied()
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
    pub fn add(&mut self, sort: Sort, who: &SkillExpr, condition: Condition) -> (Option<usize>, Vec<usize>) {
        let mut dropped = Vec::new();
        let mut number = self.take_number(sort);
        if number.is_none() {
            dropped = self.drop_unneeded();
            number = self.take_number(sort);
        }
        if let Some(number) = number {
            self.slots[number] = Class { who: who.clone(), condition, used: true, ..Class::unused(sort) };
            self.numbers.insert((sort, who.clone()), number);
        }
        (number, dropped)
    }

    /// A number in a block of this sort; a new block is begun when there is none.
    fn take_number(&mut self, sort: Sort) -> Option<usize> {
        let free = self.free.entry(sort).or_default();
        if free.is_empty()
            && let Some(block) = self.spare.pop()
        {
            self.block_sorts[block] = sort;
            free.extend((block * BLOCK..(block + 1) * BLOCK).rev());
        } else if free.is_empty() && self.slots.len() + BLOCK <= CLASSES_MAX {
            let first = self.slots.len();
            self.slots.resize_with(first + BLOCK, || Class::unused(sort));
            self.heads.resize(first + BLOCK, Place::LAST);
            self.block_heads.push(Place::LAST);
            self.block_sorts.push(sort);
            free.extend((first..first + BLOCK).rev());
        }
        free.pop()
    }

    /// Drops classes nobody needs; blocks that are empty then are for whatever sort asks next.
    fn drop_unneeded(&mut self) -> Vec<usize> {
        let mut dropped = Vec::new();
        for number in 0..self.slots.len() {
            let class = &mut self.slots[number];
            if class.used && class.pins == 0 {
                let sort = class.sort;
                let old = std::mem::replace(class, Class::unused(sort));
                self.numbers.remove(&(sort, old.who));
                self.free.entry(sort).or_default().push(number);
                dropped.push(number);
            }
        }
        for (block, classes) in self.slots.chunks(BLOCK).enumerate() {
            if !self.spare.contains(&block) && classes.iter().all(|class| !class.used) {
                let free = self.free.entry(self.block_sorts[block]).or_default();
                free.retain(|number| number / BLOCK != block);
                self.spare.push(block);
            }
        }
        dropped
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
            self.waiting.set(class);
            let block = &mut self.block_heads[class / BLOCK];
            *block = place.min(*block);
        }
    }

    pub fn leave(&mut self, class: usize, place: Place, item: Key) {
        let line = &mut self.slots[class].waiting;
        line.remove(&(place, item));
        if self.heads[class] != place {
            return;
        }
        let head = line.first().map_or(Place::LAST, |(place, _)| *place);
        self.heads[class] = head;
        self.waiting.put(class, head != Place::LAST);
        let block = class / BLOCK;
        if self.block_heads[block] == place {
            let all = &self.heads[block * BLOCK..(block + 1) * BLOCK];
            self.block_heads[block] = all.iter().copied().min().unwrap_or(Place::LAST);
        }
    }
}
