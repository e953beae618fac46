//! Files that people bring to be played as they speak: read once, kept as 16-bit mono at one rate.

use std::io::Cursor;
use std::time::Duration;

use super::{PromptError, at_rate, ogg_opus, wav};

/// What they are kept at: all that a voice needs.
pub const RATE_HZ: u32 = 16_000;

/// Reads a WAV or Ogg Opus file, whichever it is. It is refused when it is longer than `longest`, or nothing.
pub fn read(file: &[u8], longest: Duration) -> Result<Vec<i16>, PromptError> {
    let (rate_hz, samples) = match file.starts_with(b"OggS") {
        true => (ogg_opus::RATE, ogg_opus::read(Cursor::new(file))?),
        false => wav::read(Cursor::new(file))?,
    };
    if samples.is_empty() {
        return Err(PromptError::Empty);
    }
    let samples = at_rate(rate_hz, RATE_HZ, &samples)?;
    match length(&samples) > longest {
        true => Err(PromptError::TooLong { seconds: length(&samples).as_secs() + 1 }),
        false => Ok(samples),
    }
}

/// How long samples at [`RATE_HZ`] last.
pub fn length(samples: &[i16]) -> Duration {
    Duration::from_micros(samples.len() as u64 * 1_000_000 / u64::from(RATE_HZ))
}

/// A WAV file of samples at [`RATE_HZ`].
pub fn to_wav(samples: &[i16]) -> Result<Vec<u8>, PromptError> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE_HZ,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut file, spec)?;
    for sample in samples {
        writer.write_sample(*sample)?;
    }
    writer.finalize()?;
    Ok(file.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav_of(rate_hz: u32, channels: u16, seconds: u32) -> Vec<u8> {
        let spec = hound::WavSpec {
            channels,
            sample_rate: rate_hz,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut file = Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut file, spec).unwrap();
        for n in 0..rate_hz * seconds * u32::from(channels) {
            writer.write_sample((n % 100) as i16).unwrap();
        }
        writer.finalize().unwrap();
        file.into_inner()
    }

    /// VM-03: whatever its rate and channels, a file becomes mono at one rate, and what is kept of it reads as the same again.
    #[test]
    fn files_of_all_rates_are_kept_at_one() {
        for (rate_hz, channels) in [(8_000, 1), (16_000, 1), (44_100, 2), (48_000, 1)] {
            let samples = read(&wav_of(rate_hz, channels, 2), Duration::from_secs(60)).unwrap();
            let late = length(&samples).abs_diff(Duration::from_secs(2));
            assert!(late < Duration::from_millis(20), "{rate_hz} Hz: {late:?}");
            let again = read(&to_wav(&samples).unwrap(), Duration::from_secs(60)).unwrap();
            assert_eq!(again, samples);
        }
    }

    /// VM-03: what is no sound, or too long, is refused with its reason, and nothing panics.
    #[test]
    fn what_cannot_be_played_is_refused() {
        let longest = Duration::from_secs(1);
        assert!(matches!(read(b"", longest), Err(PromptError::Wav(_))));
        assert!(matches!(read(b"ID3\x03 an MP3", longest), Err(PromptError::Wav(_))));
        assert!(matches!(read(b"OggS, and then nothing", longest), Err(PromptError::Opus(_))));
        assert!(matches!(read(&wav_of(8_000, 1, 0), longest), Err(PromptError::Empty)));
        assert!(matches!(read(&wav_of(8_000, 1, 2), longest), Err(PromptError::TooLong { .. })));
        let whole = wav_of(8_000, 1, 1);
        for cut in [1, 20, 43, 44, 45, 100] {
            let _refused_or_short = read(&whole[..cut], longest);
        }
    }
}
