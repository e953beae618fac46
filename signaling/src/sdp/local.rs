//! Our own descriptions: the lines we write, and the memory that a session needs between them.

use std::net::SocketAddr;

use media::control::{Direction, LegCreated, LocalIce};

use super::ability::{FarEnd, Refusal, direction_name};
use super::attributes::Setup;
use super::codecs::AudioFormats;
use super::crypto::CryptoLine;
use super::description::{Attribute, Connection, Host, Media, Origin, Sdp};

/// Our half of one session: one for each leg, kept as long as the leg.
///
/// Remembers what we described last, because a later description keeps the order of media lines and the meaning of
/// payload types, and counts up its version exactly when something changed (RFC 3264 §8).
#[derive(Clone, Debug)]
pub struct LocalSession {
    id: u64,
    version: u64,
    last: Option<Sdp>,
}

impl LocalSession {
    /// `id` tells sessions apart; a number drawn at random is enough. 62 bits of it are used, as JSEP asks (RFC 9429 §5.2.1).
    pub const fn new(id: u64) -> Self {
        Self { id: id >> 2, version: 0, last: None }
    }
    /// What we said last.
    pub const fn last(&self) -> Option<&Sdp> {
        self.last.as_ref()
    }

    /// Signs a description with `o=`. The same content keeps its version; new content gets the next.
    pub(super) fn sign(&mut self, body: Body) -> Sdp {
        let address = Host::Ip(body.address);
        let mut sdp = Sdp {
            origin: Origin { username: "-".into(), session: self.id, version: self.version, address },
            name: "-".to_owned(),
            connection: Some(Connection { address: Host::Ip(body.address) }),
            attributes: body.attributes,
            media: body.media,
        };
        if self.last.as_ref() != Some(&sdp) {
            self.version += 1;
            sdp.origin.version = self.version;
            self.last = Some(sdp.clone());
        }
        sdp
    }
}

/// A description without its `o=`.
pub(super) struct Body {
    pub address: std::net::IpAddr,
    pub attributes: Vec<Attribute>,
    pub media: Vec<Media>,
}

/// One media line of ours, before the media plane gave it a place.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Line {
    /// Not used: port 0, with what the grammar and the far end need to recognise it.
    Refused { kind: String, protocol: String, format: String, mid: Option<String> },
    /// The audio of the call.
    Audio(Box<Audio>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Audio {
    pub protocol: String,
    pub formats: AudioFormats,
    pub direction: Direction,
    pub rtcp_mux: bool,
    pub mid: Option<String>,
    pub bundled: bool,
    /// Our `a=crypto` lines.
    pub crypto: Vec<CryptoLine>,
    /// Our `a=setup`, for a browser.
    pub setup: Option<Setup>,
}

impl Line {
    /// Refuses a line of the far end, or keeps a line of ours refused.
    pub fn refused(media: &Media) -> Self {
        Self::Refused {
            kind: media.kind.clone(),
            protocol: media.protocol.clone(),
            // Formats of a refused line mean nothing, but the grammar wants one (RFC 3264 §6).
            format: media.formats.first().cloned().unwrap_or_else(|| "0".to_owned()),
            mid: media.mid().map(str::to_owned),
        }
    }
}

/// Writes the lines down for the place that the media plane gave the leg.
pub(super) fn write(lines: &[Line], at: &LegCreated, far_end: FarEnd) -> Result<Body, Refusal> {
    let ice = match (far_end, &at.ice) {
        (FarEnd::Sip, _) => None,
        (FarEnd::WebRtc, Some(ice)) => Some(ice),
        (FarEnd::WebRtc, None) => return Err(Refusal::Ours("the leg was made without ICE")),
    };
    let mut attributes = Vec::new();
    let bundled: Vec<&str> = lines.iter().filter_map(bundle_tag).collect();
    if !bundled.is_empty() {
        attributes.push(Attribute::new("group", format_args!("BUNDLE {}", bundled.join(" "))));
    }
    if ice.is_some() {
        attributes.push(Attribute::flag("ice-lite"));
    }
    let media = lines.iter().map(|line| line.write(at, ice)).collect();
    Ok(Body { address: at.rtp.ip(), attributes, media })
}

fn bundle_tag(line: &Line) -> Option<&str> {
    match line {
        Line::Audio(audio) if audio.bundled => audio.mid.as_deref(),
        _ => None,
    }
}

impl Line {
    fn write(&self, at: &LegCreated, ice: Option<&LocalIce>) -> Media {
        match self {
            Self::Refused { kind, protocol, format, mid } => Media {
                kind: kind.clone(),
                port: 0,
                protocol: protocol.clone(),
                formats: vec![format.clone()],
                connection: None,
                attributes: mid.iter().map(|mid| Attribute::new("mid", mid)).collect(),
            },
            Self::Audio(audio) => Media {
                kind: "audio".to_owned(),
                port: at.rtp.port(),
                protocol: audio.protocol.clone(),
                formats: audio.formats.payload_types(),
                connection: None,
                attributes: audio.attributes(at, ice),
            },
        }
    }
}

impl Audio {
    fn attributes(&self, at: &LegCreated, ice: Option<&LocalIce>) -> Vec<Attribute> {
        let mut lines: Vec<Attribute> = self.mid.iter().map(|mid| Attribute::new("mid", mid)).collect();
        if let Some(ice) = ice {
            lines.extend(ice_lines(ice));
        }
        if let Some(setup) = self.setup {
            lines.push(Attribute::new("setup", setup_name(setup)));
        }
        lines.extend(self.crypto.iter().map(CryptoLine::attribute));
        if self.rtcp_mux {
            lines.push(Attribute::flag("rtcp-mux"));
        } else if Some(at.rtcp.port()) != at.rtp.port().checked_add(1) {
            lines.push(Attribute::new("rtcp", at.rtcp.port()));
        }
        lines.extend(self.formats.attributes());
        lines.push(Attribute::flag(direction_name(self.direction)));
        if ice.is_some() {
            // Names the stream, so that the page gets one stream object with its track (RFC 8830).
            lines.push(Attribute::new("msid", "call audio"));
        }
        lines
    }
}

fn ice_lines(ice: &LocalIce) -> Vec<Attribute> {
    let mut lines = vec![
        Attribute::new("ice-ufrag", &ice.ufrag),
        Attribute::new("ice-pwd", &ice.pwd),
        Attribute::new("fingerprint", &ice.fingerprint),
    ];
    lines.extend((0u16..).zip(&ice.candidates).map(|(n, address)| candidate(n, *address)));
    // We have no others to come, so the browser need not wait for any (RFC 8840 §8.2).
    lines.push(Attribute::flag("end-of-candidates"));
    lines
}

/// A host candidate; earlier ones are preferred (RFC 8445 §5.1.2.1, type preference 126).
fn candidate(n: u16, address: SocketAddr) -> Attribute {
    let priority = (126u32 << 24) | (u32::from(u16::MAX - n) << 8) | 255;
    let (ip, port) = (address.ip(), address.port());
    Attribute::new("candidate", format_args!("{} 1 udp {priority} {ip} {port} typ host", u32::from(n) + 1))
}

const fn setup_name(setup: Setup) -> &'static str {
    match setup {
        Setup::Active => "active",
        Setup::Passive => "passive",
        Setup::ActPass => "actpass",
        Setup::HoldConn => "holdconn",
    }
}
