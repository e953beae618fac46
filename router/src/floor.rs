//! The floor itself: what it holds, and how an input becomes outputs.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::agent::AgentState;
use model::figures::Mean;
use model::id::{AgentId, GroupId, InteractionId, OfferToken, ServiceId};
use model::interaction::Channel;
use model::journal::Event;
use model::people::GroupRules;
use model::service::QueueRules;
use model::skill::Requirement;
use model::time::Timestamp;

use crate::agent::Agent;
use crate::board::Board;
use crate::classes::Sort;
use crate::condition;
use crate::config::FloorConfig;
use crate::io::{Input, Output, Refusal};
use crate::item::{Item, Plan, PlanStep, Queue, conditions};
use crate::lanes::{Limits, lane};
use crate::order;
use crate::slab::{IdMap, Key, Slab};
use crate::timers::Timers;

/// One tenant's agents, queues and offers.
#[derive(Clone, Debug)]
pub struct Floor {
    /// The configuration without its agents and services: those live below.
    pub(crate) config: FloorConfig,
    /// What agents carry: first the tenant's, then those of groups that have their own.
    pub(crate) limits: Vec<Limits>,
    /// Where those of a group lie.
    pub(crate) own_limits: BTreeMap<(Option<GroupId>, BTreeMap<Channel, u32>), usize>,
    pub(crate) default_group: GroupRules,
    pub(crate) default_queue: QueueRules,
    /// What interactions that never wait require.
    pub(crate) no_plan: Arc<Plan>,
    pub(crate) board: Board,
    pub(crate) agents: Vec<Agent>,
    pub(crate) agent_numbers: IdMap<AgentId, usize>,
    pub(crate) free_agents: Vec<usize>,
    pub(crate) items: Slab<Item>,
    pub(crate) item_keys: IdMap<InteractionId, Key>,
    pub(crate) queues: Vec<Queue>,
    pub(crate) queue_numbers: IdMap<ServiceId, usize>,
    pub(crate) timers: Timers,
    /// Interactions queued so far.
    pub(crate) arrivals: u64,
    /// Offers made so far.
    pub(crate) offers: u64,
    pub(crate) now: Timestamp,
    /// Handling times of all services.
    pub(crate) handling_s: Mean,
    /// When the agents of some service were looked at last.
    pub(crate) looked: Timestamp,

    // What the input at hand has stirred up; empty between inputs.
    pub(crate) out: Vec<Output>,
    /// Agents whose state changed, with the state and time before.
    pub(crate) touched: Vec<(usize, AgentState, Timestamp)>,
    /// Agents whose facts changed and who are not yet refiled.
    pub(crate) stirred: Vec<usize>,
    /// The plan of the arrival at hand, so that recording it need not work it out again.
    pub(crate) planned: Option<Arc<Plan>>,
    /// Agents who can take something more.
    pub(crate) freed: Vec<usize>,
    /// Interactions that wait anew, or for different agents than before.
    pub(crate) loose: Vec<Key>,
    /// A profile has nobody online any more.
    pub(crate) staff_left: bool,
}

impl Floor {
    /// Takes an input. `now` must not run backwards between calls; if it does, the later time stands.
    ///
    /// Outputs are appended to `out` in the order they are to be done. A refused input changes nothing; but what had
    /// become due by `now` is done all the same, as [`Floor::tick`] would have done it.
    pub fn handle(&mut self, input: Input, now: Timestamp, out: &mut Vec<Output>) -> Result<(), Refusal> {
        self.begin(now, out);
        let answer = self.take(input);
        self.finish(out);
        answer
    }

    /// Does what has become due. Call it when [`Floor::next_deadline`] has passed; calling it early or late is harmless.
    pub fn tick(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        self.begin(now, out);
        self.finish(out);
    }

