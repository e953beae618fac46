//! From packets to an even flow of samples.

use model::media::Codec;

use super::{Buffer, Config, Counts, Kind, Meta, Pace, Placed, Taken, stretch};
use crate::codec::comfort::NoiseMaker;
use crate::codec::{CodecError, Decoder, PACKET_MS_MAX, begins_pause};

/// What a frame is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// What was said.
    Voice,
    /// At least a part of it had to be invented.
    Concealed,
    /// Nobody speaks: silence, or comfort noise where the talker asked for it.
    Quiet,
}

/// Plays one stream. Allocates in [`Player::new`] only.
pub struct Player {
    buffer: Buffer,
    decoder: Decoder,
    clock_hz: u64,
    rate_hz: u32,
    /// Samples that were played, `history` of them, and behind them those to be played.
    line: Vec<i16>,
    history: usize,
    /// The noise the talker wishes for in pauses (RFC 3389), silent until one did; and a frame of it.
    noise: NoiseMaker,
    noise_frame: Vec<i16>,
    /// Whether the frame before was silence.
    quiet: bool,
    codec: Codec,
    /// The talker pauses as its codec can say it (DTX): its decoder makes the noise of the room meanwhile.
    dtx: bool,
    /// Samples of the frame given last.
    given: usize,
}

impl Player {
    /// A player that gives samples at `rate_hz`; see [`Decoder::new`] for the rates of a codec.
    pub fn new(codec: Codec, rate_hz: u32) -> Result<Self, CodecError> {
        Self::with(codec, rate_hz, Config::new(codec.clock_hz()))
    }

    /// The same with other bounds. The clock is the codec's, whatever the configuration says.
    pub fn with(codec: Codec, rate_hz: u32, config: Config) -> Result<Self, CodecError> {
        let decoder = Decoder::new(codec, rate_hz)?;
        let history = stretch::longest(rate_hz);
        // A packet on top of what accelerating looks at, one more that makes it up, and an inserted period.
        let room = history + 3 * rate_hz as usize / 1000 * PACKET_MS_MAX + history;
        let mut line = Vec::with_capacity(room);
        line.resize(history, 0);
        Ok(Self {
            buffer: Buffer::new(Config { clock_hz: codec.clock_hz(), ..config }),
            decoder,
            clock_hz: u64::from(codec.clock_hz()),
            rate_hz,
            line,
            history,
            noise: NoiseMaker::new(config.seed),
            noise_frame: vec![0; rate_hz as usize * 60 / 1000],
            quiet: true,
            codec,
            dtx: false,
            given: 0,
        })
    }

    /// A packet came. Events and comfort noise are told by `meta.kind`.
    pub fn put(&mut self, meta: Meta, payload: &[u8], at_us: u64) -> Placed {
        let ticks = match meta.kind {
            Kind::Audio => self.decoder.samples_in(payload).map_or(0, |samples| self.ticks(samples)),
            Kind::Noise | Kind::Event => 0,
        };
        let payload = if meta.kind == Kind::Event { &[] } else { payload };
        self.buffer.put(meta, ticks, payload, at_us)
    }

    /// Fills `out`, at most 60 ms, with what is to be heard now. Call once for each such time.
    pub fn take(&mut self, now_us: u64, out: &mut [i16]) -> Heard {
        let wanted = out.len().min(self.rate_hz as usize * 60 / 1000);
        let (mut heard, mut pace, mut tries) = (Heard::Voice, Pace::Even, 0);
        while self.pending() < wanted
            || pace == Pace::Faster && self.pending() < stretch::needed(self.rate_hz)
        {
            tries += 1;
            if tries > TRIES_MAX {
                break;
            }
            match self.decode_one(now_us, wanted) {
                Decoded::Frame(Pace::Even) => {}
                Decoded::Frame(changed) => pace = changed,
                Decoded::Lost => heard = Heard::Concealed,
                Decoded::Quiet { wholly } => {
                    heard = if wholly { Heard::Quiet } else { heard };
                    break;
                }
            }
        }
        self.change(pace);
        let given = self.pending().min(wanted);
        out[..given].copy_from_slice(&self.line[self.history..][..given]);
        out[given..].fill(0);
        self.given = given;
        self.line.copy_within(given.., 0);
        self.line.truncate(self.line.len() - given);
        heard
    }

    /// What waits is not played any more: another talker comes.
    pub fn clear(&mut self) {
        self.buffer.clear();
        self.decoder.reset();
        self.line.truncate(self.history);
        self.line.fill(0);
        (self.quiet, self.dtx, self.given) = (true, false, 0);
        self.noise.wish(&[127]);
    }

