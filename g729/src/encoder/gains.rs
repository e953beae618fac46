//! Quantisation of both gains (3.9.2): optimal gains choose 4 rows of the first codebook and 8 of the second, and of their
//! 32 sums the one with the least error is taken.

use super::closedloop::{PitchGain, Scaled, Subframe, wide_dot};
use crate::gain::{GainPredictor, Gains};
use crate::ops::*;
use crate::tables::gain::{GA, GA_THRESHOLD, GA_TO_WIRE, GB, GB_THRESHOLD, GB_TO_WIRE};

/// The gains of a subframe and the two indices that say them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chosen {
    pub(super) gains: Gains,
    /// GA and GB as sent.
    pub(super) wire: [u8; 2],
}

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
        minus_twice(sum(x, &z, 10)),
        twice(sum(y, &z, 10)),
    ]
}

/// A sum of products, never 0.
#[inline(always)]
fn sum(a: &Subframe, b: &Subframe, q: i16) -> Scaled {
    Scaled::of(2 * wide_dot(a, b) + 1, q)
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
    let (first_a, first_b) = preselect(&form, predicted.mantissa, predicted.q, tamed);

    // Bring the five terms to one scale, for gains of Q13 (squared), Q14 and those of the predicted gain.
    let q = predicted.q;
    let scales = [13, 14, 2 * q - 21, q - 3, q - 4];
    let least = (0..5).map(|i| form[i].q + scales[i]).fold(i16::MAX, i16::min);
    // Half of each, as the upper and lower halves of a split value multiply.
    let mut terms = [0i64; 5];
    for i in 0..5 {
        terms[i] = i64::from(l_shr(deposit_h(form[i].mantissa), form[i].q + scales[i] - least) >> 1);
    }

    let (mut pitches, mut codes) = ([0i16; 32], [0i16; 32]);
    for i in 0..32 {
        let (row_a, row_b) = (&GA[first_a + i / 8], &GB[first_b + i % 8]);
        pitches[i] = row_a[0] + row_b[0];
        let correction = ((i32::from(row_a[1]) + i32::from(row_b[1])) >> 1) as i16;
        codes[i] = mult(predicted.mantissa, correction);
    }
    let mut errors = errors(&terms, &pitches, &codes);
    if tamed {
        for (error, pitch) in errors.iter_mut().zip(&pitches) {
            *error = if *pitch >= 16383 { i32::MAX } else { *error };
        }
    }
    let least = errors.iter().fold(i32::MAX, |least, error| least.min(*error));
    let best = errors.iter().position(|error| *error == least).unwrap_or(0);
    let (a, b) = (first_a + best / 8, first_b + best % 8);
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
fn errors(terms: &[i64; 5], pitches: &[i16; 32], codes: &[i16; 32]) -> [i32; 32] {
    // Of the gains no power exceeds that of the greatest ones.
    let most = |all: &[i16; 32]| all.iter().fold(0, |most: i16, x| most.max(*x));
    let most = powers(most(pitches), most(codes));
    let bound: i64 = (0..5).map(|i| ((terms[i].abs() * i64::from(most[i])) >> 15) + 1).sum();
    if bound < 1 << 30 {
        return errors_in_range(
            &terms.map(|t| (t >> 15) as i16),
            &terms.map(|t| (t & 0x7fff) as i16),
            pitches,
            codes,
        );
    }
    std::array::from_fn(|n| {
        let powers = powers(pitches[n], codes[n]);
        (0..5).fold(0, |error, i| l_add(error, (((terms[i] * i64::from(powers[i])) >> 15) << 1) as i32))
    })
}

/// [`errors`] where none of the sums saturates; terms as their upper 16 and lower 15 bits. On its own, so that the compiler
/// makes vectors of it.
#[inline(always)]
fn errors_in_range(high: &[i16; 5], low: &[i16; 5], pitches: &[i16; 32], codes: &[i16; 32]) -> [i32; 32] {
    let mut out = [0; 32];
    for n in 0..32 {
        let powers = powers(pitches[n], codes[n]);
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

/// `a * b - c * d`, as a mantissa below 2^31 and its scale.
#[inline(always)]
fn determinant(a: Scaled, b: Scaled, c: Scaled, d: Scaled) -> (i64, i32) {
    let product = |a: Scaled, b: Scaled| {
        (i64::from(a.mantissa) * i64::from(b.mantissa), i32::from(a.q) + i32::from(b.q))
    };
    let (left, left_q) = product(a, b);
    let (right, right_q) = product(c, d);
    let q = left_q.min(right_q);
    let down = |x: i64, by: i32| x >> by.min(62);
    (down(left, left_q - q) - down(right, right_q - q), q)
}

/// `numerator / denominator` in Q`bits`, limited to 31 bits.
#[inline(always)]
fn quotient((n, n_q): (i64, i32), (d, d_q): (i64, i32), bits: i32) -> i64 {
    if d <= 0 || n == 0 {
        return 0;
    }
    // The numerator moves up to 62 bits first, so that nothing is lost.
    let up = n.unsigned_abs().leading_zeros() as i32 - 2;
    let whole = (n << up) / d;
    let by = bits - up - n_q + d_q;
    let limit = i64::from(i32::MAX);
    if by >= 0 {
        if by > 30 { whole.signum() * limit } else { whole.saturating_mul(1 << by).clamp(-limit, limit) }
    } else {
        (whole >> (-by).min(62)).clamp(-limit, limit)
    }
}

/// Where the 4 rows of the first and the 8 of the second codebook begin.
///
/// Each codebook's rows lie along a line in the plane of the two gains. The optimal pair is taken apart along both lines;
/// what belongs to each is compared with the codebook's thresholds.
#[inline(always)]
fn preselect(form: &Form, predicted: i16, predicted_q: i16, tamed: bool) -> (usize, usize) {
    let [yy, xy, zz, xz, yz] = *form;
    // The form's mixed terms are doubled: 4 yy zz - yz^2, and 2 halves with the signs that equation 63 gives them.
    let up = |s: Scaled, by: i16| Scaled { q: s.q - by, ..s };
    let all = determinant(up(yy, 2), zz, yz, yz);
    let for_pitch = determinant(xz, yz, up(xy, 1), zz);
    let for_code = determinant(xy, yz, up(xz, 1), yy);
    let mut pitch = quotient(for_pitch, all, 14);
    if tamed {
        pitch = pitch.min(15401);
    }
    // Relative to the predicted gain.
    let predicted_all = ((all.0 * i64::from(predicted)) >> 15, all.1 + i32::from(predicted_q) - 15);
    let correction = quotient(for_code, predicted_all, 14).clamp(-(1 << 28), 1 << 28);
    let pitch = pitch.clamp(-(1 << 28), 1 << 28);
    // Lines: correction = 31.1346 pitch - 1.6123 for the first codebook, 0.4814 pitch + 0.0531 for the second; all Q14.
    let along_first = (66_566 * correction - 32_044 * pitch) / 65_536 + 415;
    let along_second = (66_566 * pitch - 2_138 * correction) / 65_536 + 28;
    let first = GA_THRESHOLD.iter().take_while(|t| along_first > i64::from(**t)).count();
    let second = GB_THRESHOLD.iter().take_while(|t| 2 * along_second > i64::from(**t)).count();
    (first, second)
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
        for round in 0..600 {
            let terms: [i64; 5] = std::array::from_fn(|_| i64::from(any()) << (15 - round % 9));
            let pitches: [i16; 32] = std::array::from_fn(|_| (any() & 0x7fff).min(22_215));
            let codes: [i16; 32] = std::array::from_fn(|_| any() & 0x7fff);
            let found = errors(&terms, &pitches, &codes);
            for n in 0..32 {
                let (pitch, code) = (pitches[n], codes[n]);
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
}
