//! Reading Ogg Opus files (RFC 7845) into mono samples at 48 kHz.

use ogg::reading::PacketReader;
use opus::{Channels, Decoder};

use super::{LENGTH_S_MAX, PromptError};
use crate::codec::PACKET_SAMPLES_MAX;

pub(super) const RATE: u32 = 48_000;

/// The samples of the first stream in the file, without the pre-skip and what is filled up at the end.
pub(super) fn read(file: impl std::io::Read + std::io::Seek) -> Result<Vec<i16>, PromptError> {
    let broken = |why: String| PromptError::Opus(why);
    let mut packets = PacketReader::new(file);
    let first = packets.read_packet_expected().map_err(|why| broken(why.to_string()))?;
    let head = Head::parse(&first.data)?;
    let stream = first.stream_serial();
    let mut next = || -> Result<Option<ogg::Packet>, PromptError> {
        loop {
            match packets.read_packet().map_err(|why| PromptError::Opus(why.to_string()))? {
                Some(packet) if packet.stream_serial() != stream => {}
                packet => return Ok(packet),
            }
        }
    };
    match next()? {
        Some(tags) if tags.data.starts_with(b"OpusTags") => {}
        _ => return Err(broken("it has no comment header".into())),
    }
    // Stereo is mixed to mono by the library.
    let mut decoder = Decoder::new(RATE, Channels::Mono).map_err(|why| broken(why.to_string()))?;
    decoder.set_gain(i32::from(head.gain)).map_err(|why| broken(why.to_string()))?;
    let (mut samples, mut piece) = (Vec::new(), vec![0i16; PACKET_SAMPLES_MAX]);
    let longest = (LENGTH_S_MAX * u64::from(RATE)) as usize + usize::from(head.pre_skip);
    let mut ends = None;
    while let Some(packet) = next()? {
        let n = decoder.decode(&packet.data, &mut piece, false).map_err(|why| broken(why.to_string()))?;
        samples.extend_from_slice(piece.get(..n).unwrap_or_default());
        if samples.len() > longest {
            return Err(PromptError::TooLong { seconds: LENGTH_S_MAX + 1 });
        }
        if packet.last_in_stream() {
            ends = Some(packet.absgp_page());
            break;
        }
    }
    // The granule position of the last page counts samples from the pre-skip's beginning on (§4).
    let ends = ends.ok_or_else(|| broken("it breaks off before its end".into()))?;
    samples.truncate(usize::try_from(ends).unwrap_or(usize::MAX));
    samples.drain(..usize::from(head.pre_skip).min(samples.len()));
    Ok(samples)
}

/// The identification header (§5.1), as far as it concerns us.
struct Head {
    pre_skip: u16,
    gain: i16,
}

impl Head {
    fn parse(octets: &[u8]) -> Result<Self, PromptError> {
        let not = || PromptError::Opus("it does not begin with an Opus header".into());
        let [magic @ .., version, channels, skip_low, skip_high, _, _, _, _, gain_low, gain_high, family] =
            octets.first_chunk::<19>().ok_or_else(not)?;
        if magic != b"OpusHead" || version & 0xF0 != 0 {
            return Err(not());
        }
        if *family != 0 || !matches!(channels, 1 | 2) {
            return Err(PromptError::Layout { channels: u16::from(*channels), bits: 16 });
        }
        Ok(Self {
            pre_skip: u16::from_le_bytes([*skip_low, *skip_high]),
            gain: i16::from_le_bytes([*gain_low, *gain_high]),
        })
    }
}
