//! One direction of a call between two codecs: payloads in, payloads out.
//!
//! Time is kept by samples, not by packets: what comes in is decoded into a short store, and whenever the store holds a
//! packet's worth for the listener, a packet leaves. So any packet time meets any other. The sampling rate between the
//! two codecs is the lower one (8 kHz when either side is G.711; Opus decodes and encodes at 8 kHz itself), so that no
//! resampler is on the way.
//!
//! Holes are told apart by sequence number and timestamp. Numbers missing: packets were lost, and up to 60 ms are
//! concealed, because the listener's own concealment cannot know what ours knows (Opus carries a copy of the packet before).
//! Numbers complete but time jumped: the talker was silent (RFC 3551 §4.1); the jump is handed on. A number from the past
//! is a packet that was overtaken: its hole is concealed already, so it is dropped.

use model::media::Codec;

use super::{CodecError, Decoder, Encoder, PACKET_SAMPLES_MAX, PAYLOAD_MAX};
use crate::control::Format;

/// What arrived, as the RTP header tells.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Sequence number.
    pub seq: u16,
    /// RTP timestamp, in the clock of the codec it came in.
    pub timestamp: u32,
    /// The payload, padding removed.
    pub payload: &'a [u8],
}

/// A packet to send: borrowed from the transcoder until the callback returns.
#[derive(Clone, Copy, Debug)]
pub struct Encoded<'a> {
    /// The payload.
    pub payload: &'a [u8],
    /// How long it lasts, in the listener's RTP clock: add it to the timestamp *after* this packet.
    pub duration: u32,
    /// Silence before it that was not sent, in the listener's RTP clock: add it to the timestamp *before* this packet.
    pub skipped: u32,
    /// The first packet of a talkspurt: set the marker bit (RFC 3551 §4.1).
    pub marker: bool,
}

/// What became of the packets so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Decoded.
    pub decoded: u64,
    /// Came after a later one, or twice.
    pub late: u64,
    /// Not decodable.
    pub broken: u64,
    /// Milliseconds concealed.
    pub concealed_ms: u64,
}

/// Turns one stream into another codec or packet time.
///
/// All memory is taken in [`Transcoder::new`]: 4960 octets for G.711 to G.711, 36.6 KB for G.711 to Opus, 23.4 KB for
/// Opus to G.711, 66.3 KB for Opus to Opus (measured; libopus' states are most of it).
pub struct Transcoder {
    from: Format,
    to: Format,
    decoder: Decoder,
    encoder: Encoder,
    /// Samples a packet to the listener.
    frame: usize,
    /// What the next packet should be called; `None` before the first.
    next: Option<Next>,
    /// Decoded and not yet sent; `held` of them.
    store: Box<[i16]>,
    held: usize,
    /// Where packets are encoded.
    packet: Box<[u8]>,
    skipped: u32,
    marker: bool,
    counts: Counts,
}

#[derive(Clone, Copy)]
struct Next {
    seq: u16,
    timestamp: u32,
    /// Ticks of the packet before.
    ticks: u32,
}

impl Transcoder {
    /// A transcoder for one direction. `to` decides the packet time; Opus rounds it down to 10, 20, 40 or 60 ms.
    pub fn new(from: Format, to: Format) -> Result<Self, CodecError> {
        if !(10..=60).contains(&to.ptime_ms) {
            return Err(CodecError::PacketTime(to.ptime_ms));
        }
        let rate = match (from.codec, to.codec) {
            (Codec::Opus, Codec::Opus) => 48_000,
            _ => 8_000,
        };
        let ptime_ms = match (to.codec, to.ptime_ms) {
            (Codec::Opus, 60) => 60,
            (Codec::Opus, 40..) => 40,
            (Codec::Opus, 20..) => 20,
            (Codec::Opus, _) => 10,
            (_, ms) => usize::from(ms),
        };
        let frame = rate / 1000 * ptime_ms;
        Ok(Self {
            from,
            to,
            decoder: Decoder::new(from.codec, rate as u32)?,
            encoder: Encoder::new(to.codec, rate as u32)?,
            frame,
            next: None,
            // Less than a frame is left over; a packet or a concealment is added to that.
            store: vec![0; frame + rate / 1000 * super::PACKET_MS_MAX].into_boxed_slice(),
            held: 0,
            packet: vec![0; PAYLOAD_MAX].into_boxed_slice(),
            skipped: 0,
            marker: true,
            counts: Counts::default(),
        })
    }

