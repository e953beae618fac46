//! A new configuration under way: what it changes is worked out anew, the rest goes on.
//!
//! Whoever waits keeps the place and the requirement with which it was queued. Offers ring on. An agent who is taken out
//! of the configuration is signed out; work in hand may still be ended and completed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::figures::Mean;
use model::id::{AgentId, GroupId, ServiceId};
use model::interaction::Channel;
use model::people::GroupRules;
use model::service::{QueueRules, Service};
use model::skill::Requirement;
use model::time::Timestamp;

use crate::agent::Agent;
use crate::board::Board;
use crate::classes::Sort;
use crate::condition::{self, Traits};
use crate::config::{AgentProfile, CLASSES_MAX, ConfigError, FloorConfig, ORDER_TERMS};
use crate::expected::Pace;
use crate::floor::Floor;
use crate::io::Output;
use crate::item::{Phase, Plan, Queue};
use crate::lanes::{LANES, Limits, lane};
use crate::order::{self, PLAIN_SLOPE};
use crate::slab::{IdMap, Key, Slab};
use crate::timers::Timers;

impl Floor {
    /// An empty floor: everybody is signed out, nobody waits.
    pub fn new(config: FloorConfig) -> Result<Self, ConfigError> {
        let no_plan = Plan {
            requirement: Requirement { steps: Vec::new(), mode: Default::default() },
            slope: PLAIN_SLOPE,
            steps: Vec::new(),
        };
        let mut floor = Self {
            config: FloorConfig::default(),
            limits: Vec::new(),
            own_limits: BTreeMap::new(),
            default_group: GroupRules::default(),
            default_queue: QueueRules::default(),
            no_plan: Arc::new(no_plan),
            board: Board::default(),
            agents: Vec::new(),
            agent_numbers: IdMap::default(),
            free_agents: Vec::new(),
            items: Slab::default(),
            item_keys: IdMap::default(),
            queues: Vec::new(),
            queue_numbers: IdMap::default(),
            timers: Timers::default(),
            arrivals: 0,
            offers: 0,
            now: Timestamp::ZERO,
            handling_s: Mean::default(),
            looked: Timestamp::ZERO,
            out: Vec::new(),
            touched: Vec::new(),
            stirred: Vec::new(),
            planned: None,
            freed: Vec::new(),
            loose: Vec::new(),
            staff_left: false,
        };
        floor.configure(config, Timestamp::ZERO, &mut Vec::new())?;
        Ok(floor)
    }

    /// Swaps the configuration. One that fails [`FloorConfig::check`] changes nothing.
    pub fn configure(
        &mut self,
        config: FloorConfig,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) -> Result<(), ConfigError> {
        config.check()?;
        self.begin(now, out);
        let answer = self.swap(config);
        self.finish(out);
        answer
    }

    pub(crate) fn swap(&mut self, mut config: FloorConfig) -> Result<(), ConfigError> {
        let agents = std::mem::take(&mut config.agents);
        let services = std::mem::take(&mut config.services);
        config.agent_order.truncate(ORDER_TERMS);
        let reranked = config.agent_order != self.config.agent_order;
        self.config = config;
        self.swap_limits();

        self.reuse_dismissed();
        self.learn_skills(&agents);
        let kept: BTreeSet<AgentId> = agents.iter().map(|agent| agent.agent).collect();
        for number in 0..self.agents.len() {
            if self.agents[number].enrolled && !kept.contains(&self.agents[number].id) {
                self.dismiss(number);
            }
        }
        self.name_again(&kept);
        for profile in agents {
            self.enroll(profile);
        }
        if reranked {
            for number in 0..self.agents.len() {
                self.refile(number);
            }
        }
        let answer = self.swap_services(services);
        // A smaller crew may leave a queue without anybody, and a new one may fit what nobody fitted.
        self.staff_left = true;
        self.report_hopeless();
        answer
    }

    /// What agents may carry; whoever has work in hand keeps it, though it may be more.
    fn swap_limits(&mut self) {
        let old = std::mem::take(&mut self.limits);
        self.limits.push(Limits::of(self.config.capacity));
        self.own_limits.clear();
        for number in 0..self.agents.len() {
            let agent = &self.agents[number];
            let (group, at_once) = (agent.group, agent.at_once.clone());
            let before = old.get(agent.limits).map(|limits| limits.capacity);
            let limits = self.limits_of(group, at_once);
            let agent = &mut self.agents[number];
            agent.limits = limits;
            if before != Some(self.limits[agent.limits].capacity) {
                agent.excused = agent.has_work();
                self.refile(number);
            }
        }
    }

