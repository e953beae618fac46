//! What callers hear while they wait (ROUTE-07).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::sync::Arc;

use flow::{Around, Caller, Effect, End, Flow, Input, Language, Run, announcements};
use model::service::{CallbackRules, WaitingRules};
use model::time::Timestamp;

const SOUNDS: [&str; 7] =
    ["hello", "hold-on", "website", "position-before", "position-after", "wait-before", "wait-under-minute"];

fn around(language: Language) -> Around<'static> {
    Around { prompts: &SOUNDS, services: &["Help", "Sales"], language, ..Around::default() }
}

fn everything() -> WaitingRules {
    WaitingRules {
        greeting: Some("hello".into()),
        position: true,
        expected_wait: true,
        comfort: vec!["hold-on".into(), "website".into()],
        first_after_s: 10,
        every_s: 30,
        flow: None,
    }
}

/// A caller who is played everything to its end; what is heard in so many seconds, with the second at which it began.
fn heard(
    rules: &WaitingRules,
    language: Language,
    seconds: u64,
    line: impl Fn(u64) -> (Option<u64>, Option<u64>),
) -> Vec<(u64, String)> {
    let ready =
        announcements(rules, &CallbackRules::default(), language).unwrap().check(&around(language)).unwrap();
    let at = |second| Timestamp::from_millis(1_000_000 + second * 1_000);
    let known = |second| {
        let (position, minutes) = line(second);
        [("position", position), ("expected_wait_minutes", minutes), ("waited_s", Some(second))]
    };
    let (mut run, mut effects) = Run::begin_with(Arc::new(ready), &Caller::default(), &known(0), at(0));
    let (mut now, mut told) = (0, Vec::new());
    loop {
        let mut playing = None;
        for effect in effects {
            match effect {
                Effect::Play { number, sounds } => {
                    told.push((now, sounds.join(" ")));
                    playing = Some(number);
                }
                Effect::Music => told.push((now, "music".into())),
                Effect::Entered(_) => {}
                other => panic!("{other:?}"),
            }
        }
        for (name, value) in known(now) {
            run.know(name, value);
        }
        effects = match playing {
            // Sounds take no time here.
            Some(number) => run.handle(Input::Played(number), at(now)),
            None => {
                let due = run.next_deadline().unwrap();
                now = due.since(at(0)).as_secs();
                if now > seconds {
                    return told;
                }
                for (name, value) in known(now) {
                    run.know(name, value);
                }
                run.handle(Input::Tick, due)
            }
        };
    }
}

fn said(told: &[(u64, String)]) -> Vec<(u64, &str)> {
    told.iter().map(|(at, what)| (*at, what.as_str())).collect()
}

/// ROUTE-07: greeting, place, expected wait and messages in turn, with music between them; what is not known is left out.
#[test]
fn settings_are_heard_in_their_order_and_what_is_not_known_is_left_out() {
    let line = |second| match second {
        0..=10 => (Some(3), Some(4)),
        11..=40 => (Some(21), None),
        41..=70 => (Some(2), Some(1)),
        _ => (None, None),
    };
    let told = heard(&everything(), Language::English, 110, line);
    let expected = [
        (0, "hello"),
        (0, "music"),
        (10, "position-before number-3 position-after"),
        (10, "wait-before number-4 minutes"),
        (10, "hold-on"),
        (10, "music"),
        (40, "position-before number-20 number-1 position-after"),
        (40, "website"),
        (40, "music"),
        (70, "position-before number-2 position-after"),
        (70, "wait-under-minute"),
        (70, "hold-on"),
        (70, "music"),
        (100, "website"),
        (100, "music"),
    ];
    assert_eq!(said(&told), expected);
}

/// ROUTE-07: in Russian, with its numbers and its forms of the minute.
#[test]
fn in_russian_minutes_have_their_forms() {
    let rules = WaitingRules { greeting: None, comfort: vec![], ..everything() };
    let told =
        heard(&rules, Language::Russian, 40, |second| (Some(1), Some(if second < 20 { 2 } else { 21 })));
    let expected = [
        (0, "music"),
        (10, "position-before number-1"),
        (10, "wait-before number-2f minutes-few"),
        (10, "music"),
        (40, "position-before number-1"),
        (40, "wait-before number-20 number-1f minute"),
        (40, "music"),
    ];
    assert_eq!(said(&told), expected);
}

