//! Sets of small numbers as words of 64 bits: rows and columns of the eligibility matrix.
//!
//! Two sets need not have the same length: what is missing counts as absent, so a matrix grows by rows without
//! touching the others.

#[derive(Clone, Debug, Default)]
pub(crate) struct Bits {
    words: Vec<u64>,
    /// How many bits are set: an empty set is known without looking.
    count: usize,
}

impl Bits {
    pub fn set(&mut self, bit: usize) {
        let word = bit / 64;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let (word, mask) = (&mut self.words[word], 1 << (bit % 64));
        self.count += usize::from(*word & mask == 0);
        *word |= mask;
    }

    pub fn clear(&mut self, bit: usize) {
        if let Some(word) = self.words.get_mut(bit / 64) {
            let mask = 1 << (bit % 64);
            self.count -= usize::from(*word & mask != 0);
            *word &= !mask;
        }
    }

    pub fn put(&mut self, bit: usize, on: bool) {
        if on { self.set(bit) } else { self.clear(bit) }
    }

    pub fn has(&self, bit: usize) -> bool {
        self.words.get(bit / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1)
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// Whether the two sets share a member.
    pub fn meets(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).any(|(a, b)| a & b != 0)
    }

    /// What both sets hold, ascending.
    pub fn common<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = usize> + 'a {
        self.words
            .iter()
            .zip(&other.words)
            .enumerate()
            .flat_map(|(at, (a, b))| Ones { word: a & b, base: at * 64 })
    }

    /// All members, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(at, &word)| Ones { word, base: at * 64 })
    }
}

/// The set bits of one word, lowest first.
pub(crate) struct Ones {
    pub word: u64,
    pub base: usize,
}

impl Iterator for Ones {
    type Item = usize;
    fn next(&mut self) -> Option<usize> {
        if self.word == 0 {
            return None;
        }
        let bit = self.word.trailing_zeros() as usize;
        self.word &= self.word - 1;
        Some(self.base + bit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_different_length_meet_where_both_have_members() {
        let (mut a, mut b) = (Bits::default(), Bits::default());
        for bit in [0, 63, 64, 200] {
            a.set(bit);
        }
        b.set(63);
        b.set(64);
        assert!(a.meets(&b));
        assert_eq!(a.common(&b).collect::<Vec<_>>(), [63, 64]);
        b.clear(63);
        b.clear(64);
        b.clear(9_999);
        assert!(!a.meets(&b) && b.is_empty() && !a.is_empty());
        assert_eq!(a.iter().collect::<Vec<_>>(), [0, 63, 64, 200]);
    }
}
