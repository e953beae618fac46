//! The four pulses of the fixed codebook (A.3.8): a tree search of fixed effort.
//!
//! Track 3 of the codebook has two halves. For each, the search starts twice: from the best two places of one track it
//! goes through the eight of a second, and with the better pair through the 64 pairs of the two tracks left.

use super::closedloop::{Subframe, backward};
use crate::codebook::SUBFRAME;
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
    pub(super) fn filtered(&self, h: &Subframe) -> Subframe {
        let mut out = [0i16; SUBFRAME];
        for (pulse, at) in self.at.iter().enumerate() {
            let positive = self.signs >> pulse & 1 == 1;
            for (out, h) in out[*at..].iter_mut().zip(h) {
                *out = if positive { add(*out, *h) } else { sub(*out, *h) };
            }
        }
        out
    }
}

/// The pulses that come nearest to the target `x` behind the response `h`.
pub(super) fn search(x: &Subframe, h: &Subframe) -> Pulses {
    let likeness = backward(h, x);
    let mut magnitudes = [0; SUBFRAME];
    let mut signs = [0; SUBFRAME];
    for n in 0..SUBFRAME {
        magnitudes[n] = abs_s(likeness[n]);
        signs[n] = 1 | likeness[n] >> 15;
    }
    let tree = Tree { likeness: magnitudes, energy: energies(h, &signs) };
    // The last two tracks of both ways down, each needed for both halves of track 3.
    let last = [tree.block(0, 1), tree.block(1, 2)];
    let mut best = Candidate::WORST;
    for half in [3, 4] {
        for (tracks, last) in [[2, half, 0, 1], [half, 0, 1, 2]].into_iter().zip(&last) {
            let found = tree.descend(tracks, last);
            if found.beats(&best) {
                best = found;
            }
        }
    }
    let mut at = [0; 4];
    let mut signs = 0;
    for sample in best.at {
        let track = (sample % 5).min(3);
        at[track] = sample;
        signs |= u8::from(likeness[sample] >= 0) << track;
    }
    Pulses { at, signs }
}

/// `[39 - later][later - earlier]`: what the responses begun at two samples have in common (equation 50), with the signs
/// their pulses would have.
type Energies = [[i16; SUBFRAME]; SUBFRAME];

/// Sums over the tail both responses have in the frame. Both begun one sample earlier, the tail has one product more: so
/// the sums for all distances go on from row to row, eight at a time.
fn energies(h: &Subframe, signs: &Subframe) -> Energies {
    let total = h.iter().fold(0i64, |sum, h| sum + 2 * i64::from(i32::from(*h) * i32::from(*h)));
    let shift = match i32::try_from(total) {
        Ok(total) if extract_h(total) <= 32000 => norm_l(total) >> 1,
        Ok(_) => -1,
        // A response this wild fits no 32 bits; half of its width too much, at most, is lost.
        Err(_) => -4,
    };
    // Both with zeros behind them, the signs from the last to the first.
    let mut scaled = [0i16; 2 * SUBFRAME];
    let mut backwards = [0i16; 2 * SUBFRAME];
    for n in 0..SUBFRAME {
        scaled[n] = shl(h[n], shift);
        backwards[n] = signs[SUBFRAME - 1 - n];
    }
    let mut sums = [[0i32; 8]; 5];
    let mut out = [[0i16; SUBFRAME]; SUBFRAME];
    for (n, row) in out.iter_mut().enumerate() {
        let (factor, sign) = (i32::from(scaled[n]), backwards[n]);
        let apart = scaled[n..].as_chunks::<8>().0.iter().zip(backwards[n..].as_chunks::<8>().0);
        let eights = sums.iter_mut().zip(row.as_chunks_mut::<8>().0).zip(apart);
        // What lies beyond the frame is never asked for.
        for ((sums, row), (response, signs)) in eights.take((SUBFRAME - n).div_ceil(8)) {
            for i in 0..8 {
                // The whole energy fits 31 bits, so no part of it overflows.
                sums[i] = sums[i].wrapping_add(factor * i32::from(response[i]));
                row[i] = ((sums[i] >> 15) as i16).wrapping_mul(sign.wrapping_mul(signs[i]));
            }
        }
    }
    out
}

/// Four samples, and how well pulses there do: `square / energy`.
#[derive(Clone, Copy)]
struct Candidate {
    at: [usize; 4],
    square: i16,
    energy: i16,
}

impl Candidate {
    const WORST: Candidate = Candidate { at: [0, 1, 2, 3], square: -1, energy: 1 };

    fn beats(&self, other: &Candidate) -> bool {
        i32::from(self.square) * i32::from(other.energy) > i32::from(other.square) * i32::from(self.energy)
    }
}

/// The place of the greatest `square / energy`, and both; the first of those alike.
#[inline(always)]
fn greatest<const N: usize>(squares: &[i16; N], energies: &[i16; N]) -> (usize, i16, i16) {
    let (mut at, mut square, mut energy) = (0, -1i16, 1i16);
    let eights = squares.as_chunks::<8>().0.iter().zip(energies.as_chunks::<8>().0);
    for (eight, (squares, energies)) in eights.enumerate() {
        // Most eights hold nothing better, and that is seen at once.
        let mut most = 0;
        for i in 0..8 {
            let ours = i32::from(squares[i]) * i32::from(energy);
            most = most.max(ours.wrapping_sub(i32::from(square) * i32::from(energies[i])));
        }
        if most > 0 {
            for i in 0..8 {
                if i32::from(squares[i]) * i32::from(energy) > i32::from(square) * i32::from(energies[i]) {
                    (at, square, energy) = (8 * eight + i, squares[i], energies[i]);
                }
            }
        }
    }
    (at, square, energy)
}

