//! Values by interaction of which each is due at a time of its own: who is next is known without looking at all of them, for the desk asks
//! after every event.

use std::collections::{BTreeMap, BTreeSet};

use model::id::InteractionId;
use model::time::Timestamp;

/// When something is to be done by itself.
pub trait Due {
    /// `None`: never.
    fn due(&self) -> Option<Timestamp>;
}

/// See the module's words.
#[derive(Debug)]
pub struct Timed<V> {
    all: BTreeMap<InteractionId, V>,
    due: BTreeSet<(Timestamp, InteractionId)>,
}

impl<V> Default for Timed<V> {
    fn default() -> Self {
        Self { all: BTreeMap::new(), due: BTreeSet::new() }
    }
}

impl<V: Due> Timed<V> {
    /// Puts a value in the place of another one.
    pub fn insert(&mut self, interaction: InteractionId, value: V) {
        self.remove(interaction);
        self.due.extend(value.due().map(|due| (due, interaction)));
        self.all.insert(interaction, value);
    }
    /// Takes a value out.
    pub fn remove(&mut self, interaction: InteractionId) -> Option<V> {
        let value = self.all.remove(&interaction)?;
        if let Some(due) = value.due() {
            self.due.remove(&(due, interaction));
        }
        Some(value)
    }
    /// A value as it is.
    pub fn get(&self, interaction: InteractionId) -> Option<&V> {
        self.all.get(&interaction)
    }
    /// Whether there is one.
    pub fn contains(&self, interaction: InteractionId) -> bool {
        self.all.contains_key(&interaction)
    }
    /// Changes a value, and perhaps its time.
    pub fn change<R>(&mut self, interaction: InteractionId, change: impl FnOnce(&mut V) -> R) -> Option<R> {
        let value = self.all.get_mut(&interaction)?;
        let before = value.due();
        let answer = change(value);
        let after = value.due();
        if before != after {
            if let Some(due) = before {
                self.due.remove(&(due, interaction));
            }
            self.due.extend(after.map(|due| (due, interaction)));
        }
        Some(answer)
    }
    /// The first time at which one is due.
    pub fn next(&self) -> Option<Timestamp> {
        self.due.first().map(|(due, _)| *due)
    }
    /// Who is due by now, the longest first.
    pub fn due_by(&self, now: Timestamp) -> Vec<InteractionId> {
        self.due.iter().take_while(|(due, _)| *due <= now).map(|(_, interaction)| *interaction).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::Id;

    impl Due for Option<u64> {
        fn due(&self) -> Option<Timestamp> {
            self.map(Timestamp::from_millis)
        }
    }

    /// Whatever is done, the next one is the one that a look at all of them finds.
    #[test]
    fn the_next_is_the_one_that_looking_at_all_finds() {
        let mut timed: Timed<Option<u64>> = Timed::default();
        let mut dice = 7_u64;
        for _ in 0..20_000 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let id = InteractionId::from_number(dice >> 60);
            let value = (!(dice >> 50).is_multiple_of(4)).then_some((dice >> 40) % 64);
            match (dice >> 33) % 4 {
                0 => timed.insert(id, value),
                1 => drop(timed.remove(id)),
                _ => drop(timed.change(id, |old| *old = value)),
            }
            let first = timed.all.values().filter_map(Due::due).min();
            assert_eq!(timed.next(), first);
            let now = Timestamp::from_millis(32);
            let due = timed.all.iter().filter(|(_, value)| value.due().is_some_and(|due| due <= now));
            let mut found = timed.due_by(now);
            found.sort();
            assert_eq!(found, due.map(|(id, _)| *id).collect::<Vec<_>>());
        }
    }
}
