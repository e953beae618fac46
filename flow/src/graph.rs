//! A flow as data: steps by kind and name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::calendar::Calendar;
use crate::prompt::Prompt;
use crate::template::Template;

/// Steps of one flow.
pub const NODES_MAX: usize = 500;

/// What callers of a number go through. Steps are kept by kind, so that a text names each `[menu.language]`; no two steps share a
/// name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// Shown in lists and logs.
    pub name: String,
    /// The first step.
    pub start: String,
    /// Opening hours that steps ask.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub calendar: BTreeMap<String, Calendar>,
    /// Steps that play something.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub play: BTreeMap<String, Play>,
    /// Steps that ask for one key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub menu: BTreeMap<String, Menu>,
    /// Steps that ask for a number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub collect: BTreeMap<String, Collect>,
    /// Steps that note something.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, Set>,
    /// Steps that look at what was noted.
    #[serde(default, rename = "if", skip_serializing_if = "BTreeMap::is_empty")]
    pub cases: BTreeMap<String, If>,
    /// Steps that look at the clock.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hours: BTreeMap<String, Hours>,
    /// Steps that say who is to answer, and how urgent it is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub route: BTreeMap<String, Route>,
    /// Steps that ask for an agent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub queue: BTreeMap<String, Queue>,
    /// Steps that end the call.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hangup: BTreeMap<String, HangUp>,
}

/// Plays something to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Play {
    /// What.
    pub prompt: Prompt,
    /// A key ends it early; the key counts for the next menu. Default true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub interruptible: bool,
    /// Where to then.
    pub next: String,
}

/// Asks for one key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Menu {
    /// What is asked. A key may be pressed before its end.
    pub prompt: Prompt,
    /// Said before it is asked again; nothing unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Prompt>,
    /// Where each key leads: `0` to `9`, `*`, `#`, `A` to `D`.
    pub choices: BTreeMap<String, String>,
    /// Seconds to wait for a key after the prompt, 1 to 60. Default 5.
    #[serde(default = "five", skip_serializing_if = "is_five")]
    pub wait_s: u32,
    /// How often it is asked, 1 to 10. Default 3.
    #[serde(default = "three", skip_serializing_if = "is_three")]
    pub tries: u32,
    /// Notes the key here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub into: Option<String>,
    /// Where to when nothing was pressed at the last try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// Where to when a key was pressed at the last try that is no choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<String>,
}

/// Asks for a number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collect {
    /// What is asked. Keys may be pressed before its end.
    pub prompt: Prompt,
    /// Said before it is asked again; nothing unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Prompt>,
    /// Where the number is noted.
    pub into: String,
    /// Fewest digits, 1 to `max`. Default 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub min: usize,
    /// Most digits, up to 32. That many end the number without the closing key. Default 32.
    #[serde(default = "thirty_two", skip_serializing_if = "is_thirty_two")]
    pub max: usize,
    /// The key that closes the number. Default `#`; empty: none.
    #[serde(default = "hash", skip_serializing_if = "is_hash")]
    pub end: String,
    /// A regular expression that the whole number matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
    /// The last digit is a check digit by Luhn's sum (ISO/IEC 7812-1), as on cards.
    #[serde(default, skip_serializing_if = "is_no")]
    pub luhn: bool,
    /// Seconds to wait for a key after the prompt and after each key, 1 to 60. Default 5.
    #[serde(default = "five", skip_serializing_if = "is_five")]
    pub wait_s: u32,
    /// How often it is asked, 1 to 10. Default 3.
    #[serde(default = "three", skip_serializing_if = "is_three")]
    pub tries: u32,
    /// Where to with a number that is good.
    pub next: String,
    /// Where to without one after the last try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// Notes something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// Names and what they are from now on; `{name}` stands for what was noted before.
    pub vars: BTreeMap<String, Template>,
    /// Where to then.
    pub next: String,
}

/// Takes the first case that holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct If {
    /// Looked at in this order.
    pub cases: Vec<Case>,
    /// Where to when none holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<String>,
}

