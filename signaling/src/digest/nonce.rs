//! Nonces: made without memory, remembered only once somebody who knows a password has used them.
//!
//! A nonce is `time ‖ random ‖ HMAC-SHA-256(secret, time ‖ random ‖ realm)`. What must be remembered is which counts
//! (`nc`) of a nonce were seen, else a captured request could be sent again. That memory is bounded: when it is full, the
//! oldest nonce goes and with it the right to use any nonce as old; their owners are told `stale` and go on with a new one.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use model::time::Timestamp;
use sha2::Sha256;

/// How long a nonce may be used.
pub const LIFE: Duration = Duration::from_secs(300);
/// Nonces whose counts are remembered.
pub const NONCES_MAX: usize = 65_536;
/// Counts that may come out of order: requests of one client overtake each other on UDP.
const WINDOW: u32 = 64;

/// `time`, `random`, half of the MAC.
const TIME: usize = 8;
const RANDOM: usize = 8;
const TAG: usize = 16;

/// When a nonce was made, and a number that no other nonce of that time has.
type Key = (Timestamp, [u8; RANDOM]);

/// Whether a nonce can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Ours and fresh.
    Fresh(Key),
    /// Ours, but too old; or of a secret that is gone (before a restart).
    Stale,
}

pub(super) struct Nonces {
    secret: [u8; 32],
    realm: String,
    seen: HashMap<Key, Counts>,
    by_age: BTreeMap<Key, ()>,
    /// Nonces made up to here are stale whatever their age.
    floor: Timestamp,
    capacity: usize,
}

/// The counts seen of one nonce: the highest, and a bit for each of the 64 below and including it.
#[derive(Clone, Copy, Default)]
struct Counts {
    highest: u32,
    bits: u64,
}

impl Nonces {
    pub fn new(secret: [u8; 32], realm: String, capacity: usize) -> Self {
        let (seen, by_age) = (HashMap::new(), BTreeMap::new());
        Self { secret, realm, seen, by_age, floor: Timestamp::ZERO, capacity: capacity.max(1) }
    }

    pub fn make(&self, now: Timestamp, random: [u8; RANDOM]) -> String {
        let mut bytes = Vec::with_capacity(TIME + RANDOM + TAG);
        bytes.extend(now.micros().to_be_bytes());
        bytes.extend(random);
        let tag = self.mac(&bytes).finalize().into_bytes();
        bytes.extend(tag.iter().take(TAG));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    pub fn standing(&self, nonce: &str, now: Timestamp) -> Standing {
        match self.key(nonce) {
            Some(key @ (made, _)) if made > self.floor && made <= now && now.since(made) < LIFE => {
                Standing::Fresh(key)
            }
            _ => Standing::Stale,
        }
    }

    /// Marks a count as used. `false`: it was used before, or is too far behind to know.
    pub fn spend(&mut self, key: Key, nc: u32, now: Timestamp) -> bool {
        self.forget_old(now);
        if let Some(counts) = self.seen.get_mut(&key) {
            return counts.spend(nc);
        }
        if self.seen.len() >= self.capacity
            && let Some((oldest, ())) = self.by_age.pop_first()
        {
            self.seen.remove(&oldest);
            self.floor = self.floor.max(oldest.0);
        }
        // The newcomer itself may be as old as what had to go.
        if key.0 <= self.floor {
            return false;
        }
        let mut counts = Counts::default();
        let first = counts.spend(nc);
        self.seen.insert(key, counts);
        self.by_age.insert(key, ());
        first
    }

    fn forget_old(&mut self, now: Timestamp) {
        while let Some(oldest) = self.by_age.first_entry()
            && now.since(oldest.key().0) >= LIFE
        {
            let (key, ()) = oldest.remove_entry();
            self.seen.remove(&key);
        }
    }

    fn key(&self, nonce: &str) -> Option<Key> {
        let bytes = URL_SAFE_NO_PAD.decode(nonce).ok()?;
        let (head, tag) = bytes.split_at_checked(TIME + RANDOM)?;
        (tag.len() == TAG).then_some(())?;
        self.mac(head).verify_truncated_left(tag).ok()?;
        let (time, random) = head.split_first_chunk::<TIME>()?;
        Some((Timestamp::from_micros(u64::from_be_bytes(*time)), random.try_into().ok()?))
    }

    fn mac(&self, bytes: &[u8]) -> Hmac<Sha256> {
        let key: hmac::digest::Key<Hmac<Sha256>> = {
            let mut key = hmac::digest::Key::<Hmac<Sha256>>::default();
            key.iter_mut().zip(self.secret).for_each(|(to, from)| *to = from);
            key
        };
        Hmac::<Sha256>::new(&key).chain_update(bytes).chain_update(self.realm.as_bytes())
    }

    #[cfg(test)]
    pub fn remembered(&self) -> usize {
        self.seen.len()
    }
}

impl Counts {
    fn spend(&mut self, nc: u32) -> bool {
        if nc > self.highest {
            let ahead = nc - self.highest;
            self.bits = if ahead >= WINDOW { 0 } else { self.bits << ahead };
            self.bits |= 1;
            self.highest = nc;
            return true;
        }
        let behind = self.highest - nc;
        let bit = 1u64 << behind.min(WINDOW - 1);
        let unseen = behind < WINDOW && self.bits & bit == 0;
        if unseen {
            self.bits |= bit;
        }
        unseen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + seconds * 1_000)
    }
    fn fresh(nonces: &Nonces, nonce: &str, now: Timestamp) -> Key {
        match nonces.standing(nonce, now) {
            Standing::Fresh(key) => key,
            Standing::Stale => panic!("stale"),
        }
    }

