//! Chance with a seed, thrown by what it is for: the same caller draws the same patience in every run, so that two runs differ by
//! their rules and not by their luck.

use std::time::Duration;

use model::id::Id;

/// What is drawn.
#[derive(Clone, Copy)]
pub(super) enum Draw {
    Patience,
    Talk,
    WrapUp,
    Answer,
    Return,
}

#[derive(Clone, Copy)]
pub(super) struct Dice(pub u64);

impl Dice {
    fn throw(self, what: Draw, who: impl Id, nth: u64) -> u64 {
        let bits = who.uuid().as_u128();
        let words = [what as u64, (bits >> 64) as u64, bits as u64, nth];
        words.into_iter().fold(self.0, |state, word| mix(state ^ word))
    }

    /// Somewhere in 0 to 1, without the 1.
    pub fn share(self, what: Draw, who: impl Id, nth: u64) -> f64 {
        (self.throw(what, who, nth) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// One of these.
    pub fn one<T: Clone>(self, of: &[T], what: Draw, who: impl Id, nth: u64) -> Option<T> {
        let at = (self.share(what, who, nth) * of.len() as f64) as usize;
        of.get(at).cloned()
    }
}

/// The finalizer of splitmix64.
fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// How long callers wait before they leave (Kaplan and Meier's estimate): those who were answered would have waited at least as long as
/// they did, and say nothing of more.
#[derive(Default)]
pub(super) struct Patience {
    /// Times at which somebody left, with the share of callers who are still there after it.
    there: Vec<(Duration, f64)>,
}

impl Patience {
    /// From waits, each with whether it ended by leaving.
    pub fn of(mut waits: Vec<(Duration, bool)>) -> Self {
        waits.sort_unstable();
        let (mut share, mut there) = (1.0, Vec::new());
        for (n, (wait, left)) in waits.iter().enumerate() {
            if *left {
                let at_risk = (waits.len() - n) as f64;
                share *= 1.0 - 1.0 / at_risk;
                there.push((*wait, share));
            }
        }
        Self { there }
    }

    /// The patience of somebody who would have waited longer than `known`; `None`: longer than anybody was seen to leave at.
    pub fn beyond(&self, known: Duration, chance: f64) -> Option<Duration> {
        let share = |at: Duration| {
            let after = self.there.partition_point(|(wait, _)| *wait <= at);
            after.checked_sub(1).map_or(1.0, |n| self.there[n].1)
        };
        let target = share(known) * (1.0 - chance);
        self.there.iter().find(|(wait, share)| *wait > known && *share <= target).map(|(wait, _)| *wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of four callers one left after 10 s and one after 30 s; one was answered after 20 s and one after 40 s.
    #[test]
    fn who_was_answered_would_have_waited_at_least_as_long() {
        let s = Duration::from_secs;
        let patience = Patience::of(vec![(s(20), false), (s(10), true), (s(40), false), (s(30), true)]);
        // One of four leaves at 10 s; of the two who are seen at 30 s, one: 3/4 × 1/2 are there after it.
        assert_eq!(patience.there, [(s(10), 0.75), (s(30), 0.375)]);
        assert_eq!(patience.beyond(s(0), 0.1), Some(s(10)));
        assert_eq!(patience.beyond(s(0), 0.5), Some(s(30)));
        assert_eq!(patience.beyond(s(0), 0.9), None, "longer than anybody was seen to leave at");
        assert_eq!(patience.beyond(s(20), 0.4), Some(s(30)), "who waited 20 s did not leave at 10 s");
        assert_eq!(Patience::default().beyond(s(5), 0.0), None);
    }
}
