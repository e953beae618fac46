//! A customer at the door: to a service, or turned away.

use model::call::{CallOrder, Rejection};
use model::id::{InteractionId, TrunkId};
use model::interaction::{Channel, Direction, EndStatus, EndedBy};
use model::journal::Event;
use model::time::Timestamp;
use router::Arrival;

use super::call::{Aim, Call};
use super::core::{Core, Effect};
use super::facts::order;

/// Longest number or name that is kept of a caller.
pub(super) const NAME_MAX: usize = 128;

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
        if let Some(block) = self.config.blocks.refusing(&caller, now) {
            tracing::info!(%interaction, block = %block.id, "a caller on the block list is refused");
            return refuse(interaction, Rejection::Declined, EndStatus::Blocked, out);
        }
        if !self.admitting {
            return refuse(interaction, Rejection::Overloaded, EndStatus::Failed, out);
        }
        let flow = self.config.flow_of_number(&contact);
        self.calls
            .insert(interaction, Call::new(Aim::Service(service.id), caller, caller_name, contact, now));
        self.takes_kept_place(interaction, now, out);
        // In an emergency nobody is asked for anything first.
        if let Some(flow) = flow.filter(|_| !service.queue.emergency) {
            return self.enter_flow(interaction, flow, now, out);
        }
        let since = self.calls.get(&interaction).and_then(|call| call.waits_since);
        self.seek(Arrival { since, ..Arrival::new(interaction, service.id, Channel::Voice) }, now, out);
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
