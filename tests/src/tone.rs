//! Tones: made, written, and found again. Two-way audio is proved by which tone arrives where.

use std::path::Path;

/// `seconds` of a sine at `hz`, at 70 % of full scale.
pub fn sine(hz: f64, rate: u32, seconds: f64) -> Vec<i16> {
    let count = (f64::from(rate) * seconds) as usize;
    (0..count)
        .map(|n| ((std::f64::consts::TAU * hz * n as f64 / f64::from(rate)).sin() * 0.7 * 32_767.0) as i16)
        .collect()
}

/// Writes a mono WAV of 16 bits.
pub fn write_wav(file: &Path, rate: u32, samples: &[i16]) {
    let mut out = Vec::with_capacity(44 + samples.len() * 2);
    let bytes = u32::try_from(samples.len() * 2).expect("short enough");
    out.extend_from_slice(b"RIFF");
    out.extend_from_slice(&(36 + bytes).to_le_bytes());
    out.extend_from_slice(b"WAVEfmt ");
    out.extend_from_slice(&16_u32.to_le_bytes());
    out.extend_from_slice(&[1, 0, 1, 0]);
    out.extend_from_slice(&rate.to_le_bytes());
    out.extend_from_slice(&(rate * 2).to_le_bytes());
    out.extend_from_slice(&[2, 0, 16, 0]);
    out.extend_from_slice(b"data");
    out.extend_from_slice(&bytes.to_le_bytes());
    samples.iter().for_each(|s| out.extend_from_slice(&s.to_le_bytes()));
    std::fs::write(file, out).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
}

/// A WAV of 16 bits as one vector a channel, and its rate.
pub fn read_wav(bytes: &[u8]) -> (u32, Vec<Vec<i16>>) {
    assert_eq!(&bytes[..4], b"RIFF", "not a WAV");
    let (mut at, mut rate, mut channels) = (12, 0, 0);
    loop {
        let size = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().expect("four bytes")) as usize;
        let body = &bytes[at + 8..];
        match &bytes[at..at + 4] {
            b"fmt " => {
                channels = usize::from(u16::from_le_bytes([body[2], body[3]]));
                rate = u32::from_le_bytes(body[4..8].try_into().expect("four bytes"));
                assert_eq!(u16::from_le_bytes([body[14], body[15]]), 16, "16 bits");
            }
            b"data" => {
                let samples: Vec<i16> = body[..size.min(body.len())]
                    .chunks_exact(2)
                    .map(|c| i16::from_le_bytes([c[0], c[1]]))
                    .collect();
                let split = |c| samples.iter().skip(c).step_by(channels).copied().collect();
                return (rate, (0..channels).map(split).collect());
            }
            _ => {}
        }
        at += 8 + size + size % 2;
    }
}

/// Mu-law, by the definition (G.711): the test's own, so that it does not agree with ours by sharing code.
pub fn to_mulaw(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = i32::from(sample).abs().min(32_635) + 132;
    let exponent = (31 - magnitude.leading_zeros() as i32 - 7).max(0);
    !(sign | (exponent << 4) as u8 | ((magnitude >> (exponent + 3)) & 15) as u8)
}

/// Linear from mu-law.
pub fn from_mulaw(code: u8) -> i16 {
    let code = !code;
    let magnitude = (((i32::from(code & 15) << 3) + 132) << ((code >> 4) & 7)) - 132;
    (if code & 0x80 == 0 { magnitude } else { -magnitude }) as i16
}

/// Linear from A-law.
pub fn from_alaw(code: u8) -> i16 {
    let code = code ^ 0x55;
    let (exponent, mantissa) = (i32::from((code >> 4) & 7), i32::from(code & 15));
    let magnitude =
        if exponent == 0 { (mantissa << 4) + 8 } else { ((mantissa << 4) + 264) << (exponent - 1) };
    (if code & 0x80 == 0 { -magnitude } else { magnitude }) as i16
}

/// How much of the signal's energy lies at `hz`, 0 to 1 (Goertzel).
pub fn share_at(samples: &[i16], rate: u32, hz: f64) -> f64 {
    let energy: f64 = samples.iter().map(|s| f64::from(*s).powi(2)).sum();
    if samples.is_empty() || energy == 0.0 {
        return 0.0;
    }
    let w = std::f64::consts::TAU * hz / f64::from(rate);
    let (mut s1, mut s2) = (0.0, 0.0);
    for sample in samples {
        (s1, s2) = (f64::from(*sample) + 2.0 * w.cos() * s1 - s2, s1);
    }
    let power = s1 * s1 + s2 * s2 - 2.0 * w.cos() * s1 * s2;
    2.0 * power / (energy * samples.len() as f64)
}

