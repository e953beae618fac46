//! What written contacts can do and calls cannot: be put back, put off, be picked from the queue, and wait again after they
//! were in hand. Nobody hears ringing or silence meanwhile.

use model::agent::AgentState;
use model::id::{AgentId, InteractionId, OfferToken};
use model::interaction::Channel;
use model::journal::{Event, OfferEnd};
use model::time::Timestamp;

use crate::expected::Leaving;
use crate::floor::Floor;
use crate::io::Refusal;
use crate::item::{Item, Kind, Phase};
use crate::lanes::{bit, lane};
use crate::timers::Timer;

/// Somebody who waits and whom an agent may pick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pickable {
    /// Who.
    pub interaction: InteractionId,
    /// Why not at this moment.
    pub not_now: Option<Refusal>,
}

/// Of one service's line, when somebody is to be picked out of it.
pub const LOOKED_AT: usize = 1_000;

impl Floor {
    /// An offer goes back to the queue by the agent's wish: no change of state, and the agent is not asked again for a while.
    pub(crate) fn put_back(&mut self, agent: AgentId, token: OfferToken) -> Result<(), Refusal> {
        let (number, key) = self.leased(agent, token)?;
        let written = self.items.get(key).is_some_and(|item| item.channel.is_written());
        if !written || !self.group_rules(number).put_back {
            return Err(Refusal::NotAllowed);
        }
        self.answer_no(agent, token, OfferEnd::PutBack)
    }

    /// An offered email leaves the floor, to be answered later by the agent it was offered to (MAIL-04).
    pub(crate) fn postpone(&mut self, agent: AgentId, token: OfferToken) -> Result<(), Refusal> {
        let (number, key) = self.leased(agent, token)?;
        let item = self.items.get(key).ok_or(Refusal::Stale)?;
        let interaction = item.id;
        if item.channel != Channel::Email {
            return Err(Refusal::NotAllowed);
        }
        for other in self.ringing(key) {
            if other != number {
                self.end_offer(key, other, OfferEnd::TakenElsewhere);
            }
        }
        self.end_offer(key, number, OfferEnd::Postponed);
        self.record(Event::LaidAside { interaction, agent: None });
        Ok(())
    }

    /// Whether a waiting interaction may be answered by this agent, in some step, whatever the agent has in hand.
    pub fn may_answer(&self, agent: AgentId, interaction: InteractionId) -> bool {
        let (Ok(number), Ok(key)) = (self.agent_number(agent), self.item_key(interaction)) else {
            return false;
        };
        self.items.get(key).is_some_and(|item| self.fits(number, item))
    }

    /// Whether the agent has room for one more contact of this kind.
    pub fn has_room(&self, agent: AgentId, channel: Channel) -> bool {
        let Ok(number) = self.agent_number(agent) else { return false };
        let who = &self.agents[number];
        who.has_room(channel, &self.limits[who.limits])
    }

    fn fits(&self, number: usize, item: &Item) -> bool {
        let who = &self.agents[number];
        let profile = who.profile;
        self.limits[who.limits].closed() & bit(item.channel) == 0
            && item.plan.steps.iter().any(|step| self.board.classes.get(step.class).profiles.has(profile))
    }

    /// An agent picks somebody who waits.
    pub(crate) fn take_waiting(&mut self, agent: AgentId, interaction: InteractionId) -> Result<(), Refusal> {
        self.may_take(agent, interaction)?;
        self.record(Event::Taken { interaction, agent });
        Ok(())
    }

    /// Whether an agent may pick somebody who waits, at this moment. Whoever is being offered to another agent is not there to be
    /// picked.
    pub fn may_take(&self, agent: AgentId, interaction: InteractionId) -> Result<(), Refusal> {
        let number = self.signed_in(agent)?;
        let key = self.item_key(interaction)?;
        let item = self.items.get(key).ok_or(Refusal::UnknownInteraction)?;
        if !matches!(item.phase, Phase::Waiting) {
            return Err(Refusal::Stale);
        }
        let who = &self.agents[number];
        let limits = &self.limits[who.limits];
        if !item.channel.is_written() || !self.fits(number, item) {
            return Err(Refusal::NotAllowed);
        }
        let state = who.state();
        let free = matches!(state, AgentState::Ready | AgentState::NotReady { .. } | AgentState::Busy);
        if !free || who.lease.is_some() {
            return Err(Refusal::NotNow { state });
        }
        if who.has_room(item.channel, limits) { Ok(()) } else { Err(Refusal::NoRoom) }
    }

