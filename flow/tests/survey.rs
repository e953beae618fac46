//! Callers who are asked for marks (ROUTE-08).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::sync::Arc;
use std::time::Duration;

use flow::{Around, Caller, Effect, Flow, Input, Run, Script, try_out};
use model::survey::Mark;
use model::time::Timestamp;

const ASKING: &str = r##"
name = "Asking"
start = "friendly"

[survey.friendly]
prompt = "how-friendly"
again = "again"
tries = 2
next = "solved"
unanswered = "bye"

[survey.solved]
prompt = "how-well"
lowest = 0
highest = 9
into = "solved"
tries = 1
next = "bad"

[if.bad]
cases = [{ var = "solved", at_most = 2, then = "help" }]
otherwise = "bye"

[queue.help]
service = "Help"

[hangup.bye]
"##;

fn around() -> Around<'static> {
    Around { prompts: &["how-friendly", "how-well", "again"], services: &["Help"], ..Around::default() }
}

fn ready() -> Arc<flow::Ready> {
    Arc::new(Flow::from_text(ASKING).unwrap().check(&around()).unwrap())
}

fn faults(from: &str, to: &str) -> Vec<String> {
    let text = ASKING.replace(from, to);
    assert_ne!(text, ASKING);
    let faults = Flow::from_text(&text).unwrap().check(&around()).unwrap_err();
    faults.iter().map(ToString::to_string).collect()
}

/// ROUTE-08: marks are given by key on the scale of each question; a mark may lead on, and so does none.
#[test]
fn a_caller_gives_marks() {
    let flow = Flow::from_text(ASKING).unwrap();
    assert_eq!(Flow::from_text(&flow.to_text().unwrap()).unwrap(), flow);
    let way = |words| {
        let script = Script::from_words(words).unwrap();
        let told = try_out(&ready(), &Caller::default(), &script, Timestamp::ZERO);
        let said = told.lines.into_iter().map(|line| line.what).filter(|what| !what.is_empty());
        said.collect::<Vec<_>>().join("; ")
    };
    let told = way("4 2");
    assert!(told.contains("answers friendly with 4 of 1 to 5"), "{told}");
    assert!(told.contains("answers solved with 2 of 0 to 9; notes solved = 2; queue Help"), "{told}");
    assert!(way("5 9").ends_with("hangs up"));
    let again = way("7 3 0");
    assert!(again.contains("plays again, how-friendly; presses 3; answers friendly with 3"), "{again}");
    let silent = way("");
    assert!(silent.contains("plays again, how-friendly") && silent.ends_with("hangs up"), "{silent}");
    assert!(!silent.contains("answers"), "who says nothing has said nothing: {silent}");
    assert!(way("0 * 8").ends_with("hangs up"), "no mark at the last try is no answer");
}

/// ROUTE-08: a mark is told at once, so that whoever hangs up in the middle has given those before; without a way of its own the
/// last try leads on as an answer does.
#[test]
fn a_mark_is_told_when_it_is_given() {
    let (mut run, _) = Run::begin(ready(), &Caller::default(), Timestamp::ZERO);
    let effects = run.handle(Input::Key('5'), Timestamp::ZERO);
    let mark = Mark::new(5, 1, 5).unwrap();
    assert_eq!(effects[0], Effect::Rated { question: "friendly".into(), mark });
    assert_eq!(run.at(), "solved");
    run.handle(Input::Played(2), Timestamp::ZERO);
    let effects = run.handle(Input::Tick, Timestamp::ZERO + Duration::from_secs(5));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Rated { .. })), "{effects:?}");
    assert_eq!(run.at(), "bye");
}

/// ROUTE-08: what is wrong with a question is said, with its place.
#[test]
fn what_is_wrong_is_said() {
    assert!(faults("highest = 9", "highest = 10")[0].starts_with("survey.solved: marks are keys"));
    assert!(
        faults("lowest = 0\nhighest = 9", "lowest = 4\nhighest = 4")[0].contains("to a higher `highest`")
    );
    assert!(faults("\"how-well\"", "\"how-wel\"")[0].contains("did you mean `how-well`?"));
    assert!(faults("tries = 2", "tries = 11")[0].starts_with("survey.friendly"));
    assert!(faults("unanswered = \"bye\"", "unanswered = \"by\"")[0].contains("survey.friendly.unanswered"));
    assert!(faults("into = \"solved\"", "into = \"caller\"")[0].contains("is given with the call"));
}
