//! Points in time. Durations are `std::time::Duration`.

use serde::{Deserialize, Serialize};
use std::{fmt, ops, time::Duration};

/// A point in time: microseconds since 1970-01-01T00:00:00Z.
///
/// The appliance's clock reads the wall once at start and then counts a monotonic clock, so within one run a timestamp
/// never goes backwards, whatever NTP does. Deciding code gets it as an argument called `now`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

/// A day, in microseconds.
const DAY: u64 = 86_400_000_000;

impl Timestamp {
    /// The beginning of 1970; also "never happened yet" in tests.
    pub const ZERO: Self = Self(0);
    /// Later than everything: the deadline of what has none.
    pub const NEVER: Self = Self(u64::MAX);

    /// From microseconds since 1970.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }
    /// From milliseconds since 1970.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000))
    }
    /// Microseconds since 1970.
    pub const fn micros(self) -> u64 {
        self.0
    }
    /// Milliseconds since 1970, what the API and the database show.
    pub const fn millis(self) -> u64 {
        self.0 / 1_000
    }
    /// Number of the day, from 0 on 1 January 1970, in UTC.
    pub const fn day(self) -> u64 {
        self.0 / DAY
    }
    /// When that day began.
    pub const fn start_of_day(self) -> Self {
        Self(self.day() * DAY)
    }
    /// The time passed since `earlier`; zero when `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl ops::Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, d: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(d.as_micros()).unwrap_or(u64::MAX)))
    }
}
impl ops::Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, d: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(d.as_micros()).unwrap_or(u64::MAX)))
    }
}

/// RFC 3339 in UTC with milliseconds: `2026-11-21T09:54:00.123Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, ms) = (self.millis() / 86_400_000, self.millis() % 86_400_000);
        // Civil date of a day number, after the era arithmetic of the proleptic Gregorian calendar: eras of 400
        // years begin on 1 March, so that the leap day is the last day of a year.
        let z = i128::from(days) + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let day = doy - (153 * mp + 2) / 5 + 1;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let year = yoe + era * 400 + i128::from(month <= 2);
        let (s, milli) = (ms / 1_000, ms % 1_000);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{milli:03}Z",
            s / 3_600,
            s / 60 % 60,
            s % 60
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_prints_as_rfc_3339() {
        assert_eq!(Timestamp::ZERO.to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::from_millis(951_782_400_000).to_string(), "2000-02-29T00:00:00.000Z");
        assert_eq!(Timestamp::from_millis(1_795_255_199_999).to_string(), "2026-11-21T09:59:59.999Z");
    }

    #[test]
    fn time_arithmetic_saturates_instead_of_wrapping() {
        assert_eq!(Timestamp::from_millis(5) - Duration::from_secs(1), Timestamp::ZERO);
        assert_eq!(Timestamp::NEVER + Duration::from_secs(1), Timestamp::NEVER);
        assert_eq!(Timestamp::ZERO.since(Timestamp::from_millis(1)), Duration::ZERO);
    }
}
