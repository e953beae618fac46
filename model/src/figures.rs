//! Figures of a service: what is counted of those who asked for it, and what is known of its pace.

use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::interaction::EndStatus;
use crate::service::{QueueRules, ShortAbandons};
use crate::survey::Mark;

/// What became of somebody who asked for a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An agent took it.
    Answered,
    /// The customer left first.
    Abandoned,
    /// The queue was full, nobody was there, or the longest wait was over.
    TurnedAway,
    /// Was led on to the queue of another service, or into a flow.
    Overflowed,
    /// Asked to be called back.
    AskedBack,
}

impl Outcome {
    /// Of somebody who was not answered. `None` says nothing of the service: it was closed, or something failed.
    pub fn unanswered(status: EndStatus) -> Option<Self> {
        match status {
            EndStatus::Abandoned | EndStatus::AbandonedRinging => Some(Self::Abandoned),
            EndStatus::QueueFull | EndStatus::NoAgentOnline => Some(Self::TurnedAway),
            EndStatus::Closed
            | EndStatus::Normal
            | EndStatus::Blocked
            | EndStatus::Refused
            | EndStatus::Transferred
            | EndStatus::UnknownNumber
            | EndStatus::Interrupted
            | EndStatus::SelfServed
            | EndStatus::PassedOn
            | EndStatus::Voicemail
            | EndStatus::Busy
            | EndStatus::NoAnswer
            | EndStatus::PhoneOff
            | EndStatus::Barred
            | EndStatus::Cancelled
            | EndStatus::CallbackFailed
            | EndStatus::CalledIn
            | EndStatus::Failed => None,
        }
    }
}

/// What became of those who asked for a service, over some time. Everybody counts once, when it is decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Answered.
    pub answered: u64,
    /// Of those, answered within [`QueueRules::service_level`].
    pub in_time: u64,
    /// Left before they were answered.
    pub abandoned: u64,
    /// Of those, left within [`QueueRules::short_abandon_after`].
    pub short: u64,
    /// Turned away.
    pub turned_away: u64,
    /// Led on to another service or into a flow.
    pub overflowed: u64,
    /// Asked to be called back.
    #[serde(default)]
    pub callbacks: u64,
    /// Customers who were called back and talked to an agent, whenever they had asked. They count among nothing else here.
    #[serde(default)]
    pub called_back: u64,
    /// Marks that callers gave, whatever became of them.
    #[serde(default)]
    pub marks: u64,
    /// What they are worth, added up, each 0 to 100.
    #[serde(default)]
    pub marks_percent: u64,
    /// Waits of the answered, added up, in milliseconds.
    pub waited_ms: u64,
    /// The longest wait of anybody, in milliseconds.
    pub longest_ms: u64,
}

/// A part of a whole. Parts of several services can be added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// The part.
    pub part: u64,
    /// The whole.
    pub of: u64,
}

impl Share {
    /// 0 to 1; `None` of nothing.
    pub fn get(self) -> Option<f64> {
        (self.of > 0).then(|| self.part as f64 / self.of as f64)
    }
    /// Both together.
    pub fn and(self, other: Self) -> Self {
        Self { part: self.part + other.part, of: self.of + other.of }
    }
}

impl Counts {
    /// Counts somebody who had waited so long when it was decided.
    pub fn count(&mut self, outcome: Outcome, waited: Duration, rules: &QueueRules) {
        let waited_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        self.longest_ms = self.longest_ms.max(waited_ms);
        match outcome {
            Outcome::Answered => {
                self.answered += 1;
                self.in_time += u64::from(waited <= rules.service_level);
                self.waited_ms = self.waited_ms.saturating_add(waited_ms);
            }
            Outcome::Abandoned => {
                self.abandoned += 1;
                self.short += u64::from(waited < rules.short_abandon_after);
            }
            Outcome::TurnedAway => self.turned_away += 1,
            Outcome::Overflowed => self.overflowed += 1,
            Outcome::AskedBack => self.callbacks += 1,
        }
    }

    /// Adds another time, or another service.
    pub fn add(&mut self, other: &Self) {
        self.answered += other.answered;
        self.in_time += other.in_time;
        self.abandoned += other.abandoned;
        self.short += other.short;
        self.turned_away += other.turned_away;
        self.overflowed += other.overflowed;
        self.callbacks += other.callbacks;
        self.called_back += other.called_back;
        self.marks += other.marks;
        self.marks_percent += other.marks_percent;
        self.waited_ms = self.waited_ms.saturating_add(other.waited_ms);
        self.longest_ms = self.longest_ms.max(other.longest_ms);
    }

