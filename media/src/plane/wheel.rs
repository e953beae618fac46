//! The wheel of a media thread: who wants to be called when, to 5 ms.
//!
//! Packet times are multiples of 10 ms, so players keep their rhythm exactly, and those of one slot go out in one batch.
//! An entry is a hint: whoever is called looks at its own deadline. Deadlines beyond the wheel are called at its end, and
//! ask again.

use std::time::Duration;

use model::time::Timestamp;

/// Length of a slot.
const TICK: Duration = Duration::from_millis(5);
const TICK_MICROS: u64 = TICK.as_micros() as u64;
/// Slots; a power of two. 1.28 s in all.
const SLOTS: u64 = 256;

/// Calls a slot has room for from the beginning, so that the first packet that wants one takes no memory. A slot that
/// needed more keeps it. Hundreds of voices that are decoded are called each 20 ms, in four phases.
const CALLS_AT_FIRST: usize = 128;

/// See the module. `T`: who is called.
#[derive(Debug)]
pub(super) struct Wheel<T> {
    slots: Vec<Vec<T>>,
    /// The last tick that was called.
    now: u64,
    /// The earliest tick that has an entry; `u64::MAX`: none has.
    next: u64,
}

impl<T> Wheel<T> {
    pub fn new(now: Timestamp) -> Self {
        let slots = (0..SLOTS).map(|_| Vec::with_capacity(CALLS_AT_FIRST)).collect();
        Self { slots, now: now.micros() / TICK_MICROS, next: u64::MAX }
    }

    /// The tick at which something due at `at` will be called: never early, at most a slot late.
    pub fn tick_of(&self, at: Timestamp) -> u64 {
        at.micros().div_ceil(TICK_MICROS).clamp(self.now + 1, self.now + SLOTS - 1)
    }

    /// Calls `who` at a tick from [`Wheel::tick_of`].
    pub fn add(&mut self, tick: u64, who: T) {
        if let Some(slot) = self.slots.get_mut((tick % SLOTS) as usize) {
            slot.push(who);
            self.next = self.next.min(tick);
        }
    }

    /// When the next call is due.
    pub fn next(&self) -> Option<Timestamp> {
        (self.next != u64::MAX).then(|| Timestamp::from_micros(self.next * TICK_MICROS))
    }

    /// Moves everybody due at `now` to `due`, each with its tick.
    pub fn advance(&mut self, now: Timestamp, due: &mut Vec<(u64, T)>) {
        let until = now.micros() / TICK_MICROS;
        if until < self.next {
            self.now = self.now.max(until);
            return;
        }
        // After a pause longer than the wheel each slot is called once.
        let from = self.next.max(until.saturating_sub(SLOTS - 1));
        for tick in from..=until {
            if let Some(slot) = self.slots.get_mut((tick % SLOTS) as usize) {
                due.extend(slot.drain(..).map(|who| (tick, who)));
            }
        }
        self.now = self.now.max(until);
        self.next = (self.now + 1..self.now + SLOTS)
            .find(|tick| self.slots.get((tick % SLOTS) as usize).is_some_and(|slot| !slot.is_empty()))
            .unwrap_or(u64::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + ms)
    }
    fn called(wheel: &mut Wheel<&'static str>, ms: u64) -> Vec<&'static str> {
        let mut due = Vec::new();
        wheel.advance(at(ms), &mut due);
        due.into_iter().map(|(_, who)| who).collect()
    }
    fn call(wheel: &mut Wheel<&'static str>, ms: u64, who: &'static str) {
        let tick = wheel.tick_of(at(ms));
        wheel.add(tick, who);
    }

    #[test]
    fn nobody_is_called_early_and_nobody_is_forgotten() {
        let mut wheel = Wheel::new(at(0));
        call(&mut wheel, 20, "music");
        call(&mut wheel, 23, "digit");
        call(&mut wheel, 5_000, "report");
        assert_eq!(wheel.next(), Some(at(20)));
        assert_eq!(called(&mut wheel, 19), [""; 0]);
        assert_eq!(called(&mut wheel, 24), ["music"]);
        assert_eq!(called(&mut wheel, 25), ["digit"]);
        assert_eq!(wheel.next(), Some(at(1_275)), "beyond the wheel: called at its end");
        assert_eq!(called(&mut wheel, 9_000), ["report"]);
        assert_eq!(wheel.next(), None);
    }

    #[test]
    fn after_a_long_pause_everybody_is_called_once() {
        let mut wheel = Wheel::new(at(0));
        call(&mut wheel, 20, "a");
        call(&mut wheel, 1_200, "b");
        assert_eq!(called(&mut wheel, 60_000).len(), 2);
        assert_eq!(called(&mut wheel, 61_300).len(), 0);
        call(&mut wheel, 10, "late");
        assert_eq!(called(&mut wheel, 61_305), ["late"], "what is overdue comes at the next tick");
    }
}
