//! Session keys from a master key (RFC 3711 §4.3, RFC 6188 §3 for AES-256, RFC 7714 §11 for the AEAD suites).
//!
//! All suites derive with AES in counter mode and the key size of the suite. The key derivation rate is 0: keys are
//! derived once, which is all that RFC 4568 and RFC 5764 peers use.

use super::SrtpError;
use super::cipher::{Aes, Cipher, keystream};
use crate::control::{SrtpKey, SrtpSuite};

/// What is protected; selects the labels (RFC 3711 §4.3.1 and §4.3.2).
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Rtp,
    Rtcp,
}

const LABEL_KEY: u8 = 0;
const LABEL_AUTHENTICATION: u8 = 1;
const LABEL_SALT: u8 = 2;

/// Octets of the HMAC-SHA1 session key (RFC 3711 §5.2).
const AUTHENTICATION_KEY: usize = 20;

/// Octets of an authentication tag in RTP; in RTCP it is always the long one (RFC 4568 §6.2).
const TAG_80: u8 = 10;
const TAG_32: u8 = 4;

/// Makes the cipher for one purpose from a master key.
pub(super) fn derive(key: &SrtpKey, purpose: Purpose) -> Result<Cipher, SrtpError> {
    let suite = key.suite;
    let wanted = suite.key_and_salt_len();
    if key.key_and_salt.len() != wanted {
        return Err(SrtpError::KeyLength { wanted, given: key.key_and_salt.len() });
    }
    let (master, salt) = key.key_and_salt.split_at(suite.key_len());
    let prf = Prf::new(master, salt)?;
    let label = |offset| match purpose {
        Purpose::Rtp => offset,
        Purpose::Rtcp => offset + 3,
    };

    let mut session_key = [0; 32];
    let session_key = &mut session_key[..suite.key_len()];
    prf.fill(label(LABEL_KEY), session_key);
    let mut session_salt = [0; 14];
    let session_salt = &mut session_salt[..suite.salt_len()];
    prf.fill(label(LABEL_SALT), session_salt);

    match suite {
        SrtpSuite::AeadAes128Gcm | SrtpSuite::AeadAes256Gcm => Cipher::gcm(session_key, session_salt),
        SrtpSuite::AesCm128HmacSha1_80 | SrtpSuite::AesCm128HmacSha1_32 | SrtpSuite::Aes256CmHmacSha1_80 => {
            let mut authentication = [0; AUTHENTICATION_KEY];
            prf.fill(label(LABEL_AUTHENTICATION), &mut authentication);
            let tag = match (suite, purpose) {
                (SrtpSuite::AesCm128HmacSha1_32, Purpose::Rtp) => TAG_32,
                _ => TAG_80,
            };
            Cipher::counter_mode(session_key, session_salt, &authentication, tag)
        }
    }
}

/// The pseudo-random function of one master key: AES-CM over a block that carries salt and label.
pub(super) struct Prf {
    aes: Aes,
    /// Master salt at the left; 96-bit salts are padded with zeros (RFC 7714 §11).
    salt: [u8; 16],
}

impl Prf {
    pub(super) fn new(master: &[u8], master_salt: &[u8]) -> Result<Self, SrtpError> {
        let mut salt = [0; 16];
        let room = salt
            .get_mut(..master_salt.len())
            .ok_or(SrtpError::KeyLength { wanted: 14, given: master_salt.len() })?;
        room.copy_from_slice(master_salt);
        Ok(Self { aes: Aes::new(master)?, salt })
    }

    /// Fills `out` with the key of `label`.
    pub(super) fn fill(&self, label: u8, out: &mut [u8]) {
        // key_id = label || index DIV kdr, which is 48 zero bits; it aligns at the right of the 112-bit salt.
        let mut block = self.salt;
        block[7] ^= label;
        out.fill(0);
        keystream(&self.aes, block, out);
    }
}
