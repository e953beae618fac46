//! Flows that agents start during a call (CTRL-06).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::sync::Arc;

use flow::{Around, Caller, Effect, End, Flow, Input, Run, Script, try_out};
use model::time::Timestamp;

const CARD: &str = r##"
name = "Card payment"
start = "order"
during_calls = true
services = ["Help"]

[collect.order]
prompt = "enter-order"
into = "order"
max = 4
next = "card"
failed = "over"

[collect.card]
prompt = "enter-card"
into = "card"
max = 16
luhn = true
secret = true
next = "noted"
failed = "over"

[set.noted]
vars = { card_given = "yes" }
next = "over"

[return.over]
"##;

fn around() -> Around<'static> {
    Around { prompts: &["enter-order", "enter-card"], services: &["Help", "Sales"], ..Around::default() }
}

fn faults(from: &str, to: &str) -> Vec<String> {
    let text = CARD.replace(from, to);
    assert_ne!(text, CARD);
    let faults = Flow::from_text(&text).unwrap().check(&around()).unwrap_err();
    faults.iter().map(ToString::to_string).collect()
}

fn ready() -> Arc<flow::Ready> {
    Arc::new(Flow::from_text(CARD).unwrap().check(&around()).unwrap())
}

/// CTRL-06: such a flow gives the caller back, is for calls of the services that it names, and its text comes back as it was.
#[test]
fn a_flow_gives_the_caller_back() {
    let flow = Flow::from_text(CARD).unwrap();
    assert_eq!(Flow::from_text(&flow.to_text().unwrap()).unwrap(), flow);
    assert!(!flow.begins_calls());
    let ready = ready();
    assert!(ready.is_for_calls_of("Help") && !ready.is_for_calls_of("Sales"));
    assert!(ready.names_service("Help"), "it cannot be renamed unnoticed");
    let everywhere = CARD.replace("services = [\"Help\"]", "");
    let everywhere = Flow::from_text(&everywhere).unwrap().check(&around()).unwrap();
    assert!(everywhere.is_for_calls_of("Sales"));
    let way = |words| {
        let told = try_out(
            &ready,
            &Caller::default(),
            &Script::from_words(words).unwrap(),
            Timestamp::from_millis(0),
        );
        (told.end().unwrap_or_default().to_owned(), told.to_string())
    };
    let (end, told) = way("4711 4111111111111111");
    assert_eq!(end, "gives the caller back to the agent");
    assert!(told.contains("return.over") && told.contains("notes order = 4711"), "{told}");
    assert!(!told.contains("card = 4111"), "{told}");
    assert_eq!(way("wait wait wait").0, "gives the caller back to the agent", "a caller who says nothing");
}

/// CTRL-06: it is known while something secret is asked for, and only then.
#[test]
fn a_secret_is_known_while_it_is_asked_for() {
    let now = Timestamp::from_millis(0);
    let (mut run, _) = Run::begin(ready(), &Caller::default(), now);
    assert!(!run.asks_secret(), "the order is no secret");
    let mut told = Vec::new();
    for (n, key) in "47114111111111111111".chars().enumerate() {
        told.extend(run.handle(Input::Key(key), now));
        assert_eq!(run.asks_secret(), (3..19).contains(&n), "after {} keys", n + 1);
    }
    assert_eq!(told.last(), Some(&Effect::End(End::GiveBack)));
    assert!(run.is_over());
}

/// CTRL-06: what would take the caller from the agent, or leave them without one, is refused before anybody uses it.
#[test]
fn what_is_wrong_with_such_a_flow_is_said() {
    let other = faults("[return.over]", "[queue.over]\nservice = \"Help\"");
    assert!(other[0].starts_with("queue.over: the caller has an agent"), "{other:?}");
    let ends = faults("[return.over]", "[hangup.over]");
    assert!(ends[0].starts_with("hangup.over: an agent waits"), "{ends:?}");
    let away =
        faults("[return.over]", "[transfer.over]\nnumber = \"+49301\"\nfailed = \"gone\"\n[return.gone]");
    assert!(away[0].starts_with("transfer.over: the caller has an agent"), "{away:?}");
    let message = faults("[return.over]", "[voicemail.over]\nservice = \"Help\"");
    assert!(message[0].starts_with("voicemail.over: the caller has an agent"), "{message:?}");
    let nobody = faults("during_calls = true", "");
    assert!(nobody.iter().any(|f| f.starts_with("return.over: no agent waits")), "{nobody:?}");
    assert!(nobody.iter().any(|f| f.starts_with("services: ")), "{nobody:?}");
    let both = faults("during_calls = true", "during_calls = true\nwhile_waiting = true");
    assert!(both.iter().any(|f| f.starts_with("during_calls: ")), "{both:?}");
    let misspelt = faults("[\"Help\"]", "[\"Hepl\"]");
    assert_eq!(misspelt, ["services[0]: there is no service `Hepl`; did you mean `Help`?"]);
    let stuck = faults(
        "next = \"over\"",
        "next = \"again\"\n[play.again]\nprompt = \"enter-card\"\nnext = \"again\"",
    );
    assert!(stuck.iter().any(|f| f.contains("to `return`: the caller would never get out")), "{stuck:?}");
}
