//! A far end by hand: its checks are written octet by octet, its DTLS is a `dimpl` that tests can configure.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dimpl::{Dtls, Output};

use super::{Datagram, Peer, Remote, address, here};
use crate::control::{SrtpKey, SrtpSuite};
use crate::ice::stun::{Answer, BINDING_REQUEST, ICE_CONTROLLED, PRIORITY, USE_CANDIDATE, USERNAME};
use crate::ice::{BrowserTransport, Fingerprint, Kind, classify};

/// What a hand-made check carries.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Check {
    pub nominates: bool,
    pub controlled: bool,
    pub priority: u32,
}

pub(crate) fn check(leg: &BrowserTransport, remote_ufrag: &str, check: Check) -> Vec<u8> {
    let ours = leg.local(Vec::new());
    let mut request = Answer::new(BINDING_REQUEST, b"transaction!");
    request.attribute(USERNAME, format!("{}:{remote_ufrag}", ours.ufrag).as_bytes());
    request.attribute(PRIORITY, &check.priority.to_be_bytes());
    request.attribute(if check.controlled { ICE_CONTROLLED } else { 0x802a }, &[7; 8]);
    if check.nominates {
        request.attribute(USE_CANDIDATE, &[]);
    }
    request.integrity(&ours.pwd);
    request.finish()
}

/// Which DTLS a [`Phone`] speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ice) enum Version {
    V12,
    V13,
    Both,
}

/// A far end by hand: checks every 2.5 s, then DTLS by `dimpl`.
pub(in crate::ice) struct Phone {
    pub at: SocketAddr,
    pub remote: Remote,
    dtls: Dtls,
    check: Vec<u8>,
    next_check: Option<Instant>,
    checked: bool,
    next_dtls: Option<Instant>,
    sent: Vec<Datagram>,
    pub keyed: Option<(Vec<u8>, dimpl::SrtpProfile)>,
    pub failed: bool,
}

impl Phone {
    pub(in crate::ice) fn new(
        leg: &BrowserTransport,
        at: &str,
        ufrag: &str,
        active: bool,
        now: Instant,
    ) -> Self {
        Self::with(leg, at, ufrag, active, Version::V12, 1_200, now)
    }

    pub(in crate::ice) fn with(
        leg: &BrowserTransport,
        at: &str,
        ufrag: &str,
        active: bool,
        version: Version,
        mtu: usize,
        now: Instant,
    ) -> Self {
        let certificate = dimpl::certificate::generate_self_signed_certificate().unwrap();
        let fingerprint = Fingerprint::of(&certificate.certificate).to_string();
        let config = dimpl::Config::builder().mtu(mtu).use_server_cookie(false).build().unwrap();
        let make = match version {
            Version::V12 => Dtls::new_12,
            Version::V13 => Dtls::new_13,
            Version::Both => Dtls::new_auto,
        };
        let mut dtls = make(Arc::new(config), certificate, now);
        dtls.set_active(active);
        Self {
            at: address(at),
            remote: Remote { ufrag: ufrag.into(), pwd: "p".repeat(22), fingerprint },
            dtls,
            check: check(leg, ufrag, Check { nominates: true, ..Check::default() }),
            next_check: Some(now),
            checked: false,
            next_dtls: None,
            sent: Vec::new(),
            keyed: None,
            failed: false,
        }
    }

    pub(in crate::ice) fn stop_checking(&mut self) {
        self.next_check = None;
    }

    pub(in crate::ice) fn check_again(&mut self, now: Instant) {
        self.next_check = Some(now);
    }

    /// Moves to another network: the same far end from another address.
    pub(in crate::ice) fn move_to(&mut self, at: &str, now: Instant) {
        self.at = address(at);
        self.next_check = Some(now);
    }

    pub(in crate::ice) fn close(&mut self) {
        self.dtls.close().unwrap();
        self.drain();
    }

    /// The SRTP keys it uses: what it sends with, and what it opens with.
    pub(in crate::ice) fn keys(&self, active: bool) -> (SrtpKey, SrtpKey) {
        let (material, profile) = self.keyed.as_ref().unwrap();
        let suite = match profile {
            dimpl::SrtpProfile::AES128_CM_SHA1_80 => SrtpSuite::AesCm128HmacSha1_80,
            dimpl::SrtpProfile::AEAD_AES_128_GCM => SrtpSuite::AeadAes128Gcm,
            _ => SrtpSuite::AeadAes256Gcm,
        };
        let (key, salt) = (suite.key_len(), suite.salt_len());
        let of = |side: usize| SrtpKey {
            suite,
            key_and_salt: [
                &material[side * key..(side + 1) * key],
                &material[2 * key + side * salt..2 * key + (side + 1) * salt],
            ]
            .concat(),
        };
        if active { (of(0), of(1)) } else { (of(1), of(0)) }
    }

    fn drain(&mut self) {
        let mut buffer = vec![0; 4_096];
        loop {
            match self.dtls.poll_output(&mut buffer) {
                Output::Packet(bytes) => {
                    self.sent.push(Datagram { from: self.at, to: here(), bytes: bytes.to_vec() });
                }
                Output::KeyingMaterial(material, profile) => self.keyed = Some((material.to_vec(), profile)),
                Output::Timeout(at) => {
                    self.next_dtls = Some(at);
                    return;
                }
                _ => {}
            }
        }
    }

    fn dtls_time(&mut self, now: Instant) {
        self.failed |= self.dtls.handle_timeout(now).is_err();
        self.drain();
    }
}

impl Peer for Phone {
    fn receive(&mut self, datagram: &Datagram, now: Instant) {
        // What is for an address it left is lost.
        if datagram.to != self.at {
            return;
        }
        match classify(datagram.bytes[0]) {
            Kind::Stun if datagram.bytes[..2] == [0x01, 0x01] => {
                if !std::mem::replace(&mut self.checked, true) {
                    self.dtls_time(now);
                }
                self.next_check = self.next_check.map(|_| now + Duration::from_millis(2_500));
            }
            Kind::Dtls => {
                self.failed |= self
                    .dtls
                    .handle_timeout(now)
                    .and_then(|()| self.dtls.handle_packet(&datagram.bytes))
                    .is_err();
                self.drain();
            }
            _ => {}
        }
    }

    fn tick(&mut self, now: Instant) {
        if self.next_check.is_some_and(|at| at <= now) {
            self.next_check = Some(now + Duration::from_millis(100));
            self.sent.push(Datagram { from: self.at, to: here(), bytes: self.check.clone() });
        }
        if self.checked && !self.failed && self.next_dtls.is_some_and(|at| at <= now) {
            self.dtls_time(now);
        }
    }

    fn next(&self) -> Option<Instant> {
        let dtls = self.next_dtls.filter(|_| self.checked && !self.failed);
        [self.next_check, dtls].into_iter().flatten().min()
    }

    fn sent(&mut self) -> Vec<Datagram> {
        std::mem::take(&mut self.sent)
    }
}
