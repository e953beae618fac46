//! The two ends together: hold, mute, digits, loss of a softphone. How they come together: `connect`; what is measured
//! meanwhile: `figures`.

use media::control::{Answer, MediaError};
use model::call::{CallFact, Sound};
use model::id::{LegId, UserId};
use model::interaction::EndedBy;
use model::journal::Party;
use model::media::StreamStats;
use model::time::Timestamp;

use super::agent::Agent;
use super::customer::{Customer, Side};
use super::ending::Last;
use super::words::{GuestOrder, Heard, MediaOrder, Output, Step};
use super::{Call, SILENCE_GRACE, SOFTPHONE_AWAY_MAX};

/// How the two ends stand to each other.
#[derive(Debug)]
pub(super) enum Link {
    /// Not together.
    Apart,
    /// On the way: recording first, then the tones, then the bridge.
    Connecting {
        /// Whom the customer is brought together with.
        party: Party,
        /// Two tones before.
        announce: bool,
        /// How far.
        stage: Stage,
    },
    /// They talk, or one holds the other.
    Joined(Joined),
}

/// How far connecting is.
#[derive(Debug)]
pub(super) enum Stage {
    /// The recording is being started.
    Recording,
    /// The agent hears the tones.
    Announcing {
        /// Not longer than.
        until: Timestamp,
    },
    /// The bridge is being made.
    Bridging,
}

/// A conversation.
#[derive(Debug)]
pub(super) struct Joined {
    /// Whom the customer talks to.
    pub(super) party: Party,
    pub(super) since: Timestamp,
    /// The end that called.
    pub(super) caller: EndState,
    /// The end that was called.
    pub(super) called: EndState,
    /// The customer goes through a flow: neither hears the other (`aside`).
    pub(super) aside: bool,
    /// Figures are read next.
    pub(super) poll_at: Timestamp,
    /// Figures of the customer and of the agent, as they come in.
    pub(super) polled: (Option<StreamStats>, Option<StreamStats>),
    /// What is wrong with what comes from the customer and from the agent.
    pub(super) faults: (Faults, Faults),
}

/// What makes a party's half sound bad: it is poor while any of it lasts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Faults {
    /// Beyond the limits of QUAL-01.
    pub(super) limits: bool,
    /// Nothing comes while we send.
    pub(super) one_way: bool,
    /// Cut off at full scale.
    pub(super) clipping: bool,
}

/// One of the two ends of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Who called: a customer, or an agent.
    Caller,
    /// Who was called: an agent.
    Called,
}

impl End {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Caller => Self::Called,
            Self::Called => Self::Caller,
        }
    }
}

/// What one end does to the other.
#[derive(Debug, Default)]
pub(super) struct EndState {
    /// It holds the other.
    pub(super) holds: bool,
    /// The other does not hear it.
    pub(super) muted: bool,
    /// Its softphone is away, and is waited for until then.
    pub(super) away_until: Option<Timestamp>,
}

impl EndState {
    /// Whether the other end hears it, rather than music or noise.
    pub(super) fn is_there(&self) -> bool {
        !self.holds && self.away_until.is_none()
    }
}

impl Joined {
    /// Whether the two hear each other.
    pub(super) fn are_together(&self) -> bool {
        !self.aside && self.caller.is_there() && self.called.is_there()
    }
    pub(super) fn at(&self, end: End) -> &EndState {
        match end {
            End::Caller => &self.caller,
            End::Called => &self.called,
        }
    }
    pub(super) fn at_mut(&mut self, end: End) -> &mut EndState {
        match end {
            End::Caller => &mut self.caller,
            End::Called => &mut self.called,
        }
    }
    fn away_until(&self) -> Timestamp {
        let until = |end: &EndState| end.away_until.unwrap_or(Timestamp::NEVER);
        until(&self.caller).min(until(&self.called))
    }
}

