//! The routing state of an agent, as everybody sees it (STATE-01).

use serde::{Deserialize, Serialize};

use crate::id::ReasonId;

/// Decides whether work is routed to an agent; derived by the floor from live facts, stored nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum AgentState {
    /// Signed out.
    LoggedOut,
    /// Takes work.
    Ready,
    /// An offer is open (STATE-05).
    Ringing,
    /// Handles at least one interaction (STATE-06, STATE-07).
    Busy,
    /// After-call work (STATE-08).
    WrapUp,
    /// Takes no work, for a reason (STATE-11).
    NotReady {
        /// Why.
        reason: NotReadyReason,
    },
    /// Signed in, out of routing and dialling (STATE-20).
    Offline,
}

/// Why an agent takes no work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
pub enum NotReadyReason {
    /// Just signed in.
    Login,
    /// Resting after an interaction, by group rule.
    AfterInteraction,
    /// Refused an offer.
    Declined,
    /// Left an offer unanswered (STATE-13). Ends by hand only (STATE-15).
    NoAnswer,
    /// An offer could not be set up (STATE-13). Ends by hand only (STATE-15).
    ConnectionLost,
    /// A supervisor said so (STATE-22).
    Forced,
    /// Chosen by the agent without naming a reason.
    ByHand,
    /// Chosen by the agent from the tenant's list (STATE-12).
    Chosen(ReasonId),
}

impl NotReadyReason {
    /// Reasons the system set: they never expire by themselves (C24).
    pub fn is_system(self) -> bool {
        matches!(self, Self::Declined | Self::NoAnswer | Self::ConnectionLost)
    }
}

/// The longest stay and the longest break time of a day, in minutes.
pub const MINUTES_MAX: u32 = 1_440;

/// An entry of the tenant's list of reasons (STATE-12).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Its id.
    pub id: ReasonId,
    /// Whose reason this is.
    pub tenant: crate::id::TenantId,
    /// Shown in the state menu.
    pub name: String,
    /// A name from the console's icon set: `coffee`, `lunch`, `meeting`, `training`, `away`, `busy`.
    pub icon: String,
    /// The stay ends in Ready by itself after so many minutes, 1 to [`MINUTES_MAX`]; `None`: only by hand (STATE-04).
    pub ends_after_minutes: Option<u32>,
    /// Whether the stay counts as break time (STATE-14).
    pub is_break: bool,
    /// Whether numbers outside may be dialled meanwhile (STATE-17).
    pub call_out: bool,
}
