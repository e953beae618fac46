//! Callers whom a flow connects with a number outside (ROUTE-08): nobody of the house has a part in it any more.
//!
//! While the number rings the caller is still in the flow, which goes on when nobody answers. With the answer the flow is over; who
//! hangs up ends the call, and nothing is left to be done. From the answer on it is the same with a number that an agent passed the
//! customer on to ([`super::transfer`]).

use flow::{Input, NotReached, TransferWish};
use model::call::{CallOrder, DialFailure};
use model::dialling::Dialled;
use model::id::InteractionId;
use model::journal::Event;
use model::time::Timestamp;

use super::call::{Call, Stage};
use super::core::{Core, Effect};
use super::facts::order;

impl Core {
    /// A flow wants its caller connected with a number. What the flow is told, if that cannot be tried.
    pub(super) fn pass_on(
        &mut self,
        interaction: InteractionId,
        wish: TransferWish,
        out: &mut Vec<Effect>,
    ) -> Option<Input> {
        let dialled = Dialled::parse(&wish.number).filter(|dialled| dialled.after.is_empty());
        let number = dialled.map(|dialled| dialled.number).filter(|number| self.may_dial(number).is_ok());
        let Some(number) = number else {
            tracing::info!(%interaction, "a flow may not dial its number");
            return Some(Input::NotReached(NotReached::Failed));
        };
        let call = self.calls.get_mut(&interaction)?;
        // Who is not answered yet is for this.
        call.heard = true;
        call.passes_to = Some(number.clone());
        let caller_id = call
            .service()
            .map_or_else(|| self.config.house_number(), |service| self.config.caller_id(service));
        self.order_dial(interaction, number, caller_id, wish.ring_time, out);
        None
    }

    /// Whether a flow, or an agent who left, has a number dialled for the caller.
    pub(super) fn is_passed_on(&self, interaction: InteractionId) -> bool {
        let dialling =
            |call: &Call| matches!(call.stage, Stage::InFlow | Stage::Dialled) && call.passes_to.is_some();
        self.calls.get(&interaction).is_some_and(dialling)
    }

    /// The number answered: the flow is over, and the two are joined.
    pub(super) fn pass_on_answered(&mut self, interaction: InteractionId, out: &mut Vec<Effect>) {
        self.flows.remove(interaction);
        let record = self.recording_of(interaction);
        if let Some(call) = self.calls.get_mut(&interaction) {
            call.stage = Stage::PassedOn;
            out.push(order(CallOrder::JoinFarEnd { interaction, record }));
        }
    }

    /// Caller and number hear each other.
    pub(super) fn passed_on(&mut self, interaction: InteractionId, out: &mut Vec<Effect>) {
        let call = self.calls.get(&interaction).filter(|call| call.stage == Stage::PassedOn);
        if let Some(number) = call.and_then(|call| call.passes_to.clone()) {
            out.push(Effect::Journal(Event::PassedOn { interaction, number }));
            // Of a forwarded call it is told to the colleague who called.
            self.show_work(interaction, out);
        }
    }

    /// Nobody answered: the flow goes on.
    pub(super) fn not_passed_on(
        &mut self,
        interaction: InteractionId,
        why: DialFailure,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if let Some(call) = self.calls.get_mut(&interaction) {
            call.passes_to = None;
        }
        let why = match why {
            DialFailure::Busy => NotReached::Busy,
            DialFailure::NoAnswer | DialFailure::PhoneOff => NotReached::Unanswered,
            DialFailure::Rejected
            | DialFailure::NotFound
            | DialFailure::Barred
            | DialFailure::Unreachable
            | DialFailure::TrunksBusy => NotReached::Failed,
        };
        self.in_flow(interaction, Input::NotReached(why), now, out);
    }
}
