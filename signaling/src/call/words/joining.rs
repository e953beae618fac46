//! How calls become one, and supervisors take part.

use model::call::{AfterJoin, Attending};
use model::id::{InteractionId, LegId, UserId};
use model::interaction::EndedBy;

use super::{Branch, Softphone};

/// Whom to bring into a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Join {
    /// The call they are in.
    pub from: InteractionId,
    /// Who brings them.
    pub agent: UserId,
    /// What becomes of who brings them.
    pub then: AfterJoin,
    /// The name of their dialog here, if it has none yet.
    pub branch: Branch,
}

/// Whom to hand over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandOver {
    /// Who brings them: the other end.
    pub agent: UserId,
    /// What becomes of who brings them.
    pub then: AfterJoin,
    /// The name of their dialog where they go.
    pub branch: Branch,
    /// The softphone by which the agent is in the other call: it is for that to say what it hears.
    pub softphone: Option<LegId>,
}

/// A supervisor who takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attend {
    /// The name of the part.
    pub from: InteractionId,
    /// The supervisor.
    pub agent: UserId,
    /// The supervisor's softphone, if its media is up.
    pub softphone: Option<Softphone>,
    /// The name the softphone's half gets.
    pub half: LegId,
    /// In which way.
    pub how: Attending,
}

/// An order about somebody who came from another call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuestOrder {
    /// They leave.
    HangUp(EndedBy),
    /// Whether the others hear them.
    Mute {
        /// Who, for the order to fit.
        agent: UserId,
        /// Whether muted from now on.
        muted: bool,
    },
    /// Whether they hear and are heard.
    Hold {
        /// Who, for the order to fit.
        agent: UserId,
        /// Whether not, from now on.
        held: bool,
    },
    /// Digits to the customer.
    SendDigits {
        /// Who presses them.
        agent: UserId,
        /// Which.
        digits: String,
    },
}
