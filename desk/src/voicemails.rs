//! Messages that callers left for a service (ROUTE-07) or for one person (VM-01): who may hear them, who has, and when they go.
//!
//! Whoever may answer a service hears its messages, and whoever sees everybody's records hears those of all services. What was left for
//! one person nobody else hears, whoever they are (VM-11). Every access is audited as that to
//! a recording is.

use std::sync::Arc;

use model::diversion::MessageBox;
use model::id::{InteractionId, RecordingId, ServiceId, UserId};
use model::people::Privilege;
use serde::Serialize;
use store::recordings::RecordingState;
use store::voicemails::{Voicemail, VoicemailFilter};
use utoipa::ToSchema;

use crate::audit::Actor;
use crate::auth::Identity;
use crate::configuration::Configuration;
use crate::erasing::erase;
use crate::page::{Cursor, Page};
use crate::recording::{Audio, AudioFormat, Peaks};
use crate::records::{PLAYED, no_recording};
use crate::refusal::Refusal;
use crate::start::DeskHandle;
use crate::trouble::read;

/// A message that a caller left.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct VoicemailView {
    /// Its id.
    #[schema(value_type = String)]
    pub id: RecordingId,
    /// The call in which it was left: its record.
    #[schema(value_type = String)]
    pub interaction: InteractionId,
    /// For which service; none: for the own extension.
    #[schema(value_type = Option<String>)]
    pub service: Option<ServiceId>,
    /// Its name, or the own one.
    pub service_name: String,
    /// Calling number.
    pub caller: String,
    /// Display name the caller sent.
    pub caller_name: Option<String>,
    /// The colleague whose extension that number is, of a message for the own extension: whom to call back.
    #[schema(value_type = Option<String>)]
    pub colleague: Option<UserId>,
    /// When it began, in milliseconds since 1970 as all times.
    pub left_at: u64,
    /// `finishing` (it can be played soon), `ready` or `failed` (it never can be).
    #[schema(value_type = String)]
    pub state: RecordingState,
    /// Length of the audio; 0 until it can be played.
    pub length_ms: u64,
    /// When it was first heard; none: it is new.
    pub heard_at: Option<u64>,
    /// By whom.
    #[schema(value_type = Option<String>)]
    pub heard_by: Option<UserId>,
    /// That person's name.
    pub heard_by_name: Option<String>,
}

/// Which messages are wanted, of those that somebody may hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boxes {
    /// All of them.
    All,
    /// Those for this service.
    Service(ServiceId),
    /// Those for the own extension.
    Own,
}

impl VoicemailView {
    fn new(message: Voicemail, names: &Configuration) -> Self {
        let Voicemail { left, state, length, heard } = message;
        let (heard_by, heard_at) = heard.unzip();
        let own = left.to.owner().is_some();
        Self {
            id: left.recording,
            interaction: left.interaction,
            service: left.to.service(),
            service_name: names.name_box(left.to),
            colleague: own.then(|| names.colleague_at(&left.caller)).flatten().map(|user| user.id),
            caller: left.caller,
            caller_name: left.caller_name,
            left_at: left.left_at.millis(),
            state,
            length_ms: u64::try_from(length.as_millis()).unwrap_or(u64::MAX),
            heard_at: heard_at.map(|at| at.millis()),
            heard_by,
            heard_by_name: heard_by.and_then(|by| Some(names.users.get(&by)?.name.clone())),
        }
    }
}

