//! Steps that ask a system of the operator, or a table of the appliance. Whatever it does, the caller goes on when the step's time is over; what it answers after
//! that is for nobody.

use std::collections::BTreeMap;
use std::time::Duration;

use model::time::Timestamp;

use super::{Effect, Input, Run, State};
use crate::graph::{Http, Lookup, Node};
use crate::request::{LOOK_UP_MAX, LookUp, Reply, Request};

/// Music begins after this: most systems are faster, and a scrap of music would sound like a fault.
const QUIET: Duration = Duration::from_secs(1);

impl Run {
    /// Asks; where to at once, if it cannot be asked.
    pub(super) fn request(&mut self, http: &Http, now: Timestamp, out: &mut Vec<Effect>) -> Option<String> {
        self.requests += 1;
        let number = self.requests;
        let Some(request) = Request::of(http, number, &self.vars) else {
            return Some(self.replied(http, Reply::Failed, out));
        };
        let prompt = http.prompt.as_ref().and_then(|prompt| self.play(&[prompt], out));
        if prompt.is_none() {
            out.push(Effect::Silence);
        }
        let music_at = prompt.is_none().then_some(now + QUIET);
        self.state = State::Requesting { number, prompt, music_at, until: now + request.within };
        out.push(Effect::Request(request));
        None
    }

    /// Looks up. What is heard goes on meanwhile: it takes no time that anybody notices.
    pub(super) fn look_up(&mut self, lookup: &Lookup, now: Timestamp, out: &mut Vec<Effect>) {
        self.requests += 1;
        let number = self.requests;
        let (music_at, until) = (Some(now + QUIET), now + LOOK_UP_MAX);
        self.state = State::Requesting { number, prompt: None, music_at, until };
        let (table, key) = (lookup.table.clone(), lookup.key.fill(&self.vars).trim().to_owned());
        out.push(Effect::LookUp(LookUp { number, table, key }));
    }

    pub(super) fn while_requesting(&mut self, input: Input, now: Timestamp, out: &mut Vec<Effect>) {
        let State::Requesting { number, prompt, music_at, until } = &mut self.state else { return };
        let reply = match input {
            Input::Replied(of, reply) if of == *number => reply,
            Input::Tick if now >= *until => Reply::TimedOut,
            Input::Tick if music_at.is_some_and(|at| now >= at) => {
                *music_at = None;
                return out.push(Effect::Music);
            }
            Input::Played(ended) if *prompt == Some(ended) => {
                *prompt = None;
                return out.push(Effect::Music);
            }
            Input::Key(key) => return self.type_ahead(key),
            _ => return,
        };
        let ready = self.ready.clone();
        let next = match ready.node(&self.node) {
            Some(Node::Http(http)) => self.replied(http, reply, out),
            Some(Node::Lookup(lookup)) => self.found(lookup, reply, out),
            _ => return,
        };
        self.enter(next, now, out);
    }

    /// Notes what a table has; where to then.
    fn found(&mut self, lookup: &Lookup, reply: Reply, out: &mut Vec<Effect>) -> String {
        let row = match reply {
            Reply::Answered { status: 200, values } => Some(values),
            _ => None,
        };
        let cell = |column| row.as_ref().and_then(|row| row.get(column)).cloned().unwrap_or_default();
        let picked: Vec<_> = lookup.picks.iter().map(|(name, column)| (name.clone(), cell(column))).collect();
        self.note(picked, out);
        let missing = lookup.missing.clone().unwrap_or_default();
        if row.is_some() { lookup.next.clone() } else { missing }
    }

    /// Notes what a system answered, and forgets what it answered before; where to then.
    fn replied(&mut self, http: &Http, reply: Reply, out: &mut Vec<Effect>) -> String {
        let failed = http.failed.as_ref();
        let (status, mut values, next) = match reply {
            Reply::Answered { status, values } if (200..300).contains(&status) => {
                (Some(status), values, Some(&http.next))
            }
            Reply::Answered { status, .. } => (Some(status), BTreeMap::new(), failed),
            Reply::Failed => (None, BTreeMap::new(), failed),
            Reply::TimedOut => (None, BTreeMap::new(), http.timeout.as_ref().or(failed)),
        };
        let picked: Vec<_> =
            http.picks.keys().map(|name| (name.clone(), values.remove(name).unwrap_or_default())).collect();
        let status = status.map(|status| status.to_string()).unwrap_or_default();
        self.note(picked.into_iter().chain(http.status.clone().map(|name| (name, status))), out);
        next.cloned().unwrap_or_default()
    }
}
