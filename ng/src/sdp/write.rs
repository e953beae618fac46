//! A description as the other party is to see it. The order of lines is rtpengine's.

use std::net::{IpAddr, SocketAddr};

use super::{Format, Medium, Sdp, Way, attribute_name, in_words};
use crate::request::{Options, RtcpAttribute};

/// ICE as we write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceLines {
    /// `a=ice-ufrag`.
    pub ufrag: String,
    /// `a=ice-pwd`.
    pub pwd: String,
    /// Host candidates.
    pub candidates: Vec<SocketAddr>,
    /// The candidate of RTCP, where it has a port of its own.
    pub rtcp: Option<SocketAddr>,
}

/// A medium that goes through the plane.
#[derive(Clone, Debug, PartialEq)]
pub struct Relay {
    /// Our RTP address.
    pub rtp: SocketAddr,
    /// Our RTCP address.
    pub rtcp: SocketAddr,
    /// The profile.
    pub protocol: String,
    /// Payload types in their order.
    pub formats: Vec<Format>,
    /// Direction; `None`: not written.
    pub way: Option<Way>,
    /// The far end is held by an address of zeros, and is to see it.
    pub zero: bool,
    /// `a=rtcp-mux`.
    pub rtcp_mux: bool,
    /// `a=crypto` lines.
    pub crypto: Vec<String>,
    /// `a=setup` and `a=fingerprint`.
    pub dtls: Option<(String, String)>,
    /// `a=ptime`.
    pub ptime: Option<String>,
    /// ICE.
    pub ice: Option<IceLines>,
    /// `a=mid` that is added.
    pub mid: Option<String>,
}

/// What becomes of a medium.
#[derive(Clone, Debug, PartialEq)]
pub enum MediumOut {
    /// Refused, or refused already.
    Refused,
    /// Not ours: as it came.
    Passed,
    /// Through the plane.
    Relayed(Box<Relay>),
}

/// How a description is rewritten.
#[derive(Debug)]
pub struct Rewrite<'a> {
    /// What was asked for.
    pub options: &'a Options,
    /// One entry a medium, in order.
    pub media: Vec<MediumOut>,
    /// `a=rtpengine` of flag `loop-protect`.
    pub loop_mark: Option<String>,
}

/// Session attributes that are ours to write, or that belong to ICE and DTLS of the party.
const SESSION_OURS: [&str; 10] = [
    "ice-lite",
    "ice-ufrag",
    "ice-pwd",
    "ice-options",
    "fingerprint",
    "setup",
    "tls-id",
    "crypto",
    "rtcp-mux",
    "candidate",
];

/// The description as octets.
pub fn write(sdp: &Sdp, rewrite: &Rewrite<'_>) -> Vec<u8> {
    let mut out = Out(Vec::new());
    let session = session_address(sdp, rewrite);
    write_session(sdp, rewrite, session, &mut out);
    for (medium, fate) in sdp.media.iter().zip(&rewrite.media) {
        match fate {
            MediumOut::Refused => {
                out.line(&format!(
                    "m={} 0 {} {}",
                    medium.kind,
                    medium.protocol,
                    medium.format_words.join(" ")
                ));
            }
            MediumOut::Passed => write_passed(medium, session.is_some(), &mut out),
            MediumOut::Relayed(relay) => write_relayed(medium, relay, rewrite.options, session, &mut out),
        }
    }
    out.0
}

struct Out(Vec<u8>);

impl Out {
    fn line(&mut self, line: &str) {
        // The inverse of reading: one octet a character.
        self.0.extend(line.chars().map(|c| u8::try_from(c).unwrap_or(b'?')));
        self.0.extend_from_slice(b"\r\n");
    }
}

fn relays<'a>(rewrite: &'a Rewrite<'_>) -> impl Iterator<Item = &'a Relay> {
    rewrite.media.iter().filter_map(|fate| match fate {
        MediumOut::Relayed(relay) => Some(&**relay),
        _ => None,
    })
}

