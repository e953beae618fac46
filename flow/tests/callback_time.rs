//! Callers who choose by key when they are called back (CB-01).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::sync::Arc;

use flow::{Around, Calendar, Caller, Flow, OpeningHours, Script, WishedTime, try_out};
use model::time::Timestamp;

const CHOOSING: &str = r##"
name = "Choosing"
start = "day"

[menu.day]
prompt = "day"
choices = { 0 = "hour", 1 = "hour" }
into = "day"
timeout = "bye"
otherwise = "bye"

[collect.hour]
prompt = "hour"
into = "hour"
max = 2
next = "confirm"
failed = "bye"

[menu.confirm]
prompt = ["at", "{hour:number}"]
choices = { 1 = "later" }
timeout = "day"
otherwise = "day"

[callback.later]
service = "Help"
at = { in_days = "{day}", hour = "{hour}" }
outside = "day"
next = "bye"
invalid = "bye"
already = "bye"
refused = "bye"

[hangup.bye]
"##;

fn around() -> Around<'static> {
    Around { prompts: &["day", "hour", "at"], services: &["Help"], ..Around::default() }
}

fn faults(from: &str, to: &str) -> Vec<String> {
    let text = CHOOSING.replace(from, to);
    assert_ne!(text, CHOOSING);
    let faults = Flow::from_text(&text).unwrap().check(&around()).unwrap_err();
    faults.iter().map(ToString::to_string).collect()
}

/// CB-01, ROUTE-08: day and hour are keyed in, read back and confirmed; what is no hour, or none of the service, is asked again.
#[test]
fn a_caller_chooses_the_hour() {
    let flow = Flow::from_text(CHOOSING).unwrap();
    assert_eq!(Flow::from_text(&flow.to_text().unwrap()).unwrap(), flow);
    let ready = Arc::new(flow.check(&around()).unwrap());
    let caller = Caller { number: "+4930555".into(), ..Caller::default() };
    let way =
        |words| try_out(&ready, &caller, &Script::from_words(words).unwrap(), Timestamp::ZERO).to_string();
    let told = way("1 14 1");
    assert!(told.contains("asks to be called back at +4930555, Help, in 1 days at 14:00"), "{told}");
    assert!(told.contains("number-14"), "the hour is read back: {told}");
    let nonsense = way("1 77 1 0 09 1");
    assert!(!nonsense.contains("77:00") && nonsense.contains("in 0 days at 9:00"), "{nonsense}");
    let closed = way("0 23 1 outside 1 10 1");
    assert!(closed.contains("not at that time") && closed.contains("in 1 days at 10:00"), "{closed}");
    assert_eq!(WishedTime::parse("6", "23"), Some(WishedTime { in_days: 6, hour: 23 }));
    for (day, hour) in [("7", "1"), ("", "1"), ("1", "24"), ("1", "-1"), ("999", "1")] {
        assert_eq!(WishedTime::parse(day, hour), None, "{day} {hour}");
    }
}

/// CB-01: a time without a way out of it is refused, and so is the way without the time.
#[test]
fn what_is_wrong_is_said() {
    let both =
        "callback.later: `at` says when, and `outside` where to when that is not possible: give both or none";
    assert_eq!(faults("outside = \"day\"\n", ""), [both]);
    assert_eq!(faults("at = { in_days = \"{day}\", hour = \"{hour}\" }\n", ""), [both]);
    let unknown = faults("hour = \"{hour}\"", "hour = \"{our}\"");
    assert!(unknown[0].starts_with("callback.later.at.hour: nothing is noted as `our`"), "{unknown:?}");
}

/// CB-01: an hour is that of the place, over the change to summer time too.
#[test]
fn an_hour_is_that_of_the_place() {
    let calendar = Calendar {
        zone: "Europe/Berlin".into(),
        open: vec!["daily 00:00-24:00".into()],
        holidays: vec![],
        special: Default::default(),
    };
    let hours = OpeningHours::read(&calendar).unwrap();
    // 2027-03-27 23:30 UTC is half past midnight on the 28th in Berlin, when clocks go forward.
    let now = Timestamp::from_millis(1_806_190_200_000);
    let at = |in_days, hour| hours.hour_of(now, in_days, hour).unwrap().millis() - now.millis();
    assert_eq!(at(0, 1), 30 * 60_000);
    assert_eq!(at(0, 10), 510 * 60_000, "an hour less than on other days");
    assert_eq!(at(1, 10), (510 + 24 * 60) * 60_000);
    assert!(hours.hour_of(now, 0, 24).is_none());
}
