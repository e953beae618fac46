//! Counts of the media threads, for metrics. A thread counts in plain numbers of its own and shows them now and then, so that no
//! packet touches memory that another core reads.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::driver::{DriverCounters, DriverKind};
use crate::leg::DropReason;
use crate::quality::watch::Trouble;

/// Counts of one thread, since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams that came in.
    pub received_packets: u64,
    /// Their octets.
    pub received_octets: u64,
    /// Datagrams handed to the kernel.
    pub sent_packets: u64,
    /// Their octets.
    pub sent_octets: u64,
    /// Packets sent in the buffer they came in.
    pub relayed_in_place: u64,
    /// Packets that were copied because several legs hear one.
    pub relayed_copies: u64,
    /// Packets that went through a transcoder.
    pub transcoded: u64,
    /// Packets not sent to a leg that hears them, because it has no payload type for their format.
    pub unmatched: u64,
    /// Packets of conferences' mixes.
    pub mixed: u64,
    /// Encodings for them: fewer than packets, because those who hear the same share one.
    pub mix_encoded: u64,
    /// Datagrams dropped, by [`DropReason`].
    pub dropped: [u64; DropReason::ALL.len()],
    /// Troubles of legs that began, by [`Trouble::index`].
    pub troubles: [u64; Trouble::NAMES.len()],
    /// Payloads given to recordings.
    pub recorded: u64,
    /// Payloads that recordings lost because the writer was behind.
    pub record_overruns: u64,
    /// Events that control lost because it was behind.
    pub events_lost: u64,
    /// Legs now.
    pub legs: u64,
    /// Streams that the kernel watches or carries now.
    pub fast_flows: u64,
    /// Packets that the kernel forwarded; in none of the counts above.
    pub fast_packets: u64,
    /// Their octets of RTP.
    pub fast_octets: u64,
    /// Plain streams that could not be given to the kernel.
    pub fast_refused: u64,
    /// Packets that came too late to be played, of voices that are decoded.
    pub playout_late: u64,
    /// Packets of such voices that never came.
    pub playout_lost: u64,
    /// Milliseconds invented for them.
    pub playout_concealed_ms: u64,
    /// Milliseconds that such voices wait now, on average.
    pub playout_waits_ms: u64,
    /// Share of the last second that the thread worked, in thousandths.
    pub busy_permille: u64,
    /// How hard Opus encoders try now, 0 to 10.
    pub effort: u64,
    /// Below, in the driver.
    pub driver: DriverCounters,
}

/// Counts of one thread, with its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadCounters {
    /// Which thread.
    pub thread: usize,
    /// Which driver it runs.
    pub driver: DriverKind,
    /// Its counts.
    pub counters: Counters,
}

const NUMBERS: usize = 23 + DropReason::ALL.len() + Trouble::NAMES.len() + 6;

impl Counters {
    fn numbers(&self) -> [u64; NUMBERS] {
        let mut numbers = [0; NUMBERS];
        let all = [
            self.received_packets,
            self.received_octets,
            self.sent_packets,
            self.sent_octets,
            self.relayed_in_place,
            self.relayed_copies,
            self.transcoded,
            self.unmatched,
            self.mixed,
            self.mix_encoded,
            self.recorded,
            self.record_overruns,
            self.events_lost,
            self.legs,
            self.fast_flows,
            self.fast_packets,
            self.fast_octets,
            self.fast_refused,
            self.playout_late,
            self.playout_lost,
            self.playout_concealed_ms,
            self.playout_waits_ms,
            self.busy_permille,
            self.effort,
            self.driver.send_errors,
            self.driver.receive_errors,
            self.driver.no_buffers,
            self.driver.too_large,
            self.driver.turns,
        ];
        for (number, value) in
            numbers.iter_mut().zip(all.into_iter().chain(self.dropped).chain(self.troubles))
        {
            *number = value;
        }
        numbers
    }

    fn from_numbers(numbers: [u64; NUMBERS]) -> Self {
        let mut next = numbers.into_iter();
        let mut one = || next.next().unwrap_or_default();
        let mut counters = Self {
            received_packets: one(),
            received_octets: one(),
            sent_packets: one(),
            sent_octets: one(),
            relayed_in_place: one(),
            relayed_copies: one(),
            transcoded: one(),
            unmatched: one(),
            mixed: one(),
            mix_encoded: one(),
            recorded: one(),
            record_overruns: one(),
            events_lost: one(),
            legs: one(),
            fast_flows: one(),
            fast_packets: one(),
            fast_octets: one(),
            fast_refused: one(),
            playout_late: one(),
            playout_lost: one(),
            playout_concealed_ms: one(),
            playout_waits_ms: one(),
            busy_permille: one(),
            effort: one(),
            ..Self::default()
        };
        counters.driver = DriverCounters {
            send_errors: one(),
            receive_errors: one(),
            no_buffers: one(),
            too_large: one(),
            turns: one(),
        };
        counters.dropped = std::array::from_fn(|_| one());
        counters.troubles = std::array::from_fn(|_| one());
        counters
    }
}

/// Where a thread shows its counts.
#[derive(Debug)]
pub(super) struct Shown {
    numbers: [AtomicU64; NUMBERS],
}

impl Default for Shown {
    fn default() -> Self {
        Self { numbers: std::array::from_fn(|_| AtomicU64::new(0)) }
    }
}

impl Shown {
    pub fn show(&self, counters: &Counters) {
        for (shown, number) in self.numbers.iter().zip(counters.numbers()) {
            shown.store(number, Ordering::Relaxed);
        }
    }
    pub fn read(&self) -> Counters {
        Counters::from_numbers(std::array::from_fn(|n| self.numbers[n].load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_thread_shows_is_read_as_it_was() {
        let mut counters = Counters { received_packets: 1, legs: 7, events_lost: 6, ..Counters::default() };
        counters.dropped = std::array::from_fn(|n| n as u64 + 20);
        counters.troubles = std::array::from_fn(|n| n as u64 + 31);
        counters.driver.turns = 99;
        let shown = Shown::default();
        shown.show(&counters);
        assert_eq!(shown.read(), counters);
    }
}