fn shown(relay: &Relay, options: &Options) -> IpAddr {
    match relay.rtp.ip() {
        _ if options.media_address.is_some() => options.media_address.unwrap_or(relay.rtp.ip()),
        ip if !relay.zero => ip,
        IpAddr::V4(_) => IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED),
    }
}

/// What the session's c= says from now on; `None`: what it said.
fn session_address(sdp: &Sdp, rewrite: &Rewrite<'_>) -> Option<IpAddr> {
    let has_line = sdp.session.iter().any(|line| line.starts_with("c="));
    let first = relays(rewrite).next()?;
    let leans_on_it = sdp.media.iter().zip(&rewrite.media).find_map(|(medium, fate)| match fate {
        MediumOut::Relayed(relay) if medium.own_address.is_none() => Some(&**relay),
        _ => None,
    });
    let wanted = rewrite.options.replace.session_connection.then_some(first);
    let relay = leans_on_it.or(wanted).filter(|_| has_line)?;
    Some(shown(relay, rewrite.options))
}

fn write_session(sdp: &Sdp, rewrite: &Rewrite<'_>, address: Option<IpAddr>, out: &mut Out) {
    let first = relays(rewrite).next();
    let lite = relays(rewrite).any(|relay| relay.ice.is_some());
    let mut lite_due = lite;
    for line in &sdp.session {
        if let (Some(value), Some(relay), true) =
            (line.strip_prefix("o="), first, rewrite.options.replace.origin)
        {
            out.line(&origin(value, rewrite.options.media_address.unwrap_or(relay.rtp.ip())));
        } else if let (true, Some(ip)) = (line.starts_with("c="), address) {
            out.line(&format!("c={}", in_words(ip)));
        } else if let Some(group) = line.strip_prefix("a=group:BUNDLE") {
            bundle(group, sdp, rewrite).iter().for_each(|line| out.line(line));
        } else if !first.is_some_and(|_| is_ours(line)) {
            // Session attributes of ICE-lite come first among the attributes, where browsers look for them.
            if lite_due && line.starts_with("a=") {
                out.line("a=ice-lite");
                lite_due = false;
            }
            out.line(line);
        }
    }
    if lite_due {
        out.line("a=ice-lite");
    }
    if let Some(mark) = &rewrite.loop_mark {
        out.line(&format!("a=rtpengine:{mark}"));
    }
}

fn is_ours(line: &str) -> bool {
    attribute_name(line).is_some_and(|name| SESSION_OURS.contains(&name) || Way::read(name).is_some())
}

/// An o= line with another address.
fn origin(value: &str, ip: IpAddr) -> String {
    let words: Vec<&str> = value.split_ascii_whitespace().take(3).collect();
    format!("o={} {}", words.join(" "), in_words(ip))
}

/// A bundle without media that are refused here: JSEP allows none in an offer. None when several of its media have ICE of their
/// own here: each has its own credentials, which in a bundle would have to be the same (RFC 9143 §7.1.1).
fn bundle(group: &str, sdp: &Sdp, rewrite: &Rewrite<'_>) -> Option<String> {
    if relays(rewrite).filter(|relay| relay.ice.is_some()).count() > 1 {
        return None;
    }
    let gone = |mid: &str| {
        sdp.media
            .iter()
            .zip(&rewrite.media)
            .any(|(medium, fate)| *fate == MediumOut::Refused && medium.mid.as_deref() == Some(mid))
    };
    let mids: Vec<&str> = group.split_ascii_whitespace().filter(|mid| !gone(mid)).collect();
    let mut line = "a=group:BUNDLE".to_owned();
    for mid in mids {
        line.push(' ');
        line.push_str(mid);
    }
    Some(line)
}

