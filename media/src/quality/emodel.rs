//! MOS from loss and delay: the E-model (ITU-T G.107) with everything but loss and delay at its default.
//!
//! `R = 93.2 - Id - Ie,eff`, where 93.2 is the default of all parts that a gateway cannot know (noise, loudness, echo).
//! Loss enters as `Ie,eff = Ie + (95 - Ie) * Ppl / (Ppl / BurstR + Bpl)` (G.107 §7.4), delay by the usual line
//! `Id = 0.024 T + 0.11 max(0, T - 177.3)`. The result is on the narrow-band scale for every codec, so that legs compare.

use model::media::Codec;

/// How a codec takes loss (ITU-T G.113 Appendix I).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Impairment {
    /// What the codec costs without loss.
    pub ie: f64,
    /// How well it bears random loss: the higher, the better.
    pub bpl: f64,
}

impl Impairment {
    /// G.711 with concealment (G.113 Table I.4).
    pub const G711_PLC: Self = Self { ie: 0.0, bpl: 25.1 };
    /// G.711 that plays holes as silence (G.113 Table I.4).
    pub const G711: Self = Self { ie: 0.0, bpl: 4.3 };
    /// G.729 Annex A with its concealment (G.113 Table I.4).
    pub const G729A: Self = Self { ie: 11.0, bpl: 19.0 };
    /// Opus at 19 kbit/s. G.113 has no figures, this is our choice: no impairment on the narrow-band scale, and a little
    /// less patience than G.711 with concealment, because a lost packet also harms the next ones while the copy it
    /// sends along (FEC) repairs single losses only coarsely.
    pub const OPUS: Self = Self { ie: 0.0, bpl: 20.0 };

    /// G.722 at 64 kbit/s with concealment. Wide-band tables count it better than G.711; on the narrow-band scale it can be
    /// no better, and the adaptation makes it a little less patient with loss.
    pub const G722: Self = Self { ie: 0.0, bpl: 20.0 };

    /// What is used for a codec. Players of G.711 conceal nowadays.
    pub const fn of(codec: Codec) -> Self {
        match codec {
            Codec::Pcmu | Codec::Pcma => Self::G711_PLC,
            Codec::Opus => Self::OPUS,
            Codec::G722 => Self::G722,
            Codec::G729 => Self::G729A,
        }
    }
}

/// The transmission rating, 0 to 93.2.
pub fn rating(codec: Impairment, loss_percent: f64, burst_ratio: f64, delay_ms: f64) -> f64 {
    let delay = 0.024 * delay_ms + 0.11 * (delay_ms - 177.3).max(0.0);
    let loss = loss_percent.clamp(0.0, 100.0);
    let effective = codec.ie + (95.0 - codec.ie) * loss / (loss / burst_ratio.max(1.0) + codec.bpl);
    (93.2 - delay - effective).clamp(0.0, 100.0)
}

/// MOS, 1 to 4.41 (G.107 Annex B).
pub fn mos(codec: Impairment, loss_percent: f64, burst_ratio: f64, delay_ms: f64) -> f64 {
    let r = rating(codec, loss_percent, burst_ratio, delay_ms);
    // The polynomial dips below 1 for very small ratings.
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).clamp(1.0, 4.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// MEDIA-07: MOS by the E-model, per codec.
    #[test]
    fn the_e_model_gives_the_published_figures() {
        let cases = [(0.0, 0.0), (0.0, 50.0), (1.0, 50.0), (3.0, 50.0), (5.0, 150.0), (10.0, 300.0)];
        let wanted = [
            (Impairment::G711_PLC, [4.41, 4.38, 4.30, 4.09, 3.77, 2.34]),
            (Impairment::G711, [4.41, 4.38, 3.78, 2.73, 1.99, 1.00]),
            (Impairment::G729A, [4.10, 4.06, 3.90, 3.58, 3.16, 1.72]),
        ];
        for (codec, row) in wanted {
            for ((loss, delay), want) in cases.into_iter().zip(row) {
                let got = mos(codec, loss, 1.0, delay);
                assert!((got - want).abs() <= 0.0101, "{codec:?} {loss} % {delay} ms: {got:.4}, not {want}");
            }
        }
    }

    #[test]
    fn lost_in_bursts_sounds_worse_than_lost_one_by_one() {
        let single = mos(Impairment::G711_PLC, 5.0, 1.0, 0.0);
        let bursts = mos(Impairment::G711_PLC, 5.0, 4.0, 0.0);
        assert!(bursts < single - 0.05, "{bursts:.2} against {single:.2}");
    }
}
