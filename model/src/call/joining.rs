//! How a party comes into a call in which others talk already.

use serde::{Deserialize, Serialize};

use crate::id::InteractionId;

/// What becomes of the agent who brings somebody into a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterJoin {
    /// The agent stays: a conference.
    Stay,
    /// The agent leaves: a transfer.
    Leave,
}

/// Whom an agent's phone wants connected with whom it talks to (RFC 3515).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferTo {
    /// A number or an extension, as it was dialled: a blind transfer.
    Dialled(String),
    /// Whom the agent talks to in this call (`Replaces`, RFC 3891): an attended one.
    Call(InteractionId),
}

/// How a supervisor takes part in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attending {
    /// Hears everybody, is heard by nobody (HELP-03).
    Monitor,
    /// Hears everybody, is heard by the agent alone (HELP-04).
    Coach,
    /// Hears everybody and is heard by everybody (HELP-05).
    BargeIn,
}
