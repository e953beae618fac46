//! The spectrum of a frame: line spectral frequencies (LSF, radians in Q13), their cosines (LSP, Q15) and LP coefficients
//! (Q12), and the quantiser's predictor that encoder and decoder share (3.2.4 to 3.2.6).

use crate::ops::*;
use crate::tables::lsp::*;

/// Order of linear prediction.
pub const ORDER: usize = 10;

/// Ten frequencies or cosines.
pub type Lines = [i16; ORDER];

/// Coefficients of `A(z)`, the first one 1.0, Q12.
pub type Lp = [i16; ORDER + 1];

/// The LSP both sides hold before the first frame, Q15.
pub const LSP_START: Lines = [30000, 26000, 21000, 15000, 8000, 0, -8000, -15000, -21000, -26000];

/// Least distances of the codewords' rearrangement, Q13: 0.0012 and 0.0006.
const SPACING: [i16; 2] = [10, 5];
/// Least frequency 0.005, least distance 0.0391 and greatest frequency 3.135 of a stable filter, Q13.
const LOWEST: i16 = 40;
const DISTANCE: i16 = 321;
const HIGHEST: i16 = 25681;

/// The moving average over the last four frames' codewords. `past[0]` is the latest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predictor {
    past: [Lines; 4],
}

impl Default for Predictor {
    fn default() -> Predictor {
        Predictor { past: [MA_START; 4] }
    }
}

impl Predictor {
    /// What the past contributes to the frame, Q13 times Q16: to be continued with [`l_mac`], or its upper half taken.
    fn past_part(&self, ma: &[Lines; 4], i: usize, start: i32) -> i32 {
        (0..4).fold(start, |acc, k| l_mac(acc, ma[k][i], self.past[k][i]))
    }

    /// The frequencies a codeword stands for (equation 20), Q13, not yet stable.
    pub fn compose(&self, ma: &[Lines; 4], rest: &Lines, word: &Lines) -> Lines {
        std::array::from_fn(|i| round(self.past_part(ma, i, l_mult(word[i], rest[i]))))
    }

    /// The codeword that would stand for `lsf`: the opposite of [`Predictor::compose`]. `inverse` is Q12.
    pub fn extract(&self, ma: &[Lines; 4], inverse: &Lines, lsf: &Lines) -> Lines {
        std::array::from_fn(|i| {
            let left = (0..4).fold(deposit_h(lsf[i]), |acc, k| l_msu(acc, self.past[k][i], ma[k][i]));
            extract_h(l_shl(l_mult(extract_h(left), inverse[i]), 3))
        })
    }

    /// Remembers the frame's codeword.
    pub fn push(&mut self, word: &Lines) {
        self.past.rotate_right(1);
        self.past[0] = *word;
    }
}

/// The codeword of a speech frame's three indices, rearranged twice, Q13. Indices beyond a codebook wrap.
pub fn codeword(indices: [u8; 3]) -> Lines {
    let first = &L1[usize::from(indices[0] & 127)];
    let halves = [&L23[usize::from(indices[1] & 31)], &L23[usize::from(indices[2] & 31)]];
    let mut word = std::array::from_fn(|i| add(first[i], halves[i / 5][i]));
    spread(&mut word);
    word
}

/// Pushes neighbours apart that stand too near: twice, with the two distances of 3.2.4.
pub fn spread(word: &mut Lines) {
    for distance in SPACING {
        spread_by(&mut word[..], distance);
    }
}

/// One pass of the rearrangement over a part of a codeword.
pub fn spread_by(word: &mut [i16], distance: i16) {
    for i in 1..word.len() {
        let short = shr(add(sub(word[i - 1], word[i]), distance), 1);
        if short > 0 {
            word[i - 1] = sub(word[i - 1], short);
            word[i] = add(word[i], short);
        }
    }
}

/// Makes the synthesis filter stable: order, least distance, both ends (3.2.4).
pub fn stabilise(lsf: &mut Lines) {
    for i in 1..ORDER {
        if lsf[i] < lsf[i - 1] {
            lsf.swap(i, i - 1);
        }
    }
    lsf[0] = lsf[0].max(LOWEST);
    for i in 1..ORDER {
        if sub(lsf[i], lsf[i - 1]) < DISTANCE {
            lsf[i] = add(lsf[i - 1], DISTANCE);
        }
    }
    lsf[ORDER - 1] = lsf[ORDER - 1].min(HIGHEST);
}

/// Cosines of the frequencies, exact to half a unit.
pub fn lsf_to_lsp(lsf: &Lines) -> Lines {
    lsf.map(cosine)
}

/// Cosine of an angle from 0 to pi in Q13. The Recommendation's table with lines between is up to eight units beside it.
fn cosine(angle: i16) -> i16 {
    // Pi / 2 and powers of the angle in Q30; nothing here exceeds 2^62.
    const QUARTER: i64 = 1_686_629_713;
    let from_quarter = QUARTER - (i64::from(angle) << 17);
    // The sine of what lacks to pi / 2, by its series; six terms are enough.
    let square = (from_quarter * from_quarter) >> 30;
    const ONE: i64 = 1 << 30;
    const SERIES: [i64; 6] = [ONE / -39_916_800, ONE / 362_880, ONE / -5040, ONE / 120, ONE / -6, ONE];
    let sum = SERIES.iter().fold(0i64, |sum, term| (sum.wrapping_mul(square) >> 30).wrapping_add(*term));
    let sine = sum.wrapping_mul(from_quarter) >> 30;
    ((sine + (1 << 14)) >> 15).clamp(-32768, 32767) as i16
}

