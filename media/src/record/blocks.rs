//! Encrypted blocks of a container (version 2): what the writer flushes at a time is one block, with its own tag and link of
//! the hash chain, which runs over what is on the disk and can be checked without any key.
//!
//! Nonces count: block `n` has nonce `n`, under a key that only this container uses. A block that could not be written is
//! given up together with its number, for its octets may be on the disk.

use std::io::{self, Read};

use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};

use super::chain::Chain;
use super::keys::{KeyError, RecordingKey};
use super::reader::Tail;

/// Encrypts blocks.
pub(super) struct Sealer {
    cipher: LessSafeKey,
    number: u32,
    out: Vec<u8>,
}

impl Sealer {
    pub(super) fn new(key: &RecordingKey) -> Result<Self, KeyError> {
        Ok(Self { cipher: key.cipher(b"", PURPOSE)?, number: 0, out: Vec::with_capacity(8_192) })
    }

    /// Makes a block of records: what is to be written.
    pub(super) fn seal(&mut self, records: &[u8]) -> io::Result<&mut Vec<u8>> {
        let head = head(self.number, records.len() + TAG);
        let nonce = nonce(self.number);
        // Twelve hours are 540 000 blocks.
        self.number = self.number.checked_add(1).ok_or_else(|| io::Error::other("too many blocks"))?;
        self.out.clear();
        self.out.extend_from_slice(&head);
        self.out.extend_from_slice(records);
        let (_, body) = self.out.split_at_mut(HEAD);
        let tag = self.cipher.seal_in_place_separate_tag(nonce, Aad::from(head), body);
        let tag = tag.map_err(|_| io::Error::other(KeyError::Crypto))?;
        self.out.extend_from_slice(tag.as_ref());
        Ok(&mut self.out)
    }
}

/// Reads blocks, gives records.
pub(super) struct Blocks<R> {
    source: R,
    /// `None`: the chain is checked, nothing is decrypted.
    cipher: Option<LessSafeKey>,
    chain: Chain,
    tail: Tail,
    plain: Vec<u8>,
    at: usize,
    /// Octets read and not looked at.
    ahead: Vec<u8>,
    next: u32,
    dry: bool,
}

impl<R: Read> Blocks<R> {
    pub(super) fn new(source: R, key: Option<&RecordingKey>, chain: Chain) -> Result<Self, KeyError> {
        let cipher = key.map(|key| key.cipher(b"", PURPOSE)).transpose()?;
        let (plain, ahead) = (Vec::new(), Vec::new());
        Ok(Self { source, cipher, chain, tail: Tail::default(), plain, at: 0, ahead, next: 0, dry: false })
    }

    pub(super) fn tail(&self) -> Tail {
        Tail { link: self.chain.link, ..self.tail }
    }

    fn want(&mut self, len: usize) -> io::Result<bool> {
        while self.ahead.len() < len && !self.dry {
            let had = self.ahead.len();
            let n = (&mut self.source).take((len - had).max(4_096) as u64).read_to_end(&mut self.ahead)?;
            self.dry = n == 0;
        }
        Ok(self.ahead.len() >= len)
    }

    /// Decrypts the next whole block; false: there is none.
    fn block(&mut self) -> io::Result<bool> {
        let mut skipped = 0u64;
        loop {
            if !self.want(HEAD)? {
                self.tail.torn_octets += skipped + self.ahead.len() as u64;
                self.ahead.clear();
                return Ok(false);
            }
            let found = parse_head(&self.ahead[..HEAD]).filter(|(number, _)| *number >= self.next);
            let Some((number, len)) = found else {
                // No block begins here. Look one octet on; whatever is farther than a mebibyte is no container any more.
                self.ahead.remove(0);
                skipped += 1;
                if skipped > SEARCH_MAX {
                    self.tail.torn_octets += skipped;
                    self.dry = true;
                    self.ahead.clear();
                    return Ok(false);
                }
                continue;
            };
            let whole = HEAD + len + LINK;
            if !self.want(whole)? {
                self.tail.torn_octets += skipped + self.ahead.len() as u64;
                self.ahead.clear();
                return Ok(false);
            }
            self.tail.damaged_octets += std::mem::take(&mut skipped);
            self.next = number.saturating_add(1);
            self.chain.record(&self.ahead[..HEAD + len]);
            let mut link = [0; LINK];
            link.copy_from_slice(&self.ahead[HEAD + len..whole]);
            let fits = link == self.chain.seal();
            if fits {
                self.tail.good_seals += 1
            } else {
                self.tail.broken_seals += 1
            }
            self.chain.sealed(link);
            let mut block: Vec<u8> = self.ahead.drain(..whole).collect();
            let Some(cipher) = &self.cipher else { continue };
            let (head, body) = block[..HEAD + len].split_at_mut(HEAD);
            match cipher.open_in_place(nonce(number), Aad::from(&*head), body) {
                Ok(records) => {
                    self.plain.clear();
                    self.plain.extend_from_slice(records);
                    self.at = 0;
                    return Ok(true);
                }
                // The link may have been repaired; the tag cannot be.
                Err(_) => {
                    self.tail.damaged_octets += whole as u64;
                    if fits {
                        self.tail.broken_seals += 1;
                    }
                }
            }
        }
    }
}

impl<R: Read> Read for Blocks<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at == self.plain.len() {
            if !self.block()? {
                return Ok(0);
            }
        }
        let n = out.len().min(self.plain.len() - self.at);
        out[..n].copy_from_slice(&self.plain[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

fn head(number: u32, len: usize) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..4].copy_from_slice(&MAGIC);
    head[4..8].copy_from_slice(&number.to_le_bytes());
    head[8..12].copy_from_slice(&(len as u32).to_le_bytes());
    let crc = crc32fast::hash(&head[..12]);
    head[12..].copy_from_slice(&crc.to_le_bytes());
    head
}

fn parse_head(octets: &[u8]) -> Option<(u32, usize)> {
    let (magic, rest) = octets.split_first_chunk::<4>()?;
    let (number, rest) = rest.split_first_chunk()?;
    let (len, crc) = rest.split_first_chunk()?;
    let (number, len) = (u32::from_le_bytes(*number), u32::from_le_bytes(*len) as usize);
    let fits = *magic == MAGIC && crc == crc32fast::hash(&octets[..12]).to_le_bytes();
    (fits && (TAG..=BLOCK_MAX).contains(&len)).then_some((number, len))
}

fn nonce(number: u32) -> Nonce {
    let mut octets = [0; NONCE_LEN];
    octets[NONCE_LEN - 4..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(octets)
}

const MAGIC: [u8; 4] = *b"PBB\x02";
/// Magic, number, length of what follows without the link, checksum of these.
const HEAD: usize = 16;
const TAG: usize = 16;
const LINK: usize = 32;
const PURPOSE: &[u8] = b"patchbay recording container";
/// No writer makes a larger one: two seconds of a full ring.
const BLOCK_MAX: usize = 16 << 20;
/// How far a whole block is looked for behind a damaged part.
const SEARCH_MAX: u64 = 1 << 20;
