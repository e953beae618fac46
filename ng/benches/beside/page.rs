//! A browser's page as far as a media node sees it: full ICE, controlling, and DTLS-SRTP as the client (RFC 8829 §5.3.1), all
//! on one port. The handshake is `dimpl`'s, with a certificate of the page's own; checks are written here.
#![expect(clippy::disallowed_methods, reason = "a handshake over a real socket lives in real time")]

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use dimpl::{Dtls, DtlsCertificate, Output, SrtpProfile};
use hmac::{Hmac, KeyInit, Mac};
use media::control::{SrtpKey, SrtpSuite};
use media::ice::{Fingerprint, Kind, classify};
use media::srtp;
use sha1::Sha1;

use crate::ng_client::Learnt;

/// Pages of this age that have no keys never get them.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two checks that were not answered.
const AGAIN: Duration = Duration::from_millis(100);
const NAP: Duration = Duration::from_micros(200);
const HEADER: usize = 20;

/// See the module.
pub struct Page {
    ufrag: String,
    certificate: DtlsCertificate,
    /// The node's name and password, once known.
    node: (String, String),
    /// Checks that were sent, and answers to them.
    pub asked: u64,
    pub answered: u64,
}

impl Page {
    pub fn open(number: usize) -> Result<Self, String> {
        let certificate =
            dimpl::certificate::generate_self_signed_certificate().map_err(|why| why.to_string())?;
        let node = (String::new(), String::new());
        Ok(Self { ufrag: format!("page{number}"), certificate, node, asked: 0, answered: 0 })
    }

    /// What it says about itself in SDP.
    pub fn attributes(&self) -> String {
        let fingerprint = Fingerprint::of(&self.certificate.certificate);
        format!(
            "a=rtcp-mux\r\na=ice-ufrag:{}\r\na=ice-pwd:{}\r\na=fingerprint:{fingerprint}\r\na=setup:active\r\n",
            self.ufrag,
            "p".repeat(22)
        )
    }

    /// Checks the way to the node and shakes hands; gives what protects and what opens.
    pub fn connect(
        &mut self,
        socket: &UdpSocket,
        node: &Learnt,
    ) -> Result<(srtp::Sender, srtp::Receiver), String> {
        let said = |name: &str| node.attribute(name).ok_or_else(|| format!("the node says no {name}"));
        self.node = (said("ice-ufrag")?.to_owned(), said("ice-pwd")?.to_owned());
        let announced = Fingerprint::parse(said("fingerprint")?).ok_or("the node's fingerprint is none")?;
        let began = Instant::now();
        let mut checked_at: Option<Instant> = None;
        let mut hands = None;
        let mut octets = [0; 2_048];
        while began.elapsed() < PATIENCE {
            let now = Instant::now();
            if self.answered == 0 && checked_at.is_none_or(|at| now - at >= AGAIN) {
                checked_at = Some(now);
                self.check(socket, node.to);
            }
            match socket.recv(&mut octets) {
                Ok(len) if classify(octets[0]) == Kind::Stun => self.is_answered(&octets[..len]),
                Ok(len) if classify(octets[0]) == Kind::Dtls => {
                    if let Some(hands) = &mut hands {
                        Hands::take(hands, &octets[..len])?;
                    }
                }
                Ok(_) => {}
                Err(_) => std::thread::sleep(NAP),
            }
            if self.answered > 0 && hands.is_none() {
                hands = Some(Hands::reach_out(self.certificate.clone(), &announced)?);
            }
            if let Some(hands) = &mut hands
                && let Some((ours, theirs)) = hands.shake(socket, node.to)?
            {
                let (send, open) = (srtp::Sender::new(&ours), srtp::Receiver::new(&theirs));
                return Ok((send.map_err(|e| e.to_string())?, open.map_err(|e| e.to_string())?));
            }
        }
        Err(if self.answered == 0 { "no check was answered" } else { "no end of the handshake" }.to_owned())
    }

