//! Making UDP sockets for media.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use socket2::{Domain, Protocol, SockRef, Socket, Type};

/// Expedited forwarding (RFC 3246) in the upper six bits of the traffic class: what networks expect of voice.
const DSCP_EF: u32 = 46 << 2;
/// Receive queue of a port that carries many parties: a third of a second at 100 000 packets/s.
const SHARED_QUEUE_BYTES: usize = 8 << 20;

/// Binds a socket, non-blocking, marked as voice. IPv6 sockets carry IPv6 only.
pub fn open_socket(addr: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(addr), Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
    match addr.ip() {
        IpAddr::V4(_) => socket.set_tos_v4(DSCP_EF)?,
        IpAddr::V6(_) => {
            socket.set_only_v6(true)?;
            socket.set_tclass_v6(DSCP_EF)?;
        }
    }
    socket.bind(&addr.into())?;
    Ok(socket.into())
}

/// Binds a port that many parties share, with a receive queue to match (as far as the system allows).
pub fn bind_media_socket(addr: SocketAddr) -> io::Result<UdpSocket> {
    let socket = open_socket(addr)?;
    // A smaller queue works too; it only overflows sooner.
    SockRef::from(&socket).set_recv_buffer_size(SHARED_QUEUE_BYTES).ok();
    Ok(socket)
}
