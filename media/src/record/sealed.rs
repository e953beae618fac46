//! Encrypted output files: chunks of 64 KiB, each with its own tag, so that any place can be read without the rest.
//!
//! A file is `PBX`, a version, a salt, then chunks. Its key is derived from the recording's with the salt, so the chunk's
//! number is nonce enough. The last chunk's nonce is marked: a file that was cut off at a chunk does not pass for whole.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};

use super::keys::{KeyError, RecordingKey};

/// Writes a file, encrypted when there is a key.
pub(super) enum Out {
    Plain(io::BufWriter<File>),
    Sealed(Box<SealedWriter>),
}

impl Out {
    pub(super) fn create(path: &Path, key: Option<&RecordingKey>) -> io::Result<Self> {
        let file = File::create(path)?;
        Ok(match key {
            None => Self::Plain(io::BufWriter::new(file)),
            Some(key) => Self::Sealed(Box::new(SealedWriter::new(file, key)?)),
        })
    }

    /// All is written.
    pub(super) fn end(self) -> io::Result<()> {
        match self {
            Self::Plain(mut file) => file.flush(),
            Self::Sealed(file) => file.end(),
        }
    }
}

impl Write for Out {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(octets),
            Self::Sealed(file) => file.write(octets),
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            // A chunk is written when it is full.
            Self::Sealed(_) => Ok(()),
        }
    }
}

/// An encrypted file being written.
pub(super) struct SealedWriter {
    file: File,
    cipher: LessSafeKey,
    chunk: Vec<u8>,
    number: u64,
}

impl SealedWriter {
    fn new(mut file: File, key: &RecordingKey) -> io::Result<Self> {
        let mut head = [0; HEAD];
        head[..4].copy_from_slice(&MAGIC);
        SystemRandom::new().fill(&mut head[4..]).map_err(|_| broken(KeyError::Crypto))?;
        file.write_all(&head)?;
        let cipher = key.cipher(&head, PURPOSE).map_err(broken)?;
        Ok(Self { file, cipher, chunk: Vec::with_capacity(CHUNK + TAG), number: 0 })
    }

    fn seal(&mut self, last: bool) -> io::Result<()> {
        self.cipher
            .seal_in_place_append_tag(nonce(self.number, last), Aad::empty(), &mut self.chunk)
            .map_err(|_| broken(KeyError::Crypto))?;
        self.file.write_all(&self.chunk)?;
        self.chunk.clear();
        self.number += 1;
        Ok(())
    }

    fn end(mut self) -> io::Result<()> {
        self.seal(true)
    }
}

impl Write for SealedWriter {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        // A full chunk waits for what follows: it may be the last.
        if self.chunk.len() == CHUNK {
            self.seal(false)?;
        }
        let taken = octets.len().min(CHUNK - self.chunk.len());
        self.chunk.extend_from_slice(&octets[..taken]);
        Ok(taken)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that was made of a recording, read at any place; decrypted on the fly when it is encrypted.
pub struct MadeAudio {
    file: File,
    /// Octets of what was encrypted.
    len: u64,
    cipher: Option<LessSafeKey>,
}

impl MadeAudio {
    /// Opens it. `keys`: those of the recording; the one that fits is used.
    pub fn open(path: &Path, keys: &[RecordingKey]) -> io::Result<Self> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        let mut head = [0; HEAD];
        let sealed = file.read_exact_at(&mut head, 0).is_ok() && head[..4] == MAGIC;
        if !sealed {
            return Ok(Self { file, len: size, cipher: None });
        }
        let body = size - HEAD as u64;
        let len = body.saturating_sub(body.div_ceil((CHUNK + TAG) as u64) * TAG as u64);
        for key in keys {
            let cipher = key.cipher(&head, PURPOSE).map_err(broken)?;
            let made = Self { file: file.try_clone()?, len, cipher: Some(cipher) };
            // The last chunk: it fits only the right key, and only if the file is whole.
            if made.chunk(made.chunks().saturating_sub(1)).is_ok() {
                return Ok(made);
            }
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "no key of the recording opens this file, or it was cut off",
        ))
    }

    /// Octets there are to be read.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it is encrypted.
    pub fn is_sealed(&self) -> bool {
        self.cipher.is_some()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Reads up to 64 KiB from a place; fewer octets than there are only at the end of a chunk. Nothing: the end.
    pub fn read_at(&self, from: u64, most: usize) -> io::Result<Vec<u8>> {
        let most = (self.len.saturating_sub(from)).min(most.min(CHUNK) as u64) as usize;
        if most == 0 {
            return Ok(Vec::new());
        }
        if self.cipher.is_none() {
            let mut octets = vec![0; most];
            let n = self.file.read_at(&mut octets, from)?;
            octets.truncate(n);
            return Ok(octets);
        }
        let mut chunk = self.chunk(from / CHUNK as u64)?;
        let skip = (from % CHUNK as u64) as usize;
        chunk.drain(..skip.min(chunk.len()));
        chunk.truncate(most);
        Ok(chunk)
    }

    /// From front to end.
    pub(super) fn reader(self) -> impl Read + Send {
        MadeReader { made: self, at: 0 }
    }

    fn chunks(&self) -> u64 {
        self.len.div_ceil(CHUNK as u64).max(1)
    }

    fn chunk(&self, number: u64) -> io::Result<Vec<u8>> {
        let Some(cipher) = &self.cipher else { return Ok(Vec::new()) };
        let last = number + 1 >= self.chunks();
        let size = if last { (self.len - number * CHUNK as u64) as usize } else { CHUNK };
        let mut octets = vec![0; size + TAG];
        self.file.read_exact_at(&mut octets, HEAD as u64 + number * (CHUNK + TAG) as u64)?;
        let opened = cipher.open_in_place(nonce(number, last), Aad::empty(), &mut octets);
        let len =
            opened.map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a chunk was changed"))?.len();
        octets.truncate(len);
        Ok(octets)
    }
}

struct MadeReader {
    made: MadeAudio,
    at: u64,
}

impl Read for MadeReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let octets = self.made.read_at(self.at, out.len())?;
        out[..octets.len()].copy_from_slice(&octets);
        self.at += octets.len() as u64;
        Ok(octets.len())
    }
}

fn nonce(number: u64, last: bool) -> Nonce {
    let mut octets = [0; NONCE_LEN];
    octets[0] = u8::from(last);
    octets[NONCE_LEN - 8..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(octets)
}

fn broken(error: KeyError) -> io::Error {
    io::Error::other(error)
}

const MAGIC: [u8; 4] = *b"PBX\x01";
/// Magic and salt.
const HEAD: usize = 4 + 28;
const CHUNK: usize = 65_536;
const TAG: usize = 16;
const PURPOSE: &[u8] = b"patchbay recording output";
