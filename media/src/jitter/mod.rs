//! Playout: packets arrive unevenly, one frame leaves every packet time.
//!
//! A [`Player`] holds one incoming stream: payloads go in as they come, and each call of [`Player::take`] gives the next
//! frame of samples, whatever the network did. Below it, a [`Buffer`] keeps the payloads in fixed places and says what
//! to do next: decode this one, conceal a hole, be quiet.
//!
//! The delay is chosen as NetEQ chooses it: a histogram of how late packets came against the fastest ones, with old
//! packets slowly forgotten, read at a quantile ([`delay`]). It is applied where nobody hears it: at the start of a
//! talkspurt (RFC 3551 §4.1). Inside one, single pitch periods are taken out or put in ([`stretch`]); that is also how
//! the sender's clock, which never runs quite like ours, is followed.
//!
//! Only the network's lateness counts. What we may have kept waiting ourselves came when it suits best within that time: else
//! a thread that is held up would take all its far ends for bad networks, and a second of it would cost them half a second of
//! delay and the thread the work to conceal it.
//!
//! Late packets: when nothing is left to play, the next packet is played though its time is over, and the delay grows
//! (a stalled network loses no words then); a packet whose successor was played is dropped and counted.
//!
//! Not here: counting for reports (`quality`), digits in events (`dtmf`). Event packets are put all the same, without
//! payload, so that their sequence numbers are not taken for losses.

mod buffer;
mod delay;
mod outcome;
mod player;
mod slots;
mod stretch;

pub use buffer::Buffer;
pub use delay::Delay;
pub use outcome::{Counts, Pace, Placed, Taken};
pub use player::{Heard, Player};
pub use stretch::{lengthen, shorten};

/// Bounds of one playout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The stream's RTP clock.
    pub clock_hz: u32,
    /// Least delay, 0 to 200 ms. Default 20: packets are taken every 20 ms, in no fixed phase to their arrival.
    pub delay_ms_min: u32,
    /// The delay to begin with, and the least one in the first second. Default 40.
    pub delay_ms_start: u32,
    /// Frames are taken in phase with the arrivals: delay above the target is worked off sooner. Default: no.
    pub in_phase: bool,
    /// Largest delay, 40 to 500 ms. Default 400, where ITU-T G.114 ends what network planning may allow.
    pub delay_ms_max: u32,
    /// Packets held, 8 to 512. Default 64: 1.28 s of packets of 20 ms.
    pub packets_max: usize,
    /// Octets of a payload held, up to 1400. Default 640: 80 ms of G.711, Opus at 256 kbit/s.
    pub payload_max: usize,
    /// Makes one player's comfort noise another than the next one's. Default 1.
    pub seed: u64,
}

impl Config {
    /// The defaults for a clock.
    pub const fn new(clock_hz: u32) -> Self {
        Self {
            clock_hz,
            delay_ms_min: 20,
            delay_ms_start: 40,
            in_phase: false,
            delay_ms_max: 400,
            packets_max: 64,
            payload_max: 640,
            seed: 1,
        }
    }

    /// For a player that is asked in phase with the arrivals: its delay begins low, and what a network needs beyond that is
    /// learnt from the first packets that come late.
    pub const fn in_phase(clock_hz: u32) -> Self {
        Self { delay_ms_min: 5, delay_ms_start: 5, in_phase: true, packets_max: 32, ..Self::new(clock_hz) }
    }

    fn bounded(self) -> Self {
        let delay_ms_max = self.delay_ms_max.clamp(40, 500);
        Self {
            clock_hz: self.clock_hz.clamp(1_000, 192_000),
            delay_ms_min: self.delay_ms_min.min(200).min(delay_ms_max),
            delay_ms_start: self.delay_ms_start.min(delay_ms_max),
            in_phase: self.in_phase,
            delay_ms_max,
            packets_max: self.packets_max.clamp(8, 512),
            payload_max: self.payload_max.clamp(1, crate::codec::PAYLOAD_MAX),
            seed: self.seed,
        }
    }
}

/// What a packet carries, as far as playout goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Audio.
    Audio,
    /// Comfort noise (RFC 3389): the talker pauses; silence is no loss until audio comes again.
    Noise,
    /// A telephone event (RFC 4733): takes a sequence number, and the place of audio, but is not played here.
    Event,
}

/// One packet's header, as far as playout goes. The marker is not asked: numbers and timestamps tell a talkspurt's beginning
/// as well, and many senders set it wrongly or never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Who sent it.
    pub ssrc: u32,
    /// Sequence number.
    pub seq: u16,
    /// RTP timestamp.
    pub timestamp: u32,
    /// What it carries.
    pub kind: Kind,
    /// How long it may have waited for us before it was read, in microseconds.
    pub held_us: u32,
}

#[cfg(test)]
mod network;
#[cfg(test)]
mod pauses;
#[cfg(test)]
mod simulation;
#[cfg(test)]
pub(crate) mod test_dice;
#[cfg(test)]
mod tests;
