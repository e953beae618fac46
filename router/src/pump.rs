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
use crate::classes::Place;
use crate::config::{AgentTerm, ORDER_TERMS};
use crate::floor::Floor;
use crate::io::Output;
use crate::item::Phase;
use crate::profiles::{Standing, lane};
use crate::slab::Key;

/// An agent is rung at least this long, whatever a configuration says.
pub(crate) const RING_TIME_MIN: std::time::Duration = std::time::Duration::from_secs(1);

impl Floor {
    /// Serves until no free agent may take any waiting interaction.
    pub(crate) fn pump(&mut self) {
        let mut freed = std::mem::take(&mut self.freed);
        let mut loose = std::mem::take(&mut self.loose);
        freed.retain(|&agent| self.agents[agent].filed.iter().any(Option::is_some));
        freed.dedup();
        match (&freed[..], &loose[..]) {
            ([], []) => {}
            ([agent], []) => self.serve_one(*agent),
            ([], [item]) => {
                self.offer_best(*item);
            }
            (agents, items) => self.serve_many(agents, items),
        }
        freed.clear();
        loose.clear();
        // Serving frees nobody and queues nothing; the buffers go back to be used again.
        self.freed = freed;
        self.loose = loose;
    }

    /// One agent became free. Nobody else can take what this agent may take, or it would not wait.
    fn serve_one(&mut self, agent: usize) {
        if let Some((_, item)) = self.first_item_for(agent) {
            self.offer(item, agent);
        }
    }

    /// Several agents or interactions at once: the same as one by one in the order of places.
    fn serve_many(&mut self, agents: &[usize], items: &[Key]) {
        let mut next = BinaryHeap::with_capacity(agents.len() + items.len());
        for &item in items {
            if let Some(waiting) = self.items.get(item).filter(|item| matches!(item.phase, Phase::Waiting)) {
                next.push(Reverse((waiting.place, item, None)));
            }
        }
        for &agent in agents {
            if let Some((place, item)) = self.first_item_for(agent) {
                next.push(Reverse((place, item, Some(agent))));
            }
        }
        while let Some(Reverse((_, item, source))) = next.pop() {
            self.offer_best(item);
            if let Some(agent) = source
                && let Some((place, item)) = self.first_item_for(agent)
            {
                next.push(Reverse((place, item, Some(agent))));
            }
        }
    }

    /// Offers a waiting interaction to the best free agent, or to the best few at once.
    fn offer_best(&mut self, item: Key) {
        if !self.items.get(item).is_some_and(|item| matches!(item.phase, Phase::Waiting)) {
            return;
        }
        for _ in 0..self.config.ring_at_once.max(1) {
            let Some(agent) = self.best_agent_for(item) else { return };
            self.offer(item, agent);
        }
    }

    /// The interaction with the first place among those the agent may take.
    pub(crate) fn first_item_for(&self, agent: usize) -> Option<(Place, Key)> {
        let agent = &self.agents[agent];
        let classes = &self.board.classes;
        let mut best = None;
        let mut limit = Place::LAST;
        let meets = self.board.profiles.get(agent.profile).classes.words();
        for (block, (row, waiting)) in meets.iter().zip(classes.waiting.words()).enumerate() {
            if row & waiting == 0 || classes.block_heads[block] >= limit {
                continue;
            }
            for class in (Ones { word: row & waiting, base: block * 64 }) {
                if classes.heads[class] >= limit {
                    continue;
                }
                let class = classes.get(class);
                if agent.filed[lane(class.channel)].is_none() {
                    continue;
                }
                let first = class.waiting.iter().find(|(place, item)| {
                    *place >= limit
                        || self.items.get(*item).is_some_and(|item| !item.is_cooling(agent.id, self.now))
                });
                if let Some(&(place, item)) = first.filter(|(place, _)| *place < limit) {
                    limit = place;
                    best = Some((place, item));
                }
            }
        }
        best
    }

    /// The agent who comes first by the configured order among those who may take the interaction.
    pub(crate) fn best_agent_for(&self, item: Key) -> Option<usize> {
        let item = self.items.get(item)?;
        let class = self.board.classes.get(item.class()?);
        let lane = lane(item.channel);
        let profiles = &self.board.profiles;
        let mut best: Option<((Standing, AgentId), usize)> = None;
        for number in class.profiles.common(&profiles.open[lane]) {
            let profile = profiles.get(number);
            let first = profile.idle[lane].iter().find(|(_, id, _)| !item.is_cooling(*id, self.now));
            let Some(&(standing, id, agent)) = first else { continue };
            let fit = class.condition.fit(&profile.traits).unwrap_or(0);
            let rank = (self.with_fit(standing, fit), id);
            if best.is_none_or(|(first, _)| rank < first) {
                best = Some((rank, agent));
            }
        }
        best.map(|(_, agent)| agent)
    }

    /// Completes a standing by how well the agent meets the condition.
    fn with_fit(&self, mut standing: Standing, fit: u8) -> Standing {
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
    fn offer(&mut self, key: Key, agent: usize) {
        let Some(item) = self.items.get(key) else { return };
        let interaction = item.id;
        let (token, deadline) = match &item.phase {
            Phase::Offered(ring) => (ring.token, ring.deadline),
            _ => {
                let ring_time = self.queue_rules(item.service).ring_time.max(RING_TIME_MIN);
                (self.next_token(), self.now + ring_time)
            }
        };
        let agent = self.agents[agent].id;
        self.record(Event::Offered { interaction, agent, token, deadline });
        self.out.push(Output::Offer { interaction, agent, token, deadline });
    }
}
