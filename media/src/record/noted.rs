//! Erasures that were begun and are not over: noted on the disk before anything is touched, so that the next start finishes what
//! a crash interrupted. The note goes when whoever keeps the records knows of the erasure.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use model::id::UserId;
use serde::{Deserialize, Serialize};

use super::EXTENSION_DONE;
use super::keys::{sync_folder, write_whole};

/// An erasure that was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// Milliseconds from the beginning; `None`: the whole recording.
    pub range: Option<(u64, u64)>,
    /// Microseconds since 1970 (UTC).
    pub wall_us: u64,
    /// Who erases it; `None`: a rule.
    pub by: Option<UserId>,
}

/// Notes that an erasure begins; it is on the disk when this returns. `container`: of any extension.
pub fn note_erasure(container: &Path, what: &Noted) -> io::Result<()> {
    write_whole(&container.with_extension(EXTENSION_ERASING), &serde_json::to_vec(what)?)
}

/// The erasures that are noted in a folder, with their containers. A note that cannot be read is told and left alone.
pub fn noted_erasures(folder: &Path) -> io::Result<Vec<(PathBuf, Noted)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let file = entry?.path();
        if file.extension().is_none_or(|extension| extension != EXTENSION_ERASING) {
            continue;
        }
        match fs::read(&file).and_then(|octets| Ok(serde_json::from_slice(&octets)?)) {
            Ok(noted) => found.push((file.with_extension(EXTENSION_DONE), noted)),
            Err(error) => tracing::error!(file = %file.display(), %error, "an erasure cannot be read"),
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

/// The erasure is over and known.
pub fn forget_erasure(container: &Path) -> io::Result<()> {
    let file = container.with_extension(EXTENSION_ERASING);
    match fs::remove_file(&file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => sync_folder(&file),
    }
}

/// File name extension of a note.
const EXTENSION_ERASING: &str = "erasing";