    #[test]
    fn a_nonce_is_good_for_five_minutes_and_only_with_its_secret_and_realm() {
        let nonces = Nonces::new([1; 32], "x".into(), 10);
        let nonce = nonces.make(at(0), [5; 8]);
        fresh(&nonces, &nonce, at(299));
        assert_eq!(nonces.standing(&nonce, at(300)), Standing::Stale);
        let other = Nonces::new([2; 32], "x".into(), 10);
        assert_eq!(other.standing(&nonce, at(0)), Standing::Stale);
        let elsewhere = Nonces::new([1; 32], "y".into(), 10);
        assert_eq!(elsewhere.standing(&nonce, at(0)), Standing::Stale);
        for bad in ["", "x", "!!", &nonce[1..], &(nonce.clone() + "AAAA")] {
            assert_eq!(nonces.standing(bad, at(0)), Standing::Stale, "{bad}");
        }
        let future = nonces.make(at(60), [5; 8]);
        assert_eq!(nonces.standing(&future, at(0)), Standing::Stale);
    }

    #[test]
    fn each_count_is_good_once_in_whatever_order_within_the_window() {
        let mut nonces = Nonces::new([1; 32], "x".into(), 10);
        let key = fresh(&nonces, &nonces.make(at(0), [5; 8]), at(0));
        for (nc, good) in [
            (3, true),
            (1, true),
            (3, false),
            (1, false),
            (2, true),
            (100, true),
            (36, false),
            (37, true),
            (37, false),
        ] {
            assert_eq!(nonces.spend(key, nc, at(1)), good, "nc {nc}");
        }
        assert!(nonces.spend(key, u32::MAX, at(1)));
        assert!(!nonces.spend(key, 101, at(1)), "far behind");
    }

    #[test]
    fn a_full_memory_makes_old_nonces_stale_rather_than_open_to_replay() {
        let mut nonces = Nonces::new([1; 32], "x".into(), 2);
        let made: Vec<String> = (0..3).map(|n| nonces.make(at(n), [n as u8; 8])).collect();
        for nonce in &made {
            let key = fresh(&nonces, nonce, at(10));
            assert!(nonces.spend(key, 1, at(10)));
        }
        assert_eq!(nonces.standing(&made[0], at(10)), Standing::Stale);
        fresh(&nonces, &made[1], at(10));
        assert_eq!(nonces.remembered(), 2);
        let later = fresh(&nonces, &nonces.make(at(500), [9; 8]), at(500));
        assert!(nonces.spend(later, 1, at(500)));
        assert_eq!(nonces.remembered(), 1, "the dead are forgotten");
    }
}
