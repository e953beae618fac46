//! Which payloads a pause leaves out.
//!
//! Control says when a pause begins; payloads of that moment may be in a ring still, or in a block already. So a payload is
//! judged by its arrival, not by when the writer sees it, and a pause never begins before what is written already: the
//! stretch that the container marks is exactly the stretch nothing is kept of.

/// The pauses of one recording.
#[derive(Default)]
pub(super) struct Pauses {
    /// From, and until before; the last one may be open. Only the latest few: older payloads are in no ring any more.
    stretches: Vec<(u64, u64)>,
    /// The latest payload that was captured.
    newest_us: u64,
}

impl Pauses {
    /// Whether a payload that came at this time is kept.
    pub(super) fn captures(&mut self, at_us: u64) -> bool {
        let paused = self.stretches.iter().any(|(from, to)| (*from..*to).contains(&at_us));
        if !paused {
            self.newest_us = self.newest_us.max(at_us);
        }
        !paused
    }

    /// Begins a pause; tells when it really begins. `None`: it is paused already.
    pub(super) fn begin(&mut self, at_us: u64) -> Option<u64> {
        if self.is_open() {
            return None;
        }
        if self.stretches.len() == KEPT {
            self.stretches.remove(0);
        }
        let from = at_us.max(self.newest_us + 1);
        self.stretches.push((from, u64::MAX));
        Some(from)
    }

    /// Ends it; tells when. `None`: it is not paused.
    pub(super) fn end(&mut self, at_us: u64) -> Option<u64> {
        if !self.is_open() {
            return None;
        }
        let (from, to) = self.stretches.last_mut()?;
        *to = at_us.max(*from);
        Some(*to)
    }

    fn is_open(&self) -> bool {
        self.stretches.last().is_some_and(|(_, to)| *to == u64::MAX)
    }
}

const KEPT: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_in_a_pause_is_left_out_however_late_it_is_seen() {
        let mut pauses = Pauses::default();
        assert!(pauses.captures(100));
        assert_eq!(pauses.begin(50), Some(101), "what is written already is not in the pause");
        assert_eq!(pauses.begin(60), None);
        assert!(!pauses.captures(101) && !pauses.captures(5_000));
        assert!(pauses.captures(99), "it came before, and waited in a ring");
        assert_eq!(pauses.end(10_000), Some(10_000));
        assert_eq!(pauses.end(10_001), None);
        assert!(!pauses.captures(9_999), "it came in the pause, and waited in a ring");
        assert!(pauses.captures(10_000));
    }
}
