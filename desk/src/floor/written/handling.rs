//! Written contacts in the hands of agents: taken, answered, ended, put back.

use model::id::{InteractionId, OfferToken, UserId};
use model::interaction::{Channel, EndStatus, EndedBy};
use model::journal::Event;
use model::time::Timestamp;
use model::written::{Assignment, Author, MESSAGES_MAX};
use router::Input;

use super::super::core::{Core, Effect};
use super::{Kept, Stage, Written, cleaned};
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
        let offered = self.is_offered(interaction);
        let (status, input) = match written.stage {
            // The floor does not know of it.
            Stage::Personal(_) => {
                let status = EndStatus::Abandoned;
                out.push(Effect::Journal(Event::Ended { interaction, status, by }));
                self.written_over(interaction, out);
                return Ok(());
            }
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
            Event::Accepted { interaction, agent, .. }
            | Event::Taken { interaction, agent }
            | Event::HandlingStarted { interaction, agent, .. } => {
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
            Event::Completed { interaction, .. } => {
                let goes_on = self.written.get(interaction).filter(|written| written.goes_on).cloned();
                self.written_over(*interaction, out);
                if let Some(written) = goes_on {
                    self.go_on(*interaction, written, now, out);
                }
            }
            Event::AgentLoggedOut { agent } => self.release_written(*agent, now, out),
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
        let stage = Stage::Work { agent, phase: Phase::Talking, since: now, until: None };
        let Some(written) = self.restage(interaction, stage, out) else { return };
        written.answered_at.get_or_insert(now);
        // They are together from here: nothing has to be connected.
        out.push(Effect::Journal(Event::Bridged { interaction, agent }));
        self.now_served(interaction, agent, now);
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
        let stage = Stage::Work { agent, phase: Phase::WrapUp, since: now, until };
        if self.restage(interaction, stage, out).is_some() {
            self.show_work(interaction, out);
        }
    }

    /// It waits again: the page of whoever had it shows it no longer.
    fn written_requeued(&mut self, interaction: InteractionId, agent: UserId, out: &mut Vec<Effect>) {
        let Some(written) = self.restage(interaction, Stage::Waiting, out) else { return };
        let service = written.service;
        self.dirty.insert(service);
        self.help_over(interaction, out);
        out.push(Effect::Tell(agent, Box::new(ConsoleEvent::WorkEnded { interaction })));
    }

    /// An agent is gone: what was open waits for others, at its place. An email waits for the agent (ACC-16).
    pub(crate) fn release_written(&mut self, agent: UserId, now: Timestamp, out: &mut Vec<Effect>) {
        let open = self.written_in_hand(agent).filter(|(_, written)| written.up()).map(|(id, _)| id);
        for interaction in open.collect::<Vec<_>>() {
            let email = self.written.get(&interaction).is_some_and(|w| w.channel == Channel::Email);
            let released = if email {
                let kept = Kept { agent, since: now, why: Assignment::SignedOut, by: None };
                self.put_by(interaction, kept, now, out)
            } else {
                self.tell_floor(Input::Requeue { interaction }, now, out).map_err(Self::refused)
            };
            if let Err(refusal) = released {
                tracing::error!(%interaction, %refusal, "a written contact stays with an agent who is gone");
            }
        }
    }

    /// Nothing is left to be done.
    fn written_over(&mut self, interaction: InteractionId, out: &mut Vec<Effect>) {
        let Some(written) = self.leave_written(interaction, out) else { return };
        self.dirty.insert(written.service);
        if let Some(agent) = written.agent() {
            out.push(Effect::Tell(agent, Box::new(ConsoleEvent::WorkEnded { interaction })));
        }
    }

    /// Whether the agent has this written contact.
    pub(crate) fn written_by(&self, agent: UserId, interaction: InteractionId) -> bool {
        self.written_of(agent, interaction).is_ok()
    }

    pub(super) fn written_of(&self, agent: UserId, interaction: InteractionId) -> Result<&Written, Refusal> {
        let own = self.written.get(&interaction).filter(|written| written.agent() == Some(agent));
        own.ok_or(Refusal::missing("contact"))
    }
}
