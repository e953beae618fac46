//! Figures of queues that are not counted here, but read off the floor (ROUTE-11).

use prometheus::{GaugeVec, Registry};

use super::register::gauges;
use crate::console::protocol::QueueView;

/// See the module.
pub struct Queues {
    oldest_wait: GaugeVec,
    expected_wait: GaugeVec,
    callbacks: GaugeVec,
    service_level: GaugeVec,
}

impl Queues {
    pub(super) fn new(r: &Registry) -> Result<Self, prometheus::Error> {
        Ok(Self {
            oldest_wait: gauges(
                r,
                "patchbay_queue_oldest_wait_seconds",
                "How long the caller at the head has waited.",
                &["queue"],
            )?,
            expected_wait: gauges(
                r,
                "patchbay_queue_expected_wait_seconds",
                "How long somebody who calls now will probably wait; absent while that is not known.",
                &["queue"],
            )?,
            callbacks: gauges(
                r,
                "patchbay_callbacks_open",
                "Customers who are to be called back, in the line or not yet again.",
                &["queue"],
            )?,
            service_level: gauges(
                r,
                "patchbay_queue_service_level_ratio",
                "Answered within the service's time, of those offered, 0 to 1; absent while nobody was.",
                &["queue", "period"],
            )?,
        })
    }

    /// Shows a queue as it is now. `now_ms` is in milliseconds since 1970.
    pub fn show(&self, label: &str, queue: &QueueView, now_ms: u64) {
        let oldest = queue.longest_since.map_or(0, |since| now_ms.saturating_sub(since));
        put(&self.oldest_wait, &[label], Some(oldest as f64 / 1_000.0));
        put(&self.expected_wait, &[label], queue.expected_wait_s.map(|seconds| seconds as f64));
        put(&self.callbacks, &[label], Some(queue.callbacks.into()));
        for (period, view) in [("half_hour", &queue.half_hour), ("today", &queue.today)] {
            let level = view.service_level_percent.map(|percent| percent / 100.0);
            put(&self.service_level, &[label, period], level);
        }
    }
}

fn put(gauge: &GaugeVec, labels: &[&str], value: Option<f64>) {
    match value {
        Some(value) => gauge.with_label_values(labels).set(value),
        // It was not there, or is not any more.
        None => drop(gauge.remove_label_values(labels)),
    }
}
