//! Callers who ask to be called back (CB-01): the step of flows, and the offer that a service makes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::sync::Arc;

use flow::{
    Around, Caller, Effect, End, Flow, Input, Language, NoCallback, Run, Script, announcements, try_out,
};
use model::service::{CallbackRules, WaitingRules};
use model::time::Timestamp;

const SOUNDS: [&str; 9] = [
    "hello",
    "callback-offer",
    "callback-number-is",
    "callback-confirm",
    "callback-type",
    "callback-invalid",
    "callback-already",
    "callback-refused",
    "callback-thanks",
];

fn around() -> Around<'static> {
    Around { prompts: &SOUNDS, services: &["Help"], ..Around::default() }
}

const BEFORE: &str = r#"
name = "Before"
start = "back"

[callback.back]
service = "Help"
next = "bye"
invalid = "help"
already = "bye"
refused = "help"

[play.bye]
prompt = "callback-thanks"
next = "end"

[hangup.end]

[queue.help]
service = "Help"
"#;

fn faults(text: &str) -> Vec<String> {
    let faults = Flow::from_text(text).unwrap().check(&around()).unwrap_err();
    faults.iter().map(ToString::to_string).collect()
}

/// CB-01, ROUTE-08: the step as text, tried out; and what is wrong with it is said.
#[test]
fn a_step_asks_for_the_caller_to_be_called_back() {
    let flow = Flow::from_text(BEFORE).unwrap();
    assert_eq!(Flow::from_text(&flow.to_text().unwrap()).unwrap(), flow);
    let ready = Arc::new(flow.check(&around()).unwrap());
    let caller = Caller { number: "+4930555".into(), ..Caller::default() };
    let way = |words| {
        let told = try_out(&ready, &caller, &Script::from_words(words).unwrap(), Timestamp::ZERO);
        told.lines.into_iter().map(|line| line.what).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(way(""), "asks to be called back at +4930555, Help; plays callback-thanks; hangs up");
    assert!(way("refused").ends_with("not promised: not at the moment; queue Help"), "{}", way("refused"));
    assert!(way("already").ends_with("hangs up"));

    let without = BEFORE.replace("service = \"Help\"\nnext", "next");
    assert_eq!(faults(&without), ["callback.back: `service` is missing: whose agents call back"]);
    let unknown = BEFORE.replace("service = \"Help\"\nnext", "service = \"Hlep\"\nnext");
    assert!(faults(&unknown)[0].contains("did you mean `Help`?"));
    let back = BEFORE.replace(
        "prompt = \"callback-thanks\"\nnext = \"end\"",
        "prompt = \"callback-thanks\"\nnext = \"help\"",
    );
    let found = faults(&back);
    assert!(found.iter().any(|f| f.contains("does not wait any more, but comes to `help`")), "{found:?}");
    let number = BEFORE.replace("next = \"bye\"\ninvalid", "number = \"{typed}\"\nnext = \"bye\"\ninvalid");
    assert!(faults(&number)[0].contains("nothing is noted as `typed`"));
    let waiting = BEFORE.replace("start =", "while_waiting = true\nstart =");
    assert!(faults(&waiting)[0].contains("leave it out"));
}

/// A caller who waits for a service that offers to call back.
struct Waiting {
    run: Run,
    now: u64,
    prompt: u32,
    asked: Option<String>,
    ended: bool,
}

impl Waiting {
    fn begin(caller: &str, rules: &CallbackRules, minutes: Option<u64>) -> Self {
        let flow = announcements(&WaitingRules::default(), rules, Language::English).unwrap();
        let ready = Arc::new(flow.check(&around()).unwrap());
        let caller = Caller { number: caller.into(), ..Caller::default() };
        let known = [("position", None), ("expected_wait_minutes", minutes), ("waited_s", Some(0))];
        let (run, effects) = Run::begin_with(ready, &caller, &known, Timestamp::ZERO);
        let mut waiting = Self { run, now: 0, prompt: 0, asked: None, ended: false };
        waiting.see(effects);
        waiting
    }

    fn see(&mut self, effects: Vec<Effect>) -> Vec<String> {
        let mut heard = Vec::new();
        for effect in effects {
            match effect {
                Effect::Play { number, sounds } => {
                    self.prompt = number;
                    heard.push(sounds.join(" "));
                }
                Effect::Music => heard.push("music".into()),
                Effect::CallBack(wish) => self.asked = Some(wish.number),
                Effect::End(end) => self.ended = end == End::HangUp,
                _ => {}
            }
        }
        heard
    }

    fn handle(&mut self, input: Input) -> Vec<String> {
        self.run.know("waited_s", Some(self.now));
        let effects = self.run.handle(input, Timestamp::from_millis(self.now * 1_000));
        self.see(effects)
    }
    fn keys(&mut self, keys: &str) -> Vec<String> {
        keys.chars().flat_map(|key| self.handle(Input::Key(key))).collect()
    }
    fn played(&mut self) -> Vec<String> {
        self.handle(Input::Played(self.prompt))
    }
    /// The time of the next deadline comes.
    fn waits(&mut self) -> Vec<String> {
        self.now = self.run.next_deadline().unwrap().millis() / 1_000;
        self.handle(Input::Tick)
    }
}

fn after(seconds: u32) -> CallbackRules {
    CallbackRules { offer_after_s: Some(seconds), ..CallbackRules::default() }
}

/// CB-01, ROUTE-07: offered when it is time; the number is read out and confirmed, and good-bye is said.
#[test]
fn it_is_offered_when_it_is_time_and_the_number_is_confirmed() {
    let mut caller = Waiting::begin("+49305", &after(30), None);
    assert_eq!(caller.keys("1"), Vec::<String>::new(), "not before");
    assert_eq!(caller.waits(), ["callback-offer"]);
    assert_eq!(caller.now, 30);
    assert_eq!(
        caller.keys("1"),
        ["callback-number-is digit-4 digit-9 digit-3 digit-0 digit-5 callback-confirm"]
    );
    assert_eq!(caller.keys("1"), Vec::<String>::new());
    assert_eq!(caller.asked.as_deref(), Some("+49305"));
    assert_eq!(caller.handle(Input::CallbackTaken), ["callback-thanks"]);
    caller.played();
    assert!(caller.ended);
}

/// CB-01: another number may be typed; a withheld one must be; one that cannot be dialled is asked for again.
#[test]
fn another_number_may_be_typed() {
    let mut caller = Waiting::begin("anonymous", &after(30), None);
    caller.waits();
    assert_eq!(caller.keys("1"), ["callback-type"]);
    assert_eq!(caller.keys("0900#"), ["callback-number-is digit-0 digit-9 digit-0 digit-0 callback-confirm"]);
    caller.keys("1");
    assert_eq!(caller.handle(Input::CallbackRefused(NoCallback::Invalid)), ["callback-invalid"]);
    assert_eq!(caller.played(), ["music"]);
    assert_eq!(caller.waits(), ["callback-type"]);
    caller.keys("030777#");
    caller.keys("2");
    caller.waits();
    caller.keys("030778#");
    caller.keys("1");
    assert_eq!(caller.asked.as_deref(), Some("030778"));
    assert_eq!(caller.handle(Input::CallbackRefused(NoCallback::Already)), ["callback-already"]);
    assert_eq!(caller.played(), ["music"], "and waits on");
    assert!(!caller.ended);
}

/// CB-01: offered for the expected wait; whoever does not press a key waits on and is asked again later.
#[test]
fn it_is_offered_to_whoever_would_wait_long() {
    let rules = CallbackRules { offer_from_min: Some(5), ..CallbackRules::default() };
    let mut short = Waiting::begin("+49305", &rules, Some(4));
    assert_eq!(short.waits(), ["music"]);
    let mut long = Waiting::begin("+49305", &rules, Some(5));
    assert_eq!(long.waits(), ["callback-offer"]);
    assert_eq!(long.played(), Vec::<String>::new());
    assert_eq!(long.waits(), ["music"]);
    assert_eq!(long.waits(), ["callback-offer"]);
    assert_eq!(long.played(), Vec::<String>::new());
    long.waits();
    assert_eq!(long.keys("1").len(), 1, "the key is known, and works in the music as well");
}
