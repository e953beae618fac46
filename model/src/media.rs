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
    /// G.722 at 64 kbit/s: 16 kHz are sampled, the RTP clock is 8 kHz, static payload type 9 (RFC 3551 §4.5.2).
    G722,
    /// G.729 at 8 kbit/s, frames of 10 ms, static payload type 18 (RFC 3551 §4.5.6).
    G729,
}

impl Codec {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Pcmu, Self::Pcma, Self::Opus, Self::G722, Self::G729];

    /// The RTP clock in Hz: not always the sampling rate.
    pub const fn clock_hz(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 | Self::G729 => 8_000,
            Self::Opus => 48_000,
        }
    }
    /// The sampling rate it works at, in Hz; `None` for Opus, which takes and gives several.
    pub const fn rate_hz(self) -> Option<u32> {
        match self {
            Self::Pcmu | Self::Pcma | Self::G729 => Some(8_000),
            Self::G722 => Some(16_000),
            Self::Opus => None,
        }
    }
    /// Its payload type, where that is fixed (RFC 3551 §6).
    pub const fn static_type(self) -> Option<u8> {
        match self {
            Self::Pcmu => Some(0),
            Self::Pcma => Some(8),
            Self::G722 => Some(9),
            Self::G729 => Some(18),
            Self::Opus => None,
        }
    }
    /// Channels that `a=rtpmap` says: Opus always two, whatever it carries (RFC 7587 §7).
    pub const fn sdp_channels(self) -> u8 {
        if matches!(self, Self::Opus) { 2 } else { 1 }
    }
    /// The encoding name in `a=rtpmap`.
    pub const fn sdp_name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::Opus => "opus",
            Self::G722 => "G722",
            Self::G729 => "G729",
        }
    }
    /// Whether an encoding name means it: case is of no matter (RFC 8866 §6.6), and gateways older than RFC 3551 call G.729 by the
    /// name of its Annex A, whose bitstream is the same.
    pub fn is_named(self, name: &str) -> bool {
        name.eq_ignore_ascii_case(self.sdp_name()) || self == Self::G729 && name.eq_ignore_ascii_case("G729A")
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
