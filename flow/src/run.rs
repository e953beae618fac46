//! One caller in a flow: a pure state machine.
//!
//! A prompt has a number, and its end names it: the end of one that was cut short changes nothing. A caller may press keys before
//! they are asked for; up to 32 wait for the next step that listens, and a prompt that may be interrupted is not begun while one waits.
//! Whatever happens a run ends: it takes at most 1,000 steps, and a prompt whose end is never told counts as ended after five
//! minutes.

mod asking;
mod callback;
mod requesting;
mod survey;
mod transfer;
mod voicemail;
mod words;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use model::time::Timestamp;

use self::asking::wait_of;
use self::voicemail::Message;
pub use self::words::{
    CallbackWish, Caller, Effect, End, Input, NoCallback, NotReached, Opened, Refused, TransferWish, Wish,
    WishedTime,
};
use crate::calendar::Opening;
use crate::check::Ready;
use crate::graph::{Case, Flow, Node, Queue};
use crate::prompt::{Item, Prompt};
use crate::template::VALUE_MAX;

/// Steps of one run.
const STEPS_MAX: u32 = 1_000;
/// Keys that wait for a step that listens.
const TYPED_MAX: usize = 32;
/// A prompt counts as ended after this.
const PROMPT_MAX: Duration = Duration::from_secs(300);

/// A caller in a flow.
#[derive(Clone, Debug)]
pub struct Run {
    ready: Arc<Ready>,
    node: String,
    state: State,
    vars: BTreeMap<String, String>,
    require: Option<String>,
    priority: Option<i32>,
    typed: VecDeque<char>,
    steps: u32,
    prompts: u32,
    requests: u32,
    transfers: u32,
}

#[derive(Clone, Debug)]
enum State {
    /// A `play` step; a key may end it.
    Playing {
        number: u32,
        interruptible: bool,
        give_up_at: Timestamp,
    },
    /// A menu or a collection. `prompt`: the one that is being played.
    Asking {
        tries: u32,
        prompt: Option<u32>,
        entered: String,
        until: Timestamp,
    },
    /// Music is heard.
    Music {
        until: Timestamp,
    },
    /// Asked a system.
    Requesting {
        number: u32,
        /// The prompt that is being played.
        prompt: Option<u32>,
        /// Music begins then, unless it did.
        music_at: Option<Timestamp>,
        until: Timestamp,
    },
    /// Asked a queue.
    Queueing,
    /// Asked for being called back.
    CallingBack,
    /// A number is dialled for the caller.
    Transferring,
    /// A message is taken.
    Voicemail(Message),
    Over,
}

impl Run {
    /// A caller at the first step.
    pub fn begin(ready: Arc<Ready>, caller: &Caller, now: Timestamp) -> (Self, Vec<Effect>) {
        Self::begin_with(ready, caller, &[], now)
    }

    /// The same, with more that is known at this moment; see [`Run::know`].
    pub fn begin_with(
        ready: Arc<Ready>,
        caller: &Caller,
        known: &[(&'static str, Option<u64>)],
        now: Timestamp,
    ) -> (Self, Vec<Effect>) {
        let given = [("caller", &caller.number), ("caller_name", &caller.name), ("called", &caller.called)];
        let cut = |text: &String| text.chars().take(VALUE_MAX).collect::<String>();
        let vars = given.into_iter().map(|(name, value)| (name.to_owned(), cut(value))).collect();
        let start = ready.flow().start.clone();
        let mut run = Self {
            ready,
            node: start.clone(),
            state: State::Over,
            vars,
            require: None,
            priority: None,
            typed: VecDeque::new(),
            steps: 0,
            prompts: 0,
            requests: 0,
            transfers: 0,
        };
        known.iter().for_each(|(name, value)| run.know(name, *value));
        let mut out = Vec::new();
        run.enter(start, now, &mut out);
        (run, out)
    }

    /// Moves on. `now` never runs backwards.
    pub fn handle(&mut self, input: Input, now: Timestamp) -> Vec<Effect> {
        let mut out = Vec::new();
        match (&mut self.state, input) {
            (State::Playing { number, .. }, Input::Played(ended)) if *number == ended => {
                self.played(now, &mut out)
            }
            (State::Playing { give_up_at, .. }, Input::Tick) if now >= *give_up_at => {
                self.played(now, &mut out)
            }
            (State::Playing { interruptible, .. }, Input::Key(key)) => {
                let go_on = *interruptible;
                self.type_ahead(key);
                if go_on {
                    self.played(now, &mut out);
                }
            }
            (State::Asking { prompt, until, .. }, Input::Played(ended)) if *prompt == Some(ended) => {
                *prompt = None;
                *until = now + wait_of(self.ready.node(&self.node));
            }
            (State::Asking { until, .. }, Input::Tick) if now >= *until => self.waited(now, &mut out),
            (State::Asking { .. }, Input::Key(key)) => self.pressed(key, now, &mut out),
            (State::Music { until }, Input::Tick) if now >= *until => self.music_over(None, now, &mut out),
            (State::Music { .. }, Input::Key(key)) => self.music_over(Some(key), now, &mut out),
            (State::Requesting { .. }, input) => self.while_requesting(input, now, &mut out),
            (State::Queueing, Input::Refused(why)) => self.refused(why, now, &mut out),
            (State::CallingBack, Input::CallbackTaken) => self.called_back(None, now, &mut out),
            (State::CallingBack, Input::CallbackRefused(why)) => self.called_back(Some(why), now, &mut out),
            (State::Transferring, Input::NotReached(why)) => self.not_reached(why, now, &mut out),
            (State::Voicemail(_), input) => self.with_message(input, now, &mut out),
            // Keys on the way into a queue, late ends of prompts, early ticks.
            _ => {}
        }
        out
    }

    /// When [`Input::Tick`] is due.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        match &self.state {
            State::Voicemail(message) => Some(message.deadline()),
            State::Playing { give_up_at, .. } => Some(*give_up_at),
            State::Asking { until, .. } | State::Music { until } => Some(*until),
            State::Requesting { music_at, until, .. } => Some(music_at.map_or(*until, |at| at.min(*until))),
            State::Queueing | State::CallingBack | State::Transferring | State::Over => None,
        }
    }

