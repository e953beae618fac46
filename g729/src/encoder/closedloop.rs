//! The pitch by synthesis (A.3.7): which past excitation, filtered, comes nearest to the target.
//!
//! Instead of filtering every candidate, the target is filtered backwards once; each candidate is then one dot product.

use crate::codebook::{DELAY_MAX, DELAY_MIN, Delay, PAST, SUBFRAME, adaptive};
use crate::correlate::{Signal, Taps};
use crate::cpu::Cpu;
use crate::dot::dot40;
use crate::ops::*;

/// A subframe's worth of samples.
pub(super) type Subframe = [i16; SUBFRAME];

/// A number `mantissa * 2^-q`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scaled {
    pub(super) mantissa: i16,
    pub(super) q: i16,
}

impl Scaled {
    /// `sum * 2^-q` with as many bits as 16 hold.
    #[inline(always)]
    pub(super) fn of(sum: i64, q: i16) -> Scaled {
        let over = (33 - (sum ^ (sum >> 63)).leading_zeros() as i16).max(0);
        let sum = (sum >> over) as i32;
        let shift = norm_l(sum);
        Scaled { mantissa: round(l_shl(sum, shift)), q: shift - 16 + q - over }
    }
}

/// The sum of a subframe's products in 64 bits. `a` has at least 40 samples.
#[inline(always)]
pub(super) fn wide_dot(a: &[i16], b: &Subframe) -> i64 {
    if i64::from(loudest(a)) * i64::from(loudest(b)) * (SUBFRAME as i64) < 1 << 31 {
        return i64::from(dot40(a, b));
    }
    a.iter().zip(b).fold(0i64, |sum, (x, y)| sum.wrapping_add(i64::from(i32::from(*x) * i32::from(*y))))
}

/// The greatest magnitude of some samples.
#[inline(always)]
pub(super) fn loudest(samples: &[i16]) -> i32 {
    let (least, most) = samples.iter().fold((0i16, 0i16), |(least, most), x| (least.min(*x), most.max(*x)));
    i32::from(most).max(-i32::from(least))
}

/// The correlation of `x` with the response `h` begun at each sample (equation 52), moved so that it fits 13 bits.
#[inline(always)]
pub(super) fn backward(cpu: Cpu, h: &Subframe, x: &Subframe) -> Subframe {
    let reach = h.iter().fold(0i32, |sum, h| sum.wrapping_add(i32::from(*h).abs()));
    let mut sums = [0i32; SUBFRAME];
    if i64::from(reach) * i64::from(loudest(x)) < 1 << 30 {
        // Behind the target stand zeros.
        let (x, h) = (Signal::<{ 2 * SUBFRAME + 8 }>::new(x), Taps::new(h));
        for (part, sums) in sums.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            *sums = x.eight(cpu, &h, 8 * part).map(|sum| sum << 1);
        }
    } else {
        let mut padded = [0i16; 2 * SUBFRAME];
        padded[..SUBFRAME].copy_from_slice(x);
        for (n, sum) in sums.iter_mut().enumerate() {
            *sum = sat32(wide_dot(&padded[n..n + SUBFRAME], h) << 1);
        }
    }
    let (least, most) =
        sums.iter().fold((0, 0), |(least, most): (i32, i32), sum| (least.min(*sum), most.max(*sum)));
    let most = most.max(l_negate(least));
    let shift = 18 - norm_l(most).min(16);
    let mut out = [0; SUBFRAME];
    for (out, sum) in out.iter_mut().zip(&sums) {
        *out = (sum >> shift) as i16;
    }
    out
}

/// Where the whole delays of the first subframe are looked for, around the open-loop one.
pub(super) fn first_range(open: i16) -> (i16, i16) {
    let low = (open - 3).clamp(DELAY_MIN, DELAY_MAX - 6);
    (low, low + 6)
}

/// Where those of the second are, around the first's.
pub(super) fn second_range(first: i16) -> (i16, i16) {
    let low = Delay::lowest_near(first);
    (low, low + 9)
}

/// The delay in `range` whose past excitation is most like `target` (filtered backwards); thirds where `thirds_below`
/// allows them.
///
/// `excitation` holds the past and, behind it, the residual of the subframe, which delays shorter than it use; it is
/// replaced by the adaptive codebook's vector.
#[inline(always)]
pub(super) fn search(
    cpu: Cpu,
    excitation: &mut [i16],
    target: &Subframe,
    range: (i16, i16),
    thirds_below: i16,
) -> Delay {
    let reach = target.iter().fold(0i32, |sum, d| sum.wrapping_add(i32::from(*d).abs()));
    let safe = i64::from(reach) * i64::from(loudest(excitation)) < 1 << 30;
    let whole = whole_delay(cpu, excitation, target, range, safe);
    adaptive(cpu, excitation, Delay { whole, third: 0 });
    if whole >= thirds_below {
        return Delay { whole, third: 0 };
    }
    let mut found = (likeness(&excitation[PAST..], target, safe), 0);
    let mut vector: Subframe = [0; SUBFRAME];
    vector.copy_from_slice(&excitation[PAST..]);
    for third in [-1, 1] {
        adaptive(cpu, excitation, Delay { whole, third });
        let now = likeness(&excitation[PAST..], target, safe);
        if now > found.0 {
            found = (now, third);
            vector.copy_from_slice(&excitation[PAST..]);
        }
    }
    excitation[PAST..].copy_from_slice(&vector);
    Delay { whole, third: found.1 }
}

