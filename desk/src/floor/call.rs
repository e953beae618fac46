//! One call as the desk sees it: who calls, what it is at, what its agent noted. The floor owns queue places and offers,
//! signalling owns legs; here is only what neither of them knows.
//!
//! A call from outside has one agent; an internal call has two, each with a view, a hold and a mute of their own.

use std::collections::BTreeMap;

use model::call::DialFailure;
use model::dialling::Dialled;
use model::id::{DispositionId, InteractionId, OfferToken, RecordingId, ServiceId, UserId};
use model::interaction::{Channel, Direction, EndStatus, EndedBy};
use model::media::StreamStats;
use model::time::Timestamp;
use model::transfer::TransferTarget;

use super::callback::Callback;
use super::conference::Conference;
use super::diversion::Way;
use super::message::Message;
use crate::console::protocol::{Phase, RefusedWhy, ScreenView};

/// Digits of the customer that are kept for the page.
const DIGITS_KEPT: usize = 64;

/// A live call, or one whose after-call work is open.
#[derive(Clone, Debug)]
pub struct Call {
    /// What was called.
    pub aim: Aim,
    /// Calling number.
    pub caller: String,
    /// Display name.
    pub caller_name: Option<String>,
    /// Called number.
    pub contact: String,
    /// How many systems and tables flows asked for it, and the number of the last one in its run.
    pub asked: (u32, u32),
    /// What flows noted of the caller.
    pub noted: BTreeMap<String, String>,
    /// First INVITE.
    pub arrived_at: Timestamp,
    /// What it is at.
    pub stage: Stage,
    /// Whether the caller hears us: the call was answered.
    pub heard: bool,
    /// The customer is called back.
    pub callback: Option<Callback>,
    /// The number outside that is dialled for the customer by a flow or by an agent who left, or the customer is connected with.
    pub passes_to: Option<String>,
    /// The message that is being left.
    pub message: Option<Message>,
    /// A message was left and is kept.
    pub left_message: bool,
    /// We called the customer, and an agent passed the call on: it is a call out, whatever it waits for.
    pub placed: bool,
    /// How often it was passed on by agents (XFER-05).
    pub transfers: usize,
    /// Who passed it on last.
    pub passed_by: Option<UserId>,
    /// Of an agent's part: which call it was a part of.
    pub part_of: Option<InteractionId>,
    /// To whom that was passed on.
    pub passed_to: Option<TransferTarget>,
    /// Where it was led from the extension that was called (VM-01).
    pub diverted: Option<Way>,
    /// The call that its agent asks about in it (XFER-01).
    pub consults: Option<InteractionId>,
    /// What that agent showed of it (XFER-02).
    pub screen: Option<Box<ScreenView>>,
    /// Whoever is called is being brought into another call.
    pub joining: bool,
    /// Who else is in it, or the call that it is a part of.
    pub conference: Conference,
    /// Since when the caller waits, in this queue or in those before it.
    pub waits_since: Option<Timestamp>,
    /// How often the caller was led on from a queue.
    pub led_on: u8,
    /// When they began to hear each other.
    pub answered_at: Option<Timestamp>,
    /// The part of the agent who was offered the call.
    pub agent_half: Half,
    /// The part of the agent who called, in an internal call.
    pub calling_half: Half,
    /// What the calling side pressed.
    pub digits: String,
    /// Live figures.
    pub quality: Option<(StreamStats, StreamStats)>,
    /// Customer's and agent's half outside the limits.
    pub poor: (bool, bool),
    /// Its recording, from the moment the parties are joined.
    pub recording: Option<RecordingId>,
    /// Whether it is being captured.
    pub recording_now: bool,
    /// Since when what is said is left out of it, and when that ends by itself.
    pub recording_pause: Option<(Timestamp, Timestamp)>,
    /// How the agent coded it.
    pub disposition: Option<DispositionId>,
    /// The agent's remark.
    pub comment: String,
}

/// What was called.
#[derive(Clone, Debug)]
pub enum Aim {
    /// A service, from outside.
    Service(ServiceId),
    /// A colleague, from inside.
    Colleague(Inside),
    /// A number outside, by an agent.
    Outside(Outgoing),
}

/// What an agent calls outside, and for which service.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Under which service it is counted (OUT-02).
    pub service: ServiceId,
    /// The agent's phone on the desk is rung under this.
    pub token: OfferToken,
    /// What is dialled and pressed.
    pub dialled: Dialled,
    /// What whoever is called sees.
    pub caller_id: Option<String>,
    /// Why nobody answered.
    pub failed: Option<DialFailure>,
}

