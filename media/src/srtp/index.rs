//! Packet indexes: which one a sequence number means, and whether it was seen before.
//!
//! An RTP packet carries 16 of the 48 bits of its index; the upper 32, the roll-over counter, is guessed from the
//! highest index so far (RFC 3711 §3.3.1 and appendix A).

/// How far behind the newest packet one may come, in packets: the bits of [`Window::seen`].
pub(super) const WINDOW: u64 = u128::BITS as u64;

/// Half of the sequence number space: what is further away belongs to the neighbouring cycle.
const HALF: u64 = 1 << 15;

/// Sequence numbers in a cycle.
const CYCLE: u64 = 1 << 16;

/// The last RTP index there is: 2^48 - 1.
const LAST: u64 = (1 << 48) - 1;

/// The index that `sequence` most likely means, given the highest index so far. `None`: past the last one there is.
///
/// Where the RFC would guess a cycle before the first, the first is meant: a counter does not start below 0.
pub(super) fn guess(highest: u64, sequence: u16) -> Option<u64> {
    let (cycle, last) = (highest & !(CYCLE - 1), highest & (CYCLE - 1));
    let sequence = u64::from(sequence);
    let index = if last < HALF {
        match sequence.saturating_sub(last) > HALF {
            true => cycle.checked_sub(CYCLE).unwrap_or(cycle) | sequence,
            false => cycle | sequence,
        }
    } else if last - HALF > sequence {
        (cycle + CYCLE) | sequence
    } else {
        cycle | sequence
    };
    (index <= LAST).then_some(index)
}

/// The roll-over counter of an index.
pub(super) fn roc(index: u64) -> u32 {
    // An index has 48 bits, so this keeps all of them.
    (index >> 16) as u32
}

/// The highest index so far and which of those before it came (RFC 3711 §3.3.2).
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    highest: u64,
    /// Bit n: `highest - n` came.
    seen: u128,
}

impl Window {
    /// Begins with the first verified packet.
    pub(super) fn starting_at(index: u64) -> Self {
        Self { highest: index, seen: 1 }
    }

    pub(super) fn highest(&self) -> u64 {
        self.highest
    }

    /// Whether `index` neither came before nor is too old to know.
    pub(super) fn is_new(&self, index: u64) -> bool {
        match self.highest.checked_sub(index) {
            None => true,
            Some(behind) => behind < WINDOW && self.seen & (1 << behind) == 0,
        }
    }

    /// Notes a packet as seen; only after its tag was right.
    pub(super) fn note(&mut self, index: u64) {
        match self.highest.checked_sub(index) {
            Some(behind) if behind < WINDOW => self.seen |= 1 << behind,
            Some(_) => {}
            None => {
                let ahead = index - self.highest;
                self.seen = if ahead < WINDOW { self.seen << ahead | 1 } else { 1 };
                self.highest = index;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(roc: u64, sequence: u64) -> u64 {
        roc << 16 | sequence
    }

    #[test]
    fn the_guess_follows_the_sequence_number_over_its_wrap_around_both_ways() {
        assert_eq!(guess(index(0, 65_535), 0), Some(index(1, 0)));
        assert_eq!(guess(index(7, 65_000), 100), Some(index(8, 100)));
        assert_eq!(guess(index(8, 100), 65_000), Some(index(7, 65_000)), "late, from before the wrap");
        assert_eq!(guess(index(8, 100), 99), Some(index(8, 99)));
    }

    #[test]
    fn a_distance_of_half_the_space_stays_in_the_cycle_as_the_appendix_compares_strictly() {
        assert_eq!(guess(index(3, 0), 32_768), Some(index(3, 32_768)));
        assert_eq!(guess(index(3, 0), 32_769), Some(index(2, 32_769)));
        assert_eq!(guess(index(3, 40_000), 40_000 - 32_768), Some(index(3, 40_000 - 32_768)));
        assert_eq!(guess(index(3, 40_000), 40_000 - 32_769), Some(index(4, 40_000 - 32_769)));
    }

    #[test]
    fn there_is_no_cycle_before_the_first_and_none_after_the_last() {
        assert_eq!(guess(index(0, 10), 65_000), Some(index(0, 65_000)));
        assert_eq!(guess(index(u64::from(u32::MAX), 65_535), 1), None);
    }

    #[test]
    fn a_packet_counts_once_within_the_window_and_never_behind_it() {
        let mut window = Window::starting_at(1_000);
        assert!(!window.is_new(1_000));
        assert!(window.is_new(1_000 - (WINDOW - 1)) && !window.is_new(1_000 - WINDOW));
        window.note(1_000 - (WINDOW - 1));
        assert!(!window.is_new(1_000 - (WINDOW - 1)));
        window.note(1_003);
        assert!(window.is_new(1_002) && !window.is_new(1_000) && window.is_new(1_004));
        window.note(5_000);
        assert!(!window.is_new(1_003), "far behind now");
        assert!(window.is_new(4_999) && !window.is_new(5_000));
    }
}
