//! The way to a trunk to which we place calls: its name is looked up, a connection is made where one is needed.
//!
//! Only an administrator names trunks, so this is the one place where a name is looked up. Addresses only (A and AAAA): a
//! carrier's SRV records are not asked. A connection that stands is used again (RFC 5923), also for what the trunk sends.

use std::net::SocketAddr;
use std::sync::PoisonError;
use std::time::Duration;

use model::target::{Carriage, Target};
use rsipstack::transport::SipConnection;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::uri::escape_user;
use super::{Endpoint, Flow, stream};
use crate::authorities;
use crate::service::Transport;

/// Longest look-up of a name.
const LOOKUP_MAX: Duration = Duration::from_secs(3);
/// Longest time until a connection stands, the TLS handshake included.
const CONNECT_MAX: Duration = Duration::from_secs(4);

/// Where a trunk is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrunkAddress(Target);

/// Why there is no way to a trunk.
#[derive(Debug, thiserror::Error)]
pub enum ReachError {
    /// Ours to set up: we listen to nothing of this kind, so that it could not answer.
    #[error("there is no {0} listener of the address's family, which calls over {0} need")]
    NoListener(&'static str),
    /// The name leads nowhere.
    #[error("the name of the trunk cannot be looked up")]
    Unknown,
    /// It does not take connections.
    #[error("the trunk cannot be connected to: {0}")]
    NotConnected(String),
    /// Ours to set up: there are no certificates of authorities to check the trunk's by.
    #[error("the certificates of this machine's authorities cannot be read")]
    NoAuthorities,
}

impl TrunkAddress {
    /// From a trunk's target; `None` if it is none.
    pub fn parse(target: &str) -> Option<Self> {
        Target::parse(target).map(Self)
    }
    /// The Request-URI of a number there.
    pub fn uri(&self, number: &str) -> String {
        let transport = match self.0.carriage {
            Carriage::Udp => "",
            Carriage::Tcp => ";transport=tcp",
            Carriage::Tls => ";transport=tls",
        };
        format!("sip:{}@{}{transport}", escape_user(number), self.host_port())
    }
    /// The Request-URI of the trunk itself, one without a user: where one registers (RFC 3261 §10.2).
    pub fn server(&self) -> String {
        self.uri("").replacen("sip:@", "sip:", 1)
    }
    /// Host and port as written.
    pub fn host_port(&self) -> String {
        self.0.host_port()
    }
    /// The address, where it is not a name.
    pub fn ip(&self) -> Option<std::net::IpAddr> {
        self.0.host.parse().ok()
    }
    const fn transport(&self) -> Transport {
        match self.0.carriage {
            Carriage::Udp => Transport::Udp,
            Carriage::Tcp => Transport::Tcp,
            Carriage::Tls => Transport::Tls,
        }
    }
}

impl Endpoint {
    /// The way to a trunk.
    pub async fn reach(&self, address: &TrunkAddress) -> Result<Flow, ReachError> {
        let transport = address.transport();
        let found = timeout(LOOKUP_MAX, lookup_host((address.0.host.as_str(), address.0.port()))).await;
        let found: Vec<SocketAddr> = found.ok().and_then(Result::ok).ok_or(ReachError::Unknown)?.collect();
        let usable = found.iter().find_map(|remote| Some((*remote, self.listener_for(transport, *remote)?)));
        let Some((remote, listener)) = usable else {
            return Err(if found.is_empty() {
                ReachError::Unknown
            } else {
                ReachError::NoListener(transport.name())
            });
        };
        if let Some(flow) = self.standing(transport, remote) {
            return Ok(flow);
        }
        let local =
            self.0.listeners.get(listener).ok_or(ReachError::NoListener(transport.name()))?.advertised;
        let connection = match transport {
            Transport::Udp => {
                let kept = self.0.datagrams.iter().find(|(at, _)| *at == listener);
                kept.map(|(_, connection)| connection.clone()).ok_or(ReachError::NoListener("UDP"))?
            }
            Transport::Tcp | Transport::Tls => {
                let connect = self.connect(address, listener, remote);
                let over = || ReachError::NotConnected("it takes too long".to_owned());
                timeout(CONNECT_MAX, connect).await.map_err(|_| over())??
            }
        };
        let flow = Flow { transport, local, remote, listener, connection, account: None };
        if transport != Transport::Udp {
            let mut reached = self.0.reached.lock().unwrap_or_else(PoisonError::into_inner);
            reached.retain(|_, flow| flow.is_alive());
            reached.insert((transport, remote), flow.clone());
        }
        Ok(flow)
    }

    fn listener_for(&self, transport: Transport, remote: SocketAddr) -> Option<usize> {
        let fits =
            |bound: &super::Bound| bound.transport == transport && bound.bound.is_ipv4() == remote.is_ipv4();
        self.0.listeners.iter().position(fits)
    }

    fn standing(&self, transport: Transport, remote: SocketAddr) -> Option<Flow> {
        let reached = self.0.reached.lock().unwrap_or_else(PoisonError::into_inner);
        reached.get(&(transport, remote)).filter(|flow| flow.is_alive()).cloned()
    }

    async fn connect(
        &self,
        address: &TrunkAddress,
        listener: usize,
        remote: SocketAddr,
    ) -> Result<SipConnection, ReachError> {
        let failed = |error: std::io::Error| ReachError::NotConnected(error.to_string());
        let plain = TcpStream::connect(remote).await.map_err(failed)?;
        plain.set_nodelay(true).ok();
        let (ready, connection) = oneshot::channel();
        // Whoever waits may have given up.
        let ready = move |connection| drop(ready.send(connection));
        let endpoint = self.clone();
        if address.0.carriage == Carriage::Tls {
            let name = ServerName::try_from(address.0.host.clone())
                .map_err(|error| ReachError::NotConnected(error.to_string()))?;
            let connector = authorities::connector().ok_or(ReachError::NoAuthorities)?;
            let secure = connector.connect(name, plain).await.map_err(failed)?;
            tokio::spawn(async move {
                stream::serve(&endpoint, listener, Transport::Tls, secure, remote, ready).await;
            });
        } else {
            tokio::spawn(async move {
                stream::serve(&endpoint, listener, Transport::Tcp, plain, remote, ready).await;
            });
        }
        connection.await.map_err(|_| ReachError::NotConnected("it was closed at once".to_owned()))
    }
}
