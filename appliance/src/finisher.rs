//! Makes recordings playable: the desk decides when, `media::record` does the audio, this ties them.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use desk::recording::{AudioFormat, Finished, Peaks, RecordingError, RecordingFinisher};
use media::record;
use model::id::{InteractionId, RecordingId};
use tokio::sync::Semaphore;

/// Finishes recordings of one folder, a bounded number at a time.
pub struct Finisher {
    dir: PathBuf,
    formats: Vec<record::OutputFormat>,
    permits: Semaphore,
}

impl Finisher {
    /// For the containers in `dir`.
    pub fn new(dir: PathBuf, formats: Vec<record::OutputFormat>, at_once: usize) -> Self {
        Self { dir, formats, permits: Semaphore::new(at_once) }
    }

    fn container(&self, recording: RecordingId) -> PathBuf {
        self.dir.join(format!("{recording}.pbr"))
    }

    /// Audio work blocks, and takes its turn.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, RecordingError> + Send + 'static,
    ) -> Result<T, RecordingError> {
        let _turn = self.permits.acquire().await.map_err(failed)?;
        tokio::task::spawn_blocking(work).await.map_err(failed)?
    }
}

fn failed(error: impl std::fmt::Display) -> RecordingError {
    RecordingError::Failed(error.to_string())
}

fn exists(file: &Path, recording: RecordingId) -> Result<(), RecordingError> {
    if file.exists() { Ok(()) } else { Err(RecordingError::Missing(recording)) }
}
