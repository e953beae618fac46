//! What may be asked of the floor, and a picture of all that is on it.

use std::time::Duration;

use model::agent::{AgentState, NotReadyReason};
use model::id::{AgentId, InteractionId, OfferToken, ReasonId, ServiceId, SessionId};
use model::interaction::Channel;
use model::people::PhoneKind;
use model::skill::Requirement;
use model::time::Timestamp;
use serde::Serialize;

use crate::agent::{Intent, Tally};
use crate::floor::Floor;
use crate::item::{Item, Phase};
use crate::order::Place;
use crate::slab::Key;

/// An agent as the floor sees one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AgentView {
    /// Who.
    pub agent: AgentId,
    /// Read off the facts below.
    pub state: AgentState,
    /// Since when.
    pub since: Timestamp,
    /// The sign-in.
    pub session: Option<SessionId>,
    /// How voice reaches the agent.
    pub phone: PhoneKind,
    /// Where the agent stands when nothing is in hand.
    pub intent: Intent,
    /// The open offer.
    pub offer: Option<(InteractionId, OfferToken)>,
    /// Work in hand.
    pub active: Vec<InteractionId>,
    /// Ended, but not completed.
    pub wrapping: Vec<InteractionId>,
    /// When after-call work ends by itself.
    pub wrap_until: Option<Timestamp>,
    /// When the stay in Not ready ends by itself.
    pub stay_until: Option<Timestamp>,
    /// Free of customers since.
    pub idle_since: Timestamp,
    /// Number of the last offer on this floor.
    pub turn: u64,
    /// Offers by how they ended (VOICE-10).
    pub tally: Tally,
}

/// How long an agent was away today for a reason of the tenant's list (STATE-14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AwayView {
    /// Which.
    pub reason: ReasonId,
    /// In stays that are over.
    pub time: Duration,
    /// When the part of the present stay began that is of today.
    pub since: Option<Timestamp>,
}

/// An interaction as the floor sees one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InteractionView {
    /// Which.
    pub interaction: InteractionId,
    /// Whose queue it came over.
    pub service: Option<ServiceId>,
    /// Kind of contact.
    pub channel: Channel,
    /// Where it is.
    pub stage: Stage,
    /// Its place in the order of waiting; none when it never waited.
    pub place: Option<Place>,
    /// How fast its urgency grows with the wait, in percent; 100 unless its service has slopes.
    pub slope_percent: u32,
    /// When it falls back for being late, where those are served last (ROUTE-03).
    pub falls_back: Option<Timestamp>,
    /// When it came to the floor.
    pub since: Timestamp,
    /// Queue priority points.
    pub priority: i32,
    /// Who may answer it.
    pub requirement: Requirement,
    /// Number of the step that applies, from 0.
    pub step: usize,
    /// When the next step begins.
    pub next_step: Option<Timestamp>,
    /// Who refused it, and until when they are not asked again.
    pub refusals: Vec<(AgentId, Timestamp)>,
}

/// Where an interaction is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// In the queue.
    Waiting,
    /// Rings.
    Offered {
        /// The lease.
        token: OfferToken,
        /// When it ends.
        deadline: Timestamp,
        /// At whose place.
        agents: Vec<AgentId>,
    },
    /// Somebody handles it.
    Active {
        /// Who.
        agent: AgentId,
    },
    /// Ended, not completed.
    WrapUp {
        /// Whose.
        agent: AgentId,
        /// When it ended.
        ended_at: Timestamp,
    },
}

/// The queue of a service at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct QueueView {
    /// Callers not answered, including those for whom a phone rings.
    pub waiting: usize,
    /// When the one who waits longest was queued.
    pub oldest: Option<Timestamp>,
    /// Whether an agent of the service is signed in and not Offline.
    pub staffed: bool,
}

/// Everything on the floor, in the order of ids. Two floors with equal pictures decide alike from here on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// All agents of the configuration.
    pub agents: Vec<AgentView>,
    /// All interactions.
    pub interactions: Vec<InteractionView>,
    /// Interactions queued so far.
    pub arrivals: u64,
    /// Offers made so far.
    pub offers: u64,
}

impl Floor {
    /// The agent's state and since when; `None` for somebody who is not in the configuration.
    pub fn state(&self, agent: AgentId) -> Option<(AgentState, Timestamp)> {
        let agent = &self.agents[self.agent_number(agent).ok()?];
        Some((agent.state(), agent.since))
    }

    /// The agent with all facts.
    pub fn agent(&self, agent: AgentId) -> Option<AgentView> {
        self.agent_number(agent).ok().map(|number| self.agent_view(number))
    }

    /// All agents of the configuration, in the order of ids.
    pub fn agents(&self) -> Vec<AgentView> {
        let mut views: Vec<_> =
            (0..self.agents.len()).filter(|&n| self.agents[n].enrolled).map(|n| self.agent_view(n)).collect();
        views.sort_unstable_by_key(|view| view.agent);
        views
    }

    /// The interaction; `None` once it has left the floor.
    pub fn interaction(&self, interaction: InteractionId) -> Option<InteractionView> {
        self.item_key(interaction).ok().and_then(|key| self.items.get(key)).map(|item| self.item_view(item))
    }

