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
    let most = out.iter().fold(0, |most: i16, w| most.max(*w));
    out.map(|w| shl(w, norm_s(most)))
}

/// Quantises `lsf`, moves the predictor on; the indices and the frequencies they stand for.
pub(super) fn quantise(predictor: &mut Predictor, lsf: &Lines) -> (Indices, Lines) {
    let weight = weights(lsf);
    let tries = [0, 1].map(|mode| {
        let target = predictor.extract(&MA[mode], &MA_REST_INVERSE[mode], lsf);
        best_word(&target, &weight, &MA_REST[mode])
    });
    let mode = usize::from(tries[1].error < tries[0].error);
    let spectrum = tries[mode].indices;
    let word = crate::lsp::codeword(spectrum);
    let mut quantised = predictor.compose(&MA[mode], &MA_REST[mode], &word);
    predictor.push(&word);
    stabilise(&mut quantised);
    (Indices { predictor: mode as u8, spectrum }, quantised)
}

/// The codeword for one predictor.
struct Found {
    indices: [u8; 3],
    error: i32,
}

fn best_word(target: &Lines, weight: &Lines, rest: &Lines) -> Found {
    let first = nearest_first(target);
    let row = &L1[first];
    let left: Lines = std::array::from_fn(|i| sub(target[i], row[i]));
    let mut word = [0i16; ORDER];
    let mut halves = [0u8; 2];
    for (half, index) in halves.iter_mut().enumerate() {
        let part = 5 * half..5 * half + 5;
        let found = nearest_second(&left[part.clone()], &weight[part.clone()], part.start);
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

/// The row of the first stage next to the target.
fn nearest_first(target: &Lines) -> usize {
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

/// The row of the second stage whose half is next to what is left, by weight.
fn nearest_second(left: &[i16], weight: &[i16], start: usize) -> usize {
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