    /// Whether nothing will come of it any more.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }
    /// Whether the caller is asked for something that is never written down.
    pub fn asks_secret(&self) -> bool {
        matches!(self.state, State::Asking { .. }) && self.ready.asks_secret(&self.node)
    }
    /// The flow.
    pub fn flow(&self) -> &Flow {
        self.ready.flow()
    }
    /// The step it is at.
    pub fn at(&self) -> &str {
        &self.node
    }

    /// Goes from step to step until one takes time.
    fn enter(&mut self, mut name: String, now: Timestamp, out: &mut Vec<Effect>) {
        let ready = self.ready.clone();
        loop {
            self.steps += 1;
            let Some(node) = ready.node(&name).filter(|_| self.steps <= STEPS_MAX) else {
                return self.end(End::TooLong, out);
            };
            self.node.clone_from(&name);
            out.push(Effect::Entered(name));
            name = match node {
                Node::Play(play) => {
                    if play.interruptible && !self.typed.is_empty() {
                        play.next.clone()
                    } else {
                        match self.play(&[&play.prompt], out) {
                            Some(number) => {
                                let (interruptible, give_up_at) = (play.interruptible, now + PROMPT_MAX);
                                self.state = State::Playing { number, interruptible, give_up_at };
                                return;
                            }
                            // A value that is not known: there is nothing to be heard.
                            None => play.next.clone(),
                        }
                    }
                }
                Node::Menu(_) | Node::Collect(_) | Node::Survey(_) => {
                    self.state = State::Asking { tries: 0, prompt: None, entered: String::new(), until: now };
                    match self.ask(None, now, out) {
                        Some(next) => next,
                        None => return,
                    }
                }
                Node::Set(set) => {
                    let filled: Vec<_> =
                        set.vars.iter().map(|(var, text)| (var.clone(), text.fill(&self.vars))).collect();
                    self.note(filled, out);
                    set.next.clone()
                }
                Node::If(cases) => {
                    let holds = cases.cases.iter().find(|case| self.holds(case));
                    holds
                        .map(|case| case.then.clone())
                        .or_else(|| cases.otherwise.clone())
                        .unwrap_or_default()
                }
                Node::Hours(hours) => match ready.hours(&hours.calendar).map(|hours| hours.at(now)) {
                    Some(Opening::Open) => hours.open.clone(),
                    Some(Opening::Holiday) => hours.holiday.as_ref().unwrap_or(&hours.closed).clone(),
                    Some(Opening::Closed) | None => hours.closed.clone(),
                },
                Node::Route(route) => {
                    self.wish(route.require.as_ref(), route.priority);
                    route.next.clone()
                }
                Node::Wait(wait) => {
                    // Whoever waits in a queue for hours goes round; each round is short.
                    if ready.flow().while_waiting {
                        self.steps = 0;
                    }
                    self.typed.clear();
                    self.state = State::Music { until: now + Duration::from_secs(wait.seconds.into()) };
                    out.push(Effect::Music);
                    return;
                }
                Node::Http(http) => match self.request(http, now, out) {
                    Some(next) => next,
                    None => return,
                },
                Node::Lookup(lookup) => return self.look_up(lookup, now, out),
                Node::Callback(callback) => match self.call_back(callback, out) {
                    Some(next) => next,
                    None => return,
                },
                Node::Transfer(transfer) => match self.transfer(transfer, out) {
                    Some(next) => next,
                    None => return,
                },
                Node::Voicemail(voicemail) => return self.take_message(voicemail, now, out),
                Node::Queue(queue) => return self.queue(queue, out),
                Node::GiveBack(_) => return self.end(End::GiveBack, out),
                Node::HangUp(_) => return self.end(End::HangUp, out),
            };
        }
    }

