//! Reading WAV files into mono samples.

use super::{LENGTH_S_MAX, PromptError};

/// Sampling rate and samples of a 16-bit WAV file; stereo is mixed to mono.
pub(super) fn read(wav: impl std::io::Read) -> Result<(u32, Vec<i16>), PromptError> {
    let reader = hound::WavReader::new(wav)?;
    let spec = reader.spec();
    if !matches!(spec.channels, 1 | 2)
        || spec.bits_per_sample != 16
        || spec.sample_format != hound::SampleFormat::Int
    {
        return Err(PromptError::Layout { channels: spec.channels, bits: spec.bits_per_sample });
    }
    if !(8_000..=48_000).contains(&spec.sample_rate) {
        return Err(PromptError::Rate(spec.sample_rate));
    }
    // Trust the header only for refusing: the samples are counted as they come.
    let seconds = u64::from(reader.duration()) / u64::from(spec.sample_rate);
    if seconds > LENGTH_S_MAX {
        return Err(PromptError::TooLong { seconds });
    }
    let longest = (LENGTH_S_MAX * u64::from(spec.sample_rate)) as usize;
    let mut samples = Vec::new();
    let mut left: Option<i16> = None;
    for sample in reader.into_samples::<i16>() {
        let sample = sample?;
        if spec.channels == 1 {
            samples.push(sample);
        } else if let Some(left) = left.take() {
            samples.push(((i32::from(left) + i32::from(sample)) / 2) as i16);
        } else {
            left = Some(sample);
        }
        if samples.len() > longest {
            return Err(PromptError::TooLong { seconds: LENGTH_S_MAX + 1 });
        }
    }
    Ok((spec.sample_rate, samples))
}
