//! Where a trunk is: `host[:port][;transport=udp|tcp|tls]`.

use std::net::Ipv6Addr;

/// An address to which calls go out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// A name or an address; IPv6 without its brackets.
    pub host: String,
    /// As written; `None`: the usual one of the transport.
    pub port: Option<u16>,
    /// Over what.
    pub carriage: Carriage,
}

/// What SIP to a trunk travels over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Carriage {
    /// Datagrams.
    #[default]
    Udp,
    /// A stream in clear.
    Tcp,
    /// A stream under TLS.
    Tls,
}

impl Target {
    /// Reads a target; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, parameter) = match text.split_once(';') {
            Some((address, parameter)) => (address, Some(parameter.strip_prefix("transport=")?)),
            None => (text, None),
        };
        let carriage = match parameter {
            None | Some("udp") => Carriage::Udp,
            Some("tcp") => Carriage::Tcp,
            Some("tls") => Carriage::Tls,
            Some(_) => return None,
        };
        let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port != 0);
        if let Some(rest) = address.strip_prefix('[') {
            let (host, rest) = rest.split_once(']')?;
            host.parse::<Ipv6Addr>().ok()?;
            let port = if rest.is_empty() { None } else { Some(port(rest.strip_prefix(':')?)?) };
            return Some(Self { host: host.to_owned(), port, carriage });
        }
        let (host, port) = match address.split_once(':') {
            Some((host, text)) => (host, Some(port(text)?)),
            None => (address, None),
        };
        let label = |label: &str| {
            let fit = |c: char| c.is_ascii_alphanumeric() || c == '-';
            !label.is_empty() && label.len() <= 63 && label.chars().all(fit)
        };
        let named = host.len() <= 253 && host.split('.').all(label);
        named.then(|| Self { host: host.to_owned(), port, carriage })
    }

    /// The port to send to (RFC 3261 §19.1.2).
    pub fn port(&self) -> u16 {
        let usual = if self.carriage == Carriage::Tls { 5061 } else { 5060 };
        self.port.unwrap_or(usual)
    }

    /// Host and port as a SIP URI has them.
    pub fn host_port(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match self.port {
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_host_with_perhaps_a_port_and_a_transport() {
        let read = |text| Target::parse(text).map(|t| (t.host_port(), t.port(), t.carriage));
        for (text, port, carriage) in [
            ("sbc.carrier.example", 5060, Carriage::Udp),
            ("192.0.2.1:5080", 5080, Carriage::Udp),
            ("sbc;transport=tcp", 5060, Carriage::Tcp),
            ("sbc.example;transport=tls", 5061, Carriage::Tls),
            ("[2001:db8::1]:5070;transport=udp", 5070, Carriage::Udp),
            ("[2001:db8::1]", 5060, Carriage::Udp),
        ] {
            let host_port = text.split(';').next().unwrap().to_owned();
            assert_eq!(read(text), Some((host_port, port, carriage)), "{text}");
        }
        for bad in ["", "host:0", "host:port", "host;transport=sctp", "a b", "[::1", "host;lr", "..", "x@y"] {
            assert_eq!(Target::parse(bad), None, "{bad}");
        }
    }
}
