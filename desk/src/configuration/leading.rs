//! Where services and flows lead callers: circles, and what leads to something that is to go (ROUTE-07).

use std::collections::{BTreeMap, VecDeque};

use model::id::{FlowId, ServiceId};
use model::service::{Overflow, Service, Treatment};

use super::snapshot::Configuration;

/// A place callers are led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Service(ServiceId),
    Flow(FlowId),
}

/// A circle of overflow: callers could go round in it for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circle {
    /// The field of the first service that leads into it.
    pub field: &'static str,
    /// Names on the way, the first again at the end.
    pub way: Vec<String>,
}

impl Configuration {
    /// A circle that begins with this service. Whoever waits before being led into a flow, or hears and presses something in one
    /// that leads nowhere at once, is in none.
    pub fn circle_from(&self, service: &Service) -> Option<Circle> {
        let start = Place::Service(service.id);
        for (why, field, treatment) in service.queue.treatments() {
            let Some(first) = place(why, treatment) else { continue };
            let (mut open, mut came_from) = (VecDeque::from([first]), BTreeMap::from([(first, start)]));
            while let Some(at) = open.pop_front().filter(|_| !came_from.contains_key(&start)) {
                for next in self.from(at) {
                    came_from.entry(next).or_insert_with(|| {
                        open.push_back(next);
                        at
                    });
                }
            }
            let Some(mut at) = came_from.get(&start).copied() else { continue };
            let mut way = vec![self.name_place(start)];
            while at != start {
                way.push(self.name_place(at));
                let Some(before) = came_from.get(&at) else { break };
                at = *before;
            }
            way.push(self.name_place(start));
            way.reverse();
            return Some(Circle { field, way });
        }
        None
    }

    fn from(&self, at: Place) -> Vec<Place> {
        match at {
            Place::Service(id) => {
                let treatments = self.services.get(&id).map(|service| service.queue.treatments());
                treatments.into_iter().flatten().filter_map(|(why, _, to)| place(why, to)).collect()
            }
            Place::Flow(id) => {
                let queues = self.ready_flows.get(&id).map(|(_, ready)| ready.leads_at_once());
                let services = queues.into_iter().flatten().filter_map(|name| self.service_named(&name));
                services.map(|service| Place::Service(service.id)).collect()
            }
        }
    }

    fn name_place(&self, place: Place) -> String {
        match place {
            Place::Service(id) => self.name_service(id).name,
            Place::Flow(id) => {
                self.flows.get(&id).map_or_else(String::new, |flow| format!("flow {}", flow.name))
            }
        }
    }

    /// Whoever leads callers to a service, in words: numbers, services, flows.
    pub fn leading_to_service(&self, service: ServiceId) -> Vec<String> {
        let name = self.name_service(service).name;
        let numbers = self.numbers.iter().filter(|(_, (to, _))| *to == service);
        let mut found: Vec<_> = numbers.map(|(digits, _)| format!("the number {digits}")).collect();
        found.extend(self.services_leading(Treatment::Service(service)));
        let flows = self.ready_flows.iter().filter(|(_, (_, ready))| ready.names_service(&name));
        found
            .extend(flows.map(|(id, _)| self.name_place(Place::Flow(*id))).map(|name| format!("the {name}")));
        found.sort();
        found
    }

    /// Whoever leads callers into a flow, in words: numbers and services.
    pub fn leading_to_flow(&self, flow: FlowId) -> Vec<String> {
        let numbers = self.numbers.iter().filter(|(_, (_, first))| *first == Some(flow));
        let mut found: Vec<_> = numbers.map(|(digits, _)| format!("the number {digits}")).collect();
        found.extend(self.services_leading(Treatment::Flow(flow)));
        found.sort();
        found
    }

    fn services_leading(&self, to: Treatment) -> impl Iterator<Item = String> {
        let leads =
            move |service: &&Service| service.queue.treatments().iter().any(|(_, _, each)| *each == to);
        self.services.values().filter(leads).map(|service| format!("the service {}", service.name))
    }
}

/// Where a treatment leads. A flow that comes after waiting takes its time, and is no part of a circle.
fn place(why: Overflow, treatment: Treatment) -> Option<Place> {
    match treatment {
        Treatment::Service(service) => Some(Place::Service(service)),
        Treatment::Flow(flow) if why != Overflow::WaitedLong => Some(Place::Flow(flow)),
        Treatment::Flow(_) | Treatment::Announce | Treatment::Reject | Treatment::Queue => None,
    }
}
