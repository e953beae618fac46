//! Arithmetic wider than 32 bits by 16, and the functions by table: logarithm, power, inverse root (clause 5).
//!
//! A long value splits into `high * 2^16 + low * 2`, with `low` in 0..32768: so both halves are Q15 fractions and every
//! product is made of short ones.

use crate::ops::*;
use crate::tables::math::{INVERSE_ROOT, LOG2, POW2};

/// A 32-bit value as two short halves. The lowest bit is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// Upper 16 bits.
    pub high: i16,
    /// The 15 bits after them, without sign.
    pub low: i16,
}

impl Split {
    /// The two halves of `x`.
    #[inline(always)]
    pub fn of(x: i32) -> Split {
        Split { high: extract_h(x), low: ((x >> 1) & 0x7fff) as i16 }
    }

    /// The value again.
    #[inline(always)]
    pub fn long(self) -> i32 {
        deposit_h(self.high).saturating_add(i32::from(self.low) << 1)
    }

    /// Fractional product with a short value.
    #[inline(always)]
    pub fn mul16(self, n: i16) -> i32 {
        let high = i32::from(self.high) * i32::from(n);
        let low = (i32::from(self.low) * i32::from(n)) >> 15;
        if high == 1 << 30 {
            // -1 by -1, the only product that saturates.
            return i32::MAX.saturating_add(low << 1);
        }
        high.wrapping_add(low) << 1
    }

    /// Fractional product; what two low halves give is left out.
    #[inline(always)]
    pub fn mul32(self, other: Split) -> i32 {
        let highs = i32::from(self.high) * i32::from(other.high);
        if highs == 1 << 30 {
            // -1 by -1, the only product that saturates: what follows is subtracted from the greatest value.
            let acc = l_mac(i32::MAX, mult(self.high, other.low), 1);
            return l_mac(acc, mult(self.low, other.high), 1);
        }
        let mixed = |a: i16, b: i16| (i32::from(a) * i32::from(b)) >> 15;
        // Each low half has the sign of the other's high one: so even where both are greatest, twice the sum fits 32 bits.
        highs.wrapping_add(mixed(self.high, other.low)).wrapping_add(mixed(self.low, other.high)) << 1
    }
}

/// `numerator / denominator` in Q31, for positive values, `denominator` normalised and the larger.
///
/// The quotient is that of one step of Newton's method from a 15-bit reciprocal.
pub fn div_32(numerator: i32, denominator: Split) -> i32 {
    let guess = div_s(0x3fff, denominator.high);
    let error = l_sub(i32::MAX, denominator.mul16(guess));
    let reciprocal = Split::of(Split::of(error).mul16(guess));
    l_shl(Split::of(numerator).mul32(reciprocal), 2)
}

/// A line between two entries of a table: `offset` is Q15 of the way from `from` to `to`; the result Q31.
#[inline(always)]
fn between(from: i16, to: i16, offset: i16) -> i32 {
    l_msu(deposit_h(from), sub(from, to), offset)
}

/// log2 of a positive value: its whole part, and the rest in Q15. (0, 0) for others.
pub fn log2(x: i32) -> (i16, i16) {
    if x <= 0 {
        return (0, 0);
    }
    let shift = norm_l(x);
    let x = x << shift;
    // Bits 25 to 30 choose the entry, the next 15 say how far to the next one.
    let entry = ((x >> 25) - 32) as usize;
    let offset = ((x >> 10) & 0x7fff) as i16;
    (30 - shift, extract_h(between(LOG2[entry], LOG2[entry + 1], offset)))
}

/// 2 to the power of `whole + fraction / 32768`, rounded; `fraction` not negative.
pub fn pow2(whole: i16, fraction: i16) -> i32 {
    let fraction = fraction.max(0);
    let entry = (fraction >> 10) as usize;
    let offset = (fraction & 0x3ff) << 5;
    l_shr_r(between(POW2[entry], POW2[entry + 1], offset), sub(30, whole))
}

/// One over the square root: for x in Q0 the result is Q30. The largest value for x not positive.
pub fn inverse_root(x: i32) -> i32 {
    if x <= 0 {
        return 0x3fff_ffff;
    }
    let shift = norm_l(x);
    let mut x = x << shift;
    let exponent = 30 - shift;
    if exponent & 1 == 0 {
        x >>= 1;
    }
    let entry = ((x >> 25) - 16) as usize;
    let offset = ((x >> 10) & 0x7fff) as i16;
    l_shr(between(INVERSE_ROOT[entry], INVERSE_ROOT[entry + 1], offset), (exponent >> 1) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> impl Iterator<Item = i32> {
        (0..2000).map(|i: i32| (i.wrapping_mul(2_654_435) ^ (i << 7)).max(0) >> (i % 29)).chain([
            1,
            2,
            3,
            4,
            i32::MAX,
        ])
    }

    #[test]
    fn halves_come_together_again_and_multiply_as_wide_values_do() {
        for x in values().flat_map(|x| [x, -x]) {
            assert_eq!(Split::of(x).long(), x & !1);
            for n in [i16::MIN + 1, -20_000, -1, 0, 1, 9_999, i16::MAX] {
                let exact = (i64::from(x) * i64::from(n)) >> 15;
                assert!((i64::from(Split::of(x).mul16(n)) - exact).abs() <= 4, "{x} * {n}");
            }
        }
    }

    #[test]
    fn products_are_those_of_the_saturating_operators() {
        let shorts = [i16::MIN, i16::MIN + 1, -12_345, -1, 0, 1, 777, i16::MAX];
        let splits =
            || shorts.iter().flat_map(|high| [0, 1, 9_999, i16::MAX].map(|low| Split { high: *high, low }));
        for a in splits() {
            for n in shorts {
                assert_eq!(a.mul16(n), l_mac(l_mult(a.high, n), mult(a.low, n), 1), "{a:?} {n}");
            }
            for b in splits() {
                let acc = l_mac(l_mult(a.high, b.high), mult(a.high, b.low), 1);
                assert_eq!(a.mul32(b), l_mac(acc, mult(a.low, b.high), 1), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn functions_by_table_stay_near_the_true_ones() {
        for x in values().filter(|x| *x > 0) {
            let (whole, fraction) = log2(x);
            let found = f64::from(whole) + f64::from(fraction) / 32768.0;
            assert!((found - f64::from(x).log2()).abs() < 3e-4, "log2({x}) = {found}");
            let back = f64::from(pow2(whole, fraction));
            assert!((back - f64::from(x)).abs() < 1.0 + f64::from(x) * 4e-4, "2^log2({x}) = {back}");
            let root = f64::from(inverse_root(x)) / f64::from(1 << 30);
            assert!((root * f64::from(x).sqrt() - 1.0).abs() < 1.2e-3, "1/sqrt({x}) = {root}");
        }
        assert_eq!((log2(0), log2(-7), inverse_root(0)), ((0, 0), (0, 0), 0x3fff_ffff));
        assert_eq!((pow2(30, 0), pow2(-40, 0), pow2(60, 12)), (1 << 30, 0, i32::MAX));
    }

    #[test]
    fn quotients_are_right_to_a_few_units() {
        for d in values().filter(|d| *d > 0).map(|d| d << norm_l(d)) {
            for part in [0.001, 0.25, 0.7, 0.999] {
                let n = (f64::from(d) * part) as i32;
                let found = f64::from(div_32(n, Split::of(d))) / 2f64.powi(31);
                assert!((found - f64::from(n) / f64::from(d)).abs() < 1e-6, "{n} / {d} = {found}");
            }
        }
    }
}
