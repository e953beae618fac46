//! The four pulses of the fixed codebook (A.3.8): a tree search of fixed effort.
//!
//! Track 3 of the codebook has two halves. For each, the search starts twice: from the best two places of one track it
//! goes through the eight of a second, and with the better pair through the 64 pairs of the two tracks left.

use super::closedloop::{Subframe, backward};
use crate::codebook::SUBFRAME;
use crate::ops::*;

/// Places by track: `8 * track + step` stands for sample `5 * step + track`.
type ByTrack<T> = [T; SUBFRAME];

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

/// Sample of a place.
fn sample(place: usize) -> usize {
    5 * (place % 8) + place / 8
}

/// Place of a sample.
fn place(sample: usize) -> usize {
    8 * (sample % 5) + sample / 5
}

/// The pulses that come nearest to the target `x` behind the response `h`.
pub(super) fn search(x: &Subframe, h: &Subframe) -> Pulses {
    let likeness = backward(h, x);
    let signs: ByTrack<bool> = std::array::from_fn(|place| likeness[sample(place)] >= 0);
    let likeness: ByTrack<i16> = std::array::from_fn(|place| abs_s(likeness[sample(place)]));
    let tree = Tree { likeness, energy: energies(h, &signs) };
    let mut best = Candidate::WORST;
    for half in [3, 4] {
        for tracks in [[2, half, 0, 1], [half, 0, 1, 2]] {
            best = best.or(tree.descend(tracks));
        }
    }
    let mut at = [0; 4];
    let mut bits = 0;
    for place in best.places {
        let track = (place / 8).min(3);
        at[track] = sample(place);
        bits |= u8::from(signs[place]) << track;
    }
    Pulses { at, signs: bits }
}

/// The correlation of the response begun at each sample with itself begun at each other (equation 50), with the signs of
/// the pulses that would stand there.
fn energies(h: &Subframe, signs: &ByTrack<bool>) -> [ByTrack<i16>; SUBFRAME] {
    let total = h.iter().fold(0i64, |sum, h| sum + 2 * i64::from(i32::from(*h) * i32::from(*h)));
    let total = sat32(total);
    let scaled = if extract_h(total) > 32000 {
        h.map(|h| h >> 1)
    } else {
        let shift = norm_l(total) >> 1;
        h.map(|h| shl(h, shift))
    };
    let mut out = [[0i16; SUBFRAME]; SUBFRAME];
    for apart in 0..SUBFRAME {
        let mut sum = 0i32;
        for n in 0..SUBFRAME - apart {
            sum = l_mac(sum, scaled[n], scaled[n + apart]);
            let (late, early) = (place(39 - n), place(39 - n - apart));
            let value = if signs[late] == signs[early] { extract_h(sum) } else { negate(extract_h(sum)) };
            out[late][early] = value;
            out[early][late] = value;
        }
    }
    out
}

/// Two or four places, and how well they do: `square / energy`.
#[derive(Clone, Copy)]
struct Candidate {
    places: [usize; 4],
    square: i16,
    energy: i16,
}

impl Candidate {
    const WORST: Candidate = Candidate { places: [0, 8, 16, 24], square: -1, energy: 1 };

    /// The better of the two, the one before if they are alike.
    #[inline(always)]
    fn or(self, other: Candidate) -> Candidate {
        let ours = i32::from(self.square) * i32::from(other.energy);
        let theirs = i32::from(other.square) * i32::from(self.energy);
        if theirs > ours { other } else { self }
    }
}

struct Tree {
    /// Likeness of each place with the target, without sign.
    likeness: ByTrack<i16>,
    /// [`energies`].
    energy: [ByTrack<i16>; SUBFRAME],
}

impl Tree {
    /// The best of: one of two in the first track, any of the second; with those any pair of the third and fourth.
    fn descend(&self, tracks: [usize; 4]) -> Candidate {
        let [first, second, third, fourth] = tracks.map(|track| 8 * track);
        let mut pair = Candidate::WORST;
        for one in self.best_two(first) {
            for two in second..second + 8 {
                let likeness = i32::from(self.likeness[one]) + i32::from(self.likeness[two]);
                let energy = self.own(one) + self.own(two) + 2 * self.cross(one, two);
                pair = pair.or(Candidate {
                    places: [one, two, 0, 0],
                    square: ((likeness * likeness) >> 15) as i16,
                    energy: sat16((energy + 2) >> 2),
                });
            }
        }
        let [one, two, ..] = pair.places;
        let likeness = i32::from(self.likeness[one]) + i32::from(self.likeness[two]);
        let alone = |place: usize| self.own(place) + 2 * (self.cross(one, place) + self.cross(two, place));
        let last: [i32; 8] = std::array::from_fn(|k| 4 * (alone(fourth + k) >> 2));
        let mut best = Candidate::WORST;
        for three in third..third + 8 {
            let before = 4 * i32::from(pair.energy) + alone(three);
            let so_far = likeness + i32::from(self.likeness[three]);
            for k in 0..8 {
                let four = fourth + k;
                let all = so_far + i32::from(self.likeness[four]);
                let energy = before + last[k] + 2 * self.cross(three, four);
                best = best.or(Candidate {
                    places: [one, two, three, four],
                    square: sat16((all * all) >> 15),
                    energy: sat16((energy + 8) >> 4),
                });
            }
        }
        best
    }

    /// The two places of a track most like the target, the better first.
    fn best_two(&self, track: usize) -> [usize; 2] {
        let best = |but: usize| {
            let mut found = (-1, track);
            for place in track..track + 8 {
                if place != but && self.likeness[place] > found.0 {
                    found = (self.likeness[place], place);
                }
            }
            found.1
        };
        let first = best(usize::MAX);
        [first, best(first)]
    }

    fn own(&self, place: usize) -> i32 {
        i32::from(self.energy[place][place])
    }

    fn cross(&self, one: usize, two: usize) -> i32 {
        i32::from(self.energy[one][two])
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
    fn a_silent_or_wild_target_gives_four_places_on_their_tracks() {
        let wild = std::array::from_fn(|n| if n % 3 == 0 { i16::MIN } else { i16::MAX });
        for (x, h) in [([0; 40], [0; 40]), (wild, wild), ([i16::MIN; 40], [4096; 40]), (wild, [0; 40])] {
            let found = search(&x, &h);
            assert_eq!(positions(found.index()), found.at);
        }
    }
}
