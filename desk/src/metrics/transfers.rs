//! Figures of callers whom flows connect with numbers outside (ROUTE-08), and of customers whom agents pass on (XFER-05).

use model::transfer::TransferTarget;
use prometheus::{IntCounterVec, Registry};

use super::register::counters;

/// See the module.
pub(super) struct Transfers {
    by_flow: IntCounterVec,
    by_agent: IntCounterVec,
}

impl Transfers {
    pub fn new(r: &Registry) -> Result<Self, prometheus::Error> {
        let flows = "patchbay_flow_transfers_total";
        let agents = "patchbay_transfers_total";
        Ok(Self {
            by_flow: counters(r, flows, "Numbers that flows dialled for callers, by result.", &["result"])?,
            by_agent: counters(r, agents, "Customers whom agents passed on, by what to.", &["to"])?,
        })
    }

    /// A flow dialled. `result`: `answered`, or why not.
    pub fn count(&self, result: &str) {
        self.by_flow.with_label_values(&[result]).inc();
    }

    /// An agent passed a customer on.
    pub fn by_agent(&self, to: &TransferTarget) {
        let to = match to {
            TransferTarget::Service { .. } => "service",
            TransferTarget::Agent { .. } => "agent",
            TransferTarget::Number { .. } => "number",
        };
        self.by_agent.with_label_values(&[to]).inc();
    }
}
