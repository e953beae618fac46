//! Sounds that can be played: prompts, hold music, tones.
//!
//! A [`Prompt`] is encoded in every codec when it is made, so that playing it costs a media thread what relaying costs:
//! it sends octets that lie ready. Ten minutes take about 27 MB, therefore that is the limit. [`tones`] makes the sounds
//! of exchanges, [`music`] the melody-free chords that callers hear when nothing better is configured.

pub mod music;
mod ogg_opus;
pub mod spoken;
pub mod tones;
mod wav;

use model::media::Codec;

use crate::codec::{CodecError, Encoder, g711, g722, g729, packet_ms, resample::Resampler};

/// Why a sound cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// Longer than [`LENGTH_S_MAX`].
    #[error("the sound lasts {seconds} s; at most 600 s (10 minutes) can be held ready: cut it or split it")]
    TooLong {
        /// How long it is.
        seconds: u64,
    },
    /// There is nothing in it.
    #[error("the sound is empty")]
    Empty,
    /// A rate we cannot bring to 8 kHz.
    #[error("a sampling rate of {0} Hz is not supported; use 8000, 16000, 44100 or 48000 Hz")]
    Rate(u32),
    /// More channels than left and right, or samples that are not 16-bit whole numbers.
    #[error("{channels} channels of {bits} bits are not supported; use mono or stereo of 16 bits")]
    Layout {
        /// Channels in the file.
        channels: u16,
        /// Bits of a sample.
        bits: u16,
    },
    /// Not a WAV file, or a broken one.
    #[error("the file is not a readable WAV file: {0}")]
    Wav(#[from] hound::Error),
    /// Not an Ogg Opus file, or a broken one.
    #[error("the file is not a readable Ogg Opus file: {0}")]
    Opus(String),
    /// The encoder could not be set up.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

/// A sound, ready to be sent in every codec without work on the packet path.
///
/// It repeats without a seam: its length is a whole number of 20 ms, and its first packet is made as if its last one had just been
/// heard.
#[derive(Clone)]
pub struct Prompt {
    name: String,
    pcm_8k: Vec<i16>,
    pcmu: Vec<u8>,
    pcma: Vec<u8>,
    g722: Vec<u8>,
    g729: Vec<u8>,
    opus: Vec<u8>,
    /// Where each Opus packet ends.
    opus_ends: Vec<u32>,
}

/// A prompt's packets in one codec.
#[derive(Clone, Copy, Debug)]
pub struct Frames<'a> {
    octets: &'a [u8],
    cut: Cut<'a>,
    ticks: u32,
    ptime_ms: u8,
}

#[derive(Clone, Copy, Debug)]
enum Cut<'a> {
    /// Every so many octets, each of them so many ticks long.
    Even { octets: usize, each: u32 },
    /// At these places.
    Ends(&'a [u32]),
}

/// One packet of a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What to send.
    pub payload: &'a [u8],
    /// How long it lasts, in the codec's RTP clock.
    pub ticks: u32,
}

impl Prompt {
    /// A sound from mono samples at any rate up to 48 kHz. A last part of less than 20 ms is filled with silence.
    ///
    /// Takes about 10 ms of processor time a second of sound, most of it for Opus: make prompts when the program
    /// starts or a file changes, not when a call arrives.
    pub fn from_pcm(name: impl Into<String>, rate_hz: u32, samples: &[i16]) -> Result<Self, PromptError> {
        if samples.is_empty() {
            return Err(PromptError::Empty);
        }
        if rate_hz == 0 {
            return Err(PromptError::Rate(rate_hz));
        }
        let seconds = (samples.len() as u64).div_ceil(u64::from(rate_hz));
        if seconds > LENGTH_S_MAX {
            return Err(PromptError::TooLong { seconds });
        }
        let mut pcm_8k = at_rate(rate_hz, 8_000, samples)?;
        pcm_8k.resize(pcm_8k.len().next_multiple_of(160), 0);
        // Opus takes these rates as they are; anything else is brought to the best of them.
        let opus_hz = match rate_hz {
            8_000 | 16_000 | 24_000 | 48_000 => rate_hz,
            ..8_000 => 8_000,
            _ => 48_000,
        };
        let mut wide = at_rate(rate_hz, opus_hz, samples)?;
        wide.resize(pcm_8k.len() * (opus_hz as usize / 8_000), 0);
        let (opus, opus_ends) = encode_opus(opus_hz, &wide)?;
        Ok(Self {
            name: name.into(),
            pcmu: pcm_8k.iter().map(|s| g711::encode_mu(*s)).collect(),
            pcma: pcm_8k.iter().map(|s| g711::encode_a(*s)).collect(),
            g722: encode_g722(rate_hz, samples, pcm_8k.len())?,
            g729: encode_g729(&pcm_8k),
            pcm_8k,
            opus,
            opus_ends,
        })
    }

