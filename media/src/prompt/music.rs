//! The music callers hear when nothing else is configured: soft chords, made here, owned by nobody.
//!
//! Four chords of 3 s, each tone a few sines with a slow rise and a long fall. What rings past the end is laid over the
//! beginning, so the loop has no seam. Written for telephone lines: nothing below 200 Hz matters, no sharp attacks that a
//! speech codec would smear.

use super::{Prompt, PromptError};

/// The loop as a prompt. Make it once and share it: it costs a quarter of a second.
pub fn hold_music() -> Result<Prompt, PromptError> {
    Prompt::from_pcm("hold music", RATE, &samples(RATE))
}

/// The loop as mono samples at a rate, 12 s long.
pub fn samples(rate_hz: u32) -> Vec<i16> {
    let len = (CHORDS.len() as u32 * CHORD_S * rate_hz) as usize;
    let mut mix = vec![0.0f32; len];
    for (index, chord) in CHORDS.iter().enumerate() {
        for (voice, semitones) in chord.iter().enumerate() {
            // Tones of a chord enter one after the other, like a hand rolling over strings.
            let start_s = index as f32 * CHORD_S as f32 + voice as f32 * 0.18;
            pluck(&mut mix, rate_hz, start_s, 220.0 * 2f32.powf(*semitones as f32 / 12.0));
        }
    }
    let loudest = mix.iter().fold(1e-6f32, |loudest, s| loudest.max(s.abs()));
    mix.iter().map(|s| (s / loudest * PEAK) as i16).collect()
}

/// Adds one tone; what rings past the end goes on at the beginning.
fn pluck(mix: &mut [f32], rate_hz: u32, start_s: f32, hz: f32) {
    let rate = rate_hz as f32;
    let (start, ring) = ((start_s * rate) as usize, (RING_S * rate) as usize);
    for (partial, gain) in [(1.0f32, 1.0f32), (2.0, 0.28), (3.0, 0.09)] {
        // A tone by rotation: one multiplication of complex numbers a sample instead of a sine.
        let (step_im, step_re) = (hz * partial * std::f32::consts::TAU / rate).sin_cos();
        let (mut re, mut im) = (1.0f32, 0.0f32);
        // Higher partials die sooner, as on a string.
        let fall = (-1.0 / (0.9 / partial * rate)).exp();
        let mut level = gain;
        for i in 0..ring {
            (re, im) = (re * step_re - im * step_im, re * step_im + im * step_re);
            let rise = (i as f32 / (0.06 * rate)).min(1.0);
            let end = ((ring - i) as f32 / (0.3 * rate)).min(1.0);
            level *= fall;
            let at = (start + i) % mix.len();
            mix[at] += im * level * rise * end;
        }
    }
}

/// Semitones above A3: a slow walk between neighbours, ending where it began.
const CHORDS: [[i32; 4]; 4] = [[3, 7, 10, 14], [0, 3, 7, 10], [5, 8, 12, 15], [-2, 5, 8, 12]];
const CHORD_S: u32 = 3;
const RING_S: f32 = 4.5;
const RATE: u32 = 48_000;
/// -9 dB of full scale at the loudest: music masks speech and annoys when it is as loud.
const PEAK: f32 = 11_500.0;
