//! One m= block: what of it concerns us, and the lines that do not.

use std::net::{IpAddr, SocketAddr};

use super::{BadSdp, Crypto, Format, Way, address, attribute, attribute_name};
use crate::request::Profile;

/// Payload types an m= line may have.
const FORMATS_MAX: usize = 64;
/// Candidates, crypto lines and the like are read up to so many.
const CRYPTO_MAX: usize = 32;

/// ICE of a party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ice {
    /// `a=ice-ufrag`.
    pub ufrag: String,
    /// `a=ice-pwd`.
    pub pwd: String,
    /// `a=ice-lite`: it sends no checks.
    pub lite: bool,
}

/// DTLS of a party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dtls {
    /// `a=fingerprint`.
    pub fingerprint: String,
    /// `a=setup`; `actpass` when it is not said.
    pub setup: String,
}

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub struct Medium {
    /// `audio`, `video` …
    pub kind: String,
    /// 0: refused or ended.
    pub port: u16,
    /// The port as it was written, with a count behind `/` perhaps.
    pub port_text: String,
    /// The profile as it was written.
    pub protocol: String,
    /// The profile, if it is RTP.
    pub profile: Option<Profile>,
    /// What follows the profile in the m= line.
    pub format_words: Vec<String>,
    /// Payload types, for RTP.
    pub formats: Vec<Format>,
    /// The address of its own c= line.
    pub own_address: Option<IpAddr>,
    /// The address: its own or the session's.
    pub address: IpAddr,
    /// Lines that are not attributes, but for m= and c=: i=, b=, k=.
    pub head: Vec<String>,
    /// Attributes that are passed on as they are.
    pub others: Vec<String>,
    /// All attributes, for media that are not ours.
    pub attributes: Vec<String>,
    /// Direction; `None`: nothing was said.
    pub way: Option<Way>,
    /// `a=ptime`.
    pub ptime: Option<String>,
    /// `a=rtcp`: the port, and the address if there is one.
    pub rtcp: Option<(u16, Option<IpAddr>)>,
    /// `a=rtcp-mux`.
    pub rtcp_mux: bool,
    /// `a=mid`.
    pub mid: Option<String>,
    /// `a=crypto` lines that we can use.
    pub crypto: Vec<Crypto>,
    /// ICE, of the medium or the session.
    pub ice: Option<Ice>,
    /// DTLS, of the medium or the session.
    pub dtls: Option<Dtls>,
}

/// Attributes that are ours to write.
const OURS: [&str; 22] = [
    "rtpmap",
    "fmtp",
    "sendrecv",
    "sendonly",
    "recvonly",
    "inactive",
    "rtcp",
    "rtcp-mux",
    "rtcp-mux-only",
    "crypto",
    "setup",
    "fingerprint",
    "tls-id",
    "ptime",
    "ice-ufrag",
    "ice-pwd",
    "ice-options",
    "candidate",
    "end-of-candidates",
    "remote-candidates",
    "ssrc",
    "ssrc-group",
];

