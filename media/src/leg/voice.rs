//! A voice in another codec on its way to the far end: through a jitter buffer, and out at an even pace (MEDIA-06).
//!
//! ```text
//! payloads ──▶ jitter::Player (order, concealment, drift) ──▶ Recoder (rate, packet time) ──▶ packets of our own
//! ```
//! The first packet after a rest sets the phase: frames are taken a few milliseconds after packets come, every 20 ms (10 where
//! the packet time asks for it), called by the thread's wheel. So a calm network costs 5 to 10 ms, and only late packets buy
//! more delay.
//!
//! In a pause frames of silence, or of the noise the talker wishes for, go on: a stream that stops makes gateways nervous.
//! They end where the far end asked for DTX, when a pause that was not announced lasts, and after [`PAUSE_MAX`].
//!
//! Not here: G.711 to G.711, which is a table, and equal codecs; they are relayed as they come. But for G.729 whose talker describes
//! silence (Annex B) to a listener who wants it sent: that passes here too.

use std::time::Duration;

use model::media::Codec;
use model::time::Timestamp;

use super::incoming::Audio;
use super::{Door, Leg, SourceKey, Wire};
use crate::codec::comfort::NoiseMeter;
use crate::codec::{CodecError, Encoded, Recoder, Shape, begins_pause, rates};
use crate::control::{Format, Playout};
use crate::jitter::{Config, Counts, Heard, Kind, Meta, Player};
use crate::quality::watch::CLIPPED;
use crate::rtp::RtpTimestamp;

/// From the arrival that sets the phase to the first frame. The wheel adds up to its tick of 5 ms.
const PHASE: Duration = Duration::from_millis(5);
/// A thread that was held up for longer goes on from now instead of catching up in a burst.
const LATE_MAX: Duration = Duration::from_millis(200);
/// Silence is sent for so long after the last packet when nobody said that it would be silent.
const REST_AFTER: Duration = Duration::from_millis(400);
/// And when the talker said so.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// Frames of silence before comfort noise takes their place, and between two packets of it.
const NOISE_AFTER: u32 = 10;
const NOISE_EVERY: u32 = 50;

/// See the module.
pub(super) struct Voice {
    speaker: u64,
    from: Codec,
    shape: Shape,
    player: Player,
    recoder: Recoder,
    /// What is taken at a time, and how long that is.
    frame: Box<[i16]>,
    pace: Duration,
    /// When the next frame is to be taken; `None`: at rest.
    next_at: Option<Timestamp>,
    heard_at: Timestamp,
    /// The talker said that it pauses.
    pauses: bool,
    /// RTP time of the next packet; `None` when it must be joined to what was sent before.
    time: Option<RtpTimestamp>,
    /// The next packet begins a talkspurt.
    marker: bool,
    effort: i32,
    /// Frames of silence in a row, and how loud that silence is.
    quiet_frames: u32,
    meter: NoiseMeter,
    loudness: Loudness,
    told: Counts,
}

/// How loud a voice was whose codes do not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loudness {
    /// Samples looked at.
    pub samples: u32,
    /// The largest of them.
    pub peak: u16,
    /// How many were at full scale.
    pub clipped: u32,
}

/// What playout did since it was asked last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlayoutNews {
    /// Packets that came after their time.
    pub late: u64,
    /// Packets that never came.
    pub lost: u64,
    /// Invented, in milliseconds.
    pub concealed_ms: u64,
}

impl std::fmt::Debug for Voice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Voice({:?} to {:?})", self.from, self.recoder.to())
    }
}

impl Voice {
    fn new(speaker: u64, from: Codec, to: Format, shape: Shape) -> Result<Self, CodecError> {
        let (given_hz, wanted_hz) = rates(from, to.codec, shape.playback_rate_max_hz);
        let seed = speaker.wrapping_add(1);
        let config = Config { seed, ..Config::in_phase(from.clock_hz()) };
        let pace_ms = if to.ptime_ms.is_multiple_of(20) { 20 } else { 10 };
        Ok(Self {
            speaker,
            from,
            shape,
            player: Player::with(from, given_hz, config)?,
            recoder: Recoder::new(given_hz, wanted_hz, to, &shape)?,
            frame: vec![0; given_hz as usize / 1_000 * pace_ms].into_boxed_slice(),
            pace: Duration::from_millis(pace_ms as u64),
            next_at: None,
            heard_at: Timestamp::ZERO,
            pauses: false,
            time: None,
            marker: true,
            effort: crate::codec::OPUS_COMPLEXITY,
            quiet_frames: 0,
            meter: NoiseMeter::new(0),
            loudness: Loudness::default(),
            told: Counts::default(),
        })
    }

    fn fits(&self, from: Codec, to: Format, shape: &Shape) -> bool {
        self.from == from && self.recoder.to() == to && self.shape == *shape
    }

    /// A packet came.
    fn put(&mut self, meta: Meta, payload: &[u8], now: Timestamp) {
        self.player.put(meta, payload, now.micros());
        self.heard_at = now;
        self.pauses = match meta.kind {
            Kind::Audio => begins_pause(self.from, payload),
            Kind::Noise => true,
            Kind::Event => self.pauses,
        };
        if self.next_at.is_none() && meta.kind != Kind::Event {
            self.next_at = Some(now + PHASE);
        }
    }

