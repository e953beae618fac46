//! Calls as a proxy makes them by NG: requests go in, commands to the plane and answers come out. Pure.
//!
//! A request becomes a *job*: steps that are carried out one after the other, each a command whose result comes back as an
//! input. One job a call is under way; further requests of the call wait for it. A job that fails undoes what it made.
//!
//! - `call`: what is known of a call; `offer`, `answer`: negotiation; `codecs`, `travel`: what legs are told
//! - `jobs`: how requests are carried out; `ends`: delete, delays and time-outs; `figures`: query, list, statistics; `owners`: whose legs are; `extras`: sounds, digits, recordings; `subscribe`: copies for others

mod answer;
mod call;
mod chance;
mod codecs;
mod ends;
mod extras;
mod figures;
mod jobs;
mod offer;
mod owners;
mod subscribe;
#[cfg(test)]
mod tests;
mod travel;

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use media::control::{Answer, Command, Event, MediaError};
use media::prompt::Prompt;
use model::id::LegId;
use model::time::Timestamp;

pub use chance::Chance;
pub use figures::Totals;
pub use owners::LegOwner;

use crate::request::{Command as Asked, Request};
use crate::wire::Value;
use call::{Call, WAITING_MAX};
use jobs::{Job, Step, Work};

/// A request that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// A job; names whose command a result belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(u64);

/// An address of the plane, by the name that proxies use in `direction`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// `external`, `priv` …
    pub name: String,
    /// The plane's address, as it is bound.
    pub bind: IpAddr,
}

/// Rules and bounds.
#[derive(Clone, Debug)]
pub struct Config {
    /// Addresses of the plane; the first of a family is used where nothing else is asked for.
    pub interfaces: Vec<Interface>,
    /// Calls at once; more are refused with the text that makes proxies try another node. Default 10,000.
    pub calls_max: usize,
    /// How long a deleted call lives on where the request does not say. Default 30 s, as rtpengine.
    pub delete_delay: Duration,
    /// An answered call in which nothing comes from either party for this long is ended. Default 60 s.
    pub silent_after: Duration,
    /// The same for a call on hold. Default 1 h.
    pub held_after: Duration,
    /// An offer that nobody answers is forgotten after this long. Default 1 h.
    pub offered_after: Duration,
    /// Where recordings go; `None`: recording is refused.
    pub recordings: Option<PathBuf>,
    /// Our `a=fingerprint`, as the plane says it; the driver fills it in.
    pub fingerprint: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            interfaces: Vec::new(),
            calls_max: 10_000,
            delete_delay: Duration::from_secs(30),
            silent_after: Duration::from_secs(60),
            held_after: Duration::from_secs(3_600),
            offered_after: Duration::from_secs(3_600),
            recordings: None,
            fingerprint: String::new(),
        }
    }
}

/// What happens.
#[derive(Debug)]
pub enum Input {
    /// A proxy asks.
    Request {
        /// For the answer.
        ticket: Ticket,
        /// What it asks.
        request: Box<Request>,
    },
    /// The plane carried out a command, or not.
    Plane {
        /// Whose command.
        job: JobId,
        /// How it went.
        result: Result<Answer, MediaError>,
    },
    /// A sound was loaded, or not.
    Sound {
        /// Who wants it.
        job: JobId,
        /// The sound, or why there is none.
        result: Result<Arc<Prompt>, String>,
    },
    /// The plane tells something.
    Event(Event),
    /// Time has passed. Once a second is enough.
    Tick,
    /// The node stops: all calls end.
    End,
}

/// What is to be done.
#[derive(Debug)]
pub enum Output {
    /// Answer a request.
    Answer {
        /// Which.
        ticket: Ticket,
        /// The dictionary.
        value: Value,
    },
    /// Give a command to the plane; its result comes back as [`Input::Plane`].
    Plane {
        /// Whose command.
        job: JobId,
        /// What to do.
        command: Command,
    },
    /// Load a sound; it comes back as [`Input::Sound`].
    Sound {
        /// Who wants it.
        job: JobId,
        /// Which.
        source: SoundSource,
    },
}

/// Where a sound comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SoundSource {
    /// A file's name, as the proxy wrote it.
    File(String),
    /// The octets of a WAV file.
    Blob(Vec<u8>),
}

/// How a request begins.
enum Begun {
    /// It is answered at once.
    Reply(Value),
    /// It needs the plane.
    Job(Vec<Step>, Work),
}

/// See the module.
pub struct Machine {
    config: Config,
    chance: Box<dyn Chance>,
    calls: HashMap<String, Call>,
    jobs: HashMap<JobId, Job>,
    next_number: u64,
    /// Which call a leg belongs to; for events.
    legs: HashMap<LegId, String>,
    totals: Totals,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Machine({} calls, {} jobs)", self.calls.len(), self.jobs.len())
    }
}

