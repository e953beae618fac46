//! Opening hours with holidays, in the time zone of the place.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
pub use model::calendar::Calendar;
use model::time::Timestamp;

/// What the clock says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Within the hours.
    Open,
    /// Outside.
    Closed,
    /// A holiday.
    Holiday,
}

/// From the first minute to before the second, in minutes of the day.
type Span = (u16, u16);

/// Opening hours, understood.
#[derive(Clone, Debug)]
pub struct Hours {
    zone: TimeZone,
    /// By day of the week, Monday first.
    week: [Vec<Span>; 7],
    holidays: Vec<Day>,
    special: BTreeMap<Date, Vec<Span>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Day {
    Once(Date),
    Yearly { month: i8, day: i8 },
}

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

impl Hours {
    /// Understands what is written; the error says which part is not understood.
    pub fn read(calendar: &Calendar) -> Result<Self, String> {
        let zone = TimeZone::get(&calendar.zone).map_err(|_| {
            format!("there is no time zone `{}`; write one such as `Europe/Berlin`", calendar.zone)
        })?;
        let mut week: [Vec<Span>; 7] = Default::default();
        for text in &calendar.open {
            let (days, times) = text
                .trim()
                .split_once(' ')
                .ok_or_else(|| format!("`{text}` is not days and times, such as `mon-fri 09:00-17:30`"))?;
            let span = span(times)?;
            for day in days_of(days)? {
                week[day].push(span);
            }
        }
        let holidays = calendar.holidays.iter().map(|text| day(text)).collect::<Result<_, _>>()?;
        let mut special = BTreeMap::new();
        for (text, times) in &calendar.special {
            let Day::Once(date) = day(text)? else {
                return Err(format!("`{text}` is not one day, such as `2026-12-24`"));
            };
            let spans = match times.trim() {
                "closed" => Vec::new(),
                times => times.split(',').map(span).collect::<Result<_, _>>()?,
            };
            special.insert(date, spans);
        }
        Ok(Self { zone, week, holidays, special })
    }

    /// Whether they are open at any time.
    pub fn ever_open(&self) -> bool {
        self.week.iter().chain(self.special.values()).any(|spans| !spans.is_empty())
    }

    /// A full hour of one of the next days where they hold, 0 being today; the clock may jump over it, then it is the time after
    /// the jump. `None` for what is no hour.
    pub fn hour_of(&self, now: Timestamp, in_days: u8, hour: u8) -> Option<Timestamp> {
        let moment = jiff::Timestamp::from_millisecond(i64::try_from(now.millis()).ok()?).ok()?;
        let today = moment.to_zoned(self.zone.clone()).date();
        let day = today.checked_add(jiff::Span::new().days(i64::from(in_days))).ok()?;
        let time = Time::new(i8::try_from(hour).ok()?, 0, 0, 0).ok()?;
        let then = day.to_datetime(time).to_zoned(self.zone.clone()).ok()?;
        u64::try_from(then.timestamp().as_millisecond()).ok().map(Timestamp::from_millis)
    }

