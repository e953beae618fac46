//! Which codeword is nearest to a target: a row of the first stage and two half rows of the second.
//!
//! The Recommendation goes on from the one row of the first stage that is nearest by itself. Here several go on, because which is
//! nearest in the end only the second stage shows.

use crate::cpu::Cpu;
use crate::lsp::{Lines, ORDER};
use crate::ops::*;
use crate::tables::lsp::{L1, L23};

/// Rows of the first stage that go on to the second, one of each eighth of them.
const FIRSTS: usize = 8;

/// The row of the first stage and those of the second that come nearest to the target together, by weight.
#[inline(always)]
pub(super) fn nearest(cpu: Cpu, target: &Lines, weight: &Lines) -> (usize, [usize; 2]) {
    let first = nearest_row(cpu, target, weight);
    let left: Lines = std::array::from_fn(|i| sub(target[i], L1[first][i]));
    let low = nearest_second(&left[..5], &weight[..5], 0);
    (first, [low, nearest_second(&left[5..], &weight[5..], 5)])
}

/// The row of the first stage that comes nearest with the help of the second: of the nearest by itself of each eighth.
#[inline(always)]
fn nearest_row(cpu: Cpu, target: &Lines, weight: &Lines) -> usize {
    if far_from_all(target) {
        return nearest_first_far(target);
    }
    let seconds = [Seconds::new(weight, 0), Seconds::new(weight, 5)];
    let mut best = (i64::MAX, 0);
    for (n, first) in nearest_of_lanes(cpu, target).into_iter().enumerate() {
        let left: Lines = std::array::from_fn(|i| sub(target[i], L1[first][i]));
        if left.iter().any(|x| !(-9000..=9000).contains(x)) {
            best = if n == 0 { (i64::MAX, first) } else { best };
            continue;
        }
        let distance = seconds[0].least(cpu, &left) + seconds[1].least(cpu, &left);
        if distance < best.0 {
            best = (distance, first);
        }
    }
    best.1
}

/// Half of the second stage, for one weight.
struct Seconds {
    /// Its five weights, and the first of its coefficients.
    weight: [i16; 5],
    start: usize,
    /// The weighted energy of each row.
    own: [i32; 32],
}

/// A weighted value: half as much again is left of it as [`mult`] leaves.
#[inline(always)]
fn weighted(x: i16, weight: i16) -> i16 {
    ((i32::from(x) * i32::from(weight)) >> 14) as i16
}

impl Seconds {
    #[inline(always)]
    fn new(weight: &Lines, start: usize) -> Seconds {
        let weight: [i16; 5] = std::array::from_fn(|i| weight[start + i]);
        let mut own = [0i32; 32];
        for (column, weight) in COLUMNS_23[start..start + 5].iter().zip(weight) {
            for (own, c) in own.iter_mut().zip(column) {
                // No entry is beyond 5000: five times 2^26.
                *own = own.wrapping_add(i32::from(weighted(*c, weight)).wrapping_mul(i32::from(*c)));
            }
        }
        Seconds { weight, start, own }
    }

    /// How far from the nearest row what is left is, by weight. None of it is beyond 9000.
    ///
    /// The square of the difference is taken apart, so that what is asked of each row is a sum of five products.
    #[inline(always)]
    fn least(&self, cpu: Cpu, left: &Lines) -> i64 {
        let left = &left[self.start..self.start + 5];
        // Twice 9000, and 5000: five products are below 2^29.
        let by: [i16; 6] = std::array::from_fn(|i| if i < 5 { weighted(left[i], self.weight[i]) } else { 0 });
        let energy: i64 = left.iter().zip(by).map(|(x, by)| i64::from(i32::from(*x) * i32::from(by))).sum();
        energy + i64::from(least_of_rows(cpu, &by, &PAIRS_23[self.start / 5], &self.own))
    }
}

/// The least of `own - 2 sum` of 32 rows, where a sum is that of `by` times the row's coefficients.
#[inline(always)]
fn least_of_rows(cpu: Cpu, by: &[i16; 6], rows: &[[[i16; 2]; 32]; 3], own: &[i32; 32]) -> i32 {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = cpu.avx2() {
        return least_by_avx2(avx2, by, rows, own);
    }
    let _ = cpu;
    least_by_loops(by, rows, own)
}

