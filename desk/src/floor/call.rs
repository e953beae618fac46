//! One call as the desk sees it: who calls, what it is at, what its agent noted. The floor owns queue places and offers,
//! signalling owns legs; here is only what neither of them knows.

use model::id::{DispositionId, RecordingId, ServiceId, UserId};
use model::interaction::{EndStatus, EndedBy};
use model::media::StreamStats;
use model::time::Timestamp;

use crate::console::protocol::Phase;

/// Digits of the customer that are kept for the page.
const DIGITS_KEPT: usize = 64;

/// A live call, or one whose after-call work is open.
#[derive(Clone, Debug)]
pub struct Call {
    /// The service that was called.
    pub service: ServiceId,
    /// Calling number.
    pub caller: String,
    /// Display name.
    pub caller_name: Option<String>,
    /// Called number.
    pub contact: String,
    /// First INVITE.
    pub arrived_at: Timestamp,
    /// What it is at.
    pub stage: Stage,
    /// When they began to hear each other.
    pub answered_at: Option<Timestamp>,
    /// Whether the customer does not hear the agent.
    pub muted: bool,
    /// Whether the customer hears music.
    pub held: bool,
    /// What the customer pressed.
    pub digits: String,
    /// Live figures.
    pub quality: Option<(StreamStats, StreamStats)>,
    /// Customer's and agent's half outside the limits.
    pub poor: (bool, bool),
    /// Its recording, from the moment the parties are joined.
    pub recording: Option<RecordingId>,
    /// Whether it is being captured.
    pub recording_now: bool,
    /// How the agent coded it.
    pub disposition: Option<DispositionId>,
    /// The agent's remark.
    pub comment: String,
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
    /// On the floor: waits, or rings an agent.
    Waiting,
    /// An agent took it.
    Work {
        /// Who.
        agent: UserId,
        /// What it is at.
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
        service: ServiceId,
        caller: String,
        caller_name: Option<String>,
        contact: String,
        now: Timestamp,
    ) -> Self {
        Self {
            service,
            caller,
            caller_name,
            contact,
            arrived_at: now,
            stage: Stage::Waiting,
            answered_at: None,
            muted: false,
            held: false,
            digits: String::new(),
            quality: None,
            poor: (false, false),
            recording: None,
            recording_now: false,
            disposition: None,
            comment: String::new(),
        }
    }

    /// The agent who works on it.
    pub fn agent(&self) -> Option<UserId> {
        match self.stage {
            Stage::Work { agent, .. } => Some(agent),
            _ => None,
        }
    }
    /// What its work is at.
    pub fn phase(&self) -> Option<Phase> {
        match self.stage {
            Stage::Work { phase, .. } => Some(phase),
            _ => None,
        }
    }
    /// Whether the customer is still on the line.
    pub fn up(&self) -> bool {
        !matches!(self.stage, Stage::Work { phase: Phase::WrapUp, .. })
    }
    /// Moves its work on.
    pub fn enter(&mut self, agent: UserId, phase: Phase, now: Timestamp) {
        self.stage = Stage::Work { agent, phase, since: now, until: None };
    }
    /// The phase of a conversation.
    pub fn conversation(&self) -> Phase {
        if self.held { Phase::Held } else { Phase::Talking }
    }
    /// The customer pressed a key.
    pub fn pressed(&mut self, digit: char) {
        if self.digits.len() < DIGITS_KEPT && matches!(digit, '0'..='9' | '*' | '#' | 'A'..='D') {
            self.digits.push(digit);
        }
    }

    /// How the records will show its end (REC-06). `ringing`: an agent's phone rang at that moment (VOICE-15).
    pub fn end_status(&self, ringing: bool, by: EndedBy, failed: bool) -> EndStatus {
        match self.stage {
            Stage::Announced { status, .. } => status,
            _ if failed => EndStatus::Failed,
            Stage::Waiting if by == EndedBy::System => EndStatus::Failed,
            Stage::Waiting if ringing => EndStatus::AbandonedRinging,
            Stage::Waiting => EndStatus::Abandoned,
            // Accepted, but the caller left before anybody was heard: the caller never came out of the queue.
            Stage::Work { .. } if self.answered_at.is_none() => match by {
                EndedBy::Customer => EndStatus::Abandoned,
                EndedBy::Agent | EndedBy::System => EndStatus::Failed,
            },
            Stage::Work { .. } => EndStatus::Normal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::Id;

    fn call() -> Call {
        Call::new(ServiceId::from_number(1), "+4930".into(), None, "100".into(), Timestamp::from_millis(1))
    }

    /// REC-06: the statuses of inbound calls, and VOICE-15: a caller who leaves while a phone rings.
    #[test]
    fn the_status_of_a_call_follows_from_where_it_ended() {
        let mut call = call();
        assert_eq!(call.end_status(false, EndedBy::Customer, false), EndStatus::Abandoned);
        assert_eq!(call.end_status(true, EndedBy::Customer, false), EndStatus::AbandonedRinging);
        call.enter(UserId::from_number(1), Phase::Connecting, Timestamp::from_millis(2));
        assert_eq!(call.end_status(false, EndedBy::Customer, false), EndStatus::Abandoned);
        call.answered_at = Some(Timestamp::from_millis(3));
        call.enter(UserId::from_number(1), Phase::Talking, Timestamp::from_millis(3));
        assert_eq!(call.end_status(false, EndedBy::Agent, false), EndStatus::Normal);
        assert_eq!(call.end_status(false, EndedBy::System, true), EndStatus::Failed);
        call.stage = Stage::Announced { status: EndStatus::NoAgentOnline, written: false };
        assert_eq!(call.end_status(false, EndedBy::Customer, false), EndStatus::NoAgentOnline);
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
