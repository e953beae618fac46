//! Taming: where the decoder may have gone wrong for long, the pitch gain is kept below one.
//!
//! A channel error in the decoder's past excitation comes back one delay later, multiplied by the pitch gain. The encoder
//! follows the worst such error for four stretches of delay, as if an error of one had just happened everywhere.

use crate::ops::*;
use crate::tables::analysis::TAMING_ZONE;
use crate::wide::Split;

/// 1.0, Q14.
const ONE: i32 = 0x4000;
/// 60000, Q14.
const TOO_MUCH: i32 = 983_040_000;
/// The pitch gain of a tamed subframe before quantisation, Q14: 0.95.
pub(super) const GAIN_MAX: i16 = 15564;

/// Worst error for delays up to 40, 80, 120 and above, Q14.
#[derive(Clone, Debug)]
pub(super) struct Taming([i32; 4]);

impl Default for Taming {
    fn default() -> Taming {
        Taming([ONE; 4])
    }
}

fn zone(delay: i16) -> usize {
    usize::from(TAMING_ZONE[delay.clamp(0, 152) as usize])
}

impl Taming {
    /// Whether the gain at this delay has to stay below one.
    pub(super) fn needed(&self, whole: i16, third: i16) -> bool {
        let reach = whole + i16::from(third > 0);
        self.0[zone(reach - 50)..=zone(reach + 8)].iter().any(|error| *error > TOO_MUCH)
    }

    /// Follows a subframe with this delay and quantised gain (Q14).
    pub(super) fn follow(&mut self, gain: i16, whole: i16) {
        let next = |error: i32| l_add(ONE, l_shl(Split::of(error).mul16(gain), 1));
        let worst = if whole < 40 {
            // The subframe repeats its own beginning.
            let once = next(self.0[0]);
            once.max(next(once))
        } else {
            self.0[zone(whole - 40)..=zone(whole - 1)].iter().fold(-1, |worst, error| worst.max(next(*error)))
        };
        self.0.rotate_right(1);
        self.0[0] = worst;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_above_one_are_tamed_after_a_while_and_low_ones_forgive() {
        let mut taming = Taming::default();
        let mut subframes = 0;
        while !taming.needed(60, 0) {
            taming.follow(19000, 60);
            subframes += 1;
            assert!(subframes < 400, "an error that grows by a sixth every time has to be seen");
        }
        assert!(subframes > 20);
        (0..200).for_each(|_| taming.follow(8000, 60));
        assert!(!taming.needed(60, 0));
    }

    #[test]
    fn the_worst_gains_for_ever_do_not_overflow() {
        let mut taming = Taming::default();
        for i in 0..2000i16 {
            taming.follow(i16::MAX, 19 + i % 125);
            let _ = taming.needed(19 + i % 126, i % 3 - 1);
        }
        assert!(taming.needed(143, 1));
    }
}
