//! The pitch of a frame at a glance (A.3.4): correlation of every second weighted sample in three ranges of delay, shorter
//! ones preferred where a longer one may be their multiple.

use crate::correlate::{Signal, Taps};
use crate::cpu::Cpu;
use crate::dot::dot;
use crate::ops::*;
use crate::wide::{Split, inverse_root};

/// The greatest delay.
const MOST: usize = 143;
/// Weighted samples looked at: the delay's reach and one frame.
pub(super) const REACH: usize = MOST + 80;

/// The delay, 20 to 143, whose correlation stands out in `weighted`.
#[inline(always)]
pub(super) fn delay(cpu: Cpu, weighted: &[i16; REACH]) -> i16 {
    // Every second sample of the frame and its past, and those between: the lagged frame starts on one or the other.
    let mut even = [0i16; 112];
    let mut odd = [0i16; 111];
    even.iter_mut().zip(weighted.iter().step_by(2)).for_each(|(to, from)| *to = *from);
    odd.iter_mut().zip(weighted.iter().skip(1).step_by(2)).for_each(|(to, from)| *to = *from);

    let energy = even.iter().fold(0i64, |sum, x| sum + i64::from(i32::from(*x) * i32::from(*x)));
    let scale = if 2 * energy > i64::from(i32::MAX) {
        -3
    } else if 2 * energy < 1 << 20 {
        3
    } else {
        0
    };
    if scale != 0 {
        even.iter_mut().for_each(|x| *x = shl(*x, scale));
        odd.iter_mut().for_each(|x| *x = shl(*x, scale));
    }
    // The frame begins at sample 143, the 72nd between.
    let frame: [i16; 40] = std::array::from_fn(|i| odd[71 + i]);
    let likeness = Likeness::of(cpu, [&even, &odd], &frame);

    let mut peaks = [(0i16, 0i16); 3];
    for (peak, (range, step)) in peaks.iter_mut().zip([(20..40, 1), (40..80, 1), (80..143, 2)]) {
        let mut best = (i32::MIN, range.start);
        for delay in range.clone().step_by(step) {
            let now = likeness.at(delay);
            if now > best.0 {
                best = (now, delay);
            }
        }
        if step == 2 {
            let middle = best.1;
            for delay in [middle + 1, middle - 1] {
                let now = likeness.at(delay);
                if now > best.0 {
                    best = (now, delay);
                }
            }
        }
        let past = lagged([&even, &odd], best.1);
        let energy = l_shl(dot(past, past), 1).saturating_add(1);
        let normal = Split::of(best.0).mul32(Split::of(inverse_root(energy)));
        *peak = (best.1 as i16, extract_l(normal));
    }
    choose(peaks)
}

/// The 40 samples that lie `delay` before the frame's, of the even and the odd ones.
#[inline(always)]
fn lagged([even, odd]: [&[i16]; 2], delay: usize) -> &[i16] {
    let start = MOST - delay;
    let from = if start & 1 == 0 { even } else { odd };
    &from[start / 2..start / 2 + 40]
}

/// How like the frame each delay is.
struct Likeness {
    /// By half of the place where the lagged frame begins, of even places and odd ones.
    sums: [[[i32; 8]; 8]; 2],
}

impl Likeness {
    #[inline(always)]
    fn of(cpu: Cpu, parts: [&[i16]; 2], frame: &[i16; 40]) -> Likeness {
        let mut found = Likeness { sums: [[[0; 8]; 8]; 2] };
        let taps = Taps::new(frame);
        for (part, sums) in parts.iter().zip(&mut found.sums) {
            let signal = Signal::<112>::new(part);
            for (n, sums) in sums.iter_mut().enumerate() {
                *sums = signal.eight(cpu, &taps, 8 * n);
            }
        }
        found
    }

    /// Of one delay, doubled.
    #[inline(always)]
    fn at(&self, delay: usize) -> i32 {
        let start = MOST - delay;
        l_shl(self.sums[start & 1].as_flattened()[start / 2], 1)
    }
}

/// Of the three ranges' peaks (delay, strength) the one to take.
fn choose([short, middle, long]: [(i16, i16); 3]) -> i16 {
    let (mut first, mut second) = (short.1, middle.1);
    let near = |off: i16, most: i16| off.abs() < most;
    // Twice, then three times the delay next to the longer one's: the longer one speaks for the shorter.
    for (times, most) in [(2, 5), (3, 7)] {
        if near(times * middle.0 - long.0, most) {
            second = add(second, long.1 >> 2);
        }
    }
    for (times, most) in [(2, 5), (3, 7)] {
        if near(times * short.0 - middle.0, most) {
            first = add(first, mult(second, 6554));
        }
    }
    let best = if first < second { (middle.0, second) } else { (short.0, first) };
    if best.1 < long.1 { long.0 } else { best.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A decaying wave begun anew each period.
    fn voiced(period: usize, high: f64) -> [i16; REACH] {
        std::array::from_fn(|i| {
            let age = (i % period) as f64;
            (high * (-age / 12.0).exp() * (age * 0.7).cos()) as i16
        })
    }

    #[test]
    fn a_period_is_found_at_every_loudness_and_not_its_multiple() {
        for high in [60.0, 900.0, 30000.0] {
            for period in [24, 33, 52, 71] {
                let found = delay(Cpu::best(), &voiced(period, high)) as usize;
                assert!(found.abs_diff(period) <= 1, "{period} at {high}: {found}");
            }
        }
    }

    #[test]
    fn silence_and_the_loudest_square_wave_give_a_delay_in_range() {
        let square = std::array::from_fn(|i| if i % 90 < 45 { i16::MAX } else { i16::MIN });
        for signal in [[0; REACH], [i16::MIN; REACH], square] {
            assert!((20..=143).contains(&delay(Cpu::best(), &signal)));
        }
    }
}
