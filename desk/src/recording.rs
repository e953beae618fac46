//! Captured calls become files that can be played (REC-07): a bounded worker, retries, and an honest end.
//!
//! The audio work itself is done by whoever implements [`RecordingFinisher`]; this room only decides when, how often, and
//! what the journal says about it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::id::{InteractionId, RecordingId, UserId};
use model::recording::{ErasedRange, RecordingProof};
use model::time::Timestamp;
use tokio::sync::mpsc;

use crate::clock::Clock;

/// Recordings waiting to be finished. What does not fit is found again at the next start.
pub const WAITING_MAX: usize = 10_000;
/// Recordings finished at the same time: finishing must not take the processor from calls.
const AT_ONCE: usize = 2;
/// Waits before each further try.
const RETRIES: [Duration; 4] =
    [Duration::from_secs(2), Duration::from_secs(10), Duration::from_secs(60), Duration::from_secs(300)];

/// What a recording can be listened to as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AudioFormat {
    /// PCM, two channels.
    Wav,
    /// Opus in Ogg.
    Opus,
    /// MP3.
    Mp3,
}

impl AudioFormat {
    /// By the ending of a file name.
    pub fn from_ending(ending: &str) -> Option<Self> {
        match ending {
            "wav" => Some(Self::Wav),
            "opus" => Some(Self::Opus),
            "mp3" => Some(Self::Mp3),
            _ => None,
        }
    }
    /// The ending of its files.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Opus => "opus",
            Self::Mp3 => "mp3",
        }
    }
    /// The media type on the wire.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Wav => "audio/wav",
            Self::Opus => "audio/ogg; codecs=opus",
            Self::Mp3 => "audio/mpeg",
        }
    }
}

/// A recording that can be played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Length of its audio.
    pub length: Duration,
    /// Captured equals expected.
    pub complete: bool,
    /// What was found; `None` where it is not known.
    pub proof: Option<RecordingProof>,
    /// Names of its files under the recordings folder.
    pub files: Vec<String>,
    /// Size of all files.
    pub bytes: u64,
}

/// An erasure that was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Of which recording.
    pub recording: RecordingId,
    /// Which stretch; `None`: all of it.
    pub range: Option<ErasedRange>,
    /// Who wanted it; `None`: the service's rule.
    pub by: Option<UserId>,
    /// When it began.
    pub at: Timestamp,
}

/// The octets of a file with audio, wherever and however they are kept.
pub trait Audio: Send + Sync + 'static {
    /// How many there are.
    fn len(&self) -> u64;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Up to `most` from a place; none at the end. Blocks.
    fn read_at(&self, from: u64, most: usize) -> std::io::Result<Vec<u8>>;
}

/// The shape of a recording, for drawing.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct Peaks {
    /// Length of the audio.
    pub length_ms: u64,
    /// The customer, 0 to 1.
    pub left: Vec<f32>,
    /// Our side, 0 to 1.
    pub right: Vec<f32>,
}

/// Why a recording could not be finished or opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordingError {
    /// There is no container of that id: trying again is useless.
    #[error("there is nothing captured under {0}")]
    Missing(RecordingId),
    /// The format cannot be made on this appliance.
    #[error("{} cannot be made here", .0.ending())]
    Format(AudioFormat),
    /// May go better later: disk full, helper busy.
    #[error("{0}")]
    Failed(String),
}

/// Does the audio work: implemented over the media room by whoever wires the house.
#[async_trait]
pub trait RecordingFinisher: Send + Sync + 'static {
    /// Turns the container into files that can be played. Doing it twice gives the same.
    async fn finish(&self, recording: RecordingId) -> Result<Finished, RecordingError>;
    /// A file to send, made now if it was not before.
    async fn file(
        &self,
        recording: RecordingId,
        format: AudioFormat,
    ) -> Result<Arc<dyn Audio>, RecordingError>;
    /// Destroys a recording for ever, or a stretch of it; of a stretch, what remains. What is gone already is no error. Until
    /// [`Self::erasure_is_known`] it is remembered over a crash; doing it again with the same `what`, `by` and `at` changes nothing.
    async fn erase(
        &self,
        recording: RecordingId,
        what: Option<ErasedRange>,
        by: Option<UserId>,
        at: Timestamp,
    ) -> Result<Option<Finished>, RecordingError>;
    /// Erasures that a crash interrupted, or of which nobody said that they are known.
    async fn erasures(&self) -> Result<Vec<Erasure>, RecordingError>;
    /// The erasure of this recording is over, and journal and row know of it.
    async fn erasure_is_known(&self, recording: RecordingId) -> Result<(), RecordingError>;
    /// The shape for drawing.
    async fn peaks(&self, recording: RecordingId) -> Result<Peaks, RecordingError>;
    /// Containers that a crash left, with the interaction each one names.
    async fn unfinished(&self) -> Result<Vec<(RecordingId, InteractionId)>, RecordingError>;
}

