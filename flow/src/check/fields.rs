//! Each field by itself: names, bounds, texts that have to be understood.

use model::skill::text;
use regex::RegexBuilder;

use super::{Checking, near};
use crate::calendar::Hours;
use crate::graph::{Callback, Case, Collect, Menu, NODES_MAX, Node};
use crate::prompt::{ITEMS_MAX, Item, Prompt};
use crate::template::{Piece, Template};

/// Longest name of a flow, in characters.
const NAME_MAX: usize = 80;
/// Values that one flow may note.
const NOTED_MAX: usize = 32;
/// What a compiled expression may take, in octets: matching is linear in the value, which is short.
const PATTERN_MAX: usize = 64 * 1024;
/// Highest priority a service or a flow gives.
const PRIORITY_MAX: i32 = 1_000;

impl<'a> Checking<'a> {
    /// The flow as a whole.
    pub(super) fn head(&mut self) {
        let flow = self.flow;
        if flow.name.trim().is_empty() || flow.name.chars().count() > NAME_MAX {
            self.fault("name", format!("a flow has a name of 1 to {NAME_MAX} characters"));
        }
        let count = flow.nodes().count();
        if count == 0 || count > NODES_MAX {
            self.fault("name", format!("a flow has 1 to {NODES_MAX} steps; this one has {count}"));
        }
        if self.noted.len() > NOTED_MAX + flow.given().count() {
            self.fault("name", format!("a flow notes at most {NOTED_MAX} values"));
        }
        for (name, calendar) in &flow.calendar {
            match Hours::read(calendar) {
                Ok(hours) => drop(self.hours.insert(name.clone(), hours)),
                Err(what) => self.fault(format!("calendar.{name}"), what),
            }
        }
    }

    /// Every step by itself.
    pub(super) fn fields(&mut self) {
        let mut seen = std::collections::BTreeMap::new();
        for (name, node) in self.flow.nodes() {
            let at = format!("{}.{name}", node.kind().word());
            if !is_name(name, 64, |c| c == '-') {
                self.fault(&at, "a step is named by letters a to z, digits, `_` and `-`, 64 at most");
            }
            if let Some(other) = seen.insert(name, node.kind()) {
                self.fault(&at, format!("another step has this name: {}.{name}", other.word()));
            }
            self.fits_call(&at, node.kind());
            match node {
                Node::Play(play) => self.prompt(&format!("{at}.prompt"), &play.prompt),
                Node::Menu(menu) => self.menu(&at, menu),
                Node::Collect(collect) => self.collect(&at, collect),
                Node::Survey(survey) => self.survey(&at, survey),
                Node::Set(set) => {
                    if set.vars.is_empty() {
                        self.fault(&at, "`vars` names what is noted, such as `vars = { language = \"en\" }`");
                    }
                    for (var, template) in &set.vars {
                        self.noting(&format!("{at}.vars.{var}"), var);
                        self.template(&format!("{at}.vars.{var}"), template);
                    }
                }
                Node::If(cases) => {
                    if cases.cases.is_empty() {
                        self.fault(&at, "it has no case");
                    }
                    if cases.otherwise.is_none() {
                        self.fault(&at, "`otherwise` is missing: where to when no case holds");
                    }
                    for (number, case) in cases.cases.iter().enumerate() {
                        self.case(&format!("{at}.cases[{number}]"), case);
                    }
                }
                Node::Hours(hours) => {
                    if !self.flow.calendar.contains_key(&hours.calendar) {
                        let hint = near(&hours.calendar, self.flow.calendar.keys().map(String::as_str));
                        let what = format!("there is no calendar `{}`{hint}", hours.calendar);
                        self.fault(format!("{at}.calendar"), what);
                    }
                }
                Node::Route(_) if self.flow.while_waiting => {
                    self.fault(
                        &at,
                        "whoever waits already is served as the service says: this step would do nothing",
                    );
                }
                Node::Route(route) => {
                    if route.require.is_none() && route.priority.is_none() {
                        self.fault(&at, "it sets nothing: give `require`, `priority` or both");
                    }
                    self.wish(&at, route.require.as_deref(), route.priority);
                }
                Node::Callback(callback) => self.callback(&at, callback),
                Node::Transfer(transfer) => self.transfer(&at, transfer),
                Node::Voicemail(voicemail) => self.voicemail(&at, voicemail),
                Node::Queue(queue) => {
                    self.service(&at, &queue.service);
                    if self.flow.while_waiting && (queue.require.is_some() || queue.priority.is_some()) {
                        self.fault(&at, "whoever goes on to another queue is served as its service says");
                    }
                    self.wish(&at, queue.require.as_deref(), queue.priority);
                }
                Node::Http(http) => self.http(&at, http),
                Node::Lookup(lookup) => self.lookup(&at, lookup),
                Node::Wait(wait) => {
                    if !(1..=3_600).contains(&wait.seconds) {
                        self.fault(format!("{at}.seconds"), "music is heard for 1 to 3600 seconds");
                    }
                    self.keys(&at, wait.choices.keys());
                }
                Node::GiveBack(_) | Node::HangUp(_) => {}
            }
        }
    }

