//! Where a request goes: scheme, host and port stand in the flow itself, so that nothing a caller enters can lead elsewhere; only
//! path and query have places for values.

use std::collections::BTreeMap;

use crate::template::{Piece, Template};

/// Longest address with its values, in octets.
const FILLED_MAX: usize = 2_048;

/// An address, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// By TLS.
    pub secure: bool,
    /// A name or an address, in lower case; IPv6 without brackets.
    pub host: String,
    pub port: u16,
    /// From the first slash on.
    pub rest: Template,
}

impl Address {
    /// Reads `https://host[:port]/path?query`; the error says what is wrong.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (secure, after) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
            (Some(after), _) => (true, after),
            (None, Some(after)) => (false, after),
            (None, None) => return Err("an address begins with `https://` or `http://`".into()),
        };
        let (authority, rest) = after.split_at(after.find(['/', '?', '#']).unwrap_or(after.len()));
        if authority.contains(['{', '}']) {
            return Err("host and port stand as they are: only path and query take values".into());
        }
        let (host, port) = host_port(authority, if secure { 443 } else { 80 })
            .ok_or_else(|| format!("`{authority}` is no host with an optional port"))?;
        let rest = Template(if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") });
        let may_stand = |c: char| {
            c.is_ascii_graphic() && !matches!(c, '"' | '#' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}')
        };
        for piece in rest.pieces()? {
            if let Piece::Text(text) = piece
                && let Some(wrong) = text.chars().find(|c| !may_stand(*c))
            {
                return Err(format!("`{wrong}` is written in percent, as `%{:02X}`", u32::from(wrong)));
            }
        }
        Ok(Self { secure, host, port, rest })
    }

    /// `host:port`, as operators list those that may be asked.
    pub fn host_port(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    /// Path and query with values in their places, each in percent, so that none of them adds a part of its own. `None`: it is too
    /// long for a request.
    pub fn path(&self, vars: &BTreeMap<String, String>) -> Option<String> {
        let mut path = String::new();
        for piece in self.rest.pieces().unwrap_or_default() {
            match piece {
                Piece::Text(text) => path.push_str(text),
                Piece::Value(name) => in_percent(vars.get(name).map_or("", String::as_str), &mut path),
            }
        }
        (path.len() <= FILLED_MAX).then_some(path)
    }
}

fn host_port(authority: &str, port: u16) -> Option<(String, u16)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(bracketed) => {
            let (host, after) = bracketed.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, if after.is_empty() { port } else { after.strip_prefix(':')?.parse().ok()? })
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (authority, port),
        },
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    let fit = (1..=253).contains(&host.len()) && host.chars().all(fits) && port > 0;
    fit.then(|| (host.to_ascii_lowercase(), port))
}

/// RFC 3986 §2.3: everything but letters, digits and `-._~` is escaped. A value that is all dots would climb the path, and is left
/// out.
fn in_percent(value: &str, to: &mut String) {
    if matches!(value, "." | "..") {
        return;
    }
    for octet in value.bytes() {
        match octet {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => to.push(char::from(octet)),
            _ => to.push_str(&format!("%{octet:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// API-02: whatever a caller enters, the host stays the one that was written down, and a value stays one part of the path.
    #[test]
    fn values_stand_in_path_and_query_and_never_in_the_host() {
        let vars = |value: &str| BTreeMap::from([("key".to_owned(), value.to_owned())]);
        let path =
            |url: &str, value: &str| Address::parse(url).unwrap().path(&vars(value)).unwrap_or_default();
        assert_eq!(
            path("https://crm.example/by/{key}?x=1", "+49 30/../#&?é"),
            "/by/%2B49%2030%2F..%2F%23%26%3F%C3%A9?x=1"
        );
        assert_eq!(path("http://crm.example?q={key}", ".."), "/?q=");
        assert_eq!(path("https://crm.example/{key}", &"é".repeat(9_999)), "", "too long");
        for wrong in [
            "ftp://crm.example/",
            "crm.example/x",
            "https://{key}/x",
            "https://crm.example{key}",
            "https://a@b/",
            "https:///x",
            "https://crm.example:0/",
            "https://crm.example:99999/",
            "https://[::g]/",
            "https://crm.example/a b",
            "https://crm.example/#x",
            "https://crm.example/{{x}}",
            "https://crm.example/{key",
        ] {
            assert!(Address::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_port_is_the_schemes_own_unless_it_is_given() {
        let of = |url: &str| Address::parse(url).unwrap().host_port();
        assert_eq!(of("https://CRM.example/x"), "crm.example:443");
        assert_eq!(of("http://10.0.0.5/x"), "10.0.0.5:80");
        assert_eq!(of("http://[fd00::5]:8080?x"), "[fd00::5]:8080");
    }
}
