//! Who has the floor: the loudest few, and not another few every syllable.
//!
//! Loudness rises within a frame and falls slowly, so that a pause between words costs nobody the floor. Who has it keeps
//! it against anybody less than 6 dB louder, and for 200 ms in any case.

use super::{PARTIES_MAX, bits};

#[derive(Clone, Debug)]
pub(super) struct Floor {
    speakers: usize,
    /// Smoothed power, of samples with 16 bits.
    power: [f32; PARTIES_MAX],
    /// Frames since each got the floor.
    since: [u32; PARTIES_MAX],
    holders: u64,
}

impl Floor {
    pub(super) fn new(speakers: usize) -> Self {
        Self { speakers, power: [0.0; PARTIES_MAX], since: [0; PARTIES_MAX], holders: 0 }
    }

    /// A party said something this loud.
    pub(super) fn heard(&mut self, at: usize, power: f32) {
        self.power[at] = (self.power[at] * DECAY).max(power);
    }

    /// How loud a party is, falling slowly.
    pub(super) fn power(&self, at: usize) -> f32 {
        self.power[at]
    }

    /// Somebody else sits there now.
    pub(super) fn forget(&mut self, at: usize) {
        self.power[at] = 0.0;
        self.since[at] = 0;
        self.holders &= !(1 << at);
    }

    /// Who of those present has the floor in this frame.
    pub(super) fn choose(&mut self, present: u64) -> u64 {
        if present.count_ones() as usize <= self.speakers {
            self.hold(present);
            return present;
        }
        let mut chosen = 0u64;
        while (chosen.count_ones() as usize) < self.speakers {
            let rank = |at: &usize| self.rank(*at);
            let Some(next) = bits(present & !chosen).max_by(|a, b| rank(a).total_cmp(&rank(b))) else {
                break;
            };
            chosen |= 1 << next;
        }
        self.hold(chosen);
        chosen
    }

    fn rank(&self, at: usize) -> f32 {
        match self.holders & (1 << at) != 0 {
            true if self.since[at] < HOLD => f32::MAX,
            true => self.power[at].max(1.0) * BONUS,
            false => self.power[at],
        }
    }

    fn hold(&mut self, chosen: u64) {
        for at in bits(chosen) {
            self.since[at] = if self.holders & (1 << at) == 0 { 0 } else { self.since[at].saturating_add(1) };
        }
        self.holders = chosen;
    }
}

/// A frame: 6 dB in 300 ms.
const DECAY: f32 = 0.912;
/// 6 dB.
const BONUS: f32 = 4.0;
/// 200 ms.
const HOLD: u32 = 10;
