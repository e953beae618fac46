//! How hard encoders try: less when the thread has little time left, so that more calls fit (MEDIA-06, PERF).
//!
//! A thread measures which share of each second it worked. Above [`BUSY`] new frames are coded one step cheaper, each second
//! another, and above [`FULL`] after a quarter of a second: what cannot be done now is late, and being late costs more work
//! (hiding gaps, catching up). Back up only after [`CALM_S`] seconds below [`CALM`], one step at a time, so that it does not swing.

use std::time::Duration;

use model::time::Timestamp;

use crate::codec::OPUS_COMPLEXITY;

/// Efforts, from the one that is wished for. An encoding of 20 ms of telephone speech takes some 50, 35 and 16 us (`beside
/// floor`).
const EFFORTS: [i32; 3] = [OPUS_COMPLEXITY, 2, 0];
/// In thousandths.
const BUSY: u64 = 700;
/// Nearly no time is left.
const FULL: u64 = 850;
/// One step up costs at most half as much again.
const CALM: u64 = 400;
const CALM_S: u32 = 5;
const SECOND_US: u64 = 1_000_000;
/// A thread that relayed nothing for so long has voices alone, which wait for their time anyway.
const PACED_AFTER: Duration = Duration::from_secs(1);
/// Periods it rests then: less than from a packet's coming to its playout.
const PERIODS_MOST: u32 = 4;
const QUARTER_US: u64 = SECOND_US / 4;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Governor {
    began: Timestamp,
    worked_us: u64,
    busy_permille: u64,
    step: usize,
    calm_s: u32,
    /// Packets that were relayed so far, and when one was last.
    relayed: u64,
    relayed_at: Timestamp,
    /// None was for [`PACED_AFTER`].
    paced: bool,
}

impl Governor {
    pub fn new(now: Timestamp) -> Self {
        Self {
            began: now,
            worked_us: 0,
            busy_permille: 0,
            step: 0,
            calm_s: 0,
            relayed: 0,
            relayed_at: now,
            paced: false,
        }
    }

    /// The complexity that encoders should have.
    pub fn effort(&self) -> i32 {
        EFFORTS.get(self.step).copied().unwrap_or_default()
    }

    /// How many periods a thread rests at a time. Each time it wakes costs what ten packets cost; with more than half of its time
    /// gone that is better spent on calls, and a delay of one or two milliseconds more is heard by nobody. Where nothing is relayed
    /// it is not even a delay: what comes is decoded, mixed or recorded, at a time set for it.
    pub const fn periods(&self) -> u32 {
        match self.busy_permille {
            _ if self.paced => PERIODS_MOST,
            0..550 => 1,
            550..BUSY => 2,
            _ => PERIODS_MOST,
        }
    }

    /// Share of the last second that the thread worked, in thousandths.
    pub const fn busy_permille(&self) -> u64 {
        self.busy_permille
    }

    /// The thread worked from `from` to `to`, and has relayed so many packets since it began.
    pub fn worked(&mut self, from: Timestamp, to: Timestamp, relayed: u64) {
        if relayed != self.relayed {
            (self.relayed, self.relayed_at) = (relayed, to);
        }
        self.paced = to.since(self.relayed_at) >= PACED_AFTER;
        self.worked_us += to.since(from).as_micros() as u64;
        let passed_us = to.since(self.began).as_micros() as u64;
        let hasty = passed_us >= QUARTER_US && self.worked_us * 1_000 > passed_us * FULL;
        if passed_us < SECOND_US && !hasty {
            return;
        }
        self.busy_permille = (self.worked_us * 1_000 / passed_us).min(1_000);
        (self.began, self.worked_us) = (to, 0);
        if self.busy_permille > BUSY {
            self.calm_s = 0;
            self.step = (self.step + 1).min(EFFORTS.len() - 1);
        } else if self.busy_permille < CALM {
            self.calm_s += 1;
            if self.calm_s >= CALM_S {
                self.calm_s = 0;
                self.step = self.step.saturating_sub(1);
            }
        } else {
            self.calm_s = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thread {
        governor: Governor,
        now: Timestamp,
        relayed: u64,
    }
    impl Thread {
        /// Seconds in which so many thousandths are work; the effort after each.
        fn runs(&mut self, seconds: u32, permille: u64) -> Vec<i32> {
            let mut efforts = Vec::new();
            for _ in 0..seconds {
                for _ in 0..50 {
                    let work = Duration::from_micros(20 * permille);
                    let began = self.now + (Duration::from_millis(20) - work);
                    self.now = began + work;
                    self.relayed += 1;
                    self.governor.worked(began, self.now, self.relayed);
                }
                efforts.push(self.governor.effort());
            }
            efforts
        }
    }

    #[test]
    fn who_relays_nothing_rests_for_longer_until_something_is_relayed() {
        let begin = Timestamp::from_millis(5_000);
        let mut governor = Governor::new(begin);
        let mut after = |ms: u64, relayed: u64| {
            let from = begin + Duration::from_millis(ms);
            governor.worked(from, from + Duration::from_micros(10), relayed);
            governor.periods()
        };
        assert_eq!((after(10, 1), after(990, 1)), (1, 1), "not yet");
        assert_eq!(after(1_100, 1), 4, "voices alone");
        assert_eq!(
            (after(1_102, 2), after(2_000, 2), after(2_200, 2)),
            (1, 1, 4),
            "the first to be relayed counts"
        );
    }

    #[test]
    fn a_thread_without_time_does_not_wait_for_the_second_to_end() {
        let now = Timestamp::from_millis(5_000);
        let mut thread = Thread { governor: Governor::new(now), now, relayed: 0 };
        assert_eq!(thread.runs(1, 950), [0], "a step each quarter");
        assert_eq!(thread.governor.busy_permille(), 950);
    }

    #[test]
    fn a_busy_thread_tries_less_hard_and_recovers_without_swinging() {
        let now = Timestamp::from_millis(5_000);
        let mut thread = Thread { governor: Governor::new(now), now, relayed: 0 };
        assert_eq!(thread.runs(3, 650), [5, 5, 5], "work alone is no reason");
        assert_eq!(thread.runs(4, 750), [2, 0, 0, 0]);
        assert_eq!((thread.governor.busy_permille(), thread.governor.periods()), (750, 4));
        assert_eq!(thread.runs(10, 550), [0; 10], "cheaper coding made it less: that is no calm");
        assert_eq!(thread.runs(4, 300), [0; 4]);
        thread.runs(1, 500);
        assert_eq!(thread.governor.periods(), 1, "at half load every packet goes on within a period");
        assert_eq!(thread.runs(11, 300), [0, 0, 0, 0, 2, 2, 2, 2, 2, 5, 5], "five calm seconds in a row");
    }
}
