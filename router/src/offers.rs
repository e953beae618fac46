//! Arrivals and offers: into the queue, out of it, and back to the same place.

use std::sync::Arc;
use std::time::Duration;

use model::agent::{AgentState, NotReadyReason};
use model::id::{AgentId, InteractionId, OfferToken, ServiceId};
use model::interaction::{Channel, EndStatus, EndedBy};
use model::journal::{Event, OfferEnd};
use model::service::{Overflow, Treatment};
use model::skill::Requirement;

use crate::agent::Intent;
use crate::config::{NAMED_MAX, RequirementError, check_requirement};
use crate::floor::Floor;
use crate::io::{Arrival, Output, Refusal};
use crate::item::{Kind, Phase, Plan, Ring, with_wishes};
use crate::lanes::lane;
use crate::pump::RING_TIME_MIN;
use crate::slab::Key;

/// An arrival whose wishes are worked out.
pub(crate) struct Entering {
    requirement: Requirement,
    priority: i32,
    plan: Arc<Plan>,
}

impl Floor {
    pub(crate) fn arrive(&mut self, arrival: &Arrival) -> Result<(), Refusal> {
        self.admit(arrival.interaction)?;
        // Whoever is called back was let in before, and was promised it.
        if !arrival.returns && arrival.channel != Channel::Callback {
            self.door(arrival.service, arrival.channel)?;
        }
        let entering = self.prepare(arrival, None)?;
        self.enter(arrival, entering);
        Ok(())
    }

    /// What an arrival will wait for. `asked`: what it asked for before, when it comes back to the same service.
    pub(crate) fn prepare(
        &mut self,
        arrival: &Arrival,
        asked: Option<(Requirement, i32)>,
    ) -> Result<Entering, Refusal> {
        let &Arrival { service, channel, .. } = arrival;
        let number = self.queue_numbers.get(&service).copied().ok_or(Refusal::UnknownService)?;
        let queue = self.queues.get(number).filter(|queue| !queue.closed).ok_or(Refusal::UnknownService)?;
        let rules = &queue.service.queue;
        let priority = arrival.priority.or(asked.as_ref().map(|asked| asked.1)).unwrap_or(rules.priority);
        let before = asked.as_ref().map(|asked| &asked.0);
        let base = arrival.requirement.as_ref().or(before).unwrap_or(&queue.service.requirement);
        if arrival.requirement.is_some() {
            check_requirement(base)?;
        }
        if arrival.preferred.len() > NAMED_MAX || arrival.excluded.len() > NAMED_MAX {
            return Err(Refusal::Requirement(RequirementError::TooComplex));
        }
        let plain = arrival.requirement.is_none()
            && before.is_none()
            && arrival.preferred.is_empty()
            && arrival.excluded.is_empty();
        let at_hand = queue.plans[lane(channel)].clone().filter(|_| plain);
        let requirement = with_wishes(base.clone(), arrival);
        let plan = match at_hand {
            Some(plan) => plan,
            None => self.plan(Some(number), channel, &requirement).ok_or(Refusal::FloorFull)?,
        };
        Ok(Entering { requirement, priority, plan })
    }

    /// It waits.
    pub(crate) fn enter(&mut self, arrival: &Arrival, Entering { requirement, priority, plan }: Entering) {
        let &Arrival { interaction, service, channel, .. } = arrival;
        let hopeless = !plan.steps.iter().any(|step| self.board.has_agents(step.class));
        self.planned = Some(plan);
        let since = arrival.since.filter(|since| *since < self.now);
        let ahead = arrival.ahead;
        let queued = Event::Queued { interaction, service, channel, requirement, priority, since, ahead };
        self.record(queued);
        if hopeless {
            self.out.push(Output::NobodyFits { interaction });
        }
    }

