//! Socket addresses as the kernel reads and writes them, without a cast: `sockaddr_in` and `sockaddr_in6` octet by octet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// Octets of `sockaddr_in6`, the longest address used here.
pub(super) const ADDR_LEN: usize = 28;

/// An address in the layout of `sockaddr_in` or `sockaddr_in6`.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(8))]
pub(super) struct RawAddr {
    pub octets: [u8; ADDR_LEN],
    pub len: u32,
}

impl RawAddr {
    pub const EMPTY: Self = Self { octets: [0; ADDR_LEN], len: 0 };

    pub fn of(addr: SocketAddr) -> Self {
        let mut octets = [0; ADDR_LEN];
        octets[2..4].copy_from_slice(&addr.port().to_be_bytes());
        let (family, len) = match addr {
            SocketAddr::V4(v4) => {
                octets[4..8].copy_from_slice(&v4.ip().octets());
                (libc::AF_INET, 16)
            }
            SocketAddr::V6(v6) => {
                octets[8..24].copy_from_slice(&v6.ip().octets());
                octets[24..28].copy_from_slice(&v6.scope_id().to_ne_bytes());
                (libc::AF_INET6, 28)
            }
        };
        octets[..2].copy_from_slice(&(family as u16).to_ne_bytes());
        Self { octets, len }
    }

    /// Reads what the kernel wrote; `None` for other families.
    pub fn read(octets: &[u8]) -> Option<SocketAddr> {
        let family = u16::from_ne_bytes(*octets.first_chunk()?);
        let port = u16::from_be_bytes(*octets.get(2..4)?.first_chunk()?);
        if i32::from(family) == libc::AF_INET {
            let ip: [u8; 4] = *octets.get(4..8)?.first_chunk()?;
            return Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::from(ip)), port));
        }
        if i32::from(family) == libc::AF_INET6 {
            let ip: [u8; 16] = *octets.get(8..24)?.first_chunk()?;
            let scope = u32::from_ne_bytes(*octets.get(24..28)?.first_chunk()?);
            return Some(SocketAddr::V6(SocketAddrV6::new(Ipv6Addr::from(ip), port, 0, scope)));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back_as_it_was_written() {
        for text in ["192.0.2.7:30000", "[2001:db8::7]:65535", "[fe80::1%3]:9"] {
            let addr: SocketAddr = text.parse().unwrap();
            assert_eq!(RawAddr::read(&RawAddr::of(addr).octets), Some(addr));
        }
        assert_eq!(RawAddr::read(&[0; 28]), None);
        assert_eq!(RawAddr::read(&[]), None);
    }
}
