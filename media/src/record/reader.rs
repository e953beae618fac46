//! Reading a container from front to end in bounded memory, whatever its octets are.

use std::io::Read;

use super::blocks::Blocks;
use super::chain::Chain;
use super::format::{BODY_MAX, Entry, HEAD_LEN, Head, Parsed, RECORD_HEAD, ReadError, parse};
use super::keys::RecordingKey;

/// How a container ended, and what was wrong with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// Octets after the last whole record: what a crash tore.
    pub torn_octets: u64,
    /// Octets between whole records that are no records.
    pub damaged_octets: u64,
    /// Seals that do not fit what lies before them: something was changed or taken out.
    pub broken_seals: u64,
    /// Seals that fit.
    pub good_seals: u64,
    /// Whole records after the last seal.
    pub unsealed_records: u64,
    /// The last seal, to be kept elsewhere: a container that was rewritten as a whole ends in another one.
    pub link: [u8; 32],
}

/// Reads records one by one.
pub struct Reader<R> {
    source: Source<R>,
    head: Head,
    chain: Chain,
    /// Octets read and not yet parsed: `at..end` of it.
    buffer: Box<[u8]>,
    at: usize,
    end: usize,
    /// The source has no more.
    dry: bool,
    /// Octets skipped since the last whole record.
    skipped: u64,
    tail: Tail,
}

enum Source<R> {
    Plain(R),
    Sealed(Box<Blocks<R>>),
}

impl<R: Read> Source<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(source) => source.read(out),
            Self::Sealed(blocks) => blocks.read(out),
        }
    }
}

impl<R: Read> Reader<R> {
    /// Reads the header of a container in the clear.
    pub fn new(source: R) -> Result<Self, ReadError> {
        match Self::open(source, None)? {
            Self { source: Source::Sealed(_), .. } => Err(ReadError::NoKey),
            reader => Ok(reader),
        }
    }

    /// Reads the header. Without a key an encrypted container gives no records, but its chain is checked.
    pub fn open(mut source: R, key: Option<&RecordingKey>) -> Result<Self, ReadError> {
        let mut octets = [0; HEAD_LEN];
        source.read_exact(&mut octets).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => ReadError::NoHead,
            _ => ReadError::Io(error),
        })?;
        let (head, sealed) = Head::decode(&octets)?;
        let chain = Chain::begin(&octets);
        let source = match sealed {
            false => Source::Plain(source),
            true => {
                let blocks = Blocks::new(source, key, chain.clone());
                Source::Sealed(Box::new(blocks.map_err(|error| ReadError::Io(std::io::Error::other(error)))?))
            }
        };
        Ok(Self {
            source,
            head,
            chain,
            buffer: vec![0; BUFFER].into_boxed_slice(),
            at: 0,
            end: 0,
            dry: false,
            skipped: 0,
            tail: Tail::default(),
        })
    }

    /// What the container says about itself.
    pub fn head(&self) -> Head {
        self.head
    }

    /// How it ended; complete once [`Self::next_entry`] has given `None`.
    pub fn tail(&self) -> Tail {
        match &self.source {
            Source::Plain(_) => Tail { link: self.chain.link, ..self.tail },
            Source::Sealed(blocks) => {
                let of = blocks.tail();
                Tail {
                    damaged_octets: of.damaged_octets + self.tail.damaged_octets + self.tail.torn_octets,
                    ..of
                }
            }
        }
    }

    /// Whether its records are encrypted.
    pub fn is_sealed(&self) -> bool {
        matches!(self.source, Source::Sealed(_))
    }

    /// The next whole record. A torn or damaged part is skipped and counted; only the system can fail.
    pub fn next_entry(&mut self) -> std::io::Result<Option<Entry<'_>>> {
        let len = loop {
            if self.end - self.at < RECORD_HEAD + BODY_MAX && !self.dry {
                self.fill()?;
            }
            match parse(&self.buffer[self.at..self.end]) {
                Parsed::Entry(_, len) => break len,
                Parsed::Short if self.at == self.end => {
                    self.tail.torn_octets += std::mem::take(&mut self.skipped);
                    return Ok(None);
                }
                // No record begins here, or the length it claims leads beyond the end: look one octet on.
                Parsed::Short | Parsed::Damaged => {
                    self.at += 1;
                    self.skipped += 1;
                    if self.skipped > SEARCH_MAX {
                        // Whatever follows, this is no container any more.
                        self.at = self.end;
                        self.dry = true;
                    }
                }
            }
        };
        self.tail.damaged_octets += std::mem::take(&mut self.skipped);
        let octets = &self.buffer[self.at..self.at + len];
        self.at += len;
        let Parsed::Entry(entry, _) = parse(octets) else { return Ok(None) };
        if let Entry::Seal { records, hash } = entry {
            if hash == self.chain.seal() && records == self.chain.records {
                self.tail.good_seals += 1;
            } else {
                self.tail.broken_seals += 1;
                self.chain.records = records;
            }
            self.chain.sealed(hash);
            self.tail.unsealed_records = 0;
        } else if matches!(self.source, Source::Plain(_)) {
            self.chain.record(octets);
            self.tail.unsealed_records += 1;
        }
        Ok(Some(entry))
    }

    fn fill(&mut self) -> std::io::Result<()> {
        self.buffer.copy_within(self.at..self.end, 0);
        self.end -= self.at;
        self.at = 0;
        while self.end < self.buffer.len() {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.dry = true;
                    break;
                }
                Ok(n) => self.end += n,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

const BUFFER: usize = 65_536;
/// How far a whole record is looked for behind a damaged part.
const SEARCH_MAX: u64 = 1 << 20;
