//! The floor checks itself: what must hold between any two inputs, tested the slow way.
//!
//! The simulation runs all of it after every event. The appliance walks through it a few steps at a time ([`walk`]) and
//! writes down what is broken (ROUTE-06). Numbers such as I2 are those of the invariants' list in the crate's
//! documentation.

pub(crate) mod walk;

use crate::classes::BLOCK;
use crate::floor::Floor;
use crate::item::{Item, Kind, Phase};
use crate::lanes::{LANES, lane};
use crate::order::Place;
use crate::slab::Key;

/// The rules that violations name.
pub const INVARIANTS: [&str; 7] = ["I1", "I2", "I3", "I9", "I10", "lists", "matrix"];

/// Something that must hold and does not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Which rule, one of [`INVARIANTS`]: `lists` is who is filed where, `matrix` who fits whom.
    pub invariant: &'static str,
    /// What is broken, in words.
    pub what: String,
}

/// Where violations are gathered.
pub(crate) type Broken = Vec<Violation>;

fn tell(broken: &mut Broken, invariant: &'static str, what: String) {
    broken.push(Violation { invariant, what });
}

impl Floor {
    /// Everything found broken, in words; empty when all is well. Costs agents × waiting: for a quiet moment.
    pub fn audit(&self) -> Vec<String> {
        let mut broken = Broken::new();
        for (key, item) in self.items.iter() {
            self.audit_item(key, item, &mut broken);
        }
        for number in 0..self.agents.len() {
            self.audit_agent(number, &mut broken);
        }
        for class in self.board.classes.all() {
            for profile in self.board.profiles.all() {
                self.audit_pair(class, profile, &mut broken);
            }
            self.audit_class(class, &mut broken);
        }
        for block in 0..self.board.classes.block_heads.len() {
            self.audit_block(block, &mut broken);
        }
        for profile in self.board.profiles.all() {
            self.audit_open(profile, &mut broken);
        }
        self.audit_queues(&mut broken);
        for number in (0..self.agents.len()).filter(|&number| self.is_free(number)) {
            for class in self.board.classes.all() {
                self.audit_conservation(number, class, &mut broken);
            }
        }
        broken.into_iter().map(|broken| format!("{}: {}", broken.invariant, broken.what)).collect()
    }

    /// I1, I9: an interaction has one lease or one agent, and both sides know it.
    fn audit_item(&self, key: Key, item: &Item, broken: &mut Broken) {
        if self.item_keys.get(&item.id) != Some(&key) {
            tell(broken, "I1", format!("{} is not found by its id", item.id));
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
            let what = format!("{} is {:?}, but the other side does not know", item.id, item.phase);
            tell(broken, "I1", what);
        }
    }

    /// I2, I9: load is what is held, queue work never exceeds the capacity, no lease without its interaction.
    fn audit_agent(&self, number: usize, broken: &mut Broken) {
        let agent = &self.agents[number];
        let leased = agent.lease.map(|lease| lease.item);
        let held = || leased.iter().chain(&agent.active).chain(&agent.wrapping);
        let (mut load, mut queued) = ([0; LANES], [0; LANES]);
        for item in held().filter_map(|key| self.items.get(*key)) {
            load[lane(item.channel)] += 1;
            queued[lane(item.channel)] += u32::from(item.kind == Kind::Queued);
        }
        if agent.load != load {
            tell(broken, "I2", format!("{} carries {load:?}, not {:?}", agent.id, agent.load));
        }
        let limits = &self.limits[agent.limits];
        if !agent.excused && !limits.permits(&queued) {
            tell(broken, "I2", format!("{} carries {queued:?}, more than the capacity", agent.id));
        }
        if held().any(|key| self.items.get(*key).is_none()) {
            tell(broken, "I9", format!("{} holds something that is gone", agent.id));
        }
        let open = agent.open(limits);
        let filed = (open != 0).then(|| (open, agent.standing(&self.config.agent_order, limits)));
        let profile = self.board.profiles.get(agent.profile);
        let listed = filed.is_none_or(|(lanes, standing)| {
            let own = (standing, agent.id, number);
            (0..LANES)
                .all(|lane| profile.idle(lane).any(|idle| idle.contains(&own)) == (lanes >> lane & 1 == 1))
        });
        if agent.filed != filed || !listed {
            let what = format!("{} is free as {:?}, filed as {filed:?}", agent.id, agent.filed);
            tell(broken, "lists", what);
        }
    }

