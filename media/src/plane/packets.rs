//! The way of a packet through a thread: to the leg it came to, and from there to all who hear it.

use std::net::SocketAddr;
use std::ops::Range;

use super::browsers::Whose;
use super::doors::doors;
use super::recordings::capture;
use super::shard::{SHARED, Shard};
use super::table::Seat;
use crate::driver::{Arrival, BUFFER_LEN, Packet, SocketId};
use crate::dtmf::Digit;
use crate::jitter::Kind;
use crate::leg::{Audio, Door, DropReason, HeardEvent, Received, SourceKey, Way};
use crate::mix::PARTIES_MAX;

impl Shard {
    pub(super) fn arrived(&mut self, arrival: Arrival) {
        self.counters.received_packets += 1;
        self.counters.received_octets += arrival.range.len() as u64;
        let Arrival { tag, socket, from, packet, range } = arrival;
        let (at, len) = (range.start, range.len());
        let shared = tag == SHARED;
        let buffer = self.driver.bytes(&packet).get_mut(at..).unwrap_or_default();
        let owner = if shared {
            match self.browsers.who(buffer.get(..len).unwrap_or_default(), from) {
                Some(Whose::Here(index)) => Some((index, Door::Rtp)),
                Some(Whose::Away(leg)) if self.hand_over(leg, from, socket, &packet, range) => {
                    return self.driver.release(packet);
                }
                _ => None,
            }
        } else {
            self.table.of_tag(tag)
        };
        let Some((index, door)) = owner else { return self.drop(packet, DropReason::NoLeg) };
        let admits = |seat: &&mut Seat| shared || seat.sockets.admits(from);
        let Some(seat) = self.table.get_mut(index).filter(admits) else {
            return self.drop(packet, DropReason::NoLeg);
        };
        if seat.fast.is_watched()
            && door == Door::Rtp
            && let Some(head) = self.driver.bytes(&packet).get(at..at + len).and_then(<[u8]>::first_chunk)
        {
            let head = *head;
            self.came_up(index, from, head);
        }
        let Some(seat) = self.table.get_mut(index) else { return self.driver.release(packet) };
        let buffer = self.driver.bytes(&packet).get_mut(at..).unwrap_or_default();
        let received = seat.leg.receive(buffer, len, from, door, self.now, &mut self.out);
        match received {
            Received::Audio(audio) => {
                let digit = seat.leg.take_overheard();
                self.tell();
                if let Some(digit) = digit {
                    self.spread_digit(index, digit);
                }
                self.spread(index, &audio, packet, at);
            }
            Received::Noise(audio) => {
                self.tell();
                self.spread_noise(index, &audio, packet, at);
            }
            Received::Event(event) => {
                self.tell();
                self.spread_event(index, &event, packet, at);
                self.arm(index);
            }
            Received::Passed(passing) => {
                self.tell();
                self.spread_passed(index, &passing, packet, at);
                // A whole picture may be wanted since before its sender could be asked.
                if self.table.get(index).is_some_and(|seat| seat.leg.keyframe_deadline().is_some()) {
                    self.arm(index);
                }
            }
            Received::Done | Received::Told => {
                self.driver.release(packet);
                if shared && !seat.leg.is_verified(from) {
                    // A check that was refused, or that came before anybody said whose checks to believe.
                    let early = seat.leg.setup().is_none();
                    let reason = if early { DropReason::NotReady } else { DropReason::BadTag };
                    self.counters.dropped[reason as usize] += 1;
                }
                let browser = seat.sockets.browser_mut();
                let is_browser = browser.is_some();
                if let Some(browser) = browser.filter(|_| shared && seat.leg.is_verified(from)) {
                    self.browsers.verified(from, index, socket, &mut browser.addrs);
                }
                let reply = shared.then_some((from, socket));
                let Self { driver, counters, browsers, .. } = self;
                let mut doors = doors(driver, counters, browsers, &seat.sockets, reply);
                seat.leg.apply_ice(self.now, &mut doors, &mut self.out);
                let waits = is_browser || seat.leg.shakes_hands();
                self.tell();
                if waits {
                    self.arm(index);
                }
                if received == Received::Told {
                    self.pass_told(index);
                }
            }
            Received::Dropped(reason) => self.drop(packet, reason),
        }
    }

