//! What a media line of the far end comes to: its kind of transport, where it listens, which ways it wants audio.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use media::codec::Shape;
use media::control::{Direction, Format, Latching, LegSetup, Security};

use super::ability::{Ability, FarEnd, Refusal, Settled, common, direction, receives, reversed, sends};
use super::codecs::{OpusParameters, codec_of, events_of, ptime_ms, takes_annexb};
use super::description::{Media, Sdp};
use model::media::Codec;

/// How a media line protects its packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protection {
    /// `RTP/AVP`, `RTP/AVPF`: none, or SRTP where both write `a=crypto` all the same ("optional SRTP").
    Plain,
    /// `RTP/SAVP`, `RTP/SAVPF` with `a=crypto`.
    Sdes,
    /// `UDP/TLS/RTP/SAVP(F)`, and the older names where a fingerprint stands instead of `a=crypto`.
    Dtls,
}

/// The protection of a line; `None` for transports that carry no RTP over UDP.
pub(super) fn protection(sdp: &Sdp, media: &Media) -> Option<Protection> {
    match media.protocol.as_str() {
        "RTP/AVP" | "RTP/AVPF" => Some(Protection::Plain),
        "RTP/SAVP" | "RTP/SAVPF" if !media.has("crypto") && sdp.fingerprint_of(media).is_some() => {
            Some(Protection::Dtls)
        }
        "RTP/SAVP" | "RTP/SAVPF" => Some(Protection::Sdes),
        "UDP/TLS/RTP/SAVP" | "UDP/TLS/RTP/SAVPF" => Some(Protection::Dtls),
        _ => None,
    }
}

/// Where a far end listens, and which ways it wants audio.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FarSide {
    pub rtp: Option<SocketAddr>,
    pub rtcp: Option<SocketAddr>,
    pub rtcp_mux: bool,
    /// Seen from the far end.
    pub direction: Direction,
}

impl FarSide {
    /// Reads it off a media line, refusing addresses that we cannot or must not send to.
    pub fn of(sdp: &Sdp, media: &Media, ability: &Ability) -> Result<Self, Refusal> {
        let rtcp_mux = media.has("rtcp-mux");
        let stated = sdp.direction_of(media);
        if ability.far_end == FarEnd::WebRtc {
            // Browsers write 0.0.0.0 and port 9 until ICE has found a way: no hold.
            return Ok(Self { rtp: None, rtcp: None, rtcp_mux, direction: stated });
        }
        let host = sdp.host_of(media).ok_or(Refusal::address("no c= line"))?;
        let ip = host.ip().ok_or(Refusal::address("a host name in c="))?.to_canonical();
        if is_group(ip) {
            return Err(Refusal::address("a multicast or broadcast address"));
        }
        match ip {
            IpAddr::V4(_) if !ability.ipv4 => return Err(Refusal::address("no IPv4 here")),
            IpAddr::V6(_) if !ability.ipv6 => return Err(Refusal::address("no IPv6 here")),
            _ => {}
        }
        if ip.is_unspecified() {
            // Nothing may be sent to the far end, not even RTCP (RFC 3264 §8.4); it may still play us something.
            let direction = direction(sends(stated), false);
            return Ok(Self { rtp: None, rtcp: None, rtcp_mux, direction });
        }
        let rtcp = media.rtcp().filter(|_| !rtcp_mux).map(|(port, other)| {
            let other = other.map(|ip| ip.to_canonical());
            SocketAddr::new(other.filter(|ip| !is_group(*ip) && !ip.is_unspecified()).unwrap_or(ip), port)
        });
        Ok(Self { rtp: Some(SocketAddr::new(ip, media.port)), rtcp, rtcp_mux, direction: stated })
    }

    /// The far end does not want to hear us.
    pub const fn holds(&self) -> bool {
        !receives(self.direction)
    }
}

/// Puts together what both sides said.
pub(super) fn settle(
    far: FarSide,
    media: &Media,
    ability: &Ability,
    send: Format,
    receive: Vec<Format>,
    security: Security,
) -> Settled {
    let opus = (send.codec == Codec::Opus).then(|| OpusParameters::of(media, send.payload_type));
    // Both must say so, whoever offered: who said no gets none, whatever the answer says (RFC 7261 §3.3).
    let annexb = send.codec == Codec::G729 && ability.annexb && takes_annexb(media, send.payload_type);
    let events = ability.events.then(|| events_of(media, send.codec)).flatten();
    let latching = match ability.far_end {
        FarEnd::Sip => ability.latching,
        FarEnd::WebRtc => Latching::Off,
    };
    let setup = LegSetup {
        remote: far.rtp,
        remote_rtcp: far.rtcp,
        rtcp_mux: far.rtcp_mux,
        send: Some(send),
        receive,
        passed: Vec::new(),
        video: None,
        events,
        // Digits that come as tones are told, where there is no other form.
        overhear: ability.events && events.is_none(),
        comfort_noise: None,
        shape: opus.map_or(Shape { dtx: annexb, ..Shape::default() }, |said| said.shape()),
        security,
        direction: common(ability.direction, reversed(far.direction)),
        checks: None,
        latching,
    };
    Settled { setup, held: far.holds(), opus }
}

/// What we would send for a payload type of the far end.
pub(super) fn format(media: &Media, payload_type: u8, ability: &Ability) -> Option<Format> {
    let codec = codec_of(media, payload_type).filter(|codec| ability.codecs.contains(codec))?;
    let ptime_ms = ptime_ms(media, payload_type, codec, ability.ptime_ms);
    Some(Format { payload_type, codec, ptime_ms })
}

fn is_group(ip: IpAddr) -> bool {
    ip.is_multicast() || ip == IpAddr::V4(Ipv4Addr::BROADCAST)
}
