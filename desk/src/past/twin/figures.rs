//! Service level, waits and occupancy, the same for what happened and for what a twin did.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use model::agent::AgentState;
use model::figures::{Counts, Outcome, Share};
use model::id::{AgentId, ServiceId};
use model::interaction::EndStatus;
use model::service::QueueRules;
use model::time::Timestamp;
use serde::Serialize;

/// The figures of one service, or of all.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Customers who were answered, left, or were turned away in the time that is looked at.
    pub customers: u64,
    /// Answered.
    pub answered: u64,
    /// Left while they waited.
    pub abandoned: u64,
    /// Given up by the queue, at the door or later: full, waited too long, nobody there. Closed does not count.
    pub turned_away: u64,
    /// Of all customers, those answered within the service's time, in percent; short abandons as the service treats them.
    pub service_level_percent: f64,
    /// Of all customers, those who left, in percent; short abandons as the service treats them.
    pub abandoned_percent: f64,
    /// Wait of those who were answered, from the queue to the acceptance.
    pub mean_wait_s: f64,
    /// The wait that 95 of 100 of them did not exceed.
    pub p95_wait_s: f64,
}

/// What is gathered on the way.
#[derive(Default)]
pub(super) struct Gathered {
    services: BTreeMap<ServiceId, Tally>,
    agents: HashMap<AgentId, (AgentState, Timestamp)>,
    busy: Duration,
    present: Duration,
}

#[derive(Clone, Default)]
struct Tally {
    waits: Vec<Duration>,
    counts: Counts,
    /// Answered in time, and left, as the service treats short abandons.
    level: Share,
    left: Share,
}

impl Gathered {
    /// A customer was answered after a wait.
    pub fn answered(&mut self, service: ServiceId, waited: Duration, rules: &QueueRules) {
        let tally = self.services.entry(service).or_default();
        tally.waits.push(waited);
        tally.count(Outcome::Answered, waited, rules);
    }

    /// A customer's call ended unanswered. A failure or the end of the appliance says nothing of the rules.
    pub fn unanswered(&mut self, service: ServiceId, how: EndStatus, waited: Duration, rules: &QueueRules) {
        if let Some(outcome) = Outcome::unanswered(how) {
            self.services.entry(service).or_default().count(outcome, waited, rules);
        }
    }

    /// An agent's state from a moment on.
    pub fn agent(&mut self, agent: AgentId, state: AgentState, at: Timestamp) {
        if let Some((before, since)) = self.agents.insert(agent, (state, at)) {
            self.count(before, at.since(since));
        }
    }

    fn count(&mut self, state: AgentState, time: Duration) {
        match state {
            AgentState::Ringing | AgentState::Busy | AgentState::WrapUp => {
                self.busy += time;
                self.present += time;
            }
            AgentState::Ready => self.present += time,
            AgentState::LoggedOut | AgentState::NotReady { .. } | AgentState::Offline => {}
        }
    }

    /// Figures of all, of each service, and the share of agents' working time that was spent on customers, in percent.
    pub fn figures(mut self, end: Timestamp) -> (Figures, BTreeMap<ServiceId, Figures>, f64) {
        for (state, since) in std::mem::take(&mut self.agents).into_values() {
            self.count(state, end.since(since));
        }
        let mut all = Tally::default();
        for tally in self.services.values() {
            all.waits.extend(&tally.waits);
            all.counts.add(&tally.counts);
            all.level = all.level.and(tally.level);
            all.left = all.left.and(tally.left);
        }
        let services = self.services.into_iter().map(|(service, tally)| (service, tally.figures())).collect();
        let occupancy = 100.0 * self.busy.as_secs_f64() / self.present.as_secs_f64().max(0.001);
        (all.figures(), services, if self.present.is_zero() { 0.0 } else { occupancy })
    }
}

impl Tally {
    fn count(&mut self, outcome: Outcome, waited: Duration, rules: &QueueRules) {
        self.counts.count(outcome, waited, rules);
        self.level = self.counts.service_level(rules.short_abandons);
        self.left = self.counts.abandonment(rules.short_abandons);
    }

    fn figures(mut self) -> Figures {
        self.waits.sort_unstable();
        let percent = |share: Share| 100.0 * share.get().unwrap_or(0.0);
        let sum: Duration = self.waits.iter().sum();
        let at = (self.waits.len() * 95).div_ceil(100).saturating_sub(1);
        Figures {
            customers: self.counts.offered(),
            answered: self.counts.answered,
            abandoned: self.counts.abandoned,
            turned_away: self.counts.turned_away,
            service_level_percent: percent(self.level),
            abandoned_percent: percent(self.left),
            mean_wait_s: sum.as_secs_f64() / self.waits.len().max(1) as f64,
            p95_wait_s: self.waits.get(at).map_or(0.0, Duration::as_secs_f64),
        }
    }
}
