//! The slow and obvious router: looks at every waiting interaction and every agent, and knows no index.
//!
//! It reads the journal alone. Before each offer it says who must be offered what, and after each move that nobody is
//! left to be served.

use std::collections::BTreeMap;

use model::capacity::{Blend, Capacity, Weight};
use model::id::{AgentId, InteractionId, OfferToken, ServiceId};
use model::interaction::{Channel, EndStatus};
use model::journal::Event;
use model::people::PhoneKind;
use model::service::{LateContacts, Overflow, QueueRules, RING_MAX, RingRule, Treatment, WaitingOrder};
use model::skill::{Requirement, SkillExpr, StepMode};
use model::time::Timestamp;
use router::{AgentProfile, AgentTerm, FloorConfig, Refusal};

/// An agent as the journal tells.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub signed_in: bool,
    pub voice: bool,
    pub ready: bool,
    pub offline: bool,
    pub offer: Option<(InteractionId, OfferToken)>,
    pub active: Vec<InteractionId>,
    pub wrapping: Vec<InteractionId>,
    idle_since: Timestamp,
    turn: u64,
}

/// An interaction as the journal tells.
#[derive(Clone, Debug)]
pub struct Caller {
    pub queued: bool,
    pub channel: Channel,
    pub answered: bool,
    /// A colleague's call, or the agent's own part of one.
    internal: bool,
    pub rung: Vec<AgentId>,
    service: Option<ServiceId>,
    token: Option<OfferToken>,
    deadline: Timestamp,
    /// Priority points and what one is worth.
    bought: i128,
    /// What it is ahead by until then, held for agents it prefers.
    ahead: (i128, Timestamp),
    number: u64,
    /// The queue's rules when it was queued.
    rules: QueueRules,
    since: Timestamp,
    /// Since when it has waited, here or before: its place is that of this time.
    waits_since: Timestamp,
    requirement: Requirement,
    refusals: BTreeMap<AgentId, Timestamp>,
}

impl Caller {
    /// Less is served first: virtual hundredths of microseconds waited, negative.
    fn rank(&self, now: Timestamp) -> (i128, u64) {
        let slope =
            if self.rules.order == WaitingOrder::Slopes { i128::from(self.rules.slope_percent) } else { 100 };
        let mut starts = i128::from(self.waits_since.micros());
        if self.rules.order == WaitingOrder::Deadline {
            let deadline = self.waits_since + self.rules.service_level;
            starts = i128::from(deadline.micros());
            if self.rules.late == LateContacts::Last && deadline <= now {
                starts += 3_600_000_000;
            }
        }
        // A credit counts in whole microseconds of the wait that would have earned it.
        let (ahead, until) = self.ahead;
        let bought = if now < until { self.bought + ahead } else { self.bought };
        let waited = i128::from(now.micros()) - starts + bought * 100 / slope;
        (-waited * slope, self.number)
    }
}

impl Caller {
    /// It waits from now on for whom it prefers, in its first step.
    fn held(&mut self, ahead: i128, now: Timestamp) {
        let lasts = self.requirement.steps.first().and_then(|step| step.lasts);
        self.ahead = (ahead, now + lasts.unwrap_or_default());
    }

    /// Who was held to the end is ahead no more, even if it waits again.
    fn stops_waiting(&mut self, now: Timestamp) {
        if now >= self.ahead.1 {
            self.ahead.0 = 0;
        }
    }
}

#[derive(Clone, Debug)]
pub struct Oracle {
    pub config: FloorConfig,
    pub agents: BTreeMap<AgentId, Seen>,
    pub callers: BTreeMap<InteractionId, Caller>,
    pub arrived: u64,
    pub completed: u64,
    pub lost: BTreeMap<&'static str, u64>,
    /// Whether decisions are looked at now; what happens is followed in any case.
    pub looks: bool,
    offers: u64,
}

impl Oracle {
    pub fn new(config: FloorConfig) -> Self {
        let (agents, callers, lost) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { config, agents, callers, arrived: 0, completed: 0, lost, looks: true, offers: 0 }
    }

