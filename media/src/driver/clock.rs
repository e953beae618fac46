//! The clock of the media threads.

use std::time::Instant;
use std::time::{SystemTime, UNIX_EPOCH};

use model::time::Timestamp;

/// Reads the wall once and counts a monotonic clock from there, so that time never runs backwards within a run. One reading a
/// turn of a media thread; never one a packet.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    wall: Timestamp,
}

impl Clock {
    /// Starts counting.
    #[expect(
        clippy::disallowed_methods,
        reason = "the media driver is one of the two places that read a clock"
    )]
    pub fn start() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), wall: Timestamp::ZERO + wall }
    }
    /// The same moment for libraries that count in [`Instant`].
    pub fn instant(&self, at: Timestamp) -> Instant {
        self.started + at.since(self.wall)
    }
    /// The other way round; what lies before the start is the start.
    pub fn timestamp(&self, instant: Instant) -> Timestamp {
        self.wall + instant.saturating_duration_since(self.started)
    }
    /// Microseconds since 1970, monotonic.
    pub fn now(&self) -> Timestamp {
        self.wall + self.started.elapsed()
    }
}