    /// Whether a service would take one more contact of this kind now.
    pub fn door(&self, service: ServiceId, channel: Channel) -> Result<(), Refusal> {
        let number = self.queue_numbers.get(&service).copied().ok_or(Refusal::UnknownService)?;
        let queue = self.queues.get(number).filter(|queue| !queue.closed).ok_or(Refusal::UnknownService)?;
        let rules = &queue.service.queue;
        if !rules.takes(channel) {
            return Err(Refusal::NotTaken { channel });
        }
        let takes = |why| rules.treatment(why) == Treatment::Queue;
        if rules.emergency && !takes(Overflow::Emergency) {
            return Err(Refusal::Emergency);
        }
        if !queue.service.open && !takes(Overflow::Closed) {
            return Err(Refusal::Closed);
        }
        if !takes(Overflow::Unstaffed) && !self.is_staffed(number, channel) {
            return Err(Refusal::NoAgentOnline);
        }
        if queue.waiting >= rules.waiting_max as usize && !takes(Overflow::Full) {
            return Err(Refusal::QueueFull);
        }
        Ok(())
    }

    /// Whoever waits leaves the queue, by their own choice.
    pub(crate) fn move_on(&mut self, interaction: InteractionId, to: Treatment) -> Result<(), Refusal> {
        let item = self.items.get(self.item_key(interaction)?).ok_or(Refusal::UnknownInteraction)?;
        let from = item.service.and_then(|number| self.queues.get(number)).map(|queue| queue.service.id);
        let Some(from) = from.filter(|_| matches!(item.phase, Phase::Waiting)) else {
            return Err(Refusal::Stale);
        };
        self.overflowed_to(interaction, from, Overflow::Chosen, to);
        Ok(())
    }

    /// It leaves the floor without having ended.
    pub(crate) fn lay_aside(&mut self, interaction: InteractionId) -> Result<(), Refusal> {
        let key = self.item_key(interaction)?;
        for number in self.ringing(key) {
            self.end_offer(key, number, OfferEnd::CallerLeft);
        }
        let agent = match self.items.get(key).map(|item| &item.phase) {
            Some(Phase::Waiting) => None,
            Some(Phase::Active { agent }) => Some(self.agent_id(*agent)),
            _ => return Err(Refusal::Stale),
        };
        self.record(Event::LaidAside { interaction, agent });
        Ok(())
    }

    /// Takes an interaction out of its queue, to be led on.
    pub(crate) fn overflowed_to(
        &mut self,
        interaction: InteractionId,
        from: ServiceId,
        why: Overflow,
        to: Treatment,
    ) {
        self.record(Event::Overflowed { interaction, from, why, to });
        self.out.push(Output::Overflowed { interaction, from, why, to });
    }

    /// Whether there is room for an interaction that is not here yet.
    pub(crate) fn admit(&self, interaction: InteractionId) -> Result<(), Refusal> {
        if self.item_keys.contains_key(&interaction) {
            Err(Refusal::Duplicate)
        } else if self.items.len() >= self.config.interactions_max {
            Err(Refusal::FloorFull)
        } else {
            Ok(())
        }
    }

    /// Rings one agent for a colleague. Possible wherever the agent is reachable and no other phone rings (table B1).
    pub(crate) fn call_agent(
        &mut self,
        interaction: InteractionId,
        agent: AgentId,
        ring_time: Duration,
    ) -> Result<(), Refusal> {
        self.admit(interaction)?;
        let number = self.signed_in(agent)?;
        let state = self.agents[number].state();
        let rings = self.agents[number].lease.is_some();
        if rings || matches!(state, AgentState::Offline) {
            return Err(Refusal::NotNow { state });
        }
        let ring_time = ring_time.max(RING_TIME_MIN) + self.agents[number].ring_grace(Channel::Voice);
        let (token, deadline) = (self.next_token(), self.now + ring_time);
        self.record(Event::Offered { interaction, agent, token, deadline });
        self.out.push(Output::Offer { interaction, agent, token, deadline });
        Ok(())
    }

    /// The lease an answer names; anything else is over, and nothing happens.
    pub(crate) fn leased(&self, agent: AgentId, token: OfferToken) -> Result<(usize, Key), Refusal> {
        let number = self.agent_number(agent)?;
        match self.agents[number].lease {
            Some(lease) if lease.token == token => Ok((number, lease.item)),
            _ => Err(Refusal::Stale),
        }
    }

