//! A flow tried out before anybody calls: a script of keys, and the way it leads.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use model::time::Timestamp;

use crate::check::Ready;
use crate::graph::Node;
use crate::request::Reply;
use crate::run::{Caller, Effect, End, Input, NoCallback, NotReached, Opened, Refused, Run, Wish};

/// How long a message lasts: the simulated caller stops by itself.
const TRIAL_MESSAGE: Duration = Duration::from_secs(10);
/// Acts of one script.
const ACTS_MAX: usize = 256;

/// What the simulated caller and the queue do, one after the other. When it is used up the caller presses nothing more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script(pub Vec<Act>);

/// One act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Presses a key, as soon as a step listens.
    Key(char),
    /// Lets one wait for a key pass.
    Wait,
    /// The next queue refuses.
    Refuse(Refused),
    /// The system or the table that is asked next answers this under the name of a value.
    Value(String, String),
    /// It answers, though with nothing more.
    Answer,
    /// It cannot be asked, or its answer cannot be used.
    Fail,
    /// It does not answer in time.
    TimeOut,
    /// The next callback is not promised.
    NoCallback(NoCallback),
    /// The next number that is dialled does not answer.
    NotReached(NotReached),
    /// Hangs up.
    HangUp,
}

/// A word that is no act.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is neither keys (0 to 9, *, #, A to D) nor `wait`, `closed`, `unstaffed`, `full`, `invalid`, `already`, `refused`, `outside`, \
     `busy`, `unanswered`, `hangup`, nor an answer: `name=value`, `ok`, `failed`, `missing`, `timeout`"
)]
pub struct ScriptError(String);

impl Script {
    /// Reads words such as `1 4711# wait tier=gold ok closed`.
    pub fn from_words(words: &str) -> Result<Self, ScriptError> {
        let mut acts = Vec::new();
        for word in words.split_whitespace() {
            match word {
                "wait" => acts.push(Act::Wait),
                "closed" => acts.push(Act::Refuse(Refused::Closed)),
                "unstaffed" => acts.push(Act::Refuse(Refused::Unstaffed)),
                "full" => acts.push(Act::Refuse(Refused::Full)),
                "invalid" => acts.push(Act::NoCallback(NoCallback::Invalid)),
                "already" => acts.push(Act::NoCallback(NoCallback::Already)),
                "outside" => acts.push(Act::NoCallback(NoCallback::Outside)),
                "refused" => acts.push(Act::NoCallback(NoCallback::Refused)),
                "busy" => acts.push(Act::NotReached(NotReached::Busy)),
                "unanswered" => acts.push(Act::NotReached(NotReached::Unanswered)),
                "hangup" => acts.push(Act::HangUp),
                "ok" => acts.push(Act::Answer),
                "failed" | "missing" => acts.push(Act::Fail),
                "timeout" => acts.push(Act::TimeOut),
                keys if keys.chars().all(|c| matches!(c, '0'..='9' | '*' | '#' | 'A'..='D')) => {
                    acts.extend(keys.chars().map(Act::Key));
                }
                other if other.contains('=') => {
                    let (name, value) = other.split_once('=').unwrap_or_default();
                    acts.push(Act::Value(name.to_owned(), value.to_owned()));
                }
                other => return Err(ScriptError(other.to_owned())),
            }
        }
        acts.truncate(ACTS_MAX);
        Ok(Self(acts))
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// At which step, by kind and name; empty: at the same as before.
    pub step: String,
    /// What.
    pub what: String,
}

/// The way a script led.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// What happened, in this order.
    pub lines: Vec<Line>,
    /// Whether the script led to an end.
    pub ended: bool,
}

impl Told {
    /// How it ended.
    pub fn end(&self) -> Option<&str> {
        self.lines.last().filter(|_| self.ended).map(|line| line.what.as_str())
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.lines.iter().map(|line| line.step.chars().count()).max().unwrap_or(0);
        self.lines.iter().try_for_each(|Line { step, what }| writeln!(f, "{step:width$}  {what}"))
    }
}

