//! Who is calling, and who we are: digest access authentication as the server does it, and as the client (RFC 7616, in SIP by RFC 3261 §22 and RFC 8760).
//!
//! MD5 and SHA-256 with `qop=auth`. Passwords are not here: a caller brings the [`Secrets`] of a user, which are
//! hashes bound to a realm. Nonces prove themselves by a MAC, so challenging a flood costs no memory; only a nonce that
//! somebody answered correctly is remembered, to see each of its counts once ([`nonce`]). Unknown users, wrong
//! passwords and users who may not come get one and the same answer. Failures slow their source and, for strangers,
//! their account down ([`backoff`]).
//!
//! As a client we answer the challenges of carriers ([`client`]), SHA-512-256 included; only on requests to the trunk that the
//! account belongs to.

mod authorization;
mod backoff;
mod client;
mod nonce;
mod server;

pub use authorization::{Authorization, BadAuthorization};
pub use backoff::{ACCOUNTS_MAX, Backoff, FAILURES_MAX, PAUSE_FIRST, PAUSE_MAX, SOURCES_MAX, WINDOW};
pub use client::{SignIn, SignInError, TURNS_MAX, Turns, challenges_in};
pub use nonce::{LIFE, NONCES_MAX};
pub use server::{Attempt, DigestServer, Verdict};

use md5::Md5;
use sha2::{Sha256, Sha512_256};

/// The hash of a digest (RFC 7616 §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Broken as a hash, but what most phones speak; it hides a good password still.
    Md5,
    /// What a phone uses that can (RFC 8760).
    Sha256,
    /// What some carriers ask for; we ask nobody for it.
    Sha512_256,
}

impl Algorithm {
    /// As it stands in headers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
            Self::Sha512_256 => "SHA-512-256",
        }
    }
    /// The one of this name, in either case.
    fn named(name: &str) -> Option<Self> {
        let all = [Self::Md5, Self::Sha256, Self::Sha512_256];
        all.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }
    /// The hash in lower-case hex, as all of RFC 7616 counts with it.
    pub fn hex(self, parts: &[&str]) -> String {
        match self {
            Self::Md5 => hash::<Md5>(parts),
            Self::Sha256 => hash::<Sha256>(parts),
            Self::Sha512_256 => hash::<Sha512_256>(parts),
        }
    }
}

fn hash<H: sha2::Digest>(parts: &[&str]) -> String {
    hex::encode(parts.iter().fold(H::new(), |hash, part| hash.chain_update(part)).finalize())
}

/// What a user's password is kept as: `H(user:realm:password)` for each algorithm, in lower-case hex.
///
/// As good as the password for this realm, so it is guarded like one.
#[derive(Clone, PartialEq, Eq)]
pub struct Secrets {
    /// For MD5; `None` where the user may not use it.
    pub md5: Option<String>,
    /// For SHA-256.
    pub sha256: Option<String>,
}

impl Secrets {
    /// Makes them from a password that was just set. The password can be forgotten then.
    pub fn of(user: &str, realm: &str, password: &str) -> Self {
        let ha1 = |algorithm: Algorithm| Some(algorithm.hex(&[user, ":", realm, ":", password]));
        Self { md5: ha1(Algorithm::Md5), sha256: ha1(Algorithm::Sha256) }
    }
    fn ha1(&self, algorithm: Algorithm) -> Option<&str> {
        match algorithm {
            Algorithm::Md5 => self.md5.as_deref(),
            Algorithm::Sha256 => self.sha256.as_deref(),
            Algorithm::Sha512_256 => None,
        }
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(hidden)")
    }
}
