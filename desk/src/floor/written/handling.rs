//! Written contacts in the hands of agents: taken, answered, ended, put back.

use model::id::{InteractionId, OfferToken, UserId};
use model::interaction::{EndStatus, EndedBy};
use model::journal::Event;
use model::time::Timestamp;
use model::written::{Author, MESSAGES_MAX};
use router::Input;

use super::super::core::{Core, Effect};
use super::{Stage, Written, cleaned};
use crate::console::protocol::{ConsoleEvent, Phase};
use crate::refusal::Refusal;

impl Core {
    /// The agent answers.
    pub(crate) fn agent_writes(
        &mut self,
        agent: UserId,
        interaction: InteractionId,
        text: &str,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let written = self.written_of(agent, interaction)?;
        if !written.up() {
            return Err(Refusal::NotNow { why: "The conversation has ended." });
        }
        if written.last_message >= MESSAGES_MAX {
            return Err(Refusal::NotNow { why: "The conversation has as many messages as it may have." });
        }
        let text = cleaned(text, written.text_max())?;
        self.add_message(interaction, Author::Agent { agent }, text, now, out);
        Ok(())
    }

    /// The agent puts an offer back for others, without becoming Not ready (LIVE-05).
    pub(crate) fn put_back(
        &mut self,
        agent: UserId,
        token: OfferToken,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.tell_floor(Input::PutBack { agent, token }, now, out).map_err(Self::refused)
    }

    /// Either side ends it (CHAT-16).
    pub(crate) fn end_written(
        &mut self,
        interaction: InteractionId,
        by: EndedBy,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let written = self.written.get(&interaction).ok_or(Refusal::missing("contact"))?;
        if !written.up() {
            return Err(Refusal::NotNow { why: "The contact has ended." });
        }
        let offered = self.ringing.values().any(|ringing| ringing.interaction == interaction);
        let (status, input) = match written.stage {
            Stage::Work { .. } => (EndStatus::Normal, Input::Hangup { interaction, by }),
            Stage::Waiting if offered => (EndStatus::AbandonedRinging, Input::Abandon { interaction }),
            Stage::Waiting => (EndStatus::Abandoned, Input::Abandon { interaction }),
        };
        self.ending = Some((interaction, status, by));
        let told = self.tell_floor(input, now, out);
        if self.ending.take().is_some() {
            // The floor does not know it: the end is written down all the same.
            tracing::warn!(%interaction, ?told, "the floor did not know a written contact that ended");
            out.push(Effect::Journal(Event::Ended { interaction, status, by }));
        }
        // Whatever has no after-call work is gone now.
        if self.written.get(&interaction).is_some_and(Written::up) {
            self.written_over(interaction, out);
        }
        Ok(())
    }

    /// What an event of the floor means for a written contact and its agent.
    pub(crate) fn note_written(&mut self, event: &Event, now: Timestamp, out: &mut Vec<Effect>) {
        match event {
            Event::Accepted { interaction, agent, .. } | Event::Taken { interaction, agent } => {
                self.written_taken(*interaction, *agent, now, out);
            }
            Event::Requeued { interaction, agent } => self.written_requeued(*interaction, *agent, out),
            Event::WrapUpStarted { interaction, agent, until } => {
                self.written_wraps_up(*interaction, *agent, *until, now, out);
            }
            Event::WrapUpContinued { interaction, .. } => {
                if let Some(Written { stage: Stage::Work { until, .. }, .. }) =
                    self.written.get_mut(interaction)
                {
                    *until = None;
                    self.show_work(*interaction, out);
                }
            }
            Event::Completed { interaction, .. } => self.written_over(*interaction, out),
            Event::AgentLoggedOut { agent } => self.requeue_written(*agent, now, out),
            _ => {}
        }
    }

    /// An agent took it, by an offer or out of the queue.
    fn written_taken(
        &mut self,
        interaction: InteractionId,
        agent: UserId,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(written) = self.written.get_mut(&interaction) else { return };
        written.stage = Stage::Work { agent, phase: Phase::Talking, since: now, until: None };
        written.answered_at.get_or_insert(now);
        // They are together from here: nothing has to be connected.
        out.push(Effect::Journal(Event::Bridged { interaction, agent }));
        self.dirty.extend(self.written.get(&interaction).map(|written| written.service));
        self.show_work(interaction, out);
    }

    /// It ended, and its agent has after-call work.
    fn written_wraps_up(
        &mut self,
        interaction: InteractionId,
        agent: UserId,
        until: Option<Timestamp>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if let Some(written) = self.written.get_mut(&interaction) {
            written.stage = Stage::Work { agent, phase: Phase::WrapUp, since: now, until };
            self.show_work(interaction, out);
        }
    }

    /// It waits again: the page of whoever had it shows it no longer.
    fn written_requeued(&mut self, interaction: InteractionId, agent: UserId, out: &mut Vec<Effect>) {
        let Some(written) = self.written.get_mut(&interaction) else { return };
        written.stage = Stage::Waiting;
        let service = written.service;
        self.dirty.insert(service);
        self.help_over(interaction, out);
        out.push(Effect::Tell(agent, Box::new(ConsoleEvent::WorkEnded { interaction })));
    }

    /// An agent is gone: what was open waits for others, at its place.
    pub(crate) fn requeue_written(&mut self, agent: UserId, now: Timestamp, out: &mut Vec<Effect>) {
        let open = |(id, written): (&InteractionId, &Written)| {
            (written.agent() == Some(agent) && written.up()).then_some(*id)
        };
        for interaction in self.written.iter().filter_map(open).collect::<Vec<_>>() {
            if let Err(refusal) = self.tell_floor(Input::Requeue { interaction }, now, out) {
                tracing::error!(%interaction, %refusal, "a written contact stays with an agent who is gone");
            }
        }
    }

    /// Nothing is left to be done.
    fn written_over(&mut self, interaction: InteractionId, out: &mut Vec<Effect>) {
        let Some(written) = self.written.remove(&interaction) else { return };
        self.dirty.insert(written.service);
        if let Some(agent) = written.agent() {
            out.push(Effect::Tell(agent, Box::new(ConsoleEvent::WorkEnded { interaction })));
        }
    }

    /// Whether the agent has this written contact.
    pub(crate) fn written_by(&self, agent: UserId, interaction: InteractionId) -> bool {
        self.written_of(agent, interaction).is_ok()
    }

    fn written_of(&self, agent: UserId, interaction: InteractionId) -> Result<&Written, Refusal> {
        let own = self.written.get(&interaction).filter(|written| written.agent() == Some(agent));
        own.ok_or(Refusal::missing("contact"))
    }
}
