//! Flows that agents start during a call: they hear nothing of it meanwhile, and always get the caller back.

use super::Checking;
use crate::graph::Kind;

/// Services that one flow may name.
const SERVICES_MAX: usize = 100;

impl Checking<'_> {
    /// For whom it is.
    pub(super) fn during_calls(&mut self) {
        let flow = self.flow;
        if flow.during_calls && flow.while_waiting {
            self.fault("during_calls", "a flow is for callers who wait or for agents, not for both");
        }
        if !flow.during_calls && !flow.services.is_empty() {
            self.fault(
                "services",
                "it says in whose calls agents may start the flow: `during_calls = true` is missing",
            );
        }
        if flow.services.len() > SERVICES_MAX {
            self.fault("services", format!("a flow names at most {SERVICES_MAX} services"));
        }
        for (number, service) in flow.services.iter().enumerate() {
            self.service_at(&format!("services[{number}]"), service);
        }
    }

    /// Whether a step has its place in such a flow, or in another.
    pub(super) fn fits_call(&mut self, at: &str, kind: Kind) {
        match (self.flow.during_calls, kind) {
            (true, Kind::Route | Kind::Callback | Kind::Transfer | Kind::Voicemail | Kind::Queue) => {
                self.fault(at, "the caller has an agent and does not go to another: end with `return`");
            }
            (true, Kind::HangUp) => {
                self.fault(at, "an agent waits for the caller: end with `return`, and the agent hangs up");
            }
            (false, Kind::GiveBack) => {
                self.fault(at, "no agent waits for the caller: `during_calls = true` is missing, or `return` is to be `hangup`");
            }
            _ => {}
        }
    }
}
