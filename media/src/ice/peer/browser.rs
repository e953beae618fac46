//! str0m in the browser's place.

use std::net::SocketAddr;
use std::time::Instant;

use str0m::config::Fingerprint;
use str0m::media::{MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{RtpWrite, Ssrc};
use str0m::{Candidate, Event, IceCreds, Input, Output, Rtc};

use super::{Datagram, OPUS, Peer, Remote, here};
use crate::ice::BrowserTransport;

/// A whole WebRTC agent, full ICE and controlling.
pub(in crate::ice) struct Browser {
    rtc: Rtc,
    next: Option<Instant>,
    sent: Vec<Datagram>,
    pub remote: Remote,
    pub connected: bool,
    /// Payloads of RTP it could open.
    pub heard: Vec<Vec<u8>>,
}

pub(in crate::ice) const BROWSER_SSRC: u32 = 0x0b0b_0b0b;
pub(in crate::ice) const OUR_SSRC: u32 = 0x0a0a_0a0a;

impl Browser {
    /// `active`: it opens the handshake, as browsers do when we answer `setup:passive`.
    pub(in crate::ice) fn new(leg: &BrowserTransport, at: SocketAddr, active: bool, now: Instant) -> Self {
        let mut rtc = Rtc::builder().set_rtp_mode(true).build(now);
        rtc.add_local_candidate(Candidate::host(at, "udp").unwrap()).unwrap();
        rtc.add_remote_candidate(Candidate::host(here(), "udp").unwrap());
        let ours = leg.local(vec![here()]);
        let mut api = rtc.direct_api();
        api.set_ice_controlling(true);
        api.set_remote_ice_credentials(IceCreds { ufrag: ours.ufrag, pass: ours.pwd });
        api.set_remote_fingerprint(ours.fingerprint.parse::<Fingerprint>().unwrap());
        api.start_dtls(active).unwrap();
        let mid = Mid::from("a");
        api.declare_media(mid, MediaKind::Audio);
        api.declare_stream_tx(Ssrc::from(BROWSER_SSRC), None, mid, None);
        api.expect_stream_rx(Ssrc::from(OUR_SSRC), None, mid, None);
        let IceCreds { ufrag, pass } = api.local_ice_credentials();
        let remote = Remote { ufrag, pwd: pass, fingerprint: api.local_dtls_fingerprint().to_string() };
        let mut browser =
            Self { rtc, next: Some(now), sent: Vec::new(), remote, connected: false, heard: Vec::new() };
        browser.tick(now);
        browser
    }

    pub(in crate::ice) fn say(&mut self, sequence: u64, payload: &[u8], now: Instant) {
        let write = RtpWrite::new(OPUS.into(), sequence.into(), 960, now, payload.to_vec());
        self.rtc.direct_api().stream_tx(&Ssrc::from(BROWSER_SSRC)).unwrap().write_rtp(write);
        self.tick(now);
    }

    fn drain(&mut self) {
        loop {
            let Ok(output) = self.rtc.poll_output() else {
                // It found fault with our handshake and is gone.
                self.next = None;
                return;
            };
            match output {
                Output::Timeout(at) => {
                    self.next = Some(at);
                    return;
                }
                Output::Transmit(it) => {
                    self.sent.push(Datagram {
                        from: it.source,
                        to: it.destination,
                        bytes: it.contents.to_vec(),
                    });
                }
                Output::Event(Event::Connected) => self.connected = true,
                Output::Event(Event::RtpPacket(packet)) => self.heard.push(packet.payload.to_vec()),
                Output::Event(_) => {}
            }
        }
    }
}

impl Peer for Browser {
    fn receive(&mut self, datagram: &Datagram, now: Instant) {
        let receive = Receive::new(Protocol::Udp, datagram.from, datagram.to, &datagram.bytes).unwrap();
        if self.rtc.handle_input(Input::Receive(now, receive)).is_ok() {
            self.drain();
        }
    }

    fn tick(&mut self, now: Instant) {
        if self.rtc.handle_input(Input::Timeout(now)).is_ok() {
            self.drain();
        }
    }

    fn next(&self) -> Option<Instant> {
        self.next
    }

    fn sent(&mut self) -> Vec<Datagram> {
        std::mem::take(&mut self.sent)
    }
}
