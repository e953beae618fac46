//! Names of results and states: labels of figures, and filters of records.

use model::call::DialFailure;
use model::interaction::{CallbackEnd, Channel, Direction, EndStatus};
use model::journal::OfferEnd;
use model::service::Overflow;
use model::written::Author;

pub(super) fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
        Direction::Internal => "internal",
    }
}

/// The name of a status in records, filters and labels.
pub fn status_name(status: EndStatus) -> &'static str {
    match status {
        EndStatus::Normal => "normal",
        EndStatus::Blocked => "blocked",
        EndStatus::Refused => "refused",
        EndStatus::Transferred => "transferred",
        EndStatus::Abandoned => "abandoned",
        EndStatus::AbandonedRinging => "abandoned_ringing",
        EndStatus::NoAgentOnline => "no_agent_online",
        EndStatus::Closed => "closed",
        EndStatus::QueueFull => "queue_full",
        EndStatus::SelfServed => "self_served",
        EndStatus::PassedOn => "passed_on",
        EndStatus::Voicemail => "voicemail",
        EndStatus::UnknownNumber => "unknown_number",
        EndStatus::Interrupted => "interrupted",
        EndStatus::Busy => "busy",
        EndStatus::NoAnswer => "no_answer",
        EndStatus::PhoneOff => "phone_off",
        EndStatus::Barred => "barred",
        EndStatus::Cancelled => "cancelled",
        EndStatus::CallbackFailed => "callback_failed",
        EndStatus::CalledIn => "called_in",
        EndStatus::Failed => "failed",
    }
}

/// Why somebody is not called back any more.
pub(crate) fn callback_end_name(why: CallbackEnd) -> &'static str {
    match why {
        CallbackEnd::Attempts => "attempts",
        CallbackEnd::Expired => "expired",
        CallbackEnd::Cancelled => "cancelled",
        CallbackEnd::CalledIn => "called_in",
        CallbackEnd::Impossible => "impossible",
    }
}

/// Why nobody answered a number.
pub(crate) fn dial_failure_name(why: DialFailure) -> &'static str {
    match why {
        DialFailure::Busy => "busy",
        DialFailure::NoAnswer => "no_answer",
        DialFailure::PhoneOff => "phone_off",
        DialFailure::Barred => "barred",
        DialFailure::Rejected => "declined",
        DialFailure::NotFound => "no_such_number",
        DialFailure::Unreachable => "unreachable",
        DialFailure::TrunksBusy => "trunks_busy",
    }
}

pub(super) fn channel_name(channel: Channel) -> &'static str {
    match channel {
        Channel::Voice => "voice",
        Channel::Chat => "chat",
        Channel::Email => "email",
        Channel::Sms => "sms",
        Channel::Callback => "callback",
        Channel::Campaign => "campaign",
    }
}

pub(super) fn author_name(author: Author) -> &'static str {
    match author {
        Author::Customer => "customer",
        Author::Agent { .. } => "agent",
        Author::System => "system",
        Author::Note { .. } => "note",
    }
}

pub(super) fn overflow_name(why: Overflow) -> &'static str {
    match why {
        Overflow::Closed => "closed",
        Overflow::Unstaffed => "unstaffed",
        Overflow::Full => "full",
        Overflow::WaitedLong => "waited_long",
        Overflow::AgentsLeft => "agents_left",
        Overflow::Chosen => "chosen",
        Overflow::Emergency => "emergency",
    }
}

pub(crate) fn offer_end_name(why: OfferEnd) -> &'static str {
    match why {
        OfferEnd::Declined => "declined",
        OfferEnd::NoAnswer => "no_answer",
        OfferEnd::ConnectionLost => "connection_lost",
        OfferEnd::CallerLeft => "caller_left",
        OfferEnd::AgentLeft => "agent_left",
        OfferEnd::TakenElsewhere => "taken_elsewhere",
        OfferEnd::Restart => "restart",
        OfferEnd::PutBack => "put_back",
        OfferEnd::Postponed => "postponed",
    }
}
