//! How calls end, as the records show it.

use model::call::DialFailure;
use model::interaction::{EndStatus, EndedBy};

use super::call::{Call, Stage};

impl Call {
    /// How the records will show its end (REC-06). `ringing`: an agent's phone rang at that moment (VOICE-15).
    pub fn end_status(&self, ringing: bool, by: EndedBy, failed: bool) -> EndStatus {
        match self.stage {
            Stage::Announced { status, .. } => status,
            Stage::Refused { .. } => EndStatus::Refused,
            _ if failed => EndStatus::Failed,
            Stage::PassedOn if self.transfers > 0 => EndStatus::Transferred,
            Stage::PassedOn => EndStatus::PassedOn,
            Stage::InFlow if self.left_message => EndStatus::Voicemail,
            Stage::InFlow | Stage::Dialled if by == EndedBy::Customer => EndStatus::Abandoned,
            Stage::InFlow | Stage::Dialled | Stage::Aside => EndStatus::Failed,
            Stage::Waiting if by == EndedBy::System => EndStatus::Failed,
            Stage::Waiting if ringing => EndStatus::AbandonedRinging,
            Stage::Waiting => EndStatus::Abandoned,
            Stage::Work { .. } if self.answered_at.is_none() && self.outside().is_some() => {
                match self.outside().and_then(|outgoing| outgoing.failed) {
                    Some(why) => status_of(why),
                    // It went up and was not joined any more.
                    None if by == EndedBy::Customer => EndStatus::Normal,
                    None => EndStatus::Cancelled,
                }
            }
            // Accepted, but the caller left before anybody was heard: the caller never came out of the queue.
            // Called back, answered, and gone before the agent was heard.
            Stage::Work { .. } if self.answered_at.is_none() && self.callback.is_some() => match by {
                EndedBy::Customer => EndStatus::Normal,
                EndedBy::Agent | EndedBy::System => EndStatus::Failed,
            },
            Stage::Work { .. } if self.answered_at.is_none() => match by {
                EndedBy::Customer => EndStatus::Abandoned,
                EndedBy::Agent | EndedBy::System => EndStatus::Failed,
            },
            Stage::Work { .. } if self.transfers > 0 => EndStatus::Transferred,
            Stage::Work { .. } => EndStatus::Normal,
        }
    }
}

/// How the records show that nobody answered (OUT-13).
fn status_of(why: DialFailure) -> EndStatus {
    match why {
        DialFailure::Busy => EndStatus::Busy,
        DialFailure::NoAnswer => EndStatus::NoAnswer,
        DialFailure::PhoneOff => EndStatus::PhoneOff,
        DialFailure::Barred => EndStatus::Barred,
        DialFailure::Rejected => EndStatus::Refused,
        DialFailure::NotFound => EndStatus::UnknownNumber,
        DialFailure::Unreachable | DialFailure::TrunksBusy => EndStatus::Failed,
    }
}

#[cfg(test)]
mod tests {
    use model::id::{Id, ServiceId, UserId};
    use model::time::Timestamp;

    use super::*;
    use crate::console::protocol::Phase;
    use crate::floor::call::Aim;

    fn call() -> Call {
        Call::new(
            Aim::Service(ServiceId::from_number(1)),
            "+4930".into(),
            None,
            "100".into(),
            Timestamp::from_millis(1),
        )
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
}
