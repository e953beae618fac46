//! Conditions on agents, compiled so that testing one against a profile costs nanoseconds.

use std::collections::BTreeMap;

use model::id::{AgentId, GroupId, SkillId};
use model::skill::{Level, SkillExpr};

use crate::lanes::Lanes;

/// Numbers for skills, so that a profile is an array of levels.
#[derive(Clone, Debug, Default)]
pub(crate) struct Skills {
    numbers: BTreeMap<SkillId, usize>,
}

impl Skills {
    pub fn number(&mut self, skill: SkillId) -> usize {
        let next = self.numbers.len();
        *self.numbers.entry(skill).or_insert(next)
    }
    /// The number of a skill that some agent has or had; a skill nobody ever had needs none.
    pub fn known(&self, skill: SkillId) -> Option<usize> {
        self.numbers.get(&skill).copied()
    }
}

/// What conditions are tested on.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Traits {
    /// Level by skill number; 0 for none.
    pub levels: Vec<u8>,
    pub group: Option<GroupId>,
    /// The one agent this profile belongs to, when some condition names that agent.
    pub own: Option<AgentId>,
    /// Kinds of contact that never come: no condition asks for it, but nobody waits for these agents.
    pub closed: Lanes,
}

#[derive(Clone, Debug)]
pub(crate) enum Condition {
    Any,
    Nobody,
    AtLeast {
        skill: usize,
        level: u8,
    },
    InGroup(GroupId),
    /// Sorted.
    OneOf(Vec<AgentId>),
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
}

impl Condition {
    pub fn compile(who: &SkillExpr, skills: &Skills) -> Self {
        let each = |all: &[SkillExpr]| all.iter().map(|one| Self::compile(one, skills)).collect();
        match who {
            SkillExpr::Any => Self::Any,
            SkillExpr::AtLeast { skill, level } => match skills.known(*skill) {
                Some(skill) => Self::AtLeast { skill, level: level.get() },
                None => Self::Nobody,
            },
            SkillExpr::InGroup(group) => Self::InGroup(*group),
            SkillExpr::OneOf(agents) => {
                let mut agents = agents.clone();
                agents.sort_unstable();
                Self::OneOf(agents)
            }
            SkillExpr::And(all) => Self::And(each(all)),
            SkillExpr::Or(all) => Self::Or(each(all)),
            SkillExpr::Not(inner) => Self::Not(Box::new(Self::compile(inner, skills))),
        }
    }

    /// How well the condition is met: the lowest level among the skills that were needed, [`Level::MAX`] when none was;
    /// `None` when it is not met. Of alternatives the best counts.
    pub fn fit(&self, who: &Traits) -> Option<u8> {
        let yes = |met: bool| met.then_some(Level::MAX.get());
        match self {
            Self::Any => yes(true),
            Self::Nobody => None,
            Self::AtLeast { skill, level } => who.levels.get(*skill).copied().filter(|has| has >= level),
            Self::InGroup(group) => yes(who.group == Some(*group)),
            Self::OneOf(agents) => yes(who.own.is_some_and(|own| agents.binary_search(&own).is_ok())),
            Self::And(all) => all.iter().try_fold(Level::MAX.get(), |fit, one| Some(fit.min(one.fit(who)?))),
            Self::Or(all) => all.iter().filter_map(|one| one.fit(who)).max(),
            Self::Not(inner) => yes(inner.fit(who).is_none()),
        }
    }

    /// The only agents who can meet it, when it names them: spares testing everybody else.
    pub fn only(&self) -> Option<&[AgentId]> {
        match self {
            Self::OneOf(agents) => Some(agents),
            Self::And(all) => all.iter().find_map(Self::only),
            _ => None,
        }
    }

    /// Whether it speaks of a skill that nobody had when it was compiled.
    pub fn lacks_a_skill(&self) -> bool {
        match self {
            Self::Nobody => true,
            Self::And(all) | Self::Or(all) => all.iter().any(Self::lacks_a_skill),
            Self::Not(inner) => inner.lacks_a_skill(),
            _ => false,
        }
    }
}

/// Calls `f` for each agent whom the condition names.
pub(crate) fn named(who: &SkillExpr, f: &mut impl FnMut(AgentId)) {
    match who {
        SkillExpr::OneOf(agents) => agents.iter().copied().for_each(f),
        SkillExpr::And(all) | SkillExpr::Or(all) => all.iter().for_each(|one| named(one, f)),
        SkillExpr::Not(inner) => named(inner, f),
        SkillExpr::Any | SkillExpr::AtLeast { .. } | SkillExpr::InGroup(_) => {}
    }
}

#[cfg(test)]
mod text;

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::Id;

    #[test]
    fn the_fit_of_a_condition_is_its_weakest_needed_skill_and_its_best_alternative() {
        let (german, billing) = (SkillId::from_number(1), SkillId::from_number(2));
        let mut skills = Skills::default();
        let (g, b) = (skills.number(german), skills.number(billing));
        let mut who = Traits { levels: vec![0; 2], ..Traits::default() };
        (who.levels[g], who.levels[b]) = (7, 4);
        let at_least = |skill, level| SkillExpr::AtLeast { skill, level: Level::new(level).unwrap() };
        let fit = |expr: &SkillExpr| Condition::compile(expr, &skills).fit(&who);
        assert_eq!(fit(&SkillExpr::And(vec![at_least(german, 5), at_least(billing, 1)])), Some(4));
        assert_eq!(fit(&SkillExpr::Or(vec![at_least(german, 5), at_least(billing, 1)])), Some(7));
        assert_eq!(fit(&SkillExpr::And(vec![at_least(german, 5), at_least(billing, 5)])), None);
        assert_eq!(fit(&SkillExpr::Not(Box::new(at_least(billing, 5)))), Some(10));
        assert_eq!(fit(&at_least(SkillId::from_number(9), 1)), None, "a skill nobody has");
    }
}
