//! Counting by sequence number: loss, bursts, duplicates, overtaken packets, restarts (RFC 3550 A.1 and A.3).
//!
//! Unlike A.1 there is no probation: an address check or an SRTP tag has vouched for the source before. The last 64
//! numbers are remembered one by one, so that a packet that was overtaken is told from one that came twice.

use super::{Forwarded, Totals};

/// What a packet's number says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The next one, or the first.
    InOrder,
    /// So many are missing before it.
    Gap(u16),
    /// It was overtaken; it had been counted as lost.
    Late,
    /// It was here before.
    Duplicate,
    /// Its number fits nothing; a second one in line with it would be a restart.
    Stray,
    /// The sender began anew.
    Restarted,
}

/// The numbers of one stream.
#[derive(Clone, Debug, Default)]
pub struct Sequence {
    current: Option<Run>,
    /// Totals of the runs before a restart.
    past: Totals,
    duplicates: u64,
    /// The number that would confirm a restart.
    restart_at: Option<u16>,
}

#[derive(Clone, Debug)]
struct Run {
    /// First number, extended by the cycles.
    base: u64,
    /// Highest number so far, extended.
    highest: u64,
    received: u64,
    bursts: u64,
    /// Bit n: `highest - n` was received. Numbers before the first count as received.
    seen: u64,
}

impl Sequence {
    /// Takes note of a number.
    pub fn note(&mut self, seq: u16) -> Verdict {
        let Some(run) = &mut self.current else {
            self.current = Some(Run::begin(seq));
            return Verdict::InOrder;
        };
        let ahead = seq.wrapping_sub(run.highest as u16);
        if ahead == 0 {
            self.duplicates += 1;
            return Verdict::Duplicate;
        }
        if ahead < DROPOUT_MAX {
            self.restart_at = None;
            return run.advance(ahead);
        }
        if ahead > u16::MAX - MISORDER_MAX {
            let verdict = run.fill(ahead.wrapping_neg());
            self.duplicates += u64::from(verdict == Verdict::Duplicate);
            return verdict;
        }
        if self.restart_at != Some(seq) {
            self.restart_at = Some(seq.wrapping_add(1));
            return Verdict::Stray;
        }
        self.restart();
        self.current = Some(Run::begin(seq));
        Verdict::Restarted
    }

    /// Another source begins: the next number is its first.
    pub fn restart(&mut self) {
        self.past = self.totals();
        self.current = None;
        self.restart_at = None;
    }

    /// Counts over all runs.
    pub fn totals(&self) -> Totals {
        let Some(run) = &self.current else { return self.past };
        let expected = run.highest - run.base + 1;
        Totals {
            expected: self.past.expected + expected,
            lost: self.past.lost + expected.saturating_sub(run.received),
            bursts: self.past.bursts + run.bursts,
        }
    }

    /// Highest number with its cycles, and which of the 64 up to it were here.
    pub(super) fn position(&self) -> Option<(u32, u64)> {
        self.current.as_ref().map(|run| (run.highest as u32, run.seen))
    }

    /// The run went on elsewhere.
    pub(super) fn forwarded(&mut self, forwarded: &Forwarded) {
        let Some(run) = &mut self.current else { return };
        run.highest += u64::from(forwarded.now.highest.wrapping_sub(run.highest as u32));
        run.received += forwarded.packets;
        run.bursts = run.bursts.saturating_add_signed(forwarded.bursts);
        run.seen = forwarded.now.seen;
        self.restart_at = None;
    }

    /// Packets that came twice.
    pub fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// Highest number with its cycles, as RTCP has it.
    pub fn highest(&self) -> u32 {
        self.current.as_ref().map_or(0, |run| run.highest as u32)
    }
}

impl Run {
    fn begin(seq: u16) -> Self {
        Self { base: u64::from(seq), highest: u64::from(seq), received: 1, bursts: 0, seen: u64::MAX }
    }

