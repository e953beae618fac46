//! Callers who leave a message (ROUTE-08).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::sync::Arc;
use std::time::Duration;

use flow::{Around, Caller, Effect, End, Flow, Input, Opened, Run, Script, try_out};
use model::time::Timestamp;

const NIGHT: &str = r##"
name = "Night"
start = "leave"

[voicemail.leave]
service = "Help"
greeting = "night"
next = "bye"
refused = "later"

[play.later]
prompt = "night"
next = "bye"

[hangup.bye]
"##;

fn around() -> Around<'static> {
    Around { prompts: &["night"], services: &["Help"], ..Around::default() }
}

fn faults(text: &str) -> Vec<String> {
    let faults = Flow::from_text(text).unwrap().check(&around()).unwrap_err();
    faults.iter().map(ToString::to_string).collect()
}

/// A caller in the flow of a service's settings.
struct Line {
    run: Run,
    now: Timestamp,
}

impl Line {
    fn of(flow: &Flow) -> Self {
        let (run, now) = (Arc::new(flow.check(&around()).unwrap()), Timestamp::from_millis(1_000_000));
        let (run, effects) = Run::begin(run, &Caller::default(), now);
        assert!(effects.contains(&Effect::TakeMessage { service: "Help".into() }), "{effects:?}");
        Self { run, now }
    }
    fn hears(&mut self, input: Input) -> Vec<Effect> {
        self.run.handle(input, self.now)
    }
    fn pass(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
    }
    /// Greeting and tone are over.
    fn speaks() -> Self {
        let mut line = Self::of(&flow::voicemail("Help"));
        line.hears(Input::MessageTaken(Opened { greeting: None, length_max: Duration::from_secs(60) }));
        line.hears(Input::Played(1));
        assert_eq!(line.hears(Input::Played(2)), [Effect::BeginMessage]);
        line
    }
}

fn over(spoken_s: u64) -> Effect {
    Effect::EndMessage { spoken: Duration::from_secs(spoken_s) }
}

fn plays(effects: &[Effect]) -> Vec<&str> {
    let sounds = effects.iter().filter_map(|effect| match effect {
        Effect::Play { sounds, .. } => Some(sounds.iter().map(String::as_str)),
        _ => None,
    });
    sounds.flatten().collect()
}

/// ROUTE-07, ROUTE-08: greeting, tone, message, thanks, good-bye; the key that ends the message ends the greeting as well.
#[test]
fn a_message_is_taken() {
    let mut line = Line::of(&flow::voicemail("Help"));
    let opened = Opened { greeting: None, length_max: Duration::from_secs(60) };
    assert_eq!(plays(&line.hears(Input::MessageTaken(opened.clone()))), ["voicemail-greeting"]);
    assert_eq!(line.run.spoken(line.now), None);
    assert_eq!(plays(&line.hears(Input::Key('#'))), ["voicemail-tone"]);
    assert_eq!(line.hears(Input::Key('#')), [], "the tone is heard");
    assert_eq!(line.hears(Input::Played(2)), [Effect::BeginMessage]);
    line.pass(7);
    assert_eq!(line.hears(Input::Key('1')), [], "other keys end nothing");
    assert_eq!(
        line.run.spoken(line.now),
        Some(Duration::from_secs(7)),
        "whoever hangs up here has said so much"
    );
    let effects = line.hears(Input::Key('#'));
    assert_eq!((&effects[0], plays(&effects)), (&over(7), vec!["voicemail-thanks"]));
    assert_eq!(line.run.spoken(line.now), None);
    assert_eq!(line.hears(Input::Played(3)), [Effect::End(End::HangUp)]);

    let mut line = Line::of(&flow::voicemail("Help"));
    let own = Opened { greeting: Some("ours".into()), ..opened };
    assert_eq!(plays(&line.hears(Input::MessageTaken(own))), ["ours"], "the greeting of the service");
}