    /// Those who wait and whom the agent may pick, now or once there is room, as they are served: the first `limit`, and how
    /// many there are in all. Of each service the first [`LOOKED_AT`] are looked at.
    pub fn to_pick(&self, agent: AgentId, limit: usize) -> (Vec<Pickable>, usize) {
        let mut found = Vec::new();
        for queue in self.queues.iter().filter(|queue| queue.waiting > 0) {
            for item in queue.line.iter().filter_map(|key| self.items.get(*key)).take(LOOKED_AT) {
                let not_now = self.may_take(agent, item.id).err();
                if matches!(not_now, None | Some(Refusal::NotNow { .. } | Refusal::NoRoom)) {
                    found.push((item.rank(self.now), Pickable { interaction: item.id, not_now }));
                }
            }
        }
        let all = found.len();
        found.sort_unstable_by_key(|(rank, _)| *rank);
        found.truncate(limit);
        (found.into_iter().map(|(_, pickable)| pickable).collect(), all)
    }

    /// What an agent has in hand waits again, because the agent is gone.
    pub(crate) fn requeue(&mut self, interaction: InteractionId) -> Result<(), Refusal> {
        let key = self.item_key(interaction)?;
        let item = self.items.get(key).ok_or(Refusal::UnknownInteraction)?;
        let Phase::Active { agent } = item.phase else { return Err(Refusal::Stale) };
        if !item.channel.is_written() || item.kind != Kind::Queued {
            return Err(Refusal::NotAllowed);
        }
        let agent = self.agent_id(agent);
        // Whether anybody is there is not asked: the customer talked to somebody a moment ago, who may well come back.
        self.record(Event::Requeued { interaction, agent });
        Ok(())
    }

    // What the fold tells.

    pub(crate) fn taken(&mut self, interaction: InteractionId, agent: AgentId, at: Timestamp) {
        let Some(number) = self.agent_numbers.get(&agent).copied() else { return };
        let Some(key) = self.item_keys.get(&interaction).copied() else { return };
        self.catch_up(key, at);
        if !self.items.get(key).is_some_and(|item| matches!(item.phase, Phase::Waiting)) {
            return;
        }
        self.leave_class(key);
        let Some(item) = self.items.get_mut(key) else { return };
        (item.phase, item.answered_at) = (Phase::Active { agent: number }, Some(at));
        let (service, place, lane) = (item.service, item.place, lane(item.channel));
        self.leave_line(service, key, place);
        self.pace_leaves(service, Leaving::Aside, at);
        self.change(agent, at, |agent| {
            agent.active.push(key);
            agent.load[lane] += 1;
        });
    }

    /// It waits as if it had just come, for the same agents from the first step on, but at the place it always had (I8).
    pub(crate) fn requeued(&mut self, interaction: InteractionId, agent: AgentId, at: Timestamp) {
        let Some(key) = self.item_keys.get(&interaction).copied() else { return };
        let Some(item) = self.items.get_mut(key) else { return };
        if !matches!(item.phase, Phase::Active { .. }) {
            return;
        }
        (item.phase, item.queued_at, item.step, item.answered_at) = (Phase::Waiting, at, 0, None);
        let (service, place, lane) = (item.service, item.place, lane(item.channel));
        let (step_due, falls_at) = (item.step_due(), item.falls_at);
        self.change(agent, at, |agent| {
            agent.active.retain(|&active| active != key);
            agent.load[lane] = agent.load[lane].saturating_sub(1);
        });
        if let Some(queue) = service.and_then(|number| self.queues.get_mut(number)) {
            queue.waiting += 1;
            // It may still stand where it stood before it was answered.
            queue.line.retain(|other| *other != key);
            queue.line.push_back(key);
            queue.order.insert(place);
        }
        self.pace_enters(service, at);
        if let Some(due) = step_due {
            self.arm(due, Timer::Step { item: key, step: 0 });
        }
        if let Some(longest) = self.queue_rules(service).wait_time_max {
            self.arm(at + longest, Timer::Wait { item: key });
        }
        if let Some(due) = falls_at.filter(|due| *due > at) {
            self.arm(due, Timer::Late { item: key });
        }
        self.enter_class(key);
        self.catch_up(key, at);
    }
}
