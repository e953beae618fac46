//! A node without sockets: datagrams in, datagrams and commands out. Pure.
//!
//! Between the wire and the calls: who asked what under which cookie, repeated datagrams, and the bound on requests that are
//! under way at once.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;

use media::control::Command;
use model::time::Timestamp;

use crate::request::Request;
use crate::session::{Chance, Config, Input, JobId, Machine, Output, SoundSource, Ticket};
use crate::wire::{self, Encoding, Replies, Seen, Value};

/// Requests that are under way at once; more are told so at once.
pub const UNDER_WAY_MAX: usize = 4_096;
/// Unknown names that are said in the log, once each.
const NAMES_MAX: usize = 256;

/// What is to be done.
#[derive(Debug)]
pub enum Deed {
    /// Send an answer from where the request came to.
    Send {
        /// Which socket of the node.
        socket: usize,
        /// The proxy.
        to: SocketAddr,
        /// The datagram.
        datagram: Vec<u8>,
    },
    /// Give a command to the plane; its result belongs to the job.
    Plane {
        /// Whose command.
        job: JobId,
        /// What to do.
        command: Command,
    },
    /// Load a sound for the job.
    Sound {
        /// Who wants it.
        job: JobId,
        /// Which.
        source: SoundSource,
    },
}

/// Counts since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Datagrams that came.
    pub datagrams: u64,
    /// Without a cookie, and so without an answer.
    pub senseless: u64,
    /// Repeated, and answered again or about to be answered.
    pub repeated: u64,
    /// Requests that were carried out or refused.
    pub requests: u64,
    /// Of these, answered with an error.
    pub errors: u64,
    /// Of these, because too many were under way.
    pub overloaded: u64,
}

#[derive(Debug)]
struct Asker {
    socket: usize,
    from: SocketAddr,
    cookie: Vec<u8>,
    encoding: Encoding,
}

/// See the module.
#[derive(Debug)]
pub struct Node {
    machine: Machine,
    replies: Replies,
    askers: HashMap<Ticket, Asker>,
    next: u64,
    counts: Counts,
    named: BTreeSet<String>,
    outputs: Vec<Output>,
}

impl Node {
    /// A node without calls.
    pub fn new(config: Config, chance: Box<dyn Chance>, now: Timestamp) -> Self {
        Self {
            machine: Machine::new(config, chance, now),
            replies: Replies::default(),
            askers: HashMap::new(),
            next: 1,
            counts: Counts::default(),
            named: BTreeSet::new(),
            outputs: Vec::new(),
        }
    }

    /// Counts since the start.
    pub const fn counts(&self) -> Counts {
        self.counts
    }
    /// The calls.
    pub const fn machine(&self) -> &Machine {
        &self.machine
    }

    /// A datagram came to a socket of the node.
    pub fn datagram(
        &mut self,
        socket: usize,
        from: SocketAddr,
        octets: &[u8],
        now: Timestamp,
        out: &mut Vec<Deed>,
    ) {
        self.counts.datagrams += 1;
        let Some((cookie, payload)) = wire::cookie(octets) else {
            self.counts.senseless += 1;
            return;
        };
        match self.replies.seen(from.ip(), cookie, now) {
            Seen::Never => {}
            Seen::Working => {
                self.counts.repeated += 1;
                return;
            }
            Seen::Answered(answer) => {
                self.counts.repeated += 1;
                out.push(Deed::Send { socket, to: from, datagram: answer.to_vec() });
                return;
            }
        }
        self.counts.requests += 1;
        let (encoding, body) = wire::payload(payload);
        let ticket = Ticket(self.next);
        self.next += 1;
        self.askers.insert(ticket, Asker { socket, from, cookie: cookie.to_vec(), encoding });
        let supports = |body: &Value| {
            body.get("supports").is_some_and(|list| list.words().iter().any(|word| word == "load limit"))
        };
        match body.and_then(|body| Ok((supports(&body), Request::read(body)?))) {
            Err(why) => self.answer(ticket, &Value::error(why), out),
            Ok((limits, _)) if self.machine.under_way() >= UNDER_WAY_MAX => {
                self.counts.overloaded += 1;
                let told = || Value::dict().with("result", "load limit").with("message", "Too many requests");
                let value = if limits { told() } else { Value::error("Load limit exceeded") };
                self.answer(ticket, &value, out);
            }
            Ok((_, request)) => {
                self.name(&request);
                self.input(Input::Request { ticket, request: Box::new(request) }, now, out);
            }
        }
    }

    /// A result, an event, or the passing of time.
    pub fn input(&mut self, input: Input, now: Timestamp, out: &mut Vec<Deed>) {
        let mut outputs = std::mem::take(&mut self.outputs);
        self.machine.handle(input, now, &mut outputs);
        for output in outputs.drain(..) {
            match output {
                Output::Answer { ticket, value } => self.answer(ticket, &value, out),
                Output::Plane { job, command } => out.push(Deed::Plane { job, command }),
                Output::Sound { job, source } => out.push(Deed::Sound { job, source }),
            }
        }
        self.outputs = outputs;
    }

    fn answer(&mut self, ticket: Ticket, value: &Value, out: &mut Vec<Deed>) {
        let Some(Asker { socket, from, cookie, encoding }) = self.askers.remove(&ticket) else { return };
        if value.get("result").and_then(Value::text).as_deref() == Some("error") {
            self.counts.errors += 1;
        }
        let datagram = wire::answer(&cookie, encoding, value);
        self.replies.answered(from.ip(), &cookie, &datagram);
        out.push(Deed::Send { socket, to: from, datagram });
    }

    /// Says in the log, once, what a proxy sends without effect.
    fn name(&mut self, request: &Request) {
        let lists =
            [("unknown", &request.options.unknown), ("without effect here", &request.options.ignored)];
        for (why, names) in lists {
            for name in names {
                if self.named.len() < NAMES_MAX && !self.named.contains(name) {
                    let shown: String = name.chars().take(64).collect();
                    tracing::info!(name = shown, "NG: a key or flag is {why}");
                    self.named.insert(name.clone());
                }
            }
        }
    }
}
