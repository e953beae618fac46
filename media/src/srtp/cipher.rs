//! The two cipher families under one face: AES counter mode with HMAC-SHA1, and AES-GCM.
//!
//! Keys are expanded once; a packet costs no key schedule and no HMAC key block (`tag`).

use aes::cipher::{InOutBuf, InnerIvInit, KeyInit, StreamCipherCore};
use aes::{Aes128, Aes256};
use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use ctr::CtrCore;
use ctr::flavors::Ctr128BE;

use super::SrtpError;
use super::tag::Authenticator;
use crate::driver::prefetch;

/// Octets of a GCM tag; the short ones of RFC 7714 are not offered by anybody.
pub(super) const GCM_TAG: usize = 16;

/// Which packet: together with the session salt it makes the nonce, so it must be new for each packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct PacketId {
    pub ssrc: u32,
    /// Roll-over counter and sequence number, 48 bits; or the SRTCP index, 31 bits.
    pub index: u64,
}

/// Session keys for one purpose (RTP or RTCP), ready for use.
#[allow(
    clippy::large_enum_variant,
    reason = "a leg has one kind or the other; how far apart they are depends on the machine"
)]
pub(super) enum Cipher {
    /// Not boxed: a box would be one more wait for memory a packet.
    CounterMode(CounterMode),
    Gcm(Gcm),
}

/// AES-CM and HMAC-SHA1 (RFC 3711 §4.1.1 and §4.2.1, RFC 6188).
///
/// In this order, so that what a packet needs lies at the front: the portable kind of AES has expanded keys four times as long.
#[repr(C)]
pub(super) struct CounterMode {
    authenticator: Authenticator,
    salt: [u8; 14],
    tag: u8,
    aes: Aes,
}

/// Octets at the front of a [`Cipher`] that a packet needs: the above, and the round keys of AES-256.
const NEEDED: usize = 64 + 15 * 16;

/// AES-GCM (RFC 7714).
pub(super) struct Gcm {
    key: LessSafeKey,
    salt: [u8; NONCE_LEN],
}

/// An expanded AES key.
pub(super) enum Aes {
    Short(Aes128),
    Long(Aes256),
}

impl Aes {
    pub(super) fn new(key: &[u8]) -> Result<Self, SrtpError> {
        let wrong = |_| SrtpError::KeyLength { wanted: 16, given: key.len() };
        match key.len() {
            32 => Aes256::new_from_slice(key).map(Self::Long).map_err(wrong),
            _ => Aes128::new_from_slice(key).map(Self::Short).map_err(wrong),
        }
    }
}

/// Adds the key stream that starts at counter block `iv` to `data`.
///
/// The lower 16 bits of `iv` are 0 and data is at most a datagram, 4 096 blocks: the counter cannot run into the salt.
pub(super) fn keystream(aes: &Aes, iv: [u8; 16], data: &mut [u8]) {
    let data = InOutBuf::from(data);
    let done = match aes {
        Aes::Short(aes) => {
            CtrCore::<&Aes128, Ctr128BE>::inner_iv_init(aes, &iv.into()).try_apply_keystream_partial(data)
        }
        Aes::Long(aes) => {
            CtrCore::<&Aes256, Ctr128BE>::inner_iv_init(aes, &iv.into()).try_apply_keystream_partial(data)
        }
    };
    debug_assert!(done.is_ok(), "2^128 blocks are not used up by a packet");
}

impl Cipher {
    pub(super) fn counter_mode(
        key: &[u8],
        salt: &[u8],
        authentication: &[u8],
        tag: u8,
    ) -> Result<Self, SrtpError> {
        let length = SrtpError::KeyLength { wanted: 14, given: salt.len() };
        Ok(Self::CounterMode(CounterMode {
            authenticator: Authenticator::new(authentication).ok_or(length)?,
            salt: salt.try_into().map_err(|_| length)?,
            tag,
            aes: Aes::new(key)?,
        }))
    }

    /// A packet is near: what it needs is fetched from memory.
    pub(super) fn fetch(&self) {
        prefetch(self, 0..NEEDED);
    }

    pub(super) fn gcm(key: &[u8], salt: &[u8]) -> Result<Self, SrtpError> {
        let algorithm = if key.len() == 32 { &AES_256_GCM } else { &AES_128_GCM };
        let unbound = UnboundKey::new(algorithm, key)
            .map_err(|_| SrtpError::KeyLength { wanted: algorithm.key_len(), given: key.len() })?;
        let length = SrtpError::KeyLength { wanted: NONCE_LEN, given: salt.len() };
        Ok(Self::Gcm(Gcm { key: LessSafeKey::new(unbound), salt: salt.try_into().map_err(|_| length)? }))
    }

    /// Octets of the tag.
    pub(super) fn tag_len(&self) -> usize {
        match self {
            Self::CounterMode(cm) => usize::from(cm.tag),
            Self::Gcm(_) => GCM_TAG,
        }
    }