    /// Whether the interaction is on the floor and not answered yet.
    pub fn is_waiting(&self, interaction: InteractionId) -> bool {
        self.item_key(interaction).ok().and_then(|key| self.items.get(key)).is_some_and(Item::is_unanswered)
    }

    /// Whether the floor holds as many interactions as it may.
    pub fn is_full(&self) -> bool {
        self.items.len() >= self.config.interactions_max
    }

    /// Offers made so far.
    pub fn offers(&self) -> u64 {
        self.offers
    }

    /// The queue of a service; `None` for an unknown one.
    pub fn queue(&self, service: ServiceId) -> Option<QueueView> {
        let number = *self.queue_numbers.get(&service)?;
        let queue = self.queues.get(number)?;
        let oldest = queue.line.front().and_then(|key| self.items.get(*key)).map(|item| item.queued_at);
        Some(QueueView { waiting: queue.waiting, oldest, staffed: self.anybody_there(number) })
    }

    /// How long the one who waits longest for the service has waited.
    pub fn longest_wait(&self, service: ServiceId, now: Timestamp) -> Option<Duration> {
        self.queue(service)?.oldest.map(|oldest| now.since(oldest))
    }

    /// Whether an agent who fits some step of the service is signed in and not Offline (VOICE-15).
    pub fn staffed(&self, service: ServiceId) -> bool {
        self.queue_numbers.get(&service).is_some_and(|&number| self.anybody_there(number))
    }

    /// For whatever kind of contact the service takes.
    fn anybody_there(&self, number: usize) -> bool {
        let Some(rules) = self.queues.get(number).map(|queue| &queue.service.queue) else { return false };
        rules.takes.iter().any(|channel| self.is_staffed(number, *channel))
    }

    /// A picture of the whole floor.
    pub fn snapshot(&self) -> Snapshot {
        let mut interactions: Vec<_> = self.items.iter().map(|(_, item)| self.item_view(item)).collect();
        interactions.sort_unstable_by_key(|view| view.interaction);
        Snapshot { agents: self.agents(), interactions, arrivals: self.arrivals, offers: self.offers }
    }

    /// How long an agent was away today, by the reasons of the tenant's list; nothing for whom the floor does not know.
    pub fn away(&self, agent: AgentId, now: Timestamp) -> Vec<AwayView> {
        let Some(agent) = self.agent_numbers.get(&agent).map(|&number| &self.agents[number]) else {
            return vec![];
        };
        let present = match agent.state() {
            AgentState::NotReady { reason: NotReadyReason::Chosen(reason) } => Some(reason),
            _ => None,
        };
        let since = agent.since.max(now.start_of_day());
        let over = agent.away.today(now).iter();
        let mut views: Vec<_> = over
            .map(|&(reason, time)| AwayView {
                reason,
                time,
                since: (present == Some(reason)).then_some(since),
            })
            .collect();
        if let Some(reason) = present.filter(|reason| views.iter().all(|view| view.reason != *reason)) {
            views.push(AwayView { reason, time: Duration::ZERO, since: Some(since) });
        }
        views
    }

    fn agent_view(&self, number: usize) -> AgentView {
        let agent = &self.agents[number];
        let ids =
            |keys: &[Key]| keys.iter().filter_map(|key| self.items.get(*key)).map(|item| item.id).collect();
        let offer = agent.lease.and_then(|lease| Some((self.items.get(lease.item)?.id, lease.token)));
        AgentView {
            agent: agent.id,
            state: agent.state(),
            since: agent.since,
            session: agent.session,
            phone: agent.phone,
            intent: agent.intent,
            offer,
            active: ids(&agent.active),
            wrapping: ids(&agent.wrapping),
            wrap_until: agent.wrap_until,
            stay_until: agent.stay_until,
            idle_since: agent.idle_since,
            turn: agent.turn,
            tally: agent.tally,
        }
    }

    fn item_view(&self, item: &Item) -> InteractionView {
        let stage = match &item.phase {
            Phase::Waiting => Stage::Waiting,
            Phase::Offered(ring) => Stage::Offered {
                token: ring.token,
                deadline: ring.deadline,
                agents: ring.members.iter().map(|&number| self.agent_id(number)).collect(),
            },
            Phase::Active { agent } => Stage::Active { agent: self.agent_id(*agent) },
            Phase::Wrapping { agent, ended_at } => {
                Stage::WrapUp { agent: self.agent_id(*agent), ended_at: *ended_at }
            }
        };
        InteractionView {
            interaction: item.id,
            service: item.service.and_then(|number| self.queues.get(number)).map(|queue| queue.service.id),
            channel: item.channel,
            stage,
            place: (item.place != Place::LAST).then_some(item.place),
            slope_percent: item.plan.slope,
            falls_back: item.falls_at.filter(|_| item.is_unanswered()),
            since: item.queued_at,
            priority: item.priority,
            requirement: item.plan.requirement.clone(),
            step: item.step,
            next_step: item.step_due().filter(|_| item.is_unanswered()),
            refusals: item.refusals.clone(),
        }
    }
}
