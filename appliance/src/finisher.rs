//! Makes recordings playable: the desk decides when, `media::record` does the audio, this ties them.
//!
//! A recording is `ID.pbr` while it is captured, `ID.pbr-done` afterwards, beside its audio files, its wrapped key `ID.key`
//! and `ID.json`, which says what finishing found.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use desk::recording::{Audio, AudioFormat, Erasure, Finished, Peaks, RecordingError, RecordingFinisher};
use media::record::{
    self, EXTENSION, EXTENSION_DONE, Erasing, Formats, KeyError, MadeAudio, Noted, RecordingKey, Vault,
};
use model::id::{InteractionId, RecordingId, UserId};
use model::recording::ErasedRange;
use model::time::Timestamp;
use store::Store;
use tokio::sync::{Semaphore, oneshot};

/// Finishes recordings of one folder, a bounded number at a time, in threads that get what calls leave of the processor.
pub struct Finisher {
    folder: PathBuf,
    formats: Formats,
    vault: Vault,
    permits: Semaphore,
    store: Store,
}

impl Finisher {
    /// For the containers in `folder`.
    pub fn new(folder: PathBuf, formats: Formats, vault: Vault, at_once: usize, store: Store) -> Self {
        Self { folder, formats, vault, permits: Semaphore::new(at_once), store }
    }

    fn named(&self, recording: RecordingId, extension: &str) -> PathBuf {
        self.folder.join(format!("{recording}.{extension}"))
    }

    /// Audio work blocks, and takes its turn. What waits for one is bounded by who asks: the desk's queue, and requests.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, RecordingError> + Send + 'static,
    ) -> Result<T, RecordingError> {
        let _turn = self.permits.acquire().await.map_err(failed)?;
        let (told, done) = oneshot::channel();
        let thread = move || {
            // On Linux this is the thread's own; programs it starts have it too. Media threads come first.
            if let Err(error) = rustix::process::nice(NICE) {
                tracing::warn!(%error, "finishing recordings has the same priority as calls");
            }
            // Who asked may be gone.
            told.send(work()).ok();
        };
        std::thread::Builder::new().name("finish".into()).spawn(thread).map_err(failed)?;
        done.await.map_err(failed)?
    }
}

