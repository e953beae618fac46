//! From a datagram to audio: who sent it, is it theirs, what is in it.
//!
//! Nothing changes before all checks are passed: not the learnt address, not a counter of the stream, not the replay window.

use std::net::SocketAddr;

use model::media::Codec;
use model::time::Timestamp;

use super::passing::Passing;
use super::setup::FORMATS_MAX;
use super::silence::silence;
use super::{Door, Leg, Outbox, Protection};
use crate::codec::begins_pause;
use crate::control::{Direction, Event, Format};
use crate::dtmf;
use crate::ice::{self, Kind};
use crate::quality::{Arrival, Verdict};
use crate::rtp::{Header, View, is_rtcp};
use crate::srtp::SrtpError;

/// Stragglers of an SSRC that was replaced are expected for this long.
const STRAGGLERS: std::time::Duration = std::time::Duration::from_millis(500);

/// Audio for whoever hears the leg.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Audio {
    /// The header as it came, with its own payload type.
    pub header: Header,
    /// What the payload is.
    pub codec: Codec,
    /// Changes when the stream is another: new SSRC, new codec.
    pub stream: u32,
    /// Where in the datagram the payload begins.
    pub payload_at: usize,
    /// Octets of payload.
    pub payload_len: usize,
    /// It is G.729 that leaves silence out (Annex B): not for those who want it sent.
    pub describes_silence: bool,
}

/// A telephone event for whoever hears the leg.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeardEvent {
    /// The header as it came.
    pub header: Header,
    /// What it says.
    pub event: dtmf::Event,
    /// The clock its duration counts in.
    pub clock_hz: u32,
    /// The digit that ended with it, if one did.
    pub ended: Option<dtmf::Digit>,
}

/// What a datagram was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Received {
    /// Audio.
    Audio(Audio),
    /// Comfort noise: the talker pauses.
    Noise(Audio),
    /// A telephone event.
    Event(HeardEvent),
    /// A packet in a format that is passed on as it is.
    Passed(Passing),
    /// Of concern to this leg alone: reports, checks, handshakes.
    Done,
    /// Reports with something in them for other legs: [`Leg::take_told`] says what.
    Told,
    /// Dropped.
    Dropped(DropReason),
}

/// Why a datagram was dropped; each is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum DropReason {
    /// From an address that is not the far end's.
    WrongSource,
    /// Not what RTP or RTCP look like.
    Malformed,
    /// A payload type that was not negotiated.
    UnknownPayload,
    /// Its tag is wrong.
    BadTag,
    /// It came before, or is too old.
    Repeated,
    /// It may not pass: no keys, or nothing negotiated yet.
    NotReady,
    /// The direction is not negotiated.
    NotWanted,
    /// No leg could be told from it (shared ports).
    NoLeg,
    /// More video than the leg may carry.
    Policed,
}

impl DropReason {
    /// All of them, in order.
    pub const ALL: [Self; 9] = [
        Self::WrongSource,
        Self::Malformed,
        Self::UnknownPayload,
        Self::BadTag,
        Self::Repeated,
        Self::NotReady,
        Self::NotWanted,
        Self::NoLeg,
        Self::Policed,
    ];

    /// The label in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WrongSource => "wrong_source",
            Self::Malformed => "malformed",
            Self::UnknownPayload => "unknown_payload",
            Self::BadTag => "bad_tag",
            Self::Repeated => "repeated",
            Self::NotReady => "not_ready",
            Self::NotWanted => "not_wanted",
            Self::NoLeg => "no_leg",
            Self::Policed => "policed",
        }
    }
}

/// What a stream is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// A codec we understand.
    Codec(Codec),
    /// A format we do not understand.
    Passed {
        /// Control's number of it.
        format: u16,
        /// Its clock.
        clock_hz: u32,
    },
}

/// What the far end may send, in the leg itself: a list elsewhere would be one more wait for memory a packet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Accepts([Option<(u8, Codec)>; FORMATS_MAX]);

impl Accepts {
    pub fn new(formats: &[Format]) -> Self {
        let mut accepts = Self::default();
        for (place, format) in accepts.0.iter_mut().zip(formats) {
            *place = Some((format.payload_type, format.codec));
        }
        accepts
    }
    /// The payload type that stands for a codec.
    pub fn type_of(&self, codec: Codec) -> Option<u8> {
        self.0
            .iter()
            .map_while(|it| *it)
            .find(|(_, known)| *known == codec)
            .map(|(payload_type, _)| payload_type)
    }
    fn codec(&self, payload_type: u8) -> Option<Codec> {
        self.0.iter().map_while(|it| *it).find(|(known, _)| *known == payload_type).map(|(_, codec)| codec)
    }
}