/// One case: all tests of it hold. At least one is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Which noted value is looked at.
    pub var: String,
    /// It is exactly this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is: Option<String>,
    /// It is one of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_of: Option<Vec<String>>,
    /// It begins so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<String>,
    /// The whole of it matches this regular expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
    /// It is a number, and at least this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<i64>,
    /// It is a number, and at most this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<i64>,
    /// Where to.
    pub then: String,
}

/// Looks at the clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// Which opening hours.
    pub calendar: String,
    /// Where to within them.
    pub open: String,
    /// Where to outside them.
    pub closed: String,
    /// Where to on a holiday, if not as outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holiday: Option<String>,
}

/// Says who is to answer, and how urgent it is. What is not set stays as it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// A requirement as text, in the place of the service's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require: Option<String>,
    /// A priority from 0 to 1000, in the place of the service's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Where to then.
    pub next: String,
}

/// Asks for an agent. The flow is over when the queue takes the caller.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// The name of the service.
    pub service: String,
    /// As in [`Route`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require: Option<String>,
    /// As in [`Route`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Where to when the service is closed, if not as the service says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<String>,
    /// Where to when nobody of the service is signed in, if not as the service says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unstaffed: Option<String>,
    /// Where to when the queue is full, if not as the service says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full: Option<String>,
}

/// Ends the call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HangUp {}

/// Which kind of step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// [`Play`].
    Play,
    /// [`Menu`].
    Menu,
    /// [`Collect`].
    Collect,
    /// [`Set`].
    Set,
    /// [`If`].
    If,
    /// [`Hours`].
    Hours,
    /// [`Route`].
    Route,
    /// [`Queue`].
    Queue,
    /// [`HangUp`].
    HangUp,
}

impl Kind {
    /// As a text names it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Play => "play",
            Self::Menu => "menu",
            Self::Collect => "collect",
            Self::Set => "set",
            Self::If => "if",
            Self::Hours => "hours",
            Self::Route => "route",
            Self::Queue => "queue",
            Self::HangUp => "hangup",
        }
    }
}

