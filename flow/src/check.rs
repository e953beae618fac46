//! What is wrong with a flow, all of it at once; and a flow that nothing is wrong with.

mod during_calls;
mod fields;
mod requests;
mod secrets;
mod survey;
mod transfer;
mod voicemail;
mod ways;

use std::collections::{BTreeMap, BTreeSet};

use model::skill::SkillExpr;
use model::skill::text::Names;
use regex::Regex;

use crate::calendar::Hours;
use crate::graph::{Flow, Node};
use crate::speech::Language;
use crate::waiting::WHILE_WAITING;

/// What callers bring along: noted before the first step.
pub(crate) const GIVEN: [&str; 3] = ["caller", "caller_name", "called"];
/// Faults that are told; what more there is comes to light when these are mended.
const FAULTS_MAX: usize = 100;

/// What there is for a flow to name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Around<'a> {
    /// Sounds by name. A noted value that is read out needs `digit-0` to `digit-9`, and `digit-star` and `digit-hash` if it may hold
    /// them; keys without a sound are left out.
    pub prompts: &'a [&'a str],
    /// Services by name.
    pub services: &'a [&'a str],
    /// What numbers are spoken in.
    pub language: Language,
    /// Tables that values are looked up in, and the names of their columns.
    pub tables: &'a [(&'a str, &'a [String])],
    /// Systems that flows may ask, each as `host:port`.
    pub hosts: &'a [&'a str],
    /// Secrets of the appliance's configuration, by name.
    pub secrets: &'a [&'a str],
    /// Skills, groups and agents. `None`: requirements are not looked at, and cannot be used.
    pub names: Option<&'a Names>,
}

/// Something wrong with a flow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {what}")]
pub struct Fault {
    /// Where: `menu.language.timeout`.
    pub at: String,
    /// What is wrong, and what would do.
    pub what: String,
}

/// A flow in which nothing is wrong, with its expressions understood.
#[derive(Clone, Debug)]
pub struct Ready {
    flow: Flow,
    hours: BTreeMap<String, Hours>,
    patterns: BTreeMap<String, Regex>,
    requirements: BTreeMap<String, SkillExpr>,
    secrets: BTreeSet<String>,
    language: Language,
}

impl Ready {
    /// The flow.
    pub fn flow(&self) -> &Flow {
        &self.flow
    }
    /// A step of it.
    pub(crate) fn node(&self, name: &str) -> Option<Node<'_>> {
        self.flow.node(name)
    }
    pub(crate) fn hours(&self, calendar: &str) -> Option<&Hours> {
        self.hours.get(calendar)
    }
    /// Whether the whole of a text matches.
    pub(crate) fn matches(&self, pattern: &str, text: &str) -> bool {
        self.patterns.get(pattern).is_some_and(|pattern| pattern.is_match(text))
    }
    pub(crate) fn language(&self) -> Language {
        self.language
    }
    /// Whether a noted value is never written down.
    pub(crate) fn is_secret(&self, var: &str) -> bool {
        self.secrets.contains(var)
    }
    /// Whether agents may start it in calls of the service of this name.
    pub fn is_for_calls_of(&self, service: &str) -> bool {
        let named = &self.flow.services;
        self.flow.during_calls && (named.is_empty() || named.iter().any(|each| each == service))
    }
    /// Whether what callers enter at this step is never written down.
    pub(crate) fn asks_secret(&self, step: &str) -> bool {
        self.flow.collect.get(step).is_some_and(|collect| collect.secret)
    }
    /// Names of the services that it asks or is for.
    fn services(&self) -> impl Iterator<Item = &str> {
        let back = self.flow.callback.values().filter_map(|callback| callback.service.as_deref());
        let messages = self.flow.voicemail.values().filter_map(|voicemail| voicemail.service.as_deref());
        let during = self.flow.services.iter().map(String::as_str);
        self.flow.queue.values().map(|queue| queue.service.as_str()).chain(back).chain(messages).chain(during)
    }
    /// Whether it asks this service for an agent, or is for its calls.
    pub fn names_service(&self, name: &str) -> bool {
        self.services().any(|each| each == name)
    }
    /// Services whose queue a caller may be asked for without hearing or entering anything first, by name.
    pub fn leads_at_once(&self) -> Vec<String> {
        let mut open = vec![self.flow.start.as_str()];
        let (mut seen, mut found) = (BTreeSet::new(), BTreeSet::new());
        while let Some(name) = open.pop() {
            let Some(node) = self.flow.node(name).filter(|node| seen.insert(name) && !node.waits()) else {
                continue;
            };
            if let Node::Queue(queue) = node {
                found.insert(queue.service.clone());
            }
            open.extend(node.exits().into_iter().map(|(_, to)| to));
        }
        found.into_iter().collect()
    }
    /// A requirement of the flow as routing knows it; `None` if names were not known when the flow was checked.
    pub fn requirement(&self, text: &str) -> Option<&SkillExpr> {
        self.requirements.get(text)
    }
}

