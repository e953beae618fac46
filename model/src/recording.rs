//! Recordings as records and rules speak of them: pauses, proof of completeness, rules of a service.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::UserId;
use crate::journal::Party;
use crate::time::Timestamp;

/// How a service's recordings are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RecordingRules {
    /// A pause (card data) ends by itself after this time, 5 s to 1 h. Default 5 minutes: reading out a card takes one.
    pub pause_max: Duration,
    /// A recording is erased this many days after the call, 1 to 36500. Default: it is kept.
    pub keep_days: Option<u32>,
}

impl Default for RecordingRules {
    fn default() -> Self {
        Self { pause_max: Duration::from_secs(300), keep_days: None }
    }
}

/// A stretch of a call that was not captured, on purpose (RECO-04).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingPause {
    /// Since when.
    pub from: Timestamp,
    /// Until when; `None`: to the end of the call.
    pub to: Option<Timestamp>,
    /// Who paused.
    pub by: Option<UserId>,
    /// Whether the service's limit ended it, rather than a person.
    pub by_limit: bool,
}

/// A stretch in which one channel of a recording was empty although its party should have been heard (RECO-04).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingGap {
    /// Whose channel.
    pub party: Party,
    /// When it was noticed: nothing had come for some seconds.
    pub from: Timestamp,
    /// Until when; `None`: it goes on.
    pub to: Option<Timestamp>,
}

/// Something of a recording, or all of it, was destroyed for ever (RECO-05).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingErasure {
    /// When.
    pub at: Timestamp,
    /// Who did it; `None`: the service's retention.
    pub by: Option<UserId>,
    /// Which stretch, in milliseconds from the beginning; `None`: all of it.
    pub range: Option<ErasedRange>,
}

/// A stretch of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedRange {
    /// Milliseconds from the beginning.
    pub from_ms: u64,
    /// Milliseconds from the beginning.
    pub to_ms: u64,
}

/// Whether a recording holds all there was to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Completeness {
    /// Ended in order, nothing missing on our side, nothing torn or changed.
    Complete,
    /// The same, but for what was left out on purpose and is marked.
    CompleteExceptPauses,
    /// Something is missing, torn or changed.
    Incomplete,
}

/// What finishing a recording found (RECO-04).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingProof {
    /// In a word.
    pub verdict: Completeness,
    /// The customer.
    pub left: ChannelProof,
    /// Our side.
    pub right: ChannelProof,
    /// Payloads that came and could not be written.
    pub missing: u64,
    /// How long it was paused, in milliseconds.
    pub paused_ms: u64,
    /// Octets that a crash tore or somebody damaged.
    pub damaged_octets: u64,
    /// Seals of the hash chain that do not fit.
    pub broken_seals: u64,
    /// The last seal, in hexadecimal digits: kept in the journal it proves that the container is the one that was written.
    pub seal: String,
}

/// Media time of one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelProof {
    /// How long it was captured, pauses not included.
    pub expected_ms: u64,
    /// How much audio there is.
    pub captured_ms: u64,
    /// Packets there should be, by sequence number.
    pub expected: u64,
    /// Packets there are.
    pub captured: u64,
}
