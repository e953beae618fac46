//! Requirement classes: interactions that ask for the same thing wait in one ordered line.
//!
//! A class is a kind of contact, a slope and one condition on agents. Interactions of a class are served strictly by their
//! [`Place`]; so when an agent frees, only the heads of the classes the agent fits are compared. Class numbers are given
//! out in blocks of 64, each for one kind of contact and one slope, so that the first place of a block is known without
//! looking at the clock.

use std::collections::{BTreeMap, BTreeSet};

use model::interaction::Channel;
use model::skill::SkillExpr;

use crate::bits::Bits;
use crate::condition::Condition;
use crate::config::CLASSES_MAX;
use crate::order::{Place, Slope};
use crate::slab::{IdMap, Key};
use crate::steps;

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
    numbers: BTreeMap<Sort, IdMap<SkillExpr, usize>>,
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
    /// The blocks of each sort: whoever may take nothing of a sort passes over them together.
    pub groups: BTreeMap<Sort, Vec<usize>>,
}

impl Classes {
    pub fn get(&self, class: usize) -> &Class {
        &self.slots[class]
    }
    pub fn get_mut(&mut self, class: usize) -> &mut Class {
        &mut self.slots[class]
    }
    pub fn find(&self, sort: Sort, who: &SkillExpr) -> Option<usize> {
        self.numbers.get(&sort)?.get(who).copied()
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
            self.numbers.entry(sort).or_default().insert(who.clone(), number);
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
            self.groups.entry(sort).or_default().push(block);
            free.extend((block * BLOCK..(block + 1) * BLOCK).rev());
        } else if free.is_empty() && self.slots.len() + BLOCK <= CLASSES_MAX {
            let first = self.slots.len();
            self.slots.resize_with(first + BLOCK, || Class::unused(sort));
            self.heads.resize(first + BLOCK, Place::LAST);
            self.block_heads.push(Place::LAST);
            self.groups.entry(sort).or_default().push(self.block_sorts.len());
            self.block_sorts.push(sort);
            free.extend((first..first + BLOCK).rev());
        }
        free.pop()
    }

    /// Drops classes nobody needs; blocks that are empty then are for whatever sort asks next.
    fn drop_unneeded(&mut self) -> Vec<usize> {
        let dropped: Vec<usize> = self.all().filter(|&number| self.slots[number].pins == 0).collect();
        for &number in &dropped {
            self.drop_one(number);
        }
        for (block, classes) in self.slots.chunks(BLOCK).enumerate() {
            if !self.spare.contains(&block) && classes.iter().all(|class| !class.used) {
                let sort = self.block_sorts[block];
                self.free.entry(sort).or_default().retain(|number| number / BLOCK != block);
                self.groups.entry(sort).or_default().retain(|of| *of != block);
                self.spare.push(block);
            }
        }
        dropped
    }

    /// Forgets a class that nobody needs. Its number is given out again; the columns of the matrix must be cleared.
    pub fn drop_one(&mut self, number: usize) {
        let class = &mut self.slots[number];
        let sort = class.sort;
        let old = std::mem::replace(class, Class::unused(sort));
        if let Some(numbers) = self.numbers.get_mut(&sort) {
            numbers.remove(&old.who);
        }
        self.free.entry(sort).or_default().push(number);
    }

    /// Keeps the class while it may be needed.
    pub fn pin(&mut self, class: usize) {
        self.slots[class].pins += 1;
    }
    pub fn unpin(&mut self, class: usize) {
        self.slots[class].pins = self.slots[class].pins.saturating_sub(1);
    }
    /// Whether nobody needs the class, and nobody is likely to ask for the same: it names agents.
    pub fn is_spent(&self, class: usize) -> bool {
        let class = &self.slots[class];
        class.used && class.pins == 0 && class.condition.only().is_some()
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
            steps::count(BLOCK);
            let all = &self.heads[block * BLOCK..(block + 1) * BLOCK];
            self.block_heads[block] = all.iter().copied().min().unwrap_or(Place::LAST);
        }
    }
}
