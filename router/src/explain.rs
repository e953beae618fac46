//! Why an interaction is where it is (ROUTE-09): who may take it, who may not and on what ground, who would be rung first
//! and who lost on which term, what comes next and what would help.
//!
//! On a floor folded up to the moment before an offer ([`Floor::stand_at`]) the first [`Candidate`] is the agent whom the
//! floor then rang: the explanation re-derives the decision.

pub(crate) mod advice;
pub(crate) mod choice;

use std::time::Duration;

use model::agent::AgentState;
use model::id::{AgentId, InteractionId};
use model::skill::SkillExpr;
use model::time::Timestamp;
use serde::Serialize;

use crate::floor::Floor;
use crate::item::Phase;
use crate::lanes::bit;
use crate::views::InteractionView;
use advice::Advice;
use choice::Candidate;

/// Agents listed one by one; the counts speak of all.
pub const EXPLAINED_AGENTS_MAX: usize = 200;

/// The answer to "why does this caller wait?" and "why did it ring there?".
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The moment it speaks of.
    pub at: Timestamp,
    /// The interaction: its place, step, refusals, and when the next step begins.
    pub interaction: InteractionView,
    /// How many unanswered interactions of the same service come first.
    pub position: Option<usize>,
    /// How long it will still take until an agent answers; see [`Floor::expected_wait`].
    pub expected_wait: Option<Duration>,
    /// Whom the current step asks for: with cumulative steps also whoever fitted an earlier one.
    pub who: Option<SkillExpr>,
    /// Whom the next step will ask for.
    pub next: Option<SkillExpr>,
    /// Agents whose skills fit the current step, signed in or not.
    pub fitting: usize,
    /// Of those, how many are signed in and not Offline.
    pub online: usize,
    /// Whether no agent of the configuration fits this step or a later one.
    pub hopeless: bool,
    /// Who may be rung now, the first in the configured order first, with the term on which each lost. Empty for an
    /// interaction that waits (I3): on a live floor only somebody rung along with others has any.
    pub candidates: Vec<Candidate>,
    /// What holds for each agent, first those who fit; then by id. Cut at [`EXPLAINED_AGENTS_MAX`].
    pub agents: Vec<(AgentId, Verdict)>,
    /// What would bring somebody to take it.
    pub advice: Vec<Advice>,
}

/// What stands between an interaction and an agent. The first ground that holds is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Verdict {
    /// Nothing: the agent could be offered it now. Never seen for a waiting interaction (I3).
    Eligible {
        /// How well the agent fits: 1 to 10.
        fit: u8,
    },
    /// It rings at this agent's.
    Ringing,
    /// This agent has it.
    Handling,
    /// The agent refused or missed it.
    Refused {
        /// When the agent may be asked again.
        until: Timestamp,
    },
    /// An offer is open, or work fills the agent's capacity.
    NoRoom,
    /// The agent is not Ready, or wants no further work.
    NotReady,
    /// Voice does not reach the agent.
    NoPhone,
    /// The agent takes no contacts of this kind: the role, the agent's own limit or the capacity of the group says so.
    NotForKind,
    /// Signed out or Offline.
    Away,
    /// The agent does not meet the condition of the current step.
    Unskilled,
}

impl Floor {
    /// Explains an interaction on the floor; `None` once it has left.
    pub fn explain(&self, interaction: InteractionId) -> Option<Explanation> {
        let key = self.item_key(interaction).ok()?;
        let item = self.items.get(key)?;
        let class = item.class().map(|class| self.board.classes.get(class));
        let next = item.plan.steps.get(item.step + 1).map(|step| self.board.classes.get(step.class));
        let later = item.plan.steps.get(item.step..).unwrap_or_default();
        let (mut fitting, mut online) = (0, 0);
        let mut agents = Vec::new();
        for (number, agent) in self.agents.iter().enumerate().filter(|(_, agent)| agent.enrolled) {
            let traits = &self.board.profiles.get(agent.profile).traits;
            let fit = class.and_then(|class| class.condition.fit(traits));
            if fit.is_some() {
                fitting += 1;
                online += usize::from(agent.is_online());
            }
            let here = match &item.phase {
                Phase::Offered(ring) if ring.members.contains(&number) => Some(Verdict::Ringing),
                Phase::Active { agent } | Phase::Wrapping { agent, .. } if *agent == number => {
                    Some(Verdict::Handling)
                }
                _ => None,
            };
            agents.push((agent.id, here.unwrap_or_else(|| self.verdict(item, number, fit))));
        }
        let advice = if item.is_unanswered() { self.advice(item, &agents) } else { Vec::new() };
        agents.sort_unstable_by_key(|(agent, verdict)| (*verdict == Verdict::Unskilled, *agent));
        agents.truncate(EXPLAINED_AGENTS_MAX);
        Some(Explanation {
            at: self.now,
            interaction: self.interaction(interaction)?,
            position: self.ahead(interaction),
            expected_wait: self.expected_wait(interaction, self.now),
            who: class.map(|class| class.who.clone()),
            next: next.filter(|_| item.is_unanswered()).map(|class| class.who.clone()),
            fitting,
            online,
            hopeless: !later.is_empty() && !later.iter().any(|step| self.board.has_agents(step.class)),
            candidates: self.candidates(item),
            agents,
            advice,
        })
    }

    fn verdict(&self, item: &crate::item::Item, number: usize, fit: Option<u8>) -> Verdict {
        let agent = &self.agents[number];
        let Some(fit) = fit else { return Verdict::Unskilled };
        if !agent.is_online() {
            return Verdict::Away;
        }
        let limits = &self.limits[agent.limits];
        if limits.closed() & bit(item.channel) != 0 {
            return Verdict::NotForKind;
        }
        if !agent.can_carry(item.channel) {
            return Verdict::NoPhone;
        }
        let refusal = item.refusals.iter().find(|&&(who, until)| who == agent.id && self.now < until);
        if let Some(&(_, until)) = refusal {
            return Verdict::Refused { until };
        }
        let free = agent.has_room(item.channel, limits) && agent.lease.is_none();
        match agent.state() {
            AgentState::Ready | AgentState::Busy | AgentState::Ringing if !free => Verdict::NoRoom,
            _ if agent.filed.is_some_and(|(lanes, _)| lanes & bit(item.channel) != 0) => {
                Verdict::Eligible { fit }
            }
            _ => Verdict::NotReady,
        }
    }
}
