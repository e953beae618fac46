//! What a change of the set-up would do, said before it is done: who could answer what, who loses which queue, and what becomes of
//! those who wait.

use std::collections::{BTreeMap, BTreeSet};

use model::id::{InteractionId, ServiceId, UserId};
use model::people::{Tenant, User};
use model::service::Service;
use model::skill::text;
use model::skill::{Requirement, StepMode};
use serde::Serialize;
use utoipa::ToSchema;

use super::leading::{Stop, StopKind};
use super::service::Configured;
use super::snapshot::{Configuration, meets};
use super::time_limits::{CarriedEffect, TimeEffect, carried, times};
use crate::console::protocol::ServiceName;
use crate::past::explanation::{ExplanationView, Named};
use crate::refusal::Refusal;
use crate::start::DeskHandle;

/// Callers who wait that are looked at; the answer says when there were more.
const WAITING_MAX: usize = 1_000;
/// Entries of each list; the counts beside them speak of all.
const LISTED_MAX: usize = 100;

/// What a change would do. Nothing has been stored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct DryRun {
    /// Services that another number of agents could answer.
    pub queues: Vec<QueueEffect>,
    /// Steps of requirements that nobody would meet, where somebody does now or the step is new.
    pub nobody_meets: Vec<StepEffect>,
    /// Agents who could answer other services than now: at most 100.
    pub agents: Vec<AgentEffect>,
    /// How many agents that are.
    pub agents_total: usize,
    /// Callers who wait now and would have fewer agents than they have: at most 100. They keep the requirement with which they were
    /// queued, whatever becomes of their service.
    pub waiting: Vec<WaitingEffect>,
    /// How many callers that are.
    pub waiting_total: usize,
    /// More wait than were looked at.
    pub waiting_cut: bool,
    /// Who leads callers to something that would be gone, or that a flow calls by a name it would not have any more.
    pub led_nowhere: Vec<LedNowhere>,
    /// Times of services and teams that would be other ones.
    pub times: Vec<TimeEffect>,
    /// Kinds of contact of which agents could carry fewer at once.
    pub carried: Vec<CarriedEffect>,
    /// What of all this ought to be thought over, in sentences.
    pub warnings: Vec<String>,
}

/// A way that callers could not go on.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct LedNowhere {
    /// Who leads them.
    pub from: Stop,
    /// Where to.
    pub to: Stop,
    /// It would be there under another name; a flow knows it only by the one it has.
    pub renamed: bool,
}

/// A service and who could answer it, in some step of its requirement.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct QueueEffect {
    /// Which.
    pub service: ServiceName,
    /// Agents now.
    pub before: usize,
    /// Agents then.
    pub after: usize,
}

/// A step that nobody meets.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct StepEffect {
    /// Whose.
    pub service: ServiceName,
    /// Which, from 1.
    pub step: usize,
    /// Whom it asks for.
    pub asks_for: String,
}

/// An agent with other queues.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AgentEffect {
    /// Who.
    pub agent: Named,
    /// Services that the agent could no longer answer.
    pub loses: Vec<String>,
    /// Services that the agent could answer in addition.
    pub gains: Vec<String>,
}

/// A caller with fewer agents.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct WaitingEffect {
    /// Which.
    #[schema(value_type = String)]
    pub interaction: InteractionId,
    /// Of which service.
    pub service: Option<ServiceName>,
    /// Agents who fit this step or a later one, signed in or not.
    pub before: usize,
    /// Those who would.
    pub after: usize,
}

/// A caller who waits: which, whose, and what is still asked for.
type Waiting = (InteractionId, Option<ServiceId>, Requirement);

impl DeskHandle {
    /// What storing `item` under `id`, or removing what is there, would do. What cannot be stored is refused as in earnest.
    pub async fn dry_run<T: Configured>(&self, id: T::Id, item: Option<T>) -> Result<DryRun, Refusal> {
        if let Some(item) = &item {
            self.check(item)?;
        }
        self.compared(|config| T::place(config, id, item)).await
    }

    /// What another state of the tenant's settings would do.
    pub async fn dry_run_tenant(&self, tenant: Tenant) -> Result<DryRun, Refusal> {
        self.check_tenant(&tenant)?;
        self.compared(|config| config.place_tenant(tenant)).await
    }

    async fn compared(&self, change: impl FnOnce(&mut Configuration)) -> Result<DryRun, Refusal> {
        let now = self.configuration();
        let then = now.changed(change);
        let (waiting, waiting_cut) = self.read(|core, _| core.waiting_for(WAITING_MAX)).await?;
        Ok(DryRun { waiting_cut, ..compare(&now, &then, &waiting) })
    }
}

