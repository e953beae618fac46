//! The SIP endpoint: sockets, the strict gate before the library, transactions behind it. Only this folder knows rsipstack.
//!
//! The library keeps what it does well, the transactions of RFC 3261 §17 and RFC 6026. Around it stands what it lacks:
//! every byte passes [`gate`] before it is parsed, streams are framed and bounded here ([`stream`]), and the ACK of a 2xx is
//! ours ([`acks`]), because it goes to the flow a phone registered on and not to an address the phone made up behind NAT.
//! Dialogs ([`dialog`]) are pure and belong to the call that has them.
//!
//! The library logs whole messages at `info`, credentials included: run it with [`LOG_FILTER`].

pub mod counters;
pub mod dialog;
pub mod flow;
pub mod limit;
pub mod message;
pub mod reach;
pub mod uri;

mod acks;
mod client;
mod gate;
mod server;
mod signing;
mod stream;
mod udp;
mod wire;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use rsipstack::EndpointBuilder;
use rsipstack::transaction::endpoint::{EndpointInnerRef, EndpointOption};
use rsipstack::transport::transport_layer::DomainResolver;
use rsipstack::transport::udp::UdpConnection;
use rsipstack::transport::{SipAddr, SipConnection, TransportLayer};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::service::{Clock, Listener, Random, StartError, TlsIdentity, Transport};
use crate::trace::Tracer;

pub use client::{Progress, SendError};
pub use flow::Flow;
pub use server::{Incoming, InviteEvent, Responder, ServerTransaction};
pub use signing::Account;

use acks::Acks;
use counters::Counters;
use gate::Gate;

/// The directive that keeps the library's message dumps out of the logs.
pub const LOG_FILTER: &str = "rsipstack=error";

/// Requests that may wait to be looked at; the next INVITE is answered 503, the next other request 500.
const INCOMING_MAX: usize = 2_048;

/// What an endpoint is made from.
pub struct EndpointConfig {
    /// Where to listen.
    pub listeners: Vec<Listener>,
    /// For TLS listeners.
    pub tls: Option<TlsIdentity>,
    /// `User-Agent`.
    pub user_agent: String,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub random: Random,
    /// Whether an address belongs to a trunk: those are not limited.
    pub trusted: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
    /// Counts what happens.
    pub counters: Arc<Counters>,
    /// Notes messages.
    pub tracer: Arc<Tracer>,
}

/// A running endpoint. Clones are handles to the same one.
#[derive(Clone)]
pub struct Endpoint(Arc<Shared>);

struct Shared {
    inner: EndpointInnerRef,
    listeners: Vec<Bound>,
    /// The sockets of the UDP listeners, to begin from.
    datagrams: Vec<(usize, SipConnection)>,
    /// Streams we opened to trunks.
    reached: Mutex<HashMap<(Transport, SocketAddr), Flow>>,
    /// Which listener a stream came in at.
    streams: Mutex<HashMap<(Transport, SocketAddr), usize>>,
    acks: Arc<Acks>,
    gate: Arc<Gate>,
    tracer: Arc<Tracer>,
    counters: Arc<Counters>,
    random: Random,
    user_agent: String,
    cancel: CancellationToken,
}

/// A listener that stands.
#[derive(Clone, Debug)]
pub struct Bound {
    /// Over what.
    pub transport: Transport,
    /// The address it is bound to, with the port it got.
    pub bound: SocketAddr,
    /// The address we write.
    pub advertised: SocketAddr,
    /// The media interface of calls that come in here.
    pub media: IpAddr,
}

