//! Recordings without audio.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use model::id::{InteractionId, RecordingId, UserId};
use model::recording::ErasedRange;
use model::time::Timestamp;

use crate::recording::{Audio, AudioFormat, Erasure, Finished, Peaks, RecordingError, RecordingFinisher};

struct Octets(Vec<u8>);

impl Audio for Octets {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }
    fn read_at(&self, from: u64, most: usize) -> std::io::Result<Vec<u8>> {
        let rest = self.0.get(usize::try_from(from).unwrap()..).unwrap_or_default();
        Ok(rest[..rest.len().min(most)].to_vec())
    }
}

/// Finishes recordings without any audio.
#[derive(Default)]
pub struct FakeFinisher {
    /// What was asked to be finished.
    pub finished: Mutex<Vec<RecordingId>>,
    /// Containers that a crash left.
    pub left: Mutex<Vec<(RecordingId, InteractionId)>>,
    /// A file that every recording is served from.
    pub file: Mutex<Option<PathBuf>>,
    /// What was erased.
    pub erased: Mutex<Vec<(RecordingId, Option<ErasedRange>)>>,
    /// Erasures that a crash interrupted.
    pub begun: Mutex<Vec<Erasure>>,
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
        Ok(Finished { length: Duration::from_secs(7), complete: true, proof: None, files, bytes: 7_000 })
    }
    async fn file(&self, recording: RecordingId, _: AudioFormat) -> Result<Arc<dyn Audio>, RecordingError> {
        let path = self.file.lock().unwrap().clone().ok_or(RecordingError::Missing(recording))?;
        Ok(Arc::new(Octets(std::fs::read(path).unwrap())))
    }
    async fn erase(
        &self,
        recording: RecordingId,
        what: Option<ErasedRange>,
        _: Option<UserId>,
        _: Timestamp,
    ) -> Result<Option<Finished>, RecordingError> {
        self.erased.lock().unwrap().push((recording, what));
        let left = Finished {
            length: Duration::from_secs(7),
            complete: true,
            proof: None,
            files: vec![format!("{recording}.opus")],
            bytes: 6_000,
        };
        Ok(what.map(|_| left))
    }
    async fn erasures(&self) -> Result<Vec<Erasure>, RecordingError> {
        Ok(self.begun.lock().unwrap().clone())
    }
    async fn erasure_is_known(&self, recording: RecordingId) -> Result<(), RecordingError> {
        self.begun.lock().unwrap().retain(|erasure| erasure.recording != recording);
        Ok(())
    }
    async fn peaks(&self, _: RecordingId) -> Result<Peaks, RecordingError> {
        Ok(Peaks { length_ms: 7_000, left: vec![0.5, 0.25], right: vec![0.0, 1.0] })
    }
    async fn unfinished(&self) -> Result<Vec<(RecordingId, InteractionId)>, RecordingError> {
        Ok(self.left.lock().unwrap().clone())
    }
}