    /// Encrypts `packet[clear..]` and writes the tag of header, payload and `roc` into `tag`.
    pub(super) fn seal_rtp(
        &self,
        id: PacketId,
        roc: u32,
        packet: &mut [u8],
        clear: usize,
        tag: &mut [u8],
    ) -> Result<(), SrtpError> {
        match self {
            Self::CounterMode(cm) => {
                cm.apply(id, packet.get_mut(clear..).ok_or(SrtpError::Malformed)?);
                cm.write_tag(packet, roc.to_be_bytes(), tag)
            }
            Self::Gcm(gcm) => {
                let (header, payload) = packet.split_at_mut_checked(clear).ok_or(SrtpError::Malformed)?;
                gcm.seal(gcm.nonce(id), header, payload, tag)
            }
        }
    }

    /// Checks `tag` and then decrypts `packet[clear..]`.
    pub(super) fn open_rtp(
        &self,
        id: PacketId,
        roc: u32,
        packet: &mut [u8],
        clear: usize,
        tag: &[u8],
    ) -> Result<(), SrtpError> {
        match self {
            Self::CounterMode(cm) => {
                cm.check_tag(packet, roc.to_be_bytes(), tag)?;
                cm.apply(id, packet.get_mut(clear..).ok_or(SrtpError::Malformed)?);
                Ok(())
            }
            Self::Gcm(gcm) => {
                let (header, payload) = packet.split_at_mut_checked(clear).ok_or(SrtpError::Malformed)?;
                gcm.open(gcm.nonce(id), header, payload, tag)
            }
        }
    }
}

impl CounterMode {
    /// IV = (salt * 2^16) XOR (SSRC * 2^64) XOR (index * 2^16), RFC 3711 §4.1.1.
    fn iv(&self, id: PacketId) -> [u8; 16] {
        let mut salt = [0; 16];
        salt[..14].copy_from_slice(&self.salt);
        let packet = (u128::from(id.ssrc) << 64) | (u128::from(id.index) << 16);
        (u128::from_be_bytes(salt) ^ packet).to_be_bytes()
    }

    /// Encrypts or decrypts: the same in counter mode.
    pub(super) fn apply(&self, id: PacketId, data: &mut [u8]) {
        keystream(&self.aes, self.iv(id), data);
    }

    /// `packet` is what a tag is made of, `trailer` what follows it: the roll-over counter, or the SRTCP index.
    pub(super) fn write_tag(&self, packet: &[u8], trailer: [u8; 4], tag: &mut [u8]) -> Result<(), SrtpError> {
        let full = self.authenticator.tag(packet, trailer);
        let left = full.get(..tag.len()).ok_or(SrtpError::NoRoom)?;
        tag.copy_from_slice(left);
        Ok(())
    }

    /// In constant time, so that a tag cannot be guessed octet by octet.
    pub(super) fn check_tag(&self, packet: &[u8], trailer: [u8; 4], tag: &[u8]) -> Result<(), SrtpError> {
        let full = self.authenticator.tag(packet, trailer);
        let left = full.get(..tag.len()).filter(|left| !left.is_empty()).ok_or(SrtpError::Malformed)?;
        verify_slices_are_equal(left, tag).map_err(|_| SrtpError::Forged)
    }
}

impl Gcm {
    /// 0x0000 || SSRC || ROC || SEQ, XOR salt (RFC 7714 §8.1); for SRTCP the upper 17 bits of the index are 0 (§9.1).
    pub(super) fn nonce(&self, id: PacketId) -> Nonce {
        let mut nonce = self.salt;
        for (octet, with) in nonce[2..6].iter_mut().zip(id.ssrc.to_be_bytes()) {
            *octet ^= with;
        }
        let index = id.index.to_be_bytes();
        for (octet, with) in nonce[6..].iter_mut().zip(&index[2..]) {
            *octet ^= with;
        }
        Nonce::assume_unique_for_key(nonce)
    }

    pub(super) fn seal(
        &self,
        nonce: Nonce,
        associated: &[u8],
        data: &mut [u8],
        tag: &mut [u8],
    ) -> Result<(), SrtpError> {
        let made = self
            .key
            .seal_in_place_separate_tag(nonce, Aad::from(associated), data)
            .map_err(|_| SrtpError::KeyUsedUp)?;
        if made.as_ref().len() != tag.len() {
            return Err(SrtpError::NoRoom);
        }
        tag.copy_from_slice(made.as_ref());
        Ok(())
    }

    pub(super) fn open(
        &self,
        nonce: Nonce,
        associated: &[u8],
        data: &mut [u8],
        tag: &[u8],
    ) -> Result<(), SrtpError> {
        self.key
            .open_in_place_separate_tag(nonce, Aad::from(associated), tag, data)
            .map(|_| ())
            .map_err(|_| SrtpError::Forged)
    }
}
