//! What a leg notices for its [`Watch`](crate::quality::watch::Watch): packets each way, the loudness of what comes, the sender's clock (MEDIA-08).
//!
//! Samples are looked at where that is cheap, in G.711, and where they are decoded anyway; an Opus stream that is passed on
//! as it came says nothing about silence or clipping, nor does what the kernel carries.

use std::time::Duration;

use model::media::Codec;
use model::time::Timestamp;

use super::{Leg, Loudness, Outbox};
use crate::codec::{begins_pause, g711};
use crate::control::{Direction, Event};
use crate::quality::watch::Tick;

/// A far end that said that it pauses may be silent for so many times longer, with nobody to be blamed: customers listen to music for
/// minutes. Those who send reports show that they are there all the same.
const PAUSE_PATIENCE: u32 = 10;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Watching {
    received: u32,
    /// Packets sent when the last tick was.
    sent_before: u64,
    samples: u32,
    peak: u16,
    clipped: u32,
    transit_us: Option<i64>,
    /// Which stream, its last timestamp, and how many ticks have passed in it.
    clock: Option<(u32, u32, i64)>,
    /// The far end said that it pauses: it sends nothing, or seldom, until it speaks again.
    pausing: bool,
    /// And how it said so promises no packet before it speaks again: comfort noise, or silence described in G.729.
    pausing_long: bool,
}

impl Watching {
    /// Audio came.
    pub fn heard(&mut self, codec: Codec, stream: u32, timestamp: u32, payload: &[u8], now: Timestamp) {
        self.received += 1;
        let ticks = match self.clock {
            Some((same, last, ticks)) if same == stream => {
                ticks + i64::from(timestamp.wrapping_sub(last).cast_signed())
            }
            _ => 0,
        };
        self.clock = Some((stream, timestamp, ticks));
        let said_us = ticks * 1_000_000 / i64::from(codec.clock_hz());
        let transit_us = now.micros().cast_signed() - said_us;
        self.transit_us = Some(self.transit_us.map_or(transit_us, |fastest| fastest.min(transit_us)));
        self.pausing = begins_pause(codec, payload);
        // Opus says it anew each 400 ms.
        self.pausing_long = self.pausing && codec == Codec::G729;
        match codec {
            Codec::Pcmu => self.look(payload, |code| !code, g711::decode_mu),
            Codec::Pcma => self.look(payload, |code| code ^ 0x55, g711::decode_a),
            Codec::Opus | Codec::G722 | Codec::G729 => {}
        }
    }

    /// So many packets were passed on elsewhere.
    pub fn forwarded(&mut self, packets: u64) {
        self.received = self.received.saturating_add(u32::try_from(packets).unwrap_or(u32::MAX));
    }

    /// Comfort noise came: the far end pauses.
    pub fn heard_noise(&mut self) {
        self.received += 1;
        (self.pausing, self.pausing_long) = (true, true);
    }

    /// A packet came that is no audio of ours: a telephone event, or what is passed on without being understood.
    pub fn passed(&mut self) {
        self.received += 1;
    }

    /// The loudest code, and how many are as loud as codes get: no decoding, because codes are in the order of loudness.
    fn look(&mut self, payload: &[u8], loudness: impl Fn(u8) -> u8, decode: impl Fn(u8) -> i16) {
        let (mut loudest, mut full) = (0u8, 0u32);
        for code in payload {
            let level = loudness(*code) & 0x7F;
            loudest = loudest.max(level);
            full += u32::from(level == 0x7F);
        }
        self.samples = self.samples.saturating_add(payload.len() as u32);
        self.peak = self.peak.max(decode(loudness(loudest)).unsigned_abs());
        self.clipped = self.clipped.saturating_add(full);
    }

    /// How loud what came was, where its codes do not say it and somebody decoded it.
    fn decoded(&mut self, loudness: Loudness) {
        self.samples = self.samples.saturating_add(loudness.samples);
        self.peak = self.peak.max(loudness.peak);
        self.clipped = self.clipped.saturating_add(loudness.clipped);
    }
}

impl Leg {
    /// Whether audio of the far end is to be expected: it may send, and did not say that it pauses.
    pub fn expects_voice(&self) -> bool {
        let receives = |direction| matches!(direction, Direction::SendRecv | Direction::RecvOnly);
        self.terms.is_some_and(|terms| receives(terms.direction)) && !self.watching.pausing
    }

    /// For how long nothing may come before the far end is taken for gone.
    pub(super) fn patience(&self) -> Duration {
        self.media_timeout * if self.watching.pausing_long { PAUSE_PATIENCE } else { 1 }
    }

    /// Somebody who hears this leg decoded what it said.
    pub fn was_decoded(&mut self, loudness: Loudness) {
        self.watching.decoded(loudness);
    }

