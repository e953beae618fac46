//! What a party hears: frames of the mix, as packets of its codec.

use super::voice::FRAME_MAX;
use crate::codec::{CodecError, Encoder, PAYLOAD_MAX, packet_ms, resample::Resampler};
use crate::control::Format;

/// An encoder with what must come before it.
pub(super) struct Ear {
    to: Format,
    encoder: Encoder,
    from_room: Option<Resampler>,
    /// Samples of a packet, and its length in the RTP clock.
    frame: usize,
    ticks: u32,
    /// Samples that wait to be a packet; `held` of them.
    store: Box<[i16]>,
    held: usize,
    packet: Box<[u8]>,
    /// The next packet follows packets of another encoder.
    fresh: bool,
}

impl Ear {
    /// For a far end that is sent `to`, in a room of this rate; packets last as the codec can have it ([`packet_ms`]).
    pub fn new(to: Format, room_hz: u32) -> Result<Self, CodecError> {
        if !(10..=60).contains(&to.ptime_ms) {
            return Err(CodecError::PacketTime(to.ptime_ms));
        }
        // The room's own if the codec can have it; G.722 is never at less than 16 kHz.
        let (hz, encoder) = [room_hz, 16_000, 8_000]
            .into_iter()
            .filter_map(|hz| Some((hz, Encoder::new(to.codec, hz).ok()?)))
            .next()
            .ok_or(CodecError::Rate(room_hz))?;
        let ptime_ms = u32::from(packet_ms(to.codec, to.ptime_ms));
        let frame = (hz / 1_000 * ptime_ms) as usize;
        Ok(Self {
            to,
            encoder,
            from_room: Resampler::new(room_hz, hz).filter(|_| room_hz != hz),
            frame,
            ticks: to.codec.clock_hz() / 1_000 * ptime_ms,
            store: vec![0; frame + FRAME_MAX + 1].into_boxed_slice(),
            held: 0,
            packet: vec![0; PAYLOAD_MAX].into_boxed_slice(),
            fresh: false,
        })
    }

    pub const fn to(&self) -> Format {
        self.to
    }

    /// The room has another rate: what waited was part of a frame that died away.
    pub fn set_rate(&mut self, room_hz: u32) {
        // Every rate of a room is one that the codec was made for before: this cannot fail.
        if let Ok(ear) = Self::new(self.to, room_hz) {
            *self = ear;
            self.join();
        }
    }

    /// Whether each frame of the mix is one packet, so that another's packets are as good.
    pub const fn is_even(&self) -> bool {
        self.to.ptime_ms == 20
    }

    /// The far end heard packets of another encoder, or none: the next one stands on its own.
    pub fn begin_anew(&mut self) {
        self.encoder.reset();
        self.held = 0;
        if let Some(resampler) = &mut self.from_room {
            resampler.reset();
        }
        self.join();
    }

    /// Somebody begins to hear packets of this encoder: the next one stands on its own.
    pub fn join(&mut self) {
        self.encoder.next_stands_alone(true);
        self.fresh = true;
    }

    /// Takes a frame of the mix; calls `out` with each packet that is complete, and its length in the RTP clock.
    pub fn hear(&mut self, frame: &[i16], out: &mut dyn FnMut(&[u8], u32)) {
        let room = self.store.get_mut(self.held..).unwrap_or_default();
        self.held += match &mut self.from_room {
            Some(resampler) => resampler.process(frame, room),
            None => room.iter_mut().zip(frame).map(|(place, sample)| *place = *sample).count(),
        };
        self.emit(out);
    }

    /// Sends what is left over, filled up with silence.
    pub fn finish(&mut self, out: &mut dyn FnMut(&[u8], u32)) {
        if self.held > 0
            && let Some(rest) = self.store.get_mut(self.held..self.frame)
        {
            rest.fill(0);
            self.held = self.frame;
            self.emit(out);
        }
    }

    fn emit(&mut self, out: &mut dyn FnMut(&[u8], u32)) {
        let mut sent = 0;
        while let Some(samples) =
            self.store.get(sent..sent + self.frame).filter(|_| self.held - sent >= self.frame)
        {
            sent += self.frame;
            // It fails for packets that do not fit, and 60 ms at our bit rates are far from that.
            if let Some(len) = self.encoder.encode(samples, &mut self.packet)
                && let Some(payload) = self.packet.get(..len)
            {
                out(payload, self.ticks);
            }
            if std::mem::take(&mut self.fresh) {
                self.encoder.next_stands_alone(false);
            }
        }
        self.store.copy_within(sent..self.held, 0);
        self.held -= sent;
    }
}
