//! Other rules to be tried.

use std::collections::BTreeMap;
use std::time::Duration;

use model::id::{AgentId, Id, ServiceId, SkillId};
use model::service::{RingRule, WaitingOrder};
use model::skill::{Level, Requirement, SkillExpr};
use router::{AgentProfile, FloorConfig};

/// What is to be different. Everything else stays as it was at the time.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Use this in the place of what was in force, whatever changed on the way.
    pub instead: Option<FloorConfig>,
    /// Other requirements, each as one step.
    pub requirements: Vec<(ServiceId, SkillExpr)>,
    /// Other priorities.
    pub priorities: Vec<(ServiceId, i32)>,
    /// How long one agent is rung, for all services.
    pub ring_time: Option<Duration>,
    /// How many agents are rung at once for one customer, for all services.
    pub ring: Option<(RingRule, u32)>,
    /// Other orders of waiting.
    pub orders: Vec<(ServiceId, WaitingOrder)>,
    /// Agents more: how many, and what each can do. They are there and Ready all the time.
    pub agents: Vec<(u32, BTreeMap<SkillId, Level>)>,
}

/// Agents that can be added: a contact centre would not hire more at once.
pub const AGENTS_ADDED_MAX: u32 = 10_000;

impl Change {
    /// Whether anything is to be different.
    pub fn is_none(&self) -> bool {
        self.instead.is_none()
            && self.requirements.is_empty()
            && self.priorities.is_empty()
            && self.ring_time.is_none()
            && self.ring.is_none()
            && self.orders.is_empty()
            && self.agents.is_empty()
    }

    /// The agents that are added.
    pub fn added(&self) -> impl Iterator<Item = (AgentId, &BTreeMap<SkillId, Level>)> {
        let all = self.agents.iter().flat_map(|(count, skills)| (0..*count).map(move |_| skills));
        // Ids that no clock makes: after those of all real agents.
        all.zip(0..u64::from(AGENTS_ADDED_MAX))
            .map(|(skills, n)| (AgentId::from_number(u64::MAX - n), skills))
    }

    /// A configuration of the time with these differences.
    pub fn of(&self, config: &FloorConfig) -> FloorConfig {
        let mut config = self.instead.as_ref().unwrap_or(config).clone();
        for service in &mut config.services {
            if let Some((_, who)) = self.requirements.iter().find(|(id, _)| *id == service.id) {
                service.requirement = Requirement::fixed(who.clone());
            }
            if let Some((_, priority)) = self.priorities.iter().find(|(id, _)| *id == service.id) {
                service.queue.priority = *priority;
            }
            service.queue.ring_time = self.ring_time.unwrap_or(service.queue.ring_time);
            if let Some((ring, agents)) = self.ring {
                (service.queue.ring, service.queue.ring_agents) = (ring, agents);
            }
            if let Some((_, order)) = self.orders.iter().find(|(id, _)| *id == service.id) {
                service.queue.order = *order;
            }
        }
        // The rules of most agents are theirs, too.
        let mut groups = BTreeMap::new();
        config.agents.iter().for_each(|agent| *groups.entry(agent.group).or_insert(0_u64) += 1);
        let group = groups.into_iter().max_by_key(|(_, count)| *count).and_then(|(group, _)| group);
        let added = self.added().map(|(agent, skills)| AgentProfile {
            agent,
            group,
            skills: skills.clone(),
            at_once: Default::default(),
        });
        config.agents.extend(added);
        config
    }
}
