//! The LP filters: residual `A(z)`, synthesis `1 / A(z)`, and their weighted forms.
//!
//! Signals stand behind their ten samples of history in one slice, so a filter never asks where its memory is.

use crate::codebook::SUBFRAME;
use crate::correlate::{Signal, Taps};
use crate::cpu::Cpu;
use crate::lsp::{Lp, ORDER};
use crate::ops::*;

/// `A(z / gamma)`: each coefficient by a power of `gamma` (Q15), rounded at each step.
pub fn weighted(a: &Lp, gamma: i16) -> Lp {
    let mut power = gamma;
    let mut out = *a;
    for c in &mut out[1..] {
        *c = round(l_mult(*c, power));
        power = round(l_mult(power, gamma));
    }
    out
}

/// Filters by `A(z)`: `signal` is ten samples of history and as many samples as `out` takes.
#[inline(always)]
pub(crate) fn residual(cpu: Cpu, a: &Lp, signal: &[i16], out: &mut [i16]) {
    let most = signal.iter().fold(0, |most, x| x.unsigned_abs().max(most));
    if u64::from(magnitude(a)) * u64::from(most) > 0x7fff_f000 {
        for (n, out) in out.iter_mut().enumerate() {
            let past = &signal[n..n + ORDER + 1];
            *out = from_q12(
                (0..=ORDER)
                    .map(|i| i64::from(i32::from(a[i]).wrapping_mul(i32::from(past[ORDER - i]))))
                    .sum(),
            );
        }
        return;
    }
    // All sums fit 32 bits.
    let taps = Taps::new(&std::array::from_fn(|i| if i <= ORDER { a[ORDER - i] } else { 0 }));
    for (k, out) in out.chunks_mut(8).enumerate() {
        let past = Signal::<20>::new(&signal[8 * k..][..out.len() + ORDER]);
        let sums = past.eight::<12>(cpu, &taps, 0);
        for (out, sum) in out.iter_mut().zip(&sums) {
            *out = sat16((sum + 0x800) >> 12);
        }
    }
}

/// Filters by `1 / A(z)`: `signal` is ten samples of history, then what comes out for `input`.
///
/// Says whether a sum or a sample left its range; it was limited then.
#[inline(always)]
pub fn synthesis(a: &Lp, input: &[i16], signal: &mut [i16]) -> bool {
    if magnitude(a) > 65_000 {
        return wide_synthesis(a, input, signal);
    }
    // Coefficients that small cannot lead a sum out of 32 bits.
    if input.len() != SUBFRAME {
        return limited_synthesis(a, input, signal);
    }
    quick_synthesis(a, input, signal) && limited_synthesis(a, input, signal)
}

/// [`synthesis`] as long as nothing has to be limited. True if something would have to be: then only the memory before the
/// samples is right.
///
/// Two samples are under way in each 64 bits: the sum of the later one stands in the upper half, less what a negative lower
/// half has borrowed from it. One multiplication moves both on.
#[inline(always)]
fn quick_synthesis(a: &Lp, input: &[i16], signal: &mut [i16]) -> bool {
    let pack = |low: i16, high: i16| i64::from(low).wrapping_add(i64::from(high) << 32);
    let minus = |low: i16, high: i16| pack(low, high).wrapping_neg();
    // What the first and the second sample of a pair contribute to the five pairs after it.
    let by_first: [i64; 5] =
        std::array::from_fn(|k| minus(a[2 * k + 2], if k < 4 { a[2 * k + 3] } else { 0 }));
    let by_second: [i64; 5] = std::array::from_fn(|k| minus(a[2 * k + 1], a[2 * k + 2]));
    let mut sums = [0i64; 5];
    for (p, pair) in signal[..ORDER].as_chunks::<2>().0.iter().enumerate() {
        if *pair == [0; 2] {
            continue;
        }
        for k in 0..=p {
            let sum = &mut sums[k];
            let back = k + 4 - p;
            *sum = sum.wrapping_add(i64::from(pair[0]).wrapping_mul(by_first[back]));
            *sum = sum.wrapping_add(i64::from(pair[1]).wrapping_mul(by_second[back]));
        }
    }
    let (unit, next) = (i64::from(a[0]), i32::from(a[1]));
    // Samples as they come out, seen over at the end.
    let mut made = [[0i32; 2]; SUBFRAME / 2];
    let pairs = input.as_chunks::<2>().0.iter().zip(&mut made);
    for (input, out) in pairs {
        let given = pack(input[0], input[1]).wrapping_mul(unit).wrapping_add(0x0000_0800_0000_0800);
        let sum = sums[0].wrapping_add(given);
        let low = sum as i32;
        let high = (sum.wrapping_add(1 << 31) >> 32) as i32;
        let first = low >> 12;
        let second = high.wrapping_sub(first.wrapping_mul(next)) >> 12;
        let (s, t) = (i64::from(first), i64::from(second));
        for k in 0..5 {
            let later = if k < 4 { sums[k + 1] } else { 0 };
            let first = later.wrapping_add(s.wrapping_mul(by_first[k]));
            sums[k] = first.wrapping_add(t.wrapping_mul(by_second[k]));
        }
        *out = [first, second];
    }
    let mut inside = true;
    for (out, sample) in signal[ORDER..].iter_mut().zip(made.as_flattened()) {
        inside &= *sample > -32_768 && *sample <= 32_767;
        *out = *sample as i16;
    }
    !inside
}

