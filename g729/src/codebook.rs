//! The two sources of excitation that both sides build: what was before (3.7), and four pulses (3.8).

use crate::correlate::{Signal, Taps};
use crate::cpu::Cpu;
use crate::gain::Gains;
use crate::ops::*;
use crate::tables::pitch::EXCITATION;

/// Samples of a subframe.
pub const SUBFRAME: usize = 40;
/// Least and greatest whole pitch delay.
pub const DELAY_MIN: i16 = 20;
/// See [`DELAY_MIN`].
pub const DELAY_MAX: i16 = 143;
/// Samples of past excitation the adaptive codebook may reach: the greatest delay, and the filter's half width and one.
pub const PAST: usize = 143 + 11;

/// Bounds of the pitch gain that sharpens pulses, Q14: 0.2 and 0.8 (as near as the gain quantiser says it).
pub const SHARPEN_MIN: i16 = 3277;
/// See [`SHARPEN_MIN`].
pub const SHARPEN_MAX: i16 = 13017;

/// A pitch delay in thirds of a sample: `whole + third / 3`, third in -1..=1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay {
    /// Whole samples, 19 to 144.
    pub whole: i16,
    /// Thirds to add.
    pub third: i16,
}

impl Delay {
    /// The delay of the first subframe from its 8 bits (4.1.3).
    pub fn first(index: u8) -> Delay {
        let index = i16::from(index);
        if index < 197 {
            let whole = (index + 2) / 3 + 19;
            Delay { whole, third: index - 3 * whole + 58 }
        } else {
            Delay { whole: index - 112, third: 0 }
        }
    }

    /// The delay of the second subframe from its 5 bits, around the whole part of the first.
    pub fn second(index: u8, first: i16) -> Delay {
        let index = i16::from(index & 31);
        let step = (index + 2) / 3 - 1;
        Delay { whole: Delay::lowest_near(first) + step, third: index - 2 - 3 * step }
    }

    /// The first whole delay the second subframe can say.
    pub fn lowest_near(first: i16) -> i16 {
        (first - 5).clamp(DELAY_MIN, DELAY_MAX - 9)
    }
}

/// Builds the adaptive codebook's vector (equation 40) behind its past: `excitation` is at least [`PAST`] samples, then the
/// subframe's, written here. Delays shorter than the subframe repeat what was just written.
#[inline(always)]
pub(crate) fn adaptive(cpu: Cpu, excitation: &mut [i16], delay: Delay) {
    let start = excitation.len() - SUBFRAME;
    // The fraction counts forwards in the filter, the delay backwards.
    let (whole, phase) = if delay.third == 1 {
        (delay.whole as usize + 1, 2)
    } else {
        (delay.whole as usize, -delay.third as usize)
    };
    // The filter as 20 taps, the oldest sample's first.
    let taps: [i16; 20] = std::array::from_fn(|i| {
        if i < 10 { EXCITATION[phase + 3 * (9 - i)] } else { EXCITATION[3 - phase + 3 * (i - 10)] }
    });
    let taps = Taps::new(&taps);
    // Eight samples at a time: even the shortest delay reads none of those.
    for n in (start..start + SUBFRAME).step_by(8) {
        // The taps' magnitudes sum up to less than 2, so 32 bits hold every sum.
        let past = Signal::<28>::new(&excitation[n - whole - 9..][..27]);
        for (to, sum) in excitation[n..n + 8].iter_mut().zip(past.eight(cpu, &taps, 0)) {
            *to = sat16(sum.wrapping_add(0x4000) >> 15);
        }
    }
}

/// Where the four pulses of a 13-bit index stand (Table 7).
pub fn positions(index: u16) -> [usize; 4] {
    let place = |shift: u16| 5 * usize::from(index >> shift & 7);
    [place(0), place(3) + 1, place(6) + 2, place(10) + 3 + usize::from(index >> 9 & 1)]
}

/// The fixed codebook's vector, Q13: pulses of one, a set sign bit positive.
pub fn pulses(index: u16, signs: u8) -> [i16; SUBFRAME] {
    let mut code = [0; SUBFRAME];
    for (i, at) in positions(index).into_iter().enumerate() {
        code[at] = if signs >> i & 1 == 1 { 8192 } else { -8192 };
    }
    code
}

/// A sample of the excitation (equation 75) of those of both codebooks, the fixed one's Q13: rounded and limited. Gains are not negative.
#[inline(always)]
pub fn excite(adaptive: i16, fixed: i16, gains: Gains) -> i16 {
    // Of Q14 both. A pitch gain is below 1.4, that is 2^14.5: so the sum fits 32 bits.
    let sum =
        (i32::from(adaptive) * i32::from(gains.pitch)).wrapping_add(i32::from(fixed) * i32::from(gains.code));
    sat16(sum.wrapping_add(0x2000) >> 14)
}

