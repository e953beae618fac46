//! Quantisation of both gains (3.9.2): of all pairs of rows of the two codebooks the one with the least error is taken. The
//! Recommendation looks at a quarter of them, chosen by the gains that would be the best ones.
//!
//! The least error alone makes noise too quiet: what four pulses do not match is left out, and with it its energy. So the
//! pulses are fitted to a target a little louder ([`louder`]).

use super::closedloop::{PitchGain, Scaled, Subframe, wide_dot};
use crate::gain::{GainPredictor, Gains};
use crate::ops::*;
use crate::tables::gain::{GA, GA_TO_WIRE, GB, GB_TO_WIRE};

/// The gains of a subframe and the two indices that say them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chosen {
    pub(super) gains: Gains,
    /// GA and GB as sent.
    pub(super) wire: [u8; 2],
}

/// Pairs of rows.
const PAIRS: usize = 128;

/// Pitch gains of all pairs, Q14: pair `16 a + b` is of rows `a` and `b`.
static PITCHES: [i16; PAIRS] = {
    let mut pitches = [0; PAIRS];
    let mut i = 0;
    while i < PAIRS {
        pitches[i] = GA[i / 16][0] + GB[i % 16][0];
        i += 1;
    }
    pitches
};

/// The greatest of them.
const PITCH_MOST: i16 = 22_215;

/// What the predicted gain is multiplied by for each pair, Q12.
static CORRECTIONS: [i16; PAIRS] = {
    let mut corrections = [0; PAIRS];
    let mut i = 0;
    while i < PAIRS {
        corrections[i] = ((GA[i / 16][1] as i32 + GB[i % 16][1] as i32) >> 1) as i16;
        i += 1;
    }
    corrections
};

/// The error of two gains is a quadratic form (equation 63). Its terms by: pitch gain squared, pitch gain, code gain
/// squared, code gain, both gains.
type Form = [Scaled; 5];

/// The form for target `x`, filtered adaptive vector `y`, filtered pulses `z` (Q12).
#[inline(always)]
fn form(x: &Subframe, y: &Subframe, z: &Subframe, pitch: &PitchGain) -> Form {
    let mut low = *z;
    low.iter_mut().for_each(|z| *z >>= 3);
    let z = low;
    let minus_twice = |s: Scaled| Scaled { mantissa: negate(s.mantissa), q: s.q - 1 };
    let twice = |s: Scaled| Scaled { q: s.q - 1, ..s };
    [
        pitch.energy,
        minus_twice(pitch.likeness),
        sum(&z, &z, 19),
        minus_twice(louder(x, &z, 10)),
        twice(sum(y, &z, 10)),
    ]
}

/// A sum of products, never 0.
#[inline(always)]
fn sum(a: &Subframe, b: &Subframe, q: i16) -> Scaled {
    Scaled::of(2 * wide_dot(a, b) + 1, q)
}

/// [`sum`] as if one of the two were a thirty-second part (0.27 dB) louder. For the likeness of target and pulses: the best
/// gain of the pulses is then greater by as much.
#[inline(always)]
fn louder(a: &Subframe, b: &Subframe, q: i16) -> Scaled {
    let sum = 2 * wide_dot(a, b) + 1;
    Scaled::of(sum + (sum >> 5), q)
}

/// Quantises the gains for target `x`, the two filtered vectors and the pulses `code` (Q13); `tamed` keeps the pitch gain
/// below one.
#[inline(always)]
pub(super) fn quantise(
    predictor: &mut GainPredictor,
    (x, y, z): (&Subframe, &Subframe, &Subframe),
    pitch: &PitchGain,
    code: &Subframe,
    tamed: bool,
) -> Chosen {
    let form = form(x, y, z, pitch);
    let predicted = predictor.predict(code);

    // Bring the five terms to one scale, for gains of Q13 (squared), Q14 and those of the predicted gain.
    let q = predicted.q;
    let scales = [13, 14, 2 * q - 21, q - 3, q - 4];
    let least = (0..5).map(|i| form[i].q + scales[i]).fold(i16::MAX, i16::min);
    // Half of each, as the upper and lower halves of a split value multiply.
    let mut terms = [0i64; 5];
    for i in 0..5 {
        terms[i] = i64::from(l_shr(deposit_h(form[i].mantissa), form[i].q + scales[i] - least) >> 1);
    }

    let mut codes = [0i16; PAIRS];
    for (code, correction) in codes.iter_mut().zip(&CORRECTIONS) {
        *code = mult(predicted.mantissa, *correction);
    }
    let mut errors = errors(&terms, &codes);
    if tamed {
        for (error, pitch) in errors.iter_mut().zip(&PITCHES) {
            *error = if *pitch >= 16383 { i32::MAX } else { *error };
        }
    }
    let least = errors.iter().fold(i32::MAX, |least, error| least.min(*error));
    let best = errors.iter().position(|error| *error == least).unwrap_or(0);
    let (a, b) = (best / 16, best % 16);
    let correction = i32::from(GA[a][1]) + i32::from(GB[b][1]);
    predictor.push(correction);
    Chosen {
        gains: Gains { pitch: add(GA[a][0], GB[b][0]), code: predicted.times(correction) },
        wire: [GA_TO_WIRE[a], GB_TO_WIRE[b]],
    }
}

