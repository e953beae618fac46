//! Time without pitch: one period of a voice taken out or put in (WSOLA, as NetEQ's accelerate and pre-emptive expand).
//!
//! The period is the lag at which the signal is most like itself. Two stretches of that length are cross-faded into one
//! another, so both seams run on where the signal did. Where no lag is alike (consonants, music) nothing is done and the
//! next frame is tried; in silence any lag will do.

/// Takes a period out behind `at`; says how many samples went. Needs twice the longest period ([`needed`]) there.
pub fn shorten(line: &mut Vec<i16>, at: usize, rate_hz: u32) -> usize {
    let pending = line.get(at..).unwrap_or_default();
    let Some(lag) = period(pending, 0, rate_hz) else { return 0 };
    // At the left seam the signal goes on as it was, at the right one as it is a period later.
    for i in 0..lag {
        line[at + i] = fade(line[at + i], line[at + lag + i], i, lag);
    }
    line.copy_within(at + 2 * lag.., at + lag);
    line.truncate(line.len() - lag);
    lag
}

/// Puts a period in at `at`, made of what lies on both sides; says how many samples came. Needs the longest period on each
/// side, and as much spare capacity: it never allocates.
pub fn lengthen(line: &mut Vec<i16>, at: usize, rate_hz: u32) -> usize {
    let longest = longest(rate_hz);
    if at < longest || at > line.len() {
        return 0;
    }
    let Some(lag) = period(&line[at - longest..], longest, rate_hz) else { return 0 };
    let len = line.len();
    if line.capacity() < len + lag {
        return 0;
    }
    line.resize(len + lag, 0);
    line.copy_within(at..len, at + lag);
    for i in 0..lag {
        line[at + i] = fade(line[at + lag + i], line[at - lag + i], i, lag);
    }
    lag
}

/// Samples that [`shorten`] needs behind its place.
pub fn needed(rate_hz: u32) -> usize {
    2 * longest(rate_hz)
}

/// Samples that [`lengthen`] needs on each side, and the most that either changes.
pub const fn longest(rate_hz: u32) -> usize {
    rate_hz as usize * LONGEST_US / 1_000_000
}

/// The lag at which the samples at `origin` are most like those `lag` away: later when `origin` is 0, earlier otherwise.
///
/// When a thread was held up, all its voices are shortened in every frame for a while, just when there is no time for it: so
/// powers are differences of sums made once, and a lag costs one product of two rows, in lanes.
fn period(samples: &[i16], origin: usize, rate_hz: u32) -> Option<usize> {
    let (shortest, longest) = (rate_hz as usize * SHORTEST_US / 1_000_000, longest(rate_hz));
    if samples.len() < 2 * longest || shortest == 0 || longest > LONGEST_SAMPLES {
        return None;
    }
    let mut row = [0.0f32; 2 * LONGEST_SAMPLES];
    // The power of the first n samples, exactly.
    let mut powers = [0i64; 2 * LONGEST_SAMPLES + 1];
    let mut sum = 0;
    for ((at, power), sample) in row.iter_mut().zip(&mut powers[1..]).zip(&samples[..2 * longest]) {
        *at = f32::from(*sample);
        sum += i64::from(*sample) * i64::from(*sample);
        *power = sum;
    }
    let power = |from: usize, len: usize| (powers[from + len] - powers[from]) as f32;
    if power(origin, longest) < SILENCE * SILENCE * longest as f32 {
        return Some(longest * 2 / 3);
    }
    let alike = |lag: usize| {
        let len = lag.max(shortest * 2);
        let there = if origin == 0 { lag } else { origin - lag };
        let both = product(&row[origin..origin + len], &row[there..there + len]);
        both / ((1.0 + power(origin, len)) * (1.0 + power(there, len))).sqrt()
    };
    let best = |lags: &mut dyn Iterator<Item = usize>| {
        lags.map(|lag| (lag, alike(lag))).max_by(|a, b| a.1.total_cmp(&b.1))
    };
    // Above 8 kHz, first every nth lag, then exactly around the best.
    let step = (rate_hz as usize / 8_000).max(1);
    let (coarse, _) = best(&mut (shortest..=longest).step_by(step))?;
    let around = coarse.saturating_sub(step - 1).max(shortest)..=(coarse + step - 1).min(longest);
    best(&mut around.into_iter()).filter(|(_, likeness)| *likeness > ALIKE).map(|(lag, _)| lag)
}

