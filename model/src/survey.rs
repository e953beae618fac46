//! Marks that customers give.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// A mark on a scale. Scales are compared by the share of the way from the lowest mark to the highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The mark.
    pub given: u8,
    /// The worst that could be given.
    pub lowest: u8,
    /// The best.
    pub highest: u8,
}

impl Mark {
    /// `None`: there is no such mark on the scale, or no scale.
    pub fn new(given: u8, lowest: u8, highest: u8) -> Option<Self> {
        (lowest < highest && (lowest..=highest).contains(&given)).then_some(Self { given, lowest, highest })
    }

    /// How good it is, 0 to 100.
    pub fn percent(self) -> f64 {
        let (given, scale) =
            (self.given.saturating_sub(self.lowest), self.highest.saturating_sub(self.lowest));
        100.0 * f64::from(given) / f64::from(scale.max(1))
    }
}

/// An answer as the record tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedMark {
    /// When it was given.
    pub at: Timestamp,
    /// To which question: the name of the flow's step.
    pub question: String,
    /// The mark.
    pub mark: Mark,
}

/// Answers that a record keeps.
pub const MARKS_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_different_scales_are_compared() {
        let percent = |given, lowest, highest| Mark::new(given, lowest, highest).map(Mark::percent);
        assert_eq!(
            [percent(1, 1, 5), percent(4, 1, 5), percent(5, 1, 5)],
            [Some(0.0), Some(75.0), Some(100.0)]
        );
        assert_eq!(percent(9, 0, 9), Some(100.0));
        assert_eq!([percent(0, 1, 5), percent(6, 1, 5), percent(3, 3, 3)], [None; 3]);
    }
}
