//! Messages mirrored to a capture server such as Homer: HEP version 3, over UDP.
//!
//! Written from the "HEP/EEP" specification, revision 36: a header `HEP3` with the total length, then chunks of vendor 0, each with
//! its type, its length with these six octets, and its value, all in network order.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use model::trace::{TracedMessage, Wire};

/// Where messages are mirrored to, and as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HepConfig {
    /// The capture server.
    pub server: SocketAddr,
    /// How it tells us from others.
    pub id: u32,
    /// What it asks for, if anything.
    pub password: Option<String>,
}

/// The way to a capture server.
pub(super) struct Mirror {
    socket: UdpSocket,
    config: HepConfig,
}

impl Mirror {
    /// Opens the way. Nothing is sent yet.
    pub(super) fn open(config: HepConfig) -> std::io::Result<Self> {
        let any: IpAddr = if config.server.is_ipv4() { [0, 0, 0, 0].into() } else { [0u16; 8].into() };
        let socket = UdpSocket::bind((any, 0))?;
        socket.connect(config.server)?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, config })
    }

    /// Sends a copy; whether it left. What finds the socket full is not sent: calls do not wait for those who watch them.
    pub(super) fn send(&self, message: &TracedMessage) -> bool {
        self.socket.send(&packet(message, &self.config)).is_ok()
    }
}

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const SIP: u8 = 1;

fn packet(message: &TracedMessage, config: &HepConfig) -> Vec<u8> {
    let (source, target) = match message.outgoing {
        true => (message.ours, message.theirs),
        false => (message.theirs, message.ours),
    };
    let protocol: u8 = match message.wire {
        Wire::Udp => 17,
        Wire::Tcp | Wire::Tls => 6,
    };
    let micros = message.at.micros();
    let mut out = Vec::with_capacity(message.bytes.len() + 160);
    out.extend_from_slice(b"HEP3\0\0");
    match (source.ip().to_canonical(), target.ip().to_canonical()) {
        (IpAddr::V4(source), IpAddr::V4(target)) => {
            chunk(&mut out, 1, &[AF_INET]);
            chunk(&mut out, 3, &source.octets());
            chunk(&mut out, 4, &target.octets());
        }
        (source, target) => {
            chunk(&mut out, 1, &[AF_INET6]);
            chunk(&mut out, 5, &v6(source));
            chunk(&mut out, 6, &v6(target));
        }
    }
    chunk(&mut out, 2, &[protocol]);
    chunk(&mut out, 7, &source.port().to_be_bytes());
    chunk(&mut out, 8, &target.port().to_be_bytes());
    chunk(&mut out, 9, &u32::try_from(micros / 1_000_000).unwrap_or(u32::MAX).to_be_bytes());
    chunk(&mut out, 10, &u32::try_from(micros % 1_000_000).unwrap_or_default().to_be_bytes());
    chunk(&mut out, 11, &[SIP]);
    chunk(&mut out, 12, &config.id.to_be_bytes());
    if let Some(password) = &config.password {
        chunk(&mut out, 14, password.as_bytes());
    }
    chunk(&mut out, 15, &message.bytes);
    let total = u16::try_from(out.len()).unwrap_or(u16::MAX);
    if let Some(length) = out.get_mut(4..6) {
        length.copy_from_slice(&total.to_be_bytes());
    }
    out
}

fn chunk(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(value.len() + 6).unwrap_or(u16::MAX);
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(value);
}

fn v6(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::time::Timestamp;

    /// SIP-08: a HEP3 packet octet by octet.
    #[test]
    fn a_packet_is_as_the_specification_writes_it() {
        let message = TracedMessage {
            at: Timestamp::from_millis(1_500),
            outgoing: false,
            wire: Wire::Udp,
            ours: "192.0.2.1:5060".parse().unwrap(),
            theirs: "192.0.2.2:5070".parse().unwrap(),
            bytes: b"BYE".to_vec(),
        };
        let config =
            HepConfig { server: "127.0.0.1:9060".parse().unwrap(), id: 2001, password: Some("pw".into()) };
        let expected = [
            &b"HEP3\x00\x6e"[..],
            b"\0\0\0\x01\0\x07\x02",
            b"\0\0\0\x03\0\x0a\xc0\0\x02\x02",
            b"\0\0\0\x04\0\x0a\xc0\0\x02\x01",
            b"\0\0\0\x02\0\x07\x11",
            b"\0\0\0\x07\0\x08\x13\xce",
            b"\0\0\0\x08\0\x08\x13\xc4",
            b"\0\0\0\x09\0\x0a\0\0\0\x01",
            b"\0\0\0\x0a\0\x0a\0\x07\xa1\x20",
            b"\0\0\0\x0b\0\x07\x01",
            b"\0\0\0\x0c\0\x0a\0\0\x07\xd1",
            b"\0\0\0\x0e\0\x08pw",
            b"\0\0\0\x0f\0\x09BYE",
        ]
        .concat();
        assert_eq!(packet(&message, &config), expected);
    }

    #[test]
    fn addresses_of_version_6_have_chunks_of_their_own() {
        let message = TracedMessage {
            at: Timestamp::from_millis(0),
            outgoing: true,
            wire: Wire::Tls,
            ours: "[2001:db8::1]:5061".parse().unwrap(),
            theirs: "[2001:db8::2]:5061".parse().unwrap(),
            bytes: Vec::new(),
        };
        let config = HepConfig { server: "127.0.0.1:9060".parse().unwrap(), id: 1, password: None };
        let packet = packet(&message, &config);
        assert!(packet.windows(7).any(|w| w == b"\0\0\0\x01\0\x07\x0a"));
        assert!(packet.windows(7).any(|w| w == b"\0\0\0\x02\0\x07\x06"));
        let source = [&b"\0\0\0\x05\0\x16"[..], &[0x20, 0x01, 0x0d, 0xb8], &[0; 11], &[1]].concat();
        assert!(packet.windows(source.len()).any(|w| w == source));
    }
}
