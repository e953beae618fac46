//! Which flow may be gone through when.

use std::sync::Arc;

use flow::Ready;
use model::id::{FlowId, ServiceId};
use model::service::Service;

use super::Configuration;
use crate::console::protocol::FlowChoice;

impl Configuration {
    /// Flows that agents may start in calls of a service, by name (CTRL-06).
    pub(super) fn flows_for_calls_of(&self, service: &Service) -> Vec<FlowChoice> {
        let fit = self.ready_flows.iter().filter(|(_, (_, ready))| ready.is_for_calls_of(&service.name));
        let named = fit.filter_map(|(id, _)| self.flows.get(id));
        let mut all: Vec<_> = named.map(|flow| FlowChoice { id: flow.id, name: flow.name.clone() }).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }

    /// One of them, as it is in use.
    pub fn flow_for_calls_of(&self, service: ServiceId, flow: FlowId) -> Option<(u32, Arc<Ready>)> {
        let service = self.services.get(&service)?;
        let (version, ready) = self.ready_flows.get(&flow)?;
        ready.is_for_calls_of(&service.name).then(|| (*version, ready.clone()))
    }
}
