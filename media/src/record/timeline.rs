//! One channel's samples on the recording's timeline.
//!
//! Where a packet belongs is told by its RTP timestamp; where the timestamps of a run begin is told by arrival. Arrival
//! alone would put network jitter into the recording, timestamps alone know nothing of the other channel. The fastest
//! packets of each 5 s tell how the far end's clock drifts, and the run is moved with it.
//!
//! Packets wait 200 ms for those they overtook, are decoded in order, and end in a window of samples that the mixer
//! empties from the front. Holes are silence: a recording invents nothing.

use std::collections::BTreeMap;

use model::media::Codec;

use super::format::Payload;
use crate::codec::{Decoder, PACKET_SAMPLES_MAX, resample::Resampler};

/// One channel of a recording being finished.
pub(super) struct Track {
    rate_hz: u32,
    voice: Option<Voice>,
    run: Option<Run>,
    /// Tells runs apart in the queue: a later run comes after an earlier one whatever its timestamps.
    runs: u64,
    /// Payloads by run and timestamp, that wait for those they overtook.
    queue: BTreeMap<(u64, i64), Queued>,
    window: Window,
    /// Samples decoded, and packets that were no use: undecodable, late, or twice.
    pub(super) samples: u64,
    pub(super) useless: u64,
    pcm: Box<[i16]>,
    resampled: Box<[i16]>,
}

struct Queued {
    at_us: u64,
    codec: Codec,
    /// Where its first sample belongs.
    place: u64,
    octets: Vec<u8>,
}

struct Voice {
    codec: Codec,
    run: u64,
    decoder: Decoder,
    resampler: Option<Resampler>,
    /// Where the next sample belongs if nothing is missing.
    next: u64,
}

/// A stretch of one sender's timestamps.
struct Run {
    codec: Codec,
    epoch: u16,
    /// Arrival of the first packet, corrected by drift; microseconds since the recording began.
    begin_us: i64,
    /// Timestamp of the last packet, unwrapped from 0 at the first.
    ticks: i64,
    timestamp: u32,
    at_us: i64,
    /// Earliest arrival against the timeline in this span.
    floor_us: i64,
    span_ends_us: i64,
}

impl Track {
    pub(super) fn new(rate_hz: u32) -> Self {
        Self {
            rate_hz,
            voice: None,
            run: None,
            runs: 0,
            queue: BTreeMap::new(),
            window: Window::default(),
            samples: 0,
            useless: 0,
            pcm: vec![0; PACKET_SAMPLES_MAX].into_boxed_slice(),
            resampled: vec![0; PACKET_SAMPLES_MAX * 2 + 2].into_boxed_slice(),
        }
    }

    /// Takes a payload; `at_us` is its arrival since the recording began.
    pub(super) fn push(&mut self, payload: &Payload<'_>, at_us: u64) {
        let now = at_us as i64;
        let clock = i64::from(payload.codec.clock_hz());
        let goes_on = self.run.as_mut().is_some_and(|run| {
            if run.codec != payload.codec || run.epoch != payload.epoch {
                return false;
            }
            let ticks = run.ticks + i64::from(payload.timestamp.wrapping_sub(run.timestamp) as i32);
            let late_us = now - (run.begin_us + ticks * 1_000_000 / clock);
            if !(-AHEAD_US..BEHIND_US).contains(&late_us) {
                // Timestamps jumped, or stood still through a hold: arrival tells where to go on.
                return false;
            }
            run.floor_us = run.floor_us.min(late_us);
            if now >= run.span_ends_us {
                if run.floor_us.abs() > DRIFT_US {
                    run.begin_us += run.floor_us;
                }
                (run.floor_us, run.span_ends_us) = (i64::MAX, now + SPAN_US);
            }
            // An overtaken packet must not pull the reference back.
            if ticks > run.ticks {
                (run.ticks, run.timestamp, run.at_us) = (ticks, payload.timestamp, now);
            }
            true
        });
        if !goes_on {
            self.runs += 1;
            self.run = Some(Run {
                codec: payload.codec,
                epoch: payload.epoch,
                begin_us: now,
                ticks: 0,
                timestamp: payload.timestamp,
                at_us: now,
                floor_us: i64::MAX,
                span_ends_us: now + SPAN_US,
            });
        }
        let Some(run) = &self.run else { return };
        let ticks = run.ticks + i64::from(payload.timestamp.wrapping_sub(run.timestamp) as i32);
        let place_us = run.begin_us + ticks * 1_000_000 / clock;
        let queued = Queued {
            at_us,
            codec: payload.codec,
            place: (place_us.max(0) as u64).saturating_mul(u64::from(self.rate_hz)) / 1_000_000,
            octets: payload.octets.to_vec(),
        };
        if self.queue.insert((self.runs, ticks), queued).is_some() {
            self.useless += 1;
        }
        if self.queue.len() > QUEUE_MAX {
            self.decode_first();
        }
    }