    /// The limits of an agent of this group with these limits of their own; agents of whom the same holds share them.
    fn limits_of(&mut self, group: Option<GroupId>, at_once: BTreeMap<Channel, u32>) -> usize {
        let shared = group.and_then(|group| Some((group, self.config.groups.get(&group)?.capacity?)));
        if shared.is_none() && at_once.is_empty() {
            return 0;
        }
        let capacity = shared.map_or(self.config.capacity, |(_, capacity)| capacity).limited(&at_once);
        let next = self.limits.len();
        let limits = *self.own_limits.entry((shared.map(|(group, _)| group), at_once)).or_insert(next);
        if limits == next {
            self.limits.push(Limits::of(capacity));
        }
        limits
    }

    fn learn_skills(&mut self, agents: &[AgentProfile]) {
        for skill in agents.iter().flat_map(|agent| agent.skills.keys()) {
            self.board.skills.number(*skill);
        }
        self.board.learn_skills();
    }

    /// Which agents of the new configuration have a profile of their own, because a condition names them.
    fn name_again(&mut self, kept: &BTreeSet<AgentId>) {
        let Board { classes, named, .. } = &mut self.board;
        for class in classes.all() {
            condition::named(&classes.get(class).who, &mut |agent| {
                named.insert(agent);
            });
        }
        named.retain(|agent| kept.contains(agent));
    }

    fn dismiss(&mut self, number: usize) {
        if self.agents[number].session.is_some() {
            self.log_out(number);
        }
        self.agents[number].enrolled = false;
        self.refile(number);
        self.board.dismiss(self.agents[number].profile);
    }

    /// Forgets agents dismissed earlier whose last work is done.
    fn reuse_dismissed(&mut self) {
        for number in 0..self.agents.len() {
            let agent = &self.agents[number];
            let idle = !agent.enrolled && !agent.has_work() && !agent.touched;
            if idle && self.agent_numbers.get(&agent.id) == Some(&number) {
                self.agent_numbers.remove(&agent.id);
                self.free_agents.push(number);
            }
        }
    }

    fn enroll(&mut self, profile: AgentProfile) {
        let number = match self.agent_numbers.get(&profile.agent) {
            Some(&number) => number,
            None => {
                let number = self.free_agents.pop().unwrap_or(self.agents.len());
                if number == self.agents.len() {
                    self.agents.push(Agent::new(profile.agent));
                } else {
                    self.agents[number] = Agent::new(profile.agent);
                }
                self.agent_numbers.insert(profile.agent, number);
                number
            }
        };
        let limits = self.limits_of(profile.group, profile.at_once.clone());
        let agent = &mut self.agents[number];
        let same = agent.enrolled
            && agent.skills == profile.skills
            && agent.group == profile.group
            && agent.at_once == profile.at_once
            && self.board.profiles.get(agent.profile).traits.closed == self.limits[limits].closed();
        if same {
            return;
        }
        let was_enrolled = std::mem::replace(&mut agent.enrolled, false);
        agent.skills = profile.skills;
        agent.group = profile.group;
        agent.at_once = profile.at_once;
        if self.limits[std::mem::replace(&mut agent.limits, limits)].capacity != self.limits[limits].capacity
        {
            agent.excused |= agent.has_work();
        }
        self.move_profile(number, was_enrolled);
    }

    /// Puts the agent into the profile that fits the agent's traits.
    fn move_profile(&mut self, number: usize, was_enrolled: bool) {
        self.agents[number].enrolled = false;
        self.refile(number);
        if was_enrolled {
            self.board.dismiss(self.agents[number].profile);
        }
        let traits = self.traits(number);
        let profile = self.board.enroll(traits);
        let agent = &mut self.agents[number];
        agent.profile = profile;
        agent.enrolled = true;
        self.refile(number);
    }

