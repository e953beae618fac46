//! Customers whom an agent passes on, without asking first (XFER-05 to XFER-07): to a service, to one colleague, to a number outside.
//!
//! The agent is released at once, whatever becomes of the customer. What the agent had in hand becomes two: the part, which is coded and
//! completed under an id of its own like any call that is over; and the call, which waits as whoever came back, keeps its record, its
//! recording and the place of its first arrival. Nobody is lost: whoever is not taken by the one colleague, or by the number, waits in
//! the queue of the service that the agent had the customer of.

use model::call::{CallOrder, DialFailure, Sound};
use model::dialling::Dialled;
use model::id::{InteractionId, ServiceId, UserId};
use model::interaction::{Channel, Direction};
use model::journal::Event;
use model::people::Privilege;
use model::time::Timestamp;
use model::transfer::{TRANSFERS_MAX, TransferTarget};
use router::{Arrival, Input, Onward};

use super::call::{Aim, Call, Half, Stage};
use super::conference::IN_CONFERENCE;
use super::consult::IN_FLOW;
use super::core::{Core, Effect};
use super::facts::order;
use super::outbound::RING_TIME;
use super::overflow::overflow_of;
use crate::console::protocol::{ConsoleEvent, Phase};
use crate::refusal::Refusal;

impl Core {
    /// The agent passes on who is on the line, or is told why not; a refused command changes nothing.
    pub(super) fn transfer(
        &mut self,
        agent: UserId,
        interaction: InteractionId,
        to: (Option<ServiceId>, Option<UserId>, Option<String>),
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let call = self.talking(agent, interaction)?;
        let Some(from) = call.service() else {
            return Err(Refusal::NotNow { why: "A call between colleagues cannot be passed on." });
        };
        if !call.conference.guests.is_empty() {
            return Err(IN_CONFERENCE);
        }
        if call.transfers >= TRANSFERS_MAX {
            return Err(Refusal::NotNow { why: "This call has been passed on too often." });
        }
        let arrival = call.comes_back(interaction, from);
        if self.has_agent_waiting(interaction) {
            return Err(IN_FLOW);
        }
        let to = match to {
            (Some(service), None, None) => {
                self.config.services.get(&service).ok_or(Refusal::missing("service"))?;
                Onward::Queue(Arrival { service, returns: false, ..arrival })
            }
            (None, Some(user), None) => {
                let next = self.config.colleague(user).ok_or(Refusal::missing("colleague"))?.id;
                if next == agent {
                    return Err(Refusal::NotNow { why: "You have this call yourself." });
                }
                self.reachable(next)?;
                Onward::Agent { agent: next, otherwise: arrival }
            }
            (None, None, Some(number)) => Onward::Number(self.may_pass_on_to(agent, &number, now)?),
            _ => {
                return Err(Refusal::field(
                    "/service",
                    "name a service, a user or a number, and one of them",
                ));
            }
        };
        if let Onward::Number(_) = to {
            self.person(agent).dialled.push_back(now);
        }
        // Whoever takes part stays behind, before the agent is let go.
        let mark = out.len();
        self.dismiss(interaction, out);
        let dismissed = out.len();
        let part = self.sources.id();
        let to = Box::new(to);
        let passed = self.tell_floor(Input::PassOn { interaction, agent, part, to }, now, out);
        if passed.is_err() {
            out.drain(mark..dismissed);
        }
        passed.map_err(|refusal| {
            if overflow_of(refusal).is_some() { Refusal::TakesNobody } else { Self::refused(refusal) }
        })
    }

    /// The number as it is dialled, if this agent may have it dialled now.
    fn may_pass_on_to(&mut self, agent: UserId, number: &str, now: Timestamp) -> Result<String, Refusal> {
        let needs = Privilege::CallOut;
        if !self.config.users.get(&agent).is_some_and(|user| user.role.may(needs)) {
            return Err(Refusal::Forbidden { needs });
        }
        // Nobody is there any more who could press keys once it answers.
        let dialled = Dialled::parse(number).filter(|dialled| dialled.after.is_empty());
        let dialled = dialled.ok_or_else(|| {
            Refusal::field("/number", "digits with an optional +, 2 to 20 of them, and nothing after")
        })?;
        self.may_dial(&dialled.number)?;
        self.not_too_often(agent, now)?;
        Ok(dialled.number)
    }