/// [`least_of_rows`] on every processor.
#[inline(never)]
fn least_by_loops(by: &[i16; 6], rows: &[[[i16; 2]; 32]; 3], own: &[i32; 32]) -> i32 {
    let mut sums = [0i32; 32];
    for (p, row) in rows.iter().enumerate() {
        for (sum, pair) in sums.iter_mut().zip(row) {
            let products = [0, 1].map(|i| i32::from(by[2 * p + i]) * i32::from(pair[i]));
            *sum = sum.wrapping_add(products[0]).wrapping_add(products[1]);
        }
    }
    sums.iter().zip(own).fold(i32::MAX, |least, (sum, own)| least.min(own.wrapping_sub(sum.wrapping_mul(2))))
}

#[cfg(target_arch = "x86_64")]
use {
    fearless_simd::{Avx2, SimdBase, SimdInto, i16x16, i32x8},
    std::arch::x86_64::*,
};

#[cfg(target_arch = "x86_64")]
fearless_simd::kernel!(
    /// The keys of [`nearest_of_lanes`], eight rows at a time.
    #[inline(always)]
    fn keys_by_avx2(avx2: Avx2, target: &Lines) -> [i32; FIRSTS] {
        let target: [__m256i; 5] = std::array::from_fn(|p| {
            _mm256_set1_epi32(i32::from(target[2 * p] as u16) | i32::from(target[2 * p + 1]) << 16)
        });
        let mut least = _mm256_set1_epi32(i32::MAX);
        let mut rows = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        for part in 0..16 {
            let mut sum = _mm256_setzero_si256();
            for (p, target) in target.iter().enumerate() {
                let entries = PAIRS_1[p][8 * part..8 * part + 8].as_flattened();
                let entries: i16x16<Avx2> = i16x16::from_slice(avx2, entries);
                let off = _mm256_sub_epi16(*target, entries.into());
                sum = _mm256_add_epi32(sum, _mm256_madd_epi16(off, off));
            }
            let doubled = _mm256_andnot_si256(_mm256_set1_epi32(127), _mm256_slli_epi32::<1>(sum));
            least = _mm256_min_epi32(least, _mm256_or_si256(doubled, rows));
            rows = _mm256_add_epi32(rows, _mm256_set1_epi32(8));
        }
        let least: i32x8<Avx2> = least.simd_into(avx2);
        least.into()
    }
);

#[cfg(target_arch = "x86_64")]
fearless_simd::kernel!(
    /// [`least_of_rows`], eight rows at a time.
    #[inline(always)]
    fn least_by_avx2(avx2: Avx2, by: &[i16; 6], rows: &[[[i16; 2]; 32]; 3], own: &[i32; 32]) -> i32 {
        let by: [__m256i; 3] = std::array::from_fn(|p| {
            _mm256_set1_epi32(i32::from(by[2 * p] as u16) | i32::from(by[2 * p + 1]) << 16)
        });
        let mut least = _mm256_set1_epi32(i32::MAX);
        for part in 0..4 {
            let mut sum = _mm256_setzero_si256();
            for p in 0..3 {
                let row = rows[p][8 * part..8 * part + 8].as_flattened();
                let row: i16x16<Avx2> = i16x16::from_slice(avx2, row);
                sum = _mm256_add_epi32(sum, _mm256_madd_epi16(row.into(), by[p]));
            }
            let own: i32x8<Avx2> = i32x8::from_slice(avx2, &own[8 * part..8 * part + 8]);
            least = _mm256_min_epi32(least, _mm256_sub_epi32(own.into(), _mm256_slli_epi32::<1>(sum)));
        }
        let least: i32x8<Avx2> = least.simd_into(avx2);
        <[i32; 8]>::from(least).into_iter().fold(i32::MAX, i32::min)
    }
);

/// The second stage by half and two coefficients.
static PAIRS_23: [[[[i16; 2]; 32]; 3]; 2] = {
    let mut pairs = [[[[0; 2]; 32]; 3]; 2];
    let mut i = 0;
    while i < 32 * ORDER {
        let (row, coefficient) = (i / ORDER, i % ORDER);
        pairs[coefficient / 5][coefficient % 5 / 2][row][coefficient % 5 % 2] = L23[row][coefficient];
        i += 1;
    }
    pairs
};

