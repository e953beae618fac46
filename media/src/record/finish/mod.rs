//! From container to what people listen to.
//!
//! Two passes over the file, both in bounded memory: the first learns how long it is, which codecs it holds and whether
//! it is whole; the second decodes, mixes and writes. Outputs appear under their names only when they are complete, and the
//! container is renamed last: a crash in between means finishing again.

mod mix;
mod outputs;
mod scan;

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use model::id::{LegId, RecordingId, UserId};
use model::recording::{ChannelProof, Completeness, RecordingProof};
use serde::{Deserialize, Serialize};

use super::format::{Head, ReadError};
use super::keys::RecordingKey;
use super::mp3::{Mp3Error, mp3, mp3_with};
use super::reader::Reader;
use super::sinks::{OggOpus, Peaks, Wav};
use super::{EXTENSION, EXTENSION_DONE};
use crate::control::Channel;
use mix::{Sinks, mix};
use outputs::Outputs;
use scan::Scan;

pub(super) use outputs::part_of;

/// What to make. Peaks are always made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Formats {
    /// Two-channel WAV, 16 bits.
    pub wav: bool,
    /// Stereo Opus in Ogg: plays in every browser, a tenth of the WAV.
    pub opus: bool,
    /// Stereo MP3, by the program `lame`.
    pub mp3: bool,
}

/// What became of a container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// Which recording.
    pub recording: RecordingId,
    /// When it began: microseconds since 1970 (UTC).
    pub wall_us: u64,
    /// How long it lasts, pauses included.
    pub length_ms: u64,
    /// Ended in order, nothing missing on our side, nothing torn or changed. Loss on the network does not count.
    pub complete: bool,
    /// The same in a word, which tells whether something was left out on purpose.
    #[serde(default = "unknown")]
    pub verdict: Completeness,
    /// The customer.
    pub left: ChannelReport,
    /// Our side.
    pub right: ChannelReport,
    /// Payloads in the container.
    pub frames: u64,
    /// Payloads that came and could not be written.
    pub missing: u64,
    /// Octets after the last whole record: what a crash tore.
    pub torn_octets: u64,
    /// Octets between whole records that are no records.
    pub damaged_octets: u64,
    /// Seals of the hash chain that did not fit: something was changed or taken out.
    pub broken_seals: u64,
    /// The last seal, in hexadecimal digits. Kept elsewhere, it proves that the container is the one that was written.
    pub seal: String,
    /// When capturing was paused on purpose.
    pub pauses: Vec<Span>,
    /// What was erased later, and by whom.
    #[serde(default)]
    pub erased: Vec<Erased>,
    /// Whose words each channel captured, in order; the first 1000 changes.
    pub taken: Vec<Taken>,
    /// Sampling rate of WAV: 16 kHz where Opus was spoken, else 8 kHz.
    pub rate_hz: u32,
    /// What was made, the waveform's peaks among it.
    pub files: Vec<MadeFile>,
    /// The container's name from now on.
    pub container: PathBuf,
}

/// Reports of earlier versions do not say it.
fn unknown() -> Completeness {
    Completeness::Incomplete
}

impl Finished {
    /// What the journal keeps of it.
    pub fn proof(&self) -> RecordingProof {
        let channel = |of: &ChannelReport| ChannelProof {
            expected_ms: of.expected_ms,
            captured_ms: of.captured_ms,
            expected: of.expected,
            captured: of.captured,
        };
        RecordingProof {
            verdict: self.verdict,
            left: channel(&self.left),
            right: channel(&self.right),
            missing: self.missing,
            paused_ms: self.pauses.iter().map(|span| span.to_ms - span.from_ms).sum(),
            damaged_octets: self.torn_octets + self.damaged_octets,
            broken_seals: self.broken_seals,
            seal: self.seal.clone(),
        }
    }
}

/// How much of a channel there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelReport {
    /// Packets there should be, by sequence number.
    pub expected: u64,
    /// Packets there are.
    pub captured: u64,
    /// How long the channel was captured, pauses not included.
    pub expected_ms: u64,
    /// How much audio there is.
    pub captured_ms: u64,
}

/// A stretch of the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Milliseconds from the beginning.
    pub from_ms: u64,
    /// Milliseconds from the beginning.
    pub to_ms: u64,
}

/// A stretch that was erased after it was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// Milliseconds from the beginning.
    pub from_ms: u64,
    /// Milliseconds from the beginning.
    pub to_ms: u64,
    /// When it was erased: microseconds since 1970 (UTC).
    pub wall_us: u64,
    /// Who erased it; `None`: a rule.
    pub by: Option<UserId>,
}

/// Whose words a channel captured from some moment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// The channel.
    pub channel: Channel,
    /// Whose words; `None`: nobody's.
    pub leg: Option<LegId>,
    /// Since when.
    pub from_ms: u64,
}

/// A file that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeFile {
    /// Media type.
    pub kind: String,
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub octets: u64,
}

