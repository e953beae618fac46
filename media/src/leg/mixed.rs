//! A conference's mix on its way to the far end: packets of our own making, one after the other on our timeline.

use std::time::Duration;

use model::time::Timestamp;

use super::{Leg, Wire};

/// A timeline that is off by more than this is joined to the clock anew: the thread was held up.
const DRIFT_MAX: Duration = Duration::from_millis(100);

impl Leg {
    /// Whether a mix would reach the far end now.
    pub fn hears_mix(&self) -> bool {
        self.destination().is_some()
    }

    /// Sends a packet of the mix that lasts `ticks`. Digits go before it, as they do before voices.
    pub fn say_mixed(&mut self, payload: &[u8], ticks: u32, now: Timestamp, wire: &mut dyn Wire) {
        let to = self.destination().filter(|_| !self.sends_digits() && !self.relays_event(now));
        let (Some(to), Some(send)) = (to, self.setup.as_ref().and_then(|setup| setup.send)) else {
            self.mixed = None;
            return;
        };
        let clock = self.outgoing.clock_at(now);
        let drift_max = send.codec.clock_hz() / 1_000 * DRIFT_MAX.as_millis() as u32;
        let next = self.mixed.filter(|next| next.since(clock).unsigned_abs() <= drift_max);
        let time = next.unwrap_or_else(|| self.outgoing.time_at(now));
        let header = self.outgoing.own(send.payload_type, next.is_none(), time);
        self.put(&header, payload, to, wire);
        self.outgoing.sent(&header, payload.len(), ticks, now);
        self.mixed = Some(time.plus(ticks));
    }
}
