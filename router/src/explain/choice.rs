//! Who comes first by the configured order, and on which term the others lost.

use model::id::AgentId;
use serde::Serialize;

use crate::config::{AgentTerm, ORDER_TERMS};
use crate::explain::EXPLAINED_AGENTS_MAX;
use crate::floor::Floor;
use crate::item::Item;
use crate::lanes::bit;
use crate::profiles::Standing;

/// An agent who may be rung now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// Who.
    pub agent: AgentId,
    /// How well the agent fits: 1 to 10.
    pub fit: u8,
    /// Where the agent stands by each term of the configured order.
    pub ranks: Vec<Rank>,
    /// The term that put the agent behind the first one; `None` for the first.
    pub lost_on: Option<Decider>,
}

/// Where an agent stands by one term; the smaller value comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rank {
    /// Which term.
    pub term: AgentTerm,
    /// The fit for `most_skilled` (255 less it) and `least_skilled`, units in use, microseconds since 1970, or the number
    /// of the last offer.
    pub value: u64,
}

/// What told two agents apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "by", content = "term")]
pub enum Decider {
    /// A term of the order.
    Term(AgentTerm),
    /// Equal by all terms: the lower id comes first.
    Id,
}

impl Floor {
    /// Everybody who may be rung for the interaction now, best first. Cut at [`EXPLAINED_AGENTS_MAX`].
    pub(crate) fn candidates(&self, item: &Item) -> Vec<Candidate> {
        let Some(class) = item.class().filter(|_| item.is_unanswered()) else { return Vec::new() };
        let class = self.board.classes.get(class);
        let mut found: Vec<(Standing, AgentId, u8)> = Vec::new();
        for agent in self.agents.iter().filter(|agent| agent.enrolled) {
            let Some((_, standing)) = agent.filed.filter(|(lanes, _)| lanes & bit(item.channel) != 0) else {
                continue;
            };
            let fit = class.condition.fit(&self.board.profiles.get(agent.profile).traits);
            let Some(fit) = fit.filter(|_| !item.is_cooling(agent.id, self.now)) else { continue };
            found.push((self.with_fit(standing, fit), agent.id, fit));
        }
        found.sort_unstable();
        let first = found.first().map(|(standing, ..)| *standing).unwrap_or_default();
        let order = &self.config.agent_order;
        let terms = || order.iter().copied().take(ORDER_TERMS);
        let candidate = |(n, (standing, agent, fit)): (usize, (Standing, AgentId, u8))| {
            let differs = || (0..ORDER_TERMS).find(|&at| standing[at] != first[at]);
            let lost = || differs().and_then(|at| terms().nth(at)).map_or(Decider::Id, Decider::Term);
            Candidate {
                agent,
                fit,
                ranks: terms().zip(standing).map(|(term, value)| Rank { term, value }).collect(),
                lost_on: (n > 0).then(lost),
            }
        };
        found.into_iter().take(EXPLAINED_AGENTS_MAX).enumerate().map(candidate).collect()
    }
}