/// ROUTE-07: five seconds of silence end a message, and are no part of it; whoever speaks again goes on. Whoever was silent from the
/// tone on has said nothing.
#[test]
fn silence_ends_a_message() {
    let mut line = Line::speaks();
    line.pass(10);
    line.hears(Input::Silent(true));
    line.pass(1);
    line.hears(Input::Silent(false));
    line.pass(10);
    assert_eq!(line.hears(Input::Tick), []);
    // Noticed three seconds late.
    line.hears(Input::Silent(true));
    assert_eq!(line.run.next_deadline(), Some(line.now + Duration::from_secs(2)));
    line.pass(2);
    assert_eq!(line.hears(Input::Tick)[0], over(18));

    let mut line = Line::speaks();
    line.hears(Input::Silent(true));
    line.pass(5);
    assert_eq!(line.hears(Input::Tick)[0], over(0));
}

/// ROUTE-07: a message lasts as long as the service allows; one that cannot be captured any more is told as one that cannot be taken.
#[test]
fn a_message_has_an_end() {
    let mut line = Line::speaks();
    line.pass(59);
    assert_eq!(line.hears(Input::Tick), []);
    line.pass(1);
    assert_eq!(line.hears(Input::Tick)[0], over(60));

    let mut line = Line::speaks();
    assert_eq!(plays(&line.hears(Input::NoMessage)), ["voicemail-refused"]);
    let mut full = Line::of(&flow::voicemail("Help"));
    assert_eq!(plays(&full.hears(Input::NoMessage)), ["voicemail-refused"]);
    assert_eq!(full.hears(Input::Played(1)), [Effect::End(End::HangUp)]);
    // Whoever should know whether there is room says nothing.
    let mut line = Line::of(&flow::voicemail("Help"));
    line.pass(2);
    assert_eq!(plays(&line.hears(Input::Tick)), ["voicemail-greeting"]);
}

/// ROUTE-08: the step leads on after the message, and when none can be taken; a trial tells both.
#[test]
fn the_step_leads_on() {
    let flow = Flow::from_text(NIGHT).unwrap();
    assert_eq!(Flow::from_text(&flow.to_text().unwrap()).unwrap(), flow);
    let ready = Arc::new(flow.check(&around()).unwrap());
    let way = |words| {
        let script = Script::from_words(words).unwrap();
        try_out(&ready, &Caller::default(), &script, Timestamp::ZERO).to_string()
    };
    let told = way("");
    let parts = ["takes a message for Help", "plays night", "listens to the message", "the message is over"];
    assert!(parts.iter().all(|part| told.contains(part)) && told.contains("hangs up"), "{told}");
    assert!(!told.contains("voicemail-thanks"), "where it leads on nothing else is said: {told}");
    let told = way("full");
    assert!(told.contains("no more messages can be left") && told.contains("play.later"), "{told}");
}

/// ROUTE-08: what is wrong with such a step is said; of whoever waits in a queue it says nothing but that there is one.
#[test]
fn a_step_is_checked() {
    assert!(
        faults(&NIGHT.replace("\"Help\"", "\"Halp\""))[0].starts_with("voicemail.leave.service: there is no")
    );
    assert_eq!(
        faults(&NIGHT.replace("service = \"Help\"", "")),
        ["voicemail.leave: `service` is missing: for whom the message is"]
    );
    assert!(
        faults(&NIGHT.replace("greeting = \"night\"", "greeting = \"day\""))[0].contains("no sound `day`")
    );
    let during = format!("during_calls = true\n{NIGHT}");
    assert!(
        faults(&during)[0].starts_with("voicemail.leave: the caller has an agent"),
        "{:?}",
        faults(&during)
    );
    let waiting = r##"
name = "Waiting"
start = "music"
while_waiting = true

[wait.music]
seconds = 30
choices = { 2 = "leave" }
next = "music"

[voicemail.leave]
"##;
    let flow = Flow::from_text(waiting).unwrap();
    let (run, now) = (Arc::new(flow.check(&around()).unwrap()), Timestamp::ZERO);
    let (mut run, _) = Run::begin(run, &Caller::default(), now);
    let effects = run.handle(Input::Key('2'), now);
    assert_eq!(effects[1], Effect::TakeMessage { service: String::new() });
    assert!(run.is_over(), "the queue is left, and this flow");
    assert!(faults(&format!("{waiting}service = \"Help\""))[0].contains("as the service waited for says"));
}
