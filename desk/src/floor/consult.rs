//! Asking somebody about a customer, and passing the customer on to whom was asked (XFER-01 to XFER-04).
//!
//! A consult is a call of its own, to a colleague or to a number outside, that knows which call it is about; that one is held meanwhile.
//! It ends back to the held call, which the agent retrieves; or whoever was asked comes over into it. Signalling does that and tells
//! when it is done: until then both calls are as they are, and a hang-up on any side finds them so.

use model::call::{AfterJoin, CallOrder};
use model::conference::GUESTS_MAX;
use model::id::{InteractionId, UserId};
use model::interaction::EndedBy;
use model::time::Timestamp;
use model::transfer::{TRANSFERS_MAX, TransferTarget};
use router::Input;
use serde_json::json;

use super::call::{Call, Seat, Stage};
use super::core::{Core, Effect};
use super::facts::order;
use super::outbound::ToDial;
use crate::console::protocol::{Level, Phase, ScreenView};
use crate::refusal::Refusal;

impl Core {
    /// The agent holds a customer and calls somebody about them, or is told why not; a refused command changes nothing.
    pub(super) fn consult(
        &mut self,
        agent: UserId,
        of: InteractionId,
        (user, extension, number): (Option<UserId>, Option<String>, Option<String>),
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.talking(agent, of)?;
        let whole = self.whole(of);
        let service = self.calls.get(&whole).and_then(Call::service);
        if service.is_none() {
            return Err(Refusal::NotNow { why: "Only about a customer's call somebody else is asked." });
        }
        if self.has_agent_waiting(whole) {
            return Err(IN_FLOW);
        }
        match (user, extension, number) {
            (None, None, Some(number)) => {
                self.dial_out(agent, ToDial { number, service, caller_id: None }, Some(of), now, out)
            }
            (user, extension, None) => self.call_colleague(agent, (user, extension), Some(of), now, out),
            _ => Err(Refusal::field("/user", "name a user, an extension or a number, and one of them")),
        }
    }

    /// The only customer in an agent's hands: a call that is placed at the phone on the desk is about them.
    pub(super) fn only_customer_of(&self, agent: UserId) -> Option<InteractionId> {
        let mut own = self.calls.iter().filter(|(_, call)| {
            let phase = call.seat(agent).and_then(|seat| call.phase(seat));
            call.service().is_some() && matches!(phase, Some((Phase::Talking | Phase::Held, _)))
        });
        own.next().map(|(interaction, _)| *interaction).filter(|_| own.next().is_none())
    }

    /// The agent shows the colleague what there is to see of the call that is asked about.
    pub(super) fn send_screen(
        &mut self,
        agent: UserId,
        interaction: InteractionId,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let call = self.work_of(agent, interaction)?.clone();
        let of = call.consults.filter(|_| call.seat(agent) == Some(Seat::Calling) && call.up());
        let of = of.and_then(|of| self.calls.get(&of)).filter(|about| about.seat(agent).is_some());
        let Some((of, screen)) = of.zip(self.asked_about(&call)) else {
            return Err(Refusal::NotNow { why: "No colleague is asked about a customer in this call." });
        };
        let screen = ScreenView { comment: of.comment.clone(), ..screen };
        self.work_of(agent, interaction)?.screen = Some(Box::new(screen));
        self.show_work(interaction, out);
        Ok(())
    }

    /// About whom a colleague is asked in a call.
    pub(super) fn asked_about(&self, call: &Call) -> Option<ScreenView> {
        let by = call.inside()?.caller;
        let of = self.calls.get(&self.whole(call.consults?))?;
        let customer = |call: &Call| match call.outside() {
            Some(_) => call.contact.clone(),
            None => call.caller.clone(),
        };
        Some(ScreenView {
            by: self.config.name_colleague(by).name,
            service: of.service().map(|service| self.config.name_service(service)),
            number: customer(of),
            name: of.caller_name.clone(),
            noted: of.noted.clone(),
            comment: String::new(),
        })
    }