/// The whole delay of the range that is most like the target; of those alike the least.
#[inline(always)]
fn whole_delay(cpu: Cpu, excitation: &[i16], target: &Subframe, range: (i16, i16), safe: bool) -> i16 {
    // Of at most sixteen delays the longest comes first here.
    let first = PAST - range.1 as usize;
    let mut found = [i32::MIN; 16];
    if safe {
        let past = Signal::<64>::new(&excitation[first..]);
        let taps = Taps::new(target);
        for (part, found) in found.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            *found = past.eight(cpu, &taps, 8 * part).map(|sum| sum << 1);
        }
    } else {
        for (n, found) in found.iter_mut().enumerate().take(1 + (range.1 - range.0) as usize) {
            *found = sat32(wide_dot(&excitation[first + n..][..SUBFRAME], target) << 1);
        }
    }
    let mut best = (i32::MIN, range.0);
    for whole in range.0..=range.1 {
        let now = found[(range.1 - whole) as usize];
        if now > best.0 {
            best = (now, whole);
        }
    }
    best.1
}

/// How like the target a candidate is; `safe` says that the sum fits 32 bits.
#[inline(always)]
fn likeness(past: &[i16], target: &Subframe, safe: bool) -> i32 {
    if safe { dot40(past, target) << 1 } else { sat32(wide_dot(past, target) << 1) }
}

/// The first delay as its 8 bits.
pub(super) fn first_index(delay: Delay) -> u8 {
    let index = if delay.whole <= 85 { 3 * delay.whole - 58 + delay.third } else { delay.whole + 112 };
    index.clamp(0, 255) as u8
}

/// The second as its 5 bits, around the first's whole part.
pub(super) fn second_index(delay: Delay, first: i16) -> u8 {
    (3 * (delay.whole - Delay::lowest_near(first)) + 2 + delay.third).clamp(0, 31) as u8
}

/// The gain that brings the filtered vector `y` nearest to the target `x`.
#[derive(Clone, Copy, Debug)]
pub(super) struct PitchGain {
    /// Q14, 0 to 1.2.
    pub(super) gain: i16,
    /// The energy of `y`, and its correlation with `x`.
    pub(super) energy: Scaled,
    /// See `energy`; 0 if it is not positive.
    pub(super) likeness: Scaled,
}

/// Equation 43.
#[inline(always)]
pub(super) fn pitch_gain(x: &Subframe, y: &Subframe) -> PitchGain {
    let energy = Scaled::of(2 * wide_dot(y, y) + 1, 1);
    let likeness = Scaled::of(2 * wide_dot(x, y), 1);
    if likeness.mantissa <= 0 {
        return PitchGain { gain: 0, energy, likeness: Scaled { mantissa: 0, q: 15 } };
    }
    let quotient = div_s(likeness.mantissa >> 1, energy.mantissa);
    let gain = shr(quotient, likeness.q - energy.q).min(19661);
    PitchGain { gain, energy, likeness }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: &mut u32) -> i16 {
        *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (*seed >> 16) as i16
    }

    #[test]
    fn correlations_are_those_of_the_saturating_operators() {
        let mut seed = 3;
        for loud in 0..14 {
            let x: Subframe = std::array::from_fn(|_| noise(&mut seed) >> loud);
            let h: Subframe =
                std::array::from_fn(|n| if n == 0 { 4096 } else { noise(&mut seed) >> (3 + n / 6) });
            let sums: Vec<i32> = (0..40).map(|i| (i..40).fold(0, |s, j| l_mac(s, x[j], h[j - i]))).collect();
            let most = sums.iter().fold(0, |most: i32, s| most.max(l_abs(*s)));
            let shift = 18 - norm_l(most).min(16);
            let plain: Vec<i16> = sums.iter().map(|s| extract_l(l_shr(*s, shift))).collect();
            assert_eq!(backward(Cpu::best(), &h, &x).to_vec(), plain, "loudness {loud}");
        }
    }

    #[test]
    fn the_delay_of_a_periodic_past_is_found_with_its_third() {
        for thirds in [66, 67, 80, 100, 101, 113] {
            let period = f64::from(thirds) / 3.0;
            let wave = |n: usize| {
                (1..7)
                    .map(|k| 2000.0 * (std::f64::consts::TAU * f64::from(k) * n as f64 / period).cos())
                    .sum::<f64>() as i16
            };
            let mut excitation: Vec<i16> = (0..PAST + SUBFRAME).map(wave).collect();
            let target: Subframe = std::array::from_fn(|n| wave(PAST + n) / 4);
            let low = (period as i16 - 3).max(20);
            let found = search(Cpu::best(), &mut excitation, &target, (low, low + 6), 85);
            let off = i32::from(3 * found.whole + found.third) - thirds;
            assert!(off.abs() <= 1, "{thirds}: {found:?}");
        }
    }

    #[test]
    fn indices_say_the_delays_they_are_read_as() {
        for whole in 20..=143 {
            for third in -1..=1 {
                let delay = Delay { whole, third: if whole >= 85 { 0 } else { third } };
                assert_eq!(Delay::first(first_index(delay)), delay);
                for first in [whole.max(24) - 4, whole] {
                    let near = Delay { whole, third };
                    assert_eq!(Delay::second(second_index(near, first), first), near);
                }
            }
        }
    }

    #[test]
    fn the_gain_is_the_quotient_and_bounded() {
        let y: Subframe = std::array::from_fn(|n| (n as i16 * 311) % 997 - 500);
        let half = pitch_gain(&y.map(|y| y / 2), &y);
        assert!((half.gain - 8192).abs() < 40, "{half:?}");
        assert_eq!(pitch_gain(&y.map(|y| 3 * y), &y).gain, 19661);
        assert_eq!(pitch_gain(&y.map(|y| -y), &y).gain, 0);
        assert_eq!(pitch_gain(&[i16::MIN; 40], &[i16::MIN; 40]).gain, 16384);
        assert_eq!(pitch_gain(&[0; 40], &[0; 40]).gain, 0);
    }
}
