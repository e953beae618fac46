//! The one clock and the one source of randomness. Everybody else is told.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the place where the machine's clocks and randomness are read"
)]

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use model::id::IdSource;
use model::time::Timestamp;

/// The time now: the wall clock read once at start, then counted on by the monotonic clock, so it never runs backwards.
pub fn now() -> Timestamp {
    static START: OnceLock<(Timestamp, Instant)> = OnceLock::new();
    let (wall, monotonic) = *START.get_or_init(|| {
        let micros = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros());
        (Timestamp::from_micros(u64::try_from(micros).unwrap_or(u64::MAX)), Instant::now())
    });
    wall + monotonic.elapsed()
}

/// Ids by the wall clock and the system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemIds;

impl IdSource for SystemIds {
    fn now(&self) -> Timestamp {
        now()
    }
    fn random(&mut self) -> [u8; 10] {
        rand::random()
    }
}

/// The desk's clock: this one, with sleeping.
#[derive(Clone, Copy, Debug)]
pub struct DeskClock;

impl desk::Clock for DeskClock {
    fn now(&self) -> Timestamp {
        now()
    }
    fn sleep_until(&self, at: Timestamp) -> desk::clock::Sleep {
        Box::pin(tokio::time::sleep(at.since(now())))
    }
}
