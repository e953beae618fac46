//! A whole leg: datagrams at its two ports, from its far end and from strangers (MEDIA-12).

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use media::control::{Direction, EventFormat, Format, Latching, LegSetup, Passed, Security, SrtpSuite};
use media::driver::Clock;
use media::leg::{Birth, Door, Leg, Outbox, Received, Wire};
use media::srtp::{MAX_OVERHEAD, Sender};
use model::id::{Id, LegId};
use model::media::Codec;
use model::time::Timestamp;

use super::srtp::key;
use crate::peer::address;
use crate::pieces;

/// Strangers change no figure but that of rejected packets, what is passed on lies within the datagram, and nothing is sent to
/// where nothing may be sent.
///
/// The first octet: bit 0: SRTP; bit 1: RTCP on the same port; bits 2-3: latching. How a piece comes: bits 0-1 address (0 RTP
/// and 1 RTCP of the far end, others are strangers), bit 2 the door for RTCP, bit 3: protected by the far end's key; bits 4-7:
/// time that passed, in quarters of a second.
pub(super) fn leg(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else { return };
    let latching =
        [Latching::Off, Latching::SameAddress, Latching::Any, Latching::Off][usize::from(first >> 2 & 3)];
    let (protected, mux) = (first & 1 != 0, first & 2 != 0);
    let (send, receive) = (key(SrtpSuite::AesCm128HmacSha1_80, 1), key(SrtpSuite::AesCm128HmacSha1_80, 2));
    let mut far = Sender::new(&receive).expect("the length is right");
    let security = if protected { Security::Sdes { send, receive } } else { Security::None };
    let mut now = Timestamp::from_millis(2_000_000_000_000);
    let mut leg = newborn();
    let mut out = Outbox::default();
    leg.configure(setup(security, mux, latching), now, &mut out).expect("the setup can work");
    let mut wire = Sent::default();
    for (how, octets) in pieces(rest) {
        now = now + Duration::from_millis(250 * u64::from(how >> 4));
        call_due(&mut leg, now, &mut wire, &mut out);
        let (from, door) = (address(usize::from(how & 3)), if how & 4 == 0 { Door::Rtp } else { Door::Rtcp });
        let mut buffer = [octets, &[0; MAX_OVERHEAD + 64]].concat();
        let mut len = octets.len();
        if how & 8 != 0 && octets.len() >= 2 {
            let closed = match media::rtp::is_rtcp(octets) {
                true => far.protect_rtcp(&mut buffer, len),
                false => far.protect_rtp(&mut buffer, len),
            };
            len = closed.unwrap_or(len);
        }
        let before = leg.stats().received;
        let received = leg.receive(&mut buffer, len, from, door, now, &mut out);
        match received {
            Received::Audio(audio) => assert!(audio.payload_at + audio.payload_len <= buffer.len()),
            Received::Passed(it) => assert!(it.payload_at + it.payload_len <= buffer.len()),
            Received::Dropped(_) => {
                let after = leg.stats().received;
                assert!(
                    after.rejected >= before.rejected && after.octets == before.octets || from == address(0)
                );
            }
            _ => {}
        }
        let stranger = how & 3 > 1;
        if stranger && latching == Latching::Off {
            let after = leg.stats().received;
            assert!(
                !matches!(received, Received::Audio(_) | Received::Event(_) | Received::Passed(_)),
                "only the far end is heard"
            );
            assert_eq!((after.packets, after.lost), (before.packets, before.lost));
        }
        assert!(
            !(protected && how & 8 == 0 && matches!(received, Received::Audio(_) | Received::Passed(_))),
            "nobody guesses a tag"
        );
        out.events.clear();
    }
    let mut sent = wire.to.iter();
    assert!(
        latching != Latching::Off || sent.all(|to| *to == address(0) || *to == address(1)),
        "{:?}",
        wire.to
    );
    let stats = leg.stats();
    let percent = |value: Option<f32>| value.is_none_or(|value| (0.0..=100.0).contains(&value));
    assert!(
        percent(stats.far_lost_percent)
            && stats.far_jitter_ms.is_none_or(|ms| (0.0..=10_000.0).contains(&ms)),
        "{stats:?}"
    );
    assert!(stats.received.mos.is_none_or(|mos| (1.0..=4.5).contains(&mos)), "{stats:?}");
    assert!(stats.received.rtt_ms.is_none_or(|rtt| rtt.is_finite() && rtt >= 0.0), "{stats:?}");
    assert!(stats.received.jitter_ms.is_finite() && stats.received.jitter_ms >= 0.0, "{stats:?}");
}

/// A leg that knows nothing of its far end yet.
pub(super) fn newborn() -> Leg {
    let birth = Birth {
        ssrc: 9,
        seq: 65_530,
        timestamp: u32::MAX,
        media_timeout: Duration::from_secs(9),
        recording_silence: Duration::from_secs(5),
        clock: clock(),
    };
    Leg::new(LegId::from_number(1), &birth, None)
}

/// Calls the leg for all that is due.
pub(super) fn call_due(leg: &mut Leg, now: Timestamp, wire: &mut Sent, out: &mut Outbox) {
    while leg.next_deadline().is_some_and(|at| at <= now) && wire.to.len() < 1_000 {
        leg.timer(now, wire, out);
    }
}

/// Where packets of the leg's own making went.
#[derive(Default)]
pub(super) struct Sent {
    pub to: Vec<SocketAddr>,
}

impl Wire for Sent {
    fn put(&mut self, _: Door, to: SocketAddr, write: &mut dyn FnMut(&mut [u8]) -> usize) {
        let mut buffer = [0; 1_600];
        if write(&mut buffer) > 0 {
            self.to.push(to);
        }
    }
}

fn setup(security: Security, rtcp_mux: bool, latching: Latching) -> LegSetup {
    let pcma = Format { payload_type: 8, codec: Codec::Pcma, ptime_ms: 20 };
    let opus = Format { payload_type: 111, codec: Codec::Opus, ptime_ms: 20 };
    LegSetup {
        remote: Some(address(0)),
        remote_rtcp: Some(address(1)),
        rtcp_mux,
        send: Some(pcma),
        receive: vec![pcma, opus],
        passed: vec![Passed { payload_type: 96, format: 1, clock_hz: 90_000 }],
        events: Some(EventFormat { payload_type: 101, clock_hz: 8_000 }),
        security,
        direction: Direction::SendRecv,
        latching,
        ..LegSetup::default()
    }
}

pub(super) fn clock() -> Clock {
    static CLOCK: OnceLock<Clock> = OnceLock::new();
    *CLOCK.get_or_init(Clock::start)
}
