//! G.722 at 64 kbit/s: 16 kHz speech in two bands, each by adaptive differences (ITU-T G.722, block names in brackets).
//!
//! One octet stands for two samples: six bits of the lower band, two of the upper. The RTP clock is 8 kHz though 16 kHz are
//! sampled (RFC 3551 §4.5.2, an old mistake kept for compatibility): a timestamp counts octets, not samples. Payload type
//! 9, 160 octets and 160 ticks for 20 ms.
//!
//! Samples are 16-bit; the recommendation counts 14, so two low bits are lost. The filters of both ends together delay by
//! [`DELAY`] samples. Not here: the 56 and 48 kbit/s modes, which RTP does not use.

use super::conceal::Concealer;

/// Samples a second.
pub const RATE_HZ: u32 = 16_000;
/// Ticks a second of its RTP clock.
pub const CLOCK_HZ: u32 = 8_000;
/// Samples by which encoder and decoder together delay.
pub const DELAY: usize = 22;

/// Samples to octets. 250 octets of state; nothing is allocated.
#[derive(Clone, Debug)]
pub struct G722Encoder {
    history: [i32; 24],
    low: Band,
    high: Band,
}

/// Octets to samples, and holes into something a listener forgives. 1.3 KB of state; nothing is allocated.
#[derive(Clone, Debug)]
pub struct G722Decoder {
    history: [i32; 24],
    low: Band,
    high: Band,
    concealer: Concealer,
}

impl Default for G722Encoder {
    fn default() -> Self {
        Self { history: [0; 24], low: Band::new(LOW_STEP), high: Band::new(HIGH_STEP) }
    }
}

impl Default for G722Decoder {
    fn default() -> Self {
        Self {
            history: [0; 24],
            low: Band::new(LOW_STEP),
            high: Band::new(HIGH_STEP),
            concealer: Concealer::wide(),
        }
    }
}

impl G722Encoder {
    /// Encodes pairs of samples; says how many octets that took. A last odd sample, and what `out` cannot hold, is left.
    pub fn encode(&mut self, samples: &[i16], out: &mut [u8]) -> usize {
        let pairs = samples.chunks_exact(2).zip(out.iter_mut());
        pairs.map(|(pair, octet)| *octet = self.pair(i32::from(pair[0]), i32::from(pair[1]))).count()
    }

    /// [Transmit QMF, then both encoders.]
    fn pair(&mut self, first: i32, second: i32) -> u8 {
        self.history.copy_within(2.., 0);
        (self.history[22], self.history[23]) = (first, second);
        let (mut even, mut odd) = (0, 0);
        for (i, pair) in self.history.chunks_exact(2).enumerate() {
            odd += pair[0] * QMF[i];
            even += pair[1] * QMF[11 - i];
        }
        let low = self.low_code((even + odd) >> 14);
        let high = self.high_code((even - odd) >> 14);
        (high << 6 | low) as u8
    }

    fn low_code(&mut self, sample: i32) -> i32 {
        // [SUBTRA, QUANTL]
        let error = saturated(sample - self.low.guess);
        let size = if error >= 0 { error } else { -(error + 1) };
        let step = self.low.step;
        let level = (1..30).find(|level| size < (Q6[*level] * step) >> 12).unwrap_or(30) as i32;
        // Codes run down from 61 for positive errors; for negative ones two come first, then down from 31.
        let code = match (error >= 0, level) {
            (true, level) => 62 - level,
            (false, 1) => 63,
            (false, 2) => 62,
            (false, level) => 34 - level,
        };
        self.low.adapt_low(code);
        code
    }

    fn high_code(&mut self, sample: i32) -> i32 {
        // [SUBTRA, QUANTH]
        let error = saturated(sample - self.high.guess);
        let size = if error >= 0 { error } else { -(error + 1) };
        let far = size >= (564 * self.high.step) >> 12;
        let code = match (error >= 0, far) {
            (true, false) => 3,
            (true, true) => 2,
            (false, false) => 1,
            (false, true) => 0,
        };
        self.high.adapt_high(code);
        code
    }
}

