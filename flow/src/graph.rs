//! A flow as data: steps by kind and name.

mod callback;
mod defaults;
mod give_back;
mod http;
mod lookup;
mod node;
mod survey;
mod transfer;
mod voicemail;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::callback::{Callback, CallbackTime};
use self::defaults::*;
pub use self::give_back::GiveBack;
pub use self::http::{Http, Method};
pub use self::lookup::Lookup;
pub use self::node::{Kind, Node};
pub use self::survey::Survey;
pub use self::transfer::Transfer;
pub(crate) use self::transfer::{RING_S, TRANSFERS_MAX};
pub use self::voicemail::Voicemail;
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
    /// It runs while its callers wait in a queue, and not before (ROUTE-07). Default false.
    #[serde(default, skip_serializing_if = "is_no")]
    pub while_waiting: bool,
    /// Agents start it during a call, and it ends with a step `return` (CTRL-06). Default false.
    #[serde(default, skip_serializing_if = "is_no")]
    pub during_calls: bool,
    /// It is for those who call somebody's extension, and knows no service: a message is for that person (VM-01). Never in a text.
    #[serde(skip)]
    pub direct: bool,
    /// Names of the services in whose calls agents may start it; none: in those of all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
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
    /// Steps that ask for a mark.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub survey: BTreeMap<String, Survey>,
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
    /// Steps that ask a system of the operator.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub http: BTreeMap<String, Http>,
    /// Steps that look something up in a table.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lookup: BTreeMap<String, Lookup>,
    /// Steps that go on with music.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub wait: BTreeMap<String, Wait>,
    /// Steps that ask for the caller to be called back.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub callback: BTreeMap<String, Callback>,
    /// Steps that connect the caller with a number outside.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub transfer: BTreeMap<String, Transfer>,
    /// Steps that take a message.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub voicemail: BTreeMap<String, Voicemail>,
    /// Steps that ask for an agent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub queue: BTreeMap<String, Queue>,
    /// Steps that give the caller back to the agent.
    #[serde(default, rename = "return", skip_serializing_if = "BTreeMap::is_empty")]
    pub give_back: BTreeMap<String, GiveBack>,
    /// Steps that end the call.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hangup: BTreeMap<String, HangUp>,
}

impl Flow {
    /// Whether callers may begin with it: neither for those who wait already, nor for those who have an agent.
    pub fn begins_calls(&self) -> bool {
        !self.while_waiting && !self.during_calls
    }
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
    /// It can be used in the flow, but is never written down nor shown to anybody, and neither is what is made of it. Default
    /// false.
    #[serde(default, skip_serializing_if = "is_no")]
    pub secret: bool,
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

/// Goes on with the queue's music for a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// How long, 1 to 3600.
    pub seconds: u32,
    /// Where keys lead meanwhile; others do nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub choices: BTreeMap<String, String>,
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
