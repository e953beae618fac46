//! How a party comes into a call in which others talk already.

use serde::{Deserialize, Serialize};

/// What becomes of the agent who brings somebody into a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterJoin {
    /// The agent stays: a conference.
    Stay,
    /// The agent leaves: a transfer.
    Leave,
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