    /// Another talker, or nobody: nothing of before is said any more.
    fn forget(&mut self) {
        self.player.clear();
        self.rest();
    }

    /// Nothing is sent until something comes.
    fn rest(&mut self) {
        self.recoder.rest();
        self.next_at = None;
        (self.time, self.marker) = (None, true);
    }

    /// Takes the frame that is due at `at`; whether it is to be sent.
    fn take(&mut self, at: Timestamp) -> bool {
        let heard = self.player.take(at.micros(), &mut self.frame);
        self.next_at = Some(at + self.pace);
        // Between the frames of an announced pause the player invents: that is the noise of the room, and no voice.
        if heard == Heard::Quiet || self.pauses {
            self.quiet_frames += 1;
            self.meter.listen(&self.frame);
            let silent = at.since(self.heard_at);
            if silent >= if self.pauses { PAUSE_MAX } else { REST_AFTER } {
                self.rest();
                return false;
            }
        } else {
            self.quiet_frames = 0;
            if !matches!(self.from, Codec::Pcmu | Codec::Pcma) {
                self.listen();
            }
        }
        true
    }

    fn listen(&mut self) {
        let (mut peak, mut clipped) = (0u16, 0u32);
        for sample in &self.frame {
            let size = sample.unsigned_abs();
            peak = peak.max(size);
            clipped += u32::from(size >= CLIPPED);
        }
        let loudness = &mut self.loudness;
        loudness.samples = loudness.samples.saturating_add(self.frame.len() as u32);
        loudness.peak = loudness.peak.max(peak);
        loudness.clipped = loudness.clipped.saturating_add(clipped);
    }
}

impl Leg {
    /// Takes a packet of a voice in another codec; [`Leg::timer`] sends what becomes of it. `noise`: it is comfort noise. Says
    /// whether the voice had been at rest, so that the leg has a new deadline. `held_us`: see [`Meta`].
    pub fn hear_voice(
        &mut self,
        key: SourceKey,
        audio: &Audio,
        noise: bool,
        payload: &[u8],
        now: Timestamp,
        held_us: u32,
    ) -> Result<bool, CodecError> {
        let Some((setup, send)) = self.setup.as_ref().and_then(|setup| Some((setup, setup.send?))) else {
            return Ok(false);
        };
        let voice = prepare(&mut self.voice, key.speaker, audio.codec, send, setup.shape)?;
        let rested = voice.next_at.is_none();
        let kind = if noise { Kind::Noise } else { Kind::Audio };
        let header = &audio.header;
        let meta =
            Meta { ssrc: header.ssrc, seq: header.seq.0, timestamp: header.timestamp.0, kind, held_us };
        voice.put(meta, payload, now);
        Ok(rested)
    }

    /// An event took a number among those of a voice: it is no loss.
    pub(super) fn voice_passes_over(&mut self, key: SourceKey, header: &crate::rtp::Header, now: Timestamp) {
        if let Some(voice) = self.voice.as_mut().filter(|voice| voice.speaker == key.speaker) {
            let (seq, timestamp) = (header.seq.0, header.timestamp.0);
            voice.put(Meta { ssrc: header.ssrc, seq, timestamp, kind: Kind::Event, held_us: 0 }, &[], now);
        }
    }

    /// Makes what a voice needs beforehand, so that its first packet need not.
    pub(super) fn prepare_voice(&mut self, key: SourceKey, from: Codec) -> Result<(), CodecError> {
        let Some((setup, send)) = self.setup.as_ref().and_then(|setup| Some((setup, setup.send?))) else {
            return Ok(());
        };
        prepare(&mut self.voice, key.speaker, from, send, setup.shape).map(drop)
    }

    /// Another talker comes, or nobody.
    pub(super) fn voice_ends(&mut self) {
        if let Some(voice) = &mut self.voice {
            voice.forget();
        }
    }

    /// When the next frame is due.
    pub(super) fn voice_deadline(&self) -> Option<Timestamp> {
        self.voice.as_ref().and_then(|voice| voice.next_at)
    }

    /// Sends the frames that are due.
    pub(super) fn speak(&mut self, now: Timestamp, wire: &mut dyn Wire) {
        let Some(mut voice) = self.voice.take() else { return };
        while let Some(at) = voice.next_at.filter(|at| *at <= now) {
            if now.since(at) > LATE_MAX {
                voice.next_at = Some(now);
                voice.time = None;
                voice.player.shed(now.micros());
                continue;
            }
            if voice.take(at) {
                self.say(&mut voice, now, wire);
            }
        }
        self.voice = Some(voice);
    }

