//! Figures of callers whom flows connect with numbers outside (ROUTE-08).

use prometheus::{IntCounterVec, Registry};

use super::register::counters;

/// See the module.
pub(super) struct Transfers {
    total: IntCounterVec,
}

impl Transfers {
    pub fn new(r: &Registry) -> Result<Self, prometheus::Error> {
        let name = "patchbay_flow_transfers_total";
        Ok(Self {
            total: counters(r, name, "Numbers that flows dialled for callers, by result.", &["result"])?,
        })
    }

    /// `result`: `answered`, or why not.
    pub fn count(&self, result: &str) {
        self.total.with_label_values(&[result]).inc();
    }
}
