//! What a flow promises whoever draws one, and whoever calls.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use flow::{
    Around, Caller, Effect, End, Fault, Flow, Input, Kind, Ready, Refused, Run, Script, Told, Wish, try_out,
};
use model::id::{Id, SkillId};
use model::skill::text::Names;
use model::time::Timestamp;

const BANK: &str = include_str!("bank.toml");
const PROMPTS: [&str; 9] = [
    "welcome",
    "closed-today",
    "choose-language",
    "not-understood",
    "enter-card",
    "card-wrong",
    "your-card-is",
    "all-busy",
    "goodbye",
];

fn names() -> Names {
    let mut names = Names::default();
    names.skill(SkillId::from_number(1), "german");
    names.skill(SkillId::from_number(2), "cards");
    names
}

fn check(text: &str) -> Result<Arc<Ready>, Vec<Fault>> {
    let flow = Flow::from_text(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let names = names();
    flow.check(&Around {
        prompts: &PROMPTS,
        services: &["Hotline", "Cards"],
        names: Some(&names),
        ..Around::default()
    })
    .map(Arc::new)
}

fn bank() -> Arc<Ready> {
    check(BANK).unwrap()
}

/// Wednesday noon in Berlin, within the hours.
fn noon() -> Timestamp {
    Timestamp::from_millis(1_768_388_400_000)
}

fn caller() -> Caller {
    Caller { number: "+4930123".into(), name: "Mara Lind".into(), called: "+49305551".into() }
}

fn tried(script: &str, at: Timestamp) -> Told {
    try_out(&bank(), &caller(), &Script::from_words(script).unwrap(), at)
}

/// ROUTE-08: keys lead where the drawing says, and what was noted on the way goes to the queue with the caller.
#[test]
fn keys_lead_where_the_drawing_says() {
    for (script, end) in [
        ("2 1 79927398713#", "queue Cards, require german and cards >= 3, priority 50"),
        ("1 1 79927398713#", "queue Cards, require cards >= 3, priority 50"),
        ("2 2", "queue Hotline, require german"),
        // Nothing pressed: three times asked, then English; the second menu leads to the hotline by itself.
        ("", "queue Hotline"),
        ("9 9 9 wait", "queue Hotline"),
        // A card number that is none, three times.
        ("1 1 1234# 5555# wait", "queue Hotline"),
        // A refusal that the flow has an answer to, and one that it leaves to the service.
        ("2 2 full", "hangs up"),
        ("2 2 closed", "as the service treats callers when it is closed"),
    ] {
        assert_eq!(tried(script, noon()).end(), Some(end), "{script}\n{}", tried(script, noon()));
    }
    let night = noon() + Duration::from_secs(12 * 3_600);
    assert_eq!(tried("1", night).end(), Some("hangs up"));
    assert!(tried("1", night).to_string().contains("closed-today"));
}

/// ROUTE-08: the test run tells every step of the way.
#[test]
fn a_trial_tells_the_way() {
    let told = tried("2 1 79927398713#", noon()).to_string();
    let way = [
        "play.welcome",
        "plays welcome",
        "hours.office",
        "menu.language",
        "plays choose-language",
        "presses 2",
        "route.german",
        "menu.topic",
        "presses 1",
        "collect.card",
        "plays enter-card",
        "presses 7",
        "presses #",
        "play.read-back",
        "plays your-card-is, digit-7, digit-9, digit-9, digit-2",
        "if.gold",
        "route.german-cards",
        "queue.german-desk",
    ];
    let mut rest = told.as_str();
    for each in way {
        let at = rest.find(each).unwrap_or_else(|| panic!("`{each}` does not follow in\n{told}"));
        rest = &rest[at + each.len()..];
    }
}

/// ROUTE-08: what was noted, and who is wanted, as routing knows it.
#[test]
fn the_queue_gets_what_was_noted() {
    let (mut run, effects) = Run::begin(bank(), &caller(), noon());
    let mut number = play_of(&effects).unwrap();
    let (mut wish, mut noted) = (None, BTreeMap::new());
    for key in "21".chars() {
        let mut effects = run.handle(Input::Played(number), noon());
        effects.extend(run.handle(Input::Key(key), noon()));
        number = play_of(&effects).unwrap();
        noted.extend(notes(&effects));
    }
    for key in "79927398713#".chars() {
        let mut effects = run.handle(Input::Key(key), noon());
        if let Some(number) = play_of(&effects) {
            effects.extend(run.handle(Input::Played(number), noon()));
        }
        noted.extend(notes(&effects));
        wish = effects.into_iter().find_map(|effect| match effect {
            Effect::Queue(wish) => Some(wish),
            _ => None,
        });
    }
    let Wish { service, who, priority, .. } = wish.expect("the caller is queued");
    assert_eq!((service.as_str(), priority), ("Cards", Some(50)));
    assert!(who.is_some(), "the requirement is understood when the flow is checked");
    assert_eq!((noted["card"].as_str(), noted["lang"].as_str()), ("79927398713", "de"));
    assert_eq!(noted["greeting"], "card of Mara Lind");
    assert!(!noted.contains_key("caller"), "what came with the call is known already");
}

fn notes(effects: &[Effect]) -> BTreeMap<String, String> {
    let noted = effects.iter().filter_map(|effect| match effect {
        Effect::Noted(values) => Some(values.clone()),
        _ => None,
    });
    noted.flatten().collect()
}

/// ROUTE-07: what is entered in secret can be used in the flow, and is never told; nor is what is made of it, over several steps.
#[test]
fn a_secret_is_used_and_never_told() {
    let text = BANK
        .replace("luhn = true", "luhn = true\nsecret = true")
        .replace("card of {caller_name}", "card {card}")
        .replace("next = \"read-back\"", "next = \"again\"")
        + "\n[set.again]\nvars = { said = \"{greeting}\", lang = \"de\" }\nnext = \"read-back\"\n";
    let ready = check(&text).unwrap();
    let script = Script::from_words("1 1 79927398713#").unwrap();
    let told = try_out(&ready, &caller(), &script, noon());
    assert_eq!(told.end(), Some("queue Cards, require german and cards >= 3, priority 50"), "{told}");
    let noted: Vec<&str> = told.lines.iter().filter_map(|line| line.what.strip_prefix("notes ")).collect();
    assert_eq!(noted, ["lang = de"], "{told}");
}

fn play_of(effects: &[Effect]) -> Option<u32> {
    effects.iter().rev().find_map(|effect| match effect {
        Effect::Play { number, .. } => Some(*number),
        _ => None,
    })
}

/// ROUTE-08: whoever knows the way presses ahead, and hears nothing of what they know; but not what must be heard.
#[test]
fn keys_pressed_ahead_are_kept_and_prompts_that_must_be_heard_are_heard() {
    let (mut run, effects) = Run::begin(bank(), &caller(), noon());
    let number = play_of(&effects).expect("the greeting");
    assert_eq!(run.handle(Input::Key('2'), noon()), [], "the greeting must be heard");
    assert_eq!(run.handle(Input::Key('2'), noon()), []);
    let effects = run.handle(Input::Played(number), noon());
    assert_eq!(play_of(&effects), None, "both menus were answered ahead: {effects:?}");
    assert!(matches!(effects.last(), Some(Effect::Queue(wish)) if wish.service == "Hotline"), "{effects:?}");
}

#[test]
fn the_end_of_a_prompt_that_was_cut_short_changes_nothing() {
    let (mut run, effects) = Run::begin(bank(), &caller(), noon());
    let greeting = play_of(&effects).unwrap();
    let menu = play_of(&run.handle(Input::Played(greeting), noon())).unwrap();
    let topic = play_of(&run.handle(Input::Key('1'), noon())).unwrap();
    let before = run.next_deadline();
    assert_eq!(run.handle(Input::Played(menu), noon()), []);
    assert_eq!(run.next_deadline(), before, "the topic's prompt is still being played");
    run.handle(Input::Played(topic), noon());
    assert_eq!(run.next_deadline(), Some(noon() + Duration::from_secs(5)));
}

/// ROUTE-08: a number ends by its closing key, by its length, or by a pause; the first digit ends the question.
#[test]
fn a_number_ends_by_key_length_or_pause() {
    let text = |more: &str| {
        format!(
            "name = \"n\"\nstart = \"pin\"\n[collect.pin]\nprompt = \"enter-card\"\ninto = \"pin\"\nmin = 2\nmax = 4\nnext = \"q\"\nfailed = \"bye\"\n{more}\n[queue.q]\nservice = \"Hotline\"\n[hangup.bye]\n"
        )
    };
    let noted = |more: &str, script: &str| {
        let told =
            try_out(&check(&text(more)).unwrap(), &caller(), &Script::from_words(script).unwrap(), noon());
        told.end() == Some("queue Hotline")
    };
    assert!(noted("", "12#") && noted("", "1234") && noted("", "12 wait"));
    assert!(!noted("tries = 1", "1#") && !noted("tries = 1", "1 wait") && !noted("tries = 1", "wait"));
    assert!(noted("tries = 2", "1# 12#") && noted("end = \"*\"", "12*") && noted("end = \"\"", "12 wait"));
    assert!(noted("matches = '1\\d*'", "12#") && !noted("matches = '1\\d*'\ntries = 1", "212#"));
    let (mut run, _) = Run::begin(check(&text("")).unwrap(), &caller(), noon());
    assert_eq!(run.handle(Input::Key('1'), noon()), [Effect::Silence]);
    assert_eq!(run.handle(Input::Key('2'), noon()), []);
}

/// ROUTE-08: everything that is wrong is named with its place, at once, before anybody can be led into it.
#[test]
fn what_is_wrong_is_named_before_anybody_calls() {
    for (change, at, named) in [
        (("start = \"welcome\"", "start = \"wellcome\""), "start", "did you mean `welcome`?"),
        (("next = \"office\"", "next = \"ofice\""), "play.welcome.next", "did you mean `office`?"),
        (("timeout = \"topic\"\n", ""), "menu.language", "`timeout` is missing"),
        (("otherwise = \"hotline\"\n\n[collect", "\n[collect"), "menu.topic", "`otherwise` is missing"),
        (("failed = \"hotline\"\n", ""), "collect.card", "`failed` is missing"),
        (("prompt = \"welcome\"", "prompt = \"welcom\""), "play.welcome.prompt", "did you mean `welcome`?"),
        (("\"{card}\"", "\"{cart}\""), "play.read-back.prompt", "did you mean `card`?"),
        (("of {caller_name}", "of {caller_name"), "set.note.vars.greeting", "no partner"),
        (("greeting =", "caller ="), "set.note.vars.caller", "given with the call"),
        (("service = \"Cards\"", "service = \"Card\""), "queue.german-desk.service", "did you mean `Cards`?"),
        (("require = \"german\"", "require = \"germn\""), "route.german.require", "did you mean `german`?"),
        (("priority = 50", "priority = 5000"), "route.german-cards.priority", "0 to 1000"),
        (
            ("calendar = \"office\"", "calendar = \"ofice\""),
            "hours.office.calendar",
            "did you mean `office`?",
        ),
        (("mon-fri 09:00-18:00", "mon-fri 9-18"), "calendar.office", "`9-18`"),
        (("luhn = true", "matches = \"(\""), "collect.card.matches", "no regular expression"),
        (("luhn = true", "matches = \"(\\\\d{500}){500}\""), "collect.card.matches", "too large"),
        (("wait_s = 4", "wait_s = 0"), "menu.language.wait_s", "1 to 60"),
        (("1 = \"topic\"", "11 = \"topic\""), "menu.language.choices.11", "0 to 9"),
        (("starts = \"7992\", ", ""), "if.gold.cases[1]", "compares with nothing"),
        (("[hangup.bye]", "[hangup.bye]\n[hangup.alone]"), "hangup.alone", "no way leads here"),
        (("[hangup.bye]", "[hangup.bye]\n[hangup.hotline]"), "hangup.hotline", "another step has this name"),
    ] {
        assert!(BANK.contains(change.0), "{}", change.0);
        let faults = check(&BANK.replacen(change.0, change.1, 1)).expect_err(change.1);
        let found = faults.iter().any(|fault| fault.at == at && fault.what.contains(named));
        assert!(found, "{at}: {named}\n{faults:#?}");
    }
}

/// ROUTE-08: nobody is led into a step without a way out, or round and round in no time.
#[test]
fn there_is_a_way_out_of_every_step_and_no_circle_without_a_pause() {
    let trap = "name = \"trap\"\nstart = \"a\"\n[play.a]\nprompt = \"welcome\"\nnext = \"b\"\n[play.b]\nprompt = \"goodbye\"\nnext = \"a\"\n";
    let faults = check(trap).unwrap_err();
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults.iter().all(|fault| fault.what.contains("never get out")));
    let spin = "name = \"spin\"\nstart = \"q\"\n[queue.q]\nservice = \"Hotline\"\nfull = \"r\"\n[route.r]\npriority = 1\nnext = \"q\"\n";
    let faults = check(spin).unwrap_err();
    assert!(faults.len() == 1 && faults[0].what.contains("q -> r -> q"), "{faults:?}");
    let full = "name = \"full\"\nstart = \"v\"\n[voicemail.v]\nservice = \"Hotline\"\nrefused = \"v\"\n";
    let faults = check(full).unwrap_err();
    assert!(faults.len() == 1 && faults[0].what.contains("v -> v"), "{faults:?}");
    // With a prompt in it the same circle takes time: callers hear that all are busy, and try again.
    let wait = spin.replace("\"r\"", "\"p\"") + "[play.p]\nprompt = \"all-busy\"\nnext = \"r\"\n";
    let told = try_out(&check(&wait).unwrap(), &caller(), &Script::from_words("full full").unwrap(), noon());
    assert_eq!(told.end(), Some("queue Hotline, priority 1"), "{told}");
}

