//! Who speaks, told when it changes: five times a second at most, so that a screen can follow.

use std::time::Duration;

use model::time::Timestamp;

const APART: Duration = Duration::from_millis(200);

/// What was told last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct News {
    told: u64,
    next_at: Option<Timestamp>,
}

impl News {
    /// These places speak now; true when that is to be told.
    pub fn changed(&mut self, speaking: u64, now: Timestamp) -> bool {
        if speaking == self.told || self.next_at.is_some_and(|at| now < at) {
            return false;
        }
        self.told = speaking;
        self.next_at = Some(now + APART);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_told_at_most_five_times_a_second_and_the_last_one_is() {
        let mut news = News::default();
        let at = |ms: u64| Timestamp::from_millis(1_000 + ms);
        // Two who take turns at every frame.
        let told = (0..100).filter(|n| news.changed(1 << (n % 2), at(n * 20))).count();
        assert!(told <= 10, "{told} in two seconds");
        assert!(!news.changed(news.told, at(5_000)));
        assert!(news.changed(0, at(5_000)), "silence is news too");
    }
}
