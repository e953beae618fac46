//! Making UDP sockets for media.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Mutex, PoisonError};

use socket2::{Domain, Protocol, SockRef, Socket, Type};

/// Expedited forwarding (RFC 3246) in the upper six bits of the traffic class: what networks expect of voice.
const DSCP_EF: u32 = 46 << 2;
/// Queues of a port that carries many parties: a third of a second at 100 000 packets/s. The sending one matters as much: what
/// a busy line has not taken yet counts against it, and a datagram beyond it is refused.
const SHARED_QUEUE_BYTES: usize = 8 << 20;

/// Binds a socket, non-blocking, marked as voice. IPv6 sockets carry IPv6 only.
pub fn open_socket(addr: SocketAddr) -> io::Result<UdpSocket> {
    let socket = unbound(addr)?;
    socket.bind(&addr.into())?;
    Ok(socket.into())
}

fn unbound(addr: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(addr), Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
    match addr.ip() {
        IpAddr::V4(_) => socket.set_tos_v4(DSCP_EF)?,
        IpAddr::V6(_) => {
            socket.set_only_v6(true)?;
            socket.set_tclass_v6(DSCP_EF)?;
        }
    }
    Ok(socket)
}

/// A port that many parties share, as a place where any thread can open a *line*: a socket on the same port for one of the
/// parties alone.
///
/// The kernel gives a datagram to the socket that is connected to its sender before one that is connected to nobody. Both on
/// one address need SO_REUSEADDR; SO_REUSEPORT would do too, but makes a group of them, over which the kernel spreads
/// strangers. The shared socket has the option only while a line is bound: with it, any program of this machine could bind
/// our port and take part of the calls, and a second appliance would start without a complaint.
///
/// Between bind(2) and connect(2), a few microseconds, a line gets what was meant for all. Its reader drops what is not from
/// its party.
#[derive(Debug)]
pub struct SharedPort {
    /// The socket that a driver reads, by another descriptor.
    shared: Mutex<UdpSocket>,
    local: SocketAddr,
}

impl SharedPort {
    /// Binds the port, with queues to match (as far as the system allows). The socket is for a driver.
    pub fn bind(addr: SocketAddr) -> io::Result<(UdpSocket, Self)> {
        let socket = open_socket(addr)?;
        // A smaller queue works too; it only overflows sooner.
        SockRef::from(&socket).set_recv_buffer_size(SHARED_QUEUE_BYTES).ok();
        SockRef::from(&socket).set_send_buffer_size(SHARED_QUEUE_BYTES).ok();
        let local = socket.local_addr()?;
        let shared = Mutex::new(socket.try_clone()?);
        Ok((socket, Self { shared, local }))
    }

    /// The address it is bound to.
    pub const fn local(&self) -> SocketAddr {
        self.local
    }

    /// Opens a line to `remote`: what it sends comes there from now on, and no longer to the shared socket.
    pub fn line(&self, remote: SocketAddr) -> io::Result<UdpSocket> {
        let line = unbound(self.local)?;
        line.set_reuse_address(true)?;
        let shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        SockRef::from(&*shared).set_reuse_address(true)?;
        let connected = line.bind(&self.local.into()).and_then(|()| line.connect(&remote.into()));
        SockRef::from(&*shared).set_reuse_address(false)?;
        connected?;
        Ok(line.into())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn party(ip: IpAddr) -> UdpSocket {
        UdpSocket::bind((ip, 0)).unwrap()
    }

    fn waiting(socket: &UdpSocket) -> Vec<(u8, u16)> {
        let mut octets = [0; 8];
        let next = || socket.recv_from(&mut octets).ok().map(|(_, from)| (octets[0], from.port()));
        // The loopback delivers before send_to returns.
        std::iter::from_fn(next).collect()
    }

    fn on_both_families(run: impl Fn(IpAddr)) {
        run("127.0.0.1".parse().unwrap());
        run("::1".parse().unwrap());
    }

    #[test]
    fn a_line_gets_all_of_its_party_and_nothing_of_others_and_the_rest_stays_with_the_shared_socket() {
        on_both_families(|ip| {
            let (shared, port) = SharedPort::bind((ip, 0).into()).unwrap();
            let parties: Vec<_> = (0..40).map(|_| party(ip)).collect();
            let number = |party: &UdpSocket| party.local_addr().unwrap();
            let lines: Vec<_> = parties[..20].iter().map(|it| port.line(number(it)).unwrap()).collect();
            for party in &parties {
                (0..3).for_each(|n| _ = party.send_to(&[n], port.local()).unwrap());
            }
            let said = |party| (0..3).map(move |n| (n, number(party).port()));
            for (line, party) in lines.iter().zip(&parties) {
                assert_eq!(waiting(line), said(party).collect::<Vec<_>>(), "{ip}");
                assert_eq!(line.send_to(&[7], number(party)).unwrap(), 1);
                party.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
                assert_eq!(party.recv_from(&mut [0]).unwrap().1, port.local(), "it speaks by the same port");
            }
            assert_eq!(waiting(&shared), parties[20..].iter().flat_map(said).collect::<Vec<_>>(), "{ip}");
            // A line that is closed leaves its party to the shared socket again.
            drop(lines);
            parties[0].send_to(&[9], port.local()).unwrap();
            assert_eq!(waiting(&shared), [(9, number(&parties[0]).port())]);
        });
    }

    #[test]
    fn nobody_else_can_bind_a_shared_port_with_lines_or_without() {
        on_both_families(|ip| {
            let (_shared, port) = SharedPort::bind((ip, 0).into()).unwrap();
            let greedy = || {
                let socket = unbound(port.local()).unwrap();
                socket.set_reuse_address(true).unwrap();
                socket.bind(&port.local().into())
            };
            assert_eq!(greedy().unwrap_err().kind(), io::ErrorKind::AddrInUse);
            let _line = port.line(party(ip).local_addr().unwrap()).unwrap();
            assert_eq!(greedy().unwrap_err().kind(), io::ErrorKind::AddrInUse);
        });
    }

    #[test]
    fn a_line_to_nowhere_is_refused_and_the_next_can_be_opened() {
        let (_shared, port) = SharedPort::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        assert!(port.line("[::1]:9".parse().unwrap()).is_err());
        assert!(port.line("127.0.0.1:9".parse().unwrap()).is_ok());
    }
}