impl Endpoint {
    /// Binds all listeners and begins to serve.
    pub async fn start(config: EndpointConfig) -> Result<(Self, mpsc::Receiver<Incoming>), StartError> {
        let cancel = CancellationToken::new();
        let mut secret = [0; 16];
        (config.random)(&mut secret);
        let gate = Arc::new(Gate::new(config.clock.clone(), config.trusted, config.counters.clone(), secret));
        let layer = TransportLayer::new_with_domain_resolver(cancel.child_token(), Box::new(NoNames));
        let (mut listeners, mut streams, mut datagrams) = (Vec::new(), Vec::new(), Vec::new());
        for (index, listener) in config.listeners.iter().enumerate() {
            let bind_error =
                |source| StartError::Bind { transport: listener.transport, bind: listener.bind, source };
            let bound = match listener.transport {
                Transport::Udp => {
                    let socket = UdpSocket::bind(listener.bind).await.map_err(bind_error)?;
                    let bound = listener.at(socket.local_addr().map_err(bind_error)?);
                    let socket = Arc::new(udp::GatedSocket::new(
                        socket,
                        bound.advertised,
                        gate.clone(),
                        config.tracer.clone(),
                    ));
                    let connection = UdpConnection::from_socket(
                        socket,
                        Some(bound.advertised),
                        Some(cancel.child_token()),
                    )
                    .await
                    .map_err(|e| StartError::Config(e.to_string()))?;
                    let connection = SipConnection::from(connection);
                    datagrams.push((index, connection.clone()));
                    layer.add_transport(connection);
                    bound
                }
                Transport::Tcp | Transport::Tls => {
                    let socket = TcpListener::bind(listener.bind).await.map_err(bind_error)?;
                    let bound = listener.at(socket.local_addr().map_err(bind_error)?);
                    let tls = match listener.transport {
                        Transport::Tls => Some(stream::acceptor(config.tls.as_ref())?),
                        _ => None,
                    };
                    streams.push((index, socket, tls));
                    bound
                }
            };
            if bound.advertised.ip().is_unspecified() || bound.media.is_unspecified() {
                return Err(StartError::Config(format!(
                    "listener {} needs a definite advertised and media address",
                    listener.bind
                )));
            }
            listeners.push(bound);
        }
        let acks = Arc::new(Acks::new(config.clock));
        let (watch, strays) = acks::watch(acks.clone());
        let library = EndpointBuilder::new()
            .with_user_agent(&config.user_agent)
            .with_transport_layer(layer)
            .with_cancel_token(cancel.clone())
            // A 2xx is ours to acknowledge (RFC 3261 §13.2.2.4): see `acks`.
            .with_option(EndpointOption { auto_ack_2xx: false, ..EndpointOption::default() })
            .with_transport_inspector(Box::new(watch))
            .build();
        let transactions = library.incoming_transactions().map_err(|e| StartError::Config(e.to_string()))?;
        let endpoint = Self(Arc::new(Shared {
            inner: library.inner.clone(),
            listeners,
            datagrams,
            reached: Mutex::default(),
            streams: Mutex::default(),
            acks,
            gate,
            tracer: config.tracer,
            counters: config.counters,
            random: config.random,
            user_agent: config.user_agent,
            cancel,
        }));
        tokio::spawn(async move { library.serve().await });
        for (index, socket, tls) in streams {
            tokio::spawn(stream::listen(endpoint.clone(), index, socket, tls));
        }
        tokio::spawn(acks::answer_strays(endpoint.clone(), strays));
        let (sender, receiver) = mpsc::channel(INCOMING_MAX);
        tokio::spawn(server::receive(endpoint.clone(), transactions, sender));
        Ok((endpoint, receiver))
    }

    /// Closes all sockets.
    pub fn stop(&self) {
        self.0.cancel.cancel();
    }

    /// Our listeners with the ports they got.
    pub fn listeners(&self) -> &[Bound] {
        &self.0.listeners
    }

    /// A random token for tags, Call-IDs and branches: 96 bits, hexadecimal.
    pub fn token(&self) -> String {
        let mut bytes = [0; 12];
        (self.0.random)(&mut bytes);
        hex::encode(bytes)
    }

    /// The flow a request came over, of what the library knows about it.
    fn flow(&self, connection: &rsipstack::transport::SipConnection) -> Option<Flow> {
        let remote = connection.get_remote_addr()?;
        let (transport, listener) = match remote.r#type {
            Some(rsipstack::sip::Transport::Udp) | None => {
                let local = connection.get_addr().get_socketaddr().ok()?;
                let at = self
                    .0
                    .listeners
                    .iter()
                    .position(|l| l.transport == Transport::Udp && l.advertised == local)?;
                (Transport::Udp, at)
            }
            Some(wire) => {
                let transport = match wire {
                    rsipstack::sip::Transport::Tls => Transport::Tls,
                    _ => Transport::Tcp,
                };
                let streams = self.0.streams.lock().unwrap_or_else(PoisonError::into_inner);
                (transport, *streams.get(&(transport, remote.get_socketaddr().ok()?))?)
            }
        };
        Some(Flow {
            transport,
            local: self.0.listeners.get(listener)?.advertised,
            remote: remote.get_socketaddr().ok()?,
            listener,
            connection: connection.clone(),
            account: None,
        })
    }
}

impl Listener {
    fn at(&self, bound: SocketAddr) -> Bound {
        // An advertised port 0 means "the one I got".
        let mut advertised = self.advertise.unwrap_or(bound);
        if advertised.port() == 0 {
            advertised.set_port(bound.port());
        }
        if advertised.ip().is_unspecified() {
            advertised.set_ip(self.media);
        }
        Bound { transport: self.transport, bound, advertised, media: self.media }
    }
}

/// We send to addresses we were heard from. A name in a Via or Contact is never looked up on a stranger's word.
struct NoNames;

#[async_trait::async_trait]
impl DomainResolver for NoNames {
    async fn resolve(&self, target: &SipAddr) -> Result<SipAddr, rsipstack::Error> {
        Err(rsipstack::Error::DnsResolutionError(target.addr.to_string()))
    }
}
