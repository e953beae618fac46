//! The four pulses of the fixed codebook (A.3.8): a tree search of fixed effort.
//!
//! Track 3 of the codebook has two halves. For each, the search starts twice: from the best two places of one track it
//! goes through the eight of a second, and with the better pair through the 64 pairs of the two tracks left.

use super::closedloop::{Subframe, backward, wide_dot};
use super::greatest::{TURNED, greatest};
use crate::codebook::SUBFRAME;
use crate::cpu::Cpu;
use crate::ops::*;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pulses {
    /// The samples, one of each track.
    pub(super) at: [usize; 4],
    /// A bit of each, set if it is positive.
    pub(super) signs: u8,
}

impl Pulses {
    /// The 13 bits of the places (Table 7).
    pub(super) fn index(&self) -> u16 {
        let step = |track: usize| (self.at[track] / 5) as u16;
        let half = u16::from(self.at[3] % 5 == 4);
        step(0) | step(1) << 3 | step(2) << 6 | (2 * step(3) + half) << 9
    }

    /// The pulses filtered by `h`.
    #[inline(always)]
    pub(super) fn filtered(&self, h: &Subframe) -> Subframe {
        // Zeros before it, so that each pulse's response is a window of the same length.
        let mut padded = [0i16; 2 * SUBFRAME];
        padded[SUBFRAME..].copy_from_slice(h);
        let mut out = [0i16; SUBFRAME];
        for (pulse, at) in self.at.iter().enumerate() {
            let from = SUBFRAME - (*at).min(SUBFRAME);
            let Some(response) = padded[from..].first_chunk::<SUBFRAME>() else { continue };
            if self.signs >> pulse & 1 == 1 {
                for n in 0..SUBFRAME {
                    out[n] = add(out[n], response[n]);
                }
            } else {
                for n in 0..SUBFRAME {
                    out[n] = sub(out[n], response[n]);
                }
            }
        }
        out
    }
}

/// The pulses that come nearest to the target `x` behind the response `h`.
#[inline(always)]
pub(super) fn search(cpu: Cpu, x: &Subframe, h: &Subframe) -> Pulses {
    let likeness = backward(cpu, h, x);
    let tree = Tree::new(cpu, &likeness, h);
    let ways =
        [tree.way([2, 3, 0, 1]), tree.way([3, 0, 1, 2]), tree.way([2, 4, 0, 1]), tree.way([4, 0, 1, 2])];
    let mut squares = [0; 256];
    let mut energies = [0; 256];
    for (n, way) in ways.iter().enumerate() {
        tree.pairs(way, n, &mut squares, &mut energies);
    }
    let best = greatest(&squares, &energies, &TURNED);
    let way = &ways[best / 64];
    let sample = |track: usize, k: usize| 5 * k + way.tracks[track];
    let mut at = [0; 4];
    let mut signs = 0;
    for sample in [sample(0, way.one), sample(1, way.two), sample(2, best / 8 % 8), sample(3, best % 8)] {
        let track = (sample % 5).min(3);
        at[track] = sample;
        signs |= u8::from(likeness[sample] >= 0) << track;
    }
    Pulses { at, signs }
}

/// The samples of a track: `[k]` is sample `5 k + track`.
type Track = [i16; 8];

/// What the search asks of the target and the response.
struct Tree {
    /// Likeness of a pulse at each sample with the target, without its sign, 13 bits, by track.
    likeness: [Track; 5],
    /// Energy of a pulse alone, by track.
    own: [Track; 5],
    /// What a pulse at each sample and one at each of the four tracks after its own have in common (equation 50), with the
    /// signs they would have.
    cross: [[i16; 32]; SUBFRAME],
}

/// A way down the tree, with the best pair of its first two tracks.
struct Way {
    tracks: [usize; 4],
    /// Places in the first track and the second.
    one: usize,
    two: usize,
    /// Energy of the pair, a quarter.
    energy: i16,
}