    /// A sound from a WAV file: 16 bits, mono or stereo (mixed to mono), 8, 16, 44.1 or 48 kHz.
    pub fn from_wav(name: impl Into<String>, wav: impl std::io::Read) -> Result<Self, PromptError> {
        let (rate_hz, samples) = wav::read(wav)?;
        Self::from_pcm(name, rate_hz, &samples)
    }

    /// A sound from an Ogg Opus file (RFC 7845), mono or stereo (mixed to mono).
    pub fn from_ogg_opus(
        name: impl Into<String>,
        file: impl std::io::Read + std::io::Seek,
    ) -> Result<Self, PromptError> {
        Self::from_pcm(name, ogg_opus::RATE, &ogg_opus::read(file)?)
    }

    /// The packets for a codec. G.711 is cut to any packet time of 10 to 60 ms (the last packet may be shorter), G.729 to whole
    /// frames; Opus is always 20 ms, which every receiver takes (RFC 7587 §4.2). `None` for other packet times.
    pub fn frames(&self, codec: Codec, ptime_ms: u8) -> Option<Frames<'_>> {
        if !(10..=60).contains(&ptime_ms) {
            return None;
        }
        let ptime_ms = packet_ms(codec, ptime_ms);
        let even = |octets, each| {
            let ticks = u32::from(ptime_ms) * 8;
            Frames { octets, cut: Cut::Even { octets: (ticks / each) as usize, each }, ticks, ptime_ms }
        };
        Some(match codec {
            Codec::Pcmu => even(&self.pcmu[..], 1),
            Codec::Pcma => even(&self.pcma[..], 1),
            Codec::G722 => even(&self.g722[..], 1),
            Codec::G729 => even(&self.g729[..], 8),
            Codec::Opus => {
                Frames { octets: &self.opus, cut: Cut::Ends(&self.opus_ends), ticks: 960, ptime_ms: 20 }
            }
        })
    }

    /// For logs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Mono samples at 8 kHz, for mixing.
    pub fn pcm_8k(&self) -> &[i16] {
        &self.pcm_8k
    }

    /// How long it lasts.
    pub fn length(&self) -> std::time::Duration {
        std::time::Duration::from_micros(self.pcm_8k.len() as u64 * 125)
    }
}

impl<'a> Frames<'a> {
    /// How many packets there are; at least one.
    pub fn len(&self) -> usize {
        match self.cut {
            Cut::Even { octets, .. } => self.octets.len().div_ceil(octets),
            Cut::Ends(ends) => ends.len(),
        }
    }

    /// Whether there are none, which is never so.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Milliseconds between packets: what was asked for, whole frames of it for G.729, or 20 for Opus.
    pub fn ptime_ms(&self) -> u8 {
        self.ptime_ms
    }

