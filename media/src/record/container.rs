//! Writing a container: records gather in memory and go to the file in sealed blocks.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use super::chain::Chain;
use super::format::{Entry, HEAD_LEN, Head};

/// A container that is being written.
pub(super) struct Container {
    /// Shared with the thread that syncs.
    file: Arc<File>,
    /// Records that are not in the file yet.
    block: Vec<u8>,
    block_frames: u64,
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
    pub(super) fn create(path: &Path, head: &Head) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Self::over(OpenOptions::new().write(true).create_new(true).open(path)?, head)
    }

    /// A container in an open, empty file.
    pub(super) fn over(file: File, head: &Head) -> io::Result<Self> {
        let head = head.encode();
        (&file).write_all(&head)?;
        let chain = Chain::begin(&head);
        Ok(Self {
            file: Arc::new(file),
            block: Vec::with_capacity(BLOCK),
            block_frames: 0,
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
        Self { file: Arc::new(full), ..Self::over(null, head).expect("takes everything") }
    }

    /// Adds a record to the block.
    pub(super) fn add(&mut self, entry: &Entry<'_>) {
        let from = self.block.len();
        if !entry.encode(&mut self.block) {
            self.missing += 1;
            return;
        }
        self.chain.record(&self.block[from..]);
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
        let hash = self.chain.seal();
        Entry::Seal { records: self.chain.records, hash }.encode(&mut self.block);
        let written = (&*self.file).write_all(&self.block);
        match &written {
            Ok(()) => {
                self.len += self.block.len() as u64;
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
            self.chain.record(&self.block);
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

/// Octets a block usually needs: two channels of G.711 for a tenth of a second, twice over.
const BLOCK: usize = 4_096;
