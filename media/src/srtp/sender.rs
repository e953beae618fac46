//! The protecting side of a key.

use super::cipher::{Cipher, PacketId};
use super::derive::{Purpose, derive};
use super::index::{guess, roc};
use super::sources::{SOURCES, Sources};
use super::{RTCP_CLEAR, RtpHead, SRTCP_INDEX_LEN, SrtpError, rtcp_ssrc};
use crate::control::SrtpKey;

/// The last SRTCP index there is (RFC 3711 §9.2).
const LAST_RTCP_INDEX: u32 = (1 << 31) - 1;

/// Set in the SRTCP index when the packet is encrypted; ours always are.
pub(super) const ENCRYPTED: u32 = 1 << 31;

/// Protects what a leg sends under one key.
pub struct Sender {
    rtp: Cipher,
    rtcp: Cipher,
    sources: Sources,
    /// The SRTCP index of the last packet of each source.
    reports: [Option<(u32, u32)>; SOURCES],
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("srtp::Sender(hidden)")
    }
}

impl Sender {
    /// Derives the session keys.
    pub fn new(key: &SrtpKey) -> Result<Self, SrtpError> {
        Ok(Self::with(derive(key, Purpose::Rtp)?, derive(key, Purpose::Rtcp)?))
    }

    pub(super) fn with(rtp: Cipher, rtcp: Cipher) -> Self {
        Self { rtp, rtcp, sources: Sources::new(), reports: [None; SOURCES] }
    }

    /// An RTP packet is near: what it needs of the keys is fetched from memory.
    pub fn fetch(&self) {
        self.rtp.fetch();
        self.sources.fetch();
    }

    /// Octets that [`Self::protect_rtp`] adds.
    pub fn rtp_overhead(&self) -> usize {
        self.rtp.tag_len()
    }

    /// Octets that [`Self::protect_rtcp`] adds.
    pub fn rtcp_overhead(&self) -> usize {
        self.rtcp.tag_len() + SRTCP_INDEX_LEN
    }

    /// Protects the RTP packet in `buf[..len]` and returns its new length; the tag follows the packet.
    ///
    /// Sequence numbers may go astray as a relay's do, within the replay window, but none is protected twice:
    /// [`SrtpError::Replayed`].
    pub fn protect_rtp(&mut self, buf: &mut [u8], len: usize) -> Result<usize, SrtpError> {
        let total = len.checked_add(self.rtp.tag_len()).ok_or(SrtpError::NoRoom)?;
        let (packet, tag) =
            buf.get_mut(..total).and_then(|all| all.split_at_mut_checked(len)).ok_or(SrtpError::NoRoom)?;
        let head = RtpHead::read(packet)?;
        let index = match self.sources.find(head.ssrc) {
            Some(window) => {
                let index = guess(window.highest(), head.sequence).ok_or(SrtpError::KeyUsedUp)?;
                if !window.is_new(index) {
                    return Err(SrtpError::Replayed);
                }
                index
            }
            // Forgetting a source would let its counter start again, and a nonce come twice.
            None if !self.sources.has_room() => return Err(SrtpError::TooManySources),
            None => u64::from(head.sequence),
        };
        self.rtp.seal_rtp(PacketId { ssrc: head.ssrc, index }, roc(index), packet, head.len, tag)?;
        self.sources.note(head.ssrc, index);
        Ok(total)
    }

    /// Protects the compound RTCP packet in `buf[..len]` and returns its new length.
    pub fn protect_rtcp(&mut self, buf: &mut [u8], len: usize) -> Result<usize, SrtpError> {
        let tag_len = self.rtcp.tag_len();
        let total = len.checked_add(tag_len + SRTCP_INDEX_LEN).ok_or(SrtpError::NoRoom)?;
        let (packet, trailer) =
            buf.get_mut(..total).and_then(|all| all.split_at_mut_checked(len)).ok_or(SrtpError::NoRoom)?;
        let ssrc = rtcp_ssrc(packet)?;
        let index = self.next_report(ssrc)?;
        let id = PacketId { ssrc, index: u64::from(index) };
        let word = (ENCRYPTED | index).to_be_bytes();
        match &self.rtcp {
            // Index, then the tag over all of it (RFC 3711 §3.4).
            Cipher::CounterMode(cm) => {
                cm.apply(id, packet.get_mut(RTCP_CLEAR..).ok_or(SrtpError::Malformed)?);
                let (place, tag) = trailer.split_at_mut_checked(SRTCP_INDEX_LEN).ok_or(SrtpError::NoRoom)?;
                cm.write_tag(packet, word, tag)?;
                place.copy_from_slice(&word);
            }
            // The tag, then the index; header and index are associated data (RFC 7714 §9.2 and §9.3).
            Cipher::Gcm(gcm) => {
                let (header, body) = packet.split_at_mut_checked(RTCP_CLEAR).ok_or(SrtpError::Malformed)?;
                let mut associated = [0; RTCP_CLEAR + SRTCP_INDEX_LEN];
                associated[..RTCP_CLEAR].copy_from_slice(header);
                associated[RTCP_CLEAR..].copy_from_slice(&word);
                let (tag, place) = trailer.split_at_mut_checked(tag_len).ok_or(SrtpError::NoRoom)?;
                gcm.seal(gcm.nonce(id), &associated, body, tag)?;
                place.copy_from_slice(&word);
            }
        }
        Ok(total)
    }

    /// Takes the next SRTCP index of a source; the first is 1 as everybody's is, though RFC 3711 §3.4 begins at 0.
    fn next_report(&mut self, ssrc: u32) -> Result<u32, SrtpError> {
        let at = self
            .reports
            .iter()
            .position(|report| report.is_some_and(|(of, _)| of == ssrc))
            .or_else(|| self.reports.iter().position(Option::is_none))
            .ok_or(SrtpError::TooManySources)?;
        let report = self.reports.get_mut(at).ok_or(SrtpError::TooManySources)?;
        let index = report.map_or(0, |(_, last)| last);
        if index >= LAST_RTCP_INDEX {
            return Err(SrtpError::KeyUsedUp);
        }
        *report = Some((ssrc, index + 1));
        Ok(index + 1)
    }

    #[cfg(test)]
    pub(super) fn set_last_report(&mut self, ssrc: u32, index: u32) {
        self.reports[0] = Some((ssrc, index));
    }

    #[cfg(test)]
    pub(super) fn set_highest(&mut self, ssrc: u32, index: u64) {
        self.sources.note(ssrc, index);
    }
}
