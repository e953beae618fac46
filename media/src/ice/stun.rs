//! STUN messages as far as a lite agent needs them (RFC 8489, RFC 8445 §16): Binding requests in, answers out.

use std::net::{IpAddr, SocketAddr};

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

const HEADER: usize = 20;
const COOKIE: u32 = 0x2112_a442;

pub(super) const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const BINDING_ERROR: u16 = 0x0111;

pub(super) const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const ERROR_CODE: u16 = 0x0009;
const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
const MESSAGE_INTEGRITY_SHA256: u16 = 0x001c;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
pub(super) const PRIORITY: u16 = 0x0024;
pub(super) const USE_CANDIDATE: u16 = 0x0025;
const FINGERPRINT: u16 = 0x8028;
pub(super) const ICE_CONTROLLED: u16 = 0x8029;

/// Attributes from here on may be ignored when unknown (RFC 8489 §14).
const COMPREHENSION_OPTIONAL: u16 = 0x8000;

/// Octets of an HMAC-SHA1.
const HMAC: usize = 20;

/// What the checksum is XORed with, so that it differs from other protocols' CRC-32 (RFC 8489 §14.7).
const FINGERPRINT_XOR: u32 = 0x5354_554e;

/// Attributes read at most: a check has about eight.
const MAX_ATTRIBUTES: usize = 32;

/// Unknown attributes named in a 420 at most.
const MAX_UNKNOWN: usize = 8;

/// A STUN message as a view on its datagram.
#[derive(Debug)]
pub(super) struct Message<'a> {
    datagram: &'a [u8],
    kind: u16,
    username: Option<&'a str>,
    pub priority: Option<u32>,
    pub use_candidate: bool,
    /// The sender believes to be controlled.
    pub controlled: bool,
    /// Where MESSAGE-INTEGRITY begins, and its value.
    integrity: Option<(usize, &'a [u8])>,
    fingerprint: Option<(usize, u32)>,
    unknown: [u16; MAX_UNKNOWN],
    unknown_len: usize,
}

impl<'a> Message<'a> {
    /// Reads a datagram that is exactly one STUN message. Verifies nothing.
    pub(super) fn read(datagram: &'a [u8]) -> Option<Self> {
        let header = datagram.first_chunk::<HEADER>()?;
        let kind = u16::from_be_bytes([header[0], header[1]]);
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let cookie = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
        if kind & 0xc000 != 0 || cookie != COOKIE || length % 4 != 0 || datagram.len() != HEADER + length {
            return None;
        }
        let mut message = Self {
            datagram,
            kind,
            username: None,
            priority: None,
            use_candidate: false,
            controlled: false,
            integrity: None,
            fingerprint: None,
            unknown: [0; MAX_UNKNOWN],
            unknown_len: 0,
        };
        let mut at = HEADER;
        for _ in 0..MAX_ATTRIBUTES {
            if at == datagram.len() {
                return Some(message);
            }
            let head = datagram.get(at..at + 4)?;
            let kind = u16::from_be_bytes([head[0], head[1]]);
            let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
            let value = datagram.get(at + 4..at + 4 + length)?;
            message.take(kind, value, at)?;
            at += 4 + length.next_multiple_of(4);
        }
        None
    }

    fn take(&mut self, kind: u16, value: &'a [u8], at: usize) -> Option<()> {
        // Nothing counts after the fingerprint, and only the fingerprint after the integrity (RFC 8489 §14.5, §14.7).
        if self.fingerprint.is_some() {
            return None;
        }
        let number = || Some(u32::from_be_bytes(value.try_into().ok()?));
        if kind == FINGERPRINT {
            self.fingerprint = Some((at, number()?));
            return Some(());
        }
        if self.integrity.is_some() {
            return Some(());
        }
        match kind {
            USERNAME => self.username = Some(std::str::from_utf8(value).ok()?),
            MESSAGE_INTEGRITY if value.len() == HMAC => self.integrity = Some((at, value)),
            MESSAGE_INTEGRITY => return None,
            PRIORITY => self.priority = Some(number()?),
            USE_CANDIDATE => self.use_candidate = true,
            ICE_CONTROLLED => self.controlled = true,
            // Ours to know, not to need: both sides use SHA-1 in ICE.
            MESSAGE_INTEGRITY_SHA256 => {}
            kind if kind < COMPREHENSION_OPTIONAL => {
                if let Some(place) = self.unknown.get_mut(self.unknown_len) {
                    *place = kind;
                    self.unknown_len += 1;
                }
            }
            _ => {}
        }
        Some(())
    }

    pub(super) fn is_binding_request(&self) -> bool {
        self.kind == BINDING_REQUEST
    }

