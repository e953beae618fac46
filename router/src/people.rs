//! What agents and supervisors do with agents: signing in and out, ready, not ready, offline.

use model::agent::{AgentState, NotReadyReason};
use model::id::{AgentId, SessionId};
use model::journal::{Event, OfferEnd};
use model::people::{PhoneKind, RestState};

use crate::agent::Intent;
use crate::floor::Floor;
use crate::io::{Input, Refusal};

impl Floor {
    pub(crate) fn take(&mut self, input: Input) -> Result<(), Refusal> {
        match input {
            Input::LogIn { agent, session, phone } => self.log_in(agent, session, phone, None),
            Input::LogBackIn { agent, session, phone, intent } => {
                self.log_in(agent, session, phone, Some(intent))
            }
            Input::LogOut { agent } => {
                let number = self.signed_in(agent)?;
                self.log_out(number);
                Ok(())
            }
            Input::Ready { agent } => {
                let number = self.signed_in(agent)?;
                self.be_ready(number, true);
                Ok(())
            }
            Input::NotReady { agent, reason } => self.not_ready(agent, reason),
            Input::Offline { agent } => self.go_offline(agent),
            Input::Online { agent } => self.come_online(agent),
            Input::ForceReady { agent } => {
                let number = self.signed_in(agent)?;
                self.end_wrap_up(number);
                self.be_ready(number, false);
                Ok(())
            }
            Input::ForceNotReady { agent } => {
                let number = self.signed_in(agent)?;
                self.withdraw(number);
                self.end_wrap_up(number);
                self.be_not_ready(number, NotReadyReason::Forced);
                Ok(())
            }
            Input::Arrive(arrival) => self.arrive(&arrival),
            Input::CallAgent { interaction, agent, ring_time } => {
                self.call_agent(interaction, agent, ring_time)
            }
            Input::Begin { interaction, agent, channel, internal } => {
                self.begin_by_hand(interaction, agent, channel, internal)
            }
            Input::Abandon { interaction } => self.abandon(interaction),
            Input::LayAside { interaction } => self.lay_aside(interaction),
            Input::MoveOn { interaction, to } => self.move_on(interaction, to),
            Input::Accept { agent, token } => self.accept(agent, token),
            Input::Decline { agent, token } => self.answer_no(agent, token, OfferEnd::Declined),
            Input::PutBack { agent, token } => self.put_back(agent, token),
            Input::Postpone { agent, token } => self.postpone(agent, token),
            Input::Take { agent, interaction } => self.take_waiting(agent, interaction),
            Input::PassOn { interaction, agent, part, to } => self.pass_on(interaction, agent, part, &to),
            Input::BringIn { interaction, from, agent, number, by } => {
                self.bring_in(interaction, from, agent, (number, by))
            }
            Input::HandOver { interaction, agent, part, consulted, to } => {
                self.hand_over(interaction, agent, (part, consulted), &to)
            }
            Input::Requeue { interaction } => self.requeue(interaction),
            Input::OfferFailed { agent, token } => self.answer_no(agent, token, OfferEnd::ConnectionLost),
            Input::Hangup { interaction, by } => self.hang_up(interaction, by),
            Input::WrapUpContinue { interaction } => self.wrap_up_continue(interaction),
            Input::Complete { agent, interaction } => self.complete(agent, interaction),
        }
    }

    pub(crate) fn signed_in(&self, agent: AgentId) -> Result<usize, Refusal> {
        let number = self.agent_number(agent)?;
        if self.agents[number].session.is_none() { Err(Refusal::LoggedOut) } else { Ok(number) }
    }

    /// Signs in: as the agent stood (`back`), or as the team begins.
    fn log_in(
        &mut self,
        agent: AgentId,
        session: SessionId,
        phone: PhoneKind,
        back: Option<Intent>,
    ) -> Result<(), Refusal> {
        let number = self.agent_number(agent)?;
        if !self.agents[number].enrolled {
            return Err(Refusal::UnknownAgent);
        }
        match self.agents[number].session {
            Some(same) if same == session && self.agents[number].phone == phone => return Ok(()),
            // Signed in elsewhere: there is one session of one agent, and it is the latest.
            Some(_) => self.log_out(number),
            None => {}
        }
        self.record(Event::AgentLoggedIn { agent, session, phone });
        let begins = match self.group_rules(number).after_login {
            RestState::Ready => Intent::Ready,
            RestState::NotReady => Intent::NotReady(NotReadyReason::Login),
        };
        self.record(match back.unwrap_or(begins) {
            // Where the team does not begin Ready, a hand had made the agent so.
            Intent::Ready => Event::AgentReady { agent, by_hand: begins != Intent::Ready },
            Intent::NotReady(reason) => Event::AgentNotReady { agent, reason },
            Intent::Offline => Event::AgentOffline { agent },
        });
        Ok(())
    }

    /// Signs out. A conversation in progress is not cut: it ends as the call ends.
    pub(crate) fn log_out(&mut self, number: usize) {
        let agent = self.agent_id(number);
        self.withdraw(number);
        self.complete_all(number);
        self.record(Event::AgentLoggedOut { agent });
    }

    fn be_ready(&mut self, number: usize, by_hand: bool) {
        if self.agents[number].intent != Intent::Ready {
            let agent = self.agent_id(number);
            self.record(Event::AgentReady { agent, by_hand });
        }
    }

    pub(crate) fn be_not_ready(&mut self, number: usize, reason: NotReadyReason) {
        if self.agents[number].intent != Intent::NotReady(reason) {
            let agent = self.agent_id(number);
            self.record(Event::AgentNotReady { agent, reason });
        }
    }

    fn not_ready(&mut self, agent: AgentId, reason: NotReadyReason) -> Result<(), Refusal> {
        let number = self.signed_in(agent)?;
        match self.agents[number].state() {
            // Out of service: back by Online only.
            state @ AgentState::Offline => Err(Refusal::NotNow { state }),
            _ => {
                self.be_not_ready(number, reason);
                Ok(())
            }
        }
    }

    fn go_offline(&mut self, agent: AgentId) -> Result<(), Refusal> {
        let number = self.signed_in(agent)?;
        match self.agents[number].state() {
            AgentState::Offline => Ok(()),
            AgentState::Ready | AgentState::NotReady { .. } | AgentState::WrapUp => {
                self.end_wrap_up(number);
                self.record(Event::AgentOffline { agent });
                Ok(())
            }
            state @ (AgentState::LoggedOut | AgentState::Ringing | AgentState::Busy) => {
                Err(Refusal::NotNow { state })
            }
        }
    }

    fn come_online(&mut self, agent: AgentId) -> Result<(), Refusal> {
        let number = self.signed_in(agent)?;
        match self.agents[number].state() {
            AgentState::Offline => {
                self.be_ready(number, true);
                Ok(())
            }
            state => Err(Refusal::NotNow { state }),
        }
    }

    /// Takes an open offer away from the agent.
    fn withdraw(&mut self, number: usize) {
        if let Some(lease) = self.agents[number].lease {
            self.offer_refused(lease.item, number, OfferEnd::AgentLeft);
        }
    }

    /// Ends after-call work that shows; what ended while other work goes on stays to be completed.
    fn end_wrap_up(&mut self, number: usize) {
        if self.agents[number].active.is_empty() {
            self.complete_all(number);
        }
    }
}