impl Link {
    pub(super) fn deadline(&self, silent_since: Option<Timestamp>) -> Timestamp {
        match self {
            Self::Apart => Timestamp::NEVER,
            Self::Connecting { stage: Stage::Announcing { until }, .. } => *until,
            Self::Connecting { .. } => Timestamp::NEVER,
            Self::Joined(joined) => {
                let silence = silent_since.map_or(Timestamp::NEVER, |_| joined.since + SILENCE_GRACE);
                joined.poll_at.min(joined.away_until()).min(silence)
            }
        }
    }
}

impl Call {
    /// The end at which this agent is; of a customer's call only the called end has one.
    pub(super) fn end_of(&self, agent: UserId) -> Option<End> {
        if self.calling == Some(agent) {
            return Some(End::Caller);
        }
        (self.linked_agent() == Some(agent)).then_some(End::Called)
    }

    pub(super) fn leg_at(&self, end: End) -> Option<LegId> {
        match end {
            End::Caller => Some(self.leg),
            End::Called => self.agent.media_leg(),
        }
    }

    /// Whether this end holds the other.
    pub(super) fn holds(&self, end: End) -> bool {
        matches!(&self.link, Link::Joined(joined) if joined.at(end).holds)
    }

    /// Hold or retrieve; saying it twice changes nothing.
    pub(super) fn hold(&mut self, agent: UserId, held: bool, out: &mut Vec<Output>) {
        if let Some(end) = self.end_of(agent) {
            self.hold_at(end, held, out);
        } else if let Some(name) = self.guest_named(agent) {
            self.guest_holds(name, held, out);
        }
    }

    fn hold_at(&mut self, end: End, held: bool, out: &mut Vec<Output>) {
        let calling = self.calling;
        let Link::Joined(joined) = &mut self.link else { return };
        let Some(agent) = (if end == End::Caller { calling } else { agent_of(joined.party) }) else { return };
        if joined.at(end).holds == held {
            return;
        }
        joined.at_mut(end).holds = held;
        let both = joined.are_together();
        let gathered = self.is_conference();
        match (self.leg_at(end), self.leg_at(end.other())) {
            // The agent may have talked to somebody else meanwhile: back means both ways.
            (Some(own), Some(far)) if !held => {
                if self.is_softphone(end) {
                    out.push(Output::Media(MediaOrder::Measure(own)));
                }
                if gathered {
                    self.arrange(out);
                } else if both {
                    let (a, b) = if end == End::Caller { (own, far) } else { (far, own) };
                    out.push(Output::Media(MediaOrder::Bridge { a, b }));
                } else {
                    self.tune(end.other(), out);
                    self.tune(end, out);
                }
            }
            (Some(own), _) if self.is_softphone(end) => {
                if let Some(tally) = self.tally_of(end) {
                    tally.close();
                }
                out.push(Output::Media(MediaOrder::Stats(own)));
                self.left_alone(end.other(), out);
            }
            _ => self.left_alone(end.other(), out),
        }
        out.push(Output::Fact(CallFact::HoldChanged { interaction: self.interaction, agent, held }));
    }

    pub(super) fn is_softphone(&self, end: End) -> bool {
        match end {
            End::Caller => matches!(self.customer, Customer::Colleague(_)),
            End::Called => matches!(self.agent, Agent::Softphone(_)),
        }
    }

    /// One end holds: the other hears music, unless there are more to talk to.
    fn left_alone(&mut self, end: End, out: &mut Vec<Output>) {
        if self.is_conference() { self.arrange(out) } else { self.tune(end, out) }
    }

    /// An agent's phone has a hold key of its own: it works as the console's. A customer who holds us plays music themselves.
    pub(super) fn peer_holds(&mut self, side: Side, holds: bool, out: &mut Vec<Output>) {
        match side {
            Side::Customer if self.calling.is_some() => self.hold_at(End::Caller, holds, out),
            Side::Customer => {}
            Side::Phone(branch) => {
                let phone = match &mut self.agent {
                    Agent::Phone(phone) if phone.picked == Some(branch) => phone,
                    _ => return self.guest_phone_holds(branch, holds, out),
                };
                if std::mem::replace(&mut phone.holds, holds) != holds {
                    self.hold_at(End::Called, holds, out);
                }
            }
        }
    }