    fn fit(who: &SkillExpr, agent: &AgentProfile) -> Option<u8> {
        match who {
            SkillExpr::Any => Some(10),
            SkillExpr::AtLeast { skill, level } => {
                agent.skills.get(skill).filter(|has| *has >= level).map(|l| l.get())
            }
            SkillExpr::InGroup(group) => (agent.group == Some(*group)).then_some(10),
            SkillExpr::OneOf(agents) => agents.contains(&agent.agent).then_some(10),
            SkillExpr::And(all) => {
                all.iter().map(|one| Self::fit(one, agent)).try_fold(10, |a, b| Some(a.min(b?)))
            }
            SkillExpr::Or(all) => all.iter().filter_map(|one| Self::fit(one, agent)).max(),
            SkillExpr::Not(inner) => Self::fit(inner, agent).is_none().then_some(10),
        }
    }

    /// What the agent carries: the group's, else the tenant's, with the agent's own limits before both.
    fn capacity(&self, agent: &AgentProfile) -> Capacity {
        let own = agent.group.and_then(|group| self.config.groups.get(&group)?.capacity);
        let mut capacity = own.unwrap_or(self.config.capacity);
        for (channel, at_once) in &agent.at_once {
            let units = capacity.units;
            let weight = capacity.weight_mut(*channel);
            weight.at_once = *at_once;
            while weight.units > 1 && *at_once * weight.units > units {
                weight.units -= 1;
            }
        }
        capacity
    }

    /// Lower is chosen first; `None`: not eligible.
    fn rank(&self, caller: &Caller, agent: &AgentProfile, now: Timestamp) -> Option<(Vec<u64>, AgentId)> {
        let seen = self.agents.get(&agent.agent)?;
        let capacity = self.capacity(agent);
        let held = seen.active.iter().chain(&seen.wrapping).chain(seen.offer.as_ref().map(|(id, _)| id));
        let held: Vec<Channel> = held.map(|id| self.callers[id].channel).collect();
        let new = caller.channel;
        let weighs = |channel| u64::from(capacity.weight(channel).units);
        let same = held.iter().filter(|channel| **channel == new).count();
        let blends: Vec<Blend> = held.iter().map(|current| capacity.blending.of(*current, new)).collect();
        let counted = held.iter().zip(&blends).filter(|(_, blend)| **blend != Blend::Interrupt);
        let beside: u64 = counted.map(|(channel, _)| weighs(*channel)).sum();
        let wraps_up = seen.active.is_empty() && !seen.wrapping.is_empty();
        let room = same < capacity.weight(new).at_once as usize
            && !blends.contains(&Blend::Never)
            && beside + weighs(new) <= u64::from(capacity.units);
        let cooling = caller.refusals.get(&agent.agent).is_some_and(|until| now < *until);
        if !seen.signed_in
            || !seen.ready
            || (new.is_call() && !seen.voice)
            || seen.offer.is_some()
            || wraps_up
            || !room
            || cooling
        {
            return None;
        }
        let steps = &caller.requirement.steps;
        let (mut step, mut ends) = (0, caller.since);
        while let Some(lasts) = steps[step].lasts
            && step + 1 < steps.len()
            && ends + lasts <= now
        {
            (step, ends) = (step + 1, ends + lasts);
        }
        let first = if caller.requirement.mode == StepMode::Cumulative { 0 } else { step };
        let fit = steps[first..=step].iter().filter_map(|step| Self::fit(&step.who, agent)).max()?;
        let term = |term: &AgentTerm| match term {
            AgentTerm::MostSkilled => u64::from(10 - fit),
            AgentTerm::LeastSkilled => u64::from(fit),
            AgentTerm::LeastLoaded => held.iter().map(|channel| weighs(*channel)).sum(),
            AgentTerm::LongestIdle => seen.idle_since.micros(),
            AgentTerm::RoundRobin => seen.turn,
        };
        Some((self.config.agent_order.iter().map(term).collect(), agent.agent))
    }

    fn best_agent(&self, caller: &Caller, now: Timestamp) -> Option<AgentId> {
        self.config
            .agents
            .iter()
            .filter_map(|agent| self.rank(caller, agent, now))
            .min()
            .map(|(_, agent)| agent)
    }

