//! When nobody speaks (B.4): whether the description of the silence has to be sent anew, and what it says.
//!
//! A description goes out with the first frame of a silence, and later, at least three frames apart, when spectrum or energy
//! have moved away from it.

use super::analysis::{Autocorrelation, LAGS, levinson};
use super::spectrum::weights;
use crate::bits::Silence;
use crate::lsp::{Lines, Lp, ORDER, Predictor, stabilise};
use crate::noise;
use crate::ops::*;
use crate::tables::lsp::L1;
use crate::tables::noise::{MA_REST, MA_REST_INVERSE, STAGE1};
use crate::wide::{Split, log2};

/// Frames between two descriptions at least.
const APART: u8 = 3;
/// How much more energy than the best filter the old one may leave, Q15: 0.6 dB to send it anew, 0.4 dB to take the mean
/// of the past for it.
const CHANGED: i64 = 4855;
const UNLIKE: i64 = 3161;
/// dB between two quantised energies that make a change.
const LOUDER: i16 = 2;

/// Autocorrelation of some frames: lags on one scale, the true value `lag * 2^-shift`.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    lags: [i16; ORDER + 1],
    shift: i16,
}

impl Sum {
    /// Sums of several, normalised.
    fn of(parts: &[Sum]) -> Sum {
        // What is left of the loudest decides the scale; 12 bits of the others stay.
        let loud = parts.iter().filter(|part| part.lags[0] > 0);
        let scale = loud.map(|part| part.shift).fold(i16::MAX, i16::min);
        if scale == i16::MAX {
            return Sum::default();
        }
        let mut sums = [0i32; ORDER + 1];
        for part in parts.iter().filter(|part| part.lags[0] > 0) {
            for (sum, lag) in sums.iter_mut().zip(&part.lags) {
                *sum += (i32::from(*lag) << 12) >> (part.shift - scale).min(30);
            }
        }
        let norm = norm_l(sums[0]);
        Sum { lags: sums.map(|sum| extract_h(l_shl(sum, norm))), shift: scale + 12 + norm - 16 }
    }

    /// The filter that predicts best, and the energy it leaves.
    fn filter(&self) -> Option<(Lp, Energy)> {
        if self.lags[0] <= 0 {
            return None;
        }
        let mut lags = [Split::default(); LAGS];
        for (to, lag) in lags.iter_mut().zip(&self.lags) {
            to.high = *lag;
        }
        let found = levinson(&lags)?;
        Some((found.a, Energy { mantissa: found.error.0, shift: found.error.1 + self.shift }))
    }

    /// The energy that `filter` would leave, on the scale of [`Sum::filter`]'s: mantissa times 2^15.
    fn left_by(&self, filter: &Form) -> i64 {
        self.lags.iter().zip(&filter.0).map(|(lag, c)| i64::from(*lag) * *c).sum()
    }
}

/// `mantissa * 2^-shift`.
#[derive(Clone, Copy, Debug, Default)]
struct Energy {
    mantissa: i16,
    shift: i16,
}

/// The autocorrelation of a filter's coefficients, Q24, lags above 0 doubled.
#[derive(Clone, Debug, Default)]
struct Form([i64; ORDER + 1]);

impl Form {
    fn of(a: &Lp) -> Form {
        Form(std::array::from_fn(|lag| {
            let sum: i64 = (lag..=ORDER).map(|i| i64::from(a[i]) * i64::from(a[i - lag])).sum();
            if lag == 0 { sum } else { 2 * sum }
        }))
    }
}

/// What is known of the silence, and of what was said about it.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    /// The last two frames, the newer first; of every second frame the sum, three back.
    frames: [Sum; 2],
    sums: [Sum; 3],
    odd: bool,
    /// Residual energies of the last two frames of silence, and how many of them count.
    energies: [Energy; 2],
    counted: usize,
    /// The filter last described, its energy in dB, and its lines.
    described: Form,
    level: i16,
    lines: Lines,
    /// Index of the energy.
    energy: u8,
    since: u8,
    changed: bool,
}

