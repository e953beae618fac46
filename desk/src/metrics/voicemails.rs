//! Figures of messages that callers leave (ROUTE-07).

use prometheus::{IntCounterVec, Registry};

use super::register::counters;

/// See the module.
pub(super) struct Voicemails {
    total: IntCounterVec,
}

impl Voicemails {
    pub fn new(r: &Registry) -> Result<Self, prometheus::Error> {
        let name = "patchbay_voicemails_total";
        let help = "Messages of callers: left, too short to be kept, or refused.";
        Ok(Self { total: counters(r, name, help, &["queue", "result"])? })
    }

    /// `result`: `left`, `short` or `refused`.
    pub fn count(&self, queue: &str, result: &str) {
        self.total.with_label_values(&[queue, result]).inc();
    }
}
