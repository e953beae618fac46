//! The unanswered of one service in the order in which they are served, counted: how many come before somebody is known
//! without going through them, though fifty thousand wait.
//!
//! Stretches of a few hundred places each. Whoever comes last or leaves first, which is nearly everybody, moves nothing;
//! in the middle a part of one stretch is moved.

use crate::order::Place;

/// Places in one stretch, at most; a full one is split in two.
const STRETCH_MAX: usize = 512;

#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    /// Ascending; none is empty.
    stretches: Vec<Vec<Place>>,
}

impl Line {
    pub fn insert(&mut self, place: Place) {
        if self.stretches.is_empty() {
            self.stretches.push(Vec::new());
        }
        let at = self.stretch_of(place).min(self.stretches.len() - 1);
        let stretch = &mut self.stretches[at];
        let before = stretch.partition_point(|other| *other < place);
        stretch.insert(before, place);
        if stretch.len() > STRETCH_MAX {
            // At the end of the line all come in order: the front stays full, and the next ones have a stretch of their own.
            let end = at + 1 == self.stretches.len();
            let rest = self.stretches[at].split_off(if end { STRETCH_MAX } else { STRETCH_MAX / 2 });
            self.stretches.insert(at + 1, rest);
        }
    }

    pub fn remove(&mut self, place: Place) {
        let at = self.stretch_of(place);
        let Some(stretch) = self.stretches.get_mut(at) else { return };
        if let Ok(found) = stretch.binary_search(&place) {
            stretch.remove(found);
            if stretch.is_empty() {
                self.stretches.remove(at);
            }
        }
    }

    /// How many come before this place.
    pub fn before(&self, place: Place) -> usize {
        let at = self.stretch_of(place);
        let whole: usize = self.stretches[..at].iter().map(Vec::len).sum();
        whole + self.stretches.get(at).map_or(0, |stretch| stretch.partition_point(|other| *other < place))
    }

    pub fn len(&self) -> usize {
        self.stretches.iter().map(Vec::len).sum()
    }

    /// The first stretch that does not end before this place.
    fn stretch_of(&self, place: Place) -> usize {
        self.stretches.partition_point(|stretch| stretch.last().is_some_and(|last| *last < place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Ten thousand come and go in any order: each place is where a sorted list has it.
    #[test]
    fn a_place_is_counted_as_a_sorted_list_counts_it() {
        let (mut line, mut plain) = (Line::default(), BTreeSet::new());
        let mut chance = 7_u64;
        for arrival in 0..10_000 {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let place = Place { virtual_arrival: (chance >> 50) as i64, arrival };
            line.insert(place);
            plain.insert(place);
            if arrival % 3 == 0
                && let Some(&gone) = plain.range(place..).next().or(plain.first())
            {
                line.remove(gone);
                plain.remove(&gone);
            }
            line.remove(Place { virtual_arrival: 5, arrival: u64::MAX });
        }
        assert_eq!(line.len(), plain.len());
        for (before, place) in plain.iter().enumerate() {
            assert_eq!(line.before(*place), before);
        }
        for place in &plain {
            line.remove(*place);
        }
        assert!(line.stretches.is_empty());
    }
}
