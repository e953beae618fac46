//! From the predictor to its line spectral pairs (3.2.3, A.3.2.3).
//!
//! The roots of the sum and the difference polynomial lie on the unit circle and alternate, so they are looked for on the
//! way from 0 to pi: a change of sign between two points of the grid, two halvings, and a line between what is left.

use crate::ops::*;

/// `cos(i * pi / 50)` in Q15, towards zero; the ends stay inside of what the recurrence can take (Annex A looks at 50
/// points where the main body looks at 60).
#[rustfmt::skip]
static GRID: [i16; 51] = [
    32760, 32703, 32509, 32187, 31738, 31164, 30466, 29649, 28714, 27666, 26509, 25248, 23886, 22431, 20887, 19260, 17557,
    15786, 13951, 12062, 10125, 8149, 6140, 4106, 2057, 0, -2057, -4106, -6140, -8149, -10125, -12062, -13951, -15786,
    -17557, -19260, -20887, -22431, -23886, -25248, -26509, -27666, -28714, -29649, -30466, -31164, -31738, -32187, -32509,
    -32703, -32760,
];

/// One of the two polynomials as a Chebyshev series.
struct Series {
    /// 1.0 and coefficients 1 to 5, Q24 (Q23 where they would not fit 16 bits in Q11); the last one half of that.
    terms: [i64; 6],
    /// 10, or 9: bits that a value of the cosine, Q15, moves left for twice of it on that scale less one.
    unit: u32,
}

impl Series {
    /// Of coefficients of `bits`, 11 or 10.
    fn of(coefficients: [i16; 6], bits: u32) -> Series {
        let mut terms = coefficients.map(|f| i64::from(f) << 13);
        terms[5] >>= 1;
        Series { terms, unit: bits - 1 }
    }
}

impl Series {
    /// Its value at `x = cos(w)`, Q14, limited.
    #[inline]
    fn at(&self, x: i16) -> i16 {
        // Q24 for 11 bits, Q23 for 10. Values lose their lowest bit between two steps, as two halves of 16 bits do. Nothing
        // is limited before the end: coefficients have 29 bits, so values stay below 35, and their products below 50.
        let [start, first, second, third, fourth, last] = self.terms;
        let x = i64::from(x);
        let times = |value: i64, down: u32| (value >> 1).wrapping_mul(x) >> down;
        let mut two = start;
        let mut one = (x << self.unit).wrapping_add(first) & !1;
        for term in [second, third, fourth] {
            let next = (times(one, 13) & !3).wrapping_sub(two).wrapping_add(term);
            (two, one) = (one, next & !1);
        }
        let sum = (times(one, 14) & !1).wrapping_sub(two).wrapping_add(last);
        (sum >> self.unit).clamp(-32768, 32767) as i16
    }
}

/// The two polynomials without their roots at 1 and -1.
fn series(a: &[i16; 11]) -> [Series; 2] {
    let build = |bits: i16| {
        let unit = 1i16 << bits;
        let half = unit << 3;
        let mut sum = [unit; 6];
        let mut difference = [unit; 6];
        let mut fits = true;
        for i in 0..5 {
            let (low, high) = (a[i + 1], a[10 - i]);
            let plus = i32::from(extract_h(l_mac(l_mult(low, half), high, half))) - i32::from(sum[i]);
            let minus = i32::from(extract_h(l_msu(l_mult(low, half), high, half))) + i32::from(difference[i]);
            fits &= plus == i32::from(sat16(plus)) && minus == i32::from(sat16(minus));
            sum[i + 1] = sat16(plus);
            difference[i + 1] = sat16(minus);
        }
        let of = |coefficients| Series::of(coefficients, bits as u32);
        (fits, [of(sum), of(difference)])
    };
    match build(11) {
        (true, found) => found,
        (false, _) => build(10).1,
    }
}