    /// Who must be offered what now, if anybody.
    pub fn next_offer(&self, now: Timestamp) -> Option<(InteractionId, AgentId)> {
        let mut waiting: Vec<_> =
            self.callers.iter().filter(|(_, c)| c.queued && !c.answered && c.rung.is_empty()).collect();
        waiting.sort_by_key(|(_, caller)| caller.rank(now));
        waiting.into_iter().find_map(|(id, caller)| Some((*id, self.best_agent(caller, now)?)))
    }

    /// Checks an offer before it is made true.
    fn check_offer(&self, interaction: InteractionId, agent: AgentId, token: OfferToken, now: Timestamp) {
        let Some(caller) = self.callers.get(&interaction).filter(|_| self.looks) else { return };
        if caller.token == Some(token) {
            // A further phone for the same lease.
            let rules = self.config.services.iter().find(|s| Some(s.id) == caller.service);
            let at_once = rules.map_or(1, |service| match service.queue.ring {
                RingRule::One => 1,
                RingRule::Several => service.queue.ring_agents as usize,
                RingRule::All => RING_MAX as usize,
            });
            assert!(caller.rung.len() < at_once, "more phones ring than the queue rings at once");
            assert_eq!(self.best_agent(caller, now), Some(agent), "the next best for {interaction}");
        } else {
            assert_eq!(self.next_offer(now), Some((interaction, agent)), "the offer the rules demand");
        }
    }

    fn staffed(&self, service: ServiceId, channel: Channel) -> bool {
        let Some(service) = self.config.services.iter().find(|s| s.id == service) else { return false };
        self.config.agents.iter().any(|agent| {
            let online = self.agents.get(&agent.agent).is_some_and(|seen| seen.signed_in && !seen.offline);
            let Weight { units, at_once } = self.capacity(agent).weight(channel);
            let takes = at_once > 0 && units <= self.capacity(agent).units;
            online
                && takes
                && service.requirement.steps.iter().any(|step| Self::fit(&step.who, agent).is_some())
        })
    }

    pub fn waiting_for(&self, service: ServiceId) -> usize {
        self.callers.values().filter(|c| c.service == Some(service) && c.queued && !c.answered).count()
    }

    /// What the door must say.
    pub fn door(&self, id: ServiceId, channel: Channel) -> Result<(), Refusal> {
        let service = self.config.services.iter().find(|s| s.id == id).ok_or(Refusal::UnknownService)?;
        if !service.queue.takes(channel) {
            Err(Refusal::NotTaken { channel })
        } else if service.queue.emergency {
            Err(Refusal::Emergency)
        } else if !service.open && service.queue.when_closed != Treatment::Queue {
            Err(Refusal::Closed)
        } else if service.queue.when_unstaffed != Treatment::Queue && !self.staffed(id, channel) {
            Err(Refusal::NoAgentOnline)
        } else if service.queue.when_full != Treatment::Queue
            && self.waiting_for(id) >= service.queue.waiting_max as usize
        {
            Err(Refusal::QueueFull)
        } else {
            Ok(())
        }
    }

