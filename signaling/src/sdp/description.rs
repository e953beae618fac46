//! What a session description says, as text sees it: lines in their places, nothing understood yet.
//!
//! Only the lines that a call needs are kept (RFC 8866 §5: `v o s c t m a`). The rest is tolerated in what we read and
//! never appears in what we write, so that nothing is mirrored to a far end that we did not understand.

use std::fmt;
use std::net::IpAddr;

/// A whole session description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sdp {
    /// `o=`: who made it, and which version of it this is.
    pub origin: Origin,
    /// `s=`: usually a dash.
    pub name: String,
    /// `c=` at session level: for every media line without its own.
    pub connection: Option<Connection>,
    /// `a=` lines before the first media line.
    pub attributes: Vec<Attribute>,
    /// The media lines, in order. Their order never changes in the life of a session (RFC 3264 §8).
    pub media: Vec<Media>,
}

/// `o=` (RFC 8866 §5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// A dash, unless the maker names itself.
    pub username: String,
    /// The same in all versions of one session.
    pub session: u64,
    /// Grows by one when the content changes (RFC 3264 §8).
    pub version: u64,
    /// The maker's address; only for telling sessions apart, never for sending to.
    pub address: Host,
}

/// `c=` (RFC 8866 §5.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Where packets are to be sent.
    pub address: Host,
}

/// An address of `o=`, `c=` or `a=rtcp`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// IPv4 or IPv6.
    Ip(IpAddr),
    /// A name, with the family it is said to have. We never resolve one: media goes to addresses (see `address` views).
    Name {
        /// `IP6` rather than `IP4`.
        v6: bool,
        /// The name.
        name: String,
    },
}

impl Host {
    /// The address, if it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(ip) => Some(*ip),
            Self::Name { .. } => None,
        }
    }
}

/// One `m=` line and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `video`, `image`, `text`, `application`, `message`, or what may come.
    pub kind: String,
    /// 0: refused, or not used any more.
    pub port: u16,
    /// The transport, such as `RTP/AVP`.
    pub protocol: String,
    /// Payload types for RTP, else whatever the protocol puts there.
    pub formats: Vec<String>,
    /// `c=` of this media line.
    pub connection: Option<Connection>,
    /// `a=` lines of this media line.
    pub attributes: Vec<Attribute>,
}

/// One `a=` line.
#[derive(Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Before the colon.
    pub name: String,
    /// After it; `None` for a flag such as `a=sendrecv`.
    pub value: Option<String>,
}

impl Attribute {
    /// `a=name`.
    pub fn flag(name: &str) -> Self {
        Self { name: name.to_owned(), value: None }
    }
    /// `a=name:value`.
    pub fn new(name: &str, value: impl fmt::Display) -> Self {
        Self { name: name.to_owned(), value: Some(value.to_string()) }
    }
}

/// Keys never reach a log: a description may be logged by `{:?}`, never as text.
impl fmt::Debug for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.to_ascii_lowercase().as_str() {
            "crypto" | "ice-pwd" | "key-mgmt" => write!(f, "a={}:hidden", self.name),
            _ => write!(f, "a={}:{:?}", self.name, self.value),
        }
    }
}

impl fmt::Display for Sdp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Origin { username, session, version, address } = &self.origin;
        write!(f, "v=0\r\no={username} {session} {version} {address}\r\ns={}\r\n", self.name)?;
        if let Some(connection) = &self.connection {
            write!(f, "c={}\r\n", connection.address)?;
        }
        // A call is not planned for a time of day: zeros mean "from now on, until it ends" (RFC 3264 §5).
        f.write_str("t=0 0\r\n")?;
        for attribute in &self.attributes {
            write!(f, "{attribute}")?;
        }
        for media in &self.media {
            write!(f, "{media}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m={} {} {}", self.kind, self.port, self.protocol)?;
        for format in &self.formats {
            write!(f, " {format}")?;
        }
        f.write_str("\r\n")?;
        if let Some(connection) = &self.connection {
            write!(f, "c={}\r\n", connection.address)?;
        }
        self.attributes.iter().try_for_each(|attribute| write!(f, "{attribute}"))
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            None => write!(f, "a={}\r\n", self.name),
            Some(value) => write!(f, "a={}:{value}\r\n", self.name),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V4(ip)) => write!(f, "IN IP4 {ip}"),
            Self::Ip(IpAddr::V6(ip)) => write!(f, "IN IP6 {ip}"),
            Self::Name { v6: false, name } => write!(f, "IN IP4 {name}"),
            Self::Name { v6: true, name } => write!(f, "IN IP6 {name}"),
        }
    }
}