/// The first stage by two coefficients, so that rows can be compared eight at a time.
static PAIRS_1: [[[i16; 2]; 128]; ORDER / 2] = {
    let mut pairs = [[[0; 2]; 128]; ORDER / 2];
    let mut i = 0;
    while i < 128 * ORDER {
        let (row, coefficient) = (i / ORDER, i % ORDER);
        pairs[coefficient / 2][row][coefficient % 2] = L1[row][coefficient];
        i += 1;
    }
    pairs
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

/// Whether a row of the first stage may be so far from the target that twice the square of the distance does not fit 31 bits.
#[inline(always)]
fn far_from_all(target: &Lines) -> bool {
    let most: i64 = (0..ORDER)
        .map(|i| {
            let t = i32::from(target[i]);
            let off = (t - i32::from(BOUNDS[i].0)).abs().max((t - i32::from(BOUNDS[i].1)).abs());
            i64::from(off) * i64::from(off)
        })
        .sum();
    most >= 1 << 30
}

/// Of each eighth of the first stage's rows that which is nearest to the target; so the nearest of all is among them.
#[inline(always)]
fn nearest_of_lanes(cpu: Cpu, target: &Lines) -> [usize; FIRSTS] {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = cpu.avx2() {
        return keys_by_avx2(avx2, target).map(|key| (key & 127) as usize);
    }
    let _ = cpu;
    keys_by_loops(target).map(|key| (key & 127) as usize)
}

/// Distances, doubled, with the row's number in place of the last seven bits: the least of each eighth.
#[inline(never)]
fn keys_by_loops(target: &Lines) -> [i32; FIRSTS] {
    let mut least = [i32::MAX; FIRSTS];
    for part in 0..128 / FIRSTS {
        let mut sums = [0i32; FIRSTS];
        for (p, rows) in PAIRS_1.iter().enumerate() {
            let rows = &rows[FIRSTS * part..FIRSTS * part + FIRSTS];
            for (sum, pair) in sums.iter_mut().zip(rows) {
                let off = [0, 1].map(|i| i32::from(target[2 * p + i].wrapping_sub(pair[i])));
                *sum =
                    sum.wrapping_add(off[0].wrapping_mul(off[0])).wrapping_add(off[1].wrapping_mul(off[1]));
            }
        }
        for (i, (least, sum)) in least.iter_mut().zip(sums).enumerate() {
            *least = (*least).min((sum << 1) & !127 | (FIRSTS * part + i) as i32);
        }
    }
    least
}

/// The row of the first stage next to a target far from every row.
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
    use crate::encoder::spectrum::{tests::wandering, weights};

    #[test]
    fn the_fast_stages_are_the_plain_ones() {
        let mut seed = 1;
        for _ in 0..500 {
            let target = wandering(&mut seed);
            assert!(!far_from_all(&target));
            let [best, least] = [Cpu::best(), Cpu::least()].map(|cpu| nearest_of_lanes(cpu, &target));
            assert_eq!(best, least);
            let distance = |row: usize| -> i32 {
                let off = |i: usize| i32::from(target[i]) - i32::from(L1[row][i]);
                (0..ORDER).map(|i| off(i).pow(2)).sum()
            };
            for (lane, found) in best.into_iter().enumerate() {
                let nearest = (0..16).map(|part| distance(FIRSTS * part + lane)).min();
                assert!(found % FIRSTS == lane && nearest.is_some_and(|d| distance(found) - d <= 64));
            }
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
        assert!(far_from_all(&[i16::MIN; 10]));
    }

    /// The weighted distance of the best codeword with this row of the first stage.
    fn distance(target: &Lines, weight: &Lines, first: usize) -> f64 {
        [0, 5].iter().fold(0.0, |sum, start| {
            let of = |row: &[i16; 10]| {
                (*start..start + 5).fold(0.0, |sum, i| {
                    let off = f64::from(target[i]) - f64::from(L1[first][i]) - f64::from(row[i]);
                    sum + f64::from(weight[i]) / 16384.0 * off * off
                })
            };
            sum + L23.iter().map(of).fold(f64::INFINITY, f64::min)
        })
    }

    #[test]
    fn of_more_rows_than_one_that_is_taken_which_is_nearest_in_the_end() {
        let mut seed = 8;
        let (mut nearer, mut sum) = (0, [0.0; 2]);
        for _ in 0..300 {
            let target = wandering(&mut seed);
            let weight = weights(&target);
            let [best, least] = [Cpu::best(), Cpu::least()].map(|cpu| nearest_row(cpu, &target, &weight));
            assert_eq!(best, least);
            let [found, alone] =
                [best, nearest_first_far(&target)].map(|row| distance(&target, &weight, row));
            assert!(found <= alone * 1.01, "{found} {alone}");
            nearer += u32::from(found < alone * 0.99);
            sum = [sum[0] + found, sum[1] + alone];
        }
        assert!(nearer > 100 && sum[0] < sum[1] * 0.9, "{nearer} {sum:?}");
    }
}