    /// Sends what a frame completes. Digits go before voices; a voice that was interrupted is joined anew.
    fn say(&mut self, voice: &mut Voice, now: Timestamp, wire: &mut dyn Wire) {
        let to = self.destination().filter(|_| !self.sends_digits() && !self.relays_event(now));
        let Some(to) = to else {
            voice.recoder.rest();
            (voice.time, voice.marker) = (None, true);
            return;
        };
        self.outgoing.set_clock(voice.recoder.to().codec.clock_hz());
        // A codec that describes silence itself does so better.
        let described = voice.recoder.to().codec == Codec::G729 && voice.shape.dtx;
        if let Some(noise) = self.setup.as_ref().and_then(|setup| setup.comfort_noise)
            && voice.quiet_frames > NOISE_AFTER
            && !described
        {
            return self.say_noise(voice, noise, to, now, wire);
        }
        let Voice { recoder, frame, time, marker, .. } = voice;
        let payload_type = recoder.to().payload_type;
        let Self { outgoing, protection, .. } = self;
        recoder.push(frame, &mut |Encoded { payload, duration }| {
            let at = time.unwrap_or_else(|| outgoing.time_at(now));
            *time = Some(at.plus(duration));
            if payload.is_empty() {
                *marker = true;
                return;
            }
            let header = outgoing.own(payload_type, std::mem::take(marker), at);
            wire.put(Door::Rtp, to, &mut |room| {
                let len = super::hearing::write_packet(&header, payload, room);
                protection.protect_rtp(room, len).unwrap_or(0)
            });
            outgoing.sent(&header, payload.len(), duration, now);
        });
    }

    /// Tells a far end that takes comfort noise (RFC 3389) how the pause sounds, now and then, instead of sending it.
    fn say_noise(
        &mut self,
        voice: &mut Voice,
        payload_type: u8,
        to: std::net::SocketAddr,
        now: Timestamp,
        wire: &mut dyn Wire,
    ) {
        voice.recoder.rest();
        let at = voice.time.unwrap_or_else(|| self.outgoing.time_at(now));
        let ticks = self.send_clock() / 1_000 * voice.pace.as_millis() as u32;
        (voice.time, voice.marker) = (Some(at.plus(ticks)), true);
        if (voice.quiet_frames - NOISE_AFTER) % NOISE_EVERY != 1 {
            return;
        }
        let mut payload = [0; 1];
        let len = voice.meter.payload(&mut payload);
        let header = self.outgoing.own(payload_type, false, at);
        self.put(&header, payload.get(..len).unwrap_or_default(), to, wire);
        self.outgoing.sent(&header, len, ticks, now);
    }

    /// How hard encoders try from now on, 0 to 10: the thread's load decides.
    pub fn set_effort(&mut self, complexity: i32) {
        if let Some(voice) = self.voice.as_mut().filter(|voice| voice.effort != complexity) {
            voice.effort = complexity;
            voice.recoder.set_effort(complexity);
        }
    }

    /// How loud the voice it hears was since the last time, where its codes do not tell.
    pub fn take_loudness(&mut self) -> Option<Loudness> {
        let loudness = std::mem::take(&mut self.voice.as_mut()?.loudness);
        (loudness.samples > 0).then_some(loudness)
    }

    /// What playout did since the last time; and how long words wait now, in milliseconds, while somebody speaks.
    pub fn playout_news(&mut self, now: Timestamp) -> Option<(PlayoutNews, Option<u64>)> {
        let voice = self.voice.as_mut()?;
        let counts = voice.player.counts();
        let told = std::mem::replace(&mut voice.told, counts);
        let ms = |ticks: u64| ticks * 1_000 / u64::from(voice.from.clock_hz());
        let news = PlayoutNews {
            late: counts.late.saturating_sub(told.late),
            lost: counts.lost.saturating_sub(told.lost),
            concealed_ms: ms(counts.concealed_ticks).saturating_sub(ms(told.concealed_ticks)),
        };
        Some((
            news,
            voice.next_at.and(voice.player.waited_us(now.micros())).map(|us| us.max(0) as u64 / 1_000),
        ))
    }

    /// Playout of the voice it hears, where that is decoded.
    pub(super) fn playout(&self) -> Option<Playout> {
        let voice = self.voice.as_ref()?;
        let counts = voice.player.counts();
        let ms = |ticks: u64| ticks * 1_000 / u64::from(voice.from.clock_hz());
        Some(Playout {
            late: counts.late,
            lost: counts.lost,
            concealed_ms: ms(counts.concealed_ticks),
            buffered_ms: (voice.player.buffer().delay().target_us() / 1_000) as u32,
        })
    }
}

/// What this voice needs: what is at hand when it fits, else made anew.
fn prepare(
    slot: &mut Option<Box<Voice>>,
    speaker: u64,
    from: Codec,
    to: Format,
    shape: Shape,
) -> Result<&mut Voice, CodecError> {
    if !slot.as_ref().is_some_and(|old| old.fits(from, to, &shape)) {
        *slot = Some(Box::new(Voice::new(speaker, from, to, shape)?));
    }
    let Some(voice) = slot else { return Err(CodecError::PacketTime(to.ptime_ms)) };
    if voice.speaker != speaker {
        voice.speaker = speaker;
        voice.forget();
    }
    Ok(voice)
}

#[cfg(test)]
mod tests;