/// Who calls whom in an internal call.
#[derive(Clone, Debug)]
pub struct Inside {
    /// Who calls.
    pub caller: UserId,
    /// Who is called.
    pub callee: UserId,
    /// What keeps the caller Busy on the floor. It has no record and no page knows it. `None`: the caller is not on the
    /// floor.
    pub own: Option<InteractionId>,
}

/// One agent's part in a call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Half {
    /// Whether the far side does not hear this agent.
    pub muted: bool,
    /// Whether this agent has put the far side on hold.
    pub held: bool,
    /// Since when the far side is held, or not any more.
    pub since: Timestamp,
}

/// As whom an agent has a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seat {
    /// It was offered to the agent.
    Called,
    /// The agent called a colleague.
    Calling,
}

impl Seat {
    /// Which side hangs up when this agent does.
    pub fn side(self) -> EndedBy {
        match self {
            Self::Called => EndedBy::Agent,
            Self::Calling => EndedBy::Customer,
        }
    }
}

/// What a call is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Hears an announcement, then is hung up; it will have ended like this.
    Announced {
        /// How it will have ended.
        status: EndStatus,
        /// Whether the journal has that end already: the floor gave up waiting and said so.
        written: bool,
    },
    /// Goes through a flow; no agent was asked yet.
    InFlow,
    /// An agent passed the customer on to a number outside, which is dialled.
    Dialled,
    /// A number outside that was dialled for the customer answered: they talk, or will in a moment.
    PassedOn,
    /// On the floor: waits, or rings an agent.
    Waiting,
    /// Not on the floor: the customer is to be called back later, or still hears good-bye.
    Aside,
    /// The colleague refused, did not answer or could not be reached; the one who called hears busy.
    Refused {
        /// Why.
        why: RefusedWhy,
        /// Since when.
        since: Timestamp,
    },
    /// An agent took it.
    Work {
        /// Who.
        agent: UserId,
        /// What it is at; whether it is held is each agent's own.
        phase: Phase,
        /// Since when.
        since: Timestamp,
        /// When after-call work ends by itself.
        until: Option<Timestamp>,
    },
}

impl Call {
    /// A call that just came.
    pub fn new(
        aim: Aim,
        caller: String,
        caller_name: Option<String>,
        contact: String,
        now: Timestamp,
    ) -> Self {
        Self {
            aim,
            caller,
            caller_name,
            contact,
            asked: (0, 0),
            noted: BTreeMap::new(),
            arrived_at: now,
            stage: Stage::Waiting,
            heard: false,
            callback: None,
            passes_to: None,
            message: None,
            left_message: false,
            placed: false,
            transfers: 0,
            passed_by: None,
            part_of: None,
            passed_to: None,
            diverted: None,
            consults: None,
            screen: None,
            joining: false,
            conference: Conference::default(),
            waits_since: None,
            led_on: 0,
            answered_at: None,
            agent_half: Half::default(),
            calling_half: Half::default(),
            digits: String::new(),
            quality: None,
            poor: (false, false),
            recording: None,
            recording_now: false,
            recording_pause: None,
            disposition: None,
            comment: String::new(),
        }
    }

