//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Files being made; removed unless they are kept.
#[derive(Default)]
pub(super) struct Outputs(Vec<(PathBuf, PathBuf)>);

impl Outputs {
    /// The name to write to for now.
    pub(super) fn part(&mut self, path: &Path) -> PathBuf {
        let part = part_of(path);
        self.0.push((part.clone(), path.to_path_buf()));
        part
    }

    /// Puts all of them under their names.
    pub(super) fn keep(mut self) -> std::io::Result<()> {
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
pub(in crate::record) fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}
