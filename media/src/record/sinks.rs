//! Where finished samples go: WAV, Opus in Ogg, peaks. Each takes blocks of two channels and keeps little.

use std::io::{self, Write};
use std::path::Path;

use ogg::writing::{PacketWriteEndInfo, PacketWriter};

use super::keys::RecordingKey;
use super::sealed::Out;

/// Two-channel WAV of 16 bits.
pub(super) struct Wav(Out);

impl Wav {
    /// The length is known beforehand, so nothing is written twice: an encrypted file can only be written from the front.
    pub(super) fn create(
        path: &Path,
        rate_hz: u32,
        samples: u64,
        key: Option<&RecordingKey>,
    ) -> io::Result<Self> {
        let mut out = Out::create(path, key)?;
        let data = u32::try_from(samples * 4).map_err(|_| io::Error::other("too long for WAV"))?;
        out.write_all(b"RIFF")?;
        out.write_all(&(data.saturating_add(36)).to_le_bytes())?;
        out.write_all(b"WAVEfmt ")?;
        // PCM, two channels, octets a second, octets a frame, bits a sample.
        out.write_all(&16u32.to_le_bytes())?;
        out.write_all(&1u16.to_le_bytes())?;
        out.write_all(&2u16.to_le_bytes())?;
        out.write_all(&rate_hz.to_le_bytes())?;
        out.write_all(&(rate_hz * 4).to_le_bytes())?;
        out.write_all(&4u16.to_le_bytes())?;
        out.write_all(&16u16.to_le_bytes())?;
        out.write_all(b"data")?;
        out.write_all(&data.to_le_bytes())?;
        Ok(Self(out))
    }

    pub(super) fn block(&mut self, left: &[i16], right: &[i16]) -> io::Result<()> {
        for (left, right) in left.iter().zip(right) {
            let ([l0, l1], [r0, r1]) = (left.to_le_bytes(), right.to_le_bytes());
            self.0.write_all(&[l0, l1, r0, r1])?;
        }
        Ok(())
    }

    pub(super) fn end(self) -> io::Result<()> {
        self.0.end()
    }
}

/// Stereo Opus in Ogg (RFC 7845).
pub(super) struct OggOpus {
    pages: PacketWriter<'static, Out>,
    encoder: opus::Encoder,
    serial: u32,
    /// Interleaved samples of a frame being filled.
    frame: Vec<i16>,
    frame_len: usize,
    /// Ticks of 48 kHz a sample.
    ticks: u64,
    pre_skip: u64,
    /// Samples taken, and samples a channel encoded.
    taken: u64,
    encoded: u64,
    packet: Box<[u8]>,
}

impl OggOpus {
    pub(super) fn create(
        path: &Path,
        rate_hz: u32,
        serial: u32,
        key: Option<&RecordingKey>,
    ) -> io::Result<Self> {
        let mut encoder = opus::Encoder::new(rate_hz, opus::Channels::Stereo, opus::Application::Audio)
            .map_err(io::Error::other)?;
        encoder.set_bitrate(opus::Bitrate::Bits(BITS_PER_SECOND)).map_err(io::Error::other)?;
        encoder.set_complexity(5).map_err(io::Error::other)?;
        let ticks = 48_000 / u64::from(rate_hz);
        let pre_skip = encoder.get_lookahead().map_err(io::Error::other)?.max(0) as u64 * ticks;
        let mut pages = PacketWriter::new(Out::create(path, key)?);
        // RFC 7845 §5.1: version 1, two channels, what to skip, the original rate, no gain, mapping family 0.
        let mut head = Vec::from(*b"OpusHead");
        head.extend_from_slice(&[1, 2]);
        head.extend_from_slice(&(pre_skip as u16).to_le_bytes());
        head.extend_from_slice(&rate_hz.to_le_bytes());
        head.extend_from_slice(&[0, 0, 0]);
        pages.write_packet(head, serial, PacketWriteEndInfo::EndPage, 0)?;
        let mut tags = Vec::from(*b"OpusTags");
        for text in ["patchbay", "COMMENT=left: customer, right: agent"] {
            if text.starts_with("COMMENT") {
                tags.extend_from_slice(&1u32.to_le_bytes());
            }
            tags.extend_from_slice(&(text.len() as u32).to_le_bytes());
            tags.extend_from_slice(text.as_bytes());
        }
        pages.write_packet(tags, serial, PacketWriteEndInfo::EndPage, 0)?;
        let frame_len = rate_hz as usize / 50 * 2;
        Ok(Self {
            pages,
            encoder,
            serial,
            frame: Vec::with_capacity(frame_len),
            frame_len,
            ticks,
            pre_skip,
            taken: 0,
            encoded: 0,
            packet: vec![0; 4_000].into_boxed_slice(),
        })
    }

