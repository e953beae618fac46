//! The end of a flow that an agent started during a call.

use serde::{Deserialize, Serialize};

/// Gives the caller back to the agent who started the flow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GiveBack {}