/// The work of one check.
struct Checking<'a> {
    flow: &'a Flow,
    around: &'a Around<'a>,
    /// Values that some step notes, and those that are given.
    noted: BTreeSet<&'a str>,
    faults: Vec<Fault>,
    hours: BTreeMap<String, Hours>,
    patterns: BTreeMap<String, Regex>,
    requirements: BTreeMap<String, SkillExpr>,
}

impl Flow {
    /// Everything that is wrong with it, in the order of the text; or the flow, ready to run.
    pub fn check(&self, around: &Around<'_>) -> Result<Ready, Vec<Fault>> {
        let mut checking = Checking {
            flow: self,
            around,
            noted: self.given().chain(self.notes()).collect(),
            faults: Vec::new(),
            hours: BTreeMap::new(),
            patterns: BTreeMap::new(),
            requirements: BTreeMap::new(),
        };
        checking.head();
        checking.during_calls();
        checking.fields();
        checking.ways();
        let Checking { mut faults, hours, patterns, requirements, .. } = checking;
        if faults.is_empty() {
            let secrets = self.secrets();
            let flow = self.clone();
            let language = around.language;
            return Ok(Ready { flow, hours, patterns, requirements, secrets, language });
        }
        faults.truncate(FAULTS_MAX);
        Err(faults)
    }

    /// Values that are there without a step that notes them.
    pub(crate) fn given(&self) -> impl Iterator<Item = &str> {
        let waiting: &[&str] = if self.while_waiting { &WHILE_WAITING } else { &[] };
        GIVEN.into_iter().chain(waiting.iter().copied())
    }

    /// Names under which steps note something.
    fn notes(&self) -> impl Iterator<Item = &str> {
        self.nodes().flat_map(|(_, node)| match node {
            Node::Menu(menu) => menu.into.iter().map(String::as_str).collect(),
            Node::Collect(collect) => vec![collect.into.as_str()],
            Node::Survey(survey) => survey.into.iter().map(String::as_str).collect(),
            Node::Set(set) => set.vars.keys().map(String::as_str).collect(),
            Node::Lookup(lookup) => lookup.picks.keys().map(String::as_str).collect(),
            Node::Http(http) => http.picks.keys().chain(&http.status).map(String::as_str).collect(),
            _ => Vec::new(),
        })
    }
}

impl<'a> Checking<'a> {
    fn fault(&mut self, at: impl Into<String>, what: impl Into<String>) {
        self.faults.push(Fault { at: at.into(), what: what.into() });
    }
}

/// Names that are listed where none is near.
const LISTED: usize = 8;

/// `; did you mean …?`, if something is near, and else what there is.
fn near<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let best = known.iter().map(|other| (strsim::damerau_levenshtein(name, other), other)).min();
    match best {
        Some((distance, other)) if distance <= 1 + name.chars().count() / 4 => {
            format!("; did you mean `{other}`?")
        }
        Some(_) => {
            let listed: Vec<String> = known.iter().take(LISTED).map(|name| format!("`{name}`")).collect();
            format!("; there is {}{}", listed.join(", "), if known.len() > LISTED { ", …" } else { "" })
        }
        None => String::new(),
    }
}
