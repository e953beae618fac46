//! Many sums of products at once: the same taps along a signal. Correlations with many delays, filters without feedback and interpolation are all of
//! this kind. Sums are 32 bits and wrap: the caller knows that they fit, or does not ask for them.

use crate::cpu::Cpu;
use crate::dot::dot_n;

/// Samples beside the one after each, two in 32 bits, so that one instruction multiplies by two taps and adds.
pub(crate) struct Signal<const N: usize> {
    samples: [i16; N],
    #[cfg(target_arch = "x86_64")]
    pairs: [i32; N],
}

/// Two short values in 32 bits.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn pair(first: i16, second: i16) -> i32 {
    i32::from(first as u16) | i32::from(second) << 16
}

impl<const N: usize> Signal<N> {
    /// Of samples, which may be fewer than `N`: zeros follow.
    #[inline(always)]
    pub(crate) fn new(given: &[i16]) -> Signal<N> {
        let mut samples = [0; N];
        let given = &given[..given.len().min(N)];
        samples[..given.len()].copy_from_slice(given);
        #[cfg(target_arch = "x86_64")]
        let pairs = {
            let mut pairs = [0; N];
            for n in 0..N - 1 {
                pairs[n] = pair(samples[n], samples[n + 1]);
            }
            pairs[N - 1] = pair(samples[N - 1], 0);
            pairs
        };
        Signal {
            samples,
            #[cfg(target_arch = "x86_64")]
            pairs,
        }
    }

    /// `out[k]`: the sum over `taps[i] * signal[from + k + i]`. The number of taps is even.
    #[inline(always)]
    pub(crate) fn eight<const TAPS: usize>(&self, cpu: Cpu, taps: &Taps<TAPS>, from: usize) -> [i32; 8] {
        #[cfg(target_arch = "x86_64")]
        if let (Some(avx2), Some(pairs)) = (cpu.avx2(), self.pairs.get(from..from + TAPS + 7)) {
            return eight(avx2, &taps.pairs[..TAPS / 2], pairs);
        }
        let _ = cpu;
        std::array::from_fn(|k| dot_n(&self.samples[from + k..][..TAPS], &taps.samples))
    }
}

/// What a signal is multiplied by.
pub(crate) struct Taps<const N: usize> {
    samples: [i16; N],
    /// Two each in the first half.
    #[cfg(target_arch = "x86_64")]
    pairs: [i32; N],
}

impl<const N: usize> Taps<N> {
    #[inline(always)]
    pub(crate) fn new(samples: &[i16; N]) -> Taps<N> {
        #[cfg(target_arch = "x86_64")]
        let pairs = {
            let mut pairs = [0; N];
            for i in 0..N / 2 {
                pairs[i] = pair(samples[2 * i], samples[2 * i + 1]);
            }
            pairs
        };
        Taps {
            samples: *samples,
            #[cfg(target_arch = "x86_64")]
            pairs,
        }
    }
}

#[cfg(target_arch = "x86_64")]
use fearless_simd::{Avx2, SimdBase, SimdInto, i32x8};
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{_mm256_add_epi32, _mm256_madd_epi16, _mm256_set1_epi32, _mm256_setzero_si256};

#[cfg(target_arch = "x86_64")]
fearless_simd::kernel!(
    #[inline(always)]
    fn eight(avx2: Avx2, taps: &[i32], pairs: &[i32]) -> [i32; 8] {
        let mut sums = _mm256_setzero_si256();
        for (i, tap) in taps.iter().enumerate() {
            let eight: i32x8<Avx2> = i32x8::from_slice(avx2, &pairs[2 * i..2 * i + 8]);
            let products = _mm256_madd_epi16(eight.into(), _mm256_set1_epi32(*tap));
            sums = _mm256_add_epi32(sums, products);
        }
        let sums: i32x8<Avx2> = sums.simd_into(avx2);
        sums.into()
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_products_one_after_the_other() {
        let mut seed = 1u32;
        let mut any = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) as i16
        };
        for _ in 0..20 {
            let samples: [i16; 60] = std::array::from_fn(|_| any());
            let taps: [i16; 20] = std::array::from_fn(|_| any());
            for cpu in [Cpu::best(), Cpu::least()] {
                let signal = Signal::<64>::new(&samples);
                for from in 0..=36 {
                    let found = signal.eight(cpu, &Taps::new(&taps), from);
                    for (k, found) in found.iter().enumerate() {
                        let sum = taps.iter().enumerate().fold(0i32, |sum, (i, tap)| {
                            let sample = samples.get(from + k + i).copied().unwrap_or(0);
                            sum.wrapping_add(i32::from(*tap) * i32::from(sample))
                        });
                        assert_eq!(*found, sum);
                    }
                }
            }
        }
    }
}
