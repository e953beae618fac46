//! What was negotiated for a leg: addresses, formats, keys, ways.

use std::net::SocketAddr;

use crate::codec::Shape;
use model::media::Codec;
use serde::{Deserialize, Serialize};

/// What was negotiated for a leg.
#[derive(Clone, Debug, PartialEq)]
pub struct LegSetup {
    /// Where to send RTP. `None` for ICE legs: connectivity checks tell. `None` for others too while the far end holds us
    /// with an address of zeros (RFC 3264 §8.4): then nothing is sent.
    pub remote: Option<SocketAddr>,
    /// Where to send RTCP when it is not muxed. `None`: the port after `remote`.
    pub remote_rtcp: Option<SocketAddr>,
    /// RTCP on the RTP port (RFC 5761).
    pub rtcp_mux: bool,
    /// What we send: sounds, voices in another codec, and voices in this one as they come. `None`: only what is `passed`.
    pub send: Option<Format>,
    /// What the far end may send, of what we understand.
    pub receive: Vec<Format>,
    /// Formats that are not understood, and go to and from the far end as they are.
    pub passed: Vec<Passed>,
    /// The leg carries video; it is one of the `passed` formats.
    pub video: Option<Video>,
    /// Telephone events: what we send and accept. `None`: in-band.
    pub events: Option<EventFormat>,
    /// Where there are no telephone events: digits that come as tones are told all the same.
    pub overhear: bool,
    /// Comfort noise (RFC 3389) at 8 kHz: what we accept and may send. `None`: pauses are no packets, or silence.
    pub comfort_noise: Option<u8>,
    /// How the far end wants what it is sent: what it said of Opus, and whether silence may be left out.
    pub shape: Shape,
    /// Keys, or how to get them.
    pub security: Security,
    /// Connectivity checks on a leg with ports of its own; `None`: no ICE, or only on the shared port.
    pub checks: Option<Box<Checks>>,
    /// Which ways audio flows, seen from us (after our answer).
    pub direction: Direction,
    /// Whose packets are believed (MEDIA-12).
    pub latching: Latching,
}

/// A setup to be filled in: nothing is sent, nothing is taken.
impl Default for LegSetup {
    fn default() -> Self {
        Self {
            remote: None,
            remote_rtcp: None,
            rtcp_mux: false,
            send: None,
            receive: Vec::new(),
            passed: Vec::new(),
            video: None,
            events: None,
            overhear: false,
            comfort_noise: None,
            shape: Shape::default(),
            security: Security::None,
            checks: None,
            direction: Direction::Inactive,
            latching: Latching::Off,
        }
    }
}

/// A format that is passed on as it is: a codec we have no decoder for, or video.
///
/// A packet that comes in it leaves on each leg that hears it by the payload type which that leg has for the same `format`. One
/// that has none is not sent it. Payload and marker stay as they came; sequence number, timestamp and SSRC become ours, and
/// contributing sources and header extensions are left out, as in all packets of ours: who answers for us by SDP must not
/// agree to extensions. Mute stops it: nobody knows how to say silence in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// RTP payload type on this leg, both ways.
    pub payload_type: u8,
    /// What control calls it: the same number is the same format, with the same parameters, on every leg.
    pub format: u16,
    /// RTP clock in Hz, the same wherever the format is.
    pub clock_hz: u32,
}

/// Video on a leg of its own (MEDIA-14).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Video {
    /// What may pass in each direction (CAP-03), in bits per second on the wire: IP, UDP and Ethernet with preamble included.
    /// 64 000 to 100 000 000.
    pub max_bits_per_second: u32,
    /// Numbers of those formats that are retransmissions (RTX, RFC 4588): they travel in a stream of their own.
    pub repairs: Vec<u16>,
}

impl Default for Video {
    fn default() -> Self {
        Self { max_bits_per_second: 960_000, repairs: Vec::new() }
    }
}

/// A payload type and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// RTP payload type, 0 to 127.
    pub payload_type: u8,
    /// Codec.
    pub codec: Codec,
    /// Packet time in milliseconds, 10 to 60. Only what we send obeys it; we accept any.
    pub ptime_ms: u8,
}

/// Payload type and clock of telephone events (RFC 4733).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventFormat {
    /// RTP payload type of what we send and of what the far end sends.
    pub payload_type: u8,
    /// RTP clock: 8000 or 48000 Hz.
    pub clock_hz: u32,
}

