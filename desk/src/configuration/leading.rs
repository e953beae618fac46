//! Where services and flows lead callers: circles, and what leads to something that is to go (ROUTE-07).

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use model::id::{FlowId, ServiceId};
use model::service::{Overflow, Service, Treatment};
use serde::Serialize;
use utoipa::ToSchema;

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

/// What leads callers somewhere, or is led to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct Stop {
    /// What it is.
    pub kind: StopKind,
    /// Its name, or digits.
    pub name: String,
}

/// What callers come through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StopKind {
    /// A flow of self-service.
    Flow,
    /// A dialled number.
    Number,
    /// A service, by one of its treatments.
    Service,
    /// Waiting for a service.
    Waiting,
}

impl Stop {
    /// One of a kind.
    pub fn new(kind: StopKind, name: &str) -> Self {
        Self { kind, name: name.to_owned() }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            StopKind::Flow => "the flow",
            StopKind::Number => "the number",
            StopKind::Service => "the service",
            StopKind::Waiting => "whoever waits for",
        };
        write!(f, "{what} {}", self.name)
    }
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

    /// Whoever leads callers to a service: numbers, services, flows.
    pub fn leading_to_service(&self, service: ServiceId) -> Vec<Stop> {
        let name = self.name_service(service).name;
        let numbers = self.numbers.iter().filter(|(_, (to, _))| *to == service);
        let mut found: Vec<_> = numbers.map(|(digits, _)| Stop::new(StopKind::Number, digits)).collect();
        found.extend(self.services_leading(Treatment::Service(service)));
        found.extend(self.flows_naming(&name));
        found.sort();
        found
    }

    /// Flows that call a service by this name.
    pub fn flows_naming(&self, service: &str) -> impl Iterator<Item = Stop> {
        let naming = self.ready_flows.iter().filter(move |(_, (_, ready))| ready.names_service(service));
        naming.filter_map(|(id, _)| self.flows.get(id)).map(|flow| Stop::new(StopKind::Flow, &flow.name))
    }

    /// Whoever leads callers into a flow: numbers and services.
    pub fn leading_to_flow(&self, flow: FlowId) -> Vec<Stop> {
        let numbers = self.numbers.iter().filter(|(_, (_, first))| *first == Some(flow));
        let mut found: Vec<_> = numbers.map(|(digits, _)| Stop::new(StopKind::Number, digits)).collect();
        found.extend(self.services_leading(Treatment::Flow(flow)));
        found.sort();
        found
    }

    fn services_leading(&self, to: Treatment) -> impl Iterator<Item = Stop> {
        let leads =
            move |service: &&Service| service.queue.treatments().iter().any(|(_, _, each)| *each == to);
        self.services.values().filter(leads).map(|service| Stop::new(StopKind::Service, &service.name))
    }
}

/// Where a treatment leads. A flow that comes after waiting takes its time, and is no part of a circle.
fn place(why: Overflow, treatment: Treatment) -> Option<Place> {
    match treatment {
        Treatment::Service(service) => Some(Place::Service(service)),
        Treatment::Flow(flow) if why != Overflow::WaitedLong => Some(Place::Flow(flow)),
        Treatment::Flow(_)
        | Treatment::Announce
        | Treatment::Reject
        | Treatment::Queue
        | Treatment::Voicemail => None,
    }
}