/// The share of 100 ms windows in which the tone is clearly there.
pub fn windows_with(samples: &[i16], rate: u32, hz: f64) -> f64 {
    let window = rate as usize / 10;
    let all = samples.chunks_exact(window);
    let count = all.len().max(1);
    all.filter(|w| share_at(w, rate, hz) > 0.6).count() as f64 / count as f64
}

/// The share of 100 ms windows with the tone, from the first that has it to the last: a hole in somebody's speech counts, the
/// time they took to begin does not.
pub fn unbroken(samples: &[i16], rate: u32, hz: f64) -> f64 {
    let spoken: Vec<bool> =
        samples.chunks_exact(rate as usize / 10).map(|w| share_at(w, rate, hz) > 0.6).collect();
    let (first, last) = (spoken.iter().position(|s| *s), spoken.iter().rposition(|s| *s));
    let Some((first, last)) = first.zip(last) else { return 0.0 };
    let whole = &spoken[first..=last];
    whole.iter().filter(|s| **s).count() as f64 / whole.len() as f64
}

/// For how many seconds the tone is there.
pub fn seconds_with(samples: &[i16], rate: u32, hz: f64) -> f64 {
    windows_with(samples, rate, hz) * samples.len() as f64 / f64::from(rate)
}

/// For how many seconds two tones are there at once, one at most ten times as loud as the other.
pub fn seconds_with_both(samples: &[i16], rate: u32, [one, other]: [f64; 2]) -> f64 {
    let both = |window: &&[i16]| {
        let shares = [one, other].map(|hz| share_at(window, rate, hz));
        shares.iter().all(|share| *share > 0.1) && shares.iter().sum::<f64>() > 0.7
    };
    samples.chunks_exact(rate as usize / 10).filter(both).count() as f64 / 10.0
}

/// A recording's two channels each hold the tone of their own party, and nothing of the other's: half of six seconds of talk at least, since
/// a browser may be slow to begin, and repeats its microphone's file with a click.
pub fn assert_apart(channels: &[Vec<i16>], rate: u32, [left, right]: [f64; 2]) {
    for (channel, own, other) in [(0, left, right), (1, right, left)] {
        assert!(seconds_with(&channels[channel], rate, own) > 3.0, "channel {channel} lacks its own party");
        assert!(
            windows_with(&channels[channel], rate, other) < 0.05,
            "channel {channel} holds the other party"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_found_at_its_own_frequency_only_also_after_the_codecs() {
        let tone = sine(440.0, 8_000, 1.0);
        let heard: Vec<i16> = tone.iter().map(|s| from_mulaw(to_mulaw(*s))).collect();
        assert!(share_at(&heard, 8_000, 440.0) > 0.95);
        assert!(share_at(&heard, 8_000, 1_000.0) < 0.05);
        assert!(windows_with(&heard, 8_000, 440.0) > 0.99);
        assert_eq!(windows_with(&vec![0; 8_000], 8_000, 440.0), 0.0);
    }

    #[test]
    fn two_tones_at_once_are_told_from_one_after_the_other() {
        let (low, high) = (sine(440.0, 8_000, 2.0), sine(1_000.0, 8_000, 2.0));
        let mixed: Vec<i16> = low.iter().zip(&high).map(|(a, b)| a / 2 + b / 2).collect();
        assert_eq!(seconds_with_both(&mixed, 8_000, [440.0, 1_000.0]), 2.0);
        assert_eq!(seconds_with_both(&mixed, 8_000, [440.0, 700.0]), 0.0);
        assert_eq!(seconds_with_both(&[low, high].concat(), 8_000, [440.0, 1_000.0]), 0.0);
    }

    #[test]
    fn a_hole_in_the_speech_counts_and_a_late_beginning_does_not() {
        let (silence, tone) = (vec![0; 8_000], sine(440.0, 8_000, 1.0));
        let late = [&silence[..], &tone, &tone].concat();
        assert_eq!(unbroken(&late, 8_000, 440.0), 1.0);
        assert!((seconds_with(&late, 8_000, 440.0) - 2.0).abs() < 0.01);
        let holed = [&tone[..], &silence, &tone, &silence].concat();
        assert!((unbroken(&holed, 8_000, 440.0) - 2.0 / 3.0).abs() < 0.01);
        assert_eq!(unbroken(&silence, 8_000, 440.0), 0.0);
    }

    #[test]
    fn a_wav_reads_back() {
        let file = tempfile::NamedTempFile::new().unwrap();
        write_wav(file.path(), 8_000, &[1, -2, 3]);
        assert_eq!(read_wav(&std::fs::read(file.path()).unwrap()), (8_000, vec![vec![1, -2, 3]]));
    }
}
