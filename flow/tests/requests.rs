//! What a step that asks a system promises whoever calls, and whoever runs that system.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::collections::BTreeMap;
use std::sync::Arc;

use flow::{Around, Caller, Effect, Flow, Input, LookUp, Ready, Reply, Run, Script, try_out};
use model::time::Timestamp;

const ASKING: &str = r#"
name = "Known customers"
start = "account"

[collect.account]
prompt = "enter-account"
into = "account"
next = "crm"
failed = "help"

[http.crm]
url = "https://crm.example/accounts/{account}?from={caller}"
headers = { Accept-Language = "en" }
secret_headers = { Authorization = "crm" }
picks = { tier = "/tier", name = "/customer/name" }
status = "answered"
next = "known"
failed = "help"
timeout = "slow"

[if.known]
cases = [{ var = "tier", is = "gold", then = "gold" }]
otherwise = "help"

[queue.gold]
service = "Help"
priority = 100

[queue.help]
service = "Help"

[queue.slow]
service = "Help"
priority = 1
"#;

const LOOKING_UP: &str = r#"
name = "By post code"
start = "code"

[collect.code]
prompt = "enter-account"
into = "code"
max = 5
next = "team"
failed = "help"

[lookup.team]
table = "post-codes"
key = " {code} "
picks = { skill = "Team", city = "City" }
next = "known"
missing = "help"

[if.known]
cases = [{ var = "skill", is = "north", then = "north" }]
otherwise = "help"

[queue.north]
service = "Help"
priority = 7

[queue.help]
service = "Help"
"#;