impl Leg {
    /// Handles the datagram in `buffer[..len]`, in place. The rest of the buffer is room. After it, the caller empties
    /// `out.ice` by [`Leg::apply_ice`].
    pub fn receive(
        &mut self,
        buffer: &mut [u8],
        len: usize,
        from: SocketAddr,
        door: Door,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Received {
        let result = self.sort(buffer, len, from, door, now, out);
        match result {
            Ok(received) => received,
            Err(reason) => {
                if self.terms.is_some() && !matches!(reason, DropReason::NotWanted | DropReason::Policed) {
                    self.meter.rejected();
                }
                Received::Dropped(reason)
            }
        }
    }

    fn sort(
        &mut self,
        buffer: &mut [u8],
        len: usize,
        from: SocketAddr,
        door: Door,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Result<Received, DropReason> {
        let datagram = buffer.get(..len).ok_or(DropReason::Malformed)?;
        match ice::classify(*datagram.first().ok_or(DropReason::Malformed)?) {
            Kind::Media => {}
            Kind::Dtls if self.ice.is_none() => {
                let dtls = self.dtls.as_mut().ok_or(DropReason::Malformed)?;
                // RTCP's port is not keyed.
                if door == Door::Rtcp || !self.latch.admits(from, now) {
                    return Err(DropReason::WrongSource);
                }
                dtls.handle(datagram, from, self.clock.instant(now), &mut out.ice);
                return Ok(Received::Done);
            }
            Kind::Stun if self.checks.is_some() => {
                if let Some(checks) = &mut self.checks {
                    let rtcp = door == Door::Rtcp;
                    checks.handle(datagram, from, rtcp, self.clock.instant(now), &mut out.ice);
                }
                return Ok(Received::Done);
            }
            // Browsers have RTCP on the same port.
            Kind::Stun if door == Door::Rtcp => return Err(DropReason::Malformed),
            Kind::Stun | Kind::Dtls => {
                let transport = self.ice.as_mut().ok_or(DropReason::Malformed)?;
                transport.handle(datagram, from, self.clock.instant(now), &mut out.ice);
                return Ok(Received::Done);
            }
            Kind::Other => return Err(DropReason::Malformed),
        }
        if self.terms.is_none() {
            return Err(DropReason::NotReady);
        }
        if is_rtcp(datagram) {
            return self.receive_rtcp(buffer, len, from, door, now, out);
        }
        if door == Door::Rtcp {
            return Err(DropReason::Malformed);
        }
        let believed = match &self.ice {
            Some(ice) => ice.is_verified(from),
            None => self.latch.admits(from, now),
        };
        if !believed {
            return Err(DropReason::WrongSource);
        }
        let len = self.open(buffer, len)?;
        let packet = buffer.get(..len).ok_or(DropReason::Malformed)?;
        let view = View::parse(packet).map_err(|_| DropReason::Malformed)?;
        self.sort_rtp(buffer, len, &view, from, now, out)
    }

    /// Verifies and decrypts an RTP packet; says how long it is then.
    fn open(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, DropReason> {
        match &mut self.protection {
            Protection::Plain => Ok(len),
            Protection::Waiting => Err(DropReason::NotReady),
            Protection::Keyed(keyed) => {
                let packet = buffer.get_mut(..len).ok_or(DropReason::Malformed)?;
                keyed.receive.unprotect_rtp(packet).map_err(reason_of)
            }
        }
    }

    fn sort_rtp(
        &mut self,
        buffer: &mut [u8],
        len: usize,
        view: &View,
        from: SocketAddr,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Result<Received, DropReason> {
        let terms = self.terms.ok_or(DropReason::NotReady)?;
        let header = view.header;
        let event = terms.events.filter(|events| events.payload_type == header.payload_type);
        let codec = self.accepts.codec(header.payload_type).map(Said::Codec);
        let said = codec.or_else(|| self.passes.said(header.payload_type));
        // Comfort noise belongs to the codec in use; before there is one, it says nothing.
        let noise = said.is_none()
            && event.is_none()
            && terms.comfort_noise == Some(header.payload_type)
            && self.stream.codec().is_some();
        if said.is_none() && event.is_none() && !noise {
            return Err(DropReason::UnknownPayload);
        }
        let wanted = matches!(terms.direction, Direction::SendRecv | Direction::RecvOnly);
        if self.ice.is_none() {
            self.latch.verified(from, self.protection.proves(), now);
        }
        self.heard(now, out);
        if !wanted {
            return Err(DropReason::NotWanted);
        }
        if let Some(said @ Said::Passed { format, .. }) = said
            && self.is_repair(format)
        {
            self.police_in(len, from, now)?;
            return self.receive_repair(view, said);
        }
        let before = self.stream.ssrc.map(|_| self.stream.number);
        self.note_stream(header.ssrc, said, now)?;
        if before.is_some_and(|before| before != self.stream.number) {
            self.want_keyframe(now);
        }
        // The packets of one picture share its time, though they leave one after the other.
        let repeats = self.stream.timestamp.replace(header.timestamp) == Some(header.timestamp);
        let timed = match said {
            Some(Said::Codec(_)) => true,
            Some(Said::Passed { .. }) => !repeats,
            None => false,
        };
        let arrival = Arrival {
            ssrc: header.ssrc,
            seq: header.seq.0,
            timestamp: header.timestamp.0,
            at_us: now.micros(),
            octets: len,
            timed: timed || noise,
        };
        if matches!(self.meter.packet(arrival), Verdict::Duplicate | Verdict::Stray) {
            return Err(DropReason::Repeated);
        }
        self.police_in(len, from, now)?;
        let payload = view.payload_at..view.payload_at + view.payload_len;
        if let (true, Some(codec)) = (noise, self.stream.codec()) {
            self.watching.heard_noise();
            if self.muted {
                return Ok(Received::Done);
            }
            let stream = self.stream.number;
            let (payload_at, payload_len) = (view.payload_at, view.payload_len);
            let describes_silence = self.stream.describes_silence;
            return Ok(Received::Noise(Audio {
                header,
                codec,
                stream,
                payload_at,
                payload_len,
                describes_silence,
            }));
        }
        let codec = match said {
            Some(Said::Codec(codec)) => codec,
            Some(Said::Passed { .. }) if self.muted => return Err(DropReason::NotWanted),
            Some(Said::Passed { format, clock_hz }) => {
                self.watching.passed();
                let stream = self.stream.number;
                let View { payload_at, payload_len, .. } = *view;
                return Ok(Received::Passed(Passing {
                    header,
                    format,
                    clock_hz,
                    stream,
                    repair: false,
                    payload_at,
                    payload_len,
                }));
            }
            None => {
                let clock_hz = event.map_or(8_000, |event| event.clock_hz);
                let payload = buffer.get(payload).ok_or(DropReason::Malformed)?;
                self.watching.passed();
                return self.receive_event(&header, payload, clock_hz, now, out);
            }
        };
        let said = buffer.get(payload).ok_or(DropReason::Malformed)?;
        self.watching.heard(codec, self.stream.number, header.timestamp.0, said, now);
        self.stream.describes_silence |= codec == Codec::G729 && begins_pause(codec, said);
        let mut payload_len = view.payload_len;
        if self.overhears {
            let room = buffer.get_mut(view.payload_at..).ok_or(DropReason::Malformed)?;
            payload_len = self.listen_for_tones(codec, room, payload_len, out);
        }
        if self.muted {
            let room = buffer.get_mut(view.payload_at..).ok_or(DropReason::Malformed)?;
            payload_len = silence(codec, room, payload_len);
        }
        let stream = self.stream.number;
        let (payload_at, describes_silence) = (view.payload_at, self.stream.describes_silence);
        Ok(Received::Audio(Audio { header, codec, stream, payload_at, payload_len, describes_silence }))
    }

    fn receive_event(
        &mut self,
        header: &Header,
        payload: &[u8],
        clock_hz: u32,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Result<Received, DropReason> {
        let event = dtmf::Event::parse(payload).ok_or(DropReason::Malformed)?;
        let digits = self.events_in.packet(header.timestamp.0, event, now);
        for digit in digits.into_iter().flatten() {
            out.events.push(Event::Dtmf { leg: self.id, digit: digit.digit, held: digit.held });
        }
        let ended = digits.into_iter().flatten().last();
        Ok(Received::Event(HeardEvent { header: *header, event, clock_hz, ended }))
    }

    /// Notices that the stream is another one: the far end changed its SSRC or its format.
    fn note_stream(&mut self, ssrc: u32, said: Option<Said>, now: Timestamp) -> Result<(), DropReason> {
        let stream = &mut self.stream;
        if stream.ssrc != Some(ssrc) {
            if stream.before.is_some_and(|(before, until)| before == ssrc && now < until) {
                return Err(DropReason::Repeated);
            }
            stream.before = stream.ssrc.map(|old| (old, now + STRAGGLERS));
            stream.ssrc = Some(ssrc);
            stream.number = stream.number.wrapping_add(1);
            stream.describes_silence = false;
        }
        if let Some(said) = said.filter(|said| stream.said != Some(*said)) {
            stream.said = Some(said);
            stream.number = stream.number.wrapping_add(1);
            stream.describes_silence = false;
            match said {
                Said::Codec(codec) => self.meter.set_codec(codec),
                Said::Passed { clock_hz, .. } => self.meter.set_passed(clock_hz),
            }
        }
        Ok(())
    }

    /// Something verified came.
    pub(super) fn heard(&mut self, now: Timestamp, out: &mut Outbox) {
        self.alive.heard_at = Some(now);
        if !self.alive.started || self.alive.silent_told {
            self.alive.started = true;
            self.alive.silent_told = false;
            out.events.push(Event::Started { leg: self.id });
        }
    }
}

pub(super) const fn reason_of(error: SrtpError) -> DropReason {
    match error {
        SrtpError::Replayed => DropReason::Repeated,
        SrtpError::Malformed | SrtpError::NoRoom => DropReason::Malformed,
        _ => DropReason::BadTag,
    }
}