    /// One packet; `None` after the last.
    pub fn get(&self, index: usize) -> Option<Frame<'a>> {
        match self.cut {
            Cut::Even { octets: size, each } => {
                let from = index.checked_mul(size).filter(|from| *from < self.octets.len())?;
                let payload = &self.octets[from..(from + size).min(self.octets.len())];
                Some(Frame { payload, ticks: payload.len() as u32 * each })
            }
            Cut::Ends(ends) => {
                let end = *ends.get(index)? as usize;
                let from = index.checked_sub(1).map_or(0, |before| ends[before] as usize);
                Some(Frame { payload: &self.octets[from..end], ticks: self.ticks })
            }
        }
    }

    /// All packets in order.
    pub fn iter(self) -> impl Iterator<Item = Frame<'a>> {
        (0..self.len()).filter_map(move |index| self.get(index))
    }
}

impl std::fmt::Debug for Prompt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Prompt({}, {} ms)", self.name, self.length().as_millis())
    }
}

impl PartialEq for Prompt {
    fn eq(&self, other: &Self) -> bool {
        // The packets follow from the samples.
        self.name == other.name && self.pcm_8k == other.pcm_8k && self.opus == other.opus
    }
}

fn at_rate(from_hz: u32, to_hz: u32, samples: &[i16]) -> Result<Vec<i16>, PromptError> {
    if from_hz == to_hz {
        return Ok(samples.to_vec());
    }
    Resampler::whole(from_hz, to_hz, samples).ok_or(PromptError::Rate(from_hz))
}

/// G.722 that may be repeated for ever: an octet for each of `octets` samples at 8 kHz.
fn encode_g722(rate_hz: u32, samples: &[i16], octets: usize) -> Result<Vec<u8>, PromptError> {
    let mut wide = at_rate(rate_hz, g722::RATE_HZ, samples)?;
    wide.resize(octets * 2, 0);
    let mut encoder = g722::G722Encoder::default();
    let mut coded = vec![0; octets];
    // Coded twice, so that the beginning is made as if the end had just been heard.
    for _ in 0..2 {
        encoder.encode(&wide, &mut coded);
    }
    Ok(coded)
}

/// Frames of G.729 that may be repeated for ever.
fn encode_g729(pcm_8k: &[i16]) -> Vec<u8> {
    let mut encoder = g729::G729Encoder::new(false);
    let mut coded = vec![0; pcm_8k.len() / 8];
    // Up to a second of the end is heard before the beginning, as it is when the sound repeats.
    let run_up = pcm_8k.len().min(8_000);
    encoder.encode(&pcm_8k[pcm_8k.len() - run_up..], &mut coded);
    encoder.encode(pcm_8k, &mut coded);
    coded
}

/// Opus packets of 20 ms that may be repeated for ever.
fn encode_opus(rate_hz: u32, samples: &[i16]) -> Result<(Vec<u8>, Vec<u32>), PromptError> {
    let frame = rate_hz as usize / 50;
    let mut encoder = Encoder::new(Codec::Opus, rate_hz)?;
    let mut packet = [0; 400];
    // The end is heard before the beginning when the sound repeats: up to a second of it tunes the encoder.
    let run_up = samples.len().min(frame * 50);
    for piece in samples[samples.len() - run_up..].chunks_exact(frame) {
        encoder.encode(piece, &mut packet);
    }
    let (mut octets, mut ends) = (Vec::new(), Vec::with_capacity(samples.len() / frame));
    for (index, piece) in samples.chunks_exact(frame).enumerate() {
        // Whatever a listener's decoder heard before, it can begin here.
        encoder.next_stands_alone(index == 0);
        let len = encoder.encode(piece, &mut packet).ok_or(CodecError::Rate(rate_hz))?;
        octets.extend_from_slice(&packet[..len]);
        ends.push(octets.len() as u32);
    }
    octets.shrink_to_fit();
    Ok((octets, ends))
}

/// Longest sound, in seconds: ten minutes take 9.6 MB of samples, 9.6 MB of G.711, 4.8 MB of G.722, 0.6 MB of G.729 and 1.8 MB of Opus.
pub const LENGTH_S_MAX: u64 = 600;

#[cfg(test)]
mod tests;
