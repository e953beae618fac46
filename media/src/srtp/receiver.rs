//! The opening side of a key.

use super::cipher::{Cipher, PacketId};
use super::derive::{Purpose, derive};
use super::index::{guess, roc};
use super::sender::ENCRYPTED;
use super::sources::Sources;
use super::{RTCP_CLEAR, RtpHead, SRTCP_INDEX_LEN, SrtpError, rtcp_ssrc};
use crate::control::SrtpKey;

/// Opens what a leg receives under one key. Until a packet's tag is verified, it changes nothing here.
pub struct Receiver {
    rtp: Cipher,
    rtcp: Cipher,
    sources: Sources,
    reports: Sources,
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("srtp::Receiver(hidden)")
    }
}

impl Receiver {
    /// Derives the session keys.
    pub fn new(key: &SrtpKey) -> Result<Self, SrtpError> {
        Ok(Self::with(derive(key, Purpose::Rtp)?, derive(key, Purpose::Rtcp)?))
    }

    pub(super) fn with(rtp: Cipher, rtcp: Cipher) -> Self {
        Self { rtp, rtcp, sources: Sources::new(), reports: Sources::new() }
    }

    /// An RTP packet is near: what it needs of the keys is fetched from memory.
    pub fn fetch(&self) {
        self.rtp.fetch();
        self.sources.fetch();
    }

    /// Verifies and decrypts an SRTP packet where it lies; returns the length of the RTP packet, which begins `packet`.
    pub fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let len = packet.len().checked_sub(self.rtp.tag_len()).ok_or(SrtpError::Malformed)?;
        let (body, tag) = packet.split_at_mut_checked(len).ok_or(SrtpError::Malformed)?;
        let head = RtpHead::read(body)?;
        let index = match self.sources.find(head.ssrc) {
            Some(window) => {
                let index = guess(window.highest(), head.sequence).ok_or(SrtpError::KeyUsedUp)?;
                if !window.is_new(index) {
                    return Err(SrtpError::Replayed);
                }
                index
            }
            None => u64::from(head.sequence),
        };
        self.rtp.open_rtp(PacketId { ssrc: head.ssrc, index }, roc(index), body, head.len, tag)?;
        self.sources.note(head.ssrc, index);
        Ok(len)
    }

    /// Verifies and decrypts an SRTCP packet where it lies; returns the length of the RTCP packet, which begins `packet`.
    ///
    /// A packet without the `E` flag is verified alone: the far end may leave reports readable (RFC 3711 §3.4).
    pub fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let tag_len = self.rtcp.tag_len();
        let len = packet.len().checked_sub(tag_len + SRTCP_INDEX_LEN).ok_or(SrtpError::Malformed)?;
        let (body, trailer) = packet.split_at_mut_checked(len).ok_or(SrtpError::Malformed)?;
        let ssrc = rtcp_ssrc(body)?;
        let word = match &self.rtcp {
            Cipher::CounterMode(_) => trailer.first_chunk::<SRTCP_INDEX_LEN>(),
            Cipher::Gcm(_) => trailer.last_chunk::<SRTCP_INDEX_LEN>(),
        };
        let word = *word.ok_or(SrtpError::Malformed)?;
        let index = u64::from(u32::from_be_bytes(word) & !ENCRYPTED);
        let encrypted = u32::from_be_bytes(word) & ENCRYPTED != 0;
        if self.reports.find(ssrc).is_some_and(|window| !window.is_new(index)) {
            return Err(SrtpError::Replayed);
        }
        let id = PacketId { ssrc, index };
        match &self.rtcp {
            Cipher::CounterMode(cm) => {
                let tag = trailer.get(SRTCP_INDEX_LEN..).ok_or(SrtpError::Malformed)?;
                cm.check_tag(body, word, tag)?;
                if encrypted {
                    cm.apply(id, body.get_mut(RTCP_CLEAR..).ok_or(SrtpError::Malformed)?);
                }
            }
            Cipher::Gcm(gcm) if encrypted => {
                let (header, data) = body.split_at_mut_checked(RTCP_CLEAR).ok_or(SrtpError::Malformed)?;
                let mut associated = [0; RTCP_CLEAR + SRTCP_INDEX_LEN];
                associated[..RTCP_CLEAR].copy_from_slice(header);
                associated[RTCP_CLEAR..].copy_from_slice(&word);
                let tag = trailer.get(..tag_len).ok_or(SrtpError::Malformed)?;
                gcm.open(gcm.nonce(id), &associated, data, tag)?;
            }
            // All of the packet and the index are associated data (RFC 7714 §9.3); to lie side by side, the index moves
            // to where the tag was.
            Cipher::Gcm(gcm) => {
                let mut tag = [0; super::cipher::GCM_TAG];
                tag.copy_from_slice(trailer.get(..tag_len).ok_or(SrtpError::Malformed)?);
                trailer.get_mut(..SRTCP_INDEX_LEN).ok_or(SrtpError::Malformed)?.copy_from_slice(&word);
                let associated = packet.get(..len + SRTCP_INDEX_LEN).ok_or(SrtpError::Malformed)?;
                gcm.open(gcm.nonce(id), associated, &mut [], &tag)?;
            }
        }
        self.reports.note(ssrc, index);
        Ok(len)
    }
}
