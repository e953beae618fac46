//! Recordings that are destroyed (RECO-05): by somebody who may, whole or a stretch, or because the service keeps them no
//! longer. Destroyed means that the key is gone; that it was, by whom and when, stays in record, journal and audit log.

use std::sync::Arc;
use std::time::Duration;

use model::id::{InteractionId, RecordingId, UserId};
use model::journal::Event;
use model::people::Privilege;
use model::recording::ErasedRange;
use model::time::Timestamp;
use store::StoreError;
use store::recordings::{Recording, RecordingState};

use crate::audit::Actor;
use crate::auth::Identity;
use crate::recording::{Erasure, Finished};
use crate::records::no_recording;
use crate::refusal::Refusal;
use crate::start::{DeskHandle, Inner};
use crate::trouble::{read, write};

/// How often retention is looked after.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

impl DeskHandle {
    /// Destroys the recording of a record for ever, or a stretch of it.
    pub async fn erase_recording(
        &self,
        who: &Identity,
        interaction: InteractionId,
        range: Option<ErasedRange>,
        actor: Actor,
    ) -> Result<(), Refusal> {
        if !who.may(Privilege::EraseRecordings) {
            return Err(Refusal::Forbidden { needs: Privilege::EraseRecordings });
        }
        let recording = self.recording_of(who, interaction).await?;
        let row = self.0.store.recordings().recording(self.tenant(), recording).await.map_err(read)?;
        let row = row.ok_or(Refusal::missing("recording"))?;
        if !matches!(row.state, RecordingState::Ready | RecordingState::Failed) {
            return Err(Refusal::NotNow { why: "The recording is not finished yet." });
        }
        if range.is_some_and(|range| {
            range.from_ms >= range.to_ms || u128::from(range.from_ms) >= row.length.as_millis()
        }) {
            return Err(Refusal::field("/to_ms", "the stretch lies within the recording and is not empty"));
        }
        // Audited before it is done: what is audited is not done when this fails.
        let detail = serde_json::json!({ "recording": recording, "range": range });
        self.audit().record(actor, "recording.erase", interaction, detail).await?;
        erase(&self.0, row, range, Some(who.user.id), self.now()).await
    }
}

pub(crate) async fn erase(
    desk: &Inner,
    row: Recording,
    range: Option<ErasedRange>,
    by: Option<UserId>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let (interaction, recording): (InteractionId, RecordingId) = (row.interaction, row.id);
    let left = desk.finisher.erase(recording, range, by, now).await.map_err(no_recording)?;
    let mut events = vec![Event::RecordingErased { interaction, recording, by, range }];
    if let Some(Finished { length, complete, proof, .. }) = &left {
        let (length, complete, proof) = (*length, *complete, proof.clone());
        events.push(Event::RecordingFinished { interaction, recording, length, complete, proof });
    }
    let row = after(row, left);
    let told = desk.journal.append(desk.config.tenant, events, now);
    if let Err(error) = &told {
        tracing::error!(%recording, %error, "that a recording was erased could not be written to the journal");
    }
    let saved = desk.store.recordings().save_recording(&row).await;
    forget_message(desk, &row).await;
    if let Err(error) = &saved {
        tracing::error!(%recording, %error, "that a recording was erased could not be written to its row");
    }
    // The record shows it when this returns.
    let mut known = false;
    if let Ok(receipt) = told {
        let patience = desk.sources.clock.sleep_until(desk.sources.now() + Duration::from_secs(2));
        tokio::select! {
            written = receipt => known = written.is_ok() && saved.is_ok(),
            () = patience => {}
        }
    }
    // Else the next start does it again, which changes nothing but what is not written yet.
    if known && let Err(error) = desk.finisher.erasure_is_known(recording).await {
        tracing::warn!(%recording, %error, "an erasure that is over will be done again");
    }
    tracing::info!(%interaction, %recording, whole = range.is_none(), "a recording was erased");
    Ok(())
}

/// What was destroyed as a whole is no message any more.
async fn forget_message(desk: &Inner, row: &Recording) {
    if row.state == RecordingState::Erased
        && let Err(error) = desk.store.voicemails().delete_voicemail(row.tenant, row.id).await
    {
        tracing::warn!(recording = %row.id, %error, "a message that was erased stays in the database; nobody is shown it");
    }
}