/// Sends a simulated caller through a flow, beginning at `now`.
pub fn try_out(ready: &Arc<Ready>, caller: &Caller, script: &Script, mut now: Timestamp) -> Told {
    let mut acts: VecDeque<Act> = script.0.iter().cloned().collect();
    let mut told = Told::default();
    let (mut run, mut effects) = Run::begin(ready.clone(), caller, now);
    loop {
        let mut playing = None;
        let (mut queueing, mut calling_back, mut transferring) = (false, false, false);
        let mut taking_message = false;
        let mut asked = None;
        let mut step = String::new();
        for effect in effects.drain(..) {
            let what = match effect {
                Effect::Entered(name) => {
                    if !step.is_empty() {
                        told.lines.push(Line { step: std::mem::take(&mut step), what: String::new() });
                    }
                    let kind = ready.node(&name).map_or("", |node| node.kind().word());
                    step = format!("{kind}.{name}");
                    continue;
                }
                Effect::Noted(values) => {
                    let each = values.iter().map(|(var, value)| format!("{var} = {value}"));
                    format!("notes {}", each.collect::<Vec<_>>().join(", "))
                }
                Effect::Rated { question, mark } => {
                    format!("answers {question} with {} of {} to {}", mark.given, mark.lowest, mark.highest)
                }
                Effect::Play { number, sounds } => {
                    playing = Some(number);
                    format!("plays {}", sounds.join(", "))
                }
                Effect::Silence => continue,
                Effect::Music => "plays the music of the queue".to_owned(),
                Effect::Request(request) => {
                    asked = Some(request.number);
                    format!("asks {} {}", request.method.word(), request.url())
                }
                Effect::LookUp(look_up) => {
                    asked = Some(look_up.number);
                    format!("looks `{}` up in {}", look_up.key, look_up.table)
                }
                Effect::Queue(wish) => {
                    queueing = true;
                    queue_line(&wish)
                }
                Effect::CallBack(wish) => {
                    calling_back = true;
                    let of = wish.queue.service;
                    let service = if of.is_empty() { of } else { format!(", {of}") };
                    let when = wish.at.map(|at| format!(", in {} days at {}:00", at.in_days, at.hour));
                    format!("asks to be called back at {}{service}{}", wish.number, when.unwrap_or_default())
                }
                Effect::Transfer(wish) => {
                    transferring = true;
                    format!("connects the caller with {}", wish.number)
                }
                Effect::TakeMessage { service } => {
                    taking_message = true;
                    format!("takes a message for {service}")
                }
                Effect::BeginMessage => "listens to the message".to_owned(),
                Effect::EndMessage { .. } => "the message is over".to_owned(),
                Effect::End(end) => {
                    told.ended = true;
                    end_line(end).to_owned()
                }
            };
            told.lines.push(Line { step: std::mem::take(&mut step), what });
        }
        if told.ended {
            return told;
        }
        let say = |told: &mut Told, what: String| told.lines.push(Line { step: String::new(), what });
        if let (Some(number), false) = (asked, acts.front() == Some(&Act::HangUp)) {
            let (what, reply) = answer(&mut acts, &run, ready);
            say(&mut told, what);
            effects = run.handle(Input::Replied(number, reply), now);
            continue;
        }
        let act = acts.front().cloned();
        if calling_back {
            // Promised, unless the script says otherwise.
            let input = match act {
                Some(Act::NoCallback(why)) => {
                    acts.pop_front();
                    say(&mut told, format!("it is not promised: {}", no_callback(why)));
                    Input::CallbackRefused(why)
                }
                _ => Input::CallbackTaken,
            };
            effects = run.handle(input, now);
            continue;
        }
        if taking_message {
            // Taken, unless the script says otherwise.
            let full = [Act::Refuse(Refused::Full), Act::NoCallback(NoCallback::Refused)];
            let input = match act.filter(|act| full.contains(act)) {
                Some(_) => {
                    acts.pop_front();
                    say(&mut told, "no more messages can be left".into());
                    Input::NoMessage
                }
                None => Input::MessageTaken(Opened { greeting: None, length_max: TRIAL_MESSAGE }),
            };
            effects = run.handle(input, now);
            continue;
        }
        if transferring {
            // Answered, unless the script says otherwise.
            let Some(why) = not_reached(&mut acts) else {
                told.ended = true;
                return told;
            };
            say(&mut told, not_reached_line(why).to_owned());
            effects = run.handle(Input::NotReached(why), now);
            continue;
        }
        let input = match (act.clone(), queueing) {
            (Some(Act::HangUp), _) => {
                say(&mut told, "the caller hangs up".into());
                told.ended = true;
                return told;
            }
            (Some(Act::Refuse(why)), true) => {
                say(&mut told, format!("the queue refuses: {}", word(why)));
                Input::Refused(why)
            }
            (_, true) => {
                told.ended = true;
                return told;
            }
            (Some(Act::Key(key)), false) if listens(&run, ready) => {
                say(&mut told, format!("presses {key}"));
                Input::Key(key)
            }
            // A step that does not listen, or a caller who says nothing.
            _ => match playing {
                Some(number) => {
                    effects = run.handle(Input::Played(number), now);
                    continue;
                }
                None => {
                    now = run.next_deadline().unwrap_or(now);
                    if listens(&run, ready) {
                        say(&mut told, "waits, and presses nothing".into());
                    }
                    if act == Some(Act::Wait) {
                        acts.pop_front();
                    }
                    effects = run.handle(Input::Tick, now);
                    continue;
                }
            },
        };
        acts.pop_front();
        effects = run.handle(input, now);
    }
}

