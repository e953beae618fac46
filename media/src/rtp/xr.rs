//! Extended reports (RFC 3611): the VoIP metrics block, which goes into the compound packet behind the usual report.

/// Packet type.
const XR: u8 = 207;
/// Block type (§4.7) and its length in words.
const VOIP_METRICS: u8 = 7;
const WORDS: u8 = 8;
/// Octets that [`write`] needs.
pub const LEN: usize = 8 + 36;
/// What is not known (§4.7.4, §4.7.5).
const UNKNOWN: u8 = 127;

/// What is told about a stream that is received. Shares are in 256ths, times in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct VoipMetrics {
    /// The stream it is about.
    pub ssrc: u32,
    /// Lost on the way, of all.
    pub loss_rate: u8,
    /// Came too late or too early to be played, of all.
    pub discard_rate: u8,
    /// Share lost or discarded within bursts.
    pub burst_density: u8,
    /// Share lost or discarded within gaps.
    pub gap_density: u8,
    /// Mean length of bursts.
    pub burst_ms: u16,
    /// Mean length of gaps.
    pub gap_ms: u16,
    /// Round trip by RTCP; 0: not known.
    pub round_trip_ms: u16,
    /// What this end adds: its jitter buffer, its codec.
    pub end_system_ms: u16,
    /// Received packets in a row that end a burst.
    pub gmin: u8,
    /// E-model rating, 0 to 100; `None`: not known.
    pub rating: Option<u8>,
    /// MOS, 1 to 5: listening, and conversational.
    pub mos: (Option<f32>, Option<f32>),
    /// Delay of the jitter buffer now.
    pub buffer_ms: u16,
    /// The most it may be.
    pub buffer_max_ms: u16,
}

/// Writes the packet of `sender` to the front of `out`; how long it is, 0 when there is no room.
pub fn write(out: &mut [u8], sender: u32, metrics: &VoipMetrics) -> usize {
    let Some(out) = out.first_chunk_mut::<LEN>() else { return 0 };
    let mut at = 0;
    let mut put = |octets: &[u8]| {
        out[at..at + octets.len()].copy_from_slice(octets);
        at += octets.len();
    };
    put(&[0x80, XR, 0, (LEN / 4 - 1) as u8]);
    put(&sender.to_be_bytes());
    put(&[VOIP_METRICS, 0, 0, WORDS]);
    put(&metrics.ssrc.to_be_bytes());
    put(&[metrics.loss_rate, metrics.discard_rate, metrics.burst_density, metrics.gap_density]);
    for ms in [metrics.burst_ms, metrics.gap_ms, metrics.round_trip_ms, metrics.end_system_ms] {
        put(&ms.to_be_bytes());
    }
    // Levels and echo are not measured.
    put(&[UNKNOWN, UNKNOWN, UNKNOWN, metrics.gmin]);
    let tenths = |mos: Option<f32>| mos.map_or(UNKNOWN, |mos| (mos * 10.0).round().clamp(10.0, 50.0) as u8);
    put(&[metrics.rating.unwrap_or(UNKNOWN), UNKNOWN, tenths(metrics.mos.0), tenths(metrics.mos.1)]);
    // Concealment: standard; an adaptive buffer, rate of adjustment unknown (§4.7.7).
    put(&[0b1111_0000, 0]);
    put(&metrics.buffer_ms.to_be_bytes());
    put(&metrics.buffer_max_ms.to_be_bytes());
    put(&metrics.buffer_max_ms.to_be_bytes());
    LEN
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::rtcp::{self, Packet};

    /// MEDIA-07: the block as RFC 3611 draws it, in a compound packet that parsers take.
    #[test]
    fn voip_metrics_are_where_the_rfc_draws_them() {
        let metrics = VoipMetrics {
            ssrc: 0x0102_0304,
            loss_rate: 5,
            discard_rate: 6,
            burst_density: 7,
            gap_density: 8,
            burst_ms: 0x0910,
            gap_ms: 0x1112,
            round_trip_ms: 0x1314,
            end_system_ms: 0x1516,
            gmin: 16,
            rating: Some(93),
            mos: (Some(4.41), None),
            buffer_ms: 0x2122,
            buffer_max_ms: 400,
        };
        let mut out = [0; 400];
        let report = rtcp::Report { ssrc: 9, sender: None, block: None, cname: "x", bye: false };
        let len = rtcp::build(&mut out, &report);
        let xr = write(&mut out[len..], 9, &metrics);
        assert_eq!(xr, 44);
        let block = &out[len + 8..len + xr];
        let drawn = [
            7, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0x09, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 127, 127,
            127, 16, 93, 127, 44, 127, 0xF0, 0, 0x21, 0x22, 0x01, 0x90, 0x01, 0x90,
        ];
        assert_eq!(block, drawn);
        let packets: Vec<_> = rtcp::parse(&out[..len + xr]).unwrap().collect();
        assert_eq!(packets.last(), Some(&Packet::Other(207)));
        assert_eq!(write(&mut [0; 43], 9, &metrics), 0);
    }
}
