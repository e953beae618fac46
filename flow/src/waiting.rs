//! What callers hear while they wait, from a few settings: put together as a flow, so that there is one engine (ROUTE-07).

mod callback;

use std::collections::BTreeMap;
use std::time::Duration;

use model::service::{CallbackRules, WaitingRules};

use crate::graph::{Case, Flow, HangUp, If, Play, Transfer, Voicemail, Wait};
use crate::prompt::{Item, Prompt};
use crate::speech::Language;
use crate::template::Template;

/// Values that a flow knows while its caller waits; each is empty when it is not known.
pub const WHILE_WAITING: [&str; 3] = ["position", "expected_wait_minutes", "waited_s"];

/// The flow of a service's settings; `None` when music is all there is.
pub fn announcements(rules: &WaitingRules, callback: &CallbackRules, language: Language) -> Option<Flow> {
    let told = rules.position || rules.expected_wait;
    let (silent, offered) = (!told && rules.comfort.is_empty(), callback.is_offered());
    if rules.greeting.is_none() && silent && !offered {
        return None;
    }
    let mut making = Making { flow: Flow::default(), language, callback };
    making.flow.name = "waiting".into();
    making.flow.while_waiting = true;
    making.flow.start = "first".into();
    if let Some(greeting) = &rules.greeting {
        making.flow.start = "greeting".into();
        making.play("greeting", &[greeting], "first");
    }
    if silent && !offered {
        making.wait("first", HOUR_S, "first");
        return Some(making.flow);
    }
    // With nothing else to be told, the offer has its own time.
    let own = callback.offer_after_s.filter(|_| silent);
    making.wait("first", own.unwrap_or(rules.first_after_s), &begins(rules, 1));
    let turns = rules.comfort.len().max(1);
    for turn in 1..=turns {
        making.turn(rules, turn, &begins(rules, turn % turns + 1));
    }
    if offered {
        making.ask_number();
    }
    Some(making.flow)
}

/// The flow of callers whom a service has leave a message, from its settings.
pub fn voicemail(service: &str) -> Flow {
    let step = Voicemail { service: Some(service.to_owned()), ..Voicemail::default() };
    let (name, start) = ("voicemail".to_owned(), "message".to_owned());
    Flow { name, voicemail: BTreeMap::from([(start.clone(), step)]), start, ..Flow::default() }
}

/// The flow of those who called somebody's extension and leave a message there (VM-01).
pub fn own_voicemail() -> Flow {
    let (name, start) = ("own voicemail".to_owned(), "message".to_owned());
    let voicemail = BTreeMap::from([(start.clone(), Voicemail::default())]);
    Flow { name, direct: true, voicemail, start, ..Flow::default() }
}

/// The flow of those who called somebody's extension and are forwarded to a number outside (VM-13). Who is not reached there is not
/// reached.
pub fn forwarding(number: &str) -> Flow {
    let (name, start, over) = ("forwarding".to_owned(), "forward".to_owned(), "over".to_owned());
    let number = Template(number.to_owned());
    let step = Transfer { number, ring_s: FORWARDED_S, busy: None, unanswered: None, failed: over.clone() };
    let transfer = BTreeMap::from([(start.clone(), step)]);
    let hangup = BTreeMap::from([(over, HangUp::default())]);
    Flow { name, direct: true, transfer, hangup, start, ..Flow::default() }
}

/// How long a number rings that a call is forwarded to: longer than most mailboxes there wait.
const FORWARDED_S: u32 = 45;

/// The first step of a turn.
fn begins(rules: &WaitingRules, turn: usize) -> String {
    let part = if rules.position {
        "place"
    } else if rules.expected_wait {
        "wait"
    } else if !rules.comfort.is_empty() {
        "comfort"
    } else {
        "offer"
    };
    format!("{part}-{turn}")
}

/// The longest music without anything else: it begins anew then.
const HOUR_S: u32 = 3_600;

