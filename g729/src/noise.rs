//! Comfort noise: what a description of silence stands for, and the excitation both sides make of it (B.4.2, B.4.4).

use crate::bits::Silence;
use crate::codebook::{Delay, PAST, SUBFRAME, adaptive};
use crate::cpu::Cpu;
use crate::frame::SAMPLES;
use crate::lsp::{Lines, ORDER, Predictor, spread_by};
use crate::ops::*;
use crate::random::Random;
use crate::tables::lsp::{L1, L23, MA};
use crate::tables::noise::{ENERGY_GAIN, MA_REST, STAGE1, STAGE2};
use crate::wide::{Split, inverse_root};

/// Where the random sequence of comfort noise begins after each speech frame.
pub const SEED: u16 = 11111;
/// The LSP of silence before any description, Q15: those of a flat spectrum.
pub const LSP_START: Lines = [31441, 27566, 21458, 13612, 4663, -4663, -13612, -21458, -27566, -31441];
/// Greatest gain of the pulses.
const PULSE_MAX: i16 = 5000;
/// Share of the energy left beside the Gaussian part, whose amplitude is one half: 0.75, Q15.
const BESIDE_GAUSS: i16 = 24576;
/// Half the root of 40 times one half, less one, Q15: the Gaussian part's amplitude from a gain.
const GAUSS_SCALE: i16 = 19043;

/// The two predictors of silence, Q15: that of speech with L0 = 0, and a mixture of 0.6 and 0.4 of both (equation B.18).
pub fn predictor(index: u8) -> [Lines; 4] {
    match index & 1 {
        0 => MA[0],
        _ => std::array::from_fn(|k| {
            std::array::from_fn(|i| extract_h(l_mac(l_mult(MA[0][k][i], 19660), MA[1][k][i], 13107)))
        }),
    }
}

/// What the predictors leave to the codeword, Q15.
pub fn predictor_rest(index: u8) -> &'static Lines {
    &MA_REST[usize::from(index & 1)]
}

/// The codeword of a description, Q13.
pub fn codeword(spectrum: [u8; 2]) -> Lines {
    let first = &L1[usize::from(STAGE1[usize::from(spectrum[0] & 31)])];
    let halves = STAGE2.map(|half| &L23[usize::from(half[usize::from(spectrum[1] & 15)])]);
    let mut word: Lines = std::array::from_fn(|i| add(first[i], halves[i / (ORDER / 2)][i]));
    spread_by(&mut word, 10);
    word
}

/// The frequencies a description stands for, Q13, not yet stable; the predictor remembers its codeword.
pub fn spectrum(silence: &Silence, memory: &mut Predictor) -> Lines {
    let word = codeword(silence.spectrum);
    let lsf = memory.compose(&predictor(silence.predictor), predictor_rest(silence.predictor), &word);
    memory.push(&word);
    lsf
}

/// The gain of a description's energy, Q3.
pub fn gain(index: u8) -> i16 {
    ENERGY_GAIN[usize::from(index & 31)]
}

/// The index of the energy nearest to that of an excitation: `energy` is the mean square, Q0.
///
/// Levels stand 4 dB apart up to 16 dB and 2 dB above; the lowest is -12 dB.
pub fn energy_index(energy: i32) -> u8 {
    // Each level reaches half way, in decibels, to the next: the product of neighbours' gains (Q6) bounds the energy.
    let squared = i64::from(energy) << 6;
    (0..31).take_while(|i| squared > i64::from(ENERGY_GAIN[*i]) * i64::from(ENERGY_GAIN[i + 1])).count() as u8
}

/// Writes a frame of comfort noise's excitation behind [`PAST`] samples of what was before. `gain` is Q3.
///
/// Says of each half by which gain (Q14) and from which whole delay the past came back in it.
pub(crate) fn excite(
    cpu: Cpu,
    excitation: &mut [i16; PAST + SAMPLES],
    gain: i16,
    random: &mut Random,
) -> [(i16, i16); 2] {
    [1, 2].map(|half| {
        let end = PAST + SUBFRAME * half;
        if gain == 0 {
            excitation[end - SUBFRAME..end].fill(0);
            return (0, SUBFRAME as i16);
        }
        subframe(cpu, &mut excitation[..end], gain, random)
    })
}

/// What the random numbers of a subframe choose.
struct Draw {
    delay: Delay,
    /// Gain of the adaptive part, below 0.5, Q15.
    gain: i16,
    /// Place of each pulse and whether it is positive.
    pulses: [(usize, bool); 4],
}

impl Draw {
    fn new(random: &mut Random) -> Draw {
        let a = random.next() as u16 as usize;
        let b = random.next() as u16 as usize;
        let third = match a & 3 {
            3 => 0,
            third => third as i16 - 1,
        };
        let track3 = 5 * (b >> 5 & 7) + (b >> 4 & 1) + 3;
        Draw {
            delay: Delay { whole: (a >> 2 & 63) as i16 + 40, third },
            pulses: [
                (5 * (a >> 8 & 7), a >> 11 & 1 == 1),
                (5 * (a >> 12 & 7) + 1, a >> 15 & 1 == 1),
                (5 * (b & 7) + 2, b >> 3 & 1 == 1),
                (track3, b >> 8 & 1 == 1),
            ],
            gain: (random.next() & 0x1fff) << 1,
        }
    }