/// A step.
#[derive(Clone, Copy, Debug)]
pub enum Node<'a> {
    /// Plays something.
    Play(&'a Play),
    /// Asks for one key.
    Menu(&'a Menu),
    /// Asks for a number.
    Collect(&'a Collect),
    /// Notes something.
    Set(&'a Set),
    /// Takes a case.
    If(&'a If),
    /// Looks at the clock.
    Hours(&'a Hours),
    /// Says who is to answer.
    Route(&'a Route),
    /// Asks for an agent.
    Queue(&'a Queue),
    /// Ends the call.
    HangUp(&'a HangUp),
}

impl<'a> Node<'a> {
    /// Its kind.
    pub fn kind(self) -> Kind {
        match self {
            Self::Play(_) => Kind::Play,
            Self::Menu(_) => Kind::Menu,
            Self::Collect(_) => Kind::Collect,
            Self::Set(_) => Kind::Set,
            Self::If(_) => Kind::If,
            Self::Hours(_) => Kind::Hours,
            Self::Route(_) => Kind::Route,
            Self::Queue(_) => Kind::Queue,
            Self::HangUp(_) => Kind::HangUp,
        }
    }

    /// The ways out of it: the field that names each, and where it leads.
    pub fn exits(self) -> Vec<(String, &'a str)> {
        fn some<'a>(field: &str, to: &'a Option<String>) -> Option<(String, &'a str)> {
            Some((field.to_owned(), to.as_deref()?))
        }
        let one = |field: &str, to: &'a str| vec![(field.to_owned(), to)];
        match self {
            Self::Play(play) => one("next", &play.next),
            Self::Set(set) => one("next", &set.next),
            Self::Route(route) => one("next", &route.next),
            Self::Menu(menu) => {
                let keys = menu.choices.iter().map(|(key, to)| (format!("choices.{key}"), to.as_str()));
                keys.chain(some("timeout", &menu.timeout)).chain(some("otherwise", &menu.otherwise)).collect()
            }
            Self::Collect(collect) => {
                one("next", &collect.next).into_iter().chain(some("failed", &collect.failed)).collect()
            }
            Self::If(cases) => {
                let each = cases.cases.iter().enumerate();
                let each = each.map(|(n, case)| (format!("cases[{n}].then"), case.then.as_str()));
                each.chain(some("otherwise", &cases.otherwise)).collect()
            }
            Self::Hours(hours) => {
                let both = [("open".to_owned(), &*hours.open), ("closed".to_owned(), &*hours.closed)];
                both.into_iter().chain(some("holiday", &hours.holiday)).collect()
            }
            Self::Queue(queue) => {
                let all = [("closed", &queue.closed), ("unstaffed", &queue.unstaffed), ("full", &queue.full)];
                all.into_iter().filter_map(|(field, to)| some(field, to)).collect()
            }
            Self::HangUp(_) => Vec::new(),
        }
    }

    /// Whether the call may be over here.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Queue(_) | Self::HangUp(_))
    }

    /// Whether it waits for the caller or for the end of a sound before it goes on: a circle through it takes time.
    pub fn waits(self) -> bool {
        matches!(self, Self::Play(_) | Self::Menu(_) | Self::Collect(_))
    }

    /// Whether it waits for the caller's keys.
    pub fn listens(self) -> bool {
        matches!(self, Self::Menu(_) | Self::Collect(_))
    }
}

impl Flow {
    /// Every step, by kind and then by name. Names may repeat in a flow that was not checked.
    pub fn nodes(&self) -> impl Iterator<Item = (&str, Node<'_>)> {
        fn each<'a, T>(
            steps: &'a BTreeMap<String, T>,
            node: fn(&'a T) -> Node<'a>,
        ) -> impl Iterator<Item = (&'a str, Node<'a>)> {
            steps.iter().map(move |(name, step)| (name.as_str(), node(step)))
        }
        each(&self.play, Node::Play)
            .chain(each(&self.menu, Node::Menu))
            .chain(each(&self.collect, Node::Collect))
            .chain(each(&self.set, Node::Set))
            .chain(each(&self.cases, Node::If))
            .chain(each(&self.hours, Node::Hours))
            .chain(each(&self.route, Node::Route))
            .chain(each(&self.queue, Node::Queue))
            .chain(each(&self.hangup, Node::HangUp))
    }

    /// The step of this name.
    pub fn node(&self, name: &str) -> Option<Node<'_>> {
        // One look-up a kind, rather than a second index that could disagree.
        None.or_else(|| self.play.get(name).map(Node::Play))
            .or_else(|| self.menu.get(name).map(Node::Menu))
            .or_else(|| self.collect.get(name).map(Node::Collect))
            .or_else(|| self.set.get(name).map(Node::Set))
            .or_else(|| self.cases.get(name).map(Node::If))
            .or_else(|| self.hours.get(name).map(Node::Hours))
            .or_else(|| self.route.get(name).map(Node::Route))
            .or_else(|| self.queue.get(name).map(Node::Queue))
            .or_else(|| self.hangup.get(name).map(Node::HangUp))
    }
}

fn yes() -> bool {
    true
}
fn is_yes(value: &bool) -> bool {
    *value
}
fn is_no(value: &bool) -> bool {
    !*value
}
fn one() -> usize {
    1
}
fn is_one(value: &usize) -> bool {
    *value == 1
}
fn three() -> u32 {
    3
}
fn is_three(value: &u32) -> bool {
    *value == 3
}
fn five() -> u32 {
    5
}
fn is_five(value: &u32) -> bool {
    *value == 5
}
fn thirty_two() -> usize {
    32
}
fn is_thirty_two(value: &usize) -> bool {
    *value == 32
}
fn hash() -> String {
    "#".to_owned()
}
fn is_hash(value: &str) -> bool {
    value == "#"
}
