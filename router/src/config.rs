//! What an administrator sets up, as the floor needs it.

use std::collections::BTreeMap;
use std::time::Duration;

pub use model::capacity::{Capacity, Weight};
use model::id::{AgentId, GroupId, ReasonId, ServiceId, SkillId};
use model::interaction::Channel;
use model::people::{GroupRules, User};
use model::service::Service;
pub use model::skill::{DEPTH_MAX, TERMS_MAX};
use model::skill::{Level, Requirement, SkillExpr};
pub use model::tenant::AgentTerm;
use model::tenant::{AGENT_TERMS_MAX, AgentOrder};
use serde::{Deserialize, Serialize};

/// Everything the floor decides by. It is stored beside the journal, so that a replay can decide by it again: new fields
/// need a default that decides as before.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct FloorConfig {
    /// Who may take interactions. At most [`AGENTS_MAX`].
    pub agents: Vec<AgentProfile>,
    /// Rules of groups; an agent without a group has [`GroupRules::default`].
    pub groups: BTreeMap<GroupId, GroupRules>,
    /// Queues and who answers them. At most [`SERVICES_MAX`].
    pub services: Vec<Service>,
    /// What interactions weigh on an agent, unless the rules of the group say otherwise.
    pub capacity: Capacity,
    /// Who is chosen among several who would do: see [`AgentOrder`].
    pub agent_order: Vec<AgentTerm>,
    /// Reasons for being Not ready that end by themselves after a time (STATE-04). Only reasons from the tenant's list:
    /// what the system set ends by hand (C24).
    pub stays: BTreeMap<ReasonId, Duration>,
    /// Interactions held at once. Default 100 000; further arrivals are refused.
    pub interactions_max: usize,
}

/// Terms of the agent order that are looked at.
pub(crate) const ORDER_TERMS: usize = AGENT_TERMS_MAX;
/// Agents preferred for or excluded from one interaction, each.
pub const NAMED_MAX: usize = 64;
/// Agents a floor takes.
pub const AGENTS_MAX: usize = 100_000;
/// Services a floor takes.
pub const SERVICES_MAX: usize = 50_000;
/// Different conditions held at once; those no waiting interaction needs make room.
pub const CLASSES_MAX: usize = 65_536;
/// Steps of one requirement.
pub const STEPS_MAX: usize = 16;
/// Different skills a floor knows: a level for each is kept with each profile.
pub const SKILLS_MAX: usize = 4_096;

impl Default for FloorConfig {
    fn default() -> Self {
        Self {
            agents: Vec::new(),
            groups: BTreeMap::new(),
            services: Vec::new(),
            capacity: Capacity::default(),
            agent_order: AgentOrder::default().0,
            stays: BTreeMap::new(),
            interactions_max: 100_000,
        }
    }
}

/// An agent as routing sees one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentProfile {
    /// Who.
    pub agent: AgentId,
    /// The team whose rules apply.
    pub group: Option<GroupId>,
    /// What the agent can handle, and how well.
    pub skills: BTreeMap<SkillId, Level>,
    /// How many of a kind of contact at once, instead of what group and tenant say. 0: the agent is not there for the kind.
    #[serde(default)]
    pub at_once: BTreeMap<Channel, u32>,
}

impl From<&User> for AgentProfile {
    fn from(user: &User) -> Self {
        let at_once = user.chats_max.map(|chats| (Channel::Chat, chats)).into_iter().collect();
        Self { agent: user.id, group: user.group, skills: user.skills.clone(), at_once }
    }
}

/// Why a configuration cannot be used. The floor keeps the one it has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// More than the floor holds.
    #[error("{what}: {got} are more than the {limit} the floor holds")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        got: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A service asks for something that cannot be evaluated.
    #[error("service {service}: {why}")]
    Requirement {
        /// Whose requirement.
        service: ServiceId,
        /// What is wrong with it.
        why: RequirementError,
    },
}

