//! Words that media, records and screens share: codecs, stream statistics, wire sizes.

use serde::{Deserialize, Serialize};

/// An audio codec we can decode and encode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// G.711 mu-law, 8 kHz, static payload type 0 (RFC 3551 §4.5.14).
    Pcmu,
    /// G.711 A-law, 8 kHz, static payload type 8 (RFC 3551 §4.5.14).
    Pcma,
    /// Opus, RTP clock 48 kHz (RFC 7587).
    Opus,
}

impl Codec {
    /// The RTP clock in Hz: not always the sampling rate.
    pub const fn clock_hz(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma => 8_000,
            Self::Opus => 48_000,
        }
    }
    /// The encoding name in `a=rtpmap`.
    pub const fn sdp_name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::Opus => "opus",
        }
    }
}

/// What was measured on one direction of one leg, since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StreamStats {
    /// RTP packets received that passed all checks.
    pub packets: u64,
    /// Octets of RTP received, headers included, IP and UDP not.
    pub octets: u64,
    /// Packets missing by sequence number (RFC 3550 §6.4.1).
    pub lost: u64,
    /// Packets that came twice.
    pub duplicates: u64,
    /// Packets dropped: bad tag, wrong source, unknown payload type.
    pub rejected: u64,
    /// Interarrival jitter now, in milliseconds (RFC 3550 §6.4.1).
    pub jitter_ms: f32,
    /// Highest jitter so far, in milliseconds.
    pub jitter_max_ms: f32,
    /// Round trip from RTCP, in milliseconds, when the far end answers reports.
    pub rtt_ms: Option<f32>,
    /// Listening quality by the E-model (G.107), 1 to 4.5; `None` before the first second of audio.
    pub mos: Option<f32>,
    /// Lowest MOS of any 5 s window so far.
    pub mos_min: Option<f32>,
}
