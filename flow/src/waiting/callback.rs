//! The offer to be called back: the number is read out and confirmed, or another one is typed (CB-01).

use std::collections::BTreeMap;

use super::{HangUp, Making, at_least};
use crate::graph::{Callback, Case, Collect, If, Menu, Set};
use crate::prompt::{Item, Prompt};
use crate::template::Template;

/// Where the key leads that is told by the offer.
pub(super) const WANTED: &str = "callback-wanted";
/// Where whoever does not go on waits on.
const BACK: &str = "music-1";
const NUMBER: &str = "callback_number";

impl Making<'_> {
    /// In one turn: offered when it is time, with a key.
    pub(super) fn offer(&mut self, turn: usize, music: &str) {
        let say = format!("say-offer-{turn}");
        let cases = If { cases: self.due(&say), otherwise: Some(music.into()) };
        self.flow.cases.insert(format!("offer-{turn}"), cases);
        let menu = Menu {
            prompt: prompt(&["callback-offer"]),
            again: None,
            choices: keys(&[("1", "callback-number")]),
            wait_s: 4,
            tries: 1,
            into: None,
            timeout: Some(music.into()),
            otherwise: Some(music.into()),
        };
        self.flow.menu.insert(say, menu);
    }

    /// Whether it is time.
    fn due(&self, then: &str) -> Vec<Case> {
        let waited = self.callback.offer_after_s.map(|s| at_least("waited_s", s.into(), then));
        let expected =
            self.callback.offer_from_min.map(|m| at_least("expected_wait_minutes", m.into(), then));
        waited.into_iter().chain(expected).collect()
    }

    /// From the key to good-bye.
    pub(super) fn ask_number(&mut self) {
        // Whoever knows the key does not have it before the others.
        let wanted = If { cases: self.due("callback-number"), otherwise: Some(BACK.into()) };
        self.flow.cases.insert(WANTED.into(), wanted);
        let own = |then: &str| Case {
            var: "caller".into(),
            matches: Some(r"\+?[0-9]{2,20}".into()),
            then: then.into(),
            ..Case::default()
        };
        let number = If { cases: vec![own("callback-own")], otherwise: Some("callback-type".into()) };
        self.flow.cases.insert("callback-number".into(), number);
        let vars = BTreeMap::from([(NUMBER.to_owned(), Template("{caller}".into()))]);
        self.flow.set.insert("callback-own".into(), Set { vars, next: "callback-confirm".into() });
        let confirm = Menu {
            prompt: prompt(&["callback-number-is", "{callback_number}", "callback-confirm"]),
            again: None,
            choices: keys(&[("1", "callback-ask"), ("2", "callback-other")]),
            wait_s: 6,
            tries: 2,
            into: None,
            timeout: Some(BACK.into()),
            otherwise: Some(BACK.into()),
        };
        self.flow.menu.insert("callback-confirm".into(), confirm);
        let typing = Collect {
            prompt: prompt(&["callback-type"]),
            again: None,
            into: NUMBER.into(),
            min: 2,
            max: 20,
            end: "#".into(),
            matches: Some("[0-9]+".into()),
            luhn: false,
            secret: false,
            wait_s: 10,
            tries: 2,
            next: "callback-confirm".into(),
            failed: Some(BACK.into()),
        };
        self.flow.collect.insert("callback-type".into(), typing);
        // A breath of music, so that nobody is talked to without end.
        self.wait("callback-other", 1, "callback-type");
        let ask = Callback {
            service: None,
            number: Template("{callback_number}".into()),
            at: None,
            outside: None,
            next: "callback-thanks".into(),
            invalid: "callback-invalid".into(),
            already: "callback-already".into(),
            refused: "callback-refused".into(),
        };
        self.flow.callback.insert("callback-ask".into(), ask);
        for (name, next) in [
            ("callback-thanks", "callback-end"),
            ("callback-invalid", "callback-other"),
            ("callback-already", BACK),
            ("callback-refused", BACK),
        ] {
            self.play(name, &[name], next);
        }
        self.flow.hangup.insert("callback-end".into(), HangUp {});
    }
}

fn prompt(sounds: &[&str]) -> Prompt {
    Prompt(sounds.iter().map(|sound| Item::from(*sound)).collect())
}

fn keys(keys: &[(&str, &str)]) -> BTreeMap<String, String> {
    keys.iter().map(|(key, to)| ((*key).to_owned(), (*to).to_owned())).collect()
}