    /// Makes an event true, after checking that it may happen at all.
    pub fn happened(&mut self, event: &Event, at: Timestamp) {
        if let Event::Offered { interaction, agent, token, .. } = event {
            self.check_offer(*interaction, *agent, *token, at);
        }
        match event {
            Event::AgentLoggedIn { agent, phone, .. } => {
                let seen = self.agents.entry(*agent).or_default();
                assert!(!seen.signed_in, "signed in twice");
                (seen.signed_in, seen.ready, seen.offline) = (true, false, false);
                seen.voice = *phone != PhoneKind::None;
            }
            Event::AgentLoggedOut { agent } => self.seen(agent).signed_in = false,
            Event::AgentReady { agent, .. } => {
                let seen = self.seen(agent);
                if !seen.ready {
                    seen.idle_since = at;
                }
                (seen.ready, seen.offline) = (true, false);
            }
            Event::AgentNotReady { agent, .. } => {
                (self.seen(agent).ready, self.seen(agent).offline) = (false, false)
            }
            Event::AgentOffline { agent } => {
                (self.seen(agent).ready, self.seen(agent).offline) = (false, true)
            }
            Event::Queued { interaction, service, requirement, priority, channel, since, ahead } => {
                self.arrived += 1;
                let rules = self.config.services.iter().find(|s| s.id == *service).unwrap();
                let bought = i128::from(*priority) * i128::from(rules.queue.priority_second) * 1_000_000;
                let rules = rules.queue.clone();
                let mut caller = self.caller(at, true, Some(*service), requirement.clone());
                (caller.bought, caller.rules, caller.channel) = (bought, rules, *channel);
                caller.waits_since = since.unwrap_or(at);
                caller.held(ahead.as_micros() as i128, at);
                assert!(self.callers.insert(*interaction, caller).is_none(), "I1: queued once");
            }
            Event::HandlingStarted { interaction, agent, internal, channel } => {
                let mut caller = self.caller(at, false, None, Requirement::fixed(SkillExpr::Any));
                (caller.answered, caller.internal, caller.channel) = (true, *internal, *channel);
                self.arrived += 1;
                self.callers.insert(*interaction, caller);
                self.seen(agent).active.push(*interaction);
            }
            Event::Offered { interaction, agent, token, deadline } => {
                self.offers += 1;
                let turn = self.offers;
                if !self.callers.contains_key(interaction) {
                    let mut caller = self.caller(at, false, None, Requirement::fixed(SkillExpr::Any));
                    caller.internal = true;
                    self.arrived += 1;
                    self.callers.insert(*interaction, caller);
                }
                let seen = self.seen(agent);
                assert!(seen.offer.is_none() && seen.signed_in, "I2: one offer at a time");
                (seen.offer, seen.turn) = (Some((*interaction, *token)), turn);
                let caller = self.callers.get_mut(interaction).unwrap();
                assert!(!caller.answered, "I1");
                (caller.token, caller.deadline) = (Some(*token), *deadline);
                caller.rung.push(*agent);
            }
            Event::Accepted { interaction, agent, token } => {
                let seen = self.seen(agent);
                assert_eq!(seen.offer.take(), Some((*interaction, *token)));
                seen.active.push(*interaction);
                let caller = self.callers.get_mut(interaction).unwrap();
                assert_eq!(caller.rung, [*agent], "I1: the others were released first");
                (caller.answered, caller.rung) = (true, vec![]);
                caller.stops_waiting(at);
            }
            Event::Taken { interaction, agent } => {
                let caller = self.callers.get_mut(interaction).unwrap();
                assert!(caller.rung.is_empty() && !caller.answered && caller.channel.is_written(), "I1");
                caller.answered = true;
                caller.stops_waiting(at);
                self.seen(agent).active.push(*interaction);
            }
            Event::Requeued { interaction, agent } => {
                let seen = self.seen(agent);
                let before = seen.active.len();
                seen.active.retain(|active| active != interaction);
                assert_eq!(seen.active.len() + 1, before, "requeued from the one who had it");
                // For whom it waits begins anew; its place does not.
                let caller = self.callers.get_mut(interaction).unwrap();
                (caller.answered, caller.since) = (false, at);
                caller.held(caller.ahead.0, at);
            }
            Event::OfferEnded { interaction, agent, token, why } => {
                assert_eq!(self.seen(agent).offer.take(), Some((*interaction, *token)));
                let caller = self.callers.get_mut(interaction).unwrap();
                caller.rung.retain(|rung| rung != agent);
                if caller.rung.is_empty() {
                    caller.token = None;
                }
                use model::journal::OfferEnd::{ConnectionLost, Declined, NoAnswer, PutBack};
                if caller.queued && matches!(why, Declined | NoAnswer | ConnectionLost | PutBack) {
                    let service = caller.service;
                    let rules = self.config.services.iter().find(|s| Some(s.id) == service);
                    let pause =
                        rules.map_or(std::time::Duration::from_secs(60), |s| s.queue.refusal_cooldown);
                    self.callers.get_mut(interaction).unwrap().refusals.insert(*agent, at + pause);
                }
            }
            Event::Ended { interaction, status, .. } => {
                let caller = self.callers.get(interaction).expect("I10: ended once, and only what was here");
                assert!(caller.rung.is_empty(), "phones are silent first");
                if caller.answered {
                    let seen = self.agents.values_mut().find(|seen| seen.active.contains(interaction));
                    let seen = seen.expect("I1: somebody has it");
                    seen.active.retain(|active| active != interaction);
                    seen.wrapping.push(*interaction);
                } else {
                    self.callers.remove(interaction);
                    *self.lost.entry(loss(*status)).or_default() += 1;
                }
            }
            Event::LaidAside { interaction, agent } => {
                let caller = self.callers.remove(interaction).expect("I10: only who was here is laid aside");
                assert!(caller.rung.is_empty(), "phones are silent first");
                assert_eq!(caller.answered, agent.is_some());
                if let Some(agent) = agent {
                    self.seen(agent).active.retain(|active| active != interaction);
                    *self.lost.entry("taken back").or_default() += 1;
                } else {
                    *self.lost.entry("laid aside").or_default() += 1;
                }
            }
            Event::Overflowed { interaction, from, why, to } => {
                let caller = self.callers.remove(interaction).expect("I10: only who was here is led on");
                assert!(caller.rung.is_empty() && !caller.answered && caller.service == Some(*from));
                let rules = self.config.services.iter().find(|s| s.id == *from).map(|s| &s.queue);
                assert_eq!(rules.map(|rules| rules.treatment(*why)), Some(*to), "where the service says");
                *self.lost.entry("led on").or_default() += 1;
            }
            Event::WrapUpStarted { .. } | Event::WrapUpContinued { .. } => {}
            Event::Completed { interaction, agent, .. } => {
                let caller = self.callers.remove(interaction).expect("I10: completed once");
                let seen = self.seen(agent);
                let before = seen.wrapping.len();
                seen.wrapping.retain(|wrapping| wrapping != interaction);
                assert_eq!(seen.wrapping.len() + 1, before, "completed by the one who had it");
                let idle = seen.active.is_empty() && seen.wrapping.is_empty() && seen.offer.is_none();
                if idle && !caller.internal {
                    seen.idle_since = at;
                }
                self.completed += 1;
            }
            other => panic!("the floor does not tell {other:?}"),
        }
    }

