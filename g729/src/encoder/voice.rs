//! Does somebody speak (B.3)? Energy of the whole and of the low band, spectrum and zero crossings are compared with their
//! running means over the background noise; fourteen lines cut out the region of speech, and a few rules smooth the verdict.

use super::analysis::Autocorrelation;
use crate::lsp::Lines;
use crate::ops::*;
use crate::wide::{Split, log2};

/// Frames that make the first means.
const FIRST: u16 = 32;
/// Frames before the least energy is known.
const SETTLED: u16 = 128;
/// 15 dB, 10 dB, 12 dB, 3 dB and 2 dB as decimal logarithms, Q11.
const QUIET: i16 = 3072;
const TEN_DB: i16 = 2048;
const TWELVE_DB: i16 = 2458;
const THREE_DB: i16 = 614;
const TWO_DB: i16 = 410;
/// log10(240), Q11: energy is a mean over the window.
const WINDOW_LOG: i16 = 4875;
/// A spectral distance that noise keeps to, Q15.
const NEAR: i16 = 83;
/// Autocorrelation of the low-pass filter at 1 kHz, Q15; the sum counts lags above 0 twice.
const LOW_BAND: [i16; 13] = [7869, 7011, 4838, 2299, 321, -660, -782, -484, -164, 3, 39, 21, 4];

/// How fast the means follow, by how often they have been moved: up to this count, energy, crossings, spectrum (Q15).
const SPEEDS: [(u16, [i16; 3]); 6] = [
    (20, [24576, 26214, 19661]),
    (30, [31130, 30147, 21299]),
    (40, [31785, 30802, 22938]),
    (50, [32440, 31457, 24576]),
    (60, [32604, 32440, 24576]),
    (u16::MAX, [32604, 32702, 24576]),
];

/// What is measured of a frame.
#[derive(Clone, Copy, Debug, Default)]
struct Measured {
    /// Energies, log10 in Q11.
    energy: i16,
    low: i16,
    /// Crossings of zero, as a part of the samples, Q15.
    crossings: i16,
    /// Frequencies, 0 to 0.5 in Q15.
    lsf: Lines,
}

/// Voice activity detection of one direction.
#[derive(Clone, Debug)]
pub(super) struct Detector {
    frame: u16,
    mean: Measured,
    /// Frames of the first 32 that were quiet.
    quiet: i16,
    /// The least energy: of the present eight frames, of those before, and of 16 times eight frames.
    least: i16,
    least_before: i16,
    least_next: i16,
    leasts: [i16; 16],
    updates: u16,
    last_energy: i16,
    /// The last two verdicts, the newer first.
    past: [bool; 2],
    /// Whether speech may be prolonged, and how long it has been.
    may_extend: bool,
    extended: u16,
    /// Frames of noise in a row.
    silent: u16,
}

impl Default for Detector {
    fn default() -> Detector {
        Detector {
            frame: 0,
            mean: Measured::default(),
            quiet: 0,
            least: i16::MAX,
            least_before: i16::MAX,
            least_next: i16::MAX,
            leasts: [0; 16],
            updates: 0,
            last_energy: 0,
            past: [true; 2],
            may_extend: true,
            extended: 0,
            silent: 0,
        }
    }
}

/// log10 of a normalised sum of squares, less that of the window's length, Q11.
fn level(sum: i32, shift: i16) -> i16 {
    let (whole, fraction) = log2(sum);
    // log10(2) in Q15; the sum is doubled, and `shift` bits too far left.
    let log = Split { high: whole, low: fraction }.mul16(9864);
    let log = l_mac(log, 9864, -shift - 1);
    sub(extract_h(l_shl(log, 11)), WINDOW_LOG)
}

