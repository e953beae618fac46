//! Which addresses a listed system may have (API-02). A name that leads into the house would let whoever owns the name reach what
//! only the house reaches: the console of a switch, the metadata service of a cloud.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A system that flows may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Allowed {
    /// In lower case; IPv6 without brackets.
    host: String,
    port: u16,
    /// Its name may lead to an address within.
    private: bool,
}

impl Allowed {
    /// Reads `host:port`.
    pub fn parse(text: &str, private: bool) -> Option<Self> {
        let (host, port) = text.trim().rsplit_once(':')?;
        let port: u16 = port.parse().ok().filter(|port| *port > 0)?;
        let host = match host.strip_prefix('[') {
            Some(bracketed) => bracketed.strip_suffix(']').filter(|ip| ip.parse::<Ipv6Addr>().is_ok())?,
            None => host,
        };
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        let is_name = !host.is_empty() && host.chars().all(fits);
        let fit = is_name || host.parse::<Ipv6Addr>().is_ok() && text.trim().starts_with('[');
        fit.then(|| Self { host: host.to_ascii_lowercase(), port, private })
    }

    /// Whether it is this one.
    pub fn is(&self, host: &str, port: u16) -> bool {
        self.host == host && self.port == port
    }

    /// As flows are checked by.
    pub fn host_port(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

/// Whether a system may be asked at this address: one that is listed by its address, or may be within; any other only outside.
pub(super) fn may_be_asked(address: IpAddr, allowed: &Allowed) -> bool {
    allowed.private || allowed.host.parse() == Ok(address) || is_outside(address)
}

/// Whether an address is one of the internet's, and none that leads back to us, into a private network or to a link.
fn is_outside(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_outside_v4(address),
        IpAddr::V6(address) => is_outside_v6(address),
    }
}

fn is_outside_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast();
    // "This network", shared by carriers (RFC 6598), protocol assignments, 6to4 relays, benchmarks, reserved (RFC 6890).
    let reserved = a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b))
        || a >= 240;
    !special && !reserved
}

fn is_outside_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let embedded = |from: usize| {
        let octets: Option<[u8; 4]> = address.octets().get(from..from + 4).and_then(|o| o.try_into().ok());
        octets.is_some_and(|octets| is_outside_v4(octets.into()))
    };
    match (first, second) {
        // Addresses of IPv4 in other clothes: mapped, translated (RFC 6052), 6to4 (RFC 3056).
        _ if address.to_ipv4_mapped().is_some() => embedded(12),
        (0x64, 0xff9b) => embedded(12),
        (0x2002, _) => embedded(2),
        // Teredo and documentation.
        (0x2001, 0 | 0xdb8) => false,
        // Global unicast is 2000::/3; all else is loopback, local, multicast or reserved.
        _ => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(text: &str) -> Allowed {
        Allowed::parse(text, false).unwrap()
    }

    /// API-02: a name that leads into the house leads nowhere, in whichever clothes the address comes.
    #[test]
    fn a_name_does_not_lead_into_the_house() {
        let crm = listed("crm.example:443");
        for within in [
            "127.0.0.1",
            "127.9.9.9",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00::5",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001:0:1::1",
            "2001:db8::1",
            "::127.0.0.1",
        ] {
            assert!(!may_be_asked(within.parse().unwrap(), &crm), "{within}");
        }
        for outside in [
            "93.184.215.14",
            "8.8.8.8",
            "2a00:1450:4001::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::",
        ] {
            assert!(may_be_asked(outside.parse().unwrap(), &crm), "{outside}");
        }
    }

    /// API-02: an operator who lists an address, or says that a name leads within, means it.
    #[test]
    fn what_is_listed_by_its_address_may_be_within() {
        let printer: IpAddr = "10.0.0.5".parse().unwrap();
        assert!(may_be_asked(printer, &listed("10.0.0.5:80")));
        assert!(!may_be_asked(printer, &listed("10.0.0.6:80")));
        assert!(may_be_asked(printer, &Allowed::parse("crm.intern:80", true).unwrap()));
        assert!(may_be_asked("fd00::5".parse().unwrap(), &listed("[fd00::5]:80")));
    }

    #[test]
    fn a_system_is_listed_with_its_port() {
        assert_eq!(listed("CRM.example:443").host_port(), "crm.example:443");
        assert_eq!(listed("[fd00::5]:80").host_port(), "[fd00::5]:80");
        assert!(
            listed("crm.example:443").is("crm.example", 443)
                && !listed("crm.example:443").is("crm.example", 80)
        );
        for wrong in [
            "",
            "crm.example",
            "crm.example:",
            "crm.example:0",
            ":443",
            "https://crm.example:443",
            "a b:1",
            "fd00::5",
            "[x]:1",
        ] {
            assert_eq!(Allowed::parse(wrong, false), None, "{wrong}");
        }
    }
}
