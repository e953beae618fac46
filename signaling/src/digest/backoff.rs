//! Slows guessing down: ten failures in five minutes and the guesser must pause, longer each time, 15 minutes at most.
//!
//! Failures count by source and by account. A source from which an account signed in before is not held up by what
//! others do to that account: otherwise anybody could lock anybody out. Both tables are bounded; when one is full, the
//! entry that was quiet longest goes.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use model::time::Timestamp;

/// Failures in [`WINDOW`] that bring a pause.
pub const FAILURES_MAX: u32 = 10;
/// The time in which they count.
pub const WINDOW: Duration = Duration::from_secs(300);
/// The first pause; each later one is twice as long.
pub const PAUSE_FIRST: Duration = Duration::from_secs(60);
/// The longest pause.
pub const PAUSE_MAX: Duration = Duration::from_secs(900);
/// Sources that are watched.
pub const SOURCES_MAX: usize = 16_384;
/// Accounts that are watched.
pub const ACCOUNTS_MAX: usize = 16_384;
/// Sources remembered as good for an account: desk phone, mobile, home.
const GOOD_MAX: usize = 4;
/// Longest account name that is kept.
const NAME_MAX: usize = 128;

/// Who failed how often.
#[derive(Debug, Default)]
pub struct Backoff {
    sources: Table<IpAddr>,
    accounts: Table<String>,
    good: HashMap<String, VecDeque<IpAddr>>,
}

impl Backoff {
    /// How long this source must wait before it may try this account, if it must.
    pub fn pause(&self, source: IpAddr, account: &str, now: Timestamp) -> Option<Duration> {
        let by_account =
            || self.accounts.pause(&name(account), now).filter(|_| !self.is_good(source, account));
        self.sources.pause(&network(source), now).max(by_account())
    }

    /// A failed attempt; how long a pause begins with it, if one does.
    pub fn failed(&mut self, source: IpAddr, account: &str, now: Timestamp) -> Option<Duration> {
        let of_source = self.sources.failed(network(source), SOURCES_MAX, now);
        of_source.max(self.accounts.failed(name(account), ACCOUNTS_MAX, now))
    }

    /// A good sign-in. It clears neither table: a guesser with one account of its own could else try others for ever.
    pub fn succeeded(&mut self, source: IpAddr, account: &str) {
        let account = name(account);
        if !self.good.contains_key(&account) && self.good.len() >= ACCOUNTS_MAX {
            // Forgetting who was good costs a user nothing unless the account is under attack.
            self.good.clear();
        }
        let source = network(source);
        let good = self.good.entry(account).or_default();
        good.retain(|known| *known != source);
        good.push_front(source);
        good.truncate(GOOD_MAX);
    }

    fn is_good(&self, source: IpAddr, account: &str) -> bool {
        self.good.get(&name(account)).is_some_and(|good| good.contains(&network(source)))
    }
}

#[derive(Debug)]
struct Table<K> {
    entries: HashMap<K, Entry>,
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self { entries: HashMap::new() }
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    failures: u32,
    /// Since when they are counted.
    since: Timestamp,
    last: Timestamp,
    paused_until: Timestamp,
    pauses: u32,
}

impl<K: Hash + Eq + Clone> Table<K> {
    fn pause(&self, key: &K, now: Timestamp) -> Option<Duration> {
        let until = self.entries.get(key)?.paused_until;
        (until > now).then(|| until.since(now))
    }

    fn failed(&mut self, key: K, capacity: usize, now: Timestamp) -> Option<Duration> {
        if !self.entries.contains_key(&key) && self.entries.len() >= capacity {
            self.make_room(now);
        }
        let new = Entry { failures: 0, since: now, last: now, paused_until: Timestamp::ZERO, pauses: 0 };
        let entry = self.entries.entry(key).or_insert(new);
        if entry.is_over(now) {
            *entry = new;
        }
        if now.since(entry.since) >= WINDOW {
            (entry.failures, entry.since) = (0, now);
        }
        entry.failures += 1;
        entry.last = now;
        if entry.failures < FAILURES_MAX {
            return None;
        }
        let pause = PAUSE_FIRST.saturating_mul(1 << entry.pauses.min(10)).min(PAUSE_MAX);
        entry.paused_until = now + pause;
        entry.pauses = entry.pauses.saturating_add(1);
        (entry.failures, entry.since) = (0, now);
        Some(pause)
    }

