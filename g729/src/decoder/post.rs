//! Post-processing as Annex A has it (A.4.2): pitch post-filter at whole delays, short-term post-filter, tilt, level, high pass.

use crate::codebook::{DELAY_MAX, SUBFRAME};
use crate::cpu::Cpu;
use crate::filter::{residual, synthesis, weighted};
use crate::frame::SAMPLES;
use crate::lsp::{Lp, ORDER};
use crate::ops::*;
use crate::tables::analysis::{HIGH_PASS_100_A, HIGH_PASS_100_B};
use crate::wide::inverse_root;

/// Weights of numerator and denominator: 0.55 and 0.7, Q15.
const NUMERATOR: i16 = 18022;
const DENOMINATOR: i16 = 22938;
/// How much of the tilt is taken out, 0.8 in Q15.
const TILT: i16 = 26214;
/// How slowly the level follows, 0.9 in Q15, and the rest.
const LEVEL_OLD: i32 = 29491;
const LEVEL_NEW: i32 = 3277;
/// Samples of the impulse response the tilt is taken from.
const RESPONSE: usize = 22;
/// Residual kept: the greatest delay.
const PAST: usize = DELAY_MAX as usize;

/// Memories of all stages.
#[derive(Clone, Debug)]
pub(super) struct Post {
    residual: [i16; PAST + SUBFRAME],
    short_term: [i16; ORDER],
    before_tilt: i16,
    /// Q12.
    level: i16,
    high_pass: HighPass,
}

impl Post {
    pub(super) fn new() -> Post {
        Post {
            residual: [0; PAST + SUBFRAME],
            short_term: [0; ORDER],
            before_tilt: 0,
            level: 4096,
            high_pass: HighPass::default(),
        }
    }

    /// Both halves of a frame; `speech` is ten samples of history and the frame. Noise has no delays.
    pub(super) fn filter(
        &mut self,
        cpu: Cpu,
        speech: &[i16; ORDER + SAMPLES],
        filters: &[Lp; 2],
        delays: Option<[i16; 2]>,
        out: &mut [i16; SAMPLES],
    ) {
        for half in 0..2 {
            let from = half * SUBFRAME;
            let numerator = weighted(&filters[half], NUMERATOR);
            let denominator = weighted(&filters[half], DENOMINATOR);
            residual(cpu, &numerator, &speech[from..from + ORDER + SUBFRAME], &mut self.residual[PAST..]);
            let mut signal = [0; ORDER + SUBFRAME];
            signal[..ORDER].copy_from_slice(&self.short_term);
            let mut excitation = match delays {
                Some(delays) => self.pitch(delays[half]),
                None => std::array::from_fn(|n| self.residual[PAST + n]),
            };
            self.residual.copy_within(SUBFRAME.., 0);
            self.tilt(&numerator, &denominator, &mut excitation);
            synthesis(&denominator, &excitation, &mut signal);
            self.short_term.copy_from_slice(&signal[SUBFRAME..]);
            let shaped: &mut [i16] = &mut signal[ORDER..];
            self.level(&speech[from + ORDER..from + ORDER + SUBFRAME], shaped);
            for (out, x) in out[from..from + SUBFRAME].iter_mut().zip(shaped) {
                *out = self.high_pass.step(*x);
            }
        }
    }

    /// The residual with what came one pitch period before added, if it resembles it (A.4.2.1).
    fn pitch(&self, delay: i16) -> [i16; SUBFRAME] {
        let (now, past) = (&self.residual[PAST..], &self.residual[..]);
        let out: [i16; SUBFRAME] = std::array::from_fn(|n| now[n]);
        let lowest = (delay - 3).min(DELAY_MAX - 6) as usize;
        // 40 squares of that fit 31 bits.
        let narrow = past.iter().fold(0, |most, x| x.unsigned_abs().max(most)) < 7_300;
        let (mut best, mut at) = (i64::MIN, lowest);
        for t in lowest..=lowest + 6 {
            let correlation = product(now, &past[PAST - t..], narrow);
            if correlation > best {
                (best, at) = (correlation, t);
            }
        }
        if best <= 0 {
            return out;
        }
        let before = &past[PAST - at..];
        let (energy_past, energy_now) = (product(before, before, narrow), product(now, now, narrow));
        // What is left of the three when the greatest has 15 bits.
        let most = best.max(energy_past).max(energy_now);
        let down = 49u32.saturating_sub(most.leading_zeros());
        let [c, p, e] = [best, energy_past, energy_now].map(|x| x >> down);
        // Below 3 dB of prediction gain it stays as it is.
        if c == 0 || 2 * c * c < p * e {
            return out;
        }
        // 1 / (1 + g / 2) and (g / 2) / (1 + g / 2), where g = c / p is at most 1.
        let other = if c > p { 10923 } else { (((c << 16) / (2 * p + c) + 1) >> 1) as i16 };
        let own = (32768 - i32::from(other)) as i16;
        std::array::from_fn(|n| round(l_mac(l_mult(own, now[n]), other, before[n])))
    }

