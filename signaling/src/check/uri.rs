//! SIP URIs (RFC 3261 §19.1), as far as a server must understand them.

use std::net::Ipv6Addr;

/// A `sip:` or `sips:` URI in its parts; nothing is unescaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SipUri<'a> {
    /// `sips`.
    pub secure: bool,
    /// Before the `@`, without a password; empty where there is none.
    pub user: &'a str,
    /// Name, IPv4 address, or IPv6 address without its brackets.
    pub host: &'a str,
    /// Port, where one is said.
    pub port: Option<u16>,
    /// What follows the first `;` after the host, up to the `?`.
    pub parameters: &'a str,
    /// What follows the `?`.
    pub headers: Option<&'a str>,
}

/// Why a URI is not a SIP URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUri {
    /// Well-formed, as far as we know: 416.
    #[error("a scheme other than sip and sips")]
    OtherScheme,
    /// 400.
    #[error("{0}")]
    Malformed(&'static str),
}

impl SipUri<'_> {
    /// The value of a parameter; the empty string for one without a value.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.split(';').find_map(|parameter| {
            let (n, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            n.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// Reads a `sip:` or `sips:` URI.
pub fn parse_sip_uri(uri: &str) -> Result<SipUri<'_>, BadUri> {
    use BadUri::Malformed;
    let (scheme, rest) = uri.split_once(':').ok_or(Malformed("no scheme"))?;
    let starts_well = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    if !starts_well || !scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) {
        return Err(Malformed("no scheme"));
    }
    let secure = scheme.eq_ignore_ascii_case("sips");
    if !secure && !scheme.eq_ignore_ascii_case("sip") {
        return Err(BadUri::OtherScheme);
    }
    if rest.bytes().any(|b| b <= b' ' || b == 0x7f || b"<>\"\\^`{|}".contains(&b)) {
        return Err(Malformed("a character that must be escaped"));
    }
    escapes(rest)?;
    // A user may hold `;`, `?` and `/` (§25.1), but no raw `@`.
    let (user, rest) = match rest.rsplit_once('@') {
        Some((user, _)) if user.is_empty() || user.contains('@') => return Err(Malformed("a bad user part")),
        Some((user, rest)) => (user.split(':').next().unwrap_or(user), rest),
        None => ("", rest),
    };
    let (rest, headers) = match rest.split_once('?') {
        Some((rest, headers)) => (rest, Some(headers)),
        None => (rest, None),
    };
    let (place, parameters) = rest.split_once(';').unwrap_or((rest, ""));
    let (host, port) = host_port(place).map_err(Malformed)?;
    Ok(SipUri { secure, user, host, port, parameters, headers })
}

/// `host[:port]`; IPv6 in brackets (RFC 5118 §4.1, §4.2).
pub(super) fn host_port(text: &str) -> Result<(&str, Option<u16>), &'static str> {
    let (host, port) = match text.strip_prefix('[') {
        Some(v6) => {
            let (host, after) = v6.split_once(']').ok_or("an IPv6 address without its bracket")?;
            if host.parse::<Ipv6Addr>().is_err() {
                return Err("not an IPv6 address");
            }
            match after.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if after.is_empty() => (host, None),
                None => return Err("something after the IPv6 address"),
            }
        }
        None => {
            let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
            if host.is_empty() || !host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)) {
                return Err("not a host");
            }
            (host, port)
        }
    };
    let port = match port {
        None => None,
        Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => {
            Some(port.parse().map_err(|_| "a bad port")?)
        }
        Some(_) => return Err("a bad port"),
    };
    Ok((host, port))
}

fn escapes(text: &str) -> Result<(), BadUri> {
    let good = |after: &str| {
        let mut bytes = after.bytes();
        let mut hex = || bytes.next().is_some_and(|b| b.is_ascii_hexdigit());
        hex() && hex()
    };
    if text.split('%').skip(1).all(good) { Ok(()) } else { Err(BadUri::Malformed("a broken escape")) }
}