/// How a leg's media is protected.
#[derive(Clone, PartialEq)]
pub enum Security {
    /// Plain RTP.
    None,
    /// Keys came by SDP (RFC 4568).
    Sdes {
        /// Protects what we send.
        send: SrtpKey,
        /// Opens what we receive.
        receive: SrtpKey,
    },
    /// Keys come by DTLS (RFC 5763); only on ICE legs.
    Dtls {
        /// The far end's `a=ice-ufrag`.
        remote_ufrag: String,
        /// The far end's `a=ice-pwd`.
        remote_pwd: String,
        /// The far end's `a=fingerprint`, e.g. `sha-256 AB:CD:…`; compared before keys are used.
        remote_fingerprint: String,
        /// Whether we open the handshake (`a=setup:active` on our side).
        active: bool,
    },
    /// Keys come by DTLS without ICE (RFC 5763); on legs with ports of their own. Only RTP's port is keyed, so RTCP should share it.
    DtlsAlone {
        /// The far end's `a=fingerprint`; compared before keys are used.
        remote_fingerprint: String,
        /// Whether we open the handshake (`a=setup:active` on our side).
        active: bool,
    },
}

/// Keys never reach a log.
impl std::fmt::Debug for Security {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Sdes { .. } => "Sdes(hidden)",
            Self::Dtls { .. } => "Dtls(hidden)",
            Self::DtlsAlone { .. } => "DtlsAlone(hidden)",
        })
    }
}

/// ICE on a leg with ports of its own: we answer checks as a lite agent (RFC 8445 §2.5), and believe and send to nobody but whom
/// they proved. What was signalled as address counts for nothing then, nor does [`Latching`].
#[derive(Clone, PartialEq, Eq)]
pub struct Checks {
    /// Our `a=ice-ufrag`.
    pub ufrag: String,
    /// Our `a=ice-pwd`.
    pub pwd: String,
    /// The far end's `a=ice-ufrag`.
    pub remote_ufrag: String,
}

/// The password stays out of logs.
impl std::fmt::Debug for Checks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Checks({}:{}, hidden)", self.ufrag, self.remote_ufrag)
    }
}

/// An SRTP master key with its suite (RFC 4568 §6.1).
#[derive(Clone, PartialEq, Eq)]
pub struct SrtpKey {
    /// Which ciphers.
    pub suite: SrtpSuite,
    /// Master key followed by master salt, [`SrtpSuite::key_and_salt_len`] octets.
    pub key_and_salt: Vec<u8>,
}

impl std::fmt::Debug for SrtpKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SrtpKey({:?}, hidden)", self.suite)
    }
}

/// SRTP protection profiles (RFC 4568 §6.2, RFC 6188, RFC 7714).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SrtpSuite {
    /// `AES_CM_128_HMAC_SHA1_80`.
    AesCm128HmacSha1_80,
    /// `AES_CM_128_HMAC_SHA1_32`.
    AesCm128HmacSha1_32,
    /// `AES_256_CM_HMAC_SHA1_80`.
    Aes256CmHmacSha1_80,
    /// `AEAD_AES_128_GCM`.
    AeadAes128Gcm,
    /// `AEAD_AES_256_GCM`.
    AeadAes256Gcm,
}

impl SrtpSuite {
    /// The name in `a=crypto`.
    pub const fn sdp_name(self) -> &'static str {
        match self {
            Self::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
            Self::Aes256CmHmacSha1_80 => "AES_256_CM_HMAC_SHA1_80",
            Self::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "AEAD_AES_256_GCM",
        }
    }
    /// Octets of the master key.
    pub const fn key_len(self) -> usize {
        match self {
            Self::AesCm128HmacSha1_80 | Self::AesCm128HmacSha1_32 | Self::AeadAes128Gcm => 16,
            Self::Aes256CmHmacSha1_80 | Self::AeadAes256Gcm => 32,
        }
    }
    /// Octets of the master salt.
    pub const fn salt_len(self) -> usize {
        match self {
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
            _ => 14,
        }
    }
    /// Octets of master key and salt together, as `a=crypto` carries them.
    pub const fn key_and_salt_len(self) -> usize {
        self.key_len() + self.salt_len()
    }
}

/// Which ways audio flows on a leg, seen from us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    SendRecv,
    /// We send; what comes is dropped.
    SendOnly,
    /// We receive; nothing is sent but RTCP.
    RecvOnly,
    /// Neither.
    Inactive,
}

/// Whose packets a leg believes, and where it sends (MEDIA-12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latching {
    /// Only the signalled address and port, or what ICE verified. The default.
    Off,
    /// Packets go where it was signalled, and come from the same host by whatever port: nothing is learnt (asymmetric RTP).
    Asymmetric,
    /// The first packet's source from the signalled address, any port (NAT that keeps the address).
    SameAddress,
    /// The first verified packet's source, wherever it is (phones behind NAT). After the learning window: nobody else.
    Any,
}
