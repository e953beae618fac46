//! Passwords: Argon2id in a bounded number of threads.
//!
//! A hash costs tens of milliseconds and 19 MiB, so at most [`HASHES_AT_ONCE`] run at a time, away from the threads that
//! carry calls. Checking a name nobody has costs the same as checking a real one, so names cannot be told by time.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::clock::Entropy;

/// Hashes computed at the same time: an attacker may keep these busy, not the machine.
const HASHES_AT_ONCE: usize = 2;

/// Shortest password that is taken (NIST SP 800-63B asks for at least 8).
pub const PASSWORD_MIN: usize = 10;
/// Longest password that is taken: hashing costs grow with it.
pub const PASSWORD_MAX: usize = 256;

/// How hard a guess is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Cost {
    /// 19 MiB and two passes: the OWASP minimum for Argon2id.
    pub const STRONG: Self = Self { memory_kib: 19_456, passes: 2 };
    /// For tests, which make many users and protect none.
    pub const TEST: Self = Self { memory_kib: 8, passes: 1 };
}

/// Why a password could not be hashed or checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The hashing thread died.
    #[error("password hashing stopped")]
    Stopped,
    /// The parameters or the salt were refused.
    #[error("password hashing failed: {0}")]
    Failed(String),
}

/// Hashes and checks passwords.
#[derive(Clone)]
pub struct Passwords {
    permits: Arc<Semaphore>,
    cost: Cost,
    entropy: Arc<dyn Entropy>,
    /// A hash of nothing anybody knows, checked when there is no user.
    decoy: Arc<str>,
}

impl Passwords {
    /// With this cost for new hashes. Old hashes carry their own.
    pub fn new(cost: Cost, entropy: Arc<dyn Entropy>) -> Result<Self, PasswordError> {
        let (mut nobody, mut salt) = ([0; 32], [0; 16]);
        entropy.fill(&mut nobody);
        entropy.fill(&mut salt);
        let decoy = hash_with(cost, &nobody, &salt)?.into();
        Ok(Self { permits: Arc::new(Semaphore::new(HASHES_AT_ONCE)), cost, entropy, decoy })
    }

    /// A PHC string to store.
    pub async fn hash(&self, password: &str) -> Result<String, PasswordError> {
        let mut salt = [0; 16];
        self.entropy.fill(&mut salt);
        let (cost, password) = (self.cost, password.to_owned());
        self.run(move || hash_with(cost, password.as_bytes(), &salt)).await?
    }

    /// Whether `password` is the one behind `hash`. Without a hash the answer is no, and takes as long.
    pub async fn verify(&self, password: &str, hash: Option<String>) -> Result<bool, PasswordError> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.decoy.to_string());
        let password = password.to_owned();
        let matches = self
            .run(move || {
                PasswordHash::new(&hash)
                    .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
            })
            .await?;
        Ok(known && matches)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _permit = self.permits.acquire().await.map_err(|_| PasswordError::Stopped)?;
        tokio::task::spawn_blocking(work).await.map_err(|_| PasswordError::Stopped)
    }
}

fn hash_with(cost: Cost, password: &[u8], salt: &[u8]) -> Result<String, PasswordError> {
    let params = Params::new(cost.memory_kib, cost.passes, 1, None)
        .map_err(|error| PasswordError::Failed(error.to_string()))?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_with_salt(password, salt)
        .map(|hash| hash.to_string())
        .map_err(|error| PasswordError::Failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passwords() -> Passwords {
        Passwords::new(Cost::TEST, Arc::new(|bytes: &mut [u8]| bytes.fill(7))).unwrap()
    }

    /// SAFE-04: passwords are kept as Argon2id hashes, never as they are.
    #[tokio::test]
    async fn a_password_is_stored_as_an_argon2id_hash_and_only_it_matches() {
        let passwords = passwords();
        let hash = passwords.hash("correct horse battery").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$"), "{hash}");
        assert!(!hash.contains("horse"));
        assert!(passwords.verify("correct horse battery", Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("Correct horse battery", Some(hash)).await.unwrap());
    }

    #[tokio::test]
    async fn nobody_signs_in_without_a_hash_whatever_is_typed() {
        let passwords = passwords();
        assert!(!passwords.verify("", None).await.unwrap());
        assert!(!passwords.verify("anything at all", None).await.unwrap());
        assert!(!passwords.verify("anything at all", Some("not a hash".into())).await.unwrap());
    }
}