    fn make_room(&mut self, now: Timestamp) {
        let before = self.entries.len();
        self.entries.retain(|_, entry| !entry.is_over(now));
        if self.entries.len() == before {
            // Half at once, so that a flood of new sources pays for a sweep only now and then.
            let mut ages: Vec<Timestamp> =
                self.entries.values().map(|e| e.last.max(e.paused_until)).collect();
            let middle = ages.len() / 2;
            let (_, median, _) = ages.select_nth_unstable(middle);
            let median = *median;
            self.entries.retain(|_, e| e.last.max(e.paused_until) > median);
        }
    }
}

impl Entry {
    /// Quiet long enough to begin anew.
    fn is_over(&self, now: Timestamp) -> bool {
        now.since(self.last.max(self.paused_until)) >= PAUSE_MAX
    }
}

/// A customer of an IPv6 provider has a /64 at least, and could fail from each of its addresses.
fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64))),
        v4 => v4,
    }
}

fn name(account: &str) -> String {
    account.chars().take(NAME_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + seconds * 1_000)
    }
    fn ip(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }
    fn fail(backoff: &mut Backoff, source: IpAddr, account: &str, times: u32, now: Timestamp) {
        for _ in 0..times {
            backoff.failed(source, account, now);
        }
    }

    #[test]
    fn the_tenth_failure_in_five_minutes_brings_a_pause_that_doubles_up_to_fifteen_minutes() {
        let mut backoff = Backoff::default();
        fail(&mut backoff, ip(1), "bob", 9, at(0));
        assert_eq!(backoff.pause(ip(1), "bob", at(0)), None);
        let mut now = at(1);
        assert_eq!(backoff.failed(ip(1), "bob", now), Some(PAUSE_FIRST));
        for pause in [60, 120, 240, 480, 900, 900] {
            let pause = Duration::from_secs(pause);
            assert_eq!(backoff.pause(ip(1), "bob", now), Some(pause));
            now = now + pause;
            assert_eq!(backoff.pause(ip(1), "bob", now), None, "it may try again");
            fail(&mut backoff, ip(1), "bob", 10, now);
        }
    }

    #[test]
    fn failures_far_apart_bring_no_pause_and_quiet_wipes_the_slate() {
        let mut backoff = Backoff::default();
        for n in 0..40 {
            fail(&mut backoff, ip(1), "bob", 1, at(n * 40));
        }
        assert_eq!(backoff.pause(ip(1), "bob", at(39 * 40)), None);
        fail(&mut backoff, ip(2), "ann", 10, at(0));
        fail(&mut backoff, ip(2), "ann", 10, at(2_000));
        assert_eq!(backoff.pause(ip(2), "ann", at(2_000)), Some(PAUSE_FIRST));
    }

    #[test]
    fn a_stranger_cannot_lock_a_user_out_of_a_place_where_the_user_signed_in() {
        let mut backoff = Backoff::default();
        backoff.succeeded(ip(1), "bob");
        for stranger in 2..=11 {
            fail(&mut backoff, ip(stranger), "bob", 1, at(0));
        }
        assert_eq!(backoff.pause(ip(1), "bob", at(0)), None, "the desk phone of Bob");
        assert!(backoff.pause(ip(99), "bob", at(0)).is_some(), "a place nobody knows");
        assert_eq!(backoff.pause(ip(99), "ann", at(0)), None);
    }

    #[test]
    fn all_addresses_of_one_ipv6_network_fail_together() {
        let mut backoff = Backoff::default();
        for n in 0..10u16 {
            fail(&mut backoff, IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, n]), &n.to_string(), 1, at(0));
        }
        assert!(backoff.pause(IpAddr::from([0x2001, 0xdb8, 0, 1, 9, 9, 9, 9]), "x", at(0)).is_some());
        assert_eq!(backoff.pause(IpAddr::from([0x2001, 0xdb8, 0, 2, 9, 9, 9, 9]), "x", at(0)), None);
    }

    #[test]
    fn the_tables_stay_bounded_in_a_flood_of_names_and_sources() {
        let mut backoff = Backoff::default();
        for n in 0..40_000u32 {
            let source = IpAddr::from(std::net::Ipv4Addr::from_bits(0x0a00_0000 + n));
            backoff.failed(source, &format!("user{n}"), at(u64::from(n) / 1_000));
            backoff.succeeded(source, &format!("user{n}"));
        }
        assert!(backoff.sources.entries.len() <= SOURCES_MAX);
        assert!(backoff.accounts.entries.len() <= ACCOUNTS_MAX);
        assert!(backoff.good.len() <= ACCOUNTS_MAX);
    }
}