    /// See [`Buffer::shed`].
    pub fn shed(&mut self, now_us: u64) {
        self.buffer.shed(now_us);
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        self.buffer.counts()
    }

    /// Whether nothing waits to be played.
    pub fn is_empty(&self) -> bool {
        self.pending() == 0 && self.buffer.buffered() == 0
    }

    /// The packets.
    pub fn buffer(&self) -> &Buffer {
        &self.buffer
    }

    /// How long the frame taken at `now_us` had waited when it was; `None` in a pause.
    pub fn waited_us(&self, now_us: u64) -> Option<i64> {
        self.buffer.waited_us(now_us, self.micros(self.pending() + self.given))
    }

    fn decode_one(&mut self, now_us: u64, wanted: usize) -> Decoded {
        let ahead_us = self.ahead_us();
        let from = self.line.len();
        // The longest packet always fits: pending never exceeds two of them before.
        let longest = self.rate_hz as usize / 1000 * PACKET_MS_MAX;
        match self.buffer.take(now_us, ahead_us) {
            Taken::Frame { payload, fresh, pace } => {
                if fresh {
                    self.decoder.reset();
                }
                self.quiet = false;
                self.dtx = begins_pause(self.codec, payload);
                let samples = self.decoder.samples_in(payload).unwrap_or(0);
                self.line.resize(from + samples, 0);
                if self.decoder.decode(payload, &mut self.line[from..]) != Some(samples) {
                    self.line.truncate(from);
                }
                Decoded::Frame(pace)
            }
            Taken::Lost { ticks, next } => {
                let samples = (u64::from(ticks) * u64::from(self.rate_hz) / self.clock_hz) as usize;
                self.line.resize(from + samples.clamp(1, longest), 0);
                self.decoder.conceal(next, &mut self.line[from..]);
                Decoded::Lost
            }
            Taken::Noise(parameters) => {
                self.noise.wish(parameters);
                self.fall_quiet(wanted)
            }
            Taken::Quiet => self.fall_quiet(wanted),
        }
    }

    /// Fills up with silence or comfort noise; in the first of it the end of what was said dies away.
    fn fall_quiet(&mut self, wanted: usize) -> Decoded {
        let from = self.line.len();
        let wholly = from == self.history;
        if from >= self.history + wanted {
            return Decoded::Quiet { wholly: false };
        }
        self.line.resize(self.history + wanted, 0);
        if self.dtx {
            self.decoder.conceal(None, &mut self.line[from..]);
        } else if !std::mem::replace(&mut self.quiet, true) {
            let tail = &mut self.line[from..];
            self.decoder.conceal(None, tail);
            let len = tail.len().max(1);
            for (i, sample) in tail.iter_mut().enumerate() {
                *sample = (i32::from(*sample) * (len - 1 - i) as i32 / len as i32) as i16;
            }
        }
        // Comfort noise belongs to codecs of 8 kHz here, so its colour needs no resampling.
        if self.rate_hz == 8_000 {
            let noise = &mut self.noise_frame[..self.line.len() - from];
            self.noise.fill(noise);
            let both = self.line[from..].iter_mut().zip(noise);
            both.for_each(|(sample, noise)| *sample = sample.saturating_add(*noise));
        }
        Decoded::Quiet { wholly }
    }

    fn change(&mut self, pace: Pace) {
        let changed = match pace {
            Pace::Even => return,
            Pace::Faster => -(stretch::shorten(&mut self.line, self.history, self.rate_hz) as i64),
            Pace::Slower => stretch::lengthen(&mut self.line, self.history, self.rate_hz) as i64,
        };
        self.buffer.stretched((changed * self.clock_hz as i64 / i64::from(self.rate_hz)) as i32);
    }

    fn pending(&self) -> usize {
        self.line.len() - self.history
    }

    fn ahead_us(&self) -> u64 {
        self.micros(self.pending())
    }

    fn micros(&self, samples: usize) -> u64 {
        samples as u64 * 1_000_000 / u64::from(self.rate_hz)
    }

    fn ticks(&self, samples: usize) -> u32 {
        (samples as u64 * self.clock_hz / u64::from(self.rate_hz)) as u32
    }
}

enum Decoded {
    Frame(Pace),
    Lost,
    /// `wholly`: nothing else is in the frame.
    Quiet {
        wholly: bool,
    },
}

/// Packets looked at for one frame: 60 ms of packets of 2.5 ms, and 30 ms for accelerating.
const TRIES_MAX: u32 = 40;
