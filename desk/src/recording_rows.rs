//! What the store knows of each recording: written in order, beside the calls, never in their way.

use std::time::Duration;

use model::id::{InteractionId, RecordingId, TenantId};
use model::time::Timestamp;
use store::Store;
use store::recordings::{Recording, RecordingState};
use store::voicemails::NewVoicemail;
use tokio::sync::mpsc;

use crate::clock::Sources;
use crate::floor::core::RecordingNews;
use crate::recording::Finished;

/// Changes waiting to be written. Beyond it they are dropped: the journal and the containers tell the same again.
const WAITING_MAX: usize = 10_000;
/// Waits before each further try while the database is away.
const RETRIES: [Duration; 5] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(120),
];

/// What changed.
#[derive(Clone, Debug)]
pub enum RowChange {
    /// From the call.
    News {
        /// Of which call.
        interaction: InteractionId,
        /// Which recording.
        recording: RecordingId,
        /// What happened.
        news: RecordingNews,
        /// When.
        at: Timestamp,
    },
    /// It can be played.
    Finished {
        /// Of which call.
        interaction: InteractionId,
        /// Which recording.
        recording: RecordingId,
        /// Its files.
        finished: Finished,
    },
    /// A caller speaks a message.
    Voicemail(Box<NewVoicemail>),
    /// What was captured of it is too short to be kept.
    Dropped(RecordingId),
    /// It never will be.
    Failed {
        /// Of which call.
        interaction: InteractionId,
        /// Which recording.
        recording: RecordingId,
    },
}

/// The end that changes go into.
#[derive(Clone)]
pub struct RecordingRows(mpsc::Sender<RowChange>);

impl RecordingRows {
    /// Starts the writer.
    pub fn start(tenant: TenantId, store: Store, sources: Sources) -> Self {
        let (sender, mut changes) = mpsc::channel(WAITING_MAX);
        tokio::spawn(async move {
            while let Some(change) = changes.recv().await {
                write(tenant, &store, &sources, &change).await;
            }
        });
        Self(sender)
    }

    /// Queues a change.
    pub fn change(&self, change: RowChange) {
        if self.0.try_send(change).is_err() {
            tracing::error!("what is known of a recording could not be queued");
        }
    }
}

async fn write(tenant: TenantId, store: &Store, sources: &Sources, change: &RowChange) {
    for wait in RETRIES.into_iter().map(Some).chain([None]) {
        match try_write(tenant, store, sources, change).await {
            Ok(()) => return,
            Err(error) => {
                tracing::warn!(error, "what is known of a recording could not be written");
                match wait {
                    Some(wait) => sources.clock.sleep_until(sources.now() + wait).await,
                    None => return,
                }
            }
        }
    }
}

async fn try_write(
    tenant: TenantId,
    store: &Store,
    sources: &Sources,
    change: &RowChange,
) -> Result<(), String> {
    let voicemails = store.voicemails();
    let (interaction, id) = match change {
        RowChange::Voicemail(new) => {
            return voicemails.begin_voicemail(new).await.map_err(|error| error.to_string());
        }
        RowChange::Dropped(recording) => {
            return voicemails.drop_voicemail(tenant, *recording).await.map_err(|error| error.to_string());
        }
        RowChange::News { interaction, recording, .. }
        | RowChange::Finished { interaction, recording, .. }
        | RowChange::Failed { interaction, recording } => (*interaction, *recording),
    };
    let known = store.recordings().recording(tenant, id).await.map_err(|error| error.to_string())?;
    let mut row = known.unwrap_or_else(|| Recording {
        id,
        tenant,
        interaction,
        state: RecordingState::Capturing,
        files: Vec::new(),
        length: Duration::ZERO,
        complete: false,
        peaks: None,
        bytes: 0,
        created_at: sources.now(),
    });
    match change {
        RowChange::News { news, at, .. } => match news {
            RecordingNews::Started => row.created_at = *at,
            RecordingNews::Captured if row.state == RecordingState::Capturing => {
                row.state = RecordingState::Finishing;
            }
            RecordingNews::Captured => {}
            RecordingNews::Failed => row.state = RecordingState::Failed,
        },
        RowChange::Finished { finished, .. } => {
            row.state = RecordingState::Ready;
            row.files.clone_from(&finished.files);
            row.length = finished.length;
            row.complete = finished.complete;
            row.bytes = finished.bytes;
        }
        RowChange::Failed { .. } => row.state = RecordingState::Failed,
        RowChange::Voicemail(_) | RowChange::Dropped(_) => {}
    }
    store.recordings().save_recording(&row).await.map_err(|error| error.to_string())
}