/// ROUTE-07: any choice of settings is a flow in which nothing is wrong, and it goes round for hours.
#[test]
fn every_choice_of_settings_is_a_flow_without_a_fault() {
    for n in 0..16_u32 {
        let comfort = if n & 8 == 0 { vec![] } else { vec!["hold-on".to_owned(); 10] };
        let greeting = (n & 1 != 0).then(|| "hello".to_owned());
        let rules = WaitingRules {
            greeting,
            position: n & 2 != 0,
            expected_wait: n & 4 != 0,
            comfort,
            ..everything()
        };
        assert_eq!(announcements(&rules, &CallbackRules::default(), Language::English).is_none(), n == 0);
        if n > 0 {
            let told = heard(&rules, Language::English, 4 * 3_600, |_| (Some(7), Some(9)));
            assert!(told.len() > 4, "{told:?}");
        }
    }
}

const CHOICE: &str = r#"
name = "While you wait"
start = "music"
while_waiting = true

[wait.music]
seconds = 20
choices = { 9 = "sales" }
next = "long"

[if.long]
cases = [{ var = "waited_s", at_least = 40, then = "ask" }]
otherwise = "music"

[menu.ask]
prompt = ["hold-on", "{position:number}"]
choices = { 2 = "sales", 3 = "end" }
tries = 1
timeout = "music"
otherwise = "music"

[queue.sales]
service = "Sales"

[hangup.end]
"#;

/// ROUTE-07: keys while music is heard and while something is asked; others change nothing.
#[test]
fn keys_lead_on_while_music_is_heard_and_while_something_is_asked() {
    let ready = Arc::new(Flow::from_text(CHOICE).unwrap().check(&around(Language::English)).unwrap());
    let at = |second: u64| Timestamp::from_millis(second * 1_000);
    let begin = || Run::begin_with(ready.clone(), &Caller::default(), &[("waited_s", Some(0))], at(0)).0;
    let mut run = begin();
    assert_eq!(run.handle(Input::Key('5'), at(1)), []);
    let effects = run.handle(Input::Key('9'), at(2));
    assert!(matches!(&effects[1], Effect::Queue(wish) if wish.service == "Sales"), "{effects:?}");
    let mut run = begin();
    run.know("waited_s", Some(20));
    assert_eq!(run.handle(Input::Tick, at(20)).last(), Some(&Effect::Music));
    run.know("waited_s", Some(40));
    run.know("position", Some(4));
    let effects = run.handle(Input::Tick, at(40));
    assert!(
        matches!(effects.last(), Some(Effect::Play { sounds, .. }) if sounds.join(" ") == "hold-on number-4"),
        "{effects:?}"
    );
    assert_eq!(run.handle(Input::Key('3'), at(41)).last(), Some(&Effect::End(End::HangUp)));
}

/// ROUTE-07: a flow that would talk without a pause is refused with its place, and so is what only makes sense before a queue; the
/// values of the line are known only there.
#[test]
fn a_flow_for_those_who_wait_pauses_and_has_no_wishes() {
    let faults = |text: &str| {
        let faults = Flow::from_text(text).unwrap().check(&around(Language::English)).unwrap_err();
        faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let told = faults(&CHOICE.replace("timeout = \"music\"", "timeout = \"ask\""));
    assert!(told.contains("menu.ask: this circle turns without a step `wait`: ask -> ask"), "{told}");
    let told = faults(&CHOICE.replace("service = \"Sales\"", "service = \"Sales\"\npriority = 5"));
    assert!(told.contains("queue.sales: whoever goes on"), "{told}");
    let told = faults(&CHOICE.replace("while_waiting = true", ""));
    assert!(told.contains("nothing is noted as `waited_s`"), "{told}");
    let told = faults(&CHOICE.replace("seconds = 20", "seconds = 0"));
    assert!(told.contains("wait.music.seconds"), "{told}");
    let told = faults(&CHOICE.replace("9 = \"sales\"", "10 = \"sales\""));
    assert!(told.contains("wait.music.choices.10"), "{told}");
}

/// ROUTE-07: what the operator's guide shows is a flow for those who wait.
#[test]
fn the_example_of_the_guide_is_a_flow_for_those_who_wait() {
    let guide = include_str!("../../docs/operator.md");
    let from = guide.find("    name = \"While you wait for Sales\"").expect("the guide has an example");
    let block = guide[from..].lines().take_while(|line| line.is_empty() || line.starts_with("    "));
    let text = block.map(|line| line.trim_start_matches("    ")).collect::<Vec<_>>().join("\n");
    let prompts = ["many-calls", "press-2-for-support"];
    let around = Around { prompts: &prompts, services: &["Support"], ..Around::default() };
    assert_eq!(Flow::from_text(&text).unwrap().check(&around).map(|_| ()), Ok(()));
}
