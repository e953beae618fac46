//! The inputs kept in the repository.

use std::path::PathBuf;

/// A target's inputs, in the order of their file names.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    /// File name and octets.
    pub inputs: Vec<(String, Vec<u8>)>,
}

/// Where a target's inputs lie.
pub fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

impl Corpus {
    /// Reads the corpus of a target.
    ///
    /// # Errors
    /// When the folder or a file in it cannot be read.
    pub fn of(target: &str) -> std::io::Result<Self> {
        let mut inputs = Vec::new();
        for entry in std::fs::read_dir(folder(target))? {
            let entry = entry?;
            inputs.push((entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path())?));
        }
        inputs.sort();
        Ok(Self { inputs })
    }
}
