//! From container to what people listen to.
//!
//! Two passes over the file, both in bounded memory: the first learns how long it is, which codecs it holds and whether
//! it is whole; the second decodes, mixes and writes. Outputs appear under their names only when they are complete, and the
//! container is renamed last: a crash in between means finishing again.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use model::id::{LegId, RecordingId};
use model::media::Codec;
use serde::{Deserialize, Serialize};

use super::format::{Entry, Head, ReadError};
use super::mp3::{Mp3Error, mp3};
use super::reader::{Reader, Tail};
use super::sinks::{OggOpus, Peaks, Wav};
use super::timeline::{MIX_BEHIND_US, Track};
use super::{EXTENSION, EXTENSION_DONE};
use crate::control::Channel;
use crate::quality::{Sequence, Totals};

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
    /// Whose words each channel captured, in order; the first 1000 changes.
    pub taken: Vec<Taken>,
    /// Sampling rate of WAV: 16 kHz where Opus was spoken, else 8 kHz.
    pub rate_hz: u32,
    /// What was made, the waveform's peaks among it.
    pub files: Vec<MadeFile>,
    /// The container's name from now on.
    pub container: PathBuf,
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

/// Makes the outputs of a container in a folder, named after it, and renames it to [`EXTENSION_DONE`].
pub fn finish(container: &Path, folder: &Path, formats: Formats) -> Result<Finished, FinishError> {
    let read_error = |source| FinishError::Read { file: container.to_path_buf(), source };
    let open = || Reader::new(BufReader::new(File::open(container)?));
    let mut reader = open().map_err(read_error)?;
    let scan = Scan::of(&mut reader).map_err(|e| read_error(e.into()))?;
    let mut reader = open().map_err(read_error)?;

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
        sinks.wav = Some(Wav::create(&part, scan.rate_hz).map_err(write_error(&part))?);
    }
    if formats.opus {
        let part = outputs.part(&named("opus"));
        let serial = crc32fast::hash(&scan.tail.link);
        sinks.opus = Some(OggOpus::create(&part, scan.rate_hz, serial).map_err(write_error(&part))?);
    }
    let peaks = outputs.part(&named("peaks.json"));
    let (left, right) = mix(&mut reader, &scan, &mut sinks).map_err(write_error(folder))?;
    sinks.end(&peaks, &scan).map_err(write_error(folder))?;
    outputs.keep().map_err(write_error(folder))?;

    if formats.mp3 {
        let made = mp3(&wav, &named("mp3"));
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

/// What the first pass learns.
struct Scan {
    head: Head,
    tail: Tail,
    rate_hz: u32,
    samples: u64,
    length_us: u64,
    ended: bool,
    frames: u64,
    missing: u64,
    channels: [ChannelScan; 2],
    pauses: Vec<Span>,
    taken: Vec<Taken>,
}

#[derive(Default)]
struct ChannelScan {
    sequence: Sequence,
    epoch: Option<(u16, Codec)>,
    /// Since when it captures; how long it did.
    since_us: Option<u64>,
    captured_us: u64,
    tapped: bool,
}

impl Scan {
    fn of(reader: &mut Reader<impl std::io::Read>) -> std::io::Result<Self> {
        let head = reader.head();
        let mut scan = Self {
            head,
            tail: Tail::default(),
            rate_hz: 8_000,
            samples: 0,
            length_us: 0,
            ended: false,
            frames: 0,
            missing: 0,
            channels: Default::default(),
            pauses: vec![],
            taken: vec![],
        };
        let mut paused: Option<u64> = None;
        let (mut newest_us, mut end_us) = (0, None);
        while let Some(entry) = reader.next_entry()? {
            match entry {
                Entry::Payload(p) => {
                    let Some(at_us) = since(head, p.at_us) else { continue };
                    newest_us = newest_us.max(at_us);
                    scan.frames += 1;
                    if p.codec == Codec::Opus {
                        scan.rate_hz = 16_000;
                    }
                    let channel = &mut scan.channels[place(p.channel)];
                    if channel.epoch.replace((p.epoch, p.codec)).is_some_and(|old| old != (p.epoch, p.codec))
                    {
                        channel.sequence.restart();
                    }
                    channel.sequence.note(p.seq);
                    // Some hosts never say whose words they are: then a channel begins with its first.
                    if !channel.tapped {
                        channel.tapped = true;
                        channel.since_us = Some(at_us);
                    }
                }
                Entry::Tap { channel, leg, at_us } => {
                    let Some(at_us) = since(head, at_us) else { continue };
                    newest_us = newest_us.max(at_us);
                    if scan.taken.len() < TAKEN_MAX {
                        scan.taken.push(Taken { channel, leg, from_ms: at_us / 1000 });
                    }
                    let channel = &mut scan.channels[place(channel)];
                    channel.tapped = true;
                    if let Some(since_us) = channel.since_us.take() {
                        channel.captured_us += at_us.saturating_sub(since_us);
                    }
                    channel.since_us = leg.map(|_| at_us);
                }
                Entry::Pause { at_us } => paused = paused.or(since(head, at_us)),
                Entry::Resume { at_us } => {
                    if let (Some(from_us), Some(to_us)) = (paused.take(), since(head, at_us)) {
                        scan.pause(from_us, to_us);
                        newest_us = newest_us.max(to_us);
                    }
                }
                Entry::Missed { count, .. } => scan.missing = scan.missing.saturating_add(count),
                Entry::Seal { .. } => {}
                Entry::End { at_us, missing, .. } => {
                    scan.ended = true;
                    scan.missing = scan.missing.max(missing);
                    end_us = since(head, at_us);
                }
            }
        }
        // A stop that was said before the last packets were in does not cut them off.
        scan.length_us = match end_us {
            Some(end_us) => newest_us.clamp(end_us, end_us + STOP_SLACK_US),
            None => newest_us + PACKET_US,
        };
        if let Some(from_us) = paused {
            scan.pause(from_us, scan.length_us);
        }
        for channel in &mut scan.channels {
            if let Some(since_us) = channel.since_us.take() {
                channel.captured_us += scan.length_us.saturating_sub(since_us);
            }
        }
        scan.samples = scan.length_us * u64::from(scan.rate_hz) / 1_000_000;
        scan.tail = reader.tail();
        Ok(scan)
    }

    fn pause(&mut self, from_us: u64, to_us: u64) {
        if self.pauses.len() < TAKEN_MAX {
            self.pauses.push(Span { from_ms: from_us / 1000, to_ms: to_us.max(from_us) / 1000 });
        }
        for channel in &mut self.channels {
            // A pause shortens what is expected of a channel that was capturing when it began.
            if let Some(since_us) = channel.since_us {
                channel.since_us = Some(since_us + to_us.saturating_sub(from_us.max(since_us)));
            }
        }
    }

    fn told(self, left: Track, right: Track, files: Vec<MadeFile>, container: PathBuf) -> Finished {
        let rate = u64::from(self.rate_hz);
        let report = |channel: &ChannelScan, track: &Track| {
            let Totals { expected, lost, .. } = channel.sequence.totals();
            ChannelReport {
                expected,
                captured: expected - lost,
                expected_ms: channel.captured_us / 1000,
                captured_ms: track.samples * 1000 / rate,
            }
        };
        let [of_left, of_right] = &self.channels;
        let tail = self.tail;
        Finished {
            recording: self.head.recording,
            wall_us: self.head.wall_us,
            length_ms: self.length_us / 1000,
            complete: self.ended
                && self.missing == 0
                && (tail.torn_octets, tail.damaged_octets, tail.broken_seals, tail.unsealed_records)
                    == (0, 0, 0, 0),
            left: report(of_left, &left),
            right: report(of_right, &right),
            frames: self.frames,
            missing: self.missing,
            torn_octets: tail.torn_octets,
            damaged_octets: tail.damaged_octets,
            broken_seals: tail.broken_seals,
            seal: tail.link.iter().map(|octet| format!("{octet:02x}")).collect(),
            pauses: self.pauses,
            taken: self.taken,
            rate_hz: self.rate_hz,
            files,
            container,
        }
    }
}

/// The second pass: decodes both channels and gives their samples to the sinks.
fn mix(
    reader: &mut Reader<impl std::io::Read>,
    scan: &Scan,
    sinks: &mut Sinks,
) -> std::io::Result<(Track, Track)> {
    let mut tracks = [Track::new(scan.rate_hz), Track::new(scan.rate_hz)];
    let mut mixed = 0;
    let mut paused = false;
    while let Some(entry) = reader.next_entry()? {
        match entry {
            Entry::Payload(payload) if !paused => {
                let Some(at_us) = since(scan.head, payload.at_us) else { continue };
                tracks[place(payload.channel)].push(&payload, at_us);
                tracks.iter_mut().for_each(|track| track.settle(at_us));
                let ready_us = at_us.saturating_sub(MIX_BEHIND_US);
                let ready = (ready_us * u64::from(scan.rate_hz) / 1_000_000).min(scan.samples);
                sinks.take(&mut tracks, &mut mixed, ready)?;
            }
            Entry::Pause { .. } => paused = true,
            Entry::Resume { .. } => paused = false,
            _ => {}
        }
    }
    tracks.iter_mut().for_each(Track::settle_all);
    sinks.take(&mut tracks, &mut mixed, scan.samples)?;
    let [left, right] = tracks;
    Ok((left, right))
}

struct Sinks {
    wav: Option<Wav>,
    opus: Option<OggOpus>,
    peaks: Peaks,
}

impl Sinks {
    fn take(&mut self, tracks: &mut [Track; 2], mixed: &mut u64, until: u64) -> std::io::Result<()> {
        let (mut left, mut right) = ([0; BLOCK], [0; BLOCK]);
        while *mixed < until {
            let len = (until - *mixed).min(BLOCK as u64) as usize;
            tracks[0].read(&mut left[..len]);
            tracks[1].read(&mut right[..len]);
            *mixed += len as u64;
            if let Some(wav) = &mut self.wav {
                wav.block(&left[..len], &right[..len])?;
            }
            if let Some(opus) = &mut self.opus {
                opus.block(&left[..len], &right[..len])?;
            }
            self.peaks.block(&left[..len], &right[..len]);
        }
        Ok(())
    }

    fn end(self, peaks: &Path, scan: &Scan) -> std::io::Result<()> {
        if let Some(wav) = self.wav {
            wav.end()?;
        }
        if let Some(opus) = self.opus {
            opus.end()?;
        }
        self.peaks.end(peaks, scan.rate_hz, scan.length_us / 1000)
    }
}

/// Files being made; removed unless they are kept.
#[derive(Default)]
struct Outputs(Vec<(PathBuf, PathBuf)>);

impl Outputs {
    fn part(&mut self, path: &Path) -> PathBuf {
        let part = part_of(path);
        self.0.push((part.clone(), path.to_path_buf()));
        part
    }

    fn keep(mut self) -> std::io::Result<()> {
        for (part, path) in &self.0 {
            File::open(part)?.sync_all()?;
            fs::rename(part, path)?;
        }
        self.0.clear();
        Ok(())
    }
}

impl Drop for Outputs {
    fn drop(&mut self) {
        for (part, _) in &self.0 {
            // It may never have been made.
            _ = fs::remove_file(part);
        }
    }
}

/// The name of a file while it is being made.
pub(super) fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
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
/// What the last packet is taken to last, where nothing says when the recording ended.
const PACKET_US: u64 = 20_000;
/// How long after the stop packets may still have come.
const STOP_SLACK_US: u64 = 200_000;
const BLOCK: usize = 1_024;
const DEPTH_MAX: usize = 1;
const TAKEN_MAX: usize = 1_000;