    /// Takes a packet; calls `out` for each packet that is ready to be sent, in order.
    pub fn push(&mut self, packet: Packet<'_>, out: &mut impl FnMut(Encoded<'_>)) {
        let Some(samples) = self.decoder.samples_in(packet.payload) else {
            self.counts.broken += 1;
            return;
        };
        let ticks = self.ticks_in(samples);
        if let Some(next) = self.next {
            let ahead = packet.seq.wrapping_sub(next.seq) as i16;
            let jump = packet.timestamp.wrapping_sub(next.timestamp) as i32;
            if (-MISORDER_MAX..0).contains(&ahead) {
                self.counts.late += 1;
                return;
            }
            if !(0..DROPOUT_MAX).contains(&ahead)
                || jump.unsigned_abs() > JUMP_S_MAX * self.from.codec.clock_hz()
            {
                // Another stream under the same name (RFC 3550 A.1): nothing is known about what lies between.
                self.decoder.reset();
                self.skip(0, out);
            } else if jump > 0 {
                let lost = if ahead > 0 { u32::from(ahead as u16) * next.ticks } else { 0 };
                self.bridge(jump as u32, lost, packet.payload, out);
            }
        }
        if let Some(n) = self.decoder.decode(packet.payload, &mut self.store[self.held..]) {
            self.held += n;
            self.counts.decoded += 1;
        } else {
            self.counts.broken += 1;
            self.conceal(samples, None);
        }
        self.next = Some(Next {
            seq: packet.seq.wrapping_add(1),
            timestamp: packet.timestamp.wrapping_add(ticks),
            ticks,
        });
        self.emit(out);
    }

    /// Another source begins (SSRC change, re-bridge): history is forgotten, what is held is dropped.
    pub fn reset(&mut self) {
        self.decoder.reset();
        self.next = None;
        self.held = 0;
        self.skipped = 0;
        self.marker = true;
    }

    /// What comes in.
    pub fn from(&self) -> Format {
        self.from
    }

    /// What goes out.
    pub fn to(&self) -> Format {
        self.to
    }

    /// What became of the packets so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Fills a hole of `jump` ticks, of which `lost` may have been audio.
    fn bridge(&mut self, jump: u32, lost: u32, next: &[u8], out: &mut impl FnMut(Encoded<'_>)) {
        let limit = self.from.codec.clock_hz() / 1000 * CONCEAL_MS_MAX;
        let concealed = jump.min(lost).min(limit);
        // The copy in the next packet is of the packet right before it: of use only when the hole is filled to its end.
        let copy = (concealed == jump).then_some(next);
        if concealed > 0 {
            self.conceal(self.samples_of(concealed), copy);
            self.emit(out);
        }
        if concealed < jump {
            let rate = u64::from(self.to.codec.clock_hz());
            let rest = u64::from(jump - concealed) * rate / u64::from(self.from.codec.clock_hz());
            self.skip(rest as u32, out);
        }
    }

    fn conceal(&mut self, samples: usize, next: Option<&[u8]>) {
        let end = (self.held + samples).min(self.store.len());
        self.decoder.conceal(next, &mut self.store[self.held..end]);
        self.counts.concealed_ms += ((end - self.held) * 1000 / self.decoder.rate_hz() as usize) as u64;
        self.held = end;
    }

    /// Sends what is held, filled up with silence, and leaves `ticks` of the listener's clock out.
    fn skip(&mut self, ticks: u32, out: &mut impl FnMut(Encoded<'_>)) {
        let mut filled = 0;
        if self.held > 0 {
            filled = self.frame - self.held;
            self.store[self.held..self.frame].fill(0);
            self.held = self.frame;
            self.emit(out);
        }
        let filled = filled as u64 * u64::from(self.to.codec.clock_hz()) / u64::from(self.encoder.rate_hz());
        self.skipped = self.skipped.wrapping_add(ticks.saturating_sub(filled as u32));
        self.marker = true;
    }

    fn emit(&mut self, out: &mut impl FnMut(Encoded<'_>)) {
        let duration = (self.frame as u64 * u64::from(self.to.codec.clock_hz())
            / u64::from(self.encoder.rate_hz())) as u32;
        let mut sent = 0;
        while self.held - sent >= self.frame {
            let samples = &self.store[sent..sent + self.frame];
            sent += self.frame;
            // The only way to fail is a packet that does not fit, and 60 ms at our bit rate are 180 octets.
            let Some(len) = self.encoder.encode(samples, &mut self.packet) else {
                self.skipped = self.skipped.wrapping_add(duration);
                continue;
            };
            let (skipped, marker) = (std::mem::take(&mut self.skipped), std::mem::take(&mut self.marker));
            out(Encoded { payload: &self.packet[..len], duration, skipped, marker });
        }
        self.store.copy_within(sent..self.held, 0);
        self.held -= sent;
    }

    fn ticks_in(&self, samples: usize) -> u32 {
        (samples as u64 * u64::from(self.from.codec.clock_hz()) / u64::from(self.decoder.rate_hz())) as u32
    }

    fn samples_of(&self, ticks: u32) -> usize {
        (u64::from(ticks) * u64::from(self.decoder.rate_hz()) / u64::from(self.from.codec.clock_hz()))
            as usize
    }
}

/// Longest stretch that is invented; after it, silence is more honest.
const CONCEAL_MS_MAX: u32 = 60;
/// A number this far back is an overtaken packet; farther, a new stream (RFC 3550 A.1).
const MISORDER_MAX: i16 = 100;
/// A number this far ahead is a new stream (RFC 3550 A.1).
const DROPOUT_MAX: i16 = 3_000;
/// A timestamp this many seconds off is a new stream.
const JUMP_S_MAX: u32 = 10;

const _: () = assert!(PACKET_SAMPLES_MAX == 5_760);

#[cfg(test)]
mod tests;
