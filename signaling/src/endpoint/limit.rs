//! How much one source may send before it is known (SAFE-02): a token bucket each, in a table with a bound.
//!
//! Trunks and signed-in phones never come here, so that a flood of strangers cannot use up a carrier's share. An IPv6
//! source is its /64, because a host owns at least that much.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use model::time::Timestamp;

/// Messages a second a stranger may send.
const RATE: u64 = 20;
/// How many at once: a phone that starts registers, subscribes and repeats.
const BURST: u64 = 60;
/// Sources remembered. 65 536 of 24 octets are 2 MiB.
const SOURCES_MAX: usize = 65_536;

/// The buckets.
#[derive(Debug, Default)]
pub struct SourceLimiter {
    sources: HashMap<IpAddr, Bucket>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// Thousandths of a message.
    level: u64,
    at: Timestamp,
}

impl SourceLimiter {
    /// Whether a message of this source is taken now.
    pub fn admit(&mut self, source: IpAddr, now: Timestamp) -> bool {
        let source = network(source);
        if self.sources.len() >= SOURCES_MAX && !self.sources.contains_key(&source) {
            // Whoever was quiet long enough to have a full bucket is as good as unknown.
            let idle = Duration::from_secs(BURST / RATE + 1);
            self.sources.retain(|_, b| now.since(b.at) < idle);
            if self.sources.len() >= SOURCES_MAX {
                return false;
            }
        }
        let bucket = self.sources.entry(source).or_insert(Bucket { level: BURST * 1_000, at: now });
        let earned = u64::try_from(now.since(bucket.at).as_millis()).unwrap_or(u64::MAX).saturating_mul(RATE);
        bucket.level = bucket.level.saturating_add(earned).min(BURST * 1_000);
        bucket.at = now;
        if bucket.level < 1_000 {
            return false;
        }
        bucket.level -= 1_000;
        true
    }
}

fn network(source: IpAddr) -> IpAddr {
    match source {
        IpAddr::V4(_) => source,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    /// SAFE-02
    #[test]
    fn a_flood_is_cut_to_its_rate_and_a_neighbour_is_not() {
        let mut limiter = SourceLimiter::default();
        let (attacker, neighbour) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let admitted = (0..1_000).filter(|_| limiter.admit(attacker, NOW)).count();
        assert_eq!(admitted, 60);
        assert!(limiter.admit(neighbour, NOW));
        let later = NOW + Duration::from_secs(1);
        assert_eq!((0..1_000).filter(|_| limiter.admit(attacker, later)).count(), 20);
    }

    #[test]
    fn hosts_of_one_ipv6_network_share_a_bucket() {
        let mut limiter = SourceLimiter::default();
        let admitted = (0..1_000u128)
            .filter(|n| limiter.admit(IpAddr::V6(Ipv6Addr::from_bits((0x2001_0db8 << 96) + n)), NOW))
            .count();
        assert_eq!(admitted, 60);
    }

    #[test]
    fn the_table_has_a_bound_and_forgets_the_quiet() {
        let mut limiter = SourceLimiter::default();
        for n in 0..70_000u32 {
            limiter.admit(IpAddr::V4(n.into()), NOW);
        }
        assert!(limiter.sources.len() <= SOURCES_MAX);
        assert!(limiter.admit("203.0.113.9".parse().unwrap(), NOW + Duration::from_secs(10)));
        assert!(limiter.sources.len() < 10);
    }
}
