//! The LP filters: residual `A(z)`, synthesis `1 / A(z)`, and their weighted forms.
//!
//! Signals stand behind their ten samples of history in one slice, so a filter never asks where its memory is.

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
pub fn residual(a: &Lp, signal: &[i16], out: &mut [i16]) {
    for (n, out) in out.iter_mut().enumerate() {
        let past = &signal[n..n + ORDER + 1];
        let exact: i64 = (0..=ORDER).map(|i| i64::from(i32::from(a[i]) * i32::from(past[ORDER - i]))).sum();
        *out = from_q12(exact);
    }
}

/// Filters by `1 / A(z)`: `signal` is ten samples of history, then what comes out for `input`.
///
/// Says whether a sum or a sample left its range; it was limited then.
pub fn synthesis(a: &Lp, input: &[i16], signal: &mut [i16]) -> bool {
    let mut overflow = false;
    for (n, x) in input.iter().enumerate() {
        let past = &signal[n..n + ORDER];
        let back: i64 = (1..=ORDER).map(|i| i64::from(i32::from(a[i]) * i32::from(past[ORDER - i]))).sum();
        let exact = i64::from(i32::from(*x) * i32::from(a[0])) - back;
        let sample = from_q12(exact);
        overflow |= exact.abs() >= 1 << 27;
        signal[n + ORDER] = sample;
    }
    overflow
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
        residual(&A, &signal, &mut found);
        assert!(input.iter().zip(&found).all(|(a, b)| (a - b).abs() <= 1));
    }

    #[test]
    fn operators_in_the_order_of_the_equation_give_the_same_samples() {
        let input: Vec<i16> = (0..80).map(|i: i32| ((i * 7919) % 4001 - 2000) as i16).collect();
        let mut signal = [7i16; ORDER + 80];
        synthesis(&A, &input, &mut signal);
        let mut slow = [7i16; ORDER + 80];
        for (n, x) in input.iter().enumerate() {
            let sum = (1..=ORDER).fold(l_mult(*x, A[0]), |acc, i| l_msu(acc, A[i], slow[n + ORDER - i]));
            slow[n + ORDER] = round(l_shl(sum, 3));
        }
        assert_eq!(signal, slow);
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
