//! When a voice passes through a leg so plainly that the kernel may carry it (MEDIA-04), and what the leg must know of it afterwards.

use std::net::SocketAddr;

use model::media::Codec;
use model::time::Timestamp;

use super::{Leg, Outbox, Protection, Said, SourceKey};
use crate::control::Direction;
use crate::quality::{Forwarded, Handover};
use crate::rtp::{RtpTimestamp, SeqNo};

/// What comes in, as a program that knows only headers must know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainIn {
    /// The far end.
    pub from: SocketAddr,
    /// Its SSRC.
    pub ssrc: u32,
    /// The payload type it uses.
    pub payload_type: u8,
    /// What that means.
    pub codec: Codec,
    /// See [`Audio::stream`](super::Audio::stream).
    pub stream: u32,
}

/// What goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainOut {
    /// The far end.
    pub to: SocketAddr,
    /// Our SSRC.
    pub ssrc: u32,
    /// The payload type agreed.
    pub payload_type: u8,
}

impl Leg {
    /// What comes in, if it is passed on just as it comes: in the clear, from one far end that no packet can change, unmuted.
    pub fn plain_in(&self, now: Timestamp) -> Option<PlainIn> {
        let setup = self.setup.as_ref()?;
        let wanted = matches!(setup.direction, Direction::SendRecv | Direction::RecvOnly);
        if !wanted
            || self.muted
            || self.overhears
            || self.ice.is_some()
            || self.checks.is_some()
            || !matches!(self.protection, Protection::Plain)
        {
            return None;
        }
        let Some(Said::Codec(codec)) = self.stream.said else { return None };
        Some(PlainIn {
            from: self.latch.settled(now)?,
            ssrc: self.stream.ssrc?,
            payload_type: self.accepts.type_of(codec)?,
            codec,
            stream: self.stream.number,
        })
    }

    /// What goes out, if a voice in this codec is sent just as it came, and nothing else goes with it.
    pub fn plain_out(&self, codec: Codec, now: Timestamp) -> Option<PlainOut> {
        let send = self.send_format().filter(|send| send.codec == codec)?;
        // The kernel does not see when a talker begins to leave out silence.
        if self.terms.is_some_and(|terms| terms.wants_silence) {
            return None;
        }
        let busy = self.digits.is_some() || self.tone.is_some() || self.sound.is_some();
        // What checks chose may be another address with the next of them.
        let ice = self.ice.is_some() || self.checks.is_some();
        if busy || ice || !matches!(self.protection, Protection::Plain) {
            return None;
        }
        let to = self.destination()?;
        (self.latch.settled(now) == Some(to)).then_some(PlainOut {
            to,
            ssrc: self.outgoing.ssrc(),
            payload_type: send.payload_type,
        })
    }

    /// Where measuring of what comes in goes on.
    pub fn hand_over(&self) -> Option<Handover> {
        self.meter.hand_over()
    }

    /// What is added to sequence numbers and RTP times of this voice; see [`Outgoing::offsets`](super::Outgoing::offsets).
    pub fn offsets(&self, key: SourceKey) -> Option<(u16, u32)> {
        self.outgoing.offsets(key)
    }

    /// Packets of the far end were passed on elsewhere.
    pub fn forwarded_in(&mut self, forwarded: &Forwarded, came: Timestamp, out: &mut Outbox) {
        self.meter.forwarded(forwarded);
        self.watching.forwarded(forwarded.packets);
        self.heard(came, out);
    }

    /// Packets were sent to the far end elsewhere; `newest`: number and time as they came, of the one with the highest number.
    pub fn forwarded_out(&mut self, forwarded: &Forwarded, newest: (SeqNo, RtpTimestamp), at: Timestamp) {
        let ticks = self.send_step();
        self.outgoing.forwarded(forwarded.packets, forwarded.octets, newest, ticks, at);
    }

    /// Whether the far end says that it gets less than half of what is sent to it.
    pub fn is_hardly_heard(&self) -> bool {
        self.reports.far_lost_percent().is_some_and(|percent| percent > 50.0)
    }
}
