//! Writing a container: records gather in memory and go to the file in sealed blocks.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use super::blocks::Sealer;
use super::chain::Chain;
use super::format::{Entry, HEAD_LEN, Head};
use super::keys::RecordingKey;

/// A container that is being written.
pub(super) struct Container {
    /// Shared with the thread that syncs.
    file: Arc<File>,
    /// Records that are not in the file yet.
    block: Vec<u8>,
    block_frames: u64,
    /// Encrypts blocks, in containers of version 2.
    sealer: Option<Sealer>,
    /// The chain at the end of the file, and with the block.
    written: Chain,
    chain: Chain,
    /// Octets in the file that are whole blocks.
    len: u64,
    frames: u64,
    missing: u64,
    /// How many missing ones the file tells of.
    missing_written: u64,
}

impl Container {
    /// Makes the file, which must not exist, and writes its header.
    #[cfg(test)]
    pub(super) fn create(path: &Path, head: &Head) -> io::Result<Self> {
        Self::over(new_file(path)?, head, None)
    }

    /// A container in an open, empty file; encrypted when there is a key.
    pub(super) fn over(file: File, head: &Head, key: Option<&RecordingKey>) -> io::Result<Self> {
        let sealer = key.map(Sealer::new).transpose().map_err(io::Error::other)?;
        let head = head.encode(sealer.is_some());
        (&file).write_all(&head)?;
        let chain = Chain::begin(&head);
        Ok(Self {
            file: Arc::new(file),
            block: Vec::with_capacity(BLOCK),
            block_frames: 0,
            sealer,
            written: chain.clone(),
            chain,
            len: HEAD_LEN as u64,
            frames: 0,
            missing: 0,
            missing_written: 0,
        })
    }

    /// A container whose every write fails once its header is out.
    #[cfg(test)]
    pub(super) fn failing(head: &Head) -> Self {
        let null = OpenOptions::new().write(true).open("/dev/null").expect("exists");
        let full = OpenOptions::new().write(true).open("/dev/full").expect("exists");
        Self { file: Arc::new(full), ..Self::over(null, head, None).expect("takes everything") }
    }

    /// Adds a record to the block.
    pub(super) fn add(&mut self, entry: &Entry<'_>) {
        let from = self.block.len();
        if !entry.encode(&mut self.block) {
            self.missing += 1;
            return;
        }
        // What is encrypted enters the chain as it goes to the disk.
        if self.sealer.is_none() {
            self.chain.record(&self.block[from..]);
        }
        match entry {
            Entry::Payload(_) => self.block_frames += 1,
            Entry::Missed { count, .. } => self.missing = self.missing.saturating_add(*count),
            _ => {}
        }
    }

    /// Whether there is something to write.
    pub(super) fn is_dirty(&self) -> bool {
        !self.block.is_empty()
    }

    /// Seals the block and writes it. When the system refuses, the file is cut back to its last whole block and the
    /// block's payloads count as missing, so that the container stays whole and says what it lacks.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let (written, hash, len) = match &mut self.sealer {
            None => {
                let hash = self.chain.seal();
                Entry::Seal { records: self.chain.records, hash }.encode(&mut self.block);
                ((&*self.file).write_all(&self.block), hash, self.block.len())
            }
            Some(sealer) => match sealer.seal(&self.block) {
                Ok(block) => {
                    self.chain.record(block);
                    let hash = self.chain.seal();
                    block.extend_from_slice(&hash);
                    ((&*self.file).write_all(block), hash, block.len())
                }
                Err(error) => (Err(error), [0; 32], 0),
            },
        };
        match &written {
            Ok(()) => {
                self.len += len as u64;
                self.frames += self.block_frames;
                self.chain.sealed(hash);
                self.written = self.chain.clone();
                self.missing_written = self.missing;
            }
            Err(_) => {
                // Cutting needs no space. Should it fail too, the reader skips the torn block.
                _ = self.file.set_len(self.len);
                _ = io::Seek::seek(&mut &*self.file, io::SeekFrom::Start(self.len));
                self.chain = self.written.clone();
                self.missing += self.block_frames;
            }
        }
        self.block.clear();
        self.block_frames = 0;
        if written.is_err() {
            // The next block begins by saying what the file lacks.
            let lacking = Entry::Missed { count: self.missing - self.missing_written, at_us: 0 };
            lacking.encode(&mut self.block);
            if self.sealer.is_none() {
                self.chain.record(&self.block);
            }
        }
        written
    }

    /// Ends the container in order. Frames and missing, as its last record says.
    pub(super) fn end(&mut self, at_us: u64) -> (u64, u64, io::Result<()>) {
        let flushed = self.flush();
        let (frames, missing) = (self.frames, self.missing);
        self.add(&Entry::End { at_us, frames, missing });
        let ended = self.flush();
        (self.frames, self.missing, flushed.and(ended))
    }

    /// For the thread that syncs.
    pub(super) fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }
}

/// The file of a new container; it must not exist.
pub(super) fn new_file(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Octets a block usually needs: two channels of G.711 for a tenth of a second, twice over.
const BLOCK: usize = 4_096;