impl Measured {
    fn of(found: &Autocorrelation, speech: &[i16; 240], lsf: &Lines) -> Measured {
        let lags = found.lags.map(|lag| lag.high);
        let others = (1..13).fold(0, |sum, i| l_mac(sum, lags[i], LOW_BAND[i]));
        let low = l_mac(l_shl(others, 1), lags[0], LOW_BAND[0]);
        let crossed = speech[120..201].windows(2).filter(|w| i32::from(w[0]) * i32::from(w[1]) < 0).count();
        Measured {
            energy: level(found.lags[0].long(), found.shift),
            low: level(low, found.shift),
            crossings: 410 * crossed.min(79) as i16,
            lsf: *lsf,
        }
    }
}

impl Detector {
    /// The verdict of the last frame.
    pub(super) fn last(&self) -> bool {
        self.past[0]
    }

    /// Whether the frame is speech. `lsf` in 0 to 0.5 Q15, `reflection` the second coefficient, Q15.
    pub(super) fn speech(
        &mut self,
        found: &Autocorrelation,
        speech: &[i16; 240],
        lsf: &Lines,
        reflection: i16,
    ) -> bool {
        // Past the beginning only the count modulo 8 matters.
        self.frame = if self.frame >= 32_760 { 256 + self.frame % 8 + 1 } else { self.frame + 1 };
        let now = Measured::of(found, speech, lsf);
        self.follow_least(now.energy);
        let verdict = if self.frame < FIRST {
            self.begin(&now)
        } else {
            if self.frame == FIRST {
                self.begin(&now);
                self.settle();
            }
            self.judge(&now, reflection)
        };
        self.last_energy = now.energy;
        self.past = [verdict, self.past[0]];
        verdict
    }

    /// The least energy of the last 128 frames or so, by eights.
    fn follow_least(&mut self, energy: i16) {
        let last_of_eight = self.frame.is_multiple_of(8);
        if self.frame <= SETTLED {
            self.least = self.least.min(energy);
            if last_of_eight {
                self.leasts[usize::from(self.frame / 8 - 1)] = self.least;
                self.least = i16::MAX;
            }
        } else {
            if self.frame % 8 == 1 {
                self.least = self.least_before;
                self.least_next = i16::MAX;
            }
            self.least = self.least.min(energy);
            self.least_next = self.least_next.min(energy);
            if last_of_eight {
                self.leasts.rotate_left(1);
                self.leasts[15] = self.least_next;
            }
        }
        if last_of_eight {
            self.least_before = self.leasts.iter().fold(i16::MAX, |least, x| least.min(*x));
        }
    }

    /// The first frames are speech unless they are quiet, and make the means.
    fn begin(&mut self, now: &Measured) -> bool {
        if now.energy < QUIET {
            self.quiet += 1;
            return false;
        }
        let part = |mean: i16, x: i16| extract_h(l_mac(deposit_h(mean), x, 1024));
        self.mean.energy = part(self.mean.energy, now.energy);
        self.mean.crossings = part(self.mean.crossings, now.crossings);
        for (mean, x) in self.mean.lsf.iter_mut().zip(&now.lsf) {
            *mean = part(*mean, *x);
        }
        true
    }

    /// The sums over the frames that were not quiet become means over as many.
    fn settle(&mut self) {
        let counted = (i32::from(FIRST) - i32::from(self.quiet)).max(1);
        let whole = |sum: i16| sat16(i32::from(sum) * i32::from(FIRST) / counted);
        let energy = whole(self.mean.energy);
        self.mean.crossings = whole(self.mean.crossings);
        self.mean.lsf = self.mean.lsf.map(whole);
        self.mean.energy = sub(energy, TEN_DB);
        self.mean.low = sub(energy, TWELVE_DB);
    }

