//! The softphone of one agent: a media leg with ICE that outlives calls and page loads (WRTC-01, WRTC-02). Pure.
//!
//! The page offers, we answer; the leg is made once and set up anew each time the page comes again. A new page has a new
//! DTLS identity, so its media is down until the handshake is done; the same page that only changed networks keeps it.

use std::time::Duration;

use media::control::{Answer, Event, LegSetup, MediaError, Security};
use model::call::CallFact;
use model::id::{LegId, SessionId, UserId};
use model::media::Codec;
use model::people::PhoneKind;
use model::time::Timestamp;

use crate::call::session::Session;
use crate::sdp::{Ability, KeySeed};

/// A page that was answered has this long to bring its media up.
pub const SETUP_MAX: Duration = Duration::from_secs(15);

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// The page's offer.
    Attach {
        /// Of which sign-in.
        session: SessionId,
        /// The offer.
        sdp: String,
    },
    /// The agent signed out.
    Detach,
    /// The media plane made the leg.
    Created(Result<Answer, MediaError>),
    /// The media plane set up the leg.
    Configured(Result<Answer, MediaError>),
    /// The media plane noticed something.
    Media(Event),
    /// The deadline may have come.
    Tick,
}

/// What has to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Make the leg; answered by [`Input::Created`].
    Create,
    /// Set it up; answered by [`Input::Configured`].
    Configure(Box<LegSetup>),
    /// Take it down.
    Delete,
    /// Tell the desk.
    Fact(CallFact),
    /// Tell the switchboard, and with it the call.
    Moved {
        /// Whether media is up.
        up: bool,
        /// What is spoken.
        codec: Codec,
    },
}

/// A softphone.
#[derive(Debug)]
pub struct Softphone {
    agent: UserId,
    leg: LegId,
    negotiation: Session,
    state: State,
    /// Whose DTLS identity the leg is set up for.
    fingerprint: Option<String>,
    up: bool,
}

#[derive(Debug)]
enum State {
    /// No leg.
    Absent,
    /// The leg is being made for an offer.
    Making { session: SessionId },
    /// The leg is being set up; then the page gets its answer.
    Setting { session: SessionId, answer: String },
    /// The page has its answer. `until`: its media has to be up then.
    Attached { until: Option<Timestamp> },
    /// Taken down.
    Gone,
}

impl Softphone {
    /// A softphone without a page.
    pub fn new(agent: UserId, leg: LegId, seed: KeySeed, number: u64) -> Self {
        Self {
            agent,
            leg,
            negotiation: Session::new(Ability::webrtc(), seed, number),
            state: State::Absent,
            fingerprint: None,
            up: false,
        }
    }

    /// Moves on.
    pub fn handle(&mut self, input: Input, now: Timestamp) -> Vec<Output> {
        let mut out = Vec::new();
        match input {
            Input::Attach { session, sdp } => self.attach(session, &sdp, now, &mut out),
            Input::Created(Ok(Answer::Created(at))) => {
                if let State::Making { session } = self.state {
                    match self.negotiation.answer_at(at) {
                        Ok(turn) => self.set_up(session, turn.setup, turn.sdp, now, &mut out),
                        Err(why) => self.refuse(session, why.to_string(), &mut out),
                    }
                }
            }
            Input::Created(result) => {
                if let State::Making { session } = self.state {
                    let why = result
                        .err()
                        .map_or_else(|| "the media plane gave no leg".to_owned(), |e| e.to_string());
                    self.state = State::Absent;
                    self.say_refused(session, why, &mut out);
                }
            }
            Input::Configured(result) => self.configured(result, now, &mut out),
            Input::Media(event) => self.media(event, &mut out),
            Input::Detach => {
                self.moved(false, &mut out);
                if !matches!(self.state, State::Absent | State::Gone) {
                    out.push(Output::Delete);
                }
                self.state = State::Gone;
            }
            Input::Tick => {
                if let State::Attached { until: Some(until) } = self.state
                    && until <= now
                {
                    self.state = State::Attached { until: None };
                    self.say_phone(false, &mut out);
                }
            }
        }
        out
    }

    /// When [`Input::Tick`] is due.
    pub fn next_deadline(&self) -> Timestamp {
        match self.state {
            State::Attached { until: Some(until) } => until,
            _ => Timestamp::NEVER,
        }
    }

    /// Whether it was taken down.
    pub fn is_gone(&self) -> bool {
        matches!(self.state, State::Gone)
    }