impl G722Decoder {
    /// Decodes octets, two samples each; says how many samples that gave. What `out` cannot hold is left. After a hole the
    /// first 4 ms are blended with what was invented; the adaptation finds back by itself.
    pub fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> usize {
        let pairs = out.chunks_exact_mut(2).zip(payload);
        let given = 2 * pairs.map(|(pair, octet)| pair.copy_from_slice(&self.pair(*octet))).count();
        self.concealer.heard(&mut out[..given]);
        given
    }

    /// Fills `out` with what may have been lost.
    pub fn conceal(&mut self, out: &mut [i16]) {
        self.concealer.invent(out);
    }

    /// [Both decoders, then the receive QMF.]
    fn pair(&mut self, octet: u8) -> [i16; 2] {
        let (low_code, high_code) = (i32::from(octet & 0x3F), i32::from(octet >> 6));
        // [INVQBL, RECONS, LIMIT] The signal uses all six bits; what both ends adapt by, only four.
        let difference = (self.low.step * inverse_6(low_code)) >> 15;
        let low = (self.low.guess + difference).clamp(-16_384, 16_383);
        self.low.adapt_low(low_code);
        let difference = (self.high.step * QM2[high_code as usize]) >> 15;
        let high = (self.high.guess + difference).clamp(-16_384, 16_383);
        self.high.adapt_high(high_code);
        self.history.copy_within(2.., 0);
        (self.history[22], self.history[23]) = (low + high, low - high);
        let (mut first, mut second) = (0, 0);
        for (i, pair) in self.history.chunks_exact(2).enumerate() {
            second += pair[0] * QMF[i];
            first += pair[1] * QMF[11 - i];
        }
        [saturated(first >> 11) as i16, saturated(second >> 11) as i16]
    }
}

/// One band's adaptive quantizer and predictor, the same at both ends.
#[derive(Clone, Debug)]
struct Band {
    /// Step of the quantizer [DET], and its logarithm [NB].
    step: i32,
    log_step: i32,
    /// What the next sample is expected to be [S], and the part of it the zeros give [SZ].
    guess: i32,
    guess_zeros: i32,
    /// Signal of both kinds, newest first: reconstructed [R], without the poles' part [P], differences [D].
    rebuilt: [i32; 2],
    partial: [i32; 2],
    differences: [i32; 6],
    /// Coefficients of poles [A] and zeros [B].
    poles: [i32; 2],
    zeros: [i32; 6],
}

impl Band {
    fn new(step: i32) -> Self {
        Self {
            step,
            log_step: 0,
            guess: 0,
            guess_zeros: 0,
            rebuilt: [0; 2],
            partial: [0; 2],
            differences: [0; 6],
            poles: [0; 2],
            zeros: [0; 6],
        }
    }

    /// [INVQAL, LOGSCL, SCALEL, block 4 L]
    fn adapt_low(&mut self, code: i32) {
        let code = (code >> 2) as usize;
        let difference = (self.step * QM4[code]) >> 15;
        let faster = WL[RL42[code]];
        self.log_step = (((self.log_step * 127) >> 7) + faster).clamp(0, 18_432);
        self.step = linear(self.log_step, 8);
        self.predict(difference);
    }

    /// [INVQAH, LOGSCH, SCALEH, block 4 H]
    fn adapt_high(&mut self, code: i32) {
        let difference = (self.step * QM2[code as usize]) >> 15;
        // The outer levels are the even codes.
        let faster = if code & 1 == 0 { 798 } else { -214 };
        self.log_step = (((self.log_step * 127) >> 7) + faster).clamp(0, 22_528);
        self.step = linear(self.log_step, 10);
        self.predict(difference);
    }

