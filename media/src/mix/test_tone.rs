//! Tones as tests say and hear them; `media/tests` has them from here, too.

/// A tone's sample at `t`, counted in samples.
pub fn sample(t: f64, hz: f64, rate: u32, loud: f64) -> i16 {
    ((t * hz / f64::from(rate) * std::f64::consts::TAU).sin() * loud) as i16
}

/// Amplitude of one tone in what was heard.
pub fn level(heard: &[i16], hz: f64, rate: u32) -> f64 {
    let (mut re, mut im) = (0.0, 0.0);
    for (i, sample) in heard.iter().enumerate() {
        let (sin, cos) = (i as f64 * hz / f64::from(rate) * std::f64::consts::TAU).sin_cos();
        re += f64::from(*sample) * cos;
        im += f64::from(*sample) * sin;
    }
    2.0 * re.hypot(im) / heard.len().max(1) as f64
}

/// The steepest step from one sample to the next: a click is steeper than any tone.
pub fn steepest(heard: &[i16]) -> f64 {
    heard.windows(2).map(|w| (f64::from(w[1]) - f64::from(w[0])).abs()).fold(0.0, f64::max)
}
