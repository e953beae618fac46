//! Guessing is made slow: back-off per source address and per account, with bounded memory. Pure.
//!
//! A source that keeps failing is told to wait, longer each time, up to [`LOCK_MAX`]. An account under attack from many
//! sources is slowed as well, but never for a source that has signed in to it before: nobody can lock a colleague out of
//! the desk they sit at.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

use model::time::Timestamp;

/// Failures in a row that cost nothing: people mistype.
const FREE: u32 = 5;
/// First wait after the free failures; doubles with each further one.
const LOCK_FIRST: Duration = Duration::from_secs(2);
/// Longest wait.
const LOCK_MAX: Duration = Duration::from_secs(15 * 60);
/// A failure is forgotten after this time without another.
const FORGET: Duration = Duration::from_secs(15 * 60);
/// Sources and accounts remembered; beyond it, the ones quiet for longest are dropped.
const REMEMBERED: usize = 10_000;

/// What was counted for one source or one account.
#[derive(Clone, Copy, Debug)]
struct Tally {
    failures: u32,
    last: Timestamp,
    locked_until: Timestamp,
}

/// Counts failures and says who has to wait.
#[derive(Debug, Default)]
pub struct Throttle {
    sources: HashMap<IpAddr, Tally>,
    accounts: HashMap<String, Tally>,
    /// Where an account was signed in to with success.
    trusted: HashMap<(String, IpAddr), Timestamp>,
}

impl Throttle {
    /// How long this attempt has to wait; `None`: go on.
    pub fn check(&self, source: IpAddr, account: &str, now: Timestamp) -> Option<Duration> {
        let source_wait = self.sources.get(&subject(source)).map(|tally| tally.locked_until);
        let account_wait = match self.trusted.contains_key(&(account.to_owned(), subject(source))) {
            true => None,
            false => self.accounts.get(account).map(|tally| tally.locked_until),
        };
        let until = source_wait.max(account_wait)?;
        (until > now).then(|| until.since(now))
    }

    /// A wrong password or an unknown name.
    pub fn failed(&mut self, source: IpAddr, account: &str, now: Timestamp) {
        make_room(&mut self.sources, now, |tally| tally.last);
        make_room(&mut self.accounts, now, |tally| tally.last);
        count(self.sources.entry(subject(source)), now);
        count(self.accounts.entry(account.to_owned()), now);
    }

    /// The right password.
    pub fn succeeded(&mut self, source: IpAddr, account: &str, now: Timestamp) {
        make_room(&mut self.trusted, now, |at| *at);
        self.trusted.insert((account.to_owned(), subject(source)), now);
        self.accounts.remove(account);
        self.sources.remove(&subject(source));
    }
}

/// Whoever has an IPv6 address has all of its /64: the network counts, not the address.
fn subject(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into()),
    }
}

fn count<K>(entry: std::collections::hash_map::Entry<'_, K, Tally>, now: Timestamp) {
    let tally = entry.or_insert(Tally { failures: 0, last: now, locked_until: Timestamp::ZERO });
    if now.since(tally.last) >= FORGET {
        tally.failures = 0;
    }
    tally.failures = tally.failures.saturating_add(1);
    tally.last = now;
    if tally.failures > FREE {
        let doublings = (tally.failures - FREE - 1).min(16);
        tally.locked_until = now + LOCK_FIRST.saturating_mul(1 << doublings).min(LOCK_MAX);
    }
}

/// Keeps a table within [`REMEMBERED`]: first what is forgotten anyway, then the half that was quiet for longest.
fn make_room<K: Eq + Hash, V>(table: &mut HashMap<K, V>, now: Timestamp, last: impl Fn(&V) -> Timestamp) {
    if table.len() < REMEMBERED {
        return;
    }
    table.retain(|_, value| now.since(last(value)) < FORGET);
    if table.len() >= REMEMBERED {
        let mut times: Vec<_> = table.values().map(&last).collect();
        let middle = times.len() / 2;
        let median = *times.select_nth_unstable(middle).1;
        table.retain(|_, value| last(value) > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ATTACKER: &str = "203.0.113.9";
    const OFFICE: &str = "198.51.100.4";

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }
    fn second(n: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + n * 1_000)
    }

    /// SAFE-04: sign-in is throttled.
    #[test]
    fn five_failures_are_free_and_then_each_one_waits_twice_as_long() {
        let mut throttle = Throttle::default();
        for _ in 0..5 {
            assert_eq!(throttle.check(ip(ATTACKER), "anna", second(0)), None);
            throttle.failed(ip(ATTACKER), "anna", second(0));
        }
        assert_eq!(throttle.check(ip(ATTACKER), "anna", second(0)), None);
        throttle.failed(ip(ATTACKER), "anna", second(0));
        assert_eq!(throttle.check(ip(ATTACKER), "anna", second(0)), Some(Duration::from_secs(2)));
        assert_eq!(
            throttle.check(ip(ATTACKER), "ben", second(0)),
            Some(Duration::from_secs(2)),
            "one source"
        );
        throttle.failed(ip(ATTACKER), "anna", second(2));
        assert_eq!(throttle.check(ip(ATTACKER), "anna", second(2)), Some(Duration::from_secs(4)));
        for _ in 0..40 {
            throttle.failed(ip(ATTACKER), "anna", second(10));
        }
        assert_eq!(throttle.check(ip(ATTACKER), "anna", second(10)), Some(LOCK_MAX), "never longer");
    }

    #[test]
    fn an_account_under_attack_stays_open_for_the_desk_it_is_used_from() {
        let mut throttle = Throttle::default();
        throttle.succeeded(ip(OFFICE), "anna", second(0));
        for n in 0..20u8 {
            throttle.failed(IpAddr::from([203, 0, 113, n]), "anna", second(1));
        }
        assert!(throttle.check(ip("192.0.2.77"), "anna", second(1)).is_some(), "a new source waits");
        assert_eq!(throttle.check(ip(OFFICE), "anna", second(1)), None, "the known desk does not");
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_as_one_source() {
        let mut throttle = Throttle::default();
        for n in 1..=6u16 {
            throttle.failed(ip(&format!("2001:db8::{n}")), "anna", second(0));
        }
        assert!(throttle.check(ip("2001:db8::ffff"), "other", second(0)).is_some());
        assert!(throttle.check(ip("2001:db8:1::1"), "other", second(0)).is_none());
    }

    #[test]
    fn a_million_sources_do_not_fill_the_memory() {
        let mut throttle = Throttle::default();
        for n in 0..50_000u32 {
            throttle.failed(
                IpAddr::from((0x0a00_0000 + n).to_be_bytes()),
                &format!("user{n}"),
                second(u64::from(n) / 100),
            );
        }
        assert!(throttle.sources.len() <= REMEMBERED);
        assert!(throttle.accounts.len() <= REMEMBERED);
    }
}
