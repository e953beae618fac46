//! The fixed header of an RTP packet (RFC 3550 §5.1) as a view, and writing one in front of a payload.

use super::{Malformed, RtpTimestamp, SeqNo};

/// Octets of the fixed header: what every packet of ours has, and nothing more.
pub const HEADER_LEN: usize = 12;

/// What the fixed header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Start of a talkspurt (RFC 3551 §4.1) or of an event (RFC 4733 §2.5.1.1).
    pub marker: bool,
    /// What the payload is, 0 to 127.
    pub payload_type: u8,
    /// One more for each packet of the stream.
    pub seq: SeqNo,
    /// When the first sample of the payload was taken.
    pub timestamp: RtpTimestamp,
    /// The stream.
    pub ssrc: u32,
}

/// A packet that was checked: its header, and where in the packet its payload lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// The fixed header.
    pub header: Header,
    /// Where the payload begins: after header, contributing sources and extension.
    pub payload_at: usize,
    /// Octets of payload, padding excluded.
    pub payload_len: usize,
}

/// Whether a datagram of the RTP family (RFC 7983) on a shared port is RTCP: its second octet, without the marker bit, lies in
/// the range RFC 5761 §4 forbids to payload types.
pub fn is_rtcp(datagram: &[u8]) -> bool {
    datagram.get(1).is_some_and(|octet| (192..=223).contains(octet))
}

impl View {
    /// Reads a packet. Contributing sources and a header extension are skipped, padding is cut off.
    pub fn parse(packet: &[u8]) -> Result<Self, Malformed> {
        let Some((fixed, rest)) = packet.split_first_chunk::<HEADER_LEN>() else {
            return Err(Malformed::TooShort);
        };
        let header = Header::read(fixed)?;
        // The common packet has neither padding, extension nor contributing sources.
        if fixed[0] == 0x80 {
            return Ok(Self { header, payload_at: HEADER_LEN, payload_len: rest.len() });
        }
        let mut payload_at = HEADER_LEN + usize::from(fixed[0] & 0x0F) * 4;
        if fixed[0] & 0x10 != 0 {
            let words = packet.get(payload_at + 2..payload_at + 4).ok_or(Malformed::TooShort)?;
            let words = words.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet));
            payload_at += 4 + words * 4;
        }
        let mut payload_len = packet.len().checked_sub(payload_at).ok_or(Malformed::TooShort)?;
        if fixed[0] & 0x20 != 0 {
            let padding = usize::from(*packet.last().ok_or(Malformed::TooShort)?);
            if padding == 0 || padding > payload_len {
                return Err(Malformed::Padding);
            }
            payload_len -= padding;
        }
        Ok(Self { header, payload_at, payload_len })
    }
}

impl Header {
    fn read(fixed: &[u8; HEADER_LEN]) -> Result<Self, Malformed> {
        if fixed[0] >> 6 != 2 {
            return Err(Malformed::Version);
        }
        Ok(Self {
            marker: fixed[1] & 0x80 != 0,
            payload_type: fixed[1] & 0x7F,
            seq: SeqNo(u16::from_be_bytes([fixed[2], fixed[3]])),
            timestamp: RtpTimestamp(u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]])),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
        })
    }

    /// The header as it goes on the wire: version 2, no padding, no extension, no contributing sources.
    pub fn octets(&self) -> [u8; HEADER_LEN] {
        let mut fixed = [0; HEADER_LEN];
        fixed[0] = 0x80;
        fixed[1] = u8::from(self.marker) << 7 | self.payload_type & 0x7F;
        fixed[2..4].copy_from_slice(&self.seq.0.to_be_bytes());
        fixed[4..8].copy_from_slice(&self.timestamp.0.to_be_bytes());
        fixed[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        fixed
    }

    /// Writes the header at the front of `packet`; false when there is no room, and then nothing is written.
    pub fn write(&self, packet: &mut [u8]) -> bool {
        match packet.first_chunk_mut::<HEADER_LEN>() {
            Some(front) => {
                *front = self.octets();
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            marker: true,
            payload_type: 8,
            seq: SeqNo(0x1234),
            timestamp: RtpTimestamp(0xDEAD_BEEF),
            ssrc: 0x0102_0304,
        }
    }

    #[test]
    fn a_header_reads_back_as_it_was_written() {
        let mut packet = [7u8; 20];
        assert!(header().write(&mut packet));
        let view = View::parse(&packet).unwrap();
        assert_eq!(view, View { header: header(), payload_at: 12, payload_len: 8 });
    }

    #[test]
    fn contributing_sources_and_an_extension_are_not_payload() {
        let mut packet = header().octets().to_vec();
        packet[0] |= 0x12; // extension, two contributing sources
        packet.extend([0; 8]);
        packet.extend([0xBE, 0xDE, 0, 1, 9, 9, 9, 9]);
        packet.extend([1, 2, 3]);
        let view = View::parse(&packet).unwrap();
        assert_eq!(&packet[view.payload_at..][..view.payload_len], [1, 2, 3]);
    }

    #[test]
    fn padding_is_cut_off_and_a_lie_about_it_is_refused() {
        let mut packet = header().octets().to_vec();
        packet[0] |= 0x20;
        packet.extend([1, 2, 3, 0, 0, 3]);
        assert_eq!(View::parse(&packet).unwrap().payload_len, 3);
        for lie in [0, 7, 255] {
            *packet.last_mut().unwrap() = lie;
            assert_eq!(View::parse(&packet), Err(Malformed::Padding), "padding of {lie}");
        }
    }

    #[test]
    fn no_cut_or_changed_packet_causes_a_panic() {
        let mut packet = header().octets().to_vec();
        packet.extend([0; 40]);
        for first in 0..=255 {
            packet[0] = first;
            for len in 0..packet.len() {
                if let Ok(view) = View::parse(&packet[..len]) {
                    assert!(view.payload_at + view.payload_len <= len, "payload within the packet");
                }
            }
        }
        assert_eq!(View::parse(&[0x80; 11]), Err(Malformed::TooShort));
        assert_eq!(View::parse(&[0x40; 12]), Err(Malformed::Version));
    }

    #[test]
    fn on_a_shared_port_rtcp_is_told_by_its_packet_type() {
        assert!(is_rtcp(&[0x80, 200]) && is_rtcp(&[0x80, 205]));
        assert!(
            !is_rtcp(&[0x80, 0])
                && !is_rtcp(&[0x80, 0x80 | 8])
                && !is_rtcp(&[0x80, 111])
                && !is_rtcp(&[0x80])
        );
    }
}
