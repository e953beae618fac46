//! How systems of the operator answer flows.

use std::time::Duration;

use flow::Reply;
use prometheus::{HistogramVec, IntCounter, Registry};

use super::register::{counter, histograms};

/// Callers wait for these: a second is much, twenty are the most.
const BUCKETS: [f64; 9] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 20.0];

/// See the module.
pub struct Requests {
    seconds: HistogramVec,
    overloaded: IntCounter,
}

impl Requests {
    pub(super) fn new(r: &Registry) -> Result<Self, prometheus::Error> {
        Ok(Self {
            seconds: histograms(
                r,
                "patchbay_flow_request_seconds",
                "Requests of flows to systems of the operator, from asking to what came of it.",
                &BUCKETS,
                &["result"],
            )?,
            overloaded: counter(
                r,
                "patchbay_flow_requests_overloaded_total",
                "Requests of flows that were not made, because too many were under way.",
            )?,
        })
    }

    /// Something came of a request.
    pub fn replied(&self, reply: &Reply, after: Duration) {
        let result = match reply {
            Reply::Answered { status: 200..=299, .. } => "ok",
            Reply::Answered { .. } => "refused",
            Reply::Failed => "failed",
            Reply::TimedOut => "timeout",
        };
        self.seconds.with_label_values(&[result]).observe(after.as_secs_f64());
    }

    /// A request was not made.
    pub fn overloaded(&self) {
        self.overloaded.inc();
    }
}