    /// Takes out the tilt of the short-term post-filter before it is applied (A.4.2.3).
    fn tilt(&mut self, numerator: &Lp, denominator: &Lp, excitation: &mut [i16; SUBFRAME]) {
        let mut impulse = [0; RESPONSE];
        impulse[..=ORDER].copy_from_slice(numerator);
        let mut response = [0; ORDER + RESPONSE];
        synthesis(denominator, &impulse, &mut response);
        let h = &response[ORDER..];
        let r0 = h.iter().fold(0, |sum, h| l_mac(sum, *h, *h));
        let r1 = h.windows(2).fold(0, |sum, h| l_mac(sum, h[0], h[1]));
        let factor = if r1 <= 0 { 0 } else { (i64::from(r1) * i64::from(TILT) / i64::from(r0)) as i16 };
        for x in excitation.iter_mut() {
            let now = *x;
            *x = sub(now, mult(factor, self.before_tilt));
            self.before_tilt = now;
        }
    }

    /// Brings the level back to that of the speech, smoothly (A.4.2.4).
    fn level(&mut self, speech: &[i16], shaped: &mut [i16]) {
        // A sixteenth of each square: what is no more than noise of rounding counts as silence.
        let energy = |x: &[i16]| {
            let squares = x.iter().map(|x| i32::from(*x).wrapping_mul(i32::from(*x)) as u32 >> 4);
            squares.fold(0, u32::wrapping_add).min(i32::MAX as u32) as i32
        };
        let (before, after) = (energy(speech), energy(shaped));
        let target = if after == 0 {
            self.level = 0;
            return;
        } else if before == 0 {
            0
        } else {
            let up_after = norm_l(after) - 1;
            let up_before = norm_l(before);
            let ratio = div_s(round(l_shl(after, up_after)), round(l_shl(before, up_before)));
            let exponent = up_after - up_before;
            let square = l_shr(l_shl(i32::from(ratio), 7), exponent);
            let root = inverse_root(square);
            round(l_shl(root, 9))
        };
        for x in shaped.iter_mut() {
            // Nine tenths of the old, one of the new, whose weights sum up to one.
            let sum = i32::from(self.level) * LEVEL_OLD + i32::from(target) * LEVEL_NEW;
            self.level = (sum >> 15) as i16;
            *x = extract_h(l_shl(l_mult(*x, self.level), 3));
        }
    }
}

/// Sum of products over a subframe; `narrow` if 32 bits hold it.
#[inline(always)]
fn product(a: &[i16], b: &[i16], narrow: bool) -> i64 {
    let (a, b) = (&a[..SUBFRAME], &b[..SUBFRAME]);
    let products = a.iter().zip(b).map(|(a, b)| i32::from(*a).wrapping_mul(i32::from(*b)));
    if narrow {
        i64::from(products.fold(0i32, i32::wrapping_add))
    } else {
        products.fold(0i64, |sum, x| sum.wrapping_add(i64::from(x)))
    }
}

/// Second order high pass at 100 Hz, and the doubling that undoes the encoder's halving (4.2.5).
#[derive(Clone, Debug, Default)]
struct HighPass {
    x: [i16; 2],
    /// Q16.
    y: [i32; 2],
}

impl HighPass {
    #[inline]
    fn step(&mut self, x: i16) -> i16 {
        let (a, b) = (&HIGH_PASS_100_A, &HIGH_PASS_100_B);
        // The output before by its upper 31 bits, as two short halves would be multiplied.
        let back = |y: i32, a: i16| ((i64::from(y & !1).wrapping_mul(i64::from(a))) >> 16) << 1;
        let ahead = |x: i16, b: i16| i64::from(i32::from(x).wrapping_mul(i32::from(b))) << 1;
        let sum = back(self.y[1], a[2]) + ahead(self.x[1], b[2]) + ahead(self.x[0], b[1]) + ahead(x, b[0]);
        let sum = sat32((sum + back(self.y[0], a[1])) << 2);
        self.x = [x, self.x[0]];
        self.y = [sum, self.y[0]];
        round(l_shl(sum, 1))
    }
}