struct Making<'a> {
    flow: Flow,
    language: Language,
    callback: &'a CallbackRules,
}

impl Making<'_> {
    /// One turn: the place, the expected wait, a comforting message, the offer to be called back, music.
    fn turn(&mut self, rules: &WaitingRules, turn: usize, next: &str) {
        let name = |part: &str| format!("{part}-{turn}");
        let (place, wait, comfort, music) = (name("place"), name("wait"), name("comfort"), name("music"));
        let offered = self.callback.is_offered();
        let offer = if offered { name("offer") } else { music.clone() };
        let message = rules.comfort.get(turn - 1);
        let after_wait = if message.is_some() { &comfort } else { &offer };
        let after_place = if rules.expected_wait { &wait } else { after_wait };
        if rules.position {
            let (say, line) = (name("say-place"), ["position-before", "{position:number}", "position-after"]);
            self.choose(&place, vec![at_least("position", 1, &say)], after_place);
            let parts = if self.language == Language::Russian { &line[..2] } else { &line[..] };
            self.play(&say, parts, after_place);
        }
        if rules.expected_wait {
            let (say, soon) = (name("say-wait"), name("say-soon"));
            let known = "expected_wait_minutes";
            let cases = vec![at_least(known, 2, &say), at_least(known, 1, &soon)];
            self.choose(&wait, cases, after_wait);
            self.play(&say, &["wait-before", "{expected_wait_minutes:minutes}"], after_wait);
            self.play(&soon, &["wait-under-minute"], after_wait);
        }
        if let Some(message) = message {
            self.play(&comfort, &[message], &offer);
        }
        if offered {
            self.offer(turn, &music);
        }
        self.wait(&music, rules.every_s, next);
        if let Some(wait) = self.flow.wait.get_mut(&music).filter(|_| offered) {
            wait.choices.insert("1".into(), callback::WANTED.into());
        }
    }

    fn play<T: AsRef<str>>(&mut self, name: &str, sounds: &[T], next: &str) {
        let prompt = Prompt(sounds.iter().map(|sound| Item::from(sound.as_ref())).collect());
        let play = Play { prompt, interruptible: false, next: next.into() };
        self.flow.play.insert(name.into(), play);
    }

    fn wait(&mut self, name: &str, seconds: u32, next: &str) {
        let wait = Wait { seconds, choices: BTreeMap::new(), next: next.into() };
        self.flow.wait.insert(name.into(), wait);
    }

    fn choose(&mut self, name: &str, cases: Vec<Case>, otherwise: &str) {
        self.flow.cases.insert(name.into(), If { cases, otherwise: Some(otherwise.into()) });
    }
}

fn at_least(var: &str, least: i64, then: &str) -> Case {
    Case { var: var.into(), at_least: Some(least), then: then.into(), ..Case::default() }
}

/// What is said of an expected wait, in minutes: rounded up, and never a minute more than was said before. An estimate that
/// trembles around a full minute would sound as if the line moved backwards; one that really grew, by two, is told.
pub fn minutes_to_say(said: Option<u32>, expected: Duration) -> u32 {
    let minutes = u32::try_from(expected.as_secs().div_ceil(60)).unwrap_or(u32::MAX).max(1);
    match said {
        Some(said) if minutes == said.saturating_add(1) => said,
        _ => minutes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ROUTE-07: a second announcement does not say a minute more than the first, though the estimate trembles.
    #[test]
    fn an_estimate_that_trembles_says_the_same() {
        let mut said = None;
        for (seconds, expected) in
            [(170, 3), (185, 3), (179, 3), (200, 3), (119, 2), (121, 2), (300, 5), (5, 1), (61, 1), (0, 1)]
        {
            said = Some(minutes_to_say(said, Duration::from_secs(seconds)));
            assert_eq!(said, Some(expected), "{seconds} s");
        }
    }
}
