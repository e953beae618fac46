//! Keys: one a recording, wrapped by the tenant's (RECO-05).
//!
//! The tenant's key lives in a file of its own (or a systemd credential), never beside the recordings and never in the
//! database. Each recording has a random key; wrapped with AES-256-GCM it lies beside the container as `ID.key`. Destroying
//! that small file makes container and outputs unreadable for ever, wherever copies of them are. From a recording's key two
//! kinds of keys are derived (HKDF-SHA-256): one for the container, and one for each output file, by that file's own salt.
//! So nonces may simply count.
//!
//! Changing the tenant's key: the new one becomes the first line of its file, [`Vault::rewrap`] wraps every recording's key
//! anew, then the old line goes. A running appliance sees changes of the file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};

/// File name extension of a recording's wrapped key.
pub const EXTENSION_KEY: &str = "key";

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file of the tenant's key cannot be read or written.
    #[error("the key file {file}: {source}")]
    File {
        /// Which.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It holds no key.
    #[error("{0} holds no key: one line of 64 hexadecimal digits a key, the newest first")]
    NoKey(PathBuf),
    /// The recording's key was destroyed, or never was.
    #[error("the recording's key {0} is gone: it was erased, or its file is missing")]
    Gone(PathBuf),
    /// The recording's key was wrapped with a tenant's key that is not in the key file, or is damaged.
    #[error("{0} cannot be unwrapped: its tenant key is not in the key file, or it is damaged")]
    Unwrap(PathBuf),
    /// The system gave no randomness, or a cipher refused.
    #[error("the cryptographic library failed")]
    Crypto,
}

/// A recording's key.
#[derive(Clone)]
pub struct RecordingKey([u8; KEY]);

impl std::fmt::Debug for RecordingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecordingKey(hidden)")
    }
}

impl RecordingKey {
    /// A fresh one.
    pub fn random() -> Result<Self, KeyError> {
        let mut key = [0; KEY];
        SystemRandom::new().fill(&mut key).map_err(|_| KeyError::Crypto)?;
        Ok(Self(key))
    }

    /// The cipher for one purpose.
    pub(super) fn cipher(&self, salt: &[u8], purpose: &[u8]) -> Result<LessSafeKey, KeyError> {
        let mut key = [0; KEY];
        let prk = Salt::new(HKDF_SHA256, salt).extract(&self.0);
        prk.expand(&[purpose], Length).and_then(|okm| okm.fill(&mut key)).map_err(|_| KeyError::Crypto)?;
        aes(&key)
    }
}

struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        KEY
    }
}

/// A tenant's key, and how its recordings' keys name it.
#[derive(Clone)]
struct TenantKey {
    name: [u8; NAME],
    key: [u8; KEY],
}

/// Where recordings' keys are made, found and destroyed.
#[derive(Clone)]
pub struct Vault {
    file: PathBuf,
    /// As the file was when it was last read.
    read: Arc<Mutex<(Option<SystemTime>, Vec<TenantKey>)>>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vault({})", self.file.display())
    }
}

impl Vault {
    /// Over a key file that exists.
    pub fn open(file: &Path) -> Result<Self, KeyError> {
        let vault = Self { file: file.to_path_buf(), read: Arc::default() };
        vault.keys()?;
        Ok(vault)
    }

    /// Makes the key file with one random key, for its owner alone; it must not exist.
    pub fn create(file: &Path) -> Result<Self, KeyError> {
        let error = |source| KeyError::File { file: file.to_path_buf(), source };
        let mut made =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(error)?;
        let text = format!("{}\n", hex(&RecordingKey::random()?.0));
        made.write_all(text.as_bytes()).and_then(|()| made.sync_all()).map_err(error)?;
        Self::open(file)
    }

    /// A new recording's key, wrapped and on the disk before anything is written with it.
    pub fn make(&self, container: &Path) -> Result<RecordingKey, KeyError> {
        let key = RecordingKey::random()?;
        self.keep(container, std::slice::from_ref(&key))?;
        Ok(key)
    }

