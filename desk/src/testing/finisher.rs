//! Recordings without audio.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use model::id::{InteractionId, RecordingId};

use crate::recording::{AudioFormat, Finished, Peaks, RecordingError, RecordingFinisher};

/// Finishes recordings without any audio.
#[derive(Default)]
pub struct FakeFinisher {
    /// What was asked to be finished.
    pub finished: Mutex<Vec<RecordingId>>,
    /// Containers that a crash left.
    pub left: Mutex<Vec<(RecordingId, InteractionId)>>,
    /// A file that every recording is served from.
    pub file: Mutex<Option<PathBuf>>,
    /// Every finishing fails with this.
    pub broken: Mutex<Option<RecordingError>>,
}

#[async_trait]
impl RecordingFinisher for FakeFinisher {
    async fn finish(&self, recording: RecordingId) -> Result<Finished, RecordingError> {
        self.finished.lock().unwrap().push(recording);
        if let Some(error) = self.broken.lock().unwrap().clone() {
            return Err(error);
        }
        let files = vec![format!("{recording}.opus")];
        Ok(Finished { length: Duration::from_secs(7), complete: true, files, bytes: 7_000 })
    }
    async fn file(&self, recording: RecordingId, _: AudioFormat) -> Result<PathBuf, RecordingError> {
        self.file.lock().unwrap().clone().ok_or(RecordingError::Missing(recording))
    }
    async fn peaks(&self, _: RecordingId) -> Result<Peaks, RecordingError> {
        Ok(Peaks { length_ms: 7_000, left: vec![0.5, 0.25], right: vec![0.0, 1.0] })
    }
    async fn unfinished(&self) -> Result<Vec<(RecordingId, InteractionId)>, RecordingError> {
        Ok(self.left.lock().unwrap().clone())
    }
}