    /// The excitation's samples under the pulses, each with its pulse's sign, summed.
    fn under(&self, signal: &[i16; SUBFRAME], down: i16) -> i16 {
        self.pulses.iter().fold(0, |sum, (at, positive)| {
            let x = shr(signal[*at], down);
            if *positive { add(sum, x) } else { sub(sum, x) }
        })
    }
}

/// One subframe: Gaussian noise, a random adaptive part, and four pulses whose gain makes the energy right (B.4.4).
fn subframe(cpu: Cpu, excitation: &mut [i16], gain: i16, random: &mut Random) -> (i16, i16) {
    let start = excitation.len() - SUBFRAME;
    let draw = Draw::new(random);
    let gauss = gaussian(gain, random);
    adaptive(cpu, excitation, draw.delay);
    let mut signal: [i16; SUBFRAME] =
        std::array::from_fn(|n| add(mult_r(excitation[start + n], draw.gain), gauss[n]));
    // Scaled down so that forty squares fit.
    let most = signal.iter().fold(0, |most, x| abs_s(*x).max(most));
    let down = if most == 0 { 0 } else { (3 - norm_s(most)).max(0) };
    let energy = signal.iter().fold(0, |sum, x| l_mac(sum, x >> down, x >> down));
    // Four times the energy the subframe shall have: 40 gains squared.
    let wanted = l_mult(gain, extract_l(l_shr(l_mult(gain, SUBFRAME as i16), 6)));
    // 4 g^2 + 2 I g + E = K, solved for g: the root's square, its scale, and I.
    let mut cross = shr(draw.under(&signal, down), 1);
    let mut square = l_mac(l_sub(l_shr(wanted, 1 + 2 * down), energy), cross, cross);
    let mut scale = down + 1;
    let mut past = draw.gain >> 1;
    if square < 0 {
        // Too loud already: without the adaptive part there is always a solution.
        signal = gauss;
        past = 0;
        let large = draw.pulses.iter().any(|(at, _)| abs_s(gauss[*at]) & 0x4000 != 0);
        scale = if large { 2 } else { 1 };
        cross = draw.under(&gauss, scale);
        square = l_shr(Split::of(wanted).mul16(BESIDE_GAUSS), 2 * scale - 1);
        square = l_mac(square, cross, cross);
    }
    let root = (square.max(0) as u32 >> 1).isqrt() as i16;
    let (one, other) = (sub(root, cross), negate(add(cross, root)));
    let x = if abs_s(other) < abs_s(one) { other } else { one };
    let pulse = shr_r(x, 2 - scale).clamp(-PULSE_MAX, PULSE_MAX);
    for (at, positive) in draw.pulses {
        signal[at] = if positive { add(signal[at], pulse) } else { sub(signal[at], pulse) };
    }
    excitation[start..].copy_from_slice(&signal);
    (past, draw.delay.whole)
}

/// Gaussian noise with a quarter of the energy of `gain`.
fn gaussian(gain: i16, random: &mut Random) -> [i16; SUBFRAME] {
    // Twelve uniform numbers are Gaussian enough; Q9 of a deviation of one.
    let noise: [i16; SUBFRAME] = std::array::from_fn(|_| (random.sum_of_twelve() >> 7) as i16);
    let energy = noise.iter().fold(0, |sum, x| l_mac(sum, *x, *x));
    let amplitude = add(gain, mult_r(gain, GAUSS_SCALE));
    let factor = Split::of(inverse_root(energy >> 1)).mul16(amplitude);
    let up = norm_l(factor);
    let mantissa = extract_h(l_shl(factor, up));
    noise.map(|x| shr_r(mult_r(x, mantissa), up - 14))
}

/// Short shift right, rounded; left if `by` is negative.
fn shr_r(a: i16, by: i16) -> i16 {
    if by > 15 {
        return 0;
    }
    let out = shr(a, by);
    if by > 0 { out + (a >> (by - 1) & 1) } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_excitation_has_the_energy_of_its_gain() {
        let mut excitation = [0; PAST + SAMPLES];
        let mut random = Random::new(SEED);
        for index in 1..32 {
            let wanted = f64::from(gain(index)) / 8.0;
            let mut sum = 0.0;
            for _ in 0..50 {
                excite(Cpu::best(), &mut excitation, gain(index), &mut random);
                sum += excitation[PAST..].iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / 80.0;
                excitation.copy_within(SAMPLES.., 0);
            }
            let found = (sum / 50.0).sqrt();
            // The loudest are held back by the limit of the pulses' gain; below 2 a sample has no finer steps.
            assert!(
                (found / wanted - 1.0).abs() < 0.25 || (found - wanted).abs() < 0.9,
                "{index}: {found} for {wanted}"
            );
            let named = energy_index((wanted * wanted).round() as i32);
            assert!(named == index || wanted < 2.0, "{index} named {named}");
        }
    }

    #[test]
    fn without_gain_there_is_silence() {
        let mut excitation = [5; PAST + SAMPLES];
        excite(Cpu::best(), &mut excitation, 0, &mut Random::new(SEED));
        assert!(excitation[PAST..].iter().all(|x| *x == 0));
    }
}
