//! A customer at the door: to a service, or turned away.

use model::call::{CallOrder, Rejection, Sound};
use model::id::{InteractionId, TrunkId};
use model::interaction::{Channel, Direction, EndStatus, EndedBy};
use model::journal::Event;
use model::service::{Service, Treatment};
use model::time::Timestamp;
use router::{Arrival, Input};

use super::call::{Aim, Call};
use super::core::{Core, Effect};
use super::facts::order;

/// Longest number or name that is kept of a caller.
const NAME_MAX: usize = 128;

impl Core {
    /// A customer calls: caller's number and name, and the number called.
    pub(super) fn incoming(
        &mut self,
        interaction: InteractionId,
        trunk: TrunkId,
        (caller, caller_name, contact): (String, Option<String>, String),
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let service = self.config.service_of_number(&contact).cloned();
        out.push(Effect::Journal(Event::Arrived {
            interaction,
            channel: Channel::Voice,
            direction: Direction::Inbound,
            caller: caller.clone(),
            caller_name: caller_name.clone(),
            contact: contact.clone(),
            trunk: Some(trunk),
            service: service.as_ref().map(|service| service.id),
            calling_agent: None,
        }));
        let Some(service) = service else {
            return refuse(interaction, Rejection::UnknownNumber, EndStatus::UnknownNumber, out);
        };
        if !self.admitting {
            return refuse(interaction, Rejection::Overloaded, EndStatus::Failed, out);
        }
        let flow = self.config.flow_of_number(&contact);
        self.calls
            .insert(interaction, Call::new(Aim::Service(service.id), caller, caller_name, contact, now));
        if let Some(flow) = flow {
            return self.enter_flow(interaction, flow, now, out);
        }
        let arrival = Arrival::new(interaction, service.id, Channel::Voice);
        if let Err(refusal) = self.queue(arrival, now, out) {
            self.not_queued(interaction, &service, refusal, out);
        }
    }

    /// Asks the floor to take a caller.
    pub(super) fn queue(
        &mut self,
        arrival: Arrival,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), router::Refusal> {
        // The music comes first: an agent may be rung at once, and orders about a call keep their order. When the floor
        // takes the caller to no queue, the order is taken back before it left this room.
        let (interaction, music) = (arrival.interaction, out.len());
        out.push(order(CallOrder::Play { interaction, sound: Sound::QueueMusic, then_hang_up: false }));
        let answer = self.tell_floor(Input::Arrive(arrival), now, out);
        if answer.is_err() {
            out.remove(music);
        }
        answer
    }

    /// The floor did not take the caller: the treatment of the case (VOICE-15).
    pub(super) fn not_queued(
        &mut self,
        interaction: InteractionId,
        service: &Service,
        refusal: router::Refusal,
        out: &mut Vec<Effect>,
    ) {
        let (status, treatment, rejection) = match refusal {
            router::Refusal::Closed => (EndStatus::Closed, service.queue.when_closed, Rejection::Declined),
            router::Refusal::NoAgentOnline => {
                (EndStatus::NoAgentOnline, service.queue.when_unstaffed, Rejection::NobodyThere)
            }
            router::Refusal::QueueFull => (EndStatus::QueueFull, Treatment::Announce, Rejection::Busy),
            other => {
                tracing::warn!(%interaction, refusal = %other, "the floor did not take a call");
                (EndStatus::Failed, Treatment::Reject, Rejection::Overloaded)
            }
        };
        if treatment == Treatment::Reject {
            self.calls.remove(&interaction);
            refuse(interaction, rejection, status, out);
        } else {
            self.turn_away(interaction, status, false, out);
        }
    }
}

/// Refuses a call that was never answered, and writes down its end.
pub(super) fn refuse(interaction: InteractionId, why: Rejection, status: EndStatus, out: &mut Vec<Effect>) {
    out.push(order(CallOrder::Reject { interaction, why }));
    out.push(Effect::Journal(Event::Ended { interaction, status, by: EndedBy::System }));
}

/// Text from outside, cut to a length that can be kept, without control characters.
pub(super) fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect()
}
