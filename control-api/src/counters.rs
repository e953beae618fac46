//! What the doors count: answers by status, and frames that were not understood.

use axum::http::StatusCode;
use prometheus::{IntCounter, IntCounterVec, Opts, Registry};

/// Counters of the API. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Counters {
    responses: IntCounterVec,
    bad_frames: IntCounter,
}

impl Counters {
    /// Makes and registers them.
    pub fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let responses = IntCounterVec::new(
            Opts::new(
                "patchbay_http_responses_total",
                "Answers to HTTP requests by status; 4xx are requests that were refused.",
            ),
            &["status"],
        )?;
        let bad_frames = IntCounter::new(
            "patchbay_console_bad_frames_total",
            "WebSocket frames of consoles that were not understood.",
        )?;
        registry.register(Box::new(responses.clone()))?;
        registry.register(Box::new(bad_frames.clone()))?;
        Ok(Self { responses, bad_frames })
    }

    /// A request was answered.
    pub(crate) fn answered(&self, status: StatusCode) {
        self.responses.with_label_values(&[status.as_str()]).inc();
    }
    /// A frame was not understood.
    pub(crate) fn bad_frame(&self) {
        self.bad_frames.inc();
    }
}