    /// The matrix says what the condition says.
    fn audit_pair(&self, class: usize, profile: usize, broken: &mut Broken) {
        let (row, column) = (self.board.classes.get(class), self.board.profiles.get(profile));
        let fits = row.condition.fit(&column.traits).is_some();
        if row.profiles.has(profile) != fits || column.classes.has(class) != fits {
            let what = format!("class {class} and profile {profile}: the matrix does not say {fits}");
            tell(broken, "matrix", what);
        }
    }

    /// The head of a class is its head.
    fn audit_class(&self, number: usize, broken: &mut Broken) {
        let classes = &self.board.classes;
        let class = classes.get(number);
        let head = class.waiting.first().map_or(Place::LAST, |(place, _)| *place);
        if classes.block_sorts[number / BLOCK] != class.sort {
            tell(broken, "lists", format!("class {number} is in a block of another sort"));
        }
        if classes.heads[number] != head || classes.waiting.has(number) == class.waiting.is_empty() {
            let what = format!("class {number} has the head {head:?}, not {:?}", classes.heads[number]);
            tell(broken, "lists", what);
        }
    }

    /// The first of 64 heads is the first.
    fn audit_block(&self, block: usize, broken: &mut Broken) {
        let classes = &self.board.classes;
        let head =
            classes.heads[block * BLOCK..(block + 1) * BLOCK].iter().copied().min().unwrap_or(Place::LAST);
        if classes.block_heads[block] != head {
            let what = format!("block {block} has the head {head:?}, not {:?}", classes.block_heads[block]);
            tell(broken, "lists", what);
        }
    }

    /// A profile with somebody free is known to have somebody free.
    fn audit_open(&self, profile: usize, broken: &mut Broken) {
        let profiles = &self.board.profiles;
        for lane in 0..LANES {
            if profiles.open[lane].has(profile) != profiles.get(profile).has_idle(lane) {
                tell(broken, "lists", format!("profile {profile} is wrong about having free agents"));
            }
        }
    }

    /// The queues count what waits, and nobody has outstayed the queue's longest wait.
    fn audit_queues(&self, broken: &mut Broken) {
        let mut waiting = vec![0; self.queues.len()];
        let mut held = vec![0; self.queues.len()];
        for (_, item) in self.items.iter() {
            if let Some(service) = item.service {
                waiting[service] += usize::from(item.is_unanswered());
                held[service] += 1;
            }
        }
        for (number, queue) in self.queues.iter().enumerate() {
            let counted = (queue.waiting, queue.held, queue.order.len());
            if counted != (waiting[number], held[number], waiting[number]) {
                tell(broken, "I10", format!("{} is wrong about who is in it", queue.service.id));
            }
            let front = queue.line.front().and_then(|key| self.items.get(*key));
            if queue.waiting > 0 && !front.is_some_and(Item::is_unanswered) {
                tell(broken, "I10", format!("{} does not know who waits longest", queue.service.id));
            }
        }
    }

    /// I3: a free agent may take nobody of those who wait in a class. The first whom the agent may is named.
    fn audit_conservation(&self, number: usize, class: usize, broken: &mut Broken) {
        let (agent, class) = (&self.agents[number], self.board.classes.get(class));
        if class.waiting.is_empty()
            || !agent.is_open(class.sort.channel, &self.limits[agent.limits])
            || class.condition.fit(&self.board.profiles.get(agent.profile).traits).is_none()
        {
            return;
        }
        let waiting = class.waiting.iter().filter_map(|(_, key)| self.items.get(*key));
        if let Some(item) = { waiting }.find(|item| !item.is_cooling(agent.id, self.now)) {
            tell(broken, "I3", format!("{} waits though {} is free", item.id, agent.id));
        }
    }

    /// Whether the agent may be offered anything at all.
    fn is_free(&self, number: usize) -> bool {
        self.open_lanes(number) != 0
    }
}