/// Why a container could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum FinishError {
    /// It cannot be read.
    #[error("{file}: {source}")]
    Read {
        /// The container.
        file: PathBuf,
        /// Why.
        source: ReadError,
    },
    /// An output cannot be written.
    #[error("cannot write {file}: {source}")]
    Write {
        /// The output.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The MP3 cannot be made. The container stays unfinished.
    #[error(transparent)]
    Mp3(#[from] Mp3Error),
}

/// Makes the outputs of a container in the clear in a folder, named after it, and renames it to [`EXTENSION_DONE`].
pub fn finish(container: &Path, folder: &Path, formats: Formats) -> Result<Finished, FinishError> {
    finish_with(container, folder, formats, &[])
}

/// What a container holds and lacks, without making anything of it: every record is read, every seal checked, every payload
/// decoded.
pub fn verify(container: &Path, keys: &[RecordingKey]) -> Result<Finished, FinishError> {
    let read_error = |source| FinishError::Read { file: container.to_path_buf(), source };
    let (mut reader, key) = open(container, keys).map_err(read_error)?;
    let scan = Scan::of(&mut reader).map_err(|e| read_error(e.into()))?;
    let mut reader = again(container, key).map_err(read_error)?;
    let peaks = Peaks::new(scan.rate_hz, scan.samples);
    let mut sinks = Sinks { wav: None, opus: None, peaks };
    let (left, right) = mix(&mut reader, &scan, &mut sinks).map_err(|e| read_error(e.into()))?;
    Ok(scan.told(left, right, vec![], container.to_path_buf()))
}

/// Finds the key that opens a container, if it needs one.
pub(super) fn open<'k>(
    container: &Path,
    keys: &'k [RecordingKey],
) -> Result<(FileReader, Option<&'k RecordingKey>), ReadError> {
    let reader = again(container, None)?;
    if !reader.is_sealed() {
        return Ok((reader, None));
    }
    for key in keys {
        let mut reader = again(container, Some(key))?;
        // The first block: with a wrong key there is nothing in it. A container may also have none.
        if reader.next_entry()?.is_some() || reader.tail().good_seals == 0 {
            return Ok((again(container, Some(key))?, Some(key)));
        }
    }
    Err(ReadError::NoKey)
}

fn again(container: &Path, key: Option<&RecordingKey>) -> Result<FileReader, ReadError> {
    Reader::open(BufReader::new(File::open(container)?), key)
}

type FileReader = Reader<BufReader<File>>;

/// The same for containers that may be encrypted: what is made of such a one is encrypted too.
pub fn finish_with(
    container: &Path,
    folder: &Path,
    formats: Formats,
    keys: &[RecordingKey],
) -> Result<Finished, FinishError> {
    let read_error = |source| FinishError::Read { file: container.to_path_buf(), source };
    let (mut reader, key) = open(container, keys).map_err(read_error)?;
    let scan = Scan::of(&mut reader).map_err(|e| read_error(e.into()))?;
    let mut reader = again(container, key).map_err(read_error)?;

    let write_error = |file: &Path| {
        let file = file.to_path_buf();
        move |source| FinishError::Write { file, source }
    };
    fs::create_dir_all(folder).map_err(write_error(folder))?;
    let stem = container.file_stem().unwrap_or_default();
    let named = |extension: &str| {
        let mut name = stem.to_owned();
        name.push(".");
        name.push(extension);
        folder.join(name)
    };
    let mut outputs = Outputs::default();

    let wav = named("wav");
    let mut sinks = Sinks { wav: None, opus: None, peaks: Peaks::new(scan.rate_hz, scan.samples) };
    if formats.wav || formats.mp3 {
        let part = outputs.part(&wav);
        sinks.wav = Some(Wav::create(&part, scan.rate_hz, scan.samples, key).map_err(write_error(&part))?);
    }
    if formats.opus {
        let part = outputs.part(&named("opus"));
        let serial = crc32fast::hash(&scan.tail.link);
        sinks.opus = Some(OggOpus::create(&part, scan.rate_hz, serial, key).map_err(write_error(&part))?);
    }
    let peaks = outputs.part(&named("peaks.json"));
    let (left, right) = mix(&mut reader, &scan, &mut sinks).map_err(write_error(folder))?;
    sinks.end(&peaks, &scan, key).map_err(write_error(folder))?;
    outputs.keep().map_err(write_error(folder))?;

    if formats.mp3 {
        let made = match key {
            None => mp3(&wav, &named("mp3")),
            Some(key) => mp3_with(&wav, &named("mp3"), std::slice::from_ref(key)),
        };
        if !formats.wav {
            fs::remove_file(&wav).map_err(write_error(&wav))?;
        }
        made?;
    }
    let mut files = vec![];
    for (wanted, extension, kind) in [
        (formats.wav, "wav", "audio/wav"),
        (formats.opus, "opus", "audio/ogg; codecs=opus"),
        (formats.mp3, "mp3", "audio/mpeg"),
        (true, "peaks.json", "application/json"),
    ] {
        if wanted {
            let path = named(extension);
            let octets = fs::metadata(&path).map_err(write_error(&path))?.len();
            files.push(MadeFile { kind: kind.to_owned(), path, octets });
        }
    }
    let done = container.with_extension(EXTENSION_DONE);
    fs::rename(container, &done).map_err(write_error(&done))?;
    Ok(scan.told(left, right, files, done))
}

/// The containers in a folder and one level of folders below it that were not finished, oldest name first. Those being
/// written look the same: ask before recording begins.
pub fn find_unfinished(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = vec![];
    let mut folders = vec![(folder.to_path_buf(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() && depth < DEPTH_MAX {
                folders.push((path, depth + 1));
            } else if kind.is_file() && path.extension().is_some_and(|e| e == EXTENSION) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Microseconds since the recording began; `None` for times no recording reaches.
fn since(head: Head, at_us: u64) -> Option<u64> {
    // Threads read the clock one after the other: the first packet may be a moment older than the recording.
    let since_us = at_us.saturating_sub(head.at_us);
    (since_us <= LENGTH_MAX_US).then_some(since_us)
}

fn place(channel: Channel) -> usize {
    match channel {
        Channel::Left => 0,
        Channel::Right => 1,
    }
}

/// Longest recording: 12 hours of two channels at 16 kHz are 2.8 GB of WAV, below its limit of 4 GiB.
const LENGTH_MAX_US: u64 = 12 * 3_600 * 1_000_000;
/// How deep containers are sought: a folder a day.
const DEPTH_MAX: usize = 1;