    fn traits(&mut self, number: usize) -> Traits {
        let agent = &self.agents[number];
        let mut levels = Vec::new();
        for (skill, level) in &agent.skills {
            let skill = self.board.skills.number(*skill);
            if levels.len() <= skill {
                levels.resize(skill + 1, 0);
            }
            levels[skill] = level.get();
        }
        let own = self.board.named.contains(&agent.id).then_some(agent.id);
        Traits { levels, group: agent.group, own, closed: self.limits[agent.limits].closed() }
    }

    /// A condition names this agent: from now on the agent has a profile that nobody shares.
    pub(crate) fn single_out(&mut self, agent: AgentId) {
        if self.board.named.contains(&agent) {
            return;
        }
        // Whoever is not in the configuration has no profile; a new configuration looks at the conditions again.
        if let Some(&number) = self.agent_numbers.get(&agent)
            && self.agents[number].enrolled
        {
            self.board.named.insert(agent);
            self.move_profile(number, true);
        }
    }

    /// A service whose conditions do not fit beside all those that are waited for is left as it was, or left out.
    fn swap_services(&mut self, services: Vec<Service>) -> Result<(), ConfigError> {
        let kept: BTreeSet<ServiceId> = services.iter().map(|service| service.id).collect();
        let mut spare = Vec::new();
        for (number, queue) in self.queues.iter_mut().enumerate() {
            queue.closed = !kept.contains(&queue.service.id);
            if queue.closed && queue.held == 0 {
                spare.push(number);
            }
        }
        let mut answer = Ok(());
        for service in services {
            let known = self.queue_numbers.get(&service.id).copied();
            let Some(plan) = self.plan_of(known, &service) else {
                let limit = CLASSES_MAX;
                answer = Err(ConfigError::TooMany { what: "different conditions", got: limit + 1, limit });
                continue;
            };
            self.pin(&plan);
            let id = service.id;
            let number = known.or_else(|| spare.pop()).unwrap_or(self.queues.len());
            match self.queues.get_mut(number) {
                Some(queue) => {
                    if self.queue_numbers.remove(&queue.service.id) != known {
                        // Another service: its figures begin anew.
                        queue.pace = Pace::default();
                    }
                    queue.service = service;
                    queue.closed = false;
                    queue.plan = plan.clone();
                    let mut plans = [const { None }; LANES];
                    plans[lane(Channel::Voice)] = Some(plan);
                    for old in std::mem::replace(&mut queue.plans, plans).into_iter().flatten() {
                        self.unpin(&old.steps);
                    }
                }
                None => self.queues.push(Queue::new(service, plan)),
            }
            self.queue_numbers.insert(id, number);
        }
        answer
    }

    /// I13: the same for one interaction that waits for others than before.
    pub(crate) fn report_if_hopeless(&mut self, key: Key) {
        let Some(item) = self.items.get(key).filter(|item| matches!(item.phase, Phase::Waiting)) else {
            return;
        };
        let later = item.plan.steps.get(item.step..).unwrap_or_default();
        if !later.is_empty() && !later.iter().any(|step| self.board.has_agents(step.class)) {
            self.out.push(Output::NobodyFits { interaction: item.id });
        }
    }

    /// What a service of the new configuration asks for: the plan it had, when that says the same.
    fn plan_of(&mut self, known: Option<usize>, service: &Service) -> Option<Arc<Plan>> {
        let sort = Sort { channel: Channel::Voice, slope: order::slope(&service.queue) };
        let old = known.and_then(|number| self.queues.get(number)).map(|queue| &queue.plan);
        match old.filter(|old| old.slope == sort.slope && old.requirement == service.requirement) {
            Some(same) => Some(same.clone()),
            None => self.new_plan(sort, &service.requirement),
        }
    }

    /// I13: nobody waits in vain without anybody being told.
    fn report_hopeless(&mut self) {
        let classes: BTreeSet<usize> =
            self.board.classes.all().filter(|&class| !self.board.has_agents(class)).collect();
        if classes.is_empty() {
            return;
        }
        for (_, item) in self.items.iter() {
            let later = item.plan.steps.get(item.step..).unwrap_or_default();
            if matches!(item.phase, Phase::Waiting)
                && !later.is_empty()
                && later.iter().all(|step| classes.contains(&step.class))
            {
                self.out.push(Output::NobodyFits { interaction: item.id });
            }
        }
    }
}
