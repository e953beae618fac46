//! A browser's far end by hand: one connectivity check (RFC 8489), then DTLS by `dimpl`, and keys.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use dimpl::{Dtls, Output, SrtpProfile};
use hmac::{Hmac, KeyInit, Mac};
use media::control::{LocalIce, SrtpKey, SrtpSuite};
use sha1::Sha1;

/// The page's own `ice-ufrag` and `ice-pwd`.
pub const UFRAG: &str = "them";
/// See [`UFRAG`].
pub const PWD: &str = "theirpasswordof22chars";

/// A page that opens the handshake.
pub struct Page {
    dtls: Dtls,
    /// For the signalling.
    pub fingerprint: String,
    key: Option<SrtpKey>,
}

#[expect(clippy::disallowed_methods, reason = "the far end of a real socket lives in real time")]
fn now() -> Instant {
    Instant::now()
}

impl Page {
    pub fn new() -> Self {
        let certificate = dimpl::certificate::generate_self_signed_certificate().unwrap();
        let fingerprint = format!("sha-256 {}", certificate.fingerprint_str());
        let config = dimpl::Config::builder().use_server_cookie(false).build().unwrap();
        let mut dtls = Dtls::new_12(Arc::new(config), certificate, now());
        dtls.set_active(true);
        Self { dtls, fingerprint, key: None }
    }

    /// Checks, shakes hands, and gives the key that protects what the page sends.
    pub async fn connect(mut self, socket: &UdpSocket, to: SocketAddr, leg: &LocalIce) -> SrtpKey {
        let deadline = now() + Duration::from_secs(20);
        let (mut octets, mut checked) = ([0; 2_048], false);
        loop {
            assert!(now() < deadline, "the handshake takes too long");
            if !checked {
                socket.send_to(&check(leg), to).unwrap();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
            while let Ok(len) = socket.recv(&mut octets) {
                match octets[0] {
                    0..=3 => checked = true,
                    _ => self.dtls.handle_packet(&octets[..len]).unwrap(),
                }
            }
            if checked {
                self.dtls.handle_timeout(now()).unwrap();
                self.drain(socket, to);
            }
            if let Some(key) = self.key.take() {
                return key;
            }
        }
    }

    fn drain(&mut self, socket: &UdpSocket, to: SocketAddr) {
        let mut buffer = vec![0; 4_096];
        loop {
            match self.dtls.poll_output(&mut buffer) {
                Output::Packet(bytes) => _ = socket.send_to(bytes, to).unwrap(),
                Output::KeyingMaterial(material, profile) => {
                    let suite = match profile {
                        SrtpProfile::AEAD_AES_128_GCM => SrtpSuite::AeadAes128Gcm,
                        SrtpProfile::AEAD_AES_256_GCM => SrtpSuite::AeadAes256Gcm,
                        _ => SrtpSuite::AesCm128HmacSha1_80,
                    };
                    // The client's key, the server's, then the salts (RFC 5764 §4.2).
                    let salts = 2 * suite.key_len();
                    let own = [&material[..suite.key_len()], &material[salts..salts + suite.salt_len()]];
                    self.key = Some(SrtpKey { suite, key_and_salt: own.concat() });
                }
                Output::Timeout(_) => return,
                _ => {}
            }
        }
    }
}

/// A check that nominates.
fn check(leg: &LocalIce) -> Vec<u8> {
    let mut octets = [&[0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42][..], b"transaction!"].concat();
    attribute(&mut octets, 0x0006, format!("{}:{UFRAG}", leg.ufrag).as_bytes());
    attribute(&mut octets, 0x0025, &[]);
    // The tag covers a length that ends with it.
    let length = u16::try_from(octets.len() - 20 + 24).unwrap();
    octets[2..4].copy_from_slice(&length.to_be_bytes());
    let mut hmac = Hmac::<Sha1>::new_from_slice(leg.pwd.as_bytes()).unwrap();
    hmac.update(&octets);
    attribute(&mut octets, 0x0008, &hmac.finalize().into_bytes());
    octets
}

fn attribute(octets: &mut Vec<u8>, kind: u16, value: &[u8]) {
    octets.extend_from_slice(&kind.to_be_bytes());
    octets.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
    octets.extend_from_slice(value);
    octets.resize(octets.len().next_multiple_of(4), 0);
}
