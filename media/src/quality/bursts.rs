//! Where losses lie: together in bursts, or apart in gaps (RFC 3611 §4.7.2, counted as its appendix A.2 does).

/// So many packets received in a row end a burst (§4.7.2 recommends 16).
pub const GMIN: u32 = 16;

/// Counts of moves between four states: received or lost, in a gap or in a burst.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bursts {
    /// Received since the last loss; lost since the burst began.
    received: u32,
    lost: u32,
    /// Packets received in gaps, lost alone in gaps.
    gap_received: u64,
    gap_lost: u64,
    /// Bursts that began; packets received in bursts; losses in bursts after a received packet, and after a lost one.
    begun: u64,
    burst_received: u64,
    after_received: u64,
    after_lost: u64,
}

/// What they come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BurstFigures {
    /// Share lost within bursts and within gaps, in 256ths.
    pub burst_density: u8,
    /// See `burst_density`.
    pub gap_density: u8,
    /// Mean length of each, in milliseconds.
    pub burst_ms: u16,
    /// See `burst_ms`.
    pub gap_ms: u16,
}

impl Bursts {
    /// A packet came, after so many that did not.
    pub fn note(&mut self, missing: u32) {
        for _ in 0..missing.min(MISSING_MAX) {
            self.loses();
        }
        self.received = self.received.saturating_add(1);
    }

    fn loses(&mut self) {
        if self.received >= GMIN || (self.gap_received, self.begun) == (0, 0) {
            match self.lost {
                1 => self.gap_lost += 1,
                0 => {}
                _ => self.begun += 1,
            }
            self.lost = 1;
            self.gap_received += u64::from(self.received);
        } else {
            self.lost += 1;
            match self.received {
                0 => self.after_lost += 1,
                received => {
                    self.after_received += 1;
                    self.burst_received += u64::from(received);
                }
            }
        }
        self.received = 0;
    }

    /// For packets that last so long.
    pub fn figures(&self, packet_ms: u64) -> BurstFigures {
        let mut now = *self;
        // What runs is counted as if it had ended.
        if now.received >= GMIN || now.lost == 1 {
            match now.lost {
                1 => now.gap_lost += 1,
                0 => {}
                _ => now.begun += 1,
            }
            now.gap_received += u64::from(now.received);
        } else if now.lost > 1 {
            now.begun += 1;
            now.burst_received += u64::from(now.received);
        } else {
            now.gap_received += u64::from(now.received);
        }
        let lost_in_bursts = now.begun + now.after_received + now.after_lost;
        let in_bursts = lost_in_bursts + now.burst_received;
        let in_gaps = now.gap_received + now.gap_lost;
        let share = |part: u64, whole: u64| (part * 256).checked_div(whole).unwrap_or(0).min(255) as u8;
        let mean_ms = |packets: u64, n: u64| {
            u16::try_from((packets * packet_ms).checked_div(n).unwrap_or(0)).unwrap_or(u16::MAX)
        };
        BurstFigures {
            burst_density: share(lost_in_bursts, in_bursts),
            gap_density: share(now.gap_lost, in_gaps),
            burst_ms: mean_ms(in_bursts, now.begun),
            gap_ms: mean_ms(in_gaps, now.begun + 1),
        }
    }
}

/// A longer hole is no burst but a pause of the network, and must not hold up a packet.
const MISSING_MAX: u32 = 500;

#[cfg(test)]
mod tests {
    use super::*;

    /// MEDIA-07: losses close together are a burst, one alone is none.
    #[test]
    fn losses_close_together_are_a_burst_and_one_alone_is_none() {
        let mut bursts = Bursts::default();
        for n in 0..1_000 {
            bursts.note(u32::from(n % 100 == 99));
        }
        let figures = bursts.figures(20);
        assert_eq!((figures.burst_density, figures.burst_ms), (0, 0), "{figures:?}");
        assert_eq!(figures.gap_density, 2, "1 % of 256");
        // Ten bursts of 20 packets, every second one lost.
        let mut bursts = Bursts::default();
        for _ in 0..10 {
            (0..180).for_each(|_| bursts.note(0));
            (0..10).for_each(|_| bursts.note(1));
        }
        let figures = bursts.figures(20);
        assert!((120..=145).contains(&figures.burst_density), "half is lost: {figures:?}");
        assert!((360..=420).contains(&figures.burst_ms), "20 packets of 20 ms: {figures:?}");
        assert!((3_000..=3_900).contains(&figures.gap_ms), "{figures:?}");
        assert_eq!(figures.gap_density, 0);
    }

    #[test]
    fn nothing_lost_is_one_long_gap() {
        let mut bursts = Bursts::default();
        (0..500).for_each(|_| bursts.note(0));
        assert_eq!(bursts.figures(20), BurstFigures { gap_ms: 10_000, ..BurstFigures::default() });
        assert_eq!(Bursts::default().figures(20), BurstFigures::default());
    }
}
