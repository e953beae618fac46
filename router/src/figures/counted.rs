//! What became of customers today and in the last half hour.

use std::time::Duration;

use model::figures::{Counts, Outcome};
use model::service::QueueRules;
use model::survey::Mark;
use model::time::Timestamp;

/// Minutes that are kept: the one that has begun, and those before it.
const MINUTES: usize = 30;

/// What is counted of one service. Days are those of UTC.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Counted {
    day: u64,
    today: Counts,
    /// By their number since 1970, each at its remainder; none before the first customer.
    minutes: Vec<(u64, Counts)>,
}

impl Counted {
    pub fn count(&mut self, outcome: Outcome, waited: Duration, rules: &QueueRules, at: Timestamp) {
        for counts in self.at(at) {
            counts.count(outcome, waited, rules);
        }
    }

    /// Somebody who had asked for it was called back and talks to an agent.
    pub fn reached(&mut self, at: Timestamp) {
        for counts in self.at(at) {
            counts.called_back += 1;
        }
    }

    /// A caller gave a mark.
    pub fn rated(&mut self, mark: Mark, at: Timestamp) {
        for counts in self.at(at) {
            counts.rate(mark);
        }
    }

    /// The counts of the day and of the minute.
    fn at(&mut self, at: Timestamp) -> [&mut Counts; 2] {
        if self.day != at.day() {
            (self.day, self.today) = (at.day(), Counts::default());
        }
        if self.minutes.is_empty() {
            self.minutes = vec![(0, Counts::default()); MINUTES];
        }
        let minute = minute_of(at);
        let bucket = &mut self.minutes[minute as usize % MINUTES];
        if bucket.0 != minute {
            *bucket = (minute, Counts::default());
        }
        [&mut self.today, &mut bucket.1]
    }

    /// What had been counted on that day up to a moment is taken over.
    pub fn carry(&mut self, today: Counts, at: Timestamp) {
        (self.day, self.today) = (at.day(), today);
    }

    /// Since midnight.
    pub fn today(&self, now: Timestamp) -> Counts {
        if self.day == now.day() { self.today } else { Counts::default() }
    }

    /// The minute that has begun and the 29 before it.
    pub fn half_hour(&self, now: Timestamp) -> Counts {
        let now = minute_of(now);
        let mut sum = Counts::default();
        for (minute, counts) in &self.minutes {
            if *minute <= now && now - minute < MINUTES as u64 {
                sum.add(counts);
            }
        }
        sum
    }
}

fn minute_of(at: Timestamp) -> u64 {
    at.millis() / 60_000
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ROUTE-11: the last half hour moves on by the minute, today ends at midnight UTC.
    #[test]
    fn route_11_a_half_hour_moves_on_and_a_day_ends() {
        let rules = QueueRules::default();
        let minutes = |n: u64| Timestamp::from_millis(n * 60_000);
        let evening = 20_000 * 24 * 60 - 60;
        let mut counted = Counted::default();
        for minute in 0..120 {
            counted.count(Outcome::Answered, Duration::from_secs(minute), &rules, minutes(evening + minute));
            let (half_hour, today) =
                (counted.half_hour(minutes(evening + minute)), counted.today(minutes(evening + minute)));
            assert_eq!(half_hour.answered, (minute + 1).min(30));
            assert_eq!(today.answered, if minute < 60 { minute + 1 } else { minute - 59 });
        }
        let later = |minute| counted.half_hour(minutes(evening + 119 + minute)).answered;
        assert_eq!([later(1), later(29), later(30), later(10_000)], [29, 1, 0, 0]);
        assert_eq!(counted.today(minutes(evening + 3_000)), Counts::default());
        assert_eq!(counted.half_hour(minutes(evening + 119)).longest_ms, 119_000);
    }
}
