//! `a=crypto` lines (RFC 4568).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use media::control::{SrtpKey, SrtpSuite};

/// Suites of ours, in the order they are offered.
pub const SUITES: [SrtpSuite; 5] = [
    SrtpSuite::AeadAes256Gcm,
    SrtpSuite::AeadAes128Gcm,
    SrtpSuite::Aes256CmHmacSha1_80,
    SrtpSuite::AesCm128HmacSha1_80,
    SrtpSuite::AesCm128HmacSha1_32,
];

/// One line: a tag and a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crypto {
    /// Which line is meant.
    pub tag: u32,
    /// The key; never printed.
    pub key: SrtpKey,
}

impl Crypto {
    /// Reads the value of an `a=crypto` line. `None` for suites that are not ours, for keys with an MKI, which the plane
    /// does not send, and for session parameters that change what is protected.
    pub fn read(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next()?.parse().ok()?;
        let name = words.next()?;
        let suite = SUITES.into_iter().find(|suite| suite.sdp_name().eq_ignore_ascii_case(name))?;
        let inline = words.next()?.strip_prefix("inline:")?;
        let mut parts = inline.split('|');
        let key = parts.next()?.trim_end_matches('=');
        // A lifetime is a promise of the sender; an MKI has a colon.
        if parts.any(|part| part.contains(':'))
            || words.any(|word| word.starts_with("UNENCRYPTED") || word.starts_with("UNAUTHENTICATED"))
        {
            return None;
        }
        let key_and_salt = STANDARD_NO_PAD.decode(key).ok()?;
        (key_and_salt.len() == suite.key_and_salt_len())
            .then_some(Self { tag, key: SrtpKey { suite, key_and_salt } })
    }

    /// The line.
    pub fn line(&self) -> String {
        let SrtpKey { suite, key_and_salt } = &self.key;
        // Unpadded, as rtpengine writes it by default.
        let key = STANDARD.encode(key_and_salt);
        format!("a=crypto:{} {} inline:{}", self.tag, suite.sdp_name(), key.trim_end_matches('='))
    }
}
