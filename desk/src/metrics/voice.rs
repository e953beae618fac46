//! How calls sounded: figures of every leg, taken when it ends.

use model::journal::Party;
use model::media::StreamStats;
use prometheus::{HistogramVec, IntCounterVec, Registry};

use super::register::{counters, histograms};

/// Bounds of the mean opinion score: 3.6 and 4.0 are where people begin to complain and cease to be pleased (G.107 Annex B).
const MOS_BUCKETS: [f64; 9] = [1.5, 2.0, 2.6, 3.1, 3.6, 3.8, 4.0, 4.2, 4.4];

/// See the module.
pub(super) struct Voice {
    mos: HistogramVec,
    packets: IntCounterVec,
    lost: IntCounterVec,
}

impl Voice {
    pub fn new(r: &Registry) -> Result<Self, prometheus::Error> {
        let party = &["party"];
        Ok(Self {
            mos: histograms(
                r,
                "patchbay_leg_mos",
                "Listening quality of what a party sent, by the E-model, at the end of its leg.",
                &MOS_BUCKETS,
                party,
            )?,
            packets: counters(r, "patchbay_leg_packets_total", "Packets of voice that parties sent.", party)?,
            lost: counters(r, "patchbay_leg_lost_packets_total", "Of these, lost on the way to us.", party)?,
        })
    }

    /// Counts a leg that ended. One that was never heard has no quality.
    pub fn ended(&self, party: Party, stats: &StreamStats) {
        let party = &[party_name(party)];
        self.packets.with_label_values(party).inc_by(stats.packets + stats.lost);
        self.lost.with_label_values(party).inc_by(stats.lost);
        if let Some(mos) = stats.mos {
            self.mos.with_label_values(party).observe(f64::from(mos));
        }
    }
}

pub(super) fn party_name(party: Party) -> &'static str {
    match party {
        Party::Customer => "customer",
        Party::Agent { .. } => "agent",
        Party::FarEnd => "far_end",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::{AgentId, Id};

    /// OPS-06: quality as a histogram, with a label of few values.
    #[test]
    fn a_leg_counts_with_its_quality_and_its_loss() {
        let registry = Registry::new();
        let voice = Voice::new(&registry).unwrap();
        let heard = StreamStats { packets: 990, lost: 10, mos: Some(3.7), ..StreamStats::default() };
        voice.ended(Party::Customer, &heard);
        voice.ended(Party::Agent { agent: AgentId::from_number(1) }, &StreamStats::default());
        let text = prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        for line in [
            r#"patchbay_leg_mos_bucket{party="customer",le="3.6"} 0"#,
            r#"patchbay_leg_mos_bucket{party="customer",le="3.8"} 1"#,
            r#"patchbay_leg_packets_total{party="customer"} 1000"#,
            r#"patchbay_leg_lost_packets_total{party="customer"} 10"#,
            r#"patchbay_leg_packets_total{party="agent"} 0"#,
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
        assert!(!text.contains(r#"patchbay_leg_mos_count{party="agent"}"#), "silence has no quality: {text}");
    }
}