    /// Tells troubles as they begin and end; to be called every half second or more often. `fed`: it hears something that
    /// should make a sound; `recorded`: a recording captures it.
    pub(super) fn watch(&mut self, fed: bool, recorded: bool, now: Timestamp, out: &mut Outbox) {
        let sent_packets = self.outgoing.packets();
        let wants_received = self.expects_voice() && self.may_send();
        let recorded_us = (recorded && self.expects_voice() && !self.nowhere)
            .then_some(u64::try_from(self.recording_silence.as_micros()).unwrap_or(u64::MAX));
        let wants_sent = fed && self.destination().is_some();
        let watching = &mut self.watching;
        let sent = sent_packets.saturating_sub(watching.sent_before);
        watching.sent_before = sent_packets;
        let tick = Tick {
            at_us: now.micros(),
            received: std::mem::take(&mut watching.received),
            sent: u32::try_from(sent).unwrap_or(u32::MAX),
            wants_received,
            wants_sent,
            // Whom we mute ourselves is silent on purpose.
            samples: if self.muted { 0 } else { watching.samples },
            peak: watching.peak,
            clipped: watching.clipped,
            transit_us: watching.transit_us.take(),
            recorded_us,
        };
        (watching.samples, watching.peak, watching.clipped) = (0, 0, 0);
        let leg = self.id;
        self.watch.tick(tick, &mut |change| {
            out.events.push(Event::Trouble { leg, trouble: change.trouble, began: change.began });
        });
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use model::id::{Id, LegId};

    use super::*;
    use crate::control::{Format, LegSetup};
    use crate::driver::Clock;
    use crate::leg::{Birth, Door};

    struct Nowhere;

    impl crate::leg::Wire for Nowhere {
        fn put(&mut self, _: Door, _: SocketAddr, _: &mut dyn FnMut(&mut [u8]) -> usize) {}
    }

    /// After how many seconds a far end is taken for gone whose last packets these were.
    fn gone_after(payloads: &[&[u8]]) -> u64 {
        let birth = Birth {
            ssrc: 9,
            seq: 1,
            timestamp: 1_000,
            media_timeout: Duration::from_secs(30),
            recording_silence: Duration::from_secs(5),
            clock: Clock::start(),
        };
        let mut leg = Leg::new(LegId::from_number(1), &birth, None);
        let far: SocketAddr = "127.0.0.1:4000".parse().unwrap();
        let send = Format { payload_type: 18, codec: Codec::G729, ptime_ms: 20 };
        let setup = LegSetup {
            remote: Some(far),
            rtcp_mux: true,
            send: Some(send),
            receive: vec![send],
            direction: Direction::SendRecv,
            ..LegSetup::default()
        };
        let (began, mut out) = (Timestamp::from_millis(1_700_000_000_000), Outbox::default());
        leg.configure(setup, began, &mut out).unwrap();
        for (n, payload) in (0u8..).zip(payloads) {
            let mut packet = [&[0x80, 18, 0, n, 0, 0, 0, n, 0, 0, 0, 7][..], payload].concat();
            let len = packet.len();
            packet.resize(200, 0);
            leg.receive(&mut packet, len, far, Door::Rtp, began, &mut out);
        }
        for tick in 1..2_000u64 {
            let now = began + Duration::from_millis(400 * tick);
            leg.look_after(1, (false, false), now, &mut Nowhere, &mut out);
            let silent = |event: Event| match event {
                Event::Silent { lasting, .. } => Some(lasting.as_secs()),
                _ => None,
            };
            if let Some(lasting) = out.events.drain(..).find_map(silent) {
                return lasting;
            }
        }
        panic!("never")
    }

    /// MEDIA-05, MEDIA-13: who described silence in G.729 may send nothing for minutes; who stopped in the middle of speech may not, nor
    /// who spoke again after it.
    #[test]
    fn an_announced_pause_may_last() {
        let (speech, described) = (&[7u8; 20][..], &[0u8, 16][..]);
        assert_eq!(gone_after(&[speech, speech]), 30);
        assert_eq!(gone_after(&[speech, described]), 300);
        assert_eq!(gone_after(&[speech, described, speech]), 30);
    }

    #[test]
    fn loudness_is_read_off_the_codes() {
        for (codec, encode) in
            [(Codec::Pcmu, g711::encode_mu as fn(i16) -> u8), (Codec::Pcma, g711::encode_a)]
        {
            for level in [0i16, 10, 500, -9_000, 31_000, -32_768, 32_767] {
                let mut watching = Watching::default();
                let payload = [encode(level), encode(level / 4)];
                watching.heard(codec, 1, 0, &payload, Timestamp::ZERO);
                let decode = if codec == Codec::Pcmu { g711::decode_mu } else { g711::decode_a };
                assert_eq!(watching.peak, decode(payload[0]).unsigned_abs(), "{codec:?} {level}");
                assert_eq!(watching.clipped, u32::from(level.unsigned_abs() >= 32_700), "{codec:?} {level}");
                assert_eq!(watching.samples, 2);
            }
        }
    }
}