/// The keys of a recording; none of one in the clear, from before recordings were encrypted.
fn keys(vault: &Vault, container: &Path) -> Result<Vec<RecordingKey>, RecordingError> {
    match vault.of(container) {
        Err(KeyError::Gone(_)) => Ok(vec![]),
        keys => keys.map_err(failed),
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

fn told(found: &record::Finished) -> Finished {
    Finished {
        length: Duration::from_millis(found.length_ms),
        complete: found.complete,
        proof: Some(found.proof()),
        files: found.files.iter().filter_map(|f| Some(f.path.file_name()?.to_str()?.to_owned())).collect(),
        bytes: found.files.iter().map(|f| f.octets).sum(),
    }
}

struct Made(MadeAudio);

impl Audio for Made {
    fn len(&self) -> u64 {
        self.0.len()
    }
    fn read_at(&self, from: u64, most: usize) -> std::io::Result<Vec<u8>> {
        self.0.read_at(from, most)
    }
}

#[async_trait]
impl RecordingFinisher for Finisher {
    async fn finish(&self, recording: RecordingId) -> Result<Finished, RecordingError> {
        let (container, report) = (self.named(recording, EXTENSION), self.named(recording, "json"));
        let (folder, formats, vault) = (self.folder.clone(), self.formats, self.vault.clone());
        self.blocking(move || {
            let found = if container.exists() {
                let keys = keys(&vault, &container)?;
                let found = record::finish_with(&container, &folder, formats, &keys).map_err(failed)?;
                write_whole(&report, &serde_json::to_vec(&found).map_err(failed)?).map_err(failed)?;
                found
            } else {
                let text = std::fs::read(&report).map_err(|_| RecordingError::Missing(recording))?;
                serde_json::from_slice(&text).map_err(failed)?
            };
            Ok(told(&found))
        })
        .await
    }

    async fn file(
        &self,
        recording: RecordingId,
        format: AudioFormat,
    ) -> Result<Arc<dyn Audio>, RecordingError> {
        let file = self.named(recording, format.ending());
        let (done, wav) = (self.named(recording, EXTENSION_DONE), self.named(recording, "wav"));
        let (folder, vault) = (self.folder.clone(), self.vault.clone());
        self.blocking(move || {
            let keys = keys(&vault, &file)?;
            // Two may have asked at once; the second finds what the first made.
            if !file.exists() {
                make(format, [&file, &done, &wav, &folder], &keys, recording)?;
            }
            let made: Arc<dyn Audio> = Arc::new(Made(MadeAudio::open(&file, &keys).map_err(failed)?));
            Ok(made)
        })
        .await
    }

    async fn peaks(&self, recording: RecordingId) -> Result<Peaks, RecordingError> {
        let (file, vault) = (self.named(recording, "peaks.json"), self.vault.clone());
        let key_of = self.named(recording, EXTENSION_DONE);
        self.blocking(move || {
            let keys = keys(&vault, &key_of)?;
            if !file.exists() {
                return Err(RecordingError::Missing(recording));
            }
            let made = MadeAudio::open(&file, &keys).map_err(failed)?;
            // At most two times 4000 points: a few chunks.
            let mut text = Vec::new();
            while text.len() < PEAKS_MAX {
                let piece = made.read_at(text.len() as u64, PEAKS_MAX).map_err(failed)?;
                if piece.is_empty() {
                    break;
                }
                text.extend(piece);
            }
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

    async fn erase(
        &self,
        recording: RecordingId,
        what: Option<ErasedRange>,
        by: Option<UserId>,
        at: Timestamp,
    ) -> Result<Option<Finished>, RecordingError> {
        let (done, report) = (self.named(recording, EXTENSION_DONE), self.named(recording, "json"));
        let (formats, vault) = (self.formats, self.vault.clone());
        self.blocking(move || {
            // From here on it is finished by the next start, whatever happens.
            let range = what.map(|range| (range.from_ms, range.to_ms));
            record::note_erasure(&done, &Noted { range, wall_us: at.micros(), by }).map_err(failed)?;
            let Some(ErasedRange { from_ms, to_ms }) = what else {
                record::erase_all(&done, Some(&vault)).map_err(failed)?;
                return Ok(None);
            };
            if !done.exists() {
                record::forget_erasure(&done).map_err(failed)?;
                return Err(RecordingError::Missing(recording));
            }
            let what = Erasing { from_ms, to_ms, wall_us: at.micros(), by };
            let found = record::erase_range(&done, Some(&vault), what, formats).map_err(failed)?;
            write_whole(&report, &serde_json::to_vec(&found).map_err(failed)?).map_err(failed)?;
            Ok(Some(told(&found)))
        })
        .await
    }

    async fn erasures(&self) -> Result<Vec<Erasure>, RecordingError> {
        let folder = self.folder.clone();
        let erasure = |(container, noted): (PathBuf, Noted)| {
            let recording = container.file_stem()?.to_str()?.parse().ok()?;
            let range = noted.range.map(|(from_ms, to_ms)| ErasedRange { from_ms, to_ms });
            Some(Erasure { recording, range, by: noted.by, at: Timestamp::from_micros(noted.wall_us) })
        };
        self.blocking(move || {
            let noted = record::noted_erasures(&folder).map_err(failed)?;
            Ok(noted.into_iter().filter_map(erasure).collect())
        })
        .await
    }

    async fn erasure_is_known(&self, recording: RecordingId) -> Result<(), RecordingError> {
        let done = self.named(recording, EXTENSION_DONE);
        self.blocking(move || record::forget_erasure(&done).map_err(failed)).await
    }
}

/// Makes a file that finishing did not make.
fn make(
    format: AudioFormat,
    [file, done, wav, folder]: [&Path; 4],
    keys: &[RecordingKey],
    recording: RecordingId,
) -> Result<(), RecordingError> {
    if format == AudioFormat::Mp3 && wav.exists() {
        let made = if keys.is_empty() { record::mp3(wav, file) } else { record::mp3_with(wav, file, keys) };
        return made.map_err(|e| cannot(format, &e));
    }
    if !done.exists() {
        return Err(RecordingError::Missing(recording));
    }
    let wanted = Formats {
        wav: format == AudioFormat::Wav,
        opus: format == AudioFormat::Opus,
        mp3: format == AudioFormat::Mp3,
    };
    record::finish_with(done, folder, wanted, keys).map(drop).map_err(failed)
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

/// The lowest priority there is among those that run at all.
const NICE: i32 = 19;
/// Peaks have at most 8000 numbers of three digits.
const PEAKS_MAX: usize = 256 * 1024;
