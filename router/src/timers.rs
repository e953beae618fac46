//! What is due, earliest first.
//!
//! Most of what is armed is due after one of a few delays (the ring time, a step, the service level), and time does not run
//! backwards; so what has the same delay comes up in the order in which it was armed and stands in a line. The first of all
//! is the first of one of the lines. Only what has a delay of its own goes through a heap.
//!
//! Nothing is ever taken out of the middle: an entry that no longer applies is recognised when it comes up (the owner
//! knows its own deadline) and dropped. So that dead entries cannot pile up, all are swept whenever they have doubled.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use model::time::Timestamp;

use crate::slab::Key;
use crate::steps;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// An offer has rung long enough.
    Offer { item: Key },
    /// The next step of a requirement begins.
    Step { item: Key, step: usize },
    /// The deadline of an interaction has passed, and its service serves the late last.
    Late { item: Key },
    /// A refusal is forgiven.
    CoolDown { item: Key },
    /// The longest wait is over.
    Wait { item: Key },
    /// After-call work ends by itself.
    WrapUp { agent: usize },
    /// A stay in Not ready ends by itself.
    Stay { agent: usize },
}

/// When, the how manieth that was armed, and what.
type Entry = (Timestamp, u64, Timer);

#[derive(Clone, Debug, Default)]
pub(crate) struct Timers {
    lines: Vec<Line>,
    others: BinaryHeap<Reverse<Entry>>,
    /// The first of all, and in which line it stands; behind the lines come the others.
    first: Option<(Entry, usize)>,
    len: usize,
    armed: u64,
    sweep_at: usize,
}

/// What is due after the same delay.
#[derive(Clone, Debug)]
struct Line {
    delay: Duration,
    entries: VecDeque<Entry>,
}

/// Delays that have a line of their own: enough for the settings of most houses; looking for the first goes through all.
const LINES: usize = 16;
/// Below this many entries a sweep is not worth it.
const SWEEP_MIN: usize = 4_096;

impl Timers {
    /// Arms a timer at `now`.
    pub fn arm(&mut self, now: Timestamp, due: Timestamp, timer: Timer) {
        self.armed += 1;
        self.len += 1;
        let entry = (due, self.armed, timer);
        let line = self.line_for(due.since(now), &entry);
        match self.lines.get_mut(line) {
            Some(line) => line.entries.push_back(entry),
            None => self.others.push(Reverse(entry)),
        }
        if self.first.is_none_or(|(first, _)| entry < first) {
            self.first = Some((entry, line));
        }
    }

    /// The line of a delay, or an empty one; when there is none, the place behind all lines.
    fn line_for(&mut self, delay: Duration, entry: &Entry) -> usize {
        // After a crash what was due by then is armed anew: too early for its line.
        let fits = |line: &Line| line.delay == delay && line.entries.back().is_none_or(|last| last < entry);
        if let Some(line) = self.lines.iter().position(fits) {
            return line;
        }
        if let Some(line) = self.lines.iter().position(|line| line.entries.is_empty()) {
            self.lines[line].delay = delay;
            return line;
        }
        if self.lines.len() < LINES {
            // Whatever stood behind the lines stands one place further.
            if let Some((_, place)) = self.first.as_mut().filter(|(_, place)| *place == self.lines.len()) {
                *place += 1;
            }
            self.lines.push(Line { delay, entries: VecDeque::new() });
            return self.lines.len() - 1;
        }
        self.lines.len()
    }

    pub fn first(&self) -> Option<(Timestamp, Timer)> {
        self.first.map(|((due, _, timer), _)| (due, timer))
    }

    /// Drops the first.
    pub fn pop(&mut self) {
        let Some((_, line)) = self.first else { return };
        match self.lines.get_mut(line) {
            Some(line) => drop(line.entries.pop_front()),
            None => drop(self.others.pop()),
        }
        self.len -= 1;
        self.find_first();
    }

    fn find_first(&mut self) {
        steps::count(self.lines.len() + 1);
        let lines = self.lines.iter().map(|line| line.entries.front());
        let all = lines.chain([self.others.peek().map(|Reverse(entry)| entry)]);
        self.first = all.enumerate().filter_map(|(line, entry)| Some((*entry?, line))).min();
    }

    pub fn wants_sweep(&self) -> bool {
        self.len > self.sweep_at.max(SWEEP_MIN)
    }

    /// Drops what no longer applies.
    pub fn sweep(&mut self, mut live: impl FnMut(Timestamp, Timer) -> bool) {
        steps::count(self.len);
        for line in &mut self.lines {
            line.entries.retain(|(due, _, timer)| live(*due, *timer));
        }
        self.others.retain(|Reverse((due, _, timer))| live(*due, *timer));
        self.len = self.lines.iter().map(|line| line.entries.len()).sum::<usize>() + self.others.len();
        self.sweep_at = self.len.saturating_mul(2);
        self.find_first();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Delays of every sort, more of them than lines, and some armed in the past: they come up in the order of a sorted list.
    #[test]
    fn what_is_due_comes_up_in_order_whatever_the_delays() {
        let mut timers = Timers::default();
        let mut plain = std::collections::BTreeSet::new();
        let (mut chance, mut now) = (7_u64, Timestamp::from_millis(1_000_000));
        for agent in 0..20_000 {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            now = now + Duration::from_micros(chance >> 50);
            let (delays, kind) = (if agent < 10_000 { 8 } else { 40 }, chance >> 40);
            let due = match kind % 50 {
                0 => now - Duration::from_secs(5),
                _ => now + Duration::from_secs(kind % delays * 7 % 90),
            };
            timers.arm(now, due, Timer::WrapUp { agent });
            plain.insert((due, agent));
            if agent % 1_000 == 999 {
                timers.sweep(|_, timer| !matches!(timer, Timer::WrapUp { agent } if agent % 5 == 0));
                plain.retain(|(_, agent)| agent % 5 != 0);
            }
            while agent % 3 == 0 && plain.first().is_some_and(|(due, _)| *due <= now) {
                let (due, agent) = plain.pop_first().unwrap();
                assert_eq!(timers.first(), Some((due, Timer::WrapUp { agent })));
                timers.pop();
            }
        }
        while let Some((due, agent)) = plain.pop_first() {
            assert_eq!(timers.first(), Some((due, Timer::WrapUp { agent })));
            timers.pop();
        }
        assert_eq!(timers.first(), None);
    }
}