impl Machine {
    /// A node without calls.
    pub fn new(config: Config, chance: Box<dyn Chance>, now: Timestamp) -> Self {
        Self {
            config,
            chance,
            calls: HashMap::new(),
            jobs: HashMap::new(),
            next_number: 1,
            legs: HashMap::new(),
            totals: Totals::new(now),
        }
    }

    /// Calls that exist.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }
    /// Legs that exist in the plane, as far as is known here.
    pub fn legs(&self) -> usize {
        self.legs.len()
    }
    /// Requests that are being carried out or wait for their call.
    pub fn under_way(&self) -> usize {
        self.jobs.len() + self.calls.values().map(|call| call.waiting.len()).sum::<usize>()
    }

    /// Takes an input; what is to be done goes to `out`.
    pub fn handle(&mut self, input: Input, now: Timestamp, out: &mut Vec<Output>) {
        match input {
            Input::Request { ticket, request } => self.request(ticket, *request, now, out),
            Input::Plane { job, result } => self.plane(job, result, now, out),
            Input::Sound { job, result } => self.sound(job, result, now, out),
            Input::Event(event) => self.event(&event, now, out),
            Input::Tick => self.tick(now, out),
            Input::End => self.end_all(now, out),
        }
    }

    fn request(&mut self, ticket: Ticket, request: Request, now: Timestamp, out: &mut Vec<Output>) {
        let reply = |value: Value, out: &mut Vec<Output>| out.push(Output::Answer { ticket, value });
        match &request.command {
            Asked::Ping => return reply(Value::dict().with("result", "pong"), out),
            Asked::List => return reply(self.list(&request), out),
            Asked::Statistics => return reply(self.statistics(now), out),
            Asked::NotHere(name) => {
                return reply(Value::error(format!("Command not supported by this node: {name}")), out);
            }
            _ => {}
        }
        let negotiates = matches!(request.command, Asked::Offer | Asked::Answer);
        if request.sdp.is_none() && negotiates {
            return reply(Value::error("No SDP body in message"), out);
        }
        let Some(id) = request.call_id.clone() else {
            return reply(Value::error("No call-id in message"), out);
        };
        if negotiates && request.from_tag.is_none() {
            return reply(Value::error("No from-tag in message"), out);
        }
        if request.command == Asked::Answer && request.to_tag.is_none() {
            return reply(Value::error("No to-tag in message"), out);
        }
        if request.command == Asked::Offer && !self.calls.contains_key(&id) {
            if self.calls.len() >= self.config.calls_max {
                self.totals.refused += 1;
                return reply(Value::error("Parallel session limit reached"), out);
            }
            self.calls.insert(id.clone(), Call::new(now));
        }
        let Some(call) = self.calls.get_mut(&id) else {
            return reply(ends::unknown(&request), out);
        };
        if call.busy.is_some() {
            if call.waiting.len() < WAITING_MAX {
                call.waiting.push_back((ticket, request));
            } else {
                reply(Value::error("Too many requests for this call are waiting"), out);
            }
            return;
        }
        self.begin(id, ticket, request, now, out);
    }

    /// Begins a request of a call that is not busy.
    fn begin(&mut self, id: String, ticket: Ticket, request: Request, now: Timestamp, out: &mut Vec<Output>) {
        let begun = match request.command {
            Asked::Offer => self.begin_offer(&id, request, now),
            Asked::Answer => self.begin_answer(&id, request, now),
            Asked::Delete => self.begin_delete(&id, &request, now),
            Asked::Query => self.begin_query(&id, &request),
            Asked::BlockMedia(on) => self.begin_block_media(&id, &request, on),
            Asked::BlockDtmf(on) => self.begin_block_digits(&id, &request, on),
            Asked::PlayMedia => self.begin_play(&id, &request),
            Asked::StopMedia => self.begin_stop(&id, &request),
            Asked::PlayDtmf => self.begin_digits(&id, &request),
            Asked::Subscribe => self.begin_subscribe(&id, request, now),
            Asked::Subscribed => self.begin_subscribed(&id, &request, now),
            Asked::Unsubscribe => self.begin_unsubscribe(&id, &request),
            Asked::StartRecording => self.begin_recording(&id, now),
            Asked::StopRecording => self.stop_recording(&id),
            Asked::PauseRecording => self.pause_recording(&id),
            Asked::Ping | Asked::List | Asked::Statistics | Asked::NotHere(_) => {
                Ok(Begun::Reply(Value::ok()))
            }
        };
        match begun {
            Ok(Begun::Job(steps, work)) => {
                let job = self.open(&id, Some(ticket), steps, work);
                if let Some(call) = self.calls.get_mut(&id) {
                    call.busy = Some(job);
                }
                self.advance(job, now, out);
            }
            Ok(Begun::Reply(value)) => {
                out.push(Output::Answer { ticket, value });
                self.released(&id, now, out);
            }
            Err(reason) => {
                out.push(Output::Answer { ticket, value: Value::error(reason) });
                self.released(&id, now, out);
            }
        }
    }
}
