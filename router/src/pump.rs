//! Decisions: which waiting interaction goes to which free agent.
//!
//! Of all waiting interactions that a free agent may take, the one with the first place is served first, by the first
//! agent of the configured order among those who may take it. Between inputs no such pair is left (work conservation),
//! so only what the input stirred up is looked at: agents who became free and interactions that wait anew.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use model::id::AgentId;
use model::journal::Event;

use crate::bits::Ones;
use crate::classes::{BLOCK, Sort};
use crate::config::{AgentTerm, ORDER_TERMS};
use crate::floor::Floor;
use crate::io::Output;
use crate::item::Phase;
use crate::lanes::{Lanes, bit, lane};
use crate::order::{self, PLAIN_SLOPE, Place, Rank, Slope, is_before};
use crate::profiles::Standing;
use crate::slab::Key;
use crate::steps;

/// An agent is rung at least this long, whatever a configuration says.
pub(crate) const RING_TIME_MIN: std::time::Duration = std::time::Duration::from_secs(1);

/// A place in a line of some slope.
type Line = (Place, Slope);

impl Floor {
    /// Serves until no free agent may take any waiting interaction.
    pub(crate) fn pump(&mut self) {
        self.file_stirred();
        let mut freed = std::mem::take(&mut self.freed);
        let mut loose = std::mem::take(&mut self.loose);
        match (&freed[..], &loose[..]) {
            ([], []) => {}
            ([agent], []) => self.serve_one(*agent),
            ([], [item]) => self.offer_best(*item),
            (agents, items) => self.serve_many(agents, items),
        }
        // Serving queues nothing and frees nobody: whoever is free now has been asked.
        let stirred = std::mem::take(&mut self.stirred);
        for &agent in &stirred {
            self.agents[agent].stirred = false;
            self.refile(agent);
        }
        self.stirred = stirred;
        self.stirred.clear();
        freed.clear();
        loose.clear();
        self.freed = freed;
        self.loose = loose;
    }

    /// Brings the lists of free agents up to the facts. Whoever became free alone, with nobody new in the queues, is not
    /// filed yet: mostly a caller waits already, and filing would be undone at once.
    fn file_stirred(&mut self) {
        let mut stirred = std::mem::take(&mut self.stirred);
        let alone = stirred.len() == 1 && self.freed.is_empty() && self.loose.is_empty();
        stirred.retain(|&number| {
            if alone && self.opens(number) {
                self.freed.push(number);
                return true;
            }
            self.agents[number].stirred = false;
            self.refile(number);
            false
        });
        self.stirred = stirred;
        let mut freed = std::mem::take(&mut self.freed);
        freed.retain(|&number| self.open_lanes(number) != 0);
        self.freed = freed;
    }

    /// Whether the agent can take something, and is not in the lists yet.
    fn opens(&self, number: usize) -> bool {
        self.agents[number].filed.is_none() && self.open_lanes(number) != 0
    }

    /// The kinds of contact that may be offered to the agent now.
    pub(crate) fn open_lanes(&self, number: usize) -> Lanes {
        let agent = &self.agents[number];
        agent.open(&self.limits[agent.limits])
    }

    /// One agent became free. Nobody else can take what this agent may take, or it would not wait.
    fn serve_one(&mut self, agent: usize) {
        if let Some((_, item)) = self.first_item_for(agent) {
            self.offer(item, agent);
        }
    }

    fn first_ranked_for(&self, agent: usize) -> Option<(Rank, Key)> {
        let (_, key) = self.first_item_for(agent)?;
        self.items.get(key).map(|item| (item.rank(self.now), key))
    }

    /// Several agents or interactions at once: the same as one by one in the order of places.
    fn serve_many(&mut self, agents: &[usize], items: &[Key]) {
        let mut next = BinaryHeap::with_capacity(agents.len() + items.len());
        for &item in items {
            if let Some(waiting) = self.items.get(item).filter(|item| matches!(item.phase, Phase::Waiting)) {
                next.push(Reverse((waiting.rank(self.now), item, None)));
            }
        }
        for &agent in agents {
            if let Some((rank, item)) = self.first_ranked_for(agent) {
                next.push(Reverse((rank, item, Some(agent))));
            }
        }
        while let Some(Reverse((_, item, source))) = next.pop() {
            steps::count(1);
            self.offer_best(item);
            if let Some(agent) = source
                && let Some((rank, item)) = self.first_ranked_for(agent)
            {
                next.push(Reverse((rank, item, Some(agent))));
            }
        }
    }

    /// Offers a waiting interaction to the best free agent, or to the best few at once.
    fn offer_best(&mut self, item: Key) {
        if !self.items.get(item).is_some_and(|item| matches!(item.phase, Phase::Waiting)) {
            return;
        }
        let service = self.items.get(item).and_then(|item| item.service);
        for _ in 0..self.queue_rules(service).rung_at_once() {
            let Some(agent) = self.best_agent_for(item) else { return };
            self.offer(item, agent);
        }
    }

    /// The interaction with the first place among those the agent may take.
    ///
    /// Nearly always that is the head of a class; so the heads, which lie side by side, are compared first. Only when the
    /// agent refused that very interaction, the lines behind the heads are looked into.
    pub(crate) fn first_item_for(&self, agent: usize) -> Option<(Place, Key)> {
        let mut first = None;
        self.each_class_for(agent, |class, head, limit| (*limit, first) = (head, Some(class)));
        let class = first?;
        let head = *self.board.classes.get(class).waiting.first()?;
        if self.may_be_asked(agent, head.1) { Some(head) } else { self.first_item_behind(agent) }
    }