/// ROUTE-08: a circle that is allowed still ends, whatever the queue says.
#[test]
fn nobody_goes_round_for_ever() {
    let text = "name = \"r\"\nstart = \"q\"\n[queue.q]\nservice = \"Hotline\"\nfull = \"p\"\n[play.p]\nprompt = \"all-busy\"\nnext = \"q\"\n";
    let (mut run, mut effects) = Run::begin(check(text).unwrap(), &caller(), noon());
    let mut turns = 0;
    while !run.is_over() {
        turns += 1;
        assert!(turns < 2_000, "it goes on for ever");
        effects = match play_of(&effects) {
            Some(number) => run.handle(Input::Played(number), noon()),
            None => run.handle(Input::Refused(Refused::Full), noon()),
        };
    }
    assert_eq!(effects.last(), Some(&Effect::End(End::TooLong)));
}

/// ROUTE-08: the text form and JSON say the same, and both read back.
#[test]
fn text_and_json_read_back() {
    let flow = Flow::from_text(BANK).unwrap();
    assert_eq!(Flow::from_text(&flow.to_text().unwrap()).unwrap(), flow);
    let json = serde_json::to_string(&flow).unwrap();
    assert_eq!(serde_json::from_str::<Flow>(&json).unwrap(), flow);
    assert_eq!(flow.nodes().filter(|(_, node)| node.kind() == Kind::Menu).count(), 2);
}

