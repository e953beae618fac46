//! What is planned, by the time it falls due; of one moment, what was planned first comes first.

use std::collections::BTreeMap;

use model::time::Timestamp;

pub struct Agenda<P> {
    plans: BTreeMap<(Timestamp, u64), P>,
    planned: u64,
}

impl<P> Agenda<P> {
    pub fn new() -> Self {
        Self { plans: BTreeMap::new(), planned: 0 }
    }

    pub fn plan(&mut self, at: Timestamp, plan: P) {
        self.planned += 1;
        self.plans.insert((at, self.planned), plan);
    }

    /// Takes the next plan out.
    pub fn take(&mut self) -> Option<(Timestamp, P)> {
        self.plans.pop_first().map(|((at, _), plan)| (at, plan))
    }

    /// When the next plan falls due.
    pub fn due(&self) -> Option<Timestamp> {
        self.plans.first_key_value().map(|((at, _), _)| *at)
    }

    /// How much was planned so far, what is done already included.
    pub fn planned(&self) -> u64 {
        self.planned
    }
}
