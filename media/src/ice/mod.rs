//! Browser legs on a shared UDP port: ICE-lite (RFC 8445), DTLS-SRTP keys (RFC 5763, RFC 5764).
//!
//! [`BrowserTransport`] is one leg's half of it, without sockets and clock: datagrams and `now` go in, [`IceOutput`]s
//! come out. We have a public address, so we send no checks of our own (RFC 8445 §2.5): we answer those of the browser
//! and send where it checked from. The rule that matters: an address that passed no check gets nothing and changes
//! nothing. DTLS from elsewhere is dropped before it is parsed, so nobody can race the browser's ClientHello, and keys
//! are handed out only after the certificate matched the fingerprint that came with the signalling.
//!
//! A media thread tells the legs of its port apart by the source address, and a source's first packet, which is a
//! connectivity check, by [`username_ufrag`]. RTP does not pass here: ask [`BrowserTransport::is_verified`] whose it is
//! and [`BrowserTransport::selected`] where to send, and use [`srtp`](crate::srtp) with the keys.
//!
//! Legs with ports of their own have DTLS without ICE, [`DtlsTransport`], or ICE without DTLS, [`PortChecks`].
//!
//! Not here: candidates other than our host candidates (the browser's are not needed by a lite agent), data channels.

mod agent;
mod alone;
mod association;
mod certificate;
mod checks;
mod handshake;
mod stun;
mod transport;

#[cfg(test)]
mod handshake_tests;
#[cfg(test)]
pub(crate) mod peer;
#[cfg(test)]
mod stun_tests;
#[cfg(test)]
mod transport_tests;

use std::net::SocketAddr;

pub use agent::CONSENT_EXPIRY;
pub use alone::DtlsTransport;
pub use certificate::{Certificate, CertificateError, Fingerprint};
pub use checks::PortChecks;
pub use transport::{BadRemote, BrowserTransport, Credentials};

use crate::control::SrtpKey;

/// What shares the port, told by the first octet (RFC 7983 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A connectivity check or its answer.
    Stun,
    /// Part of a handshake.
    Dtls,
    /// RTP or RTCP, and their secure forms.
    Media,
    /// Nothing of ours; to be dropped.
    Other,
}

/// Tells what a datagram is from its first octet.
pub fn classify(first_octet: u8) -> Kind {
    match first_octet {
        0..=3 => Kind::Stun,
        20..=63 => Kind::Dtls,
        128..=191 => Kind::Media,
        _ => Kind::Other,
    }
}

/// Our `ice-ufrag` in a connectivity check, which says whose leg it is for: the part of USERNAME before the colon
/// (RFC 8445 §7.2.2). `None` when the datagram is no Binding request. Nothing is verified yet.
pub fn username_ufrag(datagram: &[u8]) -> Option<&str> {
    let message = stun::Message::read(datagram)?;
    if !message.is_binding_request() {
        return None;
    }
    message.username()?.split_once(':').map(|(ours, _)| ours)
}

/// What a [`BrowserTransport`] wants done, or tells.
#[derive(Clone, Debug, PartialEq)]
pub enum IceOutput {
    /// Send these octets.
    Send {
        /// Where to; it passed a check, or it is the source of what is answered.
        to: SocketAddr,
        /// The datagram.
        bytes: Vec<u8>,
    },
    /// Send these octets from the port of RTCP.
    SendRtcp {
        /// Whose check is answered.
        to: SocketAddr,
        /// The datagram.
        bytes: Vec<u8>,
    },
    /// From now on RTCP is sent here, where it has a port of its own.
    SelectedRtcp(SocketAddr),
    /// From now on media is sent here. Comes again when the browser moves, and when lost consent returns.
    Selected(SocketAddr),
    /// The handshake is done and the certificate was the announced one.
    Keys {
        /// Protects what we send.
        send: SrtpKey,
        /// Opens what we receive.
        receive: SrtpKey,
    },
    /// The leg cannot be secured until it is set up anew; in words for the log.
    Failed(String),
    /// The browser did not check for [`CONSENT_EXPIRY`]: nothing may be sent (RFC 7675 §5.1). Said once.
    ConsentLost,
    /// The browser ended the association: the page was closed or loaded again. Verified, unlike an ICMP error.
    Closed,
}