/// Finishes erasures that a crash interrupted (RECO-05): what was to be gone is gone soon after the next start, and journal and
/// record tell of it once.
pub(crate) fn resume(desk: &Arc<Inner>) {
    let desk = Arc::downgrade(desk);
    tokio::spawn(async move {
        let Some(desk) = desk.upgrade() else { return };
        let begun = desk.finisher.erasures().await.unwrap_or_else(|error| {
            tracing::error!(%error, "erasures that were interrupted could not be listed; the next start tries again");
            vec![]
        });
        for erasure in begun {
            let recording = erasure.recording;
            match again(&desk, erasure).await {
                Ok(()) => tracing::info!(%recording, "an erasure that was interrupted is done"),
                Err(refusal) => {
                    tracing::error!(%recording, %refusal, "an erasure that was interrupted could not be done; the next start tries again");
                }
            }
        }
    });
}

async fn again(desk: &Inner, Erasure { recording, range, by, at }: Erasure) -> Result<(), Refusal> {
    let tenant = desk.config.tenant;
    let row = desk.store.recordings().recording(tenant, recording).await.map_err(read)?;
    let row = row.ok_or(Refusal::missing("recording"))?;
    let record = desk.store.records().record(tenant, row.interaction).await.map_err(read)?;
    let told = record.is_some_and(|record| {
        let mut erased = record.recording_erased.iter();
        let message = record.messages.iter().find(|message| message.recording == recording);
        match message {
            Some(message) => message.erased_at.is_some(),
            None => erased.any(|erasure| erasure.range == range && erasure.at.millis() == at.millis()),
        }
    });
    if !told {
        return erase(desk, row, range, by, at).await;
    }
    // The journal knows; files or row may not.
    let left = desk.finisher.erase(recording, range, by, at).await.map_err(no_recording)?;
    let row = after(row, left);
    desk.store.recordings().save_recording(&row).await.map_err(write)?;
    forget_message(desk, &row).await;
    desk.finisher.erasure_is_known(recording).await.map_err(no_recording)
}

/// The row of a recording of which this is left.
fn after(row: Recording, left: Option<Finished>) -> Recording {
    match left {
        Some(Finished { length, complete, files, bytes, .. }) => {
            Recording { state: RecordingState::Ready, files, length, complete, bytes, ..row }
        }
        None => Recording { state: RecordingState::Erased, files: vec![], bytes: 0, peaks: None, ..row },
    }
}

/// Destroys what services keep no longer, once an hour, as long as the desk is there.
pub(crate) fn keep_only_as_long(desk: &Arc<Inner>) {
    let desk = Arc::downgrade(desk);
    tokio::spawn(async move {
        loop {
            let Some(now) = desk.upgrade() else { return };
            sweep(&now).await;
            let (clock, next) = (now.sources.clock.clone(), now.sources.now() + SWEEP_EVERY);
            drop(now);
            clock.sleep_until(next).await;
        }
    });
}

async fn sweep(desk: &Inner) {
    let configuration = desk.configuration.load_full();
    let (tenant, store) = (desk.config.tenant, &desk.store);
    for service in configuration.services.values() {
        if let Some(days) = service.recording.keep_days {
            let old = store.recordings().recordings_before(tenant, service.id, before(desk, days)).await;
            expire(desk, old, days).await;
        }
        let days = service.queue.voicemail.keep_days;
        let old = store.voicemails().voicemails_before(tenant, Some(service.id), before(desk, days)).await;
        expire(desk, old, days).await;
    }
    match store.reports().forget_reports(tenant, before(desk, crate::reports::KEPT_DAYS)).await {
        Ok(0) => {}
        Ok(reports) => tracing::info!(reports, "old reports of agents are forgotten"),
        Err(error) => tracing::warn!(%error, "old reports stay for now; the next hour tries again"),
    }
    let days = configuration.own_voicemail.keep_days;
    let old = store.voicemails().voicemails_before(tenant, None, before(desk, days)).await;
    expire(desk, old, days).await;
}

/// So many days ago.
fn before(desk: &Inner, days: u32) -> Timestamp {
    let now = desk.sources.now();
    Timestamp::from_millis(
        now.millis().saturating_sub(u64::try_from((DAY * days).as_millis()).unwrap_or(u64::MAX)),
    )
}

async fn expire(desk: &Inner, old: Result<Vec<Recording>, StoreError>, days: u32) {
    let old = match old {
        Ok(old) => old,
        Err(error) => {
            return tracing::warn!(%error, "old recordings could not be listed; the next hour tries again");
        }
    };
    for row in old {
        let (interaction, detail) =
            (row.interaction, serde_json::json!({ "recording": row.id, "days": days }));
        if desk.audit.record(Actor::default(), "recording.expire", interaction, detail).await.is_err() {
            return tracing::warn!("the audit log takes nothing; old recordings stay for now");
        }
        if let Err(refusal) = erase(desk, row, None, None, desk.sources.now()).await {
            tracing::warn!(%interaction, %refusal, "an old recording could not be erased; the next hour tries again");
        }
    }
}
