//! What goes into the stream a leg sends: the voice it hears, digits, and who gives way to whom.
//!
//! Digits go before voices: RFC 4733 events replace the audio they cover. A voice that was interrupted is joined anew.

use std::net::SocketAddr;
use std::ops::Range;

use model::media::Codec;
use model::time::Timestamp;

use super::incoming::{Audio, HeardEvent};
use super::{Door, Leg, Outbox, SourceKey, Wire};
use crate::codec::g711;
use crate::control::{Event, MediaError};
use crate::dtmf::{self, Step};
use crate::rtp::{HEADER_LEN, Header, RtpTimestamp};

/// How a voice reaches this leg's far end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In the buffer it came in.
    InPlace,
    /// Decoded, and encoded anew (`voice`).
    Transcoded,
    /// Not at all.
    Nowhere,
}

/// A telephone event that is being passed on.
#[derive(Clone, Copy, Debug)]
pub(super) struct EventRelay {
    key: SourceKey,
    heard: RtpTimestamp,
    said: RtpTimestamp,
    began: Timestamp,
    /// When its last packet was passed on, and whether that was its end.
    pub last: Timestamp,
    pub ended: bool,
}

/// A passed-on event that nothing more came of for this long is over, though its end was lost.
const EVENT_OVER: std::time::Duration = std::time::Duration::from_millis(100);

impl Leg {
    /// How a voice in this codec would reach the far end now. `describes_silence`: see [`Audio::describes_silence`].
    pub fn way(&self, codec: Codec, describes_silence: bool) -> Way {
        match self.send_format().map(|send| send.codec) {
            None => Way::Nowhere,
            Some(_) if describes_silence && self.terms.is_some_and(|terms| terms.wants_silence) => {
                Way::Transcoded
            }
            Some(own) if own == codec => Way::InPlace,
            // One table look-up an octet, in place (G.711): no decoding.
            Some(Codec::Pcmu | Codec::Pcma) if matches!(codec, Codec::Pcmu | Codec::Pcma) => Way::InPlace,
            Some(_) => Way::Transcoded,
        }
    }

    /// The leg hears somebody else, or nobody, from now on.
    pub fn source_changed(&mut self) {
        self.outgoing.interrupted();
        self.event_relay = None;
        self.voice_ends();
        self.mixed = None;
    }

    /// Makes the packet in `buffer` this leg's own, where it lies: payload at `datagram_at + audio.payload_at`. Says what to
    /// send and where; `None` when it is not to be sent.
    pub fn relay(
        &mut self,
        key: SourceKey,
        audio: &Audio,
        buffer: &mut [u8],
        datagram_at: usize,
        now: Timestamp,
    ) -> Option<(Range<usize>, SocketAddr)> {
        let send = self.send_format()?;
        if send.codec != audio.codec {
            let from = datagram_at + audio.payload_at;
            let payload = buffer.get_mut(from..from + audio.payload_len)?;
            match send.codec {
                Codec::Pcma => g711::mu_to_a_in_place(payload),
                _ => g711::a_to_mu_in_place(payload),
            }
        }
        self.relay_as(send.payload_type, key, audio, buffer, datagram_at, now)
    }

    /// The same for comfort noise; `None` where it was not negotiated: then the stream pauses.
    pub fn relay_noise(
        &mut self,
        key: SourceKey,
        audio: &Audio,
        buffer: &mut [u8],
        datagram_at: usize,
        now: Timestamp,
    ) -> Option<(Range<usize>, SocketAddr)> {
        let Some(payload_type) = self.terms?.comfort_noise else {
            self.outgoing.interrupted();
            return None;
        };
        self.relay_as(payload_type, key, audio, buffer, datagram_at, now)
    }

    fn relay_as(
        &mut self,
        payload_type: u8,
        key: SourceKey,
        audio: &Audio,
        buffer: &mut [u8],
        datagram_at: usize,
        now: Timestamp,
    ) -> Option<(Range<usize>, SocketAddr)> {
        let Some(to) = self.destination().filter(|_| !self.sends_digits()) else {
            self.outgoing.interrupted();
            return None;
        };
        let heard = Header { payload_type, ..audio.header };
        let header = self.outgoing.relay(key, &heard, now)?;
        // A payload lies at least a header's length behind the datagram's beginning, whatever stood between.
        let at = (datagram_at + audio.payload_at).checked_sub(HEADER_LEN)?;
        let room = buffer.get_mut(at..)?;
        header.write(room);
        let len = self.protection.protect_rtp(room, HEADER_LEN + audio.payload_len)?;
        self.outgoing.sent(&header, audio.payload_len, self.send_step(), now);
        Some((at..at + len, to))
    }

    /// Whether its far end may leave out silence of the voice it sends, as was negotiated.
    pub fn may_describe_silence(&self) -> bool {
        self.setup.as_ref().is_some_and(|setup| {
            setup.shape.dtx && setup.receive.iter().any(|format| format.codec == Codec::G729)
        })
    }

