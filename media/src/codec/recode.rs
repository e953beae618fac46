//! From samples at any rate to packets of one codec and one packet time.
//!
//! Time is kept by samples, not by packets: what comes is held until it is a packet's worth, so any length of frames meets any
//! packet time. Opus decodes and encodes at the other side's sampling rate itself ([`rates`]); a resampler is on the way only
//! between G.711 and G.722.

use model::media::Codec;

use super::resample::Resampler;
use super::{CodecError, Encoder, PACKET_MS_MAX, PAYLOAD_MAX, Shape, begins_pause, packet_ms};
use crate::control::Format;

/// A packet's worth: borrowed from the recoder until the callback returns.
#[derive(Clone, Copy, Debug)]
pub struct Encoded<'a> {
    /// The payload; empty where the codec says that nothing need be sent (DTX, Annex B of G.729).
    pub payload: &'a [u8],
    /// How long it lasts, in the listener's RTP clock.
    pub duration: u32,
}

/// Turns samples into packets. All memory is taken in [`Recoder::new`].
pub struct Recoder {
    to: Format,
    resampler: Option<Resampler>,
    encoder: Encoder,
    /// Samples encoded at a time, and how long they last in RTP ticks: a whole packet, or a frame of G.729 that may be left out.
    frame: usize,
    step: u32,
    /// A whole packet in RTP ticks.
    duration: u32,
    /// Samples that wait; `held` of them.
    store: Box<[i16]>,
    held: usize,
    /// Where packets are encoded; of the next one there are `len` octets and `ticks` already.
    packet: Box<[u8]>,
    len: usize,
    ticks: u32,
    /// Whether the next packet begins something new.
    fresh: bool,
}

/// At which rates a voice is decoded and encoded on its way between two codecs: no higher than either side, and what Opus
/// can do by itself is left to it. `playback_max_hz`: what the listener renders at most.
pub fn rates(from: Codec, to: Codec, playback_max_hz: u32) -> (u32, u32) {
    match (from.rate_hz(), to.rate_hz()) {
        (None, None) => {
            let rate_hz = opus_rate(playback_max_hz);
            (rate_hz, rate_hz)
        }
        (None, Some(rate_hz)) => (rate_hz, rate_hz),
        (Some(rate_hz), None) => (rate_hz, opus_rate(rate_hz.min(playback_max_hz.max(8_000)))),
        (Some(given_hz), Some(wanted_hz)) => (given_hz, wanted_hz),
    }
}

/// The highest rate of Opus that is not above this.
const fn opus_rate(max_hz: u32) -> u32 {
    match max_hz {
        48_000.. => 48_000,
        24_000.. => 24_000,
        16_000.. => 16_000,
        12_000.. => 12_000,
        _ => 8_000,
    }
}

impl Recoder {
    /// For samples at `given_hz`, to be encoded from `wanted_hz` (see [`rates`]). `to` decides the packet time, as far as the codec can
    /// have it ([`packet_ms`]). Packets of G.729 are shorter where silence begins that the far end need not be sent.
    pub fn new(given_hz: u32, wanted_hz: u32, to: Format, shape: &Shape) -> Result<Self, CodecError> {
        if !(10..=60).contains(&to.ptime_ms) {
            return Err(CodecError::PacketTime(to.ptime_ms));
        }
        let resampler = match given_hz == wanted_hz {
            true => None,
            false => Some(Resampler::new(given_hz, wanted_hz).ok_or(CodecError::Rate(given_hz))?),
        };
        let ptime_ms = usize::from(packet_ms(to.codec, to.ptime_ms));
        let step_ms = if to.codec == Codec::G729 && shape.dtx { 10 } else { ptime_ms };
        let (rate, clock) = (wanted_hz as usize / 1_000, to.codec.clock_hz() as usize / 1_000);
        Ok(Self {
            to,
            resampler,
            encoder: Encoder::shaped(to.codec, wanted_hz, shape)?,
            frame: rate * step_ms,
            step: (clock * step_ms) as u32,
            duration: (clock * ptime_ms) as u32,
            // Less than a frame is left over; what is pushed at once is added to that, and a resampler's odd sample.
            store: vec![0; rate * (ptime_ms + PACKET_MS_MAX) + 2].into_boxed_slice(),
            held: 0,
            packet: vec![0; PAYLOAD_MAX].into_boxed_slice(),
            len: 0,
            ticks: 0,
            fresh: true,
        })
    }