    fn end(&mut self, how: End, out: &mut Vec<Effect>) {
        self.state = State::Over;
        out.push(Effect::End(how));
    }

    fn wish(&mut self, require: Option<&String>, priority: Option<i32>) {
        self.require = require.cloned().or(self.require.take());
        self.priority = priority.or(self.priority);
    }

    fn queue(&mut self, queue: &Queue, out: &mut Vec<Effect>) {
        self.wish(queue.require.as_ref(), queue.priority);
        self.state = State::Queueing;
        out.push(Effect::Queue(self.wish_of(&queue.service)));
    }

    fn wish_of(&self, service: &str) -> Wish {
        Wish {
            service: service.to_owned(),
            who: self.require.as_ref().and_then(|text| self.ready.requirement(text)).cloned(),
            require: self.require.clone(),
            priority: self.priority,
        }
    }

    fn refused(&mut self, why: Refused, now: Timestamp, out: &mut Vec<Effect>) {
        let ready = self.ready.clone();
        let Some(Node::Queue(queue)) = ready.node(&self.node) else { return };
        let way = match why {
            Refused::Closed => &queue.closed,
            Refused::Unstaffed => &queue.unstaffed,
            Refused::Full => &queue.full,
        };
        match way {
            Some(next) => self.enter(next.clone(), now, out),
            None => self.end(End::AsService(why), out),
        }
    }

    fn music_over(&mut self, key: Option<char>, now: Timestamp, out: &mut Vec<Effect>) {
        let ready = self.ready.clone();
        let Some(Node::Wait(wait)) = ready.node(&self.node) else { return };
        let next = match key {
            Some(key) => wait.choices.get(key.encode_utf8(&mut [0; 4]) as &str),
            None => Some(&wait.next),
        };
        if let Some(next) = next {
            self.enter(next.clone(), now, out);
        }
    }

    /// What is so now, whatever it was at the last step; nothing for what is not known.
    pub fn know(&mut self, name: &'static str, value: Option<u64>) {
        self.vars.insert(name.to_owned(), value.map(|value| value.to_string()).unwrap_or_default());
    }

    fn played(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        if let Some(Node::Play(play)) = self.ready.clone().node(&self.node) {
            self.enter(play.next.clone(), now, out);
        }
    }

    /// Keeps values for later steps, and tells those that are new and not secret.
    fn note(&mut self, values: impl IntoIterator<Item = (String, String)>, out: &mut Vec<Effect>) {
        let mut told = BTreeMap::new();
        for (var, value) in values {
            let is_new = self.vars.get(&var).map_or("", String::as_str) != value;
            if is_new && !self.ready.is_secret(&var) {
                told.insert(var.clone(), value.clone());
            }
            self.vars.insert(var, value);
        }
        if !told.is_empty() {
            out.push(Effect::Noted(told));
        }
    }

    fn type_ahead(&mut self, key: char) {
        if self.typed.len() < TYPED_MAX {
            self.typed.push_back(key);
        }
    }

    /// Begins a prompt of several parts; returns its number, or nothing when there is nothing to be heard.
    fn play(&mut self, prompts: &[&Prompt], out: &mut Vec<Effect>) -> Option<u32> {
        let sounds = prompts.iter().flat_map(|prompt| &prompt.0).flat_map(|item| match item {
            Item::Sound(name) => vec![name.clone()],
            Item::Digits(var) => read_out(self.vars.get(var).map_or("", String::as_str)),
            Item::Number(var, counted) => {
                let number = self.vars.get(var).and_then(|value| value.parse().ok());
                number.map(|number| self.ready.language().say(number, *counted)).unwrap_or_default()
            }
        });
        let sounds: Vec<String> = sounds.collect();
        if sounds.is_empty() {
            return None;
        }
        self.prompts += 1;
        out.push(Effect::Play { number: self.prompts, sounds });
        Some(self.prompts)
    }

    fn holds(&self, case: &Case) -> bool {
        let value = self.vars.get(&case.var).map_or("", String::as_str);
        let number = || value.parse::<i64>().ok();
        case.is.as_ref().is_none_or(|is| is == value)
            && case.one_of.as_ref().is_none_or(|all| all.iter().any(|each| each == value))
            && case.starts.as_ref().is_none_or(|start| value.starts_with(start.as_str()))
            && case.matches.as_ref().is_none_or(|pattern| self.ready.matches(pattern, value))
            && case.at_least.is_none_or(|least| number().is_some_and(|number| number >= least))
            && case.at_most.is_none_or(|most| number().is_some_and(|number| number <= most))
    }
}

/// The sounds that read a value out; what is no key is passed over.
fn read_out(value: &str) -> Vec<String> {
    let sound = |c: char| match c {
        '0'..='9' => Some(format!("digit-{c}")),
        '*' => Some("digit-star".to_owned()),
        '#' => Some("digit-hash".to_owned()),
        _ => None,
    };
    value.chars().filter_map(sound).collect()
}