    /// Makes what a voice in this codec needs beforehand, so that its first packet need not.
    pub fn expect(&mut self, key: SourceKey, from: Codec, describes_silence: bool) -> Result<(), MediaError> {
        if self.way(from, describes_silence && from == Codec::G729) != Way::Transcoded {
            return Ok(());
        }
        self.prepare_voice(key, from).map_err(|why| MediaError::BadSetup(why.to_string()))
    }

    /// Passes a telephone event on, in the buffer it came in; where events were not negotiated, as a tone at its end.
    pub fn relay_event(
        &mut self,
        key: SourceKey,
        heard: &HeardEvent,
        buffer: &mut [u8],
        datagram_at: usize,
        now: Timestamp,
    ) -> Option<(Range<usize>, SocketAddr)> {
        self.voice_passes_over(key, &heard.header, now);
        let events = self.terms?.events;
        let Some(events) = events else {
            if let Some(ended) = heard.ended {
                self.add_digits(&ended.digit.to_string(), ended.held, false, now);
            }
            return None;
        };
        let to = self.destination().filter(|_| !self.sends_digits())?;
        let going =
            self.event_relay.filter(|going| going.key == key && going.heard == heard.header.timestamp);
        let relay = going.unwrap_or_else(|| EventRelay {
            key,
            heard: heard.header.timestamp,
            said: self.outgoing.time_at(now),
            began: now,
            last: now,
            ended: false,
        });
        let ended = relay.ended || heard.event.end;
        self.event_relay = Some(EventRelay { last: now, ended, ..relay });
        let header = self.outgoing.own(events.payload_type, going.is_none(), relay.said);
        let event = heard.event.in_clock(heard.clock_hz, events.clock_hz);
        let room = buffer.get_mut(datagram_at..)?;
        let len = write_packet(&header, &event.octets(), room);
        let len = self.protection.protect_rtp(room, len)?;
        self.event_sent(&header, event, events.clock_hz, relay.began);
        Some((datagram_at..datagram_at + len, to))
    }

    /// Sends digits to the far end from now on. False when they are none, or too many wait.
    pub fn add_digits(
        &mut self,
        digits: &str,
        each: std::time::Duration,
        told: bool,
        now: Timestamp,
    ) -> bool {
        match &mut self.digits {
            Some(sending) => {
                sending.told |= told;
                sending.sender.add(digits, each)
            }
            None => match dtmf::Sender::new(digits, each, now) {
                Some(sender) => {
                    self.digits = Some(Box::new(super::Digits { sender, told, began: None }));
                    true
                }
                None => false,
            },
        }
    }

    /// Whether an event is being passed on.
    pub(super) fn relays_event(&self, now: Timestamp) -> bool {
        self.event_relay.is_some_and(|event| !event.ended && now.since(event.last) < EVENT_OVER)
    }

    /// Whether a digit is on its way, so that voices must wait.
    pub(super) fn sends_digits(&self) -> bool {
        self.sends_tone() || self.digits.as_ref().is_some_and(|digits| digits.sender.is_sending())
    }

    pub(super) fn send_digits(&mut self, now: Timestamp, wire: &mut dyn Wire, out: &mut Outbox) {
        let Some(mut digits) = self.digits.take() else { return };
        let events = self.setup.as_ref().and_then(|setup| setup.events);
        while let Some(step) = digits.sender.step(events.map(|events| events.clock_hz), now) {
            match step {
                Step::Send(packet) => {
                    let fresh = || (self.outgoing.time_at(now), now);
                    let (time, began) = digits.began.filter(|_| !packet.first).unwrap_or_else(fresh);
                    digits.began = Some((time, began));
                    if let (Some(to), Some(events)) = (self.destination(), events) {
                        let header = self.outgoing.own(events.payload_type, packet.first, time);
                        self.put(&header, &packet.event.octets(), to, wire);
                        self.event_sent(&header, packet.event, events.clock_hz, began);
                    }
                }
                Step::Tone(digit) => self.begin_tone(digit, now),
                Step::Done => {
                    if digits.told {
                        out.events.push(Event::DtmfSent { leg: self.id });
                    }
                    return;
                }
            }
        }
        self.digits = Some(digits);
    }

    /// An event packet is on its way: its event began at `began`, and covers its duration so far.
    fn event_sent(&mut self, header: &Header, event: dtmf::Event, clock_hz: u32, began: Timestamp) {
        let ticks = event.in_clock(clock_hz, self.send_clock()).duration;
        self.outgoing.sent(header, dtmf::PAYLOAD_LEN, u32::from(ticks), began);
    }

    /// Puts a packet of our own on the wire.
    pub(super) fn put(&mut self, header: &Header, payload: &[u8], to: SocketAddr, wire: &mut dyn Wire) {
        let protection = &mut self.protection;
        wire.put(Door::Rtp, to, &mut |room| {
            let len = write_packet(header, payload, room);
            protection.protect_rtp(room, len).unwrap_or(0)
        });
    }
}

/// Header and payload into the front of `room`; the length, 0 when there is no room.
pub(super) fn write_packet(header: &Header, payload: &[u8], room: &mut [u8]) -> usize {
    let len = HEADER_LEN + payload.len();
    let Some(place) = room.get_mut(HEADER_LEN..len) else { return 0 };
    place.copy_from_slice(payload);
    header.write(room);
    len
}