/// One recording to finish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// Which call it is of.
    pub interaction: InteractionId,
    /// Which one.
    pub recording: RecordingId,
}

/// How a job ended.
pub type Outcome = (Job, Result<Finished, RecordingError>);

/// Starts the workers. Jobs go in at the returned end; each is answered once on `outcomes`.
pub fn start_workers(
    finisher: Arc<dyn RecordingFinisher>,
    clock: Arc<dyn Clock>,
    outcomes: mpsc::Sender<Outcome>,
) -> mpsc::Sender<Job> {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    let receiver = Arc::new(tokio::sync::Mutex::new(receiver));
    for _ in 0..AT_ONCE {
        let (finisher, clock, outcomes, jobs) =
            (finisher.clone(), clock.clone(), outcomes.clone(), receiver.clone());
        tokio::spawn(async move {
            loop {
                let job: Option<Job> = jobs.lock().await.recv().await;
                let Some(job) = job else { return };
                let outcome = finish(&*finisher, &*clock, job).await;
                if outcomes.send((job, outcome)).await.is_err() {
                    return;
                }
            }
        });
    }
    sender
}

async fn finish(
    finisher: &dyn RecordingFinisher,
    clock: &dyn Clock,
    job: Job,
) -> Result<Finished, RecordingError> {
    for wait in RETRIES {
        match finisher.finish(job.recording).await {
            Err(RecordingError::Failed(why)) => {
                tracing::warn!(interaction = %job.interaction, recording = %job.recording, why, "finishing a recording failed, trying again");
                clock.sleep_until(clock.now() + wait).await;
            }
            end => return end,
        }
    }
    finisher.finish(job.recording).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use model::id::Id;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn finished() -> Finished {
        Finished { length: Duration::from_secs(3), complete: true, proof: None, files: vec![], bytes: 0 }
    }
    /// Fails so many times before it succeeds.
    struct Stubborn(AtomicU32);
    #[async_trait]
    impl RecordingFinisher for Stubborn {
        async fn finish(&self, _: RecordingId) -> Result<Finished, RecordingError> {
            let left = self.0.load(Ordering::Relaxed);
            if left == 0 {
                return Ok(finished());
            }
            self.0.store(left - 1, Ordering::Relaxed);
            Err(RecordingError::Failed("disk full".into()))
        }
        async fn file(
            &self,
            recording: RecordingId,
            _: AudioFormat,
        ) -> Result<Arc<dyn Audio>, RecordingError> {
            Err(RecordingError::Missing(recording))
        }
        async fn erase(
            &self,
            recording: RecordingId,
            _: Option<ErasedRange>,
            _: Option<UserId>,
            _: Timestamp,
        ) -> Result<Option<Finished>, RecordingError> {
            Err(RecordingError::Missing(recording))
        }
        async fn erasures(&self) -> Result<Vec<Erasure>, RecordingError> {
            Ok(vec![])
        }
        async fn erasure_is_known(&self, _: RecordingId) -> Result<(), RecordingError> {
            Ok(())
        }
        async fn peaks(&self, recording: RecordingId) -> Result<Peaks, RecordingError> {
            Err(RecordingError::Missing(recording))
        }
        async fn unfinished(&self) -> Result<Vec<(RecordingId, InteractionId)>, RecordingError> {
            Ok(vec![])
        }
    }

    async fn run(failures: u32) -> Result<Finished, RecordingError> {
        let clock = ManualClock::at(Timestamp::from_millis(1));
        let (outcomes, mut ended) = mpsc::channel(1);
        let jobs =
            start_workers(Arc::new(Stubborn(AtomicU32::new(failures))), Arc::new(clock.clone()), outcomes);
        jobs.send(Job { interaction: InteractionId::from_number(1), recording: RecordingId::from_number(2) })
            .await
            .unwrap();
        loop {
            tokio::select! {
                outcome = ended.recv() => return outcome.unwrap().1,
                () = tokio::task::yield_now() => clock.advance(Duration::from_secs(1)),
            }
        }
    }

    #[tokio::test]
    async fn a_recording_is_finished_though_the_disk_was_full_for_a_while() {
        assert_eq!(run(3).await, Ok(finished()));
    }

    #[tokio::test]
    async fn after_five_tries_the_recording_is_given_up_with_the_cause() {
        assert_eq!(run(5).await, Err(RecordingError::Failed("disk full".into())));
    }
}
