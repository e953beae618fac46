//! The SIP messages of a call as they went over the wire, for whoever looks for the reason of a failure (SIP-08).

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::id::InteractionId;
use crate::time::Timestamp;

/// What a message travelled over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wire {
    /// Datagrams.
    Udp,
    /// A stream in clear.
    Tcp,
    /// A stream under TLS.
    Tls,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracedMessage {
    /// When it was read or written.
    pub at: Timestamp,
    /// Whether we sent it.
    pub outgoing: bool,
    /// Over what.
    pub wire: Wire,
    /// Our address.
    pub ours: SocketAddr,
    /// The far end's.
    pub theirs: SocketAddr,
    /// As on the wire, except for what must be seen by nobody: keys of media, answers to challenges, keys that were pressed.
    pub bytes: Vec<u8>,
}

/// What went over the wire for one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallTrace {
    /// Which call.
    pub interaction: InteractionId,
    /// In the order in which they were read and written.
    pub messages: Vec<TracedMessage>,
    /// How many are not here, after the first ones: there were too many.
    pub left_out: u32,
}
