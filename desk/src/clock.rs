//! Time and chance, passed in: nothing in this room asks the machine for either.
//!
//! The appliance gives the real clock and a seeded generator; tests and the simulator give [`ManualClock`], which
//! stands still until it is moved.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use model::id::{Id, IdSource};
use model::time::Timestamp;
use tokio::sync::oneshot;

/// A wait that ends by itself.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tells the time and waits for it.
pub trait Clock: Send + Sync + 'static {
    /// Now. Never goes backwards within a run.
    fn now(&self) -> Timestamp;
    /// Ends at or soon after `at`; at once when that has passed.
    fn sleep_until(&self, at: Timestamp) -> Sleep;
}

/// Fills buffers with randomness that nobody can guess: tokens, secrets, salts and ids are made of it.
pub trait Entropy: Send + Sync + 'static {
    /// Fills all of `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

impl<F: Fn(&mut [u8]) + Send + Sync + 'static> Entropy for F {
    fn fill(&self, bytes: &mut [u8]) {
        self(bytes);
    }
}

/// Clock and randomness together: what makes ids.
#[derive(Clone)]
pub struct Sources {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The chance.
    pub entropy: Arc<dyn Entropy>,
}

impl Sources {
    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
    /// A new id.
    pub fn id<I: Id>(&self) -> I {
        I::make(&mut self.clone())
    }
    /// Random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }
}

impl IdSource for Sources {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }
    fn random(&mut self) -> [u8; 10] {
        self.bytes()
    }
}

/// A clock that stands still until somebody moves it.
#[derive(Clone)]
pub struct ManualClock {
    hands: Arc<Mutex<Hands>>,
}

struct Hands {
    now: Timestamp,
    /// Sleepers by the time they wake; a number keeps two of one time apart.
    sleepers: BTreeMap<(Timestamp, u64), oneshot::Sender<()>>,
    numbered: u64,
}

impl ManualClock {
    /// A clock that shows `now`.
    pub fn at(now: Timestamp) -> Self {
        Self { hands: Arc::new(Mutex::new(Hands { now, sleepers: BTreeMap::new(), numbered: 0 })) }
    }

    /// Moves the hands forward and wakes whoever waited for a time up to there.
    pub fn advance(&self, by: std::time::Duration) {
        let mut hands = self.hands.lock().unwrap_or_else(PoisonError::into_inner);
        hands.now = hands.now + by;
        let awake = hands.now;
        while let Some(entry) = hands.sleepers.first_entry() {
            if entry.key().0 > awake {
                break;
            }
            // The sleeper may have gone in the meantime: nobody to wake then.
            let _ = entry.remove().send(());
        }
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner).now
    }
    fn sleep_until(&self, at: Timestamp) -> Sleep {
        let mut hands = self.hands.lock().unwrap_or_else(PoisonError::into_inner);
        if at <= hands.now {
            return Box::pin(std::future::ready(()));
        }
        hands.sleepers.retain(|_, sleeper| !sleeper.is_closed());
        let (wake, woken) = oneshot::channel();
        let number = hands.numbered;
        hands.numbered += 1;
        hands.sleepers.insert((at, number), wake);
        Box::pin(async move {
            // The clock is gone: nothing will ever wake this sleeper.
            if woken.await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn a_sleeper_wakes_when_the_hands_reach_its_time_and_not_before() {
        let clock = ManualClock::at(Timestamp::from_millis(1_000));
        let mut sleep = clock.sleep_until(Timestamp::from_millis(3_000));
        clock.advance(Duration::from_millis(1_999));
        assert!(tokio::time::timeout(Duration::from_millis(5), &mut sleep).await.is_err());
        clock.advance(Duration::from_millis(1));
        tokio::time::timeout(Duration::from_secs(5), sleep).await.unwrap();
    }
}