fn check(text: &str) -> Result<Arc<Ready>, Vec<String>> {
    let columns = ["Team".to_owned(), "City".to_owned()];
    let around = Around {
        prompts: &["enter-account", "one-moment"],
        services: &["Help"],
        hosts: &["crm.example:443", "10.0.0.5:8080"],
        secrets: &["crm"],
        tables: &[("post-codes", &columns)],
        ..Around::default()
    };
    let flow = Flow::from_text(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(Flow::from_text(&flow.to_text().unwrap()).as_ref(), Ok(&flow), "it is written as it is read");
    flow.check(&around).map(Arc::new).map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(1_768_388_400_000 + millis)
}

/// A caller who entered an account at second 0; what the step did then.
fn asking(text: &str) -> (Run, Vec<Effect>) {
    let caller = Caller { number: "+4930".into(), ..Caller::default() };
    let (mut run, _) = Run::begin(check(text).unwrap(), &caller, at(0));
    let effects = "4711#".chars().flat_map(|key| run.handle(Input::Key(key), at(0))).collect();
    (run, effects)
}

fn answered(status: u16, values: &[(&str, &str)]) -> Reply {
    let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Reply::Answered { status, values }
}

fn noted(effects: &[Effect]) -> BTreeMap<String, String> {
    let noted =
        effects.iter().find_map(|e| if let Effect::Noted(noted) = e { Some(noted.clone()) } else { None });
    noted.unwrap_or_default()
}

/// ROUTE-08: a system is asked with what the caller entered; what it answers is noted and decides where the caller goes.
#[test]
fn an_answer_decides_where_the_caller_goes() {
    let (mut run, effects) = asking(ASKING);
    let request =
        effects.iter().find_map(|e| if let Effect::Request(r) = e { Some(r.clone()) } else { None }).unwrap();
    assert_eq!(request.url(), "https://crm.example/accounts/4711?from=%2B4930");
    assert_eq!(
        request.secrets,
        [("Authorization".to_owned(), "crm".to_owned())],
        "by name: the flow has no secret"
    );
    let more = [("tier", "gold"), ("name", "Ada"), ("unasked", "x")];
    let effects = run.handle(Input::Replied(1, answered(200, &more)), at(300));
    let known = [("answered", "200"), ("name", "Ada"), ("tier", "gold")];
    assert_eq!(
        noted(&effects),
        known.map(|(n, v)| (n.to_owned(), v.to_owned())).into(),
        "only what was asked for"
    );
    assert!(matches!(effects.last(), Some(Effect::Queue(wish)) if wish.priority == Some(100)), "{effects:?}");
}

/// ROUTE-08: whatever the system does, the caller goes on within the step's time, by the way that fits; an answer after that is for nobody.
#[test]
fn a_slow_or_dead_system_never_loses_the_caller() {
    let priority = |effects: &[Effect]| match effects.last() {
        Some(Effect::Queue(wish)) => wish.priority,
        other => panic!("{other:?}"),
    };
    let (mut run, _) = asking(ASKING);
    assert_eq!(run.next_deadline(), Some(at(1_000)));
    assert_eq!(run.handle(Input::Tick, at(1_000)), [Effect::Music], "the line does not sound dead");
    assert_eq!(run.handle(Input::Replied(7, answered(200, &[])), at(2_000)), [], "nobody asked that");
    assert_eq!(run.next_deadline(), Some(at(5_000)));
    assert_eq!(priority(&run.handle(Input::Tick, at(5_000))), Some(1));
    assert_eq!(run.handle(Input::Replied(1, answered(200, &[("tier", "gold")])), at(5_001)), []);
    for refused in [Reply::Failed, answered(404, &[("tier", "gold")]), answered(302, &[])] {
        let (mut run, _) = asking(ASKING);
        assert_eq!(priority(&run.handle(Input::Replied(1, refused.clone()), at(10))), None, "{refused:?}");
    }
    let (mut run, _) = asking(
        &ASKING
            .replace("timeout = \"slow\"\n", "")
            .replace("[queue.slow]\nservice = \"Help\"\npriority = 1\n", ""),
    );
    assert_eq!(priority(&run.handle(Input::Tick, at(5_000))), None, "as when it failed");
    // An address that no system would take is not sent.
    let long = ASKING.replace("{account}?", &format!("{}?", "{account}/".repeat(600)));
    assert!(matches!(asking(&long).1.last(), Some(Effect::Queue(wish)) if wish.priority.is_none()));
}

/// ROUTE-08: a prompt may be heard meanwhile, and then music; keys pressed meanwhile wait for the next question.
#[test]
fn a_caller_hears_something_meanwhile() {
    let (mut run, effects) = asking(&ASKING.replace("status =", "prompt = \"one-moment\"\nstatus ="));
    let last = effects.iter().rev().find_map(|e| match e {
        Effect::Play { number, sounds } => Some((*number, sounds.clone())),
        _ => None,
    });
    let (number, sounds) = last.unwrap();
    assert_eq!(sounds, ["one-moment"]);
    assert_eq!(run.handle(Input::Tick, at(2_000)), [], "it is still heard");
    assert_eq!(run.handle(Input::Key('1'), at(2_100)), []);
    assert_eq!(run.handle(Input::Played(number), at(2_500)), [Effect::Music]);
}

/// ROUTE-08: what a step calls secret is used and never told; a value of an earlier answer does not outlive a later refusal.
#[test]
fn a_secret_answer_is_used_and_never_told() {
    let (mut run, _) = asking(&ASKING.replace("status = \"answered\"", "secret = true"));
    let effects = run.handle(Input::Replied(1, answered(200, &[("tier", "gold"), ("name", "Ada")])), at(10));
    assert_eq!(noted(&effects), BTreeMap::new());
    assert!(matches!(effects.last(), Some(Effect::Queue(wish)) if wish.priority == Some(100)), "{effects:?}");
}

/// API-02: only listed systems are asked, and the flow names no secret itself. Everything wrong is said at once, with its place.
#[test]
fn mistakes_are_told_with_their_places() {
    for (from, to, wrong) in [
        ("https://crm.example/", "https://crm.exampel/", "http.crm.url: `crm.exampel:443` may not be asked"),
        ("https://crm.example/", "http://crm.example/", "http.crm.url: `crm.example:80` may not be asked"),
        ("https://crm.example/", "https://{caller}/", "http.crm.url: host and port stand as they are"),
        ("{account}", "{acount}", "http.crm.url: nothing is noted as `acount`; did you mean `account`?"),
        (
            "= \"crm\" }",
            "= \"crn\" }",
            "http.crm.secret_headers.Authorization: the configuration has no secret `crn`",
        ),
        ("Accept-Language", "Host", "http.crm.headers.Host: this field is set by the appliance"),
        ("Accept-Language", "\"A b\"", "http.crm.headers.A b: this is no name"),
        ("failed = \"help\"\ntimeout", "timeout", "http.crm: `failed` is missing"),
        ("status =", "wait_s = 21\nstatus =", "http.crm.wait_s: an answer is waited for 1 to 20 seconds"),
        ("status =", "body = { x = \"1\" }\nstatus =", "http.crm.body: a `GET` has no body"),
        ("\"/tier\"", "\"tier\"", "http.crm.picks.tier: a value is picked by a pointer"),
        ("\"answered\"", "\"caller\"", "http.crm.status: `caller` is given"),
    ] {
        let text = ASKING.replacen(from, to, 1);
        let faults = check(&text).map(|_| ()).unwrap_err();
        assert!(faults.iter().any(|fault| fault.starts_with(wrong)), "{wrong} in {faults:?}");
    }
    // A system that refuses at once must not be asked again and again without a pause.
    let turning = ASKING.replace("failed = \"help\"\ntimeout", "failed = \"crm\"\ntimeout");
    let faults = check(&turning).map(|_| ()).unwrap_err();
    assert!(faults[0].contains("this circle turns without"), "{faults:?}");
    // By a listed address it is the same.
    check(&ASKING.replace("https://crm.example/", "http://10.0.0.5:8080/")).unwrap();
}

/// ROUTE-08: a trial is given the answers by hand, so that a flow is tried out before the system is there.
#[test]
fn a_trial_is_given_the_answers() {
    let tried = |script: &str| {
        let script = Script::from_words(script).unwrap();
        try_out(&check(ASKING).unwrap(), &Caller::default(), &script, at(0))
    };
    let told = tried("4711# tier=gold ok");
    assert_eq!(told.end(), Some("queue Help, priority 100"), "{told}");
    assert!(told.to_string().contains("asks GET https://crm.example/accounts/4711?from="), "{told}");
    for (script, end) in [
        ("4711#", "queue Help"),
        ("4711# answered=404 tier=gold ok", "queue Help"),
        ("4711# failed", "queue Help"),
        ("4711# timeout", "queue Help, priority 1"),
        ("4711# hangup", "the caller hangs up"),
    ] {
        assert_eq!(tried(script).end(), Some(end), "{script}: {}", tried(script));
    }
}

/// ROUTE-08: a table is asked for what the caller entered; its row is noted and decides where the caller goes, and so does a key it has not.
#[test]
fn a_row_decides_where_the_caller_goes() {
    let (mut run, effects) = asking(LOOKING_UP);
    let asked = LookUp { number: 1, table: "post-codes".into(), key: "4711".into() };
    assert_eq!(effects.last(), Some(&Effect::LookUp(asked)));
    assert_eq!(format!("{:?}", effects.last()), "Some(LookUp(LookUp(1, post-codes)))", "a key may be secret");
    let row = [("Team", "north"), ("City", "Kiel"), ("More", "x")].map(|(c, v)| (c.to_owned(), v.to_owned()));
    let effects = run.handle(Input::Replied(1, Reply::found(row.into())), at(2));
    let known = [("city", "Kiel"), ("skill", "north")];
    assert_eq!(noted(&effects), known.map(|(n, v)| (n.to_owned(), v.to_owned())).into());
    assert!(matches!(effects.last(), Some(Effect::Queue(wish)) if wish.priority == Some(7)), "{effects:?}");
    for nothing in [Reply::missing(), Reply::Failed, Reply::TimedOut] {
        let (mut run, _) = asking(LOOKING_UP);
        let effects = run.handle(Input::Replied(1, nothing), at(2));
        assert!(
            matches!(effects.last(), Some(Effect::Queue(wish)) if wish.priority.is_none()),
            "{effects:?}"
        );
    }
    let (mut run, _) = asking(LOOKING_UP);
    assert_eq!(run.handle(Input::Tick, at(1_000)), [Effect::Music], "a database that is away is not silence");
    assert!(matches!(run.handle(Input::Tick, at(5_000)).last(), Some(Effect::Queue(_))), "nor for long");
    for (from, to, wrong) in [
        (
            "\"post-codes\"",
            "\"post-code\"",
            "lookup.team.table: there is no table `post-code`; did you mean `post-codes`?",
        ),
        (
            "\"Team\"",
            "\"Taem\"",
            "lookup.team.picks.skill: the table has no column `Taem`; did you mean `Team`?",
        ),
        ("missing = \"help\"\n", "", "lookup.team: `missing` is missing"),
        ("skill = \"Team\", city = \"City\"", "", "lookup.team: `picks` names what is noted"),
    ] {
        let faults = check(&LOOKING_UP.replacen(from, to, 1)).map(|_| ()).unwrap_err();
        assert!(faults.iter().any(|fault| fault.starts_with(wrong)), "{wrong} in {faults:?}");
    }
    for (script, end) in [
        ("4711# skill=north ok", "queue Help, priority 7"),
        ("4711# missing", "queue Help"),
        ("4711#", "queue Help"),
    ] {
        let script = Script::from_words(script).unwrap();
        let told = try_out(&check(LOOKING_UP).unwrap(), &Caller::default(), &script, at(0));
        assert_eq!(told.end(), Some(end), "{told}");
        assert!(told.to_string().contains("looks `4711` up in post-codes"), "{told}");
    }
    let secret = LOOKING_UP.replace("missing =", "secret = true\nmissing =");
    let (mut run, _) = asking(&secret);
    assert_eq!(
        noted(&run.handle(
            Input::Replied(1, Reply::found(BTreeMap::from([("City".into(), "Kiel".into())]))),
            at(2)
        )),
        BTreeMap::new()
    );
}
