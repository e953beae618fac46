//! Sums of products of short values.

/// The sum of products, with wrapping: the caller knows that it fits.
#[inline(always)]
pub(crate) fn dot(a: &[i16], b: &[i16]) -> i32 {
    a.iter().zip(b).fold(0i32, |sum, (x, y)| sum.wrapping_add(i32::from(*x) * i32::from(*y)))
}

/// The sum of `N` products, with wrapping. Up to 32 of them the compiler makes four multiplications and two sums one instruction of, if
/// it is not led astray by what stands around: so the functions below stand alone.
#[inline(always)]
fn dot_of<const N: usize>(a: &[i16], b: &[i16]) -> i32 {
    let (Some(a), Some(b)) = (a.first_chunk::<N>(), b.first_chunk::<N>()) else { return 0 };
    let mut sum = 0i32;
    for i in 0..N {
        sum = sum.wrapping_add(i32::from(a[i]) * i32::from(b[i]));
    }
    sum
}

/// [`dot`] of as many as `b` has. It stands alone, for processors without more than the least.
#[inline(never)]
pub(crate) fn dot_n<const N: usize>(a: &[i16], b: &[i16; N]) -> i32 {
    let (a, a_rest) = a[..N].as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let sum = a.iter().zip(b).fold(0i32, |sum, (a, b)| sum.wrapping_add(dot_of::<8>(a, b)));
    sum.wrapping_add(dot(a_rest, b_rest))
}

/// [`dot`] of a subframe's length. `a` has at least 40 samples.
#[inline(always)]
pub(crate) fn dot40(a: &[i16], b: &[i16; 40]) -> i32 {
    let [sum, rest] = dot_32_and_8(a, b);
    sum.wrapping_add(rest)
}

#[inline(always)]
fn dot_32_and_8(a: &[i16], b: &[i16; 40]) -> [i32; 2] {
    let Some(a) = a.first_chunk::<40>() else { return [0; 2] };
    [dot_of::<32>(a, b), dot_of::<8>(&a[32..], &b[32..])]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_products_one_after_the_other() {
        let mut seed = 1u32;
        let mut any = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) as i16 >> 4
        };
        for _ in 0..50 {
            let a: [i16; 40] = std::array::from_fn(|_| any());
            let b: [i16; 40] = std::array::from_fn(|_| any());
            let sum = |n: usize| (0..n).map(|i| i32::from(a[i]) * i32::from(b[i])).sum::<i32>();
            assert_eq!(
                [dot_n::<16>(&a, &b[..16].try_into().expect("16")), dot40(&a, &b), dot(&a, &b)],
                [16, 40, 40].map(sum)
            );
        }
    }
}
