//! Sounds that proxies ask for: WAV files below one folder, or the octets of one.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use media::prompt::Prompt;

use crate::session::SoundSource;

/// Octets of a file.
const FILE_MAX: u64 = 128 * 1024 * 1024;
/// Sounds that are kept ready.
const KEPT_MAX: usize = 64;

type Kept = HashMap<PathBuf, (SystemTime, Arc<Prompt>)>;

/// See the module.
#[derive(Debug)]
pub struct Sounds {
    folder: Option<PathBuf>,
    kept: Mutex<Kept>,
}

impl Sounds {
    /// Sounds of a folder; `None`: only those that come in requests.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, kept: Mutex::default() }
    }

    /// Reads and encodes a sound; takes its time. The error is for the proxy.
    pub fn load(&self, source: &SoundSource) -> Result<Arc<Prompt>, String> {
        match source {
            SoundSource::Blob(octets) => {
                let prompt = Prompt::from_wav("blob", octets.as_slice()).map_err(|e| e.to_string())?;
                Ok(Arc::new(prompt))
            }
            SoundSource::File(name) => self.file(name),
        }
    }

    fn file(&self, name: &str) -> Result<Arc<Prompt>, String> {
        const NO: &str = "Failed to open media file";
        let folder = self.folder.as_ref().ok_or("Playing files is not configured on this node")?;
        let folder = folder.canonicalize().map_err(|_| NO)?;
        // Links and dots are followed first: what counts is where the file really is.
        let path = folder.join(Path::new(name)).canonicalize().map_err(|_| NO)?;
        if !path.starts_with(&folder) {
            return Err(NO.to_owned());
        }
        let file = File::open(&path).map_err(|_| NO)?;
        let about = file.metadata().map_err(|_| NO)?;
        let changed = about.modified().map_err(|_| NO)?;
        if !about.is_file() || about.len() > FILE_MAX {
            return Err(NO.to_owned());
        }
        let kept = |kept: &Kept| {
            kept.get(&path).filter(|(at, _)| *at == changed).map(|(_, prompt)| Arc::clone(prompt))
        };
        if let Some(prompt) = kept(&self.kept.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(prompt);
        }
        let reader = std::io::BufReader::new(file.take(FILE_MAX));
        let prompt = Arc::new(Prompt::from_wav(name, reader).map_err(|e| e.to_string())?);
        let mut sounds = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if sounds.len() >= KEPT_MAX {
            sounds.clear();
        }
        sounds.insert(path, (changed, Arc::clone(&prompt)));
        Ok(prompt)
    }
}
