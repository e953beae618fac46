//! Flows of self-service as an administrator writes them, and callers in them (ROUTE-08).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use flow::{Around, Caller, Effect, Flow, Input, NoCallback, NotReached, Opened, Refused, Reply, Run};
use model::id::{Id, SkillId};
use model::skill::text::Names;
use model::time::Timestamp;

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
/// What is done to one caller.
const TURNS: usize = 5_000;
/// Steps that a run takes at most.
const STEPS: usize = 1_000;

/// A text is refused in bounded words; or it reads back as the same flow; and when nothing is wrong with it, whatever a caller does is followed by a
/// bounded number of steps.
pub(super) fn flow(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let flow = match Flow::from_text(&text) {
        Ok(flow) => flow,
        Err(error) => return assert!(error.to_string().len() < 20_000, "{error}"),
    };
    let written = flow.to_text().expect("what was read can be written");
    assert_eq!(Flow::from_text(&written).as_ref(), Ok(&flow), "{written}");
    let mut names = Names::default();
    names.skill(SkillId::from_number(1), "german");
    names.skill(SkillId::from_number(2), "cards");
    let around = Around {
        prompts: &PROMPTS,
        services: &["Hotline", "Cards"],
        tables: &[("codes", &["team".to_owned()])],
        hosts: &["crm.example:443"],
        secrets: &["crm"],
        names: Some(&names),
        ..Around::default()
    };
    match flow.check(&around) {
        Err(faults) => assert!(!faults.is_empty() && faults.len() <= 100),
        Ok(ready) => walk(Run::begin(Arc::new(ready), &Caller::default(), Timestamp::default()), input),
    }
}

/// A caller whose doings are the octets of the text, again and again.
fn walk((mut run, mut effects): (Run, Vec<Effect>), input: &[u8]) {
    let mut now = Timestamp::default();
    let (mut number, mut steps, mut request, mut row) = (0, 0, None, None);
    for turn in 0..TURNS {
        for effect in &effects {
            match effect {
                Effect::Play { number: begun, .. } => number = *begun,
                Effect::Request(asked) => request = Some(asked.clone()),
                Effect::LookUp(asked) => row = Some(asked.number),
                Effect::Entered(_) => steps += 1,
                Effect::End(_) => assert!(run.is_over()),
                _ => {}
            }
        }
        assert!(steps <= STEPS, "it goes round and round at {}", run.at());
        if run.is_over() {
            assert!(run.next_deadline().is_none());
            return;
        }
        let octet = input[turn % input.len()];
        let refused = [Refused::Closed, Refused::Unstaffed, Refused::Full][usize::from(octet) % 3];
        effects = match octet % 5 {
            // These wait for nothing else: they have to be refused, or the run would be over.
            _ if run.next_deadline().is_none() => match effects.last() {
                Some(Effect::Transfer(_)) => run.handle(Input::NotReached(NotReached::Busy), now),
                Some(Effect::CallBack(_)) => run.handle(Input::CallbackRefused(NoCallback::Refused), now),
                _ => run.handle(Input::Refused(refused), now),
            },
            0 => run.handle(Input::Played(number), now),
            1 => run.handle(Input::Key(char::from(b"0123456789*#ABCD"[usize::from(octet) % 16])), now),
            2 => match effects.last() {
                Some(Effect::TakeMessage { .. }) if octet > 200 => run.handle(Input::NoMessage, now),
                Some(Effect::TakeMessage { .. }) => {
                    let (greeting, length_max) = (None, Duration::from_secs(60));
                    run.handle(Input::MessageTaken(Opened { greeting, length_max }), now)
                }
                Some(Effect::BeginMessage) => run.handle(Input::Silent(octet > 128), now),
                _ => run.handle(Input::Refused(refused), now),
            },
            3 if row.is_some() => {
                let reply = if octet < 128 { Reply::missing() } else { Reply::found(BTreeMap::new()) };
                run.handle(Input::Replied(row.take().unwrap_or_default(), reply), now)
            }
            3 if request.is_some() => {
                let asked = request.take().expect("it was looked at");
                // The text of a flow is no JSON, and what of it begins as JSON is read as far as it goes.
                let answer = &input[turn % input.len()..];
                run.handle(Input::Replied(asked.number, asked.read(200 + u16::from(octet), answer)), now)
            }
            _ => {
                now = run.next_deadline().unwrap_or(now + Duration::from_secs(1)).max(now);
                run.handle(Input::Tick, now)
            }
        };
    }
}