/// [`synthesis`] with what leaves the range limited.
fn limited_synthesis(a: &Lp, input: &[i16], signal: &mut [i16]) -> bool {
    let a = a.map(i32::from);
    let mut past: [i32; ORDER] = std::array::from_fn(|i| i32::from(signal[ORDER - 1 - i]));
    let mut overflow = false;
    for (x, out) in input.iter().zip(&mut signal[ORDER..]) {
        let mut sum = i32::from(*x).wrapping_mul(a[0]);
        for i in (0..ORDER).rev() {
            sum = sum.wrapping_sub(a[i + 1].wrapping_mul(past[i]));
        }
        overflow |= sum.unsigned_abs() >= 1 << 27;
        let sample = sat16(sum.saturating_add(0x800) >> 12);
        let p = past;
        past = [i32::from(sample), p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8]];
        *out = sample;
    }
    overflow
}

/// [`synthesis`] with sums of 64 bits.
fn wide_synthesis(a: &Lp, input: &[i16], signal: &mut [i16]) -> bool {
    let mut overflow = false;
    for (n, x) in input.iter().enumerate() {
        let past = &signal[n..n + ORDER];
        let back: i64 =
            (1..=ORDER).map(|i| i64::from(i32::from(a[i]).wrapping_mul(i32::from(past[ORDER - i])))).sum();
        let exact = i64::from(i32::from(*x).wrapping_mul(i32::from(a[0]))) - back;
        overflow |= exact.abs() >= 1 << 27;
        signal[n + ORDER] = from_q12(exact);
    }
    overflow
}

/// Sum of the coefficients' magnitudes.
#[inline(always)]
fn magnitude(a: &Lp) -> u32 {
    a.iter().map(|a| u32::from(a.unsigned_abs())).sum()
}

/// A sum of Q12 products as a sample, rounded and limited.
#[inline(always)]
fn from_q12(sum: i64) -> i16 {
    ((sum + 0x800) >> 12).clamp(-32768, 32767) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Lp = [4096, -5300, 2900, -700, 400, -300, 250, -100, 60, -40, 20];

    #[test]
    fn the_residual_of_a_synthesis_is_its_input() {
        let input: Vec<i16> = (0..400).map(|i: i32| ((i * 7919) % 2001 - 1000) as i16).collect();
        let mut signal = vec![0i16; ORDER + input.len()];
        assert!(!synthesis(&A, &input, &mut signal));
        let mut found = vec![0i16; input.len()];
        residual(Cpu::best(), &A, &signal, &mut found);
        assert!(input.iter().zip(&found).all(|(a, b)| (a - b).abs() <= 1));
    }

    #[test]
    fn operators_in_the_order_of_the_equation_give_the_same_samples() {
        let input: Vec<i16> = (0..80).map(|i: i32| ((i * 7919) % 4001 - 2000) as i16).collect();
        let mut signal = [7i16; ORDER + 80];
        synthesis(&A, &input[..40], &mut signal[..ORDER + 40]);
        synthesis(&A, &input[40..], &mut signal[40..]);
        let mut slow = [7i16; ORDER + 80];
        for (n, x) in input.iter().enumerate() {
            let sum = (1..=ORDER).fold(l_mult(*x, A[0]), |acc, i| l_msu(acc, A[i], slow[n + ORDER - i]));
            slow[n + ORDER] = round(l_shl(sum, 3));
        }
        assert_eq!(signal, slow);
    }

    #[test]
    fn narrow_and_wide_sums_give_the_same_samples() {
        let mut seed = 1u32;
        let mut any = |by: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) as i16 >> by
        };
        for round in 0..400u32 {
            let mut a: Lp = std::array::from_fn(|_| any(2 + round % 3));
            a[0] = 4096;
            let input: [i16; 40] = std::array::from_fn(|_| any(round % 7));
            let mut signal: [i16; ORDER + 40] = std::array::from_fn(|_| any(round % 7));
            let mut wide = signal;
            assert_eq!(synthesis(&a, &input, &mut signal), wide_synthesis(&a, &input, &mut wide));
            assert_eq!(signal, wide);
            let mut out = [0; 40];
            residual(Cpu::best(), &a, &signal, &mut out);
            for n in 0..40 {
                let exact = (0..=ORDER).map(|i| i64::from(a[i]) * i64::from(signal[n + ORDER - i])).sum();
                assert_eq!(out[n], from_q12(exact));
            }
        }
    }

    #[test]
    fn a_filter_that_runs_away_says_so_and_stays_in_range() {
        let mut unstable = [0; ORDER + 1];
        (unstable[0], unstable[1]) = (4096, -8000);
        let mut signal = [0i16; ORDER + 40];
        assert!(synthesis(&unstable, &[20_000; 40], &mut signal));
        assert_eq!(signal[ORDER + 39], i16::MAX);
    }
}