    /// The keys of a recording, the current one first. More than one: part of it is just being erased.
    pub fn of(&self, container: &Path) -> Result<Vec<RecordingKey>, KeyError> {
        let file = key_file(container);
        let octets = match fs::read(&file) {
            Ok(octets) => octets,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(KeyError::Gone(file)),
            Err(source) => return Err(KeyError::File { file, source }),
        };
        let unwrap = || KeyError::Unwrap(file.clone());
        let (magic, wrapped) = octets.split_first_chunk().ok_or_else(unwrap)?;
        if *magic != MAGIC || wrapped.is_empty() || !wrapped.len().is_multiple_of(WRAPPED) {
            return Err(unwrap());
        }
        let tenant = self.keys()?;
        wrapped.chunks_exact(WRAPPED).map(|one| open(&tenant, container, one).ok_or_else(unwrap)).collect()
    }

    /// Keeps these keys as the recording's, whole or not at all.
    pub(super) fn keep(&self, container: &Path, keys: &[RecordingKey]) -> Result<(), KeyError> {
        let tenant = self.keys()?;
        let first = tenant.first().ok_or_else(|| KeyError::NoKey(self.file.clone()))?;
        let mut octets = Vec::from(MAGIC);
        for key in keys {
            wrap(first, container, key, &mut octets)?;
        }
        let file = key_file(container);
        write_whole(&file, &octets).map_err(|source| KeyError::File { file, source })
    }

    /// Destroys a recording's key: what was written with it can never be read again. False: there was none.
    pub fn destroy(&self, container: &Path) -> Result<bool, KeyError> {
        let file = key_file(container);
        let destroyed = (|| {
            let mut open = OpenOptions::new().write(true).open(&file)?;
            let len = open.metadata()?.len();
            // Some file systems write elsewhere; those keep the old octets until the block is used again.
            open.write_all(&vec![0; len as usize])?;
            open.sync_all()?;
            fs::remove_file(&file)?;
            sync_folder(&file)
        })();
        match destroyed {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(KeyError::File { file, source }),
        }
    }

    /// Puts a new key in front: recordings that begin from now on are wrapped with it.
    pub fn renew(&self) -> Result<(), KeyError> {
        let mut keys = vec![RecordingKey::random()?.0];
        keys.extend(self.keys()?.iter().map(|key| key.key));
        self.write(&keys)
    }

    /// Wraps every recording's key in a folder with the newest of the tenant's keys. Tells how many there are.
    pub fn rewrap(&self, folder: &Path) -> Result<usize, KeyError> {
        let error = |source| KeyError::File { file: folder.to_path_buf(), source };
        let mut count = 0;
        for entry in fs::read_dir(folder).map_err(error)? {
            let path = entry.map_err(error)?.path();
            // The tenant's own file may lie here too; it is none of them.
            let is_wrapped = || fs::read(&path).is_ok_and(|octets| octets.starts_with(&MAGIC));
            if path.extension().is_some_and(|e| e == EXTENSION_KEY) && is_wrapped() {
                let keys = self.of(&path)?;
                self.keep(&path, &keys)?;
                count += 1;
            }
        }
        Ok(count)
    }

    /// Forgets all of the tenant's keys but the newest: copies of old wrapped keys become useless.
    pub fn forget_old(&self) -> Result<(), KeyError> {
        let newest = self.keys()?.first().map(|key| key.key);
        self.write(&newest.into_iter().collect::<Vec<_>>())
    }

    fn write(&self, keys: &[[u8; KEY]]) -> Result<(), KeyError> {
        let text: String = keys.iter().map(|key| hex(key) + "\n").collect();
        let error = |source| KeyError::File { file: self.file.clone(), source };
        write_whole(&self.file, text.as_bytes()).map_err(error)?;
        self.read.lock().unwrap_or_else(PoisonError::into_inner).0 = None;
        Ok(())
    }

