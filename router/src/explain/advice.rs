//! What would bring somebody to take an interaction that waits.

use std::collections::BTreeMap;

use model::id::{AgentId, SkillId};
use model::skill::SkillExpr;
use model::time::Timestamp;
use serde::Serialize;

use crate::explain::Verdict;
use crate::floor::Floor;
use crate::item::Item;

/// Something that would help. Counts are of agents as they are now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case", tag = "advice")]
pub enum Advice {
    /// Fitting agents who are signed in and not Ready: they would take it by becoming so.
    NotReady {
        /// How many.
        agents: usize,
        /// The first few.
        who: Vec<AgentId>,
    },
    /// Fitting agents whom voice does not reach.
    NoPhone {
        /// How many.
        agents: usize,
        /// The first few.
        who: Vec<AgentId>,
    },
    /// Fitting agents who take no contacts of this kind.
    NotForKind {
        /// How many.
        agents: usize,
        /// The first few.
        who: Vec<AgentId>,
    },
    /// Fitting agents with work in hand: it waits for the first to end.
    AtWork {
        /// How many.
        agents: usize,
        /// The first few.
        who: Vec<AgentId>,
    },
    /// Fitting agents who refused or missed it and are asked again later.
    Refused {
        /// How many.
        agents: usize,
        /// When the first is asked again.
        until: Timestamp,
    },
    /// Fitting agents who are not signed in, or Offline.
    Away {
        /// How many.
        agents: usize,
        /// The first few.
        who: Vec<AgentId>,
    },
    /// With this skill asked at a lower level, agents would fit who are signed in now.
    LowerLevel {
        /// The skill.
        skill: SkillId,
        /// The level that is asked.
        asked: u8,
        /// The highest lower level that lets somebody in.
        instead: u8,
        /// How many would fit more.
        agents: usize,
        /// The first few.
        who: Vec<AgentId>,
    },
    /// Agents who are signed in lack nothing but this skill.
    LacksOnly {
        /// The skill.
        skill: SkillId,
        /// The level that is asked.
        asked: u8,
        /// How many.
        agents: usize,
        /// The first few.
        who: Vec<AgentId>,
    },
    /// The next step asks for others: how many of them are signed in now.
    NextStep {
        /// When it begins.
        at: Timestamp,
        /// Signed-in agents who fit it.
        agents: usize,
    },
}

/// Agents named in one piece of advice.
const NAMED: usize = 5;
/// Skills of a condition that are looked at, and tests of a condition against a profile, so that a question costs the
/// floor a millisecond and not a second.
const ATOMS_MAX: usize = 16;
const TESTS_MAX: usize = 8_192;

impl Floor {
    pub(crate) fn advice(&self, item: &Item, verdicts: &[(AgentId, Verdict)]) -> Vec<Advice> {
        let mut advice = Vec::new();
        let of = |wanted: Verdict| -> (usize, Vec<AgentId>) {
            let mut who: Vec<_> = verdicts.iter().filter(|(_, v)| *v == wanted).map(|(a, _)| *a).collect();
            who.sort_unstable();
            let agents = who.len();
            who.truncate(NAMED);
            (agents, who)
        };
        if let (agents @ 1.., who) = of(Verdict::NotReady) {
            advice.push(Advice::NotReady { agents, who });
        }
        if let (agents @ 1.., who) = of(Verdict::NoPhone) {
            advice.push(Advice::NoPhone { agents, who });
        }
        if let (agents @ 1.., who) = of(Verdict::NotForKind) {
            advice.push(Advice::NotForKind { agents, who });
        }
        if let (agents @ 1.., who) = of(Verdict::NoRoom) {
            advice.push(Advice::AtWork { agents, who });
        }
        let refused = || {
            verdicts.iter().filter_map(|(_, v)| match v {
                Verdict::Refused { until } => Some(*until),
                _ => None,
            })
        };
        if let Some(until) = refused().min() {
            advice.push(Advice::Refused { agents: refused().count(), until });
        }
        if let (agents @ 1.., who) = of(Verdict::Away) {
            advice.push(Advice::Away { agents, who });
        }
        self.advise_skills(item, &mut advice);
        if let (Some(at), Some(step)) = (item.step_due(), item.plan.steps.get(item.step + 1)) {
            let class = self.board.classes.get(step.class);
            let online = class.profiles.common(&self.board.profiles.online);
            let agents = online.map(|profile| self.board.profiles.get(profile).online as usize).sum();
            advice.push(Advice::NextStep { at, agents });
        }
        advice
    }

    /// Whom one skill alone keeps away: what it would take in the condition, or in the agent.
    fn advise_skills(&self, item: &Item, advice: &mut Vec<Advice>) {
        let Some(class) = item.class() else { return };
        let class = self.board.classes.get(class);
        let mut atoms = Vec::new();
        asked(&class.who, &mut atoms);
        atoms.sort_unstable();
        atoms.dedup();
        atoms.truncate(ATOMS_MAX);
        // Agents by profile: whoever can do the same is tested once.
        let mut crews: BTreeMap<usize, Vec<AgentId>> = BTreeMap::new();
        for agent in self.agents.iter().filter(|agent| agent.enrolled && agent.is_online()) {
            crews.entry(agent.profile).or_default().push(agent.id);
        }
        let mut tests = 0;
        for (skill, level) in atoms {
            let mut by_level: BTreeMap<u8, Vec<AgentId>> = BTreeMap::new();
            for (profile, crew) in &crews {
                tests += 1;
                if tests > TESTS_MAX {
                    return;
                }
                let traits = &self.board.profiles.get(*profile).traits;
                // A skill that nobody has has no number: nothing can be said of those who lack only it.
                let Some(number) = self.board.skills.known(skill) else { continue };
                let has = traits.levels.get(number).copied().unwrap_or(0);
                if has >= level || class.condition.fit(traits).is_some() {
                    continue;
                }
                let mut raised = traits.clone();
                if raised.levels.len() <= number {
                    raised.levels.resize(number + 1, 0);
                }
                raised.levels[number] = level;
                if class.condition.fit(&raised).is_some() {
                    by_level.entry(has).or_default().extend(crew);
                }
            }
            let lacking = by_level.remove(&0);
            if let Some((instead, mut who)) = by_level.pop_last() {
                who.sort_unstable();
                let agents = who.len();
                who.truncate(NAMED);
                advice.push(Advice::LowerLevel { skill, asked: level, instead, agents, who });
            }
            if let Some(mut who) = lacking {
                who.sort_unstable();
                let agents = who.len();
                who.truncate(NAMED);
                advice.push(Advice::LacksOnly { skill, asked: level, agents, who });
            }
        }
    }
}

/// The levels of skills that a condition asks for; what stands under a "not" is no help to have.
fn asked(who: &SkillExpr, atoms: &mut Vec<(SkillId, u8)>) {
    match who {
        SkillExpr::AtLeast { skill, level } => atoms.push((*skill, level.get())),
        SkillExpr::And(all) | SkillExpr::Or(all) => all.iter().for_each(|one| asked(one, atoms)),
        SkillExpr::Any | SkillExpr::InGroup(_) | SkillExpr::OneOf(_) | SkillExpr::Not(_) => {}
    }
}
