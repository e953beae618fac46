//! TCP and TLS: our own listeners, framing and bounds; whole messages that passed the gate go to the library through a
//! channel connection, and what it wants sent comes back through one.
//!
//! A stream is closed when it is silent for [`IDLE`], when a message is not complete within [`MESSAGE_TIME`], when its
//! framing is lost (RFC 3261 §18.3 needs Content-Length here), or when the far end does not take what we send.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rsipstack::sip::SipMessage;
use rsipstack::transport::channel::ChannelConnection;
use rsipstack::transport::{SipConnection, TransportEvent};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::Endpoint;
use super::flow::sip_addr;
use super::gate::Verdict;
use crate::service::{StartError, TlsIdentity, Transport};
use crate::trace::{Path, Tracer};

/// Streams at once, all sources together.
const STREAMS_MAX: usize = 4_096;
/// Longest head of a message.
const HEAD_MAX: usize = 16 * 1024;
/// Longest message.
const MESSAGE_MAX: usize = 64 * 1024;
/// Longest silence. Phones send keep-alives at most every 120 s (RFC 5626 §4.4.1).
const IDLE: Duration = Duration::from_secs(600);
/// Longest time from the first to the last octet of one message.
const MESSAGE_TIME: Duration = Duration::from_secs(15);
/// Longest TLS handshake.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// Longest time the far end may let us wait with a message.
const WRITE_TIME: Duration = Duration::from_secs(10);
/// Messages that may wait to be written.
const OUTGOING_MAX: usize = 256;