    pub(super) fn block(&mut self, left: &[i16], right: &[i16]) -> io::Result<()> {
        self.taken += left.len() as u64;
        for (left, right) in left.iter().zip(right) {
            self.frame.extend([*left, *right]);
            if self.frame.len() == self.frame_len {
                // One page a second: players seek by pages.
                let page = (self.encoded / (self.frame_len as u64 / 2) + 1).is_multiple_of(50);
                let end = if page { PacketWriteEndInfo::EndPage } else { PacketWriteEndInfo::NormalPacket };
                self.encode(end)?;
            }
        }
        Ok(())
    }

    pub(super) fn end(mut self) -> io::Result<()> {
        // The encoder lags: the last samples come out only when as many follow. The granule position of the last page
        // says where the sound really ends (RFC 7845 §4.4).
        let wanted = self.taken + self.pre_skip / self.ticks;
        let frame = self.frame_len as u64 / 2;
        while self.encoded < wanted || self.encoded == 0 {
            self.frame.resize(self.frame_len, 0);
            let last = self.encoded + frame >= wanted;
            self.encode(if last { PacketWriteEndInfo::EndStream } else { PacketWriteEndInfo::NormalPacket })?;
        }
        self.pages.into_inner().end()
    }

    fn encode(&mut self, end: PacketWriteEndInfo) -> io::Result<()> {
        let len = self.encoder.encode(&self.frame, &mut self.packet).map_err(io::Error::other)?;
        self.frame.clear();
        self.encoded += self.frame_len as u64 / 2;
        let last = matches!(end, PacketWriteEndInfo::EndStream);
        let granule = if last { self.taken * self.ticks + self.pre_skip } else { self.encoded * self.ticks };
        self.pages.write_packet(self.packet[..len].to_vec(), self.serial, end, granule)
    }
}

/// Loudest sample of each part of the recording, for a waveform.
pub(super) struct Peaks {
    /// Samples a point.
    part: usize,
    filled: usize,
    left: Vec<u8>,
    right: Vec<u8>,
    loudest: (u16, u16),
}

impl Peaks {
    /// About 50 points a second, and never more than 4000.
    pub(super) fn new(rate_hz: u32, samples: u64) -> Self {
        let part = (u64::from(rate_hz) / 50).max(samples.div_ceil(POINTS_MAX));
        Self { part: part as usize, filled: 0, left: vec![], right: vec![], loudest: (0, 0) }
    }

    pub(super) fn block(&mut self, left: &[i16], right: &[i16]) {
        for (left, right) in left.iter().zip(right) {
            self.loudest =
                (self.loudest.0.max(left.unsigned_abs()), self.loudest.1.max(right.unsigned_abs()));
            self.filled += 1;
            if self.filled == self.part {
                self.point();
            }
        }
    }

    fn point(&mut self) {
        let scaled = |peak: u16| (u32::from(peak) * 255 / 32_768).min(255) as u8;
        self.left.push(scaled(self.loudest.0));
        self.right.push(scaled(self.loudest.1));
        (self.filled, self.loudest) = (0, (0, 0));
    }

    /// Writes `{"version":1,"length_ms":…,"point_ms":…,"left":[0…255],"right":[…]}`.
    pub(super) fn end(
        mut self,
        path: &Path,
        rate_hz: u32,
        length_ms: u64,
        key: Option<&RecordingKey>,
    ) -> io::Result<()> {
        if self.filled > 0 {
            self.point();
        }
        let json = serde_json::json!({
            "version": 1,
            "length_ms": length_ms,
            "point_ms": self.part as f64 * 1000.0 / f64::from(rate_hz),
            "left": self.left,
            "right": self.right,
        });
        let mut out = Out::create(path, key)?;
        out.write_all(&serde_json::to_vec(&json)?)?;
        out.end()
    }
}

/// Two voices: enough that neither leaks into the other audibly.
const BITS_PER_SECOND: i32 = 48_000;
const POINTS_MAX: u64 = 4_000;
