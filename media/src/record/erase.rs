//! Erasing for ever (RECO-05): a recording's key is destroyed; for a stretch of it, a container without the stretch is written
//! under a new key and the old key is destroyed.
//!
//! A crash in the middle leaves the recording with two keys, and either the old container or the new one: doing it again
//! finishes it, and marks it once only. `noted` remembers what is to be done again.

use std::fs;
use std::path::{Path, PathBuf};

use model::id::UserId;

use super::container::{Container, new_file};
use super::finish::{self, Finished, Formats};
use super::format::{Entry, ReadError};
use super::keys::{EXTENSION_KEY, KeyError, RecordingKey, Vault};
use super::{EXTENSION, EXTENSION_DONE, FinishError};

/// Why something could not be erased.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// The container cannot be read.
    #[error("{file}: {source}")]
    Read {
        /// The container.
        file: PathBuf,
        /// Why.
        source: ReadError,
    },
    /// A file cannot be written or removed.
    #[error("{file}: {source}")]
    File {
        /// Which.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The outputs could not be made anew. What was to be erased is gone.
    #[error(transparent)]
    Finish(#[from] FinishError),
}

/// What is to be erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erasing {
    /// Milliseconds from the beginning.
    pub from_ms: u64,
    /// Milliseconds from the beginning.
    pub to_ms: u64,
    /// Now: microseconds since 1970 (UTC).
    pub wall_us: u64,
    /// Who erases it; `None`: a rule.
    pub by: Option<UserId>,
}

/// Erases a whole recording: its key first, then every file of it. `container`: of any extension. What is not there is gone
/// already.
pub fn erase_all(container: &Path, vault: Option<&Vault>) -> Result<(), EraseError> {
    if let Some(vault) = vault {
        vault.destroy(container)?;
    }
    for extension in [EXTENSION, EXTENSION_DONE, NEW, "json", EXTENSION_KEY].into_iter().chain(OUTPUTS) {
        remove(&container.with_extension(extension))?;
    }
    Ok(())
}

/// Erases a stretch of a finished recording, a fifth of a second more on each side, and makes its outputs anew.
pub fn erase_range(
    container: &Path,
    vault: Option<&Vault>,
    what: Erasing,
    formats: Formats,
) -> Result<Finished, EraseError> {
    let read_error = |source| EraseError::Read { file: container.to_path_buf(), source };
    let old = match vault {
        Some(vault) => match vault.of(container) {
            Err(KeyError::Gone(_)) => vec![],
            keys => keys?,
        },
        None => vec![],
    };
    let (reader, _) = finish::open(container, &old).map_err(read_error)?;
    let new = vault.map(|_| RecordingKey::random()).transpose()?;
    let part = container.with_extension(NEW);
    remove(&part)?;
    copy(reader, &part, new.as_ref(), what)?;
    let mut keys: Vec<RecordingKey> = new.iter().cloned().chain(old).collect();
    if let Some(vault) = vault {
        vault.keep(container, &keys)?;
    }
    let file_error = |source| EraseError::File { file: container.to_path_buf(), source };
    fs::rename(&part, container).map_err(file_error)?;
    // What was made of the old one goes before its key does: an output in the clear has no key.
    for extension in OUTPUTS {
        remove(&container.with_extension(extension))?;
    }
    if let Some(vault) = vault {
        keys.truncate(1);
        vault.keep(container, &keys)?;
    }
    let folder = container.parent().unwrap_or(Path::new("."));
    Ok(finish::finish_with(container, folder, formats, &keys)?)
}

/// Writes a container without the stretch.
fn copy(
    mut reader: super::Reader<impl std::io::Read>,
    part: &Path,
    key: Option<&RecordingKey>,
    what: Erasing,
) -> Result<(), EraseError> {
    let error = |source| EraseError::File { file: part.to_path_buf(), source };
    let head = reader.head();
    let from_us = head.at_us + (what.from_ms * 1_000).saturating_sub(MARGIN_US);
    let to_us = head.at_us + what.to_ms.saturating_mul(1_000).saturating_add(MARGIN_US);
    let mark = Entry::Erased { from_us, to_us, wall_us: what.wall_us, by: what.by };
    let mut container = Container::over(new_file(part).map_err(error)?, &head, key).map_err(error)?;
    let (mut marked, mut since_flush, mut ended) = (false, 0, None);
    while let Some(entry) = reader.next_entry().map_err(error)? {
        match entry {
            Entry::Payload(p) if p.at_us >= from_us => {
                // The mark stands where the stretch begins: packet numbers begin anew behind it.
                if !std::mem::replace(&mut marked, true) {
                    container.add(&mark);
                }
                if p.at_us >= to_us {
                    container.add(&entry);
                }
            }
            Entry::Seal { .. } => {}
            // A crash came after this very stretch was left out.
            Entry::Erased { .. } if entry == mark => {
                if !std::mem::replace(&mut marked, true) {
                    container.add(&mark);
                }
            }
            Entry::End { at_us, .. } => ended = Some(at_us),
            entry => container.add(&entry),
        }
        since_flush += 1;
        if since_flush == RECORDS_A_BLOCK {
            since_flush = 0;
            container.flush().map_err(error)?;
        }
    }
    if !marked {
        container.add(&mark);
    }
    match ended {
        Some(at_us) => container.end(at_us).2.map_err(error)?,
        None => container.flush().map_err(error)?,
    }
    container.file().sync_all().map_err(error)
}

fn remove(file: &Path) -> Result<(), EraseError> {
    match fs::remove_file(file) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(EraseError::File { file: file.to_path_buf(), source: e })
        }
        _ => Ok(()),
    }
}

/// A container being written without what is erased.
const NEW: &str = "pbr-new";
const OUTPUTS: [&str; 4] = ["wav", "opus", "mp3", "peaks.json"];
/// Arrival says where a packet is heard to within this.
const MARGIN_US: u64 = 200_000;
const RECORDS_A_BLOCK: u32 = 64;
