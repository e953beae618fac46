//! Recordings: how far each has come and which files hold it (REC-07).

use std::time::Duration;

use async_trait::async_trait;
use model::id::{InteractionId, RecordingId, ServiceId, TenantId};
use model::time::Timestamp;

use crate::error::{StoreError, WriteError};

/// One recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Its id.
    pub id: RecordingId,
    /// Whose it is.
    pub tenant: TenantId,
    /// The interaction it belongs to.
    pub interaction: InteractionId,
    /// How far it has come.
    pub state: RecordingState,
    /// File names under the recordings folder: the raw capture while it runs, what can be played afterwards.
    pub files: Vec<String>,
    /// Length of the audio.
    pub length: Duration,
    /// Captured equals expected: nothing is missing.
    pub complete: bool,
    /// Peaks for the waveform, as the finisher made them.
    pub peaks: Option<Vec<u8>>,
    /// Size of all files.
    pub bytes: u64,
    /// Capture began.
    pub created_at: Timestamp,
}

/// How far a recording has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordingState {
    /// Packets are being written.
    Capturing,
    /// Captured; being turned into what can be played.
    Finishing,
    /// Can be played.
    Ready,
    /// Will never be playable.
    Failed,
    /// Was destroyed.
    Erased,
}

/// Recordings.
#[async_trait]
pub trait Recordings: Send + Sync {
    /// Inserts a recording or replaces what is known of it.
    async fn save_recording(&self, recording: &Recording) -> Result<(), WriteError>;
    /// One recording.
    async fn recording(&self, tenant: TenantId, id: RecordingId) -> Result<Option<Recording>, StoreError>;
    /// The recordings of an interaction, oldest first.
    async fn recordings_of(
        &self,
        tenant: TenantId,
        interaction: InteractionId,
    ) -> Result<Vec<Recording>, StoreError>;
    /// What was being captured or finished when the appliance stopped, of all tenants, oldest first; at most 10,000.
    async fn unfinished_recordings(&self) -> Result<Vec<Recording>, StoreError>;
    /// Finished and failed recordings of a service's conversations that began before a time, oldest first; at most 1,000. Messages
    /// that callers left are not among them.
    async fn recordings_before(
        &self,
        tenant: TenantId,
        service: ServiceId,
        before: Timestamp,
    ) -> Result<Vec<Recording>, StoreError>;
    /// Forgets a recording whose files are gone. False if there was none.
    async fn delete_recording(&self, tenant: TenantId, id: RecordingId) -> Result<bool, StoreError>;
}
