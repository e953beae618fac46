//! Quantisation of the line spectrum (3.2.4): for both predictors the best codeword, and of the two the better.

use crate::lsp::{Lines, ORDER, Predictor, spread_by, stabilise};
use crate::ops::*;
use crate::tables::lsp::{L1, L23, MA, MA_REST, MA_REST_INVERSE};

/// The frequencies on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Indices {
    /// L0.
    pub(super) predictor: u8,
    /// L1, L2, L3.
    pub(super) spectrum: [u8; 3],
}

/// 0.04 pi and 0.92 pi, and 1.0 of each side of the weight's parabola, Q13.
const LOW_EDGE: i16 = 1029;
const HIGH_EDGE: i16 = 23677;
const ONE: i16 = 8192;

/// How much an error of each frequency is heard (equation 22): more where two stand close, that is on a formant. All
/// are moved left until the greatest fills 15 bits.
#[inline(always)]
pub(super) fn weights(lsf: &Lines) -> Lines {
    let mut out: Lines = std::array::from_fn(|i| {
        let below = if i == 0 { LOW_EDGE } else { lsf[i - 1] };
        let above = if i == ORDER - 1 { HIGH_EDGE } else { lsf[i + 1] };
        let gap = sub(sub(above, below), ONE);
        if gap > 0 {
            return 2048;
        }
        // 10 times the square, and one: Q11.
        let square = extract_h(l_shl(l_mult(gap, gap), 2));
        add(extract_h(l_shl(l_mult(square, 20480), 2)), 2048)
    });
    for middle in &mut out[4..6] {
        // 1.2 in Q14.
        *middle = extract_h(l_shl(l_mult(*middle, 19661), 1));
    }
    filled(out)
}

/// Weights moved left until the greatest fills 15 bits.
#[inline(always)]
fn filled(mut weights: Lines) -> Lines {
    let most = weights.iter().fold(0, |most: i16, w| most.max(*w));
    // None of them is negative or greater than the greatest: nothing saturates.
    let left = norm_s(most) as u32;
    weights.iter_mut().for_each(|w| *w = w.wrapping_shl(left));
    weights
}

/// Quantises `lsf`, moves the predictor on; the indices and the frequencies they stand for.
#[inline(always)]
pub(super) fn quantise(predictor: &mut Predictor, lsf: &Lines) -> (Indices, Lines) {
    let weight = weights(lsf);
    let mut tries = [Found::default(), Found::default()];
    for (mode, found) in tries.iter_mut().enumerate() {
        let target = predictor.extract(&MA[mode], &MA_REST_INVERSE[mode], lsf);
        *found = best_word(&target, &weight, &MA_REST[mode]);
    }
    let mode = usize::from(tries[1].error < tries[0].error);
    let spectrum = tries[mode].indices;
    let word = crate::lsp::codeword(spectrum);
    let mut quantised = predictor.compose(&MA[mode], &MA_REST[mode], &word);
    predictor.push(&word);
    stabilise(&mut quantised);
    (Indices { predictor: mode as u8, spectrum }, quantised)
}

/// The codeword for one predictor.
#[derive(Default)]
struct Found {
    indices: [u8; 3],
    error: i32,
}

#[inline(always)]
fn best_word(target: &Lines, weight: &Lines, rest: &Lines) -> Found {
    let first = nearest_first(target);
    let row = &L1[first];
    let left: Lines = std::array::from_fn(|i| sub(target[i], row[i]));
    // The error is that of the frequencies, of which a codeword is a part only (equation 21).
    let heard = filled(std::array::from_fn(|i| mult(mult(weight[i], rest[i]), rest[i])));
    let mut word = [0i16; ORDER];
    let mut halves = [0u8; 2];
    for (half, index) in halves.iter_mut().enumerate() {
        let part = 5 * half..5 * half + 5;
        let found = nearest_second(&left[part.clone()], &heard[part.clone()], part.start);
        *index = found as u8;
        for i in part.clone() {
            word[i] = add(row[i], L23[found][i]);
        }
        // The upper half is pushed away from the lower one as well.
        spread_by(&mut word[part.start.saturating_sub(1)..part.end], 10);
    }
    spread_by(&mut word, 5);
    let error = (0..ORDER).fold(0, |sum, i| {
        let off = mult(sub(word[i], target[i]), rest[i]);
        let weighted = extract_h(l_shl(l_mult(weight[i], off), 4));
        l_mac(sum, weighted, off)
    });
    Found { indices: [first as u8, halves[0], halves[1]], error }
}

/// The first stage by coefficient, so that rows can be compared eight at a time.
static COLUMNS: [[i16; 128]; ORDER] = {
    let mut columns = [[0; 128]; ORDER];
    let mut i = 0;
    while i < 128 * ORDER {
        columns[i % ORDER][i / ORDER] = L1[i / ORDER][i % ORDER];
        i += 1;
    }
    columns
};

/// The least and the greatest of each coefficient in the first stage.
static BOUNDS: [(i16, i16); ORDER] = {
    let mut bounds = [(i16::MAX, i16::MIN); ORDER];
    let mut i = 0;
    while i < 128 * ORDER {
        let (x, bound) = (L1[i / ORDER][i % ORDER], &mut bounds[i % ORDER]);
        if x < bound.0 {
            bound.0 = x;
        }
        if x > bound.1 {
            bound.1 = x;
        }
        i += 1;
    }
    bounds
};

