//! The pseudo-random sequence of equation 96.

/// `seed * 31821 + 13849`, 16 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Random(u16);

impl Random {
    /// A sequence after `seed`.
    pub fn new(seed: u16) -> Random {
        Random(seed)
    }

    /// The next number.
    #[inline]
    #[allow(clippy::should_implement_trait, reason = "it never ends")]
    pub fn next(&mut self) -> i16 {
        self.0 = self.0.wrapping_mul(31821).wrapping_add(13849);
        self.0 as i16
    }
}

/// Where each of the next twelve numbers comes from: `seed * .0 + .1`.
const AHEAD: ([u16; 12], [u16; 12]) = {
    let (mut times, mut plus, mut i) = ([31821u16; 12], [13849u16; 12], 1);
    while i < 12 {
        times[i] = times[i - 1].wrapping_mul(31821);
        plus[i] = plus[i - 1].wrapping_mul(31821).wrapping_add(13849);
        i += 1;
    }
    (times, plus)
};

impl Random {
    /// The sum of the next twelve numbers, all found at once.
    #[inline]
    pub fn sum_of_twelve(&mut self) -> i32 {
        let numbers: [u16; 12] =
            std::array::from_fn(|i| self.0.wrapping_mul(AHEAD.0[i]).wrapping_add(AHEAD.1[i]));
        self.0 = numbers[11];
        numbers.iter().fold(0, |sum: i32, x| sum.wrapping_add(i32::from(*x as i16)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_visits_every_number_once() {
        let mut random = Random::new(21845);
        let mut seen = vec![false; 1 << 16];
        (0..1 << 16).for_each(|_| seen[random.next() as u16 as usize] = true);
        assert!(seen.iter().all(|seen| *seen));
        assert_eq!(random, Random::new(21845));
    }

    #[test]
    fn twelve_at_once_are_those_one_by_one() {
        let (mut one, mut twelve) = (Random::new(11111), Random::new(11111));
        for _ in 0..100 {
            assert_eq!((0..12).map(|_| i32::from(one.next())).sum::<i32>(), twelve.sum_of_twelve());
            assert_eq!(one, twelve);
        }
    }
}