    pub(super) fn mute(&mut self, agent: UserId, muted: bool, out: &mut Vec<Output>) {
        let Some(end) = self.end_of(agent) else {
            if let Some(name) = self.guest_named(agent) {
                self.order_guest(name, GuestOrder::Mute { agent, muted }, out);
            }
            return;
        };
        let (Some(leg), Link::Joined(joined)) = (self.leg_at(end), &mut self.link) else { return };
        if joined.at(end).muted == muted {
            return;
        }
        joined.at_mut(end).muted = muted;
        out.push(Output::Media(MediaOrder::Mute { leg, muted }));
        out.push(Output::Fact(CallFact::MuteChanged { interaction: self.interaction, agent, muted }));
    }

    pub(super) fn send_digits(&mut self, agent: UserId, digits: String, out: &mut Vec<Output>) {
        if let Some(name) = self.guest_named(agent) {
            return self.order_guest(name, GuestOrder::SendDigits { agent, digits }, out);
        }
        let far = self.end_of(agent).and_then(|end| self.leg_at(end.other()));
        if let (true, Some(leg)) = (self.is_answered(), far) {
            self.digits_to(leg, digits, out);
        }
    }

    /// Digits to a far end, if they are such.
    pub(super) fn digits_to(&self, leg: LegId, digits: String, out: &mut Vec<Output>) {
        let allowed = |c: char| matches!(c, '0'..='9' | '*' | '#' | 'A'..='D' | ',');
        if !digits.is_empty() && digits.len() <= 64 && digits.chars().all(allowed) {
            out.push(Output::Media(MediaOrder::SendDigits { leg, digits }));
        }
    }

    /// Lets an end hear what it should: the other end, music while that holds, noise while its page is loaded anew (WRTC-02:
    /// never silence) or the customer is aside. An end that holds is left alone: it may be in another call; and so is a customer
    /// who is aside.
    pub(super) fn tune(&self, end: End, out: &mut Vec<Output>) {
        let (Link::Joined(joined), Some(leg), Some(far)) =
            (&self.link, self.leg_at(end), self.leg_at(end.other()))
        else {
            return;
        };
        if joined.at(end).holds || (joined.aside && end == End::Caller) {
            return;
        }
        let heard = match joined.at(end.other()) {
            _ if joined.aside => Heard::Sound(Sound::ComfortNoise),
            EndState { holds: true, .. } => Heard::Sound(Sound::HoldMusic),
            EndState { away_until: Some(_), .. } => Heard::Sound(Sound::ComfortNoise),
            _ => Heard::Leg(far),
        };
        self.hear(leg, heard, out);
    }

    /// The media of a softphone went or came back; the page may have been loaded anew (WRTC-02).
    pub(super) fn softphone_moved(&mut self, leg: LegId, up: bool, now: Timestamp, out: &mut Vec<Output>) {
        let gathered = self.is_conference();
        if self.guest_moved(leg, up, now, out) {
            return;
        }
        let end = if matches!(&self.agent, Agent::Softphone(soft) if soft.media == leg) {
            End::Called
        } else if leg == self.leg && self.is_softphone(End::Caller) {
            End::Caller
        } else {
            return;
        };
        match (&mut self.link, end) {
            (Link::Joined(joined), _) => {
                let state = joined.at_mut(end);
                let away_until = (!up).then(|| state.away_until.unwrap_or(now + SOFTPHONE_AWAY_MAX));
                if state.away_until.is_some() != away_until.is_some() {
                    state.away_until = away_until;
                    if gathered {
                        return self.arrange(out);
                    }
                    self.tune(end.other(), out);
                    if up {
                        self.tune(end, out);
                    }
                }
            }
            (_, End::Caller) if !up => {
                self.end(EndedBy::System, Some("the caller's softphone was lost".to_owned()), out);
            }
            // Between accepting and talking: the lease cannot be kept.
            (Link::Connecting { .. }, End::Called) if !up => {
                self.end(EndedBy::System, Some("the agent's softphone was lost".to_owned()), out);
            }
            (Link::Apart, End::Called) if !up => {
                let ring = match &self.agent {
                    Agent::Softphone(soft) => soft.ring,
                    _ => None,
                };
                self.agent = Agent::Nobody;
                if let Some(ring) = ring {
                    self.ring_nothing(ring, "the softphone was lost".to_owned(), out);
                }
            }
            _ => {}
        }
    }

