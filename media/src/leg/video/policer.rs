//! How much video may pass in one direction (CAP-03): a bucket of octets that fills at a steady rate.
//!
//! What counts is what the wire carries: a packet with IP, UDP and an Ethernet frame with preamble around it. The bucket holds
//! what flows in in 0.4 s, so that a whole picture passes at once, and fills so much slower than the limit that no ten seconds
//! carry more than the limit allows, burst included.

use std::net::IpAddr;

use model::time::Timestamp;

/// Octets of Ethernet around an IP packet: preamble 8, header 14, checksum 4.
const ETHERNET: usize = 26;
const UDP: usize = 8;
/// What the bucket holds, as time.
const DEPTH_US: u64 = 400_000;
/// The span that never carries more than the limit.
const SPAN_US: u64 = 10_000_000;
/// Cost of an octet at one bit per second, in bits times microseconds.
const OCTET: u64 = 8 * 1_000_000;

/// One direction.
#[derive(Clone, Debug)]
pub struct Policer {
    bits_per_second: u64,
    /// What may pass now, in bits times microseconds.
    level: u64,
    at: Option<Timestamp>,
    octets: u64,
    dropped: u64,
    /// Octets at the last sample, when that was, and the rate then.
    sampled: Option<(u64, Timestamp)>,
    rate: u32,
}

impl Policer {
    /// A full bucket. The limit is in bits per second on the wire.
    pub fn new(max_bits_per_second: u32) -> Self {
        let bits_per_second = u64::from(max_bits_per_second) * SPAN_US / (SPAN_US + DEPTH_US);
        Self {
            bits_per_second,
            level: bits_per_second * DEPTH_US,
            at: None,
            octets: 0,
            dropped: 0,
            sampled: None,
            rate: 0,
        }
    }

    /// Goes on under another limit.
    pub fn set_limit(&mut self, max_bits_per_second: u32) {
        let new = Self::new(max_bits_per_second);
        self.level = self.level.min(new.level);
        self.bits_per_second = new.bits_per_second;
    }

    /// Whether a datagram of `len` octets may pass to or from this address. One that may not is counted.
    pub fn admits(&mut self, len: usize, peer: IpAddr, now: Timestamp) -> bool {
        let passed_us = self.at.map_or(0, |at| now.since(at).as_micros().min(u128::from(DEPTH_US)) as u64);
        self.at = Some(now);
        let full = self.bits_per_second * DEPTH_US;
        self.level = (self.level + passed_us * self.bits_per_second).min(full);
        let octets = on_wire(len, peer) as u64;
        match self.level.checked_sub(octets * OCTET) {
            Some(left) => {
                self.level = left;
                self.octets += octets;
                true
            }
            None => {
                self.dropped += 1;
                false
            }
        }
    }

    /// Packets that were not let through.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Measures the rate since the last call; to be called about once a second.
    pub fn sample(&mut self, now: Timestamp) {
        if let Some((octets, at)) = self.sampled {
            let us = (now.since(at).as_micros() as u64).max(1);
            self.rate = ((self.octets - octets) * OCTET / us).min(u64::from(u32::MAX)) as u32;
        }
        self.sampled = Some((self.octets, now));
    }
    /// Bits per second on the wire, as last measured.
    pub const fn rate(&self) -> u32 {
        self.rate
    }
}

/// Octets on the wire of a UDP datagram with this payload.
pub fn on_wire(len: usize, peer: IpAddr) -> usize {
    let ip = if peer.to_canonical().is_ipv4() { 20 } else { 40 };
    len + UDP + ip + ETHERNET
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn the_wire_is_counted_with_everything_around_a_packet() {
        // PERF-01 gives 90.4 kbit/s for G.711 of 20 ms: 226 octets, 50 a second.
        assert_eq!(on_wire(172, V4) * 8 * 50, 90_400);
        assert_eq!(on_wire(172, IpAddr::V6(Ipv6Addr::LOCALHOST)), 246);
        assert_eq!(on_wire(172, "::ffff:10.0.0.1".parse().unwrap()), 226);
    }

    /// CAP-03: however a sender spreads its packets, no ten seconds carry more than the limit.
    #[test]
    fn no_ten_seconds_carry_more_than_the_limit() {
        for (burst, every_us) in [(1, 1_000), (400, 500_000), (100, 10_000), (2_000, 9_000_000)] {
            let mut policer = Policer::new(960_000);
            let mut passed: Vec<(u64, usize)> = Vec::new();
            for n in 0..30_000_000 / every_us {
                let at = n * every_us;
                for _ in 0..burst {
                    if policer.admits(1_200, V4, Timestamp::from_micros(1 + at)) {
                        passed.push((at, on_wire(1_200, V4) * 8));
                    }
                }
            }
            assert!(policer.dropped() > 0, "the limit was reached");
            let mut sum = 0;
            let mut from = 0;
            for (at, bits) in &passed {
                sum += bits;
                while passed[from].0 + SPAN_US <= *at {
                    sum -= passed[from].1;
                    from += 1;
                }
                assert!(sum <= 9_600_000, "{sum} bits within ten seconds");
            }
        }
    }

    #[test]
    fn what_stays_below_the_limit_passes_whole_pictures_included() {
        let mut policer = Policer::new(960_000);
        // A picture of 30 packets each 400 ms: 744 kbit/s.
        for n in 0..1_000 {
            for _ in 0..30 {
                assert!(policer.admits(1_186, V4, Timestamp::from_millis(400 * n + 1)), "picture {n}");
            }
        }
        assert_eq!(policer.dropped(), 0);
    }

    #[test]
    fn a_rate_is_measured_between_samples() {
        let mut policer = Policer::new(960_000);
        policer.sample(Timestamp::from_millis(1));
        for n in 0..50 {
            policer.admits(172, V4, Timestamp::from_millis(1 + 20 * n));
        }
        policer.sample(Timestamp::from_millis(1_001));
        assert_eq!(policer.rate(), 90_400);
    }
}