/// Repeats the pulses at the pitch delay (equation 48): `gain` is the last pitch gain, Q14, within its bounds.
#[inline(always)]
pub fn sharpen(code: &mut [i16; SUBFRAME], delay: i16, gain: i16) {
    let gain = shl(gain, 1);
    for n in usize::from(delay.unsigned_abs())..SUBFRAME {
        code[n] = add(code[n], mult_r(code[n - delay as usize], gain));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_run_from_nineteen_and_a_third_to_less_than_a_hundred_forty_four() {
        assert_eq!(Delay::first(0), Delay { whole: 19, third: 1 });
        assert_eq!(Delay::first(1), Delay { whole: 20, third: -1 });
        assert_eq!(Delay::first(196), Delay { whole: 85, third: -1 });
        assert_eq!(Delay::first(197), Delay { whole: 85, third: 0 });
        assert_eq!(Delay::first(255), Delay { whole: 143, third: 0 });
        let thirds = |d: Delay| 3 * d.whole + d.third;
        for first in 19..=143 {
            let all: Vec<i16> = (0..32).map(|index| thirds(Delay::second(index, first))).collect();
            assert!(all.windows(2).all(|pair| pair[1] == pair[0] + 1));
            assert!(all[0] > 3 * 19 && all[31] < 3 * 144, "{first}: {all:?}");
            assert!(all[0] <= 3 * first.max(20) && 3 * first <= all[31]);
        }
    }

    #[test]
    fn the_past_returns_after_the_delay_and_between_samples_it_is_interpolated() {
        let wave = |t: f64| (8000.0 * (t * 0.11).sin()) as i16;
        for (whole, third) in [(60, 0), (60, 1), (61, -1), (143, 1), (44, 0)] {
            let mut excitation: Vec<i16> = (0..PAST + SUBFRAME).map(|n| wave(n as f64)).collect();
            adaptive(Cpu::best(), &mut excitation, Delay { whole, third });
            for n in PAST..PAST + SUBFRAME {
                let late = n as f64 - f64::from(whole) - f64::from(third) / 3.0;
                assert!(
                    (excitation[n] - wave(late)).abs() < 90,
                    "{whole} {third}: {} {}",
                    excitation[n],
                    wave(late)
                );
            }
        }
    }

    #[test]
    fn no_sum_of_the_filter_leaves_32_bits() {
        for phase in 0..3 {
            let taps = (0..10).flat_map(|i| [EXCITATION[phase + 3 * i], EXCITATION[3 - phase + 3 * i]]);
            let most: i64 = taps.map(|tap| i64::from(tap).abs() * 32_768).sum();
            assert!(most + 0x4000 <= i64::from(i32::MAX), "{phase}: {most}");
        }
    }

    #[test]
    fn short_delays_repeat_what_was_just_written() {
        for (whole, third) in [(19, 1), (20, -1), (20, 0), (31, 1), (39, 0), (49, -1), (50, 0)] {
            let start: Vec<i16> = (0..PAST + SUBFRAME).map(|n| (n as i16).wrapping_mul(21_111)).collect();
            let (mut all, mut each) = (start.clone(), start);
            adaptive(Cpu::best(), &mut all, Delay { whole, third });
            // The equation, one sample after the other.
            let (k, t) = if third == 1 { (whole as usize + 1, 2) } else { (whole as usize, -third as usize) };
            for n in PAST..PAST + SUBFRAME {
                let sum: i64 = (0..10)
                    .map(|i| {
                        i64::from(each[n - k - i]) * i64::from(EXCITATION[t + 3 * i])
                            + i64::from(each[n - k + 1 + i]) * i64::from(EXCITATION[3 - t + 3 * i])
                    })
                    .sum();
                each[n] = ((sum + 0x4000) >> 15).clamp(-32_768, 32_767) as i16;
            }
            assert_eq!(all, each, "{whole} {third}");
        }
    }

    #[test]
    fn each_index_names_one_place_on_each_track_and_signs_follow_the_bits() {
        for index in 0..1 << 13 {
            let at = positions(index);
            assert!((0..3).all(|track| at[track] % 5 == track) && at[3] % 5 >= 3 && at[3] < SUBFRAME);
        }
        let code = pulses(0b1_0110_1000_1111, 0b0101);
        let found: Vec<(usize, bool)> =
            code.iter().enumerate().filter(|(_, v)| **v != 0).map(|(n, v)| (n, *v > 0)).collect();
        assert_eq!(found, [(6, false), (12, true), (29, false), (35, true)]);
    }

    #[test]
    fn a_sample_of_the_excitation_is_that_of_the_saturating_operators() {
        let values = [i16::MIN, i16::MIN + 1, -20_000, -8192, -1, 0, 1, 3, 8192, 16_000, i16::MAX];
        for (adaptive, fixed) in values.iter().flat_map(|a| values.map(|f| (*a, f))) {
            for (pitch, code) in
                [0, 1, 9_999, 16_384, 22_215].iter().flat_map(|p| [0, 7, 1800, i16::MAX].map(|c| (*p, c)))
            {
                let sum = l_mac(l_mult(adaptive, pitch), fixed, code);
                assert_eq!(
                    excite(adaptive, fixed, Gains { pitch, code }),
                    round(l_shl(sum, 1)),
                    "{adaptive} {fixed} {pitch} {code}"
                );
            }
        }
    }

    #[test]
    fn pulses_repeat_at_the_delay_and_fade() {
        let mut code = [0; SUBFRAME];
        code[2] = 8000;
        sharpen(&mut code, 15, 8192);
        assert_eq!((code[2], code[17], code[32]), (8000, 4000, 2000));
        let before = code;
        sharpen(&mut code, 40, 8192);
        assert_eq!(code, before);
    }
}
