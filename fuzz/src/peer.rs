//! A browser's leg, and a far end that checks and shakes hands with it, for targets and for those who make corpora.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use dimpl::{Dtls, DtlsCertificate, Output};
use hmac::{Hmac, KeyInit, Mac};
use media::driver::Clock;
use media::ice::{BrowserTransport, Certificate, Credentials};
use model::time::Timestamp;
use sha1::Sha1;

/// The far end's user fragment.
pub const THEIRS: &str = "them";
/// The attribute USE-CANDIDATE.
pub const NOMINATES: [u8; 4] = [0, 0x25, 0, 0];

/// A leg that knows its browser by this fingerprint. `active`: the leg opens the handshake. Legs of another `secret` have the
/// same name and another password.
///
/// # Panics
/// When the fingerprint is none.
pub fn leg(secret: u8, fingerprint: &str, active: bool, now: Instant) -> BrowserTransport {
    let mut random = [0x5a; 32];
    random[31] = secret;
    let mut leg = BrowserTransport::new(certificate(), Credentials::from_random(&random));
    let mut out = Vec::new();
    leg.set_remote(THEIRS, &"p".repeat(22), fingerprint, active, now, &mut out).expect("well-formed");
    leg
}

/// A Binding request (RFC 8489) with these attributes between its name and its tag; the tag is right.
///
/// # Panics
/// Never: lengths are bounded.
pub fn check(leg: &BrowserTransport, theirs: &str, attributes: &[u8]) -> Vec<u8> {
    let ours = leg.local(Vec::new());
    check_of(&ours.ufrag, &ours.pwd, theirs, attributes)
}

/// The same for whoever has this name and password.
///
/// # Panics
/// Never: lengths are bounded.
pub fn check_of(ours: &str, password: &str, theirs: &str, attributes: &[u8]) -> Vec<u8> {
    let name = format!("{ours}:{theirs}");
    let mut octets = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    octets.extend_from_slice(b"transaction!");
    attribute(&mut octets, 0x0006, name.as_bytes());
    octets.extend_from_slice(attributes.get(..attributes.len().min(1_024)).unwrap_or_default());
    octets.resize(octets.len().next_multiple_of(4), 0);
    length(&mut octets, 24);
    let mut hmac = Hmac::<Sha1>::new_from_slice(password.as_bytes()).expect("any length will do");
    hmac.update(&octets);
    attribute(&mut octets, 0x0008, &hmac.finalize().into_bytes());
    length(&mut octets, 8);
    let checksum = crc32fast::hash(&octets) ^ 0x5354_554e;
    attribute(&mut octets, 0x8028, &checksum.to_be_bytes());
    octets
}

fn attribute(octets: &mut Vec<u8>, kind: u16, value: &[u8]) {
    octets.extend_from_slice(&kind.to_be_bytes());
    octets.extend_from_slice(&u16::try_from(value.len()).expect("short").to_be_bytes());
    octets.extend_from_slice(value);
    octets.resize(octets.len().next_multiple_of(4), 0);
}

/// The length field, as if `more` octets followed.
fn length(octets: &mut [u8], more: usize) {
    let length = u16::try_from(octets.len() - 20 + more).expect("short");
    octets[2..4].copy_from_slice(&length.to_be_bytes());
}

/// One of four addresses of far ends.
pub fn address(place: usize) -> SocketAddr {
    let ips = ["192.0.2.9:4000", "192.0.2.9:4001", "198.51.100.7:4000", "[2001:db8::7]:4000"];
    ips[place % ips.len()].parse().expect("an address")
}

/// One certificate for all runs: making one takes longer than using it.
pub fn certificate() -> &'static Certificate {
    static CERTIFICATE: OnceLock<Certificate> = OnceLock::new();
    CERTIFICATE.get_or_init(|| Certificate::generate().expect("a certificate"))
}

/// The beginning of every run; targets go on from it by hand.
pub fn start() -> Instant {
    static CLOCK: OnceLock<Clock> = OnceLock::new();
    CLOCK.get_or_init(Clock::start).instant(Timestamp::ZERO)
}

/// The far end of a handshake.
pub struct Peer {
    dtls: Dtls,
    /// Datagrams to be delivered.
    pub sent: Vec<Vec<u8>>,
    /// The keys and salts that it exported.
    pub keys: Option<Vec<u8>>,
}

impl Peer {
    /// A far end that opens the handshake, or waits.
    pub fn new(active: bool, now: Instant) -> Self {
        let config = dimpl::Config::builder().use_server_cookie(false).build().expect("a configuration");
        let mut dtls = Dtls::new_12(Arc::new(config), theirs().clone(), now);
        dtls.set_active(active);
        let mut peer = Self { dtls, sent: Vec::new(), keys: None };
        peer.time(now);
        peer
    }

    /// A datagram of the leg's.
    pub fn handle(&mut self, octets: &[u8], now: Instant) {
        let _ = self.dtls.handle_timeout(now).and_then(|()| self.dtls.handle_packet(octets));
        self.drain();
    }

    /// Time passed.
    pub fn time(&mut self, now: Instant) {
        let _ = self.dtls.handle_timeout(now);
        self.drain();
    }

    fn drain(&mut self) {
        let mut buffer = vec![0; 4_096];
        for _ in 0..64 {
            match self.dtls.poll_output(&mut buffer) {
                Output::Packet(bytes) => self.sent.push(bytes.to_vec()),
                Output::KeyingMaterial(material, _) => self.keys = Some(material.to_vec()),
                Output::Timeout(_) => return,
                _ => {}
            }
        }
    }
}

fn theirs() -> &'static DtlsCertificate {
    static THEIRS: OnceLock<DtlsCertificate> = OnceLock::new();
    THEIRS.get_or_init(|| dimpl::certificate::generate_self_signed_certificate().expect("a certificate"))
}

/// The fingerprint that the leg is told.
pub fn fingerprint() -> &'static str {
    static FINGERPRINT: OnceLock<String> = OnceLock::new();
    FINGERPRINT.get_or_init(|| format!("sha-256 {}", theirs().fingerprint_str()))
}