    /// [Block 4.]
    fn predict(&mut self, difference: i32) {
        let rebuilt = saturated(self.guess + difference);
        let partial = saturated(self.guess_zeros + difference);
        let same = |a: i32, b: i32| (a < 0) == (b < 0);
        // [UPPOL2]
        let turned = saturated(self.poles[0] << 2);
        let turned = if same(partial, self.partial[0]) { (-turned).min(32_767) } else { turned };
        let towards = if same(partial, self.partial[1]) { 128 } else { -128 };
        let second = (towards + (turned >> 7) + ((self.poles[1] * 32_512) >> 15)).clamp(-12_288, 12_288);
        // [UPPOL1]
        let towards = if same(partial, self.partial[0]) { 192 } else { -192 };
        let first = saturated(towards + ((self.poles[0] * 32_640) >> 15));
        let most = saturated(15_360 - second);
        self.poles = [first.clamp(-most, most), second];
        // [UPZERO]
        let pull = if difference == 0 { 0 } else { 128 };
        for (zero, old) in self.zeros.iter_mut().zip(&self.differences) {
            let towards = if same(difference, *old) { pull } else { -pull };
            *zero = saturated(towards + ((*zero * 32_640) >> 15));
        }
        // [DELAYA]
        self.differences.copy_within(..5, 1);
        self.differences[0] = difference;
        self.rebuilt = [rebuilt, self.rebuilt[0]];
        self.partial = [partial, self.partial[0]];
        // [FILTEP, FILTEZ, PREDIC]
        let product = |a: i32, b: i32| (a * saturated(b + b)) >> 15;
        let poles =
            saturated(product(self.poles[0], self.rebuilt[0]) + product(self.poles[1], self.rebuilt[1]));
        let zeros = self.zeros.iter().zip(&self.differences).map(|(zero, d)| product(*zero, *d)).sum();
        self.guess_zeros = saturated(zeros);
        self.guess = saturated(poles + self.guess_zeros);
    }
}

/// The step a logarithm stands for [SCALEL, SCALEH].
fn linear(log: i32, octaves: i32) -> i32 {
    let mantissa = ILB[((log >> 6) & 31) as usize];
    let down = octaves - (log >> 11);
    (if down < 0 { mantissa << -down } else { mantissa >> down }) << 2
}

/// The value of six bits, in units of the step [INVQBL]. The four outermost patterns are never sent: they read as the
/// innermost of all.
fn inverse_6(code: i32) -> i32 {
    match code {
        0..=3 => -136,
        4..=31 => -QM6[(code - 4) as usize],
        32..=61 => QM6[(code - 32) as usize],
        62 => -432,
        _ => -136,
    }
}

fn saturated(value: i32) -> i32 {
    value.clamp(-32_768, 32_767)
}

/// Steps to begin with.
const LOW_STEP: i32 = 32;
const HIGH_STEP: i32 = 8;
/// Half of the quadrature mirror filter (Table 4); the other half is the same backwards.
const QMF: [i32; 12] = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];
/// Decision levels of the lower band (Table 14).
const Q6: [i32; 30] = [
    0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121,
    1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
];
/// Output levels of the lower band, outermost first: with six bits, and with four.
const QM6: [i32; 30] = [
    24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456,
    4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136,
];
const QM4: [i32; 16] =
    [0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0];
