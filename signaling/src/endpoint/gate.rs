//! What every octet from the network passes before anything is parsed for real: the rate of its source, and the strict
//! check of the message. Answers to what goes no further are made here, without keeping anything.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::counters::Counters;
use super::limit::SourceLimiter;
use crate::check::{Answer, Carrier, Checked, Dialect, answer_bytes, check};
use crate::service::{Clock, Transport};

/// What we act on. The rest is answered 405 (methods) and 420 (extensions).
const DIALECT: Dialect = Dialect {
    methods: &["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER", "UPDATE", "INFO", "REFER"],
    options: &["timer"],
};

/// Streams at once from a source that is no trunk: an office behind one address.
const STREAMS_OF_SOURCE_MAX: u32 = 256;

/// What becomes of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict<'a> {
    /// On to the library, in this form.
    Pass(Cow<'a, [u8]>),
    /// This goes back, and nothing else happens.
    Answer(Vec<u8>),
    /// Nothing happens.
    Drop,
}

/// The gate of an endpoint.
pub(super) struct Gate {
    clock: Clock,
    trusted: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
    counters: Arc<Counters>,
    limiter: Mutex<SourceLimiter>,
    streams: Mutex<HashMap<IpAddr, u32>>,
    /// Makes the tags of answers unguessable.
    secret: [u8; 16],
}

impl Gate {
    pub(super) fn new(
        clock: Clock,
        trusted: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
        counters: Arc<Counters>,
        secret: [u8; 16],
    ) -> Self {
        Self { clock, trusted, counters, limiter: Mutex::default(), streams: Mutex::default(), secret }
    }

    /// Judges a message.
    pub(super) fn judge<'a>(&self, bytes: &'a [u8], source: SocketAddr, transport: Transport) -> Verdict<'a> {
        let ip = source.ip().to_canonical();
        if !(self.trusted)(ip) {
            let mut limiter = self.limiter.lock().unwrap_or_else(PoisonError::into_inner);
            if !limiter.admit(ip, (self.clock)()) {
                self.counters.source_limited.add();
                return Verdict::Drop;
            }
        }
        let carrier = match transport {
            Transport::Udp => Carrier::Datagram,
            Transport::Tcp | Transport::Tls => Carrier::Stream,
        };
        match check(bytes, carrier, &DIALECT) {
            Checked::Fine(plain) => {
                self.counters.received.add();
                Verdict::Pass(plain)
            }
            Checked::KeepAlive => Verdict::Drop,
            Checked::Drop(why) => {
                self.counters.malformed_dropped.add();
                tracing::debug!(%source, why, "dropped");
                Verdict::Drop
            }
            Checked::Answer(answer) => {
                let counter = match answer.status {
                    405 | 501 => &self.counters.method_refused,
                    _ => &self.counters.malformed_answered,
                };
                counter.add();
                match answer_bytes(bytes, &answer, source, &self.tag(bytes)) {
                    Some(bytes) => Verdict::Answer(bytes),
                    None => Verdict::Drop,
                }
            }
        }
    }

    /// The answer to a whole message that is longer than the library can take (RFC 3261 §21.5.7): silence would have
    /// its sender repeat it for half a minute.
    pub(super) fn too_long(&self, bytes: &[u8], source: SocketAddr) -> Option<Vec<u8>> {
        let unanswered = bytes.starts_with(b"SIP/") || bytes.starts_with(b"ACK ");
        let answer = Answer::new(513, "Message Too Large");
        let answer = answer_bytes(bytes, &answer, source, &self.tag(bytes)).filter(|_| !unanswered);
        let counter = if answer.is_some() {
            &self.counters.malformed_answered
        } else {
            &self.counters.malformed_dropped
        };
        counter.add();
        answer
    }

    /// A stateless server gives the same request the same tag (RFC 3261 §8.2.7).
    fn tag(&self, bytes: &[u8]) -> String {
        let head = bytes.get(..bytes.len().min(4_096)).unwrap_or_default();
        let hash = Sha256::new().chain_update(self.secret).chain_update(head).finalize();
        hash.iter().take(8).map(|b| format!("{b:02x}")).collect()
    }

    /// Whether one more stream of this source is taken; if so, it must be given back.
    pub(super) fn admits_stream(&self, source: IpAddr) -> bool {
        let source = source.to_canonical();
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let open = streams.entry(source).or_default();
        if *open >= STREAMS_OF_SOURCE_MAX && !(self.trusted)(source) {
            return false;
        }
        *open += 1;
        true
    }

    /// A stream that was taken is over.
    pub(super) fn stream_closed(&self, source: IpAddr) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let std::collections::hash_map::Entry::Occupied(mut open) = streams.entry(source.to_canonical()) {
            *open.get_mut() = open.get().saturating_sub(1);
            if *open.get() == 0 {
                open.remove();
            }
        }
    }
}
