//! The DTLS association of a leg, which yields the SRTP keys (RFC 5764).
//!
//! DTLS 1.2 in both roles. `dimpl` has 1.3 too, but its 1.3 server takes the first SRTP profile the browser lists, which
//! is AES-CM with HMAC-SHA1 with Chromium; its 1.2 server prefers GCM, three times cheaper for each packet of the call.

use std::net::SocketAddr;
use std::time::Instant;

use dimpl::{Dtls, KeyingMaterial, Output, SrtpProfile};

use super::IceOutput;
use super::certificate::{Certificate, Fingerprint};
use crate::control::{SrtpKey, SrtpSuite};

/// Room for a datagram to send and for a usual certificate.
const BUFFER: usize = 2_048;

/// A certificate longer than this is not read.
const MAX_BUFFER: usize = 16_384;

/// Outputs drained at once; a handshake flight has about five.
const MAX_OUTPUTS: usize = 64;

/// How far the association came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nobody showed a certificate.
    Unknown,
    /// The certificate is the announced one.
    Known,
    /// The keys are out.
    Keyed,
}

/// What is to become of the association after a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    GoesOn,
    /// Broken after the keys were out: they are as good as before, and a bad packet ends no call.
    Spent,
    Closed,
    Failed(String),
}

/// One handshake and what it led to.
pub(super) struct Association {
    dtls: Dtls,
    remote: Fingerprint,
    active: bool,
    stage: Stage,
    next_timeout: Option<Instant>,
}

impl Association {
    pub(super) fn new(certificate: &Certificate, remote: Fingerprint, active: bool, now: Instant) -> Self {
        let mut dtls = Dtls::new_12(certificate.config(), certificate.for_dtls(), now);
        dtls.set_active(active);
        Self { dtls, remote, active, stage: Stage::Unknown, next_timeout: None }
    }

    /// Lets time pass: opens the handshake when we are the active side, and retransmits.
    pub(super) fn handle_timeout(
        &mut self,
        to: SocketAddr,
        now: Instant,
        out: &mut Vec<IceOutput>,
    ) -> Verdict {
        match self.dtls.handle_timeout(now) {
            Ok(()) => self.drain(to, out),
            Err(_) if self.stage == Stage::Keyed => Verdict::Spent,
            Err(error) => Verdict::Failed(format!("DTLS: {error}")),
        }
    }

    /// Takes a datagram from an address that passed a check.
    pub(super) fn handle(
        &mut self,
        datagram: &[u8],
        to: SocketAddr,
        now: Instant,
        out: &mut Vec<IceOutput>,
    ) -> Verdict {
        match self.dtls.handle_timeout(now).and_then(|()| self.dtls.handle_packet(datagram)) {
            Ok(()) => self.drain(to, out),
            Err(_) if self.stage == Stage::Keyed => Verdict::Spent,
            Err(error) => Verdict::Failed(format!("DTLS: {error}")),
        }
    }

    /// Says goodbye, if there is somebody to say it to.
    pub(super) fn close(&mut self, to: SocketAddr, out: &mut Vec<IceOutput>) {
        if self.dtls.close().is_ok() {
            self.drain(to, out);
        }
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.next_timeout
    }

    fn drain(&mut self, to: SocketAddr, out: &mut Vec<IceOutput>) -> Verdict {
        // On the stack, because a media thread takes no memory for a timer; a certificate that is larger may cost some.
        let (mut usual, mut large) = ([0; BUFFER], Vec::new());
        let mut connected = false;
        let mut verdict = Verdict::GoesOn;
        for _ in 0..MAX_OUTPUTS {
            let buffer = if large.is_empty() { &mut usual[..] } else { &mut large[..] };
            match self.dtls.poll_output(buffer) {
                Output::Packet(bytes) => out.push(IceOutput::Send { to, bytes: bytes.to_vec() }),
                Output::BufferTooSmall { needed } if needed <= MAX_BUFFER => large.resize(needed, 0),
                Output::BufferTooSmall { needed } => {
                    return Verdict::Failed(format!("the far end's certificate has {needed} octets"));
                }
                Output::PeerCert(der) if self.remote.matches(der) => self.stage = Stage::Known,
                Output::PeerCert(der) => {
                    let shown = Fingerprint::of(der);
                    return Verdict::Failed(format!(
                        "the far end shows {shown}, announced was {}",
                        self.remote
                    ));
                }
                Output::KeyingMaterial(material, profile) => {
                    // Without the announced certificate it may be anybody (RFC 5763 §5).
                    if self.stage != Stage::Known {
                        return Verdict::Failed("the far end showed no certificate".into());
                    }
                    let Some((send, receive)) = split(&material, profile, self.active) else {
                        return Verdict::Failed(format!("no use for the SRTP profile {profile}"));
                    };
                    self.stage = Stage::Keyed;
                    out.push(IceOutput::Keys { send, receive });
                }
                Output::Connected => connected = true,
                Output::CloseNotify => verdict = Verdict::Closed,
                Output::Timeout(at) => {
                    self.next_timeout = Some(at);
                    break;
                }
                // Data channels are not offered.
                _ => {}
            }
        }
        if connected && self.stage != Stage::Keyed {
            return Verdict::Failed("the far end agreed to no SRTP profile".into());
        }
        verdict
    }
}

/// Cuts the exported key material: both keys, then both salts, the client's first (RFC 5764 §4.2).
fn split(material: &KeyingMaterial, profile: SrtpProfile, active: bool) -> Option<(SrtpKey, SrtpKey)> {
    let suite = match profile {
        SrtpProfile::AES128_CM_SHA1_80 => SrtpSuite::AesCm128HmacSha1_80,
        SrtpProfile::AEAD_AES_128_GCM => SrtpSuite::AeadAes128Gcm,
        SrtpProfile::AEAD_AES_256_GCM => SrtpSuite::AeadAes256Gcm,
        _ => return None,
    };
    let (keys, salts) = material.split_at_checked(2 * suite.key_len())?;
    let (client_key, server_key) = keys.split_at_checked(suite.key_len())?;
    let (client_salt, server_salt) = salts.split_at_checked(suite.salt_len())?;
    if server_salt.len() != suite.salt_len() {
        return None;
    }
    let key = |key: &[u8], salt: &[u8]| SrtpKey { suite, key_and_salt: [key, salt].concat() };
    let (client, server) = (key(client_key, client_salt), key(server_key, server_salt));
    Some(if active { (client, server) } else { (server, client) })
}