    /// What they say of a moment.
    pub fn at(&self, now: Timestamp) -> Opening {
        let millis = i64::try_from(now.millis()).unwrap_or(i64::MAX);
        let Ok(moment) = jiff::Timestamp::from_millisecond(millis) else { return Opening::Closed };
        let local = moment.to_zoned(self.zone.clone());
        let (date, time) = (local.date(), local.time());
        let minute = minute_of(time);
        let within = |spans: &[Span]| spans.iter().any(|&(from, to)| (from..to).contains(&minute));
        if let Some(spans) = self.special.get(&date) {
            return if within(spans) { Opening::Open } else { Opening::Closed };
        }
        let is = |day: &Day| match *day {
            Day::Once(once) => once == date,
            Day::Yearly { month, day } => (date.month(), date.day()) == (month, day),
        };
        if self.holidays.iter().any(is) {
            return Opening::Holiday;
        }
        let day = date.weekday().to_monday_zero_offset();
        if within(&self.week[usize::try_from(day).unwrap_or(0)]) { Opening::Open } else { Opening::Closed }
    }
}

fn minute_of(time: Time) -> u16 {
    u16::try_from(time.hour()).unwrap_or(0) * 60 + u16::try_from(time.minute()).unwrap_or(0)
}

/// `09:00-17:30` as minutes.
fn span(text: &str) -> Result<Span, String> {
    let wrong = || format!("`{text}` is not a time such as `09:00-17:30`");
    let (from, to) = text.trim().split_once('-').ok_or_else(wrong)?;
    let minute = |text: &str| {
        let (hours, minutes) = text.trim().split_once(':')?;
        let two = |text: &str| (text.len() == 2).then(|| text.parse::<u16>().ok()).flatten();
        let (hours, minutes) = (two(hours)?, two(minutes)?);
        let minute = hours * 60 + minutes;
        (minutes < 60 && minute <= 24 * 60).then_some(minute)
    };
    let (from, to) = minute(from).zip(minute(to)).ok_or_else(wrong)?;
    if from >= to {
        return Err(format!(
            "`{text}` ends before it begins; past midnight, write two: until 24:00 and from 00:00"
        ));
    }
    Ok((from, to))
}

/// `mon-fri`, `sat,sun`, `daily` as places in the week.
fn days_of(text: &str) -> Result<Vec<usize>, String> {
    if text == "daily" {
        return Ok((0..7).collect());
    }
    let place = |name: &str| {
        let found = DAYS.iter().position(|(day, _)| *day == name.trim().to_lowercase());
        found.ok_or_else(|| format!("`{name}` is no day: mon, tue, wed, thu, fri, sat, sun, or daily"))
    };
    let mut days = Vec::new();
    for part in text.split(',') {
        match part.split_once('-') {
            None => days.push(place(part)?),
            Some((from, to)) => {
                let (from, to) = (place(from)?, place(to)?);
                // `sat-mon` goes over the end of the week.
                let count = (to + 7 - from) % 7 + 1;
                days.extend((from..from + count).map(|day| day % 7));
            }
        }
    }
    Ok(days)
}

/// `2026-12-25` or `12-25`.
fn day(text: &str) -> Result<Day, String> {
    let wrong = || format!("`{text}` is no day such as `2026-12-25`, or `12-25` of every year");
    if let Ok(date) = text.parse::<Date>() {
        return Ok(Day::Once(date));
    }
    // The 29th of February is one, so a leap year is asked.
    let date = format!("2024-{text}").parse::<Date>().map_err(|_| wrong())?;
    if text.len() == 5 { Ok(Day::Yearly { month: date.month(), day: date.day() }) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn office() -> Calendar {
        Calendar {
            zone: "Europe/Berlin".into(),
            open: vec!["mon-fri 09:00-17:30".into(), "sat 10:00-14:00".into(), "sun-mon 00:00-01:00".into()],
            holidays: vec!["12-25".into(), "2026-04-03".into()],
            special: BTreeMap::from([
                ("2026-12-24".into(), "09:00-12:00, 13:00-14:00".into()),
                ("2026-12-28".into(), "closed".into()),
            ]),
        }
    }

    fn at(calendar: &Calendar, moment: &str) -> Opening {
        let moment: jiff::Timestamp = moment.parse().unwrap();
        let now = Timestamp::from_millis(moment.as_millisecond() as u64);
        Hours::read(calendar).unwrap().at(now)
    }

    /// ROUTE-08: hours are those of the place, in summer and in winter, on holidays and on days with times of their own.
    #[test]
    fn hours_are_those_of_the_place() {
        use Opening::{Closed, Holiday, Open};
        for (moment, says) in [
            // Wednesday in winter: Berlin is an hour ahead.
            ("2026-01-14T07:59:59Z", Closed),
            ("2026-01-14T08:00:00Z", Open),
            ("2026-01-14T16:29:59Z", Open),
            ("2026-01-14T16:30:00Z", Closed),
            // In summer two.
            ("2026-07-15T07:00:00Z", Open),
            ("2026-07-15T06:59:00Z", Closed),
            // Saturday, and over the end of the week.
            ("2026-01-17T11:00:00Z", Open),
            ("2026-01-17T14:00:00Z", Closed),
            ("2026-01-17T23:30:00Z", Open),
            ("2026-01-18T23:30:00Z", Open),
            ("2026-01-20T23:30:00Z", Closed),
            // A Friday that is a holiday once, Christmas in any year, and days with times of their own.
            ("2026-04-03T09:00:00Z", Holiday),
            ("2027-12-25T10:00:00Z", Holiday),
            ("2026-12-24T08:30:00Z", Open),
            ("2026-12-24T11:30:00Z", Closed),
            ("2026-12-24T12:30:00Z", Open),
            ("2026-12-28T10:00:00Z", Closed),
        ] {
            assert_eq!(at(&office(), moment), says, "{moment}");
        }
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (change, named) in [
            ((|c: &mut Calendar| c.zone = "Berlin".into()) as fn(&mut Calendar), "`Berlin`"),
            (|c| c.open.push("fri".into()), "`fri`"),
            (|c| c.open.push("fry 09:00-10:00".into()), "`fry`"),
            (|c| c.open.push("fri 9-10".into()), "`9-10`"),
            (|c| c.open.push("fri 09:60-10:00".into()), "`09:60-10:00`"),
            (|c| c.open.push("fri 22:00-02:00".into()), "ends before it begins"),
            (|c| c.open.push("fri 22:00-24:01".into()), "`22:00-24:01`"),
            (|c| c.holidays.push("13-01".into()), "`13-01`"),
            (|c| c.holidays.push("2026-02-30".into()), "`2026-02-30`"),
            (|c| drop(c.special.insert("12-24".into(), "closed".into())), "`12-24`"),
            (|c| drop(c.special.insert("2026-12-31".into(), "noon".into())), "`noon`"),
        ] {
            let mut calendar = office();
            change(&mut calendar);
            let error = Hours::read(&calendar).unwrap_err();
            assert!(error.contains(named), "{error}");
        }
        assert!(Hours::read(&Calendar { holidays: vec!["02-29".into()], ..office() }).is_ok());
    }
}
