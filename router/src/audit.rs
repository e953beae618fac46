//! The floor checks itself: what must hold between any two inputs, tested the slow way.
//!
//! The appliance runs it now and then and raises an event when something is broken (ROUTE-06); the simulation runs it
//! after every event. Numbers such as I2 are those of the invariants' list in the crate's documentation.

use std::collections::BTreeMap;

use crate::agent::CHANNELS;
use crate::classes::Place;
use crate::floor::Floor;
use crate::item::{Kind, Phase};
use crate::profiles::lane;

impl Floor {
    /// Everything found broken, in words; empty when all is well. Costs agents × waiting: for a quiet moment.
    pub fn audit(&self) -> Vec<String> {
        let mut broken = Vec::new();
        self.audit_items(&mut broken);
        self.audit_agents(&mut broken);
        self.audit_board(&mut broken);
        self.audit_queues(&mut broken);
        self.audit_conservation(&mut broken);
        broken
    }

    /// I1, I9: an interaction has one lease or one agent, and both sides know it.
    fn audit_items(&self, broken: &mut Vec<String>) {
        for (key, item) in self.items.iter() {
            if self.item_keys.get(&item.id) != Some(&key) {
                broken.push(format!("{} is not found by its id", item.id));
            }
            let known = match &item.phase {
                Phase::Waiting => {
                    let line = item.class().map(|class| &self.board.classes.get(class).waiting);
                    item.kind == Kind::Queued && line.is_some_and(|line| line.contains(&(item.place, key)))
                }
                Phase::Offered(ring) => {
                    !ring.members.is_empty()
                        && ring.deadline > self.now
                        && ring.members.iter().all(|&number| {
                            let lease = self.agents[number].lease;
                            lease.is_some_and(|lease| lease.item == key && lease.token == ring.token)
                        })
                }
                Phase::Active { agent } => self.agents[*agent].active.contains(&key),
                Phase::Wrapping { agent, .. } => self.agents[*agent].wrapping.contains(&key),
            };
            if !known {
                broken.push(format!("I1: {} is {:?}, but the other side does not know", item.id, item.phase));
            }
        }
    }

    /// I2, I9: load is what is held, queue work never exceeds the capacity, no lease without its interaction.
    fn audit_agents(&self, broken: &mut Vec<String>) {
        for (number, agent) in self.agents.iter().enumerate() {
            let leased = agent.lease.map(|lease| lease.item);
            let held = || leased.iter().chain(&agent.active).chain(&agent.wrapping);
            let mut queue_units = 0;
            for channel in CHANNELS {
                let of_channel =
                    held().filter_map(|key| self.items.get(*key)).filter(|item| item.channel == channel);
                let count = of_channel.clone().count();
                let queued = of_channel.filter(|item| item.kind == Kind::Queued).count();
                let weight = self.config.capacity.weight(channel);
                queue_units += queued as u64 * u64::from(weight.units);
                if agent.load[lane(channel)] as usize != count {
                    broken.push(format!(
                        "I2: {} carries {count}, not {}",
                        agent.id,
                        agent.load[lane(channel)]
                    ));
                }
                if queued > weight.at_once as usize {
                    broken.push(format!("I2: {} carries {queued} at once", agent.id));
                }
            }
            if queue_units > u64::from(self.config.capacity.units) {
                broken.push(format!("I2: {} carries {queue_units} units", agent.id));
            }
            if held().any(|key| self.items.get(*key).is_none()) {
                broken.push(format!("I9: {} holds something that is gone", agent.id));
            }
            for channel in CHANNELS {
                let standing = agent
                    .is_open(channel, &self.config.capacity)
                    .then(|| agent.standing(&self.config.agent_order, &self.config.capacity));
                let lane = lane(channel);
                let filed = standing.is_none_or(|standing| {
                    self.board.profiles.get(agent.profile).idle[lane].contains(&(standing, agent.id, number))
                });
                if agent.filed[lane] != standing || !filed {
                    broken.push(format!(
                        "{} is free as {:?}, filed as {standing:?}",
                        agent.id, agent.filed[lane]
                    ));
                }
            }
        }
    }

    /// The matrix says what the conditions say, and heads are the heads.
    fn audit_board(&self, broken: &mut Vec<String>) {
        let (classes, profiles) = (&self.board.classes, &self.board.profiles);
        let mut blocks: BTreeMap<usize, Place> = BTreeMap::new();
        for number in classes.all() {
            let class = classes.get(number);
            for profile in profiles.all() {
                let fits = class.condition.fit(&profiles.get(profile).traits).is_some();
                if class.profiles.has(profile) != fits || profiles.get(profile).classes.has(number) != fits {
                    broken.push(format!(
                        "class {number} and profile {profile}: the matrix does not say {fits}"
                    ));
                }
            }
            let head = class.waiting.first().map_or(Place::LAST, |(place, _)| *place);
            if classes.heads[number] != head
                || classes.waiting[lane(class.channel)].has(number) == class.waiting.is_empty()
            {
                broken.push(format!("class {number} has the head {head:?}, not {:?}", classes.heads[number]));
            }
            let block = blocks.entry(number / 64).or_insert(Place::LAST);
            *block = head.min(*block);
        }
        for (block, head) in blocks {
            if classes.block_heads[block] != head {
                broken.push(format!(
                    "block {block} has the head {head:?}, not {:?}",
                    classes.block_heads[block]
                ));
            }
        }
        for lane in CHANNELS.map(lane) {
            for profile in profiles.all() {
                if profiles.open[lane].has(profile) == profiles.get(profile).idle[lane].is_empty() {
                    broken.push(format!("profile {profile} is wrong about having free agents"));
                }
            }
        }
    }

    /// The queues count what waits, and nobody has outstayed the queue's longest wait.
    fn audit_queues(&self, broken: &mut Vec<String>) {
        let mut waiting = vec![0; self.queues.len()];
        let mut held = vec![0; self.queues.len()];
        for (_, item) in self.items.iter() {
            if let Some(service) = item.service {
                waiting[service] += usize::from(item.is_unanswered());
                held[service] += 1;
            }
        }
        for (number, queue) in self.queues.iter().enumerate() {
            if (queue.waiting, queue.held) != (waiting[number], held[number]) {
                broken.push(format!("I10: {} is wrong about who is in it", queue.service.id));
            }
            let front = queue.line.front().and_then(|key| self.items.get(*key));
            if queue.waiting > 0 && !front.is_some_and(crate::item::Item::is_unanswered) {
                broken.push(format!("{} does not know who waits longest", queue.service.id));
            }
        }
    }

    /// I3: nobody free may take anybody who waits.
    fn audit_conservation(&self, broken: &mut Vec<String>) {
        for (_, item) in self.items.iter() {
            let (Phase::Waiting, Some(class)) = (&item.phase, item.class()) else { continue };
            let class = self.board.classes.get(class);
            for agent in &self.agents {
                let open = agent.is_open(item.channel, &self.config.capacity);
                if open
                    && !item.is_cooling(agent.id, self.now)
                    && class.condition.fit(&self.board.profiles.get(agent.profile).traits).is_some()
                {
                    broken.push(format!("I3: {} waits though {} is free", item.id, agent.id));
                }
            }
        }
    }
}