    /// Sends a Binding request that nominates the way (RFC 8445 §7.1); later ones keep consent (RFC 7675).
    pub fn check(&mut self, socket: &UdpSocket, to: SocketAddr) {
        self.asked += 1;
        let mut octets = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        octets.extend_from_slice(&[0; 4]);
        octets.extend_from_slice(&self.asked.to_be_bytes());
        attribute(&mut octets, 0x0006, format!("{}:{}", self.node.0, self.ufrag).as_bytes());
        attribute(&mut octets, 0x0024, &0x6e00_01ff_u32.to_be_bytes());
        attribute(&mut octets, 0x802a, &[7; 8]);
        attribute(&mut octets, 0x0025, &[]);
        set_length(&mut octets, 24);
        let mut hmac = Hmac::<Sha1>::new_from_slice(self.node.1.as_bytes()).expect("any length will do");
        hmac.update(&octets);
        attribute(&mut octets, 0x0008, &hmac.finalize().into_bytes());
        set_length(&mut octets, 8);
        let checksum = crc32fast::hash(&octets) ^ 0x5354_554e;
        attribute(&mut octets, 0x8028, &checksum.to_be_bytes());
        socket.send_to(&octets, to).expect("loopback takes it");
    }

    /// A datagram of STUN came: counts it where it answers a check with success.
    pub fn is_answered(&mut self, octets: &[u8]) {
        let transaction = octets.get(12..HEADER).and_then(|octets| octets.try_into().ok());
        let asked = transaction.is_some_and(|octets| u64::from_be_bytes(octets) <= self.asked);
        self.answered += u64::from(octets.starts_with(&[1, 1]) && asked);
    }
}

fn attribute(octets: &mut Vec<u8>, kind: u16, value: &[u8]) {
    octets.extend_from_slice(&kind.to_be_bytes());
    octets.extend_from_slice(&(value.len() as u16).to_be_bytes());
    octets.extend_from_slice(value);
    octets.resize(octets.len().next_multiple_of(4), 0);
}

/// The length field, as if `more` octets followed.
fn set_length(octets: &mut [u8], more: usize) {
    let length = (octets.len() - HEADER + more) as u16;
    octets[2..4].copy_from_slice(&length.to_be_bytes());
}

/// A handshake under way.
struct Hands<'a> {
    dtls: Dtls,
    announced: &'a Fingerprint,
    known: bool,
    due: Instant,
}

impl<'a> Hands<'a> {
    fn reach_out(certificate: DtlsCertificate, announced: &'a Fingerprint) -> Result<Self, String> {
        let config = dimpl::Config::builder().build().map_err(|why| why.to_string())?;
        let now = Instant::now();
        let mut dtls = Dtls::new_12(Arc::new(config), certificate, now);
        dtls.set_active(true);
        Ok(Self { dtls, announced, known: false, due: now })
    }

    fn take(&mut self, octets: &[u8]) -> Result<(), String> {
        self.dtls.handle_packet(octets).map_err(|why| why.to_string())
    }

    /// Lets time pass and sends what is to be sent. Once it is done: the key we send with, and theirs.
    fn shake(&mut self, socket: &UdpSocket, to: SocketAddr) -> Result<Option<(SrtpKey, SrtpKey)>, String> {
        let now = Instant::now();
        if self.due <= now {
            self.dtls.handle_timeout(now).map_err(|why| why.to_string())?;
        }
        let (mut buffer, mut keys) = ([0; 4_096], None);
        loop {
            match self.dtls.poll_output(&mut buffer) {
                Output::Packet(octets) => drop(socket.send_to(octets, to)),
                Output::PeerCert(der) => self.known = self.announced.matches(der),
                Output::KeyingMaterial(material, profile) => {
                    keys = Some(split(&material, profile).ok_or("keys of an unknown profile")?);
                }
                Output::Timeout(at) => {
                    self.due = at;
                    break;
                }
                _ => {}
            }
        }
        if keys.is_some() && !self.known {
            return Err("the node's certificate is not the announced one".to_owned());
        }
        Ok(keys)
    }
}

/// Both keys, then both salts, the client's first (RFC 5764 §4.2); we are the client.
fn split(material: &[u8], profile: SrtpProfile) -> Option<(SrtpKey, SrtpKey)> {
    let suite = match profile {
        SrtpProfile::AES128_CM_SHA1_80 => SrtpSuite::AesCm128HmacSha1_80,
        SrtpProfile::AEAD_AES_128_GCM => SrtpSuite::AeadAes128Gcm,
        SrtpProfile::AEAD_AES_256_GCM => SrtpSuite::AeadAes256Gcm,
        _ => return None,
    };
    let (keys, salts) = material.split_at_checked(2 * suite.key_len())?;
    let ((key, their_key), (salt, their_salt)) =
        (keys.split_at_checked(suite.key_len())?, salts.split_at_checked(suite.salt_len())?);
    let of = |key: &[u8], salt: &[u8]| SrtpKey { suite, key_and_salt: [key, salt].concat() };
    Some((of(key, salt), of(their_key, their_salt)))
}
