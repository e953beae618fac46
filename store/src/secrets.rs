//! Passwords and SIP digests, kept apart from the users and trunks they belong to.
//!
//! A password is stored as an Argon2id PHC string made elsewhere. SIP digest (RFC 8760, RFC 7616 §3.4.2) needs the
//! hash of `user:realm:password` itself, which cannot be salted; so only that hash is kept, once with MD5 for old
//! phones and once with SHA-256, never the password. Nothing here prints a secret.

use std::fmt;

use async_trait::async_trait;
use md5::{Digest, Md5};
use model::id::{TenantId, TrunkId, UserId};
use model::time::Timestamp;
use sha2::Sha256;

use crate::error::{StoreError, WriteError};

/// A password as an Argon2id PHC string (`$argon2id$v=19$…`).
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes a PHC string. `None` unless it is of the Argon2id kind, so that a plain password never gets in here.
    pub fn from_phc(phc: impl Into<String>) -> Option<Self> {
        let phc = phc.into();
        phc.starts_with("$argon2id$").then_some(Self(phc))
    }
    /// The PHC string, to be verified against.
    pub fn as_phc(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// What is needed to check a SIP digest: the two HA1 values of a user name in a realm.
#[derive(Clone, PartialEq, Eq)]
pub struct DigestSecret {
    /// Digest user name.
    pub username: String,
    /// Digest realm.
    pub realm: String,
    ha1_md5: String,
    ha1_sha256: String,
}

impl DigestSecret {
    /// HA1 of a password, which is not kept (RFC 7616 §3.4.2).
    pub fn derive(username: &str, realm: &str, password: &str) -> Self {
        let a1 = format!("{username}:{realm}:{password}");
        Self {
            username: username.into(),
            realm: realm.into(),
            ha1_md5: hex::encode(Md5::digest(a1.as_bytes())),
            ha1_sha256: hex::encode(Sha256::digest(a1.as_bytes())),
        }
    }
    pub(crate) fn stored(username: String, realm: String, ha1_md5: String, ha1_sha256: String) -> Self {
        Self { username, realm, ha1_md5, ha1_sha256 }
    }
    /// HA1 for `algorithm=MD5`, 32 lower-case hex digits.
    pub fn ha1_md5(&self) -> &str {
        &self.ha1_md5
    }
    /// HA1 for `algorithm=SHA-256`, 64 lower-case hex digits.
    pub fn ha1_sha256(&self) -> &str {
        &self.ha1_sha256
    }
}

impl fmt::Debug for DigestSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigestSecret")
            .field("username", &self.username)
            .field("realm", &self.realm)
            .finish_non_exhaustive()
    }
}

/// Whom a digest user name belongs to, and how to check it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known<T> {
    /// The user or trunk.
    pub owner: T,
    /// Its tenant.
    pub tenant: TenantId,
    /// The digest to check against.
    pub secret: DigestSecret,
}

/// Secrets of users and trunks. Setting one replaces it; deleting the owner deletes it.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// The user's password hash and when it was set; `None`: cannot sign in by password.
    async fn password(&self, user: UserId) -> Result<Option<(PasswordHash, Timestamp)>, StoreError>;
    /// Sets the user's password hash.
    async fn set_password(&self, user: UserId, hash: &PasswordHash, now: Timestamp)
    -> Result<(), WriteError>;
    /// Finds the SIP phone that says it is `username`.
    async fn phone_secret(&self, realm: &str, username: &str) -> Result<Option<Known<UserId>>, StoreError>;
    /// Sets the digest of a user's SIP phone; `None` removes it. User names are unique in a realm.
    async fn set_phone_secret(&self, user: UserId, secret: Option<&DigestSecret>) -> Result<(), WriteError>;
    /// Finds the trunk that says it is `username`.
    async fn trunk_secret(&self, realm: &str, username: &str) -> Result<Option<Known<TrunkId>>, StoreError>;
    /// Sets a trunk's digest; `None` removes it. User names are unique in a realm.
    async fn set_trunk_secret(&self, trunk: TrunkId, secret: Option<&DigestSecret>)
    -> Result<(), WriteError>;
    /// The password with which we sign in at a trunk, in clear: its realm is the carrier's to choose.
    async fn trunk_password(&self, trunk: TrunkId) -> Result<Option<String>, StoreError>;
    /// Sets it; `None` removes it.
    async fn set_trunk_password(&self, trunk: TrunkId, password: Option<&str>) -> Result<(), WriteError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of RFC 7616 §3.9.1: user Mufasa, realm http-auth@example.org, password Circle of Life.
    #[test]
    fn the_two_ha1_values_are_those_of_the_rfc() {
        let secret = DigestSecret::derive("Mufasa", "http-auth@example.org", "Circle of Life");
        assert_eq!(secret.ha1_md5(), "3d78807defe7de2157e2b0b6573a855f");
        assert_eq!(secret.ha1_sha256(), "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232");
    }

    #[test]
    fn no_secret_is_printed_and_no_plain_password_is_taken_for_a_hash() {
        let secret = DigestSecret::derive("12", "r", "hunter2");
        let shown = format!("{secret:?}");
        assert!(!shown.contains(secret.ha1_md5()) && !shown.contains(secret.ha1_sha256()), "{shown}");
        assert_eq!(PasswordHash::from_phc("hunter2"), None);
        let hash = PasswordHash::from_phc("$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA").unwrap();
        assert!(!format!("{hash:?}").contains("aGFzaA"));
    }
}
