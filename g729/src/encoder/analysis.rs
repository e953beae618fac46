//! Linear prediction (3.2.1, 3.2.2): window, autocorrelation, lag window, Levinson-Durbin.

use crate::correlate::{Signal, Taps};
use crate::cpu::Cpu;
use crate::ops::*;
use crate::tables::analysis::{LAG_HIGH, LAG_LOW, WINDOW};
use crate::wide::{Split, div_32};

/// Lags beyond the ten of the predictor are heard by voice activity detection alone (Annex B).
pub(super) const LAGS: usize = 13;

/// Autocorrelation of the windowed speech, normalised so that lag 0 fills 31 bits.
#[derive(Clone, Debug)]
pub(super) struct Autocorrelation {
    /// Lags 0 to 12; those the caller did not ask for are 0.
    pub(super) lags: [Split; LAGS],
    /// Bits the true value was moved left to get here.
    pub(super) shift: i16,
}

/// 1 + the doubled energy, if that is a 32-bit value.
#[inline(always)]
fn energy(samples: &[i16]) -> Option<i32> {
    // Two squares fit 31 bits; sums of pairs go on in 64.
    let mut total = 0i64;
    for part in samples.chunks_exact(8) {
        let mut pairs = 0i64;
        for pair in part.chunks_exact(2) {
            let (a, b) = (i32::from(pair[0]), i32::from(pair[1]));
            pairs = pairs.wrapping_add(i64::from(((a * a) as u32).wrapping_add((b * b) as u32)));
        }
        total = total.wrapping_add(pairs);
    }
    i32::try_from(2 * total + 1).ok()
}

/// Autocorrelation of the last 240 samples up to lag `last`.
#[inline(always)]
pub(super) fn autocorrelation(cpu: Cpu, speech: &[i16; 240], last: usize) -> Autocorrelation {
    let mut windowed = [0i16; 240];
    for ((out, sample), weight) in windowed.iter_mut().zip(speech).zip(&WINDOW) {
        *out = ((i32::from(*sample) * i32::from(*weight) + 0x4000) >> 15) as i16;
    }
    let mut shift = 0;
    let zero = loop {
        if let Some(energy) = energy(&windowed) {
            break energy;
        }
        // Too loud for 32 bits: a sixteenth of the energy does.
        windowed.iter_mut().for_each(|sample| *sample >>= 2);
        shift -= 4;
    };
    let norm = norm_l(zero);
    let mut lags = [Split::default(); LAGS];
    lags[0] = Split::of(zero << norm);
    // No partial sum exceeds the energy.
    let signal = Signal::<264>::new(&windowed);
    let taps = Taps::new(&windowed);
    let sums = [signal.eight(cpu, &taps, 0), signal.eight(cpu, &taps, 8)];
    for (lag, sum) in lags.iter_mut().zip(sums.as_flattened()).take(last + 1).skip(1) {
        *lag = Split::of(sum << (norm + 1));
    }
    Autocorrelation { lags, shift: shift + norm }
}

/// Widens every formant a little (60 Hz) and adds white noise 40 dB down, so that the recursion stays well conditioned.
pub(super) fn lag_window(lags: &mut [Split; LAGS]) {
    for (lag, (high, low)) in lags[1..11].iter_mut().zip(LAG_HIGH.iter().zip(&LAG_LOW)) {
        *lag = Split::of(lag.mul32(Split { high: *high, low: *low }));
    }
}

/// A predictor and how it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Predictor {
    /// A(z), Q12, the first coefficient 1.
    pub(super) a: [i16; 11],
    /// The first two reflection coefficients, Q15.
    pub(super) reflection: [i16; 2],
    /// What is left of the energy, and the bits it was moved left on the scale of lag 0.
    pub(super) error: (i16, i16),
}

impl Predictor {
    /// The predictor that predicts nothing.
    pub(super) const NONE: Predictor =
        Predictor { a: [4096, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], reflection: [0; 2], error: (i16::MAX, 0) };
}

