//! Concealment for G.711 and G.722: the last pitch period goes on, fading.
//!
//! The idea of ITU-T G.711 Appendix I, much reduced: find the period in what was heard last, repeat it, and let it die
//! away within 60 ms, because a longer invention sounds like a machine. When audio comes back it is faded in over 4 ms,
//! so that the seam does not click.

/// What was heard last, to invent from.
#[derive(Clone, Debug)]
pub(super) struct Concealer {
    /// The newest samples, as many as `scale` says; the last is the youngest.
    history: [i16; HISTORY * SCALE_MAX],
    /// Sampling rate in units of 8 kHz.
    scale: usize,
    /// Samples invented since the last heard one.
    invented: usize,
    /// Period being repeated, in samples; chosen at the start of a hole.
    period: usize,
}

impl Default for Concealer {
    fn default() -> Self {
        Self { history: [0; HISTORY * SCALE_MAX], scale: 1, invented: 0, period: PERIOD_MIN }
    }
}

impl Concealer {
    /// For samples at 16 kHz; the default is for 8.
    pub(super) fn wide() -> Self {
        Self { scale: 2, period: PERIOD_MIN * 2, ..Self::default() }
    }

    /// Takes note of decoded samples; after a hole, blends their beginning with the invention.
    pub(super) fn heard(&mut self, samples: &mut [i16]) {
        if self.invented > 0 {
            let blend = (BLEND * self.scale).min(samples.len());
            let mut tail = [0; BLEND * SCALE_MAX];
            self.invent(&mut tail[..blend]);
            for (i, (real, invented)) in samples.iter_mut().zip(&tail[..blend]).enumerate() {
                let share = (i + 1) as i32;
                let whole = blend as i32 + 1;
                *real = ((i32::from(*real) * share + i32::from(*invented) * (whole - share)) / whole) as i16;
            }
            self.invented = 0;
        }
        self.remember(samples);
    }

    /// Fills `out` with the continuation of what was heard.
    pub(super) fn invent(&mut self, out: &mut [i16]) {
        if self.invented == 0 {
            self.period = self.find_period();
        }
        // The history stays as it was heard: the period is read from its end again and again.
        let end = HISTORY * self.scale;
        for sample in out {
            let back = self.period - self.invented % self.period;
            let gain = gain_at(self.invented / self.scale);
            *sample = ((i32::from(self.history[end - back]) * gain) >> 15) as i16;
            self.invented = self.invented.saturating_add(1);
        }
    }

    fn remember(&mut self, samples: &[i16]) {
        let history = &mut self.history[..HISTORY * self.scale];
        if samples.len() >= history.len() {
            history.copy_from_slice(&samples[samples.len() - history.len()..]);
        } else {
            history.copy_within(samples.len().., 0);
            let kept = history.len() - samples.len();
            history[kept..].copy_from_slice(samples);
        }
    }

    /// The lag at which the last 10 ms are most like themselves: 50 to 200 Hz and more.
    fn find_period(&self) -> usize {
        let (history, compared) = (&self.history[..HISTORY * self.scale], COMPARED * self.scale);
        let newest = &history[history.len() - compared..];
        let mut best = (PERIOD_MAX * self.scale, 0.0f32);
        for lag in PERIOD_MIN * self.scale..=PERIOD_MAX * self.scale {
            let older = &history[history.len() - compared - lag..history.len() - lag];
            let (mut likeness, mut energy) = (0.0f32, 1.0f32);
            for (a, b) in newest.iter().zip(older) {
                likeness += f32::from(*a) * f32::from(*b);
                energy += f32::from(*b) * f32::from(*b);
            }
            let score = if likeness > 0.0 { likeness * likeness / energy } else { 0.0 };
            if score > best.1 {
                best = (lag, score);
            }
        }
        best.0
    }
}

/// 15-bit gain: full for 10 ms, then straight down to nothing at 60 ms.
fn gain_at(invented: usize) -> i32 {
    match invented {
        ..FULL => 32_767,
        FULL..SILENT => ((SILENT - invented) * 32_767 / (SILENT - FULL)) as i32,
        _ => 0,
    }
}

// In samples at 8 kHz.
const COMPARED: usize = 80;
const PERIOD_MIN: usize = 40;
const PERIOD_MAX: usize = 160;
const HISTORY: usize = COMPARED + PERIOD_MAX;
const BLEND: usize = 32;
const FULL: usize = 80;
const SILENT: usize = 480;
/// 16 kHz.
const SCALE_MAX: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f32, from: usize, len: usize) -> Vec<i16> {
        (from..from + len)
            .map(|i| ((i as f32 * hz * std::f32::consts::TAU / 8000.0).sin() * 8000.0) as i16)
            .collect()
    }

    #[test]
    fn a_steady_tone_goes_on_through_a_lost_packet() {
        let mut concealer = Concealer::default();
        concealer.heard(&mut tone(200.0, 0, 480));
        let mut invented = vec![0; 80];
        concealer.invent(&mut invented);
        let wanted = tone(200.0, 480, 80);
        let worst =
            invented.iter().zip(&wanted).map(|(a, b)| (i32::from(*a) - i32::from(*b)).abs()).max().unwrap();
        assert!(worst < 300, "off by {worst} of 8000");
    }

    #[test]
    fn an_invention_dies_within_60_ms() {
        let mut concealer = Concealer::default();
        concealer.heard(&mut tone(200.0, 0, 480));
        let mut invented = vec![0; 800];
        concealer.invent(&mut invented);
        assert!(invented[..80].iter().any(|s| s.abs() > 7000));
        assert!(invented[480..].iter().all(|s| *s == 0));
    }

    #[test]
    fn after_silence_silence_is_invented() {
        let mut concealer = Concealer::default();
        let mut invented = vec![1; 160];
        concealer.invent(&mut invented);
        assert!(invented.iter().all(|s| *s == 0));
    }
}
