//! Secrets that programs carry: session tokens, CSRF tokens, API keys. Long, random, and stored only as hashes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::clock::Sources;

/// What an API key begins with, so that scanners of leaked secrets find it.
pub const KEY_PREFIX: &str = "pbk_";

/// A secret as its owner holds it. Printed only on purpose.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// 256 random bits as text.
    pub fn token(sources: &Sources) -> Self {
        Self(URL_SAFE_NO_PAD.encode(sources.bytes::<32>()))
    }
    /// A new API key.
    pub fn api_key(sources: &Sources) -> Self {
        Self(format!("{KEY_PREFIX}{}", URL_SAFE_NO_PAD.encode(sources.bytes::<32>())))
    }
    /// A secret a person may have to type into a phone: 24 letters and digits without look-alikes, over 118 bits.
    pub fn phone(sources: &Sources) -> Self {
        const LETTERS: &[u8; 31] = b"ABCDEFGHJKMNPQRSTUVWXYZ23456789";
        // Bytes from 248 on are thrown away, so that all 31 letters are equally likely.
        let mut text = String::with_capacity(24);
        while text.len() < 24 {
            for byte in sources.bytes::<32>().into_iter().filter(|byte| *byte < 248) {
                if text.len() < 24 {
                    text.push(char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
                }
            }
        }
        Self(text)
    }
    /// What came from outside.
    pub fn presented(text: impl Into<String>) -> Self {
        Self(text.into())
    }
    /// The secret itself: for its owner only.
    pub fn reveal(&self) -> &str {
        &self.0
    }
    /// What is stored. A plain SHA-256 is enough: 256 random bits cannot be guessed.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
    /// The first characters of an API key: shown in lists, so that people can tell keys apart.
    pub fn prefix(&self) -> &str {
        self.0.get(..KEY_PREFIX.len() + 8).unwrap_or(&self.0)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// Compares without telling by time where two texts differ.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (x, y)| difference | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use model::time::Timestamp;
    use std::sync::Arc;

    fn sources() -> Sources {
        let state = std::sync::Mutex::new(1u8);
        let entropy = move |bytes: &mut [u8]| {
            let mut state = state.lock().unwrap();
            for byte in bytes {
                *state = state.wrapping_mul(29).wrapping_add(113);
                *byte = *state;
            }
        };
        Sources { clock: Arc::new(ManualClock::at(Timestamp::ZERO)), entropy: Arc::new(entropy) }
    }

    #[test]
    fn a_secret_does_not_show_itself_in_logs() {
        let token = Secret::token(&sources());
        assert_eq!(format!("{token:?}"), "Secret(hidden)");
        assert_eq!(token.reveal().len(), 43, "256 bits");
    }

    #[test]
    fn a_phone_secret_has_no_letters_that_look_alike() {
        let secret = Secret::phone(&sources());
        assert_eq!(secret.reveal().len(), 24);
        assert!(!secret.reveal().contains(['0', 'O', '1', 'I', 'L']), "{}", secret.reveal());
    }

    #[test]
    fn an_api_key_is_told_by_its_first_characters_only() {
        let key = Secret::api_key(&sources());
        assert!(key.reveal().starts_with("pbk_"));
        assert_eq!(key.prefix().len(), 12);
        assert_eq!(Secret::presented("p").prefix(), "p");
    }
}
