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
}