    fn first_item_behind(&self, agent: usize) -> Option<(Place, Key)> {
        let mut best = None;
        self.each_class_for(agent, |class, (_, slope), limit| {
            let is_first = |place: &Place| is_before((*place, slope), *limit, self.now);
            let line = &self.board.classes.get(class).waiting;
            let first = line.iter().find(|(place, item)| !is_first(place) || self.may_be_asked(agent, *item));
            if let Some(&(place, item)) = first.filter(|(place, _)| is_first(place)) {
                (*limit, best) = ((place, slope), Some((place, item)));
            }
        });
        best
    }

    fn may_be_asked(&self, agent: usize, item: Key) -> bool {
        steps::count(1);
        self.items.get(item).is_some_and(|item| !item.is_cooling(self.agents[agent].id, self.now))
    }

    /// Shows each class the agent meets where somebody waits before the limit, with its head; `see` lowers the limit.
    fn each_class_for(&self, agent: usize, mut see: impl FnMut(usize, Line, &mut Line)) {
        let classes = &self.board.classes;
        let mut limit = (Place::LAST, PLAIN_SLOPE);
        let open = self.open_lanes(agent);
        let meets = self.board.profiles.get(self.agents[agent].profile).classes.words();
        let waiting = classes.waiting.words();
        for (&Sort { channel, slope }, blocks) in &classes.groups {
            if open & bit(channel) == 0 {
                continue;
            }
            // In the units of this slope, so that most blocks are passed over by one comparison.
            let mut reach = order::reach(limit, slope, self.now);
            for &block in blocks {
                steps::count(1);
                let (Some(row), Some(waiting)) = (meets.get(block), waiting.get(block)) else { continue };
                if row & waiting == 0 || classes.block_heads[block].virtual_arrival > reach {
                    continue;
                }
                for class in (Ones { word: row & waiting, base: block * BLOCK }) {
                    steps::count(1);
                    let head = (classes.heads[class], slope);
                    if is_before(head, limit, self.now) {
                        see(class, head, &mut limit);
                        reach = order::reach(limit, slope, self.now);
                    }
                }
            }
        }
    }

    /// The agent who comes first by the configured order among those who may take the interaction.
    pub(crate) fn best_agent_for(&self, item: Key) -> Option<usize> {
        let item = self.items.get(item)?;
        let lane = lane(item.channel);
        let profiles = &self.board.profiles;
        if profiles.open[lane].is_empty() {
            return None;
        }
        let class = self.board.classes.get(item.class()?);
        let mut best: Option<((Standing, AgentId), usize)> = None;
        steps::count(profiles.open[lane].words().len());
        for number in class.profiles.common(&profiles.open[lane]) {
            let profile = profiles.get(number);
            let may = |(_, id, _): &&(Standing, AgentId, usize)| {
                steps::count(1);
                !item.is_cooling(*id, self.now)
            };
            let fit = class.condition.fit(&profile.traits).unwrap_or(0);
            // Whatever else the agents of the profile have, with this fit none of them comes first.
            let at_best = self.with_fit(Standing::default(), fit);
            if best.is_some_and(|((first, _), _)| at_best > first) {
                continue;
            }
            let first = profile.idle(lane).filter_map(|idle| idle.iter().find(may)).min();
            let Some(&(standing, id, agent)) = first else { continue };
            let rank = (self.with_fit(standing, fit), id);
            if best.is_none_or(|(first, _)| rank < first) {
                best = Some((rank, agent));
            }
        }
        best.map(|(_, agent)| agent)
    }

    /// Completes a standing by how well the agent meets the condition.
    pub(crate) fn with_fit(&self, mut standing: Standing, fit: u8) -> Standing {
        for (place, term) in standing.iter_mut().zip(&self.config.agent_order).take(ORDER_TERMS) {
            match term {
                AgentTerm::MostSkilled => *place = u64::from(u8::MAX - fit),
                AgentTerm::LeastSkilled => *place = u64::from(fit),
                AgentTerm::LeastLoaded | AgentTerm::LongestIdle | AgentTerm::RoundRobin => {}
            }
        }
        standing
    }

    /// Leases the agent for the interaction: a lease of its own, or the one it already rings under.
    pub(crate) fn offer(&mut self, key: Key, agent: usize) {
        let Some(item) = self.items.get(key) else { return };
        let interaction = item.id;
        let (token, deadline) = match &item.phase {
            Phase::Offered(ring) => (ring.token, ring.deadline),
            _ => {
                let ring_time = self.queue_rules(item.service).ring_time.max(RING_TIME_MIN);
                let ring_time = ring_time + self.agents[agent].ring_grace(item.channel);
                (self.next_token(), self.now + ring_time)
            }
        };
        let (number, agent) = (agent, self.agents[agent].id);
        self.record(Event::Offered { interaction, agent, token, deadline });
        // Out of the lists at once: the next decision follows in this same step.
        self.refile(number);
        self.out.push(Output::Offer { interaction, agent, token, deadline });
    }
}
