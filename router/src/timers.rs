//! What is due, earliest first.
//!
//! Nothing is ever taken out of the middle: an entry that no longer applies is recognised when it comes up (the owner
//! knows its own deadline) and dropped. So that dead entries cannot pile up, the heap is swept whenever it has doubled.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use model::time::Timestamp;

use crate::slab::Key;

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

#[derive(Clone, Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<(Timestamp, u64, Timer)>>,
    armed: u64,
    sweep_at: usize,
}

/// Below this many entries a sweep is not worth it.
const SWEEP_MIN: usize = 4_096;

impl Timers {
    pub fn arm(&mut self, due: Timestamp, timer: Timer) {
        self.armed += 1;
        self.heap.push(Reverse((due, self.armed, timer)));
    }
    pub fn first(&self) -> Option<(Timestamp, Timer)> {
        self.heap.peek().map(|Reverse((due, _, timer))| (*due, *timer))
    }
    pub fn pop(&mut self) {
        self.heap.pop();
    }
    pub fn wants_sweep(&self) -> bool {
        self.heap.len() > self.sweep_at.max(SWEEP_MIN)
    }
    /// Drops what no longer applies.
    pub fn sweep(&mut self, mut live: impl FnMut(Timestamp, Timer) -> bool) {
        self.heap.retain(|Reverse((due, _, timer))| live(*due, *timer));
        self.sweep_at = self.heap.len().saturating_mul(2);
    }
}