    pub(super) fn link_tick(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        match &self.link {
            Link::Connecting { stage: Stage::Announcing { until }, .. } if *until <= now => self.bridge(out),
            Link::Joined(joined) if joined.away_until() <= now => {
                if joined.caller.away_until.is_some_and(|at| at <= now) {
                    self.customer_failed("the caller's softphone did not come back".to_owned(), out);
                } else {
                    self.seat_failed("the agent's softphone did not come back".to_owned(), out);
                }
            }
            Link::Joined(_) => {
                self.still_silent(now, out);
                if self.ending.is_none() {
                    self.poll(now, out);
                }
            }
            _ => {}
        }
    }

    /// The media plane's answers that are not about a leg's making.
    pub(super) fn media_answered(
        &mut self,
        step: Step,
        result: Result<Answer, MediaError>,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) {
        if let Some(at) = self.leaving.iter().position(|(awaited, _)| *awaited == step) {
            let (_, last) = self.leaving.remove(at);
            return self.say_last(last, step, result, out);
        }
        match step {
            Step::Configured(leg) if self.guest_configured(leg, &result, out) => {}
            Step::Gathered if self.is_taking() => self.seated(result, out),
            Step::Gathered => {
                if let Err(why) = result {
                    let failure = format!("could not be brought together: {why}");
                    self.end(EndedBy::System, Some(failure), out);
                }
            }
            Step::Created(leg) | Step::Configured(leg) if leg == self.leg => {
                self.customer_media(step, result, now, out)
            }
            Step::Created(_) | Step::Configured(_) => self.phone_media(step, result, now, out),
            Step::Bridged => self.bridged(result, now, out),
            Step::Recording(recording) if self.message == Some(recording) => {
                self.message_answered(recording, result, out);
            }
            Step::Recording(recording) => self.recording_answered(recording, result, now, out),
            Step::Tapped(recording) => self.tap_answered(recording, result, out),
            Step::Paused { recording, by, paused } => {
                self.pause_answered((recording, by, paused), result, out);
            }
            Step::Stats(leg) => {
                if let Ok(Answer::Stats(stats)) = result {
                    self.figures(leg, &stats, out);
                }
            }
            // A message, or a recording of which whoever has the customer now is no part.
            Step::Stopped(_) => self.say_last(Last::Captured, step, result, out),
            Step::Deleted(_) | Step::Minor => {}
        }
    }

    /// The customer is alone again.
    pub(super) fn nobody_is_linked(&mut self) {
        (self.agent, self.link) = (Agent::Nobody, Link::Apart);
    }

    /// Whoever is, or is being, linked with the customer.
    pub(super) fn linked_party(&self) -> Option<Party> {
        match &self.link {
            Link::Apart => None,
            Link::Connecting { party, .. } => Some(*party),
            Link::Joined(joined) => Some(joined.party),
        }
    }

    /// The agent who is, or is being, linked.
    pub(super) fn linked_agent(&self) -> Option<UserId> {
        self.linked_party().and_then(agent_of)
    }
}

fn agent_of(party: Party) -> Option<UserId> {
    match party {
        Party::Agent { agent } => Some(agent),
        Party::Customer | Party::FarEnd => None,
    }
}