/// What the script has the system answer that is asked by this step; without a word, that it answers, and nothing more.
fn answer(acts: &mut VecDeque<Act>, run: &Run, ready: &Ready) -> (String, Reply) {
    let (mut status, mut values) = (200, BTreeMap::new());
    let (noted, columns) = match ready.node(run.at()) {
        Some(Node::Http(http)) => (http.status.as_ref(), None),
        Some(Node::Lookup(lookup)) => (None, Some(&lookup.picks)),
        _ => (None, None),
    };
    while let Some(Act::Value(..) | Act::Answer | Act::Fail | Act::TimeOut) = acts.front() {
        match acts.pop_front() {
            Some(Act::Value(name, value)) if noted == Some(&name) => status = value.parse().unwrap_or(status),
            Some(Act::Value(name, value)) => {
                let column = columns.and_then(|columns| columns.get(&name)).cloned();
                values.insert(column.unwrap_or(name), value);
            }
            Some(Act::Fail | Act::TimeOut) if columns.is_some() => {
                return ("the table has no such key".into(), Reply::missing());
            }
            Some(Act::Fail) => return ("the system cannot be asked".into(), Reply::Failed),
            Some(Act::TimeOut) => return ("the system does not answer in time".into(), Reply::TimedOut),
            _ => break,
        }
    }
    if columns.is_some() {
        return ("the table has the key".into(), Reply::found(values));
    }
    (format!("the system answers with status {status}"), Reply::Answered { status, values })
}

/// Why the script has the number not answer that is dialled; `None`: it answers.
fn not_reached(acts: &mut VecDeque<Act>) -> Option<NotReached> {
    let why = match acts.front()? {
        Act::NotReached(why) => *why,
        Act::Fail => NotReached::Failed,
        _ => return None,
    };
    acts.pop_front();
    Some(why)
}

fn not_reached_line(why: NotReached) -> &'static str {
    match why {
        NotReached::Busy => "the number is busy",
        NotReached::Unanswered => "the number does not answer",
        NotReached::Failed => "the number cannot be reached",
    }
}

fn no_callback(why: NoCallback) -> &'static str {
    match why {
        NoCallback::Invalid => "the number cannot be dialled",
        NoCallback::Already => "the number is to be called back already",
        NoCallback::Refused => "not at the moment",
        NoCallback::Outside => "not at that time",
    }
}

fn listens(run: &Run, ready: &Ready) -> bool {
    ready.node(run.at()).is_some_and(|node| node.listens())
}

fn queue_line(wish: &Wish) -> String {
    let require = wish.require.as_ref().map(|text| format!(", require {text}")).unwrap_or_default();
    let priority = wish.priority.map(|priority| format!(", priority {priority}")).unwrap_or_default();
    format!("queue {}{require}{priority}", wish.service)
}

fn end_line(end: End) -> &'static str {
    match end {
        End::HangUp => "hangs up",
        End::GiveBack => "gives the caller back to the agent",
        End::AsService(Refused::Closed) => "as the service treats callers when it is closed",
        End::AsService(Refused::Unstaffed) => "as the service treats callers when nobody is signed in",
        End::AsService(Refused::Full) => "as the service treats callers when the queue is full",
        End::TooLong => "hangs up: too many steps",
    }
}

fn word(why: Refused) -> &'static str {
    match why {
        Refused::Closed => "closed",
        Refused::Unstaffed => "nobody is signed in",
        Refused::Full => "full",
    }
}
