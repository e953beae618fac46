//! Messages that callers left for a service or for an agent (ROUTE-07, VM-01). What was said is a [recording](crate::recordings); here is whose it is, and who has heard it.

use std::time::Duration;

use async_trait::async_trait;
use model::diversion::MessageBox;
use model::id::{InteractionId, RecordingId, ServiceId, TenantId, UserId};
use model::time::Timestamp;

use crate::error::{StoreError, WriteError};
use crate::page::{Cursor, Page};
use crate::recordings::{Recording, RecordingState};

/// A message that is being left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVoicemail {
    /// What is said.
    pub recording: RecordingId,
    /// Whose it is.
    pub tenant: TenantId,
    /// The call in which it is left.
    pub interaction: InteractionId,
    /// For whom.
    pub to: MessageBox,
    /// Calling number.
    pub caller: String,
    /// Display name the caller sent.
    pub caller_name: Option<String>,
    /// When it began.
    pub left_at: Timestamp,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voicemail {
    /// Who left it, for whom and when.
    pub left: NewVoicemail,
    /// How far its recording has come.
    pub state: RecordingState,
    /// Length of the audio; nothing until it can be played.
    pub length: Duration,
    /// Who was the first to hear it, and when.
    pub heard: Option<(UserId, Timestamp)>,
}

/// Which messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VoicemailFilter {
    /// For these services; `None`: for all.
    pub services: Option<Vec<ServiceId>>,
    /// And those for this person. Those for others are never among them.
    pub owner: Option<UserId>,
    /// Only those that nobody has heard.
    pub unheard: bool,
}

/// Messages.
#[async_trait]
pub trait Voicemails: Send + Sync {
    /// A caller begins to speak. A second time changes nothing.
    async fn begin_voicemail(&self, new: &NewVoicemail) -> Result<(), WriteError>;
    /// It was too short to be kept: it is in no list from now on.
    async fn drop_voicemail(&self, tenant: TenantId, recording: RecordingId) -> Result<(), WriteError>;
    /// A page of messages that are over, newest first.
    async fn voicemails(
        &self,
        tenant: TenantId,
        filter: &VoicemailFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<Voicemail>, StoreError>;
    /// How many there are.
    async fn count_voicemails(&self, tenant: TenantId, filter: &VoicemailFilter) -> Result<u64, StoreError>;
    /// One message, whomever it is for.
    async fn voicemail(
        &self,
        tenant: TenantId,
        recording: RecordingId,
    ) -> Result<Option<Voicemail>, StoreError>;
    /// Somebody heard it, or it is as good as new again. Who heard it first stays. False if there is none.
    async fn mark_voicemail(
        &self,
        tenant: TenantId,
        recording: RecordingId,
        heard: Option<(UserId, Timestamp)>,
    ) -> Result<bool, StoreError>;
    /// Recordings of a service's messages, or of all those for agents (`None`), that began before a time, and of those that were too short; oldest first, at most 1,000.
    async fn voicemails_before(
        &self,
        tenant: TenantId,
        service: Option<ServiceId>,
        before: Timestamp,
    ) -> Result<Vec<Recording>, StoreError>;
    /// Forgets a message whose recording is gone.
    async fn delete_voicemail(&self, tenant: TenantId, recording: RecordingId) -> Result<(), WriteError>;
}
