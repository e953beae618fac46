//! The order of waiting: services of different orders on one scale.
//!
//! Everybody is measured in virtual seconds of waiting at this moment; who has the most is served first, of equals who
//! came first:
//!
//! > slope × (now − arrival − target) + priority × what a point is worth
//!
//! Ageing has the slope 1 and no target, the earliest deadline has the slope 1 and the service level as target, class
//! slopes have a slope of their own and no target. So a caller with a deadline in 20 s competes as a caller of an ageing
//! service who comes in 20 s, and a slope of 3 lets each second count for three. The slope is the same for all of one
//! line, so what differs inside it is fixed when it is queued: the [`Place`]. Lines of different slopes are compared by
//! their heads alone, at the time of the decision.

use std::time::Duration;

use model::service::{LateContacts, QueueRules, SLOPE_MAX, WaitingOrder};
use model::time::Timestamp;
use serde::Serialize;

/// A place in the order of waiting: smallest first. It never changes while an interaction waits, whatever happens; but a
/// late contact whose service serves those last falls back once, and so does one that was held for an agent it prefers by
/// what it was ahead for that time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// Virtual arrival in microseconds: the arrival (or the deadline), moved back by what the priority is worth.
    pub virtual_arrival: i64,
    /// Number of the arrival: decides between equals.
    pub arrival: u64,
}

impl Place {
    /// Behind everybody.
    pub(crate) const LAST: Self = Self { virtual_arrival: i64::MAX, arrival: u64::MAX };
}

/// How fast a line's urgency grows, in percent of the time that passes.
pub(crate) type Slope = u32;
/// Of everybody whose service has no slopes.
pub(crate) const PLAIN_SLOPE: Slope = 100;
/// How far, in microseconds, a late contact falls back where those are served last.
pub(crate) const LATE_FALL_MICROS: i64 = 3_600_000_000;

/// Where somebody stands among all at one moment, smallest first: hundredths of microseconds of virtual waiting, negative;
/// then the number of the arrival.
pub(crate) type Rank = (i64, u64);

pub(crate) fn rank(place: Place, slope: Slope, now: Timestamp) -> Rank {
    let waited = place.virtual_arrival.saturating_sub(micros(now));
    (waited.saturating_mul(i64::from(slope)), place.arrival)
}

/// Whether one is served before the other. Lines of one slope need not look at the clock.
pub(crate) fn is_before(a: (Place, Slope), b: (Place, Slope), now: Timestamp) -> bool {
    if a.1 == b.1 { a.0 < b.0 } else { rank(a.0, a.1, now) < rank(b.0, b.1, now) }
}

/// The last virtual arrival that a line of a slope can have before the limit; whoever came later in it is behind.
pub(crate) fn reach(limit: (Place, Slope), slope: Slope, now: Timestamp) -> i64 {
    match rank(limit.0, limit.1, now).0 {
        i64::MAX => i64::MAX,
        waited => waited.div_euclid(i64::from(slope)).saturating_add(micros(now)),
    }
}

/// The slope of a service's line.
pub(crate) fn slope(rules: &QueueRules) -> Slope {
    match rules.order {
        WaitingOrder::Slopes => rules.slope_percent.clamp(1, SLOPE_MAX),
        WaitingOrder::Ageing | WaitingOrder::Deadline => PLAIN_SLOPE,
    }
}

/// The place of somebody queued at `at`, who counts as having waited `ahead` longer.
pub(crate) fn place(
    rules: &QueueRules,
    priority: i32,
    ahead: Duration,
    at: Timestamp,
    arrival: u64,
) -> Place {
    let bought =
        i64::from(priority).saturating_mul(i64::from(rules.priority_second)).saturating_mul(1_000_000);
    let bought = bought.saturating_add(i64::try_from(ahead.as_micros()).unwrap_or(i64::MAX));
    let starts = match rules.order {
        WaitingOrder::Deadline => micros(at + rules.service_level),
        WaitingOrder::Ageing | WaitingOrder::Slopes => micros(at),
    };
    // On a steep line the same credit is earned in less time.
    let bought = match slope(rules) {
        PLAIN_SLOPE => bought,
        slope => bought.saturating_mul(i64::from(PLAIN_SLOPE)) / i64::from(slope),
    };
    Place { virtual_arrival: starts.saturating_sub(bought), arrival }
}

/// When somebody queued at `at` falls back for being late, if ever.
pub(crate) fn falls_at(rules: &QueueRules, at: Timestamp) -> Option<Timestamp> {
    let falls = rules.order == WaitingOrder::Deadline && rules.late == LateContacts::Last;
    falls.then(|| at + rules.service_level)
}

impl Place {
    /// The place of somebody who is late and served after those who are not.
    pub(crate) fn fallen(self) -> Self {
        self.moved_back(LATE_FALL_MICROS)
    }
    /// The place so many microseconds of waiting further back.
    pub(crate) fn moved_back(self, by: i64) -> Self {
        Self { virtual_arrival: self.virtual_arrival.saturating_add(by), ..self }
    }
}

fn micros(at: Timestamp) -> i64 {
    i64::try_from(at.micros()).unwrap_or(i64::MAX)
}