    fn attach(&mut self, session: SessionId, sdp: &str, now: Timestamp, out: &mut Vec<Output>) {
        match self.state {
            State::Gone => self.say_refused(session, "the agent signed out".to_owned(), out),
            State::Absent => match self.negotiation.consider(sdp) {
                Ok(()) => {
                    self.state = State::Making { session };
                    out.push(Output::Create);
                }
                Err(why) => self.say_refused(session, why.to_string(), out),
            },
            State::Making { .. } | State::Setting { .. } => {
                self.say_refused(session, "another page is being connected".to_owned(), out);
            }
            State::Attached { .. } => match self.negotiation.renegotiate(sdp) {
                Ok(turn) => self.set_up(session, turn.setup, turn.sdp, now, out),
                // What there is stays as it is.
                Err(why) => self.say_refused(session, why.to_string(), out),
            },
        }
    }

    fn set_up(
        &mut self,
        session: SessionId,
        setup: Option<LegSetup>,
        answer: String,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) {
        match setup {
            Some(setup) => {
                let fingerprint = fingerprint(&setup);
                if fingerprint != self.fingerprint {
                    // Another page: the old one's media is over, whatever ICE still believes. The desk is not told that
                    // the phone is down, because the next fact is that it is up.
                    self.fingerprint = fingerprint;
                    self.moved_silently(out);
                }
                self.state = State::Setting { session, answer };
                out.push(Output::Configure(Box::new(setup)));
            }
            None => self.answer(session, answer, now, out),
        }
    }

    fn configured(&mut self, result: Result<Answer, MediaError>, now: Timestamp, out: &mut Vec<Output>) {
        let State::Setting { session, answer } = &mut self.state else { return };
        let (session, answer) = (*session, std::mem::take(answer));
        match result {
            Ok(_) => self.answer(session, answer, now, out),
            Err(why) => self.refuse(session, why.to_string(), out),
        }
    }

    fn answer(&mut self, session: SessionId, sdp: String, now: Timestamp, out: &mut Vec<Output>) {
        let until = (!self.up).then(|| now + SETUP_MAX);
        self.state = State::Attached { until };
        out.push(Output::Fact(CallFact::PhoneAnswer { agent: self.agent, session, sdp }));
        if self.up {
            // The console that just came must know that it can be rung.
            self.say_phone(true, out);
        }
    }

    /// The leg is of no use: the next page gets a new one.
    fn refuse(&mut self, session: SessionId, why: String, out: &mut Vec<Output>) {
        self.moved(false, out);
        self.state = State::Absent;
        self.fingerprint = None;
        out.push(Output::Delete);
        self.say_refused(session, why, out);
    }

    fn media(&mut self, event: Event, out: &mut Vec<Output>) {
        match event {
            Event::Secured { leg } if leg == self.leg => self.came_up(out),
            // After a gap of the same page; before the first handshake nothing can have passed the checks.
            Event::Started { leg }
                if leg == self.leg && matches!(self.state, State::Attached { until: None }) =>
            {
                self.came_up(out);
            }
            Event::Silent { leg, .. } if leg == self.leg => self.moved(false, out),
            Event::SecureFailed { leg, why } if leg == self.leg => {
                tracing::warn!(agent = %self.agent, %leg, why, "a softphone could not be secured");
                self.fingerprint = None;
                self.moved(false, out);
                if let State::Attached { until } = &mut self.state
                    && until.take().is_some()
                {
                    self.say_phone(false, out);
                }
            }
            _ => {}
        }
    }

    fn came_up(&mut self, out: &mut Vec<Output>) {
        if let State::Attached { until } = &mut self.state {
            *until = None;
        }
        if !std::mem::replace(&mut self.up, true) {
            out.push(Output::Moved { up: true, codec: self.codec() });
            self.say_phone(true, out);
        }
    }

    fn moved(&mut self, up: bool, out: &mut Vec<Output>) {
        if std::mem::replace(&mut self.up, up) != up {
            out.push(Output::Moved { up, codec: self.codec() });
            self.say_phone(up, out);
        }
    }

    fn moved_silently(&mut self, out: &mut Vec<Output>) {
        if std::mem::replace(&mut self.up, false) {
            out.push(Output::Moved { up: false, codec: self.codec() });
        }
    }

    fn codec(&self) -> Codec {
        self.negotiation.codec().unwrap_or(Codec::Opus)
    }

    fn say_phone(&self, up: bool, out: &mut Vec<Output>) {
        let (agent, phone) = (self.agent, PhoneKind::Browser);
        let fact = if up { CallFact::PhoneUp { agent, phone } } else { CallFact::PhoneDown { agent, phone } };
        out.push(Output::Fact(fact));
    }

    fn say_refused(&self, session: SessionId, why: String, out: &mut Vec<Output>) {
        out.push(Output::Fact(CallFact::PhoneRefused { agent: self.agent, session, why }));
    }
}

fn fingerprint(setup: &LegSetup) -> Option<String> {
    match &setup.security {
        Security::Dtls { remote_fingerprint, .. } => Some(remote_fingerprint.clone()),
        _ => None,
    }
}

#[cfg(test)]
#[path = "softphone_tests.rs"]
mod tests;