/// Why a requirement cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequirementError {
    /// Nobody could ever be asked.
    #[error("a requirement has at least one step")]
    NoStep,
    /// Too many steps.
    #[error("a requirement has at most 16 steps")]
    TooManySteps,
    /// Too large or too deeply nested.
    #[error("a condition has at most 256 terms, nested at most 16 deep")]
    TooComplex,
}

impl FloorConfig {
    /// Whether the floor can work with it.
    pub fn check(&self) -> Result<(), ConfigError> {
        let skills: std::collections::BTreeSet<_> =
            self.agents.iter().flat_map(|a| a.skills.keys()).collect();
        let steps = self.services.iter().map(|service| service.requirement.steps.len()).sum();
        for (what, got, limit) in [
            ("steps of services", steps, CLASSES_MAX),
            ("agents", self.agents.len(), AGENTS_MAX),
            ("services", self.services.len(), SERVICES_MAX),
            ("skills", skills.len(), SKILLS_MAX),
        ] {
            if got > limit {
                return Err(ConfigError::TooMany { what, got, limit });
            }
        }
        for service in &self.services {
            check_requirement(&service.requirement)
                .map_err(|why| ConfigError::Requirement { service: service.id, why })?;
        }
        Ok(())
    }
}

/// Whether a requirement is small enough to be evaluated without fear.
pub(crate) fn check_requirement(requirement: &Requirement) -> Result<(), RequirementError> {
    match requirement.steps.len() {
        0 => return Err(RequirementError::NoStep),
        1..=STEPS_MAX => {}
        _ => return Err(RequirementError::TooManySteps),
    }
    for step in &requirement.steps {
        let mut terms = TERMS_MAX;
        if !within(&step.who, DEPTH_MAX, &mut terms) {
            return Err(RequirementError::TooComplex);
        }
    }
    Ok(())
}

/// Spends `terms` on the condition; false when they or the depth do not suffice.
fn within(who: &SkillExpr, depth: usize, terms: &mut usize) -> bool {
    let cost = if let SkillExpr::OneOf(agents) = who { agents.len().max(1) } else { 1 };
    if depth == 0 || *terms < cost {
        return false;
    }
    *terms -= cost;
    match who {
        SkillExpr::Any | SkillExpr::AtLeast { .. } | SkillExpr::InGroup(_) | SkillExpr::OneOf(_) => true,
        SkillExpr::And(all) | SkillExpr::Or(all) => all.iter().all(|each| within(each, depth - 1, terms)),
        SkillExpr::Not(inner) => within(inner, depth - 1, terms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_nested_too_deeply_is_refused_instead_of_overflowing_the_stack() {
        let deep = (0..DEPTH_MAX).fold(SkillExpr::Any, |inner, _| SkillExpr::Not(Box::new(inner)));
        assert_eq!(check_requirement(&Requirement::fixed(deep)), Err(RequirementError::TooComplex));
        let wide = SkillExpr::Or(vec![SkillExpr::Any; TERMS_MAX]);
        assert_eq!(check_requirement(&Requirement::fixed(wide)), Err(RequirementError::TooComplex));
        let none = Requirement { steps: vec![], mode: Default::default() };
        assert_eq!(check_requirement(&none), Err(RequirementError::NoStep));
        assert_eq!(check_requirement(&Requirement::fixed(SkillExpr::Any)), Ok(()));
    }

    /// ROUTE-02: a text that can be read can be evaluated, and the largest that can be evaluated can be read.
    #[test]
    fn a_text_is_read_up_to_exactly_the_bounds_of_routing() {
        use model::skill::text::{Names, parse};
        let any = |terms: usize| vec!["any"; terms].join(" or ");
        for (text, fits) in [
            (format!("{}any", "not ".repeat(DEPTH_MAX - 1)), true),
            (format!("{}any", "not ".repeat(DEPTH_MAX)), false),
            (any(TERMS_MAX - 1), true),
            (any(TERMS_MAX), false),
        ] {
            let read = parse(&text, &Names::default());
            assert_eq!(read.is_ok(), fits, "{read:?}");
            if let Ok(who) = read {
                assert_eq!(check_requirement(&Requirement::fixed(who)), Ok(()));
            }
        }
    }
}