    fn drop(&mut self, packet: Packet, reason: DropReason) {
        if let Some(count) = self.counters.dropped.get_mut(reason as usize) {
            *count += 1;
        }
        self.driver.release(packet);
    }

    /// Gives audio to all who hear it; the last of them gets the buffer itself.
    fn spread(&mut self, speaker: u32, audio: &Audio, packet: Packet, at: usize) {
        let Some(seat) = self.table.get(speaker) else { return self.driver.release(packet) };
        let key = SourceKey { speaker: seat.serial, stream: audio.stream };
        if !seat.taps.is_empty() {
            let from = at + audio.payload_at;
            let payload = self.driver.bytes(&packet).get(from..from + audio.payload_len).unwrap_or_default();
            let (taken, lost) = capture(&mut self.tap, seat, audio, payload, self.now.micros());
            self.counters.recorded += taken;
            self.counters.record_overruns += lost;
        }
        if let Some(room) = seat.hears.room() {
            let from = at + audio.payload_at;
            let payload = self.driver.bytes(&packet).get(from..from + audio.payload_len).unwrap_or_default();
            self.rooms.put(room, audio, payload, self.now, self.held_us);
        }
        let mut last = None;
        let mut nth = 0;
        while let Some(hearer) = self.table.get(speaker).and_then(|seat| seat.hearers.get(nth).copied()) {
            nth += 1;
            match self
                .table
                .get(hearer)
                .map_or(Way::Nowhere, |seat| seat.leg.way(audio.codec, audio.describes_silence))
            {
                Way::InPlace => {
                    if let Some(before) = last.replace(hearer) {
                        self.relay_copy(before, key, audio, &packet, at);
                    }
                }
                Way::Transcoded => self.transcode(hearer, key, audio, false, &packet, at),
                Way::Nowhere => {}
            }
        }
        match last {
            Some(hearer) => {
                self.counters.relayed_in_place += u64::from(self.relay(hearer, key, audio, packet, at));
            }
            None => self.driver.release(packet),
        }
    }

    fn relay(&mut self, hearer: u32, key: SourceKey, audio: &Audio, packet: Packet, at: usize) -> bool {
        let Some(seat) = self.table.get_mut(hearer) else {
            self.driver.release(packet);
            return false;
        };
        let sent = seat.leg.relay(key, audio, self.driver.bytes(&packet), at, self.now);
        match sent {
            Some((range, to)) => {
                let socket = seat.sockets.out(Door::Rtp, to, &self.browsers);
                self.send(packet, range, socket, to);
                true
            }
            None => {
                self.driver.release(packet);
                false
            }
        }
    }

    pub(super) fn send(
        &mut self,
        packet: Packet,
        range: Range<usize>,
        socket: Option<SocketId>,
        to: SocketAddr,
    ) {
        // A browser's address without a line is one that its leg is about to let go of.
        let Some(socket) = socket else { return self.driver.release(packet) };
        self.counters.sent_packets += 1;
        self.counters.sent_octets += range.len() as u64;
        self.driver.send(packet, range, socket, to);
    }

    fn relay_copy(&mut self, hearer: u32, key: SourceKey, audio: &Audio, packet: &Packet, at: usize) {
        let Some(copy) = self.copy(packet) else { return };
        self.counters.relayed_copies += u64::from(self.relay(hearer, key, audio, copy, at));
    }

    pub(super) fn copy(&mut self, packet: &Packet) -> Option<Packet> {
        let copy = self.driver.take()?;
        self.scratch.copy_from_slice(self.driver.bytes(packet).get(..BUFFER_LEN)?);
        self.driver.bytes(&copy).copy_from_slice(&self.scratch[..]);
        Some(copy)
    }

    /// Hands a packet to the voice of a leg that needs another codec; the wheel sends what becomes of it.
    fn transcode(
        &mut self,
        hearer: u32,
        key: SourceKey,
        audio: &Audio,
        noise: bool,
        packet: &Packet,
        at: usize,
    ) {
        let from = at + audio.payload_at;
        let Some(payload) = self.driver.bytes(packet).get(from..from + audio.payload_len) else { return };
        let Some(seat) = self.table.get_mut(hearer) else { return };
        // A codec that cannot be set up was refused when the legs were joined; a format that came up later is not heard.
        let Ok(woke) = seat.leg.hear_voice(key, audio, noise, payload, self.now, self.held_us) else {
            return;
        };
        self.counters.transcoded += 1;
        if woke {
            self.arm(hearer);
        }
    }