    /// What flows know of the caller from the start.
    pub fn as_caller(&self) -> flow::Caller {
        flow::Caller {
            number: self.caller.clone(),
            name: self.caller_name.clone().unwrap_or_default(),
            called: self.contact.clone(),
        }
    }
    /// The service that was called.
    pub fn service(&self) -> Option<ServiceId> {
        match self.aim {
            Aim::Service(service) | Aim::Outside(Outgoing { service, .. }) => Some(service),
            Aim::Colleague(_) => None,
        }
    }
    /// What is called outside, if it is.
    pub fn outside(&self) -> Option<&Outgoing> {
        match &self.aim {
            Aim::Outside(outgoing) => Some(outgoing),
            _ => None,
        }
    }
    /// What kind of contact it is for an agent.
    pub fn channel(&self) -> Channel {
        if self.callback.is_some() { Channel::Callback } else { Channel::Voice }
    }
    /// Who began it.
    pub fn direction(&self) -> Direction {
        match self.aim {
            Aim::Service(_) if self.placed => Direction::Outbound,
            Aim::Service(_) => Direction::Inbound,
            Aim::Colleague(_) => Direction::Internal,
            Aim::Outside(_) => Direction::Outbound,
        }
    }
    /// Who calls whom, in an internal call.
    pub fn inside(&self) -> Option<&Inside> {
        match &self.aim {
            Aim::Service(_) | Aim::Outside(_) => None,
            Aim::Colleague(inside) => Some(inside),
        }
    }
    /// What keeps the caller of an internal call Busy on the floor, which is told of its end elsewhere from now on.
    pub fn take_own(&mut self) -> Option<InteractionId> {
        match &mut self.aim {
            Aim::Colleague(inside) => inside.own.take(),
            Aim::Service(_) | Aim::Outside(_) => None,
        }
    }
    /// As whom an agent has it; `None`: it is not this agent's.
    pub fn seat(&self, agent: UserId) -> Option<Seat> {
        if self.calling() == Some(agent) {
            Some(Seat::Calling)
        } else {
            (self.agent() == Some(agent)).then_some(Seat::Called)
        }
    }
    /// The other agent of an internal call.
    pub fn other_of(&self, seat: Seat) -> Option<UserId> {
        self.inside().map(|inside| match seat {
            Seat::Calling => inside.callee,
            Seat::Called => inside.caller,
        })
    }
    /// Everybody who has it.
    pub fn holders(&self) -> impl Iterator<Item = UserId> + use<> {
        self.calling().into_iter().chain(self.agent())
    }
    /// The agent who called, of an internal call: no more, once the colleague was brought into another call.
    fn calling(&self) -> Option<UserId> {
        self.inside().filter(|_| self.conference.into.is_none()).map(|inside| inside.caller)
    }
    /// An agent's part in it.
    pub fn half(&self, seat: Seat) -> &Half {
        match seat {
            Seat::Called => &self.agent_half,
            Seat::Calling => &self.calling_half,
        }
    }
    /// The same, to be changed.
    pub fn half_mut(&mut self, seat: Seat) -> &mut Half {
        match seat {
            Seat::Called => &mut self.agent_half,
            Seat::Calling => &mut self.calling_half,
        }
    }

    /// The agent who was offered it and works on it.
    pub fn agent(&self) -> Option<UserId> {
        match self.stage {
            Stage::Work { agent, .. } => Some(agent),
            _ => None,
        }
    }
    /// What it is at for the agent of this seat, and since when.
    pub fn phase(&self, seat: Seat) -> Option<(Phase, Timestamp)> {
        match (self.stage, seat) {
            (Stage::Work { phase: Phase::Talking, since, .. }, _) => {
                let half = self.half(seat);
                let phase = if half.held { Phase::Held } else { Phase::Talking };
                Some((phase, since.max(half.since)))
            }
            (Stage::Work { phase, since, .. }, _) => Some((phase, since)),
            (Stage::PassedOn, Seat::Calling) => {
                let half = self.half(seat);
                let phase = if half.held { Phase::Held } else { Phase::Talking };
                Some((phase, self.arrived_at.max(half.since)))
            }
            (Stage::Waiting | Stage::InFlow | Stage::Announced { .. }, Seat::Calling) => {
                Some((Phase::Dialling, self.arrived_at))
            }
            (Stage::Refused { since, .. }, Seat::Calling) => Some((Phase::Refused, since)),
            _ => None,
        }
    }
    /// Whether the calling side is still on the line.
    pub fn up(&self) -> bool {
        !matches!(self.stage, Stage::Work { phase: Phase::WrapUp, .. })
    }
    /// Moves its work on.
    pub fn enter(&mut self, agent: UserId, phase: Phase, now: Timestamp) {
        self.stage = Stage::Work { agent, phase, since: now, until: None };
    }
    /// The conversation is over: nobody is muted or held any more.
    pub fn release(&mut self) {
        for half in [&mut self.agent_half, &mut self.calling_half] {
            (half.muted, half.held) = (false, false);
        }
        (self.recording_now, self.recording_pause) = (false, None);
    }
    /// The calling side pressed a key.
    pub fn pressed(&mut self, digit: char) {
        if self.digits.len() < DIGITS_KEPT && matches!(digit, '0'..='9' | '*' | '#' | 'A'..='D') {
            self.digits.push(digit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::Id;

    fn call() -> Call {
        Call::new(
            Aim::Service(ServiceId::from_number(1)),
            "+4930".into(),
            None,
            "100".into(),
            Timestamp::from_millis(1),
        )
    }

    #[test]
    fn only_so_many_digits_are_kept_and_only_digits() {
        let mut call = call();
        call.pressed('x');
        for _ in 0..100 {
            call.pressed('7');
        }
        assert_eq!(call.digits, "7".repeat(64));
    }
}