    fn judge(&mut self, now: &Measured, reflection: i16) -> bool {
        let distance = extract_h((0..10).fold(0, |sum, i| {
            let off = sub(now.lsf[i], self.mean.lsf[i]);
            l_mac(sum, off, off)
        }));
        let rise = sub(now.energy, self.mean.energy);
        let step = sub(now.energy, self.last_energy);
        let mut verdict = now.energy >= QUIET
            && in_speech(
                sub(self.mean.energy, now.energy),
                sub(self.mean.low, now.low),
                distance,
                sub(self.mean.crossings, now.crossings),
            );
        let mut prolonged = false;
        if self.past[0] && !verdict && rise > TWO_DB && now.energy > QUIET {
            (verdict, prolonged) = (true, true);
        }
        if !self.may_extend {
            self.may_extend = true;
        } else if self.past == [true; 2] && !verdict && abs_s(step) <= THREE_DB {
            (verdict, prolonged) = (true, true);
            self.extended += 1;
            if self.extended > 4 {
                (self.may_extend, self.extended) = (false, 0);
            }
        }
        if !verdict {
            self.silent = self.silent.saturating_add(1);
        } else if self.silent > 10 && step <= THREE_DB {
            (verdict, self.silent) = (false, 0);
        }
        if verdict {
            self.silent = 0;
        }
        let low = sub(now.energy, THREE_DB) < self.mean.energy;
        if low && self.frame > SETTLED && !prolonged && reflection < 19661 {
            verdict = false;
        }
        if low && reflection < 24576 && distance < NEAR {
            self.learn(now);
        }
        let sunk = self.mean.energy < self.least && distance < NEAR;
        if self.frame > SETTLED && (sunk || sub(self.mean.energy, self.least) > TEN_DB) {
            self.mean.energy = self.least;
            self.updates = 0;
        }
        verdict
    }

    /// Moves the means towards a frame of noise.
    fn learn(&mut self, now: &Measured) {
        self.updates = self.updates.saturating_add(1);
        let [energy, crossings, spectrum] =
            SPEEDS.iter().find(|(below, _)| self.updates < *below).map_or(SPEEDS[5].1, |(_, speeds)| *speeds);
        let towards =
            |mean: i16, x: i16, keep: i16| extract_h(l_mac(l_mult(keep, mean), sub(i16::MAX, keep), x));
        self.mean.energy = towards(self.mean.energy, now.energy, energy);
        self.mean.low = towards(self.mean.low, now.low, energy);
        self.mean.crossings = towards(self.mean.crossings, now.crossings, crossings);
        for (mean, x) in self.mean.lsf.iter_mut().zip(&now.lsf) {
            *mean = towards(*mean, *x, spectrum);
        }
    }
}

/// A constant of the decision, Q20.
const fn fixed(x: f64) -> i64 {
    (x * 1_048_576.0) as i64
}

/// The region of speech (B.3.5): differences of the means to the frame's energy, low energy (log10, Q11) and crossings
/// (Q15), and the spectral distance (Q15).
fn in_speech(energy: i16, low: i16, distance: i16, crossings: i16) -> bool {
    // All in Q20, energies in dB.
    let energy = i64::from(energy) * 5120;
    let low = i64::from(low) * 5120;
    let distance = i64::from(distance) << 5;
    let crossings = i64::from(crossings) << 5;
    let line = |slope: i64, x: i64, from: i64| ((slope * x) >> 20) + from;
    distance > line(fixed(0.00175), crossings, fixed(0.00085))
        || distance > line(fixed(-0.004545), crossings, fixed(0.001159))
        || energy < line(fixed(-25.0), crossings, fixed(-5.0))
        || energy < line(fixed(20.0), crossings, fixed(-6.0))
        || energy < fixed(-4.7)
        || energy < line(fixed(8800.0), distance, fixed(-12.2))
        || distance > fixed(0.0009)
        || energy < line(fixed(25.0), crossings, fixed(-7.0))
        || energy < line(fixed(-29.09), crossings, fixed(-4.8182))
        || energy < fixed(-5.3)
        || low < line(fixed(14000.0), distance, fixed(-15.5))
        || low > line(fixed(0.928571), energy, fixed(1.14285))
        || low < line(fixed(-1.5), energy, fixed(-9.0))
        || low < line(fixed(0.714285), energy, fixed(-2.14285))
}