struct Tree {
    /// Likeness of a pulse at each sample with the target, without its sign, 13 bits.
    likeness: Subframe,
    energy: Energies,
}

impl Tree {
    /// The best of: one of two in the first track, any of the second; with those any pair of the third and fourth.
    fn descend(&self, [first, second, third, fourth]: [usize; 4], block: &[[i16; 8]; 8]) -> Candidate {
        let ones = self.best_two(first);
        let mut squares = [0; 16];
        let mut energies = [0; 16];
        for (i, one) in ones.into_iter().enumerate() {
            let cross = self.cross(one, second);
            for k in 0..8 {
                let two = 5 * k + second;
                let likeness = i32::from(self.likeness[one] + self.likeness[two]);
                let energy = self.own(one) + self.own(two) + 2 * i32::from(cross[k]);
                squares[8 * i + k] = ((likeness * likeness) >> 15) as i16;
                energies[8 * i + k] = ((energy + 2) >> 2) as i16;
            }
        }
        let (pair, _, pair_energy) = greatest(&squares, &energies);
        let (one, two) = (ones[pair / 8], 5 * (pair % 8) + second);

        let likeness = self.likeness[one] + self.likeness[two];
        let alone = |track: usize| {
            let (a, b) = (self.cross(one, track), self.cross(two, track));
            let mut out = [0; 8];
            for k in 0..8 {
                out[k] = self.own(5 * k + track) + 2 * (i32::from(a[k]) + i32::from(b[k]));
            }
            out
        };
        let before = alone(third);
        let mut last = alone(fourth);
        let mut last_likeness = [0; 8];
        for k in 0..8 {
            last[k] = 4 * (last[k] >> 2);
            last_likeness[k] = self.likeness[5 * k + fourth];
        }
        let mut squares = [0; 64];
        let mut energies = [0; 64];
        for j in 0..8 {
            let three = 5 * j + third;
            let cross = &block[j];
            let before = 4 * i32::from(pair_energy) + before[j] + 8;
            let so_far = likeness + self.likeness[three];
            for k in 0..8 {
                // Four times 13 bits is 15.
                let all = so_far.wrapping_add(last_likeness[k]);
                squares[8 * j + k] = ((i32::from(all) * i32::from(all)) >> 15) as i16;
                energies[8 * j + k] = ((before + last[k] + 2 * i32::from(cross[k])) >> 4) as i16;
            }
        }
        let (rest, square, energy) = greatest(&squares, &energies);
        Candidate { at: [one, two, 5 * (rest / 8) + third, 5 * (rest % 8) + fourth], square, energy }
    }

    /// The two samples of a track most like the target, the better first.
    fn best_two(&self, track: usize) -> [usize; 2] {
        let best = |but: usize| {
            let mut found = (-1, track);
            for sample in (track..SUBFRAME).step_by(5) {
                if sample != but && self.likeness[sample] > found.0 {
                    found = (self.likeness[sample], sample);
                }
            }
            found.1
        };
        let first = best(usize::MAX);
        [first, best(first)]
    }

    /// Energy of a pulse alone.
    fn own(&self, sample: usize) -> i32 {
        i32::from(self.energy[SUBFRAME - 1 - sample][0])
    }

    /// What a pulse at `sample` and one at each of a track's have in common.
    #[inline(always)]
    fn cross(&self, sample: usize, track: usize) -> [i16; 8] {
        // Said so that the compiler knows it too.
        let (sample, track) = (sample.min(SUBFRAME - 1), track.min(4));
        let mut out = [0; 8];
        for (k, out) in out.iter_mut().enumerate() {
            let other = 5 * k + track;
            *out = self.energy[SUBFRAME - 1 - sample.max(other)][sample.abs_diff(other)];
        }
        out
    }

    /// [`Tree::cross`] for each sample of a track.
    fn block(&self, track: usize, other: usize) -> [[i16; 8]; 8] {
        let mut out = [[0; 8]; 8];
        for (k, row) in out.iter_mut().enumerate() {
            *row = self.cross(5 * k + track, other);
        }
        out
    }
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
            let found = search(&put.filtered(&h), &h);
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
            let found = energies(&h, &[1; SUBFRAME]);
            for later in 0..SUBFRAME {
                for earlier in 0..=later {
                    let sum = (later..SUBFRAME)
                        .fold(0, |sum, n| l_mac(sum, scaled[n - later], scaled[n - earlier]));
                    assert_eq!(found[39 - later][later - earlier], extract_h(sum), "{later} {earlier}");
                }
            }
        }
    }

    #[test]
    fn a_silent_or_wild_target_gives_four_places_on_their_tracks() {
        let wild = std::array::from_fn(|n| if n % 3 == 0 { i16::MIN } else { i16::MAX });
        for (x, h) in [([0; 40], [0; 40]), (wild, wild), ([i16::MIN; 40], [4096; 40]), (wild, [0; 40])] {
            let found = search(&x, &h);
            assert_eq!(positions(found.index()), found.at);
        }
    }
}