    pub(super) fn service(&mut self, at: &str, name: &str) {
        self.service_at(&format!("{at}.service"), name);
    }

    /// A service that is named here.
    pub(super) fn service_at(&mut self, at: &str, name: &str) {
        if !self.around.services.contains(&name) {
            let hint = near(name, self.around.services.iter().copied());
            self.fault(at, format!("there is no service `{name}`{hint}"));
        }
    }

    fn callback(&mut self, at: &str, callback: &Callback) {
        match (&callback.service, self.flow.while_waiting) {
            (Some(_), true) => {
                let what =
                    "whoever waits is called back by the agents of the service waited for: leave it out";
                self.fault(format!("{at}.service"), what);
            }
            (None, false) => self.fault(at, "`service` is missing: whose agents call back"),
            (Some(service), false) => self.service(at, service),
            (None, true) => {}
        }
        self.template(&format!("{at}.number"), &callback.number);
        if callback.at.is_some() != callback.outside.is_some() {
            let what = "`at` says when, and `outside` where to when that is not possible: give both or none";
            self.fault(at, what);
        }
        if let Some(time) = &callback.at {
            self.template(&format!("{at}.at.in_days"), &time.in_days);
            self.template(&format!("{at}.at.hour"), &time.hour);
        }
    }

    fn menu(&mut self, at: &str, menu: &Menu) {
        self.asking(at, &menu.prompt, menu.again.as_ref(), (menu.wait_s, menu.tries));
        if menu.choices.is_empty() {
            self.fault(at, "a menu has at least one choice");
        }
        self.keys(at, menu.choices.keys());
        if menu.timeout.is_none() {
            self.fault(at, "`timeout` is missing: where to when nothing is pressed");
        }
        if menu.otherwise.is_none() {
            self.fault(at, "`otherwise` is missing: where to when another key is pressed");
        }
        if let Some(var) = &menu.into {
            self.noting(&format!("{at}.into"), var);
        }
    }