    /// The agent brings whoever they called into a customer's call. Two customers are never mixed (XFER-11): only whom the agent called
    /// comes over.
    pub(super) fn bring_over(
        &mut self,
        agent: UserId,
        interaction: InteractionId,
        from: InteractionId,
        then: AfterJoin,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.talking(agent, interaction)?;
        // Who is a guest of a call knows it by the call they came from.
        let (given, interaction) = (interaction, self.whole(interaction));
        let call = self.calls.get(&interaction).ok_or(Refusal::missing("call"))?;
        match then {
            _ if call.service().is_none() => {
                return Err(Refusal::NotNow {
                    why: "A call between colleagues is not joined with another one.",
                });
            }
            AfterJoin::Leave if given != interaction => {
                return Err(Refusal::NotNow { why: "You are a guest in this call, and may leave it." });
            }
            AfterJoin::Leave if call.transfers >= TRANSFERS_MAX => {
                return Err(Refusal::NotNow { why: "This call has been passed on too often." });
            }
            AfterJoin::Stay if call.conference.guests.len() >= GUESTS_MAX => {
                return Err(Refusal::NotNow { why: "There are as many in this conference as may be." });
            }
            AfterJoin::Leave | AfterJoin::Stay => {}
        }
        if self.has_agent_waiting(interaction) {
            return Err(IN_FLOW);
        }
        let other = self.talking(agent, from)?;
        if [given, interaction].contains(&from) || !other.is_placed_by(agent) {
            return Err(Refusal::NotNow {
                why: "Only whom you called yourself can be brought into another call.",
            });
        }
        if std::mem::replace(&mut other.joining, true) {
            return Err(Refusal::NotNow { why: "The two calls are being joined." });
        }
        out.push(order(CallOrder::Join { interaction, from, agent, then }));
        Ok(())
    }

    /// Nobody came over: both calls are as they were, and whoever wanted it hears of it.
    pub(super) fn join_failed(
        &mut self,
        interaction: InteractionId,
        from: InteractionId,
        why: &str,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if self.attend_failed(from, why, now, out) {
            return;
        }
        tracing::warn!(%interaction, %from, why, "two calls could not be joined");
        if let Some(call) = self.calls.get_mut(&from) {
            call.joining = false;
        }
        // Whoever placed that call.
        let wanted = |call: &Call| call.holders().next();
        if let Some(agent) = self.calls.get(&from).and_then(wanted) {
            let params = json!({ "interaction": interaction, "from": from });
            self.banner(agent, Level::Error, "join_failed", params, out);
        }
    }

    /// The agent left, and whoever was asked has the customer (XFER-04).
    pub(super) fn took_over(
        &mut self,
        interaction: InteractionId,
        from: InteractionId,
        next: Option<UserId>,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Some(agent) = self.calls.get(&interaction).filter(|call| call.up()).and_then(Call::agent) else {
            return;
        };
        let guest = self.guest(interaction, from).map(|guest| guest.number.clone());
        self.party_left(from, out);
        // A supervisor who talked to the customer: the floor ends what kept them Busy.
        let consulted = self.take_part(from, out).unwrap_or(from);
        let asked = self.calls.get_mut(&from);
        let number = guest.or(asked.as_ref().map(|call| call.contact.clone())).unwrap_or_default();
        let own = asked.and_then(Call::take_own);
        let to = next.map_or(TransferTarget::Number { number }, |agent| TransferTarget::Agent { agent });
        let part = self.sources.id();
        let over = Input::HandOver { interaction, agent, part, consulted, to };
        if let Err(refusal) = self.tell_floor(over, now, out) {
            tracing::error!(%interaction, %refusal, "the floor did not know a call that was passed on");
        }
        if let Some(own) = own {
            self.free_caller(own, EndedBy::Agent, now, out);
        }
        self.goes_on_without(agent, interaction, (from, next));
        match next {
            Some(next) => self.bridged(interaction, next, now, out),
            None => self.passed_on(interaction, out),
        }
    }

    /// What the floor said of it: the agent's part went its own way, and the customer talks to somebody else already.
    pub(super) fn handed_over(&mut self, interaction: InteractionId, to: &TransferTarget, now: Timestamp) {
        let Some(call) = self.calls.get_mut(&interaction) else { return };
        match to {
            TransferTarget::Agent { agent } => call.enter(*agent, Phase::Connecting, now),
            TransferTarget::Number { number } => {
                (call.stage, call.passes_to) = (Stage::PassedOn, Some(number.clone()));
            }
            TransferTarget::Service { .. } => {}
        }
    }
}

/// The customer is not there to be passed on.
pub(super) const IN_FLOW: Refusal =
    Refusal::NotNow { why: "The caller goes through a flow. Take them back first." };

impl Call {
    /// Whether this agent called whoever is at the other end.
    pub fn is_placed_by(&self, agent: UserId) -> bool {
        match self.seat(agent) {
            Some(Seat::Calling) => true,
            Some(Seat::Called) => self.outside().is_some(),
            None => false,
        }
    }
}
