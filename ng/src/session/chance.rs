//! Randomness as an argument, so that a simulation with a seed replays.

use model::id::{Id, IdSource};
use model::time::Timestamp;

/// Fills octets that nobody can guess; for keys and ids.
pub trait Chance: Send {
    /// Fills all of them.
    fn fill(&mut self, octets: &mut [u8]);
}

/// A new id of this time.
pub(super) fn id<T: Id>(chance: &mut dyn Chance, now: Timestamp) -> T {
    struct Source<'a>(&'a mut dyn Chance, Timestamp);
    impl IdSource for Source<'_> {
        fn now(&self) -> Timestamp {
            self.1
        }
        fn random(&mut self) -> [u8; 10] {
            let mut octets = [0; 10];
            self.0.fill(&mut octets);
            octets
        }
    }
    T::make(&mut Source(chance, now))
}