    /// Everybody who was counted.
    pub fn offered(&self) -> u64 {
        self.answered + self.abandoned + self.turned_away + self.overflowed + self.callbacks
    }

    /// The service level: those answered in time, of those offered, with short abandons treated as the service has it.
    pub fn service_level(&self, short: ShortAbandons) -> Share {
        let (offered, in_time) = (self.offered(), self.in_time);
        match short {
            ShortAbandons::Count => Share { part: in_time, of: offered },
            ShortAbandons::LeaveOut => Share { part: in_time, of: offered - self.short },
            ShortAbandons::CountAsMet => Share { part: in_time + self.short, of: offered },
        }
    }

    /// Those who left, of those offered, with short abandons treated as the service has it.
    pub fn abandonment(&self, short: ShortAbandons) -> Share {
        let (offered, patient) = (self.offered(), self.abandoned - self.short);
        match short {
            ShortAbandons::Count => Share { part: self.abandoned, of: offered },
            ShortAbandons::LeaveOut => Share { part: patient, of: offered - self.short },
            ShortAbandons::CountAsMet => Share { part: patient, of: offered },
        }
    }

    /// Counts a mark.
    pub fn rate(&mut self, mark: Mark) {
        self.marks += 1;
        // Positive and at most 100: nothing is cut off but the fraction, which was rounded.
        self.marks_percent += mark.percent().round() as u64;
    }

    /// What a mark is worth on average, 0 to 1.
    pub fn mean_mark(&self) -> Share {
        Share { part: self.marks_percent, of: 100 * self.marks }
    }

    /// The average speed of answer: the mean wait of those who were answered.
    pub fn speed_of_answer(&self) -> Option<Duration> {
        self.waited_ms.checked_div(self.answered).map(Duration::from_millis)
    }
}

/// A mean that forgets slowly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// Observations so far.
    pub seen: u64,
    /// Their mean; the older they are, the less they weigh.
    pub value: f64,
}

impl Mean {
    /// Adds an observation. The first `memory` weigh alike; from then on each moves the mean by the same share.
    pub fn add(&mut self, observed: f64, memory: u32) {
        self.seen = self.seen.saturating_add(1);
        let weight = self.seen.min(memory.max(1).into());
        self.value += (observed - self.value) / weight as f64;
    }

    /// The mean, when anything was observed.
    pub fn get(&self) -> Option<f64> {
        (self.seen > 0).then_some(self.value)
    }
}

/// How fast the customers of a service are served, as far as it has been seen. What expected waits are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pace {
    /// Seconds an agent is bound by one customer, from the acceptance to the completion.
    pub handling_s: Mean,
    /// Seconds from the offer to the acceptance.
    pub answer_s: Mean,
    /// Customers who left the line for an agent while others waited.
    pub drawn: f64,
    /// How many would have in the same time, had all who can serve the service served nobody else. Forgets together with
    /// [`Pace::drawn`].
    pub due: f64,
    /// Customers who gave up in the line.
    pub left: f64,
    /// Seconds that were waited in the line, by all together. Forgets together with [`Pace::left`].
    pub waited_s: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ROUTE-11: the worked example of docs/operator.md. Of 100 callers 76 are answered within 20 s and 10 later, 4 leave within
    /// 5 s and 8 later, and 2 find the queue full.
    #[test]
    fn route_11_the_service_level_by_its_definition() {
        let rules = QueueRules::default();
        let mut counts = Counts::default();
        let mut times = |n, outcome, seconds| {
            (0..n).for_each(|_| counts.count(outcome, Duration::from_secs(seconds), &rules));
        };
        times(76, Outcome::Answered, 20);
        times(10, Outcome::Answered, 50);
        times(4, Outcome::Abandoned, 4);
        times(8, Outcome::Abandoned, 90);
        times(2, Outcome::TurnedAway, 0);
        let percent = |share: Share| (share.get().unwrap() * 1_000.0).round() / 10.0;
        let both = |short| (percent(counts.service_level(short)), percent(counts.abandonment(short)));
        assert_eq!(both(ShortAbandons::Count), (76.0, 12.0));
        assert_eq!(both(ShortAbandons::LeaveOut), (79.2, 8.3));
        assert_eq!(both(ShortAbandons::CountAsMet), (80.0, 8.0));
        assert_eq!(counts.offered(), 100);
        assert_eq!(counts.speed_of_answer(), Some(Duration::from_millis(23_488)));
        assert_eq!(counts.longest_ms, 90_000);
        assert_eq!(Counts::default().service_level(ShortAbandons::LeaveOut).get(), None);
        assert_eq!(Counts::default().speed_of_answer(), None);
    }
}
