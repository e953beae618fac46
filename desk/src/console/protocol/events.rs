//! Events for one user's page.

use model::id::{InteractionId, OfferToken, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::floor::written::TabView;

use super::supervision::AttendedView;
use super::views::{
    AgentView, HelpView, Message, OfferView, OfferWindowView, PhoneView, QueueView, WorkView,
};

/// An event for one user's page. `seq` and `at` are added by the user's log.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum ConsoleEvent {
    /// The own state changed.
    Me {
        /// As it is now.
        agent: AgentView,
    },
    /// A new offer.
    Offered {
        /// The offer.
        offer: OfferView,
    },
    /// An offer is over.
    OfferEnded {
        /// Which.
        offer: OfferToken,
        /// Why.
        why: OfferOver,
    },
    /// Anything about a piece of work changed.
    Work {
        /// As it is now.
        work: Box<WorkView>,
    },
    /// Something was written in an own chat or email.
    Message {
        /// Which.
        interaction: InteractionId,
        /// What.
        message: Message,
    },
    /// A piece of work is complete.
    WorkEnded {
        /// Which.
        interaction: InteractionId,
    },
    /// Emails came into the own personal queue, or left it.
    Personal {
        /// How many there are now.
        personal: TabView,
    },
    /// To supervisors: an agent asks for help (HELP-02).
    HelpAsked {
        /// Who, with what.
        help: HelpView,
    },
    /// To supervisors: it was taken back, or the interaction ended.
    HelpOver {
        /// Of which interaction.
        interaction: InteractionId,
        /// Who had asked.
        agent: UserId,
    },
    /// To a supervisor: the call in which they take part, as it is now (HELP-03 to HELP-05).
    Attending {
        /// What it is.
        attended: Box<AttendedView>,
    },
    /// To a supervisor: they take part in it no longer.
    AttendingOver {
        /// In which call.
        interaction: InteractionId,
    },
    /// A queue changed.
    Queue {
        /// As it is now.
        queue: QueueView,
    },
    /// The administrator changed what pages show.
    Settings {
        /// What the offer window shows (VOICE-05).
        offer_window: OfferWindowView,
    },
    /// Something to show at the top of the screen (UI-20).
    Banner {
        /// How bad it is.
        level: Level,
        /// Stable name.
        code: &'static str,
        /// For the text.
        params: serde_json::Value,
    },
    /// The softphone's SDP answer.
    PhoneAnswer {
        /// SDP.
        sdp: String,
    },
    /// The softphone cannot be connected.
    PhoneRefused {
        /// In words.
        why: String,
    },
    /// The own phone came or went.
    Phone {
        /// As it is now.
        phone: PhoneView,
    },
    /// The session is over; the socket closes after it.
    SessionEnded {
        /// Why.
        why: SessionOver,
    },
}

/// Why an offer is over, for the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OfferOver {
    /// This agent took it.
    Accepted,
    /// This agent refused it.
    Declined,
    /// The deadline passed.
    NoAnswer,
    /// The phone could not be reached.
    ConnectionLost,
    /// The caller hung up.
    CallerLeft,
    /// This agent signed out or was forced away.
    AgentLeft,
    /// Several agents were rung and another one took it.
    TakenElsewhere,
    /// This agent put it back for others.
    PutBack,
    /// This agent put it into the own personal queue.
    Postponed,
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionOver {
    /// The same user signed in elsewhere (ERR-21).
    Elsewhere,
    /// The user signed out.
    SignedOut,
    /// An administrator disabled the user or a supervisor ended it.
    BySupervisor,
    /// Idle or signed in for too long.
    Expired,
    /// The user's phone could not be reached for too long (ERR-20).
    PhoneMissing,
}

/// How bad a banner is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// For knowledge.
    Info,
    /// Something needs a look.
    Warning,
    /// Something failed.
    Error,
}