/// ROUTE-08: a text that is no flow is refused with line and column.
#[test]
fn a_text_that_is_no_flow_is_refused_with_its_place() {
    for (change, line_of, named) in [
        (("[menu.language]", "[menue.language]"), "[menue.language]", "unknown field `menue`"),
        (("tries = 2", "trys = 2"), "trys = 2", "unknown field `trys`"),
        (("tries = 2", "tries = \"two\""), "tries = \"two\"", "invalid type"),
        (("tries = 2", "tries = 2\ntries = 3"), "tries = 3", "duplicate"),
        (("prompt = \"choose-language\"", "prompt = 7"), "prompt = 7", "the name of a sound"),
    ] {
        let text = BANK.replacen(change.0, change.1, 1);
        let line = text.lines().position(|line| line == line_of).unwrap() + 1;
        let error = Flow::from_text(&text).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("line {line}, column")) && error.contains(named),
            "{line}: {error}"
        );
    }
    assert!(Flow::from_text(&"#".repeat(300_000)).unwrap_err().to_string().contains("300000"));
}

/// ROUTE-08: what the operator's guide shows can be gone through as it says.
#[test]
fn the_example_of_the_guide_is_a_flow() {
    let guide = include_str!("../../docs/operator.md");
    let from = guide.find("    name = \"Main line\"").expect("the guide has an example");
    let block = guide[from..].lines().take_while(|line| line.is_empty() || line.starts_with("    "));
    let text = block.map(|line| line.trim_start_matches("    ")).collect::<Vec<_>>().join("\n");
    let prompts = ["closed-today", "choose-language", "not-understood", "enter-card-number", "your-card-is"];
    let names = names();
    let around =
        Around { prompts: &prompts, services: &["Hotline"], names: Some(&names), ..Around::default() };
    let ready = Arc::new(Flow::from_text(&text).unwrap().check(&around).unwrap());
    let end = |script| {
        let script = Script::from_words(script).unwrap();
        try_out(&ready, &caller(), &script, noon()).end().map(str::to_owned)
    };
    assert_eq!(end("2 4000000000000002#").as_deref(), Some("queue Hotline, require german >= 5"));
    assert_eq!(end("1 4711000000000002#").as_deref(), Some("queue Hotline, priority 50"));
    assert_eq!(end("wait closed").as_deref(), Some("as the service treats callers when it is closed"));
}