fn write_passed(medium: &Medium, session_changed: bool, out: &mut Out) {
    let Medium { kind, port_text, protocol, .. } = medium;
    out.line(&format!("m={kind} {port_text} {protocol} {}", medium.format_words.join(" ")));
    medium.head.iter().filter(|line| line.starts_with("i=")).for_each(|line| out.line(line));
    if medium.own_address.is_some() || session_changed {
        out.line(&format!("c={}", in_words(medium.address)));
    }
    medium.head.iter().filter(|line| !line.starts_with("i=")).for_each(|line| out.line(line));
    medium.attributes.iter().for_each(|line| out.line(line));
}

fn write_relayed(medium: &Medium, relay: &Relay, options: &Options, session: Option<IpAddr>, out: &mut Out) {
    let types: Vec<String> = relay.formats.iter().map(|format| format.payload_type.to_string()).collect();
    out.line(&format!("m={} {} {} {}", medium.kind, relay.rtp.port(), relay.protocol, types.join(" ")));
    let ip = shown(relay, options);
    medium.head.iter().filter(|line| line.starts_with("i=")).for_each(|line| out.line(line));
    if medium.own_address.is_some() || session != Some(ip) {
        out.line(&format!("c={}", in_words(ip)));
    }
    medium.head.iter().filter(|line| !line.starts_with("i=")).for_each(|line| out.line(line));
    for line in &medium.others {
        let extmap = attribute_name(line).is_some_and(|name| name.starts_with("extmap"));
        if !(extmap && options.strip_extmap) {
            out.line(line);
        }
    }
    if let Some(mid) = relay.mid.as_ref().filter(|_| medium.mid.is_none()) {
        out.line(&format!("a=mid:{mid}"));
    }
    for format in &relay.formats {
        format.rtpmap().iter().for_each(|line| out.line(line));
        let (fmtp, feedback): (Vec<_>, Vec<_>) =
            format.lines.iter().partition(|line| line.starts_with("a=fmtp"));
        fmtp.into_iter().chain(feedback).for_each(|line| out.line(line));
    }
    if let Some(way) = relay.way {
        out.line(&format!("a={}", way.name()));
    }
    match options.rtcp_attribute {
        RtcpAttribute::Off => {}
        RtcpAttribute::Port => out.line(&format!("a=rtcp:{}", relay.rtcp.port())),
        RtcpAttribute::Full => {
            out.line(&format!("a=rtcp:{} {}", relay.rtcp.port(), in_words(relay.rtcp.ip())))
        }
    }
    if relay.rtcp_mux {
        out.line("a=rtcp-mux");
    }
    relay.crypto.iter().for_each(|line| out.line(line));
    if let Some((setup, fingerprint)) = &relay.dtls {
        out.line(&format!("a=setup:{setup}"));
        out.line(&format!("a=fingerprint:{fingerprint}"));
    }
    if let Some(ptime) = &relay.ptime {
        out.line(&format!("a=ptime:{ptime}"));
    }
    if let Some(ice) = &relay.ice {
        write_ice(ice, out);
    }
}

fn write_ice(ice: &IceLines, out: &mut Out) {
    out.line(&format!("a=ice-ufrag:{}", ice.ufrag));
    out.line(&format!("a=ice-pwd:{}", ice.pwd));
    let rtp = ice.candidates.iter().enumerate().map(|(place, candidate)| (place, 1, candidate));
    for (place, component, candidate) in rtp.chain(ice.rtcp.iter().map(|candidate| (0, 2, candidate))) {
        // Type preference 126, local preference falling by one for each address, and the component (RFC 8445 §5.1.2.1).
        let local = 65_535_u32.saturating_sub(u32::try_from(place).unwrap_or(65_535));
        let priority = (126 << 24) + (local << 8) + 256 - component;
        out.line(&format!(
            "a=candidate:{} {component} UDP {priority} {} {} typ host",
            place + 1,
            candidate.ip(),
            candidate.port()
        ));
    }
}
