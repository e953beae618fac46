//! Phones that say a tone and keep what they hear.

use std::time::Duration;

use media::codec::{Decoder, Encoder};

use crate::world::{Heard, How, Phone, World};

#[path = "../../src/mix/test_tone.rs"]
#[expect(dead_code, reason = "parties do not listen for clicks")]
mod tone;

/// A phone with a voice of one pitch.
pub struct Party {
    pub phone: Phone,
    pub hz: f64,
    pub loud: f64,
    said: usize,
    /// When it spoke last.
    last: Option<tokio::time::Instant>,
    encoder: Encoder,
    decoder: Decoder,
    /// At 8 kHz.
    pub heard: Vec<i16>,
    pub packets: Vec<Heard>,
}

impl Party {
    pub async fn join(world: &World, how: How, hz: f64) -> Self {
        let phone = world.phone(how).await;
        Self::of(phone, hz)
    }

    pub fn of(phone: Phone, hz: f64) -> Self {
        let codec = phone.how.send.codec;
        Self {
            phone,
            hz,
            loud: 4_000.0,
            said: 0,
            last: None,
            encoder: Encoder::new(codec, 8_000).unwrap(),
            decoder: Decoder::new(codec, 8_000).unwrap(),
            heard: Vec::new(),
            packets: Vec::new(),
        }
    }

    /// Says 20 ms more of its tone.
    pub fn says(&mut self) {
        let mut samples = [0i16; 160];
        for (i, said) in samples.iter_mut().enumerate() {
            *said = tone::sample((self.said * 160 + i) as f64, self.hz, 8_000, self.loud);
        }
        self.said += 1;
        self.last = Some(tokio::time::Instant::now());
        let mut payload = [0; 400];
        let len = self.encoder.encode(&samples, &mut payload).unwrap();
        self.phone.says(&payload[..len]);
    }

    /// A phone's clock goes on while nothing is said.
    fn catches_up(&mut self) {
        let silent = self.last.map_or(Duration::ZERO, |last| last.elapsed());
        let frames = (silent.as_millis() / 20).saturating_sub(1) as u32;
        let ticks = self.phone.how.send.codec.clock_hz() / 50;
        self.phone.time = self.phone.time.wrapping_add(frames * ticks);
    }

    /// Takes what has come.
    pub async fn listens(&mut self) {
        while let Some(packet) = self.phone.hears_within(Duration::ZERO).await {
            if packet.header.payload_type == self.phone.how.send.payload_type {
                let mut samples = [0; 960];
                let n = self.decoder.decode(&packet.payload, &mut samples).unwrap();
                self.heard.extend(&samples[..n]);
            }
            self.packets.push(packet);
        }
    }

    /// Forgets what was heard.
    pub fn forget(&mut self) {
        self.heard.clear();
        self.packets.clear();
    }

    /// How loud a tone is in what was heard since it last forgot: the median of pieces of 40 ms. Where the machine stalls,
    /// playout leaves holes and shifts what follows; neither may pass for silence.
    pub fn level(&self, hz: f64) -> f64 {
        let mut levels: Vec<f64> =
            self.heard.chunks_exact(320).map(|piece| tone::level(piece, hz, 8_000)).collect();
        levels.sort_by(f64::total_cmp);
        levels.get(levels.len() / 2).copied().unwrap_or(0.0)
    }

    /// Whether a tone is heard.
    pub fn hears(&self, hz: f64) -> bool {
        self.level(hz) > 800.0
    }
}

/// All talk and listen, at the pace of speech.
pub async fn talk(parties: &mut [Party], frames: usize) {
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    parties.iter_mut().for_each(Party::catches_up);
    for _ in 0..frames {
        pace.tick().await;
        for party in &mut *parties {
            party.says();
        }
        for party in &mut *parties {
            party.listens().await;
        }
    }
    // What is on its way still.
    tokio::time::sleep(Duration::from_millis(60)).await;
    for party in parties {
        party.listens().await;
    }
}

/// Lets everything that was said before be forgotten, then talks.
pub async fn talk_anew(parties: &mut [Party], frames: usize) {
    talk(parties, 12).await;
    parties.iter_mut().for_each(Party::forget);
    talk(parties, frames).await;
}
