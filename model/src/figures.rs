//! Figures of a service: what is known of its pace.

use serde::{Deserialize, Serialize};

/// A mean that forgets slowly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// Observations so far.
    pub seen: u64,
    /// Their mean; the older they are, the less they weigh.
    pub value: f64,
}

impl Mean {
    /// Adds an observation. The first `memory` weigh alike; from then on each moves the mean by the same share.
    pub fn add(&mut self, observed: f64, memory: u32) {
        self.seen = self.seen.saturating_add(1);
        let weight = self.seen.min(memory.max(1).into());
        self.value += (observed - self.value) / weight as f64;
    }

    /// The mean, when anything was observed.
    pub fn get(&self) -> Option<f64> {
        (self.seen > 0).then_some(self.value)
    }
}

/// How fast the customers of a service are served, as far as it has been seen. What expected waits are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pace {
    /// Seconds an agent is bound by one customer, from the acceptance to the completion.
    pub handling_s: Mean,
    /// Seconds from the offer to the acceptance.
    pub answer_s: Mean,
    /// Customers who left the line for an agent while others waited.
    pub drawn: f64,
    /// How many would have in the same time, had all who can serve the service served nobody else. Forgets together with
    /// [`Pace::drawn`].
    pub due: f64,
    /// Customers who gave up in the line.
    pub left: f64,
    /// Seconds that were waited in the line, by all together. Forgets together with [`Pace::left`].
    pub waited_s: f64,
}