impl Medium {
    pub(super) fn read(
        block: &[String],
        session: &[String],
        default: Option<IpAddr>,
    ) -> Result<Self, BadSdp> {
        let mut lines = block.iter();
        let first = lines.next().and_then(|line| line.strip_prefix("m=")).ok_or(BadSdp)?;
        let mut words = first.split_ascii_whitespace();
        let mut word = || words.next().ok_or(BadSdp);
        let (kind, port_text, protocol) = (word()?.to_owned(), word()?.to_owned(), word()?.to_owned());
        let port = port_text.split('/').next().and_then(|port| port.parse().ok()).ok_or(BadSdp)?;
        let format_words: Vec<String> = words.map(str::to_owned).collect();
        let profile = Profile::read(&protocol);
        let (mut head, mut attributes, mut own_address) = (Vec::new(), Vec::new(), None);
        for line in lines {
            match line.strip_prefix("c=") {
                Some(value) => own_address = own_address.or(Some(address(value).ok_or(BadSdp)?)),
                None if line.starts_with("a=") => attributes.push(line.clone()),
                None => head.push(line.clone()),
            }
        }
        let address = own_address.or(default).ok_or(BadSdp)?;
        let formats = match profile {
            Some(_) => formats(&format_words, &attributes)?,
            None => Vec::new(),
        };
        let value = |name: &str| attributes.iter().find_map(|line| attribute(line, name));
        let anywhere =
            |name: &str| value(name).or_else(|| session.iter().find_map(|line| attribute(line, name)));
        let way = |lines: &[String]| lines.iter().rev().find_map(|line| Way::read(line.strip_prefix("a=")?));
        let ice = anywhere("ice-ufrag").zip(anywhere("ice-pwd"));
        let lite = session.iter().any(|line| attribute(line, "ice-lite").is_some());
        let crypto = attributes.iter().filter_map(|line| attribute(line, "crypto"));
        Ok(Self {
            way: way(&attributes).or_else(|| way(session)),
            ptime: value("ptime").map(str::to_owned),
            rtcp: value("rtcp").and_then(rtcp),
            rtcp_mux: value("rtcp-mux").is_some(),
            mid: value("mid").map(str::to_owned),
            crypto: crypto.take(CRYPTO_MAX).filter_map(Crypto::read).collect(),
            ice: ice.map(|(ufrag, pwd)| Ice { ufrag: ufrag.to_owned(), pwd: pwd.to_owned(), lite }),
            dtls: anywhere("fingerprint").map(|fingerprint| Dtls {
                fingerprint: fingerprint.to_owned(),
                setup: anywhere("setup").unwrap_or("actpass").to_owned(),
            }),
            others: others(&attributes, &formats),
            kind,
            port,
            port_text,
            protocol,
            profile,
            format_words,
            formats,
            own_address,
            address,
            head,
            attributes,
        })
    }

    /// Whether it is RTP that is not refused.
    pub fn is_rtp(&self) -> bool {
        self.profile.is_some() && self.port != 0
    }

    /// Where RTP is to be sent; `None` for an old-style hold and for a refused medium.
    pub fn rtp_to(&self) -> Option<SocketAddr> {
        (!self.address.is_unspecified() && self.port != 0).then(|| SocketAddr::new(self.address, self.port))
    }

    /// Where RTCP is to be sent, when it was said.
    pub fn rtcp_to(&self) -> Option<SocketAddr> {
        let (port, ip) = self.rtcp?;
        let ip = ip.unwrap_or(self.address);
        (!ip.is_unspecified() && port != 0).then(|| SocketAddr::new(ip, port))
    }

    /// Whether it is held by an address of zeros (RFC 3264 §8.4). With ICE such an address only says that the candidates
    /// are still to come.
    pub fn is_held_by_zeros(&self) -> bool {
        self.address.is_unspecified() && self.ice.is_none()
    }

    /// The direction, with an old-style hold counted in.
    pub fn direction(&self) -> Way {
        let way = self.way.unwrap_or(Way::SendRecv);
        if !self.is_held_by_zeros() {
            return way;
        }
        Way::of(way.sends_receives().0, false)
    }
}

fn formats(words: &[String], attributes: &[String]) -> Result<Vec<Format>, BadSdp> {
    let mut formats = Vec::new();
    for word in words.iter().take(FORMATS_MAX) {
        let payload_type = word.parse().ok().filter(|payload_type| *payload_type < 128).ok_or(BadSdp)?;
        formats.push(Format::fixed(payload_type));
    }
    for line in attributes {
        let Some((payload_type, rest)) = of_type(line) else { continue };
        let Some(format) = formats.iter_mut().find(|format| format.payload_type == payload_type) else {
            continue;
        };
        match attribute_name(line) {
            Some("rtpmap") => format.map(rest),
            _ => format.lines.push(line.clone()),
        }
    }
    Ok(formats)
}

/// The payload type an rtpmap, fmtp or rtcp-fb line is about, and what follows it.
fn of_type(line: &str) -> Option<(u8, &str)> {
    let value = ["rtpmap", "fmtp", "rtcp-fb"].into_iter().find_map(|name| attribute(line, name))?;
    let (payload_type, rest) = value.split_once(' ')?;
    Some((payload_type.parse().ok()?, rest))
}

fn others(attributes: &[String], formats: &[Format]) -> Vec<String> {
    let is_other = |line: &&String| {
        let ours = attribute_name(line).is_some_and(|name| OURS.contains(&name));
        !ours && !formats.iter().any(|format| format.lines.contains(line))
    };
    attributes.iter().filter(is_other).cloned().collect()
}

fn rtcp(value: &str) -> Option<(u16, Option<IpAddr>)> {
    let (port, rest) = value.split_once(' ').unwrap_or((value, ""));
    Some((port.parse().ok()?, address(rest)))
}