/// A frame of silence.
pub(super) struct Frame {
    /// What to send, if anything.
    pub(super) description: Option<Silence>,
    /// Index of the energy described last.
    pub(super) energy: u8,
    /// The frequencies described last.
    pub(super) lines: Lines,
}

impl Watch {
    /// Takes note of a frame, before anything else is done with it.
    pub(super) fn note(&mut self, found: &Autocorrelation, speech: bool) {
        self.frames[1] = self.frames[0];
        self.frames[0] = Sum { lags: std::array::from_fn(|i| found.lags[i].high), shift: found.shift - 16 };
        self.odd = !self.odd;
        if !self.odd && speech {
            self.add();
        }
    }

    fn add(&mut self) {
        self.sums.rotate_right(1);
        self.sums[0] = Sum::of(&self.frames);
    }

    /// A frame of silence, `first` after speech. `fallback` are the lines of the spectrum if none can be found.
    pub(super) fn silence(
        &mut self,
        first: bool,
        predictor: &mut Predictor,
        to_lines: impl Fn(&Lp) -> Lines,
    ) -> Frame {
        let now = Sum::of(&self.frames);
        let (filter, energy) = now.filter().unwrap_or((FLAT, Energy::default()));
        self.energies = [energy, self.energies[0]];
        self.counted = if first { 1 } else { 2 };
        let (index, level) = quantise_energy(&self.energies[..self.counted]);
        let send = if first {
            true
        } else {
            self.changed |=
                unlike(&now, energy, &self.described, CHANGED) || (level - self.level).abs() > LOUDER;
            self.since = (self.since + 1).min(APART);
            self.since == APART && self.changed
        };
        let description = send.then(|| {
            (self.since, self.changed) = (0, false);
            // The mean over the last frames is the better estimate, unless the silence has just changed.
            let past = Sum::of(&self.sums).filter().map_or(FLAT, |(filter, _)| filter);
            self.described = Form::of(&past);
            let chosen = if unlike(&now, energy, &self.described, UNLIKE) {
                self.described = Form::of(&filter);
                filter
            } else {
                past
            };
            (self.level, self.energy) = (level, index);
            let (mut silence, lines) = quantise_lines(predictor, &to_lines(&chosen));
            silence.energy = index;
            self.lines = lines;
            silence
        });
        if !self.odd {
            self.add();
        }
        Frame { description, energy: self.energy, lines: self.lines }
    }
}