fn compare(now: &Configuration, then: &Configuration, waiting: &[Waiting]) -> DryRun {
    let mut found = DryRun::default();
    let named = |config: &Configuration, service: ServiceId| config.name_service(service);
    let services: BTreeSet<ServiceId> = now.services.keys().chain(then.services.keys()).copied().collect();
    let mut agents: BTreeMap<UserId, (Vec<String>, Vec<String>)> = BTreeMap::new();
    for service in services {
        let config = if then.services.contains_key(&service) { then } else { now };
        let name = named(config, service);
        let set = |config: &Configuration| config.eligible(service).iter().copied().collect::<BTreeSet<_>>();
        let (before, after) = (set(now), set(then));
        for lost in before.difference(&after) {
            agents.entry(*lost).or_default().0.push(name.name.clone());
        }
        for gained in after.difference(&before) {
            agents.entry(*gained).or_default().1.push(name.name.clone());
        }
        if after.is_empty() && then.services.contains_key(&service) {
            found
                .warnings
                .push(format!("Nobody could answer {}: its callers would wait in vain.", name.name));
        }
        if before != after {
            found.queues.push(QueueEffect { service: name, before: before.len(), after: after.len() });
        }
    }
    for service in then.services.values() {
        steps(now, then, service, &mut found);
    }
    found.agents_total = agents.len();
    found.agents = agents
        .into_iter()
        .take(LISTED_MAX)
        .map(|(agent, (loses, gains))| {
            let config = if then.users.contains_key(&agent) { then } else { now };
            AgentEffect { agent: ExplanationView::name(agent, config), loses, gains }
        })
        .collect();
    those_who_wait(now, then, waiting, &mut found);
    led_nowhere(now, then, &mut found);
    let mut wait_for = BTreeMap::new();
    for service in waiting.iter().filter_map(|(_, service, _)| *service) {
        *wait_for.entry(service).or_default() += 1;
    }
    found.times = times(now, then, &wait_for);
    found.carried = carried(now, then);
    for CarriedEffect { channel, none, .. } in found.carried.iter().filter(|effect| effect.none > 0) {
        let kind = serde_json::to_value(channel).ok().and_then(|word| Some(word.as_str()?.to_owned()));
        let kind = kind.unwrap_or_default();
        found.warnings.push(format!("Agents who could not have {kind} contacts any more: {none}."));
    }
    found
}

/// Who leads callers to something that would be gone, or would have another name than a flow calls it by.
fn led_nowhere(now: &Configuration, then: &Configuration, found: &mut DryRun) {
    let mut gone = |leading: Vec<Stop>, to: Stop| {
        for from in leading.into_iter().take(LISTED_MAX) {
            found.warnings.push(format!("{} leads to {to}, which would be gone.", upper(&from.to_string())));
            found.led_nowhere.push(LedNowhere { from, to: to.clone(), renamed: false });
        }
    };
    for service in now.services.values().filter(|service| !then.services.contains_key(&service.id)) {
        gone(now.leading_to_service(service.id), Stop::new(StopKind::Service, &service.name));
    }
    for flow in now.flows.values().filter(|flow| !then.flows.contains_key(&flow.id)) {
        let mut leading = now.leading_to_flow(flow.id);
        let waiting = now.services.values().filter(|service| service.queue.waiting.flow == Some(flow.id));
        leading.extend(waiting.map(|service| Stop::new(StopKind::Waiting, &service.name)));
        gone(leading, Stop::new(StopKind::Flow, &flow.name));
    }
    for service in now.services.values() {
        let renamed = then.services.get(&service.id).is_some_and(|then| then.name != service.name);
        for from in now.flows_naming(&service.name).filter(|_| renamed).take(LISTED_MAX) {
            found.warnings.push(format!(
                "{} names {}, and its callers would go to their services at once until it is changed.",
                upper(&from.to_string()),
                service.name
            ));
            let to = Stop::new(StopKind::Service, &service.name);
            found.led_nowhere.push(LedNowhere { from, to, renamed });
        }
    }
}

fn upper(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Steps that nobody would meet.
fn steps(now: &Configuration, then: &Configuration, service: &Service, found: &mut DryRun) {
    let known = now.services.get(&service.id).map(|service| &service.requirement.steps);
    for (n, step) in service.requirement.steps.iter().enumerate() {
        let met_now = known.is_none_or(|steps| {
            steps.get(n).is_none_or(|old| old.who != step.who) || now.who_meet(&step.who).next().is_some()
        });
        if met_now && then.who_meet(&step.who).next().is_none() {
            let asks_for = text::print(&step.who, then.names());
            found.warnings.push(format!("Nobody would meet step {} of {}: {asks_for}.", n + 1, service.name));
            found.nobody_meets.push(StepEffect {
                service: then.name_service(service.id),
                step: n + 1,
                asks_for,
            });
        }
    }
}

fn those_who_wait(now: &Configuration, then: &Configuration, waiting: &[Waiting], found: &mut DryRun) {
    // Those who ask for the same are counted once.
    let mut counted: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut in_vain = 0;
    for (interaction, service, requirement) in waiting {
        let key = serde_json::to_string(requirement).unwrap_or_default();
        let (before, after) =
            *counted.entry(key).or_insert_with(|| (fitting(now, requirement), fitting(then, requirement)));
        if after >= before {
            continue;
        }
        in_vain += usize::from(after == 0);
        found.waiting_total += 1;
        if found.waiting.len() < LISTED_MAX {
            let service = service.map(|service| now.name_service(service));
            found.waiting.push(WaitingEffect { interaction: *interaction, service, before, after });
        }
    }
    if in_vain > 0 {
        let who =
            if in_vain == 1 { "One caller who waits".into() } else { format!("{in_vain} callers who wait") };
        found.warnings.push(format!("{who} would lose every agent who could answer."));
    }
}

fn fitting(config: &Configuration, requirement: &Requirement) -> usize {
    let fits = |user: &&User| requirement.steps.iter().any(|step| meets(user, &step.who));
    config.users.values().filter(|user| !user.disabled).filter(fits).count()
}

/// What is still asked for: the present step and those after it.
pub(crate) fn remaining(requirement: &Requirement, step: usize) -> Requirement {
    let from = if requirement.mode == StepMode::Cumulative { 0 } else { step };
    Requirement { steps: requirement.steps.get(from..).unwrap_or_default().to_vec(), mode: requirement.mode }
}
