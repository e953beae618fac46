//! Yesterday under other rules (ROUTE-10): the same customers come at the same times, agents sign in and take breaks when they did,
//! and a floor with other rules decides who serves whom.
//!
//! What is kept: arrivals; how long a customer waited before leaving; how long a customer who was answered talked, whoever answers;
//! sign-ins, breaks and changes of the configuration. What has to be assumed, with chance from a seed:
//! - a customer who was answered would have left later than that, as the patience of all says (Kaplan and Meier);
//! - a customer who was not answered talks as long as one of the same service who was;
//! - an agent deals with an offer as with one of their own offers of the time: takes, declines or misses it, and as quickly;
//! - whom a queue leads on to another one waits there; whom it leads into a flow counts as turned away;
//! - whom a rule makes Not ready comes back after one of the times that such agents took.
//!
//! Calls between colleagues and calls made by hand are left out. The run with nothing changed says how far this can be believed.

mod change;
mod dice;
mod figures;
mod run;
mod workload;

use std::collections::BTreeMap;

use model::id::ServiceId;
use model::journal::{Event, Seq};
use model::service::QueueRules;
use model::time::Timestamp;
use router::{Floor, FloorConfig, Input, Intent};
use serde::Serialize;

use super::{Past, PastError};
use crate::configuration::Configuration;
pub use change::{AGENTS_ADDED_MAX, Change};
pub use figures::Figures;
use figures::Gathered;
use run::Run;
use workload::Workload;

/// What happened, what the twin did with nothing changed, and with the change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
    /// As the journal has it.
    pub recorded: Outcome,
    /// The twin under the rules of the time: how near it comes to what happened.
    pub same_rules: Outcome,
    /// The twin under the changed rules; to be compared with [`Compared::same_rules`].
    pub changed: Outcome,
}

/// Figures of one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// Of all services.
    pub total: Figures,
    /// Of each.
    pub services: BTreeMap<ServiceId, Figures>,
    /// Share of the time agents were at work or Ready that they were at work, in percent.
    pub occupancy_percent: f64,
}

impl Outcome {
    fn of(gathered: Gathered, end: Timestamp) -> Self {
        let (total, services, occupancy_percent) = gathered.figures(end);
        Self { total, services, occupancy_percent }
    }
}

/// A configuration and the moment from which it was in force.
type Rules = Vec<(Timestamp, FloorConfig)>;

impl Past {
    /// Runs the time from `from` to `to` again, with nothing changed and with the change.
    pub async fn what_if(
        &self,
        (from, to): (Timestamp, Timestamp),
        change: &Change,
        now: &Configuration,
        seed: u64,
    ) -> Result<Compared, PastError> {
        let (mut work, rules, recorded, end) = self.workload(from, to, now).await?;
        work.shifts.sort_by_key(|(at, _)| *at);
        let same_rules = Run::new(&work, &rules, &Change::default(), seed, (from, end))?.play()?;
        let changed = Run::new(&work, &rules, change, seed, (from, end))?.play()?;
        Ok(Compared { from, to: end, recorded, same_rules, changed })
    }

    /// Reads what came and what people did, and gathers what became of it.
    async fn workload(
        &self,
        from: Timestamp,
        to: Timestamp,
        now: &Configuration,
    ) -> Result<(Workload, Rules, Outcome, Timestamp), PastError> {
        let begin = self.seq_at(from).await?;
        let mut floor = self.floor_before(begin, now).await?;
        floor.stand_at(from);
        let mut config = self.config_at(from).await?.unwrap_or_else(|| now.floor());
        let (mut work, mut gathered, mut rules) = (Workload::default(), Gathered::default(), Vec::new());
        rules.push((from, config.clone()));
        present(&floor, from, &mut work, &mut gathered);
        let (mut next, mut end) = (begin, from);
        'pages: loop {
            let page = self.read(next).await?;
            let Some(last) = page.last() else { break };
            next = Seq(last.seq.0 + 1);
            for entry in page {
                if entry.at > to {
                    end = to;
                    break 'pages;
                }
                end = end.max(entry.at);
                if let Event::Configured { generation, .. } = entry.event {
                    if let Some(changed) = self.generation(generation).await? {
                        floor.fold_configuration(changed.clone(), entry.at)?;
                        rules.push((entry.at, changed.clone()));
                        config = changed;
                    }
                } else {
                    floor.fold(&entry);
                }
                work.read(&entry, &config);
                let of_call = entry.event.interaction().and_then(|interaction| work.agent_of(interaction));
                for agent in workload::agent_in(&entry.event).into_iter().chain(of_call) {
                    if let Some((state, _)) = floor.state(agent) {
                        gathered.agent(agent, state, entry.at);
                    }
                }
            }
        }
        for customer in &work.customers {
            let (service, rules) = (customer.service, rules_of(&config, customer.service));
            match (customer.answered, customer.end) {
                (Some((_, at)), _) => gathered.answered(service, at.since(customer.at), &rules),
                (None, Some(status)) => {
                    let waited = customer.waited.map(|(waited, _)| waited).unwrap_or_default();
                    gathered.unanswered(service, status, waited, &rules);
                }
                (None, None) => {}
            }
        }
        Ok((work, rules, Outcome::of(gathered, end), end))
    }
}

/// Agents who were there when the time began.
fn present(floor: &Floor, from: Timestamp, work: &mut Workload, gathered: &mut Gathered) {
    for agent in floor.agents() {
        let Some(session) = agent.session else { continue };
        gathered.agent(agent.agent, agent.state, from);
        let rest = match agent.intent {
            Intent::Ready => Input::Ready { agent: agent.agent },
            Intent::NotReady(reason) => Input::NotReady { agent: agent.agent, reason },
            Intent::Offline => Input::Offline { agent: agent.agent },
        };
        work.begins(from, agent.agent, session, agent.phone, Some(rest));
    }
}

fn rules_of(config: &FloorConfig, service: ServiceId) -> QueueRules {
    let known = config.services.iter().find(|known| known.id == service);
    known.map_or_else(QueueRules::default, |known| known.queue.clone())
}