/// The ten line spectral pairs, Q15 cosines from high to low. None if ten are not to be found: the last ones go on then.
pub(super) fn pairs(a: &[i16; 11]) -> Option<[i16; 10]> {
    let series = series(a);
    let mut out = [0i16; 10];
    let mut found = 0;
    let mut low = GRID[0];
    let mut at_low = series[0].at(low);
    for &next in &GRID[1..] {
        let current = &series[found & 1];
        let (mut high, mut at_high) = (low, at_low);
        low = next;
        at_low = current.at(low);
        if i32::from(at_low) * i32::from(at_high) > 0 {
            continue;
        }
        for _ in 0..2 {
            let middle = (low >> 1) + (high >> 1);
            let at_middle = current.at(middle);
            // Chosen, not branched: nobody can guess which.
            let below = i32::from(at_low) * i32::from(at_middle) <= 0;
            (high, at_high) = if below { (middle, at_middle) } else { (high, at_high) };
            (low, at_low) = if below { (low, at_low) } else { (middle, at_middle) };
        }
        low = crossing(low, high, at_low, at_high);
        out[found] = low;
        found += 1;
        if found == 10 {
            return Some(out);
        }
        at_low = series[found & 1].at(low);
    }
    None
}

/// Where the line between two values meets zero.
fn crossing(low: i16, high: i16, at_low: i16, at_high: i16) -> i16 {
    let rise = sub(at_high, at_low);
    if rise == 0 {
        return low;
    }
    let size = abs_s(rise);
    let shift = norm_s(size);
    let inverse = div_s(16383, size << shift);
    let slope = extract_l(l_shr(l_mult(sub(high, low), inverse), 20 - shift));
    let slope = if rise < 0 { negate(slope) } else { slope };
    sub(low, extract_l(l_shr(l_mult(at_low, slope), 11)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A(z) from pairs of poles (radius, angle as part of pi), Q12.
    fn filter(poles: [(f64, f64); 5]) -> [i16; 11] {
        let mut a = vec![1.0f64];
        for (r, w) in poles {
            let section = [1.0, -2.0 * r * (w * std::f64::consts::PI).cos(), r * r];
            let mut next = vec![0.0; a.len() + 2];
            for (i, x) in a.iter().enumerate() {
                section.iter().enumerate().for_each(|(j, y)| next[i + j] += x * y);
            }
            a = next;
        }
        std::array::from_fn(|i| (a[i] * 4096.0).round() as i16)
    }

    #[test]
    fn pairs_descend_and_stand_around_the_formants() {
        let a = filter([(0.97, 0.12), (0.95, 0.3), (0.9, 0.5), (0.9, 0.7), (0.8, 0.88)]);
        let found = pairs(&a).expect("a stable filter has ten pairs");
        assert!(found.windows(2).all(|w| w[0] > w[1]), "{found:?}");
        // A sharp formant has a pair close on each side.
        let near = (0.12 * std::f64::consts::PI).cos() * 32768.0;
        assert!(found[..2].iter().all(|q| (f64::from(*q) - near).abs() < 1500.0), "{found:?} {near}");
    }

    #[test]
    fn values_are_those_of_the_saturating_operators() {
        use crate::wide::Split;
        let a = filter([(0.97, 0.12), (0.95, 0.3), (0.9, 0.5), (0.9, 0.7), (0.8, 0.88)]);
        for series in series(&a) {
            assert_eq!(series.unit, 10);
            let mut f = series.terms.map(|term| (term >> 13) as i16);
            f[5] = (series.terms[5] >> 12) as i16;
            for x in -32760..=32760i16 {
                let mut two = Split::of(1 << 24);
                let mut one = Split::of(l_mac(l_mult(x, 512), f[1], 4096));
                for coefficient in &f[2..5] {
                    let t = l_sub(l_shl(one.mul16(x), 1), two.long());
                    (two, one) = (one, Split::of(l_mac(t, *coefficient, 4096)));
                }
                let t = l_sub(one.mul16(x), two.long());
                assert_eq!(series.at(x), extract_h(l_shl(l_mac(t, f[5], 2048), 6)));
            }
        }
    }

    #[test]
    fn a_flat_spectrum_spreads_them_evenly() {
        let found = pairs(&[4096, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).expect("ten");
        for (i, q) in found.iter().enumerate() {
            let even = ((i + 1) as f64 * std::f64::consts::PI / 11.0).cos() * 32768.0;
            assert!((f64::from(*q) - even).abs() < 40.0, "{i}: {q} {even}");
        }
    }

    #[test]
    fn a_filter_that_is_not_stable_gives_none_and_wild_ones_do_no_harm() {
        assert_eq!(pairs(&filter([(1.3, 0.2), (1.2, 0.4), (1.2, 0.5), (1.1, 0.6), (1.1, 0.9)])), None);
        let mut state = 5u32;
        for _ in 0..2000 {
            let wild = std::array::from_fn(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 16) as i16
            });
            let _ = pairs(&wild);
        }
    }
}
