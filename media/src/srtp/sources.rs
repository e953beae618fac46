//! State a source (SSRC), in a small table: a leg has one or two sources, not many.

use super::index::Window;
use crate::driver::prefetch;

/// Sources a direction keeps state for. A far end that changes its SSRC at each hold needs a few; nobody needs more.
pub(super) const SOURCES: usize = 8;

#[derive(Clone, Copy, Debug)]
struct Source {
    ssrc: u32,
    window: Window,
    /// When it was last used, in packets of this table.
    used: u64,
}

/// The sources of one direction.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    slots: [Option<Source>; SOURCES],
    clock: u64,
    /// Where the last one was found: nearly always the next one's place too.
    last: usize,
}

impl Sources {
    pub(super) fn new() -> Self {
        Self { slots: [None; SOURCES], clock: 0, last: 0 }
    }

    /// A packet is near: what it needs is fetched from memory. The first source is nearly always the only one.
    pub(super) fn fetch(&self) {
        prefetch(&self.slots[0], 0..size_of::<Option<Source>>());
        prefetch(&self.clock, 0..size_of::<u64>());
    }

    fn position(&self, ssrc: u32) -> Option<usize> {
        let is = |slot: &Option<Source>| slot.is_some_and(|source| source.ssrc == ssrc);
        if self.slots.get(self.last).is_some_and(is) {
            return Some(self.last);
        }
        self.slots.iter().position(is)
    }

    /// The window of a source, if it has one yet.
    pub(super) fn find(&self, ssrc: u32) -> Option<&Window> {
        self.slots.get(self.position(ssrc)?)?.as_ref().map(|source| &source.window)
    }

    /// Whether a new source would find room.
    pub(super) fn has_room(&self) -> bool {
        self.slots.iter().any(Option::is_none)
    }

    /// Notes a packet of a source whose tag was right, or that we sent. Only such a packet makes a new source known;
    /// when the table is full it takes the place of the one that was silent for longest.
    pub(super) fn note(&mut self, ssrc: u32, index: u64) {
        self.clock += 1;
        let known = self.position(ssrc);
        let at = known
            .or_else(|| self.slots.iter().position(Option::is_none))
            .or_else(|| (0..SOURCES).min_by_key(|&at| self.slots[at].map_or(0, |source| source.used)))
            .unwrap_or(0);
        match &mut self.slots[at] {
            Some(source) if known.is_some() => {
                source.window.note(index);
                source.used = self.clock;
            }
            slot => *slot = Some(Source { ssrc, window: Window::starting_at(index), used: self.clock }),
        }
        self.last = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_table_forgets_the_source_that_was_silent_for_longest() {
        let mut sources = Sources::new();
        for ssrc in 0..SOURCES as u32 {
            sources.note(ssrc, 100);
        }
        sources.note(0, 101);
        assert!(!sources.has_room());
        sources.note(99, 5);
        assert!(sources.find(1).is_none(), "1 was silent for longest");
        assert_eq!(sources.find(0).map(Window::highest), Some(101));
        assert_eq!(sources.find(99).map(Window::highest), Some(5));
    }
}