    /// When something is due next, if anything is.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.timers.first().map(|(due, _)| due)
    }

    pub(crate) fn begin(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        self.now = self.now.max(now);
        std::mem::swap(&mut self.out, out);
        self.settle();
    }

    pub(crate) fn finish(&mut self, out: &mut Vec<Output>) {
        self.end_unstaffed();
        self.pump();
        self.settle();
        for (agent, before, since) in self.touched.drain(..) {
            let agent = &mut self.agents[agent];
            agent.touched = false;
            let state = agent.state();
            if (state, agent.since) != (before, since) {
                self.out.push(Output::AgentStateChanged { agent: agent.id, state, since: agent.since });
            }
        }
        self.trim_timers();
        std::mem::swap(&mut self.out, out);
    }

    /// Fires what is due until nothing is. It ends: whatever a timer arms for the same instant (a step that lasts no
    /// time) is a bounded number of steps further.
    fn settle(&mut self) {
        while self.fire_due() {
            self.end_unstaffed();
            self.pump();
        }
    }

    /// Writes an event down and makes it true. All state changes go this way, so that the journal's fold is the state.
    pub(crate) fn record(&mut self, event: Event) {
        self.apply(&event, self.now);
        self.out.push(Output::Journal(event));
    }

    pub(crate) fn agent_number(&self, agent: AgentId) -> Result<usize, Refusal> {
        self.agent_numbers.get(&agent).copied().ok_or(Refusal::UnknownAgent)
    }

    pub(crate) fn item_key(&self, interaction: InteractionId) -> Result<Key, Refusal> {
        self.item_keys.get(&interaction).copied().ok_or(Refusal::UnknownInteraction)
    }

    pub(crate) fn group_rules(&self, agent: usize) -> &GroupRules {
        self.agents[agent]
            .group
            .and_then(|group| self.config.groups.get(&group))
            .unwrap_or(&self.default_group)
    }

    pub(crate) fn queue_rules(&self, service: Option<usize>) -> &QueueRules {
        service
            .and_then(|number| self.queues.get(number))
            .map_or(&self.default_queue, |queue| &queue.service.queue)
    }

    /// The requirement with its classes; the service's own is at hand. `None` when the floor holds its limit of classes.
    pub(crate) fn plan(
        &mut self,
        service: Option<usize>,
        channel: Channel,
        requirement: &Requirement,
    ) -> Option<Arc<Plan>> {
        let slope = order::slope(self.queue_rules(service));
        let queue = service.and_then(|number| self.queues.get(number));
        let as_usual = |plan: &&Arc<Plan>| plan.slope == slope && plan.requirement == *requirement;
        let at_hand = queue.and_then(|queue| queue.plans[lane(channel)].as_ref());
        if let Some(plan) = at_hand.filter(as_usual) {
            return Some(plan.clone());
        }
        let usual = queue.is_some_and(|queue| as_usual(&&queue.plan));
        let plan = self.new_plan(Sort { channel, slope }, requirement)?;
        // The first of its kind in this service: the next ones find it here.
        if let Some(queue) = service.filter(|_| usual).and_then(|number| self.queues.get_mut(number)) {
            queue.plans[lane(channel)] = Some(plan.clone());
            self.pin(&plan);
        }
        Some(plan)
    }

    pub(crate) fn new_plan(&mut self, sort: Sort, requirement: &Requirement) -> Option<Arc<Plan>> {
        let mut steps = Vec::with_capacity(requirement.steps.len());
        for (who, until) in conditions(requirement) {
            let mut named = Vec::new();
            condition::named(&who, &mut |agent| named.push(agent));
            for agent in named {
                self.single_out(agent);
            }
            // Pinned one by one, so that making room for a later step cannot drop an earlier one.
            let Some(class) = self.board.class_for(sort, &who) else {
                self.unpin(&steps);
                return None;
            };
            self.board.classes.pin(class);
            steps.push(PlanStep { class, until });
        }
        // Whoever goes by the plan pins it again at once.
        for step in &steps {
            self.board.classes.unpin(step.class);
        }
        Some(Arc::new(Plan { requirement: requirement.clone(), slope: sort.slope, steps }))
    }

    pub(crate) fn pin(&mut self, plan: &Plan) {
        for step in &plan.steps {
            self.board.classes.pin(step.class);
        }
    }
    pub(crate) fn unpin(&mut self, steps: &[PlanStep]) {
        for step in steps {
            self.board.release(step.class);
        }
    }

    /// The token of the next offer: unique, because no two offers have the same number, and the same in every replay.
    pub(crate) fn next_token(&self) -> OfferToken {
        struct Numbered(Timestamp, u64);
        impl model::id::IdSource for Numbered {
            fn now(&self) -> Timestamp {
                self.0
            }
            fn random(&mut self) -> [u8; 10] {
                let mut bytes = [0; 10];
                bytes[2..].copy_from_slice(&self.1.to_be_bytes());
                bytes
            }
        }
        model::id::Id::make(&mut Numbered(self.now, self.offers + 1))
    }
}
