//! A flow: the pair of addresses, and for streams the connection, over which a far end was heard and can be answered
//! (RFC 5626 §1). Phones behind NAT are reached over the flow on which they registered, or not at all.

use std::net::SocketAddr;

use rsipstack::sip::{HostWithPort, Transport as WireTransport};
use rsipstack::transport::{SipAddr, SipConnection};

use super::Account;
use crate::service::Transport;

/// A way to a far end.
#[derive(Clone)]
pub struct Flow {
    /// Over what.
    pub transport: Transport,
    /// Our address as we write it into Via and Contact.
    pub local: SocketAddr,
    /// Where their packets came from.
    pub remote: SocketAddr,
    /// Which of our listeners it came in at.
    pub listener: usize,
    pub(super) connection: SipConnection,
    /// What answers challenges of requests over it; `None`: nothing does.
    pub(super) account: Option<Account>,
}

impl Flow {
    /// Whether the connection still stands. Datagrams always do.
    pub fn is_alive(&self) -> bool {
        self.transport == Transport::Udp || self.connection.cancel_token().is_none_or(|t| !t.is_cancelled())
    }
    /// The same way, for requests that may be challenged.
    #[must_use]
    pub fn with_account(mut self, account: Option<Account>) -> Self {
        self.account = account;
        self
    }
    /// Our Contact on this flow, for a user.
    pub fn contact(&self, user: &str) -> String {
        let transport = match self.transport {
            Transport::Udp => "",
            Transport::Tcp => ";transport=tcp",
            Transport::Tls => ";transport=tls",
        };
        if user.is_empty() {
            format!("<sip:{}{transport}>", self.local)
        } else {
            format!("<sip:{}@{}{transport}>", super::uri::escape_user(user), self.local)
        }
    }
    pub(super) fn via(&self, branch: &str) -> String {
        format!("SIP/2.0/{} {};branch={branch};rport", self.transport.name(), self.local)
    }
    pub(super) fn destination(&self) -> SipAddr {
        sip_addr(self.transport, self.remote)
    }
}

impl std::fmt::Debug for Flow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} from {}", self.transport.name(), self.local, self.remote)
    }
}

impl Transport {
    /// As Via writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        }
    }
    pub(super) const fn wire(self) -> WireTransport {
        match self {
            Self::Udp => WireTransport::Udp,
            Self::Tcp => WireTransport::Tcp,
            Self::Tls => WireTransport::Tls,
        }
    }
}

pub(super) fn sip_addr(transport: Transport, addr: SocketAddr) -> SipAddr {
    SipAddr::new(transport.wire(), HostWithPort::from(addr))
}