/// The TLS side of a listener.
pub(super) fn acceptor(identity: Option<&TlsIdentity>) -> Result<TlsAcceptor, StartError> {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let identity =
        identity.ok_or_else(|| StartError::Tls("a TLS listener needs a certificate and a key".into()))?;
    let chain = CertificateDer::pem_slice_iter(&identity.chain_pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| StartError::Tls(e.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(&identity.key_pem).map_err(|e| StartError::Tls(e.to_string()))?;
    // Named, because the library links a second provider and then none is the default.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|b| b.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|e| StartError::Tls(e.to_string()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Accepts until the endpoint stops.
pub(super) async fn listen(
    endpoint: Endpoint,
    index: usize,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
) {
    let places = Arc::new(Semaphore::new(STREAMS_MAX));
    loop {
        let accepted = tokio::select! {
            () = endpoint.0.cancel.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, remote)) = accepted else {
            // Out of file descriptors, mostly; a moment later there may be some.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let place = places.clone().try_acquire_owned();
        let (Ok(place), true) = (place, endpoint.0.gate.admits_stream(remote.ip())) else {
            endpoint.0.counters.streams_refused.add();
            continue;
        };
        stream.set_nodelay(true).ok();
        let (endpoint, tls) = (endpoint.clone(), tls.clone());
        tokio::spawn(async move {
            match tls {
                None => serve(&endpoint, index, Transport::Tcp, stream, remote, drop).await,
                Some(tls) => match timeout(HANDSHAKE_TIME, tls.accept(stream)).await {
                    Ok(Ok(stream)) => serve(&endpoint, index, Transport::Tls, stream, remote, drop).await,
                    _ => endpoint.0.counters.tls_failed.add(),
                },
            }
            endpoint.0.gate.stream_closed(remote.ip());
            drop(place);
        });
    }
}

/// Serves a stream until it is closed. `ready` is told as soon as something can be sent over it.
pub(super) async fn serve<S>(
    endpoint: &Endpoint,
    index: usize,
    transport: Transport,
    stream: S,
    remote: SocketAddr,
    ready: impl FnOnce(SipConnection),
) where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let closed = endpoint.0.cancel.child_token();
    let (to_library, incoming) = mpsc::unbounded_channel();
    let (outgoing, from_library) = mpsc::channel(OUTGOING_MAX);
    let address = sip_addr(transport, remote);
    let Ok(channel) =
        ChannelConnection::create_connection_bounded(incoming, outgoing, address, Some(closed.clone())).await
    else {
        return;
    };
    let connection = SipConnection::Channel(channel);
    let key = (transport, remote);
    endpoint.0.streams.lock().unwrap_or_else(PoisonError::into_inner).insert(key, index);
    endpoint.0.inner.transport_layer.add_connection(connection.clone());
    ready(connection.clone());
    let (read, write) = tokio::io::split(stream);
    let (answers, own) = mpsc::channel(OUTGOING_MAX);
    // Nothing is traced of a stream without a listener; there is none such.
    let ours = endpoint.0.listeners.get(index).map_or(remote, |bound| bound.advertised);
    let path = Path { outgoing: true, transport, ours, theirs: remote };
    let trace = (endpoint.0.tracer.clone(), path);
    let writer = tokio::spawn(write_out(write, from_library, own, closed.clone(), trace));
    let reader = Reader { endpoint, transport, remote, path, connection, to_library, answers };
    tokio::select! {
        () = closed.cancelled() => {}
        () = reader.run(read) => {}
    }
    closed.cancel();
    endpoint.0.streams.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    writer.await.ok();
}

/// Writes what the library sends and what the gate answers.
async fn write_out<W: AsyncWrite + Unpin>(
    mut stream: W,
    mut library: mpsc::Receiver<TransportEvent>,
    mut own: mpsc::Receiver<Vec<u8>>,
    closed: CancellationToken,
    (tracer, path): (Arc<Tracer>, Path),
) {
    loop {
        let bytes = tokio::select! {
            Some(event) = library.recv() => match event {
                TransportEvent::Incoming(message, _, _) => message.to_bytes(),
                _ => continue,
            },
            Some(bytes) = own.recv() => bytes,
            () = closed.cancelled() => break,
        };
        tracer.note(path, &bytes);
        if !matches!(timeout(WRITE_TIME, stream.write_all(&bytes)).await, Ok(Ok(()))) {
            break;
        }
    }
    closed.cancel();
    // A last answer, such as the 400 that says why the stream is closed.
    while let Ok(bytes) = own.try_recv() {
        timeout(WRITE_TIME, stream.write_all(&bytes)).await.ok();
    }
    timeout(WRITE_TIME, stream.shutdown()).await.ok();
}

struct Reader<'a> {
    endpoint: &'a Endpoint,
    transport: Transport,
    remote: SocketAddr,
    path: Path,
    connection: SipConnection,
    to_library: mpsc::UnboundedSender<TransportEvent>,
    answers: mpsc::Sender<Vec<u8>>,
}

impl Reader<'_> {
    async fn run<R: AsyncRead + Unpin>(self, mut stream: R) {
        let mut buffer: Vec<u8> = Vec::new();
        let mut chunk = vec![0; 8 * 1024];
        // One limit for the whole message: whoever sends an octet now and then is not waited for either.
        let mut message_ends: Option<Instant> = None;
        loop {
            // Whatever is complete is taken out before more is read.
            loop {
                match next_frame(&buffer) {
                    Frame::KeepAlive(len) => {
                        buffer.drain(..len);
                        // RFC 5626 §4.4.1: a double CRLF is answered by a single one.
                        if len == 4 && self.answers.send(b"\r\n".to_vec()).await.is_err() {
                            return;
                        }
                    }
                    Frame::Message(len) => {
                        let message: Vec<u8> = buffer.drain(..len).collect();
                        message_ends = None;
                        if !self.take(&message).await {
                            return;
                        }
                    }
                    Frame::Partial => break,
                    Frame::Lost => {
                        // Where the next message begins is unknown: say what is wrong, if that can be said, and close.
                        if let Verdict::Answer(answer) =
                            self.endpoint.0.gate.judge(&buffer, self.remote, self.transport)
                        {
                            self.answers.send(answer).await.ok();
                        }
                        return;
                    }
                }
            }
            let between = buffer.iter().all(|b| matches!(b, b'\r' | b'\n'));
            let ends = match between {
                true => Instant::now() + IDLE,
                false => *message_ends.get_or_insert_with(|| Instant::now() + MESSAGE_TIME),
            };
            let Ok(Ok(len @ 1..)) = timeout_at(ends, stream.read(&mut chunk)).await else { return };
            buffer.extend_from_slice(chunk.get(..len).unwrap_or_default());
        }
    }

    /// `false`: close the stream.
    async fn take(&self, bytes: &[u8]) -> bool {
        match self.endpoint.0.gate.judge(bytes, self.remote, self.transport) {
            Verdict::Drop => true,
            Verdict::Answer(answer) => self.answers.send(answer).await.is_ok(),
            Verdict::Pass(plain) => {
                self.endpoint.0.tracer.note(Path { outgoing: false, ..self.path }, &plain);
                let Ok(message) = SipMessage::try_from(&*plain) else {
                    self.endpoint.0.counters.malformed_dropped.add();
                    return true;
                };
                let Ok(message) =
                    SipConnection::update_msg_received(message, self.remote, self.transport.wire())
                else {
                    self.endpoint.0.counters.malformed_dropped.add();
                    return true;
                };
                let event = TransportEvent::Incoming(
                    message,
                    self.connection.clone(),
                    sip_addr(self.transport, self.remote),
                );
                self.to_library.send(event).is_ok()
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Frame {
    /// CRLF or CRLFCRLF between messages.
    KeepAlive(usize),
    /// A whole message of this length.
    Message(usize),
    /// More has to come.
    Partial,
    /// It cannot be said where this message ends.
    Lost,
}

fn next_frame(buffer: &[u8]) -> Frame {
    if buffer.starts_with(b"\r\n\r\n") {
        return Frame::KeepAlive(4);
    }
    // The first half of a ping may be all that was read yet; a lone CRLF between messages is allowed too (§7.5).
    if buffer.len() < 4 && !buffer.is_empty() && b"\r\n\r\n".starts_with(buffer) {
        return Frame::Partial;
    }
    if buffer.starts_with(b"\r\n") {
        return Frame::KeepAlive(2);
    }
    let head = buffer.get(..buffer.len().min(HEAD_MAX)).unwrap_or_default();
    let Some(end) = head.windows(4).position(|w| w == b"\r\n\r\n") else {
        return if buffer.len() >= HEAD_MAX { Frame::Lost } else { Frame::Partial };
    };
    let Some(body) = head.get(..end).and_then(content_length) else { return Frame::Lost };
    match (end + 4).checked_add(body) {
        Some(len) if len > MESSAGE_MAX => Frame::Lost,
        Some(len) if len <= buffer.len() => Frame::Message(len),
        Some(_) => Frame::Partial,
        None => Frame::Lost,
    }
}

/// The one Content-Length; `None` if there is none, or two that differ, or none that is a number.
fn content_length(head: &[u8]) -> Option<usize> {
    let mut found = None;
    for line in head.split(|b| *b == b'\n') {
        let Some(colon) = line.iter().position(|b| *b == b':') else { continue };
        let name = line.get(..colon)?.trim_ascii();
        if name.eq_ignore_ascii_case(b"content-length") || name.eq_ignore_ascii_case(b"l") {
            let value = std::str::from_utf8(line.get(colon + 1..)?).ok()?.trim();
            if value.is_empty() || !value.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            let value: usize = value.parse().ok()?;
            if found.is_some_and(|f| f != value) {
                return None;
            }
            found = Some(value);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_cut_at_their_content_length() {
        let one = b"OPTIONS sip:a SIP/2.0\r\nl: 4\r\n\r\nbodyOPTIONS";
        assert_eq!(next_frame(one), Frame::Message(35));
        assert_eq!(next_frame(&one[..33]), Frame::Partial);
        assert_eq!(next_frame(b"OPTIONS sip:a SIP/2.0\r\n"), Frame::Partial);
        assert_eq!(next_frame(b"\r\n\r\nX"), Frame::KeepAlive(4));
        assert_eq!(next_frame(b"\r\nX"), Frame::KeepAlive(2));
    }

    /// SIP-06: without a believable length nobody knows where the next message begins.
    #[test]
    fn framing_that_is_lost_is_noticed() {
        for head in [
            "X\r\nA: b\r\n\r\n",
            "X\r\nContent-Length: -1\r\n\r\n",
            "X\r\nContent-Length: 1\r\nl: 2\r\n\r\n",
            "X\r\nContent-Length: 99999999\r\n\r\n",
            "X\r\nContent-Length: 99999999999999999999999\r\n\r\n",
            "X\r\nContent-Length: \r\n\r\n",
        ] {
            assert_eq!(next_frame(head.as_bytes()), Frame::Lost, "{head:?}");
        }
        assert_eq!(next_frame(&vec![b'a'; HEAD_MAX]), Frame::Lost);
    }
}
