//! An interaction on the floor, from the queue to the end of after-call work; and the queue of a service.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use model::id::{AgentId, InteractionId, OfferToken};
use model::interaction::Channel;
use model::service::Service;
use model::skill::{Requirement, SkillExpr, Step, StepMode};
use model::time::Timestamp;

use crate::expected::Pace;
use crate::io::Arrival;
use crate::lanes::{LANES, lane};
use crate::line::Line;
use crate::order::{self, Place, Rank, Slope};
use crate::slab::Key;

/// Refusals remembered for one interaction. When more agents refuse, the memory that would end first goes.
pub(crate) const REFUSALS_MAX: usize = 32;

/// How an interaction came to an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Over a queue.
    Queued,
    /// A colleague called the agent, or the agent a colleague.
    Internal,
    /// The agent began it.
    Manual,
}

#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub id: InteractionId,
    pub kind: Kind,
    pub service: Option<usize>,
    pub channel: Channel,
    pub place: Place,
    /// When the place falls back because the interaction is late.
    pub falls_at: Option<Timestamp>,
    /// By how many microseconds the place falls back at the end of the first step, which is held for agents it prefers.
    pub ahead: i64,
    pub queued_at: Timestamp,
    pub priority: i32,
    pub plan: Arc<Plan>,
    pub step: usize,
    pub phase: Phase,
    /// When an agent took it, if it came over a queue and goes the usual way.
    pub answered_at: Option<Timestamp>,
    /// Customer and agent have heard each other.
    pub joined: bool,
    /// Agents who refused or missed it, and until when they are not asked again.
    pub refusals: Vec<(AgentId, Timestamp)>,
}

/// Where an interaction is. Each holds exactly what is true in it.
#[derive(Clone, Debug)]
pub(crate) enum Phase {
    /// In its class, at its place.
    Waiting,
    /// Rings at one or several agents under one lease; out of its class, but the place is kept.
    Offered(Ring),
    /// An agent handles it.
    Active { agent: usize },
    /// It ended; the agent has not completed it.
    Wrapping { agent: usize, ended_at: Timestamp },
}

/// A lease: the first member to accept takes it, and the others are released in the same step.
#[derive(Clone, Debug)]
pub(crate) struct Ring {
    pub token: OfferToken,
    pub since: Timestamp,
    pub deadline: Timestamp,
    pub members: Vec<usize>,
    /// The agent took no work when it began to ring: a colleague chose whom to ring.
    pub resting: bool,
}

/// A requirement with the class of each step.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub requirement: Requirement,
    pub slope: Slope,
    pub steps: Vec<PlanStep>,
}

#[derive(Clone, Debug)]
pub(crate) struct PlanStep {
    pub class: usize,
    /// When the step ends, counted from the queueing. `None`: never.
    pub until: Option<Duration>,
}

impl Item {
    /// Still to be answered.
    pub fn is_unanswered(&self) -> bool {
        matches!(self.phase, Phase::Waiting | Phase::Offered(_))
    }
    /// Whether its customer is to be called back and was not reached yet: nobody is on the line.
    pub fn is_callback(&self) -> bool {
        self.channel == Channel::Callback && !self.joined
    }
    /// Whether nobody is there to be told that it waits in vain: it waits.
    pub fn is_patient(&self) -> bool {
        self.is_callback() || self.channel == Channel::Email
    }
    /// The class it waits in, when it waits.
    pub fn class(&self) -> Option<usize> {
        self.plan.steps.get(self.step).map(|step| step.class)
    }
    /// When the next step begins.
    pub fn step_due(&self) -> Option<Timestamp> {
        let ends = self.plan.steps.get(self.step)?.until?;
        (self.step + 1 < self.plan.steps.len()).then(|| self.queued_at + ends)
    }
    /// Where it stands among all who wait.
    pub fn rank(&self, now: Timestamp) -> Rank {
        order::rank(self.place, self.plan.slope, now)
    }
    /// Whether the agent refused it not long ago.
    pub fn is_cooling(&self, agent: AgentId, now: Timestamp) -> bool {
        self.refusals.iter().any(|&(who, until)| who == agent && now < until)
    }
}

/// The conditions of a requirement, one for each step, and when each step ends.
pub(crate) fn conditions(requirement: &Requirement) -> Vec<(SkillExpr, Option<Duration>)> {
    let mut ends = Some(Duration::ZERO);
    let mut earlier = Vec::new();
    let mut steps = Vec::with_capacity(requirement.steps.len());
    for step in &requirement.steps {
        ends = ends.zip(step.lasts).map(|(start, lasts)| start.saturating_add(lasts));
        let who = match requirement.mode {
            StepMode::Replace => step.who.clone(),
            StepMode::Cumulative if earlier.is_empty() => step.who.clone(),
            StepMode::Cumulative => SkillExpr::Or(earlier.iter().chain([&step.who]).cloned().collect()),
        };
        if requirement.mode == StepMode::Cumulative {
            earlier.push(step.who.clone());
        }
        steps.push((who, ends));
    }
    steps
}

/// The requirement with the arrival's wishes worked in, so that the journal says in one place who was asked:
/// preferred agents become a first step of their own, excluded agents a condition on every step.
pub(crate) fn with_wishes(mut requirement: Requirement, arrival: &Arrival) -> Requirement {
    if !arrival.excluded.is_empty() {
        let not = SkillExpr::Not(Box::new(SkillExpr::OneOf(arrival.excluded.clone())));
        for step in &mut requirement.steps {
            let who = std::mem::replace(&mut step.who, SkillExpr::Any);
            step.who = SkillExpr::And(vec![who, not.clone()]);
        }
    }
    if let (false, Some(first)) = (arrival.preferred.is_empty(), requirement.steps.first()) {
        let who = SkillExpr::And(vec![SkillExpr::OneOf(arrival.preferred.clone()), first.who.clone()]);
        requirement.steps.insert(0, Step { who, lasts: Some(arrival.preferred_hold) });
    }
    requirement
}

/// The queue of one service.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    pub service: Service,
    /// The plan of calls, which says who may answer whatever else comes.
    pub plan: Arc<Plan>,
    /// The plan of each kind of contact that has come so far.
    pub plans: [Option<Arc<Plan>>; LANES],
    /// Unanswered interactions, rung or not.
    pub waiting: usize,
    /// Interactions of this service on the floor, answered or not.
    pub held: usize,
    /// The unanswered in the order of arrival; answered ones are dropped when they come to the front.
    pub line: VecDeque<Key>,
    /// The unanswered in the order in which they are served.
    pub order: Line,
    pub pace: Pace,
    /// No longer in the configuration: takes nobody, and stays while it holds somebody.
    pub closed: bool,
}

impl Queue {
    pub fn new(service: Service, plan: Arc<Plan>) -> Self {
        let mut plans = [const { None }; LANES];
        plans[lane(Channel::Voice)] = Some(plan.clone());
        Self {
            service,
            plan,
            plans,
            waiting: 0,
            held: 0,
            line: VecDeque::new(),
            order: Line::default(),
            pace: Pace::default(),
            closed: false,
        }
    }
}