/// `h` so large that its energy fills 31 bits.
#[inline(always)]
fn scaled(h: &Subframe) -> Subframe {
    let total = 2 * wide_dot(h, h);
    let shift = match i32::try_from(total) {
        Ok(total) if extract_h(total) <= 32000 => norm_l(total) >> 1,
        Ok(_) => -1,
        // A response this wild fits no 32 bits; half of its width too much, at most, is lost.
        Err(_) => -4,
    };
    // What is moved left so far keeps its energy in 31 bits, so no value leaves 16.
    let (left, right) = (shift.max(0) as u32, (-shift).max(0) as u32);
    let mut out = *h;
    for value in &mut out {
        *value = value.wrapping_shl(left) >> right;
    }
    out
}

impl Tree {
    #[inline(always)]
    fn new(cpu: Cpu, likeness: &Subframe, h: &Subframe) -> Tree {
        let h = scaled(h);
        let mut tree = Tree { likeness: [[0; 8]; 5], own: [[0; 8]; 5], cross: [[0; 32]; SUBFRAME] };
        // The response from its end, and signs, both by track and the tracks twice.
        let mut ends = [[0i16; 8]; 10];
        let mut signs = [[0i16; 8]; 10];
        for track in 0..5 {
            for k in 0..8 {
                let sample = 5 * k + track;
                tree.likeness[track][k] = abs_s(likeness[sample]);
                signs[track][k] = 1 | likeness[sample] >> 15;
                ends[track][k] = h[SUBFRAME - 1 - sample];
            }
            (ends[track + 5], signs[track + 5]) = (ends[track], signs[track]);
        }
        let mut own = 0i32;
        for sample in (0..SUBFRAME).rev() {
            let value = i32::from(h[SUBFRAME - 1 - sample]);
            own = own.wrapping_add(value * value);
            tree.own[sample % 5][sample / 5] = (own >> 15) as i16;
        }
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = cpu.avx2() {
            cross_by_avx2(avx2, &h, &ends, &signs, &mut tree.cross);
            return tree;
        }
        cross(&h, &ends, &signs, &mut tree.cross);
        tree
    }

    /// What a pulse at `sample` and each of a track have in common. Not for the sample's own track.
    #[inline(always)]
    fn cross(&self, sample: usize, track: usize) -> &Track {
        let apart = (track + 4 - sample % 5) % 5;
        &self.cross[sample].as_chunks::<8>().0[apart.min(3)]
    }