/// Output levels of the upper band.
const QM2: [i32; 4] = [-7408, -1616, 7408, 1616];
/// How fast the lower band's step grows or shrinks, by the size of the difference.
const WL: [i32; 8] = [-60, -30, 58, 172, 334, 538, 1198, 3042];
/// The size that four bits stand for.
const RL42: [usize; 16] = [0, 7, 6, 5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1, 0];
/// Mantissas of powers of two, in 32nds.
const ILB: [i32; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896,
    2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f64, level: f64, len: usize) -> Vec<i16> {
        (0..len).map(|i| ((i as f64 * hz / 16_000.0 * std::f64::consts::TAU).sin() * level) as i16).collect()
    }

    fn through(samples: &[i16]) -> Vec<i16> {
        let (mut octets, mut out) = (vec![0; samples.len() / 2], vec![0; samples.len()]);
        assert_eq!(G722Encoder::default().encode(samples, &mut octets), octets.len());
        assert_eq!(G722Decoder::default().decode(&octets, &mut out), out.len());
        out
    }

    /// Signal to noise in dB of what came out against what went in, the delay allowed for.
    fn snr(before: &[i16], after: &[i16]) -> f64 {
        let (mut signal, mut noise) = (0.0, 0.0);
        for (a, b) in before.iter().zip(&after[DELAY..]).skip(1_600) {
            signal += f64::from(*a).powi(2);
            noise += (f64::from(*a) - f64::from(*b)).powi(2);
        }
        10.0 * (signal / noise.max(1.0)).log10()
    }

    /// MEDIA-05: tones come through: the lower band with six bits a sample, the upper one with two.
    #[test]
    fn tones_of_both_bands_come_through() {
        for (hz, level, least_db) in [
            (300.0, 8_000.0, 35.0),
            (1_000.0, 8_000.0, 35.0),
            (1_000.0, 500.0, 28.0),
            (3_000.0, 8_000.0, 25.0),
            (5_000.0, 8_000.0, 10.0),
            (6_500.0, 8_000.0, 10.0),
        ] {
            let before = tone(hz, level, 16_000);
            let snr = snr(&before, &through(&before));
            assert!(snr >= least_db, "{hz} Hz at {level}: {snr:.1} dB");
        }
    }

    #[test]
    fn silence_stays_silence() {
        assert!(through(&[0; 3_200]).iter().all(|s| s.abs() <= 16));
    }

    #[test]
    fn a_second_pass_loses_little_more_than_the_first() {
        let before = tone(700.0, 8_000.0, 16_000);
        let once = through(&before);
        let twice = through(&once);
        assert!(snr(&once, &twice) >= snr(&before, &once) - 3.0);
    }

    /// MEDIA-05: bit for bit what another implementation makes; see `media/tests/vectors/README.md`.
    #[test]
    fn encoder_and_decoder_agree_bit_for_bit_with_another_implementation() {
        let pcm = |octets: &[u8]| -> Vec<i16> {
            octets.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
        };
        let input = pcm(include_bytes!("../../tests/vectors/g722_input.s16"));
        let code = include_bytes!("../../tests/vectors/g722_code.g722");
        let output = pcm(include_bytes!("../../tests/vectors/g722_output.s16"));
        assert!(input.len() >= 8_000 && code.len() * 2 == input.len() && output.len() == input.len());
        let mut octets = vec![0; code.len()];
        G722Encoder::default().encode(&input, &mut octets);
        let differs = octets.iter().zip(code).position(|(a, b)| a != b);
        assert_eq!(differs, None, "first octet that differs");
        let mut samples = vec![0; output.len()];
        G722Decoder::default().decode(code, &mut samples);
        let differs = samples.iter().zip(&output).position(|(a, b)| a != b);
        assert_eq!(differs, None, "first sample that differs");
    }

    /// MEDIA-06: a lost packet is patched: the voice goes on without a step, and with its level.
    #[test]
    fn a_lost_packet_is_concealed() {
        let voice: Vec<i16> = tone(160.0, 6_000.0, 16_000)
            .iter()
            .zip(tone(480.0, 3_000.0, 16_000))
            .map(|(a, b)| a + b)
            .collect();
        let mut octets = vec![0; 8_000];
        G722Encoder::default().encode(&voice, &mut octets);
        let (mut decoder, mut heard) = (G722Decoder::default(), Vec::new());
        for (n, payload) in octets.chunks(160).enumerate() {
            let mut out = [0; 320];
            match n {
                20 => decoder.conceal(&mut out),
                _ => assert_eq!(decoder.decode(payload, &mut out), 320),
            }
            heard.extend(out);
        }
        let steepest = |s: &[i16]| s.windows(2).map(|w| w[0].abs_diff(w[1])).max().unwrap_or(0);
        let power = |s: &[i16]| s.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / s.len() as f64;
        assert!(steepest(&heard[1_600..]) <= steepest(&voice) * 3 / 2, "{}", steepest(&heard[1_600..]));
        // Half of it is still at full level, the rest fades to 80 %.
        assert!(power(&heard[6_400..6_720]) > power(&voice) * 0.6);
        // 200 ms later nothing is left of it.
        assert!(snr(&voice[8_400..], &heard[8_400..]) > 25.0);
    }

    #[test]
    fn any_octets_decode_and_any_length_fits() {
        let mut decoder = G722Decoder::default();
        let mut state = 9u32;
        for _ in 0..2_000 {
            let octets: [u8; 40] = std::array::from_fn(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            });
            assert_eq!(decoder.decode(&octets, &mut [0; 80]), 80);
        }
        assert_eq!(decoder.decode(&[1, 2, 3], &mut [0; 5]), 4);
        assert_eq!(G722Encoder::default().encode(&[1; 7], &mut [0; 9]), 3);
        // The loudest there is, of either sign, at the highest frequency.
        let square: Vec<i16> = (0..8_000).map(|i| if i % 3 == 0 { i16::MIN } else { i16::MAX }).collect();
        assert_eq!(through(&square).len(), 8_000);
    }
}
