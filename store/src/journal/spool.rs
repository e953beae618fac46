//! The local file that keeps events while the database is away.
//!
//! One line an entry: the first 16 hex digits of the SHA-256 of its JSON, a space, the JSON. A crash can tear the last
//! line; reading stops at the first line whose digest does not fit, and what was acknowledged stands before it,
//! because it was flushed. The file is emptied once all of it is in the database.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use model::journal::Entry;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::ledger::Line;

/// The spool file. Its methods block: they are called from a blocking thread.
pub(super) struct Spool {
    path: PathBuf,
    file: Option<File>,
    /// Bytes that are whole and flushed.
    bytes: u64,
    bytes_max: u64,
}

impl Spool {
    pub fn new(path: PathBuf, bytes_max: u64) -> Self {
        Self { path, file: None, bytes: 0, bytes_max }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What a former run left, in order.
    pub fn read(&self) -> std::io::Result<Vec<Line>> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
            Err(error) => return Err(error),
        };
        let mut lines = Vec::new();
        for text in BufReader::new(file).split(b'\n') {
            match parse(&text?) {
                Some(line) => lines.push(line),
                None => {
                    tracing::warn!(path = %self.path.display(), whole = lines.len(), "the spool file ends in a torn line");
                    break;
                }
            }
        }
        Ok(lines)
    }

    /// Adds lines and flushes them to the disk. After an error nothing of them counts.
    pub fn append(&mut self, lines: &[Line]) -> std::io::Result<()> {
        let mut text = Vec::new();
        for line in lines {
            let json = serde_json::to_string(&Kept {
                entry: &*line.entry,
                text: line.text.as_deref().map(str::to_owned),
            })?;
            writeln!(text, "{} {json}", digest(json.as_bytes()))?;
        }
        if self.bytes + text.len() as u64 > self.bytes_max {
            return Err(std::io::Error::other("the spool file has reached its limit"));
        }
        let bytes = self.bytes;
        let file = self.open()?;
        let written = file.write_all(&text).and_then(|()| file.sync_data());
        if let Err(error) = written {
            // Half a line must not stand before the next one. If this fails too, the reader stops there; but then
            // nothing after it was acknowledged either, since the file is closed until it can be cut.
            if file.set_len(bytes).is_err() {
                self.file = None;
            }
            return Err(error);
        }
        self.bytes += text.len() as u64;
        Ok(())
    }

    /// All of it is in the database.
    pub fn clear(&mut self) -> std::io::Result<()> {
        let file = self.open()?;
        file.set_len(0)?;
        file.sync_data()?;
        self.bytes = 0;
        Ok(())
    }

    /// Keeps a file that contradicts the database for a person to look at.
    pub fn set_aside(&mut self) -> std::io::Result<PathBuf> {
        self.file = None;
        self.bytes = 0;
        for n in 1.. {
            let aside = self.path.with_extension(format!("conflict-{n}"));
            if !aside.exists() {
                std::fs::rename(&self.path, &aside)?;
                sync_folder(&self.path)?;
                return Ok(aside);
            }
        }
        Err(std::io::Error::other("no name is left for the spool file"))
    }

    /// The file, opened for appending and cut to what is whole.
    fn open(&mut self) -> std::io::Result<&mut File> {
        let file = match self.file.take() {
            Some(file) => file,
            None => {
                let mut options = OpenOptions::new();
                options.append(true).create(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let file = options.open(&self.path)?;
                file.set_len(self.bytes)?;
                sync_folder(&self.path)?;
                file
            }
        };
        Ok(self.file.insert(file))
    }
}

/// A new name is durable only once its folder is.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn digest(json: &[u8]) -> String {
    hex::encode(&Sha256::digest(json)[..8])
}

fn parse(text: &[u8]) -> Option<Line> {
    let (sum, json) = text.split_at_checked(16)?;
    let json = json.strip_prefix(b" ")?;
    if digest(json).as_bytes() != sum {
        return None;
    }
    let Kept { entry, text } = serde_json::from_slice::<Kept<Entry>>(json).ok()?;
    let payload = serde_json::to_string(&entry.event).ok()?.into();
    Some(Line { entry: entry.into(), payload, text: text.map(Into::into) })
}

/// A line: the entry, and the text of a message beside it.
#[derive(Serialize, Deserialize)]
struct Kept<E> {
    #[serde(flatten)]
    entry: E,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::{AgentId, Id, TenantId};
    use model::journal::{Event, Seq};
    use model::time::Timestamp;

    fn line(seq: u64) -> Line {
        let event = Event::AgentLoggedOut { agent: AgentId::from_number(seq) };
        let payload = serde_json::to_string(&event).unwrap().into();
        let entry =
            Entry { seq: Seq(seq), tenant: TenantId::from_number(1), at: Timestamp::from_millis(seq), event };
        Line {
            entry: entry.into(),
            payload,
            text: seq.is_multiple_of(2).then(|| format!("hello {seq}").into()),
        }
    }

    fn seqs(spool: &Spool) -> Vec<u64> {
        spool.read().unwrap().iter().map(|line| line.entry.seq.0).collect()
    }

    #[test]
    fn a_torn_last_line_is_left_out_and_the_lines_before_it_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spool");
        let mut spool = Spool::new(path.clone(), 10_000);
        spool.append(&[line(1), line(2), line(3)]).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let third = whole.len() - 40;
        for cut in third..whole.len() - 1 {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert_eq!(seqs(&spool), [1, 2], "cut at byte {cut}");
        }
        let mut flipped = whole.clone();
        flipped[30] ^= 1;
        std::fs::write(&path, &flipped).unwrap();
        assert_eq!(seqs(&spool), [] as [u64; 0], "a changed byte is noticed");
    }

    #[test]
    fn the_text_of_a_message_is_kept_beside_its_entry() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(folder.path().join("spool"), 10_000);
        spool.append(&[line(1), line(2)]).unwrap();
        let read = spool.read().unwrap();
        assert_eq!(read.iter().map(|line| line.text.as_deref()).collect::<Vec<_>>(), [None, Some("hello 2")]);
        assert_eq!(read[1].entry, line(2).entry);
    }

    /// Whatever single octet is changed, lost or put in: what is read is what was written, as far as it is whole.
    #[test]
    fn a_damaged_spool_gives_what_was_written_before_the_damage_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spool");
        let mut spool = Spool::new(path.clone(), 10_000);
        spool.append(&[line(1), line(2), line(3)]).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let line_hit = whole[..at].iter().filter(|octet| **octet == b'\n').count() as u64 + 1;
            let [mut changed, mut lost, mut more] = [whole.clone(), whole.clone(), whole.clone()];
            changed[at] ^= 1 << (at % 8);
            lost.remove(at);
            more.insert(at, [b'\n', b' ', b'}', 0, 0xFF][at % 5]);
            for damaged in [changed, lost, more] {
                std::fs::write(&path, &damaged).unwrap();
                let read = seqs(&spool);
                assert!(read.iter().copied().eq(1..=read.len() as u64), "at octet {at}: {read:?}");
                assert!(read.len() as u64 + 1 >= line_hit, "at octet {at} what was before is lost: {read:?}");
            }
        }
    }

    #[test]
    fn a_full_spool_refuses_and_an_emptied_one_takes_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(folder.path().join("spool"), 400);
        spool.append(&[line(1)]).unwrap();
        assert!(spool.append(&[line(2), line(3)]).is_err());
        assert_eq!(seqs(&spool), [1]);
        spool.clear().unwrap();
        spool.append(&[line(2)]).unwrap();
        assert_eq!(seqs(&spool), [2]);
    }
}
