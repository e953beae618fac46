//! Work in hand and after it: hang-up, after-call work, completion, and work begun by hand.

use model::agent::{AgentState, NotReadyReason};
use model::id::{AgentId, InteractionId};
use model::interaction::{Channel, EndStatus, EndedBy};
use model::journal::Event;
use model::people::RestState;

use crate::agent::Intent;
use crate::floor::Floor;
use crate::io::Refusal;
use crate::item::{Item, Kind, Phase};
use crate::slab::Key;

impl Floor {
    pub(crate) fn begin_by_hand(
        &mut self,
        interaction: InteractionId,
        agent: AgentId,
        channel: Channel,
        internal: bool,
    ) -> Result<(), Refusal> {
        self.admit(interaction)?;
        let number = self.signed_in(agent)?;
        let state = self.agents[number].state();
        let rings = self.agents[number].lease.is_some();
        // STATE-17: not while a phone rings, and not from Offline.
        if rings || matches!(state, AgentState::Offline) || !self.agents[number].can_carry(channel) {
            return Err(Refusal::NotNow { state });
        }
        self.record(Event::HandlingStarted { interaction, agent, channel, internal });
        Ok(())
    }

    pub(crate) fn hang_up(&mut self, interaction: InteractionId, by: EndedBy) -> Result<(), Refusal> {
        let key = self.item_key(interaction)?;
        let item = self.items.get(key).ok_or(Refusal::UnknownInteraction)?;
        match item.phase {
            Phase::Waiting | Phase::Offered(_) if by == EndedBy::Customer => self.abandon(interaction),
            Phase::Waiting | Phase::Offered(_) => {
                self.fail_unanswered(key, interaction, by);
                Ok(())
            }
            Phase::Active { agent } => {
                self.work_ended(key, agent, by);
                Ok(())
            }
            // Both sides hang up at once: the second says nothing new.
            Phase::Wrapping { .. } => Ok(()),
        }
    }

    fn work_ended(&mut self, key: Key, number: usize, by: EndedBy) {
        let Some(item) = self.items.get(key) else { return };
        let interaction = item.id;
        let status = if by == EndedBy::System { EndStatus::Failed } else { EndStatus::Normal };
        self.record(Event::Ended { interaction, status, by });
        self.after_work(key, number);
    }

    /// An agent's part is over: after-call work as the group has it.
    pub(crate) fn after_work(&mut self, key: Key, number: usize) {
        let Some(item) = self.items.get(key) else { return };
        let (interaction, kind) = (item.id, item.kind);
        let agent = self.agent_id(number);
        if kind == Kind::Internal || self.agents[number].session.is_none() {
            self.complete_one(key);
            return;
        }
        let rules = self.group_rules(number);
        let (wrap_up, wrap_up_time, after) = (rules.wrap_up, rules.wrap_up_time, rules.after_interaction);
        // STATE-07: what comes after the work comes after the last of it.
        let last = !self.agents[number].active.iter().any(|&active| self.is_customer_work(active));
        if last && after == RestState::NotReady && self.agents[number].intent == Intent::Ready {
            self.be_not_ready(number, NotReadyReason::AfterInteraction);
        }
        if wrap_up {
            let until = wrap_up_time.filter(|_| last).map(|time| self.now + time);
            self.record(Event::WrapUpStarted { interaction, agent, until });
        } else if last {
            self.complete_all(number);
        } else {
            self.complete_one(key);
        }
    }

    fn is_customer_work(&self, key: Key) -> bool {
        self.items.get(key).is_some_and(|item| item.kind != Kind::Internal)
    }

    pub(crate) fn wrap_up_continue(&mut self, interaction: InteractionId) -> Result<(), Refusal> {
        let key = self.item_key(interaction)?;
        let Some(Item { phase: Phase::Wrapping { agent: number, .. }, .. }) = self.items.get(key) else {
            return Err(Refusal::NotYours);
        };
        let number = *number;
        if !self.group_rules(number).wrap_up_continue {
            return Err(Refusal::NotAllowed);
        }
        if self.agents[number].wrap_until.is_some() {
            let agent = self.agent_id(number);
            self.record(Event::WrapUpContinued { interaction, agent });
        }
        Ok(())
    }

    pub(crate) fn complete(&mut self, agent: AgentId, interaction: InteractionId) -> Result<(), Refusal> {
        let number = self.agent_number(agent)?;
        let key = self.item_key(interaction)?;
        match self.items.get(key).map(|item| &item.phase) {
            Some(Phase::Wrapping { agent, .. }) if *agent == number => {
                self.complete_one(key);
                Ok(())
            }
            _ => Err(Refusal::NotYours),
        }
    }

    /// Everything the agent has ended is complete.
    pub(crate) fn complete_all(&mut self, number: usize) {
        for key in self.agents[number].wrapping.clone() {
            self.complete_one(key);
        }
    }

    pub(crate) fn complete_one(&mut self, key: Key) {
        let Some(item) = self.items.get(key) else { return };
        let Phase::Wrapping { agent, ended_at } = item.phase else { return };
        let (interaction, agent) = (item.id, self.agent_id(agent));
        self.record(Event::Completed { interaction, agent, wrap_up: self.now.since(ended_at) });
    }
}