/// Powers of two gains: pitch gain squared, pitch gain, code gain squared, code gain, both.
#[inline(always)]
fn powers(pitch: i16, code: i16) -> [i16; 5] {
    // Gains are not negative, so no product overflows.
    let product = |a: i16, b: i16| ((i32::from(a) * i32::from(b)) >> 15) as i16;
    [product(pitch, pitch), pitch, product(code, code), code, product(code, pitch)]
}

/// The form's value for each pair of gains.
#[inline(always)]
fn errors(terms: &[i64; 5], codes: &[i16; PAIRS]) -> [i32; PAIRS] {
    // Of the gains no power exceeds that of the greatest ones.
    let most = |all: &[i16; PAIRS]| all.iter().fold(0, |most: i16, x| most.max(*x));
    let most = powers(PITCH_MOST, most(codes));
    let bound: i64 = (0..5).map(|i| ((terms[i].abs() * i64::from(most[i])) >> 15) + 1).sum();
    if bound < 1 << 30 {
        return errors_in_range(&terms.map(|t| (t >> 15) as i16), &terms.map(|t| (t & 0x7fff) as i16), codes);
    }
    std::array::from_fn(|n| {
        let powers = powers(PITCHES[n], codes[n]);
        (0..5).fold(0, |error, i| l_add(error, (((terms[i] * i64::from(powers[i])) >> 15) << 1) as i32))
    })
}

/// [`errors`] where none of the sums saturates; terms as their upper 16 and lower 15 bits. On its own, so that the compiler
/// makes vectors of it.
#[inline(always)]
fn errors_in_range(high: &[i16; 5], low: &[i16; 5], codes: &[i16; PAIRS]) -> [i32; PAIRS] {
    let mut out = [0; PAIRS];
    for n in 0..PAIRS {
        let powers = powers(PITCHES[n], codes[n]);
        let mut sum = 0i32;
        for i in 0..5 {
            let power = i32::from(powers[i]);
            sum =
                sum.wrapping_add(i32::from(high[i]) * power).wrapping_add((i32::from(low[i]) * power) >> 15);
        }
        out[n] = sum << 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_those_of_the_saturating_operators() {
        let mut seed = 3u32;
        let mut any = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) as i16
        };
        let mut saturated = 0;
        assert_eq!(PITCHES.iter().max(), Some(&PITCH_MOST));
        for round in 0..600 {
            let terms: [i64; 5] = std::array::from_fn(|_| i64::from(any()) << (15 - round % 9));
            let codes: [i16; PAIRS] = std::array::from_fn(|_| any() & 0x7fff);
            let found = errors(&terms, &codes);
            for n in 0..PAIRS {
                let (pitch, code) = (PITCHES[n], codes[n]);
                let powers = [mult(pitch, pitch), pitch, mult(code, code), code, mult(code, pitch)];
                let plain = (0..5).fold(0, |error, i| {
                    l_add(error, (((terms[i] * i64::from(powers[i])) >> 15) << 1) as i32)
                });
                assert_eq!(found[n], plain);
                saturated += usize::from(plain == i32::MAX || plain == i32::MIN);
            }
        }
        assert!(saturated > 50, "the wide sums are tried too: {saturated}");
    }

    #[test]
    fn a_louder_likeness_is_a_thirty_second_part_more_at_any_level() {
        let value = |s: Scaled| f64::from(s.mantissa) * 2f64.powi(-i32::from(s.q));
        let mut seed = 5u32;
        for loud in 0..14 {
            let mut noise = || {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 16) as i16 >> loud
            };
            let a: Subframe = std::array::from_fn(|_| noise());
            let b: Subframe = std::array::from_fn(|n| a[n] / 2 + noise() / 4);
            for b in [b, b.map(|b| -b)] {
                let ratio = value(louder(&a, &b, 10)) / value(sum(&a, &b, 10));
                assert!((ratio - 33.0 / 32.0).abs() < 0.01, "{ratio} at loudness {loud}");
            }
        }
        let most = [i16::MIN; 40];
        assert!((value(louder(&most, &most, 0)) / (80.0 * 2f64.powi(30)) - 33.0 / 32.0).abs() < 0.001);
    }
}
