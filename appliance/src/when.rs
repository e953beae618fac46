//! Moments on the command line: as a date and time in UTC, as milliseconds, or as how long ago.

use std::time::Duration;

use model::time::Timestamp;
use time::{Date, Month, PrimitiveDateTime, Time};

/// Reads `2026-11-22T07:30`, with seconds or without, `Z` or not; `1795244400000`; or `30m`, `2h`, `7d`: so long before `now`.
pub fn moment(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let wrong = || {
        format!(
            "`{text}` is no moment: 2026-11-22T07:30 (UTC), milliseconds since 1970, or 30m, 2h, 7d for so long ago"
        )
    };
    if let Some((unit, number)) = text.char_indices().last().and_then(|(at, unit)| {
        let number: u64 = text.get(..at)?.parse().ok()?;
        Some((unit, number))
    }) {
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            '0'..='9' => return text.parse().map(Timestamp::from_millis).map_err(|_| wrong()),
            _ => return Err(wrong()),
        };
        return Ok(now - Duration::from_secs(number.saturating_mul(seconds)));
    }
    let (date, clock) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
    let numbers = |text: &str, sign: char| -> Option<Vec<u16>> {
        text.split(sign).map(|part| part.parse().ok()).collect()
    };
    let read = || {
        let date = numbers(date, '-').filter(|parts| parts.len() == 3)?;
        let clock =
            numbers(clock.trim_end_matches('Z'), ':').filter(|parts| (2..=3).contains(&parts.len()))?;
        let small = |number: u16| u8::try_from(number).ok();
        let month = Month::try_from(small(date[1])?).ok()?;
        let date = Date::from_calendar_date(i32::from(date[0]), month, small(date[2])?).ok()?;
        let second = clock.get(2).copied().unwrap_or(0);
        let time = Time::from_hms(small(clock[0])?, small(clock[1])?, small(second)?).ok()?;
        let seconds = PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp();
        Some(Timestamp::from_millis(u64::try_from(seconds).ok()?.checked_mul(1_000)?))
    };
    read().ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_date_a_number_or_so_long_ago() {
        let now = Timestamp::from_millis(1_795_244_400_000);
        let read = |text| moment(text, now).map(|at| at.millis());
        assert_eq!(read("1795244400000"), Ok(1_795_244_400_000));
        assert_eq!(read("2h"), Ok(1_795_244_400_000 - 7_200_000));
        let shown = now.to_string();
        for text in [shown.as_str(), "2026-11-21T07:00Z", "2026-11-21 07:00", "2026-11-21T07:00:00"] {
            let short = text.trim_end_matches(".000Z");
            assert_eq!(read(short), Ok(1_795_244_400_000), "{short}");
        }
        assert_eq!(read("2026-11-21"), Ok(1_795_244_400_000 - 7 * 3_600_000));
        for text in ["", "soon", "2026-13-01T00:00", "2026-11-22T25:00", "7x", "2026-11", "-2h", "½h"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
