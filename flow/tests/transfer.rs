//! Callers who are connected with a number outside (ROUTE-08).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::sync::Arc;
use std::time::Duration;

use flow::{Around, Caller, Effect, Flow, Input, NotReached, Run, Script, TransferWish, try_out};
use model::time::Timestamp;

const BRANCHES: &str = r##"
name = "Branches"
start = "which"

[menu.which]
prompt = "choose"
choices = { 1 = "berlin", 2 = "typed" }
timeout = "bye"
otherwise = "bye"

[transfer.berlin]
number = "+49 30 1234"
ring_s = 20
busy = "sorry"
unanswered = "help"
failed = "bye"

[collect.typed]
prompt = "choose"
into = "branch"
next = "branch"
failed = "bye"

[transfer.branch]
number = "+49{branch}"
failed = "which"

[play.sorry]
prompt = "all-busy"
next = "which"

[queue.help]
service = "Help"

[hangup.bye]
"##;

fn around() -> Around<'static> {
    Around { prompts: &["choose", "all-busy"], services: &["Help"], ..Around::default() }
}

fn ready() -> Arc<flow::Ready> {
    Arc::new(Flow::from_text(BRANCHES).unwrap().check(&around()).unwrap())
}

fn faults(from: &str, to: &str) -> Vec<String> {
    let text = BRANCHES.replace(from, to);
    assert_ne!(text, BRANCHES);
    let faults = Flow::from_text(&text).unwrap().check(&around()).unwrap_err();
    faults.iter().map(ToString::to_string).collect()
}

/// ROUTE-08: a caller is connected; when the number is busy, does not answer or cannot be dialled the flow goes on, each in its way.
#[test]
fn a_number_answers_or_the_flow_goes_on() {
    let flow = Flow::from_text(BRANCHES).unwrap();
    assert_eq!(Flow::from_text(&flow.to_text().unwrap()).unwrap(), flow);
    let way = |words| {
        let script = Script::from_words(words).unwrap();
        let told = try_out(&ready(), &Caller::default(), &script, Timestamp::ZERO);
        told.end().map(str::to_owned)
    };
    assert_eq!(way("1").as_deref(), Some("connects the caller with +49 30 1234"));
    assert_eq!(way("1 unanswered").as_deref(), Some("queue Help"));
    assert_eq!(way("1 failed").as_deref(), Some("hangs up"));
    assert_eq!(way("1 busy 2 89# ").as_deref(), Some("connects the caller with +4989"));
    assert_eq!(way("2 89# busy 1").as_deref(), Some("connects the caller with +49 30 1234"), "as failed");
}

/// ROUTE-08: what is asked for, and what follows; keys meanwhile do nothing, and so does what comes too late.
#[test]
fn a_run_waits_for_the_number() {
    let (mut run, _) = Run::begin(ready(), &Caller::default(), Timestamp::ZERO);
    let mut does = |input| run.handle(input, Timestamp::ZERO);
    let wish = TransferWish { number: "+49 30 1234".into(), ring_time: Duration::from_secs(20) };
    assert_eq!(does(Input::Key('1')), [Effect::Entered("berlin".into()), Effect::Transfer(wish)]);
    assert_eq!(does(Input::Key('2')), []);
    assert_eq!(does(Input::Tick), []);
    let effects = does(Input::NotReached(NotReached::Busy));
    assert!(matches!(&effects[..], [Effect::Entered(step), Effect::Play { .. }] if step == "sorry"));
    assert_eq!(does(Input::NotReached(NotReached::Busy)), []);
    assert_eq!(run.at(), "sorry");
}

/// ROUTE-08: whatever keys are pressed, a bounded number of calls goes out for one caller.
#[test]
fn not_more_than_ten_numbers_are_dialled_for_a_caller() {
    let (mut run, _) = Run::begin(ready(), &Caller::default(), Timestamp::ZERO);
    let mut dialled = 0;
    for _ in 0..30 {
        let mut effects = run.handle(Input::Key('2'), Timestamp::ZERO);
        for key in "89#".chars() {
            effects.extend(run.handle(Input::Key(key), Timestamp::ZERO));
        }
        dialled += effects.iter().filter(|effect| matches!(effect, Effect::Transfer(_))).count();
        run.handle(Input::NotReached(NotReached::Failed), Timestamp::ZERO);
    }
    assert_eq!(dialled, 10);
}

/// ROUTE-08: what is wrong with a step is said, with its place.
#[test]
fn what_is_wrong_is_said() {
    let found = faults("\"+49 30 1234\"", "\"Berlin\"");
    assert_eq!(
        found,
        ["transfer.berlin.number: a number has 2 to 20 digits, with an optional + before them"]
    );
    assert_eq!(faults("\"+49 30 1234\"", "\"030,,12\"").len(), 1, "nothing is pressed after the answer");
    assert!(faults("ring_s = 20", "ring_s = 2")[0].contains("5 to 120 seconds"));
    assert!(faults("+49{branch}", "+49{brnch}")[0].contains("nothing is noted as `brnch`"));
    assert!(faults("into = \"branch\"", "into = \"branch\"\nsecret = true")[0].contains("is secret"));
    assert!(faults("busy = \"sorry\"", "busy = \"sory\"")[0].contains("did you mean `sorry`?"));
    assert!(faults("failed = \"which\"", "failed = \"branch\"")[0].contains("turns without"));
    let waiting = faults("start =", "while_waiting = true\nstart =");
    assert!(waiting.iter().any(|fault| fault.contains("has a place in the queue")), "{waiting:?}");
}