/// Levinson-Durbin in double precision. None if the filter would not be stable: the last one goes on then.
#[inline(always)]
pub(super) fn levinson(lags: &[Split; LAGS]) -> Option<Predictor> {
    let mut a = [Split::default(); 11];
    let mut reflection = [0i16; 2];
    let mut error = lags[0];
    let mut shift = 0;
    for order in 1..=10 {
        // The part of this lag that the predictor so far does not explain, Q31 on the scale of lag 0.
        let mut known = 0i32;
        for j in 1..order {
            known = l_add(known, lags[j].mul32(a[order - j]));
        }
        let rest = l_add(l_shl(known, 4), lags[order].long());
        let quotient = div_32(l_abs(rest), error);
        let k = l_shl(if rest > 0 { l_negate(quotient) } else { quotient }, shift);
        let split = Split::of(k);
        if order <= 2 {
            reflection[order - 1] = split.high;
        }
        if abs_s(split.high) > 32750 {
            return None;
        }
        let before = a;
        for j in 1..order {
            // Q27, as all the coefficients are while they grow.
            a[j] = Split::of(l_add(split.mul32(before[order - j]), before[j].long()));
        }
        a[order] = Split::of(k >> 4);
        let left = Split::of(l_sub(i32::MAX, l_abs(split.mul32(split))));
        let remaining = error.mul32(left);
        let norm = norm_l(remaining);
        error = Split::of(l_shl(remaining, norm));
        shift += norm;
    }
    let mut out = [4096i16; 11];
    for (out, a) in out.iter_mut().zip(&a).skip(1) {
        *out = round(l_shl(a.long(), 1));
    }
    Some(Predictor { a: out, reflection, error: (error.high, shift) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise through one resonance, so that neighbours belong together.
    fn vowel(seed: u32, loud: f64) -> [i16; 240] {
        let mut state = seed;
        let (mut one, mut two) = (0.0f64, 0.0f64);
        std::array::from_fn(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = f64::from(state >> 16) / 32768.0 - 1.0;
            let now = noise + 1.6 * one - 0.9 * two;
            (two, one) = (one, now);
            (now * loud) as i16
        })
    }

    /// The definition with saturating operators, sample by sample.
    fn plain(speech: &[i16; 240]) -> ([Split; LAGS], i16) {
        let mut y: Vec<i16> = speech.iter().zip(&WINDOW).map(|(s, w)| mult_r(*s, *w)).collect();
        let mut moved = 0;
        while y.iter().map(|v| 2 * i64::from(*v) * i64::from(*v)).sum::<i64>() >= i64::from(i32::MAX) {
            y.iter_mut().for_each(|v| *v = shr(*v, 2));
            moved -= 4;
        }
        let zero = y.iter().fold(1, |acc, v| l_mac(acc, *v, *v));
        let norm = norm_l(zero);
        let lag = |k: usize| {
            let sum = (k..240).fold(i32::from(k == 0), |acc, n| l_mac(acc, y[n], y[n - k]));
            Split::of(l_shl(sum, norm))
        };
        (std::array::from_fn(lag), moved + norm)
    }

    #[test]
    fn the_fast_autocorrelation_is_the_plain_one() {
        let cases = (0..40).map(|i| vowel(i, 4f64.powi(i as i32 % 8))).chain([
            [i16::MIN; 240],
            [i16::MAX; 240],
            [0; 240],
        ]);
        for speech in cases {
            let fast = autocorrelation(Cpu::best(), &speech, 12);
            assert_eq!((fast.lags, fast.shift), plain(&speech));
        }
    }

    #[test]
    fn the_predictor_finds_the_resonance_it_was_given() {
        let mut found = autocorrelation(Cpu::best(), &vowel(7, 900.0), 10);
        lag_window(&mut found.lags);
        let predictor = levinson(&found.lags).expect("a resonance inside the unit circle is stable");
        let (one, two) = (f64::from(predictor.a[1]) / 4096.0, f64::from(predictor.a[2]) / 4096.0);
        assert!((one + 1.6).abs() < 0.25 && (two - 0.9).abs() < 0.3, "{one} {two}");
        assert!(predictor.reflection[0] < -20000 && predictor.reflection[1] > 16000, "{predictor:?}");
    }

    #[test]
    fn silence_predicts_nothing_and_contradictions_are_refused() {
        let mut silence = autocorrelation(Cpu::best(), &[0; 240], 10);
        lag_window(&mut silence.lags);
        assert_eq!(levinson(&silence.lags).map(|p| p.a), Some(Predictor::NONE.a));
        let mut impossible = [Split::of(0x4000_0000); LAGS];
        impossible[1] = Split::of(-0x4000_0000);
        assert_eq!(levinson(&impossible), None);
    }
}
