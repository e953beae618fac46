//! Quantisation of the line spectrum (3.2.4): for both predictors the best codeword, and of the two the better.

use crate::cpu::Cpu;
use crate::lsp::{Lines, ORDER, Predictor, spread_by, stabilise};
use crate::ops::*;
use crate::tables::lsp::{L1, L23, MA, MA_REST, MA_REST_INVERSE};

use super::codewords::nearest;

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
pub(super) fn quantise(cpu: Cpu, predictor: &mut Predictor, lsf: &Lines) -> (Indices, Lines) {
    let weight = weights(lsf);
    let mut tries = [Found::default(), Found::default()];
    for (mode, found) in tries.iter_mut().enumerate() {
        let target = predictor.extract(&MA[mode], &MA_REST_INVERSE[mode], lsf);
        *found = best_word(cpu, &target, &weight, &MA_REST[mode]);
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
fn best_word(cpu: Cpu, target: &Lines, weight: &Lines, rest: &Lines) -> Found {
    // The error is that of the frequencies, of which a codeword is a part only (equation 21).
    let heard = filled(std::array::from_fn(|i| mult(mult(weight[i], rest[i]), rest[i])));
    let (first, halves) = nearest(cpu, target, &heard);
    let mut word = [0i16; ORDER];
    for (half, second) in halves.into_iter().enumerate() {
        let part = 5 * half..5 * half + 5;
        for i in part.clone() {
            word[i] = add(L1[first][i], L23[second][i]);
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
    Found { indices: [first, halves[0], halves[1]].map(|index| index as u8), error }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::lsp::{LSP_START, lsp_to_lsf};

    /// Frequencies that stand about even, and jump.
    pub(in crate::encoder) fn wandering(seed: &mut u32) -> Lines {
        let even = lsp_to_lsf(&LSP_START);
        even.map(|x| {
            *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            x + ((*seed >> 20) as i16 - 2048) / 3
        })
    }

    #[test]
    fn what_is_quantised_comes_near_and_both_sides_agree() {
        let (mut ours, mut theirs) = (Predictor::default(), Predictor::default());
        let mut seed = 4;
        let mut off = 0.0;
        for _ in 0..200 {
            let lsf = wandering(&mut seed);
            let (indices, quantised) = quantise(Cpu::best(), &mut ours, &lsf);
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