    fn advance(&mut self, ahead: u16) -> Verdict {
        self.highest += u64::from(ahead);
        self.received += 1;
        self.seen = self.seen.checked_shl(u32::from(ahead)).unwrap_or(0) | 1;
        if ahead == 1 {
            return Verdict::InOrder;
        }
        self.bursts += 1;
        Verdict::Gap(ahead - 1)
    }

    fn fill(&mut self, behind: u16) -> Verdict {
        // Too old to remember whether it was here: if nothing is missing it must have been.
        let expected = self.highest - self.base + 1;
        let was_here = match 1u64.checked_shl(u32::from(behind)) {
            Some(bit) => self.seen & bit != 0,
            None => false,
        };
        if was_here || self.received >= expected {
            return Verdict::Duplicate;
        }
        self.received += 1;
        if let Some(bit) = 1u64.checked_shl(u32::from(behind)) {
            self.seen |= bit;
            let older = self.seen & bit.checked_shl(1).unwrap_or(0) != 0 || behind == 63;
            let newer = self.seen & (bit >> 1) != 0;
            match (older, newer) {
                (true, true) => self.bursts = self.bursts.saturating_sub(1),
                (false, false) => self.bursts += 1,
                _ => {}
            }
        }
        Verdict::Late
    }
}

/// A number this far ahead is a restart, not a loss (RFC 3550 A.1).
const DROPOUT_MAX: u16 = 3_000;
/// A number this far behind was overtaken; farther, it is a restart (RFC 3550 A.1).
const MISORDER_MAX: u16 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(numbers: impl IntoIterator<Item = u16>) -> (Totals, u64) {
        let mut sequence = Sequence::default();
        numbers.into_iter().for_each(|n| _ = sequence.note(n));
        (sequence.totals(), sequence.duplicates())
    }

    #[test]
    fn numbers_wrap_without_a_loss() {
        let (totals, duplicates) = counts((65_000..=u16::MAX).chain(0..500));
        assert_eq!((totals, duplicates), (Totals { expected: 1_036, lost: 0, bursts: 0 }, 0));
    }

    #[test]
    fn a_burst_is_counted_once_and_each_packet_of_it() {
        let (totals, _) = counts((0..100).filter(|n| !(20..25).contains(n) && *n != 50));
        assert_eq!(totals, Totals { expected: 100, lost: 6, bursts: 2 });
    }

    #[test]
    fn an_overtaken_packet_is_no_loss() {
        let (totals, duplicates) = counts([0, 1, 3, 2, 4, 7, 6, 5, 8]);
        assert_eq!((totals, duplicates), (Totals { expected: 9, lost: 0, bursts: 0 }, 0));
        // The middle of a run of three comes late: two runs of one remain.
        let (totals, _) = counts([0, 4, 2]);
        assert_eq!(totals, Totals { expected: 5, lost: 2, bursts: 2 });
    }

    #[test]
    fn a_packet_that_came_twice_is_counted_apart() {
        let (totals, duplicates) = counts([0, 1, 1, 2, 1, 3, 3]);
        assert_eq!((totals, duplicates), (Totals { expected: 4, lost: 0, bursts: 0 }, 3));
    }

    #[test]
    fn a_stray_number_changes_nothing_and_two_in_line_are_a_restart() {
        let mut sequence = Sequence::default();
        (0..10).for_each(|n| _ = sequence.note(n));
        assert_eq!(sequence.note(40_000), Verdict::Stray);
        assert_eq!(sequence.note(10), Verdict::InOrder);
        assert_eq!(sequence.note(40_000), Verdict::Stray);
        assert_eq!(sequence.note(40_001), Verdict::Restarted);
        assert_eq!(sequence.note(40_002), Verdict::InOrder);
        assert_eq!(sequence.totals(), Totals { expected: 13, lost: 0, bursts: 0 });
    }
}
