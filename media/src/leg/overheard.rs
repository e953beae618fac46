//! Digits that a far end without telephone events sends as tones within its voice (MEDIA-09).
//!
//! Where somebody who hears the leg takes digits in another form, the tone is silenced from its first 16 ms on and the digit
//! goes on as that form wants it, when it was let go: never both. What passes before a tone is suspected is shorter than what
//! a detector behind us takes for a digit (ITU-T Q.24: 23 ms). Where only control asked, the voice stays as it is.

use model::media::Codec;

use super::silence::silence;
use super::{Leg, Outbox};
use crate::codec::resample::Resampler;
use crate::codec::{CodecError, Decoder, PACKET_SAMPLES_MAX};
use crate::control::Event;
use crate::dtmf::Digit;
use crate::dtmf::inband::{Detector, Found};

/// Samples at 8 kHz of one voice, and who listens.
pub(super) struct Overheard {
    codec: Codec,
    decoder: Decoder,
    /// For wide codecs: to 8 kHz.
    resampler: Option<(Resampler, Box<[i16]>)>,
    samples: Box<[i16]>,
    detector: Detector,
    /// Somebody hears the digits in another form, so the tone is taken out.
    silences: bool,
    /// A digit that was let go, until somebody takes it; and whether control has yet to be told.
    ended: Option<Digit>,
    untold: bool,
}

impl std::fmt::Debug for Overheard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Overheard({:?})", self.codec)
    }
}

impl Overheard {
    fn new(codec: Codec) -> Result<Self, CodecError> {
        let rate_hz = codec.rate_hz().unwrap_or(NARROW_HZ);
        let resampler = match rate_hz {
            NARROW_HZ => None,
            _ => Some((
                Resampler::new(rate_hz, NARROW_HZ).ok_or(CodecError::Rate(rate_hz))?,
                vec![0; PACKET_SAMPLES_MAX].into_boxed_slice(),
            )),
        };
        let mut detector = Detector::default();
        // Its tables are made once, by whoever listens first: not by a packet.
        detector.feed(&[0; 160], &mut |_| {});
        Ok(Self {
            codec,
            decoder: Decoder::new(codec, rate_hz)?,
            resampler,
            samples: vec![0; PACKET_SAMPLES_MAX].into_boxed_slice(),
            detector,
            silences: false,
            ended: None,
            untold: false,
        })
    }

    /// Listens to a payload; whether a tone is, or may be, in it.
    fn listen(&mut self, payload: &[u8]) -> bool {
        let before = self.detector.suspects();
        let samples = match &mut self.resampler {
            None => self.decoder.decode(payload, &mut self.samples),
            Some((resampler, wide)) => {
                self.decoder.decode(payload, wide).map(|n| resampler.process(&wide[..n], &mut self.samples))
            }
        };
        let Some(samples) = samples else { return before };
        let (ended, untold) = (&mut self.ended, &mut self.untold);
        self.detector.feed(&self.samples[..samples], &mut |found| {
            if let Found::Ended(digit) = found {
                (*ended, *untold) = (Some(digit), true);
            }
        });
        before || self.detector.suspects()
    }
}

impl Leg {
    /// Whether its far end sends digits as tones.
    pub fn has_no_events(&self) -> bool {
        self.setup.as_ref().is_some_and(|setup| setup.events.is_none())
    }

    /// Whether its far end takes digits as events.
    pub fn takes_events(&self) -> bool {
        self.setup.as_ref().is_some_and(|setup| setup.events.is_some())
    }

    /// Begins to listen for tones, if its far end sends them: for whoever hears the leg, then they are silenced; or for
    /// control alone.
    pub fn overhear(&mut self, silences: bool) -> Result<(), CodecError> {
        let codec = self.setup.as_ref().and_then(|setup| setup.receive.first()).map(|format| format.codec);
        let Some(codec) = codec.filter(|_| self.has_no_events()) else { return Ok(()) };
        if self.overheard.as_ref().is_none_or(|overheard| overheard.codec != codec) {
            self.overheard = Some(Box::new(Overheard::new(codec)?));
        }
        self.keep_overhearing(silences);
        Ok(())
    }

    /// Looks whether somebody still wants the tones of this leg in another form; `wanted`: a hearer with events.
    pub fn keep_overhearing(&mut self, wanted: bool) {
        let asked = self.setup.as_ref().is_some_and(|setup| setup.overhear);
        match &mut self.overheard {
            Some(overheard) if wanted || asked => overheard.silences = wanted,
            // Kept for the next who hears: what is made once need not be made again.
            Some(overheard) => overheard.silences = false,
            None => {}
        }
        self.overhears = self.overheard.is_some() && (wanted || asked);
    }

    /// Listens to audio that came, before anybody hears it; says how long its payload is then.
    pub(super) fn listen_for_tones(
        &mut self,
        codec: Codec,
        room: &mut [u8],
        len: usize,
        out: &mut Outbox,
    ) -> usize {
        let Some(overheard) = self.overheard.as_mut().filter(|it| it.codec == codec) else { return len };
        let tone = overheard.listen(room.get(..len).unwrap_or_default());
        if let Some(digit) = overheard.ended.filter(|_| overheard.untold) {
            overheard.untold = false;
            out.events.push(Event::Dtmf { leg: self.id, digit: digit.digit, held: digit.held });
        }
        if tone && overheard.silences { silence(codec, room, len) } else { len }
    }

    /// A digit whose tone was taken out of the voice, and ended with the audio that came last.
    pub fn take_overheard(&mut self) -> Option<Digit> {
        let overheard = self.overheard.as_mut()?;
        let silences = overheard.silences;
        overheard.ended.take().filter(|_| silences)
    }
}

const NARROW_HZ: u32 = 8_000;
