//! Makes recordings playable: the desk decides when, `media::record` does the audio, this ties them.
//!
//! A recording is `ID.pbr` while it is captured, `ID.pbr-done` afterwards, beside its audio files and `ID.json`, which says
//! what finishing found.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use desk::recording::{AudioFormat, Finished, Peaks, RecordingError, RecordingFinisher};
use media::record::{self, EXTENSION, EXTENSION_DONE, Formats};
use model::id::{InteractionId, RecordingId};
use store::Store;
use tokio::sync::Semaphore;

/// Finishes recordings of one folder, a bounded number at a time.
pub struct Finisher {
    folder: PathBuf,
    formats: Formats,
    permits: Semaphore,
    store: Store,
}

impl Finisher {
    /// For the containers in `folder`.
    pub fn new(folder: PathBuf, formats: Formats, at_once: usize, store: Store) -> Self {
        Self { folder, formats, permits: Semaphore::new(at_once), store }
    }

    fn named(&self, recording: RecordingId, extension: &str) -> PathBuf {
        self.folder.join(format!("{recording}.{extension}"))
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

/// Peaks as the media room writes them: loudest sample of each part, 0 to 255.
#[derive(serde::Deserialize)]
struct StoredPeaks {
    length_ms: u64,
    left: Vec<u8>,
    right: Vec<u8>,
}

fn failed(error: impl std::fmt::Display) -> RecordingError {
    RecordingError::Failed(error.to_string())
}

#[async_trait]
impl RecordingFinisher for Finisher {
    async fn finish(&self, recording: RecordingId) -> Result<Finished, RecordingError> {
        let (container, report) = (self.named(recording, EXTENSION), self.named(recording, "json"));
        let (folder, formats) = (self.folder.clone(), self.formats);
        self.blocking(move || {
            let found = if container.exists() {
                let found = record::finish(&container, &folder, formats).map_err(failed)?;
                write_whole(&report, &serde_json::to_vec(&found).map_err(failed)?).map_err(failed)?;
                found
            } else {
                let text = std::fs::read(&report).map_err(|_| RecordingError::Missing(recording))?;
                serde_json::from_slice(&text).map_err(failed)?
            };
            Ok(Finished {
                length: Duration::from_millis(found.length_ms),
                complete: found.complete,
                files: found
                    .files
                    .iter()
                    .filter_map(|f| Some(f.path.file_name()?.to_str()?.to_owned()))
                    .collect(),
                bytes: found.files.iter().map(|f| f.octets).sum(),
            })
        })
        .await
    }

    async fn file(&self, recording: RecordingId, format: AudioFormat) -> Result<PathBuf, RecordingError> {
        let file = self.named(recording, format.ending());
        if file.exists() {
            return Ok(file);
        }
        let (done, wav, folder) =
            (self.named(recording, EXTENSION_DONE), self.named(recording, "wav"), self.folder.clone());
        let made = file.clone();
        self.blocking(move || {
            // Two may have asked at once; the second finds what the first made.
            if made.exists() {
                return Ok(());
            }
            if format == AudioFormat::Mp3 && wav.exists() {
                return record::mp3(&wav, &made).map_err(|e| cannot(format, &e));
            }
            if !done.exists() {
                return Err(RecordingError::Missing(recording));
            }
            let wanted = Formats {
                wav: format == AudioFormat::Wav,
                opus: format == AudioFormat::Opus,
                mp3: format == AudioFormat::Mp3,
            };
            record::finish(&done, &folder, wanted).map(drop).map_err(failed)
        })
        .await?;
        Ok(file)
    }

    async fn peaks(&self, recording: RecordingId) -> Result<Peaks, RecordingError> {
        let file = self.named(recording, "peaks.json");
        self.blocking(move || {
            let text = std::fs::read(file).map_err(|_| RecordingError::Missing(recording))?;
            let stored: StoredPeaks = serde_json::from_slice(&text).map_err(failed)?;
            let unit = |points: Vec<u8>| points.into_iter().map(|p| f32::from(p) / 255.0).collect();
            Ok(Peaks { length_ms: stored.length_ms, left: unit(stored.left), right: unit(stored.right) })
        })
        .await
    }

    async fn unfinished(&self) -> Result<Vec<(RecordingId, InteractionId)>, RecordingError> {
        let folder = self.folder.clone();
        let left: Vec<RecordingId> = self
            .blocking(move || {
                let files = record::find_unfinished(&folder).map_err(failed)?;
                Ok(files.iter().filter_map(|f| f.file_stem()?.to_str()?.parse().ok()).collect())
            })
            .await?;
        let known = self.store.recordings().unfinished_recordings().await.map_err(failed)?;
        let interaction = |id| known.iter().find(|r| r.id == id).map(|r| r.interaction);
        Ok(left.into_iter().filter_map(|id| Some((id, interaction(id)?))).collect())
    }
}

fn cannot(format: AudioFormat, error: &record::Mp3Error) -> RecordingError {
    match error {
        record::Mp3Error::LameMissing => RecordingError::Format(format),
        other => failed(other),
    }
}

/// Whole or not at all.
fn write_whole(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let part = file.with_extension("json.part");
    std::fs::write(&part, bytes)?;
    std::fs::rename(part, file)
}