    /// The tenant's keys, read again when the file changed.
    fn keys(&self) -> Result<Vec<TenantKey>, KeyError> {
        let error = |source| KeyError::File { file: self.file.clone(), source };
        let changed = fs::metadata(&self.file).and_then(|m| m.modified()).map_err(error)?;
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.0 != Some(changed) {
            let text = fs::read_to_string(&self.file).map_err(error)?;
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
            let keys: Option<Vec<_>> = lines.map(|line| unhex(line).map(TenantKey::new)).collect();
            let keys =
                keys.filter(|keys| !keys.is_empty()).ok_or_else(|| KeyError::NoKey(self.file.clone()))?;
            *read = (Some(changed), keys);
        }
        Ok(read.1.clone())
    }
}

impl TenantKey {
    fn new(key: [u8; KEY]) -> Self {
        let mut name = [0; NAME];
        name.copy_from_slice(
            &Sha256::new().chain_update(b"patchbay tenant key").chain_update(key).finalize()[..NAME],
        );
        Self { name, key }
    }
}

fn wrap(with: &TenantKey, container: &Path, key: &RecordingKey, out: &mut Vec<u8>) -> Result<(), KeyError> {
    let mut nonce = [0; NONCE_LEN];
    SystemRandom::new().fill(&mut nonce).map_err(|_| KeyError::Crypto)?;
    let mut sealed = key.0.to_vec();
    aes(&with.key)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), bound_to(container), &mut sealed)
        .map_err(|_| KeyError::Crypto)?;
    out.extend_from_slice(&with.name);
    out.extend_from_slice(&nonce);
    out.extend_from_slice(&sealed);
    Ok(())
}

fn open(tenant: &[TenantKey], container: &Path, wrapped: &[u8]) -> Option<RecordingKey> {
    let (name, rest) = wrapped.split_first_chunk::<NAME>()?;
    let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
    let with = tenant.iter().find(|key| key.name == *name)?;
    let mut sealed = sealed.to_vec();
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let key = aes(&with.key).ok()?.open_in_place(nonce, bound_to(container), &mut sealed).ok()?;
    Some(RecordingKey(key.try_into().ok()?))
}

/// A wrapped key is good for its recording only.
fn bound_to(container: &Path) -> Aad<Vec<u8>> {
    Aad::from(container.file_stem().unwrap_or_default().as_encoded_bytes().to_vec())
}

fn aes(key: &[u8; KEY]) -> Result<LessSafeKey, KeyError> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| KeyError::Crypto)
}

/// Beside the container, of whatever extension that is.
fn key_file(container: &Path) -> PathBuf {
    container.with_extension(EXTENSION_KEY)
}

pub(super) fn write_whole(file: &Path, octets: &[u8]) -> io::Result<()> {
    let part = super::finish::part_of(file);
    let before = OpenOptions::new().write(true).open(file);
    let mut made = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
    made.write_all(octets)?;
    made.sync_all()?;
    fs::rename(&part, file)?;
    sync_folder(file)?;
    // What was wrapped before must not be found on the disk: it may be a key that was to be destroyed.
    match before {
        Ok(mut before) => {
            let len = before.metadata()?.len();
            before.write_all(&vec![0; len as usize])?;
            before.sync_all()
        }
        Err(_) => Ok(()),
    }
}

pub(super) fn sync_folder(of: &Path) -> io::Result<()> {
    let folder = of.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; KEY]> {
    let mut key = [0; KEY];
    if text.len() != KEY * 2 || !text.is_ascii() {
        return None;
    }
    for (octet, at) in key.iter_mut().zip((0..).step_by(2)) {
        *octet = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(key)
}

/// `PBK`, version 1.
const MAGIC: [u8; 4] = *b"PBK\x01";
const KEY: usize = 32;
const NAME: usize = 8;
/// Which tenant's key, nonce, key, tag.
const WRAPPED: usize = NAME + NONCE_LEN + KEY + 16;