impl DeskHandle {
    /// A page of messages, newest first. `which`: all, only those for a service, or only those for the own extension; `unheard`: only
    /// new ones.
    pub async fn voicemails(
        &self,
        who: &Identity,
        (which, unheard): (Boxes, bool),
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<VoicemailView>, Refusal> {
        let filter = VoicemailFilter { unheard, ..self.boxes_of(who, which) };
        let store = self.store().voicemails();
        let page = store.voicemails(self.tenant(), &filter, after, limit).await.map_err(read)?;
        let names = self.configuration();
        let items = page.items.into_iter().map(|message| VoicemailView::new(message, &names)).collect();
        Ok(Page { items, next: page.next })
    }

    /// How many messages nobody has heard.
    pub async fn unheard_voicemails(&self, who: &Identity) -> Result<u64, Refusal> {
        let filter = VoicemailFilter { unheard: true, ..self.boxes_of(who, Boxes::All) };
        self.store().voicemails().count_voicemails(self.tenant(), &filter).await.map_err(read)
    }

    /// The audio of a message. Audited, whether or not the file can be made.
    pub async fn voicemail_audio(
        &self,
        who: &Identity,
        id: RecordingId,
        format: AudioFormat,
        actor: Actor,
    ) -> Result<Arc<dyn Audio>, Refusal> {
        let message = self.voicemail(who, id).await?;
        let detail = serde_json::json!({ "recording": id, "format": format.ending() });
        self.audit().record(actor, PLAYED, message.left.interaction, detail).await?;
        self.0.finisher.file(id, format).await.map_err(no_recording)
    }

    /// The shape of a message, for drawing.
    pub async fn voicemail_peaks(&self, who: &Identity, id: RecordingId) -> Result<Peaks, Refusal> {
        self.voicemail(who, id).await?;
        self.0.finisher.peaks(id).await.map_err(no_recording)
    }

    /// Says that a message was heard, or that it is as good as new again. Who was the first to hear it stays.
    pub async fn mark_voicemail(
        &self,
        who: &Identity,
        id: RecordingId,
        heard: bool,
    ) -> Result<VoicemailView, Refusal> {
        self.voicemail(who, id).await?;
        let heard = heard.then(|| (who.user.id, self.now()));
        self.store().voicemails().mark_voicemail(self.tenant(), id, heard).await.map_err(read)?;
        Ok(VoicemailView::new(self.voicemail(who, id).await?, &self.configuration()))
    }

    /// Destroys a message for ever.
    pub async fn erase_voicemail(
        &self,
        who: &Identity,
        id: RecordingId,
        actor: Actor,
    ) -> Result<(), Refusal> {
        let message = self.voicemail(who, id).await?;
        // What was left for somebody is theirs to throw away.
        if message.left.to.owner().is_none() {
            who.needs(Privilege::EraseRecordings)?;
        }
        let row = self.store().recordings().recording(self.tenant(), id).await.map_err(read)?;
        let row = row.filter(|_| message.state != RecordingState::Finishing);
        let row = row.ok_or(Refusal::NotNow { why: "The recording is not finished yet." })?;
        // Audited before it is done: what is audited is not done when this fails.
        let detail = serde_json::json!({ "recording": id });
        self.audit().record(actor, "recording.erase", message.left.interaction, detail).await?;
        erase(&self.0, row, None, Some(who.user.id), self.now()).await
    }

    /// A message that somebody may hear. Of another service it is not there.
    async fn voicemail(&self, who: &Identity, id: RecordingId) -> Result<Voicemail, Refusal> {
        let found = self.store().voicemails().voicemail(self.tenant(), id).await.map_err(read)?;
        let VoicemailFilter { services, .. } = self.boxes_of(who, Boxes::All);
        let may = |message: &Voicemail| match message.left.to {
            MessageBox::Service { service } => services.as_ref().is_none_or(|own| own.contains(&service)),
            MessageBox::Own { owner } => owner == who.user.id,
        };
        found.filter(may).ok_or(Refusal::missing("message"))
    }

    /// Which messages somebody may hear, of those that are wanted.
    fn boxes_of(&self, who: &Identity, wanted: Boxes) -> VoicemailFilter {
        let config = self.configuration();
        let only = match wanted {
            Boxes::All => None,
            Boxes::Service(service) => Some(service),
            Boxes::Own => {
                let owner = Some(who.user.id);
                return VoicemailFilter { services: Some(vec![]), owner, unheard: false };
            }
        };
        let services = if who.may(Privilege::SeeAllRecords) {
            only.map(|service| vec![service])
        } else {
            let own =
                config.services.keys().filter(|service| config.eligible(**service).contains(&who.user.id));
            Some(own.copied().filter(|service| only.is_none_or(|only| only == *service)).collect())
        };
        let owner = only.is_none().then_some(who.user.id);
        VoicemailFilter { services, owner, unheard: false }
    }
}
