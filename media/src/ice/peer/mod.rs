//! Far ends for tests, and a network between them and a leg that runs on a clock of its own.
//!
//! [`Browser`] is a whole WebRTC agent by str0m: full ICE, controlling, which shares no ICE code with ours. [`Phone`]
//! sends hand-made checks and does what tests want to vary: DTLS version and role, small datagrams, silence.

mod browser;
mod phone;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

pub(super) use self::browser::{Browser, OUR_SSRC};
pub(crate) use self::phone::{Check, check};
pub(super) use self::phone::{Phone, Version};
use super::{BrowserTransport, Certificate, Credentials, IceOutput, Kind, classify};
use crate::control::SrtpKey;
use crate::srtp;

/// The payload type of Opus in browsers.
const OPUS: u8 = 111;

pub(super) fn start() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "an instant cannot be made otherwise; tests go on from it by hand"
    )]
    Instant::now()
}

pub(super) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Where legs are reached.
pub(super) fn here() -> SocketAddr {
    address("192.0.2.1:40000")
}

pub(super) struct Datagram {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub bytes: Vec<u8>,
}

pub(super) trait Peer {
    fn receive(&mut self, datagram: &Datagram, now: Instant);
    fn tick(&mut self, now: Instant);
    fn next(&self) -> Option<Instant>;
    fn sent(&mut self) -> Vec<Datagram>;
}

/// Which datagrams do not arrive.
#[derive(Clone, Copy, Debug)]
pub(super) enum Loss {
    Never,
    /// Every n-th.
    Every(usize),
    /// So many of a hundred, by a generator with this seed.
    Percent(u64, u64),
}

/// A leg, a far end, and the way between them.
pub(super) struct World<P> {
    pub now: Instant,
    pub leg: BrowserTransport,
    pub peer: P,
    /// What is lost on the way, in both directions.
    pub loss: Loss,
    pub datagrams: usize,
    /// What the leg told, without what it sent.
    pub told: Vec<IceOutput>,
    /// RTP that came to the leg, as it came.
    pub media: Vec<Datagram>,
}

impl<P: Peer> World<P> {
    pub(super) fn new(leg: BrowserTransport, peer: P, now: Instant) -> Self {
        Self { now, leg, peer, loss: Loss::Never, datagrams: 0, told: Vec::new(), media: Vec::new() }
    }

    fn is_lost(&mut self) -> bool {
        self.datagrams += 1;
        match &mut self.loss {
            Loss::Never => false,
            Loss::Every(n) => self.datagrams.is_multiple_of(*n),
            // splitmix64: the same seed loses the same datagrams.
            Loss::Percent(percent, state) => {
                *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                (mixed ^ (mixed >> 31)) % 100 < *percent
            }
        }
    }

    pub(super) fn set_remote(&mut self, remote: &Remote, active: bool) {
        let mut out = Vec::new();
        let Remote { ufrag, pwd, fingerprint } = remote;
        self.leg.set_remote(ufrag, pwd, fingerprint, active, self.now, &mut out).unwrap();
        self.carry(out);
    }

    /// Brings what the leg put out to the far end.
    pub(super) fn carry(&mut self, out: Vec<IceOutput>) {
        for output in out {
            match output {
                IceOutput::Send { to, bytes } => {
                    if !self.is_lost() {
                        self.peer.receive(&Datagram { from: here(), to, bytes }, self.now);
                    }
                }
                told => self.told.push(told),
            }
        }
    }

    /// Delivers what is under way; tells whether there was anything.
    fn deliver(&mut self) -> bool {
        let sent = self.peer.sent();
        let moved = !sent.is_empty();
        for datagram in sent {
            if self.is_lost() {
                continue;
            }
            if classify(datagram.bytes[0]) == Kind::Media {
                self.media.push(datagram);
                continue;
            }
            let mut out = Vec::new();
            self.leg.handle(&datagram.bytes, datagram.from, self.now, &mut out);
            self.carry(out);
        }
        moved
    }

    /// Lets this much time pass, from event to event.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        let mut events = 0;
        loop {
            while self.deliver() {}
            let next = [self.leg.next_timeout(), self.peer.next()].into_iter().flatten().min().unwrap_or(end);
            if next > end {
                break;
            }
            // A due timer that stays due would turn the media thread in circles.
            events += 1;
            assert!(events < 20_000, "timers do not advance");
            self.now = next.max(self.now + Duration::from_micros(100));
            let mut out = Vec::new();
            self.leg.handle_timeout(self.now, &mut out);
            self.carry(out);
            self.peer.tick(self.now);
        }
        self.now = end;
    }

    /// The last keys the leg told.
    pub(super) fn keys(&self) -> Option<(&SrtpKey, &SrtpKey)> {
        self.told.iter().rev().find_map(|told| match told {
            IceOutput::Keys { send, receive } => Some((send, receive)),
            _ => None,
        })
    }

    pub(super) fn failure(&self) -> Option<&str> {
        self.told.iter().find_map(|told| match told {
            IceOutput::Failed(why) => Some(why.as_str()),
            _ => None,
        })
    }
}

/// The signalled parameters of a far end.
#[derive(Clone, Debug)]
pub(super) struct Remote {
    pub ufrag: String,
    pub pwd: String,
    pub fingerprint: String,
}

/// A leg with known credentials.
pub(super) fn leg(certificate: &Certificate) -> BrowserTransport {
    BrowserTransport::new(certificate, Credentials::from_random(&[0x5a; 32]))
}

/// An RTP packet of `ssrc`.
pub(super) fn rtp(ssrc: u32, sequence: u16, payload: &[u8]) -> Vec<u8> {
    [&[0x80, OPUS][..], &sequence.to_be_bytes(), &960u32.to_be_bytes(), &ssrc.to_be_bytes(), payload].concat()
}

pub(super) fn protect(sender: &mut srtp::Sender, plain: &[u8]) -> Vec<u8> {
    let mut buf = [plain, &[0; srtp::MAX_OVERHEAD]].concat();
    let len = sender.protect_rtp(&mut buf, plain.len()).unwrap();
    buf.truncate(len);
    buf
}

pub(super) fn open(receiver: &mut srtp::Receiver, packet: &[u8]) -> Option<Vec<u8>> {
    let mut buf = packet.to_vec();
    let len = receiver.unprotect_rtp(&mut buf).ok()?;
    buf.truncate(len);
    Some(buf)
}
