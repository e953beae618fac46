//! Networks to try playout with: everything random comes from one seed.

use super::test_dice::Dice;
use super::{Heard, Kind, Meta, Player};
use crate::codec::g711;
use model::media::Codec;

/// What the network adds to each packet's way.
#[derive(Clone, Copy, Debug)]
pub(super) enum Jitter {
    None,
    /// 0 to so many milliseconds, evenly.
    Even(f64),
    /// Exponential: most are early, a few very late.
    Tail(f64),
    /// A radio that now and then sends nothing for so long, and then everything at once.
    Stalls {
        every_s: f64,
        ms: f64,
    },
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Network {
    pub(super) jitter: Jitter,
    pub(super) loss: f64,
    /// How much faster the sender's clock is.
    pub(super) drift_ppm: f64,
    pub(super) seed: u64,
}

impl Network {
    pub(super) const CALM: Self = Self { jitter: Jitter::None, loss: 0.0, drift_ppm: 0.0, seed: 1 };

    /// When which packet of 20 ms comes, in order of arrival.
    pub(super) fn arrivals(self, packets: u32) -> Vec<(u64, u32)> {
        let mut dice = Dice::new(self.seed);
        let mut stall = match self.jitter {
            Jitter::Stalls { every_s, .. } => dice.exponential(every_s * 1e6),
            _ => f64::INFINITY,
        };
        let mut arrivals = Vec::new();
        for n in 0..packets {
            let sent = f64::from(n) * 20_000.0 / (1.0 + self.drift_ppm / 1e6);
            let lost = dice.share() < self.loss;
            let late = match self.jitter {
                Jitter::None => 0.0,
                Jitter::Even(ms) => dice.share() * ms * 1e3,
                Jitter::Tail(mean_ms) => dice.exponential(mean_ms * 1e3).min(300_000.0),
                Jitter::Stalls { every_s, ms } => {
                    if sent > stall + ms * 1e3 {
                        stall = sent + dice.exponential(every_s * 1e6);
                    }
                    let radio = dice.share() * 2e3;
                    if sent > stall { (stall + ms * 1e3 - sent).max(radio) } else { radio }
                }
            };
            if !lost {
                arrivals.push(((START_US + 30_000.0 + sent + late) as u64, n));
            }
        }
        arrivals.sort_unstable();
        arrivals
    }
}

/// What a listener got, frame by frame.
pub(super) struct Playout {
    pub(super) player: Player,
    pub(super) frames: Vec<(Heard, Option<i64>)>,
}

/// Plays G.711 packets, one frame every 20 ms, in no phase with the sender.
pub(super) fn play(network: Network, packets: u32) -> Playout {
    play_arrivals(network.arrivals(packets))
}

pub(super) fn play_arrivals(arrivals: Vec<(u64, u32)>) -> Playout {
    let mut player = Player::new(Codec::Pcmu, 8_000).unwrap();
    let last_us = arrivals.last().map_or(0, |(at_us, _)| *at_us);
    let mut arrivals = arrivals.into_iter().peekable();
    let voice: Vec<u8> = (0..8_000).map(|i| g711::encode_mu(voice(i))).collect();
    let (mut frames, mut out) = (Vec::new(), [0; 160]);
    let mut now_us = START_US as u64 + 7_300;
    while now_us < last_us {
        while let Some((at_us, n)) = arrivals.next_if(|(at_us, _)| *at_us <= now_us) {
            let at = (n as usize * 160) % 8_000;
            player.put(packet(n), &voice[at..at + 160], at_us);
        }
        let heard = player.take(now_us, &mut out);
        frames.push((heard, player.waited_us(now_us)));
        now_us += 20_000;
    }
    Playout { player, frames }
}

/// A voice at 125 Hz, whole periods a second.
pub(super) fn voice(i: usize) -> i16 {
    let t = i as f64 / 8_000.0 * std::f64::consts::TAU * 125.0;
    (5_000.0 * t.sin() + 2_000.0 * (2.0 * t).sin() + 800.0 * (3.0 * t).sin()) as i16
}

/// The nth packet of a sender; its numbers and timestamps wrap around early.
pub(super) fn packet(n: u32) -> Meta {
    Meta {
        held_us: 0,
        ssrc: 7,
        seq: (n as u16).wrapping_add(65_000),
        timestamp: n.wrapping_mul(160).wrapping_add(u32::MAX - 300_000),
        kind: Kind::Audio,
    }
}

/// Far from the beginning of the clock, as clocks are.
const START_US: f64 = 1e12;
