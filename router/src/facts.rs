//! What follows from a fact at once: lists, counts and the time of a state are kept in step with it.

use model::agent::{AgentState, NotReadyReason};
use model::id::AgentId;
use model::time::Timestamp;

use crate::agent::Agent;
use crate::floor::Floor;
use crate::item::{Item, Phase};
use crate::order::Place;
use crate::slab::Key;
use crate::steps;
use crate::timers::Timer;

impl Floor {
    /// The interaction leaves the floor.
    pub(crate) fn forget(&mut self, key: Key) {
        let Some(item) = self.items.remove(key) else { return };
        self.item_keys.remove(&item.id);
        self.unpin(&item.plan.steps);
        if let Some(queue) = item.service.and_then(|number| self.queues.get_mut(number)) {
            queue.held = queue.held.saturating_sub(1);
        }
        if item.is_unanswered() {
            self.leave_line(item.service, key, item.place);
        }
    }

    /// One unanswered interaction less in the queue. Only when it was the front, a new front is looked for.
    pub(crate) fn leave_line(&mut self, service: Option<usize>, key: Key, place: Place) {
        let Some(queue) = service.and_then(|number| self.queues.get_mut(number)) else { return };
        queue.waiting = queue.waiting.saturating_sub(1);
        queue.order.remove(place);
        let waits = |key: &Key| self.items.get(*key).is_some_and(Item::is_unanswered);
        if queue.line.front() == Some(&key) {
            while queue.line.front().is_some_and(|key| !waits(key)) {
                queue.line.pop_front();
                steps::count(1);
            }
        }
        if queue.line.len() > 64 + 2 * queue.waiting {
            steps::count(queue.line.len());
            queue.line.retain(waits);
        }
    }

    /// Takes its place among those who wait for the same. The place is the one it always had (I8).
    pub(crate) fn enter_class(&mut self, key: Key) {
        self.stand(key);
        self.loose.push(key);
    }
    /// Stands in the line of its class, for the same agents as before: none of them was free.
    pub(crate) fn stand(&mut self, key: Key) {
        let Some(item) = self.items.get(key) else { return };
        if let Some(class) = item.class() {
            self.board.classes.enter(class, item.place, key);
        }
    }
    pub(crate) fn leave_class(&mut self, key: Key) {
        let Some(item) = self.items.get(key) else { return };
        if let (Phase::Waiting, Some(class)) = (&item.phase, item.class()) {
            self.board.classes.leave(class, item.place, key);
        }
    }

    /// Changes facts of an agent, and whatever is read off them.
    pub(crate) fn change(&mut self, agent: AgentId, at: Timestamp, facts: impl FnOnce(&mut Agent)) {
        let Some(number) = self.agent_numbers.get(&agent).copied() else { return };
        let agent = &mut self.agents[number];
        let (before, since) = (agent.state(), agent.since);
        facts(agent);
        agent.excused &= agent.has_work();
        let after = agent.state();
        if after != before {
            agent.since = at;
            if let AgentState::NotReady { reason: NotReadyReason::Chosen(reason) } = before {
                agent.away.add(reason, since, at);
            }
            if !std::mem::replace(&mut agent.touched, true) {
                self.touched.push((number, before, since));
            }
            // A stay is counted from when it first shows; a colleague's call in between does not prolong it.
            if let AgentState::NotReady { reason: NotReadyReason::Chosen(reason) } = after
                && agent.stay_until.is_none()
                && let Some(stay) = self.config.stays.get(&reason)
            {
                let until = at + *stay;
                agent.stay_until = Some(until);
                self.arm(until, Timer::Stay { agent: number });
            }
        }
        self.count(number);
        if !std::mem::replace(&mut self.agents[number].stirred, true) {
            self.stirred.push(number);
        }
    }

    /// Puts the agent into the lists of free agents, or takes the agent out, as the facts have it.
    pub(crate) fn refile(&mut self, number: usize) {
        let agent = &mut self.agents[number];
        let limits = &self.limits[agent.limits];
        let open = agent.open(limits);
        let filed = (open != 0).then(|| (open, agent.standing(&self.config.agent_order, limits)));
        if agent.filed != filed {
            let before = agent.filed.map_or(0, |(lanes, _)| lanes);
            if let Some((lanes, standing)) = agent.filed {
                self.board.profiles.unfile(agent.profile, lanes, standing, agent.id, number);
            }
            if let Some((lanes, standing)) = filed {
                self.board.profiles.file(agent.profile, lanes, standing, agent.id, number);
            }
            agent.filed = filed;
            if open & !before != 0 {
                self.freed.push(number);
            }
        }
        self.count(number);
    }

    fn count(&mut self, number: usize) {
        let agent = &mut self.agents[number];
        let before = agent.counted;
        let (online, works) = (agent.enrolled && agent.is_online(), agent.enrolled && agent.works());
        agent.counted = (online, works);
        if online != before.0 {
            self.staff_left |= self.board.profiles.count_online(agent.profile, online);
        }
        if works != before.1 {
            self.board.profiles.count_working(agent.profile, works);
        }
    }
}
