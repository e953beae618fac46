//! Session descriptions as lines: what is not ours to change stays as it came, in its order.
//!
//! Octets above 127 pass unchanged whatever their character set: inside, each octet is one character (Latin-1).

mod crypto;
mod formats;
mod medium;
#[cfg(test)]
mod tests;
mod write;

use std::net::IpAddr;

pub use crypto::{Crypto, SUITES};
pub use formats::{Format, free_type};
pub use medium::{Dtls, Ice, Medium};
pub use write::{IceLines, MediumOut, Relay, Rewrite, write};

/// Octets a description may have.
pub const OCTETS_MAX: usize = 32_768;
/// Lines a description may have.
pub const LINES_MAX: usize = 1_000;
/// Media a description may have; the plane's node would hold two legs for each.
pub const MEDIA_MAX: usize = 16;

/// What proxies are told when a description cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Failed to parse SDP")]
pub struct BadSdp;

/// A session description.
#[derive(Clone, Debug, PartialEq)]
pub struct Sdp {
    /// Lines before the first m=.
    pub session: Vec<String>,
    /// One entry an m= line.
    pub media: Vec<Medium>,
}

/// Which ways media flows, as the writer of a description sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Both.
    SendRecv,
    /// Only from the writer.
    SendOnly,
    /// Only to the writer.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Way {
    /// Its attribute.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }
    /// Reads an attribute.
    pub fn read(name: &str) -> Option<Self> {
        [Self::SendRecv, Self::SendOnly, Self::RecvOnly, Self::Inactive]
            .into_iter()
            .find(|way| way.name() == name)
    }
    /// Whether the writer sends, and whether it receives.
    pub const fn sends_receives(self) -> (bool, bool) {
        match self {
            Self::SendRecv => (true, true),
            Self::SendOnly => (true, false),
            Self::RecvOnly => (false, true),
            Self::Inactive => (false, false),
        }
    }
    /// From whether the writer sends, and whether it receives.
    pub const fn of(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }
    /// The same as the other party sees it.
    pub const fn mirrored(self) -> Self {
        let (sends, receives) = self.sends_receives();
        Self::of(receives, sends)
    }
}

impl Sdp {
    /// Reads a description.
    pub fn read(octets: &[u8]) -> Result<Self, BadSdp> {
        if octets.len() > OCTETS_MAX {
            return Err(BadSdp);
        }
        let text: String = octets.iter().map(|octet| char::from(*octet)).collect();
        let lines: Vec<&str> = text
            .split('\n')
            .map(|line| line.strip_suffix('\r').unwrap_or(line))
            .filter(|line| !line.is_empty())
            .collect();
        let well_formed = |line: &&str| {
            let octets = line.as_bytes();
            octets.first().is_some_and(u8::is_ascii_lowercase) && octets.get(1) == Some(&b'=')
        };
        if lines.len() > LINES_MAX || !lines.iter().all(well_formed) || lines.first() != Some(&"v=0") {
            return Err(BadSdp);
        }
        let mut session = Vec::new();
        let mut blocks: Vec<Vec<String>> = Vec::new();
        for line in lines {
            if line.starts_with("m=") {
                blocks.push(Vec::new());
            }
            blocks.last_mut().unwrap_or(&mut session).push(line.to_owned());
        }
        if !session.iter().any(|line| line.starts_with("o=")) || blocks.is_empty() || blocks.len() > MEDIA_MAX
        {
            return Err(BadSdp);
        }
        let default = connection(&session);
        // Kept for as long as the call: without room that is not used.
        let mut media = Vec::with_capacity(blocks.len());
        for block in &blocks {
            media.push(Medium::read(block, &session, default)?);
        }
        Ok(Self { session, media })
    }

    /// The value of a session attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.session.iter().find_map(|line| attribute(line, name))
    }
}

/// The address of the first c= line.
fn connection(lines: &[String]) -> Option<IpAddr> {
    let value = lines.iter().find_map(|line| line.strip_prefix("c="))?;
    address(value)
}

/// The address in `IN IP4 192.0.2.1`, without a multicast TTL.
fn address(value: &str) -> Option<IpAddr> {
    let mut words = value.split_ascii_whitespace();
    (words.next()? == "IN").then_some(())?;
    words.next()?;
    words.next()?.split('/').next()?.parse().ok()
}

/// `IN IP4 192.0.2.1`.
pub(crate) fn in_words(ip: IpAddr) -> String {
    let family = if ip.is_ipv6() { "IP6" } else { "IP4" };
    format!("IN {family} {ip}")
}

/// The value of `a=name:value`, empty for `a=name`; `None` for other lines.
fn attribute<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let rest = line.strip_prefix("a=")?.strip_prefix(name)?;
    match rest.strip_prefix(':') {
        Some(value) => Some(value),
        None => rest.is_empty().then_some(""),
    }
}

/// The name of an attribute line.
fn attribute_name(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("a=")?;
    Some(rest.split_once(':').map_or(rest, |(name, _)| name))
}