    /// Gives comfort noise to all who hear the leg: as it is to those who take it, as noise to those who need another codec.
    fn spread_noise(&mut self, speaker: u32, audio: &Audio, packet: Packet, at: usize) {
        let Some(seat) = self.table.get(speaker) else { return self.driver.release(packet) };
        let key = SourceKey { speaker: seat.serial, stream: audio.stream };
        if let Some(room) = seat.hears.room() {
            let from = at + audio.payload_at;
            let payload = self.driver.bytes(&packet).get(from..from + audio.payload_len).unwrap_or_default();
            self.rooms.mark(room, &audio.header, Kind::Noise, payload, self.now);
        }
        let mut nth = 0;
        while let Some(hearer) = self.table.get(speaker).and_then(|seat| seat.hearers.get(nth).copied()) {
            nth += 1;
            match self
                .table
                .get(hearer)
                .map_or(Way::Nowhere, |seat| seat.leg.way(audio.codec, audio.describes_silence))
            {
                // One each half second or so: a copy is cheaper than to know who is last.
                Way::InPlace => {
                    let Some(copy) = self.copy(&packet) else { break };
                    let Some(seat) = self.table.get_mut(hearer) else {
                        self.driver.release(copy);
                        continue;
                    };
                    match seat.leg.relay_noise(key, audio, self.driver.bytes(&copy), at, self.now) {
                        Some((range, to)) => {
                            let socket = seat.sockets.out(Door::Rtp, to, &self.browsers);
                            self.send(copy, range, socket, to);
                        }
                        None => self.driver.release(copy),
                    }
                }
                Way::Transcoded => self.transcode(hearer, key, audio, true, &packet, at),
                Way::Nowhere => {}
            }
        }
        self.driver.release(packet);
    }

    /// A digit whose tone was taken out of a voice goes to all who hear it, in the form each of them takes.
    fn spread_digit(&mut self, speaker: u32, digit: Digit) {
        let mut next = 0;
        while let Some((found, hearer)) = self.next_hearer(speaker, next) {
            next = found + 1;
            let now = self.now;
            if let Some(seat) = self.table.get_mut(hearer) {
                seat.leg.add_digits(digit.digit.encode_utf8(&mut [0; 4]), digit.held, false, now);
            }
            self.arm(hearer);
        }
    }

    /// Who hears a leg, one after the other: the parties of its room, then those that hear it directly.
    fn next_hearer(&mut self, speaker: u32, from: usize) -> Option<(usize, u32)> {
        let seat = self.table.get(speaker)?;
        if let Some(room) = seat.hears.room()
            && from < PARTIES_MAX
            && let Some(found) = self.rooms.next_hearer(room, from)
        {
            return Some(found);
        }
        let nth = from.saturating_sub(PARTIES_MAX);
        seat.hearers.get(nth).map(|hearer| (PARTIES_MAX + nth, *hearer))
    }

    fn spread_event(&mut self, speaker: u32, event: &HeardEvent, packet: Packet, at: usize) {
        let Some(seat) = self.table.get(speaker) else { return self.driver.release(packet) };
        let key = SourceKey { speaker: seat.serial, stream: 0 };
        if let Some(room) = seat.hears.room() {
            self.rooms.mark(room, &event.header, Kind::Event, &[], self.now);
        }
        let mut next = 0;
        while let Some((found, hearer)) = self.next_hearer(speaker, next) {
            next = found + 1;
            self.relay_event(hearer, key, event, &packet, at);
        }
        self.driver.release(packet);
    }

    fn relay_event(&mut self, hearer: u32, key: SourceKey, event: &HeardEvent, packet: &Packet, at: usize) {
        // An event is 16 octets: a copy for each is cheaper than to know who is last.
        let Some(copy) = self.copy(packet) else { return };
        let Some(seat) = self.table.get_mut(hearer) else { return self.driver.release(copy) };
        match seat.leg.relay_event(key, event, self.driver.bytes(&copy), at, self.now) {
            Some((range, to)) => {
                let socket = seat.sockets.out(Door::Rtp, to, &self.browsers);
                self.send(copy, range, socket, to);
            }
            None => self.driver.release(copy),
        }
        // A tone may have begun.
        self.arm(hearer);
    }
}
