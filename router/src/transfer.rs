//! Customers whom an agent passes on (XFER-05 to XFER-07): into a queue, to one colleague, to a number outside; or to whom the agent asked
//! first (XFER-04).
//!
//! What the agent has in hand becomes two: the agent's part, which goes by an id of its own and is ended and completed like any work; and
//! the customer, who waits as whoever came back, at the place of the first arrival (I8). A colleague who was chosen is rung out of the
//! queue, so whatever becomes of that offer leaves the customer there.

use model::agent::AgentState;
use model::id::{AgentId, InteractionId};
use model::interaction::{Channel, EndStatus, EndedBy};
use model::journal::Event;
use model::skill::Requirement;
use model::time::Timestamp;
use model::transfer::TransferTarget;

use crate::floor::Floor;
use crate::io::{Onward, Refusal};
use crate::item::{Item, Kind, Phase};
use crate::slab::Key;

impl Floor {
    pub(crate) fn pass_on(
        &mut self,
        interaction: InteractionId,
        agent: AgentId,
        part: InteractionId,
        to: &Onward,
    ) -> Result<(), Refusal> {
        let (number, key) = self.customer_of(agent, interaction)?;
        // There will be one more than now.
        self.admit(part)?;
        let (target, waits) = match to {
            Onward::Number(number) => (TransferTarget::Number { number: number.clone() }, None),
            Onward::Queue(arrival) => {
                self.door(arrival.service, arrival.channel)?;
                let entering = self.prepare(arrival, self.asked_before(key, arrival.service))?;
                (TransferTarget::Service { service: arrival.service }, Some((arrival, entering, None)))
            }
            Onward::Agent { agent: next, otherwise } => {
                let chosen = self.may_be_chosen(*next, number)?;
                let entering = self.prepare(otherwise, self.asked_before(key, otherwise.service))?;
                (TransferTarget::Agent { agent: *next }, Some((otherwise, entering, Some(chosen))))
            }
        };
        self.record(Event::Transferred { interaction, agent, part, to: target, consulted: None });
        if let Some((arrival, entering, chosen)) = waits {
            self.enter(arrival, entering);
            if let (Some(chosen), Ok(key)) = (chosen, self.item_key(interaction)) {
                self.offer(key, chosen);
            }
        }
        self.after_work(key, number);
        Ok(())
    }

    /// The customer is with whom the agent asked before: that has happened, whatever the rules say.
    pub(crate) fn hand_over(
        &mut self,
        interaction: InteractionId,
        agent: AgentId,
        (part, consulted): (InteractionId, InteractionId),
        to: &TransferTarget,
    ) -> Result<(), Refusal> {
        let (number, key) = self.customer_of(agent, interaction)?;
        if self.item_keys.contains_key(&part) || consulted == interaction {
            return Err(Refusal::Duplicate);
        }
        let next = match to {
            TransferTarget::Agent { agent: next } if *next != agent => {
                self.agent_number(*next)?;
                Some(*next)
            }
            TransferTarget::Number { .. } => None,
            TransferTarget::Agent { .. } | TransferTarget::Service { .. } => return Err(Refusal::NotAllowed),
        };
        let (to, asked) = (to.clone(), Some(consulted));
        self.record(Event::Transferred { interaction, agent, part, to, consulted: asked });
        if let Some(agent) = next {
            let channel = Channel::Voice;
            self.record(Event::HandlingStarted { interaction, agent, channel, internal: false });
        }
        self.end_plainly(consulted);
        self.after_work(key, number);
        Ok(())
    }

    /// Whoever an agent had called talks in another call now: that has happened, whatever the rules say.
    pub(crate) fn bring_in(
        &mut self,
        interaction: InteractionId,
        from: InteractionId,
        agent: Option<AgentId>,
        (number, by): (String, AgentId),
    ) -> Result<(), Refusal> {
        let key = self.item_key(interaction)?;
        let talks = |item: &Item| matches!(item.phase, Phase::Active { .. });
        if interaction == from || !self.items.get(key).is_some_and(talks) {
            return Err(Refusal::NotYours);
        }
        self.record(Event::PartyJoined { interaction, from, agent, number, by });
        if agent.is_none() {
            self.end_plainly(from);
        }
        Ok(())
    }

    /// A call is over because it goes on as a part of another one: without after-call work.
    fn end_plainly(&mut self, interaction: InteractionId) {
        if let Ok(key) = self.item_key(interaction)
            && self.items.get(key).is_some_and(|item| matches!(item.phase, Phase::Active { .. }))
        {
            let (status, by) = (EndStatus::Normal, EndedBy::Agent);
            self.record(Event::Ended { interaction, status, by });
            self.complete_one(key);
        }
    }

    /// The customer whom an agent has in hand: by number and key.
    fn customer_of(&self, agent: AgentId, interaction: InteractionId) -> Result<(usize, Key), Refusal> {
        let number = self.agent_number(agent)?;
        let key = self.item_key(interaction)?;
        let item = self.items.get(key).ok_or(Refusal::UnknownInteraction)?;
        if !matches!(item.phase, Phase::Active { agent } if agent == number) {
            return Err(Refusal::NotYours);
        }
        if item.kind == Kind::Internal || !item.channel.is_call() {
            return Err(Refusal::NotAllowed);
        }
        Ok((number, key))
    }

    /// What it asked for when it came over the queue of this very service.
    fn asked_before(&self, key: Key, service: model::id::ServiceId) -> Option<(Requirement, i32)> {
        let item = self.items.get(key).filter(|item| item.kind == Kind::Queued)?;
        let from = item.service.and_then(|number| self.queues.get(number))?.service.id;
        (from == service).then(|| (item.plan.requirement.clone(), item.priority))
    }

    /// Whether an agent may be rung because a colleague chose them (table B1).
    fn may_be_chosen(&self, agent: AgentId, by: usize) -> Result<usize, Refusal> {
        let number = self.signed_in(agent)?;
        if number == by {
            return Err(Refusal::NotAllowed);
        }
        let who = &self.agents[number];
        let state = who.state();
        if who.lease.is_some() || state == AgentState::Offline || !who.can_carry(Channel::Voice) {
            return Err(Refusal::NotNow { state });
        }
        Ok(number)
    }

    // What the fold tells.

    /// The agent's part goes on under its own id; the customer is not on the floor until what follows.
    pub(crate) fn transferred(&mut self, interaction: InteractionId, part: InteractionId, at: Timestamp) {
        let Some(key) = self.item_keys.get(&interaction).copied() else { return };
        let Some(item) = self.items.get_mut(key) else { return };
        let Phase::Active { agent } = item.phase else { return };
        (item.id, item.phase) = (part, Phase::Wrapping { agent, ended_at: at });
        self.item_keys.remove(&interaction);
        self.item_keys.insert(part, key);
        let agent = self.agents[agent].id;
        self.change(agent, at, |agent| {
            agent.active.retain(|&active| active != key);
            agent.wrapping.push(key);
        });
    }
}
