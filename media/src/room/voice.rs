//! What a party says: its packets, played out evenly at the room's rate.

use model::media::Codec;

use crate::codec::{CodecError, resample::Resampler};
use crate::jitter::{Heard, Meta, Player};

/// Samples of a frame at the highest rate.
pub(super) const FRAME_MAX: usize = 960;
/// Rates to decode at, the best first.
const RATES: [u32; 3] = [48_000, 16_000, 8_000];

/// The stream of one party. A far end may change its codec at any packet: each codec that came once keeps its player, so that
/// a sender who changes to and fro takes memory once.
pub(super) struct Voice {
    lines: Vec<Line>,
    /// Which of them speaks.
    now: usize,
}

struct Line {
    codec: Codec,
    player: Player,
    native_hz: u32,
    to_room: Option<Resampler>,
    /// A frame as it was decoded.
    native: Box<[i16]>,
}

impl Voice {
    /// A party that is expected to speak this codec in a room of this rate.
    pub fn new(codec: Codec, room_hz: u32) -> Result<Self, CodecError> {
        Ok(Self { lines: vec![Line::new(codec, room_hz)?], now: 0 })
    }

    /// The room has another rate.
    pub fn set_rate(&mut self, room_hz: u32) {
        for line in &mut self.lines {
            line.to_room = Resampler::new(line.native_hz, room_hz).filter(|_| line.native_hz != room_hz);
        }
    }

    /// Something else was negotiated: whoever is ready for it is made use of; what was said is still played.
    pub fn expect(&mut self, other: Self) {
        for line in other.lines {
            if !self.lines.iter().any(|known| known.codec == line.codec) {
                self.lines.push(line);
            }
        }
    }

    /// A packet came. One that cannot be decoded here is left out.
    pub fn put(&mut self, codec: Codec, room_hz: u32, meta: Meta, payload: &[u8], at_us: u64) {
        match self.lines.iter().position(|line| line.codec == codec) {
            Some(line) => self.now = line,
            None => {
                let Ok(line) = Line::new(codec, room_hz) else { return };
                self.now = self.lines.len();
                self.lines.push(line);
            }
        }
        self.mark(meta, payload, at_us);
    }

    /// The same for what belongs to the stream, whatever its codec: events, comfort noise.
    pub fn mark(&mut self, meta: Meta, payload: &[u8], at_us: u64) {
        if let Some(line) = self.lines.get_mut(self.now) {
            line.player.put(meta, payload, at_us);
        }
    }

    /// The next 20 ms, at the room's rate; false when nothing is said.
    pub fn take(&mut self, now_us: u64, out: &mut [i16]) -> bool {
        let Some(line) = self.lines.get_mut(self.now) else { return false };
        line.take(now_us, out)
    }

    /// Whether nothing waits to be said.
    pub fn is_empty(&self) -> bool {
        self.lines.get(self.now).is_none_or(|line| line.player.is_empty())
    }
}

impl Line {
    fn new(codec: Codec, room_hz: u32) -> Result<Self, CodecError> {
        let (native_hz, player) = RATES
            .iter()
            .find_map(|hz| Some((*hz, Player::new(codec, *hz).ok()?)))
            .ok_or(CodecError::Rate(room_hz))?;
        let to_room = Resampler::new(native_hz, room_hz).filter(|_| native_hz != room_hz);
        let native = vec![0; native_hz as usize / 50].into_boxed_slice();
        Ok(Self { codec, player, native_hz, to_room, native })
    }

    fn take(&mut self, now_us: u64, out: &mut [i16]) -> bool {
        let quiet = self.player.take(now_us, &mut self.native) == Heard::Quiet;
        match &mut self.to_room {
            // Every rate is a whole multiple of the others, so a frame becomes a frame.
            Some(resampler) => _ = resampler.process(&self.native, out),
            None => out.iter_mut().zip(&self.native).for_each(|(place, sample)| *place = *sample),
        }
        // A pause may hold comfort noise, and the end of a filter's ringing.
        !quiet || out.iter().any(|sample| *sample != 0)
    }
}

/// The best rate at which a codec is decoded here; `None`: it is not.
pub(super) fn native_hz(codec: Codec) -> Option<u32> {
    RATES.into_iter().find(|hz| crate::codec::Decoder::new(codec, *hz).is_ok())
}