/// The sum of products, in lanes that the processor works on at once.
fn product(a: &[f32], b: &[f32]) -> f32 {
    let (a_lanes, a_rest) = a.as_chunks::<LANES>();
    let (b_lanes, b_rest) = b.as_chunks::<LANES>();
    let mut lanes = [0.0f32; LANES];
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f32>() + rest
}

/// From `a` to `b` over `len` samples.
fn fade(a: i16, b: i16, i: usize, len: usize) -> i16 {
    let (share, whole) = (i as i64 + 1, len as i64 + 1);
    ((i64::from(a) * (whole - share) + i64::from(b) * share) / whole) as i16
}

/// 400 Hz: the highest voices.
const SHORTEST_US: usize = 2_500;
/// 67 Hz: the lowest ones.
const LONGEST_US: usize = 15_000;
/// The longest at the highest rate of our codecs, 48 kHz.
const LONGEST_SAMPLES: usize = longest(48_000);
/// Sums side by side.
const LANES: usize = 8;
/// Likeness from which two periods can be laid over each other unheard (NetEQ's figure).
const ALIKE: f32 = 0.9;
/// Amplitude below which any lag will do: 60 dB under full scale.
const SILENCE: f32 = 33.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn voice(pitch_hz: f64, rate: u32, from: usize, len: usize) -> Vec<i16> {
        (from..from + len)
            .map(|i| {
                let t = i as f64 / f64::from(rate) * std::f64::consts::TAU * pitch_hz;
                (4_000.0 * t.sin() + 2_500.0 * (2.0 * t).sin() + 1_200.0 * (3.0 * t + 0.7).sin()) as i16
            })
            .collect()
    }

    fn steepest(samples: &[i16]) -> i32 {
        samples.windows(2).map(|w| (i32::from(w[1]) - i32::from(w[0])).abs()).max().unwrap()
    }

    #[test]
    fn a_voice_loses_and_gains_whole_periods_without_a_seam() {
        for rate in [8_000, 16_000, 48_000] {
            for pitch in [90.0, 125.0, 210.0, 320.0] {
                let before = voice(pitch, rate, 0, rate as usize / 10);
                let at = longest(rate);
                for longer in [false, true] {
                    let mut line = before.clone();
                    line.reserve(at);
                    let changed =
                        if longer { lengthen(&mut line, at, rate) } else { shorten(&mut line, at, rate) };
                    let periods = changed as f64 * pitch / f64::from(rate);
                    assert!(
                        changed > 0 && (periods - periods.round()).abs() < 0.05,
                        "{periods} at {pitch} Hz"
                    );
                    let expected = if longer { before.len() + changed } else { before.len() - changed };
                    assert_eq!(line.len(), expected);
                    assert_eq!(line[..at], before[..at], "what was played stays as it was");
                    assert!(
                        steepest(&line) <= steepest(&before) * 11 / 10,
                        "no click: {} against {}",
                        steepest(&line),
                        steepest(&before)
                    );
                }
            }
        }
    }

    #[test]
    fn noise_is_left_alone_and_silence_may_be_cut_anywhere() {
        let mut state = 1u32;
        let mut noise: Vec<i16> = (0..800)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 18) as i16 - 8_192
            })
            .collect();
        noise.reserve(800);
        assert_eq!((shorten(&mut noise, 120, 8_000), lengthen(&mut noise, 120, 8_000)), (0, 0));
        let mut silence = vec![3i16; 800];
        assert_eq!(shorten(&mut silence, 120, 8_000), 80);
        assert!(silence.iter().all(|s| *s == 3));
    }

    #[test]
    fn too_little_to_look_at_changes_nothing() {
        for len in 0..240 {
            let mut line = voice(200.0, 8_000, 0, len);
            assert_eq!(shorten(&mut line, 0, 8_000), 0);
            assert_eq!(lengthen(&mut line, 119.min(len), 8_000), 0);
            assert_eq!(line.len(), len);
        }
    }
}