    pub(super) fn username(&self) -> Option<&'a str> {
        self.username
    }

    pub(super) fn has_integrity(&self) -> bool {
        self.integrity.is_some()
    }

    /// Attributes we would have to understand and do not.
    pub(super) fn unknown(&self) -> &[u16] {
        self.unknown.get(..self.unknown_len).unwrap_or_default()
    }

    /// Whether the fingerprint, if there is one, is right.
    pub(super) fn fingerprint_ok(&self) -> bool {
        self.fingerprint.is_none_or(|(at, value)| {
            at + 8 == self.datagram.len()
                && self.datagram.get(..at).is_some_and(|covered| checksum(covered) == value)
        })
    }

    /// Whether `password` made the MESSAGE-INTEGRITY. It covers what stands before it, with a length that ends with it.
    pub(super) fn integrity_ok(&self, password: &str) -> bool {
        let Some((at, value)) = self.integrity else { return false };
        let (Some(kind), Some(rest)) = (self.datagram.get(..2), self.datagram.get(4..at)) else {
            return false;
        };
        let Ok(length) = u16::try_from(at - HEADER + 4 + HMAC) else { return false };
        keyed(password)
            .chain_update(kind)
            .chain_update(length.to_be_bytes())
            .chain_update(rest)
            .verify_slice(value)
            .is_ok()
    }

    fn transaction(&self) -> &[u8] {
        self.datagram.get(8..HEADER).unwrap_or_default()
    }

    /// The answer to a check: where it came from.
    pub(super) fn success(&self, from: SocketAddr, password: &str) -> Vec<u8> {
        let mut answer = Answer::new(BINDING_SUCCESS, self.transaction());
        answer.xor_address(from);
        answer.integrity(password);
        answer.finish()
    }

    /// A refusal. With `password`, it is verifiable; a request that was not authenticated gets one without
    /// (RFC 8489 §9.1.3).
    pub(super) fn error(&self, code: u16, reason: &str, password: Option<&str>) -> Vec<u8> {
        let mut answer = Answer::new(BINDING_ERROR, self.transaction());
        answer.error_code(code, reason);
        if !self.unknown().is_empty() && code == 420 {
            let kinds: Vec<u8> = self.unknown().iter().flat_map(|kind| kind.to_be_bytes()).collect();
            answer.attribute(UNKNOWN_ATTRIBUTES, &kinds);
        }
        if let Some(password) = password {
            answer.integrity(password);
        }
        answer.finish()
    }
}

fn keyed(password: &str) -> Hmac<Sha1> {
    Hmac::new_from_slice(password.as_bytes()).unwrap_or_else(|_| Hmac::new(&Default::default()))
}

fn checksum(covered: &[u8]) -> u32 {
    crc32fast::hash(covered) ^ FINGERPRINT_XOR
}

/// A message being written. The length field is kept right all the time, as integrity and fingerprint cover it.
pub(super) struct Answer {
    octets: Vec<u8>,
}

impl Answer {
    pub(super) fn new(kind: u16, transaction: &[u8]) -> Self {
        let mut octets = Vec::with_capacity(128);
        octets.extend_from_slice(&kind.to_be_bytes());
        octets.extend_from_slice(&[0, 0]);
        octets.extend_from_slice(&COOKIE.to_be_bytes());
        octets.extend_from_slice(transaction);
        octets.resize(HEADER, 0);
        Self { octets }
    }

    /// Says that `more` octets of attributes will follow those written.
    fn set_length(&mut self, more: usize) {
        let length = u16::try_from(self.octets.len() - HEADER + more).unwrap_or(u16::MAX).to_be_bytes();
        if let Some(field) = self.octets.get_mut(2..4) {
            field.copy_from_slice(&length);
        }
    }

    pub(super) fn attribute(&mut self, kind: u16, value: &[u8]) {
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        self.octets.extend_from_slice(&kind.to_be_bytes());
        self.octets.extend_from_slice(&length.to_be_bytes());
        self.octets.extend_from_slice(value);
        self.octets.resize(self.octets.len().next_multiple_of(4), 0);
        self.set_length(0);
    }

    /// RFC 8489 §14.2: port and address XORed with the cookie, IPv6 with the transaction too, so that no box on the way
    /// rewrites them.
    fn xor_address(&mut self, address: SocketAddr) {
        let cookie = COOKIE.to_be_bytes();
        let mut key = [0; 16];
        key[..4].copy_from_slice(&cookie);
        if let Some(transaction) = self.octets.get(8..HEADER) {
            key[4..].copy_from_slice(transaction);
        }
        let port = (address.port() ^ u16::from_be_bytes([cookie[0], cookie[1]])).to_be_bytes();
        let xored =
            |octets: &[u8]| octets.iter().zip(key).map(|(octet, with)| octet ^ with).collect::<Vec<_>>();
        // A dual-stack socket shows IPv4 as mapped; the browser wants to see what it knows.
        let (family, address) = match address.ip().to_canonical() {
            IpAddr::V4(ip) => (1, xored(&ip.octets())),
            IpAddr::V6(ip) => (2, xored(&ip.octets())),
        };
        let mut value = vec![0, family, port[0], port[1]];
        value.extend_from_slice(&address);
        self.attribute(XOR_MAPPED_ADDRESS, &value);
    }

    fn error_code(&mut self, code: u16, reason: &str) {
        // Class and number, RFC 8489 §14.8; codes have three digits, so both fit.
        let mut value = vec![0, 0, (code / 100) as u8, (code % 100) as u8];
        value.extend_from_slice(reason.as_bytes());
        self.attribute(ERROR_CODE, &value);
    }

    pub(super) fn integrity(&mut self, password: &str) {
        self.set_length(4 + HMAC);
        let value = keyed(password).chain_update(&self.octets).finalize().into_bytes();
        self.attribute(MESSAGE_INTEGRITY, &value);
    }

    /// Adds the fingerprint and gives the datagram.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.set_length(8);
        let value = checksum(&self.octets).to_be_bytes();
        self.attribute(FINGERPRINT, &value);
        self.octets
    }
}
