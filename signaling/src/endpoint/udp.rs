//! The UDP socket the library reads from: it sees only what passed the gate.

use std::net::SocketAddr;
use std::sync::Arc;

use rsipstack::platform::net::UdpSocket as LibrarySocket;
use tokio::net::UdpSocket;
use tokio::sync::Mutex;

use super::gate::{Gate, Verdict};
use crate::service::Transport;
use crate::trace::{Path, Tracer};

/// Longest datagram; the library's own buffer ([`MAX_UDP_BUF_SIZE`](rsipstack::transport::connection::MAX_UDP_BUF_SIZE))
/// is smaller, and what does not fit there is refused with 513 rather than cut.
const DATAGRAM_MAX: usize = 64 * 1024;

/// Octets the kernel is asked to keep for us: about 8 000 requests.
const RECEIVE_BUFFER: usize = 4 << 20;

/// A socket with the gate in front.
pub(super) struct GatedSocket {
    socket: UdpSocket,
    gate: Arc<Gate>,
    tracer: Arc<Tracer>,
    /// The address we write.
    ours: SocketAddr,
    /// One reader only; the lock is never waited for.
    buffer: Mutex<Vec<u8>>,
}

impl GatedSocket {
    pub(super) fn new(socket: UdpSocket, ours: SocketAddr, gate: Arc<Gate>, tracer: Arc<Tracer>) -> Self {
        // In a flood, what does not fit here is lost before the gate can tell a trunk from a stranger. The kernel gives as
        // much of it as `net.core.rmem_max` allows.
        if let Err(error) = socket2::SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER) {
            tracing::warn!(%error, "the receive buffer of the SIP socket stays as it is");
        }
        Self { socket, gate, tracer, ours, buffer: Mutex::new(vec![0; DATAGRAM_MAX]) }
    }

    fn trace(&self, outgoing: bool, theirs: SocketAddr, bytes: &[u8]) {
        self.tracer.note(Path { outgoing, transport: Transport::Udp, ours: self.ours, theirs }, bytes);
    }
}

#[async_trait::async_trait]
impl LibrarySocket for GatedSocket {
    async fn recv_from(&self, out: &mut [u8]) -> Result<(usize, SocketAddr), rsipstack::Error> {
        let mut buffer = self.buffer.lock().await;
        loop {
            // An ICMP "port unreachable" of an earlier datagram shows up here; it says nothing about the next.
            let Ok((len, source)) = self.socket.recv_from(&mut buffer).await else {
                tokio::task::yield_now().await;
                continue;
            };
            match self.gate.judge(buffer.get(..len).unwrap_or_default(), source, Transport::Udp) {
                Verdict::Pass(message) => {
                    self.trace(false, source, &message);
                    if let Some(place) = out.get_mut(..message.len()) {
                        place.copy_from_slice(&message);
                        return Ok((message.len(), source));
                    }
                    if let Some(answer) = self.gate.too_long(&message, source) {
                        self.socket.send_to(&answer, source).await.ok();
                    }
                }
                Verdict::Answer(answer) => {
                    self.socket.send_to(&answer, source).await.ok();
                }
                Verdict::Drop => {}
            }
        }
    }

    async fn send_to(&self, buf: &[u8], addr: SocketAddr) -> Result<usize, rsipstack::Error> {
        self.trace(true, addr, buf);
        Ok(self.socket.send_to(buf, addr).await?)
    }

    fn local_addr(&self) -> Result<SocketAddr, rsipstack::Error> {
        Ok(self.socket.local_addr()?)
    }
}