/// The row of the first stage next to the target.
#[inline(always)]
fn nearest_first(target: &Lines) -> usize {
    // The greatest distance any row can have: if twice that fits 31 bits, no sum needs to saturate.
    let most: i64 = (0..ORDER)
        .map(|i| {
            let t = i32::from(target[i]);
            let off = (t - i32::from(BOUNDS[i].0)).abs().max((t - i32::from(BOUNDS[i].1)).abs());
            i64::from(off) * i64::from(off)
        })
        .sum();
    if most >= 1 << 30 {
        return nearest_first_far(target);
    }
    let mut distances = [0i32; 128];
    for (part, eight) in distances.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let mut sums = [0i32; 8];
        for (column, t) in COLUMNS.iter().zip(target) {
            let entries = &column.as_chunks::<8>().0[part];
            for i in 0..8 {
                let off = i32::from(t.wrapping_sub(entries[i]));
                sums[i] = sums[i].wrapping_add(off.wrapping_mul(off));
            }
        }
        *eight = sums;
    }
    let least = distances.iter().fold(i32::MAX, |least, d| least.min(*d));
    distances.iter().position(|d| *d == least).unwrap_or(0)
}

/// [`nearest_first`] for a target far from every row.
fn nearest_first_far(target: &Lines) -> usize {
    let mut best = (i32::MAX, 0);
    for (k, row) in L1.iter().enumerate() {
        let distance = row.iter().zip(target).fold(0i32, |sum, (c, t)| {
            let off = sub(*t, *c);
            l_mac(sum, off, off)
        });
        if distance < best.0 {
            best = (distance, k);
        }
    }
    best.1
}

/// The second stage by coefficient.
static COLUMNS_23: [[i16; 32]; ORDER] = {
    let mut columns = [[0; 32]; ORDER];
    let mut i = 0;
    while i < 32 * ORDER {
        columns[i % ORDER][i / ORDER] = L23[i / ORDER][i % ORDER];
        i += 1;
    }
    columns
};

/// The row of the second stage whose half, from `start`, is next to what is left, by weight.
#[inline(always)]
fn nearest_second(left: &[i16], weight: &[i16], start: usize) -> usize {
    // No entry is beyond 5000: five squares of 14000 fit 30 bits.
    if left.iter().any(|x| !(-9000..=9000).contains(x)) {
        return nearest_second_far(left, weight, start);
    }
    let mut distances = [0i32; 32];
    for ((column, left), weight) in COLUMNS_23[start..start + 5].iter().zip(left).zip(weight) {
        for (distance, c) in distances.iter_mut().zip(column) {
            let off = left.wrapping_sub(*c);
            // Twice 14000 is still 16 bits.
            let weighted = ((i32::from(*weight) * i32::from(off.wrapping_mul(2))) >> 16) as i16;
            *distance = distance.wrapping_add(i32::from(weighted) * i32::from(off));
        }
    }
    let least = distances.iter().fold(i32::MAX, |least, d| least.min(*d));
    distances.iter().position(|d| *d == least).unwrap_or(0)
}

/// [`nearest_second`] with saturation.
fn nearest_second_far(left: &[i16], weight: &[i16], start: usize) -> usize {
    let mut best = (i32::MAX, 0);
    for (k, row) in L23.iter().enumerate() {
        let mut distance = 0;
        for (i, c) in row[start..start + 5].iter().enumerate() {
            let off = sub(left[i], *c);
            distance = l_mac(distance, mult(weight[i], off), off);
        }
        if distance < best.0 {
            best = (distance, k);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lsp::{LSP_START, lsp_to_lsf};

    fn wandering(seed: &mut u32) -> Lines {
        let even = lsp_to_lsf(&LSP_START);
        even.map(|x| {
            *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            x + ((*seed >> 20) as i16 - 2048) / 3
        })
    }

    #[test]
    fn the_fast_stages_are_the_plain_ones() {
        let mut seed = 1;
        for _ in 0..500 {
            let target = wandering(&mut seed);
            assert_eq!(nearest_first(&target), nearest_first_far(&target));
        }
        assert!(L23.iter().flatten().all(|x| x.abs() <= 5000));
        for i in 0..500i16 {
            let left = wandering(&mut seed).map(|x| x / 4 - 3000);
            let weight = weights(&wandering(&mut seed));
            let start = usize::from(i % 2 == 0) * 5;
            let part = start..start + 5;
            let fast = nearest_second(&left[part.clone()], &weight[part.clone()], start);
            assert_eq!(fast, nearest_second_far(&left[part.clone()], &weight[part], start));
        }
        assert_eq!(nearest_first(&[i16::MIN; 10]), nearest_first_far(&[i16::MIN; 10]));
    }

    #[test]
    fn what_is_quantised_comes_near_and_both_sides_agree() {
        let (mut ours, mut theirs) = (Predictor::default(), Predictor::default());
        let mut seed = 4;
        let mut off = 0.0;
        for _ in 0..200 {
            let lsf = wandering(&mut seed);
            let (indices, quantised) = quantise(&mut ours, &lsf);
            let mode = usize::from(indices.predictor);
            let word = crate::lsp::codeword(indices.spectrum);
            let mut decoded = theirs.compose(&MA[mode], &MA_REST[mode], &word);
            theirs.push(&word);
            stabilise(&mut decoded);
            assert_eq!(quantised, decoded);
            off += (0..10).map(|i| f64::from(lsf[i] - quantised[i]).powi(2)).sum::<f64>() / 10.0;
        }
        // Even for lines that jump about as no voice does.
        assert!((off / 200.0).sqrt() < 400.0, "{}", (off / 200.0).sqrt());
    }
}
