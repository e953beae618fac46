//! Voices that cross between codecs.

use std::time::Duration;

use media::codec::{Decoder, Encoder};
use media::control::Format;
use media::driver::DriverChoice;
use model::media::Codec;

use crate::both_drivers;
use crate::world::{G722, G729, How, OPUS, PCMA, PCMU, Phone, SOON, World};

both_drivers! {
    /// MEDIA-05: any to any, through the plane.
    a_voice_crosses_between_any_two_codecs;
    /// MEDIA-05, RFC 7261: descriptions of silence reach only those who agreed to them; the others hear the noise.
    silence_is_described_only_to_those_who_agreed;
}

/// A far end's voice: a tone, coded packet by packet.
pub struct Voice {
    encoder: Encoder,
    hz: f64,
    samples: usize,
}

impl Voice {
    pub fn tone(codec: Codec, hz: f64) -> Self {
        let rate_hz = codec.rate_hz().unwrap_or(48_000);
        Self { encoder: Encoder::new(codec, rate_hz).unwrap(), hz, samples: 0 }
    }

    pub fn packet(&mut self) -> Vec<u8> {
        let rate_hz = self.encoder.rate_hz();
        let pcm: Vec<i16> = (self.samples..self.samples + rate_hz as usize / 50)
            .map(|n| {
                let angle = n as f64 / f64::from(rate_hz) * self.hz * std::f64::consts::TAU;
                (angle.sin() * 8_000.0) as i16
            })
            .collect();
        self.samples += pcm.len();
        let mut payload = vec![0; 1_400];
        let len = self.encoder.encode(&pcm, &mut payload).unwrap();
        payload.truncate(len);
        payload
    }
}

/// What a far end heard, as it would play it.
pub struct Ear {
    decoder: Decoder,
    pub samples: Vec<i16>,
}

impl Ear {
    pub fn new(codec: Codec) -> Self {
        Self { decoder: Decoder::new(codec, codec.rate_hz().unwrap_or(8_000)).unwrap(), samples: vec![] }
    }

    pub fn hears(&mut self, payload: &[u8]) {
        let mut pcm = [0; media::codec::PACKET_SAMPLES_MAX];
        let n = self.decoder.decode(payload, &mut pcm).expect("what we are sent can be decoded");
        self.samples.extend(&pcm[..n]);
    }

    /// The share of a frequency in the 200 ms that have most of it, 0 to 1: a machine that stands still for a moment makes
    /// holes in what it is sent.
    pub fn purity(&self, hz: f64) -> f64 {
        let rate_hz = self.decoder.rate_hz();
        let window = rate_hz as usize / 5;
        let share = |pcm: &[i16]| {
            let (mut re, mut im, mut all) = (0.0, 0.0, 0.0);
            for (n, sample) in pcm.iter().enumerate() {
                let (sample, angle) =
                    (f64::from(*sample), hz * std::f64::consts::TAU * n as f64 / f64::from(rate_hz));
                re += sample * angle.cos();
                im += sample * angle.sin();
                all += sample * sample;
            }
            2.0 * (re * re + im * im) / pcm.len() as f64 / all.max(1.0)
        };
        self.samples.windows(window).step_by(window / 4).map(share).fold(0.0, f64::max)
    }
}

async fn a_voice_crosses_between_any_two_codecs(driver: DriverChoice) {
    let world = World::with(driver, 1, 120, Duration::from_secs(30));
    let codecs: [Format; 5] = [PCMU, PCMA, OPUS, G722, G729];
    let mut calls: Vec<(Phone, Phone, Voice, Ear)> = Vec::new();
    for from in codecs {
        for to in codecs {
            let how = |send| How { send, ..How::default() };
            let (talker, listener) = (world.phone(how(from)).await, world.phone(how(to)).await);
            world.bridge(&talker, &listener).await;
            calls.push((talker, listener, Voice::tone(from.codec, 440.0), Ear::new(to.codec)));
        }
    }
    // At the pace of speech on average, whatever the machine does in between: else it would be a clock that runs apart.
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    for _ in 0..75 {
        for (talker, listener, voice, ear) in &mut calls {
            talker.says(&voice.packet());
            while let Some(heard) = listener.hears_within(Duration::ZERO).await {
                assert_eq!(heard.header.payload_type, listener.how.send.payload_type);
                ear.hears(&heard.payload);
            }
        }
        pace.tick().await;
    }
    for (talker, listener, _, ear) in &calls {
        let pure = ear.purity(440.0);
        assert!(pure > 0.9, "{:?} to {:?}: {pure:.3}", talker.how.send.codec, listener.how.send.codec);
    }
}

async fn silence_is_described_only_to_those_who_agreed(driver: DriverChoice) {
    let world = World::with(driver, 1, 80, Duration::from_secs(30));
    for agreed in [true, false] {
        let how = |pauses| How { send: G729, pauses, ..How::default() };
        let (mut talker, mut listener) = (world.phone(how(true)).await, world.phone(how(agreed)).await);
        world.bridge(&talker, &listener).await;
        let mut voice = Voice::tone(Codec::G729, 440.0);
        for _ in 0..5 {
            let said = voice.packet();
            talker.says(&said);
            let heard = listener.hears_within(SOON).await.expect("speech");
            assert_eq!(heard.payload, said, "as it came");
        }
        // Silence begins in the second frame of a packet; then two octets alone, now and then.
        let last = [&voice.packet()[..10], &[0, 14 << 1]].concat();
        talker.says(&last);
        for _ in 0..4 {
            let heard = listener.hears_within(SOON).await.expect("the pause");
            match agreed {
                true => {
                    assert!([12, 2].contains(&heard.payload.len()), "{heard:?}");
                    talker.says(&[0, 14 << 1]);
                }
                false => assert_eq!(heard.payload.len(), 20, "noise, packet after packet: {heard:?}"),
            }
        }
    }
}