/// Frequencies of the cosines.
pub fn lsp_to_lsf(lsp: &Lines) -> Lines {
    let mut entry = 63;
    let mut lsf = [0; ORDER];
    for i in (0..ORDER).rev() {
        while entry > 0 && COSINE[entry] < lsp[i] {
            entry -= 1;
        }
        let more = l_shr(l_mult(sub(lsp[i], COSINE[entry]), ARC_COSINE_SLOPE[entry]), 12);
        // pi / 2 in Q14.
        lsf[i] = mult(add((entry as i16) << 9, extract_l(more)), 25736);
    }
    lsf
}

/// The spectrum half way between two frames: that of the first subframe (equation 24).
pub fn midway(before: &Lines, now: &Lines) -> Lines {
    std::array::from_fn(|i| ((i32::from(before[i]) + i32::from(now[i]) + 1) >> 1) as i16)
}

/// LP coefficients of the cosines (equations 25 and 26).
pub fn lsp_to_lp(lsp: &Lines) -> Lp {
    let mut sum = polynomial([lsp[0], lsp[2], lsp[4], lsp[6], lsp[8]]);
    let mut difference = polynomial([lsp[1], lsp[3], lsp[5], lsp[7], lsp[9]]);
    for i in (1..6).rev() {
        sum[i] = l_add(sum[i], sum[i - 1]);
        difference[i] = l_sub(difference[i], difference[i - 1]);
    }
    let mut a = [4096; ORDER + 1];
    for i in 1..6 {
        a[i] = extract_l(l_shr_r(l_add(sum[i], difference[i]), 13));
        a[11 - i] = extract_l(l_shr_r(l_sub(sum[i], difference[i]), 13));
    }
    a
}

/// The product of `1 - 2 q z^-1 + z^-2` over five cosines, its first six coefficients, Q24.
fn polynomial(q: [i16; 5]) -> [i32; 6] {
    let twice = |x: i32, q: i16| sat32(i64::from(x).wrapping_mul(i64::from(q)) >> 14);
    let mut f = [1 << 24, l_msu(0, q[0], 512), 0, 0, 0, 0];
    for i in 2..6 {
        // Of the new highest term only half is in `f` so far: the product is symmetric.
        f[i] = l_sub(l_shl(f[i - 2], 1), twice(f[i - 1], q[i - 1]));
        for j in (2..i).rev() {
            f[j] = l_add(l_sub(f[j], twice(f[j - 1], q[i - 1])), f[j - 2]);
        }
        f[1] = l_msu(f[1], q[i - 1], 512);
    }
    f
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    fn spaced() -> Lines {
        std::array::from_fn(|i| {
            ((i + 1) as f64 * PI / 11.0 * 8192.0) as i16 + [0, 300, -250, 90, 0, 200, -80, 0, 350, 0][i]
        })
    }

    #[test]
    fn cosines_and_frequencies_are_each_others_inverse() {
        let lsf = spaced();
        let lsp = lsf_to_lsp(&lsf);
        for i in 0..ORDER {
            let exact = (f64::from(lsf[i]) / 8192.0).cos() * 32768.0;
            assert!((f64::from(lsp[i]) - exact).abs() < 0.6, "{i}: {} for {exact}", lsp[i]);
            assert!((lsp_to_lsf(&lsp)[i] - lsf[i]).abs() < 9);
        }
    }

    #[test]
    fn coefficients_are_those_of_the_product_of_pairs() {
        let lsp = lsf_to_lsp(&spaced());
        let product = |first: usize, last: f64| {
            (0..5).fold(vec![1.0, last], |f, k| {
                let mut longer = vec![0.0; f.len() + 2];
                for (i, c) in f.iter().enumerate() {
                    let twice = f64::from(lsp[2 * k + first]) / 16384.0;
                    longer[i] += c;
                    longer[i + 1] -= twice * c;
                    longer[i + 2] += c;
                }
                longer
            })
        };
        let (sum, difference) = (product(0, 1.0), product(1, -1.0));
        for (i, a) in lsp_to_lp(&lsp).iter().enumerate() {
            let exact = (sum[i] + difference[i]) / 2.0 * 4096.0;
            assert!((f64::from(*a) - exact).abs() < 1.0, "{i}: {a} for {exact}");
        }
    }

    #[test]
    fn the_predictor_finds_the_codeword_again() {
        let mut predictor = Predictor::default();
        predictor.push(&codeword([17, 3, 30]));
        let word = codeword([90, 11, 7]);
        for l0 in 0..2 {
            let lsf = predictor.compose(&MA[l0], &MA_REST[l0], &word);
            let found = predictor.extract(&MA[l0], &MA_REST_INVERSE[l0], &lsf);
            assert!((0..ORDER).all(|i| (found[i] - word[i]).abs() < 12), "{found:?} for {word:?}");
        }
    }

    #[test]
    fn any_indices_and_any_past_give_a_stable_filter() {
        let mut predictor = Predictor::default();
        let mut seed = 1u32;
        for _ in 0..20_000 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let word = codeword([(seed >> 8) as u8, (seed >> 16) as u8, (seed >> 24) as u8]);
            assert!(word.windows(2).all(|pair| pair[0] < pair[1] + 200), "{word:?}");
            let l0 = (seed >> 31) as usize;
            let mut lsf = predictor.compose(&MA[l0], &MA_REST[l0], &word);
            predictor.push(&word);
            stabilise(&mut lsf);
            assert!(lsf[0] >= LOWEST && lsf[9] <= HIGHEST);
            assert!(lsf[..9].windows(2).all(|pair| pair[1] - pair[0] >= DISTANCE), "{lsf:?}");
            let lsp = lsf_to_lsp(&lsf);
            assert!(lsp.windows(2).all(|pair| pair[0] > pair[1]), "{lsp:?}");
        }
    }
}
