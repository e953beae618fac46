//! Speech-like sound to try detectors with: a voice of changing pitch, through formants that glide, in syllables.

use crate::jitter::test_dice::Dice;

/// So many seconds at 8 kHz, at speech level.
pub(super) fn speech(seconds: usize, seed: u64) -> Vec<i16> {
    let mut dice = Dice::new(seed);
    let mut out = Vec::with_capacity(seconds * 8_000);
    let mut resonators = [Resonator::default(); 4];
    let mut until_pulse = 0.0;
    while out.len() < seconds * 8_000 {
        // One syllable: a vowel gliding into another, sung as steadily as a speaker ever does, or a fricative.
        let len = 600 + (dice.share() * 2_400.0) as usize;
        let voiced = dice.share() < 0.85;
        let pitch = [70.0 + dice.share() * 280.0, 70.0 + dice.share() * 280.0];
        let steady = dice.share() < 0.4;
        let vowel = |dice: &mut Dice| {
            [
                250.0 + dice.share() * 700.0,
                800.0 + dice.share() * 1_500.0,
                2_200.0 + dice.share() * 900.0,
                3_400.0,
            ]
        };
        let (from, to) = (vowel(&mut dice), vowel(&mut dice));
        let level = 1_500.0 + dice.share() * 9_000.0;
        for i in 0..len {
            let t = i as f64 / len as f64;
            let glide = if steady { 0.0 } else { t };
            until_pulse -= 1.0;
            let mut excitation = (dice.share() - 0.5) * if voiced { 0.02 } else { 0.5 };
            if voiced && until_pulse <= 0.0 {
                let hz = pitch[0] + (pitch[1] - pitch[0]) * glide * 0.3;
                until_pulse +=
                    8_000.0 / hz * (1.0 + (dice.share() - 0.5) * if steady { 0.002 } else { 0.02 });
                excitation += 1.0;
            }
            let mut sample = 0.0;
            for (n, resonator) in resonators.iter_mut().enumerate() {
                let hz = from[n] + (to[n] - from[n]) * glide;
                sample += resonator.next(excitation, hz, 50.0 + 40.0 * n as f64) / (1.0 + n as f64);
            }
            let envelope = (t * std::f64::consts::PI).sin();
            out.push((sample * envelope * level).clamp(-32_000.0, 32_000.0) as i16);
        }
        if dice.share() < 0.3 {
            out.extend(std::iter::repeat_n(0, (dice.share() * 1_600.0) as usize));
        }
    }
    out
}

#[derive(Clone, Copy, Default)]
struct Resonator {
    y1: f64,
    y2: f64,
}

impl Resonator {
    fn next(&mut self, x: f64, hz: f64, width_hz: f64) -> f64 {
        let r = (-std::f64::consts::PI * width_hz / 8_000.0).exp();
        let y = x + 2.0 * r * (std::f64::consts::TAU * hz / 8_000.0).cos() * self.y1 - r * r * self.y2;
        (self.y2, self.y1) = (self.y1, y);
        y * 0.3
    }
}