    /// Decodes what has waited long enough at `now_us`.
    pub(super) fn settle(&mut self, now_us: u64) {
        while self.queue.first_key_value().is_some_and(|(_, q)| now_us.saturating_sub(q.at_us) >= PATIENCE_US)
        {
            self.decode_first();
        }
    }

    /// Decodes all that is left.
    pub(super) fn settle_all(&mut self) {
        while !self.queue.is_empty() {
            self.decode_first();
        }
    }

    /// Moves samples from the front of the window to `out`; silence where there are none.
    pub(super) fn read(&mut self, out: &mut [i16]) {
        self.window.read(out);
    }

    fn decode_first(&mut self) {
        let Some(((run, _), queued)) = self.queue.pop_first() else { return };
        if self.voice.as_ref().is_none_or(|voice| voice.codec != queued.codec) {
            self.voice = Voice::new(queued.codec, run, self.rate_hz);
        }
        let Some(voice) = &mut self.voice else {
            self.useless += 1;
            return;
        };
        if voice.run != run {
            voice.run = run;
            voice.decoder.reset();
        }
        let Some(n) = voice.decoder.decode(&queued.octets, &mut self.pcm) else {
            self.useless += 1;
            return;
        };
        // Rounding of microseconds moves a place by a sample; only a real hole breaks the line.
        let step = queued.place.abs_diff(voice.next);
        let place = if step <= u64::from(self.rate_hz) / 1_000 { voice.next } else { queued.place };
        let samples = match &mut voice.resampler {
            None => &self.pcm[..n],
            Some(resampler) => {
                if place != voice.next {
                    resampler.reset();
                }
                let made = resampler.process(&self.pcm[..n], &mut self.resampled);
                &self.resampled[..made]
            }
        };
        voice.next = place + samples.len() as u64;
        let delay = voice.resampler.as_ref().map_or(0, Resampler::delay) as u64;
        if self.window.write(place.saturating_sub(delay), samples) {
            self.samples += samples.len() as u64;
        } else {
            self.useless += 1;
        }
    }
}

impl Voice {
    fn new(codec: Codec, run: u64, rate_hz: u32) -> Option<Self> {
        let native = codec.rate_hz().unwrap_or(rate_hz);
        let resampler = if native == rate_hz { None } else { Some(Resampler::new(native, rate_hz)?) };
        Some(Self { codec, run, decoder: Decoder::new(codec, native).ok()?, resampler, next: u64::MAX / 2 })
    }
}

/// Samples between what was mixed and what came last.
#[derive(Default)]
struct Window {
    /// Place of the first sample.
    begin: u64,
    samples: std::collections::VecDeque<i16>,
}

impl Window {
    /// Lays samples in place; what lies before the window is too late. `false`: nothing of it fits.
    fn write(&mut self, place: u64, samples: &[i16]) -> bool {
        let late = self.begin.saturating_sub(place);
        let Some(samples) = samples.get(late.min(samples.len() as u64) as usize..).filter(|s| !s.is_empty())
        else {
            return false;
        };
        let from = (place + late - self.begin) as usize;
        if from > WINDOW_MAX {
            return false;
        }
        if self.samples.len() < from + samples.len() {
            self.samples.resize(from + samples.len(), 0);
        }
        self.samples.range_mut(from..from + samples.len()).zip(samples).for_each(|(old, new)| *old = *new);
        true
    }

    fn read(&mut self, out: &mut [i16]) {
        self.begin += out.len() as u64;
        for sample in out {
            *sample = self.samples.pop_front().unwrap_or(0);
        }
    }
}

/// How long a packet waits for those it overtook.
const PATIENCE_US: u64 = 200_000;
/// How far the mixer stays behind arrival: patience, and packets that are late by up to [`BEHIND_US`].
pub(super) const MIX_BEHIND_US: u64 = 1_500_000;
/// Later than this against the timeline, the timeline is wrong.
const BEHIND_US: i64 = 1_000_000;
/// Earlier than this, likewise.
const AHEAD_US: i64 = 1_000_000;
/// Over what time the earliest arrival is sought.
const SPAN_US: i64 = 5_000_000;
/// Drift below this is left alone: moving a run costs a seam.
const DRIFT_US: i64 = 40_000;
/// Most packets in the queue: 200 ms are 20 of them at 10 ms, ten times that is enough for any burst.
const QUEUE_MAX: usize = 256;
/// Most samples in the window: what lies farther ahead is no part of this recording. 8 s at 16 kHz.
const WINDOW_MAX: usize = 128_000;
