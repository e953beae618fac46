//! Digits as tones within the voice (ITU-T Q.23), heard as Q.24 asks.
//!
//! [`Detector`] takes samples at 8 kHz and tells when a digit begins and how long it was held; [`Tones`] makes them. A
//! digit is two tones, one of each group, and nothing else: speech contains such pairs now and then, but hardly ever alone,
//! on pitch and for 40 ms.
//!
//! Each 5 ms the last 16 ms are weighed by a window and passed through eight Goertzel filters. How far a tone is off pitch
//! is read from the phase by which it advances from one look to the next: amplitudes alone cannot tell 1.5 % from 3.5 %
//! in so short a time.

mod detector;
mod generator;

pub use detector::{Detector, Found};
pub use generator::Tones;

/// The low group, in Hz: the rows of the keypad.
pub const LOW_HZ: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
/// The high group: its columns.
pub const HIGH_HZ: [f64; 4] = [1209.0, 1336.0, 1477.0, 1633.0];

/// Row and column of a digit.
const KEYPAD: [[char; 4]; 4] =
    [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

#[cfg(test)]
mod talk;
#[cfg(test)]
mod tests;