const FLAT: Lp = [4096, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// Whether `filter` leaves more of the signal than the best one by this part (Q15).
fn unlike(now: &Sum, best: Energy, filter: &Form, more: i64) -> bool {
    // Both as Q24 of the scale of the sum's lags.
    let by = best.shift - now.shift;
    let best = (i64::from(best.mantissa) << 24) >> by.clamp(0, 40);
    now.left_by(filter) > best + ((best >> 15) * more)
}

/// The index of a mean energy, and its level in dB.
fn quantise_energy(energies: &[Energy]) -> (u8, i16) {
    let scale = energies.iter().map(|e| e.shift).fold(i16::MAX, i16::min);
    let sum: i32 = energies.iter().map(|e| (i32::from(e.mantissa) << 14) >> (e.shift - scale).min(30)).sum();
    if sum <= 0 {
        return (0, -12);
    }
    // Two frames in each energy, 80 samples in each frame, and 1/8 for the window: Q15, and the doubled products.
    let part = [0, 26, 13][energies.len()];
    let norm = norm_l(sum);
    let product = l_mult(extract_h(sum << norm), part);
    let (whole, fraction) = log2(product);
    // log2 in Q10: the product is 2^(scale + 14 + norm - 16 + 16) too great.
    let log = (i32::from(whole - 12 - norm - scale) << 10) + i32::from(fraction >> 5);
    level_index(log)
}

/// Steps of 4 dB from -4 to 16, of 2 dB from there to 66; -12 below.
fn level_index(log: i32) -> (u8, i16) {
    // dB in Q10: 10 log10(2).
    let level = (log * 3083) >> 10;
    let db = |x: i32| x << 10;
    if level <= db(-8) {
        (0, -12)
    } else if level > db(65) {
        (31, 66)
    } else if level <= db(14) {
        let index = ((level + db(10)) / db(4)).max(1);
        (index as u8, (4 * index - 8) as i16)
    } else {
        let index = ((level - db(3)) / db(2)).max(6);
        (index as u8, (2 * index + 4) as i16)
    }
}

/// First-stage rows that are tried with every second-stage pair.
const TRIED: usize = 6;

/// Quantises the lines of a silence: by weight the nearest word of those whose first stage is near.
fn quantise_lines(predictor: &mut Predictor, lsf: &Lines) -> (Silence, Lines) {
    let mut lsf = *lsf;
    stabilise(&mut lsf);
    let weight = weights(&lsf);
    let mut best = (i64::MAX, Silence::default());
    for mode in 0..2 {
        let target = predictor.extract(&noise::predictor(mode as u8), &MA_REST_INVERSE[mode], &lsf);
        let error = |word: &Lines| {
            (0..ORDER).fold(0i64, |sum, i| {
                let off = mult(sub(word[i], target[i]), MA_REST[mode][i]);
                sum + i64::from(weight[i]) * i64::from(off) * i64::from(off)
            })
        };
        let mut firsts: [(i64, u8); 32] =
            std::array::from_fn(|first| (error(&L1[usize::from(STAGE1[first])]), first as u8));
        firsts.sort_unstable();
        for (_, first) in &firsts[..TRIED] {
            for second in 0..16u8 {
                let spectrum = [*first, second];
                let now = error(&noise::codeword(spectrum));
                if now < best.0 {
                    best = (now, Silence { predictor: mode as u8, spectrum, energy: 0 });
                }
            }
        }
    }
    let found = best.1;
    let mut lines = noise::spectrum(&found, predictor);
    stabilise(&mut lines);
    (found, lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_those_the_decoder_reads() {
        for index in 0..32u8 {
            let gain = f64::from(noise::gain(index)) / 8.0;
            let level = 20.0 * gain.log10();
            let found = level_index(((gain * gain).log2() * 1024.0).round() as i32);
            assert_eq!(found.0, index, "{level} dB");
            assert!((f64::from(found.1) - level).abs() < 0.3, "{found:?} for {level} dB");
        }
        assert_eq!((level_index(i32::MIN / 4096), level_index(40 << 10)), ((0, -12), (31, 66)));
    }

    #[test]
    fn the_lines_of_a_silence_come_near_and_the_decoder_finds_the_same() {
        let (mut ours, mut theirs) = (Predictor::default(), Predictor::default());
        for tilt in 0..40i16 {
            let lsf = std::array::from_fn(|i| 2340 * (i as i16 + 1) - (tilt % 20) * 12 * (10 - i as i16));
            let (silence, lines) = quantise_lines(&mut ours, &lsf);
            let mut decoded = noise::spectrum(&silence, &mut theirs);
            stabilise(&mut decoded);
            assert_eq!(lines, decoded);
            let off = (0..ORDER).map(|i| f64::from(lines[i] - lsf[i]).powi(2)).sum::<f64>() / 10.0;
            assert!(off.sqrt() < 900.0, "{tilt}: {}", off.sqrt());
        }
    }

    #[test]
    fn a_sum_of_frames_is_their_sum_at_any_scale() {
        let lags = |first: i16| std::array::from_fn(|i| first >> i);
        let parts = [Sum { lags: lags(30_000), shift: 3 }, Sum { lags: lags(20_000), shift: -2 }];
        let sum = Sum::of(&parts);
        for i in 0..ORDER {
            let exact: f64 =
                parts.iter().map(|p| f64::from(p.lags[i]) * 2f64.powi(-i32::from(p.shift))).sum();
            let found = f64::from(sum.lags[i]) * 2f64.powi(-i32::from(sum.shift));
            assert!((found - exact).abs() <= exact * 0.02 + 10.0, "{i}: {found} for {exact}");
        }
        assert_eq!(Sum::of(&[Sum::default(); 3]).lags, [0; ORDER + 1]);
    }
}