    fn seen(&mut self, agent: &AgentId) -> &mut Seen {
        self.agents.get_mut(agent).expect("somebody who signed in")
    }

    fn caller(
        &self,
        since: Timestamp,
        queued: bool,
        service: Option<ServiceId>,
        requirement: Requirement,
    ) -> Caller {
        let (rung, refusals, deadline) = (vec![], BTreeMap::new(), Timestamp::NEVER);
        Caller {
            queued,
            channel: Channel::Voice,
            answered: false,
            internal: false,
            rung,
            service,
            token: None,
            deadline,
            bought: 0,
            ahead: (0, Timestamp::ZERO),
            number: self.arrived,
            rules: QueueRules::default(),
            since,
            waits_since: since,
            requirement,
            refusals,
        }
    }

    /// What must hold whenever nothing more is to be done at this moment.
    pub fn check_rest(&self, now: Timestamp) {
        if !self.looks {
            return;
        }
        assert_eq!(self.next_offer(now), None, "I3: nobody free may take anybody who waits");
        for caller in self.callers.values() {
            assert!(caller.rung.is_empty() || caller.deadline > now, "I9: every offer ends in time");
            let service = caller.service.and_then(|id| self.config.services.iter().find(|s| s.id == id));
            if let Some(service) =
                service.filter(|_| caller.queued && !caller.answered && caller.rung.is_empty())
            {
                let rules = &service.queue;
                let stays = rules.treatment(Overflow::AgentsLeft) == Treatment::Queue;
                // Of a callback or an email nobody is on the line.
                let patient = matches!(caller.channel, Channel::Callback | Channel::Email);
                assert!(stays || patient || self.staffed(service.id, caller.channel), "VOICE-15");
            }
        }
        let lost: u64 = self.lost.values().sum();
        assert_eq!(self.arrived, self.completed + lost + self.callers.len() as u64, "I10: nobody is lost");
    }
}

fn loss(status: EndStatus) -> &'static str {
    match status {
        EndStatus::Abandoned => "abandoned",
        EndStatus::AbandonedRinging => "abandoned in ringing",
        EndStatus::NoAgentOnline => "no agent online",
        EndStatus::QueueFull => "waited too long",
        EndStatus::Refused => "internal, refused",
        EndStatus::Failed => "failed",
        EndStatus::Interrupted => "lost in a crash",
        other => panic!("nobody unanswered ends as {other:?}"),
    }
}