    /// The floor has released the agent: the part and the call go separate ways from here.
    pub(super) fn transferred(
        &mut self,
        interaction: InteractionId,
        (agent, part): (UserId, InteractionId),
        to: &TransferTarget,
        consulted: bool,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        self.help_over(interaction, out);
        let Some(call) = self.calls.get_mut(&interaction) else { return };
        let own = call.split(interaction, agent, to, now);
        self.called_back.remove(&interaction);
        self.calls.insert(part, own);
        out.push(Effect::Tell(agent, Box::new(ConsoleEvent::WorkEnded { interaction })));
        if consulted {
            return self.handed_over(interaction, to, now);
        }
        out.push(order(CallOrder::Release { interaction, agent }));
        let Some(call) = self.calls.get_mut(&interaction) else { return };
        match to {
            TransferTarget::Service { service } => call.aim = Aim::Service(*service),
            TransferTarget::Agent { .. } => {}
            TransferTarget::Number { number } => {
                (call.stage, call.passes_to) = (Stage::Dialled, Some(number.clone()));
                let caller_id = call.service().and_then(|service| self.config.caller_id(service));
                return self.order_dial(interaction, number.clone(), caller_id, RING_TIME, out);
            }
        }
        let sound = Sound::QueueMusic;
        out.push(order(CallOrder::Play { interaction, sound, then_hang_up: false }));
        self.touch(interaction);
    }

    /// Nobody answered the number: the customer waits for the service again.
    pub(super) fn number_failed(
        &mut self,
        interaction: InteractionId,
        why: DialFailure,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(call) = self.calls.get_mut(&interaction) else { return };
        tracing::info!(%interaction, ?why, "a number that a customer was passed on to does not answer");
        (call.stage, call.passes_to) = (Stage::Waiting, None);
        let Some(service) = call.service() else { return };
        let arrival = call.comes_back(interaction, service);
        self.seek(arrival, now, out);
    }
}

impl Call {
    /// What waits when the customer comes back to a service: at the place of the first arrival.
    fn comes_back(&self, interaction: InteractionId, service: ServiceId) -> Arrival {
        let since = Some(self.waits_since.unwrap_or(self.arrived_at));
        Arrival { since, returns: true, ..Arrival::new(interaction, service, Channel::Voice) }
    }

    /// What the agent had becomes the agent's part, which is returned, and a call that waits for somebody else.
    fn split(
        &mut self,
        interaction: InteractionId,
        agent: UserId,
        to: &TransferTarget,
        now: Timestamp,
    ) -> Self {
        let mut own = self.clone();
        own.release();
        own.enter(agent, Phase::WrapUp, now);
        (own.part_of, own.passed_to, own.callback) = (Some(interaction), Some(to.clone()), None);
        self.placed |= self.direction() == Direction::Outbound;
        if let Some(service) = self.service() {
            self.aim = Aim::Service(service);
        }
        self.stage = Stage::Waiting;
        self.transfers += 1;
        self.passed_by = Some(agent);
        self.waits_since.get_or_insert(self.arrived_at);
        (self.callback, self.answered_at, self.quality) = (None, None, None);
        (self.agent_half, self.poor) = (Half::default(), (false, false));
        (self.disposition, self.comment) = (None, String::new());
        own
    }
}

impl Core {
    /// What an agent whose part this is coded or completed is written down for the interaction it belongs to.
    pub(super) fn part_completed(&self, part: InteractionId, agent: UserId, out: &mut Vec<Effect>) {
        if let Some(interaction) = self.calls.get(&part).and_then(|call| call.part_of) {
            out.push(Effect::Journal(Event::PartCompleted { interaction, part, agent }));
        }
    }

    /// The name of whom a customer was passed on to.
    pub(super) fn name_target(&self, to: &TransferTarget) -> String {
        match to {
            TransferTarget::Service { service } => self.config.name_service(*service).name,
            TransferTarget::Agent { agent } => self.config.name_colleague(*agent).name,
            TransferTarget::Number { number } => number.clone(),
        }
    }
}