    pub(crate) fn accept(&mut self, agent: AgentId, token: OfferToken) -> Result<(), Refusal> {
        let (number, key) = self.leased(agent, token)?;
        let interaction = self.items.get(key).ok_or(Refusal::Stale)?.id;
        for other in self.ringing(key) {
            if other != number {
                self.end_offer(key, other, OfferEnd::TakenElsewhere);
            }
        }
        self.record(Event::Accepted { interaction, agent, token });
        Ok(())
    }

    pub(crate) fn answer_no(
        &mut self,
        agent: AgentId,
        token: OfferToken,
        why: OfferEnd,
    ) -> Result<(), Refusal> {
        let (number, key) = self.leased(agent, token)?;
        self.offer_refused(key, number, why);
        Ok(())
    }

    /// Who is rung for the interaction.
    pub(crate) fn ringing(&self, key: Key) -> Vec<usize> {
        match self.items.get(key).map(|item| &item.phase) {
            Some(Phase::Offered(ring)) => ring.members.clone(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn end_offer(&mut self, key: Key, number: usize, why: OfferEnd) {
        let Some(item) = self.items.get(key) else { return };
        let Phase::Offered(Ring { token, .. }) = item.phase else { return };
        let (interaction, agent) = (item.id, self.agents[number].id);
        self.record(Event::OfferEnded { interaction, agent, token, why });
        self.out.push(Output::WithdrawOffer { interaction, agent, token, why });
    }

    /// An offer ends without acceptance while the customer still waits.
    pub(crate) fn offer_refused(&mut self, key: Key, number: usize, why: OfferEnd) {
        let Some(item) = self.items.get(key) else { return };
        let (interaction, kind) = (item.id, item.kind);
        let resting = matches!(&item.phase, Phase::Offered(ring) if ring.resting);
        self.end_offer(key, number, why);
        if kind == Kind::Internal {
            // VOICE-08: the caller hears busy; the agent goes back to where the agent was.
            self.record(Event::Ended { interaction, status: EndStatus::Refused, by: EndedBy::Agent });
            return;
        }
        match why {
            // A colleague's choice, at a time when the agent took no work: it stays as it was, as with a colleague's call.
            _ if resting => {}
            OfferEnd::Declined => {
                if self.group_rules(number).not_ready_on_refusal
                    && self.agents[number].intent == Intent::Ready
                {
                    self.be_not_ready(number, NotReadyReason::Declined);
                }
            }
            // These two stand even if the agent has just chosen a break: nobody may come back to work from them
            // without saying so (C24).
            OfferEnd::NoAnswer => self.be_not_ready(number, NotReadyReason::NoAnswer),
            OfferEnd::ConnectionLost => self.be_not_ready(number, NotReadyReason::ConnectionLost),
            OfferEnd::CallerLeft
            | OfferEnd::AgentLeft
            | OfferEnd::TakenElsewhere
            | OfferEnd::Restart
            | OfferEnd::PutBack
            | OfferEnd::Postponed => {}
        }
        self.recheck_waiting(key);
    }

    /// The customer left, wherever the interaction stands.
    pub(crate) fn abandon(&mut self, interaction: InteractionId) -> Result<(), Refusal> {
        let key = self.item_key(interaction)?;
        let rung = self.ringing(key);
        let status = match self.items.get(key).map(|item| &item.phase) {
            Some(Phase::Waiting) => EndStatus::Abandoned,
            Some(Phase::Offered(_)) => EndStatus::AbandonedRinging,
            // The acceptance was faster: the customer hung up on the agent.
            _ => return self.hang_up(interaction, EndedBy::Customer),
        };
        for number in rung {
            self.end_offer(key, number, OfferEnd::CallerLeft);
        }
        self.record(Event::Ended { interaction, status, by: EndedBy::Customer });
        Ok(())
    }

    /// Ends an unanswered interaction for a reason that is neither the customer's nor the queue's.
    pub(crate) fn fail_unanswered(&mut self, key: Key, interaction: InteractionId, by: EndedBy) {
        for number in self.ringing(key) {
            self.end_offer(key, number, OfferEnd::CallerLeft);
        }
        self.record(Event::Ended { interaction, status: EndStatus::Failed, by });
    }
}