    /// The best of: one of two in the first track, any of the second.
    #[inline(always)]
    fn way(&self, tracks: [usize; 4]) -> Way {
        let [first, second, ..] = tracks;
        let ones = self.best_two(first);
        let mut squares = [0; 16];
        let mut energies = [0; 16];
        let parts = squares.as_chunks_mut::<8>().0.iter_mut().zip(energies.as_chunks_mut::<8>().0);
        for (one, (squares, energies)) in ones.into_iter().zip(parts) {
            *squares = squares_of(self.likeness[first][one], &self.likeness[second]);
            let own = i32::from(self.own[first][one]) + 2;
            *energies =
                energies_of::<2>(own, &self.own[second].map(i32::from), self.cross(5 * one + first, second));
        }
        let best = greatest(&squares, &energies, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
        Way { tracks, one: ones[best / 8], two: best % 8, energy: energies[best] }
    }

    /// All pairs of the third and fourth track with the first pair of way `number`: how alike, squared, and of what energy.
    #[inline(always)]
    fn pairs(&self, way: &Way, number: usize, squares: &mut [i16; 256], energies: &mut [i16; 256]) {
        let [first, second, third, fourth] = way.tracks;
        let (one, two) = (5 * way.one + first, 5 * way.two + second);
        let likeness = self.likeness[first][way.one].wrapping_add(self.likeness[second][way.two]);
        let before = self.with_two(third, one, two);
        let mut last = self.with_two(fourth, one, two);
        last.iter_mut().for_each(|x| *x &= !3);
        let (squares, energies) = (squares.as_chunks_mut::<8>().0, energies.as_chunks_mut::<8>().0);
        for j in 0..8 {
            let place = TURNED[64 * number + 8 * j] as usize / 8;
            let (squares, energies) = (&mut squares[place], &mut energies[place]);
            *squares = squares_of(likeness.wrapping_add(self.likeness[third][j]), &self.likeness[fourth]);
            let before = (4 * i32::from(way.energy) + 8).wrapping_add(before[j]);
            *energies = energies_of::<4>(before, &last, self.cross(5 * j + third, fourth));
        }
    }

    /// What each pulse of a track adds to the energy of two others.
    #[inline(always)]
    fn with_two(&self, track: usize, one: usize, two: usize) -> [i32; 8] {
        let (own, a, b) = (&self.own[track], self.cross(one, track), self.cross(two, track));
        let mut out = [0; 8];
        for k in 0..8 {
            out[k] = i32::from(own[k]) + 2 * (i32::from(a[k]) + i32::from(b[k]));
        }
        out
    }

    /// The two places of a track most like the target, the better first; of those alike the first.
    #[inline(always)]
    fn best_two(&self, track: usize) -> [usize; 2] {
        let mut keys = [0i32; 8];
        for k in 0..8 {
            keys[k] = i32::from(self.likeness[track][k]) << 3 | (7 - k as i32);
        }
        let best =
            |below: i32| keys.iter().fold(0, |most, key| if *key < below { most.max(*key) } else { most });
        let first = best(i32::MAX);
        [first, best(first)].map(|key| 7 - (key & 7) as usize)
    }
}

/// What a pulse at each sample and one at each of the four tracks after its own have in common, half of it, with the signs of
/// both: `ends` is the response from its end by track, the tracks twice, `signs` likewise.
///
/// Sums over the tail that both responses have in the frame. Both begun one sample earlier, the tail has one product more. The
/// whole energy fits 31 bits, so no part of it overflows.
#[inline(always)]
fn cross(h: &Subframe, ends: &[Track; 10], signs: &[Track; 10], out: &mut [[i16; 32]; SUBFRAME]) {
    let mut sums = [0i32; 32];
    for k in (0..8).rev() {
        for track in (0..5).rev() {
            if track < 4 {
                // One sample before the first track's is the last track's one place before.
                let from = 8 * (3 - track);
                sums.copy_within(from + 1..from + 8, from);
                sums[from + 7] = 0;
            }
            let sample = 5 * k + track;
            let factor = i32::from(h[SUBFRAME - 1 - sample]);
            let (ends, others) = (ends[track + 1..].as_flattened(), signs[track + 1..].as_flattened());
            let sign = signs[track][k];
            for i in 0..32 {
                sums[i] = sums[i].wrapping_add(factor * i32::from(ends[i]));
                out[sample][i] = ((sums[i] >> 15) as i16).wrapping_mul(sign.wrapping_mul(others[i]));
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
use {
    fearless_simd::{Avx2, SimdBase, SimdInto, i16x8, i16x16},
    std::arch::x86_64::*,
};

#[cfg(target_arch = "x86_64")]
fearless_simd::kernel!(
    /// [`cross`] with the sums of a track in a register.
    #[inline(always)]
    fn cross_by_avx2(
        avx2: Avx2,
        h: &Subframe,
        ends: &[Track; 10],
        signs: &[Track; 10],
        out: &mut [[i16; 32]; SUBFRAME],
    ) {
        let one_on = _mm256_setr_epi32(1, 2, 3, 4, 5, 6, 7, 7);
        let but_last = _mm256_setr_epi32(-1, -1, -1, -1, -1, -1, -1, 0);
        let mut sums = [_mm256_setzero_si256(); 4];
        for k in (0..8).rev() {
            for track in (0..5).rev() {
                if track < 4 {
                    let moved = _mm256_permutevar8x32_epi32(sums[3 - track], one_on);
                    sums[3 - track] = _mm256_and_si256(moved, but_last);
                }
                let sample = 5 * k + track;
                let factor = _mm256_set1_epi32(i32::from(h[SUBFRAME - 1 - sample]));
                let sign = _mm256_set1_epi16(signs[track][k]);
                for (i, sum) in sums.iter_mut().enumerate() {
                    let end: i16x8<Avx2> = i16x8::from_slice(avx2, &ends[track + 1 + i]);
                    let product = _mm256_mullo_epi32(_mm256_cvtepi16_epi32(end.into()), factor);
                    *sum = _mm256_add_epi32(*sum, product);
                }
                for half in 0..2 {
                    let [low, high] = [2 * half, 2 * half + 1].map(|i| _mm256_srai_epi32::<15>(sums[i]));
                    // Packing takes turns between the halves of both.
                    let both = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi32(low, high));
                    let others = signs[track + 1 + 2 * half..][..2].as_flattened();
                    let others: i16x16<Avx2> = i16x16::from_slice(avx2, others);
                    let signed = _mm256_sign_epi16(_mm256_sign_epi16(both, others.into()), sign);
                    let signed: i16x16<Avx2> = signed.simd_into(avx2);
                    out[sample][16 * half..16 * half + 16].copy_from_slice(&<[i16; 16]>::from(signed));
                }
            }
        }
    }
);

/// Squares, Q15, of likenesses of at most 15 bits without sign.
#[inline(always)]
fn squares_of(so_far: i16, others: &Track) -> Track {
    others.map(|other| {
        let x = so_far.wrapping_add(other) as u16;
        ((u32::from(x) * u32::from(x.wrapping_mul(2))) >> 16) as i16
    })
}

/// `(so_far + others + 2 cross)` without its lowest `BITS`.
#[inline(always)]
fn energies_of<const BITS: u32>(so_far: i32, others: &[i32; 8], cross: &Track) -> Track {
    let mut out = [0; 8];
    for k in 0..8 {
        out[k] = (so_far.wrapping_add(others[k]).wrapping_add(2 * i32::from(cross[k])) >> BITS) as i16;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codebook::positions;

    #[test]
    fn pulses_put_into_a_target_are_found_again() {
        let h: Subframe =
            std::array::from_fn(|n| (4096.0 * 0.8f64.powi(n as i32) * (n as f64 * 0.9).cos()) as i16);
        for (index, signs) in [(0u16, 0b1111u8), (0x1234, 0b0101), (0x0a57, 0b1000)] {
            let put = Pulses { at: positions(index), signs };
            assert_eq!(put.index(), index);
            let found = search(Cpu::best(), &put.filtered(&h), &h);
            assert_eq!((found.index(), found.signs), (index, signs));
        }
    }

    #[test]
    fn energies_are_those_of_the_saturating_operators() {
        let mut seed = 9u32;
        for loud in 0..12 {
            let h: Subframe = std::array::from_fn(|n| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ((seed >> 17) as i16 >> loud) >> (n / 3)
            });
            let total = h.iter().fold(0, |sum, h| l_mac(sum, *h, *h));
            if total == i32::MAX {
                continue;
            }
            let shift = if extract_h(total) > 32000 { -1 } else { norm_l(total) >> 1 };
            let scaled = h.map(|h| shl(h, shift));
            let signs: Subframe = std::array::from_fn(|n| if n % 3 == 1 { -1 } else { 1 });
            for cpu in [Cpu::best(), Cpu::least()] {
                let tree = Tree::new(cpu, &signs, &h);
                for later in 0..SUBFRAME {
                    for earlier in 0..=later {
                        let sum = (later..SUBFRAME)
                            .fold(0, |sum, n| l_mac(sum, scaled[n - later], scaled[n - earlier]));
                        let found = [(earlier, later), (later, earlier)].map(|(a, b)| {
                            if a == b { tree.own[a % 5][a / 5] } else { tree.cross(a, b % 5)[b / 5] }
                        });
                        if later == earlier || later % 5 != earlier % 5 {
                            let sign = signs[later] * signs[earlier];
                            assert_eq!(found, [extract_h(sum) * sign; 2], "{later} {earlier}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_silent_or_wild_target_gives_four_places_on_their_tracks() {
        let wild = std::array::from_fn(|n| if n % 3 == 0 { i16::MIN } else { i16::MAX });
        for (x, h) in [([0; 40], [0; 40]), (wild, wild), ([i16::MIN; 40], [4096; 40]), (wild, [0; 40])] {
            let found = search(Cpu::best(), &x, &h);
            assert_eq!(positions(found.index()), found.at);
        }
    }
}