    fn keys<'k>(&mut self, at: &str, keys: impl Iterator<Item = &'k String>) {
        for key in keys.filter(|key| !is_key(key)) {
            self.fault(format!("{at}.choices.{key}"), "a key is one of 0 to 9, *, #, A to D");
        }
    }

    fn collect(&mut self, at: &str, collect: &Collect) {
        self.asking(at, &collect.prompt, collect.again.as_ref(), (collect.wait_s, collect.tries));
        self.noting(&format!("{at}.into"), &collect.into);
        if !(1..=32).contains(&collect.max) || !(1..=collect.max).contains(&collect.min) {
            self.fault(at, "`min` is from 1 to `max`, and `max` at most 32");
        }
        if !collect.end.is_empty() && !is_key(&collect.end) {
            self.fault(
                format!("{at}.end"),
                "the closing key is one of 0 to 9, *, #, A to D, or empty for none",
            );
        }
        if collect.failed.is_none() {
            self.fault(at, "`failed` is missing: where to when no good number came");
        }
        if let Some(pattern) = &collect.matches {
            self.pattern(&format!("{at}.matches"), pattern);
        }
    }

    /// What menu and collect have in common.
    pub(super) fn asking(
        &mut self,
        at: &str,
        prompt: &Prompt,
        again: Option<&Prompt>,
        (wait_s, tries): (u32, u32),
    ) {
        self.prompt(&format!("{at}.prompt"), prompt);
        if let Some(again) = again {
            self.prompt(&format!("{at}.again"), again);
        }
        if !(1..=60).contains(&wait_s) {
            self.fault(format!("{at}.wait_s"), "a caller is waited for 1 to 60 seconds");
        }
        if !(1..=10).contains(&tries) {
            self.fault(format!("{at}.tries"), "a caller is asked 1 to 10 times");
        }
    }

    fn case(&mut self, at: &str, case: &Case) {
        self.reading(&format!("{at}.var"), &case.var);
        let tests = [case.is.is_some(), case.one_of.is_some(), case.starts.is_some(), case.matches.is_some()];
        if !tests.contains(&true) && case.at_least.is_none() && case.at_most.is_none() {
            self.fault(
                at,
                "it compares with nothing: give `is`, `one_of`, `starts`, `matches`, `at_least` or `at_most`",
            );
        }
        if let Some(pattern) = &case.matches {
            self.pattern(&format!("{at}.matches"), pattern);
        }
    }

    fn wish(&mut self, at: &str, require: Option<&str>, priority: Option<i32>) {
        if let (Some(require), Some(names)) = (require, self.around.names) {
            match text::parse(require, names) {
                Ok(who) => drop(self.requirements.insert(require.to_owned(), who)),
                Err(error) => self.fault(format!("{at}.require"), error.to_string()),
            }
        }
        if priority.is_some_and(|priority| !(0..=PRIORITY_MAX).contains(&priority)) {
            self.fault(format!("{at}.priority"), format!("a priority is 0 to {PRIORITY_MAX}"));
        }
    }

    pub(super) fn prompt(&mut self, at: &str, prompt: &Prompt) {
        if prompt.0.is_empty() || prompt.0.len() > ITEMS_MAX {
            self.fault(at, format!("a prompt has 1 to {ITEMS_MAX} sounds"));
        }
        for item in &prompt.0 {
            match item {
                Item::Sound(name) if !self.around.prompts.contains(&name.as_str()) => {
                    let hint = near(name, self.around.prompts.iter().copied());
                    self.fault(at, format!("there is no sound `{name}`{hint}"));
                }
                Item::Sound(_) => {}
                Item::Digits(var) | Item::Number(var, _) => self.reading(at, var),
            }
        }
    }

    pub(super) fn template(&mut self, at: &str, template: &Template) {
        match template.pieces() {
            Err(what) => self.fault(at, what),
            Ok(pieces) => {
                for piece in pieces {
                    if let Piece::Value(var) = piece {
                        self.reading(at, var);
                    }
                }
            }
        }
    }

    /// A value that a step notes.
    pub(super) fn noting(&mut self, at: &str, var: &str) {
        if self.flow.given().any(|given| given == var) {
            self.fault(at, format!("`{var}` is given with the call and stays as it is"));
        } else if !is_name(var, 32, |_| false) {
            self.fault(at, "a value is named by letters a to z, digits and `_`, 32 at most");
        }
    }

    /// A value that a step reads.
    fn reading(&mut self, at: &str, var: &str) {
        if !self.noted.contains(var) {
            let hint = near(var, self.noted.iter().copied());
            self.fault(at, format!("nothing is noted as `{var}`{hint}"));
        }
    }

    fn pattern(&mut self, at: &str, pattern: &str) {
        // By itself first, so that nothing of it reaches out of the brackets. The whole value has to match: people who write
        // `\d{4}` mean four digits, not four among others.
        let alone = RegexBuilder::new(pattern).size_limit(PATTERN_MAX).build();
        let whole = alone
            .and_then(|_| RegexBuilder::new(&format!(r"\A(?:{pattern})\z")).size_limit(PATTERN_MAX).build());
        match whole {
            Ok(compiled) => drop(self.patterns.insert(pattern.to_owned(), compiled)),
            Err(regex::Error::CompiledTooBig(_)) => self.fault(at, "this expression is too large"),
            Err(_) => self.fault(at, format!("`{pattern}` is no regular expression")),
        }
    }
}

fn is_key(key: &str) -> bool {
    matches!(key.as_bytes(), [b'0'..=b'9' | b'*' | b'#' | b'A'..=b'D'])
}

fn is_name(name: &str, most: usize, more: fn(char) -> bool) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || more(c);
    (1..=most).contains(&name.len()) && name.chars().all(fits)
}
