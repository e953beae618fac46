//! The basic operators of clause 5: 16 and 32 bits, saturating, with nothing undefined.
//!
//! The names are the Recommendation's, so that an equation and its line of code can be laid side by side. None of them
//! panics or wraps, whatever comes in.

/// `x` limited to 16 bits.
#[inline(always)]
pub fn sat16(x: i32) -> i16 {
    x.clamp(-32768, 32767) as i16
}

/// `x` limited to 32 bits.
#[inline(always)]
pub fn sat32(x: i64) -> i32 {
    x.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

/// Sum of two short values.
#[inline(always)]
pub fn add(a: i16, b: i16) -> i16 {
    a.saturating_add(b)
}

/// Difference of two short values.
#[inline(always)]
pub fn sub(a: i16, b: i16) -> i16 {
    a.saturating_sub(b)
}

/// Opposite of a short value; that of -32768 is 32767.
#[inline(always)]
pub fn negate(a: i16) -> i16 {
    0i16.saturating_sub(a)
}

/// Magnitude of a short value; that of -32768 is 32767.
#[inline(always)]
pub fn abs_s(a: i16) -> i16 {
    a.saturating_abs()
}

/// Short shift left by `by` bits, right if it is negative.
#[inline(always)]
pub fn shl(a: i16, by: i16) -> i16 {
    if by < 0 {
        return shr(a, negate(by));
    }
    if by >= 15 {
        return if a == 0 { 0 } else { sat16(i32::from(a.signum()) << 16) };
    }
    sat16(i32::from(a) << by)
}

/// Short shift right by `by` bits, left if it is negative.
#[inline(always)]
pub fn shr(a: i16, by: i16) -> i16 {
    if by < 0 { shl(a, negate(by)) } else { a >> by.min(15) }
}

/// Fractional product of two Q15 values.
#[inline(always)]
pub fn mult(a: i16, b: i16) -> i16 {
    sat16((i32::from(a) * i32::from(b)) >> 15)
}

/// [`mult`], rounded.
#[inline(always)]
pub fn mult_r(a: i16, b: i16) -> i16 {
    sat16((i32::from(a) * i32::from(b) + 0x4000) >> 15)
}

/// Twice the product: Q15 by Q15 is Q31.
#[inline(always)]
pub fn l_mult(a: i16, b: i16) -> i32 {
    (i32::from(a) * i32::from(b)).saturating_mul(2)
}

/// `acc` and the doubled product.
#[inline(always)]
pub fn l_mac(acc: i32, a: i16, b: i16) -> i32 {
    acc.saturating_add(l_mult(a, b))
}

/// `acc` less the doubled product.
#[inline(always)]
pub fn l_msu(acc: i32, a: i16, b: i16) -> i32 {
    acc.saturating_sub(l_mult(a, b))
}

/// Sum of two long values.
#[inline(always)]
pub fn l_add(a: i32, b: i32) -> i32 {
    a.saturating_add(b)
}

/// Difference of two long values.
#[inline(always)]
pub fn l_sub(a: i32, b: i32) -> i32 {
    a.saturating_sub(b)
}

/// Opposite of a long value.
#[inline(always)]
pub fn l_negate(a: i32) -> i32 {
    0i32.saturating_sub(a)
}

/// Magnitude of a long value.
#[inline(always)]
pub fn l_abs(a: i32) -> i32 {
    a.saturating_abs()
}

/// Long shift left by `by` bits, right if it is negative.
#[inline(always)]
pub fn l_shl(a: i32, by: i16) -> i32 {
    if by < 0 {
        return l_shr(a, negate(by));
    }
    if a == 0 {
        return 0;
    }
    if by >= 31 {
        return if a > 0 { i32::MAX } else { i32::MIN };
    }
    sat32(i64::from(a) << by)
}

/// Long shift right by `by` bits, left if it is negative.
#[inline(always)]
pub fn l_shr(a: i32, by: i16) -> i32 {
    if by < 0 { l_shl(a, negate(by)) } else { a >> by.min(31) }
}

/// Long shift right, rounded: half goes up.
#[inline(always)]
pub fn l_shr_r(a: i32, by: i16) -> i32 {
    if by > 31 {
        return 0;
    }
    if by <= 0 {
        return l_shl(a, negate(by));
    }
    (a >> by) + ((a >> (by - 1)) & 1)
}

/// The upper half.
#[inline(always)]
pub fn extract_h(a: i32) -> i16 {
    (a >> 16) as i16
}

/// The lower half, as it is.
#[inline(always)]
pub fn extract_l(a: i32) -> i16 {
    a as i16
}

/// `a` as an upper half.
#[inline(always)]
pub fn deposit_h(a: i16) -> i32 {
    i32::from(a) << 16
}

/// The upper half, rounded.
#[inline(always)]
pub fn round(a: i32) -> i16 {
    extract_h(a.saturating_add(0x8000))
}

/// Bits a short value can move left before it overflows; 0 for 0.
#[inline(always)]
pub fn norm_s(a: i16) -> i16 {
    if a == 0 { 0 } else { ((a ^ (a >> 15)).leading_zeros() as i16) - 1 }
}

/// Bits a long value can move left before it overflows; 0 for 0.
#[inline(always)]
pub fn norm_l(a: i32) -> i16 {
    if a == 0 { 0 } else { ((a ^ (a >> 31)).leading_zeros() as i16) - 1 }
}

/// Quotient of `0 <= a <= b`, `b > 0`, in Q15. Outside of that range the nearest quotient it can say.
#[inline(always)]
pub fn div_s(a: i16, b: i16) -> i16 {
    if a <= 0 {
        return 0;
    }
    if a >= b {
        return i16::MAX;
    }
    ((i32::from(a) << 15) / i32::from(b)) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values at and around every corner, and some between.
    fn shorts() -> Vec<i16> {
        let mut all = vec![
            i16::MIN,
            i16::MIN + 1,
            -16385,
            -16384,
            -2,
            -1,
            0,
            1,
            2,
            16383,
            16384,
            i16::MAX - 1,
            i16::MAX,
        ];
        all.extend((0..120).map(|i: i32| i.wrapping_mul(40503).wrapping_mul(i + 7) as i16));
        all
    }

    fn longs() -> Vec<i32> {
        let mut all =
            vec![i32::MIN, i32::MIN + 1, -0x4000_0001, -0x4000_0000, -0x8001, -0x8000, -1, 0, 1, 0x7fff];
        all.extend([0x8000, 0x3fff_ffff, 0x4000_0000, 0x7fff_7fff, 0x7fff_8000, i32::MAX]);
        all.extend((0..120).map(|i: i32| i.wrapping_mul(1_640_531_527).wrapping_add(i * i)));
        all
    }

    fn limited(x: i64, bits: u32) -> i64 {
        x.clamp(-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    }

    #[test]
    fn sums_and_products_are_those_of_wide_integers_limited() {
        for a in shorts() {
            assert_eq!(i64::from(negate(a)), limited(-i64::from(a), 16));
            assert_eq!(i64::from(abs_s(a)), limited(i64::from(a).abs(), 16));
            for b in shorts() {
                let (x, y) = (i64::from(a), i64::from(b));
                assert_eq!(i64::from(add(a, b)), limited(x + y, 16));
                assert_eq!(i64::from(sub(a, b)), limited(x - y, 16));
                assert_eq!(i64::from(mult(a, b)), limited((x * y) >> 15, 16));
                assert_eq!(i64::from(mult_r(a, b)), limited((x * y + 0x4000) >> 15, 16));
                assert_eq!(i64::from(l_mult(a, b)), limited(2 * x * y, 32));
                for acc in [i32::MIN, -5, 0, 70_000, i32::MAX] {
                    let doubled = limited(2 * x * y, 32);
                    assert_eq!(i64::from(l_mac(acc, a, b)), limited(i64::from(acc) + doubled, 32));
                    assert_eq!(i64::from(l_msu(acc, a, b)), limited(i64::from(acc) - doubled, 32));
                }
            }
        }
    }

    #[test]
    fn shifts_saturate_leftwards_and_keep_the_sign_rightwards() {
        for by in -40i16..=40 {
            let scaled = |x: i64, bits: u32, left: i16| {
                if left >= 0 { limited(x << left.min(32), bits) } else { x >> (-left).min(63) }
            };
            for a in shorts() {
                assert_eq!(i64::from(shl(a, by)), scaled(i64::from(a), 16, by), "{a} << {by}");
                assert_eq!(i64::from(shr(a, by)), scaled(i64::from(a), 16, -by), "{a} >> {by}");
            }
            for a in longs() {
                assert_eq!(i64::from(l_shl(a, by)), scaled(i64::from(a), 32, by), "{a} << {by}");
                assert_eq!(i64::from(l_shr(a, by)), scaled(i64::from(a), 32, -by), "{a} >> {by}");
                let half_up = match by {
                    1..=31 => (i64::from(a) + (1 << (by - 1))) >> by,
                    32.. => 0,
                    _ => scaled(i64::from(a), 32, -by),
                };
                assert_eq!(i64::from(l_shr_r(a, by)), half_up, "{a} >> {by} rounded");
            }
        }
    }

    #[test]
    fn halves_norms_and_quotients() {
        for a in longs() {
            assert_eq!(i64::from(round(a)), limited(i64::from(a) + 0x8000, 32) >> 16);
            assert_eq!((i32::from(extract_h(a)) << 16) | (i32::from(extract_l(a)) & 0xffff), a);
            let n = norm_l(a);
            if a != 0 {
                let most = i64::from(a) << n;
                assert_eq!(most, limited(most, 32));
                assert!(a == -1 || limited(most * 2, 32) != most * 2, "{a} could move further than {n}");
            }
        }
        assert_eq!((norm_s(0), norm_s(1), norm_s(-1), norm_s(i16::MIN), norm_s(0x4000)), (0, 14, 15, 0, 0));
        for b in 1..400i16 {
            for a in 0..b {
                assert_eq!(i32::from(div_s(a, b)), (i32::from(a) << 15) / i32::from(b));
            }
            assert_eq!(div_s(b, b), i16::MAX);
        }
        assert_eq!((div_s(5, 0), div_s(-3, 9), div_s(9, 4)), (i16::MAX, 0, i16::MAX));
    }
}
