//! Measuring that goes on elsewhere, and comes back (MEDIA-04).
//!
//! What forwards a stream without us counts it by the same rules from where we left off. Between two readings, about a second, only
//! sums are known: windows and limits see a second's packets as if they had come with the last of them.

use super::{StreamMeter, emodel};

/// What a meter must know to go on where this one is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Handover {
    /// Bit n: `highest - n` was received.
    pub seen: u64,
    /// Highest sequence number, with its cycles.
    pub highest: u32,
    /// RTP time of the newest packet, and when it came in microseconds.
    pub last: (u32, u64),
    /// Jitter in microseconds.
    pub jitter_us: f64,
    /// Transit against the first packet, and the fastest of this span and of the one before.
    pub transit_us: i64,
    /// See `transit_us`.
    pub floor_us: [i64; 2],
    /// When the present span ends, in microseconds.
    pub span_ends_us: u64,
}

/// What was counted elsewhere since the last time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forwarded {
    /// Packets; none of them came twice.
    pub packets: u64,
    /// Their octets of RTP, headers included.
    pub octets: u64,
    /// Runs of missing packets that began, less those that were filled.
    pub bursts: i64,
    /// Packets too late to be played.
    pub late: u64,
    /// Mean of the jitter estimates after each packet, and the highest ever, in microseconds.
    pub jitter_mean_us: f64,
    /// See `jitter_mean_us`.
    pub jitter_max_us: f64,
    /// Where measuring goes on.
    pub now: Handover,
}

impl StreamMeter {
    /// What another meter needs; `None` when this one is not sure of itself: nothing came yet, or the newest gap may be a pause.
    pub fn hand_over(&self) -> Option<Handover> {
        let (highest, seen) = self.sequence.position()?;
        self.jitter.hand_over(Handover {
            seen,
            highest,
            last: (0, 0),
            jitter_us: 0.0,
            transit_us: 0,
            floor_us: [0; 2],
            span_ends_us: 0,
        })
    }

    /// Takes note of what was counted elsewhere.
    pub fn forwarded(&mut self, forwarded: &Forwarded) {
        self.settle();
        self.packets += forwarded.packets;
        self.octets += forwarded.octets;
        self.sequence.forwarded(forwarded);
        self.jitter.forwarded(forwarded);
        let (totals, at_us) = (self.totals(), forwarded.now.last.1);
        let jitter_ms = (forwarded.jitter_mean_us / 1_000.0 * forwarded.packets as f64) as f32;
        self.limits.note(at_us, totals, jitter_ms, u32::try_from(forwarded.packets).unwrap_or(u32::MAX));
        if let Some(codec) = self.codec {
            let part = super::windows::Part {
                at_us,
                totals,
                late: forwarded.late,
                jitter_ms: (f64::from(jitter_ms), u32::try_from(forwarded.packets).unwrap_or(u32::MAX)),
                rtt_ms: self.rtt_ms,
            };
            self.windows.note(part, emodel::Impairment::of(codec));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Arrival;
    use super::*;
    use model::media::Codec;

    fn arrival(seq: u16, at_us: u64) -> Arrival {
        Arrival { ssrc: 1, seq, timestamp: u32::from(seq) * 160, at_us, octets: 172, timed: true }
    }

    #[test]
    fn a_meter_goes_on_from_what_another_counted() {
        let mut here = StreamMeter::new(Codec::Pcmu);
        let mut whole = here.clone();
        let (before, after) = (0..200_u16, 200..400_u16);
        // 20 ms apart, with a little unrest; a few are lost on the way.
        let at = |seq: u16| u64::from(seq) * 20_000 + u64::from(seq % 5) * 700;
        let lost = |seq: &u16| !matches!(seq, 50 | 250 | 251 | 300);
        for seq in before.filter(lost) {
            here.packet(arrival(seq, at(seq)));
            whole.packet(arrival(seq, at(seq)));
        }
        let begun = here.hand_over().unwrap();
        assert_eq!((begun.highest, begun.last), (199, (199 * 160, at(199))));
        // Elsewhere: a copy of the meter counts, as the program in the kernel does.
        let mut there = here.clone();
        let mut jitter_sum = 0.0;
        for seq in after.filter(lost) {
            there.packet(arrival(seq, at(seq)));
            whole.packet(arrival(seq, at(seq)));
            jitter_sum += f64::from(there.snapshot().jitter_ms) * 1_000.0;
        }
        here.forwarded(&Forwarded {
            packets: 197,
            octets: 197 * 172,
            bursts: 2,
            late: 0,
            jitter_mean_us: jitter_sum / 197.0,
            jitter_max_us: f64::from(there.snapshot().jitter_max_ms) * 1_000.0,
            now: there.hand_over().unwrap(),
        });
        let (ours, theirs) = (here.snapshot(), whole.snapshot());
        assert_eq!((ours.packets, ours.octets, ours.lost), (theirs.packets, theirs.octets, theirs.lost));
        assert!((ours.jitter_ms - theirs.jitter_ms).abs() < 0.01, "{ours:?} {theirs:?}");
        assert_eq!(here.report(), whole.report(), "the far end is told the same");
        here.packet(arrival(400, at(400)));
        whole.packet(arrival(400, at(400)));
        assert_eq!(here.snapshot().lost, whole.snapshot().lost);
    }

    #[test]
    fn a_meter_that_knows_nothing_hands_nothing_over() {
        assert_eq!(StreamMeter::new(Codec::Pcmu).hand_over(), None);
    }
}