    /// What comes out.
    pub const fn to(&self) -> Format {
        self.to
    }

    /// Takes up to 120 ms of samples; calls `out` for each packet that is whole, in order.
    pub fn push(&mut self, samples: &[i16], out: &mut impl FnMut(Encoded<'_>)) {
        let room = &mut self.store[self.held..];
        self.held += match &mut self.resampler {
            Some(resampler) => resampler.process(samples, room),
            None => {
                let n = samples.len().min(room.len());
                room[..n].copy_from_slice(&samples[..n]);
                n
            }
        };
        let mut sent = 0;
        while self.held - sent >= self.frame {
            let frame = &self.store[sent..sent + self.frame];
            sent += self.frame;
            if std::mem::take(&mut self.fresh) {
                self.encoder.next_stands_alone(true);
            }
            // The only way to fail is a packet that does not fit, and 60 ms at our bit rates are 300 octets.
            let made = self.encoder.encode(frame, &mut self.packet[self.len..]).unwrap_or(0);
            self.encoder.next_stands_alone(false);
            (self.len, self.ticks) = (self.len + made, self.ticks + self.step);
            // Nothing may follow a description of silence in its packet (RFC 3551 §4.5.6), and nothing follows what is left out.
            let pauses = made == 0 || begins_pause(self.to.codec, &self.packet[..self.len]);
            if self.ticks < self.duration && !pauses {
                continue;
            }
            let (len, duration) = (std::mem::take(&mut self.len), std::mem::take(&mut self.ticks));
            // A frame of Opus without content need not be sent (RFC 7587 §3.1.3).
            let len = if self.to.codec == Codec::Opus && pauses { 0 } else { len };
            out(Encoded { payload: &self.packet[..len], duration });
        }
        self.store.copy_within(sent..self.held, 0);
        self.held -= sent;
    }

    /// How hard Opus tries, 0 to 10. No effect on others.
    pub fn set_effort(&mut self, complexity: i32) {
        self.encoder.set_effort(complexity);
    }

    /// What follows is another voice, or the same after a rest: what is held is dropped.
    pub fn rest(&mut self) {
        (self.held, self.len, self.ticks) = (0, 0, 0);
        self.fresh = true;
        if let Some(resampler) = &mut self.resampler {
            resampler.reset();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Decoder, PACKET_SAMPLES_MAX, g711};

    fn format(codec: Codec, ptime_ms: u8) -> Format {
        Format { payload_type: codec.static_type().unwrap_or(111), codec, ptime_ms }
    }

    fn tone(rate_hz: u32, from: usize, len: usize) -> Vec<i16> {
        let sample =
            |n: usize| (n as f64 / f64::from(rate_hz) * 440.0 * std::f64::consts::TAU).sin() * 8_000.0;
        (from..from + len).map(|n| sample(n) as i16).collect()
    }

    /// Power of 440 Hz against all, 0 to 1.
    fn purity(pcm: &[i16], rate_hz: u32) -> f64 {
        let (mut re, mut im, mut all) = (0.0, 0.0, 0.0);
        for (i, s) in pcm.iter().enumerate() {
            let (s, angle) = (f64::from(*s), 440.0 * std::f64::consts::TAU * i as f64 / f64::from(rate_hz));
            re += s * angle.cos();
            im += s * angle.sin();
            all += s * s;
        }
        2.0 * (re * re + im * im) / pcm.len() as f64 / all.max(1.0)
    }

    /// MEDIA-05: any to any, in any packet time.
    #[test]
    fn a_tone_crosses_between_any_two_codecs_and_packet_times() {
        for (from, to) in Codec::ALL.into_iter().flat_map(|from| Codec::ALL.map(|to| (from, to))) {
            for ptime_ms in [10, 20, 30, 60] {
                let (given_hz, wanted_hz) = rates(from, to, 48_000);
                let to = format(to, ptime_ms);
                let mut recoder = Recoder::new(given_hz, wanted_hz, to, &Shape::default()).unwrap();
                let rate_hz = to.codec.rate_hz().unwrap_or(48_000);
                let mut decoder = Decoder::new(to.codec, rate_hz).unwrap();
                let (mut heard, mut ticks) = (Vec::new(), 0);
                let mut room = [0; PACKET_SAMPLES_MAX];
                let frame = given_hz as usize / 50;
                for n in 0..60 {
                    recoder.push(&tone(given_hz, n * frame, frame), &mut |packet| {
                        let len = decoder.decode(packet.payload, &mut room).unwrap();
                        heard.extend_from_slice(&room[..len]);
                        ticks += packet.duration;
                        let lasts = len as u64 * u64::from(to.codec.clock_hz()) / u64::from(rate_hz);
                        assert_eq!(lasts, u64::from(packet.duration), "duration is what the payload lasts");
                    });
                }
                assert_eq!(ticks, to.codec.clock_hz() * 12 / 10, "{from:?} to {to:?}");
                let pure = purity(&heard[heard.len() / 6..], rate_hz);
                assert!(pure > 0.97, "{from:?} to {to:?}: {pure:.3}");
            }
        }
    }

    #[test]
    fn no_rate_is_higher_than_what_comes_or_what_is_heard() {
        assert_eq!(rates(Codec::Opus, Codec::Pcma, 48_000), (8_000, 8_000));
        assert_eq!(rates(Codec::Pcmu, Codec::Opus, 48_000), (8_000, 8_000));
        assert_eq!(rates(Codec::G722, Codec::Opus, 48_000), (16_000, 16_000));
        assert_eq!(rates(Codec::G722, Codec::Opus, 8_000), (16_000, 8_000));
        assert_eq!(rates(Codec::Opus, Codec::G722, 48_000), (16_000, 16_000));
        assert_eq!(rates(Codec::G722, Codec::Pcmu, 48_000), (16_000, 8_000));
    }

    #[test]
    fn a_packet_time_out_of_range_is_refused() {
        let made =
            |ptime_ms| Recoder::new(8_000, 8_000, format(Codec::Pcma, ptime_ms), &Shape::default()).map(drop);
        assert_eq!(made(5), Err(CodecError::PacketTime(5)));
        assert_eq!(made(60), Ok(()));
    }

    /// WRTC-01 and PERF-01 count Ethernet with preamble: 8 + 14 + 4, IPv6 40, UDP 8, RTP 12, an AES-GCM tag 16.
    #[test]
    fn opus_to_a_browser_stays_within_60_kbit_on_the_wire() {
        for from in [Codec::Pcma, Codec::G722] {
            let (given_hz, wanted_hz) = rates(from, Codec::Opus, 48_000);
            let to = format(Codec::Opus, 20);
            let mut recoder = Recoder::new(given_hz, wanted_hz, to, &Shape::default()).unwrap();
            let (mut octets, mut packets, mut state) = (0, 0, 1u32);
            let frame = given_hz as usize / 50;
            for n in 0..500 {
                // Loud noise with a beat in it: dearer than any speech.
                let samples: Vec<i16> = (0..frame)
                    .map(|i| {
                        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        let beat = if (n * frame + i) % (25 * frame) < 12 * frame { 4 } else { 40 };
                        (state >> 16) as i16 / beat
                    })
                    .collect();
                recoder.push(&samples, &mut |packet| {
                    octets += packet.payload.len() + 8 + 14 + 4 + 40 + 8 + 12 + 16;
                    packets += 1;
                });
            }
            let kbit = octets as f64 * 8.0 / (f64::from(packets) * 0.02) / 1000.0;
            assert!((45.0..60.0).contains(&kbit), "{from:?}: {kbit:.1} kbit/s");
        }
    }

    /// RFC 7587 §6.1: what the far end says about the Opus it wants is obeyed.
    #[test]
    fn the_far_end_shapes_the_opus_it_gets() {
        let made = |shape: &Shape, level: i16| {
            let mut recoder = Recoder::new(16_000, 16_000, format(Codec::Opus, 20), shape).unwrap();
            let (mut octets, mut sent, mut state) = (0, 0, 7u32);
            for _ in 0..250 {
                let samples: Vec<i16> = (0..320)
                    .map(|_| {
                        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        ((state >> 16) as i16 / 32).clamp(-level, level)
                    })
                    .collect();
                recoder.push(&samples, &mut |packet| {
                    octets += packet.payload.len();
                    sent += usize::from(!packet.payload.is_empty());
                });
            }
            (octets * 8 / 5, sent)
        };
        let usual = Shape::default();
        let (bits, sent) = made(&usual, 2_000);
        assert!((12_000..20_500).contains(&bits) && sent == 250, "{bits} bit/s in {sent} packets");
        let (bits, _) = made(&Shape { average_bitrate_max: Some(10_000), ..usual }, 2_000);
        assert!(bits < 11_500, "{bits} bit/s where 10 kbit/s are allowed");
        let (bits, _) = made(&Shape { average_bitrate_max: Some(510_000), ..usual }, 2_000);
        assert!((25_000..45_000).contains(&bits), "{bits} bit/s for a wide voice where much is allowed");
        let (_, sent) = made(&Shape { dtx: true, ..usual }, 0);
        assert!(sent < 50, "{sent} packets of silence for one who wants none");
        let (_, sent) = made(&usual, 0);
        assert_eq!(sent, 250, "silence is sent to those who did not ask for less");
    }

    /// Against a copy of the packet before, invention alone loses: the copy must be used where a packet carries one.
    #[test]
    fn the_copy_in_the_next_opus_packet_fills_the_hole() {
        let mut encoder = Encoder::new(Codec::Opus, 8_000).unwrap();
        let packets: Vec<Vec<u8>> = (0..150)
            .map(|n| {
                // A voice-like buzz whose pitch moves, so that repeating the past is wrong.
                let sample = |i: usize| {
                    let t = (n * 160 + i) as f64 / 8_000.0;
                    let phase = (120.0 * t + 25.0 * (t * 9.0).sin()) * std::f64::consts::TAU;
                    (1..12).map(|h| (phase * f64::from(h)).sin() * 5_000.0 / f64::from(h)).sum::<f64>()
                };
                let pcm: Vec<i16> = (0..160).map(|i| sample(i) as i16).collect();
                let mut packet = vec![0; 400];
                let len = encoder.encode(&pcm, &mut packet).unwrap();
                packet.truncate(len);
                packet
            })
            .collect();
        let error = |use_copy: bool| {
            let new = || Decoder::new(Codec::Opus, 8_000).unwrap();
            let (mut whole, mut holed, mut sum) = (new(), new(), 0.0);
            let (mut a, mut b) = ([0i16; 160], [0i16; 160]);
            for i in 0..149 {
                whole.decode(&packets[i], &mut a).unwrap();
                if i % 10 == 9 {
                    holed.conceal(use_copy.then(|| &packets[i + 1][..]), &mut b);
                    sum +=
                        a.iter().zip(&b).map(|(x, y)| (f64::from(*x) - f64::from(*y)).powi(2)).sum::<f64>();
                } else {
                    holed.decode(&packets[i], &mut b).unwrap();
                }
            }
            sum
        };
        let (with, without) = (error(true), error(false));
        assert!(with < without * 0.7, "with the copy {with:.0}, without {without:.0}");
    }

    #[test]
    fn after_a_rest_nothing_of_before_is_sent() {
        let mut recoder = Recoder::new(8_000, 8_000, format(Codec::Pcmu, 30), &Shape::default()).unwrap();
        recoder.push(&[9_000; 160], &mut |_| panic!("not a packet's worth"));
        recoder.rest();
        let mut packets = 0;
        recoder.push(&[0; 240], &mut |packet| {
            assert!(packet.payload.iter().all(|code| g711::decode_mu(*code) == 0));
            packets += 1;
        });
        assert_eq!(packets, 1);
    }
}
